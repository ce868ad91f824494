import time
from datetime import UTC, datetime

import pytest

from utils.zone import parse_zone, zone_named


def test_a_zone_has_its_summer_time() -> None:
    berlin = zone_named("Europe/Berlin")
    assert datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(berlin).hour == 14
    assert datetime(2026, 1, 1, 12, tzinfo=UTC).astimezone(berlin).hour == 13


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the system's zone cannot be set here")
def test_without_a_name_it_is_the_zone_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        local = zone_named("")
        moment = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(local)
        assert (moment.hour, moment.utcoffset()) == (
            8,
            datetime(2026, 7, 1, tzinfo=zone_named("America/New_York")).utcoffset(),
        )
        assert datetime(9999, 12, 31, 23, tzinfo=UTC).astimezone(local).year == 9999
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("name", ["Nowhere/Town", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="the name of a time zone"):
        parse_zone(name)
