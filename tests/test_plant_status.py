import pytest

from consumers.fleet import Fleet
from consumers.ingest import RatedReading
from consumers.plant_status import (
    count,
    duration,
    level_of_mean,
    machine_name,
    machine_names,
    machines_beyond_limit,
    silence_limit_s,
    silent_machines,
    worst_machines,
)
from utils.efficiency import Limits
from utils.message import Mode, Reading, timestamp_at

LIMITS = Limits()
T0_S = 1_800_000_000.0


def row(machine_id: int, after_s: float, mode: Mode = "active", temperature_c: float = 60.0) -> RatedReading:
    reading = Reading(machine_id, timestamp_at(T0_S + after_s), mode, temperature_c, 1.0)
    score, level, is_anomaly, _ = LIMITS.rate(reading)
    return RatedReading(*reading, score, level, is_anomaly, reading.timestamp)


def fleet_of(*rows: RatedReading) -> Fleet:
    fleet = Fleet(1000)
    fleet.add(rows)
    return fleet


def ids_of_silent(fleet: Fleet, silence_s: float) -> list[int]:
    return [machine.latest.machine_id for machine in silent_machines(fleet, silence_s)]


@pytest.mark.parametrize(
    ("machine_id", "name"), [(0, "#0"), (15, "#15"), (999_999, "#999999"), (2**63 - 1, "#…75807")]
)
def test_a_machine_is_named_by_its_number_or_by_the_end_of_a_long_one(machine_id: int, name: str) -> None:
    assert machine_name(machine_id) == name


def test_only_so_many_machines_are_named() -> None:
    assert machine_names([4, 9], 5, 40) == "#4 #9"
    assert machine_names([4, 9, 17], 2, 40) == "#4 #9 +1 more"


def test_fewer_are_named_where_names_are_long_but_always_one() -> None:
    assert machine_names([2**63 - 1] * 9, 5, 24) == "#…75807 #…75807 +7 more"
    assert machine_names([2**63 - 1] * 9, 5, 1) == "#…75807 +8 more"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h"), (172_799, "47 h"), (172_800, "2 days")],
)
def test_a_duration_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_one_is_not_many() -> None:
    assert (count(1, "machine"), count(1200, "machine")) == ("1 machine", "1,200 machines")


def test_without_readings_the_setting_is_the_limit_of_silence() -> None:
    assert silence_limit_s([], 60) == 60


def test_a_fast_feed_leaves_the_setting_in_force() -> None:
    assert silence_limit_s([row(1, second) for second in range(100)], 60) == 60


def test_a_slow_feed_stretches_the_limit_to_three_intervals() -> None:
    rows = [row(machine, 600 * turn) for turn in range(10) for machine in (1, 2)]
    assert silence_limit_s(rows, 60) == pytest.approx(3 * 5400 * 2 / 20)


def test_a_machine_is_silent_against_the_plants_own_time() -> None:
    fleet = fleet_of(row(4, 0), row(2, 39.9), row(1, 40), row(3, 100))
    assert ids_of_silent(fleet, 60) == [2, 4]
    assert ids_of_silent(fleet, 1e12) == []
    assert ids_of_silent(Fleet(10), 60) == []


def test_machines_beyond_a_limit_are_those_whose_latest_reading_is() -> None:
    fleet = fleet_of(row(7, 0, temperature_c=95), row(2, 0, temperature_c=95), row(2, 1), row(1, 1, temperature_c=91))
    assert [machine.latest.machine_id for machine in machines_beyond_limit(fleet)] == [1, 7]


def test_the_worst_are_beyond_a_limit_then_low_while_active_then_the_rest() -> None:
    fleet = fleet_of(row(1, 0), row(2, 0), row(3, 0, "offline"), row(4, 0, temperature_c=95), row(5, 0, "idle"))
    chosen = worst_machines(fleet.machines.values(), {1: 99.0, 2: 70.0, 4: 80.0}, 4)
    assert chosen == [4, 2, 1, 3]


@pytest.mark.parametrize(
    ("mean", "level"),
    [(80, "High"), (79.9, "Medium"), (50, "Medium"), (49.9, "Low"), (20, "Low"), (19.9, "Critical")],
)
def test_the_level_of_a_mean_follows_the_limits(mean: float, level: str) -> None:
    assert level_of_mean(mean, LIMITS) == level
