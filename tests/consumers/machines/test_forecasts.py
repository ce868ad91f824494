import math
from random import Random

from consumers.machines.fleet import Fleet
from consumers.machines.forecasts import ForecastWatch
from consumers.records import Event, EventKind
from tests.consumers.machines.support import row
from tests.consumers.support import take

LIMIT_MM_S = 4.5
LIFE_READINGS = 2_500
GROWTH_READINGS = 250.0


def read(fleet: Fleet, begin: int, end: int, machine_id: int = 1, mode: str = "active") -> None:
    """Let a fleet read of a machine that reaches its limit with reading number `LIFE_READINGS`."""
    rng = Random(begin)
    severities = [1.3 + 3.2 * math.exp((place - LIFE_READINGS) / GROWTH_READINGS) for place in range(begin, end)]
    noisy = [round(severity * (1 + 0.04 * rng.gauss(0, 1)), 2) for severity in severities]
    take(fleet, [row(machine_id, begin + after_s, mode, 60, noisy[after_s]) for after_s in range(end - begin)])  # type: ignore[arg-type]


def looked(watch: ForecastWatch) -> list[Event]:
    changes = watch.look()
    watch.take(changes)
    return changes.events


def kinds(events: list[Event]) -> list[EventKind]:
    return [event.kind for event in events]


def test_a_forecast_is_told_once_and_kept_with_the_machine() -> None:
    fleet = Fleet(0)
    watch = ForecastWatch(fleet, LIMIT_MM_S)
    read(fleet, 0, 1_000)
    assert looked(watch) == []
    assert fleet.machines[1].hours_to_limit is None
    read(fleet, 1_000, 2_250)
    (event,) = looked(watch)
    assert event.kind == "forecast"
    assert "machine 1: vibration" in event.text
    assert "forecast to reach 4.5 mm/s in" in event.text
    machine = fleet.machines[1]
    assert machine.hours_to_limit_low is not None
    assert machine.hours_to_limit is not None
    assert machine.hours_to_limit_high is not None
    assert machine.hours_to_limit_low < machine.hours_to_limit < machine.hours_to_limit_high
    assert machine.limit_earliest_at is not None
    assert machine.limit_latest_at is not None
    assert machine.latest.timestamp < machine.limit_earliest_at < machine.limit_latest_at
    read(fleet, 2_250, 2_260)
    assert looked(watch) == []


def test_it_is_told_again_when_half_of_the_time_has_gone() -> None:
    fleet = Fleet(0)
    watch = ForecastWatch(fleet, LIMIT_MM_S)
    read(fleet, 0, 2_150)
    assert kinds(looked(watch)) == ["forecast"]
    told = []
    for begin in range(2_150, 2_480, 10):
        read(fleet, begin, begin + 10)
        told += kinds(looked(watch))
    assert set(told) == {"forecast_sooner"}
    assert 2 <= len(told) <= 5


def test_it_is_told_as_gone_after_maintenance_when_it_stays_away() -> None:
    fleet = Fleet(0)
    watch = ForecastWatch(fleet, LIMIT_MM_S)
    read(fleet, 0, 2_300)
    assert kinds(looked(watch)) == ["forecast"]
    read(fleet, 2_300, 2_301, mode="maintenance")
    told = []
    for begin in range(0, 80, 8):
        read(fleet, begin, begin + 8)
        told += kinds(looked(watch))
        assert fleet.machines[1].hours_to_limit is None
    assert told == ["forecast_gone"]


def test_a_machine_beyond_the_limit_is_told_by_its_episode_alone() -> None:
    fleet = Fleet(0)
    watch = ForecastWatch(fleet, LIMIT_MM_S)
    read(fleet, 0, 2_300)
    latest = fleet.machines[1]
    fleet.machines[1] = latest._replace(open_episodes=1)
    assert looked(watch) == []


def test_nothing_is_fitted_twice_and_what_there_was_no_time_for_comes_next() -> None:
    fleet = Fleet(0)
    watch = ForecastWatch(fleet, LIMIT_MM_S)
    for machine_id in (1, 2, 3):
        read(fleet, 0, 100, machine_id)
    fitted = []
    for _ in range(4):
        times = iter([False, True])
        changes = watch.look(lambda times=times: next(times))  # type: ignore[misc]
        watch.take(changes)
        fitted += list(changes.fitted)
    assert fitted == [1, 2, 3]


def test_what_is_not_taken_over_comes_again() -> None:
    fleet = Fleet(0)
    watch = ForecastWatch(fleet, LIMIT_MM_S)
    read(fleet, 0, 2_300)
    assert watch.look() == watch.look()
    assert fleet.machines[1].hours_to_limit is None


def test_after_a_restart_a_forecast_is_not_told_anew() -> None:
    fleet = Fleet(0)
    watch = ForecastWatch(fleet, LIMIT_MM_S)
    read(fleet, 0, 2_300)
    looked(watch)
    again = Fleet(0, fleet.machines.values(), trends={1: fleet.trend(1)})
    assert looked(ForecastWatch(again, LIMIT_MM_S)) == []
