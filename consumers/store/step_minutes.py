"""The step of the schema that brings what each machine did by the minute, also of the readings stored before."""

from typing import Final

from consumers.records import MOST_SUMMED

STEP_MINUTES: Final = """
-- One row per machine and minute of its clock in which it reported. Sums and peaks of temperature and vibration are
-- of the active readings. The open minute of each machine, that of its latest reading, is in `machines`: a minute's
-- truth is what both tables have of it, as in the view machine_history.
CREATE TABLE machine_minutes (
    machine_id INTEGER NOT NULL,
    minute TEXT NOT NULL,
    readings INTEGER NOT NULL,
    active_readings INTEGER NOT NULL,
    anomalies INTEGER NOT NULL,
    efficiency_sum REAL NOT NULL,
    efficiency_min REAL NOT NULL,
    temperature_sum REAL NOT NULL,
    temperature_max REAL,
    vibration_sum REAL NOT NULL,
    vibration_max REAL,
    PRIMARY KEY (machine_id, minute)
) WITHOUT ROWID;

INSERT INTO machine_minutes
SELECT
    machine_id,
    substr(timestamp, 1, 16) || ':00.000Z',
    count(*),
    total(mode = 'active'),
    sum(is_anomaly),
    total(round(efficiency_score * 10)) / 10,
    min(efficiency_score),
    total(hundredths(temperature)) FILTER (WHERE mode = 'active') / 100,
    max(temperature) FILTER (WHERE mode = 'active'),
    total(hundredths(vibration)) FILTER (WHERE mode = 'active') / 100,
    max(vibration) FILTER (WHERE mode = 'active')
FROM manufacturing_analytics
WHERE typeof(machine_id) = 'integer' AND timestamp GLOB '????-??-??T??:??:*' AND typeof(temperature) = 'real'
    AND typeof(vibration) = 'real' AND typeof(efficiency_score) = 'real' AND typeof(is_anomaly) = 'integer'
GROUP BY 1, 2;

-- The open minutes begin empty: what was read of them is in machine_minutes.
ALTER TABLE machines ADD COLUMN minute_readings INTEGER NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN minute_active_readings INTEGER NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN minute_anomalies INTEGER NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN minute_efficiency_sum REAL NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN minute_efficiency_min REAL NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN minute_temperature_sum REAL NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN minute_temperature_max REAL;
ALTER TABLE machines ADD COLUMN minute_vibration_sum REAL NOT NULL DEFAULT 0;
ALTER TABLE machines ADD COLUMN minute_vibration_max REAL;
"""


def hundredths(value: float) -> int:
    """Return a temperature or vibration as it counts in a sum; see `machines.minutes`."""
    return round(min(value, MOST_SUMMED) * 100)
