"""Bytes of whole lines to rated readings and rejected lines: the pure middle of the consumer."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from typing import Final

from consumers.rating import rated
from consumers.records import Batch, RejectedLine, Row, Timestamp
from utils.efficiency import Limits
from utils.message import MessageError, is_blank
from utils.text import printable

KEPT_LINE_BYTES: Final = 2_000
"""As much of a rejected line is kept, from its start."""
_SHORT_LINE_LENGTH: Final = 40
"""No line that is this short is a reading; a broken feed may hold millions of the same."""
_LINES_AT_ONCE: Final = 5_000
"""So many lines are read before a wish to stop is heard: well under 0.1 s, whatever they are."""

_Fault = tuple[int, str]
"""A rejected line's number in its chunk, and the reason."""


RowOf = Callable[[str | bytes, Limits, Timestamp], Row]


class Stopped(Exception):  # noqa: N818 - no error: someone wishes to stop
    """The lines are left as they are; nothing has happened to them yet."""


def ingest(
    data: bytes,
    offset: int,
    processed_at: Timestamp,
    limits: Limits,
    keep_rejected: int = 100_000,
    is_stopped: Callable[[], bool] = lambda: False,
    row_of: RowOf = rated,
) -> Batch:
    """Return what becomes of whole lines, each ended by a newline; `offset` is where in its file the first begins.

    Of the rejected lines, the last `keep_rejected` are kept. `row_of` makes a row of a line, or raises MessageError.
    Raises Stopped and nothing else, whatever the bytes are.
    """
    rows: list[Row] = []
    faults: deque[_Fault] = deque(maxlen=keep_rejected)
    rejected_lines = blank_lines = 0
    reasons: dict[str | bytes, str] = {}
    lines = _lines(data)
    for begin in range(0, len(lines), _LINES_AT_ONCE):
        if is_stopped():
            raise Stopped
        for number, line in enumerate(lines[begin : begin + _LINES_AT_ONCE], begin):
            if len(line) <= _SHORT_LINE_LENGTH and (reason := reasons.get(line)):
                rejected_lines += 1
                faults.append((number, reason))
                continue
            try:
                rows.append(row_of(line, limits, processed_at))
            except MessageError as error:
                if is_blank(line):
                    blank_lines += 1
                    continue
                rejected_lines += 1
                faults.append((number, str(error)))
                reasons[line] = str(error)
        if len(reasons) > _LINES_AT_ONCE:
            reasons.clear()
    kept = _rejected(data, offset, len(lines), faults)
    return Batch(rows, kept, rejected_lines, blank_lines, data.count(b"\n"))


def reject_oversized(start: bytes, offset: int, length_bytes: int) -> Batch:
    """Return what becomes of one line that is too long to be read; only its start is known."""
    reason = f"line of {length_bytes:,} bytes; expected at most {len(start):,}"
    return Batch([], [RejectedLine(offset, shown_line(start), reason)], 1, 0, 1)


def shown_line(line: bytes) -> str:
    """Return the start of a line as text that can be stored and shown, whatever its bytes are."""
    return printable(line[:KEPT_LINE_BYTES].decode(errors="backslashreplace"))


def _lines(data: bytes) -> Sequence[str | bytes]:
    """Cut at the newlines; text if all of it is UTF-8, else bytes, so that each line is judged alone."""
    try:
        return data.decode().split("\n")[:-1]
    except UnicodeDecodeError:
        return data.split(b"\n")[:-1]


def _rejected(data: bytes, offset: int, count: int, faults: Collection[_Fault]) -> list[RejectedLine]:
    """Return the rejected lines of `data`, which holds `count` lines; only what follows the first of them is cut."""
    if not faults:
        return []
    first, _ = next(iter(faults))
    before, *lines, _ = (b"\n" + data).rsplit(b"\n", count - first + 1)
    offsets = list(accumulate((len(line) + 1 for line in lines), initial=offset + len(before)))
    rejected = [(number - first, lines[number - first], reason) for number, reason in faults]
    shown = {line: shown_line(line) for line in {line for _, line, _ in rejected}}  # a broken feed repeats its lines
    return [RejectedLine._make((offsets[place], shown[line], reason)) for place, line, reason in rejected]
