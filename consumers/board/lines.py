"""Readings become lines: sorted by machine and time, broken over silences, averaged where they are too many.

A plant of a thousand machines has far more readings than a panel has pixels. Time is therefore cut into bins of the
same round width, and each line has one point a bin: the mean of its readings there. Two things are never averaged
away: a line breaks if its machine was silent, and it ends at its machine's latest reading, which is named there.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consumers.board.palette import MACHINE_COLOURS
from consumers.machines.fleet import Fleet
from consumers.machines.minutes import minute_of
from consumers.records import Minute, RatedReading
from utils.message import epoch_seconds

_MOST_POINTS_A_MACHINE: Final = 150
_MOST_POINTS_A_GREY_MACHINE: Final = 60
_MINUTE_S: Final = 60.0
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
    """Readings and minutes as columns, by machine and then by time."""

    machine_id: _Numbers
    time_s: Floats
    score: Floats
    active: _Flags
    width_s: Floats
    """0: a reading; else the mean of so many seconds."""


def past_minutes(fleet: Fleet, readings: Collection[RatedReading]) -> list[Minute]:
    """Return the minutes of which there is none of these readings, up to the newest of them."""
    at_hand = {(reading.machine_id, minute_of(reading.timestamp)) for reading in readings}
    newest = max(reading.timestamp for reading in readings)
    return [
        minute
        for machine_id in fleet.history.machine_ids()
        for minute in fleet.history.of(machine_id)
        if minute.minute <= newest and (machine_id, minute_of(minute.minute)) not in at_hand
    ]


def lines_of(
    readings: Collection[RatedReading], window_s: float, silence_s: float, minutes: Collection[Minute] = ()
) -> Lines:
    """Return the newest `window_s` of at least one reading as lines that break after `silence_s`.

    Of the time that the readings do not reach back to, a line shows the means of `minutes`.
    """
    machine_id, time_s, score, active, width_s = _newest(readings, minutes, window_s)
    changes = _changes(machine_id)
    # Between two minutes it is certain of the time between their middles, less a half of each, that it was silent.
    silent_s = np.diff(time_s) - (width_s[1:] + width_s[:-1]) / 2
    begins = changes | np.concatenate(([True], silent_s > silence_s))
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


def _newest(readings: Collection[RatedReading], minutes: Collection[Minute], window_s: float) -> _Columns:
    """Return the readings and minutes of the newest `window_s`, sorted."""
    parts: Any = zip(_columns_of(readings), _minute_columns_of(minutes), strict=True)
    columns = _Columns(*map(np.concatenate, parts))
    order = np.lexsort((columns.time_s, columns.machine_id))
    order = order[columns.time_s[order] >= columns.time_s.max() - window_s]
    return _Columns(*(column[order] for column in columns))


def _columns_of(readings: Collection[RatedReading]) -> _Columns:
    count = len(readings)
    return _Columns(
        np.fromiter((reading.machine_id for reading in readings), np.int64, count),
        np.fromiter((epoch_seconds(reading.timestamp) for reading in readings), np.float64, count),
        np.fromiter((reading.efficiency_score for reading in readings), np.float64, count),
        np.fromiter((reading.mode == "active" for reading in readings), np.bool_, count),
        np.zeros(count),
    )


def _minute_columns_of(minutes: Collection[Minute]) -> _Columns:
    count = len(minutes)
    begin_s = {minute: epoch_seconds(minute) for minute in {minute.minute for minute in minutes}}
    return _Columns(
        np.fromiter((minute.machine_id for minute in minutes), np.int64, count),
        np.fromiter((begin_s[minute.minute] + _MINUTE_S / 2 for minute in minutes), np.float64, count),
        np.fromiter((minute.efficiency_sum / minute.readings for minute in minutes), np.float64, count),
        np.fromiter((minute.active_readings == minute.readings for minute in minutes), np.bool_, count),
        np.full(count, _MINUTE_S),
    )


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
