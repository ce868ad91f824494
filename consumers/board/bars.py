"""The two panels with a bar for each mode: how many machines are in it, and how efficient they are."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from consumers.board.axes import TITLE_ROOM_PT, PanelTitle, Reach, place_axes, size_pt
from consumers.board.layout import Rect
from consumers.board.letters import width_pt
from consumers.board.mode_window import ModeFigures, ModeWindow
from consumers.board.palette import FONT_PT, LEVEL_COLOURS, NAME_PT, STATE_COLOURS, Theme
from consumers.board.scene import Scene
from consumers.board.view import set_view
from consumers.board.words import machine_names, span_words
from utils.efficiency import Limits
from utils.message import MODES
from utils.text import count

_LEFT_PT: Final = 100.0
_VALUE_PT: Final = 4.0
_KEY_BELOW_PT: Final = 44.0
_SQUARE_PT: Final = 8.0
_UP: Final = 0.14
"""So far above the middle of its place is a bar of efficiency: below it stand its readings."""
_NAMED_SILENT: Final = 2


class ModePanel:
    """How many machines are in each mode; silent machines, whose latest mode may be out of date, are hatched."""

    def __init__(self, figure: Figure, theme: Theme) -> None:
        self._title = PanelTitle(figure, theme, "Machines by mode")
        self.axes = axes = figure.add_axes((0, 0, 1, 1))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
        axes.grid(axis="x", color=theme.grid, linewidth=0.8)
        colours = [STATE_COLOURS[mode] for mode in MODES]
        self._heard = _bars(axes, theme, colours)
        self._silent = _bars(axes, theme, [(colour, 0.3) for colour in colours], hatch="///")
        self._counts = _values(axes, theme)
        self._reach = Reach(0, 4, 1)

    def place(self, rect: Rect, figure: Figure) -> None:
        """Stand in a part of the picture."""
        self._title.place(rect, figure)
        place_axes(self.axes, rect.within(_LEFT_PT, 28, 8, TITLE_ROOM_PT))

    def update(self, scene: Scene) -> None:
        """Count the machines by the latest reading of each."""
        totals = scene.fleet.machines_by_mode()
        quiet = Counter(machine.latest.mode for machine in scene.silent)
        for mode, heard, silent, label in zip(MODES, self._heard, self._silent, self._counts, strict=True):
            heard.set_width(totals[mode] - quiet[mode])
            silent.set_x(totals[mode] - quiet[mode])
            silent.set_width(quiet[mode])
            label.set_text(f"{totals[mode]:,}")
            label.xy = (totals[mode], label.xy[1])  # type: ignore[attr-defined]
        set_view(self.axes, self._reach.cover(0, max(totals.values()) * 1.2))
        self._title.say(_silence_words(scene))


class LevelPanel:
    """The mean efficiency by mode, in the colour of its level; a tick shows that of all time."""

    def __init__(self, figure: Figure, theme: Theme, limits: Limits) -> None:
        self._limits = limits
        self._window = ModeWindow()
        self._title = PanelTitle(figure, theme, "Efficiency by mode")
        self.axes = axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, 122)
        bounds = (limits.level_critical_below, limits.level_medium_from, limits.level_high_from)
        axes.set_xticks(sorted({0.0, *bounds, 100.0}))
        axes.grid(axis="x", color=theme.grid, linewidth=0.8)
        self._bars = _bars(axes, theme, [theme.paper] * len(MODES), height=0.4, up=_UP)
        self._values = _values(axes, theme, up=_UP)
        (self._all_time,) = axes.plot([], [], "|", color=theme.alarm, markersize=17, markeredgewidth=3, zorder=4)
        self._all_time.set_color(theme.ink)
        note: Any = {"fontsize": FONT_PT, "color": theme.quiet_ink, "va": "center"}
        self._notes = [axes.text(0, place + 0.28, "", **note) for place in range(len(MODES))]
        self._key = _Key(axes, theme)

    def place(self, rect: Rect, figure: Figure) -> None:
        """Stand in a part of the picture."""
        self._title.place(rect, figure)
        place_axes(self.axes, rect.within(_LEFT_PT, 58, 8, TITLE_ROOM_PT))
        self._key.place(*size_pt(self.axes))

    def update(self, scene: Scene) -> None:
        """Show the means of the window, and of all time."""
        figures = self._window.update(scene)
        for place, (bar, label, note) in enumerate(zip(self._bars, self._values, self._notes, strict=True)):
            readings, mean = int(figures.readings[place]), float(figures.mean[place])
            shown = mean if readings else 0.0
            bar.set_width(shown)
            bar.set_facecolor(LEVEL_COLOURS[self._limits.level_of(shown)])
            label.xy = (shown, label.xy[1])  # type: ignore[attr-defined]
            label.set_text(f"{mean:.0f} %" if readings else "")
            note.set_text(count(readings, "reading") + _critical_words(figures, place))
        means = scene.fleet.mean_efficiency_by_mode()
        known = [(mean, place - _UP) for place, mean in enumerate(means.values()) if mean is not None]
        self._all_time.set_data([mean for mean, _ in known], [place for _, place in known])
        if known:
            self._title.say(span_words(figures.span_s, is_stale=scene.is_stale), "| all time")


def _critical_words(figures: ModeFigures, place: int) -> str:
    share = 100 * figures.critical[place]
    if not np.isfinite(share):
        return ""
    # Few are not none.
    words = "< 1 %" if 0 < share < 1 else f"{'about ' if figures.is_estimate[place] else ''}{share:.0f} %"
    return f", {words} Critical"


def _silence_words(scene: Scene) -> str:
    silent = scene.silent
    if not silent:
        return "latest of each"
    if len(silent) > _NAMED_SILENT:
        return f"{len(silent):,} silent (hatched)"
    return f"silent {machine_names(silent, _NAMED_SILENT, 16, scene.names)}"


class _Key:
    """A line below the panel that names the levels, each beside its colour, from the best to the worst."""

    def __init__(self, axes: Axes, theme: Theme) -> None:
        at: Any = {"transform": axes.transAxes, "clip_on": False}
        colours = list(LEVEL_COLOURS.values())
        style: Any = {"marker": "s", "s": 110, "edgecolors": theme.ink, "linewidths": 0.8, **at}
        self._squares = axes.scatter([0] * len(colours), [0] * len(colours), c=colours, **style)
        self._names = [axes.text(0, 0, level, va="center", fontsize=FONT_PT, **at) for level in LEVEL_COLOURS]

    def place(self, panel_pt: float, height_pt: float) -> None:
        """Stand below axes of this size, from where the names of the modes begin."""
        x, y = _SQUARE_PT - _LEFT_PT, -_KEY_BELOW_PT / height_pt
        places = []
        for name in self._names:
            places.append((x / panel_pt, y))
            name.set_position(((x + 1.3 * _SQUARE_PT) / panel_pt, y))
            x += width_pt(name.get_text(), FONT_PT) + 3.4 * _SQUARE_PT
        self._squares.set_offsets(places)


def _bars(
    axes: Axes, theme: Theme, colours: Sequence[Any], hatch: str | None = None, height: float = 0.62, up: float = 0.0
) -> list[Rectangle]:
    """Draw a bar for each mode, in the fixed order from above, without length yet."""
    places = [place - up for place in range(len(MODES))]
    bars = axes.barh(places, [0] * len(MODES), height, color=colours, edgecolor=theme.ink, linewidth=1.1, hatch=hatch)
    axes.set_yticks(range(len(MODES)), [mode.capitalize() for mode in MODES])
    axes.set_ylim(len(MODES) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    return list(bars)


def _values(axes: Axes, theme: Theme, up: float = 0.0) -> list[Text]:
    """Make a text behind the end of each bar, which follows it when its place is set."""
    style: dict[str, Any] = {"va": "center", "fontsize": NAME_PT, "weight": "bold", "color": theme.ink}
    return [
        axes.annotate("", (0, place - up), (_VALUE_PT, 0), textcoords="offset points", **style)
        for place in range(len(MODES))
    ]
