"""The files beside the live one that are finished: removed, if that is wished, once they have been quiet for long."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from consumers.follow.candidates import Candidate, MovedError
from consumers.follow.open_file import PACKED_SUFFIXES, OpenFile, Signature
from consumers.follow.streams import Streams
from utils.text import printable

QUIET_S: Final = 3600.0
"""A finished file stays for so long after it was first seen as it is: late lines may come, and what the database was
told is safe on its disk by then."""
_NO_MOMENT: Final = "1000000000"
"""A moment in a name, so that a file of that name counts as rotated; no tool made files that are still there then."""

_Kept = tuple[int, int, int, int]
"""Of a signature, what a renaming does not change."""


class Finished(NamedTuple):
    """A file in which a stream stands whole, with nothing unread."""

    candidate: Candidate
    its: Signature
    stream_id: int


class Removal:
    """Removes finished files and says so; `monotonic` returns seconds."""

    def __init__(
        self, path: Path, streams: Streams, say: Callable[[str], None], monotonic: Callable[[], float]
    ) -> None:
        self._path = path
        self._streams = streams
        self._say = say
        self._monotonic = monotonic
        self._seen_s: dict[_Kept, float] = {}
        self._refused: set[_Kept] = set()

    def steps(self, finished: Iterable[Finished]) -> Iterator[None]:
        """Remove what was finished at every look for long enough, pausing in the midst of longer work."""
        now_s, before = self._monotonic(), self._seen_s
        found = {file.its[:4]: file for file in finished if file.candidate.inode != 0}  # a link is not the file
        self._seen_s = {kept: before.get(kept, now_s) for kept in found}
        for kept, file in found.items():
            if now_s - self._seen_s[kept] >= QUIET_S and kept not in self._refused:
                try:
                    yield from self._remove(file)
                except MovedError:
                    continue  # it is found again under its new name
                except OSError as error:
                    self._refused.add(kept)
                    name = printable(file.candidate.path.name)
                    self._say(f"cannot remove {name}, which is finished: {error.strerror}; it stays")

    def _remove(self, finished: Finished) -> Iterator[None]:
        path, stream = finished.candidate.path, self._streams[finished.stream_id]
        with closing(finished.candidate.open()) as file:
            yield from file.approach(stream.offset)
            if not self._is_finished(file, finished):
                return
        # Another file may be renamed to this name at any moment. So it is given a name that no other file will get,
        # and looked at under that name; a file that is not the one stays there, and is a rotated file as before.
        aside = self._aside(path, finished.its)
        if os.path.lexists(aside):
            return
        path.replace(aside)
        status = aside.stat()
        if (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) == finished.its[:4]:
            aside.unlink()
            self._say(f"removed {printable(path.name)}: all of it is in the database")

    def _aside(self, path: Path, its: Signature) -> Path:
        """Return a name beside a file that counts as that of a rotated one, and that no tool gives."""
        live_name = self._path.name if path.parent == self._path.parent else Path(os.path.realpath(self._path)).name
        packed = path.suffix if path.suffix in PACKED_SUFFIXES else ""
        return path.with_name(f"{live_name}-{_NO_MOMENT}.{its[1]}.{its[3]}{packed}")

    def _is_finished(self, file: OpenFile, finished: Finished) -> bool:
        """Return whether nothing of a file is unread, as its bytes show once more, and it is not the live one."""
        stream = self._streams[finished.stream_id]
        try:
            is_live = file.is_same_file(self._path.stat())
        except FileNotFoundError:
            is_live = False
        is_whole = file.signature()[:4] == finished.its[:4] and file.holds(stream.marks[-1])
        return bool(is_whole and not is_live and not file.read_at(stream.offset, 1) and not file.is_torn)
