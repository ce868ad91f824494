"""What a file is: which stream stands in it, and how much of it, by nothing but its bytes.

Every stream has a head, its first KiB, and marks: ends of lines, each with a hash of the KiB before it. A file is
compared with the streams that begin as it does. If it holds the last mark of one, it is that stream, and what lies
behind is unread. If it ends earlier and is the same so far, it is a shorter copy of what was read, and nothing in
it is unread. If other bytes follow behind some mark, it is that stream cut back and written on, unless the whole
stream stands in another file: then it is a new stream, and so it is if no stream begins as it does.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from consumers.follow.marks import SAMPLE_BYTES, SPACING, digest, sample_range
from consumers.follow.open_file import OpenFile
from consumers.records import Mark, Stream

_SEARCHED_BYTES: Final = 64 * 1024 * 1024
"""So much of what lies behind a mark is searched for the end of a line, a part at a time."""
_SEARCHED_AT_ONCE_BYTES: Final = 256 * 1024
NO_STREAM: Final = 0
"""The id of no stream."""

_Key = tuple[str, bytes] | Mark


class Likeness(NamedTuple):
    """How far a file is the same as a stream."""

    stream: Stream
    agreed: int
    """The last mark up to which they are the same; 0 if there is none."""
    is_whole: bool
    """Whether the file holds all that was read of the stream."""
    is_other: bool
    """Whether what lies behind is known to be other bytes; if not, the file just ends."""


class Streams:
    """The streams that are known, to be found by the first line of a file, however many there are."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self._streams: dict[int, Stream] = {}
        self._ids: dict[_Key, list[int]] = defaultdict(list)
        self._headless_offsets: set[int] = set()
        self._last_id = NO_STREAM
        for stream in streams:
            self.put(stream)

    def __getitem__(self, stream_id: int) -> Stream:
        return self._streams[stream_id]

    def put(self, stream: Stream) -> None:
        """Know a stream as it is now."""
        before = self._streams.get(stream.stream_id)
        self._streams[stream.stream_id] = stream
        self._last_id = max(self._last_id, stream.stream_id)
        if before is not None and before.head == stream.head and before.head:
            return
        for key in () if before is None else _keys_of_stream(before):
            self._ids[key].remove(stream.stream_id)
        for key in _keys_of_stream(stream):
            self._ids[key].append(stream.stream_id)
            if isinstance(key, Mark):
                self._headless_offsets.add(key.offset)

    def begin(self, path: str, why_new: str) -> Stream:
        """Return a new stream, of which nothing is read; it is not known before it is put."""
        return Stream(self._last_id + 1, path, why_new, 0, 0, b"", ())

    def as_next(self, stream: Stream) -> Stream:
        """Return a stream that has no account yet with the number that it gets if it is the next to be put."""
        return stream._replace(stream_id=self._last_id + 1)

    def begun_with(self, head: bytes) -> list[Stream]:
        """Return the streams that may stand in a file, by its first KiB: those that have it, or begin with its line.

        Streams that share a first line and differ soon after, as files with a header do, are then told apart at once.
        """
        line = _first_line(head)
        keys: list[_Key] = [("any", line)] if len(head) < SAMPLE_BYTES else [("whole", head), ("short", line)]
        keys += [Mark(offset, digest(head[:offset])) for offset in self._headless_offsets if offset <= len(head)]
        return [self._streams[stream_id] for key in keys for stream_id in self._ids.get(key, ())]

    def offsets_outside(self, whole_ids: Collection[int]) -> Iterator[int]:
        """Return how far each stream was read that stands whole in no file that could be read."""
        return (stream.offset for stream_id, stream in self._streams.items() if stream_id not in whole_ids)

    def __len__(self) -> int:
        return len(self._streams)


def _first_line(head: bytes) -> bytes:
    return head[: head.find(b"\n") + 1] or head


def _keys_of_stream(stream: Stream) -> list[_Key]:
    """Return what a stream is found by: its first line, and its whole head if it has a KiB."""
    if not stream.head:
        return list(stream.marks[:1])  # of an old database: its first mark is the first KiB
    line = _first_line(stream.head)
    is_whole = len(stream.head) == SAMPLE_BYTES
    return [("any", line), ("whole", stream.head) if is_whole else ("short", line)]


