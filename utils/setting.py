"""How a setting is declared: a dataclass field with its default, its meaning, and the parser that reads its text.

A parser returns the value that a text stands for, or raises ValueError; the error's message says what is expected.
"""

import math
import os
from collections.abc import Callable
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

from utils.zone import parse_zone


def number(default: float, meaning: str, unit: str, low: float, high: float) -> Any:
    """Declare a number from `low` to `high`, with or without a fraction."""
    return _declared(
        default, meaning, partial(parse_number, low=low, high=high, unit=unit), unit=unit, low=low, high=high
    )


def whole_number(default: int | None, meaning: str, unit: str, low: int, high: int) -> Any:
    """Declare a whole number from `low` to `high`."""
    return _declared(
        default, meaning, partial(parse_whole_number, low=low, high=high, unit=unit), unit=unit, low=low, high=high
    )


def file(default: Path, meaning: str) -> Any:
    """Declare the path of a file."""
    return _declared(default, meaning, parse_file)


def folder(default: Path, meaning: str) -> Any:
    """Declare the path of a folder."""
    return _declared(default, meaning, parse_folder)


def choice(default: str, meaning: str, options: tuple[str, ...]) -> Any:
    """Declare one of several words in capitals, which may be written in any case."""
    return _declared(default, meaning, partial(parse_choice, options=options))


def zone(default: str, meaning: str) -> Any:
    """Declare the name of a time zone."""
    return _declared(default, meaning, parse_zone)


def parse_number(text: str, *, low: float, high: float, unit: str = "") -> float:
    """Return a number from `low` to `high`."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan  # which is in no range
    if not low <= value <= high:
        raise ValueError(f"a number {_range(low, high, unit)}")
    return value


def parse_whole_number(text: str, *, low: int, high: int, unit: str = "") -> int:
    """Return a whole number from `low` to `high`."""
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ValueError(f"a whole number {_range(low, high, unit)}")
    return value


def parse_file(text: str) -> Path:
    """Return the path of a file; `~` is the home folder."""
    path = _path(text, "the path of a file")
    if not path.name:
        raise ValueError("the path of a file")
    return path


def parse_folder(text: str) -> Path:
    """Return the path of a folder; `~` is the home folder."""
    return _path(text, "the path of a folder")


def parse_choice(text: str, *, options: tuple[str, ...]) -> str:
    """Return the one of `options` that is named, in any case."""
    word = text.upper()
    if word not in options:
        raise ValueError(f"one of {', '.join(options)}")
    return word


def _declared(default: object, meaning: str, parse: Callable[[str], object], **more: object) -> Any:
    return field(default=default, metadata={"meaning": meaning, "unit": "", "parse": parse, **more})


def _range(low: float, high: float, unit: str) -> str:
    return f"from {low:,} to {high:,} {unit}".rstrip()


def _path(text: str, expected: str) -> Path:
    if "\0" in text:
        raise ValueError(expected)
    try:
        return Path(_encodable(text)).expanduser()
    except UnicodeError:
        raise ValueError(expected) from None
    except RuntimeError:
        raise ValueError("a path; there is no such home folder") from None


def _encodable(text: str) -> str:
    """Return a path as this system can open it, even if the locale, such as C, has no letters like ä.

    `.env` is UTF-8 whatever the locale, and so are the names on disk: the bytes are what counts.
    """
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return os.fsdecode(text.encode(errors="surrogateescape"))
    return text
