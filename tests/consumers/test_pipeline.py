from collections.abc import Callable, Sequence
from functools import partial

import pytest

from consumers.ingest import Stopped, ingest
from consumers.machines.fleet import Fleet
from consumers.machines.plant_clock import PlantClock
from consumers.pipeline import Pipeline, Tally
from consumers.records import Batch, Chunk, Commit, RejectedLine
from consumers.store.errors import StoreBusyError, StoreError, StoreFullError
from consumers.store.retention import ROWS_A_STEP
from tests.consumers.support import LIMITS, StreamInMemory
from tests.support import AT, line, lines
from utils.message import timestamp_at


class Tail:
    """A tail that is given its chunks, and gives the same one again until it is told to go on."""

    def __init__(self, journal: list[str]) -> None:
        self.chunks: list[Chunk] = []
        self._journal = journal

    def read(self) -> Chunk | None:
        return self.chunks[0] if self.chunks else None

    def sync(self) -> None:
        self._journal.append("sync")

    def advance(self, chunk: Chunk) -> None:
        self._journal.append("advance")
        assert self.chunks.pop(0) == chunk


class Database:
    """Keeps the commits, and refuses on demand."""

    def __init__(self, journal: list[str]) -> None:
        self.saved: list[Commit] = []
        self.tried: list[Commit] = []
        self.refusals: list[StoreError] = []
        self.expired_at: list[str] = []
        self.expirable_steps = 0
        self.expiry_refusals: list[StoreError] = []
        self._journal = journal

    def save(self, commit: Commit) -> None:
        self.tried.append(commit)
        if self.refusals:
            raise self.refusals.pop(0)
        self._journal.append("save")
        self.saved.append(commit)

    def expire(self, plant_at: str) -> bool:
        self.expired_at.append(plant_at)
        if self.expiry_refusals:
            raise self.expiry_refusals.pop(0)
        self.expirable_steps -= 1
        return self.expirable_steps > 0


class Wired:
    """A pipeline between such a tail and such a database."""

    def __init__(self, is_stopped: Callable[[], bool] = lambda: False, machines_at_most: int = 1000) -> None:
        self.journal: list[str] = []
        self.said: list[str] = []
        self.rejected: list[RejectedLine] = []
        self.rejected_count = 0
        self.tail = Tail(self.journal)
        self.database = Database(self.journal)
        self.fleet = Fleet(100, machines_at_most=machines_at_most)
        self.stream = StreamInMemory()
        judge = partial(ingest, limits=LIMITS, keep_rejected=10, is_stopped=is_stopped)
        self.time_s = 0.0
        self.pipeline = Pipeline(
            self.tail,
            self.database,
            self.fleet,
            judge,
            lambda: self.time_s,
            self.said.append,
            self.said.append,
            self._reject,
        )

    def write(self, data: bytes) -> None:
        self.tail.chunks.append(self.stream.chunk(data))

    def _reject(self, count: int, last: Sequence[RejectedLine]) -> None:
        self.rejected_count += count
        self.rejected += last


@pytest.fixture
def wired() -> Wired:
    return Wired()


LOCKED = StoreBusyError("the database is locked by another program")
FULL = StoreFullError("no room for the database")


def test_a_step_takes_a_chunk_and_without_one_there_is_nothing_to_do(wired: Wired) -> None:
    assert not wired.pipeline.step()
    wired.write(lines(1, 2))
    assert wired.pipeline.step()
    assert not wired.pipeline.step()
    assert wired.pipeline.tally == Tally(len(lines(1, 2)), 2, 0, 0)


def test_the_file_is_synced_before_its_lines_are_saved_and_left_behind_only_then(wired: Wired) -> None:
    wired.write(lines(1, 2))
    wired.pipeline.step()
    assert wired.journal == ["sync", "save", "advance"]


def test_the_tally_counts_each_line_in_one_of_three_ways(wired: Wired) -> None:
    data = lines(1, 3) + b"bad\n\n \nworse\n" + lines(4, 1)
    wired.write(data)
    wired.pipeline.step()
    assert wired.pipeline.tally == Tally(len(data), stored_lines=4, rejected_lines=2, blank_lines=2)
    assert wired.pipeline.tally.lines == 8
    assert [rejected.line for rejected in wired.rejected] == ["bad", "worse"]


