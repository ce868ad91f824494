"""What each machine did in each minute of its own clock: counts, sums and peaks.

Sums are exact in any order of adding, so that it does not matter how readings are batched, or when they come: each
score counts as whole tenths, and each temperature and vibration is first rounded to whole hundredths. A quotient of
such sums differs from the mean of unrounded values by less than 0.005.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, repeat
from operator import mul
from typing import Any, Final

from consumers.records import MOST_SUMMED, Machine, Minute, Row, Timestamp

_MINUTE_LENGTH: Final = len("YYYY-MM-DDTHH:MM")
_REST_OF_MINUTE: Final = ":00.000Z"
_BEHIND_ALL: Final = "~"
"""Sorts behind the rest of any timestamp."""
OPEN_READINGS: Final = Machine._fields.index("minute_readings")
OPEN_SUMS: Final = slice(OPEN_READINGS, OPEN_READINGS + len(Minute._fields) - 2)
"""Where a Machine holds the sums of its open minute."""

Sums = Sequence[Any]
"""What a Minute holds behind machine and minute."""
Columns = tuple[tuple[Any, ...], ...]
"""Of some rows, in the order of a Row."""


def by_machine(rows: Iterable[Row]) -> Mapping[int, list[Row]]:
    """Return the rows of each machine, in their order."""
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row)
    return groups


def by_minute(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    """Return the rows of each minute, which is the beginning of their timestamps."""
    groups: dict[str, list[Row]] = {}
    begin = end = ""
    group: list[Row] = []
    # Most rows are of the same minute as the row before: to compare is cheaper than to look it up.
    for row in rows:
        if not begin <= row[1] < end:
            begin = minute_of(row[1])
            end = begin + _BEHIND_ALL
            group = groups.setdefault(begin, [])
        group.append(row)
    return groups


def minute_of(timestamp: str) -> str:
    """Return the minute of a timestamp: its beginning."""
    return timestamp[:_MINUTE_LENGTH]


def first_moment(minute: str) -> Timestamp:
    """Return the first moment of a minute."""
    return minute + _REST_OF_MINUTE


def columns_of(rows: Iterable[Row]) -> Columns:
    """Return the columns of rows."""
    return tuple(zip(*rows, strict=True))


def summed(columns: Columns) -> Sums:
    """Return what rows of one machine and one minute come to."""
    _, _, modes, temperatures, vibrations, scores, _, anomalies, _ = columns
    active = modes.count("active")
    if active < len(modes):
        is_active = list(map("active".__eq__, modes))
        temperatures, vibrations = tuple(compress(temperatures, is_active)), tuple(compress(vibrations, is_active))
    temperature_sum, temperature_max = _sum_and_peak(temperatures)
    vibration_sum, vibration_max = _sum_and_peak(vibrations)
    return (
        len(modes),
        active,
        sum(anomalies),
        round(sum(scores) * 10) / 10,  # they have one decimal, so that it does not take each of them
        min(scores),
        temperature_sum,
        temperature_max,
        vibration_sum,
        vibration_max,
    )


def added(some: Sums, more: Sums) -> Sums:
    """Return what two parts of the same minute of the same machine come to."""
    return (
        some[0] + more[0],
        some[1] + more[1],
        some[2] + more[2],
        (round(some[3] * 10) + round(more[3] * 10)) / 10,
        min(some[4], more[4]),
        (round(some[5] * 100) + round(more[5] * 100)) / 100,
        _peak_of(some[6], more[6]),
        (round(some[7] * 100) + round(more[7] * 100)) / 100,
        _peak_of(some[8], more[8]),
    )


def merged(some: Minute, more: Minute) -> Minute:
    """Return the minute that two parts of it come to."""
    return Minute(some.machine_id, some.minute, *added(some[2:], more[2:]))


def open_minute(machine: Machine) -> Minute | None:
    """Return the minute of the machine's latest reading, as far as it was counted since that one began."""
    if not machine.minute_readings:
        return None
    values: Sequence[Any] = machine
    latest = machine.latest
    return Minute(latest.machine_id, first_moment(minute_of(latest.timestamp)), *values[OPEN_SUMS])


def _sum_and_peak(values: tuple[float, ...]) -> tuple[float, float | None]:
    if not values:
        return 0.0, None
    peak = max(values)
    if peak > MOST_SUMMED:
        values = tuple(min(value, MOST_SUMMED) for value in values)
    return sum(map(float.__round__, map(mul, values, repeat(100.0)))) / 100, peak  # faster than round()


def _peak_of(some: float | None, more: float | None) -> float | None:
    if some is None or more is None:
        return more if some is None else some
    return max(some, more)
