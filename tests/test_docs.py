"""README.md, CONTRIBUTING.md, .env.example and the configuration of the checks say what is so."""

import argparse
import importlib
import importlib.util
import re
import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from consumers.store.store import Store
from tests.support import CONSUMER, PRODUCER, PROJECT, line, query
from utils.message import from_line
from utils.settings import Config, all_settings, make_config, read_settings, setting_names

README = (PROJECT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = PROJECT / "CONTRIBUTING.md"
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
ENV_EXAMPLE = PROJECT / ".env.example"
COMMANDS = (PRODUCER, CONSUMER)


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


PYTHON_CALLS = sorted({call for block in fenced("bash") for call in re.findall(r"\bpython -m ([^&|\n]+)", block)})
SELECTS = [select.strip() for block in fenced("sql") for select in block.split(";") if select.strip()]


def parser_of(module: str) -> ArgumentParser:
    parser: ArgumentParser = importlib.import_module(module)._parser()
    return parser


def schema_names(folder: Path) -> list[str]:
    Store(folder / "new.sqlite").close()
    names = query(folder / "new.sqlite", "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
    return [name for (name,) in names]


# Commands


def test_both_commands_are_in_the_readme() -> None:
    assert {call.split()[0] for call in PYTHON_CALLS} >= set(COMMANDS)


@pytest.mark.parametrize("call", PYTHON_CALLS)
def test_each_python_command_of_the_readme_can_be_given(call: str) -> None:
    module, *arguments = shlex.split(call)
    if module in COMMANDS:
        parser_of(module).parse_args(arguments)
    elif module not in ("venv", "pip"):
        assert importlib.util.find_spec(module) is not None, f"there is no {module}"


@pytest.mark.parametrize("module", COMMANDS)
def test_every_flag_is_in_the_readme(module: str) -> None:
    shown = [action for action in parser_of(module)._actions if action.help != argparse.SUPPRESS]
    flags = [flag for action in shown for flag in action.option_strings if flag.startswith("--")]
    assert [flag for flag in flags if flag != "--help" and f"`{flag}" not in README] == []


def test_files_that_the_readme_installs_from_are_there() -> None:
    named = re.findall(r"-r (\S+\.txt)", README)
    assert named
    assert [name for name in named if not (PROJECT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_names_a_file(page: Path) -> None:
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [name for name in linked if not (page.parent / name).is_file()] == []


# Checks


def test_what_is_checked_before_a_commit_is_what_the_ci_checks() -> None:
    hooks = re.findall(r"entry: (.+)", (PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    checks = [line.strip() for line in (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()]
    told = CONTRIBUTING.read_text(encoding="utf-8")
    assert {hook.split()[0] for hook in hooks} == {"ruff", "mypy", "lint-imports"}
    assert [hook for hook in hooks if hook not in checks] == []
    assert [hook for hook in hooks if f"`{hook}`" not in told] == []


def test_each_development_tool_has_an_upper_bound() -> None:
    tools = (PROJECT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    assert [tool for tool in tools if not tool.startswith("-r ") and "<" not in tool] == []


# The database


def test_every_table_and_view_is_in_the_readme(tmp_path: Path) -> None:
    names = schema_names(tmp_path)
    assert len(names) >= 6
    assert [name for name in names if f"`{name}`" not in README] == []


def test_the_readme_asks_five_questions_at_least() -> None:
    assert len(SELECTS) >= 5
    assert all(select.upper().startswith("SELECT") for select in SELECTS)


@pytest.mark.parametrize("select", SELECTS, ids=[" ".join(select.split())[:60] for select in SELECTS])
def test_each_select_of_the_readme_runs(tmp_path: Path, select: str) -> None:
    Store(tmp_path / "new.sqlite").close()
    query(tmp_path / "new.sqlite", select)


@pytest.mark.parametrize("machine", ["3", "(SELECT machine_id FROM machines WHERE name = 'PUMP-07')"])
def test_what_the_readme_asks_of_the_minutes_reads_those_of_one_machine_alone(tmp_path: Path, machine: str) -> None:
    Store(tmp_path / "new.sqlite").close()
    (select,) = [select for select in SELECTS if "machine_minutes" in select]
    plan = query(
        tmp_path / "new.sqlite", f"EXPLAIN QUERY PLAN {select.replace('machine_id = 3', f'machine_id = {machine}')}"
    )
    steps = [step for *_, step in plan]
    assert "SEARCH closed USING PRIMARY KEY (machine_id=? AND minute>?)" in steps
    assert not any(step.startswith("SCAN") for step in steps)


# Lines


def test_each_line_of_the_readme_is_a_reading() -> None:
    shown = [text for block in fenced("json") for text in block.splitlines()]
    assert shown
    read = [from_line(text, identify=lambda machine: len(str(machine))) for text in shown]
    assert {reading.machine_id for reading in read} == {15, len("PUMP-07")}
    assert read.count(from_line(line())) == len(read) - 1


# Settings


def settings_of_the_example() -> list[tuple[str, str]]:
    text = ENV_EXAMPLE.read_text(encoding="utf-8")
    return re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE)


def test_the_example_names_every_setting_once_in_order() -> None:
    assert tuple(name for name, _ in settings_of_the_example()) == setting_names()


@pytest.mark.parametrize("setting", all_settings(), ids=lambda setting: setting.name.upper())
def test_the_example_shows_the_default_unit_and_meaning(setting: Any) -> None:
    shown = dict(settings_of_the_example())[setting.name.upper()]
    assert make_config({setting.name.upper(): shown}) == Config()
    assert (shown == "") == (setting.default in (None, ""))
    comment = re.search(rf"((?:^#.*\n)+)#? ?{setting.name.upper()}=", ENV_EXAMPLE.read_text(encoding="utf-8"), re.M)
    assert comment is not None
    assert setting.metadata["meaning"][1:] in comment[1]
    assert setting.metadata["unit"] in comment[1]


def test_the_example_copied_to_env_is_the_defaults() -> None:
    assert make_config(read_settings(ENV_EXAMPLE, {})) == Config()


def test_each_test_that_the_page_of_faults_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")))
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py"))
    assert named - set(re.findall(r"def (test_\w+)\(", sources)) == set() != named
