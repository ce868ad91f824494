"""The job with real Spark: it tells the same of the same lines as the consumer with SQLite."""

import gzip
import json
from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Any

from consumers.spark.job import Job, remove_other_tries
from consumers.spark.report import answers, as_text, make_views
from consumers.spark.segments import find_segments
from tests.consumers.spark.support import FIELD_SETTINGS, HALF_A_LINE, counted_batches, make_plants, rows_of
from tests.support import CONSUMER, line, query, run
from utils.efficiency import Limits
from utils.fields import Fields

FIELDS = Fields(**{name.lower(): value for name, value in FIELD_SETTINGS.items()})
VALUES = (
    "timestamp",
    "mode",
    "temperature",
    "vibration",
    "efficiency_score",
    "efficiency_level",
    "is_anomaly",
)
REJECTED = ("offset_bytes", "line", "reason")
MINUTE = ("minute", "readings", "active_readings", "anomalies", "efficiency_sum", "efficiency_min")
OF_ACTIVE = ("temperature_sum", "temperature_max", "vibration_sum", "vibration_max")
# A machine as Spark knows it: by its number, or by its name.
MACHINE = "CASE WHEN name IS NULL THEN machine_id END, name"
MINUTES = f"""
SELECT {MACHINE}, minute, sum(readings), sum(active), sum(anomalies), sum(efficiency), min(least),
    sum(temperature), max(hottest), sum(vibration), max(strongest)
FROM (
    SELECT machine_id, minute, readings, active_readings AS active, anomalies, efficiency_sum AS efficiency,
        efficiency_min AS least, temperature_sum AS temperature, temperature_max AS hottest,
        vibration_sum AS vibration, vibration_max AS strongest
    FROM machine_minutes
    UNION ALL
    SELECT machine_id, substr(timestamp, 1, 16) || ':00.000Z', minute_readings, minute_active_readings,
        minute_anomalies, minute_efficiency_sum, minute_efficiency_min, minute_temperature_sum,
        minute_temperature_max, minute_vibration_sum, minute_vibration_max
    FROM machines WHERE minute_readings > 0
) JOIN (SELECT machine_id, name FROM machines) USING (machine_id) GROUP BY machine_id, minute
"""


def read_once(spark: Any, folder: Path) -> None:
    """Read what is there, three segments a batch."""
    job = Job(spark, folder / "out", Limits(), FIELDS)
    job.catalog().add(find_segments(folder / "plants" / "*" / "live.json", 0, 1e12).segments)
    job.start(3, is_once=True).awaitTermination()


class SqliteTells:
    """Rows, rejected lines and minutes of the consumer with SQLite: each plant's segments, read as one file."""

    def __init__(self, folder: Path, segments: list[Path]) -> None:
        self.rows: Counter[Any] = Counter()
        self.rejected: Counter[Any] = Counter()
        self.minutes: set[Any] = set()
        for plant in {segment.parent.name for segment in segments}:
            self._add(folder, plant, [segment for segment in segments if segment.parent.name == plant])

    def _add(self, folder: Path, plant: str, segments: list[Path]) -> None:
        feed_file, database = folder / f"{plant}.json", folder / f"{plant}.sqlite"
        texts = [_content(segment).removesuffix(HALF_A_LINE) for segment in segments]
        begins = list(accumulate(map(len, texts), initial=0))
        feed_file.write_bytes(b"".join(texts))
        flags = ("--once", "--headless", "--file", feed_file, "--db", database)
        status, said = run(CONSUMER, *flags, cwd=folder, **FIELD_SETTINGS)
        assert status == 0, said
        table = "manufacturing_analytics AS rows JOIN machines USING (machine_id)"
        columns = ", ".join(f"rows.{name}" for name in VALUES)
        self.rows.update((plant, *row) for row in query(database, f"SELECT {MACHINE}, {columns} FROM {table}"))
        for offset, *said_of_it in query(database, f"SELECT {', '.join(REJECTED)} FROM rejected_messages"):
            number = bisect_right(begins, offset) - 1
            segment = str(segments[number]).removesuffix(".gz")
            self.rejected[(segment, offset - begins[number], *said_of_it)] += 1
        self.minutes.update((plant, *_in_whole_hundredths(*minute)) for minute in query(database, MINUTES))


def _content(segment: Path) -> bytes:
    return gzip.decompress(segment.read_bytes()) if segment.suffix == ".gz" else segment.read_bytes()


def _in_whole_hundredths(*minute: Any) -> tuple[Any, ...]:
    """A minute whose sums, each of two parts that are exact, are exact again."""
    return tuple(round(value, 2) if isinstance(value, float) else value for value in minute)


def table(spark: Any, name: str, *columns: str) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in spark.table(name).select(*columns).collect())


def test_rows_rejected_lines_and_minutes_are_those_of_the_consumer_with_sqlite(spark: Any, tmp_path: Path) -> None:
    segments = make_plants(tmp_path)
    read_once(spark, tmp_path)
    told = SqliteTells(tmp_path, segments)
    output = tmp_path / "out"
    assert len(counted_batches(output)) == 2
    assert {name for _, _, name, *_ in told.rows} == {None, "PUMP-07", "Öfen 3", "#1"}
    assert rows_of(output, "readings", "plant", "machine_id", "name", *VALUES) == told.rows
    assert rows_of(output, "rejected_messages", "segment", *REJECTED) == told.rejected
    make_views(spark, output)
    assert table(spark, "readings", "plant", "machine_id", "name", *VALUES) == told.rows
    minutes = table(spark, "machine_minutes", "plant", "machine_id", "name", *MINUTE, *OF_ACTIVE)
    assert {_in_whole_hundredths(*minute) for minute in minutes} == told.minutes
    assert minutes.total() == len(told.minutes) > 50


def test_what_comes_later_is_added_and_a_segment_that_is_packed_later_is_nothing_new(
    spark: Any, tmp_path: Path
) -> None:
    plain, packed, *_ = make_plants(tmp_path, 20)
    read_once(spark, tmp_path)
    before = rows_of(tmp_path / "out", "readings", "machine_id").total()
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    packed.with_name("live.json-20261124").write_bytes(line(3).encode())
    read_once(spark, tmp_path)
    assert rows_of(tmp_path / "out", "readings", "machine_id").total() == before + 1
    make_views(spark, tmp_path / "out")
    told = {title: as_text(title, columns, rows) for title, columns, rows in answers(spark)}
    assert told["The account of lines"].count("True") == 2
    assert "False" not in told["The account of lines"]
    assert "Öfen 3" in told["Machines by anomalies"]
    assert "#2000001" in told["Machines by anomalies"]
    assert "active" in told["Efficiency by mode"]


def test_what_other_tries_of_a_batch_left_is_removed_once_it_counts(tmp_path: Path) -> None:
    marker = tmp_path / "batches" / "000000007.json"
    marker.parent.mkdir()
    marker.write_text(json.dumps({"batch": "000000007-aa"}))
    for batch in ("000000007-aa", "000000007-bb", "000000008-cc"):
        (tmp_path / "readings" / f"batch={batch}" / "plant=north").mkdir(parents=True)
    (tmp_path / "minutes" / "batch=000000007-dd").mkdir(parents=True)
    remove_other_tries(tmp_path, marker)
    left = {path.name for path in (tmp_path / "readings").iterdir()}
    assert left == {"batch=000000007-aa", "batch=000000008-cc"}
    assert not list((tmp_path / "minutes").iterdir())
