"""From one line of a feed to one row: what every engine that reads the feed does, whatever it stores the rows in."""

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

    They are the rows that `rated` makes of each, in half the time.
    """
    rate, rows = limits.rate, list[Row | None]()
    for machine, mode_name, temperature, vibration, timestamp in each_own_values(text):
        if machine:
            reading = int(machine), timestamp, MODE_BY_NAME[mode_name], float(temperature), float(vibration)
            score, level, is_anomaly, _ = rate(reading)
            rows.append((*reading, score, level, is_anomaly, at))
        else:
            rows.append(None)
    return rows
