"""docs/running.md and the unit for systemd say what is so."""

import argparse
import importlib
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from consumers.store.store import Store
from tests.support import CONSUMER, PROJECT, query
from utils.settings import setting_names

RUNNING = (PROJECT / "docs" / "running.md").read_text(encoding="utf-8")
UNIT = PROJECT / "docs" / "manufacturing-consumer.service"
FOLDER = "/opt/manufacturing-analytics"
CALLS = re.findall(
    r"-m consumers\.consumer_meyer((?: --?[a-z]+(?: [\w.\\/]+)?)*)", RUNNING + UNIT.read_text(encoding="utf-8")
)


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", RUNNING, re.MULTILINE | re.DOTALL)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as someone installs it, with a real folder in place of the one that it names."""
    folder = tmp_path / "plant"
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (folder / "README.md").touch()
    installed = tmp_path / UNIT.name
    installed.write_text(UNIT.read_text(encoding="utf-8").replace(FOLDER, str(folder)), encoding="utf-8")
    return installed


def verify(unit: Path) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze, which is not installed here")
    return subprocess.run(
        [program, "verify", "--man=no", str(unit)], capture_output=True, encoding="utf-8", check=False
    )


def test_systemd_finds_no_fault_with_the_unit(unit: Path) -> None:
    done = verify(unit)
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


def test_systemd_does_find_a_fault_if_there_is_one(unit: Path) -> None:
    unit.write_text(unit.read_text(encoding="utf-8").replace("Restart=on-failure", "Restart=sometimes"))
    assert "sometimes" in verify(unit).stderr


def test_the_unit_does_not_restart_what_has_a_bad_setting() -> None:
    assert "RestartPreventExitStatus=2\n" in UNIT.read_text(encoding="utf-8")


def test_each_call_of_the_consumer_can_be_given() -> None:
    parser: ArgumentParser = importlib.import_module(CONSUMER)._parser()
    assert len(CALLS) == 2
    for call in CALLS:
        assert isinstance(parser.parse_args(call.split()), argparse.Namespace)
        assert "--headless" in call


def test_the_windows_task_is_one_line_within_what_windows_takes() -> None:
    (block,) = fenced("bat")
    (line,) = block.splitlines()
    task = re.search(r'/TR "([^"]*)"', line)
    assert task is not None
    assert len(task[1]) <= 261


def test_each_setting_that_is_named_is_one() -> None:
    named = set(re.findall(r"\b(?:KEEP|LIVE|DELETE)_[A-Z_]+\b", RUNNING))
    assert named
    assert named <= set(setting_names())


def test_each_select_runs(tmp_path: Path) -> None:
    Store(tmp_path / "new.sqlite").close()
    selects = [select for block in fenced("sql") for select in block.split(";") if select.strip()]
    assert len(selects) == 2
    for select in selects:
        query(tmp_path / "new.sqlite", select)
