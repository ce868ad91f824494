import os
import shutil
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import pytest

from consumers.follow.rotation import MOST_AT_ONCE, Siblings
from consumers.follow.source_file import KnownSource, SourceFile
from tests.support import lines

SECOND_NS = 1_000_000_000
THEN_NS = 1_795_000_000 * SECOND_NS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "live.json"


def write(path: Path, data: bytes, age_s: int = 0) -> Path:
    path.write_bytes(data)
    os.utime(path, ns=(THEN_NS, THEN_NS + age_s * SECOND_NS))
    return path


def life_of(path: Path, offset: int, source_id: int = 1) -> KnownSource:
    """The life of a file that was read so far, under the path that is followed."""
    source = SourceFile(FileIO(path), source_id, offset)
    known = source.as_known()
    source.close()
    return known


def found_beside(
    path: Path, ended: Sequence[KnownSource] = (), open_now: Sequence[KnownSource] = (), since_ns: int | None = None
) -> list[tuple[str, int | None]]:
    """Name and known life of each file that is to be finished."""
    found = Siblings(path).find_earlier(ended, open_now, since_ns)
    return [(earlier.path.name, earlier.known.source_id if earlier.known else None) for earlier in found]


ROTATED_NAMES = [
    "live-20261122T091502Z.json",
    "live-20261122T091502.123456Z.json",
    "live-20261122.json",
    "live-20261122-091502.json",
    "live.20261122.json",
    "live.json.1",
    "live.json.12",
    "live.json-20261122",
    "live.json.2026-11-22",
    "live.json.2026-11-22_09-15-02",
    "live.json.old",
    "live.json_1",
    "live.1.json",
    "live-2026-11-22.json",
    "live_20261122.json",
    "live.2026-11-22_09-15-02_123456.json",
]
OTHER_NAMES = [
    "live.json.bak",
    "live.json~",
    "live.json.1.gz",
    "live.json.swp",
    ".live.json.1",
    "live-copy.json",
    "live-2.json",
    "live2.json",
    "alive-20261122.json",
    "live-20261122.csv",
    "live.json.old1",
    "other.json.1",
    "liveXjson.1",
    "live (1).json",
]


@pytest.mark.parametrize("name", ROTATED_NAMES)
def test_a_rotated_files_name_is_known(path: Path, name: str) -> None:
    write(path.with_name(name), lines(1, 2))
    assert found_beside(path, since_ns=THEN_NS) == [(name, None)]


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_any_other_name_beside_is_not_taken_for_a_rotated_file(path: Path, name: str) -> None:
    write(path.with_name(name), lines(1, 2))
    assert found_beside(path, since_ns=THEN_NS) == []


def test_a_name_with_marks_of_patterns_is_a_plain_name(tmp_path: Path) -> None:
    write(tmp_path / "liveX1+.json.1", lines(1, 2))
    write(tmp_path / "live[1]+.json.1", lines(1, 2))
    assert found_beside(tmp_path / "live[1]+.json", since_ns=THEN_NS) == [("live[1]+.json.1", None)]


def test_a_live_file_without_a_suffix_has_rotated_files_too(tmp_path: Path) -> None:
    write(tmp_path / "feed.1", lines(1, 2))
    write(tmp_path / "feed-20261122T091502Z", lines(3, 2))
    write(tmp_path / "feeder.1", lines(5, 2))
    assert sorted(found_beside(tmp_path / "feed", since_ns=THEN_NS)) == [
        ("feed-20261122T091502Z", None),
        ("feed.1", None),
    ]


def test_a_renamed_file_is_known_by_its_identity_under_whatever_name(path: Path) -> None:
    life = life_of(write(path, lines(1, 3)), len(lines(1, 1)))
    path.rename(path.with_name("what ever"))
    assert found_beside(path, [life]) == [("what ever", 1)]


def test_of_files_that_were_read_to_their_end_only_the_newest_may_get_late_lines(path: Path) -> None:
    lives = []
    for number in (1, 2, 3):
        lives.append(life_of(write(path, lines(number, 3)), len(lines(number, 3)), source_id=number))
        path.rename(path.with_name(f"live.json.{10 - number}"))
    assert found_beside(path, lives, since_ns=0) == [("live.json.7", 3)]


def test_a_file_with_the_inode_of_another_is_not_taken_for_it(path: Path) -> None:
    life = life_of(write(path, lines(1, 3)), len(lines(1, 1)))
    path.rename(path.with_name("diary"))
    write(path.with_name("diary"), lines(7, 3))
    assert found_beside(path, [life]) == []


def test_an_inode_of_which_nothing_was_read_proves_nothing_under_another_name(path: Path) -> None:
    life = life_of(write(path, lines(1, 3)), 0)
    path.rename(path.with_name("diary"))
    assert found_beside(path, [life]) == []
    path.with_name("diary").rename(path.with_name("live.json.1"))
    assert found_beside(path, [life]) == [("live.json.1", 1)]


def test_a_copy_of_a_known_life_is_finished_where_its_original_was_emptied(path: Path) -> None:
    life = life_of(write(path, lines(1, 3)), len(lines(1, 1)))
    shutil.copyfile(path, path.with_name("live.json.1"))
    write(path, b"")
    assert found_beside(path, [life]) == [("live.json.1", 1)]


def test_a_second_copy_of_the_same_life_adds_nothing(path: Path) -> None:
    life = life_of(write(path, lines(1, 3)), len(lines(1, 1)))
    for name in ("live.json.1", "live.json.2", "live-20261122.json"):
        shutil.copyfile(path, path.with_name(name))
    write(path, b"")
    assert len(found_beside(path, [life], since_ns=0)) == 1


