"""`python -m tests.benchmarks.latency`: from a line's append to its row for everyone to see, and what waiting costs.

This process appends single lines to the live file, at moments spread evenly at random so that no rhythm of the
consumer is favoured, and looks every millisecond through a connection of its own which rows are there. The floor is a
bare loop with the consumer's rhythm: read what is new, json.loads, executemany, commit, sleep 50 ms. The consumer
with a window runs under Xvfb and draws the four panels every 2 s. Each runs once, in turns, over lines of the real
producer. Then: the processor time of a consumer that has nothing to do; and a consumer's start to its first commit,
beside `python -c pass`.
"""

import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Final, NamedTuple

from tests.benchmarks.support import (
    CONSUMER,
    INSERT,
    LOOK_EVERY_S,
    PATIENCE_S,
    PRAGMAS,
    ROW_OF_FIELDS,
    TABLE,
    Bound,
    make_feed,
    measured,
    messages,
    of_checkout,
    parser,
    read_once,
    remove_database,
    start,
    verdict,
    wait_for_first,
)

_RATES_PER_S: Final = (10, 1000)
_NEWEST_ROW: Final = "SELECT max(id) FROM manufacturing_analytics"
_SETTLED_AFTER_S: Final = 5.0
_MOST_P99_MS: Final = 80.0
_MOST_P99_WITH_WINDOW_MS: Final = 250.0
_MOST_IDLE_SHARE: Final = 0.01
_MOST_STARTS_OF_PYTHON: Final = 20.0
_STARTS: Final = 7

_FLOOR: Final = f"""
import json, sqlite3, sys, time
{ROW_OF_FIELDS}
connection = sqlite3.connect(sys.argv[2], isolation_level=None)
connection.executescript("{PRAGMAS}")
connection.execute('''{TABLE}''')
with open(sys.argv[1], encoding="utf-8") as feed:
    while True:
        if lines := feed.readlines(256 * 1024):
            rows = [row(json.loads(line)) for line in lines]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("{INSERT}", rows)
            connection.execute("COMMIT")
        else:
            time.sleep(0.05)
"""


class Follower(NamedTuple):
    """A program that follows a live file into a database until it is told to stop."""

    name: str
    command: tuple[str | Path, ...]
    settings: dict[str, str]
    most_p99_ms: float | None


