"""A disk that is really full: what the pipeline does while there is no room, and when there is room again."""

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from consumers.ingest import ingest
from consumers.machines.fleet import Fleet
from consumers.pipeline import Pipeline, Waiting
from consumers.records import Chunk
from consumers.store.errors import StoreFullError
from consumers.store.room import has_no_room
from consumers.store.store import Store
from tests.consumers.support import LIMITS, StreamInMemory
from tests.support import fill, lines, make_room, query, stored_machine_ids


class Follower:
    """A pipeline from chunks in memory into a database, with a clock that is set by hand."""

    def __init__(self, store: Store) -> None:
        self.time_s = 1000.0
        self.said: list[str] = []
        self.warned: list[str] = []
        self.chunks: list[Chunk] = []
        self.stream = StreamInMemory()
        judge = partial(ingest, limits=LIMITS, keep_rejected=10)
        self.pipeline = Pipeline(
            self,
            store,
            Fleet(10),
            judge,
            lambda: self.time_s,
            self.said.append,
            self.warned.append,
            lambda _count, _last: None,
        )

    def read(self) -> Chunk | None:
        return self.chunks[0] if self.chunks else None

    def sync(self) -> None:
        pass

    def advance(self, chunk: Chunk) -> None:
        self.chunks.remove(chunk)

    def write(self, data: bytes) -> None:
        self.chunks.append(self.stream.chunk(data))

    def waiting(self) -> Waiting | None:
        return self.pipeline.waiting

    def step_after(self, seconds: float) -> bool:
        self.time_s += seconds
        return self.pipeline.step()


def test_a_full_disk_is_waited_for_told_once_and_with_room_again_it_goes_on_by_itself(small_disk: Path) -> None:
    database = small_disk / "analytics.sqlite"
    with closing(Store(database)) as store:
        follower = Follower(store)
        follower.write(lines(1, 2))
        assert follower.step_after(1)
        fill(small_disk)
        written = 2
        while follower.waiting() is None:  # what was made room for in the write-ahead log is used up first
            follower.write(lines(written + 1, 1000))
            written += 1000
            follower.step_after(1)
        for _ in range(5):
            assert not follower.step_after(1)
        waiting = follower.waiting()
        assert waiting is not None
        assert isinstance(waiting.error, StoreFullError)
        (warned,) = follower.warned
        assert warned.startswith(f"no room for {database}: ")
        assert warned.endswith("; make room on its disk; waiting, and the lines wait in the file")
        make_room(small_disk)
        while follower.step_after(1):
            pass
        assert follower.waiting() is None
        assert follower.said == ["there is room for the database again; going on"]
    assert stored_machine_ids(database) == list(range(1, written + 1))
    assert query(database, "SELECT balances FROM ingest_audit") == [(1,)]


def test_a_disk_that_is_full_before_the_database_is_opened_is_told_and_with_room_again_it_opens(
    small_disk: Path,
) -> None:
    database = small_disk / "analytics.sqlite"
    fill(small_disk)
    with pytest.raises(StoreFullError, match="make room on its disk"):
        Store(database)
    make_room(small_disk)
    Store(database).close()


def test_a_disk_that_is_full_before_the_log_of_an_old_database_can_be_made_is_told(small_disk: Path) -> None:
    database = small_disk / "analytics.sqlite"
    Store(database).close()
    fill(small_disk)
    with pytest.raises(StoreFullError, match="make room on its disk"), closing(Store(database)) as store:
        Follower(store).pipeline._sink.save(StreamInMemory().commit(lines(1, 1000)))
    make_room(small_disk)
    with closing(Store(database)) as store:
        store.save(StreamInMemory().commit(lines(1, 1000)))


def test_whether_there_is_room_is_found_out_and_leaves_nothing_behind(small_disk: Path) -> None:
    assert not has_no_room(small_disk)
    fill(small_disk)
    before = sorted(small_disk.iterdir())
    assert has_no_room(small_disk)
    assert sorted(small_disk.iterdir()) == before


def test_a_folder_that_is_gone_has_no_lack_of_room(tmp_path: Path) -> None:
    assert not has_no_room(tmp_path / "gone")


def test_a_database_that_may_not_grow_is_waited_for_and_let_go_of_its_bound_goes_on(database: Path) -> None:
    with closing(Store(database)) as store:
        follower = Follower(store)
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        follower.write(lines(1, 10_000))
        assert not follower.step_after(1)
        waiting = follower.waiting()
        assert waiting is not None
        assert waiting.since_s == 1001.0
        store._connection.execute("PRAGMA max_page_count = 1000000")
        assert not follower.step_after(0.5), "it is tried again once a second"
        assert follower.step_after(0.6)
        assert follower.waiting() is None
    assert len(stored_machine_ids(database)) == 10_000
