"""Commits of plain values: a stream that grows in memory, without a file."""

import hashlib
from collections.abc import Sequence

from consumers.ingest import ingest
from consumers.machines.fleet import Fleet
from consumers.records import Batch, Chunk, Commit, Machine, Mark, Row, Stream
from tests.support import AT
from utils.efficiency import Limits

LATER = "2026-11-22T10:00:00.000Z"
LIMITS = Limits()


def mark(data: bytes) -> Mark:
    return Mark(len(data), hashlib.blake2b(data[-1024:], digest_size=16).digest())


class StreamInMemory:
    """A stream whose bytes are given piece by piece."""

    def __init__(self, stream_id: int = 1, fleet: Fleet | None = None, path: str = "live.json") -> None:
        self.data = b""
        self.fleet = fleet or Fleet(100)
        self.stream = Stream(stream_id, path, "first seen", 0, 0, b"", ())

    def chunk(self, data: bytes) -> Chunk:
        """The chunk of whole lines that follow; the stream goes on behind them."""
        before = self.stream
        self.data += data
        self.stream = before._replace(
            offset=len(self.data), head=self.data[:1024], marks=(*before.marks, mark(self.data))
        )
        return Chunk(before, self.stream, data)

    def commit(self, data: bytes, at: str = AT) -> Commit:
        chunk = self.chunk(data)
        batch = ingest(data, chunk.before.offset, at, LIMITS)
        return self.fleet.commit(chunk.before, chunk.after, batch, at)


def take(fleet: Fleet, rows: Sequence[Row]) -> list[Machine]:
    """Let a fleet take rows as a commit brings them; returns the machines that changed."""
    stream = Stream(1, "live.json", "first seen", 0, 0, b"", ())
    commit = fleet.commit(stream, stream, Batch(list(rows), [], 0, 0, len(rows)), AT)
    fleet.take(commit)
    return commit.machines


def fleet_of(*rows: Row, capacity: int = 1000) -> Fleet:
    fleet = Fleet(capacity)
    take(fleet, rows)
    return fleet
