import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.machines.fleet import Fleet
from consumers.records import Account, Commit, Machine, RatedReading
from consumers.store.errors import StoreBusyError, StoreError
from consumers.store.schema import VERSION
from consumers.store.store import Store
from tests.consumers.support import LATER, StreamInMemory
from tests.support import AT, line, lines, query, rated, stored_machine_ids
from utils.message import MODES, timestamp_at

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

COLUMNS = [
    ("id", "INTEGER"),
    ("machine_id", "INTEGER"),
    ("timestamp", "TEXT"),
    ("mode", "TEXT"),
    ("temperature", "REAL"),
    ("vibration", "REAL"),
    ("efficiency_score", "REAL"),
    ("efficiency_level", "TEXT"),
    ("is_anomaly", "BOOLEAN"),
    ("processed_at", "TIMESTAMP"),
]


class Feed(StreamInMemory):
    """A stream, and the store that its commits go to."""

    def __init__(self, store: Store, stream_id: int = 1) -> None:
        super().__init__(stream_id, Fleet(100, store.machines()))
        self.store = store

    def save(self, data: bytes, at: str = AT) -> Commit:
        commit = self.commit(data, at)
        self.store.save(commit)
        self.fleet.take(commit)
        return commit


@contextmanager
def feed_into(database: Path, keep_rejected: int = 100_000, *, keeps_alerts: bool = False) -> Iterator[Feed]:
    with closing(Store(database, keep_rejected, keeps_alerts=keeps_alerts)) as store:
        yield Feed(store)


def content(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def other_programs(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(";".join(statements))


# The schema


def test_the_readings_table_has_the_specifications_columns_in_order(database: Path) -> None:
    Store(database).close()
    columns = query(database, "SELECT name, type, pk FROM pragma_table_info('manufacturing_analytics')")
    assert [(name, kind) for name, kind, _ in columns] == COLUMNS
    assert [name for name, _, is_key in columns if is_key] == ["id"]


def test_a_row_is_stored_with_the_types_of_its_columns(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(line(7, temperature_c=95.0).encode())
    types = ", ".join(f"typeof({name})" for name, _ in COLUMNS)
    assert query(database, f"SELECT {types} FROM manufacturing_analytics") == [
        ("integer", "integer", "text", "text", "real", "real", "real", "text", "integer", "text")
    ]
    assert query(database, "SELECT * FROM manufacturing_analytics") == [
        (1, 7, AT, "active", 95.0, 2.08, 45.0, "Critical", 1, AT)
    ]


def test_a_new_database_has_its_folders_and_its_version(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "new.sqlite"
    Store(path).close()
    assert query(path, "PRAGMA user_version") == [(VERSION,)]
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert query(path, "SELECT mode, machines_now, readings, mean_efficiency FROM efficiency_by_mode") == [
        (mode, 0, 0, None) for mode in MODES
    ]


def test_an_empty_file_becomes_a_database(database: Path) -> None:
    database.touch()
    Store(database).close()
    assert query(database, "SELECT count(*) FROM manufacturing_analytics") == [(0,)]


def test_opening_again_changes_nothing(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 3))
    before = content(database)
    Store(database).close()
    assert content(database) == before


# One transaction


def test_rows_rejected_lines_machines_and_offset_are_saved_together(database: Path) -> None:
    data = lines(1, 2) + b"no reading\n\n"
    with feed_into(database) as feed:
        feed.save(lines(8, 1), at=AT)
        feed.save(data, at=LATER)
    assert stored_machine_ids(database) == [8, 1, 2]
    assert query(database, "SELECT offset_bytes, line, rejected_at FROM rejected_messages") == [
        (len(lines(1, 3)), "no reading", LATER)
    ]
    assert query(database, "SELECT machine_id FROM machines ORDER BY 1") == [(1,), (2,), (8,)]
    assert query(
        database,
        "SELECT read_bytes, read_lines, stored_lines, rejected_lines, blank_lines, first_read_at, last_read_at"
        " FROM source_files",
    ) == [(len(lines(8, 1) + data), 5, 3, 1, 1, AT, LATER)]


@pytest.mark.parametrize("table", ["manufacturing_analytics", "rejected_messages", "machines", "source_files"])
def test_a_failure_in_the_middle_leaves_nothing(database: Path, table: str) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 2) + b"bad\n")
        event = "UPDATE" if table == "source_files" else "INSERT"
        other_programs(
            database, f"CREATE TRIGGER fault AFTER {event} ON {table} BEGIN SELECT RAISE(ABORT, 'a fault'); END"
        )
        before = content(database)
        commit = feed.commit(lines(2, 2) + b"bad\n")
        with pytest.raises(StoreError, match="a fault"):
            feed.store.save(commit)
        assert content(database) == before
        other_programs(database, "DROP TRIGGER fault")
        feed.store.save(commit)
    assert stored_machine_ids(database) == [1, 2, 2, 3]
    assert query(database, "SELECT machine_id, readings FROM machines") == [(1, 1), (2, 2), (3, 1)]


def test_a_failure_that_is_not_sqlites_leaves_nothing_either(database: Path) -> None:
    def interrupted() -> Iterator[Machine]:
        yield Machine(rated(1))
        raise KeyboardInterrupt

    with feed_into(database) as feed:
        commit = feed.commit(lines(1, 1))
        before = content(database)
        with pytest.raises(KeyboardInterrupt):
            feed.store.save(commit._replace(machines=interrupted()))  # type: ignore[arg-type]
        assert content(database) == before
        feed.store.save(commit)
    assert stored_machine_ids(database) == [1]


def test_lines_that_someone_else_has_read_are_refused(database: Path) -> None:
    with feed_into(database) as feed:
        for commit in (feed.save(lines(1, 2)), feed.save(lines(1, 2))):
            before = content(database)
            with pytest.raises(StoreError, match="another consumer has written to") as caught:
                feed.store.save(commit)
            assert not isinstance(caught.value, StoreBusyError)
            assert content(database) == before


def test_lines_of_a_stream_whose_account_is_gone_are_refused(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 2))
        other_programs(database, "DELETE FROM source_files")
        with pytest.raises(StoreError, match="another consumer has written to"):
            feed.save(lines(3, 2))
    assert stored_machine_ids(database) == [1, 2]


