"""What the person at the terminal is told, and how the commands end when they cannot go on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import (
    CONSUMER,
    PRODUCER,
    PROJECT,
    command_environment,
    end,
    line,
    lines,
    lines_until,
    query,
    run,
    start,
)


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
    assert "machine 4: vibration 4.6 > 4.5 mm/s, silent for 5 min" in status
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


@pytest.mark.parametrize(
    ("module", "setting", "name"),
    [
        (CONSUMER, "LIVE_FILE", "consumer"),
        (CONSUMER, "DATABASE_FILE", "producer"),
        (PRODUCER, "LIVE_FILE", "producer"),
    ],
)
def test_a_log_that_is_the_live_file_or_the_database_is_refused_and_left_as_it_is(
    tmp_path: Path, module: str, setting: str, name: str
) -> None:
    log = tmp_path / "logs" / f"{name}.log"
    log.parent.mkdir()
    log.write_bytes(lines(1, 2))
    settings = {"LIVE_FILE": "live.json", "LOG_DIR": "logs", setting: f"logs/{name}.log"}
    flags = ("--once", "--headless") if module == CONSUMER else ("--count", "1")
    status, said = run(module, *flags, cwd=tmp_path, **settings)
    assert status == 1
    assert f"and the log of the {name}; set LOG_DIR or it to another path" in said
    assert log.read_bytes() == lines(1, 2)


@pytest.mark.parametrize(("flags", "told"), [(["--snapshot", "live.png"], "--snapshot"), ([], "SNAPSHOT_FILE")])
def test_a_picture_that_would_be_drawn_over_the_live_file_is_refused(
    tmp_path: Path, flags: list[str], told: str
) -> None:
    live_file = tmp_path / "live.png"
    live_file.write_bytes(lines(1, 2))
    flags = ["--once", "--file", str(live_file), *flags]
    status, said = run(CONSUMER, *flags, cwd=tmp_path, SNAPSHOT_FILE="" if flags[3:] else str(live_file))
    assert status == 1
    assert f"the picture of the dashboard; set {told} or it to another path" in said
    assert live_file.read_bytes() == lines(1, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("module", [CONSUMER, PRODUCER])
def test_interrupted_while_it_still_imports_a_command_ends_without_a_traceback(tmp_path: Path, module: str) -> None:
    (tmp_path / "argparse.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    environment = command_environment(PYTHONPATH=f"{tmp_path}:{PROJECT}")
    command = [sys.executable, "-m", module]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, b"", b"")
