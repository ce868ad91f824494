"""The database as its one consumer uses it: restore what is known, then save one commit after another."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from consumers.records import Account, Commit, Episode, Excess, Machine, Minute, RatedReading, Stream, Timestamp
from consumers.store.episodes import KeptEpisodes, set_view_settings
from consumers.store.errors import StoreError, StoreWaitError, is_busy, named
from consumers.store.minutes import ADD_MINUTE, newest_minutes
from consumers.store.outbox import Outbox
from consumers.store.rejected import KeptRejected
from consumers.store.retention import Retention
from consumers.store.room import has_no_room
from consumers.store.rows import insert_rows
from consumers.store.schema import VERSION, migrate
from consumers.store.tables import MACHINES, READINGS, SOURCES, RowError, Table, ViewSettings, source_file_of
from consumers.store.trends import KeptTrends
from utils.text import printable, shown

_BUSY_TIMEOUT_S: Final = 0.2
_WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024

_ADVANCE_SOURCE: Final = """
UPDATE source_files SET
    read_bytes = :read_bytes,
    head = :head,
    marks = :marks,
    read_lines = read_lines + :read_lines,
    stored_lines = stored_lines + :stored_lines,
    rejected_lines = rejected_lines + :rejected_lines,
    blank_lines = blank_lines + :blank_lines,
    last_read_at = :last_read_at
WHERE id = :id AND read_bytes = :offset_before
"""
_SELECT_ACCOUNT: Final = """
SELECT
    count(*), coalesce(sum(read_bytes - begin_bytes), 0), coalesce(sum(read_lines), 0),
    coalesce(sum(stored_lines), 0), coalesce(sum(rejected_lines), 0), coalesce(sum(blank_lines), 0),
    (SELECT expired_rows FROM retention), coalesce((SELECT deleted_rows FROM ingest_audit LIMIT 1), 0)
