"""The figure of the dashboard: what a panel, the window and a snapshot have to know of each other."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from consumers.board.faults import Faults
from consumers.board.layout import BASE_SIZE_IN
from consumers.board.lettering import Lettering
from consumers.board.letters import drawable
from consumers.board.palette import FONT_FAMILY, INK, LIGHT, PAPER, WAITING_PT

FIGURE_DPI: Final = 100


class Points(NamedTuple):
    """What can be pointed at in a panel: places in its data's units, shape (n, 2), and the words for each."""

    places: NDArray[np.float64]
    words: Callable[[int], str]


class DashboardFigure(Figure):
    """A figure that says so when it cannot be drawn, if it has `faults`; without them, exceptions are raised."""

    faults: Faults | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.held: dict[Axes, list[Artist]] = {}
        """Panels that a user has zoomed or panned, each with what is clipped as long as it is held; see `view`."""
        self.points: dict[Axes, Points] = {}
        """What can be pointed at in each panel; see `hover`."""
        self._notice = _notice(self)
        self._lettering = Lettering()

    def draw(self, renderer: RendererBase) -> None:
        """Draw all artists; after an exception draw those that can be drawn, and over them what went wrong."""
        with self._lettering.of(renderer):
            self._draw(renderer)

    def _draw(self, renderer: RendererBase) -> None:
        if self.faults is None:
            super().draw(renderer)
            return
        self.faults.guarded("drawing", super().draw)(renderer)
        if self.faults.has("drawing"):
            for artist in sorted(self.get_children(), key=Artist.get_zorder):
                Faults.attempt(artist.draw, renderer)
        if self.faults.words:
            self._notice.set_text("\n".join(map(drawable, self.faults.words.split("\n"))))
            self._notice.draw(renderer)
            self.faults.are_shown()


def snapshot_figure() -> DashboardFigure:
    """Return a figure for files; it needs no display."""
    figure = DashboardFigure(figsize=BASE_SIZE_IN, dpi=FIGURE_DPI)
    FigureCanvasAgg(figure)
    return figure


def _notice(figure: Figure) -> Text:
    """Make the text over the picture; it is none of the figure's artists, so that no other one can hinder it."""
    notice = Text(
        0.5, 0.5, "", color=INK, ha="center", va="center", fontsize=WAITING_PT, weight="bold",
        fontfamily=FONT_FAMILY, transform=figure.transFigure, usetex=False, parse_math=False,
        bbox={"facecolor": PAPER, "edgecolor": LIGHT.alarm, "linewidth": 3, "pad": 12},
    )  # fmt: skip
    notice.set_figure(figure)
    return notice
