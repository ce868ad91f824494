"""Files that were moved, copied, cut back, given other times or closed to us: known by their bytes all the same."""

import errno
import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.consumers.store.test_schema import VERSION_1
from tests.end_to_end.consumer import Consumer, numbers_so_far
from tests.end_to_end.feed import numbered, stored_numbers, twice
from tests.support import CONSUMER, ConsumerInProcess, command_environment, query, run, until

HOUR_NS: Final = 3600 * 10**9
YEAR_NS: Final = 365 * 24 * HOUR_NS


class Plant:
    """A folder with a live file, rotated ones and a database; a consumer comes when there is something to read."""

    def __init__(self, folder: Path, name: str = "live.json") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.live_file = folder / name
        self.database = folder / f"{name}.sqlite"
        self.lines = 0
        self.said: list[str] = []

    def write(self, count: int, path: Path | None = None) -> None:
        with (path or self.live_file).open("ab") as file:
            file.write(numbered(self.lines, count))
        self.lines += count

    def rotate(self) -> Path:
        """Number the rotated files as logrotate does; returns the one that was live."""
        numbers = [int(path.name.split(".")[2]) for path in self.folder.glob(f"{self.live_file.name}.[0-9]*")]
        for number in sorted(numbers, reverse=True):
            for path in self.folder.glob(f"{self.live_file.name}.{number}*"):
                path.rename(path.with_name(path.name.replace(f"json.{number}", f"json.{number + 1}")))
        return self.live_file.rename(self.live_file.with_name(f"{self.live_file.name}.1"))

    def pack(self, path: Path) -> None:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()

    def read(self) -> list[int]:
        """Start a consumer, and read what is there; returns the numbers of all rows. The account balances."""
        with closing(ConsumerInProcess(self.live_file, self.database)) as consumer:
            consumer.read_all()
            self.said = consumer.said
        assert query(self.database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]
        return stored_numbers(self.database)

    def at(self, folder: Path) -> "Plant":
        """Return the same plant in another folder."""
        other = Plant(folder, self.live_file.name)
        other.lines = self.lines
        return other


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path / "plant")


def with_rotated_files(plant: Plant) -> list[int]:
    """Let a plant have a packed file, a plain one and a live one, all read; returns the rows."""
    for count in (30, 20):
        plant.write(count)
        rotated = plant.rotate()
        if count == 30:
            plant.pack(rotated)
    plant.write(40)
    return plant.read()


# Moved and copied


def moved(plant: Plant, folder: Path) -> Plant:
    plant.folder.rename(folder)
    return plant.at(folder)


def copied(plant: Plant, folder: Path) -> Plant:
    shutil.copytree(plant.folder, folder, copy_function=shutil.copyfile)
    return plant.at(folder)


def copied_with_times(plant: Plant, folder: Path) -> Plant:
    shutil.copytree(plant.folder, folder)
    return plant.at(folder)


elsewhere = pytest.mark.parametrize("take", [moved, copied, copied_with_times])
Take = Callable[[Plant, Path], Plant]


@elsewhere
def test_a_folder_that_was_taken_elsewhere_goes_on_and_nothing_is_doubled(
    plant: Plant, tmp_path: Path, take: Take
) -> None:
    with_rotated_files(plant)
    there = take(plant, tmp_path / "there")
    assert there.read() == list(range(90))
    there.write(5)
    assert there.read() == list(range(95))
    assert there.said == [
        f"{there.live_file} is what {plant.live_file} was, as its bytes show; going on where that was left"
    ]
    there.rotate()
    there.write(5)
    assert there.read() == list(range(100))


@elsewhere
def test_a_folder_that_was_taken_elsewhere_with_unread_lines_in_every_file_loses_none(
    plant: Plant, tmp_path: Path, take: Take
) -> None:
    plant.write(15)
    plant.read()
    plant.write(15)
    plant.pack(plant.rotate())
    plant.write(20)
    plant.rotate()
    plant.write(40)
    there = take(plant, tmp_path / "there")
    assert there.read() == list(range(90))


@elsewhere
def test_a_folder_that_was_rotated_once_it_was_elsewhere_loses_no_line(
    plant: Plant, tmp_path: Path, take: Take
) -> None:
    with_rotated_files(plant)
    there = take(plant, tmp_path / "there")
    for _ in range(2):
        there.write(5)
        there.rotate()
    there.write(5)
    assert there.read() == list(range(105))


