"""What can keep a file from being read, as values, so that nobody need look into a text for it."""

import os
from typing import NamedTuple

from utils.text import printable


class Missing(NamedTuple):
    """There is no file; one may come."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} is not there"


class Unreadable(NamedTuple):
    """There is a file, and it cannot be read."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"cannot read {self.path}: {self.why}"


Trouble = Missing | Unreadable


def unreadable(error: OSError, path: os.PathLike[str]) -> Unreadable:
    """Return the trouble that an error of the operating system stands for."""
    return Unreadable(printable(str(error.filename or path)), printable(error.strerror or str(error)))
