"""`python -m tests.benchmarks.spark`: how fast the consumer on Spark is, on one core and on two, beside the other.

All read the same lines of the real producer, in the file cache: the consumer with SQLite as one file, Spark as
rotated files of two plants, on a master of one core and of two, all on this machine. Each is a whole process. Its
start is what the same command takes for files of one line; lines/s are those of the rest of the time. They run in
turns; the best of each counts. Where Spark on two cores is not the faster one, the break-even is said in cores, as
if Spark gained from each further core what it gained from the second.
"""

import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from math import ceil
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from tests.benchmarks.support import Run, best, make_feed, measured, parser, read_once, remove_database

_PLANTS: Final = ("north", "south")
_FILES: Final = 16
_MACHINES: Final = 50


class Contender(NamedTuple):
    """A consumer; `read` reads a folder that `_make` made, and returns what it took and how many rows there are."""

    name: str
    read: Callable[[Path], tuple[Run, int]]


class Speed(NamedTuple):
    """What a consumer takes for its start, and does after it."""

    start_s: float
    lines_per_s: float

    def seconds(self, lines: float) -> float:
        return self.start_s + lines / self.lines_per_s


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table and the break-even; returns 0: nothing is promised of another program's speed."""
    options = parser("spark", __doc__)
    options.add_argument("--lines", type=int, default=2_000_000)
    options.add_argument("--turns", type=int, default=2)
    chosen = options.parse_args(argv)
    contenders = (
        Contender("consumer_meyer, SQLite", _with_sqlite),
        Contender("consumer_spark, 1 core", lambda folder: _on_spark(folder, 1)),
        Contender("consumer_spark, 2 cores", lambda folder: _on_spark(folder, 2)),
    )
    with TemporaryDirectory() as name:
        folder = Path(name)
        short, long = folder / "short", folder / "long"
        _make(short, _FILES)
        _make(long, chosen.lines)
        _read(contenders[-1], short, _FILES)  # Java and Spark are in the file cache from here on
        turns = [_turn(contenders, short, long, chosen.lines) for _ in range(chosen.turns)]
    speeds = [_speed(runs, chosen.lines) for runs in zip(*turns, strict=True)]
    _print_table(contenders, speeds, chosen.lines)
    print(break_even(*speeds))
    return 0


def _make(folder: Path, lines: int) -> None:
    """Make a feed as one file, and the same lines as rotated files of two plants."""
    folder.mkdir()
    make_feed(folder / "feed.json", lines, _MACHINES)
    with (folder / "feed.json").open("rb") as feed:
        for number in range(_FILES):
            plant = folder / "plants" / _PLANTS[number % len(_PLANTS)]
            plant.mkdir(parents=True, exist_ok=True)
            with (plant / f"live.json-202611{number + 1:02}").open("wb") as file:
                file.writelines(islice(feed, lines // _FILES + (number < lines % _FILES)))


def _turn(contenders: Sequence[Contender], short: Path, long: Path, lines: int) -> list[tuple[Run, Run]]:
    """Let each read one line a file, and then all lines."""
    return [(_read(contender, short, _FILES), _read(contender, long, lines)) for contender in contenders]


def _speed(runs: Sequence[tuple[Run, Run]], lines: int) -> Speed:
    start_s, whole_s = (best(same).seconds for same in zip(*runs, strict=True))
    return Speed(start_s, lines / (whole_s - start_s))


def _read(contender: Contender, folder: Path, lines: int) -> Run:
    run, rows = contender.read(folder)
    if rows != lines:
        raise RuntimeError(f"{contender.name}: {rows:,} rows of {lines:,} lines")
    return run


def _with_sqlite(folder: Path) -> tuple[Run, int]:
    database = folder / "drained.sqlite"
    run = measured(read_once(folder / "feed.json", database), folder)
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM manufacturing_analytics").fetchone()
    remove_database(database)
    return run, rows


def _on_spark(folder: Path, cores: int) -> tuple[Run, int]:
    output = folder / "spark"
    command = (
        sys.executable,
        "-m",
        "consumers.consumer_spark",
        "--once",
        "--source",
        folder / "plants" / "*" / "live.json",
    )
    run = measured((*command, "--output", output, "--master", f"local[{cores}]"), folder, SPARK_SETTLE_S="0")
    rows = _rows_of(output)
    rmtree(output)
    return run, rows


def _rows_of(output: Path) -> int:
    from pyarrow.dataset import dataset  # noqa: PLC0415 - only where Spark is

    return int(dataset(output / "readings").count_rows())


def break_even(single: Speed, one_core: Speed, two_cores: Speed) -> str:
    """Return from how many lines on, or on how many cores, Spark is the faster one."""
    if two_cores.lines_per_s > single.lines_per_s:
        lines = (two_cores.start_s - single.start_s) / (1 / single.lines_per_s - 1 / two_cores.lines_per_s)
        return f"Break-even: Spark on two cores ends first from about {lines:,.0f} lines on."
    gain = two_cores.lines_per_s - one_core.lines_per_s
    no = "No break-even on two cores: there Spark takes longer, however many lines there are."
    if gain <= 0:
        return f"{no} The second core gained nothing."
    cores = 2 + ceil((single.lines_per_s - two_cores.lines_per_s) / gain)
    return f"{no} It would keep up on about {cores} cores, if each gains what the second did."


def _print_table(contenders: Sequence[Contender], speeds: Sequence[Speed], lines: int) -> None:
    print(f"{lines:,} lines of {len(_PLANTS)} plants, whole processes\n")
    print(f"{'':26}{'start s':>9}{'lines/s':>10}{'of SQLite':>11}{'all s':>8}")
    for contender, speed in zip(contenders, speeds, strict=True):
        ratio = speed.lines_per_s / speeds[0].lines_per_s
        print(
            f"{contender.name:26}{speed.start_s:9.1f}{speed.lines_per_s:10,.0f}{ratio:11.2f}{speed.seconds(lines):8.1f}"
        )
    print()


if __name__ == "__main__":
    sys.exit(main())
