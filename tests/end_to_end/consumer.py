"""The consumer's command as a process that is stopped, killed and started again, and what it made of a feed."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.end_to_end.feed import stored_numbers, twice
from tests.support import CONSUMER, ConsumerInProcess, command_environment, query, until


class Consumer:
    """A headless consumer, run until the block ends; whatever it says comes into a file beside the database.

    `through`: a command that runs the command behind it, in its own way.
    """

    def __init__(self, live_file: Path, database: Path, through: Sequence[str] = ()) -> None:
        self.live_file = live_file
        self.database = database
        self.arguments = ("--headless", "--file", live_file, "--db", database)
        self._through = through
        self._output = database.with_name("consumer.txt").open("ab")
        self._process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._output.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.kill()
        self._process = self._start()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), self.said()

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Ask it to stop, and see that it ends in order."""
        self._process.terminate()
        assert self._process.wait(30) == 0, self.said()

    def wait_for(self, numbers: set[int]) -> None:
        """Return when these lines have their rows, or it takes too long: what is missing is for the test to say."""
        with suppress(AssertionError):
            until(lambda: numbers <= set(numbers_so_far(self.database)))

    def said(self) -> str:
        return self.database.with_name("consumer.txt").read_text(encoding="utf-8")

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._through, sys.executable, "-m", CONSUMER, *map(str, self.arguments)],
            cwd=self.database.parent,
            env=command_environment(),
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )


def numbers_so_far(database: Path) -> list[int]:
    try:
        return stored_numbers(database)
    except sqlite3.OperationalError:  # it is being made
        return []


def check_rows(database: Path, held: set[int], said: str) -> None:
    """See that each line that a file holds has a row, that none has two, and that the account balances."""
    rows = stored_numbers(database)
    assert (sorted(held - set(rows)), twice(rows)) == ([], []), said
    assert query(database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]


def check_that_nothing_is_left(live_file: Path, database: Path) -> None:
    """See that a consumer that is run again reads not one line more."""
    read = query(database, "SELECT sum(read_lines) FROM source_files")
    with closing(ConsumerInProcess(live_file, database)) as consumer:
        consumer.read_all()
    assert query(database, "SELECT sum(read_lines) FROM source_files") == read, consumer.said
