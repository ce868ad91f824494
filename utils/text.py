"""Text for people: safe for a terminal, short enough for a message, and quantities in words."""

from typing import Final

_SHOWN_CHARACTERS: Final = 200


def printable(text: str) -> str:
    """Return text from outside with every control or otherwise unprintable character escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shown(value: object) -> str:
    """Return a setting's value for a message: printable, at most 200 characters; a longer one loses its middle."""
    text = printable(str(value))
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    kept_at_the_end = _SHOWN_CHARACTERS // 2
    return f"{text[: _SHOWN_CHARACTERS - kept_at_the_end - 1]}…{text[-kept_at_the_end:]}"


def duration(seconds: float) -> str:
    """Return a time in whole numbers of the largest unit that fits: s, min, h or days."""
    for unit, size, last in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 172_800)):
        if seconds < last:
            return f"{max(0, int(seconds / size))} {unit}"
    return f"{int(seconds / 86_400):,} days"


def count(number: int, what: str) -> str:
    """Return a number with its noun, one or many."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
