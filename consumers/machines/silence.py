"""Who has fallen silent and who has come back, told once each; and whether the feed itself has."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from consumers.machines.attendance import attendance
from consumers.machines.events import all_rejected, back, feed_back, feed_silent, silent
from consumers.machines.fleet import Fleet
from consumers.records import Event, Timestamp


class SilenceChanges(NamedTuple):
    """Who has fallen silent or come back since the last look."""

    silences: Mapping[int, Timestamp | None]
    """By machine: when it was heard last; None if it is back."""
    events: list[Event]


class SilenceWatch:
    """The machines that were told as silent, `told`, each with when it was heard last."""

    def __init__(self, window_s: float, stale_after_s: float, told: Mapping[int, Timestamp] | None = None) -> None:
        self.limit_s = stale_after_s
        """Who is quiet for longer is silent, s: as it was at the last look."""
        self._window_s = window_s
        self._stale_after_s = stale_after_s
        self._told = dict(told or {})

    def look(self, fleet: Fleet) -> SilenceChanges:
        """Return what has changed; until it is taken over, the same comes again."""
        found = attendance(fleet, self._window_s, self._stale_after_s)
        self.limit_s = found.silence_s
        silent_now = {machine.latest.machine_id: machine for machine in found.silent}
        gone = [machine for machine_id, machine in silent_now.items() if machine_id not in self._told]
        returned = [fleet.machines[n] for n in self._told if n not in silent_now and n in fleet.machines]
        silences: dict[int, Timestamp | None] = {m.latest.machine_id: m.latest.timestamp for m in gone}
        silences |= {machine.latest.machine_id: None for machine in returned}
        now = max((reading.timestamp for reading in found.readings), default="")
        events = [silent(machine, max(now, machine.latest.timestamp)) for machine in gone]
        events += [back(machine, self._told[machine.latest.machine_id]) for machine in returned]
        return SilenceChanges(silences, events)

    def take(self, changes: SilenceChanges) -> None:
        """Take over changes, which are safe in the database by now."""
        for machine_id, since in changes.silences.items():
            if since is None:
                self._told.pop(machine_id, None)
            else:
                self._told[machine_id] = since


class FeedWatch:
    """Notes when readings stop coming, since `began_s`; times are seconds of a clock that never goes back."""

    def __init__(self, began_s: float) -> None:
        self._heard_s = began_s
        self._stored_lines = 0
        self._rejected_lines = 0
        self._told: Literal["feed_silent", "rejected"] | None = None

    def look(
        self, stored_lines: int, rejected_lines: int, now_s: float, limit_s: float, at: Timestamp
    ) -> Event | None:
        """Return what is to be told once: no reading for longer than `limit_s`, or readings again.

        The counts of lines are those of this run so far; `at` is the time by the consumer's clock.
        """
        quiet_s = now_s - self._heard_s
        if stored_lines != self._stored_lines:
            was_told, self._told = self._told, None
            self._heard_s, self._stored_lines, self._rejected_lines = now_s, stored_lines, rejected_lines
            return None if was_told is None else feed_back(quiet_s, at)
        rejected = rejected_lines - self._rejected_lines
        kind: Literal["feed_silent", "rejected"] = "rejected" if rejected else "feed_silent"
        if quiet_s <= limit_s or kind == self._told:
            return None
        self._told = kind
        return all_rejected(quiet_s, rejected, at) if rejected else feed_silent(quiet_s, at)

    def pause(self, now_s: float) -> None:
        """Leave the time until now out: nothing could be read in it."""
        if self._told is None:
            self._heard_s = now_s
