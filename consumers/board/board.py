"""The dashboard: a headline and four panels, in a window or a file.

All artists are made once. An update sets their data, which costs far less than drawing everything anew.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from consumers.board.bars import LevelPanel, ModePanel
from consumers.board.headline import Headline
from consumers.board.names import ShownNames
from consumers.board.palette import BACKGROUND, FONT_FAMILY, FONT_PT, INK, PAPER, QUIET_INK, SPINE
from consumers.board.scatter import ScatterPanel
from consumers.board.trend import TrendPanel
from consumers.machines.attendance import attendance
from consumers.machines.fleet import Fleet
from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.text import shown

TITLE: Final = "Manufacturing analytics"
FIGURE_SIZE_IN: Final = (15.0, 10.0)
FIGURE_DPI: Final = 100
_PNG_BEGINS_WITH: Final = b"\x89PNG\r\n\x1a\n"

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

# In force while a picture is drawn. Hinting would take most of the time of drawing text. A window that came to the
# front at each frame would take the focus.
DRAWING: Final[Any] = {"text.hinting": "none", "figure.raise_window": False}


class DashboardError(PipelineError):
    """The dashboard cannot be shown or saved; the message says why and what to do."""


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
            self._names = ShownNames()
            self._headline = Headline(figure, TITLE, stale_after_s)
            self._trend = TrendPanel(figure.add_axes(_UPPER_LEFT), limits, waiting_for, self._window_s)
            self._modes = ModePanel(figure.add_axes(_UPPER_RIGHT))
            self._scatter = ScatterPanel(figure.add_axes(_LOWER_LEFT), limits)
            self._levels = LevelPanel(figure.add_axes(_LOWER_RIGHT), limits)

    def update(self, fleet: Fleet, now: str, all_rejected: int = 0) -> None:
        """Show the fleet; `now` is the consumer's clock, in the form of `RatedReading.timestamp`.

        `all_rejected` is how many lines were rejected while none could be stored.
        """
        status = attendance(fleet, self._window_s, self._stale_after_s)
        self._names.update(fleet)
        self._headline.update(fleet, status, now, self._names)
        if all_rejected:
            self._headline.warn_of_rejected(all_rejected)
        self._trend.update(fleet, status, self._names)
        self._modes.update(fleet, status, self._names)
        self._scatter.update(status.readings, self._names)
        self._levels.update(fleet)

    def save(self, path: Path) -> None:
        """Write the picture as PNG, whole or not at all; make its folder. Raise DashboardError if that fails."""
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            _check_that_it_may_be_replaced(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with mpl.rc_context(DRAWING):
                self._figure.savefig(unfinished, format="png", dpi="figure", pil_kwargs={"compress_level": 3})
            unfinished.replace(path)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise DashboardError(
                f"cannot save the dashboard as {shown(path)}: {error.strerror or error}; "
                "make its folder writable, or name another file with --snapshot or SNAPSHOT_FILE"
            ) from error


def _check_that_it_may_be_replaced(path: Path) -> None:
    """Raise DashboardError if something else than a picture stands at the path: it would be lost."""
    if not os.path.lexists(path):
        return
    is_picture = path.is_file() and path.stat().st_size == 0
    if path.is_file() and not is_picture:
        with path.open("rb") as file:
            is_picture = file.read(len(_PNG_BEGINS_WITH)) == _PNG_BEGINS_WITH
    if not is_picture:
        raise DashboardError(
            f"{shown(path)} is there and is no PNG picture, so the dashboard does not replace it; "
            "name another file with --snapshot or SNAPSHOT_FILE"
        )


def snapshot_figure() -> Figure:
    """Return a figure for files; it needs no display."""
    figure = Figure(figsize=FIGURE_SIZE_IN, dpi=FIGURE_DPI)
    FigureCanvasAgg(figure)
    return figure
