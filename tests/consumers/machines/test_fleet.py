from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.fleet import Fleet
from consumers.records import Machine, RatedReading
from tests.consumers.support import fleet_of, take
from tests.support import rated
from utils.message import MODES, Mode, timestamp_at

rows_of_few_machines = st.lists(
    st.builds(
        rated,
        machine_id=st.integers(1, 4),
        timestamp=st.integers(0, 9).map(timestamp_at),
        mode=st.sampled_from(MODES),
        temperature_c=st.sampled_from([20.0, 35.0, 60.0, 85.0, 95.0]),
        vibration_mm_s=st.sampled_from([1.0, 2.0, 4.0, 5.0]),
    ),
    max_size=40,
)


def means_by_scan(rows: Sequence[RatedReading]) -> dict[Mode, float | None]:
    means: dict[Mode, float | None] = {}
    for mode in MODES:
        tenths = [round(row.efficiency_score * 10) for row in rows if row.mode == mode]
        means[mode] = sum(tenths) / 10 / len(tenths) if tenths else None
    return means


def test_an_empty_fleet_knows_nothing() -> None:
    fleet = Fleet(10)
    assert fleet.machines_by_mode() == dict.fromkeys(MODES, 0)
    assert fleet.mean_efficiency_by_mode() == dict.fromkeys(MODES, None)
    assert fleet.after([]) == ([], [], {}, [])


def test_a_machine_is_as_its_latest_line_says() -> None:
    first, second = rated(1, timestamp_at(5), "active"), rated(1, timestamp_at(5), "offline")
    fleet = fleet_of(first, second)
    assert fleet.machines[1].latest == second
    assert fleet.machines_by_mode() == {"active": 0, "idle": 0, "maintenance": 0, "offline": 1}


def test_those_machines_are_returned_that_changed() -> None:
    fleet = fleet_of(rated(1), rated(2), rated(3))
    changed = take(fleet, [rated(3), rated(1), rated(3)])
    assert sorted(machine.latest.machine_id for machine in changed) == [1, 3]
    assert all(machine is fleet.machines[machine.latest.machine_id] for machine in changed)


def test_totals_count_readings_scores_and_anomalies_by_mode() -> None:
    fleet = fleet_of(rated(1), rated(1, mode="idle"), rated(1, vibration_mm_s=9.0), rated(1))
    machine = fleet.machines[1]
    assert machine.readings == 4
    assert machine.anomalies == 1
    assert (machine.active_readings, machine.active_efficiency_sum) == (3, 90 + 40 + 90)
    assert (machine.idle_readings, machine.idle_efficiency_sum) == (1, 54)
    assert (machine.offline_readings, machine.offline_efficiency_sum) == (0, 0)


def test_recent_readings_are_the_newest_so_many_oldest_first() -> None:
    rows = [rated(machine_id) for machine_id in range(10)]
    fleet = Fleet(4)
    for row in rows:
        take(fleet, [row])
    assert list(fleet.recent) == rows[-4:]


def test_a_fleet_without_room_for_recent_readings_still_counts() -> None:
    fleet = fleet_of(rated(1), rated(1), capacity=0)
    assert list(fleet.recent) == []
    assert fleet.machines[1].readings == 2


def test_a_fleet_goes_on_from_what_is_restored() -> None:
    known = Machine(rated(7, mode="idle"), 2, 1, idle_readings=2, idle_efficiency_sum=120.0)
    fleet = Fleet(10, [known], [rated(7, mode="idle")])
    take(fleet, [rated(7, mode="idle", temperature_c=95.0)])
    machine = fleet.machines[7]
    assert (machine.readings, machine.idle_readings, machine.idle_efficiency_sum) == (3, 3, 147.0)
    assert machine.anomalies == 2
    assert len(fleet.recent) == 2


def test_what_a_commit_would_change_changes_nothing_before_it_is_taken() -> None:
    fleet = fleet_of(rated(1), rated(2))
    before, recent = dict(fleet.machines), list(fleet.recent)
    assert fleet.after([rated(1), rated(3)]) == fleet.after([rated(1), rated(3)])
    assert fleet.machines == before
    assert list(fleet.recent) == recent


def test_the_last_word_of_each_machine_among_the_newest_readings_can_be_told() -> None:
    rows = [rated(1), rated(2), rated(1, mode="idle"), rated(3), rated(2, mode="offline")]
    fleet = fleet_of(*rows)
    assert sorted(fleet.latest_heard(3)) == sorted(rows[2:])
    assert sorted(fleet.latest_heard(100)) == sorted(rows[2:])
    assert fleet_of().latest_heard(3) == []


def test_where_no_readings_are_kept_the_machines_heard_last_are_told() -> None:
    rows = [rated(machine_id)._replace(processed_at=timestamp_at(machine_id)) for machine_id in (5, 1, 4, 2)]
    fleet = fleet_of(*rows, capacity=0)
    assert sorted(row.machine_id for row in fleet.latest_heard(2)) == [4, 5]


def test_sums_stay_exact_over_very_many_readings() -> None:
    fleet = Fleet(0)
    rows = [rated(1, temperature_c=85.0, vibration_mm_s=2.0)] * 10_000
    for _ in range(10):
        take(fleet, rows)
    assert fleet.machines[1].active_efficiency_sum == 63.0 * 100_000
    assert fleet.mean_efficiency_by_mode()["active"] == pytest.approx(63.0, abs=0)


@given(rows_of_few_machines)
def test_counts_and_means_equal_those_of_a_scan(rows: list[RatedReading]) -> None:
    fleet = fleet_of(*rows)
    assert fleet.mean_efficiency_by_mode() == means_by_scan(rows)
    latest = {row.machine_id: row.mode for row in rows}
    assert fleet.machines_by_mode() == {mode: list(latest.values()).count(mode) for mode in MODES}
    assert sum(machine.anomalies for machine in fleet.machines.values()) == sum(row.is_anomaly for row in rows)


@given(rows_of_few_machines, st.lists(st.integers(0, 40), max_size=4))
def test_how_readings_are_batched_does_not_matter(rows: list[RatedReading], cuts: list[int]) -> None:
    batched = Fleet(7)
    for begin, end in pairwise([0, *sorted(cuts), len(rows) + 40]):
        take(batched, rows[begin:end])
    whole = fleet_of(*rows, capacity=7)
    assert batched.machines == whole.machines
    assert batched.recent == whole.recent
