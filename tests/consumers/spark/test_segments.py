import json
import os
from pathlib import Path

import pytest

from consumers.spark.segments import Catalog, Segment, file_of, find_segments

NOW_S = 2_000_000_000.0


def made(folder: Path, *names: str, age_s: float = 100) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (NOW_S - age_s, NOW_S - age_s))


def test_what_rotation_leaves_with_a_moment_is_a_segment_of_the_plant_of_its_folder(tmp_path: Path) -> None:
    made(tmp_path / "north", "live.json", "live.json-20261122", "live-20261123T091502Z.json", "other.json-20261122")
    made(tmp_path / "south", "live.json-20261122.gz")
    found = find_segments(tmp_path / "*" / "live.json", 60, NOW_S)
    assert [(segment.plant, Path(segment.path).name) for segment in found.segments] == [
        ("north", "live-20261123T091502Z.json"),
        ("north", "live.json-20261122"),
        ("south", "live.json-20261122"),
    ]


def test_a_number_is_no_name_that_lasts(tmp_path: Path) -> None:
    made(tmp_path / "north", "live.json.1", "live.json.2.gz", "live.json.old")
    found = find_segments(tmp_path / "*" / "live.json", 60, NOW_S)
    assert found.segments == []
    assert [path.name for path in found.numbered] == ["live.json.1", "live.json.2.gz", "live.json.old"]


def test_a_file_that_was_written_lately_waits(tmp_path: Path) -> None:
    made(tmp_path / "north", "live.json-20261122", age_s=59)
    assert find_segments(tmp_path / "*" / "live.json", 60, NOW_S).segments == []
    assert len(find_segments(tmp_path / "*" / "live.json", 60, NOW_S + 1).segments) == 1


def test_a_segment_that_is_being_packed_is_one_and_its_plain_file_is_read(tmp_path: Path) -> None:
    made(tmp_path / "north", "live.json-20261122", "live.json-20261122.gz")
    (segment,) = find_segments(tmp_path / "*" / "live.json", 60, NOW_S).segments
    assert file_of(segment.path).name == "live.json-20261122"
    file_of(segment.path).unlink()
    assert file_of(segment.path).name == "live.json-20261122.gz"
    file_of(segment.path).unlink()
    with pytest.raises(FileNotFoundError):
        file_of(segment.path)


def test_a_segment_comes_into_the_catalog_once_also_after_a_restart(tmp_path: Path) -> None:
    segment = Segment("north", "/plants/north/live.json-20261122")
    catalog = Catalog.open(tmp_path / "catalog")
    assert (catalog.add([segment]), catalog.add([segment])) == (1, 0)
    assert Catalog.open(tmp_path / "catalog").add([segment]) == 0
    (path,) = (tmp_path / "catalog").iterdir()
    assert json.loads(path.read_text()) == {"plant": "north", "path": "/plants/north/live.json-20261122"}
