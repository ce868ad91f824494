import pytest

from consumers.board.names import ShownNames
from consumers.board.words import (
    heard_words,
    lag_words,
    machine_names,
    moment_words,
    offset_words,
    span_words,
    value_words,
    waiting_words,
)
from consumers.records import Machine
from tests.consumers.machines.support import row
from utils.zone import zone_named

NOON = "2026-07-01T12:00:00.000Z"
LATER = "2026-07-01T12:30:05.000Z"


def machine(machine_id: int, name: str | None = None) -> Machine:
    return Machine(row(machine_id, 0), name=name)


def test_as_many_machines_are_named_as_fit() -> None:
    machines = list(map(machine, range(1, 9)))
    assert machine_names(machines[:2], 3, 99, ShownNames()) == "#1 #2"
    assert machine_names(machines, 3, 99, ShownNames()) == "#1 #2 #3 +5 more"
    assert machine_names(machines, 3, 13, ShownNames()) == "#1 #2 +6 more"
    assert machine_names(machines, 3, 1, ShownNames()) == "#1 +7 more"


def test_a_long_file_name_loses_its_middle() -> None:
    words = waiting_words("readings in " + "/folder" * 100)
    assert len(words.split("\n")) == 5
    assert words.endswith("…")


def test_times_are_those_of_the_zone_with_their_offset() -> None:
    berlin = zone_named("Europe/Berlin")
    assert moment_words(NOON, berlin) == "2026-07-01 14:00:00 UTC+2"
    assert offset_words(NOON, zone_named("Asia/Kolkata")) == "UTC+5:30"
    assert offset_words(NOON, zone_named("America/New_York")) == "UTC−4"
    assert offset_words(NOON, zone_named("UTC")) == "UTC"


def test_the_plants_clock_is_told_where_it_differs() -> None:
    assert lag_words(LATER, NOON) == "plant's clock 30 min behind"
    assert lag_words(NOON, LATER) == "plant's clock 30 min ahead"
    assert lag_words(NOON, NOON) == ""


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_the_ends_of_the_calendar_can_be_told(at: str) -> None:
    for zone in ("Asia/Tokyo", "America/New_York", ""):
        assert at[:4] in moment_words(at, zone_named(zone)) or offset_words(at, zone_named(zone))


def test_what_was_heard_last_is_not_called_new() -> None:
    assert heard_words(None) == "no reading yet"
    assert heard_words(75) == "last reading received 1 min ago"
    assert span_words(3600, is_stale=False) == "last 1 h"
    assert span_words(3600, is_stale=True) == "last 1 h heard"


def test_large_values_are_written_out() -> None:
    assert list(map(value_words, (6.2, 104.21, 99_999, -200, 1e300))) == ["6.2", "104", "99,999", "-200", "1e+300"]