def test_the_original_is_taken_rather_than_a_copy(path: Path) -> None:
    life = life_of(write(path, lines(1, 3)), len(lines(1, 1)))
    path.rename(path.with_name("live.json.9"))
    shutil.copyfile(path.with_name("live.json.9"), path.with_name("live.json.1"))
    assert found_beside(path, [life]) == [("live.json.9", 1)]


def test_neither_a_file_that_is_being_read_nor_a_copy_of_it_is_taken(path: Path) -> None:
    open_life = life_of(write(path, lines(1, 3)), len(lines(1, 1)))
    shutil.copyfile(path, path.with_name("live.json.1"))
    path.rename(path.with_name("live.json.2"))
    assert found_beside(path, [], [open_life], since_ns=0) == []


def test_a_copy_that_has_fallen_behind_the_file_that_is_read_is_not_taken(path: Path) -> None:
    write(path, lines(1, 1))
    shutil.copyfile(path, path.with_name("live.json.1"))
    write(path, lines(1, 3))
    open_life = life_of(path, len(lines(1, 3)))
    assert found_beside(path, [], [open_life], since_ns=None) == []


def test_a_file_that_came_and_went_unseen_is_taken_only_if_it_changed_since(path: Path) -> None:
    write(path.with_name("live.json.1"), lines(1, 1), age_s=10)
    assert found_beside(path, since_ns=None) == []
    assert found_beside(path, since_ns=THEN_NS + 11 * SECOND_NS) == []
    assert found_beside(path, since_ns=THEN_NS + 10 * SECOND_NS) == [("live.json.1", None)]


def test_files_come_in_the_order_in_which_they_were_written(path: Path) -> None:
    write(path.with_name("live.json.1"), lines(1, 1), age_s=2)
    write(path.with_name("live.json.2"), lines(2, 1), age_s=1)
    life = life_of(write(path, lines(3, 3)), len(lines(3, 1)), source_id=7)
    os.utime(path, ns=(THEN_NS, THEN_NS + 3 * SECOND_NS))
    path.rename(path.with_name("live.json.3"))
    names = [name for name, _ in found_beside(path, [life], since_ns=THEN_NS)]
    assert names == ["live.json.3", "live.json.2", "live.json.1"], "the one that was begun comes first"


def test_at_the_same_moment_a_higher_number_is_the_older_file(path: Path) -> None:
    for number in (1, 2, 10):
        write(path.with_name(f"live.json.{number}"), lines(number, 1))
    names = [name for name, _ in found_beside(path, since_ns=THEN_NS)]
    assert names == ["live.json.10", "live.json.2", "live.json.1"]


def test_folders_and_what_is_no_file_are_passed_over(path: Path) -> None:
    path.with_name("live.json.1").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(path.with_name("live.json.2"))
    path.with_name("live.json.3").symlink_to("nowhere")
    assert found_beside(path, since_ns=0) == []


def test_beside_a_file_whose_folder_is_not_there_is_nothing(tmp_path: Path) -> None:
    assert found_beside(tmp_path / "gone" / "live.json", since_ns=0) == []


def test_beside_a_link_and_beside_its_target_is_looked(tmp_path: Path) -> None:
    target = tmp_path / "data" / "feed.json"
    target.parent.mkdir()
    write(target, lines(1, 1))
    link = tmp_path / "live.json"
    link.symlink_to(target)
    write(tmp_path / "live.json.1", lines(2, 1))
    write(target.with_name("feed.json.1"), lines(3, 1), age_s=1)
    write(target.with_name("live.json.2"), lines(4, 1))
    assert found_beside(link, since_ns=0) == [("live.json.1", None), ("feed.json.1", None)]


def test_files_that_were_looked_into_are_closed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[FileIO] = []

    def noted(name: Path) -> FileIO:
        opened.append(FileIO(name))
        return opened[-1]

    monkeypatch.setattr("consumers.follow.rotation.FileIO", noted)
    write(path.with_name("live.json.1"), lines(1, 1))
    write(path.with_name("live.json.2"), lines(2, 1), age_s=5)
    assert len(Siblings(path).find_earlier([], [], THEN_NS + SECOND_NS)) == 1
    assert [file.closed for file in opened] == [True, True]


def test_many_files_are_found_a_part_at_a_time_the_oldest_first(path: Path) -> None:
    names = [f"live.json-{20_260_000 + number}" for number in range(MOST_AT_ONCE + 3)]
    for name in names:
        write(path.with_name(name), lines(1, 1))
    assert [name for name, _ in found_beside(path, since_ns=0)] == names[:MOST_AT_ONCE]


def test_a_finished_file_is_not_looked_into_again_until_it_changes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = write(path.with_name("live.json.1"), lines(1, 1))
    newer = write(path.with_name("live.json.0"), lines(2, 1))
    lives = [life_of(finished, finished.stat().st_size, 1), life_of(newer, newer.stat().st_size, 2)]
    siblings = Siblings(path)
    assert [earlier.path.name for earlier in siblings.find_earlier(lives, [], 0)] == ["live.json.0"]
    with monkeypatch.context() as patch:
        patch.setattr("consumers.follow.rotation.FileIO", None)  # nothing is opened
        assert siblings.find_earlier(lives, [], 0) == []
    with finished.open("ab") as file:
        file.write(lines(3, 1))
    assert [earlier.path.name for earlier in siblings.find_earlier(lives, [], 0)] == ["live.json.1"]


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_odd_links_beside_the_live_file_stop_nothing(path: Path) -> None:
    write(path, lines(1, 1))
    path.with_name("circle").symlink_to("circle")
    path.with_name("live.json.7").symlink_to("live.json/x")
    path.with_name("live.json.8").symlink_to("nowhere")
    write(path.with_name("live.json.1"), lines(2, 1))
    assert found_beside(path, since_ns=0) == [("live.json.1", None)]
