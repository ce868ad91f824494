"""Events: what people are told, and how machines are called in it."""

import json

import pytest

from consumers.machines.events import back, cleared, raised, silent
from consumers.records import Episode, Event, Machine
from tests.consumers.machines.support import T0_S, row
from utils.message import timestamp_at

ID = 1_000_001
HARMFUL = "\x1b[2J\r\n<red>{0}</red>"
SHOWN = "\\x1b[2J\\r\\n<red>{0}</red>"


def at(second: float) -> str:
    return timestamp_at(T0_S + second)


def events_of(name: str | None) -> list[Event]:
    machine = Machine(row(ID, 190, vibration_mm_s=6.0), name=name)
    episode = Episode(1, ID, "vibration", 4.5, at(0), 6.0, 7.5, at(1), 3, "active", at(190))
    return [
        raised(episode, machine),
        cleared(episode, machine),
        silent(machine, at(250)),
        back(machine, at(10)),
    ]


def test_each_event_of_a_machine_calls_it_by_its_name() -> None:
    over = "vibration is back within 4.5 mm/s since 2027-01-15 08:03:10, after 3 min; its peak was 7.5 mm/s"
    assert [event.text for event in events_of("PUMP-07")] == [
        "machine PUMP-07: vibration 6 > 4.5 mm/s since 2027-01-15 08:00:00",
        f"machine PUMP-07: {over}",
        "machine PUMP-07: silent for 1 min while others report; last heard 2027-01-15 08:03:10, active",
        "machine PUMP-07: reports again after 3 min",
    ]


@pytest.mark.parametrize("name", [None, "PUMP-07"])
def test_each_event_of_a_machine_has_its_number_and_its_name(name: str | None) -> None:
    for event in events_of(name):
        details = json.loads(event.details)
        assert (event.machine_id, details["machine_id"], details["name"]) == (ID, ID, name)


def test_a_machine_without_a_name_is_called_by_its_number() -> None:
    assert all(event.text.startswith("machine 1000001: ") for event in events_of(None))


def test_a_name_reaches_neither_text_nor_figures_raw() -> None:
    for event in events_of(HARMFUL):
        assert event.text.startswith(f"machine {SHOWN}: ")
        assert event.text.isprintable()
        assert json.loads(event.details)["name"] == SHOWN
