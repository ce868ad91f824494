import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from io import FileIO
from pathlib import Path

import pytest

from consumers.follow.source_file import CHUNK_BYTES, KnownSource
from consumers.follow.tail import ADVICE, CREATED_ANEW, FIRST_SEEN, LATE_LINES_S, REWRITTEN, TRUNCATED, Tail
from tests.support import lines


class Follower:
    """A tail, and what the database would remember of it."""

    def __init__(self, path: Path, known: list[KnownSource] | None = None) -> None:
        self.path = path
        self.said: list[str] = []
        self.begun: list[str] = []
        self.read: list[bytes] = []
        self.time_s = 0.0
        self.lives: dict[int, KnownSource] = {life.source_id: life for life in known or ()}
        self.is_locked_in: int | None = None
        self.tail = self.begin()

    def begin(self) -> Tail:
        newest_first = sorted(self.lives.values(), key=lambda life: -life.source_id)
        return Tail(self.path, newest_first, self.register, self.said.append, self.said.append, lambda: self.time_s)

    def register(self, file_id: str, seen_ns: int, why: str) -> int:
        if self.is_locked_in is not None:
            if self.is_locked_in == 0:
                self.is_locked_in = None
                raise LockedError
            self.is_locked_in -= 1
        self.begun.append(why)
        source_id = max(self.lives, default=0) + 1
        self.lives[source_id] = KnownSource(source_id, True, file_id, 0, "", seen_ns)
        return source_id

    def poll(self) -> bytes:
        """Read all that is there; returns the lines, whole."""
        begin = len(self.read)
        while (chunk := self.tail.read()) is not None:
            self.tail.advance(chunk)
            self.read.append(chunk.data)
            self.lives[chunk.source.source_id] = chunk.source.as_known()
        return b"".join(self.read[begin:])

    def restart(self) -> None:
        self.tail.close()
        self.begun.clear()
        self.tail = self.begin()

    def close(self) -> None:
        self.tail.close()


