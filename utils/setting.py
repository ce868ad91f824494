"""How a setting is declared: a dataclass field with its default, its meaning, and the parser that reads its text.

A parser returns the value that a text stands for, or raises ValueError; the error's message says what is expected.
"""

import math
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any, Final

from utils.values import MODES, UNITS, Mode, Quantity, is_unit, mode_of
from utils.zone import parse_zone

_LOOKS_LIKE_A_UNIT: Final = re.compile(r"^°|/(?:s|sec|min|h)$|^[\W\d]*$")
"""What is more likely a unit of another quantity than the path to a field."""


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


def picture(default: Path, meaning: str) -> Any:
    """Declare the path of a picture."""
    return _declared(default, meaning, parse_picture)


def folder(default: Path, meaning: str) -> Any:
    """Declare the path of a folder."""
    return _declared(default, meaning, parse_folder)


def choice(default: str, meaning: str, options: tuple[str, ...]) -> Any:
    """Declare one of several words in capitals, which may be written in any case."""
    return _declared(default, meaning, partial(parse_choice, options=options))


def command(meaning: str) -> Any:
    """Declare a command with its arguments, written as in a shell; there is none by default."""
    return _declared(None, meaning, parse_command)


def text(default: str, meaning: str) -> Any:
    """Declare a text that may be anything printable."""
    return _declared(default, meaning, parse_text)


def unit(quantity: Quantity, meaning: str) -> Any:
    """Declare a unit of a quantity, or the dotted path to where it stands; the default is none."""
    return _declared("", meaning, partial(parse_unit, quantity=quantity))


def mode_aliases(meaning: str) -> Any:
    """Declare words for modes, such as `running=active, stopped=offline`; the default is none."""
    return _declared("", meaning, parse_mode_aliases)


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
        raise ValueError(f"a number {_range(low, high, unit)}{_with_dot(text)}")
    return value


def parse_whole_number(text: str, *, low: int, high: int, unit: str = "") -> int:
    """Return a whole number from `low` to `high`."""
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ValueError(f"a whole number {_range(low, high, unit)}{_with_dot(text)}")
    return value


def parse_file(text: str) -> Path:
    """Return the path of a file; `~` is the home folder."""
    path = _path(text, "the path of a file")
    if not path.name:
        raise ValueError("the path of a file")
    return path


def parse_picture(text: str) -> Path:
    """Return the path of a picture, which ends in .png; `~` is the home folder."""
    path = _path(text, "the path of a file that ends in .png")
    if path.suffix.lower() != ".png":  # a name that begins with its only dot has no suffix
        raise ValueError("the path of a file that ends in .png")
    return path


def parse_folder(text: str) -> Path:
    """Return the path of a folder; `~` is the home folder."""
    return _path(text, "the path of a folder")


def parse_command(text: str) -> tuple[str, ...]:
    """Return the words of a command line; quotes hold a word together."""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        raise ValueError("a command line with its quotes closed") from None


def parse_choice(text: str, *, options: tuple[str, ...]) -> str:
    """Return the one of `options` that is named, in any case."""
    word = text.upper()
    if word not in options:
        raise ValueError(f"one of {', '.join(options)}")
    return word


def parse_text(text: str) -> str:
    """Return a text without control characters."""
    if not text.isprintable():
        raise ValueError("printable characters")
    return text


def parse_unit(text: str, *, quantity: Quantity) -> str:
    """Return a unit that is known, or a dotted path, which does not look like a unit."""
    path = parse_text(text)
    if not is_unit(quantity, path) and _LOOKS_LIKE_A_UNIT.search(path):
        raise ValueError(f"a unit that is known ({', '.join(UNITS[quantity])}), or where it stands, a dotted path")
    return path


def parse_mode_aliases(text: str) -> str:
    """Return words for modes as they were written, if `modes_by_word` can read them."""
    modes_by_word(text)
    return text


def modes_by_word(text: str) -> dict[str, Mode]:
    """Return the mode of each word, the words in lower case. Raises ValueError if a pair is none."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    aliases = tuple((word.strip().lower(), mode_of(mode, {})) for word, _, mode in pairs)
    known = tuple((word, mode) for word, mode in aliases if word and mode is not None and mode_of(word, {}) is None)
    modes = dict(known)
    if len(modes) < len(aliases):
        raise ValueError(f"each word once, with its mode, such as running=active; modes: {', '.join(MODES)}")
    return modes


def _declared(default: object, meaning: str, parse: Callable[[str], object], **more: object) -> Any:
    return field(default=default, metadata={"meaning": meaning, "unit": "", "parse": parse, **more})


def _with_dot(text: str) -> str:
    return "; use a dot, not a comma" if re.fullmatch(r"\s*[-+]?\d*,\d+\s*", text) else ""


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
