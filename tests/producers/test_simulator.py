import hashlib
import math
from collections import Counter
from itertools import pairwise
from random import Random
from statistics import correlation, mean, median, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.simulator import Fault, Machine, Plant, PlantError
from utils.efficiency import Limits
from utils.message import MODES, Mode, Reading, from_line, timestamp_at, to_line

LIMITS = Limits()
START_S = 1_795_339_200.0


def plant_of(machines: int = 8, interval_s: float = 1.0, seed: int = 7, start_s: float = START_S) -> Plant:
    return Plant(machines, interval_s, start_s, Random(seed), LIMITS)


def machine_in(mode: Mode, seed: int = 7, step_s: float = 1.0) -> Machine:
    """A young machine, in the middle of nothing in particular."""
    return Machine(1, mode, 0.05, step_s, LIMITS, Random(seed))


def readings_of(plant: Plant, rounds: int) -> list[Reading]:
    return [reading for _ in range(rounds) for reading in plant.next_round()]


def run_until(machine: Machine, remaining_life_s: float) -> None:
    """Let it work without a break until so much of its life is left, or someone stops it."""
    while machine.remaining_life_s > remaining_life_s and machine.mode != "maintenance":
        machine._mode_left_s = math.inf
        machine.step()


def next_mode(machine: Machine) -> Mode:
    """Let time pass until the mode changes."""
    mode = machine.mode
    while machine.mode == mode:
        machine.step()
    return machine.mode


def lives(count: int) -> list[Machine]:
    """Machines that work on, each with a life of its own and no fault."""
    machines = [machine_in("active", seed) for seed in range(count)]
    for machine in machines:
        machine._fault_from_s = -math.inf
        machine._patience_s = math.inf
    return machines


# What a plant promises


def test_the_same_seed_and_start_give_the_same_readings() -> None:
    assert readings_of(plant_of(seed=3), 500) == readings_of(plant_of(seed=3), 500)


def test_another_seed_gives_another_plant() -> None:
    assert readings_of(plant_of(seed=3), 1) != readings_of(plant_of(seed=4), 1)


def test_the_readings_of_a_seed_are_the_same_on_every_platform() -> None:
    lines = "".join(to_line(reading, 0.0, "Low") for reading in readings_of(plant_of(seed=7), 4000))
    assert (
        hashlib.sha256(lines.encode()).hexdigest()
        == "86479de5af8bb828a9d28d47b2edc1d6ecd01cf97abd64f3e816c5b43973044f"
    )


def test_every_machine_reports_once_a_round_at_the_same_moment() -> None:
    plant = plant_of(machines=5)
    for number in range(20):
        readings = plant.next_round()
        assert [reading.machine_id for reading in readings] == [1, 2, 3, 4, 5]
        assert {reading.timestamp for reading in readings} == {timestamp_at(START_S + number)}


def test_the_clock_does_not_drift_with_an_interval_that_has_no_exact_float() -> None:
    plant = plant_of(machines=1, interval_s=0.1)
    stamps = [reading.timestamp for reading in readings_of(plant, 36_001)]
    assert stamps[3] == timestamp_at(START_S + 0.3)
    assert stamps[-1] == timestamp_at(START_S + 3600)
    assert len(set(stamps)) == 36_001


def test_the_clock_can_be_set_and_the_machines_go_on_where_they_were() -> None:
    plain, moved = plant_of(), plant_of()
    plain.next_round(), moved.next_round()
    moved.set_clock(START_S + 1000)
    assert moved.now_s == START_S + 1000
    later = [reading._replace(timestamp=timestamp_at(START_S + 1)) for reading in moved.next_round()]
    assert later == plain.next_round()


def test_a_clock_beyond_the_calendar_is_told_and_not_a_crash() -> None:
    plant = plant_of(interval_s=86_400, start_s=253_402_300_799.0)
    plant.next_round()
    with pytest.raises(PlantError, match="beyond the calendar; choose another --start"):
        plant.next_round()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.sampled_from([0.001, 0.1, 1.0, 7.3, 60.0, 3600.0]), st.integers(0, 2**63 - 1))