class LockedError(Exception):
    """The database cannot take a new life just now."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "live.json"


@pytest.fixture
def follower(path: Path) -> Iterator[Follower]:
    with closing(Follower(path)) as follower:
        yield follower


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def rename(path: Path, name: str) -> Path:
    return path.rename(path.with_name(name))


def touch_after(path: Path, other: Path) -> None:
    """Date a file's last change after that of another: a file system's clock may tick slowly."""
    moment_ns = other.stat().st_mtime_ns + 20_000_000
    os.utime(path, ns=(moment_ns, moment_ns))


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


# The live file


def test_lines_are_read_as_they_come(follower: Follower, path: Path) -> None:
    for number in range(3):
        append(path, lines(number, 2))
        assert follower.poll() == lines(number, 2)
    assert follower.begun == [FIRST_SEEN]
    assert follower.said == []
    assert follower.tail.has_sources


def test_a_missing_file_is_waited_for_and_told_of_once(follower: Follower, path: Path) -> None:
    assert [follower.poll() for _ in range(5)] == [b""] * 5
    assert not follower.tail.has_sources
    path.write_bytes(lines(1, 2))
    assert follower.poll() == lines(1, 2)
    assert follower.said == [f"{path} is not there; waiting for it"]


def test_a_file_in_a_folder_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "later" / "live.json"
    with closing(Follower(path)) as follower:
        assert follower.poll() == b""
        path.parent.mkdir()
        path.write_bytes(lines(1, 2))
        assert follower.poll() == lines(1, 2)


def test_a_file_that_goes_again_is_told_of_again(follower: Follower, path: Path) -> None:
    for number in (1, 3):
        path.write_bytes(lines(number, 2))
        assert follower.poll() == lines(number, 2)
        path.unlink()
        follower.poll()
        follower.poll()
    assert follower.said.count(f"{path} is not there; waiting for it") == 2


def test_an_unreadable_file_is_waited_for_and_told_of_once(
    follower: Follower, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: Path) -> FileIO:
        raise PermissionError(13, "Permission denied", str(name))

    path.write_bytes(lines(1, 2))
    with monkeypatch.context() as patch:
        patch.setattr("consumers.follow.tail.FileIO", refuse)
        assert [follower.poll() for _ in range(3)] == [b""] * 3
    assert follower.poll() == lines(1, 2)
    assert follower.said == [f"cannot open {path}: Permission denied; {ADVICE}"]


def test_a_read_that_fails_is_tried_again_and_told_of_once(
    follower: Follower, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(5, "Input/output error")

    path.write_bytes(lines(1, 2))
    follower.poll()
    append(path, lines(3, 2))
    with monkeypatch.context() as patch:
        patch.setattr("consumers.follow.source_file.read_at", fail)
        assert [follower.poll() for _ in range(3)] == [b""] * 3
    assert follower.poll() == lines(3, 2)
    assert follower.said == [f"cannot read {path}: Input/output error; {ADVICE}"]


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_waited_on_without_being_opened(follower: Follower, path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
    elif hasattr(os, "mkfifo"):
        os.mkfifo(path)
    else:
        pytest.skip("no pipes with a name here")
    assert [follower.poll() for _ in range(3)] == [b""] * 3
    assert follower.said == [f"cannot open {path}: it is no regular file; {ADVICE}"]


def test_a_name_cannot_move_the_terminal(tmp_path: Path) -> None:
    with closing(Follower(tmp_path / "a\nb\x1b.json")) as follower:
        follower.poll()
        assert all(text.isprintable() for text in follower.said)


def test_what_is_unread_can_be_told(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2) + b"half")
    assert follower.tail.unread_bytes() == 0
    follower.poll()
    assert follower.tail.unread_bytes() == 4
    append(path, b" a line")
    assert follower.tail.unread_bytes() == 11


# Half lines


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_line_that_comes_byte_by_byte_is_one_line(follower: Follower, path: Path, is_restarted: bool) -> None:
    text = '{"note": "44 °C \u2028 漢"}\r\n'.encode()
    path.touch()
    for place in range(len(text)):
        assert follower.poll() == b""
        if is_restarted:
            follower.restart()
        append(path, text[place : place + 1])
    assert follower.poll() == text


def test_a_long_line_is_one_line_also_across_a_restart(follower: Follower, path: Path) -> None:
    append(path, lines(1, 1) + b"x" * (2 * CHUNK_BYTES))
    assert follower.poll() == lines(1, 1)
    follower.restart()
    assert follower.poll() == b""
    append(path, b"x" * CHUNK_BYTES + b"\n" + lines(2, 1))
    chunks = []
    while (chunk := follower.tail.read()) is not None:
        follower.tail.advance(chunk)
        chunks.append((chunk.is_oversized, chunk.end_offset - chunk.offset))
    assert chunks == [(True, 3 * CHUNK_BYTES + 1), (False, len(lines(2, 1)))]


# Renamed


def test_a_renamed_file_is_finished_before_the_new_one(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    append(path, lines(3, 2))
    rename(path, "live.json.1")
    path.write_bytes(lines(5, 2))
    assert follower.poll() == lines(3, 4)
    assert follower.begun == [FIRST_SEEN, CREATED_ANEW]


def test_several_rotations_between_two_polls_are_read_in_order(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    for number in range(3, 9, 2):
        rename(path, f"live-20261122T09150{number}Z.json")
        path.write_bytes(lines(number, 2))
    assert follower.poll() == lines(3, 6)


def test_numbered_rotations_between_two_polls_are_read_in_order(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    for number in range(3, 11, 2):
        for older in (3, 2, 1):
            if path.with_name(f"live.json.{older}").exists():
                path.with_name(f"live.json.{older}").rename(path.with_name(f"live.json.{older + 1}"))
        rename(path, "live.json.1")
        path.write_bytes(lines(number, 2))
    assert follower.poll() == lines(3, 8)


def test_late_lines_in_a_renamed_file_are_read(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 1))
    follower.poll()
    renamed = rename(path, "live.json.1")
    path.write_bytes(lines(2, 1))
    follower.poll()
    append(renamed, lines(3, 1))
    append(path, lines(4, 1))
    assert follower.poll() == lines(3, 2)


def test_a_line_begun_before_the_renaming_and_ended_after_it_is_one_line(follower: Follower, path: Path) -> None:
    text = lines(1, 1)
    path.write_bytes(text[:50])
    follower.poll()
    renamed = rename(path, "live.json.1")
    path.write_bytes(lines(2, 1))
    assert follower.poll() == lines(2, 1)
    append(renamed, text[50:])
    assert follower.poll() == text


def test_a_renamed_file_that_stays_quiet_is_let_go(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 1) + b"half")
    follower.poll()
    rename(path, "live.json.1")
    path.write_bytes(lines(2, 1))
    follower.poll()
    before = open_files()
    follower.time_s = LATE_LINES_S * 2
    follower.poll()
    follower.time_s = LATE_LINES_S * 4
    follower.poll()
    assert [text for text in follower.said if "half a line" in text] == [
        f"a file renamed from {path} ends in half a line, 4 bytes: not read"
    ]
    if before:
        assert open_files() == before - 1
    append(path, lines(3, 1))
    assert follower.poll() == lines(3, 1)


def test_a_file_that_is_renamed_back_goes_on(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 1))
    follower.poll()
    renamed = rename(path, "live.json.1")
    assert follower.poll() == b""
    append(renamed, lines(2, 1))
    renamed.rename(path)
    append(path, lines(3, 1))
    assert follower.poll() == lines(2, 2)
    assert follower.begun == [FIRST_SEEN]


def test_two_files_that_change_places_both_go_on(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 1))
    follower.poll()
    first = rename(path, "live.json.1")
    path.write_bytes(lines(2, 1))
    follower.poll()
    second = rename(path, "live.json.2")
    first.rename(path)
    append(path, lines(3, 1))
    append(second, lines(4, 1))
    assert sorted(follower.poll().splitlines()) == sorted(lines(3, 2).splitlines())
    assert follower.begun == [FIRST_SEEN, CREATED_ANEW]


def test_a_rotation_while_it_was_off_is_finished_first(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    follower.tail.close()
    append(path, lines(3, 1))
    rename(path, "live-20261122T091503Z.json")
    path.write_bytes(lines(4, 1))
    rename(path, "live-20261122T091504Z.json")
    path.write_bytes(lines(5, 1))
    follower.restart()
    assert follower.poll() == lines(3, 3)
    follower.restart()
    assert follower.poll() == b""


def test_a_file_renamed_while_it_was_off_and_not_created_anew_is_finished(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    append(path, lines(3, 1))
    follower.tail.close()
    rename(path, "live.json.1")
    follower.restart()
    assert follower.poll() == lines(3, 1)
    path.write_bytes(lines(4, 1))
    assert follower.poll() == lines(4, 1)


# Deleted


def test_the_rest_of_a_deleted_file_is_read(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 1))
    follower.poll()
    append(path, lines(2, 1))
    path.unlink()
    assert follower.poll() == lines(2, 1)
    path.write_bytes(lines(3, 1))
    assert follower.poll() == lines(3, 1)
    assert follower.begun == [FIRST_SEEN, CREATED_ANEW]


def test_a_file_made_anew_while_it_was_off_is_another_one(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 3))
    follower.poll()
    follower.tail.close()
    path.unlink()
    path.write_bytes(lines(4, 3))  # nearly always with the same inode
    follower.restart()
    assert follower.poll() == lines(4, 3)
    assert follower.begun[0] in (CREATED_ANEW, REWRITTEN)


# Rewritten


@pytest.mark.parametrize(("count", "reason"), [(1, TRUNCATED), (3, REWRITTEN), (5, REWRITTEN)])
@pytest.mark.parametrize("is_off", [False, True])
def test_a_rewritten_file_is_read_from_its_start(
    follower: Follower, path: Path, count: int, reason: str, is_off: bool
) -> None:
    path.write_bytes(lines(1, 3))
    follower.poll()
    if is_off:
        follower.tail.close()
    path.write_bytes(lines(10, count))
    if is_off:
        follower.restart()
    assert follower.poll() == lines(10, count)
    assert follower.begun[-1] == reason
    assert follower.said == [f"{path} was {reason}; reading it from its start"]


def test_a_file_that_is_emptied_and_filled_again_and_again_is_read_each_time(follower: Follower, path: Path) -> None:
    for number in range(5):
        path.write_bytes(b"")
        follower.poll()
        append(path, lines(number, 1))
        assert follower.poll() == lines(number, 1)
    assert follower.begun == [FIRST_SEEN, *[TRUNCATED] * 4]


def test_the_rest_of_a_file_that_is_copied_and_emptied_is_read_from_the_copy(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 1))
    follower.poll()
    append(path, lines(2, 1))
    shutil.copyfile(path, path.with_name("live.json.1"))
    path.write_bytes(lines(3, 1))
    assert follower.poll() == lines(2, 2)
    append(path, lines(4, 1))
    assert follower.poll() == lines(4, 1)


@pytest.mark.parametrize("begin", [b"", lines(1, 1)[:50]], ids=["nothing", "half a line"])
def test_a_file_of_which_nothing_was_read_when_it_was_copied_and_emptied_is_read_from_the_copy(
    follower: Follower, path: Path, begin: bytes
) -> None:
    path.write_bytes(begin)
    assert follower.poll() == b""
    append(path, lines(1, 2)[len(begin) :])
    copy = path.with_name("live.json.1")
    shutil.copyfile(path, copy)
    path.write_bytes(lines(3, 1))
    touch_after(path, copy)
    assert follower.poll() == lines(1, 3)


def test_the_copy_of_a_file_that_was_read_to_its_end_adds_nothing(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    shutil.copyfile(path, path.with_name("live.json.1"))
    path.write_bytes(b"")
    assert follower.poll() == b""
    append(path, lines(3, 1))
    assert follower.poll() == lines(3, 1)


@pytest.mark.parametrize("name", ["live.json.1", "live-20261122.json", "live.json.bak", "copy of live.json"])
def test_a_copy_of_the_live_file_is_never_read(follower: Follower, path: Path, name: str) -> None:
    copy = path.with_name(name)
    path.write_bytes(lines(1, 2))
    follower.poll()
    shutil.copyfile(path, copy)
    append(path, lines(3, 1))
    assert follower.poll() == lines(3, 1)
    shutil.copyfile(path, copy)
    follower.restart()
    append(path, lines(4, 1))
    touch_after(path, copy)
    assert follower.poll() == lines(4, 1)
    rename(path, "live.json.9")
    path.write_bytes(lines(5, 1))
    assert follower.poll() == lines(5, 1)
    follower.restart()
    path.write_bytes(lines(6, 1))
    assert follower.poll() == lines(6, 1)


def test_at_the_very_first_look_rotated_files_are_read_too_but_no_copy(follower: Follower, path: Path) -> None:
    path.with_name("live-20261121.json").write_bytes(lines(7, 1))
    path.write_bytes(lines(1, 2))
    shutil.copyfile(path, path.with_name("live.json.1"))
    assert follower.poll() == lines(7, 1) + lines(1, 2)


def test_a_backlog_of_many_rotated_files_is_read_in_order_with_few_of_them_open(
    follower: Follower, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.follow.rotation.MOST_AT_ONCE", 3)
    monkeypatch.setattr("consumers.follow.tail.MOST_AT_ONCE", 3)
    for number in range(1, 12):
        path.with_name(f"live-202611{number:02}.json").write_bytes(lines(number, 1) + b"half")
    path.write_bytes(lines(12, 1))
    assert follower.poll() == lines(1, 12)
    assert len(follower.tail._sources) <= 4


def test_a_backlog_is_finished_after_a_restart_in_its_midst(
    follower: Follower, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.follow.rotation.MOST_AT_ONCE", 3)
    monkeypatch.setattr("consumers.follow.tail.MOST_AT_ONCE", 3)
    path.write_bytes(lines(1, 1))
    follower.poll()
    rename(path, "live-20261101.json")
    for number in range(2, 12):
        path.with_name(f"live-202611{number:02}.json").write_bytes(lines(number, 1))
    path.write_bytes(lines(12, 1))
    read = b""
    while chunk := follower.tail.read():
        read += chunk.data
        follower.tail.advance(chunk)
        follower.lives[chunk.source.source_id] = chunk.source.as_known()
        follower.restart()
    assert read == lines(2, 11)


def test_a_copy_moved_over_the_live_file_is_the_same_life(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    shutil.copyfile(path, path.with_name("edited"))
    path.with_name("edited").replace(path)
    append(path, lines(3, 1))
    assert follower.poll() == lines(3, 1)


def test_other_files_in_the_folder_are_not_read(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 1))
    follower.poll()
    for name in ("live2.json", "other.json", "live.json.tmp", "notes.txt"):
        path.with_name(name).write_bytes(lines(50, 2))
    rename(path, "live.json.1")
    path.write_bytes(lines(2, 1))
    assert follower.poll() == lines(2, 1)


# Links


def test_a_link_that_is_swapped_is_followed(follower: Follower, path: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "monday.feed", tmp_path / "tuesday.feed"
    first.write_bytes(lines(1, 1))
    second.write_bytes(lines(3, 1))
    path.symlink_to(first)
    follower.poll()
    append(first, lines(2, 1))
    path.unlink()
    path.symlink_to(second)
    assert follower.poll() == lines(2, 2)
    append(first, lines(4, 1))
    append(second, lines(5, 1))
    assert follower.poll() == lines(4, 2)


def test_a_link_that_is_swapped_back_goes_on(follower: Follower, path: Path, tmp_path: Path) -> None:
    targets = tmp_path / "a.feed", tmp_path / "b.feed"
    for number, target in enumerate((*targets, *targets)):
        append(target, lines(number, 1))
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        assert follower.poll() == lines(number, 1)
    assert follower.begun == [FIRST_SEEN, CREATED_ANEW]


# Two feeds, one database


def test_another_live_file_of_the_same_folder_and_database_is_left_alone(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    append(path, lines(3, 1))
    follower.tail.close()
    other_path = path.with_name("live-b.json")
    other_path.write_bytes(lines(10, 2))
    known = [life._replace(is_of_this_path=False) for life in follower.lives.values()]
    with closing(Follower(other_path, known)) as other:
        assert other.poll() == lines(10, 2)
    follower.restart()
    assert follower.poll() == lines(3, 1)


# A database that is locked in between


@pytest.mark.parametrize("locked_at", [0, 1])
def test_a_database_locked_while_renamed_files_are_found_loses_and_doubles_nothing(
    follower: Follower, path: Path, locked_at: int
) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    follower.tail.close()
    append(path, lines(3, 1))
    rename(path, "live-20261122T091503Z.json")
    path.write_bytes(lines(4, 1))
    rename(path, "live-20261122T091504Z.json")
    path.write_bytes(lines(5, 1))
    follower.restart()
    follower.is_locked_in = locked_at
    with pytest.raises(LockedError):
        follower.poll()
    assert follower.poll() == lines(3, 3)
    assert len(follower.begun) == 2


def test_a_database_locked_while_a_new_life_begins_loses_and_doubles_nothing(follower: Follower, path: Path) -> None:
    path.write_bytes(lines(1, 2))
    follower.poll()
    path.write_bytes(lines(3, 1))
    follower.is_locked_in = 0
    with pytest.raises(LockedError):
        follower.poll()
    assert follower.poll() == lines(3, 1)
    assert follower.begun == [FIRST_SEEN, TRUNCATED]
