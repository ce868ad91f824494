"""What the person at the terminal is told, and how the commands end when they cannot go on."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import CONSUMER, end, line, lines, lines_until, query, run, start


def consume(folder: Path, live_file: Path, database: Path, **settings: str) -> "subprocess.Popen[str]":
    flags = ("--headless", "--file", live_file, "--db", database)
    return start(CONSUMER, *flags, cwd=folder, STATUS_EVERY_S="1", **settings)


def test_of_a_machine_beyond_a_limit_that_went_silent_it_is_said_for_how_long(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    beyond = line(4, timestamp="2026-11-22T09:15:02.000Z", vibration_mm_s=4.6)
    fresh = line(5, timestamp="2026-11-22T09:20:03.000Z", temperature_c=95.5)
    live_file.write_text(beyond + fresh, encoding="utf-8")
    consumer = consume(tmp_path, live_file, database, STALE_AFTER_S="300")
    *_, status = lines_until(consumer, "Beyond a limit")
    end(consumer)
    assert "INFO" in status
    assert "machine 4: vibration 4.6 mm/s > 4.5 mm/s, silent for 5 min" in status
    assert status.count("silent for") == 1, "machine 5 has just reported"


def test_of_a_plant_that_went_silent_it_is_warned(tmp_path: Path, live_file: Path, database: Path) -> None:
    live_file.write_bytes(lines(1, 2))
    consumer = consume(tmp_path, live_file, database, STALE_AFTER_S="0.5")
    *_, status = lines_until(consumer, "Beyond a limit")
    end(consumer)
    assert "WARNING" in status
    assert "no reading for " in status
    assert " s. Last known: 2 machines (2 active)" in status


def test_a_plant_that_reports_is_not_warned_about(tmp_path: Path, live_file: Path, database: Path) -> None:
    live_file.write_bytes(lines(1, 2))
    consumer = consume(tmp_path, live_file, database, STALE_AFTER_S="30")
    *before, status = lines_until(consumer, "Beyond a limit")
    end(consumer)
    assert "INFO" in status
    assert not [said for said in [*before, status] if "no reading" in said]


def test_a_demo_whose_producer_ends_by_itself_ends_too_and_says_so(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    live_file.mkdir()  # the consumer waits for a file, the producer cannot go on
    status, said = run(CONSUMER, "--demo", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 1
    assert "the producer has ended by itself, with status 1; see its messages" in said
    assert "0 lines = 0 stored + 0 rejected + 0 blank" in said
    assert "Traceback" not in said


def other_spelling(path: Path) -> Path:
    return path.parent / "elsewhere" / ".." / path.name


def link_to(path: Path) -> Path:
    link = path.with_name("link.json")
    link.symlink_to(path)
    return link


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize("named", [Path, other_spelling, link_to])
def test_a_consumer_whose_live_file_is_its_database_ends_with_1_and_leaves_it_as_it_is(
    tmp_path: Path, live_file: Path, database: Path, named: Callable[[Path], Path]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    live_file.write_bytes(lines(1, 2))
    assert run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)[0] == 0
    before = query(database, "SELECT * FROM source_files")
    status, said = run(CONSUMER, "--once", "--headless", "--file", named(database), "--db", database, cwd=tmp_path)
    assert status == 1
    assert "cannot be both the live file and the database" in said
    assert "Traceback" not in said
    assert query(database, "SELECT * FROM source_files") == before
