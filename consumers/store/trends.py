"""The trends and the forecasts in the database."""

import sqlite3
from collections.abc import Iterable, Sequence

from consumers.records import Commit, Event, Machine, MachineTrend
from consumers.store.errors import Block
from consumers.store.outbox import Outbox
from consumers.store.tables import MACHINES, TRENDS


class KeptTrends:
    """The trends of the machines. Its methods raise what `transaction` and `named_errors` make of sqlite3.Error."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Block,
        named_errors: Block,
        outbox: Outbox,
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._named_errors = named_errors
        self._outbox = outbox

    def all(self) -> list[MachineTrend]:
        """Return the trend of each machine that has one."""
        with self._named_errors():
            return [TRENDS.record(row) for row in self._connection.execute(TRENDS.select)]

    def save(self, commit: Commit) -> None:
        """Save what a commit changes, within its transaction. Raises sqlite3.Error."""
        rows = ((machine_id, commit.trends[machine_id].closed_bytes()) for machine_id in commit.closed_trends)
        self._connection.executemany(TRENDS.replace, rows)

    def note(self, machines: Iterable[Machine], events: Sequence[Event]) -> None:
        """Save machines whose forecast has changed, and what is to be told of it."""
        with self._transaction():
            self._connection.executemany(MACHINES.replace, map(MACHINES.values, machines))
            self._outbox.add(events)
