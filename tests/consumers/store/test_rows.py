import sqlite3
from contextlib import closing

import pytest

from consumers.store.rows import insert_rows
from consumers.store.tables import READINGS
from tests.support import AT, rated


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_rows_are_inserted_in_their_order_however_many_there_are(count: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE {READINGS.name} (id INTEGER PRIMARY KEY, {', '.join(READINGS.columns)})")
        rows = [rated(machine_id, AT) for machine_id in range(count)]
        insert_rows(connection, rows)
        assert connection.execute(f"{READINGS.select} ORDER BY id").fetchall() == rows
