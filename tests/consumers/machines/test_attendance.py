from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.attendance import Attendance, attendance, plant_time, silence_limit_s
from consumers.machines.fleet import Fleet
from consumers.records import RatedReading
from tests.consumers.machines.support import T0_S, ids, row
from tests.consumers.support import fleet_of, take
from utils.message import epoch_seconds, timestamp_at


def told(row: RatedReading, after_s: float) -> RatedReading:
    """The same reading with its machine's clock at another time."""
    return row._replace(timestamp=timestamp_at(T0_S + after_s))


def taken(row: RatedReading, after_s: float) -> RatedReading:
    """The same reading, read by the consumer at another time."""
    return row._replace(processed_at=timestamp_at(T0_S + after_s))


def attended(fleet: Fleet, stale_after_s: float = 60) -> Attendance:
    return attendance(fleet, 3600, stale_after_s)


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
    take(fleet, [row(1, 0), row(2, 100)])
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


@pytest.mark.parametrize(("heard_ago_s", "silent", "wrong_clocks"), [(28, [], [9]), (32, [9], [])])
def test_a_machine_with_a_wrong_clock_is_heard_for_half_the_limit_of_silence(
    heard_ago_s: int, silent: list[int], wrong_clocks: list[int]
) -> None:
    rows = [row(machine, second) for second, machine in product(range(101), (1, 2, 3))]
    rows.insert(3 * (100 - heard_ago_s), told(row(9, 0), -DAY_S))
    status = attended(fleet_of(*rows), 60)
    assert (ids(status.silent), ids(status.wrong_clocks)) == (silent, wrong_clocks)


def test_the_limit_of_silence_follows_readings_of_the_plants_time_alone() -> None:
    rows = [row(machine, second) for second, machine in product(range(50), (1, 2, 3))]
    fleet = fleet_of(told(row(9, 0), -T0_S), *rows, told(row(9, 50), -T0_S))
    assert attended(fleet).silence_s == 60
