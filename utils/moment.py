"""Moments: earlier and later than a timestamp, and as people write them."""

from typing import Final

from utils.message import epoch_seconds, timestamp_at

DAY_S: Final = 86_400.0
_FIRST_MOMENT_S: Final = -62_135_596_800.0  # the years 1 and 9999: Python knows no dates beyond them
_LAST_MOMENT_S: Final = 253_402_300_799.0


def in_words(timestamp: str) -> str:
    """Return the date and time of a timestamp, in UTC as it is, to the second."""
    return f"{timestamp[:10]} {timestamp[11:19]}"


def shifted(timestamp: str, later_s: float) -> str:
    """Return the timestamp so much later, or earlier if negative; or the first or last one that can be written."""
    return timestamp_at(min(max(epoch_seconds(timestamp) + later_s, _FIRST_MOMENT_S), _LAST_MOMENT_S))
