import os
from pathlib import Path

import pytest

from consumers.follow.finished import QUIET_S, FileState, delete_finished, is_finished, state_of

CHANGED_S = 1_800_000_000.0
QUIET = CHANGED_S + QUIET_S
FILE = FileState(Path("live-1.json"), 1, 2, 500, int(CHANGED_S * 1e9))


def test_a_file_whose_last_byte_is_accounted_for_and_that_was_quiet_for_an_hour_is_finished() -> None:
    assert is_finished(FILE, end_bytes=500, accounted_bytes=500, now_s=QUIET)


@pytest.mark.parametrize(
    ("why", "end_bytes", "accounted_bytes", "now_s"),
    [
        ("a byte is unread", 501, 500, QUIET),
        ("the account is ahead of the file, which is a shorter copy or was cut back", 499, 500, QUIET),
        ("nothing is known of it", 500, 0, QUIET),
        ("it is empty", 0, 0, QUIET),
        ("it was changed less than an hour ago", 500, 500, QUIET - 0.1),
        ("its time lies in the future", 500, 500, CHANGED_S - 1e6),
    ],
)
def test_else_it_is_not(why: str, end_bytes: int, accounted_bytes: int, now_s: float) -> None:
    assert not is_finished(FILE, end_bytes, accounted_bytes, now_s), why


def test_of_a_packed_file_the_unpacked_bytes_count() -> None:
    assert is_finished(FILE, end_bytes=9000, accounted_bytes=9000, now_s=QUIET)


def test_a_finished_file_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "live-1.json"
    path.write_bytes(b"{}\n")
    assert delete_finished(state_of(path))
    assert not path.exists()


def test_a_file_that_changed_since_it_was_looked_at_stays(tmp_path: Path) -> None:
    path = tmp_path / "live-1.json"
    path.write_bytes(b"{}\n")
    state = state_of(path)
    with path.open("ab") as file:
        file.write(b"late\n")
    assert not delete_finished(state)
    assert path.read_bytes() == b"{}\nlate\n"


def test_a_file_of_the_same_size_that_was_written_anew_stays(tmp_path: Path) -> None:
    path = tmp_path / "live-1.json"
    path.write_bytes(b"{}\n")
    state = state_of(path)
    os.utime(path, ns=(0, state.changed_ns + 1))
    assert not delete_finished(state)
    assert path.exists()


def test_another_file_that_has_the_name_by_now_stays(tmp_path: Path) -> None:
    path, other = tmp_path / "live.json.1", tmp_path / "live.json.2"
    path.write_bytes(b"{}\n")
    state = state_of(path)
    other.write_bytes(b"[]\n")
    os.utime(other, ns=(0, state.changed_ns))
    other.replace(path)
    assert not delete_finished(state)
    assert path.read_bytes() == b"[]\n"


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_of_a_link_the_link_is_meant_and_what_it_names_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere", tmp_path / "live.json.1"
    target.write_bytes(b"{}\n")
    link.symlink_to(target)
    assert not delete_finished(state_of(target)._replace(path=link))
    assert link.is_symlink()
    assert delete_finished(state_of(link))
    assert target.read_bytes() == b"{}\n"


def test_a_file_that_is_gone_already_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        delete_finished(FILE._replace(path=tmp_path / "gone"))