class Delays(NamedTuple):
    """Of one follower at one rate, in ms."""

    follower: Follower
    rate_per_s: int
    p50_ms: float
    p99_ms: float
    most_ms: float


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; returns 1 where a bound is missed."""
    options = parser("latency", __doc__)
    options.add_argument("--seconds", type=float, default=20, help="of appending, at each rate (20)")
    options.add_argument("--idle-seconds", type=float, default=10)
    options.add_argument("--machines", type=int, default=50)
    chosen = options.parse_args(argv)
    with TemporaryDirectory() as name, _display() as (display, no_display):
        folder = Path(name)
        why_none = no_display or _window_trouble(folder, display)
        followers = _followers(folder, "" if why_none else display)
        if chosen.before is not None:
            before = of_checkout(chosen.before)
            followers.append(followers[1]._replace(name="before, --headless", settings=before, most_p99_ms=None))
        print(f"append to visible commit, ms; {chosen.machines:,} machines, {chosen.seconds:g} s at each rate\n")
        print(f"{'':28}{'lines/s':>8}{'p50':>8}{'p99':>8}{'max':>8}{'p99/floor':>11}")
        bounds: list[Bound] = []
        for rate_per_s in _RATES_PER_S:
            feed = _lines(folder, rate_per_s, chosen.seconds, chosen.machines)
            delays = [_delays(follower, feed, rate_per_s, folder) for follower in followers]
            bounds += _print_delays(delays)
        if why_none:
            print(f"no window: {why_none}")
        bounds += [_idle(folder, chosen.idle_seconds), _start(folder), _imports(folder)]
    return verdict(bounds)


@contextmanager
def _display() -> Iterator[tuple[str, str]]:
    """Lend a display, without a screen; or tell why there is none."""
    program = shutil.which("Xvfb")
    if program is None:
        yield "", "Xvfb is not installed"
        return
    readable, writable = os.pipe()
    command = [program, "-displayfd", str(writable), "-screen", "0", "1600x1100x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writable], stderr=subprocess.DEVNULL) as server:
        os.close(writable)
        with os.fdopen(readable, encoding="ascii") as told:
            number = told.readline().strip()
        try:
            yield f":{number}", "" if number else "Xvfb did not start"
        finally:
            server.terminate()


def _window_trouble(folder: Path, display: str) -> str:
    """Return why the consumer opens no window there, or nothing if it does."""
    *_, with_window = _followers(folder, display)
    with _following(with_window, _lines(folder, 1, 1, 1)[0], folder):
        sleep(_SETTLED_AFTER_S)
    return next((line for line in messages(folder).splitlines() if "no window can be opened" in line), "")


def _followers(folder: Path, display: str) -> list[Follower]:
    live_file, database = folder / "live.json", folder / "live.sqlite"
    consumer = (*CONSUMER, "--file", live_file, "--db", database)
    followers = [
        Follower("floor: bare loop, 50 ms", (sys.executable, "-c", _FLOOR, live_file, database), {}, None),
        Follower("consumer --headless", (*consumer, "--headless"), {}, _MOST_P99_MS),
    ]
    if display:
        settings = {"DISPLAY": display, "MPLBACKEND": ""}
        followers.append(Follower("consumer, window open", consumer, settings, _MOST_P99_WITH_WINDOW_MS))
    return followers


def _lines(folder: Path, rate_per_s: int, seconds: float, machines: int) -> list[bytes]:
    """Let the producer write as many lines as are needed, with the timestamps that they would have at this rate."""
    feed = folder / "feed.json"
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    make_feed(feed, round(rate_per_s * seconds), machines, begin=now, interval_s=machines / rate_per_s)
    lines = feed.read_bytes().splitlines(keepends=True)
    feed.unlink()
    return lines


def _delays(follower: Follower, lines: Sequence[bytes], rate_per_s: int, folder: Path) -> Delays:
    with _following(follower, lines[0], folder) as (connection, _):
        sleep(_SETTLED_AFTER_S if "DISPLAY" in follower.settings else 0)
        delays_ms = _append(lines[1:], rate_per_s, folder / "live.json", connection)
    quantiles = statistics.quantiles(delays_ms, n=100, method="inclusive")
    return Delays(follower, rate_per_s, quantiles[49], quantiles[98], max(delays_ms))


@contextmanager
def _following(
    follower: Follower, first_line: bytes, folder: Path
) -> Iterator[tuple[sqlite3.Connection, "subprocess.Popen[bytes]"]]:
    """Start a follower, and wait until it has taken its first line."""
    live_file, database = folder / "live.json", folder / "live.sqlite"
    remove_database(database)
    live_file.write_bytes(first_line)
    process = start(follower.command, folder, **follower.settings)
    try:
        with closing(wait_for_first(_NEWEST_ROW, database, process, folder)) as connection:
            yield connection, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def _rows(connection: sqlite3.Connection) -> int:
    (newest,) = connection.execute(_NEWEST_ROW).fetchone()
    return int(newest or 0)


def _append(lines: Sequence[bytes], rate_per_s: int, path: Path, connection: sqlite3.Connection) -> list[float]:
    """Append each line at its moment; returns how long each took to be a row, in ms."""
    rng = Random(7)
    gaps_s = (rng.uniform(0.5, 1.5) / rate_per_s for _ in lines)
    due_s = list(accumulate(gaps_s, initial=perf_counter()))
    appended_s: list[float] = []
    delays_ms: list[float] = []
    before = _rows(connection)
    with path.open("ab", buffering=0) as live_file:
        while len(delays_ms) < len(lines):
            while len(appended_s) < len(lines) and perf_counter() >= due_s[len(appended_s)]:
                appended_s.append(perf_counter())
                live_file.write(lines[len(appended_s) - 1])
            visible, now_s = _rows(connection) - before, perf_counter()
            delays_ms += [(now_s - since_s) * 1000 for since_s in appended_s[len(delays_ms) : visible]]
            if now_s > due_s[-1] + PATIENCE_S:
                raise RuntimeError(f"{len(lines) - len(delays_ms):,} lines were never seen as rows")
            sleep(LOOK_EVERY_S)
    return delays_ms


def _print_delays(all_delays: Sequence[Delays]) -> list[Bound]:
    floor = all_delays[0]
    bounds = []
    for follower, rate_per_s, p50_ms, p99_ms, most_ms in all_delays:
        ratio = p99_ms / floor.p99_ms
        print(f"{follower.name:28}{rate_per_s:8,}{p50_ms:8.1f}{p99_ms:8.1f}{most_ms:8.1f}{ratio:11.2f}")
        if follower.most_p99_ms is not None:
            promise = f"{follower.name}, {rate_per_s:,} lines/s: p99 under {follower.most_p99_ms:g} ms"
            bounds.append(Bound(promise, f"{p99_ms:.1f} ms", p99_ms < follower.most_p99_ms))
    return bounds


def _idle(folder: Path, seconds: float) -> Bound:
    """Measure the share of a core that a consumer takes while nothing comes; beside it the floor's."""
    shares = []
    for follower in _followers(folder, ""):
        first_line = _lines(folder, 1, 1, 1)[0]
        with _following(follower, first_line, folder) as (_, process):
            sleep(1)
            before_s, start_s = _processor_s(process.pid), perf_counter()
            sleep(seconds)
            shares.append((_processor_s(process.pid) - before_s) / (perf_counter() - start_s))
    floor, consumer = shares
    print(f"\nidle, of a core: {consumer:.2%} headless, floor {floor:.2%}")
    return Bound(f"idle under {_MOST_IDLE_SHARE:.0%} of a core", f"{consumer:.2%}", consumer < _MOST_IDLE_SHARE)


