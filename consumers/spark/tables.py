"""The Parquet tables: their columns as Spark writes types, and the Arrow schema that the workers return."""

from typing import Any, Final, NamedTuple, Self

from consumers.records import Batch


class Account(NamedTuple):
    """What became of every line of a segment."""

    read_bytes: int
    unread_bytes: int
    """Half a line at its end."""
    read_lines: int
    stored_lines: int
    rejected_lines: int
    blank_lines: int

    def with_batch(self, batch: Batch, end: int) -> Self:
        """Return the account with more lines, the last of which ends at `end`."""
        return self._replace(
            read_bytes=end,
            read_lines=self.read_lines + batch.lines,
            stored_lines=self.stored_lines + len(batch.rows),
            rejected_lines=self.rejected_lines + batch.rejected_lines,
            blank_lines=self.blank_lines + batch.blank_lines,
        )


# A machine has a number or a name; the other one of the two is null.
_MACHINE: Final = {"machine_id": "bigint", "name": "string"}
_READING: Final = {
    **_MACHINE,
    "timestamp": "string",
    "mode": "string",
    "temperature": "double",
    "vibration": "double",
    "efficiency_score": "double",
    "efficiency_level": "string",
    "is_anomaly": "int",
    "processed_at": "string",
    "date": "string",
}
_REJECTED: Final = {"offset_bytes": "bigint", "line": "string", "reason": "string"}
_ACCOUNT: Final = dict.fromkeys(Account._fields, "bigint")
_SEGMENT: Final = {"plant": "string", "segment": "string"}
_WRITTEN: Final = {"batch": "string"}
_MINUTE: Final = {
    **_MACHINE,
    "minute": "string",
    "readings": "bigint",
    "active_readings": "bigint",
    "anomalies": "bigint",
    "efficiency_sum": "double",
    "efficiency_min": "double",
    "temperature_sum": "double",
    "temperature_max": "double",
    "vibration_sum": "double",
    "vibration_max": "double",
}


def ddl(columns: dict[str, str]) -> str:
    """Return columns as Spark writes a schema."""
    return ", ".join(f"`{name}` {kind}" for name, kind in columns.items())


class Judged:
    """What the workers return: each row is a reading, a rejected line or an account; the other columns are null."""

    columns: Final = _SEGMENT | _READING | _REJECTED | _ACCOUNT
    widths: Final = len(_READING), len(_REJECTED), len(_ACCOUNT)

    @staticmethod
    def arrow_schema() -> Any:
        """Return the schema of the Arrow batches."""
        import pyarrow as pa  # noqa: PLC0415 - only where Spark is

        types = {
            "bigint": pa.int64(), "int": pa.int32(), "double": pa.float64(), "string": pa.string()
        }  # fmt: skip
        return pa.schema([(name, types[kind]) for name, kind in Judged.columns.items()])


JUDGED: Final = Judged


class ParquetTable(NamedTuple):
    """A table of the output folder: the folder of its name, below it a folder for each batch."""

    name: str
    columns: dict[str, str]
    """As they are read: with those that are folders."""
    partitions: tuple[str, ...]
    """Columns that are folders below a batch's."""
    is_in: str
    """Which rows of a judged batch are of this table."""

    @property
    def written(self) -> tuple[str, ...]:
        """The columns that a batch has."""
        return tuple(name for name in self.columns if name != "batch")


READINGS: Final = ParquetTable("readings", _SEGMENT | _READING | _WRITTEN, ("plant", "date"), "timestamp IS NOT NULL")
REJECTED: Final = ParquetTable("rejected_messages", _SEGMENT | _REJECTED | _WRITTEN, ("plant",), "reason IS NOT NULL")
ACCOUNTS: Final = ParquetTable("segments", _SEGMENT | _ACCOUNT | _WRITTEN, (), "read_lines IS NOT NULL")
MINUTES: Final = ParquetTable(
    "minutes", {"plant": "string", "date": "string"} | _MINUTE | _WRITTEN, ("plant", "date"), ""
)
