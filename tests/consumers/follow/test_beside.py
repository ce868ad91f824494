"""The files beside the live one: read until nothing is unread, and looked at again now and then."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.follow import candidates
from consumers.follow.beside import Beside
from consumers.follow.open_file import OpenFile, open_candidate
from consumers.follow.streams import Streams
from tests.consumers.follow.support import Follower
from tests.support import lines

Follow = Callable[..., Follower]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_files_beside_are_read_first_the_oldest_one_before_the_others(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(3, 1))
    path.with_name("live.json.1").write_bytes(lines(2, 1))
    path.with_name("live.json.2").write_bytes(lines(1, 1))
    follower = follow()
    assert follower.read() == lines(1, 3)
    assert follower.said[:2] == ["finishing live.json.2 first", "finishing live.json.1 first"]


def test_files_renamed_in_the_midst_of_a_look_are_looked_at_again(
    path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(lines(3, 1))
    one, two = path.with_name("live.json.1"), path.with_name("live.json.2")
    two.write_bytes(lines(1, 1))
    one.write_bytes(lines(2, 1))
    opened: list[str] = []

    def rename_then_open(opened_path: Path) -> OpenFile:
        if not opened:
            two.rename(path.with_name("live.json.3"))
            one.rename(two)
        opened.append(opened_path.name)
        return open_candidate(opened_path)

    monkeypatch.setattr(candidates, "open_candidate", rename_then_open)
    assert follow().read() == lines(1, 3)


def test_an_archive_that_appears_beside_its_original_is_not_read_again(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(3, 1))
    original, archive = path.with_name("live.json.1"), path.with_name("live.json.1.gz")
    original.write_bytes(lines(1, 2))
    follower = follow()
    assert follower.read() == lines(1, 3)
    packed = gzip.compress(lines(1, 2))
    for data in (packed[: len(packed) // 2], packed):
        archive.write_bytes(data)
        follower.time_s += 1000
        assert follower.read() == b""
        assert follower.tail.unread == ()
    original.unlink()
    follower.time_s += 1000
    assert follower.read() == b""


def test_a_look_that_was_held_up_for_hours_is_followed_by_another_within_a_minute(path: Path) -> None:
    path.with_name("live.json.1").touch()
    time_s = 0.0
    beside = Beside(path, Streams([]), lambda _text: None, lambda: time_s)
    steps = beside.steps(None)
    next(steps)
    time_s = 10_000.0
    assert list(steps) == []
    time_s += 60
    assert beside.is_due


def test_a_late_line_in_a_file_beside_is_found_when_it_is_time_to_look_again(path: Path, follow: Follow) -> None:
    path.write_bytes(lines(2, 1))
    path.with_name("live.json.1").write_bytes(lines(1, 1))
    follower = follow()
    assert follower.read() == lines(1, 2)
    for number in range(3, 6):
        append(path.with_name("live.json.1"), lines(number, 1))
        follower.time_s += 100
        assert follower.read() == lines(number, 1)


def test_a_file_beside_that_ends_in_half_a_line_which_is_too_long_keeps_nothing_waiting(
    path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.follow.reader.CHUNK_BYTES", 4096)
    monkeypatch.setattr("consumers.follow.reader._SEARCHED_AT_ONCE_BYTES", 8192)
    path.with_name("live.json.1").write_bytes(lines(1, 1) + b"x" * 30_000)
    path.write_bytes(lines(2, 1))
    follower, steps, data = follow(), 0, b""
    while (chunk := follower.take()) is not None:
        data += b"" if chunk.is_oversized else chunk.data
        steps += 1
        assert steps < 50
    assert data == lines(1, 2)
