"""What a file is, by its bytes."""

from contextlib import closing
from pathlib import Path

import pytest

from consumers.follow.marks import digest
from consumers.follow.open_file import OpenFile
from consumers.follow.streams import Likeness, Streams, going_on, recognise
from consumers.records import Mark, Stream
from tests.consumers.follow.support import read_whole
from tests.support import lines

LINE_BYTES = len(lines(1, 1))
READ = lines(1, 40)


@pytest.fixture
def streams(path: Path) -> Streams:
    """Streams that know one, of 40 lines."""
    streams = Streams([])
    path.write_bytes(READ)
    read_whole(path, streams)
    return streams


def likeness_of(path: Path, data: bytes, streams: Streams) -> Likeness | None:
    path.write_bytes(data)
    with closing(OpenFile(path)) as file:
        steps = recognise(file, streams)
        try:
            while True:
                next(steps)
        except StopIteration as stop:
            likeness: Likeness | None = stop.value
            return likeness


def decided(path: Path, data: bytes, streams: Streams, whole_ids: set[int], *, is_live: bool) -> Stream | None:
    likeness = likeness_of(path, data, streams)
    with closing(OpenFile(path)) as file:
        return going_on(file, likeness, whole_ids, streams.begin("live.json", "new"), is_live=is_live)


@pytest.mark.parametrize("behind", [b"", lines(41, 1), lines(41, 1)[:5]], ids=["nothing", "a line", "half a line"])
def test_a_file_that_holds_all_that_was_read_is_that_stream(path: Path, streams: Streams, behind: bytes) -> None:
    assert likeness_of(path, READ + behind, streams) == Likeness(streams[1], len(READ), True, False)


@pytest.mark.parametrize("data", [b"", lines(2, 40), lines(2, 1)[:5]], ids=["empty", "other lines", "half a line"])
def test_a_file_whose_first_line_no_stream_has_is_like_none(path: Path, streams: Streams, data: bytes) -> None:
    assert likeness_of(path, data, streams) is None


@pytest.mark.parametrize("size", [LINE_BYTES, 2 * LINE_BYTES + 7, 39 * LINE_BYTES])
def test_a_file_that_just_ends_before_is_known_to_be_nothing_else(path: Path, streams: Streams, size: int) -> None:
    likeness = likeness_of(path, READ[:size], streams)
    assert likeness is not None
    assert (likeness.is_whole, likeness.is_other) == (False, False)


@pytest.mark.parametrize("same_lines", [5, 20, 39])
def test_other_bytes_behind_the_same_ones_are_seen_within_an_eighth(
    path: Path, streams: Streams, same_lines: int
) -> None:
    same = READ[: same_lines * LINE_BYTES]
    likeness = likeness_of(path, same + lines(100, 50), streams)
    assert likeness is not None
    assert (likeness.is_whole, likeness.is_other) == (False, True)
    assert len(same) - max(LINE_BYTES, len(same) // 8) <= likeness.agreed <= len(same)


def test_a_file_that_differs_within_its_first_kib_is_no_known_stream(path: Path, streams: Streams) -> None:
    assert likeness_of(path, READ[:LINE_BYTES] + lines(100, 50), streams) is None


@pytest.mark.parametrize("whole_elsewhere", [set(), {1}])
def test_a_shorter_copy_beside_the_live_file_has_nothing_unread(
    path: Path, streams: Streams, whole_elsewhere: set[int]
) -> None:
    assert decided(path, READ[: 20 * LINE_BYTES], streams, whole_elsewhere, is_live=False) is None


def test_the_live_file_cut_back_is_read_on_from_the_last_mark_that_matches(path: Path, streams: Streams) -> None:
    stream = decided(path, READ[: 20 * LINE_BYTES] + lines(100, 50), streams, set(), is_live=True)
    assert stream is not None
    assert stream.stream_id == 2
    assert 17 * LINE_BYTES <= stream.begin == stream.offset == stream.marks[-1].offset <= 20 * LINE_BYTES
    assert "number 1 is the same for" in stream.why_new


def test_the_same_while_the_stream_stands_whole_elsewhere_is_a_new_stream(path: Path, streams: Streams) -> None:
    stream = decided(path, READ[: 20 * LINE_BYTES] + lines(100, 50), streams, {1}, is_live=True)
    assert stream == Stream(2, "live.json", "new", 0, 0, b"", ())


def test_with_less_than_a_kib_in_common_the_live_file_is_a_new_stream(path: Path, streams: Streams) -> None:
    assert decided(path, READ[: 3 * LINE_BYTES] + lines(100, 1), streams, set(), is_live=True) == streams.begin(
        "live.json", "new"
    )


def test_of_streams_that_share_their_first_kib_the_one_that_is_held_whole_is_taken(
    path: Path, streams: Streams
) -> None:
    other = READ[: 10 * LINE_BYTES] + lines(100, 10)
    path.write_bytes(other)
    read_whole(path, streams_but_first := Streams([]))
    streams.put(streams_but_first[1]._replace(stream_id=2))
    for stream_id, data in ((1, READ), (2, other)):
        likeness = likeness_of(path, data, streams)
        assert likeness is not None
        assert (likeness.stream.stream_id, likeness.is_whole) == (stream_id, True)


@pytest.mark.parametrize("head", [b"#" * 1500 + b"\n", b""], ids=["a common head", "a common start of a long line"])
def test_a_line_that_ends_where_the_stream_has_one_long_line_shows_that_the_bytes_are_others(
    path: Path, head: bytes
) -> None:
    path.write_bytes(head + b"x" * 5000 + b"\n" + lines(1, 1))
    read_whole(path, streams := Streams([]))
    likeness = likeness_of(path, head + b"x" * 3000 + b"\n" + lines(2, 1), streams)
    assert likeness is not None
    assert likeness.is_other


@pytest.mark.parametrize("hole_bytes", [20_000, 100_000, 900_000])
def test_a_file_whose_hole_of_nuls_is_shorter_than_that_of_the_stream_is_another(path: Path, hole_bytes: int) -> None:
    path.write_bytes(bytes(1_000_000) + lines(1, 3))
    read_whole(path, streams := Streams([]))
    likeness = likeness_of(path, bytes(hole_bytes) + lines(4, 3), streams)
    assert likeness is None or likeness.is_other


def test_a_stream_of_an_old_database_is_found_by_its_first_mark(path: Path) -> None:
    marks = (Mark(1024, digest(READ[:1024])), Mark(len(READ), digest(READ)))
    headless = Stream(1, "live.json", "first seen", 0, len(READ), b"", marks)
    assert likeness_of(path, READ + lines(41, 1), Streams([headless])) == Likeness(headless, len(READ), True, False)


def test_a_stream_that_grows_is_found_by_its_first_line_still(path: Path) -> None:
    streams = Streams([])
    path.write_bytes(READ[:LINE_BYTES])
    read_whole(path, streams)
    path.write_bytes(READ)
    grown = read_whole(path, streams)
    assert streams.begun_with(READ[:1024]) == [grown]
    assert len(streams) == 1
