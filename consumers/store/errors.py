"""Why the database cannot be used, and what to do about it."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import ClassVar, Final

from utils.errors import PipelineError
from utils.text import printable

Block = Callable[[], AbstractContextManager[None]]
"""Makes what a block is done in: a transaction, or that the errors of SQLite are named."""

_ELSEWHERE: Final = "set DATABASE_FILE (--db) to another file"
_ADVICE_BY_CODE: Final = {
    "SQLITE_READONLY": f"make the file and its folder writable, or {_ELSEWHERE}",
    "SQLITE_CANTOPEN": f"make its folder writable, or {_ELSEWHERE}",
    "SQLITE_PERM": f"make the file and its folder writable, or {_ELSEWHERE}",
    "SQLITE_NOTADB": f"{_ELSEWHERE}, or move this one away",
    "SQLITE_CORRUPT": "restore a copy of it, or move it away and read the files again",
    "SQLITE_IOERR": "look after its disk",
    "SQLITE_ERROR": "its tables are not as this program made them: restore a copy of it, or move it away",
}
_BUSY_CODES: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_PERHAPS_FULL_CODES: Final = ("SQLITE_IOERR", "SQLITE_CANTOPEN")
"""What SQLite says of a full disk, besides SQLITE_FULL, and of other troubles too: a quota that is used up, a
write-ahead log or its index that cannot be made or cannot grow."""


class StoreError(PipelineError):
    """The database cannot be used; what was not saved is still in the file and is read again at the next start."""


class StoreWaitError(StoreError):
    """The database cannot be used just now: try again. What was not saved waits in the file."""

    over: ClassVar[str]
    """What is said when it is over."""
    retry_after_s: ClassVar[float] = 0.0


class StoreBusyError(StoreWaitError):
    """Another program holds the database's lock."""

    over = "the database is free again"


class StoreFullError(StoreWaitError):
    """There is no room for more on the database's disk."""

    over = "there is room for the database again"
    retry_after_s = 1.0


def is_busy(error: sqlite3.Error | OverflowError) -> bool:
    """Return whether another program holds a lock; the extended codes (…_SNAPSHOT, …_RECOVERY) say the same."""
    return _code(error).startswith(_BUSY_CODES)


def named(
    error: sqlite3.Error | OverflowError, shown_path: str, has_no_room: Callable[[], bool] = lambda: False
) -> StoreError:
    """Return SQLite's error as this project's own, with the database and what to do.

    `has_no_room` finds out whether the disk is full; it is asked only if the error does not say so clearly.
    """
    code = _code(error)
    if is_busy(error):
        return StoreBusyError(f"{shown_path} is locked by another program")
    if code.startswith("SQLITE_FULL") or (code.startswith(_PERHAPS_FULL_CODES) and has_no_room()):
        return StoreFullError(f"no room for {shown_path}: {printable(str(error))}; make room on its disk")
    advice = next((f"; {text}" for name, text in _ADVICE_BY_CODE.items() if code.startswith(name)), "")
    return StoreError(f"cannot use {shown_path}: {printable(str(error))}{advice}. Unread lines stay in the file")


def _code(error: sqlite3.Error | OverflowError) -> str:
    return str(getattr(error, "sqlite_errorname", ""))
