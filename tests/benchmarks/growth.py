"""`python -m tests.benchmarks.growth`: whether the consumer stays as fast as it was when its database was empty.

Databases of several sizes are filled by the real consumer from feeds of the real producer. Then, in turns and each on
a fresh copy that is safe on the disk:
    drain    `--once --headless` over the same feed: lines/s and peak memory;
    restart  `--once --snapshot` over the same file again, in which nothing is new: the time from the start of the
             process to its end, when the first picture of the dashboard is drawn, written and counted. It holds the
             start of the interpreter and of matplotlib. "empty" is the same on an empty database and an empty file.
It also tells how fast `machine_minutes` grows. The best of the turns counts. Ratios are to the database that was
empty.
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from tests.benchmarks.support import (
    START,
    Bound,
    Run,
    best,
    make_feed,
    measured,
    parser,
    read_once,
    remove_database,
    verdict,
)

_LEAST_RATE_RATIO: Final = 0.9
_MOST_RESTART_DELAY_S: Final = 0.3
_MOST_PEAK_RATIO: Final = 1.1
_LINES_A_FEED: Final = 1_000_000


class Stage(NamedTuple):
    """What the consumer took on a database that held `rows` before."""

    rows: int
    database_mb: float
    drain: Run
    restart: Run


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; returns 1 where a bound is missed."""
    options = parser("growth", __doc__)
    options.add_argument("--rows", type=int, nargs="+", default=[0, 100_000, 1_000_000, 10_000_000])
    options.add_argument("--lines", type=int, default=200_000, help="of the feed that is drained (200000)")
    options.add_argument("--machines", type=int, default=50)
    options.add_argument("--turns", type=int, default=3)
    chosen = options.parse_args(argv)
    with TemporaryDirectory() as name:
        folder = Path(name)
        feed = folder / "feed.json"
        sizes = sorted({0, *chosen.rows})
        _fill(folder, sizes, chosen.machines)
        make_feed(feed, chosen.lines, chosen.machines, seed=1)
        turns = []
        for number in range(chosen.turns):
            turns.append([_stage(folder, feed, rows) for rows in sizes])
            print(f"turn {number + 1} of {chosen.turns} done", file=sys.stderr)
        stages = [_best_stage(same_size) for same_size in zip(*turns, strict=True)]
        nothing = best([_restart_on_nothing(folder) for _ in range(chosen.turns)])
        if sizes[-1] > 0:
            _print_minutes(_filled(folder, sizes[-1]), chosen.machines)
    return _print_table(stages, nothing, chosen.lines)


def _filled(folder: Path, rows: int) -> Path:
    return folder / f"rows_{rows}.sqlite"


def _fill(folder: Path, sizes: Sequence[int], machines: int) -> None:
    """Make a database of each size, each from the one before."""
    rows = 0
    database = folder / "filling.sqlite"
    for size in sizes:
        while rows < size:
            lines = min(size - rows, _LINES_A_FEED)
            _feed_once(folder, database, lines, machines, rows)
            rows += lines
            print(f"{rows:,} rows filled in", file=sys.stderr)
        if size > 0:
            shutil.copyfile(database, _filled(folder, size))
    remove_database(database)


def _feed_once(folder: Path, database: Path, lines: int, machines: int, rows: int) -> None:
    """Append a stretch of the plant's history, which goes on where `rows` ended."""
    feed = folder / f"fill_{rows}.json"
    begin = datetime.fromisoformat(START) - timedelta(days=100) + timedelta(seconds=rows / machines)
    make_feed(feed, lines, machines, seed=rows, begin=begin.isoformat())
    measured(read_once(feed, database), folder)
    feed.unlink()


def _stage(folder: Path, feed: Path, rows: int) -> Stage:
    database, picture = folder / "stage.sqlite", folder / "dashboard.png"
    if rows > 0:
        shutil.copyfile(_filled(folder, rows), database)
    size_mb = database.stat().st_size / 1e6 if rows > 0 else 0.0
    os.sync()  # so that no page of the copy is written while the consumer is measured
    drain = measured(read_once(feed, database), folder)
    restart = measured(read_once(feed, database, "--snapshot", picture), folder)
    remove_database(database)
    picture.unlink()
    return Stage(rows, size_mb, drain, restart)


def _best_stage(stages: Sequence[Stage]) -> Stage:
    return stages[0]._replace(
        drain=best([stage.drain for stage in stages]), restart=best([stage.restart for stage in stages])
    )


def _restart_on_nothing(folder: Path) -> Run:
    feed, database, picture = folder / "empty.json", folder / "empty.sqlite", folder / "dashboard.png"
    feed.touch()
    measured(read_once(feed, database), folder)
    restart = measured(read_once(feed, database, "--snapshot", picture), folder)
    remove_database(database)
    return restart


def _print_minutes(database: Path, machines: int) -> None:
    """Print how fast `machine_minutes` grows, whatever the interval at which the machines report."""
    with closing(sqlite3.connect(database)) as connection:
        size_bytes, minutes = connection.execute(
            "SELECT sum(pgsize), (SELECT count(*) FROM machine_minutes) FROM dbstat WHERE name = 'machine_minutes'"
        ).fetchone()
    a_minute = size_bytes / minutes
    print(
        f"machine_minutes: {a_minute:.0f} bytes a machine and minute; of {machines} machines "
        f"{a_minute * machines * 1440:,.0f} bytes a day, {a_minute * machines * 1440 * 365 / 1e6:,.0f} MB a year\n"
    )


def _print_table(stages: Sequence[Stage], nothing: Run, lines: int) -> int:
    first, last = stages[0], stages[-1]
    print(f"{lines:,} lines drained into databases of several sizes, then restarted\n")
    print(
        f"{'rows before':>12}{'MB':>8}{'lines/s':>10}{'ratio':>7}{'peak MiB':>10}{'ratio':>7}"
        f"{'restart s':>11}{'- empty':>9}{'peak MiB':>10}"
    )
    for rows, database_mb, drain, restart in stages:
        print(
            f"{rows:12,}{database_mb:8,.0f}{lines / drain.seconds:10,.0f}{first.drain.seconds / drain.seconds:7.2f}"
            f"{drain.peak_mib:10.1f}{drain.peak_mib / first.drain.peak_mib:7.2f}"
            f"{restart.seconds:11.2f}{restart.seconds - nothing.seconds:+9.2f}{restart.peak_mib:10.1f}"
        )
    print(f"{'empty':>12}{'':42}{nothing.seconds:11.2f}{0:+9.2f}{nothing.peak_mib:10.1f}")
    rate_ratio = first.drain.seconds / last.drain.seconds
    delay_s = max(stage.restart.seconds for stage in stages) - nothing.seconds
    peaks_mib = [stage.drain.peak_mib for stage in stages]
    peak_ratio = max(peaks_mib) / min(peaks_mib)
    return verdict(
        [
            Bound(
                f"drain at {last.rows:,} rows at least {_LEAST_RATE_RATIO} of the rate when empty",
                f"{rate_ratio:.2f}",
                rate_ratio >= _LEAST_RATE_RATIO,
            ),
            Bound(
                f"restart within {_MOST_RESTART_DELAY_S} s of that on an empty database",
                f"{delay_s:+.2f} s",
                delay_s <= _MOST_RESTART_DELAY_S,
            ),
            Bound("memory equal, to a tenth", f"{peak_ratio:.2f}", peak_ratio <= _MOST_PEAK_RATIO),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
