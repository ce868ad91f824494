from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.fleet import Fleet, Machine
from consumers.machines.plant_status import (
    Attendance,
    attendance,
    beyond_words,
    clock_words,
    level_of_mean,
    machine_name,
    machine_names,
    machines_beyond_limit,
    plant_time,
    scatter_words,
    silence_limit_s,
    silence_words,
    silent_beyond_words,
    trend_words,
    worst_machines,
)
from consumers.records import RatedReading
from tests.support import rated
from utils.efficiency import Limits
from utils.message import Mode, Reading, epoch_seconds, timestamp_at
from utils.text import count, duration

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


def told(row: RatedReading, after_s: float) -> RatedReading:
    """The same reading with its machine's clock at another time."""
    return row._replace(timestamp=timestamp_at(T0_S + after_s))


def taken(row: RatedReading, after_s: float) -> RatedReading:
    """The same reading, read by the consumer at another time."""
    return row._replace(processed_at=timestamp_at(T0_S + after_s))


def attended(fleet: Fleet, stale_after_s: float = 60) -> Attendance:
    return attendance(fleet, 3600, stale_after_s)


def ids(machines: list[Machine]) -> list[int]:
    return [machine.latest.machine_id for machine in machines]


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
    fleet = fleet_of(row(4, 0), row(2, 39.9), row(1, 40), *(row(3, second) for second in range(41, 101)))
    assert ids(attended(fleet, 60).silent) == [2, 4]
    assert attended(fleet, 1e12).silent == []
    assert attended(Fleet(10)) == Attendance(60, [], [], [])


def test_without_recent_readings_the_machines_latest_tell_the_time() -> None:
    fleet = Fleet(0)
    fleet.add([row(1, 0), row(2, 100)])
    status = attended(fleet)
    assert (ids(status.silent), status.readings) == ([1], [])


DAY_S = 86_400
FIRST_MOMENT_S = -62_135_596_800 - T0_S
LAST_MOMENT_S = 253_402_300_799 - T0_S
WRONG_CLOCKS_S = (FIRST_MOMENT_S, -T0_S, -DAY_S, -3600, 3600, 1e9, LAST_MOMENT_S - 100)


def test_the_plants_time_is_the_newest_where_clocks_agree() -> None:
    assert plant_time([row(1, 8), row(2, 11), row(3, 10)], 60) == timestamp_at(T0_S + 11)


def test_a_recorded_feed_has_its_own_time() -> None:
    votes = [taken(row(machine, 60 * machine), 1e7) for machine in range(15)]
    assert plant_time(votes, 900) == timestamp_at(T0_S + 14 * 60)


def test_a_feed_that_runs_ahead_has_its_own_time() -> None:
    assert plant_time([taken(row(machine, 1e5 + machine), 0) for machine in range(8)], 60) == timestamp_at(
        T0_S + 1e5 + 7
    )


@pytest.mark.parametrize("wrong_s", WRONG_CLOCKS_S)
def test_of_two_clocks_the_one_nearer_to_the_consumers_is_believed(wrong_s: float) -> None:
    # One that is behind would not be the newest anyway.
    assert plant_time([row(1, 5), told(row(2, 5), wrong_s)], 60) == timestamp_at(T0_S + 5)


def test_the_first_machine_to_wake_after_a_night_is_believed() -> None:
    asleep = [row(machine, machine) for machine in range(8)]
    assert plant_time([*asleep, row(9, DAY_S)], 60) == timestamp_at(T0_S + DAY_S)


def test_most_machines_may_fall_silent() -> None:
    rows = [
        row(machine, second) for second in range(0, 400, 10) for machine in range(8) if machine == 3 or second < 200
    ]
    status = attended(fleet_of(*rows))
    assert ids(status.silent) == [0, 1, 2, 4, 5, 6, 7]
    assert status.readings[-1] == row(3, 390)


@given(
    st.integers(3, 9),
    st.integers(0, 2),
    st.sampled_from(WRONG_CLOCKS_S) | st.floats(-50, 50) | st.integers(100, 10**9) | st.integers(-(10**9), -100),
    st.sampled_from([None, 0.0, 1e8]),
)
def test_one_wrong_clock_changes_nothing_for_the_others(
    machines: int, wrong: int, wrong_s: float, read_at_s: float | None
) -> None:
    """Live, or recorded and read all at once, long ago or now."""
    rows = [row(machine, second) for second, machine in product(range(40), range(machines))]
    rows = rows if read_at_s is None else [taken(reading, read_at_s) for reading in rows]
    shifted = [
        told(reading, wrong_s + epoch_seconds(reading.timestamp) - T0_S) if reading.machine_id == wrong else reading
        for reading in rows
    ]
    status = attended(fleet_of(*shifted))
    assert status.silent == []
    assert status.silence_s == 60
    assert [reading for reading in status.readings if reading.machine_id != wrong] == [
        reading for reading in rows if reading.machine_id != wrong
    ]
    assert ids(status.wrong_clocks) == ([wrong] if abs(wrong_s) > 60 else [])


