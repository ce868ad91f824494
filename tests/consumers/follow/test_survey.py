"""One look into every file beside the live one."""

import errno
import gzip
import os
from pathlib import Path

import pytest

from consumers.follow import candidates
from consumers.follow.open_file import OpenFile, open_candidate
from consumers.follow.streams import Streams
from consumers.follow.survey import Memory, Survey
from consumers.follow.trouble import Unreadable
from tests.consumers.follow.support import read_whole
from tests.support import lines


class Looks:
    """Looks at a folder, one after the other, and which files they opened."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = folder / "live.json"
        self.streams = Streams([])
        self.time_s = 0.0
        self.memory = Memory(lambda: self.time_s)
        self.opened: list[str] = []
        self.error: OSError | None = None
        monkeypatch.setattr(candidates, "open_candidate", self._open)

    def _open(self, path: Path) -> OpenFile:
        if self.error is not None:
            raise self.error
        self.opened.append(path.name)
        return open_candidate(path)

    def look(self) -> Survey:
        survey = Survey(self.path, self.streams, self.memory)
        self.opened.clear()
        self.time_s += 10
        for _ in survey.steps(None):
            pass
        return survey

    def unread(self) -> list[str]:
        return [found.candidate.path.name for found in self.look().unread]

    def write(self, name: str, data: bytes) -> Path:
        path = self.path.with_name(name)
        path.write_bytes(data)
        return path


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(tmp_path, monkeypatch)


def test_new_files_are_unread_in_the_order_of_their_names_where_their_times_are_the_same(looks: Looks) -> None:
    for number in (1, 2, 10):
        looks.write(f"live.json.{number}", lines(number, 1))
    assert looks.unread() == ["live.json.10", "live.json.2", "live.json.1"]


def test_what_was_begun_comes_before_what_is_new(looks: Looks) -> None:
    begun = looks.write("live.json.1", lines(10, 1))
    read_whole(begun, looks.streams)
    looks.write("live.json.1", lines(10, 2))
    looks.write("live.json.2", lines(1, 1))
    assert looks.unread() == ["live.json.1", "live.json.2"]


def test_a_file_that_was_read_is_whole_and_not_unread(looks: Looks) -> None:
    read_whole(looks.write("live.json.1", lines(1, 5)), looks.streams)
    looks.write("live.json.2", lines(1, 3))
    survey = looks.look()
    assert (survey.unread, survey.whole_ids, survey.has_files) == ([], {1}, True)


@pytest.mark.parametrize("name", ["live.json.1", "live.json.1.gz"])
def test_a_file_with_nothing_unread_is_opened_again_only_when_it_has_changed(looks: Looks, name: str) -> None:
    pack = gzip.compress if name.endswith(".gz") else bytes
    path = looks.write(name, pack(lines(1, 5)))
    read_whole_streams = looks.write("plain", lines(1, 5))
    read_whole(read_whole_streams, looks.streams)
    looks.look()
    looks.look()
    assert looks.look().whole_ids == {1}
    assert looks.opened == []
    path.write_bytes(pack(lines(1, 6)))
    assert looks.unread() == [name]


def test_a_packed_file_that_is_only_renamed_is_not_unpacked_again(looks: Looks) -> None:
    read_whole(looks.write("plain", lines(1, 5)), looks.streams)
    path = looks.write("live.json.1.gz", gzip.compress(lines(1, 5)))
    looks.look()
    looks.look()
    path.rename(path.with_name("live.json.2.gz"))
    looks.look()
    assert looks.opened == []


@pytest.mark.parametrize(
    ("size", "troubles"), [(5, []), (4, ["live.json.1"])], ids=["of the size of one that was read", "of another size"]
)
def test_an_unreadable_file_is_told_unless_it_was_read_to_its_end(
    looks: Looks, size: int, troubles: list[str]
) -> None:
    read_whole(looks.write("plain", lines(1, 5)), looks.streams)
    path = looks.write("live.json.1", lines(1, size))
    looks.error = PermissionError(errno.EACCES, "Permission denied", str(path))
    assert [Path(trouble.path).name for trouble in looks.look().troubles] == troubles


def test_too_many_open_files_are_told_and_the_file_is_unread_later(looks: Looks) -> None:
    path = looks.write("live.json.1", lines(1, 2))
    looks.error = OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))
    assert looks.look().troubles == [Unreadable(str(path), "Too many open files")]
    looks.error = None
    assert looks.unread() == ["live.json.1"]


def test_a_torn_archive_is_told_unless_its_original_is_there(looks: Looks) -> None:
    data = lines(1, 50)
    read_whole(looks.write("plain", data), looks.streams)
    archive = looks.write("live.json.1.gz", gzip.compress(data)[:-4])
    looks.write("live.json.1", data)
    assert looks.look().troubles == []
    looks.path.with_name("live.json.1").unlink()
    looks.memory = Memory(lambda: looks.time_s)
    assert looks.look().troubles == [Unreadable(str(archive), "it is damaged, or still being packed")]


def test_a_look_costs_the_same_for_each_file_however_many_there_are(
    looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = list[int]()
    read_really = OpenFile.read_at

    def count(file: OpenFile, offset: int, size: int) -> bytes:
        reads.append(size)
        return read_really(file, offset, size)

    monkeypatch.setattr(OpenFile, "read_at", count)
    costs = []
    for files in (10, 200):
        for number in range(files):
            read_whole(looks.write(f"live.json.{number + 1}", lines(number + 1, 1)), looks.streams)
        looks.memory = Memory(lambda: looks.time_s)
        reads.clear()
        assert looks.look().unread == []
        assert len(looks.opened) == files
        costs.append(len(reads) / files)
    assert costs[1] <= costs[0]


def test_a_file_that_is_rotated_during_a_look_is_a_reason_to_look_again(looks: Looks) -> None:
    looks.write("live.json.2", lines(1, 1))
    survey = Survey(looks.path, looks.streams, looks.memory)
    steps = survey.steps(None)
    next(steps)
    looks.write("live.json.1", lines(2, 1))
    for _ in steps:
        pass
    assert [found.candidate.path.name for found in survey.unread] == ["live.json.2"]
    assert survey.has_moved
    assert looks.unread() == ["live.json.2", "live.json.1"]
    assert not looks.look().has_moved
