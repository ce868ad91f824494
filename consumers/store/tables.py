"""The tables, each declared once: a row's record gives its columns, the statements, and the reading back.

To add a column: add a field to the record, at its end, and a step to the schema that adds the column.
"""

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from consumers.records import (
    Commit,
    Episode,
    Event,
    Excess,
    Machine,
    MachineTrend,
    Mark,
    Minute,
    RatedReading,
    Stream,
    Timestamp,
)
from utils.message import MessageError, utc_timestamp
from utils.text import printable

_COLUMN_BY_FIELD: Final = {"temperature_c": "temperature", "vibration_mm_s": "vibration"}
"""The columns that the specification names without their units."""
_MARK: Final = struct.Struct(">Q16s")
_SHOWN_CHARACTERS: Final = 80
_LARGEST: Final = 2**62
"""No count of a plant comes near it, and adding to it stays within what SQLite keeps."""

Record = TypeVar("Record", bound=tuple[Any, ...])


class RowError(ValueError):
    """A row that this program did not write so; the message names the table, the column and the value."""


class Table(Generic[Record]):
    """A table whose rows are records: named tuples. If one begins with another, that one's columns come first."""

    def __init__(self, name: str, record: type[Record]) -> None:
        self.name = name
        hints = get_type_hints(record, include_extras=True)
        first = next(iter(hints.values()))
        self._record: Any = record
        self._leading: Any = first if hasattr(first, "_fields") else None
        if self._leading is not None:
            hints = get_type_hints(first, include_extras=True) | dict(list(hints.items())[1:])
        self.columns = tuple(_COLUMN_BY_FIELD.get(field, field) for field in hints)
        self._checks = tuple(map(_check_of, hints.values()))

    @property
    def insert(self) -> str:
        """The statement that inserts a row of `values`."""
        return self.insert_many(1)

    def insert_many(self, rows: int) -> str:
        """Return the statement that inserts so many rows, given the `values` of one after the other."""
        places = ", ".join("?" * len(self.columns))
        listed = ", ".join([f"({places})"] * rows)
        return f"INSERT INTO {self.name} ({self._listed}) VALUES {listed}"  # noqa: S608 - names of our own

    @property
    def replace(self) -> str:
        """The same, in place of the row with the same key."""
        return self.insert.replace("INSERT", "REPLACE", 1)

    @property
    def select(self) -> str:
        """The statement that reads rows for `record`; clauses may follow."""
        return f"SELECT {self._listed} FROM {self.name}"  # noqa: S608 - as above

    def values(self, record: Record) -> Sequence[Any]:
        """Return what the row of a record holds, in the order of `columns`."""
        return record if self._leading is None else (*record[0], *record[1:])

    def record(self, row: Sequence[Any]) -> Record:
        """Return the record that a selected row was made of. Raises RowError if someone changed its values."""
        for column, check, value in zip(self.columns, self._checks, row, strict=True):
            if not check(value):
                shown = repr(value)[:_SHOWN_CHARACTERS]
                raise RowError(f"{self.name}.{column} is {shown} in the row that begins with {row[0]!r:.20}")
        if self._leading is None:
            made: Record = self._record(*row)
        else:
            width = len(self._leading._fields)
            made = self._record(self._leading(*row[:width]), *row[width:])
        return made

    @property
    def _listed(self) -> str:
        return ", ".join(self.columns)


class RejectedMessage(NamedTuple):
    """A row of `rejected_messages`."""

    source_file_id: int
    offset_bytes: int
    line: str
    reason: str
    rejected_at: Timestamp


