from consumers.machines.ranking import machines_beyond_limit, worst_machines
from tests.consumers.machines.support import LIMITS, row
from tests.consumers.support import fleet_of
from tests.support import rated


def test_machines_beyond_a_limit_are_those_whose_latest_reading_is() -> None:
    fleet = fleet_of(row(7, 0, temperature_c=95), row(2, 0, temperature_c=95), row(2, 1), row(1, 1, temperature_c=91))
    assert [machine.latest.machine_id for machine in machines_beyond_limit(fleet)] == [1, 7]


def test_the_worst_are_beyond_a_limit_then_low_while_active_then_the_rest() -> None:
    fleet = fleet_of(row(1, 0), row(2, 0), row(3, 0, "offline"), row(4, 0, temperature_c=95), row(5, 0, "idle"))
    chosen = worst_machines(fleet.machines.values(), {1: 99.0, 2: 70.0, 4: 80.0}, 4, LIMITS)
    assert chosen == [4, 2, 1, 3]


def test_of_equally_efficient_machines_the_nearest_to_a_limit_is_the_worst() -> None:
    fleet = fleet_of(
        rated(1, temperature_c=50.0, vibration_mm_s=1.5),
        rated(2, temperature_c=50.0, vibration_mm_s=2.7),
        rated(3, temperature_c=74.0, vibration_mm_s=1.5),
    )
    assert worst_machines(fleet.machines.values(), {1: 90.0, 2: 90.0, 3: 90.0}, 3, LIMITS) == [3, 2, 1]
