import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.follow import source_file
from consumers.follow.source_file import (
    CHUNK_BYTES,
    SAMPLE_BYTES,
    Chunk,
    KnownSource,
    Lives,
    RewrittenError,
    Samples,
    SourceFile,
    file_id,
    is_same_life,
    samples_at,
    unread_life,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "live.json"


@contextmanager
def source_of(path: Path, data: bytes = b"", offset: int = 0) -> Iterator[SourceFile]:
    path.write_bytes(data)
    with closing(SourceFile(FileIO(path), 1, offset)) as source:
        yield source


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def taken(source: SourceFile) -> list[Chunk]:
    """Read to the end, going on behind each chunk."""
    chunks = []
    while (chunk := source.read()) is not None:
        source.advance(chunk)
        chunks.append(chunk)
    return chunks


def known_as(source: SourceFile, **changes: object) -> KnownSource:
    return source.as_known()._replace(**changes)  # type: ignore[arg-type]


# Whole lines


def test_whole_lines_are_read_and_half_a_line_waits(path: Path) -> None:
    with source_of(path, b"one\ntwo\nthr") as source:
        chunk = source.read()
        assert chunk is not None
        assert (chunk.offset, chunk.end_offset, chunk.data) == (0, 8, b"one\ntwo\n")
        source.advance(chunk)
        assert source.read() is None
        append(path, b"ee\n")
        assert [chunk.data for chunk in taken(source)] == [b"three\n"]


def test_until_it_advances_the_same_lines_come_again(path: Path) -> None:
    with source_of(path, b"one\n") as source:
        first = source.read()
        append(path, b"two\n")
        second = source.read()
        assert first is not None
        assert second is not None
        assert second.data == b"one\ntwo\n"
        source.advance(first)
        assert [chunk.data for chunk in taken(source)] == [b"two\n"]


def test_it_goes_on_from_an_offset(path: Path) -> None:
    with source_of(path, b"one\ntwo\n", offset=4) as source:
        assert [chunk.data for chunk in taken(source)] == [b"two\n"]


def test_only_a_newline_ends_a_line(path: Path) -> None:
    data = "a\u2028b\u0085c\rd\x0be\x0cf\n".encode()
    with source_of(path, data) as source:
        (chunk,) = taken(source)
        assert chunk.data == data


@given(st.lists(st.binary(max_size=5), max_size=30), st.integers(4, 40))
def test_chunks_are_the_file_cut_at_newlines_wherever_it_is_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, writes: list[bytes], chunk_bytes: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "chunks.json"
    writes = [data.replace(b"0", b"\n") for data in writes]
    with pytest.MonkeyPatch.context() as patch, source_of(path) as source:
        patch.setattr(source_file, "CHUNK_BYTES", chunk_bytes)
        chunks = []
        for data in writes:
            append(path, data)
            chunks += taken(source)
        whole = b"".join(writes)
        end = whole.rfind(b"\n") + 1
        assert source.offset == end
        assert [chunk.offset for chunk in chunks[1:]] == [chunk.end_offset for chunk in chunks[:-1]]
        assert sum(chunk.is_oversized or chunk.data.count(b"\n") for chunk in chunks) == whole.count(b"\n")
        for chunk in chunks:
            assert chunk.data == whole[chunk.offset : chunk.end_offset][: len(chunk.data)]
            assert chunk.is_oversized or chunk.end_offset - chunk.offset == len(chunk.data)


# Lines too long to be read


@pytest.mark.parametrize("length", [CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7])
def test_a_line_longer_than_a_chunk_is_known_by_its_start(path: Path, length: int) -> None:
    data = b"x" * length + b"\n"
    with source_of(path, b"one\n" + data + b"two\n") as source:
        first, long, last = taken(source)
        assert (first.data, last.data) == (b"one\n", b"two\n")
        assert (long.is_oversized, long.offset, long.end_offset) == (True, 4, 4 + len(data))
        assert long.data == b"x" * CHUNK_BYTES


def test_a_line_that_just_fits_is_read(path: Path) -> None:
    data = b"x" * (CHUNK_BYTES - 1) + b"\n"
    with source_of(path, data) as source:
        (chunk,) = taken(source)
        assert (chunk.is_oversized, chunk.data) == (False, data)


def test_a_long_line_without_end_is_no_line(path: Path) -> None:
    with source_of(path, b"x" * 3 * CHUNK_BYTES) as source:
        for _ in range(3):
            assert source.read() is None
            append(path, b"x" * CHUNK_BYTES)
        append(path, b"\ntwo\n")
        long, last = taken(source)
        assert (long.end_offset, last.data) == (6 * CHUNK_BYTES + 1, b"two\n")


def test_a_long_line_without_end_is_searched_only_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with source_of(path, b"x" * 8 * CHUNK_BYTES) as source:
        assert source.read() is None
        offsets: list[int] = []
        read_at = source_file.read_at

        def counted(file: FileIO, offset: int, count: int) -> bytes:
            offsets.append(offset)
            return read_at(file, offset, count)

        monkeypatch.setattr(source_file, "read_at", counted)
        assert source.read() is None
        assert offsets == [0, 8 * CHUNK_BYTES]


def test_a_search_of_many_steps_comes_to_its_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_file, "_SCANNED_BYTES_AT_ONCE", 2 * CHUNK_BYTES)
    data = b"x" * 9 * CHUNK_BYTES + b"\n"
    with source_of(path, data + b"two\n") as source:
        chunks = []
        for _ in range(20):  # each step commits nothing but that it goes on
            chunk = source.read()
            if chunk is None:
                break
            source.advance(chunk)
            chunks.append(chunk)
        *steps, long, last = chunks
        assert {(step.offset, step.end_offset, step.is_oversized) for step in steps} == {(0, 0, True)}
        assert (long.offset, long.end_offset) == (0, len(data))
        assert last.data == b"two\n"
        with FileIO(path) as file:
            assert source.samples == samples_at(file, len(data) + 4)