# Who may use it


def test_a_second_consumer_is_refused_and_the_first_goes_on(database: Path) -> None:
    with feed_into(database) as feed:
        with pytest.raises(StoreError, match="another consumer is writing to") as caught:
            Store(database)
        assert not isinstance(caught.value, StoreBusyError)
        assert str(database) in str(caught.value)
        feed.save(lines(1, 1))
    Store(database).close()
    assert stored_machine_ids(database) == [1]


def test_a_newer_schema_is_refused_and_left_as_it_is(database: Path) -> None:
    other_programs(database, "CREATE TABLE machines (a)", f"PRAGMA user_version = {VERSION + 1}")
    before = database.read_bytes()
    with pytest.raises(StoreError, match=f"schema version {VERSION + 1}, newer than this program's {VERSION}"):
        Store(database)
    assert database.read_bytes() == before


@pytest.mark.parametrize("version", range(VERSION + 1))
def test_another_programs_database_is_refused_and_left_as_it_is(database: Path, version: int) -> None:
    other_programs(
        database, "CREATE TABLE holidays (a)", "INSERT INTO holidays VALUES (1)", f"PRAGMA user_version = {version}"
    )
    before = database.read_bytes()
    with pytest.raises(StoreError, match=r"another program's database; set DATABASE_FILE"):
        Store(database)
    assert [path.name for path in database.parent.iterdir() if path.name.endswith("-lock")] == []
    assert database.read_bytes() == before


@pytest.mark.parametrize("data", [b"{}\n" * 1000, b"SQLite format 3\0" + b"\xff" * 4096], ids=["text", "damaged"])
def test_what_is_no_database_is_refused_and_left_as_it_is(database: Path, data: bytes) -> None:
    database.write_bytes(data)
    with pytest.raises(StoreError, match=r"file is not a database|malformed") as caught:
        Store(database)
    assert "move this one away" in str(caught.value)
    assert str(database) in str(caught.value)
    assert database.read_bytes() == data


def test_a_damaged_database_is_told_with_what_to_do(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 2000))
    pages = database.read_bytes()
    database.write_bytes(pages[:4096] + b"\xff" * (len(pages) - 4096))
    with (
        pytest.raises(StoreError, match="restore a copy of it, or move it away"),
        closing(Store(database)) as store,
    ):
        store.machines()


def test_after_a_refusal_the_database_is_free(database: Path) -> None:
    database.write_bytes(b"no database " * 100)
    with pytest.raises(StoreError):
        Store(database)
    database.unlink()
    Store(database).close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make or read the folder of"):
        Store(tmp_path / "file" / "analytics.sqlite")


def test_a_folder_in_the_place_of_the_database_is_told_with_what_to_do(database: Path) -> None:
    database.mkdir()
    with pytest.raises(StoreError, match="is a folder; name a file with --db or DATABASE_FILE"):
        Store(database)


