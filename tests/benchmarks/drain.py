"""`python -m tests.benchmarks.drain`: how fast the consumer catches up, beside the floor of its kind and a peer.

The floor is a process that does for each line what any reader of this format has to, and nothing else: json.loads, a
row of ten columns from the fields as they are, executemany; the same pragmas, one transaction a 256 KB. It looks into
no message, checks nothing, rates nothing, and could not go on after a stop. The peer is `sqlite-utils insert --nl`
as it is, and into a database that is in WAL mode already, which it does not ask for by itself; it gets fewer lines,
since it is slow. All are whole processes, run in turns over feeds of the real producer in the file cache; the best of
each counts, start of the interpreter included.
"""

import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from tests.benchmarks.support import (
    INSERT,
    PRAGMAS,
    ROW_OF_FIELDS,
    TABLE,
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

_LEAST_OF_FLOOR: Final = 0.75
_LEAST_OF_BEFORE: Final = 0.97
_LEAST_OF_PEER: Final = 4.0
_MOST_PEAK_MIB: Final = 60.0
_MOST_PEAK_RATIO: Final = 1.1
_PEER_SHARE: Final = 10
_MEMORY_LINES: Final = (100_000, 10_000_000)

_FLOOR: Final = f"""
import json, sqlite3, sys
{ROW_OF_FIELDS}
connection = sqlite3.connect(sys.argv[2], isolation_level=None)
connection.executescript("{PRAGMAS}; PRAGMA journal_size_limit = 67108864")
connection.execute('''{TABLE}''')
loads = json.loads
with open(sys.argv[1], encoding="utf-8") as feed:
    while lines := feed.readlines(256 * 1024):
        rows = [row(loads(line)) for line in lines]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("{INSERT}", rows)
        connection.execute("COMMIT")
connection.close()
"""


class Contender(NamedTuple):
    """A program that puts a feed into a database."""

    name: str
    feed: Path
    lines: int
    table: str
    command: Callable[[Path, Path], Sequence[str | Path]]
    checkout: Path | None = None


class Result(NamedTuple):
    """What a contender took, and left."""

    name: str
    run: Run
    lines: int
    row_bytes: float

    @property
    def lines_per_s(self) -> float:
        return self.lines / self.run.seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; returns 1 where a bound is missed."""
    options = parser("drain", __doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--machines", type=int, nargs="+", default=[50], help="a table for each (50)")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--memory", action="store_true", help="also peak memory at 0.1 and 10 million lines")
    chosen = options.parse_args(argv)
    bounds: list[Bound] = []
    with TemporaryDirectory() as folder:
        for machines in chosen.machines:
            results = _compare(Path(folder), chosen.lines, machines, chosen.turns, chosen.before)
            _print_table(results, machines)
            bounds += _bounds(results)
        if chosen.memory:
            bounds += _compare_memory(Path(folder), chosen.machines[0])
    return verdict(bounds)


def _compare(folder: Path, lines: int, machines: int, turns: int, before: Path | None) -> list[Result]:
    feed, short_feed = folder / "feed.json", folder / "short_feed.json"
    make_feed(feed, lines, machines)
    make_feed(short_feed, max(lines // _PEER_SHARE, 1), machines)
    contenders = [
        Contender("floor: json.loads, executemany", feed, lines, "manufacturing_analytics", _floor),
        Contender("consumer --once --headless", feed, lines, "manufacturing_analytics", read_once),
        Contender("sqlite-utils insert --nl", short_feed, lines // _PEER_SHARE, "feed", _sqlite_utils),
        Contender(
            "sqlite-utils, WAL set before", short_feed, lines // _PEER_SHARE, "feed", _sqlite_utils_in_wal_mode
        ),
    ]
    if before is not None:
        contenders.append(
            Contender("consumer before", feed, lines, "manufacturing_analytics", read_once, checkout=before)
        )
    runs: list[list[Result]] = [[_drained(contender, folder) for contender in contenders] for _ in range(turns)]
    feed.unlink()
    short_feed.unlink()
    return [results[0]._replace(run=best([result.run for result in results])) for results in zip(*runs, strict=True)]


def _floor(feed: Path, database: Path) -> Sequence[str | Path]:
    return (sys.executable, "-c", _FLOOR, feed, database)


def _sqlite_utils(feed: Path, database: Path) -> Sequence[str | Path]:
    return (sys.executable, "-m", "sqlite_utils", "insert", database, "feed", feed, "--nl")


def _sqlite_utils_in_wal_mode(feed: Path, database: Path) -> Sequence[str | Path]:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return _sqlite_utils(feed, database)


def _drained(contender: Contender, folder: Path) -> Result:
    database = folder / "drained.sqlite"
    remove_database(database)
    run = measured(contender.command(contender.feed, database), folder, **of_checkout(contender.checkout))
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute(f"SELECT count(*) FROM {contender.table}").fetchone()
    if rows != contender.lines:
        raise RuntimeError(f"{contender.name}: {rows:,} rows of {contender.lines:,} lines")
    result = Result(contender.name, run, contender.lines, database.stat().st_size / rows)
    remove_database(database)
    return result


def _print_table(results: Sequence[Result], machines: int) -> None:
    floor, peer = results[0], results[2]
    print(f"{floor.lines:,} lines ({peer.lines:,} for sqlite-utils) of {machines:,} machines, whole processes\n")
    print(f"{'':34}{'lines/s':>10}{'of floor':>10}{'CPU us/line':>13}{'CPU/floor':>11}{'peak MiB':>10}{'B/row':>7}")
    for result in results:
        processor_us = result.run.processor_s / result.lines * 1e6
        floor_us = floor.run.processor_s / floor.lines * 1e6
        print(
            f"{result.name:34}{result.lines_per_s:10,.0f}{result.lines_per_s / floor.lines_per_s:10.2f}"
            f"{processor_us:13.2f}{processor_us / floor_us:11.2f}{result.run.peak_mib:10.1f}{result.row_bytes:7.0f}"
        )
    print()


def _bounds(results: Sequence[Result]) -> list[Bound]:
    floor, consumer, peer, _, *before = results
    of_floor, of_peer = consumer.lines_per_s / floor.lines_per_s, consumer.lines_per_s / peer.lines_per_s
    peak_mib = consumer.run.peak_mib
    of_before = [
        Bound(f"at least {_LEAST_OF_BEFORE} of before", f"{ratio:.2f}", ratio >= _LEAST_OF_BEFORE)
        for ratio in (consumer.lines_per_s / other.lines_per_s for other in before)
    ]
    return [
        *of_before,
        Bound(f"at least {_LEAST_OF_FLOOR} of the floor", f"{of_floor:.2f}", of_floor >= _LEAST_OF_FLOOR),
        Bound(f"at least {_LEAST_OF_PEER:g} times sqlite-utils", f"{of_peer:.1f}", of_peer >= _LEAST_OF_PEER),
        Bound(f"peak under {_MOST_PEAK_MIB:g} MiB", f"{peak_mib:.1f} MiB", peak_mib < _MOST_PEAK_MIB),
    ]


def _compare_memory(folder: Path, machines: int) -> list[Bound]:
    peaks_mib = []
    for lines in _MEMORY_LINES:
        feed = folder / "feed.json"
        make_feed(feed, lines, machines)
        contender = Contender("consumer", feed, lines, "manufacturing_analytics", read_once)
        result = _drained(contender, folder)
        feed.unlink()
        print(f"{lines:12,} lines: peak {result.run.peak_mib:.1f} MiB, {result.lines_per_s:,.0f} lines/s")
        peaks_mib.append(result.run.peak_mib)
    ratio = max(peaks_mib) / min(peaks_mib)
    found = " and ".join(f"{peak:.1f} MiB" for peak in peaks_mib)
    holds = ratio <= _MOST_PEAK_RATIO and max(peaks_mib) < _MOST_PEAK_MIB
    return [Bound(f"the same peak at 0.1 and 10 million lines, under {_MOST_PEAK_MIB:g} MiB", found, holds)]


if __name__ == "__main__":
    sys.exit(main())
