import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.follow import candidates
from consumers.follow.candidates import Candidate, MovedError, age_by_name, candidates_of, first_moment
from tests.support import lines

MAY_HOLD_A_STREAM = [
    ("live.json", "live.json.1"),
    ("live.json", "live.json.10.gz"),
    ("live.json", "live.json-20261122"),
    ("live.json", "live.json-20261122.xz"),
    ("live.json", "live.json-1795338902.bz2"),
    ("live.json", "live.json.old"),
    ("live.json", "live.1.json"),
    ("live.json", "live-20261122T091502Z.json"),
    ("live.json", "live.2026-11-22_09-15-02.json"),
    ("live.json", "live.2026-11-22_09-15-02.json.gz"),
    ("plant", "plant.1"),
    ("plant", "plant.1.gz"),
    ("plant", "plant-20261122"),
    ("plant", "plant.old"),
]
ARE_OTHER_FILES = [
    ("live.json", "live.json"),
    ("live.json", "live-2.json"),
    ("live.json", "live2.json"),
    ("live.json", "alive.json.1"),
    ("live.json", "live-2.json.1"),
    ("live.json", "live.json.swp"),
    ("live.json", "live.json.1.zip"),
    ("live.json", "live-north.json"),
    ("live.json", "live.jsonl.1"),
    ("live.json", "live_json.1"),
    ("live.json", "live.12345.json"),
    ("plant", "plant-2"),
    ("plant", "plant_2"),
    ("plant", "plant.12345"),
    ("plant", "plant-north"),
    ("plant", "plant.json"),
]


def names_beside(path: Path) -> list[str]:
    return [candidate.path.name for candidate in candidates_of(path)]


@pytest.mark.parametrize(("live", "name"), MAY_HOLD_A_STREAM)
def test_a_rotated_files_name_is_a_candidate(tmp_path: Path, live: str, name: str) -> None:
    (tmp_path / name).touch()
    assert names_beside(tmp_path / live) == [name]


@pytest.mark.parametrize(("live", "name"), ARE_OTHER_FILES)
def test_another_name_is_none(tmp_path: Path, live: str, name: str) -> None:
    (tmp_path / name).touch()
    assert names_beside(tmp_path / live) == []


def test_what_is_no_file_is_no_candidate_and_a_missing_folder_has_none(tmp_path: Path) -> None:
    (tmp_path / "live.json.1").mkdir()
    os.mkfifo(tmp_path / "live.json.2")
    assert candidates_of(tmp_path / "live.json") == candidates_of(tmp_path / "missing" / "live.json") == []


def test_beside_a_link_the_files_beside_its_target_are_candidates_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "feed.json").touch()
    (tmp_path / "real" / "feed.json.1").touch()
    (tmp_path / "live.json").symlink_to(tmp_path / "real" / "feed.json")
    (tmp_path / "live.json.2").touch()
    assert sorted(names_beside(tmp_path / "live.json")) == ["feed.json.1", "live.json.2"]


@pytest.mark.parametrize(
    "oldest_first",
    [
        ["a.json.10.gz", "a.json.2", "a.json.1"],
        ["a.json-20261121", "a.json-20261122.gz", "a.json-20261123"],
        ["a-20261122T091502Z.json", "a-20261122T091503Z.json"],
        ["a.2.json", "a.1.json"],
    ],
)
def test_names_tell_which_file_is_older(oldest_first: list[str]) -> None:
    youngest_first = oldest_first[::-1]
    assert sorted(youngest_first, key=lambda name: age_by_name(Path(name))) == oldest_first


def test_the_first_moment_is_that_of_the_first_reading() -> None:
    assert first_moment(b"no reading\n" + lines(1, 2)) == "2026-11-22T09:15:02.000Z"
    assert first_moment(b"no reading\n" + lines(1, 1)[:-1]) == ""


def test_a_file_renamed_between_listing_and_opening_is_not_taken_for_another(tmp_path: Path) -> None:
    (tmp_path / "live.json.1").write_bytes(b"one\n")
    [listed] = candidates_of(tmp_path / "live.json")
    (tmp_path / "live.json.1").rename(tmp_path / "live.json.2")
    with pytest.raises(MovedError):
        listed.open()
    (tmp_path / "live.json.1").write_bytes(b"another\n")
    with pytest.raises(MovedError):
        listed.open()
    with pytest.raises(MovedError):
        listed.signature()


def test_a_link_to_nowhere_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "live.json.1").symlink_to("nowhere")
    [listed] = candidates_of(tmp_path / "live.json")
    with pytest.raises(FileNotFoundError):
        listed.open()


def test_a_listing_is_made_again_until_two_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Candidate(tmp_path / "live.json.1", 1), Candidate(tmp_path / "live.json.2", 2)
    listings: Iterator[set[Any]] = iter([{one}, {two}, {one, two}, {one, two}, set()])
    monkeypatch.setattr(candidates, "_listed", lambda _folder, _pattern: next(listings))
    monkeypatch.setattr(os.path, "realpath", str)
    assert candidates_of(tmp_path / "live.json") == [one, two]
