"""From the live file to the database and the fleet, a chunk of lines at a time."""

from collections.abc import Callable
from typing import NamedTuple

from consumers.follow.source_file import Chunk
from consumers.follow.tail import Tail
from consumers.ingest import ingest, reject_oversized
from consumers.machines.fleet import Fleet, Machine
from consumers.records import Batch, RejectedLine
from consumers.store.store import Store, StoreBusyError
from utils.efficiency import Limits
from utils.message import timestamp_at


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


class _Unsaved(NamedTuple):
    chunk: Chunk
    batch: Batch
    machines: list[Machine]
    at: str


class Pipeline:
    """Takes lines from `tail` through the rule into `store`, and into `fleet`.

    `clock` tells seconds since 1970. `report_rejected` is given the rejected lines of a chunk.
    """

    def __init__(
        self,
        tail: Tail,
        store: Store,
        fleet: Fleet,
        limits: Limits,
        clock: Callable[[], float],
        say: Callable[[str], None],
        warn: Callable[[str], None],
        report_rejected: Callable[[list[RejectedLine]], None],
    ) -> None:
        self.tally = Tally()
        self._tail = tail
        self._store = store
        self._fleet = fleet
        self._limits = limits
        self._clock = clock
        self._say = say
        self._warn = warn
        self._report_rejected = report_rejected
        self._unsaved: _Unsaved | None = None
        self._is_waiting = False

    @property
    def is_waiting(self) -> bool:
        """Whether the database is locked by someone else: there may be more to read."""
        return self._is_waiting

    def step(self) -> bool:
        """Read and save one chunk; False where there is nothing to do just now.

        Raises StoreError where the database cannot be used any more.
        """
        try:
            has_worked = self._save_next()
        except StoreBusyError as error:
            if not self._is_waiting:
                self._warn(f"{error}; waiting, and the lines wait in the file")
            self._is_waiting = True
            return False
        if self._is_waiting:
            self._say("the database is free again; going on")
        self._is_waiting = False
        return has_worked

    def _save_next(self) -> bool:
        # What could not be saved is tried again as it is: the fleet has counted it already.
        unsaved = self._unsaved
        if unsaved is None:
            chunk = self._tail.read()
            if chunk is None or chunk.is_search:
                return chunk is not None
            unsaved = self._unsaved = self._take(chunk)
        self._store.save(*unsaved)
        self._unsaved = None
        self._tail.advance(unsaved.chunk)
        self._count(unsaved)
        return True

    def _take(self, chunk: Chunk) -> _Unsaved:
        at = timestamp_at(self._clock())
        if chunk.is_oversized:
            batch = reject_oversized(chunk.data, chunk.offset, chunk.end_offset - chunk.offset)
        else:
            batch = ingest(chunk.data, chunk.offset, self._limits, at)
        return _Unsaved(chunk, batch, self._fleet.add(batch.rows), at)

    def _count(self, saved: _Unsaved) -> None:
        tally, batch = self.tally, saved.batch
        self.tally = Tally(
            tally.read_bytes + saved.chunk.end_offset - saved.chunk.offset,
            tally.stored_lines + len(batch.rows),
            tally.rejected_lines + len(batch.rejected),
            tally.blank_lines + batch.blank_lines,
        )
        if batch.rejected:
            self._report_rejected(batch.rejected)
