"""What both commands do alike: flags over settings, one log, one way to end."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NoReturn

from loguru import logger

from utils.errors import PipelineError
from utils.logs import configure_logs, log_path
from utils.paths import require_not_written, require_separate
from utils.settings import Config, ConfigError, make_config, read_settings, setting_names, settings_sources
from utils.stop import StopRequest
from utils.text import printable, shown

_ENV_FILE: Final = Path(".env")
_OUT_OF_MEMORY: Final = (
    "there is not enough memory; end other programs, raise the limit (ulimit -v), or simulate fewer machines "
    "(PRODUCER_MACHINES), then start again: what was written and saved is kept"
)

COMMANDS: Final = ("producer", "consumer", "consumer_spark")
Work = Callable[[Config, argparse.Namespace, StopRequest], None]


def run_command(
    name: str, parser: argparse.ArgumentParser, flags: Mapping[str, str], argv: Sequence[str] | None, work: Work
) -> int:
    """Configure the command, let it work until it is done or asked to stop, and return the exit status.

    `flags` names the flag of each setting that has one. 0: done. 1: it could not go on; the log says why.
    Bad usage and bad settings exit with 2, as argparse does.
    """
    options = parser.parse_args(argv)
    try:
        settings = read_settings(_ENV_FILE)
        config = _config(settings, options, flags)
    except ConfigError as error:
        parser.error(str(error))
    stop = StopRequest()
    stop.install()

    def begin() -> None:
        configure_logs(name, config.log_level, None)
        _check_logs(config)
        configure_logs(name, config.log_level, config.log_dir)
        _warn_of_no_file()
        _warn_of_unknown(settings)
        require_separate(config.live_file, config.database_file)
        work(config, options, stop)

    problem = _problem_of(begin)
    if problem is None:
        return 0
    logger.error("{}", problem)
    return 1


class Parser(argparse.ArgumentParser):
    """An argument parser whose messages are safe for a terminal."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit with status 2."""
        super().error(printable(message))


def add_setting(parser: argparse.ArgumentParser, setting: str, flag: str, metavar: str, meaning: str) -> None:
    """Give a setting a flag; its text is checked later, together with those of `.env`."""
    parser.add_argument(flag, dest=setting, metavar=metavar, type=_given, help=f"{meaning} (setting {setting})")


def _problem_of(work: Callable[[], None]) -> str | None:
    """Return why the work could not go on, or None if it is done.

    The message is logged later: only when the error is gone, with all that it holds, is there memory for that.
    """
    try:
        work()
    except PipelineError as error:
        return str(error)
    except MemoryError:
        return _OUT_OF_MEMORY
    return None


def _check_logs(config: Config) -> None:
    """Raise PipelineError if a log of any command would be written into the live file or the database."""
    for name in COMMANDS:
        log = log_path(name, config.log_dir)
        require_not_written(log, f"the log of the {name}; set LOG_DIR or it", config.live_file, config.database_file)


def _config(settings: Mapping[str, str], options: argparse.Namespace, flags: Mapping[str, str]) -> Config:
    given = {setting: flag for setting, flag in flags.items() if getattr(options, setting) is not None}
    sources = settings_sources(settings, _ENV_FILE) | given
    return make_config({**settings, **{setting: getattr(options, setting) for setting in given}}, sources)


def _warn_of_no_file() -> None:
    if _ENV_FILE.exists() and not _ENV_FILE.is_file():
        logger.warning(
            "{} is {}: no settings are read from it; settings belong into a file of this name",
            _ENV_FILE,
            "a folder" if _ENV_FILE.is_dir() else "no regular file",
        )


def _warn_of_unknown(settings: Mapping[str, str]) -> None:
    known = setting_names()
    if unknown := [setting for setting in settings if setting not in known]:
        meant = [close for setting in unknown for close in get_close_matches(setting.upper(), known, 1, 0.8)]
        logger.warning(
            "{} has settings that are not known: {}; {}see .env.example",
            _ENV_FILE,
            shown(", ".join(unknown)),
            f"did you mean {shown(', '.join(meant))}? " if meant else "",
        )


def _given(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; leave the flag out for the default")
    return text
