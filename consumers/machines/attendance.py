"""Who is heard and who is silent, by the plant's own time.

A feed may be live, recorded years ago, or simulated faster than real time, so the consumer's clock cannot say which
machines are silent. The plant has a time of its own: the newest timestamp that can be believed. A machine is present
if its latest reading is near that time. Of the others, a machine that was read lately all the same has a wrong clock;
the rest are silent. Near and lately are measured by the limit of silence, which grows with the time between readings.
"""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final, NamedTuple

from consumers.machines.fleet import Fleet
from consumers.machines.ranking import by_id
from consumers.records import Machine, RatedReading, Timestamp
from utils.message import epoch_seconds
from utils.moment import shifted

_SILENT_INTERVALS: Final = 3
_VOTING_READINGS: Final = 30


class Attendance(NamedTuple):
    """Who is heard and who is not, at one moment; see `attendance`."""

    silence_s: float
    """A machine that is quiet for longer counts as silent."""
    readings: list[RatedReading]
    """The readings within the time window asked for, in the order of arrival."""
    silent: list[Machine]
    """In the order of their ids."""
    wrong_clocks: list[Machine]
    """Machines that are heard, but at a time that cannot be right; in the order of their ids."""
    at: Timestamp | None = None
    """The plant's time; None before the first reading."""


def attendance(fleet: Fleet, window_s: float, stale_after_s: float) -> Attendance:
    """Return who is heard, and the readings of the newest `window_s` of the plant's own time."""
    votes = fleet.latest_heard(_VOTING_READINGS)
    if not votes:
        return Attendance(stale_after_s, [], [], [])
    near = _between(fleet.recent, plant_time(votes, 0), window_s, window_s)
    found = _attendance(fleet, votes, near, window_s, stale_after_s)
    if not found.wrong_clocks:
        return found
    # The limit of silence follows from the span of the readings. A clock that is wrong by minutes stretches that
    # span, so once such clocks are known, the limit is worked out again without them.
    wrong = {machine.latest.machine_id for machine in found.wrong_clocks}
    right = [reading for reading in near if reading.machine_id not in wrong]
    return _attendance(fleet, votes, right, window_s, stale_after_s)


def _attendance(
    fleet: Fleet, votes: list[RatedReading], near: list[RatedReading], window_s: float, stale_after_s: float
) -> Attendance:
    """Return who is heard, with the limit of silence that follows from the readings `near` the plant's time."""
    silence_s = silence_limit_s(near, stale_after_s)
    now = plant_time(votes, silence_s)
    silent, wrong_clocks = _absent(fleet, now, silence_s)
    return Attendance(silence_s, _between(fleet.recent, now, window_s, silence_s), silent, wrong_clocks, now)


def silence_limit_s(recent: Collection[RatedReading], stale_after_s: float) -> float:
    """Return how long a machine may be quiet before it counts as silent, s; at least `stale_after_s`.

    It is at least three times the mean time between two readings of one machine, so that the machines of a slow
    feed do not all count as silent.
    """
    if not recent:
        return stale_after_s
    timestamps = [reading.timestamp for reading in recent]
    span_s = epoch_seconds(max(timestamps)) - epoch_seconds(min(timestamps))
    machines = len({reading.machine_id for reading in recent})
    return max(stale_after_s, _SILENT_INTERVALS * span_s * machines / len(recent))


def plant_time(votes: Collection[RatedReading], tolerance_s: float) -> str:
    """Return the newest timestamp that can be believed. `votes` holds at least one reading, one for each machine.

    A timestamp is believed if it is ahead of the middle one by at most `tolerance_s`. It is also believed if it lies
    ahead of the consumer's clock by about as much as the middle one does: after a night without readings, the first
    machine to wake is right.
    """
    ordered = sorted(votes, key=lambda reading: reading.timestamp)
    # An even number has two in the middle. The one nearer to the consumer's clock is taken, because of two machines,
    # one may be in the year 9999.
    middle = min(ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1], key=lambda reading: abs(_ahead_s(reading)))
    middle_s, usually_ahead_s = epoch_seconds(middle.timestamp), _ahead_s(middle)
    return next(
        reading.timestamp
        for reading in reversed(ordered)
        if epoch_seconds(reading.timestamp) - middle_s <= tolerance_s
        or _ahead_s(reading) - usually_ahead_s <= tolerance_s
    )


def _ahead_s(reading: RatedReading) -> float:
    """Return how far the machine's clock was ahead of the consumer's clock, s."""
    return epoch_seconds(reading.timestamp) - epoch_seconds(reading.processed_at)


def _absent(fleet: Fleet, now: str, silence_s: float) -> tuple[list[Machine], list[Machine]]:
    """Return the silent machines, and those that seem silent only because their clock is wrong."""
    since, until = shifted(now, -silence_s), shifted(now, silence_s)
    absent = [machine for machine in fleet.machines.values() if not since <= machine.latest.timestamp <= until]
    if not absent:
        return [], []
    # The timestamps of a wrong clock say nothing, but the order of arrival does: a machine is heard lately if one of
    # its readings is among the newest ones, as many as came within half the limit of silence.
    lately = len(_between(fleet.recent, now, silence_s / 2, silence_s / 2))
    heard = {reading.machine_id for reading in islice(reversed(fleet.recent), lately)}
    silent = by_id(machine for machine in absent if machine.latest.machine_id not in heard)
    return silent, by_id(machine for machine in absent if machine.latest.machine_id in heard)


def _between(recent: Iterable[RatedReading], moment: str, before_s: float, after_s: float) -> list[RatedReading]:
    """Return the readings from `before_s` before the moment to `after_s` after it."""
    since, until = shifted(moment, -before_s), shifted(moment, after_s)
    return [reading for reading in recent if since <= reading.timestamp <= until]
