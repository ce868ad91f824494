"""The time zone in which people read times; what is stored stays UTC."""

import time
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LocalZone(tzinfo):
    """The zone of this machine, with its changes between summer and winter time."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """Return how far the zone is ahead of UTC at a moment of its own clock."""
        if moment is None:
            return timedelta(0)
        try:
            return timedelta(seconds=time.localtime(time.mktime(moment.timetuple())).tm_gmtoff)
        except (OverflowError, OSError, ValueError):  # years that the system's clock does not know
            return timedelta(0)

    def fromutc(self, moment: datetime) -> datetime:
        """Return the moment, given by the clock of UTC, by the zone's own clock."""
        try:
            since_s = (moment.replace(tzinfo=UTC) - _EPOCH).total_seconds()
            return moment + timedelta(seconds=time.localtime(since_s).tm_gmtoff)
        except (OverflowError, OSError, ValueError):
            return moment

    def dst(self, _moment: datetime | None) -> timedelta:
        """Return nothing: summer time is part of the offset."""
        return timedelta(0)

    def tzname(self, _moment: datetime | None) -> str:
        """Return its name."""
        return "local"


def zone_named(name: str) -> tzinfo:
    """Return a zone by its IANA name, or that of this machine if the name is empty. Raise ValueError if unknown."""
    if not name:
        return LocalZone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            "the name of a time zone, such as Europe/Berlin or UTC (on Windows: pip install tzdata)"
        ) from None


def parse_zone(text: str) -> str:
    """Return the name of a time zone."""
    zone_named(text)
    return text
