"""The four panels, each an artist holder whose artists are made once; `update` only sets their data."""

from collections.abc import Collection, Sequence
from datetime import UTC
from itertools import islice
from textwrap import wrap
from typing import Any, Final, NamedTuple, TypeAlias, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, ScaledTranslation
from numpy.typing import NDArray

from consumers.board.labels import Box, place_beside, spread
from consumers.machines.fleet import Fleet
from consumers.machines.plant_status import (
    Attendance,
    level_of_mean,
    machine_name,
    scatter_words,
    silence_words,
    trend_words,
    worst_machines,
)
from consumers.records import RatedReading
from utils.efficiency import EfficiencyLevel, Limits
from utils.message import MODES, Mode, epoch_seconds
from utils.text import duration, printable

STATE_COLOURS: Final[dict[Mode, str]] = {
    "active": "#2E9E5B",
    "idle": "#FFD400",
    "maintenance": "#F28E00",
    "offline": "#B3001B",
}
# Apart from the state colours, and from one another also for colour-blind people; dark is worse.
LEVEL_COLOURS: Final[dict[EfficiencyLevel, str]] = {
    "High": "#2C7FB8",
    "Medium": "#8CC6DE",
    "Low": "#C3A5CF",
    "Critical": "#6A2A85",
}
MACHINE_COLOURS: Final = (
    "#0072B2", "#CC5FA0", "#222222", "#56B4E9", "#8C564B", "#4B3F9E", "#8A8A2E", "#7D8FA3",
)  # fmt: skip
"""Of as many machines as are named in the trend panel; none is a state's colour."""
ANOMALY_COLOUR: Final = "#D4001A"

INK: Final = "#1F2933"
QUIET_INK: Final = "#5B6770"
FONT_PT: Final = 10.5
_GRID: Final = "#E4E8EB"
_GREY: Final = "#73808C"
_NORMAL_POINT: Final = (0.29, 0.43, 0.56, 0.35)
_LABEL_PT: Final = 11.0
_LABEL_GAP_PT: Final = 15.0
_DIGIT_EM: Final = 0.72  # width of the widest characters of a machine's name, generously

_MOST_POINTS_A_MACHINE: Final = 150
_MOST_POINTS_A_GREY_MACHINE: Final = 60
_POINTS_WITH_MARKERS: Final = 25
_GREY_LINES: Final = 10  # of full strength: so much ink the others share
_BIN_WIDTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)
_SHORTEST_SPAN_S: Final = 10.0
_DAY_S: Final = 86_400.0
_FIRST_DAY: Final = -719_160.0  # in the years 1 and 9999, as matplotlib draws no others
_LAST_DAY: Final = 2_932_890.0
_SCATTER_READINGS: Final = 1_500
_NAMED_POINTS: Final = 5
_CROSSES_AVOIDED: Final = 60
_EDGE: Final = 0.035  # of an axis: where readings beyond it are drawn
_SHRINK_AFTER_FRAMES: Final = 30
_WAITING_LINE: Final = 50
_WAITING_LINES: Final = 5

_Floats: TypeAlias = NDArray[np.float64]


class _Trends(NamedTuple):
    """Points of the trend panel, by machine and then by time."""

    machine_id: NDArray[np.int64]
    time_s: _Floats
    """Since 1970."""
    score: _Floats
    begins: NDArray[np.bool_]
    """A line begins at this point: another machine, or the same one after a silence."""
    mean_of_s: float
    """Each point is the mean of so many seconds; 0: each is one reading."""
    active_mean: dict[int, float]
    """Mean score while active, of each machine that was."""


