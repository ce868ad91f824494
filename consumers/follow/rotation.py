"""Where the lines of a live file went: files beside it that it was renamed or copied to."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from consumers.follow.source_file import KnownSource, Lives, file_id

MOST_AT_ONCE: Final = 64
"""Files that are found, and then held open, at once: there may be more of them than a process may open."""
_LISTING_TRIES: Final = 100


class EarlierFile(NamedTuple):
    """A file beside the live one, with lines that were never read, or that may still get some."""

    path: Path
    file_id: str
    size_bytes: int
    modified_ns: int
    known: KnownSource | None
    """The life that it goes on with; None where the file came and went unseen."""

    @property
    def is_read(self) -> bool:
        """Whether all that is in it was read already."""
        return self.known is not None and self.known.offset >= self.size_bytes


class Siblings:
    """The files beside a live file, or beside the target of a link, that held its lines earlier."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._finished: dict[str, tuple[int, int]] = {}

    def note_finished(self, status: os.stat_result) -> None:
        """Leave a file alone for as long as it does not change."""
        self._finished[file_id(status)] = status.st_size, status.st_mtime_ns

    def find_earlier(
        self, ended: Sequence[KnownSource], open_now: Sequence[KnownSource], since_ns: int | None
    ) -> list[EarlierFile]:
        """Find the files to be finished before the live file is read, oldest first, `MOST_AT_ONCE` at the most.

        `ended`: lives whose unread rest may be there, each known again by its bytes, under whatever name.
        `open_now`: lives that are being read where they are: neither they nor copies of them are found.
        `since_ns`: a file with a rotated file's name, changed since then and of no known life, was the live file
        between two looks; None where no such file is to be taken.

        The newest of the ended lives is found even where it was read to its end: late lines may still come.

        Raises OSError.
        """
        lives = Lives((*ended, *open_now))
        taken = {life.source_id for life in open_now}
        busy_ids = {life.file_id for life in open_now}
        earlier: list[EarlierFile] = []
        for path, status, is_rotated_name in self._candidates(lives):
            if file_id(status) in busy_ids:
                continue
            found = _inspect(path, lives, since_ns if is_rotated_name else None, is_proof_needed=not is_rotated_name)
            if found is None or (found.known and found.known.source_id in taken):
                continue
            if found.known:
                taken.add(found.known.source_id)  # a second copy of the same life adds nothing
            earlier.append(found)
        return sorted(self._without_finished(earlier), key=_age)[:MOST_AT_ONCE]

    def _without_finished(self, earlier: list[EarlierFile]) -> list[EarlierFile]:
        read = [found for found in earlier if found.is_read]
        newest = max(read, key=lambda found: found.known.source_id if found.known else 0, default=None)
        for found in read:
            self._finished[found.file_id] = found.size_bytes, found.modified_ns
        return [found for found in earlier if not found.is_read or found is newest]

    def _candidates(self, lives: Lives) -> list[tuple[Path, os.stat_result, bool]]:
        """List the files that are known by their inode, then those that only have a rotated file's name."""
        for _ in range(_LISTING_TRIES):
            try:
                return sorted(self._listed(lives), key=lambda entry: not lives.of_file_id(file_id(entry[1])))
            except FileNotFoundError:  # renamed as it was listed, to a name that may have been passed already
                continue
        return []

    def _listed(self, lives: Lives) -> Iterator[tuple[Path, os.stat_result, bool]]:
        for live_path in {self._path, Path(os.path.realpath(self._path))}:  # a link's target is rotated beside itself
            pattern = _rotated_name(live_path)
            for path in live_path.parent.iterdir() if live_path.parent.is_dir() else ():
                is_rotated_name = pattern.fullmatch(path.name) is not None
                status = _status(path, is_rotated_name=is_rotated_name)
                if path == live_path or status is None or self._is_finished(status):
                    continue
                if is_rotated_name or lives.of_file_id(file_id(status)):
                    yield path, status, is_rotated_name

    def _is_finished(self, status: os.stat_result) -> bool:
        return self._finished.get(file_id(status)) == (status.st_size, status.st_mtime_ns)


def _status(path: Path, *, is_rotated_name: bool) -> os.stat_result | None:
    """Tell what a regular file is; None for anything else. FileNotFoundError: a rotated one has just gone."""
    try:
        status = path.stat()
    except FileNotFoundError:
        if is_rotated_name and not path.is_symlink():
            raise
        return None
    except OSError:  # a link in a circle, or into a folder that is closed to us: nothing of ours
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _rotated_name(path: Path) -> re.Pattern[str]:
    """Match what rotating tools make of a name.

    `a.json.1`, `a.json-20261122`, `a.json.old`, `a.1.json`, `a-20261122T091502Z.json`, `a.2026-11-22_09-15-02.json`.
    But not `a-2.json`, which may be another plant's live file.
    """
    stem, suffix = re.escape(path.stem), re.escape(path.suffix)
    moment = r"(?=(?:\D?\d){8})\d[\dTZ.:_-]*"
    return re.compile(
        rf"{stem}{suffix}[._-](?:\d[\dTZ.:_-]*|old)|{stem}\.\d{{1,4}}{suffix}|{stem}[._-]{moment}{suffix}", re.ASCII
    )


def _inspect(path: Path, lives: Lives, since_ns: int | None, *, is_proof_needed: bool) -> EarlierFile | None:
    """Look into a file, whether it is a known life, or one that nobody saw."""
    try:
        file = FileIO(path)
    except PermissionError:
        if lives.of_file_id(file_id(path.stat())):
            raise  # one of ours, to be waited for; anybody else's is none of our business
        return None
    with file:
        status = os.fstat(file.fileno())
        life = lives.match(file, is_proof_needed=is_proof_needed)
        if life is None and (since_ns is None or status.st_mtime_ns < since_ns):
            return None
        return EarlierFile(path, file_id(status), status.st_size, status.st_mtime_ns, life)


def _age(earlier: EarlierFile) -> tuple[int, str, int, int, str]:
    """Sort begun files first, as they began; then by the time in the name; else by that of the last change.

    A rotated file keeps its name, but a late line may change it later than the file that came after it.
    """
    name = earlier.path.name
    begun = earlier.known.source_id if earlier.known is not None and earlier.known.offset > 0 else 0
    moment = re.search(r"(?=(?:\D?\d){8})\d[\dTZ.:_-]*", name, re.ASCII)
    number = re.search(r"\.(\d{1,4})(?=\.|\Z)", name, re.ASCII)  # a.json.2 is older than a.json.1
    return (
        begun or 2**63,
        moment[0] if moment else "",
        0 if moment else earlier.modified_ns,
        -int(number[1]) if number else 0,
        name,
    )
