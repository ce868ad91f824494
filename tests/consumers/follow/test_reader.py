"""One open file as one stream of whole lines."""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from consumers.follow.open_file import OpenFile
from consumers.follow.reader import CHUNK_BYTES, CHUNKS_AT_ONCE, Reader, RewrittenError
from consumers.follow.streams import Streams
from consumers.records import Chunk
from tests.consumers.follow.support import settled
from tests.support import lines

LONG = b"x" * (3 * CHUNK_BYTES) + b"\n"
Open = Callable[[], Reader]


@pytest.fixture
def open_reader(path: Path) -> Iterator[Open]:
    with ExitStack() as files:

        def opened() -> Reader:
            reader = settled(path, Streams([]))
            files.enter_context(closing(reader.file))
            return reader

        yield opened


def take(reader: Reader) -> list[Chunk]:
    """Read all chunks, each counting as saved at once; searches are left out."""
    chunks = []
    while (chunk := reader.read()) is not None:
        if not chunk.is_search:
            chunks.append(chunk)
            reader.advance(chunk.after)
    return chunks


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_whole_lines_are_read_and_half_a_line_waits(path: Path, open_reader: Open) -> None:
    path.write_bytes(lines(1, 2) + lines(3, 1)[:10])
    reader = open_reader()
    assert [chunk.data for chunk in take(reader)] == [lines(1, 2)]
    assert reader.unread_bytes() == 10
    append(path, lines(3, 1)[10:])
    assert [chunk.data for chunk in take(reader)] == [lines(3, 1)]


def test_until_it_is_saved_the_same_chunk_comes_again(path: Path, open_reader: Open) -> None:
    path.write_bytes(lines(1, 2))
    reader = open_reader()
    assert reader.read() == reader.read() is not None


@pytest.mark.parametrize("size", [10, CHUNK_BYTES // 2])
def test_a_chunk_has_so_many_bytes_and_lines_at_most(path: Path, open_reader: Open, size: int) -> None:
    data = (b"x" * size + b"\n") * (2 * CHUNKS_AT_ONCE * CHUNK_BYTES // size)
    path.write_bytes(data)
    chunks = take(open_reader())
    assert b"".join(chunk.data for chunk in chunks) == data
    assert CHUNK_BYTES < max(len(chunk.data) for chunk in chunks) <= CHUNKS_AT_ONCE * CHUNK_BYTES


@pytest.mark.parametrize(
    "rewritten", [b"", lines(9, 1), lines(8, 2), lines(7, 3)], ids=["emptied", "shorter", "same size", "longer"]
)
def test_a_file_that_was_rewritten_is_not_read_on(path: Path, open_reader: Open, rewritten: bytes) -> None:
    path.write_bytes(lines(1, 2))
    reader = open_reader()
    take(reader)
    path.write_bytes(rewritten)
    with pytest.raises(RewrittenError):
        reader.read()
    assert reader.stream is None
    assert not reader.is_settled


def test_a_file_that_is_rewritten_while_it_is_read_gives_no_chunk(
    path: Path, open_reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes that were read are proven after the read: before it, the other lines would be taken as these."""
    path.write_bytes(lines(1, 3))
    reader = open_reader()
    take(reader)
    append(path, lines(4, 1))
    read_really = OpenFile.read_at

    def rewrite_first(self: OpenFile, offset: int, count: int) -> bytes:
        if count >= CHUNK_BYTES:
            path.write_bytes(lines(101, 4))
        return read_really(self, offset, count)

    monkeypatch.setattr(OpenFile, "read_at", rewrite_first)
    with pytest.raises(RewrittenError):
        reader.read()


def test_between_polls_a_quiet_file_costs_three_small_reads(
    path: Path, open_reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(lines(1, 1000))
    reader = open_reader()
    take(reader)
    read_really, counts = OpenFile.read_at, list[int]()

    def count_bytes(self: OpenFile, offset: int, count: int) -> bytes:
        data = read_really(self, offset, count)
        counts.append(len(data))
        return data

    monkeypatch.setattr(OpenFile, "read_at", count_bytes)
    assert reader.read() is None
    assert counts == [0, 1024, 1024]


def test_a_line_that_is_too_long_is_one_chunk_with_its_start_in_bounded_memory(path: Path, open_reader: Open) -> None:
    long_bytes = 40 * CHUNK_BYTES
    path.write_bytes(lines(1, 1))
    append(path, b"start of the line")
    os.truncate(path, long_bytes)
    append(path, b"\n" + lines(2, 1))
    reader = open_reader()
    tracemalloc.start()
    before, long, after = take(reader)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (before.data, after.data) == (lines(1, 1), lines(2, 1))
    assert long.is_oversized
    assert long.data.startswith(b"start of the line")
    assert len(long.data) == CHUNK_BYTES
    assert long.after.offset == long_bytes + 1
    assert peak_bytes < (2 * CHUNKS_AT_ONCE + 2) * CHUNK_BYTES < long_bytes


def test_a_long_line_that_is_still_growing_is_waited_for(path: Path, open_reader: Open) -> None:
    path.write_bytes(lines(1, 1) + LONG[:-1])
    reader = open_reader()
    assert [chunk.data for chunk in take(reader)] == [lines(1, 1)]
    append(path, b"\n" + lines(2, 1))
    assert [chunk.is_oversized for chunk in take(reader)] == [True, False]


@pytest.mark.parametrize("kept_bytes", [10, CHUNK_BYTES // 2, 2 * CHUNK_BYTES])
def test_a_long_line_that_is_cut_back_while_its_end_is_looked_for_costs_no_neighbour(
    path: Path, open_reader: Open, kept_bytes: int
) -> None:
    path.write_bytes(lines(1, 1) + LONG[:-1])
    reader = open_reader()
    take(reader)
    os.truncate(path, len(lines(1, 1)) + kept_bytes)
    append(path, b"\n" + lines(2, 3))
    read = []
    for _ in range(3):  # a line whose start is another is seen anew
        try:
            read += take(reader)
        except RewrittenError:
            for _ in reader.settle((), "rewritten", is_live=True):
                pass
    assert b"".join(chunk.data for chunk in read).endswith(lines(2, 3))


def test_a_file_rewritten_while_the_end_of_its_first_line_is_looked_for_is_seen_anew(
    path: Path, open_reader: Open
) -> None:
    path.write_bytes(LONG[:-1])
    reader = open_reader()
    assert take(reader) == []
    path.write_bytes(lines(1, 3) + b"y" * len(LONG))
    with pytest.raises(RewrittenError):
        take(reader)
    for _ in reader.settle((), "rewritten", is_live=True):
        pass
    assert [chunk.data for chunk in take(reader)] == [lines(1, 3)]
