"""What the dashboard tells: the plant’s own time, who is silent, beyond a limit or worst, and in which words."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from consumers.machines.fleet import Fleet, Machine
from consumers.records import RatedReading
from utils.efficiency import EfficiencyLevel, Limits
from utils.message import epoch_seconds, timestamp_at
from utils.text import count, duration

_FIRST_MOMENT_S: Final = -62_135_596_800.0  # the years 1 and 9999: Python knows no dates beyond them
_LAST_MOMENT_S: Final = 253_402_300_799.0
_LONGEST_NAME: Final = 6
_SILENT_INTERVALS: Final = 3
_VOTING_READINGS: Final = 30
_NAMED_BEYOND: Final = 5
_LONGEST_BEYOND: Final = 55  # characters
_NAMED_SILENT: Final = 3
_LONGEST_SILENT: Final = 18
_NAMED_CLOCKS: Final = 3
_LONGEST_CLOCKS: Final = 32


class Attendance(NamedTuple):
    """Who is heard and who is not, by the plant's own time; see `attendance`."""

    silence_s: float
    """A machine quiet for longer counts as silent."""
    readings: list[RatedReading]
    """Of the time that the trend panel looks back, in the order of arrival."""
    silent: list[Machine]
    """In the order of their ids, as the next."""
    wrong_clocks: list[Machine]
    """Heard, but at a time that cannot be."""


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


def plant_time(votes: Collection[RatedReading], tolerance_s: float) -> str:
    """Tell the plant's own time by its machines' clocks, one reading of each; at least one.

    It is the newest time that is to be believed, as recorded and simulated feeds run by clocks of their own. Not
    believed is a clock that is ahead of the middle one by more than `tolerance_s`, and has not come there as the
    consumer's clock did: after a night without readings, the first machine to wake is right.
    """
    ordered = sorted(votes, key=lambda reading: reading.timestamp)
    # Of two in the middle, the one nearer to the consumer's clock: of two machines, one may be in the year 9999.
    middle = min(ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1], key=lambda reading: abs(_ahead_s(reading)))
    middle_s, usually_ahead_s = epoch_seconds(middle.timestamp), _ahead_s(middle)
    return next(
        reading.timestamp
        for reading in reversed(ordered)
        if epoch_seconds(reading.timestamp) - middle_s <= tolerance_s
        or _ahead_s(reading) - usually_ahead_s <= tolerance_s
    )


def attendance(fleet: Fleet, window_s: float, stale_after_s: float) -> Attendance:
    """Find who is heard, over the newest `window_s` of the plant's own time; see `silence_limit_s`."""
    votes = fleet.latest_heard(_VOTING_READINGS)
    if not votes:
        return Attendance(stale_after_s, [], [], [])
    near = _between(fleet.recent, plant_time(votes, 0), window_s, window_s)
    found = _attendance(fleet, votes, near, window_s, stale_after_s)
    if not found.wrong_clocks:
        return found
    # A clock that is wrong by minutes has stretched the span that the limit of silence is told from.
    wrong = {machine.latest.machine_id for machine in found.wrong_clocks}
    right = [reading for reading in near if reading.machine_id not in wrong]
    return _attendance(fleet, votes, right, window_s, stale_after_s)


def _attendance(
    fleet: Fleet, votes: list[RatedReading], near: list[RatedReading], window_s: float, stale_after_s: float
) -> Attendance:
    silence_s = silence_limit_s(near, stale_after_s)
    now = plant_time(votes, silence_s)
    silent, wrong_clocks = _absent(fleet, now, silence_s)
    return Attendance(silence_s, _between(fleet.recent, now, window_s, silence_s), silent, wrong_clocks)


def _absent(fleet: Fleet, now: str, silence_s: float) -> tuple[list[Machine], list[Machine]]:
    """Find the machines that are silent, and those that only their clock makes seem so."""
    since, until = _moment(now, -silence_s), _moment(now, silence_s)
    absent = [machine for machine in fleet.machines.values() if not since <= machine.latest.timestamp <= until]
    if not absent:
        return [], []
    # Whose clock is wrong is known by the order of arrival: heard lately all the same.
    lately = len(_between(fleet.recent, now, silence_s / 2, silence_s / 2))
    heard = {reading.machine_id for reading in islice(reversed(fleet.recent), lately)}
    silent = _by_id(machine for machine in absent if machine.latest.machine_id not in heard)
    return silent, _by_id(machine for machine in absent if machine.latest.machine_id in heard)