def test_every_reading_of_every_plant_is_lawful_and_survives_the_wire(
    machines: int, interval_s: float, seed: int
) -> None:
    for reading in readings_of(plant_of(machines, interval_s, seed), 10):
        assert reading.mode in MODES
        assert 10 < reading.temperature_c < 200
        assert 0 <= reading.vibration_mm_s < 30
        assert round(reading.temperature_c, 2) == reading.temperature_c
        assert round(reading.vibration_mm_s, 2) == reading.vibration_mm_s
        assert from_line(to_line(reading, 50.0, "Medium")) == reading


# What people see


@pytest.mark.parametrize("seed", range(5))
def test_a_plant_of_eight_shows_every_mode_at_once_and_works(seed: int) -> None:
    modes = Counter(reading.mode for reading in plant_of(8, seed=seed).next_round())
    assert set(modes) == set(MODES)
    assert modes["active"] >= 5
    assert modes["active"] + modes["idle"] >= 6


@pytest.mark.parametrize("machines", [1, 2, 3])
def test_a_tiny_plant_begins_by_working(machines: int) -> None:
    assert {reading.mode for reading in plant_of(machines).next_round()} == {"active"}


def test_in_most_plants_a_machine_goes_beyond_a_limit_within_ten_minutes() -> None:
    eventful = sum(
        any(LIMITS.rate(reading).is_anomaly for reading in readings_of(plant_of(8, 5.0, seed), 120))
        for seed in range(40)
    )
    assert eventful >= 32


@pytest.fixture(scope="module")
def long_run() -> list[Reading]:
    """Six hours of forty machines, a reading every five seconds."""
    return readings_of(plant_of(40, 5.0, seed=11), 6 * 720)


def test_machines_are_mostly_active_and_each_mode_has_its_share(long_run: list[Reading]) -> None:
    share = {mode: count / len(long_run) for mode, count in Counter(reading.mode for reading in long_run).items()}
    assert 0.62 < share["active"] < 0.80
    assert 0.10 < share["idle"] < 0.22
    assert 0.03 < share["maintenance"] < 0.11
    assert 0.03 < share["offline"] < 0.12


def test_anomalies_are_rare(long_run: list[Reading]) -> None:
    assert 0.01 < mean(LIMITS.rate(reading).is_anomaly for reading in long_run) < 0.04


def test_active_machines_are_mostly_in_the_optimal_range_and_in_zones_a_and_b(long_run: list[Reading]) -> None:
    active = [reading for reading in long_run if reading.mode == "active"]
    assert mean(40 <= reading.temperature_c <= 75 for reading in active) > 0.85
    assert mean(reading.vibration_mm_s <= 2.8 for reading in active) > 0.85


def test_the_modes_differ_in_heat_and_vibration_as_they_should(long_run: list[Reading]) -> None:
    heat = {mode: median(r.temperature_c for r in long_run if r.mode == mode) for mode in MODES}
    shake = {mode: median(r.vibration_mm_s for r in long_run if r.mode == mode) for mode in MODES}
    assert heat["offline"] < heat["idle"] < heat["active"]
    assert shake["offline"] == pytest.approx(0.05, abs=0.02)
    assert shake["maintenance"] < 0.1 < shake["idle"] < shake["active"]


def test_modes_last_minutes(long_run: list[Reading]) -> None:
    modes = [reading.mode for reading in long_run if reading.machine_id == 5]
    changes = sum(before != after for before, after in pairwise(modes))
    assert 2 < 6 * 60 / changes < 15


def test_every_machine_has_its_own_baseline(long_run: list[Reading]) -> None:
    baselines = {
        median(r.vibration_mm_s for r in long_run if r.machine_id == number and r.mode == "active")
        for number in range(1, 11)
    }
    assert max(baselines) - min(baselines) > 0.4


