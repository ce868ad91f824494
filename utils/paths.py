"""Paths that must not meet: the live file, the database and what it keeps beside it, logs and pictures."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from utils.errors import PipelineError
from utils.text import shown

_BESIDE_THE_DATABASE: Final = ("-wal", "-shm", "-journal", "-lock")
"""SQLite's own companions, and the consumer's lock."""


def require_separate(live_file: Path, database_file: Path) -> None:
    """Raise PipelineError if the live file is the database or a companion of it: lines would destroy the database.

    Another spelling, a symbolic link or a hard link is the same file.
    """
    advice = "set LIVE_FILE (--file) or DATABASE_FILE to another path"
    if _is_same(live_file, database_file):
        raise PipelineError(f"{shown(live_file)} cannot be both the live file and the database; {advice}")
    database = os.path.realpath(database_file)
    if any(_is_same(live_file, Path(f"{database}{ending}")) for ending in _BESIDE_THE_DATABASE):
        raise PipelineError(
            f"{shown(live_file)} cannot be the live file: the database {shown(database_file)} keeps it for itself; "
            f"{advice}"
        )


def require_not_written(written: Path, meaning: str, live_file: Path, database_file: Path) -> None:
    """Raise PipelineError if what a command writes is the live file or the database, under whatever name.

    `meaning`: what the written file is, and the setting that names it.
    """
    for kept, its_meaning in ((live_file, "live file"), (database_file, "database")):
        if _is_same(kept, written):
            raise PipelineError(f"{shown(kept)} cannot be both the {its_meaning} and {meaning} to another path")


def made_folders(folders: Iterable[Path]) -> list[Path]:
    """Make the folders that are not there, and return them. Whoever uses one that cannot be made will say so."""
    made = []
    for folder in folders:
        with suppress(OSError):
            if not folder.exists():
                folder.mkdir(parents=True)
                made.append(folder)
    return made


def _is_same(one: Path, other: Path) -> bool:
    if os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other)):
        return True
    with suppress(OSError):  # one of them is not there, or cannot be looked at
        return one.samefile(other)
    return False
