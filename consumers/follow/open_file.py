"""A file that is held open to be read at any place, plain or packed."""

import bz2
import errno
import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase, FileIO
from pathlib import Path
from typing import Final

from consumers.follow.marks import digest, sample_range
from consumers.records import Mark

_TORN: Final = (EOFError, OSError, zlib.error, lzma.LZMAError)
_UNPACKED_AT_ONCE_BYTES: Final = 8 * 1024 * 1024
_KEPT_BYTES: Final = 4 * 1024 * 1024
"""So much of what was unpacked last is kept: going back further means to unpack from the start."""
_CANNOT_SYNC: Final = frozenset({errno.EINVAL, errno.EROFS, errno.EBADF, errno.EACCES, errno.EPERM, errno.ENOTSUP})

Signature = tuple[int, int, int, int, int]
"""What changes when a file changes. It shows that a file is as it was, never what it is."""


class OpenFile:
    """A regular file, open to be read; where it is packed, its offsets are those of what is in it.

    Raises OSError, as its methods do.
    """

    def __init__(self, path: Path, unpack: Callable[[FileIO], BufferedIOBase] | None = None) -> None:
        self.path = path
        self.is_torn = False
        """Whether a packed file was found to end in its midst, or to be damaged: the rest of it cannot be had."""
        self._file = _opened(path)
        self._unpacked = None if unpack is None else unpack(self._file)
        self._kept_begin, self._kept = 0, b""

    @property
    def is_packed(self) -> bool:
        """Whether what is in it must be unpacked."""
        return self._unpacked is not None

    def status(self) -> os.stat_result:
        """Return what the operating system says of the file."""
        return os.fstat(self._file.fileno())

    def signature(self) -> Signature:
        """Return what changes when the file changes."""
        return signature(self.status(), is_packed=self.is_packed)

    @property
    def is_deleted(self) -> bool:
        """Whether no name leads to the file any more."""
        return self.status().st_nlink == 0

    def is_same_file(self, status: os.stat_result) -> bool:
        """Return whether a path with this status names the open file."""
        its = self.status()
        return (its.st_dev, its.st_ino) == (status.st_dev, status.st_ino)

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes from `offset` on: fewer where the file ends, or cannot be unpacked further."""
        if self._unpacked is None:
            self._file.seek(offset)  # and read, since Windows has no pread
            return self._file.read(count) or b""
        if not self._kept_begin <= offset <= self._kept_begin + len(self._kept):
            self._kept_begin, self._kept = offset, b""
        kept_end = self._kept_begin + len(self._kept)
        if offset + count > kept_end:
            self._kept += self._unpack(self._unpacked, kept_end, offset + count - kept_end)
        data = self._kept[offset - self._kept_begin :][:count]
        surplus = max(0, len(self._kept) - _KEPT_BYTES)
        self._kept_begin, self._kept = self._kept_begin + surplus, self._kept[surplus:]
        return data

    def holds(self, mark: Mark) -> bool | None:
        """Return whether the bytes before a mark are in the file; None if it ends before."""
        found = self.digest_before(mark.offset)
        return None if found is None else found == mark.digest

    def digest_before(self, offset: int) -> bytes | None:
        """Return the hash that a mark at an offset would have; None if the file ends before."""
        begin, count = sample_range(offset)
        sample = self.read_at(begin, count)
        return None if len(sample) < count else digest(sample)

    def approach(self, offset: int) -> Iterator[None]:
        """Unpack up to an offset, pausing now and then; a plain file need not be."""
        if self._unpacked is not None:
            for step in range(self._unpacked.tell(), offset, _UNPACKED_AT_ONCE_BYTES):
                if self.is_torn:
                    return
                self._unpack(self._unpacked, step, 0)
                yield

    def sync(self) -> None:
        """Make durable what is in the file, where the platform can; only then may anything rely on it."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _unpack(self, unpacked: BufferedIOBase, offset: int, count: int) -> bytes:
        parts = []
        try:
            unpacked.seek(offset)
            while count > 0 and (part := unpacked.read1(count)):
                parts.append(part)
                count -= len(part)
        except _TORN:
            self.is_torn = True
        return b"".join(parts)


def open_candidate(path: Path) -> OpenFile:
    """Open a file beside the live one, packed or not."""
    return OpenFile(path, _UNPACKERS.get(path.suffix))


def signature(status: os.stat_result, *, is_packed: bool) -> Signature:
    """Return what changes when a file changes. A packed one is not looked into again when it is only renamed."""
    changed_ns = 0 if is_packed else status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, changed_ns


def _opened(path: Path) -> FileIO:
    try:
        file = FileIO(path, opener=_open)
    except IsADirectoryError:
        raise OSError(errno.EINVAL, "it is no regular file", str(path)) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return file


def _open(path: str, flags: int) -> int:
    """Open without waiting for whoever should write to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _gunzip(file: FileIO) -> BufferedIOBase:
    return gzip.GzipFile(fileobj=file)


_UNPACKERS: Final[dict[str, Callable[[FileIO], BufferedIOBase]]] = {
    ".gz": _gunzip,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
"""How a file is unpacked, by the end of its name."""
PACKED_SUFFIXES: Final = tuple(_UNPACKERS)
