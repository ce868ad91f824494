"""Importing a module does nothing, brings no package that is not declared, and no dashboard where none is wanted.

Who may import whom stands in pyproject.toml, under `tool.importlinter`.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import PROJECT, command_environment

SIDES = ("utils", "producers", "consumers")
MODULES = sorted(path for side in SIDES for path in (PROJECT / side).rglob("*.py"))
DECLARED = {"matplotlib", "loguru", "dotenv", "numpy", "tornado", "pyspark", "pyarrow", "pandas"}
"""By the names they are imported by. numpy comes with matplotlib, which cannot do without it; tornado is needed by
nobody but who sets MPLBACKEND=webagg; the last three are the Spark consumer's."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts)


def packages_of(path: Path) -> set[str]:
    """Every package that a module imports from, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def test_there_are_modules_on_each_side() -> None:
    assert {path.relative_to(PROJECT).parts[0] for path in MODULES} == set(SIDES)


@each_module
def test_only_declared_packages_are_imported(path: Path) -> None:
    assert packages_of(path) <= {*SIDES, *sys.stdlib_module_names, *DECLARED}


def test_nothing_but_the_board_brings_matplotlib(tmp_path: Path) -> None:
    names = [name_of(path) for path in MODULES if "board" not in path.parts]
    code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        cwd=tmp_path,
        env=command_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "consumers.consumer_meyer" in imported
    assert not imported & {"matplotlib", "numpy", "tkinter", "pyspark", "pyarrow", "pandas"}


# One process imports all of them, each with what it brings, and says what each one did.
PROBE = """
import importlib, json, os, sys, threading

import loguru, dotenv, matplotlib.font_manager  # what they do at their own import is theirs

opened = []
watch = []

def hear(event, arguments):
    if watch and event in ("open", "socket.__new__", "subprocess.Popen", "sqlite3.connect", "os.mkdir", "os.putenv"):
        target = str(arguments[0]) if arguments else ""
        is_code = target.endswith((".py", ".pyc", ".so")) or "__pycache__" in target
        is_read = event == "open" and not (isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"))
        if not (event == "open" and (is_code or (is_read and not target.startswith(os.getcwd())))):
            opened.append(f"{event} {target}")

sys.addaudithook(hear)
report = {}
for name in sys.argv[1:]:
    threads, environment = threading.active_count(), dict(os.environ)
    opened.clear()
    watch.append(1)
    importlib.import_module(name)
    watch.clear()
    report[name] = [
        *opened,
        *(["threads"] if threading.active_count() > threads else []),
        *(["environment"] if dict(os.environ) != environment else []),
        *(f"file {name}" for name in os.listdir()),
    ]
sys.stdout.write("REPORT" + json.dumps(report))
"""


@pytest.fixture(scope="module")
def deeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What each module did when it was imported; only what was printed comes before the report."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(name_of, MODULES)],
        cwd=tmp_path_factory.mktemp("empty"),
        env=command_environment(MPLCONFIGDIR=str(tmp_path_factory.mktemp("mpl")), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    printed, _, report = done.stdout.partition("REPORT")
    assert printed == ""
    deeds: dict[str, list[str]] = json.loads(report)
    return deeds


@each_module
def test_importing_a_module_does_nothing(path: Path, deeds: dict[str, list[str]]) -> None:
    assert deeds[name_of(path)] == []
