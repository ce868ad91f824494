"""The consumer and SQLite: what it asks for so that nothing is lost, and which refusals it waits out."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import CONSUMER, ConsumerInProcess, command_environment, lines, stored_machine_ids

OPENINGS = """
import runpy, sys
sys.addaudithook(lambda event, given: event == "open" and print(given[0]))
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class Refusing:
    """A connection that refuses its next transaction with an error of SQLite's, and then works."""

    def __init__(self, connection: sqlite3.Connection, code: str) -> None:
        self._connection = connection
        self._code = code
        self.refusals = 0

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        if statement.startswith("BEGIN") and not self.refusals:
            self.refusals += 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorname = self._code
            error.sqlite_errorcode = getattr(sqlite3, self._code)
            raise error
        return self._connection.execute(statement, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def consumer(live_file: Path, database: Path) -> Iterator[ConsumerInProcess]:
    live_file.write_bytes(lines(1, 2))
    consumer = ConsumerInProcess(live_file, database)
    yield consumer
    consumer.close()


def test_a_commit_is_safe_from_a_power_cut_that_comes_after_a_checkpoint(consumer: ConsumerInProcess) -> None:
    connection = consumer.store._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (1,), (
        "NORMAL: the log is synced before a checkpoint"
    )


def test_each_transaction_is_one_that_writes_from_its_beginning(consumer: ConsumerInProcess, live_file: Path) -> None:
    """One that turns from reading to writing fails at once with SQLITE_BUSY_SNAPSHOT, whatever the timeout."""
    statements = list[str]()
    consumer.store._connection.set_trace_callback(statements.append)
    consumer.read_all()
    begun = [statement for statement in statements if statement.startswith("BEGIN")]
    assert begun == ["BEGIN IMMEDIATE"] * len(begun) != []


def test_nothing_but_sqlite_opens_the_database_or_its_companions(live_file: Path, database: Path) -> None:
    """To close a file drops all locks that the process has on it: then a second consumer would be let in."""
    live_file.write_bytes(lines(1, 2))
    flags = ["--once", "--headless", "--file", str(live_file), "--db", str(database)]
    command = [sys.executable, "-c", OPENINGS, CONSUMER, *flags]
    done = subprocess.run(command, cwd=database.parent, env=command_environment(), capture_output=True, check=True)
    opened = done.stdout.decode().splitlines()
    assert str(live_file) in opened
    assert [path for path in opened if path.startswith(str(database))] == []
    assert stored_machine_ids(database) == [1, 2]


@pytest.mark.parametrize(
    "code",
    ["SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_TIMEOUT", "SQLITE_LOCKED"],
)
def test_a_database_that_is_locked_is_waited_for_whichever_way_sqlite_says_it(
    consumer: ConsumerInProcess, live_file: Path, database: Path, code: str
) -> None:
    consumer.read_all()
    refusing = Refusing(consumer.store._connection, code)
    consumer.store._connection = refusing  # type: ignore[assignment]
    with live_file.open("ab") as file:
        file.write(lines(3, 1))
    assert not consumer.pipeline.step()
    assert consumer.pipeline.waiting is not None
    assert stored_machine_ids(database) == [1, 2]
    consumer.read_all()
    assert stored_machine_ids(database) == [1, 2, 3]
    assert refusing.refusals == 1
