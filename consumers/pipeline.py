"""From the live file to the database and the fleet, a chunk of lines at a time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from consumers.ingest import RowOf, Stopped, reject_oversized
from consumers.machines.fleet import Fleet
from consumers.records import Batch, Chunk, Commit, RejectedLine, Timestamp
from consumers.store.errors import StoreBusyError
from utils.message import timestamp_at


class Judge(Protocol):
    """Returns what becomes of whole lines, given where in their file they begin, and the time; see `ingest`."""

    def __call__(self, data: bytes, offset: int, processed_at: Timestamp, *, row_of: RowOf = ...) -> Batch:
        """Judge the lines. Raises Stopped if someone asks to stop meanwhile."""


class Tally(NamedTuple):
    """What this process has read so far."""

    read_bytes: int = 0
    stored_lines: int = 0
    rejected_lines: int = 0
    blank_lines: int = 0

    @property
    def lines(self) -> int:
        """All lines."""
        return self.stored_lines + self.rejected_lines + self.blank_lines

    def after(self, commit: Commit) -> "Tally":
        """Return the tally with a commit added."""
        return Tally(
            self.read_bytes + commit.after.offset - commit.before.offset,
            self.stored_lines + len(commit.batch.rows),
            self.rejected_lines + commit.batch.rejected_lines,
            self.blank_lines + commit.batch.blank_lines,
        )


class Source(Protocol):
    """Where chunks come from: the tail of a live file."""

    def read(self) -> Chunk | None:
        """Return the next chunk, or None if there is none now; until `advance`, the same one comes again."""

    def sync(self) -> None:
        """Make durable what the last chunk was read from."""

    def advance(self, chunk: Chunk) -> None:
        """Go on behind a chunk, which is safe in the database by now."""


class Sink(Protocol):
    """Where commits go: the database."""

    def save(self, commit: Commit) -> None:
        """Save a commit whole, or raise StoreError."""


class Pipeline:
    """Takes chunks from `source` through `judge` into `sink`, and into `fleet`.

    `clock` returns seconds since 1970. `report_rejected` is given how many lines of a commit were rejected, and the
    last of them.
    """

    def __init__(
        self,
        source: Source,
        sink: Sink,
        fleet: Fleet,
        judge: Judge,
        clock: Callable[[], float],
        say: Callable[[str], None],
        warn: Callable[[str], None],
        report_rejected: Callable[[int, Sequence[RejectedLine]], None],
    ) -> None:
        self.tally = Tally()
        self.is_waiting = False
        """Whether another program has locked the database: there may be more to read."""
        self._source = source
        self._sink = sink
        self._fleet = fleet
        self._judge = judge
        self._clock = clock
        self._say = say
        self._warn = warn
        self._report_rejected = report_rejected
        self._unsaved: tuple[Chunk, Commit] | None = None

    def step(self) -> bool:
        """Read and save one chunk; return False if there is nothing to do just now.

        Raises StoreError if the database cannot be used any more.
        """
        try:
            has_worked = self._save_next()
        except StoreBusyError as error:
            if not self.is_waiting:
                self._warn(f"{error}; waiting, and the lines wait in the file")
            self.is_waiting = True
            return False
        except Stopped:
            return False
        if self.is_waiting:
            self._say("the database is free again; going on")
        self.is_waiting = False
        return has_worked

    def _save_next(self) -> bool:
        if self._unsaved is None:
            chunk = self._source.read()
            if chunk is None or chunk.is_search:
                return chunk is not None
            self._unsaved = chunk, self._commit(chunk)
        chunk, commit = self._unsaved
        self._source.sync()
        self._sink.save(commit)
        self._unsaved = None
        self._take(chunk, commit)
        return True

    def _commit(self, chunk: Chunk) -> Commit:
        """Work out what a chunk changes; nothing changes by that."""
        at = timestamp_at(self._clock())
        batch = self._batch(chunk, at)
        return Commit(chunk.before, chunk.after, batch, self._fleet.after(batch.rows), at)

    def _batch(self, chunk: Chunk, at: Timestamp) -> Batch:
        offset, end_offset = chunk.before.offset, chunk.after.offset
        if chunk.is_oversized:
            return reject_oversized(chunk.data, offset, end_offset - offset)
        batch = self._judge(chunk.data, offset, at)
        admission = self._fleet.admission(batch.rows)
        return batch if admission is None else self._judge(chunk.data, offset, at, row_of=admission.row_of)

    def _take(self, chunk: Chunk, commit: Commit) -> None:
        """Bring memory to what the database holds since the commit."""
        self._source.advance(chunk)
        self._fleet.take(commit)
        self.tally = self.tally.after(commit)
        if commit.batch.rejected_lines:
            self._report_rejected(commit.batch.rejected_lines, commit.batch.rejected)