def test_a_commit_holds_all_that_the_chunk_changes(wired: Wired) -> None:
    wired.write(lines(1, 1))
    wired.write(lines(1, 2) + b"bad\n")
    while wired.pipeline.step():
        pass
    first, second = wired.database.saved
    assert (first.before.offset, first.after.offset) == (0, len(lines(1, 1)))
    assert second.before == first.after
    assert len(second.batch.rows) == 2
    assert {machine.latest.machine_id: machine.readings for machine in second.machines} == {1: 2, 2: 1}
    assert first.at == first.batch.rows[0][-1] == timestamp_at(0)


def test_a_save_that_fails_is_tried_again_with_the_same_commit_and_changes_nothing_twice(wired: Wired) -> None:
    wired.write(lines(1, 2))
    wired.pipeline.step()
    fleet, tally = dict(wired.fleet.machines), wired.pipeline.tally
    wired.write(lines(1, 3) + b"bad\n")
    wired.database.refusals = [LOCKED] * 3
    for _ in range(3):
        assert not wired.pipeline.step()
        assert (wired.fleet.machines, wired.pipeline.tally, wired.rejected) == (fleet, tally, [])
        assert wired.journal[-1] == "sync"
    assert wired.pipeline.step()
    assert wired.database.tried[1:] == [wired.database.tried[1]] * 4
    assert {number: machine.readings for number, machine in wired.fleet.machines.items()} == {1: 2, 2: 2, 3: 1}
    assert wired.pipeline.tally == Tally(len(lines(1, 5)) + 4, 5, 1, 0)
    assert [rejected.line for rejected in wired.rejected] == ["bad"]


def test_a_locked_database_is_waited_for_and_told_of_once(wired: Wired) -> None:
    wired.write(lines(1, 2))
    wired.database.refusals = [LOCKED] * 3
    assert [(wired.pipeline.step(), wired.pipeline.waiting is not None) for _ in range(3)] == [(False, True)] * 3
    assert (wired.pipeline.step(), wired.pipeline.waiting) == (True, None)
    assert wired.said == [
        "the database is locked by another program; waiting, and the lines wait in the file",
        "the database is free again; going on",
    ]


def test_a_full_disk_is_waited_for_and_told_of_once_and_tried_again_once_a_second(wired: Wired) -> None:
    wired.write(lines(1, 2))
    wired.database.refusals = [FULL] * 3
    for step in range(40):
        wired.time_s = 1000 + step / 16
        assert not wired.pipeline.step()
        assert wired.pipeline.waiting == (FULL, 1000.0)
    assert len(wired.database.tried) == 3
    wired.time_s = 1003.0
    assert (wired.pipeline.step(), wired.pipeline.waiting) == (True, None)
    assert wired.said == [
        "no room for the database; waiting, and the lines wait in the file",
        "there is room for the database again; going on",
    ]
    assert wired.pipeline.tally.stored_lines == 2


def test_a_clock_that_is_set_back_does_not_keep_it_waiting(wired: Wired) -> None:
    wired.write(lines(1, 2))
    wired.database.refusals = [FULL]
    wired.time_s = 1000.0
    assert not wired.pipeline.step()
    wired.time_s = 10.0
    assert wired.pipeline.step()


def test_a_disk_that_is_full_while_a_lock_is_waited_for_is_told_too_and_it_waits_since_the_lock(wired: Wired) -> None:
    wired.write(lines(1, 2))
    wired.database.refusals = [LOCKED, LOCKED, FULL]
    for time_s in (1.0, 2.0, 3.0):
        wired.time_s = time_s
        wired.pipeline.step()
    assert [text.split(";")[0] for text in wired.said] == [str(LOCKED), str(FULL)]
    assert wired.pipeline.waiting == (FULL, 1.0)


# What is old


def test_after_each_chunk_old_rows_are_let_go_by_the_plants_time(wired: Wired) -> None:
    wired.write(line(1, timestamp=AT).encode() * 3)
    assert not wired.database.expired_at
    wired.pipeline.step()
    assert wired.database.expired_at == [AT]
    for _ in range(5):
        assert not wired.pipeline.step()
    assert wired.database.expired_at == [AT], "without new readings no time passes"


def test_if_there_are_more_it_goes_on_while_nothing_else_is_to_be_done(wired: Wired) -> None:
    wired.write(lines(1, 1))
    wired.database.expirable_steps = 4
    assert [wired.pipeline.step() for _ in range(5)] == [True, True, True, False, False]
    assert len(wired.database.expired_at) == 4


