"""The segments: what rotation leaves of the live files of many plants, each closed and never written again."""

import glob
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

from consumers.follow.candidates import age_by_name, rotated_name
from consumers.follow.open_file import PACKED_SUFFIXES


class Segment(NamedTuple):
    """A rotated file that is closed."""

    plant: str
    """The name of its folder."""
    path: str
    """Without the suffix of a packed file: a file that is packed later is the same segment."""


class Found(NamedTuple):
    """What lies in the plants' folders."""

    segments: list[Segment]
    """The closed ones, in the order of plants and names."""
    numbered: list[Path]
    """Files that are not read, as their next rotation renames them: nothing but the name tells a segment."""


def find_segments(live_files: Path, settle_s: float, now_s: float) -> Found:
    """Return the segments beside the live files, which a glob names; those that were written lately come later.

    The live files themselves are never among them. `now_s`: seconds since 1970. Raises OSError.
    """
    pattern = rotated_name(Path(live_files.name))
    segments, numbered = set[Segment](), set[Path]()
    for folder in sorted(glob.glob(str(live_files.parent))):  # noqa: PTH207 - Path.glob refuses absolute patterns
        for entry in _files_in(folder):
            if pattern.fullmatch(entry.name) is None:
                continue
            path = Path(os.path.realpath(folder)) / entry.name
            if not age_by_name(path)[0]:
                numbered.add(path)
            elif entry.stat().st_mtime + settle_s <= now_s:
                segments.add(Segment(path.parent.name, unpacked_name(str(path))))
    return Found(sorted(segments), sorted(numbered))


def unpacked_name(path: str) -> str:
    """Return a path without the suffix of a packed file."""
    for suffix in PACKED_SUFFIXES:
        path = path.removesuffix(suffix)
    return path


def file_of(segment: str) -> Path:
    """Return the file that a segment is in just now: while it is packed there are two, and only the plain is whole.

    Raises FileNotFoundError.
    """
    for path in (segment, *(segment + suffix for suffix in PACKED_SUFFIXES)):
        if os.path.exists(path):  # noqa: PTH110 - it is text
            return Path(path)
    raise FileNotFoundError(segment)


def _files_in(folder: str) -> Iterator[os.DirEntry[str]]:
    if os.path.isdir(folder):  # noqa: PTH112 - it is text
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if entry.is_file())


_UNSEEN: Final = "."
"""Spark does not read files whose names begin so."""


class Catalog:
    """A folder with a small file for each segment, written once: the stream that Spark reads.

    A file is named after its segment, so that a segment that is found again is the same file: Spark's checkpoint
    holds which of them were read. A file appears whole or not at all.
    """

    def __init__(self, folder: Path, known: set[str]) -> None:
        self._folder = folder
        self._known = known

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the catalog in a folder, which is made if need be. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, {path.name for path in folder.iterdir()})

    def add(self, segments: list[Segment]) -> int:
        """Add the segments that are new; returns how many. Raises OSError."""
        added = 0
        for segment in segments:
            name = hashlib.blake2b(os.fsencode(segment.path), digest_size=16).hexdigest() + ".json"
            if name not in self._known:
                self._write(name, json.dumps(segment._asdict()))
                self._known.add(name)
                added += 1
        return added

    def _write(self, name: str, text: str) -> None:
        unfinished = self._folder / (_UNSEEN + name)
        with unfinished.open("w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / name)
