"""Whether there is room on a disk."""

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

_PROBE_BYTES: Final = 1024 * 1024
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def has_no_room(folder: Path) -> bool:
    """Return whether the disk is full, or a quota used up, which only an attempt to write can show."""
    try:
        with TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in _NO_ROOM
    return False