@pytest.mark.parametrize("wrong_s", [-T0_S, LAST_MOMENT_S - 1000])
def test_a_machine_with_a_wrong_clock_is_silent_when_no_more_is_heard_of_it(wrong_s: float) -> None:
    rows = [row(machine, second) for second, machine in product(range(100), (1, 2, 3))]
    rows = [told(row(9, 0), wrong_s), *rows]
    assert ids(attended(fleet_of(*rows)).silent) == [9]


def test_the_limit_of_silence_follows_readings_of_the_plants_time_alone() -> None:
    rows = [row(machine, second) for second, machine in product(range(50), (1, 2, 3))]
    fleet = fleet_of(told(row(9, 0), -T0_S), *rows, told(row(9, 50), -T0_S))
    assert attended(fleet).silence_s == 60


def test_machines_beyond_a_limit_are_those_whose_latest_reading_is() -> None:
    fleet = fleet_of(row(7, 0, temperature_c=95), row(2, 0, temperature_c=95), row(2, 1), row(1, 1, temperature_c=91))
    assert [machine.latest.machine_id for machine in machines_beyond_limit(fleet)] == [1, 7]


def test_the_worst_are_beyond_a_limit_then_low_while_active_then_the_rest() -> None:
    fleet = fleet_of(row(1, 0), row(2, 0), row(3, 0, "offline"), row(4, 0, temperature_c=95), row(5, 0, "idle"))
    chosen = worst_machines(fleet.machines.values(), {1: 99.0, 2: 70.0, 4: 80.0}, 4, Limits())
    assert chosen == [4, 2, 1, 3]


@pytest.mark.parametrize(
    ("mean", "level"),
    [(80, "High"), (79.9, "Medium"), (50, "Medium"), (49.9, "Low"), (20, "Low"), (19.9, "Critical")],
)
def test_the_level_of_a_mean_follows_the_limits(mean: float, level: str) -> None:
    assert level_of_mean(mean, LIMITS) == level


def test_machines_beyond_a_limit_are_counted_and_five_named() -> None:
    assert beyond_words([4]) == "1 beyond a limit now: #4"
    assert beyond_words(range(1, 9)) == "8 beyond a limit now: #1 #2 #3 #4 #5 +3 more"


def test_wrong_clocks_are_named_where_there_are_any() -> None:
    assert clock_words([]) == ""
    assert clock_words([7]) == "1 machine with a wrong clock: #7"
    assert clock_words([3, 4, 5, 6]) == "4 machines with a wrong clock: #3 #4 #5 +1 more"


def test_silent_machines_are_told_with_the_limit() -> None:
    assert silence_words([], 60) == "by the latest reading of each"
    assert silence_words([4, 9], 180) == "2 silent > 3 min (hatched): #4 #9"


def test_it_is_told_which_machines_are_named() -> None:
    assert trend_words(8, 8) == "latest value at the line’s end; × beyond a limit"
    assert trend_words(8, 1200).startswith("8 of 1,200 named: ")


def test_points_are_counted() -> None:
    assert scatter_words(0, 0, 0) == ""
    assert scatter_words(1, 0, 0) == "newest 1 reading: 0 beyond a limit (×)"
    assert scatter_words(9, 2, 1).endswith(
        "2 beyond a limit (×), the latest ringed and named; 1 off the scale, at its edge"
    )


def test_of_equally_efficient_machines_the_nearest_to_a_limit_is_the_worst() -> None:
    fleet = Fleet(0)
    fleet.add([rated(1, temperature_c=50.0, vibration_mm_s=1.5), rated(2, temperature_c=50.0, vibration_mm_s=2.7)])
    fleet.add([rated(3, temperature_c=74.0, vibration_mm_s=1.5)])
    assert worst_machines(fleet.machines.values(), {1: 90.0, 2: 90.0, 3: 90.0}, 3, LIMITS) == [3, 2, 1]


def test_silent_machines_beyond_a_limit_are_told_apart() -> None:
    assert silent_beyond_words([9]) == "1 beyond a limit when last heard: #9"
