"""What each machine did in each minute of its own clock: counts, sums and peaks.

Sums are exact in any order of adding, so that it does not matter how readings are batched, or when they come: each
score counts as whole tenths, and each temperature and vibration is first rounded to whole hundredths. A quotient of
such sums differs from the mean of unrounded values by less than 0.005.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from operator import mul
from typing import Any, Final

from consumers.records import Machine, Minute, Row, Timestamp

_MINUTE_LENGTH: Final = len("YYYY-MM-DDTHH:MM")
_REST_OF_MINUTE: Final = ":00.000Z"
_MOST_SUMMED: Final = 1e6
"""A larger value counts as this in a sum, which could not be exact otherwise; no machine is so hot or shakes so."""
_OPEN: Final = Machine._fields.index("minute_readings")
OPEN_FIELDS: Final = slice(_OPEN, _OPEN + len(Minute._fields) - 2)
"""Where a Machine holds the values of its open minute, those of a Minute behind machine and minute."""

Columns = Sequence[Sequence[Any]]
"""Some rows' values, column by column."""


def by_machine_and_minute(rows: Iterable[Row]) -> dict[tuple[int, str], list[Row]]:
    """Return the rows in groups, by machine and minute; a minute is the beginning of its timestamps."""
    groups: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[0], row[1][:_MINUTE_LENGTH]].append(row)
    return groups


def minute_of(timestamp: str) -> Timestamp:
    """Return the minute that a timestamp, or the beginning of one, lies in."""
    return timestamp[:_MINUTE_LENGTH] + _REST_OF_MINUTE


def summed(columns: Columns) -> Minute:
    """Return what rows of one machine and one minute come to."""
    machine_ids, timestamps, modes, temperatures, vibrations, scores, _, anomalies, _ = columns
    active = modes.count("active")
    if active < len(modes):
        is_active = list(map("active".__eq__, modes))
        temperatures, vibrations = list(compress(temperatures, is_active)), list(compress(vibrations, is_active))
    return Minute(
        machine_ids[0],
        minute_of(timestamps[0]),
        len(modes),
        active,
        sum(anomalies),
        round(sum(scores) * 10) / 10,  # they have one decimal, so that it does not take each of them
        min(scores),
        *_sum_and_peak(temperatures),
        *_sum_and_peak(vibrations),
    )


def added(some: Minute, more: Minute) -> Minute:
    """Return what two parts of the same minute of the same machine come to."""
    return Minute(
        some.machine_id,
        some.minute,
        some.readings + more.readings,
        some.active_readings + more.active_readings,
        some.anomalies + more.anomalies,
        (round(some.efficiency_sum * 10) + round(more.efficiency_sum * 10)) / 10,
        min(some.efficiency_min, more.efficiency_min),
        _sum_of(some.temperature_sum, more.temperature_sum),
        _peak_of(some.temperature_max, more.temperature_max),
        _sum_of(some.vibration_sum, more.vibration_sum),
        _peak_of(some.vibration_max, more.vibration_max),
    )


def open_minute(machine: Machine) -> Minute | None:
    """Return the minute of the machine's latest reading, as far as it was counted since that one began."""
    if not machine.minute_readings:
        return None
    values: Sequence[Any] = machine
    return Minute(machine.latest.machine_id, minute_of(machine.latest.timestamp), *values[OPEN_FIELDS])


def _sum_and_peak(values: Sequence[float]) -> tuple[float, float | None]:
    if not values:
        return 0.0, None
    peak = max(values)
    if peak > _MOST_SUMMED:
        values = [min(value, _MOST_SUMMED) for value in values]
    return sum(map(float.__round__, map(mul, values, repeat(100.0)))) / 100, peak  # faster than round()


def _sum_of(some: float, more: float) -> float:
    return (round(some * 100) + round(more * 100)) / 100


def _peak_of(some: float | None, more: float | None) -> float | None:
    if some is None or more is None:
        return more if some is None else some
    return max(some, more)
