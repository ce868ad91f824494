"""Readings or minutes become the courses of machines: averaged where there are too many, and broken over silences.

A mean hides an excursion. Each point therefore also has the worst score of its time, and how many readings in it were
anomalies. The newest readings are used where they reach back as far as the minutes do, and the minutes elsewhere.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.board.scene import Scene
from consumers.records import Minute, RatedReading
from utils.efficiency import Limits
from utils.message import epoch_seconds

_MOST_POINTS: Final = 150
_BIN_WIDTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)
_MINUTE_S: Final = 60.0
_BAND_MACHINES: Final = 400
_EXACT: Final = 1e-6
_LOW, _HIGH = 0.1, 0.9

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.int64]


class Columns(NamedTuple):
    """Readings or minutes as columns."""

    machine_id: Numbers
    time_s: Floats
    """Since 1970; of a minute its middle."""
    score: Floats
    worst: Floats
    readings: Floats
    anomalies: Floats
    is_maintenance: Flags

    def of(self, chosen: Any) -> "Columns":
        """Return the rows that a mask or an array of places chooses."""
        columns: Any = self
        return Columns(*(column[chosen] for column in columns))


class KeptColumns:
    """The columns of the newest readings, kept from frame to frame: only the new ones are made into columns."""

    def __init__(self) -> None:
        self._readings: Sequence[RatedReading] = []
        self._columns = columns_of_readings([])

    def of(self, readings: Sequence[RatedReading]) -> Columns:
        """Return readings as columns; quickly if they are those of last time, less the first, and then new ones."""
        old, first = self._readings, readings[0] if readings else None
        gone = next((place for place, reading in enumerate(old) if reading is first), len(old))
        kept = old[gone:]
        if kept != readings[: len(kept)]:  # the same objects are soon compared
            gone, kept = len(old), []
        new = columns_of_readings(readings[len(kept) :])
        self._readings = readings
        self._columns = Columns(
            *(np.concatenate((was[gone:], is_new)) for was, is_new in zip(self._columns, new, strict=True))
        )
        return self._columns


class Course(NamedTuple):
    """The points of one machine, in the order of time."""

    time_s: Floats
    score: Floats
    worst: Floats
    anomalies: Floats
    is_maintenance: Flags
    begins: Flags
    """True where a line begins: at the first point, and after a silence."""


class Band(NamedTuple):
    """Between which scores the middle 80 % of the fleet lie, over time."""

    time_s: Floats
    low: Floats
    high: Floats


class Columned:
    """The columns of a scene, from its readings or from its minutes, and how wide their bins are."""

    def __init__(self, scene: Scene, machine_ids: Sequence[int], readings: Columns) -> None:
        """Take the scene's readings as columns, or its minutes."""
        self._scene = scene
        oldest_s = float(readings.time_s.min()) if len(readings.time_s) else np.inf
        minutes = [minute for machine_id in machine_ids for minute in scene.fleet.history.of(machine_id)]
        first_s = min((epoch_seconds(minute.minute) for minute in minutes), default=np.inf)
        self.is_by_minute = bool(minutes) and first_s + _MINUTE_S <= oldest_s
        self._columns = columns_of_minutes(minutes, scene.limits) if self.is_by_minute else readings
        self._gap_s = max(scene.silence_s, 1.5 * _MINUTE_S) if self.is_by_minute else scene.silence_s
        times = self._columns.time_s
        self.newest_s = float(times.max()) if len(times) else 0.0
        if len(times) and self.is_by_minute:
            self.newest_s = max(self.newest_s, epoch_seconds(scene.at))
        since = times >= self.newest_s - scene.window_s
        self._columns = self._columns.of(since)
        self.span_s = self.newest_s - float(self._columns.time_s.min()) if since.any() else 0.0
        self.bin_s = self._bin_s()

    def _bin_s(self) -> float:
        _, sizes = np.unique(self._columns.machine_id, return_counts=True)
        least_s = _MINUTE_S if self.is_by_minute else 0.0
        if not len(sizes) or sizes.max() <= _MOST_POINTS:
            return least_s
        wanted_s = self.span_s / _MOST_POINTS
        return max(next((width for width in _BIN_WIDTHS_S if width >= wanted_s), wanted_s), least_s)

    def course(self, machine_id: int) -> Course:
        """Return the points of one machine; none if it was not heard in the window."""
        own = np.flatnonzero(self._columns.machine_id == machine_id)
        own = own[np.argsort(self._columns.time_s[own], kind="stable")]
        _, time_s, score, worst, readings, anomalies, maintenance = self._columns.of(own)
        if not len(own):
            return Course(time_s, score, worst, anomalies, maintenance, maintenance)
        begins = np.concatenate(([True], np.diff(time_s) > self._gap_s))
        bins = np.floor(time_s / self.bin_s) if self.bin_s else np.arange(len(own))
        starts = np.flatnonzero(begins | np.concatenate(([True], np.diff(bins) != 0)))
        total = np.add.reduceat(readings, starts)
        return Course(
            np.add.reduceat(time_s * readings, starts) / total,
            np.add.reduceat(score * readings, starts) / total,
            np.minimum.reduceat(worst, starts),
            np.add.reduceat(anomalies, starts),
            np.logical_and.reduceat(maintenance, starts),
            begins[starts],
        )

    def band(self) -> Band:
        """Return the band of the fleet; of a large one, of an even sample of its machines."""
        columns = self._columns
        if self.is_by_minute:
            ids = list(self._scene.fleet.machines)
            ids = ids[:: -(-len(ids) // _BAND_MACHINES)]
            history = self._scene.fleet.history
            columns = columns_of_minutes([m for i in ids for m in history.of(i)], self._scene.limits)
        width_s = max(self.bin_s, self.span_s / _MOST_POINTS, 1.0)
        bins = np.floor(columns.time_s / width_s)
        order = np.lexsort((columns.score, bins))
        found, starts, sizes = np.unique(bins[order], return_index=True, return_counts=True)
        score = columns.score[order]
        low, high = (score[starts + np.floor(share * (sizes - 1)).astype(int)] for share in (_LOW, _HIGH))
        return Band((found + 0.5) * width_s, low, high)


def columns_of_readings(readings: Collection[RatedReading]) -> Columns:
    """Return readings as columns."""
    size = len(readings)
    score = np.fromiter((reading.efficiency_score for reading in readings), np.float64, size)
    return Columns(
        np.fromiter((reading.machine_id for reading in readings), np.int64, size),
        np.fromiter((epoch_seconds(reading.timestamp) for reading in readings), np.float64, size),
        score,
        score,
        np.ones(size),
        np.fromiter((reading.is_anomaly for reading in readings), np.float64, size),
        np.fromiter((reading.mode == "maintenance" for reading in readings), np.bool_, size),
    )


def columns_of_minutes(minutes: Sequence[Minute], limits: Limits) -> Columns:
    """Return minutes as columns.

    A minute holds no modes: it is one of maintenance if no reading of it was active and all had maintenance's score.
    """
    size = len(minutes)

    def floats(values: Iterable[float]) -> Floats:
        return np.fromiter(values, np.float64, size)

    readings = floats(minute.readings for minute in minutes)
    score = floats(minute.efficiency_sum for minute in minutes) / readings
    worst = floats(minute.efficiency_min for minute in minutes)
    still = np.fromiter((minute.active_readings == 0 for minute in minutes), np.bool_, size)
    base = round(limits.base_maintenance, 1)
    return Columns(
        np.fromiter((minute.machine_id for minute in minutes), np.int64, size),
        floats(epoch_seconds(minute.minute) + _MINUTE_S / 2 for minute in minutes),
        score,
        worst,
        readings,
        floats(minute.anomalies for minute in minutes),
        still & (np.abs(score - base) < _EXACT) & (worst == base),
    )
