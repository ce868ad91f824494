"""An open file, read on as one stream: whole lines, each chunk proven to be of that stream."""

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from consumers.follow.marks import SAMPLE_BYTES, grown, grown_by_long_line, sample_range
from consumers.follow.open_file import OpenFile, Signature
from consumers.follow.streams import Streams, going_on, recognise
from consumers.records import Chunk, Stream

CHUNK_BYTES: Final = 1024 * 1024
"""A line that does not fit is too long to be a reading."""
CHUNKS_AT_ONCE: Final = 5
"""So many are read and committed at once where so much is unread: each machine is then saved less often."""
_SEARCHED_AT_ONCE_BYTES: Final = 16 * 1024 * 1024


class RewrittenError(Exception):
    """The bytes that were read are no longer in the file: it must be seen anew what it is."""


class _Search(NamedTuple):
    """How far the end of a line that is too long to be read was looked for."""

    begin: int
    """The offset of the line."""
    start: bytes
    """The line's first KiB: it is another line where that is another."""
    position: int
    sample: bytes
    """The KiB before the position."""


class Reader:
    """Reads one open file as one stream, which may turn out to be another one where the file is rewritten."""

    def __init__(self, file: OpenFile, streams: Streams, path: str, read_s: float = 0.0) -> None:
        self.file = file
        self.read_s = read_s
        """When lines were read last."""
        self.has_account = False
        """Whether the stream that is read has one in the database."""
        self._streams = streams
        self._path = path
        self._stream: Stream | None = None
        self._search: _Search | None = None
        self._settled_as: Signature | None = None

    @property
    def stream(self) -> Stream | None:
        """The stream that is read, as the database has it or would have it; None while it is not settled."""
        if self._stream is None:
            return None
        return self._streams[self._stream.stream_id] if self.has_account else self._streams.as_next(self._stream)

    @property
    def is_settled(self) -> bool:
        """Whether it is known what is read: until a stream has its account, only while a long line is searched."""
        return self.has_account or self._search is not None

    def settle(self, whole_ids: Collection[int], why_new: str, *, is_live: bool) -> Iterator[None]:
        """See by the bytes as which stream the file is read on, pausing where that takes long. Raises OSError.

        `whole_ids`: the streams that stand whole in other files.
        """
        self._settled_as = self.file.signature()
        likeness = yield from recognise(self.file, self._streams)
        new = self._streams.begin(self._path, why_new)
        self._stream = going_on(self.file, likeness, whole_ids, new, is_live=is_live)
        self.has_account = self._stream is not None and self._stream.stream_id != new.stream_id
        self._search = None

    def has_changed(self) -> bool:
        """Return whether the file is not as it was when it was seen last what it is."""
        return self.file.signature() != self._settled_as

    def read(self) -> Chunk | None:
        """Read on from the stream's offset; None if no whole line is there yet, or nothing that is unread.

        Raises RewrittenError, and OSError.
        """
        stream = self.stream
        if stream is None:
            return None
        try:
            # Of a packed file no more than can be gone back to without unpacking it anew.
            data = self.file.read_at(stream.offset, CHUNK_BYTES * (1 if self.file.is_packed else CHUNKS_AT_ONCE))
            chunk = self._chunk(stream, data)
            # Looked at after the read: what was read before a rewrite is then known to be of this stream.
            self._check_that_it_holds(stream)
        except RewrittenError:
            self._stream, self.has_account, self._search, self._settled_as = None, False, None, None
            raise
        return chunk

    def advance(self, stream: Stream) -> None:
        """Go on behind what is safe in the database by now."""
        self._streams.put(stream)
        self._stream, self.has_account, self._search = stream, True, None

    def unread_bytes(self) -> int:
        """Return how much lies behind what was read, half lines included; 0 if that cannot be seen just now."""
        stream = self.stream
        try:
            return 0 if stream is None else max(0, self.file.status().st_size - stream.offset)
        except OSError:
            return 0

    def _chunk(self, stream: Stream, data: bytes) -> Chunk | None:
        if self._search is not None and self._search.start != data[:SAMPLE_BYTES]:
            raise RewrittenError
        if end := _end_of_lines(data):
            sample = self.file.read_at(*sample_range(stream.offset))
            lines = data[:end]
            return Chunk(stream, grown(self._growing(stream), sample, lines), lines)
        return self._look_for_end(stream, data[:CHUNK_BYTES]) if len(data) >= CHUNK_BYTES else None

    def _check_that_it_holds(self, stream: Stream) -> None:
        if self.file.is_packed or stream.offset == 0:  # nobody writes into a packed file
            return
        if self.file.read_at(0, len(stream.head)) != stream.head or not self.file.holds(stream.marks[-1]):
            raise RewrittenError

    def _growing(self, stream: Stream) -> Stream:
        """Return a stream under this path, and with the head that a stream of an old database lacks."""
        has_head = stream.head or stream.offset == 0
        head = stream.head if has_head else self.file.read_at(0, min(stream.offset, SAMPLE_BYTES))
        return stream._replace(path=self._path, head=head)

    def _look_for_end(self, stream: Stream, start: bytes) -> Chunk | None:
        """Look for the end of a line that is longer than a chunk, holding no more of it than its start."""
        begin = _Search(stream.offset, start[:SAMPLE_BYTES], stream.offset + len(start), start[-SAMPLE_BYTES:])
        search = self._search or begin
        stop = search.position + _SEARCHED_AT_ONCE_BYTES
        while search.position < stop:
            block = self.file.read_at(search.position, CHUNK_BYTES)
            if not self._is_same_line(search):
                self._search = begin
                break
            if not block:
                return None
            end = block.find(b"\n") + 1
            sample = (search.sample + block[: end or None])[-SAMPLE_BYTES:]
            if end:
                after = grown_by_long_line(self._growing(stream), start, sample, search.position + end)
                return Chunk(stream, after, start, is_oversized=True)
            search = search._replace(position=search.position + len(block), sample=sample)
            self._search = search
        return Chunk(stream, stream, b"", is_oversized=True)

    def _is_same_line(self, search: _Search) -> bool:
        """Return whether a line is still the one that was searched so far."""
        if self.file.is_packed:  # nobody writes into it, and going back means to unpack it from the start
            return True
        sample_begin, count = sample_range(search.position)
        has_start = self.file.read_at(search.begin, SAMPLE_BYTES) == search.start
        return has_start and self.file.read_at(sample_begin, count) == search.sample


def _end_of_lines(data: bytes) -> int:
    """Return how far whole lines reach in `data`, up to the first one that is too long to be a reading."""
    end = 0
    while end < len(data):
        found = data.rfind(b"\n", end, end + CHUNK_BYTES) + 1
        if found == 0:
            break
        end = found
    return end
