"""What both commands do alike: flags over settings, one log, one way to end."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from loguru import logger

from utils.errors import PipelineError
from utils.logs import configure_logs
from utils.settings import Config, ConfigError, make_config, read_settings, setting_names
from utils.stop import StopRequest
from utils.text import printable

_ENV_FILE: Final = Path(".env")

Work = Callable[[Config, argparse.Namespace, StopRequest], None]


def run_command(
    name: str, parser: argparse.ArgumentParser, flags: Mapping[str, str], argv: Sequence[str] | None, work: Work
) -> int:
    """Parse, configure, and work until done or asked to stop; returns the exit status.

    `flags` names the flag of each setting that has one. 0: done. 1: it could not go on, as the log says.
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
    try:
        configure_logs(name, config.log_level, config.log_dir)
        if unknown := [printable(setting) for setting in settings if setting not in setting_names()]:
            logger.warning("{} has settings that are not known: {}; see .env.example", _ENV_FILE, ", ".join(unknown))
        work(config, options, stop)
    except PipelineError as error:
        logger.error("{}", error)
        return 1
    return 0


class Parser(argparse.ArgumentParser):
    """An argument parser whose messages are safe for a terminal."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        super().error(printable(message))


def add_setting(parser: argparse.ArgumentParser, setting: str, flag: str, metavar: str, meaning: str) -> None:
    """Give a setting a flag; its text is checked later, as that of `.env` is."""
    parser.add_argument(flag, dest=setting, metavar=metavar, type=_given, help=f"{meaning} (setting {setting})")


def _config(settings: Mapping[str, str], options: argparse.Namespace, flags: Mapping[str, str]) -> Config:
    given = {setting: flag for setting, flag in flags.items() if getattr(options, setting) is not None}
    return make_config({**settings, **{setting: getattr(options, setting) for setting in given}}, given)


def _given(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; leave the flag out for the default")
    return text
