"""The log: for the person at the terminal, and in rotating files for later."""

import sys
from contextlib import suppress
from logging import LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, TextIO

from loguru import logger

from utils.errors import PipelineError
from utils.text import shown

_TERMINAL_FORMAT: Final = "<green>{time:HH:mm:ss}</green> <level>{level: <7}</level> {message}"
_FILE_FORMAT: Final = "{time:YYYY-MM-DDTHH:mm:ss.SSSZ} {level: <7} {message}"
_LOG_FILE_BYTES: Final = 5_000_000
_KEPT_LOG_FILES: Final = 5


def log_path(name: str, log_dir: Path) -> Path:
    """Return where the log of a command is."""
    return log_dir / f"{name}.log"


def configure_logs(name: str, level: str, log_dir: Path | None, terminal: TextIO | None = None) -> None:
    """Send the log to the terminal from `level` on, and all of it to `log_dir/name.log`, kept for a while.

    Without a folder the terminal alone has it. Raises PipelineError if it cannot be written there.
    """
    terminal = terminal or sys.stderr
    logger.remove()
    if terminal is not None:  # closed by whoever started this process
        logger.add(terminal, level=level, format=_TERMINAL_FORMAT, backtrace=False, diagnose=False)
    if log_dir is None:
        return
    path = log_path(name, log_dir)
    try:
        log_file = _opened(path, terminal)
    except OSError as error:
        raise PipelineError(
            f"cannot write the log {shown(path)}: {error.strerror}; "
            "make the folder writable or set LOG_DIR to another"
        ) from error
    logger.add(log_file, level="DEBUG", format=_FILE_FORMAT, backtrace=False, diagnose=False)


def _opened(path: Path, terminal: TextIO | None) -> "_LogFile":
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():  # to open a FIFO is to wait for its reader, perhaps for ever
        raise PipelineError(
            f"the log {shown(path)} is no regular file; move it away, or set LOG_DIR to another folder"
        )
    return _LogFile(path, terminal)


class _LogFile(RotatingFileHandler):
    """A log file of limited size. A disk that is full stops nothing: the terminal is told once."""

    def __init__(self, path: Path, terminal: TextIO | None) -> None:
        super().__init__(
            path,
            maxBytes=_LOG_FILE_BYTES,
            backupCount=_KEPT_LOG_FILES,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._terminal = terminal
        self._has_failed = False

    def handleError(self, record: LogRecord) -> None:  # noqa: ARG002, N802 - the standard library's name
        if not self._has_failed and self._terminal is not None:
            self._terminal.write(f"the log {shown(self.baseFilename)} cannot be written: {sys.exc_info()[1]}\n")
        self._has_failed = True

    def close(self) -> None:
        """Close the file, even if the last lines cannot be written."""
        with suppress(OSError):
            super().close()