@pytest.mark.skipif(AS_ROOT or os.name == "nt", reason="whom nothing is denied")
def test_a_folder_that_is_read_only_is_told_with_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"make .* writable"):
            Store(tmp_path / "analytics.sqlite")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("pragma", "advice"),
    [
        ("query_only = 1", "make the file and its folder writable.* Unread lines stay in the file"),
        ("max_page_count = 1", "make room on its disk"),
    ],
)
def test_a_database_that_takes_nothing_is_told_with_what_to_do_and_loses_nothing(
    database: Path, pragma: str, advice: str
) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 2))
        before = content(database)
        feed.store._connection.execute(f"PRAGMA {pragma}")
        with pytest.raises(StoreError, match=advice):
            feed.save(lines(3, 1000))
        assert content(database) == before


def test_a_locked_database_can_be_tried_again(database: Path) -> None:
    with feed_into(database) as feed:
        commit = feed.commit(lines(1, 1))
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusyError, match="is locked by another program"):
                feed.store.save(commit)
        feed.store.save(commit)
    assert stored_machine_ids(database) == [1]


def test_a_database_that_is_locked_while_it_is_opened_can_be_tried_again(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError):
            Store(database)
    Store(database).close()


# Restoring


def test_machines_and_newest_rows_are_restored_equal(database: Path) -> None:
    data = b"".join(
        line(number % 5, mode=MODES[number % 4], vibration_mm_s=number % 7, timestamp=timestamp_at(number)).encode()
        for number in range(60)
    )
    with feed_into(database) as feed:
        feed.save(data)
        known = feed.fleet
    with closing(Store(database)) as store:
        restored = Fleet(100, store.machines(), store.newest_rows(100))
        assert restored.machines == known.machines
        assert list(restored.recent) == list(known.recent)
        assert all(type(row) is RatedReading for row in restored.recent)
        newest = store.newest_rows(7)
        assert newest == list(known.recent)[-7:]
        assert store.newest_rows(0) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.sampled_from(MODES), st.sampled_from([20.0, 60.0, 85.0, 95.0]), st.booleans()
        ),
        max_size=30,
    ),
    st.integers(0, 30),
)
def test_views_and_totals_equal_those_of_a_scan(
    tmp_path_factory: pytest.TempPathFactory, readings: list[tuple[int, str, float, bool]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("store")
    database = folder / "analytics.sqlite"
    written = [
        line(machine_id, mode=mode, temperature_c=heat, vibration_mm_s=9.0 if shakes else 1.0).encode()
        for machine_id, mode, heat, shakes in readings
    ]
    with feed_into(database) as feed:
        for part in (written[:cut], written[cut:]):
            if part:
                feed.save(b"".join(part))
    check_totals(database)


def check_totals(database: Path) -> None:
    """Compare `machines` and both views with the rows that they sum up."""
    by_mode = query(database, "SELECT mode, readings, mean_efficiency FROM efficiency_by_mode")
    scanned = {
        mode: (count, mean)
        for mode, count, mean in query(
            database,
            "SELECT mode, count(*), round(avg(efficiency_score), 2) FROM manufacturing_analytics GROUP BY mode",
        )
    }
    assert [mode for mode, _, _ in by_mode] == list(MODES)
    for mode, count, mean in by_mode:
        assert (count, mean) == pytest.approx(scanned.get(mode, (0, None)), abs=0.011)
    machines = query(
        database,
        "SELECT machine_id, readings, anomalies, active_readings, idle_readings, maintenance_readings,"
        " offline_readings FROM machines ORDER BY machine_id",
    )
    assert machines == query(
        database,
        "SELECT machine_id, count(*), sum(is_anomaly), sum(mode = 'active'), sum(mode = 'idle'),"
        " sum(mode = 'maintenance'), sum(mode = 'offline')"
        " FROM manufacturing_analytics GROUP BY machine_id ORDER BY machine_id",
    )
    latest = query(
        database, "SELECT machine_id, mode, timestamp, temperature, vibration FROM machines ORDER BY machine_id"
    )
    assert latest == query(
        database,
        "SELECT machine_id, mode, timestamp, temperature, vibration FROM manufacturing_analytics"
        " WHERE id IN (SELECT max(id) FROM manufacturing_analytics GROUP BY machine_id) ORDER BY machine_id",
    )
    assert query(database, "SELECT sum(machines_now) FROM efficiency_by_mode") == [(len(machines),)]
    assert query(database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]


def test_streams_are_restored_equal_in_the_order_in_which_they_were_begun(database: Path) -> None:
    with feed_into(database) as first:
        second = Feed(first.store, 2)
        first.save(lines(1, 20))
        second.save(lines(5, 3))
        first.save(lines(1, 1))
        assert first.store.streams() == [first.stream, second.stream]
    with closing(Store(database)) as store:
        assert store.streams() == [first.stream, second.stream]


def test_a_stream_that_begins_behind_a_cut_counts_no_byte_before_it(database: Path) -> None:
    with feed_into(database) as feed:
        data = lines(1, 3)
        feed.data = data
        feed.stream = feed.stream._replace(begin=len(data), offset=len(data))
        feed.save(lines(4, 2))
        assert feed.store.account() == Account(1, len(lines(4, 2)), 2, 2, 0, 0)
        assert feed.store.streams() == [feed.stream]


# The account


def test_the_account_sums_up_all_files(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 2) + b"bad\n")
        feed.save(b"\n")
        Feed(feed.store, 2).save(lines(7, 1))
        account = feed.store.account()
    assert account == Account(2, len(lines(1, 3)) + 5, 5, 3, 1, 1)
    assert account.balances
    assert not account._replace(blank_lines=0).balances


@pytest.mark.parametrize(
    "deed",
    [
        "DELETE FROM manufacturing_analytics WHERE id = 1",
        "INSERT INTO manufacturing_analytics (machine_id) VALUES (1)",
        "DELETE FROM rejected_messages",
        "UPDATE source_files SET blank_lines = blank_lines + 1",
    ],
)
def test_an_account_that_does_not_balance_is_shown(database: Path, deed: str) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 2) + b"bad\n\n")
    assert query(database, "SELECT balances FROM ingest_audit") == [(1,)]
    other_programs(database, deed)
    assert query(database, "SELECT balances FROM ingest_audit") == [(0,)]


