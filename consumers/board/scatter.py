"""The panel of temperature against vibration, with the safe limits."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray

from consumers.board.axes import Reach, frame, size_pt
from consumers.board.labels import Box, place_beside
from consumers.board.palette import (
    ANOMALY_COLOUR,
    FONT_PT,
    GRID,
    INK,
    NAME_PT,
    NORMAL_COLOUR,
    OPTIMAL_COLOUR,
    OPTIMAL_INK,
    PAPER,
)
from consumers.board.words import NameOf, number_name, scatter_words
from consumers.records import RatedReading
from utils.efficiency import Limits

_READINGS: Final = 1_500
_NAMED_POINTS: Final = 5
_CROSSES_AVOIDED: Final = 60
_EDGE: Final = 0.035  # of an axis: so far inside its ends, readings beyond it are drawn
_DIGIT_EM: Final = 0.72  # width of the widest characters of a machine's name, with some room

_Floats: TypeAlias = NDArray[np.float64]


class ScatterPanel:
    """Temperature against vibration, with the safe limits; readings far outside are drawn at the edge."""

    def __init__(self, axes: Axes, limits: Limits) -> None:
        self._axes = axes
        self._subtitle = frame(axes, "Temperature against vibration", "Temperature, °C", "Vibration, mm/s RMS")
        axes.grid(color=GRID, linewidth=0.8)
        self._set_reach(limits)
        _draw_limits(axes, limits)
        self._normal = _points(axes, "o", color=NORMAL_COLOUR, markersize=5, markeredgewidth=0)
        self._beyond = _points(axes, "X", color=ANOMALY_COLOUR, markersize=9, markeredgecolor=PAPER)
        self._rings = _points(axes, "o", color="none", markersize=15, markeredgecolor=INK, markeredgewidth=1)
        self._names = [_name(axes) for _ in range(_NAMED_POINTS)]

    def _set_reach(self, limits: Limits) -> None:
        """Choose how far the axes reach at first, and how far at most; the limits are always well inside."""
        cold_c, hot_c = limits.temperature_cold_c, limits.temperature_safe_max_c
        span_c = max(hot_c - cold_c, 10.0)
        rough_mm_s = max(limits.vibration_safe_max_mm_s, 1.0)
        self._reach_c = Reach(cold_c - span_c / 3, hot_c + span_c / 3, span_c / 6)
        self._reach_mm_s = Reach(0, rough_mm_s * 4 / 3, rough_mm_s / 3)
        self._widest_c = (cold_c - 1.5 * span_c, hot_c + 1.5 * span_c)
        self._widest_mm_s = (0.0, 4 * rough_mm_s)

    def update(self, recent: Sequence[RatedReading], name_of: NameOf = number_name) -> None:
        """Draw the newest readings."""
        newest = list(islice(reversed(recent), _READINGS))
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
        self._ring_newest(newest, x, y, name_of)

    def _ring_newest(self, newest: Sequence[RatedReading], x: _Floats, y: _Floats, name_of: NameOf) -> None:
        """Ring the newest anomalies, one a machine, and name their machines if there is room."""
        anomalies = [index for index, reading in enumerate(newest) if reading.is_anomaly]
        first: dict[int, int] = {}
        for index in anomalies:
            if len(first) < _NAMED_POINTS:
                first.setdefault(newest[index].machine_id, index)
        ringed, crosses = list(first.values()), anomalies[:_CROSSES_AVOIDED]
        self._rings.set_data(x[ringed], y[ringed])
        self._set_names(
            [name_of(machine_id) for machine_id in first],
            self._places_pt(x[ringed], y[ringed]),
            self._places_pt(x[crosses], y[crosses]),
        )

    def _set_names(
        self, names: Sequence[str], anchors: Sequence[tuple[float, float]], crosses: Sequence[tuple[float, float]]
    ) -> None:
        """Write names beside their anchors, off the rings, and off the crosses if that is possible."""
        area = Box(0, 0, *size_pt(self._axes))
        sizes = [(len(name) * _DIGIT_EM * NAME_PT, 1.3 * NAME_PT) for name in names]
        rings = [_around(place, 8) for place in anchors]
        boxes = place_beside(anchors, sizes, area, rings, [_around(place, 4) for place in crosses])
        for text in self._names:
            text.set_text("")
        for text, name, box in zip(self._names, names, boxes, strict=False):
            if box is not None:
                text.set_text(name)
                text.set_position((box.left / area.right, (box.bottom + 0.25 * NAME_PT) / area.top))

    def _places_pt(self, x: _Floats, y: _Floats) -> list[tuple[float, float]]:
        """Return where points lie in the panel, in points of type from its lower left corner."""
        width_pt, height_pt = size_pt(self._axes)
        fractions = self._axes.transLimits.transform(np.column_stack((x, y)).reshape(-1, 2))
        return [(right * width_pt, up * height_pt) for right, up in fractions.tolist()]


def _draw_limits(axes: Axes, limits: Limits) -> None:
    """Draw the safe limits and the optimal range, each with its number."""
    hot_c, rough_mm_s = limits.temperature_safe_max_c, limits.vibration_safe_max_mm_s
    low_c, high_c = limits.temperature_optimal_min_c, limits.temperature_optimal_max_c
    axes.axvspan(low_c, high_c, color=OPTIMAL_COLOUR, alpha=0.07, linewidth=0)
    axes.axvline(hot_c, color=ANOMALY_COLOUR, linestyle="--", linewidth=1.4)
    axes.axhline(rough_mm_s, color=ANOMALY_COLOUR, linestyle="--", linewidth=1.4)
    above: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "va": "bottom", "fontsize": FONT_PT}
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": FONT_PT}
    axes.text(hot_c, 1.02, f"safe limit {hot_c:g} °C", ha="left", color=ANOMALY_COLOUR, **above)
    axes.text(1.012, rough_mm_s, f"safe limit\n{rough_mm_s:g} mm/s", color=ANOMALY_COLOUR, **beside)
    axes.text(high_c, 1.02, f"optimal {low_c:g} to {high_c:g} °C", ha="right", color=OPTIMAL_INK, **above)


def _points(axes: Axes, marker: str, **style: Any) -> Line2D:
    (points,) = axes.plot([], [], marker, **style)
    points.set_clip_on(False)
    points.set_zorder(3)
    return points


def _name(axes: Axes) -> Text:
    paper = {"facecolor": PAPER, "alpha": 0.8, "linewidth": 0, "pad": 0.5}
    return axes.text(0, 0, "", fontsize=NAME_PT, weight="bold", transform=axes.transAxes, zorder=4, bbox=paper)


def _around(place: tuple[float, float], reach: float) -> Box:
    x, y = place
    return Box(x - reach, y - reach, x + reach, y + reach)


def _onto_scale(values: _Floats, widest: tuple[float, float], reach: Reach) -> tuple[_Floats, float, float]:
    """Return the values with those beyond the widest sensible axis moved to just inside its ends, and those ends."""
    inside = values[(values >= widest[0]) & (values <= widest[1])]
    low, high = reach.cover(inside.min(), inside.max()) if len(inside) else reach.shown
    margin = _EDGE * (high - low)
    moved = np.where(values > widest[1], high - margin, np.where(values < widest[0], low + margin, values))
    return moved, low, high
