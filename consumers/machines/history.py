"""The newest minutes of each machine, in memory: for the time that the newest readings do not reach back to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import ceil
from typing import Final

from consumers.machines.minutes import first_moment, merged, minute_of, open_minute
from consumers.machines.plant_clock import CLOCK_TOLERANCE_S
from consumers.records import Machine, Minute, Timestamp
from utils.moment import shifted

MINUTES_AT_MOST: Final = 400_000
"""Of all machines together, about 300 bytes each: an hour of more than 5,000 machines."""
_BEHIND_ALL: Final = "~"


class History:
    """The minutes of the newest `window_min` of the plant's time, of each of the `machines`; 0: none are kept.

    Where there are too many machines for that, each has as many as there is room for.
    """

    def __init__(self, machines: Mapping[int, Machine], window_min: float) -> None:
        self._machines = machines
        self._window_min = window_min
        self._closed: dict[int, dict[Timestamp, Minute]] = {}
        self.window: tuple[Timestamp, Timestamp] = ("", _BEHIND_ALL)
        """The first minute that is kept, and the last one that is not of a wrong clock."""

    @property
    def minutes_a_machine(self) -> int:
        """So many minutes of each machine are kept at most."""
        room = MINUTES_AT_MOST // max(len(self._machines), 1)
        return max(min(ceil(self._window_min) + 1, room), 1) if self._window_min else 0

    def keep(self, plant_at: Timestamp) -> None:
        """Take note of the plant's time: what is older than the window by then is not shown any more."""
        if self._window_min:
            since = shifted(plant_at, -self._window_min * 60)
            self.window = first_moment(minute_of(since)), shifted(plant_at, CLOCK_TOLERANCE_S)

    def take(self, minutes: Iterable[Minute]) -> None:
        """Take in minutes that are no longer open, or parts of them; those outside the window are left out."""
        at_most = self.minutes_a_machine
        if at_most == 0:
            return
        since, until = self.window
        for part in minutes:
            if since <= part.minute <= until:
                closed = self._closed.setdefault(part.machine_id, {})
                known = closed.get(part.minute)
                closed[part.minute] = part if known is None else merged(known, part)
                while len(closed) > at_most:
                    del closed[next(iter(closed))]  # the one that came first

    def of(self, machine_id: int) -> Sequence[Minute]:
        """Return the minutes of a machine within the window, closed ones and the open one, in the order of time."""
        since, until = self.window
        minutes = dict(self._closed.get(machine_id, {}))
        machine = self._machines.get(machine_id)
        still_open = open_minute(machine) if machine is not None and self._window_min else None
        if still_open is not None:
            known = minutes.get(still_open.minute)
            minutes[still_open.minute] = still_open if known is None else merged(known, still_open)
        return [minutes[minute] for minute in sorted(minutes) if since <= minute <= until]

    def machine_ids(self) -> Collection[int]:
        """Return the machines that have minutes within the window."""
        return [machine_id for machine_id in self._machines if self.of(machine_id)]
