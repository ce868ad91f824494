"""Which rotated files are finished, and may be deleted if the user wishes so (DELETE_FINISHED_FILES)."""

from pathlib import Path
from typing import Final, NamedTuple

QUIET_S: Final = 3600.0
"""A file that has changed less long ago may still get late lines from a program that has it open."""


class FileState(NamedTuple):
    """A rotated file as it was found on the disk."""

    path: Path
    device: int
    inode: int
    size_bytes: int
    changed_ns: int
    """When it was changed last, since 1970."""


def state_of(path: Path) -> FileState:
    """Return a file's state; of a link, the link's own. Raises OSError."""
    status = path.lstat()
    return FileState(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def is_finished(state: FileState, end_bytes: int, accounted_bytes: int, now_s: float) -> bool:
    """Return whether nothing is unread in a file, and nothing more is to be expected in it.

    `end_bytes` is how much it holds (of a packed file: unpacked), `accounted_bytes` how much of that is accounted for
    in the database. A file without an account, or without content, is not finished: nobody knows what it is.
    """
    is_quiet = now_s - state.changed_ns / 1e9 >= QUIET_S
    return 0 < end_bytes == accounted_bytes and is_quiet


def delete_finished(state: FileState) -> bool:
    """Delete a finished file; return False if it is not the same file in the same state any more.

    Raises OSError, FileNotFoundError if it is gone already.
    """
    if state_of(state.path) != state:
        return False
    state.path.unlink()
    return True
