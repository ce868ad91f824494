"""How efficient the machines were in each mode, over the trend's window: from totals, not from readings kept.

Each machine's totals by mode reach back to its first reading. So what they were when the window began, taken from
what they are, is what came in between, however many readings that were. What they were is noted once a minute of the
plant's time; at first it is worked out from the newest readings, as far as these reach back. Totals know no levels:
how many readings were Critical is counted as they come, and where they come too fast for that, from those still kept.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consumers.board.scene import Scene
from consumers.machines.minutes import minute_of
from consumers.records import RatedReading, Timestamp
from utils.message import MODES, epoch_seconds

_SET_BACK_S: Final = 300.0
_PLACES: Final = {mode: place for place, mode in enumerate(MODES)}


class ModeFigures(NamedTuple):
    """By mode, in the order of `MODES`."""

    readings: NDArray[np.float64]
    mean: NDArray[np.float64]
    """Of their efficiency, 0 to 100; NaN where there is no reading."""
    critical: NDArray[np.float64]
    """The share of Critical ones, 0 to 1; NaN where there is no reading."""
    is_estimate: NDArray[np.bool_]
    """Whether that share is one of a part of the readings only."""
    span_s: float


class _Sample(NamedTuple):
    at: Timestamp
    sums: NDArray[np.float64]
    """Readings, tenths of efficiency, readings looked at, Critical ones of these; shape (4, modes)."""


class ModeWindow:
    """The efficiency by mode of the newest `window_s` of a scene, by the plant's time, to the minute."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._now: _Sample | None = None

    def update(self, scene: Scene) -> ModeFigures:
        """Return the figures of a scene, and note what later ones need."""
        totals = np.array([*scene.fleet.totals_by_mode().values()], np.float64).T
        before = self._now
        if before is None or epoch_seconds(scene.at) < epoch_seconds(before.at) - _SET_BACK_S:
            self._now = self._begin(scene, totals)
        else:
            self._now = self._go_on(before, scene, totals)
        figures = self._figures(scene, self._now)
        if not totals.any():
            self._now = None  # it begins with the first reading
        return figures

    def _begin(self, scene: Scene, totals: NDArray[np.float64]) -> _Sample:
        """Work out what the totals were at each minute of the readings that are kept; return what they are."""
        readings = scene.readings
        first = min((reading.timestamp for reading in readings), default=scene.at)
        sums = np.vstack((totals - _counted(readings)[:2], np.zeros((2, len(MODES)))))
        self._samples = deque([_Sample(first, sums)])
        at, minute = first, list[RatedReading]()
        for reading in readings:
            if minute_of(reading.timestamp) > minute_of(at):
                sums, minute = sums + _counted(minute), []
                self._samples.append(_Sample(at, sums))
            at = max(at, reading.timestamp)
            minute.append(reading)
        return _Sample(max(scene.at, at), sums + _counted(minute))

    def _go_on(self, before: _Sample, scene: Scene, totals: NDArray[np.float64]) -> _Sample:
        came = int(totals[0].sum() - before.sums[0].sum())
        looked_at = before.sums[2:] + _counted(list(islice(reversed(scene.fleet.recent), came)))[2:]
        if minute_of(scene.at) > minute_of(before.at):
            self._samples.append(before)
        return _Sample(max(scene.at, before.at), np.vstack((totals, looked_at)))

    def _figures(self, scene: Scene, now: _Sample) -> ModeFigures:
        now_s = epoch_seconds(now.at)
        while len(self._samples) > 1 and epoch_seconds(self._samples[1].at) <= now_s - scene.window_s:
            self._samples.popleft()
        base = self._samples[0]
        readings, tenths, looked_at, critical = now.sums - base.sums
        with np.errstate(divide="ignore", invalid="ignore"):
            return ModeFigures(
                readings,
                tenths / readings / 10,
                critical / looked_at,
                looked_at < readings,
                min(now_s - epoch_seconds(base.at), scene.window_s),
            )


def _counted(readings: Sequence[RatedReading]) -> NDArray[np.float64]:
    """Return what readings come to, as in `_Sample`."""
    mode = np.fromiter((_PLACES[reading.mode] for reading in readings), np.int64, len(readings))
    score = np.fromiter((reading.efficiency_score for reading in readings), np.float64, len(readings))
    critical = np.fromiter(
        (reading.efficiency_level == "Critical" for reading in readings), np.float64, len(readings)
    )

    def by_mode(weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
        return np.bincount(mode, weights, len(MODES)).astype(np.float64)

    many = by_mode(None)
    return np.vstack((many, by_mode(np.rint(score * 10)), many, by_mode(critical)))
