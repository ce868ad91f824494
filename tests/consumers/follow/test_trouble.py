from pathlib import Path

from consumers.follow.trouble import Missing, Unreadable, unreadable


def test_a_trouble_reads_as_a_sentence() -> None:
    assert str(Missing("data/live.json")) == "data/live.json is not there"
    assert str(Unreadable("data/live.json", "Permission denied")) == "cannot read data/live.json: Permission denied"


def test_an_error_is_told_with_the_file_that_it_names() -> None:
    error = PermissionError(13, "Permission denied", "data/live.json.1")
    assert unreadable(error, Path("data/live.json")) == Unreadable("data/live.json.1", "Permission denied")


def test_an_error_that_names_no_file_is_told_with_the_one_that_was_wanted() -> None:
    assert unreadable(OSError(5, "Input/output error"), Path("a")) == Unreadable("a", "Input/output error")
    assert unreadable(OSError("odd"), Path("a")) == Unreadable("a", "odd")


def test_names_are_made_printable() -> None:
    assert "\x1b" not in str(unreadable(OSError(5, "bad\x1b[31m"), Path("a\x1b[31m")))