# A rewritten file


@pytest.mark.parametrize("read_bytes", [4, 400, 40_000])
@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"#" + data[1:],
        lambda data: data[:-2] + b"#\n",
        lambda data: b"#" * (len(data) - 1) + b"\n" + data,
    ],
    ids=["emptied", "shorter", "other head", "other end", "longer"],
)
def test_bytes_that_are_no_longer_there_begin_a_new_life(path: Path, read_bytes: int, change: object) -> None:
    data = b"".join(b"%03d\n" % (number % 1000) for number in range(read_bytes // 4))
    with source_of(path, data) as source:
        taken(source)
        with path.open("r+b") as file:  # the same inode
            file.truncate(0)
            file.write(change(data))  # type: ignore[operator]
        with pytest.raises(RewrittenError):
            source.read()
        source.begin_new_life(2)
        assert source.source_id == 2
        rest = b"".join(chunk.data for chunk in taken(source))
        assert rest == path.read_bytes()[: len(rest)]


def test_what_was_read_before_a_rewrite_was_seen_is_not_handed_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with source_of(path, b"one\n") as source:
        taken(source)
        append(path, b"two\n")
        read_at = source_file.read_at

        def rewritten_just_after(file: FileIO, offset: int, count: int) -> bytes:
            data = read_at(file, offset, count)
            monkeypatch.setattr(source_file, "read_at", read_at)
            path.write_bytes(b"three\nfour\n")
            return data

        monkeypatch.setattr(source_file, "read_at", rewritten_just_after)
        with pytest.raises(RewrittenError):
            source.read()


def test_a_file_that_only_grew_goes_on(path: Path) -> None:
    with source_of(path) as source:
        for number in range(600):
            append(path, b"%d\n" % number)
            assert len(taken(source)) == 1


# Samples


@given(st.lists(st.binary(max_size=SAMPLE_BYTES * 2), max_size=6))
def test_samples_grow_as_if_they_were_taken_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    path = tmp_path_factory.getbasetemp() / "samples.json"
    path.write_bytes(b"".join(parts))
    samples = Samples()
    with FileIO(path) as file:
        offset = 0
        for part in parts:
            offset += len(part)
            samples = samples.after(part)
            assert samples == samples_at(file, offset)


def test_at_least_256_bytes_before_the_offset_are_sampled() -> None:
    assert SAMPLE_BYTES >= 256
    one, other = b"a" * 1000 + b"b" * 256, b"a" * 999 + b"c" + b"b" * 256
    assert Samples().after(one).fingerprint() != Samples().after(other).fingerprint()


def test_a_fingerprint_tells_where_the_head_ends() -> None:
    assert Samples(b"ab", b"c").fingerprint() != Samples(b"a", b"bc").fingerprint()


# Known again


def test_a_file_is_known_by_its_bytes(path: Path) -> None:
    with source_of(path, b"one\ntwo\nthree\n") as source, FileIO(path) as file:
        taken(source)
        assert is_same_life(file, source.as_known())
        assert is_same_life(file, known_as(source, file_id="another"))
        assert not is_same_life(file, known_as(source, file_id="another", is_of_this_path=False))
        assert not is_same_life(file, known_as(source, fingerprint="another"))
        assert not is_same_life(file, known_as(source, offset=8))
        append(path, b"more\n")
        assert is_same_life(file, source.as_known())


def test_the_inode_alone_proves_nothing(path: Path) -> None:
    with source_of(path, b"one\ntwo\n") as source, FileIO(path) as file:
        taken(source)
        known = source.as_known()
        path.write_bytes(b"ONE\nTWO\n")
        assert file_id(os.fstat(file.fileno())) == known.file_id
        assert not is_same_life(file, known)
        path.write_bytes(b"one\n")
        assert not is_same_life(file, known)


def test_of_a_file_of_which_nothing_was_read_only_the_inode_is_known(path: Path) -> None:
    with source_of(path, b"half") as source, FileIO(path) as file:
        known = source.as_known()
        assert known.offset == 0
        assert is_same_life(file, known)
        assert not is_same_life(file, known._replace(file_id="another"))


def test_an_unread_file_is_known_by_its_first_bytes(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"one\ntwo\n" * 1000)
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    with FileIO(path) as file, FileIO(copy) as other:
        life = unread_life(file)
        assert life.offset == SAMPLE_BYTES
        assert is_same_life(other, life)
        copy.write_bytes(b"other\n" * 1000)
        assert not is_same_life(other, life)


def test_its_size_can_be_told(path: Path) -> None:
    with source_of(path, b"one\nha") as source:
        taken(source)
        assert source.size_bytes() == 6


def test_a_life_proven_by_its_bytes_comes_before_a_newer_one_of_the_same_inode(path: Path) -> None:
    path.write_bytes(b"one\n")
    with FileIO(path) as file:
        copied_from = SourceFile(file, 1, 4).as_known()._replace(file_id="0:0")
        reused_inode = SourceFile(file, 2).as_known()
        assert Lives([copied_from, reused_inode]).match(file, is_proof_needed=False) == copied_from
        assert Lives([reused_inode]).match(file, is_proof_needed=False) == reused_inode
        assert Lives([reused_inode]).match(file, is_proof_needed=True) is None
