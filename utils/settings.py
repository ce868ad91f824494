"""Settings: a flag counts more than the environment, that more than `.env`, that more than the default."""

import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from utils.efficiency import Limits, LimitsError
from utils.errors import PipelineError
from utils.fields import Fields
from utils.setting import choice, command, file, folder, number, picture, text, whole_number, zone
from utils.text import shown

THEMES: Final = ("LIGHT", "DARK")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class ConfigError(PipelineError):
    """A setting that cannot be used; the message says its name, its value, and what is allowed."""


@dataclass(frozen=True)
class Config:
    """Every setting; the rule's are in `limits`, those of other people's lines in `fields`.

    In `.env` a setting has its field's name in capitals.
    """

    live_file: Path = file(Path("data/project_live.json"), "the file between producer and consumer")
    database_file: Path = file(Path("data/meyer_manufacturing_analytics.sqlite"), "where readings are kept")
    snapshot_file: Path = picture(
        Path("data/dashboard.png"), "where the dashboard is drawn when no window can be opened; ends in .png"
    )
    log_dir: Path = folder(Path("data/logs"), "folder of the log files")
    log_level: str = choice("INFO", f"least level shown at the terminal: {', '.join(LOG_LEVELS)}", LOG_LEVELS)

    producer_machines: int = whole_number(8, "machines of the simulated plant", "machines", 1, 100_000)
    producer_interval_s: float = number(1.0, "every machine reports once an interval", "s", 0.001, 86_400)
    producer_seed: int | None = whole_number(
        None, "the same seed gives the same plant; empty: another plant each time", "", 0, 2**63 - 1
    )
    live_file_max_mb: float = number(0.0, "size at which the live file is rotated; 0: never", "MB", 0, 1_000_000)

    delete_finished_files: str = choice(
        "NO", "YES: rotated files are deleted an hour after they were read to their end", ("NO", "YES")
    )

    keep_rejected: int = whole_number(
        100_000, "rejected messages that are kept, the newest ones; all are counted", "messages", 1, 100_000_000
    )
    keep_readings_days: float = number(
        0.0, "readings are kept for so long by the plant's clock, then deleted; 0: for ever", "days", 0, 100_000
    )
    keep_minutes_days: float = number(
        0.0, "what each machine did by the minute is kept for so long; 0: for ever", "days", 0, 100_000
    )
    machines_at_most: int = whole_number(
        100_000, "machines that are taken in; lines of further ones are rejected", "machines", 1, 10_000_000
    )

    episode_raise_readings: int = whole_number(
        2, "so many readings of a machine beyond a limit raise an episode", "readings", 1, 1000
    )
    episode_raise_of: int = whole_number(
        3, "of so many that came last, or of as many as are needed", "readings", 1, 1000
    )
    episode_clear_readings: int = whole_number(
        10,
        "so many readings in a row well within the limit, and for a minute at least, end an episode",
        "readings",
        1,
        100_000,
    )
    episode_clear_share: float = number(
        0.93, "well within a limit is what is at most this share of it", "factor", 0, 1
    )

    alert_command: tuple[str, ...] | None = command("run once for each event that people should be told; empty: none")

    dashboard_window_min: float = number(
        60.0, "time that the trend panel looks back, as far as 400,000 minutes of machines reach", "min", 0.1, 100_000
    )
    stale_after_s: float = number(60.0, "a machine silent for longer is shown as stale", "s", 0.1, 1_000_000)
    status_every_s: float = number(30.0, "a status line in the log, this often", "s", 1, 86_400)
    theme: str = choice("LIGHT", f"the dashboard's colours: {' or '.join(THEMES)}", THEMES)
    timezone: str = zone("", "time zone in which times are shown, as Europe/Berlin; empty: this machine's own")

    spark_source: Path = file(
        Path("data/plants/*/project_live.json"),
        "live files of many plants (a glob); Spark reads what rotation leaves",
    )
    spark_output: Path = folder(Path("data/spark"), "folder of the Parquet files that Spark writes")
    spark_master: str = text("auto", "Spark's master; auto: what spark-submit names, or all cores of this machine")
    spark_settle_s: float = number(
        60.0, "a rotated file is read by Spark when nothing was written to it for so long", "s", 0, 86_400
    )
    spark_segments_per_batch: int = whole_number(
        64, "rotated files that Spark reads and saves at once", "files", 1, 100_000
    )

    limits: Limits = field(default_factory=Limits)
    fields: Fields = field(default_factory=Fields)


def read_settings(env_file: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the text of each setting in `.env` or the environment; if it is in both, the environment's.

    Names in `.env` that are no settings are returned too. Raises ConfigError if the file, or a line of
    it, cannot be read.
    """
    try:
        text = env_file.read_text(encoding="utf-8-sig") if env_file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        help_ = "; save it as UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        raise ConfigError(f"cannot read the settings in {env_file}: {error}{help_}") from error
    _require_settings(text, env_file)
    from_file = dotenv_values(stream=io.StringIO(text))
    environ = os.environ if environ is None else environ
    settings = {name: value for name, value in from_file.items() if value is not None}
    return settings | {name: environ[name] for name in setting_names() if name in environ}


def inherited_environment() -> dict[str, str]:
    """Return the environment that another command inherits from this one."""
    return dict(os.environ)


def settings_sources(
    settings: Mapping[str, str], env_file: Path, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return where each setting of `read_settings` came from, in words."""
    environ = os.environ if environ is None else environ
    return {name: "in the environment" if name in environ else f"in {env_file}" for name in settings}


def setting_names() -> tuple[str, ...]:
    """Return the name of every setting as `.env` writes it, in the order of `.env.example`."""
    return tuple(setting.name.upper() for setting in all_settings())


def all_settings() -> tuple[Field[Any], ...]:
    """Return the declaration of every setting; see `utils.setting`."""
    return (*_own_settings(), *fields(Limits), *fields(Fields))


def make_config(settings: Mapping[str, str], sources: Mapping[str, str] | None = None) -> Config:
    """Return the Config of the settings' texts; `sources` says where a setting came from, for the message.

    Raises ConfigError if a text is no value of its setting, or if settings contradict each other.
    """
    sources = {} if sources is None else sources
    try:
        limits = Limits(**_parsed(fields(Limits), settings, sources))
    except LimitsError as error:
        raise ConfigError(f"settings contradict each other: {error}") from error
    wire = Fields(**_parsed(fields(Fields), settings, sources))
    return Config(limits=limits, fields=wire, **_parsed(_own_settings(), settings, sources))


def _require_settings(text: str, env_file: Path) -> None:
    """Raise ConfigError if a line of `.env` is no setting: whoever wrote it would believe that it holds."""
    known = setting_names()
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.value is None and binding.key in known):
            written = binding.original.string
            line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
            raise ConfigError(
                f"{env_file}, line {line}, is no setting; write NAME=value, close each quote, begin a comment with #"
            )


def _own_settings() -> tuple[Field[Any], ...]:
    return tuple(setting for setting in fields(Config) if setting.name not in ("limits", "fields"))


def _parsed(
    declared: Iterable[Field[Any]], settings: Mapping[str, str], sources: Mapping[str, str]
) -> dict[str, Any]:
    values = {}
    for setting in declared:
        name = setting.name.upper()
        text = settings.get(name, "").strip()
        if not text:
            continue  # an empty value means the default
        try:
            values[setting.name] = setting.metadata["parse"](text)
        except ValueError as error:
            source = f" ({sources[name]})" if name in sources else ""
            raise ConfigError(f"setting {name}{source} is {shown(repr(text))}; expected {error}") from None
    return values
