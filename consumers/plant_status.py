"""What the dashboard says in words: which machines are silent, which beyond a limit, which are worst."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from consumers.fleet import Fleet, Machine
from consumers.ingest import RatedReading
from utils.efficiency import EfficiencyLevel, Limits
from utils.message import epoch_seconds, timestamp_at

_FIRST_MOMENT_S: Final = -62_135_596_800  # the year 1, before which Python knows no dates
_LONGEST_NAME: Final = 6
_SILENT_INTERVALS: Final = 3


def machine_name(machine_id: int) -> str:
    """Name a machine in at most seven characters: of a long number the end, which tells the most."""
    digits = str(machine_id)
    return f"#{digits}" if len(digits) <= _LONGEST_NAME else f"#…{digits[-_LONGEST_NAME + 1 :]}"


def machine_names(machine_ids: Sequence[int], at_most: int, characters: int) -> str:
    """List machines, `at_most` of them by name and at least one, as many as go into so many characters."""
    names = " ".join(map(machine_name, machine_ids[:at_most]))
    if len(machine_ids) > at_most:
        names += f" +{len(machine_ids) - at_most:,} more"
    return names if len(names) <= characters or at_most <= 1 else machine_names(machine_ids, at_most - 1, characters)


def duration(seconds: float) -> str:
    """Write a time in its largest fitting unit, whole."""
    for unit, size, last in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 172_800)):
        if seconds < last:
            return f"{max(0, int(seconds / size))} {unit}"
    return f"{int(seconds / 86_400):,} days"


def count(number: int, what: str) -> str:
    """Write a number with its noun, one or many."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def silence_limit_s(recent: Collection[RatedReading], stale_after_s: float) -> float:
    """Tell how long a machine may be quiet before it counts as silent, s.

    At least three times the mean time between two readings of one machine, so that the machines of a slow,
    recorded feed do not all count as silent.
    """
    if not recent:
        return stale_after_s
    timestamps = [reading.timestamp for reading in recent]
    span_s = epoch_seconds(max(timestamps)) - epoch_seconds(min(timestamps))
    machines = len({reading.machine_id for reading in recent})
    return max(stale_after_s, _SILENT_INTERVALS * span_s * machines / len(recent))


def silent_machines(fleet: Fleet, silence_s: float) -> list[Machine]:
    """Find the machines quiet for longer than `silence_s`, by the plant's own time; in the order of their ids."""
    newest = fleet.newest_timestamp()
    if newest is None:
        return []
    since_s = epoch_seconds(newest) - silence_s
    if since_s < _FIRST_MOMENT_S:
        return []
    since = timestamp_at(since_s)
    return _by_id(machine for machine in fleet.machines.values() if machine.latest.timestamp < since)


def machines_beyond_limit(fleet: Fleet) -> list[Machine]:
    """Find the machines whose latest reading is an anomaly; in the order of their ids."""
    return _by_id(machine for machine in fleet.machines.values() if machine.latest.is_anomaly)


def worst_machines(machines: Iterable[Machine], active_mean: Mapping[int, float], at_most: int) -> list[int]:
    """Choose the machines to look at first; `active_mean` is a machine's mean recent efficiency, %, while active.

    Those beyond a limit now, then those that were active, the lowest mean first, then the others: an idle
    machine's efficiency is low by the rule, not by its condition.
    """

    def urgency(machine: Machine) -> tuple[bool, bool, float, int]:
        latest = machine.latest
        machine_id = latest.machine_id
        mean = active_mean.get(machine_id, latest.efficiency_score)
        return not latest.is_anomaly, machine_id not in active_mean, mean, machine_id

    return [machine.latest.machine_id for machine in sorted(machines, key=urgency)[:at_most]]


def level_of_mean(efficiency: float, limits: Limits) -> EfficiencyLevel:
    """Name the level of a mean efficiency, %; whether single readings were anomalies does not count."""
    if efficiency < limits.level_critical_below:
        return "Critical"
    if efficiency >= limits.level_high_from:
        return "High"
    return "Medium" if efficiency >= limits.level_medium_from else "Low"


def _by_id(machines: Iterable[Machine]) -> list[Machine]:
    return sorted(machines, key=lambda machine: machine.latest.machine_id)
