"""What several tests need: lines of a feed, a consumer wired in this process, and the two commands as processes."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from consumers.follow.tail import Tail
from consumers.ingest import ingest
from consumers.machines.episodes import EpisodeRule, EpisodeWatch
from consumers.machines.fleet import Fleet
from consumers.pipeline import Pipeline
from consumers.records import RatedReading, RejectedLine
from consumers.store.store import Store
from utils.efficiency import Limits
from utils.message import Mode, Reading, to_line
from utils.settings import setting_names

PROJECT = Path(__file__).parent.parent
LAUNCH = PROJECT / "tests" / "launch.py"
AT = "2026-11-22T09:15:02.000Z"
LIMITS = Limits()
"""Made once: it works out the ratings of all readings when it is first asked for one."""


def reading(
    machine_id: int = 15,
    timestamp: str = AT,
    mode: Mode = "active",
    temperature_c: float = 44.28,
    vibration_mm_s: float = 2.08,
) -> Reading:
    return Reading(machine_id, timestamp, mode, temperature_c, vibration_mm_s)


def rated(machine_id: int = 15, timestamp: str = AT, mode: Mode = "active", **readings: float) -> RatedReading:
    plain = reading(machine_id, timestamp, mode, **readings)
    score, level, is_anomaly, _ = LIMITS.rate(plain)
    return RatedReading(*plain, score, level, is_anomaly, AT)


def line(machine_id: int = 15, **fields: Any) -> str:
    plain = reading(machine_id, **fields)
    rating = LIMITS.rate(plain)
    return to_line(plain, rating.efficiency_score, rating.efficiency_level)


def lines(first: int, count: int) -> bytes:
    """Lines of machines `first`, `first` + 1, …, all of the same length."""
    return "".join(
        line(machine_id).replace(f"Machine {machine_id} ", f"Machine {machine_id:06} ")
        for machine_id in range(first, first + count)
    ).encode()


class ConsumerInProcess:
    """Tail, store, fleet and pipeline, wired as the command wires them, with a clock that stands still."""

    def __init__(self, live_file: Path, database: Path, store: Store | None = None) -> None:
        self.said: list[str] = []
        self.rejected: list[RejectedLine] = []
        self.time_s = 0.0
        self.store = store or Store(database)
        episodes = EpisodeWatch(EpisodeRule(), LIMITS, *self.store.episodes())
        self.fleet = Fleet(100, self.store.machines(), self.store.newest_rows(100), episodes=episodes)
        self.tail = Tail(live_file, self.store.streams(), self.said.append, self.said.append, lambda: self.time_s)
        self.pipeline = Pipeline(
            self.tail,
            self.store,
            self.fleet,
            partial(ingest, limits=LIMITS),
            lambda: 0.0,
            self.said.append,
            self.said.append,
            lambda _count, last: self.rejected.extend(last),
        )

    def read_all(self) -> None:
        while self.pipeline.step():
            pass

    def close(self) -> None:
        self.tail.close()
        self.store.close()


def query(database: Path, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def stored_machine_ids(database: Path) -> list[int]:
    return [
        machine_id for (machine_id,) in query(database, "SELECT machine_id FROM manufacturing_analytics ORDER BY id")
    ]


def command_environment(**settings: str) -> dict[str, str]:
    """This process's environment, without the settings that it may have, and with these."""
    own = {name: value for name, value in os.environ.items() if name not in setting_names()}
    return {**own, "PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1", **settings}


def bound(command: Sequence[str | Path]) -> list[str]:
    """A command that ends with this process, even if this one is killed; on Linux only, elsewhere it is as it was."""
    words = [str(word) for word in command]
    if sys.platform != "linux":
        return words
    # Without site packages: it starts in a few milliseconds.
    return [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), *words]


def start_command(command: Sequence[str | Path], cwd: Path, **settings: str) -> "subprocess.Popen[str]":
    """Start a command; what it prints and what it logs come through one pipe, its `stdout`."""
    return subprocess.Popen(
        bound(command),
        cwd=cwd,
        env=command_environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def start(module: str, *arguments: str | Path, cwd: Path, **settings: str) -> "subprocess.Popen[str]":
    return start_command([sys.executable, "-m", module, *arguments], cwd, **settings)


@contextmanager
def running(module: str, *arguments: str | Path, cwd: Path, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """A command's process, which is killed at the end if the test did not end it."""
    process = start(module, *arguments, cwd=cwd, **settings)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(module: str, *arguments: str | Path, cwd: Path, **settings: str) -> tuple[int, str]:
    """Run a command to its end; returns its exit status and all that it printed."""
    process = start(module, *arguments, cwd=cwd, **settings)
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()  # if it did not end by itself
    return process.returncode, output


def end(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> str:
    """Ask a process to stop; returns what it printed, once it has ended in order."""
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    return output


def until(condition: Callable[[], bool], patience_s: float = 30) -> None:
    """Wait for what comes about in another process."""
    end_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.005)


def count_rows(database: Path) -> int:
    """Readings in a database that a consumer may be making just now."""
    try:
        ((count,),) = query(database, "SELECT count(*) FROM manufacturing_analytics")
    except sqlite3.OperationalError:
        return 0
    return int(count)


def fill(disk: Path) -> None:
    """Take all that is left of a disk."""
    with (disk / "filling").open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def make_room(disk: Path) -> None:
    """Give back what `fill` took."""
    (disk / "filling").unlink()


def lines_until(process: "subprocess.Popen[str]", words: str) -> Iterator[str]:
    """What a process says, up to the line with these words."""
    assert process.stdout is not None
    for said in process.stdout:
        yield said
        if words in said:
            return
    raise AssertionError(f"it ended without a word of {words!r}")


PRODUCER = "producers.producer_case"
CONSUMER = "consumers.consumer_meyer"


def structured(**fields: Any) -> str:
    return json.dumps(fields) + "\n"