FROM source_files
"""
_SIZE: Final = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"


class Store:
    """The one consumer's connection to its database, which is made if it is not there.

    At most `keep_rejected` rejected messages are kept; the oldest make room for new ones. Readings and minutes are
    kept for so many days by the plant's time; 0: for ever. If it `keeps_alerts`, events wait in its `outbox`.
    Every method raises StoreError, and StoreWaitError if trying again helps.
    """

    def __init__(
        self,
        path: Path,
        keep_rejected: int = 100_000,
        keep_readings_days: float = 0.0,
        keep_minutes_days: float = 0.0,
        view_settings: ViewSettings | None = None,
        *,
        keeps_alerts: bool = False,
    ) -> None:
        self._path = path = Path(os.path.realpath(path))  # two spellings of a path must not give two locks
        self._wal_path = path.with_name(path.name + "-wal")
        self._wal_tried_bytes = _WAL_LIMIT_BYTES
        with ExitStack() as undo, self._named_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise StoreError(f"{self._shown} is a folder; name a file with --db or DATABASE_FILE")
            self._check_that_it_has_one_name()
            lock_path = path.with_name(path.name + "-lock")
            if not lock_path.exists():
                undo.push(partial(_remove_if_refused, lock_path))
            self._lock = undo.enter_context(closing(self._locked(lock_path)))
            self._connection = undo.enter_context(
                closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None))
            )
            self._prepare()
            self._rejected = KeptRejected(self._connection, keep_rejected)
            self._retention = Retention(self._connection, self._transaction, keep_readings_days, keep_minutes_days)
            self._episodes = KeptEpisodes(self._connection)
            self.outbox = Outbox(self._connection, self._transaction, self._named_errors, is_kept=keeps_alerts)
            self.trends = KeptTrends(self._connection, self._transaction, self._named_errors, self.outbox)
            set_view_settings(self._connection, view_settings or ViewSettings())
            self._file_id = _file_id(path)
            undo.pop_all()

    def streams(self) -> list[Stream]:
        """Return every stream that was ever read, in the order in which they were begun."""
        sources = self._records(SOURCES, "ORDER BY id")
        with self._named_errors():
            return [source.stream() for source in sources]

    def machines(self) -> list[Machine]:
        """Return what is known of each machine."""
        return list(self._records(MACHINES))

    def episodes(self) -> tuple[list[Episode], list[Excess], int]:
        """Return the episodes that go on, the readings that may become part of one, and the next one's number."""
        with self._named_errors():
            return self._episodes.open_ones(), self._episodes.excesses(), self._episodes.next_id()

    def newest_rows(self, count: int) -> list[RatedReading]:
        """Return the newest rows, in the order in which they came. A row that someone changed is left out."""
        with self._named_errors():
            found = self._connection.execute(f"{READINGS.select} ORDER BY id DESC LIMIT ?", (count,)).fetchall()
        rows = []
        for row in reversed(found):
            try:
                rows.append(READINGS.record(row))
            except RowError:
                continue
        return rows

    def minutes(
        self, machine_ids: Iterable[int], since: Timestamp, until: Timestamp, at_most: int
    ) -> Iterator[Minute]:
        """Return the minutes of machines that are no longer open, of each the newest ones; see `newest_minutes`."""
        with self._named_errors():
            yield from newest_minutes(self._connection, machine_ids, since, until, at_most)

    def account(self) -> Account:
        """Return what became of the lines of all streams together."""
        with self._named_errors():
            return Account(*self._connection.execute(_SELECT_ACCOUNT).fetchone())

    def save(self, commit: Commit) -> None:
        """Save a commit whole, in one transaction.

        Raises StoreError if its stream stands elsewhere by now: another consumer has read these lines.
        """
        self._check_that_it_is_there()
        with self._transaction():
            self._advance(commit)
            insert_rows(self._connection, commit.batch.rows)
            kept_rejected = self._rejected.save(commit)
            self._connection.executemany(MACHINES.replace, map(MACHINES.values, commit.machines))
            self._connection.executemany(ADD_MINUTE, commit.minutes)
            self._episodes.save(commit)
            self.outbox.add(commit.events)
            self.trends.save(commit)
        self._rejected.count = kept_rejected
        self._bound_wal()

    def expire(self, plant_at: Timestamp) -> bool:
        """Let a few rows go that are older than is kept, by the plant's time; return whether there may be more."""
        self._check_that_it_is_there()
        with self._named_errors():
            return self._retention.step(plant_at)

    @property
    def plant_at(self) -> Timestamp | None:
        """The plant's time, as it was noted last; None if there was no reading yet."""
        return self._retention.plant_at

    def size_bytes(self) -> int:
        """Return the size of the database, with what is still in its write-ahead log."""
        with self._named_errors():
            (size_bytes,) = self._connection.execute(_SIZE).fetchone()
        return int(size_bytes)

    def oldest_reading_at(self) -> Timestamp | None:
        """Return the timestamp of the row that came first; None if there is none, or someone changed it."""
        with self._named_errors():
            row = self._connection.execute(f"{READINGS.select} ORDER BY id LIMIT 1").fetchone()
        try:
            return None if row is None else READINGS.record(row).timestamp
        except RowError:
            return None

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()
        self._lock.close()

    def _records(self, table: Table[Any], clauses: str = "") -> Iterator[Any]:
        with self._named_errors():
            rows = self._connection.execute(f"{table.select} {clauses}").fetchall()
            yield from map(table.record, rows)

    def _advance(self, commit: Commit) -> None:
        """Move the stream on; a stream that has no account yet is given one."""
        source = source_file_of(commit)
        if commit.before.offset == commit.before.begin:
            cursor = self._connection.execute(f"{SOURCES.insert} ON CONFLICT (id) DO NOTHING", source)
        else:
            values = {**source._asdict(), "offset_before": commit.before.offset}
            cursor = self._connection.execute(_ADVANCE_SOURCE, values)
        if cursor.rowcount != 1:
            raise StoreError(f"another consumer has written to {self._shown}; stop one of the two, then start again")

    def _check_that_it_has_one_name(self) -> None:
        """See that no hard link leads to the database: under each of its names it would have another log and lock."""
        if self._path.exists() and self._path.stat().st_nlink > 1:
            raise StoreError(
                f"{self._shown} has a second name, a hard link, under which another program could destroy it; "
                "remove that, or make it a copy"
            )

    def _check_that_it_is_there(self) -> None:
        """See that the path still names the open database: into a deleted one, everything would be saved in vain."""
        try:
            is_there = _file_id(self._path) == self._file_id
        except OSError:
            is_there = False
        if not is_there:
            raise StoreError(
                f"{self._shown} was moved, deleted or replaced while in use; put it back, or start again"
            )

    def _prepare(self) -> None:
        """Bring the schema to this version. Nothing is changed in a database that is not ours."""
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"{self._shown} has schema version {version}, newer than this program's {VERSION}; "
                "use the newer program, or set DATABASE_FILE to another file"
            )
        things, ours = self._connection.execute(
            "SELECT count(*), total(name = 'ingest_audit') FROM sqlite_schema"
        ).fetchone()
        if things > 0 and not ours:
            raise StoreError(f"{self._shown} is another program's database; set DATABASE_FILE to another file")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        migrate(self._connection, version)

    def _locked(self, path: Path) -> sqlite3.Connection:
        """Hold a lock for as long as this process lives: SQLite's own, on a file beside the database."""
        lock = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        try:
            lock.execute("PRAGMA journal_mode = OFF")
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if not is_busy(error):
                raise
            raise StoreError(f"another consumer is writing to {self._shown}; it goes on, this one ends") from error
        return lock

    def _bound_wal(self) -> None:
        """Shrink the write-ahead log that readers kept from being reset; tried less and less often."""
        size_bytes = self._wal_path.stat().st_size if self._wal_path.exists() else 0
        if size_bytes <= self._wal_tried_bytes:
            return
        with self._named_errors():
            (is_blocked, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._wal_tried_bytes = size_bytes * 2 if is_blocked else _WAL_LIMIT_BYTES

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._named_errors():
            # IMMEDIATE: a transaction that turned from reading to writing would fail at once, whatever the timeout.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OverflowError) as error:
            raise named(error, self._shown, lambda: has_no_room(self._path.parent)) from error
        except RowError as error:
            raise StoreError(
                f"{self._shown} was changed by hand: {printable(str(error))}; put it right, or restore a copy"
            ) from error
        except OSError as error:
            raise StoreError(
                f"cannot make or read the folder of {self._shown}: {error.strerror}; "
                "name another database with --db or DATABASE_FILE"
            ) from error

    @property
    def _shown(self) -> str:
        return shown(self._path)


def _remove_if_refused(lock_path: Path, kind: type[BaseException] | None, *_error: object) -> None:
    """Leave no lock beside a file that no consumer will use. One that is only waited for is locked again soon."""
    if kind is not None and not issubclass(kind, (StoreWaitError, sqlite3.OperationalError)):
        with suppress(OSError):
            lock_path.unlink()


def _file_id(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
