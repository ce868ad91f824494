"""Bytes of whole lines to rated readings and rejected lines: the pure middle of the consumer."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, TypeGuard, cast

from consumers.rating import RowOf, own_rows, rated
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
_KEPT_REASONS: Final = 1_000
_LINES_AT_ONCE: Final = 5_000
"""So many lines are read before a wish to stop is heard: well under 0.1 s, whatever they are."""

_PART_BYTES: Final = 512 * 1024
"""So much is cut into lines at once; the whole at once would take several times its size."""

_OWN_LINE_BYTES: Final = 150
"""No line of our own producer is shorter."""
_LOOKED_INTO_BYTES: Final = 16 * 1024

_Line = str | bytes | Row
"""A line; a row if it is our producer's, since many of those are read at once."""
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
    *,
    reads_at_once: bool = True,
) -> Batch:
    """Return what becomes of whole lines, each ended by a newline; `offset` is where in its file the first begins.

    Of the rejected lines, the last `keep_rejected` are kept. `row_of` makes a row of a line, or raises MessageError;
    if it `reads_at_once`, that one is only asked for lines that are not our producer's.
    Raises Stopped and nothing else, whatever the bytes are.
    """
    judged = _Judged(keep_rejected)
    count = 0
    for part in _parts(data):
        lines = _with_own_rows(part, limits, processed_at) if reads_at_once else _lines(part)
        for begin in range(0, len(lines), _LINES_AT_ONCE):
            if is_stopped():
                raise Stopped
            judged.add(lines[begin : begin + _LINES_AT_ONCE], count + begin, row_of, limits, processed_at)
        count += len(lines)
    rejected = _rejected(data, offset, count, judged.faults)
    return Batch(judged.rows, rejected, judged.rejected_lines, judged.blank_lines, count)


class _Judged:
    """What has become of a chunk's lines so far; of the rejected ones, the last `keep_rejected` are kept."""

    def __init__(self, keep_rejected: int) -> None:
        self.rows: list[Row] = []
        self.rejected_lines = 0
        self.blank_lines = 0
        self._keep_rejected = keep_rejected
        self._kept: deque[tuple[int, Iterable[_Fault]]] = deque()
        """How many lines of each part were rejected, and which."""
        self._kept_lines = 0
        self._reasons: dict[_Line, str] = {}
        """Of short lines."""

    @property
    def faults(self) -> list[_Fault]:
        """The last `keep_rejected`, in order; to be asked for once."""
        return [fault for _, faults in self._kept for fault in faults][-self._keep_rejected :]

    def add(self, lines: Sequence[_Line], begin: int, row_of: RowOf, limits: Limits, at: Timestamp) -> None:
        """Judge lines, numbered from `begin` on."""
        if _are_rows(lines):
            self.rows += lines
        else:
            self._add_each(lines, begin, row_of, limits, at)

    def _add_each(self, lines: Sequence[_Line], begin: int, row_of: RowOf, limits: Limits, at: Timestamp) -> None:
        reasons, faults = self._reasons, list[_Fault]()
        if lines[0] in reasons and lines[-1] in reasons and None not in (known := [*map(reasons.get, lines)]):
            self._add_known(known, begin)
            return
        if len(reasons) > _KEPT_REASONS:
            reasons.clear()
        for number, line in enumerate(lines, begin):
            if isinstance(line, tuple):
                self.rows.append(line)
                continue
            reason = self._add_line(line, row_of, limits, at)
            if reason == _BLANK:
                self.blank_lines += 1
            elif reason is not None:
                faults.append((number, reason))
        self._keep(len(faults), faults)

    def _add_line(self, line: str | bytes, row_of: RowOf, limits: Limits, at: Timestamp) -> str | None:
        """Add the row of a line; return the reason if there is none."""
        reason = self._reasons.get(line) if len(line) <= _SHORT_LINE_LENGTH else None
        if reason is None:
            try:
                self.rows.append(row_of(line, limits, at))
            except MessageError as error:
                reason = self._reasons[line] = _BLANK if is_blank(line) else str(error)
        return reason

    def _add_known(self, reasons: Sequence[str | None], begin: int) -> None:
        """Add lines that are the same as others before, without a look at each: there may be millions."""
        blank_lines = reasons.count(_BLANK)
        self.blank_lines += blank_lines
        faults = ((number, reason) for number, reason in enumerate(reasons, begin) if reason)
        self._keep(len(reasons) - blank_lines, faults)

    def _keep(self, count: int, faults: Iterable[_Fault]) -> None:
        """Keep a part's rejected lines, and let those parts go that are before the last `keep_rejected` ones."""
        self.rejected_lines += count
        self._kept.append((count, faults))
        self._kept_lines += count
        while self._kept_lines - self._kept[0][0] >= self._keep_rejected:
            self._kept_lines -= self._kept.popleft()[0]


def reject_oversized(start: bytes, offset: int, length_bytes: int) -> Batch:
    """Return what becomes of one line that is too long to be read; only its start is known."""
    reason = f"line of {length_bytes:,} bytes; expected at most {len(start):,}"
    return Batch([], [RejectedLine(offset, shown_line(start), reason)], 1, 0, 1)


def shown_line(line: bytes) -> str:
    """Return the start of a line as text that can be stored and shown, whatever its bytes are."""
    return printable(line[:KEPT_LINE_BYTES].decode(errors="backslashreplace"))


def _parts(data: bytes) -> Iterator[bytes]:
    """Cut whole lines at some of the newlines."""
    begin = 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + _PART_BYTES) + 1 or data.index(b"\n", begin) + 1
        yield data[begin:end]
        begin = end


def _lines(data: bytes) -> Sequence[str | bytes]:
    """Cut at the newlines; text if all of it is UTF-8, else bytes, so that each line is judged alone."""
    try:
        return data.decode().split("\n")[:-1]
    except UnicodeDecodeError:
        return data.split(b"\n")[:-1]


def _are_rows(lines: Sequence[_Line]) -> TypeGuard[Sequence[Row]]:
    return set(map(type, lines)) == {tuple}


def _with_own_rows(part: bytes, limits: Limits, at: Timestamp) -> Sequence[_Line]:
    """Cut at the newlines, as `_lines` does, and make rows of our producer's lines."""
    if part.count(b"\n", 0, _LOOKED_INTO_BYTES) > _LOOKED_INTO_BYTES // _OWN_LINE_BYTES:
        return _lines(part)  # by the hundred thousand, what is found of each line would fill the memory
    try:
        rows = own_rows(part.decode(), limits, at)
    except UnicodeDecodeError:
        return _lines(part)
    if all(rows):
        return cast("list[Row]", rows)
    return [row or line for row, line in zip(rows, _lines(part), strict=True)]


def _rejected(data: bytes, offset: int, count: int, faults: Sequence[_Fault]) -> list[RejectedLine]:
    """Return the rejected lines of `data`, which holds `count` lines; only what follows the first of them is cut."""
    if not faults:
        return []
    first, _ = faults[0]
    before, *lines, _ = (b"\n" + data).rsplit(b"\n", count - first + 1)
    offsets = list(accumulate((len(line) + 1 for line in lines), initial=offset + len(before)))
    shown = lru_cache(_KEPT_REASONS)(shown_line)  # a broken feed repeats its lines
    made = tuple.__new__  # as the record's own way of being made does, which takes half as long again
    return [
        made(RejectedLine, (offsets[number - first], shown(lines[number - first]), reason))
        for number, reason in faults
    ]
