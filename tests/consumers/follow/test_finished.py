"""Rotated files that hold nothing unread: they are deleted after an hour, and no other file is."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.follow.finished import QUIET_S
from consumers.follow.tail import Tail
from tests.consumers.follow.support import Follower
from tests.support import lines


class Deleting(Follower):
    """A follower that deletes what is finished."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.tail.close()
        self.tail = Tail(path, (), self.said.append, self.warned.append, lambda: self.time_s, deletes_finished=True)

    def wait(self, seconds: float) -> bytes:
        """Let time pass, looking every minute; returns the lines that were read."""
        data, end_s = self.read(), self.time_s + seconds
        while self.time_s < end_s:
            self.time_s = min(self.time_s + 61, end_s)
            data += self.read()
        return data


@pytest.fixture
def follower(path: Path) -> Iterator[Deleting]:
    follower = Deleting(path)
    yield follower
    follower.tail.close()


@pytest.fixture
def rotated(path: Path) -> Path:
    path.write_bytes(lines(2, 1))
    one = path.with_name("live.json.1")
    one.write_bytes(lines(1, 1))
    return one


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_a_finished_file_goes_after_an_hour_and_that_is_said(path: Path, rotated: Path, follower: Deleting) -> None:
    assert follower.wait(QUIET_S - 120) == lines(1, 2)
    assert names(path) == ["live.json", "live.json.1"]
    assert follower.wait(300) == b""
    assert names(path) == ["live.json"]
    assert "removed live.json.1: all of it is in the database" in follower.said


def test_without_the_setting_nothing_goes(path: Path, rotated: Path) -> None:
    follower = Follower(path)
    for _ in range(200):
        follower.read()
        follower.time_s += 61
    follower.tail.close()
    assert names(path) == ["live.json", "live.json.1"]


def test_packed_ones_go_too(path: Path, rotated: Path, follower: Deleting) -> None:
    rotated.unlink()
    path.with_name("live.json.2.gz").write_bytes(gzip.compress(lines(1, 1)))
    assert follower.wait(2 * QUIET_S) == lines(1, 2)
    assert names(path) == ["live.json"]


def test_one_that_grows_is_not_quiet(path: Path, rotated: Path, follower: Deleting) -> None:
    follower.wait(QUIET_S - 600)
    with rotated.open("ab") as file:
        file.write(lines(7, 1))
    assert follower.wait(1200) == lines(7, 1)
    assert rotated.exists()
    follower.wait(QUIET_S)
    assert not rotated.exists()


def test_one_that_ends_in_half_a_line_stays(path: Path, rotated: Path, follower: Deleting) -> None:
    with rotated.open("ab") as file:
        file.write(b'{"half": ')
    follower.wait(3 * QUIET_S)
    assert rotated.exists()


def test_a_renamed_one_is_still_quiet(path: Path, rotated: Path, follower: Deleting) -> None:
    follower.wait(QUIET_S - 300)
    rotated.rename(path.with_name("live.json.2"))
    follower.wait(600)
    assert names(path) == ["live.json"]


def test_a_copy_of_a_part_of_it_stays(path: Path, rotated: Path, follower: Deleting) -> None:
    rotated.write_bytes(lines(1, 3))
    path.with_name("live.json.2").write_bytes(lines(1, 2))
    follower.wait(3 * QUIET_S)
    assert names(path) == ["live.json", "live.json.2"]


def test_what_the_live_path_leads_to_stays(path: Path, follower: Deleting) -> None:
    path.with_name("live.json.1").write_bytes(lines(1, 1))
    path.symlink_to("live.json.1")
    assert follower.wait(3 * QUIET_S) == lines(1, 1)
    assert names(path) == ["live.json", "live.json.1"]


def test_other_files_of_the_folder_stay(path: Path, rotated: Path, follower: Deleting) -> None:
    path.with_name("live-2.json").write_bytes(lines(1, 1))
    follower.wait(3 * QUIET_S)
    assert names(path) == ["live-2.json", "live.json"]


def test_an_unread_one_that_takes_the_name_at_the_last_moment_is_kept_and_read(
    path: Path, rotated: Path, follower: Deleting, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.wait(QUIET_S - 300)
    replace_really = Path.replace

    def rotate_first(self: Path, target: Path) -> Path:
        if self == rotated:
            rotated.rename(path.with_name("live.json.2"))
            rotated.write_bytes(lines(5, 1))
        return replace_really(self, target)

    monkeypatch.setattr(Path, "replace", rotate_first)
    assert follower.wait(600) == lines(5, 1)
    monkeypatch.undo()
    assert follower.wait(2 * QUIET_S) == b""
    assert names(path) == ["live.json"]


def test_one_that_may_not_be_removed_is_told_once(
    path: Path, rotated: Path, follower: Deleting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    follower.wait(2 * QUIET_S)
    assert [said for said in follower.said if "remove" in said] == [
        "cannot remove live.json.1, which is finished: Permission denied; it stays"
    ]