class SourceFile(NamedTuple):
    """A row of `source_files`: a stream, and the account of its lines."""

    id: int
    path: str
    why_new: str
    begin_bytes: int
    read_bytes: int
    head: bytes
    marks: bytes
    read_lines: int
    stored_lines: int
    rejected_lines: int
    blank_lines: int
    expired_lines: int
    first_read_at: Timestamp
    last_read_at: Timestamp

    def stream(self) -> Stream:
        """Return the stream, without its account. Raises RowError if someone changed its marks."""
        try:
            marks = unpacked_marks(self.marks)
        except struct.error:
            raise RowError(f"source_files.marks has {len(self.marks)} bytes in the row with id {self.id}") from None
        last = marks[-1].offset if marks else 0
        if last != self.read_bytes or any(mark.offset > last for mark in marks):
            raise RowError(f"source_files.marks do not lead to read_bytes in the row with id {self.id}")
        path, why_new = printable(self.path), printable(self.why_new)
        return Stream(self.id, path, why_new, self.begin_bytes, self.read_bytes, self.head, marks)


def source_file_of(commit: Commit) -> SourceFile:
    """Return the row of a stream that begins with this commit; its counts are what the commit adds."""
    after, batch = commit.after, commit.batch
    return SourceFile(
        id=after.stream_id,
        path=after.path,
        why_new=after.why_new,
        begin_bytes=after.begin,
        read_bytes=after.offset,
        head=after.head,
        marks=packed_marks(after.marks),
        read_lines=batch.lines,
        stored_lines=len(batch.rows),
        rejected_lines=batch.rejected_lines,
        blank_lines=batch.blank_lines,
        expired_lines=0,
        first_read_at=commit.at,
        last_read_at=commit.at,
    )


class Retained(NamedTuple):
    """The one row of `retention`: what is kept in mind of the rows that are gone."""

    expired_rows: int
    plant_at: Timestamp | None
    deleted_rows: int
    """Deleted by hand."""


class ViewSettings(NamedTuple):
    """The one row of `view_settings`: what the views need to know of the settings."""

    temperature_safe_max_c: float = 90.0
    vibration_safe_max_mm_s: float = 4.5
    stale_after_s: float = 60.0


def packed_marks(marks: Iterable[Mark]) -> bytes:
    """Return marks as the bytes that `source_files` keeps, 24 for each."""
    return b"".join(_MARK.pack(*mark) for mark in marks)


def unpacked_marks(packed: bytes) -> tuple[Mark, ...]:
    """Return the marks that were packed. Raises struct.error if the bytes are no marks."""
    return tuple(Mark(*values) for values in _MARK.iter_unpack(packed))


def _check_of(hint: Any) -> Callable[[Any], bool]:
    """Return the check that a value from the database is of a field's type."""
    if hint in _CHECKS:
        return _CHECKS[hint]
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint)).__contains__
    return lambda value: type(value) is hint


def _is_whole_number(value: object) -> bool:
    return type(value) is int and -_LARGEST < value < _LARGEST


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_timestamp(value: object) -> bool:
    try:
        return utc_timestamp(value) == value
    except MessageError:
        return False


_CHECKS: Final[dict[Any, Callable[[object], bool]]] = {
    int: _is_whole_number,
    int | None: lambda value: value is None or _is_whole_number(value),
    float: _is_number,
    float | None: lambda value: value is None or _is_number(value),
    str | None: lambda value: value is None or type(value) is str,
    Timestamp: _is_timestamp,
    Timestamp | None: lambda value: value is None or _is_timestamp(value),
}

READINGS: Final = Table("manufacturing_analytics", RatedReading)
REJECTED: Final = Table("rejected_messages", RejectedMessage)
MACHINES: Final = Table("machines", Machine)
SOURCES: Final = Table("source_files", SourceFile)
RETENTION: Final = Table("retention", Retained)
MINUTES: Final = Table("machine_minutes", Minute)
TRENDS: Final = Table("machine_trends", MachineTrend)
EPISODES: Final = Table("anomaly_episodes", Episode)
EXCESSES: Final = Table("excesses", Excess)
ALERTS: Final = Table("alerts", Event)
VIEW_SETTINGS: Final = Table("view_settings", ViewSettings)
