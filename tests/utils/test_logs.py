import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from utils.errors import PipelineError
from utils.logs import configure_logs
from utils.text import printable


@pytest.fixture(autouse=True)
def no_log_afterwards() -> Iterator[None]:
    yield
    logger.remove()


def test_the_terminal_hears_from_the_level_on_and_the_file_all(tmp_path: Path) -> None:
    terminal = io.StringIO()
    configure_logs("consumer", "INFO", tmp_path / "logs", terminal)
    logger.debug("a detail")
    logger.info("a fact: {}", "°C")
    logger.remove()
    in_file = (tmp_path / "logs" / "consumer.log").read_text(encoding="utf-8")
    assert "a detail" not in terminal.getvalue()
    assert "a fact: °C" in terminal.getvalue()
    assert [line.split(maxsplit=2)[1:] for line in in_file.splitlines()] == [
        ["DEBUG", "a detail"],
        ["INFO", "a fact: °C"],
    ]


def test_configuring_twice_says_nothing_twice(tmp_path: Path) -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logs("consumer", "INFO", tmp_path, first)
    configure_logs("consumer", "INFO", tmp_path, second)
    logger.info("once")
    logger.remove()
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1
    assert (tmp_path / "consumer.log").read_text(encoding="utf-8").count("once") == 1


def test_the_log_is_appended_to_that_of_the_run_before(tmp_path: Path) -> None:
    for text in ("yesterday", "today"):
        configure_logs("producer", "ERROR", tmp_path, io.StringIO())
        logger.info(text)
    logger.remove()
    in_file = (tmp_path / "producer.log").read_text(encoding="utf-8")
    assert in_file.index("yesterday") < in_file.index("today")


def test_log_files_stop_growing(tmp_path: Path) -> None:
    configure_logs("consumer", "ERROR", tmp_path, io.StringIO())
    for _ in range(40):
        logger.info("x" * 1_000_000)
    logger.remove()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert 1 < len(sizes) <= 6
    assert max(sizes) <= 5_000_000


def test_a_log_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in its place")
    with pytest.raises(PipelineError, match="LOG_DIR") as caught:
        configure_logs("consumer", "INFO", tmp_path / "logs", io.StringIO())
    assert str(tmp_path / "logs") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain °C, äöü, 漢字", "plain °C, äöü, 漢字"),
        ("two\nlines\t\r", "two\\nlines\\t\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\0", "\\x00"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
        ('it\'s "quoted" \\', 'it\'s "quoted" \\'),
    ],
)
def test_what_could_move_a_terminal_is_escaped(text: str, safe: str) -> None:
    assert printable(text) == safe


@given(st.text())
def test_any_text_becomes_printable_and_can_be_encoded(text: str) -> None:
    safe = printable(text)
    assert safe.isprintable()
    assert safe.encode().decode() == safe
    assert printable(safe) == safe
