"""The rows of readings in the database."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Final

from consumers.records import Row
from consumers.store.tables import READINGS

_ROWS_AT_ONCE: Final = 100
"""So many go into one statement, which takes a sixth less time a row than a statement for each; some builds of SQLite
take no more than 999 values in one."""
_INSERT: Final = READINGS.insert
_INSERT_MANY: Final = READINGS.insert_many(_ROWS_AT_ONCE)


def insert_rows(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert rows in their order. Raises sqlite3.Error."""
    end = len(rows) - len(rows) % _ROWS_AT_ONCE
    groups = (rows[begin : begin + _ROWS_AT_ONCE] for begin in range(0, end, _ROWS_AT_ONCE))
    connection.executemany(_INSERT_MANY, (tuple(chain.from_iterable(group)) for group in groups))
    connection.executemany(_INSERT, rows[end:])
