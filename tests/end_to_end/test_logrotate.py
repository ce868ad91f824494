"""The real logrotate, under a service that writes on and a consumer that reads on: every line once."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.end_to_end.feed import FEED, LINES_PER_S, numbers_beside, stored_numbers, twice
from tests.end_to_end.test_kill import until
from tests.support import CONSUMER, command_environment, query, run

LOGROTATE: Final = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ROTATIONS: Final = int(os.environ.get("NIGHTLY_ROTATIONS", "10"))
"""For each way; 10 in the suite, 100 in the nightly form."""
IS_NIGHTLY: Final = "NIGHTLY_ROTATIONS" in os.environ
KILLED_EVERY_ROTATIONS: Final = 5

# How logrotate rotates, and how a service writes that is rotated so.
WAYS: Final = {
    "copytruncate": (["copytruncate"], "keeps"),
    "copytruncate and compress": (["copytruncate", "compress"], "keeps"),
    "create and compress": (["create", "compress"], "opens"),
    "create and delaycompress": (["create", "compress", "delaycompress"], "follows"),
}

pytestmark = pytest.mark.skipif(LOGROTATE is None, reason="needs logrotate, which is not installed here")


class Plant:
    """A folder with a live file, a database, and what logrotate is to do with the file."""

    def __init__(self, folder: Path, directives: list[str]) -> None:
        self.folder = folder
        self.live_file = folder / "plant" / "live.json"
        self.database = folder / "analytics.sqlite"
        self.arguments = ("--headless", "--file", self.live_file, "--db", self.database)
        self.live_file.parent.mkdir(mode=0o755)
        self._config = folder / "logrotate.conf"
        self._config.write_text("\n".join([f'"{self.live_file}" {{', "rotate 1000", *directives, "}\n"]))
        self._config.chmod(0o600)

    def rotate(self) -> None:
        state = self.folder / "logrotate.state"
        done = subprocess.run(
            [str(LOGROTATE), "--force", "--state", state, self._config], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    @contextmanager
    def writing(self, way: str) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "-m", FEED, self.live_file, way, way], env=command_environment(), cwd=self.folder
        )
        try:
            until(self.live_file.exists)
            yield
        finally:
            process.terminate()
            process.wait()
        assert process.returncode == 0

    @contextmanager
    def reading(self) -> Iterator["Consumer"]:
        with (self.folder / "consumer.txt").open("ab") as output:
            consumer = Consumer(self, output.fileno())
            try:
                yield consumer
            finally:
                consumer.kill()

    def said(self) -> str:
        return (self.folder / "consumer.txt").read_text(encoding="utf-8")


class Consumer:
    """The consumer's command, which may be killed and started again."""

    def __init__(self, plant: Plant, output: int) -> None:
        self._plant = plant
        self._output = output
        self._process = self._start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.kill()
        self._process = self._start()

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(30) == 0, self._plant.said()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", CONSUMER, *map(str, self._plant.arguments)],
            cwd=self._plant.folder,
            env=command_environment(),
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )


def stored_lines(database: Path) -> int:
    try:
        ((count,),) = query(database, "SELECT count(*) FROM manufacturing_analytics")
    except sqlite3.OperationalError:  # it is being made
        return 0
    return int(count)


def rotate_on(plant: Plant, consumer: Consumer, rng: Random) -> None:
    for number in range(1, ROTATIONS + 1):
        time.sleep(rng.uniform(0.02, 0.3))  # at no particular moment
        if IS_NIGHTLY and number % KILLED_EVERY_ROTATIONS == 0:
            consumer.restart()
        plant.rotate()


def check_rows(plant: Plant) -> None:
    """See that each line that a file holds has a row, that none has two, and that the account balances."""
    rows = stored_numbers(plant.database)
    lost = sorted(numbers_beside(plant.live_file) - set(rows))
    assert (lost, twice(rows)) == ([], []), plant.said()
    assert query(plant.database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]


@pytest.mark.parametrize("way", WAYS)
def test_each_line_that_a_file_holds_after_rotations_by_logrotate_is_one_row(tmp_path: Path, way: str) -> None:
    directives, how_written = WAYS[way]
    plant = Plant(tmp_path, directives)
    with plant.reading() as consumer:
        with plant.writing(how_written):
            until(lambda: stored_lines(plant.database) > 0)
            rotate_on(plant, consumer, Random(way))
        held = numbers_beside(plant.live_file)
        with suppress(AssertionError):  # what is missing is said below
            until(lambda: held <= set(stored_numbers(plant.database)))
        consumer.end()
    check_rows(plant)
    assert len(held) > ROTATIONS * 0.1 * LINES_PER_S / 2
    assert len(list(plant.live_file.parent.iterdir())) == ROTATIONS + 1
    read = query(plant.database, "SELECT sum(read_lines) FROM source_files")
    status, said = run(CONSUMER, "--once", *plant.arguments, cwd=tmp_path)
    assert status == 0, said
    assert query(plant.database, "SELECT sum(read_lines) FROM source_files") == read, said
