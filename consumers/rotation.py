"""Where the lines of a live file went: files beside it that it was renamed or copied to."""

import os
import re
import stat
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from consumers.source_file import KnownSource, file_id, is_same_life


class EarlierFile(NamedTuple):
    """An open file beside the live one, with lines that were never read, or may still get some."""

    file: FileIO
    name: str
    size_bytes: int
    modified_ns: int
    known: KnownSource | None
    """The life that it goes on with; None where the file came and went unseen."""

    @property
    def is_read(self) -> bool:
        """Whether all that is in it was read already."""
        return self.known is not None and self.known.offset >= self.size_bytes


def find_earlier(
    path: Path, ended: Sequence[KnownSource], open_now: Sequence[KnownSource], since_ns: int | None
) -> list[EarlierFile]:
    """Find the files to be finished before the live file at `path` is read, oldest first, each open.

    `ended`: lives whose unread rest may be there, each known again by its bytes, under whatever name.
    `open_now`: lives that are being read where they are: neither they nor copies of them are taken.
    `since_ns`: a file with a rotated file's name, changed since then and of no known life, was the live file
    between two looks; None where no such file is to be taken.

    The newest of the ended lives is found even where it was read to its end: late lines may still come.

    Raises OSError.
    """
    lives = sorted((*ended, *open_now), key=lambda life: -life.source_id)
    taken = {life.source_id for life in open_now}
    busy_ids = {life.file_id for life in open_now}
    earlier = []
    with ExitStack() as undo:
        for path_beside, is_rotated_name in _beside(path, {life.file_id for life in ended}):
            # Of a life of which nothing was read there is only the inode to go by, which any file may have by now.
            provable = lives if is_rotated_name else [life for life in lives if life.offset > 0]
            found = _inspect(path_beside, provable, since_ns if is_rotated_name else None)
            if found is None:
                continue
            undo.callback(found.file.close)
            its_id = file_id(os.fstat(found.file.fileno()))
            if its_id in busy_ids or (found.known and found.known.source_id in taken):
                found.file.close()
                continue
            if found.known:
                taken.add(found.known.source_id)  # a second copy of the same life adds nothing
            earlier.append(found)
        undo.pop_all()
    return sorted(_without_all_but_newest_read(earlier), key=_age)


def _without_all_but_newest_read(earlier: list[EarlierFile]) -> list[EarlierFile]:
    read_ids = sorted(found.known.source_id for found in earlier if found.known is not None and found.is_read)
    kept = []
    for found in earlier:
        if found.known is not None and found.known.source_id in read_ids[:-1]:
            found.file.close()
        else:
            kept.append(found)
    return kept


def _beside(path: Path, known_ids: AbstractSet[str]) -> list[tuple[Path, bool]]:
    """List the files that are known by their inode, then those that only have a rotated file's name."""
    originals, copies = [], []
    for live_path in {path, Path(os.path.realpath(path))}:  # what a link names is rotated beside its target
        pattern = _rotated_name(live_path)
        for path_beside in live_path.parent.iterdir() if live_path.parent.is_dir() else ():
            is_rotated_name = pattern.fullmatch(path_beside.name) is not None
            its_id = _regular_file_id(path_beside)
            if path_beside == live_path or its_id is None:
                continue
            if its_id in known_ids:
                originals.append((path_beside, is_rotated_name))
            elif is_rotated_name:
                copies.append((path_beside, is_rotated_name))
    return originals + copies


def _regular_file_id(path: Path) -> str | None:
    try:
        status = path.stat()
    except FileNotFoundError:  # it has just gone
        return None
    return file_id(status) if stat.S_ISREG(status.st_mode) else None


def _rotated_name(path: Path) -> re.Pattern[str]:
    """Match what rotating tools make of a name: `a.json.1`, `a.json-20261122`, `a-20261122T091502Z.json`."""
    stem, suffix = re.escape(path.stem), re.escape(path.suffix)
    return re.compile(rf"{stem}{suffix}[.-]\d[\dTZ.:_-]*|{stem}[.-]\d{{8}}[\dTZ.:_-]*{suffix}", re.ASCII)


def _inspect(path: Path, lives: Sequence[KnownSource], since_ns: int | None) -> EarlierFile | None:
    """Open a file, and keep it open if it is a known life, or one that nobody saw."""
    try:
        file = FileIO(path)
    except PermissionError:
        if any(life.file_id == file_id(path.stat()) for life in lives):
            raise  # one of ours, to be waited for; anybody else's is none of our business
        return None
    status = os.fstat(file.fileno())
    life = next((life for life in lives if is_same_life(file, life)), None)
    if life is not None or (since_ns is not None and status.st_mtime_ns >= since_ns):
        return EarlierFile(file, path.name, status.st_size, status.st_mtime_ns, life)
    file.close()
    return None


def _age(earlier: EarlierFile) -> tuple[int, str, int, int, str]:
    """Sort begun files first, as they began; then by the time in the name; else by that of the last change.

    A rotated file keeps its name, but a late line may change it later than the file that came after it.
    """
    begun = earlier.known.source_id if earlier.known is not None and earlier.known.offset > 0 else 0
    moment = re.search(r"\d{8}[\dTZ.:_-]*", earlier.name, re.ASCII)
    number = re.search(r"\.(\d{1,4})\Z", earlier.name, re.ASCII)  # a.json.2 is older than a.json.1
    return (
        begun or 2**63,
        moment[0] if moment else "",
        0 if moment else earlier.modified_ns,
        -int(number[1]) if number else 0,
        earlier.name,
    )