def test_an_original_and_its_copy_both_go_on(plant: Plant, tmp_path: Path) -> None:
    with_rotated_files(plant)
    there = copied(plant, tmp_path / "there")
    for place in (plant, there):
        place.write(5)
        place.rotate()
        place.write(5)
        assert place.read() == list(range(100))


def test_a_backup_that_is_put_back_goes_on_from_where_it_was(plant: Plant, tmp_path: Path) -> None:
    with_rotated_files(plant)
    backup = copied(plant, tmp_path / "backup")
    plant.write(50)
    plant.rotate()
    plant.write(5)
    plant.read()
    shutil.rmtree(plant.folder)
    again = moved(backup, plant.folder)
    again.write(5)
    assert again.read() == list(range(95))
    assert again.said == []


def test_the_command_says_that_it_goes_on_elsewhere(plant: Plant, tmp_path: Path) -> None:
    plant.write(5)
    once = ("--once", "--file", plant.live_file, "--db", plant.database)
    assert run(CONSUMER, *once, cwd=tmp_path)[0] == 0
    there = moved(plant, tmp_path / "there")
    there.write(5)
    status, said = run(CONSUMER, "--once", "--file", there.live_file, "--db", there.database, cwd=tmp_path)
    assert status == 0
    assert f"{there.live_file} is what {plant.live_file} was" in said
    assert stored_numbers(there.database) == list(range(10))


# A database of version 1


@pytest.fixture
def old(tmp_path: Path) -> Plant:
    """A plant whose files were read by version 1 of the schema; its own lines come with numbers of their own."""
    shutil.copytree(VERSION_1, tmp_path / "old")
    (tmp_path / "old" / "analytics.sqlite").rename(tmp_path / "old" / "live.json.sqlite")
    plant = Plant(tmp_path / "old")
    plant.lines = 10**8
    return plant


def test_a_database_of_version_1_goes_on_by_bytes_and_nothing_is_doubled(old: Plant) -> None:
    rows = stored_numbers(old.database)
    assert old.read() == rows
    old.write(5)
    assert old.read() == [*rows, *range(10**8, old.lines)]
    old.write(5)
    old.rotate()
    old.write(5)
    assert old.read() == [*rows, *range(10**8, old.lines)]


def test_files_of_version_1_that_were_rotated_and_packed_meanwhile_are_known(old: Plant) -> None:
    rows = stored_numbers(old.database)
    old.pack(old.folder / "live.json.1")
    old.write(5)
    old.pack(old.rotate())
    old.write(5)
    assert old.read() == [*rows, *range(10**8, old.lines)]
    assert old.read() == [*rows, *range(10**8, old.lines)]


@pytest.mark.parametrize("count", [1, 2, 100])
def test_a_live_file_that_was_written_anew_since_version_1_is_a_new_stream(old: Plant, count: int) -> None:
    rows = stored_numbers(old.database)
    old.live_file.unlink()
    old.write(count)
    assert old.read() == [*rows, *range(10**8, old.lines)]


# Times


def _all_in_the_future(paths: list[Path]) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns + YEAR_NS for path in paths}


def _one_in_the_future(paths: list[Path]) -> dict[Path, int]:
    return {paths[0]: paths[0].stat().st_mtime_ns + YEAR_NS}


def _live_an_hour_back(paths: list[Path]) -> dict[Path, int]:
    return {paths[-1]: paths[-1].stat().st_mtime_ns - HOUR_NS}


def _in_turned_order(paths: list[Path]) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns - number * HOUR_NS for number, path in enumerate(paths)}


def _all_the_same(paths: list[Path]) -> dict[Path, int]:
    return dict.fromkeys(paths, YEAR_NS)


@pytest.mark.parametrize("is_before", [True, False], ids=["before it was read", "while off"])
@pytest.mark.parametrize(
    "times_of", [_all_in_the_future, _one_in_the_future, _live_an_hour_back, _in_turned_order, _all_the_same]
)
def test_the_times_of_files_make_no_difference(
    plant: Plant, times_of: Callable[[list[Path]], dict[Path, int]], is_before: bool
) -> None:
    plant.write(10)
    if is_before:
        os.utime(plant.live_file, ns=(0, plant.live_file.stat().st_mtime_ns + YEAR_NS))
    plant.read()
    for _ in range(2):
        plant.write(10)
        plant.rotate()
    plant.write(10)
    files = [plant.live_file.with_name("live.json.2"), plant.live_file.with_name("live.json.1"), plant.live_file]
    for path, time_ns in times_of(files).items():
        os.utime(path, ns=(0, time_ns))
    assert plant.read() == list(range(40))
    plant.write(10)
    assert plant.read() == list(range(50))


