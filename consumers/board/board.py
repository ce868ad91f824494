"""The dashboard: a headline and four panels, in a window or a file.

All artists are made once. An update sets their data, which costs far less than drawing everything anew.
"""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from consumers.board.bars import LevelPanel, ModePanel
from consumers.board.headline import Headline
from consumers.board.palette import BACKGROUND, FONT_FAMILY, FONT_PT, INK, PAPER, QUIET_INK, SPINE
from consumers.board.scatter import ScatterPanel
from consumers.board.snapshot import save_picture
from consumers.board.trend import TrendPanel
from consumers.machines.attendance import attendance
from consumers.machines.fleet import Fleet
from utils.efficiency import Limits

TITLE: Final = "Manufacturing analytics"

# Left, bottom, width and height, as shares of the figure's.
_UPPER_LEFT: Final = (0.055, 0.521, 0.51, 0.306)
_UPPER_RIGHT: Final = (0.743, 0.521, 0.237, 0.306)
_LOWER_LEFT: Final = (0.055, 0.07, 0.51, 0.306)
_LOWER_RIGHT: Final = (0.743, 0.07, 0.237, 0.306)

_STYLE: Final[Any] = {
    "font.family": FONT_FAMILY,
    "font.size": FONT_PT,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,  # a `$` in a file's name begins no formula
    "axes.facecolor": PAPER,
    "axes.edgecolor": SPINE,
    "axes.linewidth": 0.8,
    "axes.labelcolor": QUIET_INK,
    "axes.labelsize": FONT_PT,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET_INK,
    "ytick.color": QUIET_INK,
    "xtick.labelsize": FONT_PT,
    "ytick.labelsize": FONT_PT,
    "hatch.linewidth": 1.0,
}


class Dashboard:
    """The headline and the four panels of a figure.

    `window_min` is how far the trend panel looks back, min; after `stale_after_s` a silent machine is shown as
    silent (see `silence_limit_s`); without readings the dashboard says "Waiting for <waiting_for> …".
    """

    def __init__(
        self, figure: Figure, limits: Limits, window_min: float, stale_after_s: float, waiting_for: str
    ) -> None:
        self._figure = figure
        self._window_s = window_min * 60
        self._stale_after_s = stale_after_s
        with mpl.rc_context(_STYLE):
            figure.set_facecolor(BACKGROUND)
            self._headline = Headline(figure, TITLE, stale_after_s, limits)
            self._trend = TrendPanel(figure.add_axes(_UPPER_LEFT), limits, waiting_for, self._window_s)
            self._modes = ModePanel(figure.add_axes(_UPPER_RIGHT))
            self._scatter = ScatterPanel(figure.add_axes(_LOWER_LEFT), limits)
            self._levels = LevelPanel(figure.add_axes(_LOWER_RIGHT), limits)

    def update(self, fleet: Fleet, now: str) -> None:
        """Show the fleet; `now` is the consumer's clock, in the form of `RatedReading.timestamp`."""
        status = attendance(fleet, self._window_s, self._stale_after_s)
        self._headline.update(fleet, status, now)
        self._trend.update(fleet, status)
        self._modes.update(fleet, status)
        self._scatter.update(status.readings)
        self._levels.update(fleet)

    def save(self, path: Path) -> None:
        """Write the picture as PNG, whole or not at all; make its folder. Raise DashboardError if that fails."""
        save_picture(self._figure, path)
