"""What a worker does: the bytes of whole segments become rows, rejected lines and an account, as Arrow batches.

It reads, judges and words exactly as the consumer of a single machine does, with that one's modules. pyarrow is only
imported where a worker needs it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

from consumers.follow.open_file import OpenFile, open_candidate
from consumers.follow.reader import CHUNK_BYTES
from consumers.ingest import ingest, reject_oversized
from consumers.rating import rate_by
from consumers.records import Batch, RatedReading, Row
from consumers.spark.segments import file_of
from consumers.spark.tables import JUDGED, Account
from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.fields import OWN_FIELDS, Fields
from utils.text import shown


class SegmentError(PipelineError):
    """A segment that cannot be read to its end."""


class Judge:
    """Makes Arrow batches of segments: what `mapInArrow` is given. It is sent to the workers as it is.

    `at` is when the lines are processed.
    """

    def __init__(self, limits: Limits, at: str, fields: Fields = OWN_FIELDS) -> None:
        self._limits = limits
        self._at = at
        self._fields = fields

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Judge every line of the segments, which are rows of plant and path. Raises SegmentError."""
        for batch in batches:
            for plant, path in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield from self._judged(plant, path)

    def _judged(self, plant: str, path: str) -> Iterator[Any]:
        account = Account(0, 0, 0, 0, 0, 0)
        try:
            with closing(open_candidate(file_of(path))) as file:
                for piece in pieces(file):
                    names = Names()
                    batch = self._batch(piece, names)
                    account = account.with_batch(batch, piece.end)
                    yield _arrow(plant, path, batch, names)
                account = account._replace(unread_bytes=rest_bytes(file, account.read_bytes))
                is_torn = file.is_torn
        except OSError as error:
            raise SegmentError(
                f"cannot read the segment {shown(path)}: {error.strerror or error}; {_ADVICE}"
            ) from error
        if is_torn:
            raise SegmentError(f"the segment {shown(path)} is packed, and torn or damaged; {_ADVICE}")
        yield _arrow(plant, path, _NOTHING, Names(), account)

    def _batch(self, piece: "Piece", names: "Names") -> Batch:
        if piece.is_oversized:
            return reject_oversized(piece.data, piece.begin, piece.end - piece.begin)
        row_of = rate_by(self._fields, names.identify)
        return ingest(piece.data, piece.begin, self._at, self._limits, keep_rejected=CHUNK_BYTES, row_of=row_of)


_ADVICE: Final = "restore it, or put an empty file in its place if it is lost, and start again"
_NOTHING: Final = Batch([], [], 0, 0, 0)


class Names:
    """The names of machines in one piece of a file, each with a number below 0 that stands for it in the rows.

    The consumer of a single machine numbers names as they first appear. Workers cannot agree on such numbers: here
    the name itself is kept, beside a machine_id that is null.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def identify(self, machine: int | str) -> int:
        """Return what stands for a machine in the rows: its number, or one below 0 if it has a name."""
        return self._numbers.setdefault(machine, -1 - len(self._numbers)) if isinstance(machine, str) else machine

    def columns(self, machine_ids: Sequence[int]) -> tuple[list[int | None], list[str | None]]:
        """Return the machines' numbers and their names: of each machine one of the two is None."""
        names = {number: name for name, number in self._numbers.items()}
        return [None if number < 0 else number for number in machine_ids], [*map(names.get, machine_ids)]


class Piece(NamedTuple):
    """Whole lines of a file; or one line that is too long to be read, and then `data` is its start."""

    begin: int
    end: int
    data: bytes
    is_oversized: bool = False


def pieces(file: OpenFile) -> Iterator[Piece]:
    """Cut a file at ends of lines; half a line at its end is no line. Raises OSError."""
    begin = 0
    while data := file.read_at(begin, CHUNK_BYTES):
        end = data.rfind(b"\n") + 1
        if end:
            piece = Piece(begin, begin + end, data[:end])
        elif len(data) == CHUNK_BYTES and (line_end := _end_of_line(file, begin + len(data))):
            piece = Piece(begin, line_end, data, is_oversized=True)
        else:
            return
        yield piece
        begin = piece.end


def _end_of_line(file: OpenFile, position: int) -> int:
    """Return where the line that goes on at a position ends; 0 if it does not."""
    while block := file.read_at(position, CHUNK_BYTES):
        if end := block.find(b"\n") + 1:
            return position + end
        position += len(block)
    return 0


def rest_bytes(file: OpenFile, position: int) -> int:
    """Return how many bytes lie behind a position: half a line."""
    begin = position
    while block := file.read_at(position, CHUNK_BYTES):
        position += len(block)
    return position - begin


def _arrow(plant: str, path: str, batch: Batch, names: Names, account: Account | None = None) -> Any:
    """Return an Arrow batch of rows, rejected lines and perhaps an account; what a row has not is null."""
    import pyarrow as pa  # noqa: PLC0415 - only where Spark is

    parts = (
        _reading_columns(batch.rows, names),
        _columns(batch.rejected, JUDGED.widths[1]),
        _columns([] if account is None else [account], JUDGED.widths[2]),
    )
    count = sum(len(part[0]) for part in parts)
    columns: list[Any] = [[plant] * count, [path] * count]
    before = 0
    for part in parts:
        after = count - before - len(part[0])
        columns += [[None] * before + list(column) + [None] * after for column in part]
        before += len(part[0])
    schema = JUDGED.arrow_schema()
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _reading_columns(rows: Sequence[Row], names: Names) -> list[Sequence[Any]]:
    machine_ids, timestamps, *others = _columns(rows, len(RatedReading._fields))
    return [*names.columns(machine_ids), timestamps, *others, [timestamp[:10] for timestamp in timestamps]]


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width
