"""The step of the schema that brings what each machine did by the minute, also of the readings stored before."""

from typing import Final

_MOST_SUMMED: Final = 1e6

HISTORY: Final = """
-- The same for people, with means. It is a union of two joins, as a condition on machine and minute then reaches the
-- primary key; it would not reach through a sum of both parts.
CREATE VIEW machine_history AS
WITH open AS (
    SELECT *, substr(timestamp, 1, 16) || ':00.000Z' AS minute FROM machines WHERE minute_readings > 0
), minutes AS (
    SELECT
        closed.machine_id,
        closed.minute,
        closed.readings + coalesce(minute_readings, 0) AS readings,
        closed.active_readings + coalesce(minute_active_readings, 0) AS active_readings,
        closed.anomalies + coalesce(minute_anomalies, 0) AS anomalies,
        efficiency_sum + coalesce(minute_efficiency_sum, 0) AS efficiency_sum,
        min(efficiency_min, coalesce(minute_efficiency_min, efficiency_min)) AS efficiency_min,
        temperature_sum + coalesce(minute_temperature_sum, 0) AS temperature_sum,
        max(coalesce(temperature_max, minute_temperature_max), coalesce(minute_temperature_max, temperature_max))
            AS temperature_max,
        vibration_sum + coalesce(minute_vibration_sum, 0) AS vibration_sum,
        max(coalesce(vibration_max, minute_vibration_max), coalesce(minute_vibration_max, vibration_max))
            AS vibration_max
    FROM machine_minutes AS closed
    LEFT JOIN machines ON machines.machine_id = closed.machine_id AND minute_readings > 0
        AND substr(timestamp, 1, 16) = substr(closed.minute, 1, 16)
    UNION ALL
    SELECT
        machine_id, minute, minute_readings, minute_active_readings, minute_anomalies, minute_efficiency_sum,
        minute_efficiency_min, minute_temperature_sum, minute_temperature_max, minute_vibration_sum,
        minute_vibration_max
    FROM open
    WHERE NOT EXISTS (
        SELECT 1 FROM machine_minutes AS closed
        WHERE closed.machine_id = open.machine_id AND closed.minute = open.minute
    )
)
SELECT
    machine_id,
    {name}minute,
    readings,
    active_readings,
    anomalies,
    round(efficiency_sum / readings, 1) AS mean_efficiency,
    efficiency_min AS least_efficiency,
    round(temperature_sum / nullif(active_readings, 0), 2) AS mean_temperature,
    temperature_max AS peak_temperature,
    round(vibration_sum / nullif(active_readings, 0), 2) AS mean_vibration,
    vibration_max AS peak_vibration
FROM minutes;
"""
"""The view, but for the column `name`."""

STEP_MINUTES: Final = f"""
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
{HISTORY.format(name="")}
"""  # noqa: S608 - words of our own


def hundredths(value: float) -> int:
    """Return a temperature or vibration as it counts in a sum; see `machines.minutes`."""
    return round(min(value, _MOST_SUMMED) * 100)
