"""Why the database cannot be used, and what to do about it."""

import sqlite3
from typing import Final

from utils.errors import PipelineError
from utils.text import printable

_ELSEWHERE: Final = "set DATABASE_FILE (--db) to another file"
_ADVICE_BY_CODE: Final = {
    "SQLITE_FULL": "make room on its disk",
    "SQLITE_READONLY": f"make the file and its folder writable, or {_ELSEWHERE}",
    "SQLITE_CANTOPEN": f"make its folder writable, or {_ELSEWHERE}",
    "SQLITE_PERM": f"make the file and its folder writable, or {_ELSEWHERE}",
    "SQLITE_NOTADB": f"{_ELSEWHERE}, or move this one away",
    "SQLITE_CORRUPT": "restore a copy of it, or move it away and read the files again",
    "SQLITE_IOERR": "look after its disk",
    "SQLITE_ERROR": "its tables are not as this program made them: restore a copy of it, or move it away",
}
_BUSY_CODES: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")


class StoreError(PipelineError):
    """The database cannot be used; what was not saved is still in the file and is read again at the next start."""


class StoreBusyError(StoreError):
    """Another program holds the database's lock just now: try again."""


def is_busy(error: sqlite3.Error | OverflowError) -> bool:
    """Return whether another program holds a lock; the extended codes (…_SNAPSHOT, …_RECOVERY) say the same."""
    return _code(error).startswith(_BUSY_CODES)


def named(error: sqlite3.Error | OverflowError, shown_path: str) -> StoreError:
    """Return SQLite's error as this project's own, with the database and what to do."""
    if is_busy(error):
        return StoreBusyError(f"{shown_path} is locked by another program")
    advice = next((f"; {text}" for code, text in _ADVICE_BY_CODE.items() if _code(error).startswith(code)), "")
    return StoreError(f"cannot use {shown_path}: {printable(str(error))}{advice}. Unread lines stay in the file")


def _code(error: sqlite3.Error | OverflowError) -> str:
    return str(getattr(error, "sqlite_errorname", ""))
