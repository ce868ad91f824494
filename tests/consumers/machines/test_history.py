from collections.abc import Iterable

import pytest

from consumers.machines import history
from consumers.machines.fleet import Fleet
from consumers.machines.history import History
from tests.consumers.machines.support import T0_S, row
from tests.consumers.support import take
from utils.message import timestamp_at


def at(second: float) -> str:
    return timestamp_at(T0_S + second)


def fed(seconds: Iterable[float], window_min: float = 60, machine_id: int = 1) -> Fleet:
    fleet = Fleet(0, window_min=window_min)
    feed(fleet, seconds, machine_id)
    return fleet


def feed(fleet: Fleet, seconds: Iterable[float], machine_id: int = 1) -> None:
    for second in seconds:
        take(fleet, [row(machine_id, second)])


def minutes(fleet: Fleet, machine_id: int = 1) -> list[tuple[str, int]]:
    return [(minute.minute, minute.readings) for minute in fleet.history.of(machine_id)]


def test_closed_minutes_and_the_open_one_are_known_in_the_order_of_time() -> None:
    fleet = fed([0, 30, 120, 121, 60])
    assert minutes(fleet) == [(at(0), 2), (at(60), 1), (at(120), 2)]
    assert fleet.history.machine_ids() == [1]
    assert minutes(fleet, 2) == []


def test_what_comes_late_adds_to_its_minute() -> None:
    fleet = fed([0, 60, 1, 61, 2])
    assert minutes(fleet) == [(at(0), 3), (at(60), 2)]


def test_without_a_window_nothing_is_kept() -> None:
    fleet = fed(range(0, 600, 30), window_min=0)
    assert fleet.history.minutes_a_machine == 0
    assert minutes(fleet) == []
    assert fleet.history.machine_ids() == []


def test_what_is_older_than_the_window_by_the_plants_time_is_not_shown() -> None:
    fleet = fed(range(0, 3600, 60))
    fleet.history.keep(at(3600 + 600))
    assert [minute for minute, _ in minutes(fleet)] == [at(second) for second in range(600, 3600, 60)]
    fleet.history.keep(at(2 * 3600))
    assert fleet.history.machine_ids() == []


def test_of_each_machine_the_minutes_of_the_window_are_kept_and_one_more() -> None:
    fleet = fed(range(0, 6000, 60), window_min=10)
    assert fleet.history.minutes_a_machine == 11
    assert len(minutes(fleet)) == 12, "the open one too"


def test_a_minute_far_in_the_future_is_not_taken_in() -> None:
    fleet = fed([0])
    fleet.history.keep(at(0))
    feed(fleet, [9e8, 60, 120])
    assert minutes(fleet) == [(at(0), 1), (at(60), 1), (at(120), 1)]


def test_minutes_from_before_the_window_push_no_newer_ones_out() -> None:
    fleet = fed(range(0, 600, 60), window_min=10)
    fleet.history.keep(at(600))
    feed(fleet, range(-90_000, -60_000, 60))
    assert len(minutes(fleet)) == 10


def test_many_machines_share_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MINUTES_AT_MOST", 100)
    fleet = Fleet(0, window_min=60)
    for machine_id in range(20):
        feed(fleet, range(0, 3600, 60), machine_id)
    assert fleet.history.minutes_a_machine == 5
    feed(fleet, range(3600, 7200, 60))
    assert len(minutes(fleet)) == 6


def test_a_history_goes_on_from_what_is_restored() -> None:
    fleet = fed([0, 60, 120])
    restored = History(fleet.machines, 60)
    restored.keep(at(120))
    restored.take(fleet.history.of(1)[:2])
    assert restored.of(1) == fleet.history.of(1)