def _trends(readings: Collection[RatedReading], window_s: float, silence_s: float) -> _Trends:
    """Sort the newest `window_s` of at least one reading into lines that break after `silence_s`."""
    machine_id = np.fromiter((reading.machine_id for reading in readings), np.int64, len(readings))
    time_s = np.fromiter((epoch_seconds(reading.timestamp) for reading in readings), np.float64, len(readings))
    score = np.fromiter((reading.efficiency_score for reading in readings), np.float64, len(readings))
    active = np.fromiter((reading.mode == "active" for reading in readings), np.bool_, len(readings))
    order = np.lexsort((time_s, machine_id))
    order = order[time_s[order] >= time_s.max() - window_s]
    machine_id, time_s, score, active = machine_id[order], time_s[order], score[order], active[order]
    changes = np.concatenate(([True], machine_id[1:] != machine_id[:-1]))
    begins = changes | np.concatenate(([True], np.diff(time_s) > silence_s))
    mean_of_s = _bin_width_s(time_s, np.diff(np.append(np.flatnonzero(changes), len(order))))
    if mean_of_s:
        bins = np.floor(time_s / mean_of_s)
        latest = np.append(changes[1:], True)  # stays single, so that a line ends at its machine's latest reading
        starts = np.flatnonzero(begins | latest | np.concatenate(([True], bins[1:] != bins[:-1])))
    else:
        starts = np.arange(len(order))
    readings_a_point = np.diff(np.append(starts, len(order)))
    return _Trends(
        machine_id[starts],
        np.add.reduceat(time_s, starts) / readings_a_point,
        np.add.reduceat(score, starts) / readings_a_point,
        begins[starts],
        mean_of_s,
        _means(machine_id[active], score[active]),
    )


def _bin_width_s(time_s: _Floats, readings_a_machine: NDArray[np.int64]) -> float:
    """Choose a round time to average over, so that a line has no more points than can be told apart; 0: none."""
    named_only = len(readings_a_machine) <= len(MACHINE_COLOURS)
    most = _MOST_POINTS_A_MACHINE if named_only else _MOST_POINTS_A_GREY_MACHINE
    if readings_a_machine.max() <= most:
        return 0
    shortest_s = float(np.ptp(time_s)) / most
    return next((width_s for width_s in _BIN_WIDTHS_S if width_s >= shortest_s), shortest_s)


def _means(machine_id: NDArray[np.int64], score: _Floats) -> dict[int, float]:
    ids, group, sizes = np.unique(machine_id, return_inverse=True, return_counts=True)
    return dict(zip(ids.tolist(), (np.bincount(group, score, len(ids)) / sizes).tolist(), strict=True))


