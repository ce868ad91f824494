"""What is known of the machines' minutes, and what the rows come to: both by plain SQL."""

from pathlib import Path
from typing import Any

from tests.support import query

KNOWN = """
SELECT
    machine_id, minute, sum(readings), sum(active_readings), sum(anomalies),
    sum(round(efficiency_sum * 10)) / 10, min(efficiency_min),
    sum(round(temperature_sum * 100)) / 100, max(temperature_max),
    sum(round(vibration_sum * 100)) / 100, max(vibration_max)
FROM (
    SELECT * FROM machine_minutes
    UNION ALL
    SELECT
        machine_id, substr(timestamp, 1, 16) || ':00.000Z', minute_readings, minute_active_readings, minute_anomalies,
        minute_efficiency_sum, minute_efficiency_min, minute_temperature_sum, minute_temperature_max,
        minute_vibration_sum, minute_vibration_max
    FROM machines WHERE minute_readings > 0
)
GROUP BY 1, 2 ORDER BY 1, 2
"""


def _hundredths(column: str) -> str:
    """A value in whole hundredths: of two that are equally near, the even one."""
    exact = f"(min({column}, 1e6) * 100)"
    is_odd_half = f"(abs({exact} - round({exact})) = 0.5 AND round({exact}) % 2 <> 0)"
    return f"(round({exact}) - {is_odd_half} * CASE WHEN {column} < 0 THEN -1 ELSE 1 END)"


SCANNED = f"""
SELECT
    machine_id,
    substr(timestamp, 1, 16) || ':00.000Z' AS minute,
    count(*) AS readings,
    sum(mode = 'active') AS active_readings,
    sum(is_anomaly) AS anomalies,
    sum(round(efficiency_score * 10)) / 10 AS efficiency_sum,
    min(efficiency_score) AS efficiency_min,
    total({_hundredths("temperature")}) FILTER (WHERE mode = 'active') / 100 AS temperature_sum,
    max(temperature) FILTER (WHERE mode = 'active') AS temperature_max,
    total({_hundredths("vibration")}) FILTER (WHERE mode = 'active') / 100 AS vibration_sum,
    max(vibration) FILTER (WHERE mode = 'active') AS vibration_max
FROM manufacturing_analytics GROUP BY 1, 2 ORDER BY 1, 2
"""


def known_minutes(database: Path) -> list[tuple[Any, ...]]:
    """Every minute of every machine, closed or open, in the columns of `machine_minutes`."""
    return query(database, KNOWN)


def minutes_of_rows(database: Path) -> list[tuple[Any, ...]]:
    """The same, worked out anew from the rows."""
    return query(database, SCANNED)
