from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.fleet import Fleet
from consumers.machines.minutes import added, by_machine, by_minute, columns_of, first_moment, open_minute, summed
from consumers.records import Minute, RatedReading
from tests.consumers.support import take
from tests.support import rated
from utils.message import MODES, timestamp_at


def minute(*rows: RatedReading) -> Minute:
    sums = summed(columns_of(rows))
    return Minute(rows[0].machine_id, rows[0].timestamp[:16] + ":00.000Z", *sums)


def together(some: Minute, more: Minute) -> Minute:
    return Minute(*some[:2], *added(some[2:], more[2:]))


def test_rows_are_grouped_by_minute_of_their_machines_clock_and_by_machine() -> None:
    times = [(1, 0.0), (2, 0.0), (1, 59.9), (1, 60.0), (2, 1.0)]
    rows = [rated(machine_id, timestamp_at(second)) for machine_id, second in times]
    assert {machine_id: by_minute(own_rows) for machine_id, own_rows in by_machine(rows).items()} == {
        1: {"1970-01-01T00:00": [rows[0], rows[2]], "1970-01-01T00:01": [rows[3]]},
        2: {"1970-01-01T00:00": [rows[1], rows[4]]},
    }
    assert by_machine([]) == {}
    assert by_minute([]) == {}


def test_a_row_that_comes_late_is_of_its_own_minute() -> None:
    rows = [rated(1, timestamp_at(second)) for second in (0, 60, 1)]
    assert by_minute(rows) == {"1970-01-01T00:00": [rows[0], rows[2]], "1970-01-01T00:01": [rows[1]]}


def test_temperature_and_vibration_are_of_the_active_readings() -> None:
    found = minute(
        rated(1, mode="idle", temperature_c=95.0, vibration_mm_s=9.0),
        rated(1, temperature_c=60.0, vibration_mm_s=1.25),
        rated(1, temperature_c=70.5, vibration_mm_s=1.0),
    )
    assert (found.readings, found.active_readings, found.anomalies) == (3, 2, 1)
    assert (found.temperature_sum, found.temperature_max) == (130.5, 70.5)
    assert (found.vibration_sum, found.vibration_max) == (2.25, 1.25)
    assert (found.efficiency_sum, found.efficiency_min) == (212.0, 12.0)


def test_without_an_active_reading_there_is_no_peak() -> None:
    found = minute(rated(1, mode="idle"))
    assert (found.active_readings, found.temperature_max, found.vibration_max) == (0, None, None)
    both = together(found, minute(rated(1)))
    assert (both.temperature_max, both.vibration_max) == (44.28, 2.08)
    assert together(both, found).temperature_max == 44.28


@pytest.mark.parametrize(
    ("temperature_c", "counted"), [(44.284, 44.28), (44.286, 44.29), (-0.004, 0), (-273.15, -273.15), (1e300, 1e6)]
)
def test_a_value_counts_in_hundredths_and_none_is_so_large_that_a_sum_is_inexact(
    temperature_c: float, counted: float
) -> None:
    found = minute(*[rated(1, temperature_c=temperature_c)] * 10_000)
    assert found.temperature_sum == round(counted * 1_000_000) / 100
    assert found.temperature_max == temperature_c


rows_of_a_minute = st.lists(
    st.builds(
        rated,
        st.just(1),
        mode=st.sampled_from(MODES),
        temperature_c=st.floats(-273.15, 1e7),
        vibration_mm_s=st.floats(0, 1e7),
    ),
    min_size=2,
    max_size=20,
)


@given(rows_of_a_minute, st.data())
def test_parts_of_a_minute_come_to_the_same_in_any_order(rows: list[RatedReading], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(rows) - 1))
    shuffled = data.draw(st.permutations(rows))
    one, other = minute(*shuffled[:cut]), minute(*shuffled[cut:])
    assert together(one, other) == together(other, one) == minute(*rows)


# In a fleet


def test_the_minute_of_the_latest_reading_is_open_and_the_others_are_told() -> None:
    fleet = Fleet(0)
    assert fleet.after([rated(1, timestamp_at(0)), rated(1, timestamp_at(60))]).minutes == [
        minute(rated(1, timestamp_at(0)))
    ]
    take(fleet, [rated(1, timestamp_at(60))])
    assert open_minute(fleet.machines[1]) == minute(rated(1, timestamp_at(60)))
    take(fleet, [rated(1, timestamp_at(61))])
    assert fleet.after([rated(1, timestamp_at(62))]).minutes == []
    open_before = minute(rated(1, timestamp_at(60)), rated(1, timestamp_at(61)))
    assert open_minute(fleet.machines[1]) == open_before
    assert fleet.after([rated(1, timestamp_at(0))]).minutes == [open_before]


def test_a_machine_of_an_older_database_has_no_open_minute() -> None:
    fleet = Fleet(0)
    take(fleet, [rated(1)])
    assert open_minute(fleet.machines[1]._replace(minute_readings=0)) is None


some_rows = st.lists(
    st.builds(
        rated,
        machine_id=st.integers(1, 3),
        timestamp=st.sampled_from([0, 1, 59, 60, 61, 3600, 2e9]).map(timestamp_at),
        mode=st.sampled_from(MODES),
        temperature_c=st.sampled_from([60.0, 85.0, 95.125]),
    ),
    max_size=30,
)


@given(some_rows, st.lists(st.integers(0, 30), max_size=5))
def test_closed_and_open_minutes_come_to_what_all_rows_come_to(rows: list[RatedReading], cuts: list[int]) -> None:
    fleet, known = Fleet(0), dict[tuple[int, str], Minute]()

    def add(part: Minute) -> None:
        key = part.machine_id, part.minute
        known[key] = together(known[key], part) if key in known else part

    for begin, end in pairwise([0, *sorted(cuts), len(rows) + 30]):
        for part in fleet.after(rows[begin:end]).minutes:
            add(part)
        take(fleet, rows[begin:end])
    for machine in fleet.machines.values():
        still_open = open_minute(machine)
        assert still_open is not None
        add(still_open)
    expected = {
        (machine_id, first_moment(beginning)): minute(*map(RatedReading._make, own_rows))
        for machine_id, rows_of_machine in by_machine(rows).items()
        for beginning, own_rows in by_minute(rows_of_machine).items()
    }
    assert known == expected
