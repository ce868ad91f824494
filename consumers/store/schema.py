"""The schema, step by step: each script makes a database of one version into one of the next.

A script that has been released is never changed: databases are out there that it made. What the tables are like in
the end is declared in `tables`; a test holds the two together.
"""

import sqlite3
from typing import Final

from consumers.records import Mark
from consumers.store.step_audit import STEP_AUDIT
from consumers.store.step_episodes import STEP_EPISODES
from consumers.store.step_forecast import STEP_FORECAST
from consumers.store.step_minutes import STEP_MINUTES, hundredths
from consumers.store.step_views import STEP_VIEWS
from consumers.store.tables import packed_marks

_STEP_1: Final = """
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

# Streams are known by their bytes: no inode, no time, but their head, and marks at ends of lines. Version 1 kept two
# hashes: of the first KiB, and of the KiB before the offset. They become marks; the head comes with the next commit.
_STEP_2: Final = """
DROP VIEW ingest_audit;

-- One row per stream: what was written to a file until it was emptied or rewritten.
-- head: its first KiB. marks: 24 bytes each, an offset and a hash of the KiB before it; the last is at read_bytes.
-- begin_bytes: where its account begins. read_bytes: where to go on.
-- expired_lines: of the rejected lines, those whose text was let go to make room.
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    why_new TEXT NOT NULL,
    begin_bytes INTEGER NOT NULL,
    read_bytes INTEGER NOT NULL,
    head BLOB NOT NULL,
    marks BLOB NOT NULL,
    read_lines INTEGER NOT NULL,
    stored_lines INTEGER NOT NULL,
    rejected_lines INTEGER NOT NULL,
    blank_lines INTEGER NOT NULL,
    expired_lines INTEGER NOT NULL,
    first_read_at TEXT NOT NULL,
    last_read_at TEXT NOT NULL
);
INSERT INTO streams
SELECT
    id, path, why_new, 0, read_bytes, x'', marks_of_version_1(read_bytes, fingerprint),
    read_lines, stored_lines, rejected_lines, blank_lines, 0, first_read_at, last_read_at
FROM source_files;
DROP TABLE source_files;
ALTER TABLE streams RENAME TO source_files;

-- The account: every line that was read is a row, a rejected message, expired or blank, in each stream
-- and against the tables themselves. balances: 1 if it is so.
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
    read_bytes - begin_bytes AS read_bytes,
    read_lines,
    stored_lines,
    rejected_lines,
    blank_lines,
    expired_lines,
    kept.balances
        AND read_lines = stored_lines + rejected_lines + blank_lines
        AND rejected_lines = coalesce(rejected.messages, 0) + expired_lines AS balances,
    first_read_at,
    last_read_at
FROM source_files
CROSS JOIN kept
LEFT JOIN rejected ON rejected.source_file_id = source_files.id;
"""

# Old rows are let go (KEEP_READINGS_DAYS) and counted. Rows that someone deleted by hand are told apart from them.
_STEP_RETENTION: Final = """
DROP VIEW ingest_audit;

-- One row. expired_rows: the rows of manufacturing_analytics that were let go because they were old.
-- plant_at: the plant's time, about; NULL: no reading was ever stored.
CREATE TABLE retention (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    expired_rows INTEGER NOT NULL,
    plant_at TEXT
);
-- Of the machines' latest timestamps the middle one: a few wrong clocks do not change it.
INSERT INTO retention SELECT 1, 0, (
    SELECT timestamp FROM machines ORDER BY timestamp LIMIT 1 OFFSET (SELECT max(count(*) - 1, 0) / 2 FROM machines)
);

-- The account: every line that was read is a row, a rejected message, expired or blank, in each stream
-- and against the tables themselves. balances: 1 if it is so.
-- deleted_rows: of all streams together, the rows that are neither there nor expired: someone deleted them by hand
-- (less than 0: someone added rows).
CREATE VIEW ingest_audit AS
WITH kept AS (
    SELECT
        (SELECT coalesce(sum(stored_lines), 0) FROM source_files) - (SELECT expired_rows FROM retention) - count(*)
        AS deleted_rows
    FROM manufacturing_analytics
), rejected (source_file_id, messages) AS (
    SELECT source_file_id, count(*) FROM rejected_messages GROUP BY source_file_id
)
SELECT
    source_files.id AS source_file_id,
    path,
    why_new,
    read_bytes - begin_bytes AS read_bytes,
    read_lines,
    stored_lines,
    rejected_lines,
    blank_lines,
    expired_lines,
    kept.deleted_rows,
    kept.deleted_rows = 0
        AND read_lines = stored_lines + rejected_lines + blank_lines
        AND rejected_lines = coalesce(rejected.messages, 0) + expired_lines AS balances,
    first_read_at,
    last_read_at
FROM source_files
CROSS JOIN kept
LEFT JOIN rejected ON rejected.source_file_id = source_files.id;
"""

# Machines have names. name: NULL if the lines give the machine's number.
_STEP_NAMES: Final = """
ALTER TABLE machines ADD COLUMN name TEXT;
CREATE UNIQUE INDEX machines_by_name ON machines (name) WHERE name IS NOT NULL;
"""

STEPS: Final = (
    _STEP_1,
    _STEP_2,
    _STEP_RETENTION,
    STEP_MINUTES,
    STEP_EPISODES,
    STEP_AUDIT,
    _STEP_NAMES,
    STEP_FORECAST,
    STEP_VIEWS,
)
"""The scripts that make a new database, of version 0, one of version 1, that one of version 2, and so on."""
VERSION: Final = len(STEPS)

_HEAD_BYTES: Final = 1024


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database of `version` to `VERSION`, each step in a transaction of its own.

    Raises sqlite3.Error; a step that fails has changed nothing.
    """
    connection.create_function("marks_of_version_1", 2, _marks_of_version_1, deterministic=True)
    connection.create_function("hundredths", 1, hundredths, deterministic=True)
    for number, script in enumerate(STEPS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def _marks_of_version_1(offset: int, fingerprint: str) -> bytes:
    """Return the marks of a stream of version 1, packed, from its hashes: of the head, and before the offset."""
    hashes = bytes.fromhex(fingerprint)
    head, before_offset = hashes[: len(hashes) // 2], hashes[len(hashes) // 2 :]
    marks = [Mark(_HEAD_BYTES, head)] if offset > _HEAD_BYTES else []
    return packed_marks([*marks, Mark(offset, before_offset)] if offset else [])
