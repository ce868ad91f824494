"""The minutes of each machine that are no longer open, in `machine_minutes`: they are added to, and go when old."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from consumers.records import Minute, Timestamp
from consumers.store.errors import Block
from consumers.store.tables import MINUTES, RowError
from utils.moment import DAY_S, shifted

ADD_MINUTE: Final = f"""
{MINUTES.insert}
ON CONFLICT (machine_id, minute) DO UPDATE SET
    readings = readings + excluded.readings,
    active_readings = active_readings + excluded.active_readings,
    anomalies = anomalies + excluded.anomalies,
    efficiency_sum = (round(efficiency_sum * 10) + round(excluded.efficiency_sum * 10)) / 10,
    efficiency_min = min(efficiency_min, excluded.efficiency_min),
    temperature_sum = (round(temperature_sum * 100) + round(excluded.temperature_sum * 100)) / 100,
    temperature_max = max(coalesce(temperature_max, excluded.temperature_max),
                          coalesce(excluded.temperature_max, temperature_max)),
    vibration_sum = (round(vibration_sum * 100) + round(excluded.vibration_sum * 100)) / 100,
    vibration_max = max(coalesce(vibration_max, excluded.vibration_max),
                        coalesce(excluded.vibration_max, vibration_max))
"""
"""Adds a part of a minute to what is known of it; as `machines.minutes.added` does it, and as exactly."""

_NEWEST: Final = f"{MINUTES.select} WHERE machine_id = ? AND minute BETWEEN ? AND ? ORDER BY minute DESC LIMIT ?"

MACHINES_A_STEP: Final = 100
"""So many machines are looked at in one step, and so many minutes are deleted: a few milliseconds."""
MINUTES_A_STEP: Final = 1_000
_ROUND_EVERY_S: Final = 3600.0
"""No round through the machines before the oldest minutes are old for so long: an hour of them goes at once."""
_BEFORE_ALL: Final = -1

_NEXT_MACHINE: Final = "SELECT min(machine_id) FROM machine_minutes WHERE machine_id > ?"
_DELETE_OLDEST: Final = """
DELETE FROM machine_minutes WHERE machine_id = :machine_id AND minute <= (
    SELECT max(minute) FROM (
        SELECT minute FROM machine_minutes
        WHERE machine_id = :machine_id AND minute < :since ORDER BY minute LIMIT :most
    )
)
"""


def newest_minutes(
    connection: sqlite3.Connection, machine_ids: Iterable[int], since: Timestamp, until: Timestamp, at_most: int
) -> Iterator[Minute]:
    """Return the newest minutes from `since` to `until`, so many of each machine at most, by machine and by time.

    They are looked up by the primary key, so that it takes the same time however many there are. A minute that
    someone changed is left out.
    """
    for machine_id in machine_ids:
        for row in reversed(connection.execute(_NEWEST, (machine_id, since, until, at_most)).fetchall()):
            try:
                yield MINUTES.record(row)
            except RowError:
                continue


class OldMinutes:
    """Deletes the minutes that are older than `keep_days` by the plant's time, machine by machine.

    A minute that lies in the future of the plant's time stays until that time is old: it is of a wrong clock.
    """

    def __init__(self, connection: sqlite3.Connection, transaction: Block, keep_days: float) -> None:
        self._connection = connection
        self._transaction = transaction
        self._keep_s = keep_days * DAY_S
        self._since: Timestamp | None = None
        """What is older goes in the round that goes on; None: none does."""
        self._done_id = _BEFORE_ALL
        """The machine up to which the round has come."""
        self._due: Timestamp = ""
        """No round begins before the oldest minute that is kept is later than this."""

    def step(self, plant_at: Timestamp) -> bool:
        """Delete a few minutes; return whether there may be more."""
        since = shifted(plant_at, -self._keep_s)
        if self._since is None:
            if since <= self._due:
                return False
            self._since, self._done_id = since, _BEFORE_ALL
            self._due = shifted(since, _ROUND_EVERY_S)
        with self._transaction():
            done_id = self._delete_some(self._since)
        if done_id is None:
            self._since = None
        else:
            self._done_id = done_id
        return self._since is not None

    def _delete_some(self, since: Timestamp) -> int | None:
        """Go on with the round; return the last machine that is done with, or None if it was the last of all."""
        left, done_id = MINUTES_A_STEP, self._done_id
        for _ in range(MACHINES_A_STEP):
            (machine_id,) = self._connection.execute(_NEXT_MACHINE, (done_id,)).fetchone()
            if machine_id is None:
                return None
            oldest = {"machine_id": machine_id, "since": since, "most": left}
            left -= self._connection.execute(_DELETE_OLDEST, oldest).rowcount
            if left == 0:
                break  # this machine may have more
            done_id = int(machine_id)
        return done_id
