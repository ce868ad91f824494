"""What happens to live files and databases: every line once and in order, whatever it is."""

import bz2
import gzip
import lzma
import os
import shutil
import sqlite3
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consumers.follow.reader import CHUNK_BYTES
from consumers.follow.tail import ADVICE, OTHER_THAN_LEFT, REWRITTEN
from consumers.store.errors import StoreError
from consumers.store.schema import VERSION
from consumers.store.store import Store
from tests.support import (
    CONSUMER,
    PRODUCER,
    ConsumerInProcess,
    count_rows,
    end,
    line,
    lines,
    query,
    run,
    start,
    start_command,
    stored_machine_ids,
    until,
)

HALF = len(line(1)) // 2


class Plant:
    """A live file, a database, and a consumer that comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.live_file = folder / "live.json"
        self.database = folder / "analytics.sqlite"
        self.consumer: ConsumerInProcess | None = None
        self.rotations = 0

    def write(self, data: bytes) -> None:
        self.live_file.write_bytes(data)

    def append(self, data: bytes, path: Path | None = None) -> None:
        with (path or self.live_file).open("ab") as file:
            file.write(data)

    def rotate(self) -> Path:
        self.rotations += 1
        return self.live_file.rename(self.live_file.with_name(f"live-20261122T0915{self.rotations:02}Z.json"))

    def start(self) -> ConsumerInProcess:
        self.stop()
        self.consumer = ConsumerInProcess(self.live_file, self.database)
        return self.consumer

    def stop(self) -> None:
        if self.consumer is not None:
            self.consumer.close()
            self.consumer = None

    def read(self) -> list[int]:
        """Read what is there; returns the machines of all rows, in order, once the account was looked at."""
        consumer = self.consumer or self.start()
        consumer.read_all()
        assert query(self.database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]
        return stored_machine_ids(self.database)

    def rejected(self) -> list[str]:
        return [reason for (reason,) in query(self.database, "SELECT reason FROM rejected_messages ORDER BY id")]

    def why_new(self) -> list[str]:
        return [why for (why,) in query(self.database, "SELECT why_new FROM source_files ORDER BY id")]

    @property
    def said(self) -> list[str]:
        assert self.consumer is not None
        return self.consumer.said


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(tmp_path)
    yield plant
    plant.stop()


restarted = pytest.mark.parametrize("is_restarted", [False, True], ids=["while it runs", "while it is off"])


def meanwhile(plant: Plant, is_restarted: bool) -> None:
    """Whatever comes next, comes while the consumer runs, or while it is off."""
    if is_restarted:
        plant.stop()


# The file


def test_a_file_that_does_not_exist_yet_is_waited_for_and_said_once(plant: Plant) -> None:
    assert plant.read() == plant.read() == []
    plant.write(lines(1, 3))
    assert plant.read() == [1, 2, 3]
    assert plant.said == [f"{plant.live_file} is not there; waiting for it"]


def test_a_file_that_is_unreadable_for_a_while_is_waited_for_and_said_once(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    plant.write(lines(1, 3))
    with monkeypatch.context() as patch:
        patch.setattr("consumers.follow.tail.OpenFile", refuse)
        assert plant.read() == plant.read() == []
    plant.append(lines(4, 1))
    assert plant.read() == [1, 2, 3, 4]
    assert plant.said == [f"cannot read {plant.live_file}: Permission denied; {ADVICE}"]


@restarted
@pytest.mark.parametrize("cut", [1, HALF, -1], ids=["after a byte", "in the middle", "before its end"])
def test_half_a_line_is_no_line_and_once_completed_one_row(plant: Plant, cut: int, is_restarted: bool) -> None:
    half, rest = lines(2, 1)[:cut], lines(2, 1)[cut:]
    plant.write(lines(1, 1) + half)
    assert plant.read() == [1]
    meanwhile(plant, is_restarted)
    plant.append(rest)
    assert plant.read() == [1, 2]
    assert plant.rejected() == []


@restarted
def test_half_a_line_cut_inside_a_utf8_character_is_no_line(plant: Plant, is_restarted: bool) -> None:
    cut = lines(2, 1).index("°".encode()) + 1
    plant.write(lines(1, 1) + lines(2, 1)[:cut])
    assert plant.read() == [1]
    meanwhile(plant, is_restarted)
    plant.append(lines(2, 1)[cut:])
    assert plant.read() == [1, 2]
    assert plant.rejected() == []


@restarted
def test_half_a_line_cut_between_cr_and_lf_is_no_line(plant: Plant, is_restarted: bool) -> None:
    plant.write(lines(1, 1) + lines(2, 1).rstrip(b"\n") + b"\r")
    assert plant.read() == [1]
    meanwhile(plant, is_restarted)
    plant.append(b"\n" + lines(3, 1))
    assert plant.read() == [1, 2, 3]
    assert plant.rejected() == []


@restarted
@pytest.mark.parametrize("count", [2, 3, 5], ids=["shorter", "the same size", "longer"])
def test_a_file_truncated_in_place_and_written_again_begins_a_new_life(
    plant: Plant, count: int, is_restarted: bool
) -> None:
    plant.write(lines(1, 3))
    plant.read()
    inode = plant.live_file.stat().st_ino
    meanwhile(plant, is_restarted)
    plant.write(lines(10, count))
    assert plant.live_file.stat().st_ino == inode
    assert plant.read() == [1, 2, 3, *range(10, 10 + count)]
    assert plant.why_new() == ["first seen", OTHER_THAN_LEFT if is_restarted else REWRITTEN]


@restarted
def test_a_file_rewritten_but_for_its_first_and_last_lines_begins_a_new_life(
    plant: Plant, is_restarted: bool
) -> None:
    plant.write(lines(1, 100))
    plant.read()
    meanwhile(plant, is_restarted)
    plant.write(lines(1, 3) + lines(500, 94) + lines(99, 3))
    rows = plant.read()
    assert rows[:100] == list(range(1, 101))
    assert rows[100:] == [1, 2, 3, *range(500, 594), 99, 100, 101]


def test_a_file_renamed_and_created_anew_is_finished_before_the_new_one(plant: Plant) -> None:
    plant.write(lines(1, 2))
    plant.read()
    plant.append(lines(3, 1))
    plant.rotate()
    plant.write(lines(4, 1))
    assert plant.read() == [1, 2, 3, 4]


def test_a_file_renamed_and_created_anew_several_times_between_two_polls_is_read_in_order(plant: Plant) -> None:
    plant.write(lines(1, 2))
    plant.read()
    for number in range(3, 8):
        plant.rotate()
        plant.write(lines(number, 1))
    assert plant.read() == [1, 2, 3, 4, 5, 6, 7]


def test_late_lines_that_arrive_in_the_renamed_file_are_read(plant: Plant) -> None:
    plant.write(lines(1, 1) + lines(2, 1)[:HALF])
    plant.read()
    renamed = plant.rotate()
    plant.write(lines(4, 1))
    assert plant.read() == [1, 4]
    plant.append(lines(2, 1)[HALF:] + lines(3, 1), renamed)
    plant.append(lines(5, 1))
    assert plant.read() == [1, 4, 2, 3, 5]


def test_a_file_renamed_and_created_anew_while_the_consumer_was_off_is_found_and_finished_first(plant: Plant) -> None:
    plant.write(lines(1, 2) + lines(3, 1)[:HALF])
    plant.read()
    plant.stop()
    plant.append(lines(3, 1)[HALF:])
    plant.rotate()
    plant.write(lines(4, 1))
    plant.rotate()
    plant.write(lines(5, 1))
    assert plant.read() == [1, 2, 3, 4, 5]


def test_the_unread_rest_of_a_deleted_file_is_read(plant: Plant) -> None:
    plant.write(lines(1, 1))
    plant.read()
    plant.append(lines(2, 2))
    plant.live_file.unlink()
    assert plant.read() == [1, 2, 3]


def test_a_file_deleted_and_created_anew_is_read_behind_the_rest_of_the_old_one(plant: Plant) -> None:
    plant.write(lines(1, 1))
    plant.read()
    plant.append(lines(2, 1))
    plant.live_file.unlink()
    plant.write(lines(3, 1))
    assert plant.read() == [1, 2, 3]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_file_deleted_and_created_anew_with_the_same_inode_is_another_file(plant: Plant, count: int) -> None:
    plant.write(lines(1, 2))
    plant.read()
    plant.stop()  # while it runs, the open file keeps its inode from being used again
    plant.live_file.unlink()
    plant.write(lines(10, count))
    assert plant.read() == [1, 2, *range(10, 10 + count)]


def test_a_nul_hole_touches_no_line_but_the_one_behind_it(plant: Plant) -> None:
    """As copytruncate leaves under a writer without O_APPEND."""
    with plant.live_file.open("wb", buffering=0) as writer:
        writer.write(lines(1, 3))
        assert plant.read() == [1, 2, 3]
        shutil.copyfile(plant.live_file, plant.live_file.with_name("live.json.1"))
        os.truncate(plant.live_file, 0)
        writer.write(lines(4, 3))
    assert plant.live_file.read_bytes().startswith(b"\0" * len(lines(1, 3)))
    assert plant.read() == [1, 2, 3, 5, 6]
    assert len(plant.rejected()) == 1


def test_a_byte_order_mark_touches_no_line(plant: Plant) -> None:
    plant.write(b"\xef\xbb\xbf" + lines(1, 2) + b"\xef\xbb\xbf" + lines(3, 1))
    assert plant.read() == [1, 2, 3]
    assert plant.rejected() == []


def test_crlf_ends_and_blank_lines_touch_no_line(plant: Plant) -> None:
    plant.write(lines(1, 2).replace(b"\n", b"\r\n") + b"\r\n\n  \n" + lines(3, 1))
    assert plant.read() == [1, 2, 3]
    assert plant.rejected() == []
    assert query(plant.database, "SELECT blank_lines FROM source_files") == [(3,)]


def test_bytes_that_are_no_utf8_touch_no_line_but_their_own(plant: Plant) -> None:
    plant.write(lines(1, 1) + lines(2, 1).replace("°".encode(), b"\xb0") + lines(3, 1))
    assert plant.read() == [1, 3]
    assert plant.rejected()[0].startswith("not UTF-8: byte 0xb0")


def test_a_line_of_hundreds_of_megabytes_is_rejected_in_bounded_memory_and_its_neighbours_are_rows(
    plant: Plant,
) -> None:
    size_bytes = 300 * 1024 * 1024
    plant.write(lines(1, 1) + b'{"note": "')
    os.truncate(plant.live_file, size_bytes)  # a hole, so that the disk need not hold it
    plant.append(b'"}\n' + lines(2, 1))
    consumer = plant.start()
    tracemalloc.start()
    consumer.read_all()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert plant.read() == [1, 2]
    assert peak_bytes < 10 * CHUNK_BYTES < size_bytes / 10
    (reason,) = plant.rejected()
    assert f"line of {size_bytes + 3 - len(lines(1, 1)):,} bytes" in reason
    ((kept,),) = query(plant.database, "SELECT line FROM rejected_messages")
    assert kept.startswith('{"note": "')


@restarted
def test_a_line_that_grows_without_end_is_rejected_once_it_ends_after_all(plant: Plant, is_restarted: bool) -> None:
    plant.write(lines(1, 1))
    for _ in range(4):
        plant.append(b"x" * (CHUNK_BYTES // 2 + 1000))
        assert plant.read() == [1]
        meanwhile(plant, is_restarted)
    plant.append(b"\n" + lines(2, 1))
    assert plant.read() == [1, 2]
    length_bytes = 4 * (CHUNK_BYTES // 2 + 1000) + 1
    assert plant.rejected() == [f"line of {length_bytes:,} bytes; expected at most {CHUNK_BYTES:,}"]


def test_a_file_shared_by_several_producers_holds_whole_lines(plant: Plant, tmp_path: Path) -> None:
    arguments = ("--count", "1500", "--no-wait", "--file", plant.live_file)
    producers = [start(PRODUCER, *arguments, "--seed", str(seed), cwd=tmp_path) for seed in range(3)]
    plant.read()
    for producer in producers:
        said, _ = producer.communicate(timeout=60)
        assert producer.returncode == 0, said
    assert len(plant.read()) == 4500
    assert plant.rejected() == []


@pytest.mark.parametrize("is_read_between", [False, True])
def test_a_file_copied_and_truncated_with_a_line_between_whose_copy_has_the_same_time_is_not_read_again(
    plant: Plant, is_read_between: bool
) -> None:
    """As copytruncate of logrotate does; a line that comes between the two is in no file."""
    plant.write(lines(1, 3))
    plant.read()
    copy = plant.live_file.with_name("live.json.1")
    shutil.copyfile(plant.live_file, copy)
    plant.append(lines(4, 1))
    if is_read_between:
        assert plant.read() == [1, 2, 3, 4]
    times = plant.live_file.stat()
    os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))
    plant.write(b"")
    plant.append(lines(5, 2))
    rows = [1, 2, 3, *([4] if is_read_between else []), 5, 6]
    assert plant.read() == rows
    plant.start()
    assert plant.read() == rows


@restarted
@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_the_unread_rest_of_a_file_that_was_rotated_and_compressed_is_read_from_the_compressed_file(
    plant: Plant, suffix: str, pack: Callable[[bytes], bytes], is_restarted: bool
) -> None:
    plant.write(lines(1, 2))
    plant.read()
    meanwhile(plant, is_restarted)
    plant.append(lines(3, 2))
    rotated = plant.rotate()
    plant.write(lines(6, 1))
    packed = pack(rotated.read_bytes() + lines(5, 1))
    archive = rotated.with_name(rotated.name + suffix)
    archive.write_bytes(packed[: len(packed) // 2])  # and in the midst of that
    assert plant.read() == [1, 2, 3, 4, 6]
    archive.write_bytes(packed)
    rotated.unlink()
    plant.start()
    assert plant.read() == [1, 2, 3, 4, 6, 5]


# The database


def test_a_database_locked_for_longer_than_the_timeout_is_waited_for_and_nothing_is_lost(plant: Plant) -> None:
    plant.write(lines(1, 2))
    plant.read()
    with closing(sqlite3.connect(plant.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        plant.append(lines(3, 1))
        assert plant.consumer is not None
        for _ in range(2):
            assert not plant.consumer.pipeline.step()
            plant.append(lines(4, 1))
    assert plant.read() == [1, 2, 3, 4, 4]
    assert len(plant.said) == 2
    assert plant.said[0].endswith("is locked by another program; waiting, and the lines wait in the file")
    assert query(plant.database, "SELECT readings FROM machines WHERE machine_id = 4") == [(2,)]


def test_a_database_whose_disk_is_full_is_waited_for_with_nothing_half_written_and_a_restart_goes_on(
    plant: Plant,
) -> None:
    plant.write(lines(1, 2))
    plant.read()
    plant.append(lines(3, 2000))
    assert plant.consumer is not None
    plant.consumer.store._connection.execute("PRAGMA max_page_count = 1")
    plant.consumer.read_all()
    waiting = plant.consumer.pipeline.waiting
    assert waiting is not None
    assert str(waiting.error).endswith("disk is full; make room on its disk")
    assert stored_machine_ids(plant.database) == [1, 2]
    plant.stop()
    assert plant.read() == list(range(1, 2003))


def test_a_database_that_is_read_only_ends_it_with_nothing_half_written_and_a_restart_goes_on(plant: Plant) -> None:
    plant.write(lines(1, 2))
    plant.read()
    plant.append(lines(3, 1))
    assert plant.consumer is not None
    plant.consumer.store._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError, match="make the file and its folder writable"):
        plant.consumer.read_all()
    plant.stop()
    assert plant.read() == [1, 2, 3]


def test_a_database_that_is_read_only_ends_the_command_with_1_and_a_clear_message(
    plant: Plant, tmp_path: Path, through: list[str]
) -> None:
    plant.write(lines(1, 2))
    plant.read()
    plant.stop()
    plant.append(lines(3, 1))
    plant.database.chmod(0o400)
    flags = ("--once", "--headless", "--file", str(plant.live_file), "--db", str(plant.database))
    done = start_command([*through, sys.executable, "-m", CONSUMER, *flags], cwd=tmp_path)
    said, _ = done.communicate(timeout=60)
    assert done.returncode == 1
    assert "make the file and its folder writable" in said
    assert "Traceback" not in said
    assert stored_machine_ids(plant.database) == [1, 2]


def newer_schema(database: Path) -> None:
    Store(database).close()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA user_version = 999")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda database: database.write_bytes(b"no database at all\n" * 100),
            "file is not a database; set DATABASE_FILE (--db) to another file",
        ),
        (newer_schema, f"has schema version 999, newer than this program's {VERSION}; use the newer program"),
        (lambda database: database.mkdir(), "is a folder; name a file with --db or DATABASE_FILE"),
    ],
    ids=["is not a database", "has a newer schema", "is a folder"],
)
def test_a_database_that_cannot_be_used_ends_the_command_with_1_and_a_clear_message(
    plant: Plant, tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    plant.write(lines(1, 2))
    spoil(plant.database)
    before = plant.database.read_bytes() if plant.database.is_file() else b""
    status, said = run(
        CONSUMER, "--once", "--headless", "--file", plant.live_file, "--db", plant.database, cwd=tmp_path
    )
    assert status == 1
    assert message in said
    assert str(plant.database) in said
    assert "Traceback" not in said
    assert before == (plant.database.read_bytes() if plant.database.is_file() else b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_second_consumer_on_the_database_is_refused_and_the_first_goes_on(plant: Plant, tmp_path: Path) -> None:
    flags = ("--headless", "--file", plant.live_file, "--db", plant.database)
    plant.write(lines(1, 2))
    first = start(CONSUMER, *flags, cwd=tmp_path, LOG_LEVEL="INFO")
    until(lambda: count_rows(plant.database) == 2)
    status, said = run(CONSUMER, "--once", *flags, cwd=tmp_path, LOG_LEVEL="INFO")
    assert status == 1
    assert f"another consumer is writing to {plant.database}; it goes on, this one ends" in said
    assert "Traceback" not in said
    plant.append(lines(3, 1))
    until(lambda: count_rows(plant.database) == 3)
    said = end(first)
    assert "3 lines = 3 stored + 0 rejected + 0 blank" in said
    assert stored_machine_ids(plant.database) == [1, 2, 3]


def test_a_database_with_a_reader_that_holds_a_cursor_open_takes_lines_on(plant: Plant) -> None:
    plant.write(lines(1, 3))
    plant.read()
    with closing(sqlite3.connect(plant.database)) as reader:
        cursor = reader.execute("SELECT machine_id FROM manufacturing_analytics ORDER BY id")
        assert cursor.fetchone() == (1,)
        for number in range(4, 14):
            plant.append(lines(number, 1))
            assert len(plant.read()) == number
        assert cursor.fetchall() == [(2,), (3,)], "the reader goes on with what it began"
    assert plant.read() == list(range(1, 14))