class TrendPanel:
    """Efficiency over time: a few machines coloured and named at their line's end, any others grey."""

    def __init__(self, axes: Axes, limits: Limits, waiting_for: str, window_s: float) -> None:
        self._axes = axes
        self._limits = limits
        self._window_s = window_s
        self._waiting = axes.text(
            0.5, 0.5, _waiting_text(waiting_for), fontsize=16, ha="center", va="center", transform=axes.transAxes
        )
        self._subtitle = _frame(axes, "Efficiency over time", "Time, UTC", "Efficiency, %")
        locator = AutoDateLocator(tz=UTC, minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
        axes.set_ylim(-4, 104)
        axes.set_yticks(range(0, 101, 20))
        axes.grid(color=_GRID, linewidth=0.8)
        self._others = LineCollection([], colors=[_GREY], linewidths=0.9)
        (self._dots,) = axes.plot([], [], "o", markersize=3, color=_GREY, alpha=0.5, markeredgewidth=0)
        self._leaders = LineCollection(
            [], linewidths=1.0, linestyles=":", clip_on=False, transform=axes.get_yaxis_transform()
        )
        for lines in (self._others, self._leaders):
            axes.add_collection(lines, autolim=False)
        self._lines = [self._line(slot) for slot in range(len(MACHINE_COLOURS))]
        self._labels = [self._label(colour) for colour in MACHINE_COLOURS]
        self._slots: dict[int, int] = {}

    def _line(self, slot: int) -> Line2D:
        # Scores are steps, so lines lie upon one another: each is moved by half its own width from the next. The
        # first lies where it is, the others above and below it in turns.
        raised_in = (slot + 1) // 2 * (1 if slot % 2 else -1) * 0.9 / 72
        beside = ScaledTranslation(0, raised_in, _inches(self._axes))
        (line,) = self._axes.plot(
            [],
            [],
            "o-",
            color=MACHINE_COLOURS[slot],
            linewidth=1.9,
            markersize=4.5,
            markeredgewidth=0,
            solid_joinstyle="round",
            transform=self._axes.transData + beside,
        )
        return line

    def _label(self, colour: str) -> Text:
        where = self._axes.get_yaxis_transform()
        return self._axes.text(
            1.035, 0, "", transform=where, color=colour, fontsize=_LABEL_PT, weight="bold", va="center_baseline"
        )

    def update(self, fleet: Fleet, attendance: Attendance) -> None:
        """Draw the attendance's readings; without any, say what is waited for."""
        self._waiting.set_visible(not fleet.machines)
        self._axes.xaxis.set_visible(bool(attendance.readings))
        if attendance.readings:
            self._draw(fleet, _trends(attendance.readings, self._window_s, attendance.silence_s))

    def _draw(self, fleet: Fleet, trends: _Trends) -> None:
        shown = np.unique(trends.machine_id).tolist()
        chosen = worst_machines(
            (fleet.machines[machine_id] for machine_id in shown),
            trends.active_mean,
            len(MACHINE_COLOURS),
            self._limits,
        )
        self._assign_slots(chosen)
        mean = f" (mean of {duration(trends.mean_of_s)})" if trends.mean_of_s else ""
        self._axes.set_ylabel(f"Efficiency, %{mean}")
        self._subtitle.set_text(trend_words(len(chosen), len(shown)))
        self._set_time_axis(trends.time_s)
        self._draw_others(trends)
        self._draw_named(fleet, trends)

    def _assign_slots(self, chosen: Sequence[int]) -> None:
        """Give each chosen machine a colour, which it keeps for as long as it stays chosen."""
        self._slots = {machine_id: slot for machine_id, slot in self._slots.items() if machine_id in chosen}
        free = iter(sorted(set(range(len(MACHINE_COLOURS))) - set(self._slots.values())))
        for machine_id in sorted(set(chosen) - set(self._slots)):
            self._slots[machine_id] = next(free)

    def _set_time_axis(self, time_s: _Floats) -> None:
        newest = time_s.max()
        span_s = max(newest - time_s.min(), _SHORTEST_SPAN_S)
        left, right = (newest - 1.01 * span_s) / _DAY_S, (newest + 0.01 * span_s) / _DAY_S
        self._axes.set_xlim(max(left, _FIRST_DAY), max(min(right, _LAST_DAY), _FIRST_DAY + 1))

    def _draw_others(self, trends: _Trends) -> None:
        other = ~np.isin(trends.machine_id, list(self._slots))
        points = np.column_stack((trends.time_s[other] / _DAY_S, trends.score[other]))
        lines = np.split(points, np.flatnonzero(trends.begins[other])[1:])
        self._others.set_segments([line for line in lines if len(line) > 1])
        # The more lines, the fainter each: where many lie upon one another, it is dark all the same.
        self._others.set_alpha(float(np.clip(_GREY_LINES / max(len(lines), 1), 0.07, 0.35)))
        alone = np.array([line[0] for line in lines if len(line) == 1]).reshape(-1, 2)
        self._dots.set_data(alone[:, 0], alone[:, 1])

    def _draw_named(self, fleet: Fleet, trends: _Trends) -> None:
        ends: list[tuple[float, int, int, float]] = []
        for machine_id, slot in self._slots.items():
            own = np.flatnonzero(trends.machine_id == machine_id)
            time_d, score = trends.time_s[own] / _DAY_S, trends.score[own]
            _set_broken_line(self._lines[slot], time_d, score, trends.begins[own])
            ends.append((float(score[-1]), slot, machine_id, float(time_d[-1])))
        for slot in set(range(len(self._lines))) - set(self._slots.values()):
            self._lines[slot].set_data([], [])
            self._labels[slot].set_text("")
        self._draw_labels(fleet, sorted(ends))

    def _draw_labels(self, fleet: Fleet, ends: Sequence[tuple[float, int, int, float]]) -> None:
        left, right = self._axes.get_xlim()
        low, high = self._axes.get_ylim()
        gap = _LABEL_GAP_PT / _size_pt(self._axes)[1] * (high - low)
        heights = spread([score for score, *_ in ends], gap, low, high)
        leaders = []
        for (score, slot, machine_id, end_d), height in zip(ends, heights, strict=True):
            beyond = " ×" if fleet.machines[machine_id].latest.is_anomaly else ""
            self._labels[slot].set_text(f"{machine_name(machine_id)}  {score:.0f} %{beyond}")
            self._labels[slot].set_y(height)
            leaders.append([((end_d - left) / (right - left), score), (1.005, score), (1.03, height)])
        self._leaders.set_segments(leaders)
        self._leaders.set_color([MACHINE_COLOURS[slot] for _, slot, *_ in ends])


def _set_broken_line(line: Line2D, x: _Floats, y: _Floats, begins: NDArray[np.bool_]) -> None:
    """Show points as lines; a point that stands alone, the last one, and few ones have markers."""
    cuts = np.flatnonzero(begins)[1:]
    alone = begins & np.append(begins[1:], True)
    marked = alone | (len(x) <= _POINTS_WITH_MARKERS)
    marked[-1] = True
    line.set_data(np.insert(x, cuts, np.nan), np.insert(y, cuts, np.nan))
    line.set_markevery(np.flatnonzero(np.insert(marked, cuts, False)).tolist())


class ModePanel:
    """How many machines are in each mode; the silent ones, of which only an old mode is known, are hatched."""

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._subtitle = _frame(axes, "Machines by mode", "", "Machines")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
        axes.grid(axis="y", color=_GRID, linewidth=0.8)
        colours = [STATE_COLOURS[mode] for mode in MODES]
        self._heard = _bars(axes, colours)
        self._silent = _bars(axes, [(colour, 0.3) for colour in colours], hatch="///")
        self._counts = _bar_labels(axes)
        self._reach = _Reach(0, 4, 1)

    def update(self, fleet: Fleet, attendance: Attendance) -> None:
        """Count the machines, the attendance's silent ones apart."""
        silent = attendance.silent
        totals = fleet.machines_by_mode()
        for mode, heard_bar, silent_bar, label in zip(MODES, self._heard, self._silent, self._counts, strict=True):
            quiet = sum(machine.latest.mode == mode for machine in silent)
            heard_bar.set_height(totals[mode] - quiet)
            silent_bar.set_y(totals[mode] - quiet)
            silent_bar.set_height(quiet)
            label.set_text(f"{totals[mode]:,}")
            label.set_y(totals[mode])
        self._axes.set_ylim(*self._reach.cover(0, max(totals.values()) * 1.18))
        self._subtitle.set_text(
            silence_words([machine.latest.machine_id for machine in silent], attendance.silence_s)
        )


class ScatterPanel:
    """Temperature against vibration, with the safe limits; readings far outside are drawn at the edge."""

    def __init__(self, axes: Axes, limits: Limits) -> None:
        self._axes = axes
        self._limits = limits
        self._subtitle = _frame(axes, "Temperature against vibration", "Temperature, °C", "Vibration, mm/s RMS")
        axes.grid(color=_GRID, linewidth=0.8)
        self._set_reach(limits)
        self._draw_limits(limits)
        (self._normal,) = axes.plot([], [], "o", color=_NORMAL_POINT, markersize=5, markeredgewidth=0)
        (self._beyond,) = axes.plot([], [], "X", color=ANOMALY_COLOUR, markersize=9, markeredgecolor="white")
        (self._rings,) = axes.plot([], [], "o", color="none", markersize=15, markeredgecolor=INK, markeredgewidth=1)
        for points in (self._normal, self._beyond, self._rings):
            points.set_clip_on(False)
            points.set_zorder(3)
        paper = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5}
        self._names = [
            axes.text(0, 0, "", fontsize=_LABEL_PT, weight="bold", transform=axes.transAxes, zorder=4, bbox=paper)
            for _ in range(_NAMED_POINTS)
        ]

    def _set_reach(self, limits: Limits) -> None:
        cold_c, hot_c, rough = (
            limits.temperature_cold_c,
            limits.temperature_safe_max_c,
            limits.vibration_safe_max_mm_s,
        )
        span_c = max(hot_c - cold_c, 10.0)
        rough = max(rough, 1.0)
        self._reach_c = _Reach(cold_c - span_c / 3, hot_c + span_c / 3, span_c / 6)
        self._reach_mm_s = _Reach(0, rough * 4 / 3, rough / 3)
        self._widest_c = (cold_c - 1.5 * span_c, hot_c + 1.5 * span_c)
        self._widest_mm_s = (0.0, 4 * rough)

    def _draw_limits(self, limits: Limits) -> None:
        axes, hot_c, rough_mm_s = self._axes, limits.temperature_safe_max_c, limits.vibration_safe_max_mm_s
        optimal_c = limits.temperature_optimal_min_c, limits.temperature_optimal_max_c
        axes.axvspan(*optimal_c, color="#2C7FB8", alpha=0.07, linewidth=0)
        axes.axvline(hot_c, color=ANOMALY_COLOUR, linestyle="--", linewidth=1.4)
        axes.axhline(rough_mm_s, color=ANOMALY_COLOUR, linestyle="--", linewidth=1.4)
        above, beside = axes.get_xaxis_transform(), axes.get_yaxis_transform()
        red: dict[str, Any] = {"color": ANOMALY_COLOUR, "fontsize": FONT_PT}
        axes.text(hot_c, 1.02, f"safe limit {hot_c:g} °C", transform=above, ha="left", va="bottom", **red)
        axes.text(1.012, rough_mm_s, f"safe limit\n{rough_mm_s:g} mm/s", transform=beside, va="center", **red)
        axes.text(
            optimal_c[1],
            1.02,
            f"optimal {optimal_c[0]:g} to {optimal_c[1]:g} °C",
            transform=above,
            ha="right",
            va="bottom",
            color="#2C6C99",
            fontsize=FONT_PT,
        )

    def update(self, recent: Sequence[RatedReading]) -> None:
        """Draw the newest readings."""
        newest = list(islice(reversed(recent), _SCATTER_READINGS))
        temperature_c = np.array([reading.temperature_c for reading in newest])
        vibration_mm_s = np.array([reading.vibration_mm_s for reading in newest])
        beyond = np.array([reading.is_anomaly for reading in newest], np.bool_)
        x, left, right = _onto_scale(temperature_c, self._widest_c, self._reach_c)
        y, bottom, top = _onto_scale(vibration_mm_s, self._widest_mm_s, self._reach_mm_s)
        self._axes.set(xlim=(left, right), ylim=(bottom, top))
        self._normal.set_data(x[~beyond], y[~beyond])
        self._beyond.set_data(x[beyond], y[beyond])
        outside = int(np.count_nonzero((x != temperature_c) | (y != vibration_mm_s)))
        self._subtitle.set_text(scatter_words(len(newest), int(beyond.sum()), outside))
        self._name_newest(newest, x, y)

    def _name_newest(self, newest: Sequence[RatedReading], x: _Floats, y: _Floats) -> None:
        """Name the machines whose anomalies are newest, where there is room."""
        first: dict[int, int] = {}
        for index, reading in enumerate(newest):
            if reading.is_anomaly and len(first) < _NAMED_POINTS:
                first.setdefault(reading.machine_id, index)
        named = list(first.values())
        area = Box(0, 0, *_size_pt(self._axes))
        anchors = self._places_pt(x[named], y[named])
        texts = [machine_name(machine_id) for machine_id in first]
        sizes = [(len(text) * _DIGIT_EM * _LABEL_PT, 1.3 * _LABEL_PT) for text in texts]
        crosses = [index for index, reading in enumerate(newest) if reading.is_anomaly][:_CROSSES_AVOIDED]
        boxes = place_beside(
            anchors,
            sizes,
            area,
            [_around(place, 8) for place in anchors],
            [_around(place, 4) for place in self._places_pt(x[crosses], y[crosses])],
        )
        for label in self._names:
            label.set_text("")
        for label, text, box in zip(self._names, texts, boxes, strict=False):
            if box is not None:
                label.set_text(text)
                label.set_position((box.left / area.right, (box.bottom + 0.25 * _LABEL_PT) / area.top))
        self._rings.set_data(x[named], y[named])

    def _places_pt(self, x: _Floats, y: _Floats) -> list[tuple[float, float]]:
        """Tell where points lie in the panel, in points from its lower left corner."""
        width_pt, height_pt = _size_pt(self._axes)
        fractions = self._axes.transLimits.transform(np.column_stack((x, y)).reshape(-1, 2))
        return [(right * width_pt, up * height_pt) for right, up in fractions.tolist()]


