"""From one line of a feed to one row: what every engine that reads the feed does, whatever it stores the rows in."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable

from consumers.records import Row, Timestamp
from utils.efficiency import Limits
from utils.fields import OWN_FIELDS, Fields
from utils.message import from_line, only_numbers
from utils.own_line import each_own_values
from utils.values import MODE_BY_NAME

RowOf = Callable[[str | bytes, Limits, Timestamp], Row]
"""Makes a row of a line, or raises MessageError; see `rated`."""


def rated(
    line: str | bytes,
    limits: Limits,
    at: Timestamp,
    fields: Fields = OWN_FIELDS,
    identify: Callable[[int | str], int] = only_numbers,
) -> Row:
    """Return the row of one line, with or without its newline; `at` is when it is processed.

    `fields` and `identify` are those of `from_line`. Raises MessageError, and nothing else, for a line that is no
    reading.
    """
    reading = from_line(line, fields, identify)
    score, level, is_anomaly, _ = limits.rate(reading)
    return (*reading, score, level, is_anomaly, at)


def rate_by(fields: Fields, identify: Callable[[int | str], int]) -> RowOf:
    """Return `rated` with these bound to it: cheaper for each line than `functools.partial` with keywords."""

    def row_of(line: str | bytes, limits: Limits, at: Timestamp) -> Row:
        return rated(line, limits, at, fields, identify)

    return row_of


def own_rows(text: str, limits: Limits, at: Timestamp) -> list[Row | None]:
    """Return the rows of a text's lines, all of which end with a newline; None for a line that is not our producer's.

    They are the rows that `rated` makes of each, in half the time: hence `Limits.rate` stands here once more, as a
    call for each line would cost a tenth of it.
    """
    ratings, cold_cuts_c, hot_cuts_c, zone_cuts_mm_s = limits.table
    rows = list[Row | None]()
    for machine, mode_name, temperature, vibration, timestamp in each_own_values(text):
        if not machine:
            rows.append(None)
            continue
        mode, temperature_c, vibration_mm_s = MODE_BY_NAME[mode_name], float(temperature), float(vibration)
        temperature_range = bisect_right(cold_cuts_c, temperature_c) + bisect_left(hot_cuts_c, temperature_c)
        score, level, is_anomaly, _ = ratings[mode][temperature_range][bisect_left(zone_cuts_mm_s, vibration_mm_s)]
        rows.append((int(machine), timestamp, mode, temperature_c, vibration_mm_s, score, level, is_anomaly, at))
    return rows
