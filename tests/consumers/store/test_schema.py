import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from consumers.records import Account, Mark
from consumers.store.errors import StoreError
from consumers.store.schema import STEPS, VERSION, migrate
from consumers.store.store import Store
from tests.support import query

VERSION_1 = Path(__file__).parent / "version_1"
"""A database as version 1 made it, and the two files that it had read: 40 readings, a blank line, two rejected lines
of `live.json.1`; two readings of `live.json`, which is shorter than a KiB."""

UNCHANGED = ("manufacturing_analytics", "machines", "rejected_messages")


@pytest.fixture
def old(database: Path) -> Path:
    shutil.copy(VERSION_1 / "analytics.sqlite", database)
    return database


def rows_of(database: Path, columns: dict[str, str]) -> dict[str, list[tuple[object, ...]]]:
    return {table: query(database, f"SELECT {columns[table]} FROM {table}") for table in UNCHANGED}


def listed_columns(database: Path) -> dict[str, str]:
    names = "SELECT group_concat(name) FROM pragma_table_info(?)"
    return {table: query(database, names, table)[0][0] for table in UNCHANGED}


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data[-1024:], digest_size=16).digest()


def schema_of(database: Path) -> list[tuple[object, ...]]:
    return query(database, "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY 2")


def columns_of(database: Path) -> list[tuple[object, ...]]:
    return query(
        database,
        'SELECT s.name, c.cid, c.name, c.type, c."notnull", c.pk FROM sqlite_schema s, pragma_table_info(s.name) c'
        " ORDER BY 1, 2",
    )


def test_a_database_of_version_1_keeps_its_rows(old: Path) -> None:
    assert query(old, "PRAGMA user_version") == [(1,)]
    columns = listed_columns(old)
    before = rows_of(old, columns)
    assert [len(rows) for rows in before.values()] == [42, 4, 2]
    Store(old).close()
    assert query(old, "PRAGMA user_version") == [(VERSION,)]
    assert rows_of(old, columns) == before


def test_a_database_of_version_1_keeps_its_accounts_which_balance(old: Path) -> None:
    with closing(Store(old)) as store:
        account = store.account()
        read_bytes = sum((VERSION_1 / name).stat().st_size for name in ("live.json", "live.json.1"))
        assert account == Account(2, read_bytes, 45, 42, 2, 1)
        assert len(store.machines()) == 4
    assert query(old, "SELECT path, why_new, expired_lines, balances FROM ingest_audit ORDER BY 1, 2") == [
        ("/plant/live.json", "created anew", 0, 1),
        ("/plant/live.json", "first seen", 0, 1),
    ]


def test_of_a_database_of_version_1_nothing_has_expired_and_the_plants_time_is_that_of_the_middle_machine(
    old: Path,
) -> None:
    timestamps = query(old, "SELECT timestamp FROM machines ORDER BY timestamp")
    Store(old).close()
    assert query(old, "SELECT expired_rows, plant_at FROM retention") == [(0, *timestamps[1])]
    assert query(old, "SELECT deleted_rows FROM ingest_audit") == [(0,), (0,)]


def test_of_a_database_of_version_1_that_someone_pruned_the_missing_rows_are_told_as_deleted(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("DELETE FROM manufacturing_analytics WHERE id <= 10")
        connection.commit()
    with closing(Store(old)) as store:
        assert store.account().deleted_rows == 10
        assert store.account().balances


def test_the_machines_of_an_older_version_know_their_last_anomaly_but_no_episode(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE manufacturing_analytics SET is_anomaly = 1 WHERE machine_id = 2 AND id <= 30")
        connection.execute("UPDATE manufacturing_analytics SET is_anomaly = 1, timestamp = 'spoilt' WHERE id = 42")
        connection.commit()
    expected = query(
        old, "SELECT 2, timestamp, 0 FROM manufacturing_analytics WHERE machine_id = 2 AND id <= 30 ORDER BY id DESC"
    )
    Store(old).close()
    told = "SELECT machine_id, last_anomaly_at, open_episodes FROM machines WHERE last_anomaly_at IS NOT NULL"
    assert query(old, told) == expected[:1]


def test_the_streams_of_version_1_are_known_by_marks_of_the_bytes_that_were_read(old: Path) -> None:
    with closing(Store(old)) as store:
        long, short = store.streams()
    read, shorter = (VERSION_1 / "live.json.1").read_bytes(), (VERSION_1 / "live.json").read_bytes()
    assert (long.offset, short.offset) == (len(read), len(shorter))
    assert long.marks == (Mark(1024, digest(read[:1024])), Mark(len(read), digest(read)))
    assert short.marks == (Mark(len(shorter), digest(shorter)),)
    assert (long.head, short.head) == (b"", b"")
    assert (long.begin, short.begin) == (0, 0)


def test_a_stream_of_version_1_that_was_never_read_has_no_marks(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE source_files SET read_bytes = 0, fingerprint = '' WHERE id = 2")
        connection.commit()
    with closing(Store(old)) as store:
        assert store.streams()[1].marks == ()


def test_a_migrated_database_has_the_columns_of_a_new_one(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.sqlite"
    Store(new).close()
    Store(old).close()
    assert schema_of(old) == schema_of(new)
    assert columns_of(old) == columns_of(new)


@pytest.mark.parametrize(
    ("version", "table"), [(1, "streams"), (2, "retention"), (3, "machine_minutes"), (4, "excesses")]
)
def test_a_step_that_fails_changes_nothing(tmp_path: Path, version: int, table: str) -> None:
    database = tmp_path / "old.sqlite"
    shutil.copy(VERSION_1 / "analytics.sqlite", database)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.create_function("marks_of_version_1", 2, lambda _offset, _fingerprint: b"")
        connection.create_function("hundredths", 1, lambda _value: 0)
        for step in STEPS[1:version]:
            connection.executescript(step)
        connection.execute(f"CREATE VIEW {table} AS SELECT 1")  # in the way of the step
        before = list(connection.iterdump())
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection, version)
        connection.rollback()
        assert list(connection.iterdump()) == before


def test_a_database_whose_streams_someone_changed_is_told(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE source_files SET fingerprint = 'no hash'")
        connection.commit()
    with pytest.raises(StoreError, match="cannot use"):
        Store(old)
    assert query(old, "PRAGMA user_version") == [(1,)]
