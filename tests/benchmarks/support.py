"""What the benchmarks share: real commands as measured processes, feeds made by the real producer, and the verdict.

Linux only: `wait4` and `/proc` tell memory and processor time. The peak of a process counts this one's memory too, as
it was when it started the process: this one stays small.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import Final, NamedTuple

PROJECT: Final = Path(__file__).parents[2]
START: Final = "2026-11-22T09:15:02.000Z"
PRODUCER: Final = (sys.executable, "-m", "producers.producer_case")
CONSUMER: Final = (sys.executable, "-m", "consumers.consumer_meyer")
LOOK_EVERY_S: Final = 0.001
PATIENCE_S: Final = 60.0
PRAGMAS: Final = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"
TABLE: Final = """
CREATE TABLE manufacturing_analytics (
    id INTEGER PRIMARY KEY, machine_id INTEGER, timestamp TEXT, mode TEXT, temperature REAL, vibration REAL,
    efficiency_score REAL, efficiency_level TEXT, is_anomaly BOOLEAN, processed_at TIMESTAMP
)
"""
ROW_OF_FIELDS: Final = """
def row(fields):
    length, timestamp, score = fields["message_length"], fields["timestamp"], fields["sentiment"]
    mode, level = fields["category"], fields["keyword_mentioned"]
    return (length, timestamp, mode, score, score, score, level, 0, timestamp)
"""
INSERT: Final = "INSERT INTO manufacturing_analytics VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

_MIB: Final = 1024 * 1024
_MESSAGES: Final = "messages.txt"


class Run(NamedTuple):
    """What one process took."""

    seconds: float
    processor_s: float
    peak_mib: float


class Bound(NamedTuple):
    """What is promised, what was found, and whether it holds."""

    promise: str
    found: str
    holds: bool


def environment(**settings: str) -> dict[str, str]:
    """Let a command find the project from any folder; there no `.env` counts, and its log stays there."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1", **settings}


def start(command: Sequence[str | Path], folder: Path, **settings: str) -> "subprocess.Popen[bytes]":
    """Start a command in `folder`; what it says is kept there, see `messages`."""
    with (folder / _MESSAGES).open("wb") as said:
        return subprocess.Popen(command, cwd=folder, env=environment(**settings), stdout=said, stderr=said)


def messages(folder: Path) -> str:
    """Read what the command that was started last in `folder` has said."""
    return (folder / _MESSAGES).read_text(encoding="utf-8", errors="replace")


def measured(command: Sequence[str | Path], folder: Path, **settings: str) -> Run:
    """Run a command to its end. Raises RuntimeError where it fails."""
    start_s = perf_counter()
    process = start(command, folder, **settings)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}: {messages(folder)[-2000:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / _MIB)


def best(runs: Sequence[Run]) -> Run:
    """Take the least of each, since whatever else the machine does only adds."""
    return Run(*(min(values) for values in zip(*runs, strict=True)))


def make_feed(
    path: Path, lines: int, machines: int, seed: int = 7, begin: str = START, interval_s: float = 1.0
) -> None:
    """Let the real producer write a feed, which is then in the file cache."""
    plant = ("--machines", str(machines), "--interval", str(interval_s), "--seed", str(seed), "--start", begin)
    measured((*PRODUCER, "--no-wait", "--count", str(lines), *plant, "--file", path), path.parent)


def read_once(feed: Path, database: Path, *flags: str | Path) -> tuple[str | Path, ...]:
    """Name the command that reads all of a feed and ends."""
    return (*CONSUMER, "--once", *(flags or ("--headless",)), "--file", feed, "--db", database)


def remove_database(database: Path) -> None:
    """Remove a database, and what SQLite and the consumer keep beside it."""
    for suffix in ("", "-wal", "-shm", "-lock"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def wait_for_first(
    query: str, database: Path, process: "subprocess.Popen[bytes]", folder: Path
) -> sqlite3.Connection:
    """Wait until `query` finds something in the database of `process`; returns the connection that saw it."""
    end_s = perf_counter() + PATIENCE_S
    while perf_counter() < end_s and process.poll() is None:
        if database.exists():
            connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, isolation_level=None)
            try:
                if connection.execute(query).fetchone()[0]:
                    return connection
            except sqlite3.OperationalError:
                pass  # the table is not made yet
            connection.close()
        sleep(LOOK_EVERY_S)
    raise RuntimeError(f"nothing from {process.args!r}: {messages(folder)[-2000:]}")


def process_memory(pid: int) -> Mapping[str, float]:
    """Return the memory of a running process in MiB, by the names of /proc: VmRSS now, VmHWM at most."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    fields = (line.split() for line in lines if line.startswith("Vm"))
    return {name.rstrip(":"): int(kib) / 1024 for name, kib, _ in fields}


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Begin the options of a benchmark."""
    options = argparse.ArgumentParser(
        prog=f"python -m tests.benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument(
        "--before", metavar="CHECKOUT", type=Path, help="measure the consumer of another checkout in the same run too"
    )
    return options


def of_checkout(checkout: Path | None) -> dict[str, str]:
    """Return the settings with which a command runs the code of another checkout."""
    return {} if checkout is None else {"PYTHONPATH": str(checkout.resolve())}


def verdict(bounds: Sequence[Bound]) -> int:
    """Print which promises hold; returns the exit status: 1 where one does not."""
    print()
    for promise, found, holds in bounds:
        print(f"{'holds ' if holds else 'MISSED'}  {promise}: {found}")
    return 0 if all(bound.holds for bound in bounds) else 1
