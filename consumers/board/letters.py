"""Which characters the picture can show."""

from matplotlib.font_manager import FontProperties, findfont, get_font

from consumers.board.palette import FONT_FAMILY


def drawable(text: str) -> str:
    """Return the text with characters escaped that the font lacks: matplotlib would warn of them at every frame."""
    font = get_font(findfont(FontProperties(family=FONT_FAMILY)))
    return "".join(c if font.get_char_index(ord(c)) else ascii(c)[1:-1] for c in text)
