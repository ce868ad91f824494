"""The dashboard: a headline and four panels, in a window or a file.

All artists are made once. An update sets their data, which costs far less than drawing everything anew.
"""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from consumers.board.axes import settle_axis
from consumers.board.bars import LevelPanel, ModePanel
from consumers.board.headline import Headline
from consumers.board.layout import layout_of
from consumers.board.names import ShownNames
from consumers.board.palette import FONT_FAMILY, FONT_PT, THEMES, Theme
from consumers.board.rhythm import Rhythm
from consumers.board.scatter import ScatterPanel
from consumers.board.scene import scene_of
from consumers.board.snapshot import save_picture
from consumers.board.status import FeedStatus
from consumers.board.trend import TrendPanel
from consumers.machines.fleet import Fleet
from utils.efficiency import Limits
from utils.zone import zone_named

TITLE: Final = "Manufacturing analytics"

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


class Dashboard:
    """The headline and the four panels of a figure.

    `window_min` is how far the trend panel looks back, min; after `stale_after_s` a silent machine is shown as
    silent (see `silence_limit_s`); without readings the dashboard says "Waiting for <waiting_for> …". `theme` names
    its colours, `timezone` the zone in which times are shown (see `zone_named`). An update is promised every
    `refresh_s`; None: nothing is promised.
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
        refresh_s: float | None = None,
    ) -> None:
        self._figure = figure
        self._limits = limits
        self._window_s = window_min * 60
        self._stale_after_s = stale_after_s
        self._zone = zone_named(timezone)
        self._names = ShownNames()
        self._rhythm = Rhythm(refresh_s)
        colours = THEMES[theme]
        with mpl.rc_context(_style(colours)):
            figure.set_facecolor(colours.background)
            self._headline = Headline(figure, TITLE, colours, self._rhythm.words)
            self._trend = TrendPanel(figure, colours, waiting_for, self._zone)
            self._modes = ModePanel(figure, colours)
            self._scatter = ScatterPanel(figure, colours, limits)
            self._levels = LevelPanel(figure, colours, limits)
            self._old = _cover(figure, colours)
            for axes in figure.axes:
                settle_axis(axes.xaxis)
                settle_axis(axes.yaxis)
        self._placed_for: tuple[float, float] | None = None

    def update(self, fleet: Fleet, now: str, feed: FeedStatus = _NO_TROUBLE) -> None:
        """Show the fleet; `now` is the consumer's clock, in the form of `RatedReading.timestamp`."""
        self._place()
        self._names.update(fleet)
        scene = scene_of(fleet, self._limits, now, self._zone, self._window_s, self._stale_after_s, feed, self._names)
        scene = scene._replace(late_s=self._rhythm.late_s(now))
        self._old.set_visible(scene.is_stale or scene.late_s > 0)
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
        save_picture(self._figure, path)


def _cover(figure: Figure, theme: Theme) -> Rectangle:
    """Return what is laid over the panels while what they show is old: it greys and hatches them."""
    style: Any = {"transform": figure.transFigure, "zorder": 10, "hatch": "/", "linewidth": 0, "visible": False}
    cover = Rectangle((0, 0), 1, 1, facecolor=(*to_rgb(theme.background), _OLD_OPACITY), **style)
    cover.set_edgecolor((*to_rgb(theme.quiet_ink), 0.25))
    figure.add_artist(cover)
    return cover
