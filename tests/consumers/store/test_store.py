import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.follow.source_file import Chunk, SourceFile
from consumers.ingest import ingest
from consumers.machines.fleet import Fleet, Machine
from consumers.records import Batch, RatedReading, RejectedLine
from consumers.store.store import Account, Store, StoreBusyError, StoreError
from tests.support import AT, ConsumerInProcess, line, lines, query, rated, stored_machine_ids
from utils.efficiency import Limits
from utils.message import MODES, timestamp_at

LATER = "2026-11-22T10:00:00.000Z"
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


class Feed:
    """A live file with an account in the store, read chunk by chunk."""

    def __init__(self, store: Store, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.path = path
        self.store = store
        source_id = store.begin_source(str(path), "1:1", 0, "first seen", AT)
        self.source = SourceFile(FileIO(path), source_id)
        self.fleet = Fleet(100, store.machines())

    def next(self) -> tuple[Chunk, Batch, list[Machine]]:
        chunk = self.source.read()
        assert chunk is not None
        batch = ingest(chunk.data, chunk.offset, Limits(), AT)
        return chunk, batch, self.fleet.add(batch.rows)

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def append_and_save(self, data: bytes) -> None:
        self.append(data)
        chunk, batch, machines = self.next()
        self.store.save(chunk, batch, machines, LATER)
        self.source.advance(chunk)


@contextmanager
def feed_into(database: Path, live_file: Path, data: bytes = b"") -> Iterator[Feed]:
    with closing(Store(database)) as store:
        feed = Feed(store, live_file, data)
        with closing(feed.source):
            yield feed


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


def test_a_row_is_stored_with_the_types_of_its_columns(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(line(7, temperature_c=95.0).encode())
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
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert query(path, "SELECT mode, machines_now, readings, mean_efficiency FROM efficiency_by_mode") == [
        (mode, 0, 0, None) for mode in MODES
    ]


def test_an_empty_file_becomes_a_database(database: Path) -> None:
    database.touch()
    Store(database).close()
    assert query(database, "SELECT count(*) FROM manufacturing_analytics") == [(0,)]


def test_opening_again_changes_nothing(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(lines(1, 3))
    before = content(database)
    Store(database).close()
    assert content(database) == before


# One transaction


def test_rows_rejected_lines_machines_and_offset_are_saved_together(database: Path, live_file: Path) -> None:
    data = lines(1, 2) + b"no reading\n\n"
    with feed_into(database, live_file) as feed:
        feed.append_and_save(data)
    assert stored_machine_ids(database) == [1, 2]
    assert query(database, "SELECT offset_bytes, line, rejected_at FROM rejected_messages") == [
        (len(lines(1, 2)), "no reading", LATER)
    ]
    assert query(database, "SELECT machine_id FROM machines ORDER BY 1") == [(1,), (2,)]
    assert query(
        database,
        "SELECT read_bytes, read_lines, stored_lines, rejected_lines, blank_lines, first_read_at, last_read_at"
        " FROM source_files",
    ) == [(len(data), 4, 2, 1, 1, AT, LATER)]


@pytest.mark.parametrize("table", ["manufacturing_analytics", "rejected_messages", "machines", "source_files"])
def test_a_failure_in_the_middle_leaves_nothing(database: Path, live_file: Path, table: str) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(lines(1, 2) + b"bad\n")
        event = "UPDATE" if table == "source_files" else "INSERT"
        other_programs(
            database, f"CREATE TRIGGER fault AFTER {event} ON {table} BEGIN SELECT RAISE(ABORT, 'a fault'); END"
        )
        before = content(database)
        feed.append(lines(2, 2) + b"bad\n")
        saved = feed.next()
        with pytest.raises(StoreError, match="a fault"):
            feed.store.save(*saved, LATER)
        assert content(database) == before
        other_programs(database, "DROP TRIGGER fault")
        feed.store.save(*saved, LATER)
    assert stored_machine_ids(database) == [1, 2, 2, 3]
    assert query(database, "SELECT machine_id, readings FROM machines") == [(1, 1), (2, 2), (3, 1)]


def test_a_failure_that_is_not_sqlites_leaves_nothing_either(database: Path, live_file: Path) -> None:
    def machines() -> Iterator[Machine]:
        yield Machine(rated(1))
        raise KeyboardInterrupt

    with feed_into(database, live_file, lines(1, 1)) as feed:
        chunk, batch, changed = feed.next()
        before = content(database)
        with pytest.raises(KeyboardInterrupt):
            feed.store.save(chunk, batch, machines(), LATER)
        assert content(database) == before
        feed.store.save(chunk, batch, changed, LATER)
    assert stored_machine_ids(database) == [1]


def test_lines_that_someone_else_has_read_are_refused(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file, lines(1, 2)) as feed:
        saved = feed.next()
        feed.store.save(*saved, LATER)
        before = content(database)
        with pytest.raises(StoreError, match="another consumer has written to") as caught:
            feed.store.save(*saved, LATER)
        assert not isinstance(caught.value, StoreBusyError)
        assert content(database) == before


def test_lines_without_an_account_are_refused(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file, lines(1, 2)) as feed:
        feed.source.source_id = 99
        with pytest.raises(StoreError, match="another consumer has written to"):
            feed.store.save(*feed.next(), LATER)
    assert stored_machine_ids(database) == []


def test_the_search_for_the_end_of_a_long_line_is_no_progress(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file, b"x") as feed:
        chunk = Chunk(feed.source, 0, 0, b"", feed.source.samples, is_oversized=True)
        feed.store.save(chunk, Batch([], [], 0, 0), [], LATER)
        assert feed.store.account() == Account(1, 0, 0, 0, 0, 0)


# Who may use it


def test_a_second_consumer_is_refused_and_the_first_goes_on(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file) as feed:
        with pytest.raises(StoreError, match="another consumer is writing to") as caught:
            Store(database)
        assert not isinstance(caught.value, StoreBusyError)
        assert str(database) in str(caught.value)
        feed.append_and_save(lines(1, 1))
    Store(database).close()
    assert stored_machine_ids(database) == [1]


def test_a_newer_schema_is_refused_and_left_as_it_is(database: Path) -> None:
    other_programs(database, "CREATE TABLE machines (a)", "PRAGMA user_version = 2")
    before = database.read_bytes()
    with pytest.raises(StoreError, match="schema version 2, newer than this program's 1"):
        Store(database)
    assert database.read_bytes() == before


@pytest.mark.parametrize("version", [0, 1])
def test_another_programs_database_is_refused_and_left_as_it_is(database: Path, version: int) -> None:
    other_programs(
        database, "CREATE TABLE holidays (a)", "INSERT INTO holidays VALUES (1)", f"PRAGMA user_version = {version}"
    )
    before = database.read_bytes()
    with pytest.raises(StoreError, match=r"another program's database; set DATABASE_FILE"):
        Store(database)
    assert database.read_bytes() == before


@pytest.mark.parametrize("data", [b"{}\n" * 1000, b"SQLite format 3\0" + b"\xff" * 4096], ids=["text", "damaged"])
def test_what_is_no_database_is_refused_and_left_as_it_is(database: Path, data: bytes) -> None:
    database.write_bytes(data)
    with pytest.raises(StoreError, match=r"file is not a database|malformed") as caught:
        Store(database)
    assert "move this one away" in str(caught.value)
    assert str(database) in str(caught.value)
    assert database.read_bytes() == data


def test_a_damaged_database_is_told_with_what_to_do(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(lines(1, 2000))
    pages = database.read_bytes()
    database.write_bytes(pages[:4096] + b"\xff" * (len(pages) - 4096))
    with (
        closing(Store(database)) as store,
        pytest.raises(StoreError, match="restore a copy of it, or move it away"),
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
    [("query_only = 1", "make the file and its folder writable"), ("max_page_count = 1", "make room on its disk")],
)
def test_a_database_that_takes_nothing_is_told_with_what_to_do_and_loses_nothing(
    database: Path, live_file: Path, pragma: str, advice: str
) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(lines(1, 2))
        before = content(database)
        feed.store._connection.execute(f"PRAGMA {pragma}")
        with pytest.raises(StoreError, match=advice) as caught:
            feed.append_and_save(lines(3, 1000))
        assert "Unread lines stay in the file" in str(caught.value)
        assert content(database) == before


def test_a_locked_database_can_be_tried_again(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file, lines(1, 1)) as feed:
        saved = feed.next()
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusyError, match="is locked by another program"):
                feed.store.save(*saved, LATER)
        feed.store.save(*saved, LATER)
    assert stored_machine_ids(database) == [1]


def test_a_database_that_is_locked_while_it_is_opened_can_be_tried_again(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError):
            Store(database)
    Store(database).close()


# Restoring


def test_machines_and_newest_rows_are_restored_equal(database: Path, live_file: Path) -> None:
    data = b"".join(
        line(number % 5, mode=MODES[number % 4], vibration_mm_s=number % 7, timestamp=timestamp_at(number)).encode()
        for number in range(60)
    )
    with feed_into(database, live_file) as feed:
        feed.append_and_save(data)
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
    with feed_into(database, folder / "live.json") as feed:
        for part in (written[:cut], written[cut:]):
            if part:
                feed.append_and_save(b"".join(part))
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


def test_lives_of_files_are_remembered_newest_first(database: Path, live_file: Path) -> None:
    with closing(Store(database)) as store:
        first = store.begin_source(str(live_file), "1:1", 5, "first seen", AT)
        second = store.begin_source("elsewhere", "1:2", 6, "first seen", AT)
        known = store.known_sources(str(live_file))
    assert [(life.source_id, life.is_of_this_path, life.file_id, life.offset) for life in known] == [
        (second, False, "1:2", 0),
        (first, True, "1:1", 0),
    ]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_file_whose_name_is_no_text_has_an_account_too(database: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"live\xff.json")
    path.write_bytes(lines(1, 2))
    consumer = ConsumerInProcess(path, database)
    consumer.read_all()
    consumer.close()
    again = ConsumerInProcess(path, database)
    again.read_all()
    again.close()
    assert stored_machine_ids(database) == [1, 2]


# The account


def test_the_account_sums_up_all_files(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(lines(1, 2) + b"bad\n")
        feed.append_and_save(b"\n")
        feed.store.begin_source("other", "2:2", 0, "first seen", AT)
        account = feed.store.account()
    assert account == Account(2, len(lines(1, 2)) + 5, 4, 2, 1, 1)
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
def test_an_account_that_does_not_balance_is_shown(database: Path, live_file: Path, deed: str) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(lines(1, 2) + b"bad\n\n")
    assert query(database, "SELECT balances FROM ingest_audit") == [(1,)]
    other_programs(database, deed)
    assert query(database, "SELECT balances FROM ingest_audit") == [(0,)]


def test_the_start_of_a_hostile_line_is_stored_as_text(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file) as feed:
        feed.append_and_save(b"\0\xff\xed\xa0\x80\x1b[2J\n")
    ((kept, kind),) = query(database, "SELECT line, typeof(line) FROM rejected_messages")
    assert kept == "\\x00\\xff\\xed\\xa0\\x80\\x1b[2J"
    assert kind == "text"


def test_a_rejected_line_may_be_of_a_life_after_others(database: Path, live_file: Path) -> None:
    with feed_into(database, live_file, b"x\n") as feed:
        chunk, _, _ = feed.next()
        feed.store.save(chunk, Batch([], [RejectedLine(0, "x", "why")], 0, 1), [], AT)
    assert query(database, "SELECT reason FROM rejected_messages JOIN source_files s ON s.id = source_file_id") == [
        ("why",)
    ]


# Readers


def test_a_reader_with_an_open_cursor_stops_nothing_and_the_log_shrinks_when_it_leaves(
    database: Path, live_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_bytes = 200_000
    monkeypatch.setattr("consumers.store.store._WAL_LIMIT_BYTES", limit_bytes)
    wal = database.with_name(database.name + "-wal")
    with feed_into(database, live_file, lines(1, 5)) as feed:
        feed.append_and_save(b"")
        with closing(sqlite3.connect(database)) as reader:
            cursor = reader.execute("SELECT machine_id FROM manufacturing_analytics")
            assert cursor.fetchone() == (1,)
            for number in range(10):
                feed.append_and_save(lines(number * 300, 300))
            assert wal.stat().st_size > limit_bytes
            assert len(cursor.fetchall()) == 4
        for number in range(10):
            feed.append_and_save(lines(number * 300, 300))
        assert wal.stat().st_size <= limit_bytes * 2
    assert len(stored_machine_ids(database)) == 5 + 20 * 300


# What people do to a database


def test_a_database_that_is_deleted_while_in_use_is_told_before_more_is_saved_in_vain(
    database: Path, live_file: Path
) -> None:
    with feed_into(database, live_file, lines(1, 1)) as feed:
        chunk, batch, machines = feed.next()
        database.unlink()
        with pytest.raises(StoreError, match="was moved, deleted or replaced while in use"):
            feed.store.save(chunk, batch, machines, AT)


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
