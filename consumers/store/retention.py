"""What is let go because it is old: readings and minutes, a small step at a time, between commits.

Readings go in the order in which they came, the lowest id first, up to the first one that is young. So nothing is
scanned and no index is needed, and the rows that are left have ids without gaps:

- a reading that came late, or from a clock that is behind, waits until those before it are gone;
- a reading from a clock that is ahead, but by less than readings are kept, is young by its own timestamp until that
  much later; until then it stays, and with it those behind it: at most twice as long as they should;
- a reading that lies in the future of the plant's time even then, by more than is tolerated, has a wrong clock, and
  its timestamp says nothing: it goes with the next reading behind it that is old.
"""

import sqlite3
from typing import Final

from consumers.records import Timestamp
from consumers.store.errors import Block
from consumers.store.minutes import OldMinutes
from consumers.store.tables import RETENTION, Retained, RowError
from utils.message import epoch_seconds
from utils.moment import DAY_S, shifted

ROWS_A_STEP: Final = 2_000
"""So many rows are looked at and deleted in one step, which takes a few milliseconds."""
_CLOCK_TOLERANCE_S: Final = DAY_S
_BATCH_S: Final = 60.0
"""No look for old readings before the oldest one is old for so long: they go a minute at a time, not one by one."""
_NOTE_EVERY_S: Final = 6 * 3600.0
"""The plant's time is noted when it has moved by this much: it must be known at a restart, about."""

# A timestamp that someone removed says nothing, as one in the far future: it is sorted behind all others.
_NEXT_ROWS: Final = """
SELECT id, coalesce(CAST(timestamp AS TEXT), 'removed') FROM manufacturing_analytics WHERE id > ? ORDER BY id LIMIT ?
"""
_DELETE_LOWEST: Final = """
DELETE FROM manufacturing_analytics WHERE id <= (
    SELECT max(id) FROM (SELECT id FROM manufacturing_analytics WHERE id <= ? ORDER BY id LIMIT ?)
)
"""
# A trigger has counted them as deleted by hand.
_COUNT_EXPIRED: Final = """
UPDATE retention SET expired_rows = expired_rows + :rows, deleted_rows = deleted_rows - :rows
"""
_NOTE_TIME: Final = "UPDATE retention SET plant_at = ?"


class Retention:
    """Keeps readings and minutes for so many days by the plant's time (0: for ever), and the plant's time itself.

    Every method raises what `transaction` makes of sqlite3.Error; a step that fails has changed nothing, and the next
    one tries it again.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Block,
        keep_readings_days: float,
        keep_minutes_days: float,
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._readings = OldReadings(connection, transaction, keep_readings_days) if keep_readings_days else None
        self._minutes = OldMinutes(connection, transaction, keep_minutes_days) if keep_minutes_days else None
        self.plant_at = self._retained().plant_at
        """The plant's time as it is noted in the database; None if there was no reading yet."""

    def step(self, plant_at: Timestamp) -> bool:
        """Let a few rows go that are too old by the plant's time; return whether there may be more."""
        self._note(plant_at)
        has_more_readings = self._readings is not None and self._readings.step(plant_at)
        has_more_minutes = self._minutes is not None and self._minutes.step(plant_at)
        return has_more_readings or has_more_minutes

    def _note(self, plant_at: Timestamp) -> None:
        noted = self.plant_at
        if noted is None or abs(epoch_seconds(plant_at) - epoch_seconds(noted)) >= _NOTE_EVERY_S:
            with self._transaction():
                self._connection.execute(_NOTE_TIME, (plant_at,))
            self.plant_at = plant_at

    def _retained(self) -> Retained:
        row = self._connection.execute(RETENTION.select).fetchone()
        if row is None:
            raise RowError("retention has no row")
        return RETENTION.record(row)


class OldReadings:
    """Deletes the rows of `manufacturing_analytics` that are older than `keep_days`, and counts them."""

    def __init__(self, connection: sqlite3.Connection, transaction: Block, keep_days: float) -> None:
        self._connection = connection
        self._transaction = transaction
        self._keep_s = keep_days * DAY_S
        self._expired_id = 0
        """Every row up to this id may go; 0: none."""
        self._looked_id = 0
        self._is_looking = False
        self._since = self._until = ""
        """What is young at the time of the look that goes on, or went on last."""
        self._stays: Timestamp = ""
        """The timestamp of the first row that stays."""

    def step(self, plant_at: Timestamp) -> bool:
        """Look at a few rows, delete a few; return whether there are more to look at or to delete."""
        since = shifted(plant_at, -self._keep_s)
        if not (self._is_looking or self._expired_id) and since > self._stays:
            self._is_looking = True
            self._looked_id = 0
            self._since, self._until = since, shifted(plant_at, _CLOCK_TOLERANCE_S)
        if self._is_looking:
            self._look()
        if self._expired_id:
            self._delete()
        return self._is_looking or self._expired_id > 0 or since > self._stays

    def _look(self) -> None:
        """Go on with the look for the first row that stays; a look has one plant's time, however long it goes on."""
        rows = self._connection.execute(_NEXT_ROWS, (self._looked_id, ROWS_A_STEP)).fetchall()
        for row_id, timestamp in rows:
            if self._since <= timestamp <= self._until:
                return self._end_look(timestamp)
            self._looked_id = row_id
            if timestamp < self._since:
                self._expired_id = row_id
        if len(rows) < ROWS_A_STEP:
            self._end_look(self._since)
        return None

    def _end_look(self, stays: Timestamp) -> None:
        self._is_looking = False
        self._stays = shifted(stays, _BATCH_S)

    def _delete(self) -> None:
        with self._transaction():
            deleted = self._connection.execute(_DELETE_LOWEST, (self._expired_id, ROWS_A_STEP)).rowcount
            self._connection.execute(_COUNT_EXPIRED, {"rows": deleted})
        if deleted < ROWS_A_STEP:
            self._expired_id = 0
