"""What the axes of all panels have in common: title, span, place, and how far they reach."""

from typing import Any, Final, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from consumers.board.layout import Rect
from consumers.board.letters import clipped, width_pt
from consumers.board.palette import FONT_PT, PANEL_TITLE_PT, Theme

TITLE_ROOM_PT: Final = 30.0
_MOST_TICKS: Final = 16
_SHRINK_AFTER_FRAMES: Final = 30


class PanelTitle:
    """The line above a panel: its title, and beside it what it spans, as much of that as there is room for."""

    def __init__(self, figure: Figure, theme: Theme, title: str) -> None:
        style: Any = {"va": "top"}
        self._title = figure.text(0, 0, title, fontsize=PANEL_TITLE_PT, weight="bold", color=theme.ink, **style)
        self._span = figure.text(0, 0, "", fontsize=FONT_PT, color=theme.quiet_ink, **style)
        self._room_pt = 0.0

    def place(self, rect: Rect, figure: Figure) -> None:
        """Stand at the upper left of a panel's part of the picture."""
        title_pt = width_pt(self._title.get_text(), PANEL_TITLE_PT, bold=True) + 10
        self._room_pt = rect.width * 72 - title_pt
        self._title.set_position(fraction(figure, rect.left, rect.top))
        self._span.set_position(fraction(figure, rect.left + title_pt / 72, rect.top - 0.02))

    def say(self, *phrases: str) -> None:
        """Name what the panel spans, the most important first; the last phrases that find no room are left out."""
        said = [phrase for phrase in phrases if phrase]
        while len(said) > 1 and width_pt(", ".join(said), FONT_PT) > self._room_pt:
            said.pop()
        self._span.set_text(clipped(", ".join(said), self._room_pt, FONT_PT))


def fraction(figure: Figure, x_in: float, y_in: float) -> tuple[float, float]:
    """Return a place in inches as a share of the figure."""
    width_in, height_in = figure.get_size_inches()
    return x_in / float(width_in), y_in / float(height_in)


def place_axes(axes: Axes, rect: Rect) -> None:
    """Let axes fill a rectangle of the picture."""
    figure = cast("Figure", axes.get_figure(root=True))
    axes.set_position((*fraction(figure, rect.left, rect.bottom), *fraction(figure, rect.width, rect.height)))


def settle_axis(axis: Axis) -> None:
    """Make an axis cost the same at each frame: all ticks that it may need are there, and its label has its place.

    Without a place, it would look for one beside the labels of its ticks, each time that it is drawn.
    """
    axis.get_major_ticks(_MOST_TICKS)
    axis.set_label_coords(0, 0)


def size_pt(axes: Axes) -> tuple[float, float]:
    """Return the width and height of a panel in points, the unit of its letters."""
    figure = cast("Figure", axes.get_figure(root=True))
    width_in, height_in = axes.get_window_extent().transformed(figure.dpi_scale_trans.inverted()).size
    return float(width_in) * 72, float(height_in) * 72


class Reach:
    """How far an axis reaches: it grows at once, in whole steps, and shrinks only after many frames without need."""

    def __init__(self, low: float, high: float, step: float) -> None:
        self._base = self.shown = (low, high)
        self._step = step
        self._frames_with_less = 0

    def cover(self, low: float, high: float) -> tuple[float, float]:
        """Return limits of the axis that include `low`, `high`, and those it began with."""
        needed = (
            min(self._base[0], float(np.floor(low / self._step)) * self._step),
            max(self._base[1], float(np.ceil(high / self._step)) * self._step),
        )
        grown = min(self.shown[0], needed[0]), max(self.shown[1], needed[1])
        self._frames_with_less = 0 if needed == grown else self._frames_with_less + 1
        if self._frames_with_less > _SHRINK_AFTER_FRAMES:
            grown, self._frames_with_less = needed, 0
        self.shown = grown
        return grown
