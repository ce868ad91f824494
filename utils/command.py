"""What both commands do alike: flags over settings, one log, one way to end."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from loguru import logger

from utils.config import Config, ConfigError, make_config, read_settings
from utils.errors import PipelineError
from utils.logs import configure_logs
from utils.stop import StopRequest

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
        config = _config(options, flags)
    except ConfigError as error:
        parser.error(str(error))
    stop = StopRequest()
    stop.install()
    try:
        configure_logs(name, config.log_level, config.log_dir)
        work(config, options, stop)
    except PipelineError as error:
        logger.error("{}", error)
        return 1
    return 0


def add_setting(parser: argparse.ArgumentParser, setting: str, flag: str, metavar: str, meaning: str) -> None:
    """Give a setting a flag; its text is checked later, as that of `.env` is."""
    parser.add_argument(flag, dest=setting, metavar=metavar, type=_given, help=f"{meaning} (setting {setting})")


def _config(options: argparse.Namespace, flags: Mapping[str, str]) -> Config:
    given = {setting: flag for setting, flag in flags.items() if getattr(options, setting) is not None}
    settings = read_settings(Path(".env")) | {setting: getattr(options, setting) for setting in given}
    return make_config(settings, given)


def _given(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; leave the flag out for the default")
    return text
