"""`python -m tests.benchmarks.files`: what hard feeds cost: many rotated files, and lines that are no readings.

Each is read by a whole process, `--once --headless`, from an empty database; with `--before`, by the consumer of
another checkout in turns with this one. The best of the turns counts.
    rotated   files of one line each beside the live file
    tiny      lines of one letter, none of them a reading
    sync      what it costs to make an append durable, as is done before each commit that counts new lines
"""

import os
import sqlite3
import statistics
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from tests.benchmarks.support import (
    Bound,
    Run,
    best,
    make_feed,
    measured,
    of_checkout,
    parser,
    read_once,
    remove_database,
    verdict,
)

_MOST_ROTATED_S: Final = 3.0
_LEAST_TINY_RATIO: Final = 10.0
_SYNCS: Final = 200
_LINES: Final = "SELECT sum(read_lines) FROM source_files"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; returns 1 if a bound is missed."""
    options = parser("files", __doc__)
    options.add_argument("--files", type=int, default=3_000, help="rotated files of one line (3000)")
    options.add_argument("--megabytes", type=float, default=10, help="of lines of one letter (10)")
    options.add_argument("--turns", type=int, default=3)
    chosen = options.parse_args(argv)
    checkouts = [None, *([chosen.before] if chosen.before is not None else [])]
    with TemporaryDirectory() as name:
        folder = Path(name)
        bounds = [*_rotated(folder, chosen.files), *_tiny(folder, chosen.megabytes, chosen.turns, checkouts)]
        _print_sync(folder)
    return verdict(bounds)


def _rotated(folder: Path, files: int) -> list[Bound]:
    plant = folder / "rotated"
    plant.mkdir()
    feed = plant / "live.json"
    make_feed(feed, files + 1, 50)
    *rotated, live = feed.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(reversed(rotated), start=1):
        (plant / f"live.json.{number}").write_bytes(line)
    feed.write_bytes(live)
    run, _ = _read(feed, folder, files + 1, None)
    again = measured(read_once(feed, folder / "files.sqlite"), folder)
    remove_database(folder / "files.sqlite")
    print(f"{files:,} files of one line: {run.seconds:.2f} s, {run.peak_mib:.0f} MiB; then {again.seconds:.2f} s")
    promise = f"{files:,} rotated files of one line in less than {_MOST_ROTATED_S:g} s"
    return [Bound(promise, f"{run.seconds:.2f} s", run.seconds < _MOST_ROTATED_S)]


def _tiny(folder: Path, megabytes: float, turns: int, checkouts: Sequence[Path | None]) -> list[Bound]:
    feed = folder / "tiny.json"
    lines = round(megabytes * 500_000)
    make_feed(feed, 1, 1)  # a feed without any reading counts as a failure
    with feed.open("ab") as file:
        file.write(b"x\n" * (lines - 1))
    runs: list[list[tuple[Run, float]]] = [[] for _ in checkouts]
    for _ in range(turns):
        for checkout, its_runs in zip(checkouts, runs, strict=True):
            its_runs.append(_read(feed, folder, lines, checkout))
            remove_database(folder / "files.sqlite")
    seconds = []
    for checkout, its_runs in zip(checkouts, runs, strict=True):
        run = best([run for run, _ in its_runs])
        seconds.append(run.seconds)
        name = "here" if checkout is None else "before"
        print(f"{lines:,} lines of one letter, {name}: {run.seconds:.2f} s, database {its_runs[0][1]:.0f} MB")
    ratios = [before_s / seconds[0] for before_s in seconds[1:]]
    promise = f"lines of one letter {_LEAST_TINY_RATIO:g} times as fast as before"
    return [Bound(promise, f"{ratio:.1f}", ratio >= _LEAST_TINY_RATIO) for ratio in ratios]


def _read(feed: Path, folder: Path, lines: int, checkout: Path | None) -> tuple[Run, float]:
    """Read a feed into a new database; returns what it took, and the database's size in MB."""
    database = folder / "files.sqlite"
    run = measured(read_once(feed, database), folder, **of_checkout(checkout))
    with closing(sqlite3.connect(database)) as connection:
        (read_lines,) = connection.execute(_LINES).fetchone()
    if read_lines != lines:
        raise RuntimeError(f"{read_lines:,} lines were read of {lines:,}")
    return run, database.stat().st_size / 1e6


def _print_sync(folder: Path) -> None:
    costs_ms = []
    with (folder / "synced").open("ab", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(b"x" * 230)
            start_s = perf_counter()
            os.fsync(file.fileno())
            costs_ms.append((perf_counter() - start_s) * 1000)
    quantiles = statistics.quantiles(costs_ms, n=100)
    print(f"sync of an append: median {quantiles[49]:.2f} ms, p99 {quantiles[98]:.2f} ms")


if __name__ == "__main__":
    sys.exit(main())
