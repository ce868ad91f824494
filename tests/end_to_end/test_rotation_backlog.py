"""Hundreds of rotations that the consumer cannot keep up with: every file in order, every line one row."""

import gzip
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from cProfile import Profile
from pathlib import Path
from typing import Final

import pytest

from consumers.follow.open_file import OpenFile
from tests.end_to_end.consumer import Consumer, check_that_nothing_is_left, numbers_so_far
from tests.end_to_end.feed import numbered, stored_numbers
from tests.support import CONSUMER, ConsumerInProcess, query, run, until

ROTATIONS: Final = 150
ROTATIONS_WHILE_OFF: Final = 300
LINES_PER_FILE: Final = 10
MANY_FILES: Final = 1_500
"""Four times as many as it is compared with; `tests.benchmarks.files` measures 3,000."""


class Plant:
    """A live file that is rotated by hand, and how many lines were written to it."""

    def __init__(self, folder: Path, names: str, *, is_packed: bool = False) -> None:
        self.live_file = folder / "live.json"
        self.database = folder / "analytics.sqlite"
        self.lines = 0
        self._is_numbered = names == "numbered"
        self._packed = ".gz" if is_packed else ""
        self._rotations = 0

    def write(self, count: int) -> None:
        with self.live_file.open("ab") as file:
            file.write(numbered(self.lines, count))
        self.lines += count

    def rotate(self) -> None:
        self._rotations += 1
        if self._is_numbered:
            for number in range(self._rotations, 1, -1):
                self._rotated(number - 1).rename(self._rotated(number))
        rotated = self._rotated(1)
        if not self._packed:
            self.live_file.rename(rotated)
            return
        self.live_file.rename(rotated.with_suffix(""))  # as gzip does: packed beside it, then deleted
        rotated.write_bytes(gzip.compress(rotated.with_suffix("").read_bytes(), 1))
        rotated.with_suffix("").unlink()

    def late(self, count: int) -> None:
        """Write to the file that was rotated last."""
        with self._rotated(1).open("ab") as file:
            file.write(numbered(self.lines, count))
        self.lines += count

    def rotate_on(self, rotations: int) -> None:
        """Rotate so often; what is read comes in the midst of a file before, and of another one behind."""
        for _ in range(rotations):
            self.write(LINES_PER_FILE)
            self.rotate()
        self.write(LINES_PER_FILE)

    def _rotated(self, number: int) -> Path:
        hours, seconds = divmod(self._rotations, 3600)
        name = str(number) if self._is_numbered else f"20261122-{hours:02}{seconds // 60:02}{seconds % 60:02}"
        return self.live_file.with_name(
            f"{self.live_file.name}{'.' if self._is_numbered else '-'}{name}{self._packed}"
        )


@pytest.fixture(params=["numbered", "dated"])
def names(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["plain", "packed"])
def plant(request: pytest.FixtureRequest, tmp_path: Path, names: str) -> Plant:
    return Plant(tmp_path, names, is_packed=request.param)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the database as another program does that writes to it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def check_rows(plant: Plant, said: str) -> None:
    assert stored_numbers(plant.database) == list(range(plant.lines)), said
    assert query(plant.database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]
    check_that_nothing_is_left(plant.live_file, plant.database)


def read_on(plant: Plant, consumer: Consumer) -> None:
    consumer.wait_for(set(range(plant.lines)))
    consumer.end()


def test_files_rotated_behind_a_lock_are_read_in_order(plant: Plant) -> None:
    plant.write(3)
    with Consumer(plant.live_file, plant.database) as consumer:
        until(lambda: len(numbers_so_far(plant.database)) == 3)
        with locked(plant.database):
            plant.write(1)
            until(lambda: "is locked by another program" in consumer.said())
            plant.rotate_on(ROTATIONS)
        read_on(plant, consumer)
    check_rows(plant, consumer.said())