def test_the_start_of_a_hostile_line_is_stored_as_text(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(b"\0\xff\xed\xa0\x80\x1b[2J\n")
    ((kept, kind),) = query(database, "SELECT line, typeof(line) FROM rejected_messages")
    assert kept == "\\x00\\xff\\xed\\xa0\\x80\\x1b[2J"
    assert kind == "text"


# Readers


def test_a_reader_with_an_open_cursor_stops_nothing_and_the_log_shrinks_when_it_leaves(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_bytes = 200_000
    monkeypatch.setattr("consumers.store.store._WAL_LIMIT_BYTES", limit_bytes)
    wal = database.with_name(database.name + "-wal")
    with feed_into(database) as feed:
        feed.save(lines(1, 5))
        with closing(sqlite3.connect(database)) as reader:
            cursor = reader.execute("SELECT machine_id FROM manufacturing_analytics")
            assert cursor.fetchone() == (1,)
            for number in range(10):
                feed.save(lines(number * 300, 300))
            assert wal.stat().st_size > limit_bytes
            assert len(cursor.fetchall()) == 4
        for number in range(40):
            feed.save(lines(number * 300, 300))
        assert wal.stat().st_size <= limit_bytes * 2
    assert len(stored_machine_ids(database)) == 5 + 50 * 300


# What people do to a database


def test_a_database_that_is_deleted_while_in_use_is_told_before_more_is_saved_in_vain(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(lines(1, 1))
        database.unlink()
        with pytest.raises(StoreError, match="was moved, deleted or replaced while in use"):
            feed.save(lines(2, 1))


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_another_spelling_of_its_path_does_not_let_a_second_consumer_in(database: Path, tmp_path: Path) -> None:
    with closing(Store(database)):
        link = tmp_path / "other.sqlite"
        link.symlink_to(database)
        with pytest.raises(StoreError, match="another consumer"):
            Store(link)


def test_a_row_that_someone_added_without_values_is_no_reading(database: Path) -> None:
    with closing(Store(database)) as store:
        other = sqlite3.connect(database)
        other.execute("INSERT INTO manufacturing_analytics (machine_id) VALUES (7)")
        other.commit()
        other.close()
        assert store.newest_rows(10) == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_database_with_a_second_name_is_refused_as_under_that_it_would_have_another_lock(
    database: Path, tmp_path: Path
) -> None:
    Store(database).close()
    other = tmp_path / "other.sqlite"
    other.hardlink_to(database)
    for name in (database, other):
        with pytest.raises(StoreError, match="has a second name, a hard link"):
            Store(name)
    other.unlink()
    Store(database).close()