def _processor_s(pid: int) -> float:
    """Read the processor time of all threads of a process; /proc/PID/stat has only hundredths of seconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


def _start(folder: Path) -> Bound:
    """Measure from start to first commit, in starts of the bare interpreter; medians of interleaved runs."""
    first_line = _lines(folder, 1, 1, 1)[0]
    headless = _followers(folder, "")[1]
    bare_s, consumer_s = [], []
    for _ in range(_STARTS):
        bare_s.append(measured((sys.executable, "-c", "pass"), folder).seconds)
        start_s = perf_counter()
        with _following(headless, first_line, folder):
            consumer_s.append(perf_counter() - start_s)
    bare, consumer = statistics.median(bare_s), statistics.median(consumer_s)
    print(f"start to first commit: {consumer * 1000:.0f} ms headless, `python -c pass` {bare * 1000:.0f} ms")
    promise = (
        f"start to first commit under {_MOST_STARTS_OF_PYTHON:g} times `python -c pass` (0.4 s where that is 0.02)"
    )
    return Bound(promise, f"{consumer / bare:.1f}", consumer / bare < _MOST_STARTS_OF_PYTHON)


def _imports(folder: Path) -> Bound:
    """See what a headless consumer imports."""
    feed, database = folder / "feed.json", folder / "imports.sqlite"
    make_feed(feed, 100, 8)
    _, *rest = read_once(feed, database)
    measured((sys.executable, "-X", "importtime", *rest), folder)
    found = [name for name in ("matplotlib", "numpy", "tkinter") if f" {name}\n" in messages(folder)]
    return Bound("headless imports no matplotlib", ", ".join(found) or "none", not found)


if __name__ == "__main__":
    sys.exit(main())
