import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loguru import logger

from producers import live_file as live_file_module
from producers.live_file import LiveFile, LiveFileError, NoRoomError, StoppedError

PROJECT = Path(__file__).parents[2]
MORNING_S = 1_795_338_902.123456
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "live.json"


@pytest.fixture
def said() -> Iterator[list[str]]:
    messages: list[str] = []
    logger.remove()
    logger.add(lambda message: messages.append(message.record["message"]), format="{message}")
    yield messages
    logger.remove()


def rotated_files(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))


def spied_writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collects what is written from now on."""
    writes: list[bytes] = []
    real_write = os.write

    def write(fd: int, data: bytes) -> int:
        writes.append(data)
        return real_write(fd, data)

    monkeypatch.setattr(os, "write", write)
    return writes


# Appending and healing


def test_lines_are_appended_in_order_and_each_append_is_one_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = spied_writes(monkeypatch)
    live_file = LiveFile(path, 0)
    live_file.append(b"one\ntwo\n")
    live_file.append(b"three\n")
    live_file.close()
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert writes == [b"one\ntwo\n", b"three\n"]


def test_nothing_is_opened_before_the_first_line(path: Path) -> None:
    LiveFile(path, 0).close()
    assert not path.exists()


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "live.json"
    LiveFile(path, 0).append(b"one\n")
    assert path.read_bytes() == b"one\n"


def test_a_torn_line_is_closed_first_and_in_the_same_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b'one\n{"message": "Mach')
    writes = spied_writes(monkeypatch)
    LiveFile(path, 0).append(b"two\n")
    assert path.read_bytes() == b'one\n{"message": "Mach\ntwo\n'
    assert writes == [b"\ntwo\n"]


def test_a_line_torn_by_another_producer_meanwhile_is_closed_too(path: Path) -> None:
    live_file = LiveFile(path, 0)
    live_file.append(b"one\n")
    with path.open("ab") as torn:
        torn.write("°".encode()[:1])
    live_file.append(b"two\n")
    assert path.read_bytes() == b"one\n\xc2\ntwo\n"


def test_an_empty_file_needs_no_healing(path: Path) -> None:
    path.touch()
    LiveFile(path, 0).append(b"one\n")
    assert path.read_bytes() == b"one\n"


# What others do to the file


def test_a_deleted_file_is_begun_anew(path: Path) -> None:
    live_file = LiveFile(path, 0)
    live_file.append(b"one\n")
    path.unlink()
    live_file.append(b"two\n")
    assert path.read_bytes() == b"two\n"


@POSIX_ONLY
def test_a_file_renamed_by_someone_is_left_and_a_new_one_is_begun(path: Path, tmp_path: Path) -> None:
    live_file = LiveFile(path, 0)
    live_file.append(b"one\n")
    path.rename(tmp_path / "old")
    live_file.append(b"two\n")
    path.rename(tmp_path / "older")
    path.write_bytes(b"someone's\n")
    live_file.append(b"three\n")
    assert (tmp_path / "old").read_bytes() == b"one\n"
    assert (tmp_path / "older").read_bytes() == b"two\n"
    assert path.read_bytes() == b"someone's\nthree\n"


def test_a_truncated_file_is_continued_from_its_new_end(path: Path) -> None:
    live_file = LiveFile(path, 0)
    live_file.append(b"one\n" * 100)
    os.truncate(path, 0)
    live_file.append(b"two\n")
    assert path.read_bytes() == b"two\n"


@POSIX_ONLY
def test_a_symbolic_link_is_followed_and_stays_one_when_its_file_is_rotated(tmp_path: Path) -> None:
    real = tmp_path / "disk" / "real.json"
    link = tmp_path / "live.json"
    real.parent.mkdir()
    link.symlink_to(real)
    live_file = LiveFile(link, 4, lambda: MORNING_S)
    live_file.append(b"one\n")
    live_file.append(b"two\n")
    assert link.is_symlink()
    assert real.read_bytes() == b"two\n"
    assert [file.read_bytes() for file in rotated_files(real)] == [b"one\n"]


@POSIX_ONLY
def test_a_link_set_to_another_file_is_followed_there(tmp_path: Path) -> None:
    link = tmp_path / "live.json"
    link.symlink_to(tmp_path / "first")
    live_file = LiveFile(link, 0)
    live_file.append(b"one\n")
    link.unlink()
    link.symlink_to(tmp_path / "second")
    live_file.append(b"two\n")
    assert (tmp_path / "first").read_bytes() == b"one\n"
    assert (tmp_path / "second").read_bytes() == b"two\n"


# Rotation


def test_a_file_that_has_reached_its_size_is_renamed_after_the_moment_and_nothing_is_deleted(path: Path) -> None:
    live_file = LiveFile(path, 8, lambda: MORNING_S)
    live_file.append(b"one\n")
    live_file.append(b"two\n")
    live_file.append(b"three\n")
    assert path.read_bytes() == b"three\n"
    (rotated,) = rotated_files(path)
    assert rotated.name == "live-20261122T091502.123456Z.json"
    assert rotated.read_bytes() == b"one\ntwo\n"


def test_without_a_limit_the_file_grows(path: Path) -> None:
    live_file = LiveFile(path, 0)
    for _ in range(10):
        live_file.append(b"x" * 10_000 + b"\n")
    assert path.stat().st_size == 100_010
    assert rotated_files(path) == []


def test_a_file_that_was_full_before_the_start_is_rotated_with_its_torn_line_closed(path: Path) -> None:
    path.write_bytes(b"one\ntorn")
    LiveFile(path, 4, lambda: MORNING_S).append(b"two\n")
    assert rotated_files(path)[0].read_bytes() == b"one\ntorn\n"
    assert path.read_bytes() == b"two\n"


def test_rotation_never_replaces_a_file(path: Path) -> None:
    live_file = LiveFile(path, 1, lambda: MORNING_S)
    for number in range(4):
        live_file.append(b"%d\n" % number)
    assert [file.read_bytes() for file in rotated_files(path)] == [b"0\n", b"1\n", b"2\n"]


def test_rotation_is_told_in_the_log(path: Path, said: list[str]) -> None:
    live_file = LiveFile(path, 1, lambda: MORNING_S)
    live_file.append(b"1\n")
    live_file.append(b"2\n")
    assert said == [f"live file rotated: {path} is now live-20261122T091502.123456Z.json"]


@POSIX_ONLY
def test_a_name_that_could_move_the_terminal_is_told_with_escapes(tmp_path: Path, said: list[str]) -> None:
    live_file = LiveFile(tmp_path / "a\x1b[2J", 1, lambda: MORNING_S)
    live_file.append(b"1\n")
    live_file.append(b"2\n")
    assert said == [f"live file rotated: {tmp_path}/a\\x1b[2J is now a\\x1b[2J-20261122T091502.123456Z"]


@pytest.mark.parametrize("keep_their_name", [False, True])
def test_where_the_os_refuses_to_rename_the_file_grows_on_and_it_is_tried_again_later(
    path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, keep_their_name: bool
) -> None:
    def refuse(*_: object) -> Path:
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    now_s = MORNING_S
    live_file = LiveFile(path, 4, lambda: now_s)
    monkeypatch.setattr(live_file_module, "_OPEN_FILES_KEEP_THEIR_NAME", keep_their_name)
    with monkeypatch.context() as refusing:
        refusing.setattr(Path, "rename", refuse)
        for line in (b"one\n", b"two\n", b"three\n"):
            live_file.append(line)
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert len(said) == 1, "told once, and not tried at every line"
    now_s += 11
    live_file.append(b"four\n")
    assert path.read_bytes() == b"four\n"
    assert rotated_files(path)[0].read_bytes() == b"one\ntwo\nthree\n"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 30)), max_size=40), st.integers(0, 60))
def test_two_producers_lose_nothing_and_never_rotate_a_file_that_is_not_full(
    appends: list[tuple[int, int]], max_bytes: int
) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "live.json"
        moment = iter(range(10_000))
        pair = [LiveFile(path, max_bytes, lambda: MORNING_S + next(moment)) for _ in range(2)]
        written = b""
        for number, (who, length) in enumerate(appends):
            line = b"%03d" % number + b"x" * length + b"\n"
            pair[who].append(line)
            written += line
        files = rotated_files(path)
        whole = b"".join(file.read_bytes() for file in files) + (path.read_bytes() if appends else b"")
        assert whole == written
        assert all(file.stat().st_size >= max_bytes for file in files)
        for live_file in pair:
            live_file.close()


_WRITER = """
import sys
from pathlib import Path
from producers.live_file import LiveFile
name, path, max_bytes, lines = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
live_file = LiveFile(path, max_bytes)
sys.stdin.readline()
for first in range(0, lines, 5):
    five = range(first, first + 5)
    live_file.append(b"".join(b"%s %d %s\\n" % (name.encode(), n, b"x" * (n % 97)) for n in five))
