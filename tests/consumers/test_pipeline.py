from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.follow import source_file
from consumers.follow.source_file import CHUNK_BYTES
from consumers.pipeline import Tally
from consumers.store.store import Store, StoreBusyError, StoreError
from tests.support import ConsumerInProcess, lines, query, stored_machine_ids


class TroubledStore(Store):
    """Fails on demand, before or in a save, or when a file's account is opened."""

    busy_saves = 0
    busy_accounts = 0
    is_broken = False

    def save(self, *arguments: Any) -> None:
        if self.is_broken:
            raise StoreError("broken")
        if self.busy_saves:
            self.busy_saves -= 1
            raise StoreBusyError("the database is locked by another program")
        super().save(*arguments)

    def begin_source(self, *arguments: Any) -> int:
        if self.busy_accounts:
            self.busy_accounts -= 1
            raise StoreBusyError("the database is locked by another program")
        return super().begin_source(*arguments)


@pytest.fixture
def store(database: Path) -> TroubledStore:
    return TroubledStore(database)


@pytest.fixture
def consumer(live_file: Path, database: Path, store: TroubledStore) -> Iterator[ConsumerInProcess]:
    consumer = ConsumerInProcess(live_file, database, store)
    yield consumer
    consumer.close()


def test_a_step_takes_a_chunk_and_without_one_there_is_nothing_to_do(
    consumer: ConsumerInProcess, live_file: Path
) -> None:
    assert not consumer.pipeline.step()
    live_file.write_bytes(lines(1, 2))
    assert consumer.pipeline.step()
    assert not consumer.pipeline.step()
    assert consumer.pipeline.tally == Tally(len(lines(1, 2)), 2, 0, 0)


def test_the_tally_counts_each_line_in_one_of_three_ways(consumer: ConsumerInProcess, live_file: Path) -> None:
    data = lines(1, 3) + b"bad\n\n \nworse\n" + lines(4, 1)
    live_file.write_bytes(data + b"half")
    consumer.read_all()
    assert consumer.pipeline.tally == Tally(len(data), stored_lines=4, rejected_lines=2, blank_lines=2)
    assert consumer.pipeline.tally.lines == 8
    assert [rejected.line for rejected in consumer.rejected] == ["bad", "worse"]


def test_rows_say_when_they_were_processed_by_the_given_clock(
    consumer: ConsumerInProcess, live_file: Path, database: Path
) -> None:
    live_file.write_bytes(lines(1, 1))
    consumer.read_all()
    assert query(database, "SELECT processed_at FROM manufacturing_analytics") == [("1970-01-01T00:00:00.000Z",)]
    assert query(database, "SELECT last_read_at FROM source_files") == [("1970-01-01T00:00:00.000Z",)]


def test_many_chunks_are_taken_one_after_the_other(
    consumer: ConsumerInProcess, live_file: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_file, "CHUNK_BYTES", 1000)
    live_file.write_bytes(lines(1, 50))
    steps = 0
    while consumer.pipeline.step():
        steps += 1
    assert steps > 10
    assert stored_machine_ids(database) == list(range(1, 51))


def test_a_locked_database_is_waited_for_and_told_of_once(
    consumer: ConsumerInProcess, store: TroubledStore, live_file: Path, database: Path
) -> None:
    live_file.write_bytes(lines(1, 2))
    store.busy_saves = 3
    assert [consumer.pipeline.step() for _ in range(3)] == [False] * 3
    assert consumer.pipeline.tally == Tally()
    assert consumer.pipeline.step()
    assert not consumer.pipeline.is_waiting
    assert consumer.said == [
        "the database is locked by another program; waiting, and the lines wait in the file",
        "the database is free again; going on",
    ]
    assert stored_machine_ids(database) == [1, 2]


def test_what_waits_for_the_database_is_counted_once(
    consumer: ConsumerInProcess, store: TroubledStore, live_file: Path, database: Path
) -> None:
    live_file.write_bytes(lines(1, 2))
    store.busy_saves = 2
    consumer.pipeline.step()
    with live_file.open("ab") as file:
        file.write(lines(1, 2))
    consumer.pipeline.step()
    consumer.read_all()
    assert consumer.pipeline.tally.stored_lines == 4
    assert {machine_id: machine.readings for machine_id, machine in consumer.fleet.machines.items()} == {1: 2, 2: 2}
    assert query(database, "SELECT machine_id, readings FROM machines") == [(1, 2), (2, 2)]


def test_a_database_that_is_locked_when_a_file_appears_is_waited_for(
    consumer: ConsumerInProcess, store: TroubledStore, live_file: Path, database: Path
) -> None:
    live_file.write_bytes(lines(1, 2))
    store.busy_accounts = 1
    assert not consumer.pipeline.step()
    assert consumer.pipeline.is_waiting
    consumer.read_all()
    assert stored_machine_ids(database) == [1, 2]
    assert query(database, "SELECT count(*) FROM source_files") == [(1,)]


def test_a_database_that_cannot_be_used_ends_it(
    consumer: ConsumerInProcess, store: TroubledStore, live_file: Path
) -> None:
    live_file.write_bytes(lines(1, 2))
    store.is_broken = True
    with pytest.raises(StoreError, match="broken"):
        consumer.pipeline.step()
    assert consumer.pipeline.tally == Tally()


def test_rejected_lines_are_told_of_when_they_are_saved(
    consumer: ConsumerInProcess, store: TroubledStore, live_file: Path
) -> None:
    live_file.write_bytes(b"bad\n")
    store.busy_saves = 1
    consumer.pipeline.step()
    assert consumer.rejected == []
    consumer.pipeline.step()
    assert [rejected.offset for rejected in consumer.rejected] == [0]


def test_a_line_too_long_to_be_read_is_one_rejected_line(
    consumer: ConsumerInProcess, live_file: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_file, "_SCANNED_BYTES_AT_ONCE", 2 * CHUNK_BYTES)
    long = b'{"note": "' + b"x" * 7 * CHUNK_BYTES + b'"}\n'
    live_file.write_bytes(lines(1, 1) + long + lines(2, 1))
    steps = 0
    while consumer.pipeline.step():
        steps += 1
        assert steps < 20, "it does not come to an end"
    assert steps > 3
    assert stored_machine_ids(database) == [1, 2]
    (rejected,) = consumer.rejected
    assert rejected.offset == len(lines(1, 1))
    assert f"line of {len(long):,} bytes" in rejected.reason
    assert consumer.pipeline.tally == Tally(len(lines(1, 2)) + len(long), 2, 1, 0)
    assert query(database, "SELECT balances FROM ingest_audit") == [(1,)]
