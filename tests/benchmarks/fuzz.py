"""`python -m tests.benchmarks.fuzz`: mutated and random lines, thrown at the real consumer while it follows the file.

About a third of the lines are good ones, of one machine that no other line names: each must become a row whatever
stands around it. The others are good lines with bytes flipped, cut out or spliced, and with nasty tokens put in;
lines of nasty tokens alone; random bytes (with newlines of their own); now and then a line of megabytes. By turns
they are any bytes, and any UTF-8. The file ends in half a line, and no write respects lines. The same seed gives the
same lines, as far as the time goes.

The consumer must end in order, account for as many lines as there are newlines, keep all of the good lines, and need
no more memory at the end than after the first tenth of the time, but for what it knows of each machine (the fuzz
invents some).
"""

import math
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from io import FileIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.benchmarks.support import (
    CONSUMER,
    PATIENCE_S,
    Bound,
    make_feed,
    messages,
    parser,
    process_memory,
    start,
    verdict,
    wait_for_first,
)

if TYPE_CHECKING:
    import subprocess

_GOOD_MACHINE: Final = 424242
_GOOD_SHARE: Final = 1 / 3
_LINES_A_ROUND: Final = 400
_ROUNDS_OF_A_KIND: Final = 20
_HUGE_LINE_EVERY_ROUNDS: Final = 500
_MOST_BACKLOG_BYTES: Final = 16 * 1024 * 1024
_SAMPLE_EVERY_S: Final = 0.2
_HALF_LINE: Final = b'{"message": "Machine 1 in Active mode. Temp: 44.28'
_WARM_UP_SHARE: Final = 0.1
_LEAST_LINES_A_MINUTE: Final = 1_000_000
_MOST_GROWTH_MIB: Final = 4.0
_MACHINE_KIB: Final = 2.0
_SHOWN_REASONS: Final = 15

_TOKENS: Final = (
    b"\xef\xbb\xbf", b"\r\n", b"\r", b"\n", b"\n\n", b"\0", b"\0" * 64, b"\xff\xfe", b"\xc3", b"\xed\xa0\x80",
    b"\x1b[2J", b"\\ud800", b"\\udfff\\ud800", b"\\u0000", b"\\", b'"', b'\\"', "\u2028".encode(),
    "\x85".encode(), "٣".encode(), b"NaN", b"Infinity", b"-Infinity", b"null", b"true", b"1e999", b"-1e999",
    b"1e-999", b"1E400", b"-0.0", b"0x10", b"1_000", b"9223372036854775807", b"9223372036854775808",
    b"-9223372036854775809", b"9" * 19, b"9" * 400, b"9" * 5000, b"0." + b"1" * 5000, b"-273.16", b"[" * 100,
    b"[" * 20_000, b'{"a":' * 5000, b"[[]]", b"{}", b"}", b"{", b",", b":", b"\xc2\xb0K", b"\xc2\xb0F",
    b"\xb0C", b"Hz", b"in/s", b"m/s", b"mm/s.", b" mode", b"Machine ", b"Machine 1 in Active mode. ", b"Temp: ",
    b"Vib: ", b"1970-01-01T00:00:00+23:59", b"0001-01-01T00:00:00+01:00", b"9999-12-31T23:59:59-01:00",
    b"+00:00", b"2026-02-30", b"24:00:00", b'"message": 5, ', b'"message": null, ', b'"machine_id": 3, ',
    b'"machine_id": 1e3, ', b'"temperature": NaN, ', b'"temperature": 1e400, ', b'"vibration": -1, ',
    b'"vibration": [], ', b'"category": "ACTIVE", ', b'"category": {}, ', b'"timestamp": 0, ',
    b'"unit": "\xc2\xb0F", ', b'"temperature_unit": "K", ', b'"vibration_unit": "ips", ',
    b'"machine_id": "PUMP-07", ',
    b'"machine_id": "7.0", ', b'"machine_id": 1000001, ', b'"timestamp": 1763802902000, ',
    b'"timestamp": "17638029021", ',
    b'"temperature": "20.5", ', b'"temperature": "4,5", ', b'"mode": "active", ', b'"tags": {"machine_id": "P"}, ',
    b"PUMP-07", b"Machine PUMP-07 in ", b"plant/7 ", b"a=1 b=2,c=3 4", b"1,2,3", b"[{",
)  # fmt: skip
_STRUCTURED: Final = (
    b'{"machine_id": 7, "timestamp": "2026-11-22T09:15:02Z", "category": "idle", "temperature": 41, "vibration": 1.5}'
)
_NAMED: Final = (
    b'{"machine_id": "PUMP-07", "timestamp": 1763802902000, "mode": "idle", "temperature": "106", "unit": "F",'
    b' "vibration": 0.06, "vibration_unit": "in/s"}'
)


