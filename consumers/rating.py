"""From one line of a feed to one row: what every engine that reads the feed does, whatever it stores the rows in."""

from consumers.records import Row, Timestamp
from utils.efficiency import Limits
from utils.message import from_line


def rated(line: str | bytes, limits: Limits, at: Timestamp) -> Row:
    """Return the row of one line, with or without its newline; `at` is when it is processed.

    Raises MessageError, and nothing else, for a line that is no reading.
    """
    reading = from_line(line)
    score, level, is_anomaly, _ = limits.rate(reading)
    return (*reading, score, level, is_anomaly, at)
