import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.follow.marks import SAMPLE_BYTES, digest, grown, grown_by_long_line, sample_range
from consumers.records import Stream

NEW = Stream(1, "live.json", "first seen", 0, 0, b"", ())
LINES = st.lists(st.integers(1, 400).map(lambda size: b"x" * size + b"\n"), min_size=1, max_size=60)


def grown_by(stream: Stream, before: bytes, *chunks: bytes) -> Stream:
    data = before
    for chunk in chunks:
        stream = grown(stream, data[-SAMPLE_BYTES:], chunk)
        data += chunk
    return stream


@pytest.mark.parametrize(("offset", "begin", "count"), [(0, 0, 0), (10, 0, 10), (1024, 0, 1024), (5000, 3976, 1024)])
def test_what_a_mark_is_known_by_lies_in_the_kib_before_it(offset: int, begin: int, count: int) -> None:
    assert sample_range(offset) == (begin, count)


def test_a_digest_is_of_the_last_kib_alone() -> None:
    assert digest(b"a" * 10 + b"b" * 1024) == digest(b"b" * 1024) != digest(b"b" * 1023)


@given(st.lists(LINES, min_size=1, max_size=6))
def test_every_mark_is_the_end_of_a_line_and_holds_and_the_last_is_at_the_offset(chunks: list[list[bytes]]) -> None:
    data = b"".join(map(b"".join, chunks))
    stream = grown_by(NEW, b"", *map(b"".join, chunks))
    assert stream.offset == len(data) == stream.marks[-1].offset
    assert stream.head == data[:SAMPLE_BYTES]
    for offset, its_digest in stream.marks:
        assert data[offset - 1 : offset] == b"\n"
        assert its_digest == hashlib.blake2b(data[max(0, offset - 1024) : offset], digest_size=16).digest()


@given(st.lists(LINES, min_size=1, max_size=6))
def test_no_gap_is_larger_than_an_eighth_of_the_way_to_the_nearer_end_or_one_line(chunks: list[list[bytes]]) -> None:
    stream = grown_by(NEW, b"", *map(b"".join, chunks))
    data = b"".join(map(b"".join, chunks))
    for older, newer in pairwise((0, *(mark.offset for mark in stream.marks))):
        is_one_line = data.count(b"\n", older, newer) == 1
        assert is_one_line or newer - older <= min(older, stream.offset - older) // 8


@pytest.mark.parametrize("chunk_lines", [1, 7, 1000])
def test_marks_are_few_however_long_the_stream(chunk_lines: int) -> None:
    chunk = b"0123456789\n" * chunk_lines
    stream = NEW
    for _ in range(20_000 // chunk_lines):
        stream = grown(stream, (chunk * 100)[-SAMPLE_BYTES:] if stream.offset else b"", chunk)
    assert 20 < len(stream.marks) < 200


def test_behind_a_line_that_is_too_long_is_a_mark() -> None:
    stream = grown_by(NEW, b"", b"a\n", b"b\n")
    after = grown_by_long_line(stream, b"x" * 2000, b"x" * 1023 + b"\n", 5_000_000)
    assert after.offset == after.marks[-1].offset == 5_000_000
    assert after.head == b"a\nb\n" + b"x" * 1020
    assert after.marks[-1].digest == digest(b"x" * 1023 + b"\n")