class Round(NamedTuple):
    """Some lines, and how many of them are good ones."""

    data: bytes
    good_lines: int


class Written(NamedTuple):
    """What the fuzzer has put into the file; its lines are its newlines."""

    lines: int = 0
    good_lines: int = 0
    size_bytes: int = 0

    def and_also(self, one: Round) -> "Written":
        return Written(
            self.lines + one.data.count(b"\n"), self.good_lines + one.good_lines, self.size_bytes + len(one.data)
        )


class Watched(NamedTuple):
    """What was seen of the consumer while it followed the file."""

    written: Written
    seconds: float
    memory_mib: list[float]
    peak_mib: float
    exit_status: int


class Kept(NamedTuple):
    """What the database holds at the end."""

    read_bytes: int
    lines: int
    stored: int
    rejected: int
    blank: int
    unbalanced: int
    good_rows: int
    machines: int
    reasons: Counter[str]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; returns 1 where a bound is missed."""
    options = parser("fuzz", __doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--lines", type=int, default=sys.maxsize, help="stop earlier, after so many lines")
    chosen = options.parse_args(argv)
    with TemporaryDirectory() as name:
        folder = Path(name)
        rng = Random(chosen.seed)
        rounds = _rounds(rng, _base_lines(folder, 8, 500), _good_lines(folder))
        watched = _throw(folder, rounds, rng, chosen.seconds, chosen.lines)
        kept = _kept(folder / "fuzz.sqlite")
        last_words = messages(folder)
    _print_table(watched, kept, chosen.seed)
    return verdict(_bounds(watched, kept, last_words, chosen.seconds))


def _base_lines(folder: Path, machines: int, lines: int) -> list[bytes]:
    feed = folder / "base.json"
    make_feed(feed, lines, machines)
    found = feed.read_bytes().splitlines()
    feed.unlink()
    return found


def _good_lines(folder: Path) -> list[bytes]:
    """Make the good lines of a machine whose number no mutation of the others can come to by a few bytes."""
    name = f"Machine {_GOOD_MACHINE} in ".encode()
    return [re.sub(rb"Machine 1 in ", name, line) for line in _base_lines(folder, 1, 100)]


def _rounds(rng: Random, base: list[bytes], good: list[bytes]) -> Iterator[Round]:
    """Make lines without end, a round at a time."""
    makers: tuple[Callable[[], bytes], ...] = (
        *(lambda: _with_token(rng, rng.choice(base)),) * 5,
        *(lambda: _flipped(rng, rng.choice(base)),) * 5,
        *(lambda: _cut(rng, rng.choice(base)),) * 3,
        *(lambda: _spliced(rng, rng.choice(base), rng.choice(base)),) * 2,
        *(lambda: _with_token(rng, _flipped(rng, rng.choice(base))),) * 3,
        *(lambda: _with_token(rng, _STRUCTURED),) * 2,
        *(lambda: _flipped(rng, _STRUCTURED),) * 2,
        *(lambda: _with_token(rng, _NAMED),) * 2,
        *(lambda: _flipped(rng, _NAMED),) * 2,
        lambda: rng.choice(base),
        lambda: b"".join(rng.choices(_TOKENS, k=rng.randrange(5))),
        lambda: rng.randbytes(rng.randrange(300)),
    )
    number = 0
    while True:
        number += 1
        is_good = [rng.random() < _GOOD_SHARE for _ in range(_LINES_A_ROUND)]
        lines = [rng.choice(good) if choice else rng.choice(makers)() for choice in is_good]
        if number % _HUGE_LINE_EVERY_ROUNDS == 1:
            lines.append(rng.choice((b"[", b"9", b"\0", b'{"a": "', b" ")) * rng.randrange(300_000, 3_000_000))
        data = b"\n".join(lines) + b"\n"
        if number // _ROUNDS_OF_A_KIND % 2:
            data = data.decode(errors="ignore").encode()
        yield Round(data, sum(is_good))


def _with_token(rng: Random, line: bytes) -> bytes:
    at = rng.randrange(len(line) + 1)
    return line[:at] + rng.choice(_TOKENS) + line[at + rng.choice((0, 0, 1, 5)) :]


def _flipped(rng: Random, line: bytes) -> bytes:
    changed = bytearray(line)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] = rng.randrange(rng.choice((128, 128, 256)))
    return bytes(changed)


def _cut(rng: Random, line: bytes) -> bytes:
    at = rng.randrange(len(line))
    return line[:at] + line[at + rng.choice((1, 1, 2, 10, len(line))) :]


def _spliced(rng: Random, line: bytes, other: bytes) -> bytes:
    return line[: rng.randrange(len(line))] + other[rng.randrange(len(other)) :]


def _throw(folder: Path, rounds: Iterator[Round], rng: Random, seconds: float, most_lines: int) -> Watched:
    """Write for so long, while the real consumer follows; then let it finish, and stop it."""
    live_file, database = folder / "fuzz.json", folder / "fuzz.sqlite"
    live_file.touch()
    process = start(
        (*CONSUMER, "--headless", "--file", live_file, "--db", database), folder, KEEP_REJECTED="100000000"
    )
    try:
        query = "SELECT count(*) >= 0 FROM source_files"  # there is no account before the first line
        with closing(wait_for_first(query, database, process, folder)) as connection, FileIO(live_file, "ab") as file:
            follower = _Follower(process, connection)
            start_s = perf_counter()
            written = Written()
            while perf_counter() - start_s < seconds and written.lines < most_lines and process.poll() is None:
                one = next(rounds)
                _write_torn(file, one.data, rng)
                written = written.and_also(one)
                follower.wait_until_read(written.size_bytes - _MOST_BACKLOG_BYTES)
            file.write(_HALF_LINE)
            follower.wait_until_read(written.size_bytes)
            taken_s = perf_counter() - start_s
    finally:
        process.send_signal(signal.SIGTERM)
        exit_status = process.wait(PATIENCE_S)
    return Watched(written, taken_s, follower.memory_mib, follower.peak_mib, exit_status)


def _write_torn(file: FileIO, data: bytes, rng: Random) -> None:
    """Write in two goes that break a line anywhere; the consumer may look in between."""
    at = rng.randrange(len(data))
    file.write(data[:at])
    file.write(data[at:])


class _Follower:
    """Watches a consumer: how far it is in the file, and its memory."""

    def __init__(self, process: "subprocess.Popen[bytes]", connection: sqlite3.Connection) -> None:
        self.memory_mib: list[float] = []
        self.peak_mib = 0.0
        self._process = process
        self._connection = connection
        self._sampled_s = 0.0

    def wait_until_read(self, size_bytes: int) -> None:
        """Wait until the consumer is so far, or gone. Raises RuntimeError where it stands still."""
        self._sample()
        end_s = perf_counter() + PATIENCE_S
        while self._read_bytes() < size_bytes and self._process.poll() is None:
            if perf_counter() > end_s:
                raise RuntimeError(f"the consumer stands at byte {self._read_bytes():,}")
            sleep(0.01)
            self._sample()

    def _read_bytes(self) -> int:
        (read_bytes,) = self._connection.execute("SELECT coalesce(sum(read_bytes), 0) FROM source_files").fetchone()
        return int(read_bytes)

    def _sample(self) -> None:
        if perf_counter() - self._sampled_s < _SAMPLE_EVERY_S:
            return
        self._sampled_s = perf_counter()
        memory = process_memory(self._process.pid)
        if memory:  # a process that has ended has none
            self.memory_mib.append(memory["VmRSS"])
            self.peak_mib = memory["VmHWM"]


def _kept(database: Path) -> Kept:
    with closing(sqlite3.connect(database)) as connection:
        account = connection.execute(
            "SELECT sum(read_bytes), sum(read_lines), sum(stored_lines), sum(rejected_lines), sum(blank_lines),"
            " sum(NOT balances) FROM ingest_audit"
        ).fetchone()
        (good_rows,) = connection.execute(
            "SELECT count(*) FROM manufacturing_analytics WHERE machine_id = ?", (_GOOD_MACHINE,)
        ).fetchone()
        (machines,) = connection.execute("SELECT count(*) FROM machines").fetchone()
        reasons: Counter[str] = Counter()
        for reason, count in connection.execute("SELECT reason, count(*) FROM rejected_messages GROUP BY reason"):
            reasons[_kind(reason)] += count
    return Kept._make((*account, good_rows, machines, reasons))


def _kind(reason: str) -> str:
    """Leave out of a reason what differs from line to line: the quoted parts and the numbers."""
    unquoted = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "…", reason)
    return re.sub(
        r"0x[0-9a-f]{2}|(?<![A-Za-z])(?<!ISO )(?<![A-Za-z]-)-?\b\d[\d,.]*(?:e[-+]?\d+)?|-?\b(?:inf|nan)\b",
        "N",
        unquoted,
    )


def _print_table(watched: Watched, kept: Kept, seed: int) -> None:
    written, seconds = watched.written, watched.seconds
    print(f"{written.lines:,} lines, {written.size_bytes / 1e6:,.0f} MB in {seconds:.0f} s, seed {seed}\n")
    print(f"{'lines/s':32}{written.lines / seconds:12,.0f}")
    for name, lines in (("stored", kept.stored), ("rejected", kept.rejected), ("blank", kept.blank)):
        print(f"{name:32}{lines:12,}{lines / max(kept.lines, 1):8.1%}")
    print(f"{'machines that the fuzz invented':32}{kept.machines - 1:12,}")
    print(f"{'peak memory, MiB':32}{watched.peak_mib:12.1f}\n")
    print(f"the {_SHOWN_REASONS} commonest of {len(kept.reasons)} kinds of reasons")
    for kind, count in kept.reasons.most_common(_SHOWN_REASONS):
        print(f"{count:10,}{count / max(kept.rejected, 1):7.1%}  {kind[:100]}")


def _bounds(watched: Watched, kept: Kept, last_words: str, seconds: float) -> list[Bound]:
    written = watched.written
    warm = watched.memory_mib[math.ceil(len(watched.memory_mib) * _WARM_UP_SHARE) :]
    growth_mib = warm[-1] - warm[0]
    allowed_mib = _MOST_GROWTH_MIB + kept.machines * _MACHINE_KIB / 1024
    least_lines = round(_LEAST_LINES_A_MINUTE * seconds / 60)
    said = "balances" if "every line is accounted for" in last_words else "does not, or said nothing"
    return [
        Bound("ends in order", f"exit status {watched.exit_status}", watched.exit_status == 0),
        Bound("accounts for each newline", f"{kept.lines:,} of {written.lines:,}", kept.lines == written.lines),
        Bound("accounts for each byte", f"{kept.read_bytes:,}", kept.read_bytes == written.size_bytes),
        Bound("the account balances", said, said == "balances" and kept.unbalanced == 0),
        Bound("keeps each good line", f"{kept.good_rows:,}", kept.good_rows == written.good_lines),
        Bound(
            f"memory grows by less than {allowed_mib:.1f} MiB, with {_MACHINE_KIB:g} KiB a machine",
            f"{warm[0]:.1f} MiB after a tenth, {warm[-1]:.1f} at the end",
            growth_mib < allowed_mib,
        ),
        Bound(f"at least {least_lines:,} lines", f"{written.lines:,}", written.lines >= least_lines),
    ]


if __name__ == "__main__":
    sys.exit(main())
