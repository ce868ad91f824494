import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support import PROJECT, command_environment
from utils.setting import (
    choice,
    file,
    folder,
    number,
    parse_choice,
    parse_file,
    parse_folder,
    parse_mode_aliases,
    parse_number,
    parse_picture,
    parse_text,
    parse_whole_number,
    whole_number,
)

percent = partial(parse_number, low=-1, high=100, unit="%")
machines = partial(parse_whole_number, low=1, high=100_000, unit="machines")
colour = partial(parse_choice, options=("RED", "GREEN"))


# Text → value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("-1", -1.0),
        ("100", 100.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e2", 100.0),
        (" 7 ", 7.0),
        ("+3", 3.0),
    ],
)
def test_a_number_is_read(text: str, value: float) -> None:
    found = percent(text)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("100000", 100_000), ("0012", 12), (" 7 ", 7), ("+3", 3), ("1_000", 1000)]
)
def test_a_whole_number_is_read(text: str, value: int) -> None:
    found = machines(text)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("live.json", Path("live.json")),
        ("a b/ä.json", Path("a b", "ä.json")),
        ("../live", Path("../live")),
        ("folder/", Path("folder")),
    ],
)
@pytest.mark.parametrize("parse", [parse_file, parse_folder])
def test_a_path_is_read(parse: Callable[[str], Path], text: str, value: Path) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(("text", "value"), [(".", Path()), ("/", Path("/")), ("./", Path())])
def test_a_folder_needs_no_name(text: str, value: Path) -> None:
    assert parse_folder(text) == value


@pytest.mark.parametrize("text", ["RED", "red", "Red"])
def test_a_choice_is_read_in_any_case(text: str) -> None:
    assert colour(text) == "RED"


# Text → what is expected instead


@pytest.mark.parametrize(
    ("parse", "texts", "expected"),
    [
        (percent, ("", "x", "nan", "inf", "-inf", "-1.1", "100.1", "0x1", "1 2"), "a number from -1 to 100 %"),
        (
            machines,
            ("", "x", "nan", "0", "100001", "2.5", "1e3", "0x1", "1 2", "9" * 5000),
            "a whole number from 1 to 100,000 machines",
        ),
        (partial(parse_number, low=0.5, high=86_400), ("0",), "a number from 0.5 to 86,400"),
        (partial(parse_whole_number, low=0, high=2**63), ("-1",), f"a whole number from 0 to {2**63:,}"),
        (parse_file, ("a\0b", ".", "/", "./", "\ud800"), "the path of a file"),
        (parse_folder, ("a\0b", "\ud800"), "the path of a folder"),
        (
            parse_picture,
            (
                "a\0b.png",
                "\ud800.png",
                ".png",
                "a",
                "a.jpg",
                "a.png.txt",
                "png",
                "data/readings.sqlite",
                "/dev/stdout",
            ),
            "the path of a file that ends in .png",
        ),
        (colour, ("", "blue", "RED "), "one of RED, GREEN"),
        (percent, ("1,5", "-0,5"), "a number from -1 to 100 %; use a dot, not a comma"),
        (machines, ("4,5",), "a whole number from 1 to 100,000 machines; use a dot, not a comma"),
        (parse_text, ("a\0b", "\ud800"), "printable characters"),
        (
            parse_mode_aliases,
            ("running", "running=fast", "=active", "running=active, Running=idle", "active=idle"),
            "each word once, with its mode, such as running=active; modes: active, idle, maintenance, offline",
        ),
    ],
)
def test_any_other_text_is_refused_with_what_is_expected(
    parse: Callable[[str], object], texts: tuple[str, ...], expected: str
) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
            parse(text)


# Home folders


@pytest.mark.parametrize("parse", [parse_file, parse_folder])
def test_a_home_folder_is_found(
    parse: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert parse("~/x") == tmp_path / "x"


@pytest.mark.parametrize("text", ["a.png", "a/B.PNG", "a.b.png"])
def test_a_picture_ends_in_png_in_any_case(text: str) -> None:
    assert parse_picture(text) == Path(text)


@pytest.mark.parametrize("parse", [parse_file, parse_folder])
def test_a_home_folder_of_nobody_is_refused(parse: Callable[[str], Path]) -> None:
    with pytest.raises(ValueError, match="a path; there is no such home folder"):
        parse("~nobody-of-this-name/x")


# A locale without the letters of a path

_SAME_FILE = r"""
import os, sys
from utils.setting import parse_file
path = parse_file(sys.argv[1] if len(sys.argv) > 1 else "\u00e4.json")
sys.exit(0 if os.fsencode(path) == b"\xc3\xa4.json" else f"{sys.getfilesystemencoding()}: {path!a}")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locale")
@pytest.mark.parametrize("argument", [(), (b"\xc3\xa4.json",)])
@pytest.mark.parametrize("utf8", ["0", "1"])
def test_in_the_locale_c_a_path_is_the_same_bytes(argument: tuple[bytes, ...], utf8: str) -> None:
    """Whether it comes from a file in UTF-8 or from the command line."""
    environment = command_environment(LC_ALL="C", PYTHONUTF8=utf8, PYTHONCOERCECLOCALE="0")
    done = subprocess.run(
        [sys.executable, "-c", _SAME_FILE, *argument], cwd=PROJECT, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


# Declarations


@dataclass(frozen=True)
class Sample:
    share: float = number(0.5, "a share", "%", 0, 100)
    size: int = whole_number(3, "a size", "lines", 1, 9)
    seed: int | None = whole_number(None, "a seed", "", 0, 9)
    source: Path = file(Path("a"), "a file")
    home: Path = folder(Path("b"), "a folder")
    colour: str = choice("RED", "a colour", ("RED", "GREEN"))


DECLARED = {field.name: field for field in fields(Sample)}


@pytest.mark.parametrize(
    ("name", "unit", "bounds"),
    [
        ("share", "%", (0, 100)),
        ("size", "lines", (1, 9)),
        ("seed", "", (0, 9)),
        ("source", "", (None, None)),
        ("home", "", (None, None)),
        ("colour", "", (None, None)),
    ],
)
def test_a_declaration_holds_what_a_person_must_know(name: str, unit: str, bounds: tuple[Any, Any]) -> None:
    declared = DECLARED[name].metadata
    assert declared["unit"] == unit
    assert declared["meaning"].startswith("a ")
    assert (declared.get("low"), declared.get("high")) == bounds


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("share", "7.5", 7.5),
        ("size", "7", 7),
        ("seed", "7", 7),
        ("source", "x/y", Path("x/y")),
        ("home", "/", Path("/")),
        ("colour", "green", "GREEN"),
    ],
)
def test_a_declaration_holds_its_parser(name: str, text: str, value: object) -> None:
    assert DECLARED[name].metadata["parse"](text) == value


def test_a_declared_field_has_its_default() -> None:
    assert Sample() == Sample(0.5, 3, None, Path("a"), Path("b"), "RED")
