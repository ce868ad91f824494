"""Which machines need a look: those beyond a limit, and the worst ones first."""

from collections.abc import Iterable, Mapping

from consumers.machines.fleet import Fleet
from consumers.records import Machine
from utils.efficiency import Limits


def by_id(machines: Iterable[Machine]) -> list[Machine]:
    """Return the machines in the order of their ids."""
    return sorted(machines, key=lambda machine: machine.latest.machine_id)


def machines_beyond_limit(fleet: Fleet) -> list[Machine]:
    """Return the machines whose latest reading is an anomaly, in the order of their ids."""
    return by_id(machine for machine in fleet.machines.values() if machine.latest.is_anomaly)


def worst_machines(
    machines: Iterable[Machine], active_mean: Mapping[int, float], at_most: int, limits: Limits
) -> list[int]:
    """Return the ids of the machines to look at first; `active_mean` is their mean recent efficiency while active, %.

    First come the machines beyond a limit now. Then come those that have been active, the lowest mean first, and then
    the others: an idle machine's efficiency is low by the rule, not by its condition. Of equals, the one nearest to a
    limit comes first.
    """

    def urgency(machine: Machine) -> tuple[bool, bool, float, float, int]:
        latest = machine.latest
        machine_id = latest.machine_id
        mean = active_mean.get(machine_id, latest.efficiency_score)
        nearness = limits.share_of_limit(latest.temperature_c, latest.vibration_mm_s)
        return not latest.is_anomaly, machine_id not in active_mean, mean, -nearness, machine_id

    return [machine.latest.machine_id for machine in sorted(machines, key=urgency)[:at_most]]
