"""The database: rows, rejected lines, machines and the position in the file, saved together or not at all."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from consumers.follow.source_file import Chunk, KnownSource, file_id
from consumers.machines.fleet import Machine, ModeTotals
from consumers.records import Batch, RatedReading
from utils.errors import PipelineError
from utils.message import MODES
from utils.text import printable

_SCHEMA_1: Final = """
-- One row per accepted line, in the order of the file. efficiency_score: 0 to 100. is_anomaly: 0 or 1.
-- timestamp: the machine's clock, processed_at: the consumer's, both UTC, YYYY-MM-DDTHH:MM:SS.sssZ.
CREATE TABLE manufacturing_analytics (
    id INTEGER PRIMARY KEY,
    machine_id INTEGER,
    timestamp TEXT,
    mode TEXT,
    temperature REAL,
    vibration REAL,
    efficiency_score REAL,
    efficiency_level TEXT,
    is_anomaly BOOLEAN,
    processed_at TIMESTAMP
);

-- One row per life of a file that was read: a rewritten or newly made file begins a new one.
-- file_id: device and inode. seen_ns: when it was changed last, as it was when its path last named it; 0: never did.
-- read_bytes: the offset to go on from. fingerprint: of the bytes before it.
CREATE TABLE source_files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    file_id TEXT NOT NULL,
    why_new TEXT NOT NULL,
    fingerprint TEXT NOT NULL DEFAULT '',
    seen_ns INTEGER NOT NULL DEFAULT 0,
    read_bytes INTEGER NOT NULL DEFAULT 0,
    read_lines INTEGER NOT NULL DEFAULT 0,
    stored_lines INTEGER NOT NULL DEFAULT 0,
    rejected_lines INTEGER NOT NULL DEFAULT 0,
    blank_lines INTEGER NOT NULL DEFAULT 0,
    first_read_at TEXT NOT NULL,
    last_read_at TEXT NOT NULL
);

-- One row per line that is no reading. offset_bytes: where in its file it begins.
CREATE TABLE rejected_messages (
    id INTEGER PRIMARY KEY,
    source_file_id INTEGER NOT NULL REFERENCES source_files (id),
    offset_bytes INTEGER NOT NULL,
    line TEXT NOT NULL,
    reason TEXT NOT NULL,
    rejected_at TEXT NOT NULL
);

-- One row per machine: its latest reading, and totals of all its readings, by mode.
CREATE TABLE machines (
    machine_id INTEGER PRIMARY KEY,
    timestamp TEXT NOT NULL,
    mode TEXT NOT NULL,
    temperature REAL NOT NULL,
    vibration REAL NOT NULL,
    efficiency_score REAL NOT NULL,
    efficiency_level TEXT NOT NULL,
    is_anomaly BOOLEAN NOT NULL,
    processed_at TIMESTAMP NOT NULL,
    readings INTEGER NOT NULL,
    anomalies INTEGER NOT NULL,
    active_readings INTEGER NOT NULL,
    idle_readings INTEGER NOT NULL,
    maintenance_readings INTEGER NOT NULL,
    offline_readings INTEGER NOT NULL,
    active_efficiency_sum REAL NOT NULL,
    idle_efficiency_sum REAL NOT NULL,
    maintenance_efficiency_sum REAL NOT NULL,
    offline_efficiency_sum REAL NOT NULL
);

-- Readings and mean efficiency by mode, over all machines and all time, from the totals: no scan of the readings.
CREATE VIEW efficiency_by_mode AS
WITH totals (mode, readings, efficiency_sum) AS (
    SELECT 'active', sum(active_readings), sum(active_efficiency_sum) FROM machines
    UNION ALL SELECT 'idle', sum(idle_readings), sum(idle_efficiency_sum) FROM machines
    UNION ALL SELECT 'maintenance', sum(maintenance_readings), sum(maintenance_efficiency_sum) FROM machines
    UNION ALL SELECT 'offline', sum(offline_readings), sum(offline_efficiency_sum) FROM machines
)
SELECT
    mode,
    (SELECT count(*) FROM machines WHERE machines.mode = totals.mode) AS machines_now,
    coalesce(readings, 0) AS readings,
    round(efficiency_sum / nullif(readings, 0), 2) AS mean_efficiency
