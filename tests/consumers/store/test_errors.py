import sqlite3

import pytest

from consumers.store.errors import StoreBusyError, StoreError, StoreFullError, StoreWaitError, is_busy, named


def sqlites_error(name: str, text: str = "what SQLite says") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    "name",
    ["SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED", "SQLITE_LOCKED_SHAREDCACHE"],
)
def test_each_kind_of_lock_can_be_tried_again(name: str) -> None:
    assert is_busy(sqlites_error(name))
    error = named(sqlites_error(name), "a.sqlite")
    assert isinstance(error, StoreBusyError)
    assert str(error) == "a.sqlite is locked by another program"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("SQLITE_READONLY_DBMOVED", "writable"),
        ("SQLITE_CANTOPEN_ISDIR", "make its folder writable"),
        ("SQLITE_NOTADB", "move this one away"),
        ("SQLITE_CORRUPT_VTAB", "restore a copy"),
        ("SQLITE_IOERR_WRITE", "its disk"),
        ("SQLITE_ERROR", "not as this program made them"),
    ],
)
def test_what_cannot_be_tried_again_says_what_to_do(name: str, advice: str) -> None:
    assert not is_busy(sqlites_error(name))
    error = named(sqlites_error(name), "a.sqlite")
    assert not isinstance(error, StoreBusyError)
    assert isinstance(error, StoreError)
    assert "cannot use a.sqlite: what SQLite says; " in str(error)
    assert advice in str(error)


@pytest.mark.parametrize(
    ("name", "is_full"),
    [
        ("SQLITE_FULL", True),
        ("SQLITE_IOERR_WRITE", True),
        ("SQLITE_IOERR_SHMSIZE", True),
        ("SQLITE_IOERR_FSYNC", True),
        ("SQLITE_CANTOPEN", True),
        ("SQLITE_CORRUPT", False),
        ("SQLITE_READONLY", False),
    ],
)
def test_each_kind_of_full_disk_can_be_tried_again(name: str, is_full: bool) -> None:
    error = named(sqlites_error(name), "a.sqlite", lambda: True)
    assert isinstance(error, StoreFullError) == isinstance(error, StoreWaitError) == is_full
    assert str(error) == "no room for a.sqlite: what SQLite says; make room on its disk" or not is_full


def test_whether_there_is_room_is_not_tried_if_sqlite_says_so_itself() -> None:
    def tried() -> bool:
        pytest.fail("tried")

    assert isinstance(named(sqlites_error("SQLITE_FULL"), "a.sqlite", tried), StoreFullError)
    assert isinstance(named(sqlites_error("SQLITE_BUSY"), "a.sqlite", tried), StoreBusyError)
    assert not isinstance(named(sqlites_error("SQLITE_CORRUPT"), "a.sqlite", tried), StoreWaitError)


def test_an_error_of_no_known_code_is_told_too() -> None:
    assert str(named(sqlite3.Error("odd"), "a.sqlite")) == "cannot use a.sqlite: odd. Unread lines stay in the file"


def test_what_sqlite_says_is_made_printable() -> None:
    assert "no such table: \\x1b[2J" in str(
        named(sqlites_error("SQLITE_ERROR", "no such table: \x1b[2J"), "a.sqlite")
    )
