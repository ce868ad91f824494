"""The log: for the person at the terminal, and in rotating files for later."""

import sys
from pathlib import Path
from typing import TextIO

from loguru import logger

from utils.errors import PipelineError

_TERMINAL_FORMAT = "<green>{time:HH:mm:ss}</green> <level>{level: <7}</level> {message}"
_FILE_FORMAT = "{time:YYYY-MM-DDTHH:mm:ss.SSSZ} {level: <7} {message}"


def configure_logs(name: str, level: str, log_dir: Path, terminal: TextIO | None = None) -> None:
    """Send the log to the terminal from `level` on, and all of it to `log_dir/name.log`, kept for a while.

    Raises PipelineError where the folder cannot be written.
    """
    logger.remove()
    logger.add(terminal or sys.stderr, level=level, format=_TERMINAL_FORMAT, backtrace=False, diagnose=False)
    path = log_dir / f"{name}.log"
    try:
        logger.add(
            path,
            level="DEBUG",
            format=_FILE_FORMAT,
            rotation="5 MB",
            retention=5,
            encoding="utf-8",
            backtrace=False,
            diagnose=False,
        )
    except OSError as error:
        raise PipelineError(
            f"cannot write the log {path}: {error.strerror}; make the folder writable or set LOG_DIR to another"
        ) from error


def printable(text: str) -> str:
    """Make text from outside safe for a terminal: control and other unprintable characters are escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
