"""The live file: whole lines are appended under a lock that all producers share; a torn line is closed first."""

import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from loguru import logger

from utils.errors import PipelineError
from utils.text import shown

if sys.platform == "win32":
    import msvcrt

    # A lock on Windows keeps readers out too: this one is far behind the data, where nobody reads.
    _LOCKED_BYTE: Final = (1 << 40) + (1 << 30)

    def _try_lock(fd: int) -> bool:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


_OPEN_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_OPEN_FILES_KEEP_THEIR_NAME: Final = os.name == "nt"
"""Windows neither renames nor deletes an open file, even if this process opened it."""
_OPEN_TRIES: Final = 100
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_ROTATION_RETRY_S: Final = 10.0
_LOCK_RETRY_S: Final = 0.001
_LOCK_PATIENCE_S: Final = 5.0
"""Other producers hold the lock for milliseconds; whoever has it for longer than this is told."""


class LiveFileError(PipelineError):
    """The live file cannot be written."""


class StoppedError(PipelineError):
    """Someone asked to stop while another program held the lock; nothing was appended."""


class NoRoomError(LiveFileError):
    """There is no room for all of the lines; the file still holds whole lines only.

    `appended_bytes` of them are in the file; the rest can be appended again when there is room.
    """

    def __init__(self, message: str, appended_bytes: int) -> None:
        super().__init__(message)
        self.appended_bytes = appended_bytes


class LiveFile:
    """Appends lines to the file that `path` names; symbolic links are followed.

    A file of `max_bytes` or more (0: no limit) is renamed to `<stem>-<UTC time><suffix>`, and a new one is begun.
    `clock` returns seconds since 1970, for that name. The file is opened by `open`, or at the first line.
    `is_stopped` returns whether someone asked to stop: the lock is waited for until then.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._path = path
        self._shown = shown(path)
        self._max_bytes = max_bytes
        self._clock = clock
        self._is_stopped = is_stopped
        self._fd: int | None = None
        self._rotation_refused_at = -float("inf")

    def open(self) -> None:
        """Open the file, which is made if there is none.

        Raises NoRoomError if there is no room for one, LiveFileError if it cannot be used at all.
        """
        try:
            self._open()
        except OSError as error:
            raise self._error(error, 0) from error

    def append(self, lines: bytes) -> None:
        """Append whole lines, each ended by a newline, with one write.

        Raises NoRoomError if the disk or a quota is full, LiveFileError if the file cannot be used at all, and
        StoppedError.
        """
        try:
            fd = self._locked()
            try:
                if self._is_due(fd):
                    fd = self._rotated(fd)
                self._write(fd, lines)
            finally:
                self._release()
        except OSError as error:
            self.close()
            raise self._error(error, 0) from error

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def _locked(self) -> int:
        """Lock the file that the path names now, and return it; others may have renamed or deleted the one before."""
        for _ in range(_OPEN_TRIES):
            fd = self._fd if self._fd is not None else self._open()
            self._lock(fd)
            if self._is_named(fd):
                return fd
            self.close()  # this releases the lock too
        raise LiveFileError(
            f"the live file {self._shown} is another one each time it is opened; "
            "set LIVE_FILE (--file) to a path on an ordinary disk"
        )

    def _lock(self, fd: int) -> None:
        """Wait for the lock in short sleeps: an uninterrupted wait would be deaf to the wish to stop."""
        told_s = time.monotonic() + _LOCK_PATIENCE_S
        while not _try_lock(fd):
            if self._is_stopped():
                self.close()
                raise StoppedError(f"stopped while the live file {self._shown} was locked by another program")
            if time.monotonic() > told_s:
                logger.warning("the live file {} is locked by another program; waiting", self._shown)
                told_s = float("inf")
            time.sleep(_LOCK_RETRY_S)

    def _open(self) -> int:
        if self._path.exists() and not stat.S_ISREG(self._path.stat().st_mode):
            raise LiveFileError(f"the live file {self._shown} is no regular file; set LIVE_FILE (--file) to another")
        target = self._target()
        target.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(target, _OPEN_FLAGS, 0o666)
        return self._fd

    def _target(self) -> Path:
        return Path(os.path.realpath(self._path))

    def _is_named(self, fd: int) -> bool:
        if _OPEN_FILES_KEEP_THEIR_NAME:
            return True
        try:
            return os.path.samestat(self._path.stat(), os.fstat(fd))
        except FileNotFoundError:
            return False

    def _release(self) -> None:
        if self._fd is not None:
            _unlock(self._fd)

    def _is_due(self, fd: int) -> bool:
        return 0 < self._max_bytes <= os.fstat(fd).st_size and not (
            0 <= self._clock() - self._rotation_refused_at < _ROTATION_RETRY_S
        )

    def _rotated(self, fd: int) -> int:
        """Rename the full file, unless the OS refuses; return the file to write to, locked."""
        if not _ends_in_newline(fd):
            os.write(fd, b"\n")  # nobody closes a torn line later in a file that is complete
        target = self._target()
        rotated = self._unused_name(target)
        if _OPEN_FILES_KEEP_THEIR_NAME:
            self.close()
        try:
            target.rename(rotated)
        except OSError as error:
            self._rotation_refused_at = self._clock()
            logger.warning("cannot rename the full live file {}: {}; going on with it", self._shown, error.strerror)
        else:
            logger.info("live file rotated: {} is now {}", self._shown, shown(rotated.name))
        return self._locked_anew(fd)

    def _locked_anew(self, fd: int) -> int:
        # The renamed file stays locked until it is closed, so that no other producer writes to it.
        if self._fd is not None and self._is_named(fd):
            return fd
        self.close()
        return self._locked()

    def _unused_name(self, target: Path) -> Path:
        """Return a name that no file has, after the time now or a little later: `rename` would replace that file."""
        moment = datetime.fromtimestamp(self._clock(), UTC)
        while True:
            name = target.with_name(f"{target.stem}-{moment:%Y%m%dT%H%M%S.%fZ}{target.suffix}")
            if not os.path.lexists(name):
                return name
            moment += timedelta(microseconds=1)

    def _write(self, fd: int, lines: bytes) -> None:
        size = os.fstat(fd).st_size
        healing = b"\n" if size and not _ends_in_newline(fd) else b""
        try:
            written = os.write(fd, healing + lines)
        except OSError as error:
            os.ftruncate(fd, size)
            raise self._error(error, 0) from error
        if written < len(healing) + len(lines):
            self._cut_back(fd, size, healing, lines[: max(written - len(healing), 0)])

    def _cut_back(self, fd: int, size: int, healing: bytes, taken: bytes) -> None:
        """Remove the half line that a short write left; its whole lines stay, as they may have been read already."""
        whole_bytes = taken.rfind(b"\n") + 1
        os.ftruncate(fd, size + len(healing) + whole_bytes)
        raise self._error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), whole_bytes)

    def _error(self, error: OSError, appended_bytes: int) -> LiveFileError:
        where = f" ({shown(error.filename)})" if error.filename not in (None, str(self._target())) else ""
        found = f"cannot write the live file {self._shown}: {error.strerror or error}{where}"
        if error.errno in _NO_ROOM:
            return NoRoomError(f"{found}; make room, or set LIVE_FILE (--file) to another disk", appended_bytes)
        return LiveFileError(f"{found}; make it writable, or set LIVE_FILE (--file) to another path")


def _ends_in_newline(fd: int) -> bool:
    os.lseek(fd, -1, os.SEEK_END)
    return os.read(fd, 1) == b"\n"
