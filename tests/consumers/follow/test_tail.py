"""The live file through every file that its path names."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.follow import tail
from consumers.follow.open_file import OpenFile
from consumers.follow.reader import Reader
from consumers.follow.tail import ADVICE, LATE_LINES_S
from tests.consumers.follow.support import Follower
from tests.support import lines

Follow = Callable[..., Follower]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_a_file_that_is_not_there_is_waited_for_and_said_once(path: Path, follow: Follow) -> None:
    follower = follow()
    assert follower.read() == follower.read() == b""
    assert follower.said == [f"{path} is not there; waiting for it"]
    path.write_bytes(lines(1, 2))
    assert follower.read() == lines(1, 2)
    assert follower.tail.trouble is None


def test_a_file_that_is_renamed_and_created_anew_is_finished_first(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(1, 2))
    follower = follow()
    assert follower.read() == lines(1, 2)
    append(path, lines(3, 1))
    path.rename(path.with_name("live.json.1"))
    path.write_bytes(lines(4, 1))
    assert follower.read() == lines(3, 2)
    assert follower.said == [f"{path} was created anew; reading it from its start"]


def test_a_deleted_file_is_read_to_its_end_while_it_is_open(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(1, 1))
    follower = follow()
    follower.read()
    append(path, lines(2, 1))
    path.unlink()
    path.write_bytes(lines(3, 1))
    assert follower.read() == lines(2, 2)


def test_a_late_line_keeps_a_renamed_file_open_for_longer(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(1, 1))
    follower = follow()
    follower.read()
    renamed = os.open(path, os.O_WRONLY | os.O_APPEND)
    path.unlink()  # so that only the open file has the lines
    path.write_bytes(lines(2, 1))
    follower.read()
    for number in range(3, 6):
        follower.time_s += 0.9 * LATE_LINES_S
        os.write(renamed, lines(number, 1))
        assert follower.read() == lines(number, 1)
    follower.time_s += 1.1 * LATE_LINES_S
    follower.read()
    os.write(renamed, lines(6, 1))
    os.close(renamed)
    assert follower.read() == b""


def test_half_a_line_at_the_end_of_a_renamed_file_is_said_when_it_is_closed(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(1, 1) + lines(2, 1)[:10])
    follower = follow()
    follower.read()
    path.rename(path.with_name("live.json.1"))
    path.write_bytes(lines(3, 1))
    follower.read()
    follower.time_s += 1.1 * LATE_LINES_S
    follower.read()
    assert follower.said[-1] == f"a file renamed from {path} ends in half a line, 10 bytes: not read"


@pytest.mark.parametrize("lines_before", [1, 100])
def test_a_file_that_is_emptied_and_written_again_is_read_from_its_start(
    path: Path, follow: Follow, lines_before: int
) -> None:
    path.write_bytes(lines(1, lines_before))
    follower = follow()
    follower.read()
    path.write_bytes(lines(200, 3))
    assert follower.read() == lines(200, 3)
    assert follower.said == [f"{path} was emptied or rewritten; reading it from its start"]


def test_a_file_that_is_cut_back_is_read_on_near_the_cut_with_one_warning(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(1, 100))
    follower = follow()
    follower.read()
    path.write_bytes(lines(1, 90) + lines(200, 3))
    data = follower.read()
    assert data.endswith(lines(200, 3))
    assert len(data) <= len(lines(1, 12))
    [warning] = follower.warned
    assert warning.startswith(f"{path} was cut back")


def test_a_folder_that_moved_is_known_again(path: Path, follow: Follow, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes(lines(1, 10))
    before = Follower(elsewhere)
    before.read()
    before.tail.close()
    path.write_bytes(lines(1, 12))
    follower = follow(*before.streams.values())
    assert follower.read() == lines(11, 2)
    assert follower.said == [f"{path} is what {elsewhere} was, as its bytes show; going on where that was left"]


def test_a_stream_that_was_never_saved_is_not_begun(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(1, 1))
    follower = follow()
    assert follower.tail.read() is not None
    path.write_bytes(lines(2, 1))
    assert follower.read() == lines(2, 1)
    assert list(follower.streams) == [1]


def test_too_many_open_files_are_told_and_nothing_is_lost(
    path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(opened_path: Path) -> OpenFile:
        raise OSError(24, "Too many open files", str(opened_path))

    path.write_bytes(lines(1, 2))
    follower = follow()
    with monkeypatch.context() as patch:
        patch.setattr(tail, "OpenFile", refuse)
        assert follower.read() == follower.read() == b""
    assert follower.warned == [f"cannot read {path}: Too many open files; {ADVICE}"]
    assert follower.read() == lines(1, 2)


def test_between_polls_a_quiet_file_costs_no_opening_and_two_small_reads(
    path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(lines(1, 100))
    follower = follow()
    follower.time_s += 10
    follower.read()
    follower.time_s -= 10  # it is not yet time to look beside it again
    read_bytes = list[int]()
    read_really = OpenFile.read_at

    def count(file: OpenFile, offset: int, size: int) -> bytes:
        data = read_really(file, offset, size)
        read_bytes.append(len(data))
        return data

    def refuse(*_arguments: object) -> None:
        raise AssertionError("opened or listed")

    monkeypatch.setattr(OpenFile, "read_at", count)
    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "open", refuse)
    assert follower.read() == b""
    assert [count for count in read_bytes if count] == [1024, 1024]


def test_streams_that_share_their_first_kib_are_told_apart(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(1, 30))
    follower = follow()
    follower.read()
    path.rename(path.with_name("live.json.1"))
    path.write_bytes(lines(1, 10) + lines(100, 3))
    assert follower.read() == lines(1, 10) + lines(100, 3)
    append(path, lines(103, 1))
    append(path.with_name("live.json.1"), lines(31, 1))
    again = follow(*follower.streams.values())
    assert again.read() == lines(31, 1) + lines(103, 1)


@pytest.mark.parametrize("is_rotated", [False, True], ids=["in one file", "in files rotated one after the other"])
def test_read_once_what_is_written_faster_than_it_is_read_has_an_end(
    path: Path, follow: Follow, is_rotated: bool
) -> None:
    path.with_name("live-20261122T091500Z.json").write_bytes(lines(1, 2))
    path.write_bytes(lines(3, 2))
    follower = follow(is_once=True)
    number, data = 5, b""
    while (chunk := follower.take()) is not None:
        data += chunk.data
        append(path, lines(number, 1))
        if is_rotated:
            path.rename(path.with_name(f"live-20261122T0915{number:02}Z.json"))
        number += 1
        assert number < 50
    assert data.startswith(lines(1, 4))


def test_read_once_a_file_that_is_emptied_and_written_anew_while_it_is_opened_is_read(
    path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(lines(1, 20))
    before = follow()
    before.read()
    append(path, lines(21, 1))
    follower = follow(*before.streams.values(), is_once=True)
    settle_really = Reader.settle

    def settle_then_rewrite(reader: Reader, *arguments: Any, **flags: Any) -> Iterator[None]:
        yield from settle_really(reader, *arguments, **flags)
        if path.read_bytes().startswith(lines(1, 1)):
            path.write_bytes(lines(101, 3))

    monkeypatch.setattr(Reader, "settle", settle_then_rewrite)
    assert follower.read() == lines(101, 3)
