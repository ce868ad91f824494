import os
from pathlib import Path
from typing import Any

import pytest

from consumers.board.figure import DashboardFigure, snapshot_figure
from consumers.board.snapshot import DashboardError, save_picture

PNG = b"\x89PNG\r\n\x1a\n"
posix = pytest.mark.skipif(os.name == "nt", reason="needs links and devices of POSIX")


def figure() -> DashboardFigure:
    small = snapshot_figure()
    small.set_size_inches(1, 1)
    return small


def test_a_saved_picture_is_a_png_in_a_folder_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dashboard.png"
    save_picture(figure(), path)
    assert path.read_bytes().startswith(PNG)
    assert list(path.parent.iterdir()) == [path]


def test_a_picture_that_cannot_be_saved_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dashboard.png"
    path.write_bytes(PNG + b"old")
    drawn = figure()

    def fail(file: Any, **_options: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drawn, "savefig", fail)
    with pytest.raises(DashboardError, match=r"dashboard\.png: No space left on device; make .* SNAPSHOT_FILE"):
        save_picture(drawn, path)
    assert path.read_bytes().endswith(b"old")
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_that_cannot_be_drawn_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dashboard.png"
    path.write_bytes(PNG + b"old")
    broken = figure()
    monkeypatch.setattr(broken, "savefig", {}.__getitem__)
    with pytest.raises(TypeError):
        save_picture(broken, path)
    assert path.read_bytes().endswith(b"old")
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DashboardError, match="cannot save the dashboard as"):
        save_picture(figure(), tmp_path / "file" / "dashboard.png")


@pytest.mark.parametrize("content", [b'{"message": "a live file"}\n', b"SQLite format 3\0", b"\x89PN", b""])
def test_a_file_that_is_no_picture_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(DashboardError, match="is no PNG picture, so the dashboard does not replace it"):
        save_picture(figure(), path)
    assert path.read_bytes() == content


def test_a_picture_and_nothing_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    for _ in range(2):
        save_picture(figure(), path)
        assert path.read_bytes().startswith(PNG)
        path.write_bytes(PNG + b"an older one")


@posix
def test_what_is_no_plain_file_is_not_replaced(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "device.png").symlink_to("/dev/null")
    (tmp_path / "link.png").symlink_to(picture)
    (tmp_path / "to nothing.png").symlink_to(tmp_path / "nothing.png")
    before = sorted(tmp_path.iterdir())
    for name in ("folder.png", "pipe.png", "device.png", "link.png", "to nothing.png"):
        with pytest.raises(DashboardError, match="is no PNG picture"):
            save_picture(figure(), tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
    assert picture.read_bytes() == PNG


@posix
def test_a_link_planted_under_the_unfinished_name_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr("os.urandom", bytes)  # as if somebody could foresee it
    planted = tmp_path / f".picture.png.{'00' * 8}.tmp"
    planted.symlink_to(victim)
    with pytest.raises(DashboardError, match="File exists"):
        save_picture(figure(), tmp_path / "picture.png")
    assert victim.read_bytes() == b"precious"
    assert planted.is_symlink()


def test_the_unfinished_name_is_another_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set[str]()
    drawn = figure()

    def note(file: Any, **_options: object) -> None:
        names.update(path.name for path in tmp_path.iterdir())
        file.write(PNG)

    monkeypatch.setattr(drawn, "savefig", note)
    save_picture(drawn, tmp_path / "one.png")
    save_picture(drawn, tmp_path / "two.png")
    assert len([name for name in names if name.endswith(".tmp")]) == 2
