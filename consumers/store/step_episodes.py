"""The step of the schema that brings episodes, silences and alerts."""

from typing import Final

STEP_EPISODES: Final = """
-- One row per time in which a signal (temperature, vibration) of a machine was beyond its limit. Values are in °C or
-- mm/s, times by the machine's clock. readings: those beyond the limit. mode: when it was raised. cleared_at: NULL
-- while it goes on. calm_readings: those in a row, up to the latest, that were well within the limit. calm_since:
-- when the first of them came, which is what cleared_at becomes; NULL: there is none.
CREATE TABLE anomaly_episodes (
    id INTEGER PRIMARY KEY,
    machine_id INTEGER NOT NULL,
    signal TEXT NOT NULL,
    limit_value REAL NOT NULL,
    raised_at TEXT NOT NULL,
    raised_value REAL NOT NULL,
    peak_value REAL NOT NULL,
    peak_at TEXT NOT NULL,
    readings INTEGER NOT NULL,
    mode TEXT NOT NULL,
    cleared_at TEXT,
    calm_readings INTEGER NOT NULL,
    calm_since TEXT
);
CREATE INDEX open_episodes ON anomaly_episodes (machine_id, signal) WHERE cleared_at IS NULL;

-- Readings beyond a limit that may become part of an episode: there are few. ago: so many readings of the machine
-- have come since.
CREATE TABLE excesses (
    machine_id INTEGER NOT NULL,
    signal TEXT NOT NULL,
    ago INTEGER NOT NULL,
    at TEXT NOT NULL,
    value REAL NOT NULL,
    mode TEXT NOT NULL,
    PRIMARY KEY (machine_id, signal, ago)
);

ALTER TABLE machines ADD COLUMN last_anomaly_at TEXT;
ALTER TABLE machines ADD COLUMN open_episodes INTEGER NOT NULL DEFAULT 0;
CREATE TABLE last_anomalies (machine_id INTEGER PRIMARY KEY, timestamp TEXT, id INTEGER);
INSERT INTO last_anomalies
SELECT machine_id, timestamp, max(id) FROM manufacturing_analytics
WHERE is_anomaly = 1 AND typeof(machine_id) = 'integer' AND strftime('%Y-%m-%dT%H:%M:%fZ', timestamp) = timestamp
GROUP BY machine_id;
UPDATE machines SET last_anomaly_at = (
    SELECT timestamp FROM last_anomalies WHERE last_anomalies.machine_id = machines.machine_id
);
DROP TABLE last_anomalies;

-- One row: of the settings of the run that goes on, or was the last, what the views need.
CREATE TABLE view_settings (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    temperature_safe_max_c REAL NOT NULL,
    vibration_safe_max_mm_s REAL NOT NULL,
    stale_after_s REAL NOT NULL
);
INSERT INTO view_settings VALUES (1, 90, 4.5, 60);

-- The machines that have been told as silent. since: the timestamp of its latest reading.
CREATE TABLE silences (
    machine_id INTEGER PRIMARY KEY,
    since TEXT NOT NULL
);

-- What is still to be told by ALERT_COMMAND. machine_id: NULL if it concerns the whole feed. details: JSON.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    machine_id INTEGER,
    text TEXT NOT NULL,
    details TEXT NOT NULL,
    at TEXT NOT NULL
);
"""
