"""The panel of efficiency over time: a strip for each of up to eight machines, all on one time axis.

A plant may have thousands of machines, but a person can follow only a few. Of more than eight, those are shown that
the ranking names first, each over the band in which the middle 80 % of the fleet lie. A point is the mean of its
time; a red cross marks each point that holds an anomaly, at the worst score, however short that was.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from consumers.board.axes import TITLE_ROOM_PT, PanelTitle, place_axes
from consumers.board.courses import Band, Columned, Course, Floats, KeptColumns
from consumers.board.hover import point_words, set_points
from consumers.board.layout import Rect
from consumers.board.letters import drawable, width_pt
from consumers.board.palette import FONT_PT, NAME_PT, STATE_COLOURS, WAITING_PT, Theme
from consumers.board.scene import STRIPS, Scene
from consumers.board.tones import tone_colour, tone_of
from consumers.board.view import is_held
from consumers.board.words import offset_words, span_words, waiting_words
from consumers.machines.minutes import minute_of
from consumers.machines.ranking import Urgency
from utils.moment import DAY_S
from utils.text import duration, printable

_NAME_STEP_PT: Final = 24.0
_NAME_GAP_PT: Final = 18.0
_RIGHT_PT: Final = 62.0
_AXIS_PT: Final = 28.0
_GAP_PT: Final = 5.0
_POINTS_WITH_MARKERS: Final = 25
_CROSS_PT: Final = 9.0
_MANY_CROSSES: Final = 20
_SHORTEST_SPAN_S: Final = 10.0
_FIRST_DAY: Final = -719_160.0  # in the years 1 and 9999: matplotlib draws no dates beyond them
_LAST_DAY: Final = 2_932_890.0
_BASE: Final = -7.0  # where the mark of maintenance lies, below all scores


class TrendPanel:
    """Efficiency over time, a strip for each machine."""

    def __init__(self, figure: Figure, theme: Theme, waiting_for: str, zone: Any) -> None:
        self._figure = figure
        self._title = PanelTitle(figure, theme, "Efficiency over time")
        first = figure.add_axes((0, 0, 1, 1))
        locator = AutoDateLocator(tz=zone, minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
        first.xaxis.set_major_locator(locator)
        first.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone, show_offset=False))  # type: ignore[no-untyped-call]
        rest = [figure.add_axes((0, 0, 1, 1), sharex=first) for _ in range(STRIPS - 1)]
        self._strips = [Strip(axes, theme) for axes in (first, *rest)]
        self._waiting = figure.text(
            0, 0, waiting_words(drawable(printable(waiting_for))), fontsize=WAITING_PT, ha="center", va="center"
        )
        self._rect = Rect(0, 0, 1, 1)
        self._ids: list[int] = []
        self._placed: tuple[int, float] | None = None
        self._readings = KeptColumns()
        self._band: tuple[object, Band] | None = None

    def place(self, rect: Rect, figure: Figure) -> None:
        """Stand in a part of the picture."""
        self._rect = rect
        self._title.place(rect, figure)
        width, height = figure.get_size_inches()
        self._waiting.set_position(((rect.left + rect.width / 2) / width, (rect.bottom + rect.height / 2) / height))
        self._placed = None

    def update(self, scene: Scene) -> None:
        """Draw the machines of the ranking; if no machine is known, say what is waited for."""
        chosen = self._chosen(scene)
        self._waiting.set_visible(not chosen)
        self._place_strips(len(chosen), _left_pt([scene.names(urgency.machine) for urgency in chosen]))
        if not chosen:
            self._title.say("")
            return
        columned = Columned(scene, list(map(_machine_id, chosen)), self._readings.of(scene.readings))
        self._set_time_axis(columned)
        is_part = len(scene.fleet.machines) > STRIPS
        band = self._band_of(scene, columned) if is_part else None
        silent = {machine.latest.machine_id for machine in scene.silent}
        wrong = {machine.latest.machine_id for machine in scene.wrong_clocks}
        for strip, urgency in zip(self._strips, chosen, strict=False):
            machine_id = urgency.machine.latest.machine_id
            note = "wrong clock" if machine_id in wrong else "silent" if machine_id in silent else ""
            strip.update(urgency, scene, columned.course(machine_id), band, note)
        self._title.say(*_span(scene, columned, len(chosen)))

    def _chosen(self, scene: Scene) -> list[Urgency]:
        """Return the machines to show: those that need a look as ranked, then others, which stay as long as they may.

        Up to eight machines stand in the order of their ids.
        """
        urgent = [urgency for urgency in scene.ranking if urgency.kind != "near"]
        near = [urgency for urgency in scene.ranking if urgency.kind == "near"]
        shown = set(self._ids)
        # Those that the headline names, then those that are shown already; stable: as ranked.
        near.sort(key=lambda urgency: (tone_of(urgency) == "plain", _machine_id(urgency) not in shown))
        kept = sorted(near[: max(STRIPS - len(urgent), 0)], key=_machine_id)
        chosen = [*urgent[:STRIPS], *kept]
        if len(scene.fleet.machines) <= STRIPS:
            chosen.sort(key=_machine_id)
        self._ids = list(map(_machine_id, chosen))
        return chosen

    def _place_strips(self, count: int, left_pt: float) -> None:
        if (count, left_pt) == self._placed and count:
            return
        self._placed = count, left_pt
        inner = self._rect.within(left_pt, _AXIS_PT, _RIGHT_PT, TITLE_ROOM_PT)
        gap = _GAP_PT / 72
        height = (inner.height - gap * (max(count, 1) - 1)) / max(count, 1)
        for place, strip in enumerate(self._strips):
            strip.axes.set_visible(place < count)
            strip.axes.xaxis.set_visible(place == count - 1)
            bottom = inner.top - (place + 1) * height - place * gap
            if place < count:
                place_axes(strip.axes, Rect(inner.left, bottom, inner.width, height))

    def _set_time_axis(self, columned: Columned) -> None:
        newest_s, span_s = columned.newest_s, max(columned.span_s, _SHORTEST_SPAN_S)
        left, right = (newest_s - 1.01 * span_s) / DAY_S, (newest_s + 0.01 * span_s) / DAY_S
        if not any(is_held(strip.axes) for strip in self._strips):  # they share their time axis
            self._strips[0].axes.set_xlim(max(left, _FIRST_DAY), max(min(right, _LAST_DAY), _FIRST_DAY + 1))

    def _band_of(self, scene: Scene, columned: Columned) -> Band:
        """Return the fleet's band; where it is of minutes, it is worked out anew only when a minute is over."""
        key = (minute_of(scene.at), columned.bin_s, len(scene.fleet.machines)) if columned.is_by_minute else object()
        if self._band is None or self._band[0] != key:
            self._band = key, columned.band()
        return self._band[1]


