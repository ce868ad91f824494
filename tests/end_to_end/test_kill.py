"""Real consumers, killed at any moment, with a real producer that is killed in the middle of a line."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.consumers.store.test_store import check_totals
from tests.support import (
    CONSUMER,
    PRODUCER,
    ConsumerInProcess,
    command_environment,
    lines,
    query,
    run,
    start,
    stored_machine_ids,
    until,
)

KILLS = int(os.environ.get("NIGHTLY_KILLS", "20"))
"""All together; 20 in the suite, more in the nightly form."""
PRODUCER_DIES_EVERY_KILLS = 4

# Forks a consumer again and again, each on a database of its own, and has the n-th kill itself at its n-th statement.
DYING_AT_EACH_STATEMENT = """
import os, signal, sqlite3, sys
from pathlib import Path
from tests.support import ConsumerInProcess

folder, connect = Path(sys.argv[1]), sqlite3.connect


def consume(number):
    left = number

    def count(_statement):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = traced
    ConsumerInProcess(folder / "live.json", folder / f"killed-{number:03}.sqlite").read_all()


number = is_killed = 1
while is_killed:
    child = os.fork()
    if child == 0:
        consume(number)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    is_killed = status == signal.SIGKILL
    number += 1
"""

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
        self._process.communicate()
        line = self._live_file.read_bytes().splitlines(keepends=True)[-1:] or [b'{"message": "Machine 1 in']
        with self._live_file.open("ab") as file:
            file.write(line[0][: self._rng.randrange(1, len(line[0]))])
        self._process = self._start()

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def _start(self) -> "subprocess.Popen[str]":
        arguments = ("--machines", "20", "--interval", "0.01", "--seed", str(self._rng.randrange(1000)))
        return start(
            PRODUCER, *arguments, "--file", self._live_file, cwd=self._folder, LOG_LEVEL="ERROR", **self._settings
        )


@contextlib.contextmanager
def running(plant: Plant) -> Iterator[Plant]:
    try:
        yield plant
    finally:
        plant.stop()


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
    if rotated_at_mb == "0":  # enough to be at work whenever it is killed
        backlog = ("--count", str(KILLS * 2_000), "--no-wait", "--seed", "1", "--file", live_file)
        assert run(PRODUCER, *backlog, cwd=tmp_path)[0] == 0
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_consumer_killed_at_each_of_its_statements_counts_each_line_once(tmp_path: Path) -> None:
    live_file = tmp_path / "live.json"
    live_file.write_bytes(lines(1, 3) + b"torn\n" + lines(2, 2))
    done = subprocess.run(
        [sys.executable, "-c", DYING_AT_EACH_STATEMENT, tmp_path],
        env=command_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    databases = sorted(tmp_path.glob("killed-*.sqlite"))
    assert len(databases) > 20
    rows_at_death = set()
    for database in databases:
        with contextlib.suppress(sqlite3.OperationalError):  # killed before its tables were made
            rows_at_death.add(len(stored_machine_ids(database)))
            check_totals(database)
        consumer = ConsumerInProcess(live_file, database)
        consumer.read_all()
        consumer.close()
        assert stored_machine_ids(database) == [1, 2, 3, 2, 3]
        check_totals(database)
        for question in (MACHINES, BY_MODE, REJECTED, ACCOUNT):
            assert query(database, question) == query(databases[-1], question)
    assert rows_at_death == {0, 5}, "all of a chunk or nothing"
