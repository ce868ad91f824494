"""One life of a followed file: held open, read so far, and known again by its bytes."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable
from io import FileIO
from typing import Final, NamedTuple, Self

CHUNK_BYTES: Final = 1024 * 1024
"""Read and committed at once; a line that does not fit is too long to be a reading."""
SAMPLE_BYTES: Final = 1024
NO_ACCOUNT: Final = 0
"""The `source_id` of a life that the database does not have."""
_SCANNED_BYTES_AT_ONCE: Final = 64 * 1024 * 1024


class Samples(NamedTuple):
    """Bytes that were read and must still be there: the first ones, and the ones just before the offset."""

    head: bytes = b""
    anchor: bytes = b""

    def after(self, data: bytes) -> Self:
        """Sample again once `data`, which follows, is read too."""
        head = self.head + data[: SAMPLE_BYTES - len(self.head)]
        return self._replace(head=head, anchor=(self.anchor + data[-SAMPLE_BYTES:])[-SAMPLE_BYTES:])

    def fingerprint(self) -> str:
        """Hash the samples, so that the file is known again after a restart."""
        return _hash(self.head) + _hash(self.anchor)


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


class KnownSource(NamedTuple):
    """A life of a file as the database remembers it."""

    source_id: int
    is_of_this_path: bool
    """Whether it was read under the path that is followed now."""
    file_id: str
    offset: int
    """Bytes read: the whole lines that are accounted for."""
    fingerprint: str
    seen_ns: int
    """Its time of modification when the path that is followed last named it; 0 where it never did."""


class Lives:
    """Known lives, to be found by a file that may be one of them, however many there are."""

    def __init__(self, lives: Iterable[KnownSource]) -> None:
        self._by_file_id: dict[str, list[KnownSource]] = defaultdict(list)
        self._by_head: dict[str, list[KnownSource]] = defaultdict(list)
        self._short: list[KnownSource] = []  # less was read of them than a head's length
        for life in lives:
            self._by_file_id[life.file_id].append(life)
            if life.offset < SAMPLE_BYTES:
                self._short.append(life)
            else:
                self._by_head[life.fingerprint[: len(_hash(b""))]].append(life)

    def of_file_id(self, its_id: str) -> list[KnownSource]:
        """List the lives of one inode."""
        return self._by_file_id.get(its_id, [])

    def match(self, file: FileIO, *, is_proof_needed: bool) -> KnownSource | None:
        """Find the newest life that a file is; only if none is proven by its bytes, one of which nothing was read."""
        head = self._by_head.get(_hash(read_at(file, 0, SAMPLE_BYTES)), [])
        lives = [*self.of_file_id(file_id(os.fstat(file.fileno()))), *head, *self._short]
        proven_and_newest_first = sorted(lives, key=lambda life: (life.offset == 0, -life.source_id))
        possible = (life for life in proven_and_newest_first if life.offset > 0 or not is_proof_needed)
        return next((life for life in possible if is_same_life(file, life)), None)


class RewrittenError(Exception):
    """The bytes that were read are no longer in the file: it begins a new life."""


class Chunk(NamedTuple):
    """Whole lines of a source file; or one line too long to be read, and then `data` is its start.

    Nothing but the search for the end of such a line has gone on where `end_offset` is `offset`.
    """

    source: "SourceFile"
    offset: int
    end_offset: int
    data: bytes
    end_samples: Samples
    is_oversized: bool = False

    @property
    def is_search(self) -> bool:
        """Whether there is nothing in it yet."""
        return self.end_offset == self.offset


class SourceFile:
    """An open file, read up to `offset`. The open handle also keeps its inode from being used again."""

    def __init__(self, file: FileIO, source_id: int, offset: int = 0, seen_ns: int = 0) -> None:
        self._file = file
        self._search: tuple[int, Samples] | None = None
        self.source_id = source_id
        self.offset = offset
        self.samples = samples_at(file, offset)
        self.file_id = file_id(os.fstat(file.fileno()))
        self.seen_ns = seen_ns

    def read(self) -> Chunk | None:
        """Read on from the offset; None where no whole line is there yet.

        Raises RewrittenError, and OSError.
        """
        chunk = self._next_chunk()
        # Looked at after the read: what was read before a rewrite is then known to be of this life.
        if samples_at(self._file, self.offset) != self.samples:
            raise RewrittenError
        return chunk

    def advance(self, chunk: Chunk) -> None:
        """Go on behind a chunk, which is safe in the database by now."""
        if chunk.end_offset > self.offset:
            self._search = None
        self.offset = chunk.end_offset
        self.samples = chunk.end_samples

    def begin_new_life(self, source_id: int) -> None:
        """Start from the first byte again, under another account."""
        self.source_id = source_id
        self.offset = 0
        self.samples = Samples()
        self._search = None

    def status(self) -> os.stat_result:
        """Tell what the file is now."""
        return os.fstat(self._file.fileno())

    def size_bytes(self) -> int:
        """Tell how large the file is now."""
        return self.status().st_size

    def as_known(self) -> KnownSource:
        """Describe it as the database does."""
        return KnownSource(
            self.source_id,
            is_of_this_path=True,
            file_id=self.file_id,
            offset=self.offset,
            fingerprint=self.samples.fingerprint(),
            seen_ns=self.seen_ns,
        )

    def unread_life(self) -> KnownSource:
        """Describe what the file holds now, of which nothing may have been read."""
        return unread_life(self._file)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _next_chunk(self) -> Chunk | None:
        data = read_at(self._file, self.offset, CHUNK_BYTES)
        end = data.rfind(b"\n") + 1
        if end:
            lines = data[:end]
            return Chunk(self, self.offset, self.offset + end, lines, self.samples.after(lines))
        return self._oversized(data) if len(data) == CHUNK_BYTES else None

    def _oversized(self, start: bytes) -> Chunk | None:
        """Look for the end of a line that is longer than a chunk, holding no more of it than its start."""
        position, samples = self._search or (self.offset + len(start), self.samples.after(start))
        stop = position + _SCANNED_BYTES_AT_ONCE
        while position < stop:
            block = read_at(self._file, position, CHUNK_BYTES)
            if not block:
                return None
            end = block.find(b"\n") + 1
            if end:
                return Chunk(self, self.offset, position + end, start, samples.after(block[:end]), is_oversized=True)
            position, samples = position + len(block), samples.after(block)
            self._search = position, samples
        return Chunk(self, self.offset, self.offset, b"", self.samples, is_oversized=True)


def file_id(status: os.stat_result) -> str:
    """Name a file by its device and inode, as text: Windows' numbers do not fit SQLite's integers."""
    return f"{status.st_dev}:{status.st_ino}"


def is_same_life(file: FileIO, known: KnownSource) -> bool:
    """Tell whether a file is a known life: it still holds the bytes that were read.

    The inode alone proves nothing, and a copy has another; but a copy under another path is another file.
    """
    status = os.fstat(file.fileno())
    is_same_file = file_id(status) == known.file_id
    if known.offset == 0 or status.st_size < known.offset:
        return known.offset == 0 and is_same_file
    is_candidate = is_same_file or known.is_of_this_path
    return is_candidate and samples_at(file, known.offset).fingerprint() == known.fingerprint


def unread_life(file: FileIO) -> KnownSource:
    """Describe a file that has no account yet by its first bytes, so that a copy of it is known as such."""
    status = os.fstat(file.fileno())
    count = min(status.st_size, SAMPLE_BYTES)
    fingerprint = samples_at(file, count).fingerprint()
    return KnownSource(
        NO_ACCOUNT,
        is_of_this_path=True,
        file_id=file_id(status),
        offset=count,
        fingerprint=fingerprint,
        seen_ns=0,
    )


def samples_at(file: FileIO, offset: int) -> Samples:
    """Sample a file as if it had been read up to `offset`."""
    count = min(offset, SAMPLE_BYTES)
    if count == 0:
        return Samples()
    return Samples(read_at(file, 0, count), read_at(file, offset - count, count))


def read_at(file: FileIO, offset: int, count: int) -> bytes:
    """Read up to `count` bytes. Seek and read, since Windows has no pread."""
    file.seek(offset)
    return file.read(count) or b""
