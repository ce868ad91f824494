"""Which characters the picture can show, and how many of them fit into a place."""

from typing import Final

from matplotlib.font_manager import FontProperties, findfont, get_font

from consumers.board.palette import FONT_FAMILY

_EM: Final = 0.61
_BOLD_EM: Final = 0.68


def drawable(text: str) -> str:
    """Return the text with characters escaped that the font lacks: matplotlib would warn of them at every frame."""
    font = get_font(findfont(FontProperties(family=FONT_FAMILY)))
    return "".join(c if font.get_char_index(ord(c)) else ascii(c)[1:-1] for c in text)


def width_pt(text: str, size_pt: float, *, bold: bool = False) -> float:
    """Return about how wide a text is, in points; rather too much than too little."""
    return len(text) * size_pt * (_BOLD_EM if bold else _EM)


def clipped(text: str, room_pt: float, size_pt: float, *, bold: bool = False) -> str:
    """Return as much of a text as fits into `room_pt`, with a sign where something is left out."""
    characters = int(room_pt / width_pt("m", size_pt, bold=bold))
    return text if len(text) <= characters else f"{text[: max(characters - 1, 0)].rstrip()}…"