def test_each_line_is_one_row_although_the_clock_of_the_machines_was_set_back(plant: Plant) -> None:
    plant.lines = 10_000
    plant.write(10)
    plant.read()
    plant.write(10)
    plant.rotate()
    plant.lines = 5_000
    plant.write(10)
    plant.rotate()
    plant.lines = 0
    plant.write(10)
    assert sorted(plant.read()) == [*range(10), *range(5_000, 5_010), *range(10_000, 10_020)]


# Cut back


def cut(plant: Plant, lines: int, more_bytes: int = 0) -> None:
    """Cut the last lines off the live file, and some bytes of the one before."""
    data = plant.live_file.read_bytes()
    end = sum(map(len, data.splitlines(keepends=True)[:-lines]))
    os.truncate(plant.live_file, end - more_bytes)


def check_cut(plant: Plant, rows: list[int], cut_lines: int) -> None:
    """See that no line is lost, and that few are doubled: no more than an eighth of the way to the cut, and one."""
    assert set(rows) == set(range(plant.lines))
    assert len(twice(rows)) <= 1 + cut_lines // 8
    warnings = [text for text in plant.said if "was cut back" in text]
    assert len(warnings) == 1, plant.said
    assert warnings[0].endswith("a few lines behind that may count twice")


@pytest.mark.parametrize("more_bytes", [0, 100], ids=["between lines", "in a line"])
@pytest.mark.parametrize("cut_lines", [1, 10, 300])
def test_a_live_file_whose_last_lines_were_cut_off_goes_on_from_the_last_place_that_is_the_same(
    plant: Plant, cut_lines: int, more_bytes: int
) -> None:
    plant.write(3_000)
    plant.read()
    cut(plant, cut_lines, more_bytes)
    rows = plant.read()
    assert set(rows) == set(range(3_000))
    assert len(twice(rows)) <= 1 + cut_lines // 8
    with plant.live_file.open("ab") as file:
        file.write(b"\n" if more_bytes else b"")  # as a producer does that finds half a line
    plant.write(5)
    rows = plant.read()
    assert set(rows) == set(range(3_005))
    assert len(twice(rows)) <= 1 + cut_lines // 8


@pytest.mark.parametrize("added", [1, 10, 500], ids=["shorter than before", "as long", "longer"])
@pytest.mark.parametrize("is_running", [False, True], ids=["while off", "while it runs"])
def test_a_live_file_that_was_cut_back_and_written_on_loses_no_line(
    plant: Plant, added: int, is_running: bool
) -> None:
    plant.write(3_000)
    with closing(ConsumerInProcess(plant.live_file, plant.database)) as consumer:
        consumer.read_all()
        cut(plant, 10)
        plant.write(added)
        if is_running:
            consumer.read_all()
            plant.said = consumer.said
    rows = stored_numbers(plant.database) if is_running else plant.read()
    check_cut(plant, rows, 10)
    assert plant.read() == rows


def test_a_file_cut_back_twice_loses_no_line(plant: Plant) -> None:
    plant.write(3_000)
    plant.read()
    for _ in range(2):
        cut(plant, 10)
        plant.write(7)
        assert set(plant.read()) == set(range(plant.lines))


def test_a_file_cut_back_and_written_on_and_read_and_then_rotated_is_known(plant: Plant) -> None:
    plant.write(3_000)
    plant.read()
    cut(plant, 10)
    plant.write(7)
    rows = plant.read()
    plant.write(3)
    plant.pack(plant.rotate())
    plant.write(5)
    assert plant.read() == [*rows, *range(plant.lines - 8, plant.lines)]


# Other plants' files beside


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_another_plants_files_are_left_alone(tmp_path: Path, suffix: str) -> None:
    names = [f"plant{name}" for name in ("", "-2", "-10", "-2026", "_3", "2")]
    plants = [Plant(tmp_path / "plants", f"{name}{suffix}") for name in names]
    for number, (plant, name) in enumerate(zip(plants, names, strict=True)):
        plant.lines = number * 1000
        plant.write(5)
        plant.live_file.rename(plant.folder / f"{name}-20261122T091502Z{suffix}")
        plant.write(5)
    for number, plant in enumerate(plants):
        assert plant.read() == list(range(number * 1000, number * 1000 + 10))


