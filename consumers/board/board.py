"""The dashboard: a headline and four panels, in a window or a file.

All artists are made once. An update sets their data, which costs far less than drawing everything anew.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from consumers.board.bars import LevelPanel, ModePanel
from consumers.board.headline import Headline
from consumers.board.layout import BASE_SIZE_IN, layout_of
from consumers.board.palette import FONT_FAMILY, FONT_PT, THEMES, Theme
from consumers.board.scatter import ScatterPanel
from consumers.board.scene import scene_of
from consumers.board.status import FeedStatus
from consumers.board.trend import TrendPanel
from consumers.machines.fleet import Fleet
from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.text import shown
from utils.zone import zone_named

TITLE: Final = "Manufacturing analytics"
FIGURE_SIZE_IN: Final = BASE_SIZE_IN
FIGURE_DPI: Final = 100
_PNG_BEGINS_WITH: Final = b"\x89PNG\r\n\x1a\n"

_OLD_OPACITY: Final = 0.5
_NO_TROUBLE: Final = FeedStatus()


def _style(theme: Theme) -> Any:
    return {
        "font.family": FONT_FAMILY,
        "font.size": FONT_PT,
        "text.color": theme.ink,
        "text.usetex": False,
        "text.parse_math": False,  # a `$` in a file's name begins no formula
        "axes.facecolor": theme.paper,
        "axes.edgecolor": theme.spine,
        "axes.linewidth": 0.8,
        "axes.labelcolor": theme.quiet_ink,
        "axes.labelsize": FONT_PT,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": theme.quiet_ink,
        "ytick.color": theme.quiet_ink,
        "xtick.labelsize": FONT_PT,
        "ytick.labelsize": FONT_PT,
        "hatch.linewidth": 1.0,
        "legend.labelcolor": theme.ink,
    }


# In force while a picture is drawn. Hinting would take most of the time of drawing text. A window that came to the
# front at each frame would take the focus.
DRAWING: Final[Any] = {"text.hinting": "none", "figure.raise_window": False}


class DashboardError(PipelineError):
    """The dashboard cannot be shown or saved; the message says why and what to do."""


class Dashboard:
    """The headline and the four panels of a figure.

    `window_min` is how far the trend panel looks back, min; after `stale_after_s` a silent machine is shown as
    silent (see `silence_limit_s`); without readings the dashboard says "Waiting for <waiting_for> …". `theme` names
    its colours, `timezone` the zone in which times are shown (see `zone_named`).
    """

    def __init__(
        self,
        figure: Figure,
        limits: Limits,
        window_min: float,
        stale_after_s: float,
        waiting_for: str,
        *,
        theme: str = "LIGHT",
        timezone: str = "UTC",
    ) -> None:
        self._figure = figure
        self._limits = limits
        self._window_s = window_min * 60
        self._stale_after_s = stale_after_s
        self._zone = zone_named(timezone)
        colours = THEMES[theme]
        with mpl.rc_context(_style(colours)):
            figure.set_facecolor(colours.background)
            self._headline = Headline(figure, TITLE, colours)
            self._trend = TrendPanel(figure, colours, waiting_for, self._zone)
            self._modes = ModePanel(figure, colours)
            self._scatter = ScatterPanel(figure, colours, limits)
            self._levels = LevelPanel(figure, colours, limits)
            self._old = _cover(figure, colours)
        self._placed_for: tuple[float, float] | None = None

    def update(self, fleet: Fleet, now: str, feed: FeedStatus = _NO_TROUBLE) -> None:
        """Show the fleet; `now` is the consumer's clock, in the form of `RatedReading.timestamp`."""
        self._place()
        scene = scene_of(fleet, self._limits, now, self._zone, self._window_s, self._stale_after_s, feed)
        self._old.set_visible(scene.is_stale)
        self._headline.update(scene)
        self._trend.update(scene)
        self._modes.update(scene)
        self._scatter.update(scene)
        self._levels.update(scene)

    def _place(self) -> None:
        """Lay everything out anew if the figure has another size than before."""
        width_in, height_in = map(float, self._figure.get_size_inches())
        if self._placed_for == (width_in, height_in):
            return
        self._placed_for = width_in, height_in
        layout = layout_of(width_in, height_in)
        self._headline.place(layout.headline, self._figure)
        self._trend.place(layout.trend, self._figure)
        self._modes.place(layout.modes, self._figure)
        self._scatter.place(layout.scatter, self._figure)
        self._levels.place(layout.levels, self._figure)
        self._old.set_height(layout.headline.bottom / height_in)

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


def _cover(figure: Figure, theme: Theme) -> Rectangle:
    """Return what is laid over the panels while what they show is old: it greys and hatches them."""
    style: Any = {"transform": figure.transFigure, "zorder": 10, "hatch": "/", "linewidth": 0, "visible": False}
    cover = Rectangle((0, 0), 1, 1, facecolor=(*to_rgb(theme.background), _OLD_OPACITY), **style)
    cover.set_edgecolor((*to_rgb(theme.quiet_ink), 0.25))
    figure.add_artist(cover)
    return cover


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