class Strip:
    """One machine over time, 0 to 100 %."""

    def __init__(self, axes: Axes, theme: Theme) -> None:
        self.axes = axes
        self._theme = theme
        axes.set_ylim(-12, 108)
        axes.yaxis.set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="x", length=4)
        grid: Any = {"transform": axes.get_yaxis_transform(), "color": theme.grid, "linewidth": 0.8, "zorder": 0.5}
        axes.add_line(Line2D([0, 1, np.nan, 0, 1, np.nan, 0, 1], [0, 0, 0, 50, 50, 50, 100, 100], **grid))
        self._band = PolyCollection([], facecolor=theme.band, linewidth=0, zorder=0.6)
        axes.add_collection(self._band, autolim=False)
        (self._line,) = axes.plot([], [], "o-", markersize=4, markeredgewidth=0, linewidth=1.8, color=theme.line)
        (self._maintenance,) = axes.plot([], [], "-", color=STATE_COLOURS["maintenance"], linewidth=5)
        self._maintenance.set_solid_capstyle("butt")
        style: Any = {"markersize": 9, "markeredgewidth": 2.4, "color": theme.alarm}
        (self._crosses,) = axes.plot([], [], "x", zorder=4, clip_on=False, **style)
        beside: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
        text: Any = {"va": "center", "fontsize": NAME_PT, **beside}
        self._name = axes.annotate("", (0, 0.5), (-8, 0), ha="right", weight="bold", **text)
        self._value = axes.annotate("", (1, 0.5), (8, 0), ha="left", weight="bold", **text)
        self._note = axes.text(0.01, 0.5, "", transform=axes.transAxes, va="center", fontsize=FONT_PT, zorder=5)
        self._note.set_color(theme.quiet_ink)

    def update(self, urgency: Urgency, scene: Scene, course: Course, band: Band | None, note: str) -> None:
        """Show a machine of the scene."""
        name, zone = scene.names(urgency.machine), scene.zone
        latest = urgency.machine.latest
        colour = tone_colour(self._theme, tone_of(urgency))
        self._name.set(text=name, color=colour)
        self._value.set(text=f"{latest.efficiency_score:.0f} %" if not note else "old", color=colour)
        nothing = "" if len(course.time_s) else "no reading in this span"
        self._note.set_text(", ".join(filter(None, (note, nothing))))
        x = course.time_s / DAY_S
        set_points(self.axes, x, course.score, lambda index: point_words(latest, name, course, index, zone))
        cuts = np.flatnonzero(course.begins)[1:]
        alone = course.begins & np.append(course.begins[1:], True) if len(x) else course.begins
        marked = alone | (len(x) <= _POINTS_WITH_MARKERS)
        self._line.set_data(np.insert(x, cuts, np.nan), np.insert(course.score, cuts, np.nan))
        self._line.set_markevery(np.flatnonzero(np.insert(marked, cuts, False)).tolist())
        hit = course.anomalies > 0
        self._crosses.set_data(x[hit], course.worst[hit])
        self._crosses.set_markersize(_CROSS_PT if hit.sum() <= _MANY_CROSSES else _CROSS_PT / 2)
        self._maintenance.set_data(*_stretches(x, course))
        self._band.set_verts([] if band is None else [_outline(band)])


