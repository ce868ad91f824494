"""The panel of temperature against vibration: where each machine is by its latest reading, and the safe limits."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from consumers.board.axes import TITLE_ROOM_PT, PanelTitle, Reach, place_axes, size_pt
from consumers.board.hover import reading_words, set_points
from consumers.board.labels import Box, place_beside
from consumers.board.layout import Rect
from consumers.board.letters import width_pt
from consumers.board.palette import FONT_PT, NAME_PT, Theme
from consumers.board.scene import Scene
from consumers.board.tones import NEAR, tone_colour, tone_of
from consumers.board.view import set_view
from consumers.board.words import value_words
from consumers.machines.ranking import Urgency
from consumers.records import RatedReading
from utils.efficiency import Limits

_NAMED: Final = 14
_TAIL_READINGS: Final = 4_000
_TAIL_POINTS: Final = 12
_EDGE: Final = 0.03  # of an axis: the room beyond its scale, where what is off the scale is drawn

_Floats: TypeAlias = NDArray[np.float64]
_Flags: TypeAlias = NDArray[np.bool_]


class ScatterPanel:
    """The latest reading of each machine, never left out; the named ones with a short tail."""

    def __init__(self, figure: Figure, theme: Theme, limits: Limits) -> None:
        self._theme = theme
        self._limits = limits
        self._title = PanelTitle(figure, theme, "Temperature against vibration")
        self.axes = axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlabel="Temperature, °C", ylabel="Vibration, mm/s RMS")
        axes.grid(color=theme.grid, linewidth=0.8)
        self._set_reach(limits)
        self._draw_limits()
        self._tails = LineCollection([], colors=[theme.tail], linewidths=1.2, alpha=0.7)
        axes.add_collection(self._tails, autolim=False)
        self._silent = _points(axes, "o", markersize=6, color="none", markeredgecolor=theme.quiet_ink)
        self._normal = _points(axes, "o", markersize=7, color=theme.line, markeredgewidth=0.6)
        self._normal.set_markeredgecolor(theme.paper)
        self._beyond = _points(axes, "X", markersize=12, color=theme.alarm, markeredgecolor=theme.paper)
        colours = {"<": theme.ink, "v": theme.ink, ">": theme.alarm, "^": theme.alarm}
        self._arrows = {
            marker: _points(axes, marker, markersize=15, color=colour, markeredgewidth=0)
            for marker, colour in colours.items()
        }
        self._names = [axes.text(0, 0, "", transform=axes.transAxes, zorder=6) for _ in range(_NAMED)]
        for name in self._names:
            name.set(fontsize=NAME_PT, weight="bold")

    def place(self, rect: Rect, figure: Figure) -> None:
        """Stand in a part of the picture."""
        self._title.place(rect, figure)
        place_axes(self.axes, rect.within(58, 46, 72, TITLE_ROOM_PT + 18))
        width, height = size_pt(self.axes)
        self.axes.xaxis.set_label_coords(0.5, -28 / height)
        self.axes.yaxis.set_label_coords(-40 / width, 0.5)

    def _set_reach(self, limits: Limits) -> None:
        """Choose how far the axes reach at first, and how far at most; the limits are always well inside."""
        cold_c, hot_c = limits.temperature_cold_c, limits.temperature_safe_max_c
        span_c = max(hot_c - cold_c, 10.0)
        rough_mm_s = max(limits.vibration_safe_max_mm_s, 1.0)
        self._reach_c = Reach(cold_c - span_c / 3, hot_c + span_c / 3, span_c / 6)
        self._reach_mm_s = Reach(0, rough_mm_s * 4 / 3, rough_mm_s / 3)
        self._widest_c = (cold_c - 1.5 * span_c, hot_c + 1.5 * span_c)
        self._widest_mm_s = (0.0, 4 * rough_mm_s)

    def _draw_limits(self) -> None:
        """Draw the safe limits, each with its number, and the zone from 90 % of each."""
        axes, theme = self.axes, self._theme
        hot_c, rough_mm_s = self._limits.temperature_safe_max_c, self._limits.vibration_safe_max_mm_s
        zone: Any = {"color": theme.zone, "linewidth": 0, "zorder": 0.4}
        if hot_c > 0:
            axes.axvspan(NEAR * hot_c, hot_c, **zone)
        axes.axhspan(NEAR * rough_mm_s, rough_mm_s, **zone)
        limit: Any = {"color": theme.alarm, "linestyle": "--", "linewidth": 1.6}
        axes.axvline(hot_c, **limit)
        axes.axhline(rough_mm_s, **limit)
        style: Any = {"fontsize": FONT_PT, "color": theme.alarm, "annotation_clip": False}
        above: Any = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}
        beside: Any = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
        axes.annotate(f"limit {hot_c:g} °C", (hot_c, 1), (0, 4), ha="center", va="bottom", **style, **above)
        axes.annotate(f"limit\n{rough_mm_s:g} mm/s", (1, rough_mm_s), (4, 0), va="center", **style, **beside)

    def update(self, scene: Scene) -> None:
        """Draw the machines."""
        latest = [machine.latest for machine in scene.fleet.machines.values()]
        silent = {machine.latest.machine_id for machine in scene.silent}
        temperature_c = np.array([reading.temperature_c for reading in latest], np.float64)
        vibration_mm_s = np.array([reading.vibration_mm_s for reading in latest], np.float64)
        beyond = np.array([reading.is_anomaly for reading in latest], np.bool_)
        quiet = np.array([reading.machine_id in silent for reading in latest], np.bool_)
        x, *x_ends = _onto_scale(temperature_c, self._widest_c, self._reach_c)
        y, *y_ends = _onto_scale(vibration_mm_s, self._widest_mm_s, self._reach_mm_s)
        set_view(self.axes, (x_ends[0], x_ends[1]), (y_ends[0], y_ends[1]))
        set_points(
            self.axes,
            x,
            y,
            lambda index: reading_words(latest[index], scene.name_of(latest[index].machine_id), scene.zone),
        )
        off = self._draw_arrows(x, y, temperature_c, vibration_mm_s)
        for points, chosen in (
            (self._normal, ~beyond & ~quiet & ~off),
            (self._silent, ~beyond & quiet & ~off),
            (self._beyond, beyond),
        ):
            points.set_data(x[chosen], y[chosen])
        places = {reading.machine_id: (x[i], y[i]) for i, reading in enumerate(latest)}
        named = self._named(scene, latest, off)
        self._draw_tails(scene, [reading.machine_id for reading, _ in named], (*x_ends, *y_ends))
        unnamed = self._set_names(
            scene, named, places, {reading.machine_id for reading in islice(_of(latest, off), _NAMED)}
        )
        self._title.say(*_span(len(latest), int(beyond.sum()), unnamed))

    def _draw_arrows(self, x: _Floats, y: _Floats, temperature_c: _Floats, vibration_mm_s: _Floats) -> _Flags:
        """Draw an arrow at the edge for each value off the scale; return whose they are."""
        off = np.zeros(len(x), np.bool_)
        for marker, chosen in (
            ("<", temperature_c < x),
            (">", temperature_c > x),
            ("v", vibration_mm_s < y),
            ("^", vibration_mm_s > y),
        ):
            self._arrows[marker].set_data(x[chosen], y[chosen])
            off |= chosen
        return off

    def _named(self, scene: Scene, latest: Sequence[RatedReading], off: _Flags) -> list[tuple[RatedReading, str]]:
        """Return the machines to name, and their colours: the headline's, the nearest one, those off the scale."""
        ranking = scene.ranking
        chosen = [urgency for urgency in ranking if tone_of(urgency) != "plain"]
        if all(urgency.kind != "near" for urgency in chosen):
            chosen += [urgency for urgency in ranking if urgency.kind == "near"][:1]
        found = {urgency.machine.latest.machine_id: self._entry(urgency) for urgency in chosen}
        for reading in _of(latest, off):
            found.setdefault(reading.machine_id, (reading, self._theme.ink))
        return list(found.values())

    def _entry(self, urgency: Urgency) -> tuple[RatedReading, str]:
        return urgency.machine.latest, tone_colour(self._theme, tone_of(urgency))

    def _draw_tails(self, scene: Scene, machine_ids: Sequence[int], ends: Sequence[float]) -> None:
        """Draw where the named machines came from, a few readings back; values off the scale have no tail."""
        left, right, bottom, top = ends
        wanted = set(machine_ids[:_NAMED])
        tails: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for reading in islice(reversed(scene.readings), _TAIL_READINGS):
            place = reading.temperature_c, reading.vibration_mm_s
            if reading.machine_id not in wanted or len(tails[reading.machine_id]) >= _TAIL_POINTS:
                continue
            if left <= place[0] <= right and bottom <= place[1] <= top:
                tails[reading.machine_id].append(place)
        self._tails.set_segments([np.array(tail) for tail in tails.values() if len(tail) > 1])

    def _set_names(
        self,
        scene: Scene,
        named: Sequence[tuple[RatedReading, str]],
        places: dict[int, tuple[float, float]],
        off: set[int],
    ) -> int:
        """Write names beside their machines, clear of one another; return how many found no room."""
        chosen = named[:_NAMED]
        words = [
            _words(reading, scene.name_of(reading.machine_id), is_off=reading.machine_id in off)
            for reading, _ in chosen
        ]
        area = Box(0, 0, *size_pt(self.axes))
        anchors = self._places_pt([places[reading.machine_id] for reading, _ in chosen], area)
        sizes = [(width_pt(word, NAME_PT, bold=True) + 4, 1.25 * NAME_PT) for word in words]
        boxes = place_beside(anchors, sizes, area, (), [_around(place, 6) for place in anchors])
        for text in self._names:
            text.set_text("")
        for text, word, (_, colour), box in zip(self._names, words, chosen, boxes, strict=False):
            if box is not None:
                text.set(text=word, color=colour)
                text.set_position((box.left / area.right, (box.bottom + 0.25 * NAME_PT) / area.top))
        return len(named) - sum(box is not None for box in boxes)

    def _places_pt(self, places: Sequence[tuple[float, float]], area: Box) -> list[tuple[float, float]]:
        """Return where points lie in the panel, in points of type from its lower left corner."""
        fractions = self.axes.transLimits.transform(np.array(places, np.float64).reshape(-1, 2))
        return [(right * area.right, up * area.top) for right, up in fractions.tolist()]


