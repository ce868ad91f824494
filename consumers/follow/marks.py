"""The marks by which a stream is known again: made as it grows, thinned out as they fall behind.

A mark is the end of a line and a hash of the KiB before it. Neighbouring marks are no further apart than an eighth of
the way to the nearer of the stream's beginning and its offset, or one line. So there are few of them, however long
the stream, and wherever a copy ends or other bytes begin, one is near.
"""

import hashlib
from typing import Final

from consumers.records import Mark, Stream

SAMPLE_BYTES: Final = 1024
SPACING: Final = 8


def digest(sample: bytes) -> bytes:
    """Return the hash of what stands before a mark, its last KiB."""
    return hashlib.blake2b(sample[-SAMPLE_BYTES:], digest_size=16).digest()


def sample_range(offset: int) -> tuple[int, int]:
    """Return where the KiB before an offset begins, and how long it is."""
    count = min(offset, SAMPLE_BYTES)
    return offset - count, count


def grown(stream: Stream, sample: bytes, lines: bytes) -> Stream:
    """Return a stream with whole lines read behind its offset; `sample` is the KiB before the offset."""
    new = []
    for end in _wanted_ends(lines, stream.offset):
        sampled = lines[end - SAMPLE_BYTES : end] if end >= SAMPLE_BYTES else sample + lines[:end]
        new.append(Mark(stream.offset + end, digest(sampled)))
    return stream._replace(
        offset=stream.offset + len(lines),
        head=stream.head + lines[: SAMPLE_BYTES - len(stream.head)],
        marks=thinned((*stream.marks, *new)),
    )


def grown_by_long_line(stream: Stream, start: bytes, sample: bytes, offset: int) -> Stream:
    """Return a stream as it is behind a line that is too long to be read; `sample`: the KiB before its new offset."""
    head = stream.head + start[: SAMPLE_BYTES - len(stream.head)]
    return stream._replace(offset=offset, head=head, marks=thinned((*stream.marks, Mark(offset, digest(sample)))))


def thinned(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """Return the marks that are needed, the last one among them."""
    kept: list[Mark] = []
    last_offset = marks[-1].offset
    for mark, older in zip(marks[:0:-1], marks[-2::-1], strict=True):
        if not kept or kept[-1].offset - older.offset > _gap(older.offset, last_offset):
            kept.append(mark)
    return (marks[0], *reversed(kept))


def _gap(offset: int, last_offset: int) -> int:
    return min(offset, last_offset - offset) // SPACING


def _wanted_ends(lines: bytes, begin: int) -> list[int]:
    """Return the ends of lines, rising, at which there should be marks; `begin` bytes lie before the lines."""
    last = end = len(lines)
    ends = []
    while end > 0:
        ends.append(end)
        # By the nearer end of the gap, which makes it a little smaller than it need be.
        target = end - min(last - end, (begin + end) * SPACING // (SPACING + 1)) // SPACING
        if target <= 0:
            break
        end = lines.find(b"\n", target - 1, end - 1) + 1 or lines.rfind(b"\n", 0, end - 1) + 1
    return ends[::-1]
