"""A feed of numbered readings: each line comes once, so that a lost one and a doubled one are both seen.

As a command it is a service that writes its own log: it appends whole lines to a file until it is asked to stop.
"""

import bz2
import gzip
import lzma
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

from tests.support import line, query
from utils.message import MessageError, epoch_seconds, from_line, timestamp_at

FEED: Final = "tests.end_to_end.feed"
LINES_PER_S: Final = 1_500
BEGIN_S: Final = epoch_seconds("2026-11-22T00:00:00.000Z")
_UNPACK: Final[dict[str, Callable[[bytes], bytes]]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
_PLACE: Final = "TIMESTAMP"
_LINE: Final = line(7, timestamp=_PLACE)


def numbered(first: int, count: int) -> bytes:
    """Return lines `first`, `first` + 1, …: readings of one machine, a millisecond apart."""
    times = (timestamp_at(BEGIN_S + number / 1000) for number in range(first, first + count))
    return "".join(_LINE.replace(_PLACE, at) for at in times).encode()


def number_of(timestamp: str) -> int:
    return round((epoch_seconds(timestamp) - BEGIN_S) * 1000)


def stored_numbers(database: Path) -> list[int]:
    """Return the numbers of the stored lines, in the order of the rows."""
    rows = query(database, "SELECT timestamp FROM manufacturing_analytics ORDER BY id")
    return [number_of(timestamp) for (timestamp,) in rows]


def numbers_in(path: Path) -> list[int]:
    """Return the numbers of the whole lines in a file, packed or not, in order."""
    unpack = _UNPACK.get(path.suffix, bytes)
    numbers = []
    for text in unpack(path.read_bytes()).split(b"\n")[:-1]:
        try:
            numbers.append(number_of(from_line(text).timestamp))
        except MessageError:
            continue
    return numbers


def numbers_beside(live_file: Path) -> set[int]:
    """Return the numbers of all lines that any file with the live file's name holds."""
    return {number for path in live_file.parent.glob(f"{live_file.name}*") for number in numbers_in(path)}


def twice(numbers: list[int]) -> list[int]:
    return sorted(number for number, count in Counter(numbers).items() if count > 1)


def _handles(path: Path, way: str) -> Iterator[int]:
    """Give the handle for each write. Someone "keeps" it for ever, "opens" it each time, or "follows" the path."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for write in range(sys.maxsize):
        is_other = way == "follows" and write % 10 == 0 and not _names(path, handle)
        if way == "opens" or is_other:
            os.close(handle)
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        yield handle


def _names(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:  # it is just being rotated
        return False


def _write(path: Path, way: str, seed: str) -> None:
    """Append lines at `LINES_PER_S`, some in each write, until SIGTERM."""
    is_over = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal is_over
        is_over = True

    signal.signal(signal.SIGTERM, stop)
    rng, begin_s, written = Random(seed), time.monotonic(), 0
    for handle in _handles(path, way):
        due = int((time.monotonic() - begin_s) * LINES_PER_S) - written
        count = min(due, rng.randrange(1, 20))
        os.write(handle, numbered(written, count))
        written += count
        if is_over:
            return
        if written + count >= due:
            time.sleep(rng.uniform(0, 0.01))


if __name__ == "__main__":
    _write(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
