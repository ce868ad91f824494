"""The log: for the person at the terminal, and in rotating files for later."""

import sys
from contextlib import suppress
from logging import LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, TextIO

from loguru import logger

from utils.errors import PipelineError
from utils.text import printable

_TERMINAL_FORMAT: Final = "<green>{time:HH:mm:ss}</green> <level>{level: <7}</level> {message}"
_FILE_FORMAT: Final = "{time:YYYY-MM-DDTHH:mm:ss.SSSZ} {level: <7} {message}"
_LOG_FILE_BYTES: Final = 5_000_000
_KEPT_LOG_FILES: Final = 5


def configure_logs(name: str, level: str, log_dir: Path, terminal: TextIO | None = None) -> None:
    """Send the log to the terminal from `level` on, and all of it to `log_dir/name.log`, kept for a while.

    Raises PipelineError where the folder cannot be written.
    """
    terminal = terminal or sys.stderr
    logger.remove()
    if terminal is not None:  # closed by whoever started this process
        logger.add(terminal, level=level, format=_TERMINAL_FORMAT, backtrace=False, diagnose=False)
    path = log_dir / f"{name}.log"
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        log_file = _LogFile(path, terminal)
    except OSError as error:
        raise PipelineError(
            f"cannot write the log {printable(str(path))}: {error.strerror}; "
            "make the folder writable or set LOG_DIR to another"
        ) from error
    logger.add(log_file, level="DEBUG", format=_FILE_FORMAT, backtrace=False, diagnose=False)


class _LogFile(RotatingFileHandler):
    """A log file that grows no further than its limit, and whose full disk stops nothing: it is said once."""

    def __init__(self, path: Path, terminal: TextIO | None) -> None:
        super().__init__(path, maxBytes=_LOG_FILE_BYTES, backupCount=_KEPT_LOG_FILES, encoding="utf-8")
        self._terminal = terminal
        self._has_failed = False

    def handleError(self, record: LogRecord) -> None:  # noqa: ARG002, N802 - the standard library's name
        if not self._has_failed and self._terminal is not None:
            self._terminal.write(f"the log {printable(self.baseFilename)} cannot be written: {sys.exc_info()[1]}\n")
        self._has_failed = True

    def close(self) -> None:
        """Let go of the file, as far as its disk lets us."""
        with suppress(OSError):
            super().close()
