import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from tests.support import PROJECT, command_environment
from utils.errors import PipelineError
from utils.logs import configure_logs


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


def test_a_folder_in_the_place_of_the_log_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "consumer.log").mkdir()
    with pytest.raises(PipelineError, match="is no regular file; move it away, or set LOG_DIR") as caught:
        configure_logs("consumer", "INFO", tmp_path, io.StringIO())
    assert str(tmp_path / "consumer.log") in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_the_log_may_be_a_link_to_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "consumer.log").symlink_to(tmp_path / "elsewhere")
    configure_logs("consumer", "INFO", tmp_path, io.StringIO())
    logger.info("here")
    logger.remove()
    assert "here" in (tmp_path / "elsewhere").read_text(encoding="utf-8")


def test_text_that_utf_8_cannot_hold_is_logged_with_its_escapes(tmp_path: Path) -> None:
    terminal = io.StringIO()
    configure_logs("consumer", "ERROR", tmp_path, terminal)
    logger.info("a name: \udcc3")
    logger.remove()
    assert "a name: \\udcc3" in (tmp_path / "consumer.log").read_text(encoding="utf-8")
    assert terminal.getvalue() == ""


def test_a_log_on_a_full_disk_is_told_once_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    terminal = io.StringIO()
    configure_logs("consumer", "CRITICAL", tmp_path / ("x" * 150) / ("y" * 150), terminal)
    monkeypatch.setattr("logging.StreamHandler.flush", refuse)
    logger.info("one")
    logger.info("two")
    logger.remove()
    (told,) = terminal.getvalue().splitlines()
    assert "consumer.log cannot be written: [Errno 28] No space left on device" in told
    assert len(told) < 300


def test_what_is_pure_imports_no_log() -> None:
    names = ("efficiency", "errors", "message", "paths", "setting", "settings", "stop", "text")
    code = f"import sys; from utils import {', '.join(names)}; sys.exit('loguru' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=command_environment(), check=False)
    assert done.returncode == 0
