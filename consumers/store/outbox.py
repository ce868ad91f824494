"""What is still to be told by the user's command, and who was told as silent."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from consumers.records import Event, Timestamp
from consumers.store.errors import Block
from consumers.store.tables import ALERTS
from utils.text import printable

_WAITING: Final = "SELECT id, kind, machine_id, text, details, at FROM alerts ORDER BY id LIMIT ?"
_COUNTS: Final = "SELECT kind, count(*), max(id), min(at) FROM alerts GROUP BY kind ORDER BY kind"
_NEWEST_RAISED: Final = "SELECT text FROM alerts WHERE kind = 'raised' ORDER BY id DESC LIMIT 3"
_FORGET: Final = "DELETE FROM alerts WHERE id <= ?"
_SILENT: Final = "REPLACE INTO silences (machine_id, since) VALUES (?, ?)"
_BACK: Final = "DELETE FROM silences WHERE machine_id = ?"


class Alert(NamedTuple):
    """An event that waits to be told, and its number, from the oldest on."""

    alert_id: int
    event: Event


class Crowd(NamedTuple):
    """All alerts that wait, counted."""

    counts: Mapping[str, int]
    """By kind of event."""
    last_id: int
    since: Timestamp
    newest_raised: Sequence[str] = ()
    """Of the newest episodes that were raised, the words, the newest first."""


class Outbox:
    """The alerts that wait, if `is_kept`, and the silences.

    Every method raises what `transaction` and `named_errors` make of sqlite3.Error.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Block,
        named_errors: Block,
        *,
        is_kept: bool,
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._named_errors = named_errors
        self._is_kept = is_kept

    def add(self, events: Iterable[Event]) -> None:
        """Let events wait, within a transaction that is open."""
        if self._is_kept and events:
            self._connection.executemany(ALERTS.insert, events)

    def note(self, silences: Mapping[int, Timestamp | None], events: Iterable[Event]) -> None:
        """Note who has fallen silent, since when, and who is back (None), and what is to be told of it."""
        with self._transaction():
            self._connection.executemany(_SILENT, [item for item in silences.items() if item[1] is not None])
            self._connection.executemany(_BACK, [(n,) for n, since in silences.items() if since is None])
            self.add(events)

    def silences(self) -> dict[int, Timestamp]:
        """Return the machines that were told as silent, and since when they are."""
        with self._named_errors():
            return dict(self._connection.execute("SELECT machine_id, since FROM silences"))

    def waiting(self, at_most: int) -> list[Alert]:
        """Return the oldest alerts that wait."""
        with self._named_errors():
            rows = self._connection.execute(_WAITING, (at_most,)).fetchall()
            return [Alert(row[0], ALERTS.record(row[1:])) for row in rows]

    def crowd(self) -> Crowd:
        """Return how many alerts wait; at least one does."""
        with self._named_errors():
            rows = self._connection.execute(_COUNTS).fetchall()
            raised = [printable(str(row[0])) for row in self._connection.execute(_NEWEST_RAISED)]
        counts = {row[0]: row[1] for row in rows}
        return Crowd(counts, max(row[2] for row in rows), min(row[3] for row in rows), raised)

    def forget(self, last_id: int) -> None:
        """Forget the alerts up to this one: they have been told."""
        with self._transaction():
            self._connection.execute(_FORGET, (last_id,))