def _around(place: tuple[float, float], reach: float) -> Box:
    x, y = place
    return Box(x - reach, y - reach, x + reach, y + reach)


def _onto_scale(values: _Floats, widest: tuple[float, float], reach: "_Reach") -> tuple[_Floats, float, float]:
    """Choose an axis' limits, and move the values beyond the widest sensible ones to just inside its ends."""
    inside = values[(values >= widest[0]) & (values <= widest[1])]
    low, high = reach.cover(inside.min(), inside.max()) if len(inside) else reach.shown
    margin = _EDGE * (high - low)
    moved = np.where(values > widest[1], high - margin, np.where(values < widest[0], low + margin, values))
    return moved, low, high


class LevelPanel:
    """Average efficiency of all readings by mode, in the colour of its level."""

    def __init__(self, axes: Axes, limits: Limits) -> None:
        self._limits = limits
        _frame(axes, "Average efficiency by mode", "", "Efficiency, %")
        axes.set_ylim(0, 112)
        axes.set_yticks(range(0, 101, 20))
        axes.grid(axis="y", color=_GRID, linewidth=0.8)
        self._bars = _bars(axes, ["white"] * len(MODES))
        self._values = _bar_labels(axes)
        ranges: dict[EfficiencyLevel, str] = {
            "High": f"High ≥ {limits.level_high_from:g}",
            "Medium": f"Medium ≥ {limits.level_medium_from:g}",
            "Low": "Low",
            "Critical": f"Critical < {limits.level_critical_below:g}",
        }
        axes.legend(
            handles=[
                Rectangle((0, 0), 1, 1, facecolor=LEVEL_COLOURS[level], edgecolor=INK, linewidth=0.8, label=text)
                for level, text in ranges.items()
            ],
            loc="lower left",
            bbox_to_anchor=(-30 / _size_pt(axes)[0], 1.025),
            borderaxespad=0,
            ncols=4,
            frameon=False,
            fontsize=10,
            handlelength=0.9,
            handletextpad=0.35,
            columnspacing=0.8,
        )

    def update(self, fleet: Fleet) -> None:
        """Show the means as they are now."""
        means = fleet.mean_efficiency_by_mode()
        for mode, bar, label in zip(MODES, self._bars, self._values, strict=True):
            mean = means[mode]
            bar.set_height(mean or 0)
            label.set_y(mean or 0)
            label.set_text("n/a" if mean is None else f"{mean:.1f} %")
            if mean is not None:
                bar.set_facecolor(LEVEL_COLOURS[level_of_mean(mean, self._limits)])


