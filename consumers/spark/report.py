"""What the views of the SQLite database answer, over the Parquet files by Spark SQL."""

from pathlib import Path
from typing import Any, Final

from consumers.spark.job import BATCHES
from consumers.spark.tables import ACCOUNTS, MINUTES, READINGS, REJECTED, ddl
from utils.text import printable

_MINUTES_MERGED: Final = """
SELECT plant, machine_id, name, minute, sum(readings) AS readings, sum(active_readings) AS active_readings,
    sum(anomalies) AS anomalies, sum(CAST(rint(efficiency_sum * 10) AS bigint)) / 10D AS efficiency_sum,
    min(efficiency_min) AS efficiency_min,
    sum(CAST(rint(temperature_sum * 100) AS bigint)) / 100D AS temperature_sum,
    max(temperature_max) AS temperature_max,
    sum(CAST(rint(vibration_sum * 100) AS bigint)) / 100D AS vibration_sum, max(vibration_max) AS vibration_max
FROM minutes GROUP BY plant, machine_id, name, minute
"""
_EFFICIENCY: Final = """
SELECT plant, mode, count(*) AS readings,
    round(sum(CAST(rint(efficiency_score * 10) AS bigint)) / 10D / count(*), 2) AS mean_efficiency
FROM readings GROUP BY plant, mode ORDER BY plant, mode
"""
_ANOMALIES: Final = """
SELECT plant, coalesce(name, concat('#', machine_id)) AS machine, count(*) AS readings, sum(is_anomaly) AS anomalies,
    round(100D * sum(is_anomaly) / count(*), 1) AS anomaly_percent, max(timestamp) AS latest
FROM readings GROUP BY plant, machine_id, name ORDER BY anomalies DESC, plant, machine_id, name LIMIT 10
"""
_ACCOUNT: Final = """
WITH told AS (
    SELECT plant, count(*) AS segments, sum(read_lines) AS read_lines, sum(stored_lines) AS stored_lines,
        sum(rejected_lines) AS rejected_lines, sum(blank_lines) AS blank_lines, sum(unread_bytes) AS unread_bytes
    FROM segments GROUP BY plant
), kept AS (SELECT plant, count(*) AS row_count FROM readings GROUP BY plant),
refused AS (SELECT plant, count(*) AS message_count FROM rejected_messages GROUP BY plant)
SELECT told.*, read_lines = stored_lines + rejected_lines + blank_lines AND stored_lines = coalesce(row_count, 0)
    AND rejected_lines = coalesce(message_count, 0) AS balances
FROM told LEFT JOIN kept USING (plant) LEFT JOIN refused USING (plant) ORDER BY plant
"""
QUESTIONS: Final = {
    "Efficiency by mode": _EFFICIENCY,
    "Machines by anomalies": _ANOMALIES,
    "The account of lines": _ACCOUNT,
}


def make_views(spark: Any, output: Path) -> None:
    """Make a view of each table, of the batches that count, and `machine_minutes` of their minutes."""
    spark.read.schema("batch string").json(str(output / BATCHES)).createOrReplaceTempView("batches")
    for table in (READINGS, REJECTED, ACCOUNTS, MINUTES):
        rows = spark.read.schema(ddl(table.columns)).parquet(str(output / table.name))
        rows.join(spark.table("batches"), "batch", "left_semi").createOrReplaceTempView(table.name)
    spark.sql(_MINUTES_MERGED).createOrReplaceTempView("machine_minutes")


def answers(spark: Any) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return a title, the columns and the rows of each question, printable."""
    found = []
    for title, question in QUESTIONS.items():
        rows = spark.sql(question)
        found.append(
            (title, list(rows.columns), [[printable(str(value)) for value in row] for row in rows.collect()])
        )
    return found


def as_text(title: str, columns: list[str], rows: list[list[str]]) -> str:
    """Return an answer as lines, its columns one below the other."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [
        "  ".join(word.rjust(width) for word, width in zip(row, widths, strict=True)) for row in (columns, *rows)
    ]
    return "\n".join((title, *lines))