def test_as_many_steps_are_taken_as_are_needed_to_let_go_as_much_as_comes(wired: Wired) -> None:
    wired.write(lines(1, 1) * (3 * ROWS_A_STEP + 1))
    wired.database.expirable_steps = 100
    wired.pipeline.step()
    assert len(wired.database.expired_at) == 4
    wired.write(lines(1, 1))
    wired.pipeline.step()
    assert len(wired.database.expired_at) == 5


@pytest.mark.parametrize("refusal", [StoreBusyError("locked"), StoreFullError("full")])
def test_nothing_waits_for_old_rows_that_cannot_be_let_go_just_now(wired: Wired, refusal: StoreError) -> None:
    wired.write(lines(1, 1))
    wired.database.expiry_refusals = [refusal]
    wired.database.expirable_steps = 1
    assert [wired.pipeline.step() for _ in range(3)] == [True, False, False]
    assert wired.pipeline.waiting is None
    assert wired.said == []
    assert len(wired.database.expired_at) == 1
    wired.write(lines(1, 1))
    wired.pipeline.step()
    assert len(wired.database.expired_at) == 2


def test_a_plant_clock_that_knows_the_time_lets_go_before_the_first_chunk(wired: Wired) -> None:
    pipeline = Pipeline(
        wired.tail,
        wired.database,
        wired.fleet,
        partial(ingest, limits=LIMITS),
        lambda: 0.0,
        print,
        print,
        lambda _count, _last: None,
        plant_clock=PlantClock(AT),
    )
    assert not pipeline.step()
    assert wired.database.expired_at == [AT]


# What ends it, and what does not


def test_a_database_that_cannot_be_used_ends_it(wired: Wired) -> None:
    wired.write(lines(1, 2))
    wired.database.refusals = [StoreError("broken")]
    with pytest.raises(StoreError, match="broken"):
        wired.pipeline.step()
    assert wired.pipeline.tally == Tally()
    assert wired.fleet.machines == {}


def test_a_wish_to_stop_in_the_midst_of_a_chunk_leaves_it_unread() -> None:
    wishes = iter([False, True])
    wired = Wired(is_stopped=lambda: next(wishes))
    wired.write(b"x\n" * 20_000)
    assert not wired.pipeline.step()
    assert wired.database.tried == []
    assert wired.pipeline.tally == Tally()
    assert len(wired.tail.chunks) == 1


def test_a_line_too_long_to_be_read_is_one_rejected_line(wired: Wired) -> None:
    stream = wired.stream.stream
    found = stream._replace(offset=5_000_000)
    wired.tail.chunks = [Chunk(stream, found, b'{"note": "xxx', is_oversized=True)]
    assert wired.pipeline.step()
    (commit,) = wired.database.saved
    assert "line of 5,000,000 bytes" in commit.batch.rejected[0].reason
    assert wired.pipeline.tally == Tally(5_000_000, 0, 1, 0, rejected_in_a_row=1)


def test_a_search_for_the_end_of_a_long_line_saves_nothing_and_there_is_more_to_do(wired: Wired) -> None:
    stream = wired.stream.stream
    wired.tail.chunks = [Chunk(stream, stream, b"", is_oversized=True)]
    assert wired.pipeline.step()
    assert wired.database.tried == []


def test_a_judge_is_given_where_the_lines_begin_and_the_time() -> None:
    asked: list[tuple[bytes, int, str]] = []

    def judge(data: bytes, offset: int, processed_at: str, **_others: object) -> Batch:
        asked.append((data, offset, processed_at))
        raise Stopped

    wired = Wired()
    pipeline = Pipeline(
        wired.tail, wired.database, wired.fleet, judge, lambda: 5.0, print, print, lambda _count, _last: None
    )
    wired.write(b"a\n")
    assert not pipeline.step()
    assert asked == [(b"a\n", 0, timestamp_at(5))]


def test_lines_of_more_machines_than_are_taken_in_are_rejected_and_those_of_known_ones_are_not() -> None:
    wired = Wired(machines_at_most=3)
    wired.write(lines(1, 2))
    wired.write(lines(3, 5) + lines(1, 2))
    wired.write(lines(8, 1) + lines(3, 1))
    while wired.pipeline.step():
        pass
    assert [row[0] for commit in wired.database.saved for row in commit.batch.rows] == [1, 2, 3, 1, 2, 3]
    assert sorted(wired.fleet.machines) == [1, 2, 3]
    assert wired.pipeline.tally.rejected_lines == 5
    assert wired.rejected[0].reason.startswith("machine_id 4 is new, and 3 machines are known already; raise MACH")