def _of(latest: Sequence[RatedReading], chosen: _Flags) -> list[RatedReading]:
    return [latest[index] for index in np.flatnonzero(chosen).tolist()]


def _words(reading: RatedReading, name: str, *, is_off: bool) -> str:
    if not is_off:
        return name
    return f"{name} {value_words(reading.temperature_c)} °C, {value_words(reading.vibration_mm_s)} mm/s"


def _span(machines: int, beyond: int, unnamed: int) -> list[str]:
    if not machines:
        return []
    return ["latest of each", f"{beyond:,} beyond a limit (×)", f"{unnamed:,} not named" if unnamed else ""]


def _points(axes: Axes, marker: str, **style: Any) -> Line2D:
    (points,) = axes.plot([], [], marker, linestyle="none", **style)
    points.set_clip_on(False)
    points.set_zorder(3)
    return points


def _around(place: tuple[float, float], reach: float) -> Box:
    x, y = place
    return Box(x - reach, y - reach, x + reach, y + reach)


def _onto_scale(values: _Floats, widest: tuple[float, float], reach: Reach) -> tuple[_Floats, float, float]:
    """Return the values with those off the scale moved to its ends, and the ends of the axis, a little further out.

    The order of values is never reversed: no value within the scale lies beyond its ends.
    """
    inside = values[(values >= widest[0]) & (values <= widest[1])]
    low, high = reach.cover(float(inside.min()), float(inside.max())) if len(inside) else reach.shown
    margin = _EDGE * (high - low)
    return np.clip(values, low, high), low - margin, high + margin
