"""Where the parts of the picture stand: from the size of the figure, in inches, and so in any shape."""

from typing import Final, NamedTuple

BASE_SIZE_IN: Final = (15.0, 10.0)
"""The picture for which the sizes of letters are meant; on a portrait screen it stands upright."""
_LEAST_DPI: Final = 60.0
"""In a smaller window letters are not made smaller still: less stands in it."""
_MARGIN_IN: Final = 0.25
_GAP_IN: Final = 0.3
_HEADLINE_IN: Final = 1.8
_UPRIGHT_HEADLINE_IN: Final = 2.3


class Rect(NamedTuple):
    """A part of the picture, in inches from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Where it ends above."""
        return self.bottom + self.height

    def within(self, left: float, bottom: float, right: float, top: float) -> "Rect":
        """Return it without gutters of these widths, in points."""
        width = max(self.width - (left + right) / 72, 0.2)
        return Rect(
            self.left + left / 72, self.bottom + bottom / 72, width, max(self.height - (bottom + top) / 72, 0.2)
        )


class Layout(NamedTuple):
    """Where headline and panels stand, with all that belongs to them; none covers another."""

    headline: Rect
    trend: Rect
    scatter: Rect
    modes: Rect
    levels: Rect


def layout_of(width_in: float, height_in: float) -> Layout:
    """Return the layout of a figure: two columns, or one above the other where it is higher than wide."""
    left, right, top = _MARGIN_IN, width_in - _MARGIN_IN, height_in - 0.15
    headline_in = _UPRIGHT_HEADLINE_IN if width_in < height_in else _HEADLINE_IN
    headline = Rect(left, top - headline_in, right - left, headline_in)
    below = headline.bottom - 0.05
    if width_in < height_in:
        return _upright(headline, left, right, below)
    wide = 0.64 * (right - left - _GAP_IN)
    narrow_left = left + wide + _GAP_IN
    room = below - 0.1
    return Layout(
        headline,
        Rect(left, below - 0.54 * room, wide, 0.54 * room),
        Rect(left, 0.1, wide, 0.46 * room - 0.1),
        Rect(narrow_left, below - 0.47 * room, right - narrow_left, 0.47 * room),
        Rect(narrow_left, 0.1, right - narrow_left, 0.53 * room - 0.1),
    )


def _upright(headline: Rect, left: float, right: float, below: float) -> Layout:
    room = below - 0.1
    half = (right - left - _GAP_IN) / 2
    bars_in = 0.27 * room
    scatter_in = 0.33 * room
    return Layout(
        headline,
        Rect(left, 0.1 + bars_in + scatter_in, right - left, 0.4 * room),
        Rect(left, 0.1 + bars_in, right - left, scatter_in - 0.1),
        Rect(left, 0.1, half, bars_in - 0.1),
        Rect(left + half + _GAP_IN, 0.1, half, bars_in - 0.1),
    )


def fitted(width_px: float, height_px: float) -> tuple[float, float, float]:
    """Return dots an inch, width and height in inches for a window: letters as large as its shape allows."""
    longer, shorter = BASE_SIZE_IN
    base = (longer, shorter) if width_px >= height_px else (shorter, longer)
    dpi = max(min(width_px / base[0], height_px / base[1]), _LEAST_DPI)
    return dpi, width_px / dpi, height_px / dpi