class _Reach:
    """How far an axis shows: grows at once, in whole steps, and shrinks only after many frames without need."""

    def __init__(self, low: float, high: float, step: float) -> None:
        self._base = self.shown = (low, high)
        self._step = step
        self._frames_with_less = 0

    def cover(self, low: float, high: float) -> tuple[float, float]:
        """Tell the limits that show everything from `low` to `high`, and the base."""
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


def _frame(axes: Axes, title: str, x_label: str, y_label: str) -> Text:
    """Title a panel and name its axes; returns the line of small text below the title."""
    axes.set(xlabel=x_label, ylabel=y_label)
    # At fixed places, as finding one below the tick labels costs a tenth of each frame.
    width_pt, height_pt = _size_pt(axes)
    axes.xaxis.set_label_coords(0.5, -24 / height_pt)
    axes.yaxis.set_label_coords(-32 / width_pt, 0.5)
    axes.tick_params(length=3)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(title, (0, 1), (-30, 38), fontsize=15, weight="bold", **above)
    return axes.annotate("", (0, 1), (-30, 21), fontsize=FONT_PT, color=QUIET_INK, **above)


def _bars(axes: Axes, colours: Sequence[Any], hatch: str | None = None) -> list[Rectangle]:
    """Draw a bar for each mode, in the fixed order, without height yet."""
    names = [mode.capitalize() for mode in MODES]
    bars = axes.bar(names, [0] * len(names), 0.68, color=colours, edgecolor=INK, linewidth=1.1, hatch=hatch)
    axes.tick_params(axis="x", length=0)
    return list(bars)