FROM totals;

-- The account: every line that was read is a row, a rejected message or blank, in each life of each file
-- and against the tables themselves. balances: 1 where it is so.
CREATE VIEW ingest_audit AS
WITH kept AS (
    SELECT count(*) = (SELECT coalesce(sum(stored_lines), 0) FROM source_files) AS balances
    FROM manufacturing_analytics
), rejected (source_file_id, messages) AS (
    SELECT source_file_id, count(*) FROM rejected_messages GROUP BY source_file_id
)
SELECT
    source_files.id AS source_file_id,
    path,
    why_new,
    read_bytes,
    read_lines,
    stored_lines,
    rejected_lines,
    blank_lines,
    kept.balances
        AND read_lines = stored_lines + rejected_lines + blank_lines
        AND rejected_lines = coalesce(rejected.messages, 0) AS balances,
    first_read_at,
    last_read_at
FROM source_files
CROSS JOIN kept
LEFT JOIN rejected ON rejected.source_file_id = source_files.id;
"""

_SCHEMA_STEPS: Final = (_SCHEMA_1,)
"""The scripts that make a new database of version 0 one of version 1, that one of version 2, and so on."""

_BUSY_TIMEOUT_S: Final = 0.2
_WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024

_INSERT_ROW: Final = """
INSERT INTO manufacturing_analytics (
    machine_id, timestamp, mode, temperature, vibration, efficiency_score, efficiency_level, is_anomaly, processed_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT_NEWEST_ROWS: Final = """
SELECT
    machine_id, timestamp, mode, temperature, vibration, efficiency_score, efficiency_level, is_anomaly, processed_at
FROM manufacturing_analytics ORDER BY id DESC LIMIT ?
"""
_INSERT_REJECTED: Final = """
INSERT INTO rejected_messages (source_file_id, offset_bytes, line, reason, rejected_at) VALUES (?, ?, ?, ?, ?)
"""
_REPLACE_MACHINE: Final = """
REPLACE INTO machines (
    machine_id, timestamp, mode, temperature, vibration, efficiency_score, efficiency_level, is_anomaly, processed_at,
    readings, anomalies, active_readings, idle_readings, maintenance_readings, offline_readings,
    active_efficiency_sum, idle_efficiency_sum, maintenance_efficiency_sum, offline_efficiency_sum
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT_MACHINES: Final = """
SELECT
    machine_id, timestamp, mode, temperature, vibration, efficiency_score, efficiency_level, is_anomaly, processed_at,
    readings, anomalies, active_readings, idle_readings, maintenance_readings, offline_readings,
    active_efficiency_sum, idle_efficiency_sum, maintenance_efficiency_sum, offline_efficiency_sum
FROM machines
"""
_ADVANCE_SOURCE: Final = """
UPDATE source_files SET
    read_bytes = :end_offset,
    fingerprint = :fingerprint,
    seen_ns = :seen_ns,
    read_lines = read_lines + :lines,
    stored_lines = stored_lines + :stored,
    rejected_lines = rejected_lines + :rejected,
    blank_lines = blank_lines + :blank,
    last_read_at = :at
WHERE id = :id AND read_bytes = :offset
"""
_INSERT_SOURCE: Final = """
INSERT INTO source_files (path, file_id, seen_ns, why_new, first_read_at, last_read_at) VALUES (?, ?, ?, ?, ?, ?)
"""
_SELECT_SOURCES: Final = """
SELECT id, path = ?, file_id, read_bytes, fingerprint, seen_ns FROM source_files ORDER BY id DESC
"""
_SELECT_ACCOUNT: Final = """
SELECT
    count(*), coalesce(sum(read_bytes), 0), coalesce(sum(read_lines), 0), coalesce(sum(stored_lines), 0),
    coalesce(sum(rejected_lines), 0), coalesce(sum(blank_lines), 0)
FROM source_files
"""

_ADVICE: Final = {
    "SQLITE_FULL": "; make room on its disk",
    "SQLITE_READONLY": "; make the file and its folder writable, or set DATABASE_FILE to another file",
    "SQLITE_CANTOPEN": "; make its folder writable, or set DATABASE_FILE to another file",
    "SQLITE_PERM": "; make the file and its folder writable, or set DATABASE_FILE to another file",
    "SQLITE_NOTADB": "; set DATABASE_FILE (--db) to another file, or move this one away",
    "SQLITE_CORRUPT": "; restore a copy of it, or move it away and read the files again",
    "SQLITE_IOERR": "; look after its disk",
    "SQLITE_ERROR": "; its tables are not as this program made them: restore a copy of it, or move it away",
}


class StoreError(PipelineError):
    """The database cannot be used; what was not saved is still in the file and is read again at the next start."""


class StoreBusyError(StoreError):
    """Another program holds the database's lock just now: try again."""


class Account(NamedTuple):
    """What became of every line that was ever read into this database."""

    files: int
    read_bytes: int
    read_lines: int
    stored_lines: int
    rejected_lines: int
    blank_lines: int

    @property
    def balances(self) -> bool:
        """Whether every line that was read is stored, rejected or blank."""
        return self.read_lines == self.stored_lines + self.rejected_lines + self.blank_lines


class Store:
    """The one consumer's connection to its database, which is made if it is not there.

    Every method raises StoreError, and StoreBusyError where trying again helps.
    """

    def __init__(self, path: Path) -> None:
        self._path = path = Path(os.path.realpath(path))  # two spellings of a path must not give two locks
        self._wal_path = path.with_name(path.name + "-wal")
        self._wal_tried_bytes = _WAL_LIMIT_BYTES
        with ExitStack() as undo, self._named_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise StoreError(f"{self._shown} is a folder; name a file with --db or DATABASE_FILE")
            self._lock = undo.enter_context(closing(self._locked(path.with_name(path.name + "-lock"))))
            self._connection = undo.enter_context(
                closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None))
            )
            self._prepare()
            self._file_id = file_id(path.stat())
            undo.pop_all()

    def known_sources(self, path: str) -> list[KnownSource]:
        """List every life of a file that was read; `path` is the one that is followed now."""
        with self._named_errors():
            rows = self._connection.execute(_SELECT_SOURCES, (printable(path),)).fetchall()
        return [KnownSource(source_id, bool(same), *rest) for source_id, same, *rest in rows]

    def machines(self) -> list[Machine]:
        """Restore what is known of each machine."""
        with self._named_errors():
            rows = self._connection.execute(_SELECT_MACHINES).fetchall()
        return [_machine(row) for row in rows]

    def newest_rows(self, count: int) -> list[RatedReading]:
        """Read the newest rows, oldest of them first."""
        with self._named_errors():
            rows = self._connection.execute(_SELECT_NEWEST_ROWS, (count,)).fetchall()
        return [RatedReading(*row) for row in reversed(rows) if None not in row]  # someone may have added a row

    def account(self) -> Account:
        """Sum up what became of the lines of every file."""
        with self._named_errors():
            return Account(*self._connection.execute(_SELECT_ACCOUNT).fetchone())

    def begin_source(self, path: str, file_id: str, seen_ns: int, why_new: str, at: str) -> int:
        """Open the account of a new life of a file; returns its id."""
        # A name need not be text: what of it is none is escaped.
        values = (printable(path), file_id, seen_ns, why_new, at, at)
        with self._transaction():
            cursor = self._connection.execute(_INSERT_SOURCE, values)
        return int(cursor.lastrowid or 0)

    def save(self, chunk: Chunk, batch: Batch, machines: Iterable[Machine], at: str) -> None:
        """Save what became of a chunk's lines, and the position behind it, in one transaction.

        Refused where the stored position is not the chunk's: someone else has read these lines.
        """
        self._check_that_it_is_there()
        source_id = chunk.source.source_id
        rejected = [(source_id, *line, at) for line in batch.rejected]
        with self._transaction():
            self._advance(chunk, batch, at)
            self._connection.executemany(_INSERT_ROW, batch.rows)
            self._connection.executemany(_INSERT_REJECTED, rejected)
            self._connection.executemany(_REPLACE_MACHINE, map(_machine_row, machines))
        self._bound_wal()

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()
        self._lock.close()

    def _advance(self, chunk: Chunk, batch: Batch, at: str) -> None:
        cursor = self._connection.execute(
            _ADVANCE_SOURCE,
            {
                "id": chunk.source.source_id,
                "offset": chunk.offset,
                "end_offset": chunk.end_offset,
                "fingerprint": chunk.end_samples.fingerprint(),
                "seen_ns": chunk.source.seen_ns,
                "lines": batch.lines,
                "stored": len(batch.rows),
                "rejected": len(batch.rejected),
                "blank": batch.blank_lines,
                "at": at,
            },
        )
        if cursor.rowcount != 1:
            raise StoreError(f"another consumer has written to {self._shown}; stop one of the two, then start again")

    def _check_that_it_is_there(self) -> None:
        """See that the path still names the open database: into a deleted one, everything would be saved in vain."""
        try:
            is_there = file_id(self._path.stat()) == self._file_id
        except OSError:
            is_there = False
        if not is_there:
            raise StoreError(
                f"{self._shown} was moved, deleted or replaced while in use; put it back, or start again"
            )

    def _prepare(self) -> None:
        """Bring the schema to this version. Nothing is changed in a database that is not ours."""
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(_SCHEMA_STEPS):
            raise StoreError(
                f"{self._shown} has schema version {version}, newer than this program's {len(_SCHEMA_STEPS)}; "
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
        for number, script in enumerate(_SCHEMA_STEPS[version:], version + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")

    def _locked(self, path: Path) -> sqlite3.Connection:
        """Hold a lock for as long as this process lives: SQLite's own, on a file beside the database."""
        lock = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        try:
            lock.execute("PRAGMA journal_mode = OFF")
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if error.sqlite_errorname != "SQLITE_BUSY":
                raise
            raise StoreError(f"another consumer is writing to {self._shown}; it goes on, this one ends") from error
        return lock

    def _bound_wal(self) -> None:
        """Shrink the write-ahead log where readers kept it from being reset; tried less and less often."""
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
        except sqlite3.DatabaseError as error:
            raise self._named(error) from error
        except OSError as error:
            raise StoreError(
                f"cannot make or read the folder of {self._shown}: {error.strerror}; "
                "name another database with --db or DATABASE_FILE"
            ) from error

    def _named(self, error: sqlite3.DatabaseError) -> StoreError:
        code = getattr(error, "sqlite_errorname", "")
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StoreBusyError(f"{self._shown} is locked by another program")
        advice = next((advice for prefix, advice in _ADVICE.items() if code.startswith(prefix)), "")
        return StoreError(f"cannot use {self._shown}: {error}{advice}. Unread lines stay in the file")

    @property
    def _shown(self) -> str:
        return printable(str(self._path))


def _machine(row: Sequence[Any]) -> Machine:
    latest, (_, anomalies), readings, sums = RatedReading(*row[:9]), row[9:11], row[11:15], row[15:19]
    totals = {
        mode: ModeTotals(count, round(efficiency_sum * 10))
        for mode, count, efficiency_sum in zip(MODES, readings, sums, strict=True)
    }
    return Machine(latest, anomalies, totals)


def _machine_row(machine: Machine) -> tuple[float | str, ...]:
    # Written out, as it is done for every machine in every transaction.
    active, idle, maintenance, offline = (machine.totals[mode] for mode in MODES)
    return (
        *machine.latest,
        machine.readings,
        machine.anomalies,
        active.readings,
        idle.readings,
        maintenance.readings,
        offline.readings,
        active.efficiency_sum_tenths / 10,
        idle.efficiency_sum_tenths / 10,
        maintenance.efficiency_sum_tenths / 10,
        offline.efficiency_sum_tenths / 10,
    )
