"""Bytes of whole lines to rated readings and rejected lines: the pure middle of the consumer."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from consumers.records import Batch, RejectedLine, Row
from utils.efficiency import Limits
from utils.message import MessageError, from_line, is_blank
from utils.text import printable

KEPT_LINE_BYTES: Final = 2_000
"""As much of a rejected line is kept, from its start."""


def ingest(data: bytes, offset: int, limits: Limits, processed_at: str) -> Batch:
    """Read whole lines, each ended by a newline; `offset` is where in its file the first one begins.

    Never raises, whatever the bytes are.
    """
    rows: list[Row] = []
    rate = limits.rate
    faults: list[tuple[int, str]] = []
    blank_lines = 0
    for number, line in enumerate(_lines(data)):
        try:
            reading = from_line(line)
        except MessageError as error:
            if is_blank(line):
                blank_lines += 1
            else:
                faults.append((number, str(error)))
            continue
        score, level, is_anomaly, _ = rate(reading)
        rows.append((*reading, score, level, is_anomaly, processed_at))
    return Batch(rows, _rejected(data, offset, faults), blank_lines, data.count(b"\n"))


def reject_oversized(start: bytes, offset: int, length_bytes: int) -> Batch:
    """Account for one line that is too long to be read, of which only the start is known."""
    reason = f"line of {length_bytes:,} bytes; expected at most {len(start):,}"
    return Batch([], [RejectedLine(offset, shown_line(start), reason)], 0, 1)


def _lines(data: bytes) -> Sequence[str | bytes]:
    """Cut at the newlines; decoded at once where all of it is UTF-8, else each line is left to be judged alone."""
    try:
        return data.decode().split("\n")[:-1]
    except UnicodeDecodeError:
        return data.split(b"\n")[:-1]


def _rejected(data: bytes, offset: int, faults: list[tuple[int, str]]) -> list[RejectedLine]:
    if not faults:
        return []
    lines = data.split(b"\n")
    offsets = list(accumulate((len(line) + 1 for line in lines), initial=offset))
    return [RejectedLine(offsets[number], shown_line(lines[number]), reason) for number, reason in faults]


def shown_line(line: bytes) -> str:
    """Write the start of a line as text that can be stored and shown, whatever its bytes are."""
    return printable(line[:KEPT_LINE_BYTES].decode(errors="backslashreplace"))
