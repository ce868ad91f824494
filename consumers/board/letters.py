"""Which characters the picture can show, and how many of them fit into a place."""

from functools import lru_cache
from typing import Any, Final

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags

from consumers.board.palette import FONT_FAMILY

_MEASURED_PT: Final = 100
_UNITS: Final = 65_536


def drawable(text: str) -> str:
    """Return the text with characters escaped that the font lacks: matplotlib would warn of them at every frame."""
    font = get_font(findfont(FontProperties(family=FONT_FAMILY)))
    return "".join(c if font.get_char_index(ord(c)) else ascii(c)[1:-1] for c in text)


def width_pt(text: str, size_pt: float, *, bold: bool = False) -> float:
    """Return how wide a text is, in points; no less than it is drawn."""
    return sum(_advance_em(character, bold) for character in text) * size_pt


def clipped(text: str, room_pt: float, size_pt: float, *, bold: bool = False) -> str:
    """Return as much of a text as fits into `room_pt`, with a sign where something is left out."""
    if width_pt(text, size_pt, bold=bold) <= room_pt:
        return text
    left_pt, kept = room_pt - width_pt("…", size_pt, bold=bold), 0
    while kept < len(text) and (left_pt := left_pt - width_pt(text[kept], size_pt, bold=bold)) >= 0:
        kept += 1
    return f"{text[:kept].rstrip()}…"


def in_lines(text: str, room_pt: float, size_pt: float, at_most: int) -> str:
    """Return a bold text in at most so many lines, cut between words; what finds no room is left out."""
    lines: list[str] = []
    rest = text
    while len(lines) < at_most - 1 and width_pt(rest, size_pt, bold=True) > room_pt:
        words = rest.split(" ")
        fitting = len(words)
        while fitting > 1 and width_pt(" ".join(words[:fitting]), size_pt, bold=True) > room_pt:
            fitting -= 1
        lines.append(" ".join(words[:fitting]))
        rest = " ".join(words[fitting:])
    return "\n".join([*lines, clipped(rest, room_pt, size_pt, bold=True)]).rstrip("\n")


@lru_cache(maxsize=2_000)
def _advance_em(character: str, bold: bool) -> float:  # noqa: FBT001 - what is remembered by
    weight = "bold" if bold else "normal"
    font = get_font(findfont(FontProperties(family=FONT_FAMILY, weight=weight)))
    font.set_size(_MEASURED_PT, 72)
    glyph: Any = font.load_char(ord(character), flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / _UNITS / _MEASURED_PT
