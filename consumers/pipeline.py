"""From the live file to the database and the fleet, a chunk of lines at a time."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from consumers.ingest import Stopped, reject_oversized
from consumers.machines.fleet import Fleet
from consumers.machines.naming import Naming
from consumers.machines.plant_clock import PlantClock
from consumers.rating import RowOf, rate_by
from consumers.records import Batch, Chunk, Commit, Event, RejectedLine, Timestamp
from consumers.store.errors import StoreWaitError
from consumers.store.retention import ROWS_A_STEP
from utils.fields import OWN_FIELDS, Fields
from utils.message import timestamp_at

_NO_CHANCE_LINES: Final = 10


class Judge(Protocol):
    """Returns what becomes of whole lines, given where in their file they begin, and the time; see `ingest`."""

    def __call__(
        self, data: bytes, offset: int, processed_at: Timestamp, *, row_of: RowOf = ..., reads_at_once: bool = ...
    ) -> Batch:
        """Judge the lines. Raises Stopped if someone asks to stop meanwhile."""


class Tally(NamedTuple):
    """What this process has read so far."""

    read_bytes: int = 0
    stored_lines: int = 0
    rejected_lines: int = 0
    blank_lines: int = 0
    rejected_in_a_row: int = 0
    """Lines rejected since the last commit that had a reading."""

    @property
    def all_rejected(self) -> int:
        """How many lines were rejected while none could be stored; 0 if that may be chance."""
        is_feed = not self.stored_lines or self.rejected_in_a_row >= _NO_CHANCE_LINES
        return self.rejected_in_a_row if is_feed else 0

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
            0 if commit.batch.rows else self.rejected_in_a_row + commit.batch.rejected_lines,
        )


class Waiting(NamedTuple):
    """The database cannot be used just now, so lines wait in the file."""

    error: StoreWaitError
    since_s: float
    """Seconds since 1970."""


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

    def expire(self, plant_at: Timestamp) -> bool:
        """Let a few rows go that are too old by the plant's time; return whether there may be more."""


class Pipeline:
    """Takes chunks from `source` through `judge` into `sink`, and into `fleet`.

    `clock` returns seconds since 1970. `report_rejected` is given how many lines of a commit were rejected, and the
    last of them, and `report_events` what is to be told of it. By `plant_clock`, old rows are let go between commits.
    `fields` are those of `from_line`.
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
        *,
        plant_clock: PlantClock | None = None,
        report_events: Callable[[Sequence[Event]], None] = lambda _events: None,
        fields: Fields = OWN_FIELDS,
    ) -> None:
        self.tally = Tally()
        self.waiting: Waiting | None = None
        """Why nothing can be saved just now; there may be more to read."""
        self.last_rejected: RejectedLine | None = None
        self.plant_clock = plant_clock or PlantClock()
        self._source = source
        self._sink = sink
        self._fleet = fleet
        self._fields = fields
        self._judge = judge
        self._clock = clock
        self._say = say
        self._warn = warn
        self._report_rejected = report_rejected
        self._report_events = report_events
        self._unsaved: tuple[Chunk, Commit] | None = None
        self._tried_s = 0.0
        self._expiry_steps = 1
        """So many steps are due after the next chunk."""

    def step(self) -> bool:
        """Read and save one chunk, and let go what is old; return False if there is nothing to do just now.

        Raises StoreError if the database cannot be used any more.
        """
        if self.waiting is not None and abs(self._clock() - self._tried_s) < self.waiting.error.retry_after_s:
            return False
        try:
            has_worked = self._save_next()
        except StoreWaitError as error:
            self._wait(error)
            return False
        except Stopped:
            return False
        if self.waiting is not None:
            self._say(f"{self.waiting.error.over}; going on")
            self.waiting = None
        return self._expire() or has_worked

    def _wait(self, error: StoreWaitError) -> None:
        """Note that the database cannot be used just now, and say so once."""
        self._tried_s = self._clock()
        waiting = self.waiting
        if waiting is None or type(waiting.error) is not type(error):
            self._warn(f"{error}; waiting, and the lines wait in the file")
        self.waiting = Waiting(error, self._tried_s if waiting is None else waiting.since_s)

    def _expire(self) -> bool:
        """Let as many old rows go as came with the last commit, if there are any; return whether there are more."""
        plant_at, steps = self.plant_clock.now, self._expiry_steps
        if plant_at is None or steps == 0:
            return False
        try:
            has_more = all(self._sink.expire(plant_at) for _ in range(steps))
        except StoreWaitError:
            has_more = False  # nothing waits for this; after the next commit it is tried again
        self._expiry_steps = 1 if has_more else 0
        return has_more

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
        naming = self._fleet.naming()
        batch = self._batch(chunk, at, naming)
        return self._fleet.commit(chunk.before, chunk.after, batch, at, naming.new)

    def _batch(self, chunk: Chunk, at: Timestamp, naming: Naming) -> Batch:
        offset, end_offset = chunk.before.offset, chunk.after.offset
        if chunk.is_oversized:
            return reject_oversized(chunk.data, offset, end_offset - offset)
        rate = rate_by(self._fields, naming.identify)
        batch = self._judge(chunk.data, offset, at, row_of=rate)
        admission = self._fleet.admission(batch.rows, rate, naming.names)
        if admission is None:
            return batch
        return self._judge(chunk.data, offset, at, row_of=admission.row_of, reads_at_once=False)

    def _take(self, chunk: Chunk, commit: Commit) -> None:
        """Bring memory to what the database holds since the commit."""
        self._source.advance(chunk)
        self._fleet.take(commit)
        self.plant_clock.hear(commit.batch.rows, commit.at)
        if self.plant_clock.now is not None:
            self._fleet.history.keep(self.plant_clock.now)
        self._expiry_steps = 1 + len(commit.batch.rows) // ROWS_A_STEP
        self.tally = self.tally.after(commit)
        if commit.events:
            self._report_events(commit.events)
        if commit.batch.rejected_lines:
            self.last_rejected = commit.batch.rejected[-1] if commit.batch.rejected else self.last_rejected
            self._report_rejected(commit.batch.rejected_lines, commit.batch.rejected)