def test_a_number_behind_a_dot_is_a_rotated_files_although_another_plant_may_be_named_so(tmp_path: Path) -> None:
    plant = Plant(tmp_path / "plants", "plant")
    plant.write(10, plant.live_file.with_name("plant.3"))
    plant.write(10)
    assert plant.read() == list(range(20))


# Files that cannot be read


def read_once(plant: Plant, through: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        [*through, sys.executable, "-m", CONSUMER, "--once", "--file", plant.live_file, "--db", plant.database],
        cwd=plant.folder,
        env=command_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def rotated(plant: Plant, through: list[str]) -> Iterator[Path]:
    """A finished rotated file, made unreadable, beside a live file with a new line."""
    plant.write(20)
    finished = plant.rotate()
    plant.write(10)
    assert read_once(plant, through)[0] == 0
    finished.chmod(0)
    plant.write(1)
    yield finished
    finished.chmod(0o600)


def test_a_finished_rotated_file_that_cannot_be_read_any_more_is_left_alone(
    plant: Plant, rotated: Path, through: list[str]
) -> None:
    status, said = read_once(plant, through)
    assert status == 0, said
    assert "cannot read" not in said
    assert stored_numbers(plant.database) == list(range(31))


def test_a_file_that_cannot_be_read_any_more_while_the_consumer_runs_stops_nothing(
    plant: Plant, through: list[str]
) -> None:
    plant.write(20)
    finished = plant.rotate()
    plant.write(10)
    with Consumer(plant.live_file, plant.database, through) as consumer:
        consumer.wait_for(set(range(30)))
        finished.chmod(0)
        plant.write(1)
        plant.rotate()
        plant.write(1)
        consumer.wait_for(set(range(32)))
        consumer.end()
    assert stored_numbers(plant.database) == list(range(32)), consumer.said()
    assert "cannot read" not in consumer.said()


def test_a_finished_copy_that_cannot_be_read_any_more_is_left_alone_at_each_look(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.write(10)
    plant.read()
    plant.live_file.with_name("live.json.1").write_bytes(numbered(0, 5))
    with closing(ConsumerInProcess(plant.live_file, plant.database)) as consumer:
        consumer.read_all()
        with monkeypatch.context() as patch:
            patch.setattr("consumers.follow.candidates.open_candidate", refuse)
            plant.live_file.with_name("live.json.1").chmod(0)
            for _ in range(3):
                consumer.read_all()
    assert consumer.said == []
    assert stored_numbers(plant.database) == list(range(10))


def refuse(path: Path) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def unknown_and_unreadable(plant: Plant, through: list[str], unread: int) -> Path:
    """Let there be a file that was read, an unreadable one with so many lines that was not, and the live one."""
    plant.write(20)
    assert read_once(plant, through)[0] == 0
    plant.rotate()
    plant.write(unread)
    unknown = plant.rotate()
    unknown.chmod(0)
    plant.write(10)
    return unknown


@pytest.mark.parametrize("unread", [15, 20], ids=["of its own size", "as long as one that was read"])
def test_an_unknown_file_that_cannot_be_read_is_told_and_the_rest_is_read(
    plant: Plant, through: list[str], unread: int
) -> None:
    unknown = unknown_and_unreadable(plant, through, unread)
    status, said = read_once(plant, through)
    assert stored_numbers(plant.database) == [*range(20), *range(20 + unread, 30 + unread)]
    assert status == 1, said
    assert f"not everything was read: cannot read {unknown}: Permission denied" in said
    assert "Traceback" not in said
    unknown.chmod(0o600)
    status, said = read_once(plant, through)
    assert status == 0, said
    assert sorted(stored_numbers(plant.database)) == list(range(30 + unread))


def test_an_unknown_file_that_cannot_be_read_is_told_once_and_read_when_it_can_be(
    plant: Plant, through: list[str]
) -> None:
    unknown = unknown_and_unreadable(plant, through, 15)
    with Consumer(plant.live_file, plant.database, through) as consumer:
        until(lambda: len(numbers_so_far(plant.database)) == 30)
        plant.write(1)
        until(lambda: len(numbers_so_far(plant.database)) == 31)
        unknown.chmod(0o600)
        consumer.wait_for(set(range(46)))
        consumer.end()
    assert sorted(stored_numbers(plant.database)) == list(range(46)), consumer.said()
    assert consumer.said().count(f"cannot read {unknown}: Permission denied; trying again") == 1