@pytest.mark.parametrize("interval_s", [1.0, 60.0])
def test_behaviour_depends_on_elapsed_time_not_on_the_number_of_rounds(
    interval_s: float, long_run: list[Reading]
) -> None:
    hours = 3 if interval_s < 5 else 12
    readings = readings_of(plant_of(20, interval_s, seed=5), int(hours * 3600 / interval_s))
    for mode in MODES:
        here, there = ([r for r in run if r.mode == mode] for run in (readings, long_run))
        assert len(here) / len(readings) == pytest.approx(len(there) / len(long_run), abs=0.1)
        assert median(r.temperature_c for r in here) == pytest.approx(median(r.temperature_c for r in there), abs=6)
        assert median(r.vibration_mm_s for r in here) == pytest.approx(
            median(r.vibration_mm_s for r in there), abs=0.35
        )


# Heat


def seconds_to_cover_most_of_the_way(machine: Machine, mode: Mode) -> float:
    machine._enter(mode)
    first, target, seconds = machine.temperature_c, machine._target_c, 0
    while abs(machine.temperature_c - target) > abs(first - target) / math.e:
        machine._mode_left_s = math.inf
        machine.step()
        seconds += 1
    return seconds


def test_a_stopped_machine_cools_two_to_three_times_more_slowly_than_it_warms() -> None:
    for seed in range(10):
        machine = machine_in("offline", seed)
        warming_s = seconds_to_cover_most_of_the_way(machine, "idle")
        cooling_s = seconds_to_cover_most_of_the_way(machine, "offline")
        assert 1.9 < cooling_s / warming_s < 3.2


def test_an_offline_machine_ends_at_the_temperature_of_the_room_and_at_the_noise_floor() -> None:
    machine = machine_in("active")
    machine._enter("offline")
    machine._mode_left_s = math.inf
    for _ in range(1800):
        machine.step()
    assert machine.temperature_c == pytest.approx(machine.room_c, abs=0.1)
    assert machine.vibration_mm_s == pytest.approx(0.05)


# Noise


def test_noise_is_autocorrelated_by_elapsed_time_and_small() -> None:
    for step_s in (1.0, 5.0):
        machine = machine_in("idle", step_s=step_s)
        machine._mode_left_s = math.inf
        measured = []
        for _ in range(6000):
            machine.step()
            measured.append(machine.report("").vibration_mm_s)
        assert correlation(measured[:-1], measured[1:]) == pytest.approx(math.exp(-step_s / 5), abs=0.08)
        assert pstdev(measured) == pytest.approx(0.012 + 0.04 * machine.vibration_mm_s, rel=0.15)


# Wear, faults, maintenance


def test_wear_is_all_there_when_the_remaining_life_is_over_and_then_the_severity_is_the_limit() -> None:
    for machine in lives(10):
        run_until(machine, 0.5)
        assert machine.remaining_life_s == pytest.approx(0, abs=1.5)
        run_until(machine, 0)
        assert 1 <= machine.wear < 1.6
        if machine._growth_s > 10:
            assert machine.vibration_mm_s == pytest.approx(LIMITS.vibration_safe_max_mm_s, abs=0.1)


def test_some_lives_end_by_growth_over_their_last_third_and_others_by_a_late_jump() -> None:
    slow = sudden = 0
    for machine in lives(30):
        life_s = machine.remaining_life_s
        run_until(machine, 0.5 * life_s)
        halfway = machine.vibration_mm_s
        run_until(machine, 60)
        if machine.vibration_mm_s < 1.05 * halfway:
            sudden += 1
        elif machine.vibration_mm_s > 1.3 * halfway:
            slow += 1
        run_until(machine, 0)
        assert machine.vibration_mm_s >= LIMITS.vibration_safe_max_mm_s - 0.05
    assert slow >= 10
    assert sudden >= 6
    assert slow + sudden >= 28