def _between(recent: Iterable[RatedReading], moment: str, before_s: float, after_s: float) -> list[RatedReading]:
    since, until = _moment(moment, -before_s), _moment(moment, after_s)
    return [reading for reading in recent if since <= reading.timestamp <= until]


def _moment(timestamp: str, later_s: float) -> str:
    return timestamp_at(min(max(epoch_seconds(timestamp) + later_s, _FIRST_MOMENT_S), _LAST_MOMENT_S))


def _ahead_s(reading: RatedReading) -> float:
    """Tell how far a machine's clock is ahead of the consumer's."""
    return epoch_seconds(reading.timestamp) - epoch_seconds(reading.processed_at)


def machines_beyond_limit(fleet: Fleet) -> list[Machine]:
    """Find the machines whose latest reading is an anomaly; in the order of their ids."""
    return _by_id(machine for machine in fleet.machines.values() if machine.latest.is_anomaly)


def worst_machines(
    machines: Iterable[Machine], active_mean: Mapping[int, float], at_most: int, limits: Limits
) -> list[int]:
    """Choose the machines to look at first; `active_mean` is a machine's mean recent efficiency, %, while active.

    Those beyond a limit now, then those that were active, the lowest mean first, then the others: an idle
    machine's efficiency is low by the rule, not by its condition. Of equals, the nearest to a limit.
    """

    def urgency(machine: Machine) -> tuple[bool, bool, float, float, int]:
        latest = machine.latest
        machine_id = latest.machine_id
        mean = active_mean.get(machine_id, latest.efficiency_score)
        nearness = limits.share_of_limit(latest.temperature_c, latest.vibration_mm_s)
        return not latest.is_anomaly, machine_id not in active_mean, mean, -nearness, machine_id

    return [machine.latest.machine_id for machine in sorted(machines, key=urgency)[:at_most]]


def level_of_mean(efficiency: float, limits: Limits) -> EfficiencyLevel:
    """Name the level of a mean efficiency, %; whether single readings were anomalies does not count."""
    if efficiency < limits.level_critical_below:
        return "Critical"
    if efficiency >= limits.level_high_from:
        return "High"
    return "Medium" if efficiency >= limits.level_medium_from else "Low"


def beyond_words(machine_ids: Sequence[int]) -> str:
    """Name the machines beyond a limit; at least one."""
    words = f"{len(machine_ids):,} beyond a limit now: "
    return words + machine_names(machine_ids, _NAMED_BEYOND, _LONGEST_BEYOND - len(words))


def silent_beyond_words(machine_ids: Sequence[int]) -> str:
    """Name the silent machines that were beyond a limit when they fell silent; at least one."""
    words = f"{len(machine_ids):,} beyond a limit when last heard: "
    return words + machine_names(machine_ids, _NAMED_BEYOND, _LONGEST_BEYOND - len(words))


def clock_words(machine_ids: Sequence[int]) -> str:
    """Name the machines whose clock is wrong; empty where there are none."""
    if not machine_ids:
        return ""
    return f"{count(len(machine_ids), 'machine')} with a wrong clock: " + machine_names(
        machine_ids, _NAMED_CLOCKS, _LONGEST_CLOCKS
    )


def silence_words(machine_ids: Sequence[int], silence_s: float) -> str:
    """Name the silent machines, or tell that the others' modes are their latest."""
    if not machine_ids:
        return "by the latest reading of each"
    names = machine_names(machine_ids, _NAMED_SILENT, _LONGEST_SILENT)
    return f"{len(machine_ids):,} silent > {duration(silence_s)} (hatched): {names}"


def trend_words(named: int, machines: int) -> str:
    """Tell which of the machines are named in the trend panel."""
    if machines > named:
        return f"{named} of {machines:,} named: those beyond a limit now (×), then the lowest mean while active"
    return "latest value at the line’s end; × beyond a limit"


def scatter_words(readings: int, anomalies: int, outside: int) -> str:
    """Count the readings of the scatter panel, those beyond a limit, and those off its scale."""
    if not readings:
        return ""
    ringed = ", the latest ringed and named" if anomalies else ""
    text = f"newest {count(readings, 'reading')}: {anomalies:,} beyond a limit (×){ringed}"
    return f"{text}; {outside:,} off the scale, at its edge" if outside else text


def _by_id(machines: Iterable[Machine]) -> list[Machine]:
    return sorted(machines, key=lambda machine: machine.latest.machine_id)