def _left_pt(names: Sequence[str]) -> float:
    """Return the room for the names beside the strips, in steps: it should seldom change."""
    widest_pt = max((width_pt(name, NAME_PT, bold=True) for name in names), default=0.0)
    return ceil(widest_pt / _NAME_STEP_PT) * _NAME_STEP_PT + _NAME_GAP_PT


def _machine_id(urgency: Urgency) -> int:
    return urgency.machine.latest.machine_id


def _stretches(x: Floats, course: Course) -> tuple[Floats, Floats]:
    """Return a line below the scores where a machine was in maintenance, with gaps elsewhere."""
    if not course.is_maintenance.any():
        return np.empty(0), np.empty(0)
    # Each point stands for its time: half the way to its neighbours on either side.
    half = float(np.median(np.diff(x))) / 2 if len(x) > 1 else 5 / DAY_S
    own = x[course.is_maintenance]
    places = np.column_stack((own - half, own + half, np.full(len(own), np.nan))).ravel()
    return places, np.full(len(places), _BASE)


def _outline(band: Band) -> NDArray[np.float64]:
    x = band.time_s / DAY_S
    return np.column_stack((np.concatenate((x, x[::-1])), np.concatenate((band.low, band.high[::-1]))))


def _span(scene: Scene, columned: Columned, shown: int) -> list[str]:
    machines = len(scene.fleet.machines)
    return [
        span_words(columned.span_s, is_stale=scene.is_stale),
        offset_words(scene.at, scene.zone),
        f"grey: middle 80 % of all {machines:,}" if machines > shown else "0 to 100 %",
        "× anomaly",
        f"mean of {duration(columned.bin_s)}" if columned.bin_s else "",
    ]