def test_vibration_falls_a_little_during_run_in() -> None:
    machine = machine_in("active")
    machine._renew()
    machine._enter("active")
    at_first = machine.vibration_mm_s
    run_until(machine, machine.remaining_life_s - 400)
    assert 0.8 < machine.vibration_mm_s / at_first < 0.95


def test_wear_tells_first_in_vibration_then_in_heat() -> None:
    machine = next(machine for machine in lives(10) if machine._growth_s > 100)
    cool, smooth = machine.room_c + machine.rise_c, machine.base_mm_s
    while machine.wear < 0.35:
        run_until(machine, machine.remaining_life_s - 1)
    assert machine.vibration_mm_s > 1.4 * smooth
    assert machine.temperature_c < cool + 4
    run_until(machine, -60)
    assert machine.temperature_c > cool + 12


def faulty(kind: Fault) -> Machine:
    """A machine that has just been befallen, and that nobody stops."""
    machines = [machine_in("active", seed) for seed in range(50)]
    for machine in machines:
        machine._fault_from_s, machine._patience_s = machine.remaining_life_s - 500, math.inf
        run_until(machine, machine.remaining_life_s - 502)
    return next(machine for machine in machines if machine.fault == kind)


def test_an_imbalance_multiplies_the_vibration_and_leaves_the_temperature() -> None:
    machine = faulty("imbalance")
    run_until(machine, machine.remaining_life_s - 300)
    assert 1.8 < machine.vibration_mm_s / machine.base_mm_s < 3.4
    assert machine.temperature_c == pytest.approx(machine.room_c + machine.rise_c, abs=1)


def test_blocked_cooling_heats_the_machine_and_leaves_the_vibration() -> None:
    machine = faulty("blocked cooling")
    run_until(machine, machine.remaining_life_s - 300)
    assert machine.temperature_c > machine.room_c + 1.5 * machine.rise_c
    assert machine.vibration_mm_s == pytest.approx(machine.base_mm_s, rel=0.1)


def test_a_machine_far_gone_is_stopped_after_people_could_see_it() -> None:
    for seed in range(10):
        machine = machine_in("active", seed)
        machine._fault_from_s = -math.inf
        run_until(machine, 0)
        run_until(machine, -math.inf)
        assert machine.mode == "maintenance"
        assert 50 < -machine.remaining_life_s < 200


def test_maintenance_takes_back_most_of_the_wear_mends_faults_and_cools_the_machine() -> None:
    for seed in range(20):
        machine = machine_in("active", seed)
        run_until(machine, -math.inf)
        worn, hot = machine.wear, machine.temperature_c
        assert next_mode(machine) == "active"
        assert machine.wear <= 0.2 * worn + 0.001
        assert machine.fault is None
        assert machine.remaining_life_s > 1000
        assert machine.temperature_c - machine.room_c < 0.5 * (hot - machine.room_c)


# The truth that forecasts are judged by


@pytest.mark.parametrize("seed", range(5))
def test_the_told_running_time_is_the_time_until_the_limit_is_reached(seed: int) -> None:
    machine = machine_in("active", seed)
    machine._patience_s = math.inf
    machine._fault_from_s = -math.inf
    told, passed_s = machine.running_s_to_limit, 0.0
    assert told is not None
    while machine.vibration_mm_s < LIMITS.vibration_safe_max_mm_s:
        machine._mode_left_s = math.inf
        machine.step()
        passed_s += 1
    assert passed_s == pytest.approx(told, abs=2)


def test_a_machine_whose_wear_ends_below_the_limit_never_reaches_it() -> None:
    machine = machine_in("active")
    machine._worn_mm_s = 0.01
    assert machine.running_s_to_limit is None


def test_an_imbalance_beyond_the_limit_leaves_no_time() -> None:
    machine = machine_in("active")
    machine._imbalance_factor = 10.0
    assert machine.running_s_to_limit == 0
