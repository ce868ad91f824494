"""Real consumers, killed at any moment, with a real producer that is killed in the middle of a line."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support import CONSUMER, PRODUCER, command_environment, lines, query, run, start

KILLS = int(os.environ.get("NIGHTLY_KILLS", "20"))
"""All together; 20 in the suite, more in the nightly form."""
PRODUCER_DIES_EVERY_KILLS = 4
PATIENCE_S = 30.0

ROWS = """
SELECT machine_id, timestamp, mode, temperature, vibration, efficiency_score, efficiency_level, is_anomaly
FROM manufacturing_analytics ORDER BY id
"""
MACHINES = """
SELECT
    machine_id, timestamp, mode, temperature, vibration, efficiency_score, efficiency_level, is_anomaly, readings,
    anomalies, active_readings, idle_readings, maintenance_readings, offline_readings, active_efficiency_sum,
    idle_efficiency_sum, maintenance_efficiency_sum, offline_efficiency_sum
FROM machines ORDER BY machine_id
"""
BY_MODE = "SELECT * FROM efficiency_by_mode"
REJECTED = "SELECT line, reason FROM rejected_messages ORDER BY id"
ACCOUNT = """
SELECT sum(read_bytes), sum(read_lines), sum(stored_lines), sum(rejected_lines), sum(blank_lines), min(balances)
FROM ingest_audit
"""


class Plant:
    """A real producer that writes to the live file, and dies and comes back."""

    def __init__(self, folder: Path, live_file: Path, rng: Random, **settings: str) -> None:
        self._folder = folder
        self._live_file = live_file
        self._rng = rng
        self._settings = settings
        self._process = self._start()

    def die_in_the_middle_of_a_line(self) -> None:
        """Kill it, leave the half line that a power cut would leave, and start another one."""
        self._process.kill()
        self._process.wait()
        line = self._live_file.read_bytes().splitlines(keepends=True)[-1:] or [b'{"message": "Machine 1 in']
        with self._live_file.open("ab") as file:
            file.write(line[0][: self._rng.randrange(1, len(line[0]))])
        self._process = self._start()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        arguments = ("--machines", "20", "--interval", "0.01", "--seed", str(self._rng.randrange(1000)))
        return subprocess.Popen(
            [sys.executable, "-m", PRODUCER, *arguments, "--file", str(self._live_file)],
            cwd=self._folder,
            env=command_environment(**self._settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextlib.contextmanager
def running(plant: Plant) -> Iterator[Plant]:
    try:
        yield plant
    finally:
        plant.stop()


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.002)


def read_lines(database: Path) -> int:
    ((count,),) = query(database, "SELECT sum(read_lines) FROM source_files")
    return int(count)


def run_and_kill(folder: Path, live_file: Path, database: Path, rng: Random) -> None:
    """Let a consumer get on by a random number of lines, or begin for a random time, and kill it."""
    consumer = start(CONSUMER, "--headless", "--file", live_file, "--db", database, cwd=folder)
    try:
        if rng.random() < 0.2:
            time.sleep(rng.uniform(0, 0.3))  # it may not even have opened the database
        else:
            target = read_lines(database) + rng.randrange(1, 300)
            until(lambda: read_lines(database) >= target or consumer.poll() is not None)
            assert consumer.poll() is None, consumer.communicate()[0]
            time.sleep(rng.uniform(0, 0.05))  # not always just behind a commit
    finally:
        consumer.kill()
        consumer.communicate()


def read_to_the_end(folder: Path, live_file: Path, database: Path) -> str:
    status, said = run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=folder)
    assert status == 0, said
    return said


def in_one_file(folder: Path, live_file: Path) -> Path:
    """Put the rotated files, in the order of their names, and the live one into one file."""
    whole = folder / "whole.json"
    parts = [*sorted(folder.glob(f"{live_file.stem}-*{live_file.suffix}")), live_file]
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    return whole


@pytest.mark.parametrize("rotated_at_mb", ["0", "0.1"], ids=["one file", "rotated files"])
def test_a_consumer_killed_at_any_moment_with_a_producer_that_tears_its_lines_counts_each_line_once(
    tmp_path: Path, rotated_at_mb: str
) -> None:
    rng = Random(f"killed {rotated_at_mb}")
    live_file, killed, unharmed = tmp_path / "live.json", tmp_path / "killed.sqlite", tmp_path / "unharmed.sqlite"
    live_file.write_bytes(lines(1, 1))
    read_to_the_end(tmp_path, live_file, killed)  # a consumer begins with the file that it sees first
    with running(Plant(tmp_path, live_file, rng, LIVE_FILE_MAX_MB=rotated_at_mb)) as plant:
        for number in range(1, KILLS // 2 + 1):
            run_and_kill(tmp_path, live_file, killed, rng)
            if number % PRODUCER_DIES_EVERY_KILLS == 0:
                plant.die_in_the_middle_of_a_line()
        seen = read_lines(killed)
    read_to_the_end(tmp_path, live_file, killed)
    whole = in_one_file(tmp_path, live_file)
    assert (whole.stat().st_size > live_file.stat().st_size) == (rotated_at_mb != "0")
    said = read_to_the_end(tmp_path, whole, unharmed)

    assert query(unharmed, "SELECT sum(read_lines) FROM source_files") == [(whole.read_bytes().count(b"\n"),)], said
    assert read_lines(killed) >= seen > 0
    for question in (ROWS, MACHINES, BY_MODE, REJECTED, ACCOUNT):
        assert query(killed, question) == query(unharmed, question)
    assert query(killed, "SELECT count(*) FROM rejected_messages")[0][0] >= 1, "no line was torn"