"""


def test_two_processes_never_interleave_lose_a_line_or_rotate_twice(path: Path) -> None:
    lines, max_bytes = 4000, 20_000
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, name, str(path), str(max_bytes), str(lines)],
            stdin=subprocess.PIPE,
            cwd=PROJECT,
            text=True,
        )
        for name in "AB"
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    files = rotated_files(path)
    assert len(files) > 5
    assert all(max_bytes <= file.stat().st_size < max_bytes + 1000 for file in files)
    found = b"".join(file.read_bytes() for file in [*files, path]).splitlines()
    for name in (b"A", b"B"):
        own = [line for line in found if line.startswith(name)]
        assert own == [b"%s %d %s" % (name, n, b"x" * (n % 97)) for n in range(lines)]
    assert len(found) == 2 * lines


# No room


def short_write(limit: int, then: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
    """A disk with room for so many bytes more."""

    def write(fd: int, data: bytes) -> int:
        nonlocal limit
        if limit == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = then(fd, data[:limit])
        limit -= taken
        return taken

    return write


@pytest.mark.parametrize(("room", "left"), [(0, b""), (3, b""), (8, b""), (9, b"line one\n"), (12, b"line one\n")])
def test_a_full_disk_leaves_no_half_line_and_tells_how_much_it_took(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int, left: bytes
) -> None:
    live_file = LiveFile(path, 0)
    live_file.append(b"before\n")
    lines = b"line one\nline two\n"
    with monkeypatch.context() as full:
        full.setattr(os, "write", short_write(room, os.write))
        with pytest.raises(NoRoomError, match="No space left on device; make room, or set LIVE_FILE") as caught:
            live_file.append(lines)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"before\n" + left
    assert caught.value.appended_bytes == len(left)
    live_file.append(lines[caught.value.appended_bytes :])
    assert path.read_bytes() == b"before\nline one\nline two\n"


@pytest.mark.parametrize("room", [0, 1, 4])
def test_a_full_disk_while_a_torn_line_is_closed_is_no_harm(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    path.write_bytes(b"torn")
    live_file = LiveFile(path, 0)
    with monkeypatch.context() as full:
        full.setattr(os, "write", short_write(room, os.write))
        with pytest.raises(NoRoomError) as caught:
            live_file.append(b"line one\n")
    assert caught.value.appended_bytes == 0
    live_file.append(b"line one\n")
    assert path.read_bytes() == b"torn\nline one\n"


def test_a_full_disk_does_not_keep_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live_file, other = LiveFile(path, 0), LiveFile(path, 0)
    with monkeypatch.context() as full:
        full.setattr(os, "write", short_write(0, os.write))
        with pytest.raises(NoRoomError):
            live_file.append(b"one\n")
    other.append(b"two\n")
    assert path.read_bytes() == b"two\n"


def test_a_lock_that_another_program_holds_is_waited_for_until_someone_asks_to_stop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_stopped = iter([False, False, True])
    live_file, other = LiveFile(path, 0, is_stopped=lambda: next(is_stopped)), LiveFile(path, 0)
    with monkeypatch.context() as midst:  # of a write of the other
        midst.setattr(other, "_write", lambda _fd, _lines: live_file.append(b"one\n"))
        with pytest.raises(StoppedError, match="locked by another program"):
            other.append(b"two\n")
    live_file.append(b"three\n")
    assert path.read_bytes() == b"three\n"


def test_no_room_for_the_file_itself_can_be_waited_for_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    live_file = LiveFile(path, 0)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", full)
        with pytest.raises(NoRoomError):
            live_file.append(b"one\n")
    live_file.append(b"one\n")
    assert path.read_bytes() == b"one\n"


# Files that cannot be


def test_a_folder_in_the_files_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(LiveFileError, match=r"is no regular file; set LIVE_FILE \(--file\) to another") as caught:
        LiveFile(tmp_path, 0).append(b"one\n")
    assert str(tmp_path) in str(caught.value)


@POSIX_ONLY
def test_a_fifo_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(LiveFileError, match="no regular file"):
        LiveFile(fifo, 0).append(b"one\n")


@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.EIO])
def test_a_file_that_cannot_be_written_is_named_with_the_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LiveFileError) as caught:
        LiveFile(path, 0).append(b"one\n")
    assert not isinstance(caught.value, NoRoomError)
    assert f"cannot write the live file {path}: {os.strerror(error)}; make it writable" in str(caught.value)


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LiveFileError, match="cannot write the live file") as caught:
        LiveFile(tmp_path / "file" / "live.json", 0).append(b"one\n")
    assert f"({tmp_path / 'file'})" in str(caught.value)


@POSIX_ONLY
def test_a_disk_that_gives_a_file_another_identity_each_time_is_no_endless_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "samestat", lambda *_: False)
    with pytest.raises(LiveFileError, match="is another one each time it is opened"):
        LiveFile(path, 0).append(b"one\n")