def test_files_rotated_while_what_is_read_of_them_cannot_be_saved_are_read_in_order(plant: Plant) -> None:
    """The lock comes and goes, and each time the consumer gets on by some files only."""
    plant.write(3)
    with Consumer(plant.live_file, plant.database) as consumer:
        for _ in range(5):
            until(lambda: len(numbers_so_far(plant.database)) > plant.lines // 2)
            with locked(plant.database):
                plant.rotate_on(ROTATIONS // 5)
        read_on(plant, consumer)
    check_rows(plant, consumer.said())


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_files_rotated_while_the_consumer_is_stopped_are_read_in_order(plant: Plant) -> None:
    plant.write(3)
    with Consumer(plant.live_file, plant.database) as consumer:
        until(lambda: len(numbers_so_far(plant.database)) == 3)
        consumer.pause()
        plant.rotate_on(ROTATIONS)
        consumer.go_on()
        read_on(plant, consumer)
    check_rows(plant, consumer.said())


def test_files_rotated_while_the_consumer_is_off_are_read_in_order(plant: Plant) -> None:
    plant.write(3)
    with closing(ConsumerInProcess(plant.live_file, plant.database)) as consumer:
        consumer.read_all()
    plant.rotate_on(ROTATIONS_WHILE_OFF)
    once = (CONSUMER, "--once", "--file", plant.live_file, "--db", plant.database)
    status, said = run(*once, cwd=plant.database.parent)
    assert status == 0, said
    check_rows(plant, said)


def test_files_rotated_without_a_pause_while_the_consumer_reads_are_read_in_order(plant: Plant) -> None:
    plant.write(3)
    with Consumer(plant.live_file, plant.database) as consumer:
        until(lambda: len(numbers_so_far(plant.database)) == 3)
        plant.rotate_on(ROTATIONS)
        read_on(plant, consumer)
    check_rows(plant, consumer.said())


def test_the_next_look_comes_soon_although_one_was_interrupted_for_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.follow.tail._TURN_S", -1.0)  # the caller has its turn after each file
    plant = Plant(tmp_path, "dated")
    plant.write(3)
    plant.rotate()
    plant.write(3)
    with closing(ConsumerInProcess(plant.live_file, plant.database)) as consumer:
        while consumer.pipeline.step():
            consumer.time_s += 3600.0
        plant.late(1)
        consumer.time_s += 1.0
        consumer.read_all()
    assert stored_numbers(plant.database) == list(range(7))


# Thousands of files


class Counts:
    """How often files are opened and read, and functions called, while it counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = self.read = self.calls = 0
        open_it, read_it = OpenFile.__init__, OpenFile.read_at

        def opened(file: OpenFile, *arguments: object) -> None:
            self.opened += 1
            open_it(file, *arguments)  # type: ignore[arg-type]

        def read(file: OpenFile, offset: int, count: int) -> bytes:
            self.read += 1
            return read_it(file, offset, count)

        monkeypatch.setattr(OpenFile, "__init__", opened)
        monkeypatch.setattr(OpenFile, "read_at", read)

    def reading(self, consumer: ConsumerInProcess) -> tuple[int, int, int]:
        """Let a consumer read to the end; returns how often it opened a file, read one, and called a function."""
        self.opened = self.read = 0
        profile = Profile()
        profile.runcall(consumer.read_all)
        calls = sum(entry.callcount for entry in profile.getstats())
        return self.opened, self.read, calls


def test_files_with_the_same_beginning_are_read_in_linear_time_so_far_as_the_disk_is_concerned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(monkeypatch)
    reads = []
    for files in (50, 200):
        (tmp_path / str(files)).mkdir()
        plant = Plant(tmp_path / str(files), "dated")
        for number in range(files):
            plant.live_file.write_bytes(numbered(0, 10) + numbered(10 + number, 1))
            plant.rotate()
        with closing(ConsumerInProcess(plant.live_file, plant.database)) as consumer:
            reads.append(counts.reading(consumer)[1])
        assert set(stored_numbers(plant.database)) == set(range(10 + files))
    assert reads[1] <= 5 * reads[0]


def one_line_files(folder: Path, count: int) -> Plant:
    folder.mkdir()
    plant = Plant(folder, "dated")
    for _ in range(count):
        plant.write(1)
        plant.rotate()
    plant.write(1)
    return plant


def test_thousands_of_one_line_files_are_read_and_looked_at_again_in_linear_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts(monkeypatch)
    seen = []
    for files in (MANY_FILES // 4, MANY_FILES):
        plant = one_line_files(tmp_path / str(files), files)
        consumer = ConsumerInProcess(plant.live_file, plant.database)
        with closing(consumer):
            looks = []
            for _ in range(3):
                looks.append(counts.reading(consumer))
                consumer.time_s += 60.0
            assert stored_numbers(plant.database) == list(range(files + 1))
        with closing(ConsumerInProcess(plant.live_file, plant.database)) as again:
            looks.append(counts.reading(again))
        assert len(stored_numbers(plant.database)) == files + 1
        seen.append(looks)
    for fewer, more in zip(*seen, strict=True):
        for few, many in zip(fewer, more, strict=True):
            assert many <= 5 * few + 100, seen
    assert seen[1][2][0] == 0, "what was looked into long after it changed is not opened again"
