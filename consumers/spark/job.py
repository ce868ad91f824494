"""The streaming job: Spark reads the catalog, the workers judge the segments, each batch becomes Parquet files.

A batch counts once its file lies in `batches/`. Until then nothing that it wrote is read; a batch that is tried again
writes into another folder, so that nothing that an earlier try left can be counted twice. What other tries of a batch
left is removed once it counts.
"""

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from consumers.records import MOST_SUMMED
from consumers.spark.judging import Judge
from consumers.spark.segments import Catalog
from consumers.spark.tables import ACCOUNTS, JUDGED, MINUTES, READINGS, REJECTED, ParquetTable, ddl
from utils.efficiency import Limits
from utils.fields import OWN_FIELDS, Fields
from utils.message import timestamp_at

CATALOG: Final = "_catalog"
CHECKPOINT: Final = "_checkpoint"
BATCHES: Final = "batches"

_HUNDREDTHS: Final = f"CAST(rint(least({{}}, {MOST_SUMMED}D) * 100) AS bigint)"
# Sums as `machine_minutes` has them: of whole tenths and whole hundredths, exact in any order of adding.
MINUTES_OF_READINGS: Final = f"""
SELECT plant, date, machine_id, name, concat(substr(timestamp, 1, 16), ':00.000Z') AS minute,
    count(*) AS readings, count_if(mode = 'active') AS active_readings, sum(is_anomaly) AS anomalies,
    sum(CAST(rint(efficiency_score * 10) AS bigint)) / 10D AS efficiency_sum, min(efficiency_score) AS efficiency_min,
    coalesce(sum(CASE WHEN mode = 'active' THEN {_HUNDREDTHS.format("temperature")} END), 0) / 100D
        AS temperature_sum,
    max(CASE WHEN mode = 'active' THEN temperature END) AS temperature_max,
    coalesce(sum(CASE WHEN mode = 'active' THEN {_HUNDREDTHS.format("vibration")} END), 0) / 100D
        AS vibration_sum,
    max(CASE WHEN mode = 'active' THEN vibration END) AS vibration_max
FROM {{readings}} GROUP BY ALL
"""  # noqa: S608 - numbers of our own


class Job:
    """Reads segments into the folder `output`, on a Spark session; `clock` returns seconds since 1970."""

    def __init__(
        self,
        spark: Any,
        output: Path,
        limits: Limits,
        fields: Fields = OWN_FIELDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spark = spark
        self._output = output
        self._limits = limits
        self._fields = fields
        self._clock = clock

    def catalog(self) -> Catalog:
        """Open the list of segments. Raises OSError."""
        return Catalog.open(self._output / CATALOG)

    def start(self, segments_per_batch: int, *, is_once: bool) -> Any:
        """Start the streaming query: until all of the catalog is read, or for ever."""
        catalog = (
            self._spark.readStream.schema("plant string, path string")
            .option("maxFilesPerTrigger", segments_per_batch)
            .option("maxFileAge", "36500d")  # an old file is not forgotten, however long nothing came
            .json(str(self._output / CATALOG))
        )
        writer = catalog.writeStream.option("checkpointLocation", str(self._output / CHECKPOINT))
        writer = writer.trigger(availableNow=True) if is_once else writer.trigger(processingTime="1 second")
        return writer.foreachBatch(self._save).start()

    def _save(self, segments: Any, batch_id: int) -> None:
        """Save what becomes of a batch of segments, unless it is saved already."""
        marker = self._output / BATCHES / f"{batch_id:09}.json"
        if not marker.exists():
            batch = f"{batch_id:09}-{uuid.uuid4().hex[:8]}"
            self._write_all(segments, batch)
            _commit(marker, batch)
        remove_other_tries(self._output, marker)

    def _write_all(self, segments: Any, batch: str) -> None:
        judge = Judge(self._limits, timestamp_at(self._clock()), self._fields)
        judged = segments.mapInArrow(judge, ddl(JUDGED.columns)).persist()
        try:
            for table in (READINGS, REJECTED, ACCOUNTS):
                self._write(table, judged.where(table.is_in), batch)
            self._write(MINUTES, _minutes(judged), batch)
        finally:
            judged.unpersist()

    def _write(self, table: ParquetTable, rows: Any, batch: str) -> None:
        folder = self._output / table.name / f"batch={batch}"
        rows.select(*table.written).write.partitionBy(*table.partitions).parquet(str(folder))


def _minutes(judged: Any) -> Any:
    """Return what the readings of a batch add to the minutes. A batch has a session of its own."""
    return judged.sparkSession.sql(MINUTES_OF_READINGS, readings=judged.where(READINGS.is_in))


def _commit(marker: Path, batch: str) -> None:
    """Let a batch count, whole or not at all, unless another try of it counts by now."""
    marker.parent.mkdir(parents=True, exist_ok=True)
    unfinished = marker.with_name(f".{batch}")
    with unfinished.open("w", encoding="ascii") as file:
        file.write(json.dumps({"batch": batch}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        marker.hardlink_to(unfinished)  # a rename would replace what another job on this folder has written
    except FileExistsError:
        pass
    except OSError:  # a disk without links
        unfinished.replace(marker)
        return
    unfinished.unlink()


def remove_other_tries(output: Path, marker: Path) -> None:
    """Remove what tries of a batch left that were not finished, such as those of a job that was killed."""
    counted = f"batch={json.loads(marker.read_text(encoding='ascii'))['batch']}"
    for table in (READINGS, REJECTED, ACCOUNTS, MINUTES):
        for folder in (output / table.name).glob(f"batch={marker.stem}-*"):
            if folder.name != counted:
                shutil.rmtree(folder, ignore_errors=True)
