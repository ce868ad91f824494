"""The step of the schema that brings trends and forecasts."""

from typing import Final

STEP_FORECAST: Final = """
-- trend_open: the part of the machine's trend that changes with every reading.
-- vibration_trend_per_h: mm/s an hour of running. hours_to_limit: hours of running until vibration reaches its safe
-- limit, from the latest reading when the forecast was made; with 90 % probability it is between low and high.
-- limit_earliest_at, limit_latest_at: the same by the machine's clock. NULL: no trend is to be seen.
ALTER TABLE machines ADD COLUMN trend_open BLOB NOT NULL DEFAULT x'';
ALTER TABLE machines ADD COLUMN vibration_trend_per_h REAL;
ALTER TABLE machines ADD COLUMN hours_to_limit_low REAL;
ALTER TABLE machines ADD COLUMN hours_to_limit REAL;
ALTER TABLE machines ADD COLUMN hours_to_limit_high REAL;
ALTER TABLE machines ADD COLUMN limit_earliest_at TEXT;
ALTER TABLE machines ADD COLUMN limit_latest_at TEXT;

-- The part of each machine's trend that changes when a bucket of readings closes.
CREATE TABLE machine_trends (
    machine_id INTEGER PRIMARY KEY,
    closed BLOB NOT NULL
);
"""
