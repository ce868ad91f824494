"""What the tests of following have in common: a tail whose chunks count as saved at once, and streams."""

from pathlib import Path

from consumers.follow.open_file import OpenFile
from consumers.follow.reader import Reader
from consumers.follow.streams import Streams
from consumers.follow.tail import Tail
from consumers.records import Chunk, Stream


class Follower:
    """A tail, and what it has read: every chunk counts as saved as soon as it is taken."""

    def __init__(self, path: Path, *streams: Stream, is_once: bool = False) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self.time_s = 0.0
        self.streams = {stream.stream_id: stream for stream in streams}
        self.tail = Tail(path, streams, self.said.append, self.warned.append, lambda: self.time_s, is_once=is_once)

    def take(self) -> Chunk | None:
        chunk = self.tail.read()
        if chunk is not None and not chunk.is_search:
            self.streams[chunk.after.stream_id] = chunk.after
            self.tail.advance(chunk)
        return chunk

    def read(self) -> bytes:
        """Read until nothing is left; returns the lines."""
        data = b""
        while (chunk := self.take()) is not None:
            data += chunk.data
        return data


def read_whole(path: Path, streams: Streams) -> Stream:
    """Read a file to its end as a new stream, which is known afterwards."""
    reader = settled(path, streams)
    while (chunk := reader.read()) is not None:
        reader.advance(chunk.after)
    reader.file.close()
    assert reader.stream is not None
    return reader.stream


def settled(path: Path, streams: Streams) -> Reader:
    reader = Reader(OpenFile(path), streams, str(path))
    for _ in reader.settle((), "first seen", is_live=True):
        pass
    return reader
