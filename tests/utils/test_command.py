import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loguru import logger

from consumers import consumer_meyer
from producers import producer_case
from tests.support import CONSUMER, PRODUCER, command_environment
from utils.command import Parser, Work, add_setting, run_command
from utils.errors import PipelineError
from utils.settings import Config
from utils.stop import StopRequest

FLAGS = {"LIVE_FILE": "--file", "PRODUCER_MACHINES": "--machines"}
MAIN = {PRODUCER: producer_case.main, CONSUMER: consumer_meyer.main}
RUNS = {PRODUCER: ("--no-wait", "--count", "10"), CONSUMER: ("--once", "--headless")}
each_command = pytest.mark.parametrize("module", [PRODUCER, CONSUMER])
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="needs POSIX")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(StopRequest, "install", lambda _: None)
    yield
    logger.remove()


def parser() -> argparse.ArgumentParser:
    made = Parser(prog="command")
    for setting, flag in FLAGS.items():
        add_setting(made, setting, flag, "X", "a meaning")
    return made


def run(work: Work, *arguments: str) -> int:
    return run_command("command", parser(), FLAGS, arguments, work)


def do_nothing(*_: object) -> None:
    """Work that is done at once."""


def process(module: str, *arguments: str | bytes, **settings: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a command to its end; it is killed if it hangs."""
    return subprocess.run(
        [sys.executable, "-m", module, *RUNS[module], *arguments],
        env=command_environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=30,
        check=False,
    )


@pytest.fixture
def status_and_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run a command in this process; returns its exit status and what it says."""

    def run_it(module: str, *arguments: str, **settings: str) -> tuple[int, str]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        status = MAIN[module]([*RUNS[module], *arguments])
        return status, capsys.readouterr().err

    return run_it


# How a command ends


def test_work_that_is_done_ends_with_0_and_was_given_settings_flags_and_a_stop(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given: list[object] = []

    def work(config: Config, options: argparse.Namespace, stop: StopRequest) -> None:
        given.extend((config.live_file, config.producer_machines, options.LIVE_FILE, stop.requested))

    Path(".env").write_text("LIVE_FILE=x\nPRODUCER_MACHINES=3\n")
    assert run(work, "--file", "y") == 0
    assert given == [Path("y"), 3, "y", False]
    assert capsys.readouterr().err == ""


def test_work_that_cannot_go_on_ends_with_1_and_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    def work(*_: object) -> None:
        raise PipelineError("no {thing}; set X")

    assert run(work) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith("ERROR   no {thing}; set X")


def test_out_of_memory_is_one_sentence_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def work(*_: object) -> None:
        raise MemoryError

    assert run(work) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "ERROR   there is not enough memory; end other programs, raise the limit (ulimit -v), or " in said


def test_an_error_of_our_own_making_is_not_hidden() -> None:
    def work(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(work)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--machines", "0"), "setting PRODUCER_MACHINES (--machines) is '0'; expected a whole number from 1"),
        (("--machines", " "), "argument --machines: is empty; leave the flag out for the default"),
        (("--file", "."), "setting LIVE_FILE (--file) is '.'; expected the path of a file"),
        (("--\x1b[2J",), "unrecognized arguments: --\\x1b[2J"),
    ],
)
def test_bad_usage_ends_with_2_and_says_what_is_allowed(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(do_nothing, *arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert list(Path().iterdir()) == []


def test_settings_that_are_not_known_are_told_in_a_short_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_text("LIVE_FIEL=x\n" + "".join(f"OTHER_{number}=x\n" for number in range(1000)))
    assert run(do_nothing) == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert ".env has settings that are not known: LIVE_FIEL, OTHER_0, OTHER_1" in said
    assert "did you mean LIVE_FILE? see .env.example" in said
    assert len(said) < 300


@pytest.mark.parametrize(("module", "name"), [(PRODUCER, "LIVE_FILE"), (PRODUCER, "LOG_DIR"), (CONSUMER, "LOG_DIR")])
def test_a_path_of_thousands_of_characters_is_told_in_a_short_line(
    module: str, name: str, status_and_words: Callable[..., tuple[int, str]]
) -> None:
    status, said = status_and_words(module, **{name: "x" * 3000 + "/" + "y" * 3000})
    assert status == 1
    assert "File name too long" in said
    assert max(map(len, said.splitlines())) < 600


# The live file and the database are two files


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal", "-lock"])
@each_command
def test_a_live_file_that_belongs_to_the_database_is_refused_by_both_commands(
    module: str, ending: str, status_and_words: Callable[..., tuple[int, str]]
) -> None:
    Path("kept.sqlite").write_bytes(b"precious")
    Path(f"kept.sqlite{ending}").write_bytes(b"precious")
    live_file = f"../{Path.cwd().name}/kept.sqlite{ending}"
    status, words = status_and_words(module, "--file", live_file, DATABASE_FILE="kept.sqlite")
    assert status == 1
    (said,) = words.splitlines()
    assert "ERROR" in said
    assert "; set LIVE_FILE (--file) or DATABASE_FILE to another path" in said
    files = {path.name: path.read_bytes() for path in Path().glob("kept*")}
    assert files == dict.fromkeys(("kept.sqlite", f"kept.sqlite{ending}"), b"precious")


@each_command
def test_a_setting_that_names_the_database_as_live_file_is_refused_by_both_commands(
    module: str, status_and_words: Callable[..., tuple[int, str]]
) -> None:
    Path(".env").write_text("LIVE_FILE=kept.sqlite\nDATABASE_FILE=kept.sqlite\n")
    status, said = status_and_words(module)
    assert status == 1
    assert "kept.sqlite cannot be both the live file and the database; set LIVE_FILE" in said
    assert not Path("kept.sqlite").exists()


@pytest.mark.parametrize("name", ["producer", "consumer", "consumer_spark"])
def test_a_live_file_that_is_the_log_of_any_command_is_refused_by_each(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("logs").mkdir()
    Path(f"logs/{name}.log").write_bytes(b"precious")
    Path(".env").write_text(f"LOG_DIR=logs\nLIVE_FILE=logs/{name}.log\n")
    assert run(do_nothing) == 1
    assert f"cannot be both the live file and the log of the {name}; set LOG_DIR or it" in capsys.readouterr().err
    assert Path(f"logs/{name}.log").read_bytes() == b"precious"


def test_a_folder_in_the_place_of_the_env_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").mkdir()
    assert run(do_nothing) == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith(
        "WARNING .env is a folder: no settings are read from it; settings belong into a file of this name"
    )


def test_a_line_of_the_env_file_that_is_no_setting_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_text("THEME=DARK\nLIVE_FILE x\n")
    with pytest.raises(SystemExit) as ended:
        run(do_nothing)
    assert ended.value.code == 2
    assert "error: .env, line 2, is no setting; write NAME=value" in capsys.readouterr().err


# What a person can do something about is no traceback


@POSIX_ONLY
@each_command
def test_a_log_that_is_a_fifo_is_refused_and_nothing_hangs(module: str) -> None:
    Path("logs").mkdir()
    for name in ("producer", "consumer"):
        os.mkfifo(f"logs/{name}.log")
    done = process(module, LOG_DIR="logs")
    assert done.returncode == 1
    assert b".log is no regular file; move it away, or set LOG_DIR to another folder" in done.stdout


@POSIX_ONLY
@pytest.mark.parametrize("by", ["file", "environment"])
def test_in_the_locale_c_both_commands_use_paths_of_any_letters(by: str) -> None:
    paths = {"LIVE_FILE": "\u00e4/\u6f22.json", "DATABASE_FILE": "\u00e4/\u00fc.sqlite", "LOG_DIR": "\u00e4/logs"}
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    if by == "file":
        Path(".env").write_text("".join(f"{name}={path}\n" for name, path in paths.items()), encoding="utf-8")
    for module in (PRODUCER, CONSUMER):
        done = process(module, **locale, **(paths if by == "environment" else {}))
        assert done.returncode == 0, done.stdout
        assert done.stdout.isascii()
        assert b"Traceback" not in done.stdout
    assert b"10 lines = 10 stored" in done.stdout
    for name in ("\u6f22.json", "\u00fc.sqlite", "logs/producer.log", "logs/consumer.log"):
        assert Path("\u00e4", name).is_file()


@POSIX_ONLY
@each_command
def test_in_the_locale_c_a_path_that_cannot_be_used_is_told(module: str) -> None:
    Path("\u00e4").mkdir()
    done = process(module, "--file", "\u00e4", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1
    assert b"\\udcc3\\udca4" in done.stdout
    assert b"is no regular file" in done.stdout
    assert b"Traceback" not in done.stdout


_SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from producers.producer_case import main
size_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + 20_000_000
resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))
sys.exit(main(["--machines", "100000", "--no-wait", "--count", "1"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of memory that the OS keeps")
def test_a_plant_too_large_for_the_memory_ends_with_1_and_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SHORT_OF_MEMORY],
        env=command_environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (said,) = done.stderr.splitlines()
    assert "there is not enough memory" in said
    assert "fewer machines (PRODUCER_MACHINES)" in said
