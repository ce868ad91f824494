"""The files beside the live one that may hold its streams: found by their names, put in order."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from consumers.follow.open_file import PACKED_SUFFIXES, OpenFile, Signature, open_candidate, signature
from utils.message import MessageError, from_line

_LISTING_TRIES: Final = 20
_MOMENT: Final = r"(?=20\d\d\D?[01]\d\D?[0-3]\d|[0-3]\d\D[01]\d\D20\d\d|\d{10})\d[\dTZ.:_-]*"
"""Begins with a day, or is in seconds since 1970: the 2-20261122 of `a-2-20261122.json` is no moment, but names the
live file `a-2.json`."""

_SET_ASIDE: Final = r"\d{10}\.backup"
"""So logrotate names a file that a service has made between its renaming and creating."""


class MovedError(Exception):
    """The files were renamed since they were listed: the name belongs to another one, or to none."""


class Candidate(NamedTuple):
    """A file with a rotated file's name."""

    path: Path
    inode: int
    """As it was listed; 0 where the name is a link."""

    def signature(self) -> Signature:
        """Return what changes when the file changes. Raises MovedError and OSError."""
        with self._moved_errors():
            status = os.stat(self.path)  # noqa: PTH116 - of thousands, and Path costs as much again
        self._check(status)
        return signature(status, is_packed=self.path.suffix in PACKED_SUFFIXES)

    def open(self) -> OpenFile:
        """Open it. Raises MovedError and OSError."""
        with self._moved_errors():
            file = open_candidate(self.path)
        try:
            self._check(file.status())
        except MovedError:
            file.close()
            raise
        return file

    def _check(self, status: os.stat_result) -> None:
        if self.inode not in (0, status.st_ino):
            raise MovedError

    @contextmanager
    def _moved_errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            if self.inode == 0:  # a link to nowhere
                raise
            raise MovedError from None


def candidates_of(path: Path) -> list[Candidate]:
    """Return the files that may hold what the live file held; beside a link, and beside the link's target too.

    Raises OSError.
    """
    live_paths = dict.fromkeys((path, Path(os.path.realpath(path))))
    return [candidate for live_path in live_paths for candidate in _beside(live_path) if candidate.path != path]


def _beside(live_path: Path) -> list[Candidate]:
    """List until two listings are the same: what is renamed meanwhile may be missing in one."""
    pattern = rotated_name(live_path)
    found, found_before = _listed(live_path.parent, pattern), None
    for _ in range(_LISTING_TRIES):
        if found == found_before:
            break
        found, found_before = _listed(live_path.parent, pattern), found
    return sorted(found)


def _listed(folder: Path, pattern: re.Pattern[str]) -> set[Candidate]:
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as entries:
        named = [entry for entry in entries if pattern.fullmatch(entry.name)]
    found = set()
    for entry in named:
        with suppress(FileNotFoundError):  # renamed meanwhile: the next listing has its new name
            if entry.is_symlink():
                found.add(Candidate(folder / entry.name, 0))
            elif entry.is_file():
                found.add(Candidate(folder / entry.name, os.lstat(entry.path).st_ino))
    return found


def rotated_name(path: Path) -> re.Pattern[str]:
    """Return what matches the names that rotating tools make of a name.

    `a.json.1`, `a.json-20261122`, `a.json.old`, `a.1.json`, `a-20261122T091502Z.json`, `a.2026-11-22_09-15-02.json`,
    each of them packed or not. But not `a-2.json`, which may be another plant's live file; nor `a-2` beside `a`.
    """
    stem, suffix = re.escape(path.stem), re.escape(path.suffix)
    if suffix:
        plain = rf"{stem}{suffix}[._-](?:\d[\dTZ.:_-]*|old)|{stem}\.\d{{1,4}}{suffix}|{stem}[._-]{_MOMENT}{suffix}"
    else:
        plain = rf"{stem}\.\d{{1,4}}|{stem}[._-]{_MOMENT}|{stem}\.old"
    packed = "|".join(map(re.escape, PACKED_SUFFIXES))
    return re.compile(rf"(?:{plain})(?:{packed})?|{re.escape(path.name)}-{_SET_ASIDE}", re.ASCII)


def first_moment(head: bytes) -> str:
    """Return the time of the first reading in a file's first KiB; empty if there is none."""
    return next(_moments(head), "")


def _moments(head: bytes) -> Iterator[str]:
    for line in head.split(b"\n")[:-1]:
        try:
            yield from_line(line).timestamp
        except MessageError:
            continue


def age_by_name(path: Path) -> tuple[str, int, str]:
    """Return what sorts rotated files by their names, the oldest first: by moment, or by number."""
    moment = re.search(_MOMENT, path.name, re.ASCII)
    number = re.search(r"[._-](\d{1,4})(?=\.|\Z)", path.name, re.ASCII)  # a.json.2 is older than a.json.1
    return moment[0].rstrip(".") if moment else "", -int(number[1]) if number else 0, path.name
