"""Readings become lines: sorted by machine and time, broken over silences, averaged where they are too many.

A plant of a thousand machines has far more readings than a panel has pixels. Time is therefore cut into bins of the
same round width, and each line has one point a bin: the mean of its readings there. Two things are never averaged
away: a line breaks if its machine was silent, and it ends at its machine's latest reading, which is named there.
"""

from collections.abc import Collection
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.board.palette import MACHINE_COLOURS
from consumers.records import RatedReading
from utils.message import epoch_seconds

_MOST_POINTS_A_MACHINE: Final = 150
_MOST_POINTS_A_GREY_MACHINE: Final = 60
_BIN_WIDTHS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)

Floats: TypeAlias = NDArray[np.float64]
_Flags: TypeAlias = NDArray[np.bool_]
_Numbers: TypeAlias = NDArray[np.int64]


class Lines(NamedTuple):
    """The points of the lines of many machines, by machine and then by time."""

    machine_id: _Numbers
    time_s: Floats
    """Since 1970."""
    score: Floats
    begins: _Flags
    """True where a line begins: with another machine, or with the same one after a silence."""
    mean_of_s: float
    """Each point is the mean of so many seconds; 0: each point is one reading."""
    active_mean: dict[int, float]
    """The mean score while active, for each machine that was."""


class _Columns(NamedTuple):
    """Readings as columns, by machine and then by time."""

    machine_id: _Numbers
    time_s: Floats
    score: Floats
    active: _Flags


def lines_of(readings: Collection[RatedReading], window_s: float, silence_s: float) -> Lines:
    """Return the newest `window_s` of at least one reading as lines that break after `silence_s`."""
    machine_id, time_s, score, active = _newest(readings, window_s)
    changes = _changes(machine_id)
    begins = changes | np.concatenate(([True], np.diff(time_s) > silence_s))
    mean_of_s = _bin_width_s(time_s, _lengths(np.flatnonzero(changes), len(time_s)))
    starts = _bin_starts(time_s, mean_of_s, changes, begins) if mean_of_s else np.arange(len(time_s))
    readings_a_point = _lengths(starts, len(time_s))
    return Lines(
        machine_id[starts],
        np.add.reduceat(time_s, starts) / readings_a_point,
        np.add.reduceat(score, starts) / readings_a_point,
        begins[starts],
        mean_of_s,
        _means(machine_id[active], score[active]),
    )


def _newest(readings: Collection[RatedReading], window_s: float) -> _Columns:
    """Return the readings of the newest `window_s`, sorted."""
    machine_id = np.fromiter((reading.machine_id for reading in readings), np.int64, len(readings))
    time_s = np.fromiter((epoch_seconds(reading.timestamp) for reading in readings), np.float64, len(readings))
    score = np.fromiter((reading.efficiency_score for reading in readings), np.float64, len(readings))
    active = np.fromiter((reading.mode == "active" for reading in readings), np.bool_, len(readings))
    order = np.lexsort((time_s, machine_id))
    order = order[time_s[order] >= time_s.max() - window_s]
    return _Columns(machine_id[order], time_s[order], score[order], active[order])


def _bin_width_s(time_s: Floats, readings_a_machine: _Numbers) -> float:
    """Return a round time to average over, so that the points of a line can be told apart; 0: no need to average."""
    named_only = len(readings_a_machine) <= len(MACHINE_COLOURS)
    most = _MOST_POINTS_A_MACHINE if named_only else _MOST_POINTS_A_GREY_MACHINE
    if readings_a_machine.max() <= most:
        return 0
    shortest_s = float(np.ptp(time_s)) / most
    return next((width_s for width_s in _BIN_WIDTHS_S if width_s >= shortest_s), shortest_s)


def _bin_starts(time_s: Floats, width_s: float, changes: _Flags, begins: _Flags) -> _Numbers:
    """Return where the bins begin; each machine's latest reading has one of its own, so that its line ends there."""
    latest = np.append(changes[1:], True)
    return np.flatnonzero(begins | latest | _changes(np.floor(time_s / width_s)))


def _changes(values: NDArray[np.generic]) -> _Flags:
    """Return which values differ from the one before them; the first does."""
    return np.concatenate(([True], values[1:] != values[:-1]))


def _lengths(starts: _Numbers, end: int) -> _Numbers:
    """Return how long the parts are that begin at `starts`, the last one up to `end`."""
    return np.diff(np.append(starts, end))


def _means(machine_id: _Numbers, score: Floats) -> dict[int, float]:
    """Return the mean score of each machine."""
    ids, group, sizes = np.unique(machine_id, return_inverse=True, return_counts=True)
    return dict(zip(ids.tolist(), (np.bincount(group, score, len(ids)) / sizes).tolist(), strict=True))
