"""Bytes of whole lines to rated readings and rejected lines: the pure middle of the consumer."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from typing import Final

from consumers.rating import RowOf, rated
from consumers.records import Batch, RejectedLine, Row, Timestamp
from utils.efficiency import Limits
from utils.message import MessageError, is_blank
from utils.text import printable

KEPT_LINE_BYTES: Final = 2_000
"""As much of a rejected line is kept, from its start."""
_SHORT_LINE_LENGTH: Final = 40
"""No line that is this short is a reading; a broken feed may hold millions of the same."""
_BLANK: Final = ""
"""The reason of a line that says nothing."""
_LINES_AT_ONCE: Final = 5_000
"""So many lines are read before a wish to stop is heard: well under 0.1 s, whatever they are."""

_Fault = tuple[int, str]
"""A rejected line's number in its chunk, and the reason."""


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
    lines = _lines(data)
    judged = _Judged(keep_rejected)
    for begin in range(0, len(lines), _LINES_AT_ONCE):
        if is_stopped():
            raise Stopped
        judged.add(lines[begin : begin + _LINES_AT_ONCE], begin, row_of, limits, processed_at)
    rejected = _rejected(data, offset, len(lines), judged.faults)
    return Batch(judged.rows, rejected, judged.rejected_lines, judged.blank_lines, data.count(b"\n"))


class _Judged:
    """What has become of a chunk's lines so far; of the rejected ones, the last `keep_rejected` are kept."""

    def __init__(self, keep_rejected: int) -> None:
        self.rows: list[Row] = []
        self.faults: deque[_Fault] = deque(maxlen=keep_rejected)
        self.rejected_lines = 0
        self.blank_lines = 0

    def add(self, lines: Sequence[str | bytes], begin: int, row_of: RowOf, limits: Limits, at: Timestamp) -> None:
        """Judge lines, numbered from `begin` on."""
        rows, reasons = self.rows, dict[str | bytes, str]()
        for number, line in enumerate(lines, begin):
            reason = reasons.get(line) if len(line) <= _SHORT_LINE_LENGTH else None
            if reason is None:
                try:
                    rows.append(row_of(line, limits, at))
                except MessageError as error:
                    reason = reasons[line] = _BLANK if is_blank(line) else str(error)
                else:
                    continue
            if reason == _BLANK:
                self.blank_lines += 1
            else:
                self.rejected_lines += 1
                self.faults.append((number, reason))


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