def _bar_labels(axes: Axes) -> list[Text]:
    """Make a text above each bar, which follows it when its y is set."""
    transform = axes.transData + ScaledTranslation(0, 4 / 72, _inches(axes))
    style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 13, "weight": "bold"}
    return [axes.text(place, 0, "", transform=transform, **style) for place in range(len(MODES))]


def _size_pt(axes: Axes) -> tuple[float, float]:
    """Tell the width and height of a panel in points, the unit of its letters."""
    width_in, height_in = axes.get_window_extent().transformed(_inches(axes).inverted()).size
    return float(width_in) * 72, float(height_in) * 72


def _inches(axes: Axes) -> Affine2D:
    return cast("Figure", axes.get_figure(root=True)).dpi_scale_trans


def _waiting_text(waiting_for: str) -> str:
    lines = wrap(f"Waiting for {_drawable(printable(waiting_for))} …", _WAITING_LINE)
    if len(lines) > _WAITING_LINES:
        lines[_WAITING_LINES // 2 : -(_WAITING_LINES // 2)] = ["…"]
    return "\n".join(lines)


def _drawable(text: str) -> str:
    """Escape the characters that the font cannot draw, which matplotlib would warn of at every frame."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    return "".join(c if font.get_char_index(ord(c)) else ascii(c)[1:-1] for c in text)
