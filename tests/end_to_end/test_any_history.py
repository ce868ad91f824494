"""Any history of the file, the consumer and the database, against a model: every line once, in order."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumers.store.store import Store
from tests.support import ConsumerInProcess, lines, query, stored_machine_ids


class Killed(BaseException):
    """The process is gone."""


class KillableStore(Store):
    """Dies on demand just before or just after a save."""

    dies_before_save = False
    dies_after_save = False

    def save(self, *arguments):  # type: ignore[no-untyped-def]
        if self.dies_before_save:
            raise Killed
        super().save(*arguments)
        if self.dies_after_save:
            raise Killed


@dataclass
class ModelFile:
    """A file on disk: which lines are in it, and whether the consumer has it open."""

    path: Path | None
    numbers: list[int] = field(default_factory=list)
    torn: bytes = b""
    torn_number: int = 0
    is_open_in_consumer: bool = False
    came_before_any_look: bool = False


class AnyHistory(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.live_path = self.folder / "live.json"
        self.database = self.folder / "analytics.sqlite"
        self.next_number = 1
        self.rotations = 0
        self.written: list[int] = []
        self.late: set[int] = set()
        self.may_be_lost: set[int] = set()
        self.live: ModelFile | None = None
        self.others: list[ModelFile] = []
        self.has_known_life = False
        self.consumer: ConsumerInProcess | None = None
        self.blocker: sqlite3.Connection | None = None

    # What producers and other programs do to the file

    @rule(count=st.integers(1, 3))
    def append(self, count: int) -> None:
        live = self._live_file()
        self._write(live, count)

    @rule()
    def append_half_a_line(self) -> None:
        live = self._live_file()
        if not live.torn:
            line = lines(self.next_number, 1)
            half, live.torn = line[: len(line) // 2], line[len(line) // 2 :]
            live.torn_number = self.next_number
            self.next_number += 1
            self._append_bytes(live, half)

    @precondition(lambda self: self.live is not None)
    @rule()
    def rotate(self) -> None:
        assert self.live is not None
        self.live_path.rename(self._rotated_name())
        self.live.path = self._rotated_path
        self._no_longer_live()

    @precondition(lambda self: self.live is not None)
    @rule()
    def copy_and_truncate(self) -> None:
        assert self.live is not None
        shutil.copyfile(self.live_path, self._rotated_name())
        if not self.has_known_life:
            self._do_not_expect(self.live.numbers)
        elif not set(self.live.numbers) & set(stored_machine_ids(self.database)):
            # No byte of it was read: nothing can tell whether the copy came before what else was not read yet.
            self.late.update(self.live.numbers)
        self.live_path.write_bytes(b"")
        self.live.numbers, self.live.torn = [], b""

    @precondition(lambda self: any(other.path for other in self.others))
    @rule()
    def append_to_a_renamed_file(self) -> None:
        renamed = [other for other in self.others if other.path][-1]
        if not renamed.torn:
            self.late.add(self.next_number)
            self._write(renamed, 1)

    @precondition(lambda self: self.live is not None)
    @rule()
    def truncate(self) -> None:
        assert self.live is not None
        self.may_be_lost.update(self.live.numbers)
        self.live_path.write_bytes(b"")
        self.live.numbers, self.live.torn = [], b""

    @precondition(lambda self: self.live is not None and self.live.numbers and not self.live.torn)
    @rule()
    def rewrite_at_the_same_size(self) -> None:
        assert self.live is not None
        self.may_be_lost.update(self.live.numbers)
        count, self.live.numbers = len(self.live.numbers), []
        with self.live_path.open("r+b") as file:
            file.write(lines(self.next_number, count))
        self._note_written(self.live, count)

    @precondition(lambda self: self.live is not None)
    @rule()
    def delete(self) -> None:
        assert self.live is not None
        self.live_path.unlink()
        self.live.path = None
        if not self.live.is_open_in_consumer:
            self.may_be_lost.update(self.live.numbers)
        self._no_longer_live()

    # What happens to the consumer

    @rule()
    def start_or_restart_the_consumer(self) -> None:
        self._end_consumer()
        if self.blocker is None:
            self.consumer = ConsumerInProcess(self.live_path, self.database, KillableStore(self.database))
            self._poll()

    @precondition(lambda self: self.consumer is not None)
    @rule()
    def poll(self) -> None:
        self._poll()

    @precondition(lambda self: self.consumer is not None)
    @rule(after_save=st.booleans())
    def kill_the_consumer_while_it_saves(self, after_save: bool) -> None:
        assert self.consumer is not None
        store = self.consumer.store
        assert isinstance(store, KillableStore)
        store.dies_after_save, store.dies_before_save = after_save, not after_save
        with contextlib.suppress(Killed):
            self._poll()
        self._end_consumer()

    @precondition(lambda self: self.consumer is not None and self.blocker is None)
    @rule()
    def lock_the_database(self) -> None:
        self.blocker = sqlite3.connect(self.database, isolation_level=None)
        self.blocker.execute("BEGIN IMMEDIATE")

    @precondition(lambda self: self.blocker is not None)
    @rule()
    def unlock_the_database(self) -> None:
        assert self.blocker is not None
        self.blocker.close()
        self.blocker = None

    # What must hold

    @invariant()
    def the_account_balances(self) -> None:
        if self.has_known_life and self.blocker is None:
            assert query(self.database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]

    def teardown(self) -> None:
        try:
            if self.blocker is not None:
                self.unlock_the_database()
            if self.consumer is None:
                self.start_or_restart_the_consumer()
            self.append(1)
            self._poll()
            self._check_rows(stored_machine_ids(self.database))
            self.the_account_balances()
        finally:
            if self.blocker is not None:
                self.blocker.close()
            self._end_consumer()
            shutil.rmtree(self.folder)

    def _check_rows(self, rows: list[int]) -> None:
        assert len(rows) == len(set(rows)), f"twice: {rows}"
        assert set(rows) <= set(self.written), f"never written: {set(rows) - set(self.written)}"
        missing = set(self.written) - set(rows) - self.may_be_lost
        assert not missing, f"missing {missing} of {self.written}, got {rows}"
        on_time = [number for number in rows if number not in self.late]
        assert on_time == sorted(on_time), f"out of order: {on_time}"

    def _poll(self) -> None:
        assert self.consumer is not None
        if self.live is not None and self.blocker is None:
            self.live.is_open_in_consumer = self.has_known_life = True
        self.consumer.read_all()

    def _end_consumer(self) -> None:
        """Close what the system closes when a process ends: nothing is committed by it."""
        if self.consumer is not None:
            self.consumer.close()
        self.consumer = None
        for file in (*self.others, self.live):
            if file is not None:
                file.is_open_in_consumer = False
                if file.path is None:
                    self.may_be_lost.update(file.numbers)

    def _live_file(self) -> ModelFile:
        if self.live is None:
            self.live = ModelFile(self.live_path)
        return self.live

    def _no_longer_live(self) -> None:
        assert self.live is not None
        if not self.has_known_life:
            # A consumer begins with the file that the path names when it first looks.
            self.live.came_before_any_look = True
            self._do_not_expect(self.live.numbers)
        self.others.append(self.live)
        self.live = None

    def _do_not_expect(self, numbers: list[int]) -> None:
        self.may_be_lost.update(numbers)
        self.late.update(numbers)

    def _write(self, file: ModelFile, count: int) -> None:
        if file.torn:
            self._append_bytes(file, file.torn)
            file.torn = b""
            file.numbers.append(file.torn_number)
            self.written.append(file.torn_number)
        data = lines(self.next_number, count)
        self._append_bytes(file, data)
        self._note_written(file, count)

    def _note_written(self, file: ModelFile, count: int) -> None:
        numbers = range(self.next_number, self.next_number + count)
        file.numbers.extend(numbers)
        self.written.extend(numbers)
        if file.came_before_any_look:
            self._do_not_expect(file.numbers)
        self.next_number += count

    def _append_bytes(self, file: ModelFile, data: bytes) -> None:
        assert file.path is not None
        with file.path.open("ab") as handle:
            handle.write(data)

    def _rotated_name(self) -> Path:
        self.rotations += 1
        self._rotated_path = self.folder / f"live-20261122T0915{self.rotations:02}Z.json"
        return self._rotated_path


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=int(os.environ.get("NIGHTLY_HISTORIES", "500")),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
