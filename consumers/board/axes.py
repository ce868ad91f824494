"""What the axes of all panels have in common: title, labels, size, and how far they reach."""

from typing import Any, Final, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from consumers.board.palette import FONT_PT, PANEL_TITLE_PT, QUIET_INK

_SHRINK_AFTER_FRAMES: Final = 30


def frame(axes: Axes, title: str, x_label: str, y_label: str) -> Text:
    """Title a panel and name its axes; return the line of small text below the title."""
    axes.set(xlabel=x_label, ylabel=y_label)
    # At fixed places, because looking for one below the tick labels costs a tenth of each frame.
    width_pt, height_pt = size_pt(axes)
    axes.xaxis.set_label_coords(0.5, -24 / height_pt)
    axes.yaxis.set_label_coords(-32 / width_pt, 0.5)
    axes.tick_params(length=3)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(title, (0, 1), (-30, 38), fontsize=PANEL_TITLE_PT, weight="bold", **above)
    return axes.annotate("", (0, 1), (-30, 21), fontsize=FONT_PT, color=QUIET_INK, **above)


def size_pt(axes: Axes) -> tuple[float, float]:
    """Return the width and height of a panel in points, the unit of its letters."""
    width_in, height_in = axes.get_window_extent().transformed(inches(axes).inverted()).size
    return float(width_in) * 72, float(height_in) * 72


def inches(axes: Axes) -> Affine2D:
    """Return the transform from inches to pixels."""
    return cast("Figure", axes.get_figure(root=True)).dpi_scale_trans


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
