import bz2
import errno
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from consumers.follow.marks import digest
from consumers.follow.open_file import OpenFile, open_candidate
from consumers.records import Mark

Hold = Callable[[OpenFile], OpenFile]
DATA = b"".join(b"line %06d\n" % number for number in range(1_000_000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, 1),
    ".bz2": lambda data: bz2.compress(data, 1),
    ".xz": lambda data: lzma.compress(data, preset=0),
}
packed_in_each_way = pytest.mark.parametrize("suffix", sorted(PACKERS))


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Hold a file open until the test is over."""
    with ExitStack() as files:
        yield lambda file: files.enter_context(closing(file))


def packed_file(folder: Path, suffix: str, data: bytes) -> Path:
    path = folder / f"live.json.1{suffix}"
    path.write_bytes(PACKERS[suffix](data))
    return path


def test_a_file_is_read_at_any_place(tmp_path: Path, hold: Hold) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(b"0123456789")
    file = hold(OpenFile(path))
    assert [file.read_at(8, 5), file.read_at(0, 2), file.read_at(10, 1)] == [b"89", b"01", b""]


@packed_in_each_way
def test_a_packed_file_is_read_at_any_place_of_what_is_in_it(tmp_path: Path, hold: Hold, suffix: str) -> None:
    file = hold(open_candidate(packed_file(tmp_path, suffix, DATA)))
    for offset in (0, 5_000, 8_000_000, 7_999_000, 10, len(DATA) - 3, len(DATA)):
        assert file.read_at(offset, 2000) == DATA[offset : offset + 2000]
    assert file.is_packed
    assert not file.is_torn


@packed_in_each_way
def test_a_packed_file_that_ends_in_its_midst_is_read_so_far_and_known_as_torn(
    tmp_path: Path, hold: Hold, suffix: str
) -> None:
    path = packed_file(tmp_path, suffix, os.urandom(3_000_000))
    os.truncate(path, path.stat().st_size // 2)
    file = hold(open_candidate(path))
    assert len(file.read_at(0, 4_000_000)) < 3_000_000
    assert file.is_torn


@packed_in_each_way
def test_a_packed_file_is_approached_with_pauses(tmp_path: Path, hold: Hold, suffix: str) -> None:
    file = hold(open_candidate(packed_file(tmp_path, suffix, DATA * 2)))
    assert len(list(file.approach(20_000_000))) == 3
    assert file.read_at(20_000_000, 5) == DATA[20_000_000 - len(DATA) :][:5]


def test_a_plain_file_need_not_be_approached(tmp_path: Path, hold: Hold) -> None:
    (tmp_path / "live.json").write_bytes(DATA)
    assert list(hold(OpenFile(tmp_path / "live.json")).approach(len(DATA))) == []


def test_a_file_holds_a_mark_or_not_or_ends_before(tmp_path: Path, hold: Hold) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(DATA[:4000])
    file = hold(OpenFile(path))
    assert file.holds(Mark(2000, digest(DATA[:2000]))) is True
    assert file.holds(Mark(2000, digest(b"other"))) is False
    assert file.holds(Mark(4001, digest(DATA[:4001]))) is None


def test_nothing_but_a_regular_file_is_opened_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        OpenFile(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        OpenFile(tmp_path)


def test_the_signature_of_a_packed_file_stays_when_it_is_renamed(tmp_path: Path, hold: Hold) -> None:
    path = packed_file(tmp_path, ".gz", b"a\n")
    file = hold(open_candidate(path))
    before = file.signature()
    path.rename(tmp_path / "live.json.2.gz")
    assert file.signature() == before


def test_the_signature_changes_when_the_times_are_set(tmp_path: Path, hold: Hold) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(b"a\n")
    file = hold(OpenFile(path))
    before = file.signature()
    os.utime(path, (1, 1))
    assert file.signature() != before


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EROFS, errno.ENOTSUP])
def test_where_the_platform_cannot_sync_it_goes_on(
    tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "live.json").write_bytes(b"")
    monkeypatch.setattr(os, "fsync", refuse)
    hold(OpenFile(tmp_path / "live.json")).sync()


def test_a_sync_that_fails_is_an_error(tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "live.json").write_bytes(b"")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        hold(OpenFile(tmp_path / "live.json")).sync()