def recognise(file: OpenFile, streams: Streams) -> Generator[None, None, Likeness | None]:
    """Return the stream that a file is most like, or None if no stream has its first line. Pauses in long work."""
    closest: Likeness | None = None
    head = file.read_at(0, SAMPLE_BYTES)
    digest_before = cache(file.digest_before)  # many streams may share their marks
    for stream in streams.begun_with(head):
        likeness = yield from _compare(file, head, digest_before, stream)
        if closest is None or _closeness(likeness) > _closeness(closest):
            closest = likeness
    return closest


def _closeness(likeness: Likeness) -> tuple[bool, int, bool, int]:
    return likeness.is_whole, likeness.agreed, not likeness.is_other, likeness.stream.stream_id


def _compare(
    file: OpenFile, head: bytes, digest_before: Callable[[int], bytes | None], stream: Stream
) -> Generator[None, None, Likeness]:
    has_head = stream.head.startswith(head[: len(stream.head)])
    yield from file.approach(stream.offset - SAMPLE_BYTES)
    if has_head and digest_before(stream.offset) == stream.marks[-1].digest:
        return Likeness(stream, stream.offset, is_whole=True, is_other=False)
    agreed = 0
    for mark in stream.marks:
        yield from file.approach(mark.offset - SAMPLE_BYTES)
        found = digest_before(mark.offset)
        if found is None:
            is_other = not has_head or _has_line_end_between(file, agreed, mark.offset)
            return Likeness(stream, agreed, is_whole=False, is_other=is_other)
        if found != mark.digest:
            break
        agreed = mark.offset
    return Likeness(stream, agreed, is_whole=False, is_other=True)


def _has_line_end_between(file: OpenFile, agreed: int, next_offset: int) -> bool:
    """Return whether a line ends between two neighbouring marks that are too far apart for more than one line."""
    gap = next_offset - agreed
    if gap <= max(agreed // SPACING, SAMPLE_BYTES if agreed == 0 else 0):
        return False
    if agreed and file.read_at(agreed - 1, 1) != b"\n":  # an old database has a mark that is no end of a line
        return False
    end = agreed + min(gap, _SEARCHED_BYTES)
    parts = range(agreed, end, _SEARCHED_AT_ONCE_BYTES)
    return any(b"\n" in file.read_at(begin, min(_SEARCHED_AT_ONCE_BYTES, end - begin)) for begin in parts)


def is_known(likeness: Likeness, whole_ids: Collection[int]) -> bool:
    """Return whether a file is the stream that it is like, rather than a new one that begins as that one did.

    `whole_ids`: the streams that stand whole in other files.
    """
    return likeness.is_whole or (likeness.agreed >= SAMPLE_BYTES and likeness.stream.stream_id not in whole_ids)


def going_on(
    file: OpenFile, likeness: Likeness | None, whole_ids: Collection[int], new: Stream, *, is_live: bool
) -> Stream | None:
    """Return the stream as which a file is to be read on, from its offset; None if nothing in it is unread.

    `whole_ids`: as in `is_known`. `new`: the stream that the file is if it is none yet.
    """
    if likeness is None:
        return new
    if likeness.is_whole:
        return likeness.stream
    is_cut = is_known(likeness, whole_ids)
    if not likeness.is_other and not (is_live and (is_cut or likeness.agreed < SAMPLE_BYTES)):
        return None
    return _cut(file, likeness, new) if is_cut else new


def _cut(file: OpenFile, likeness: Likeness, new: Stream) -> Stream:
    """Return the stream that begins where a file was cut back: at the last place where it still is what was read."""
    sample_begin, count = sample_range(likeness.agreed)
    sample = file.read_at(sample_begin, count)
    begin = sample_begin + sample.rfind(b"\n") + 1  # an old database has a mark that is no end of a line
    if begin <= sample_begin:
        return new
    sample_begin, count = sample_range(begin)
    mark = Mark(begin, digest(file.read_at(sample_begin, count)))
    kept = tuple(mark for mark in likeness.stream.marks if mark.offset < begin)
    head = file.read_at(0, min(begin, SAMPLE_BYTES))
    why_new = f"cut back: what was read as number {likeness.stream.stream_id} is the same for {begin:,} bytes"
    return new._replace(why_new=why_new, begin=begin, offset=begin, head=head, marks=(*kept, mark))
