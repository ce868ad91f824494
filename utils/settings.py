"""Settings: flags over the environment over `.env` over defaults, checked once, frozen."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values

from utils.efficiency import Limits, LimitsError
from utils.errors import PipelineError
from utils.setting import declare

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class ConfigError(PipelineError):
    """A setting that cannot be used; the message names it, its value, and what is allowed."""


@dataclass(frozen=True)
class Config:
    """Every setting but those of the rule, which are `limits`. Its name in `.env` is the field's in capitals."""

    live_file: Path = declare(Path("data/project_live.json"), "the file between producer and consumer")
    database_file: Path = declare(Path("data/meyer_manufacturing_analytics.sqlite"), "where readings are kept")
    snapshot_file: Path = declare(
        Path("data/dashboard.png"), "where the dashboard is drawn when no window can be opened"
    )
    log_dir: Path = declare(Path("data/logs"), "folder of the log files")
    log_level: str = declare("INFO", f"least level shown at the terminal: {', '.join(LOG_LEVELS)}")

    producer_machines: int = declare(8, "machines of the simulated plant", "machines", 1, 100_000)
    producer_interval_s: float = declare(1.0, "every machine reports once an interval", "s", 0.001, 86_400)
    producer_seed: int | None = declare(
        None, "the same seed gives the same plant; empty: another plant each time", "", 0, 2**63 - 1
    )
    live_file_max_mb: float = declare(0.0, "size at which the live file is rotated; 0: never", "MB", 0, 1_000_000)

    keep_rejected: int = declare(
        100_000, "rejected messages that are kept, the newest ones; all are counted", "messages", 1, 100_000_000
    )
    keep_readings_days: float = declare(
        0.0, "readings are kept for so long by the plant's clock, then deleted; 0: for ever", "days", 0, 100_000
    )
    keep_minutes_days: float = declare(
        0.0, "minutes of each machine are kept for so long, then deleted; 0: for ever", "days", 0, 100_000
    )
    delete_finished_files: bool = declare(
        False,  # noqa: FBT003 - a default, not an argument
        "whether a rotated file is deleted when all of it is in the database and it was quiet for an hour: yes, no",
    )
    machines_at_most: int = declare(
        100_000, "machines that are taken in; lines of further ones are rejected", "machines", 1, 10_000_000
    )

    dashboard_window_min: float = declare(
        60.0, "time that the trend panel looks back, over the newest 20,000 readings at the most", "min", 0.1, 100_000
    )
    stale_after_s: float = declare(60.0, "a machine silent for longer is shown as stale", "s", 0.1, 1_000_000)
    status_every_s: float = declare(30.0, "a status line in the log, this often", "s", 1, 86_400)

    limits: Limits = field(default_factory=Limits)


def read_settings(env_file: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Collect raw settings: the environment's values over those of `.env`, unknown ones of `.env` included.

    Raises ConfigError.
    """
    try:
        from_file = dotenv_values(env_file, encoding="utf-8") if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the settings in {env_file}: {error}") from error
    environ = os.environ if environ is None else environ
    settings = {name: value for name, value in from_file.items() if value is not None}
    return settings | {name: environ[name] for name in setting_names() if name in environ}


def setting_names() -> tuple[str, ...]:
    """Name every setting, as `.env` does, in the order of `.env.example`."""
    return tuple(setting.name.upper() for setting in all_settings())


def all_settings() -> tuple[Field[Any], ...]:
    """Declare every setting: name, default, and `unit`, `meaning`, `low`, `high` in the metadata."""
    return (*_own_settings(), *fields(Limits))


def make_config(settings: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Config:
    """Build the Config from raw settings; `flags` tells which flag gave a setting, for the message.

    Raises ConfigError.
    """
    sources = {} if flags is None else flags
    try:
        limits = Limits(**_parsed(fields(Limits), settings, sources))
    except LimitsError as error:
        raise ConfigError(f"settings contradict each other: {error}") from error
    return Config(limits=limits, **_parsed(_own_settings(), settings, sources))


def _own_settings() -> tuple[Field[Any], ...]:
    return tuple(setting for setting in fields(Config) if setting.name != "limits")


def _parsed(declared: Iterable[Field[Any]], settings: Mapping[str, str], flags: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for setting in declared:
        name = setting.name.upper()
        text = settings.get(name, "").strip()
        if not text:
            continue  # an empty value in .env means: the default
        try:
            values[setting.name] = _parse(setting, text)
        except ValueError as error:
            by_flag = f" ({flags[name]})" if name in flags else ""
            raise ConfigError(f"setting {name}{by_flag} is {text[:80]!r}; expected {error}") from None
    return values


def _parse(setting: Field[Any], text: str) -> Any:
    """Read a value of the setting's declared type; a ValueError's message tells what is expected."""
    if isinstance(setting.default, Path):
        return _path(setting, text)
    if isinstance(setting.default, str):
        return _log_level(text)
    if isinstance(setting.default, bool):
        return _yes_or_no(text)
    if setting.type is float:
        return _within(setting, text, float, "a number")
    return _within(setting, text, int, "a whole number")


def _path(setting: Field[Any], text: str) -> Path:
    if "\0" in text or (setting.name.endswith("_file") and not Path(text).name):
        raise ValueError("the path of a file")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("a path; there is no such home folder") from None


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise ValueError("yes or no")
    return text.lower() in ("yes", "true")


def _within(setting: Field[Any], text: str, kind: type[int] | type[float], what: str) -> float:
    low, high = setting.metadata["low"], setting.metadata["high"]
    expected = f"{what} from {low:,} to {high:,} {setting.metadata['unit']}".rstrip()
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(expected) from None
    if not low <= value <= high:
        raise ValueError(expected)
    return value
