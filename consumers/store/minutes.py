"""The minutes of `machine_minutes` that are old: machine by machine, as its key leads, without a scan."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from consumers.records import Timestamp
from utils.moment import DAY_S, shifted

MINUTES_A_STEP: Final = 2_000
MACHINES_A_STEP: Final = 200
_CLOCK_TOLERANCE_S: Final = DAY_S
_ROUND_EVERY_S: Final = 3600.0
"""A round goes through all machines; minutes are kept for so much longer at the most."""

_NEXT_MACHINE: Final = """
SELECT machine_id, max(minute) FROM machine_minutes
WHERE machine_id = (SELECT min(machine_id) FROM machine_minutes WHERE machine_id > ?)
"""
_DELETE_OLDEST: Final = """
DELETE FROM machine_minutes WHERE machine_id = :machine_id AND minute >= :begin AND minute <= (
    SELECT max(minute) FROM (
        SELECT minute FROM machine_minutes
        WHERE machine_id = :machine_id AND minute >= :begin AND minute < :end ORDER BY minute LIMIT :at_most
    )
)
"""

Transaction = Callable[[], AbstractContextManager[None]]


class OldMinutes:
    """Deletes the rows of `machine_minutes` that are older than `keep_days`.

    If a machine's clock is ahead by more than is tolerated, its minutes in the future of the plant's time are kept as
    long, counted back from the last one.
    """

    def __init__(self, connection: sqlite3.Connection, transaction: Transaction, keep_days: float) -> None:
        self._connection = connection
        self._transaction = transaction
        self._keep_s = keep_days * DAY_S
        self._is_in_round = False
        self._machine_id = -1
        """The machines up to this one are done in this round."""
        self._since = self._until = ""
        """What is young at the time of this round."""
        self._next_round = ""
        """A round begins when `_since` would be later than this."""

    def step(self, plant_at: Timestamp) -> bool:
        """Go through a few machines; return whether there are more in this round."""
        since = shifted(plant_at, -self._keep_s)
        if not self._is_in_round:
            if since <= self._next_round:
                return False
            self._is_in_round, self._machine_id = True, -1
            self._since, self._until = since, shifted(plant_at, _CLOCK_TOLERANCE_S)
            self._next_round = shifted(since, _ROUND_EVERY_S)
        self._go_on()
        return self._is_in_round

    def _go_on(self) -> None:
        done_id, left = self._machine_id, MINUTES_A_STEP
        machine_id: int | None = done_id
        with self._transaction():
            for _ in range(MACHINES_A_STEP):
                machine_id, newest = self._connection.execute(_NEXT_MACHINE, (done_id,)).fetchone()
                if machine_id is None:
                    break
                left -= self._delete(machine_id, newest, left)
                if left <= 0:  # this machine may have more
                    break
                done_id = machine_id
        self._machine_id, self._is_in_round = done_id, machine_id is not None

    def _delete(self, machine_id: int, newest: Timestamp, at_most: int) -> int:
        """Delete the oldest minutes of a machine, at most so many; return how many."""
        deleted = self._delete_between(machine_id, "", self._since, at_most)
        if newest > self._until and deleted < at_most:
            end = shifted(newest, -self._keep_s)
            deleted += self._delete_between(machine_id, self._until, end, at_most - deleted)
        return deleted

    def _delete_between(self, machine_id: int, begin: Timestamp, end: Timestamp, at_most: int) -> int:
        values = {"machine_id": machine_id, "begin": begin, "end": end, "at_most": at_most}
        return self._connection.execute(_DELETE_OLDEST, values).rowcount
