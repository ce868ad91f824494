"""The law of the house: who may import what, and that importing does nothing."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PROJECT, command_environment

SIDES = ("utils", "producers", "consumers")
MODULES = sorted(path for side in SIDES for path in (PROJECT / side).rglob("*.py"))
DRAWING = {"consumers/board/board.py", "consumers/board/panels.py", "consumers/board/window.py"}
LONE_USERS = {
    "sqlite3": {"consumers/store/store.py"},
    "matplotlib": DRAWING,
    "mpl_toolkits": DRAWING,
    "numpy": DRAWING,
    "random": {"producers/simulator.py", "producers/producer_case.py"},
    "dotenv": {"utils/settings.py"},
}
DECLARED = {"matplotlib", "loguru", "dotenv"}
ENVIRONMENT = {"environ", "environb", "getenv", "putenv", "unsetenv"}


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(nodes: Iterator[ast.AST] | list[ast.stmt]) -> set[str]:
    """Every module that is imported, with the names that are taken from it."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def packages_of(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(ast.walk(tree_of(path)))}


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def test_there_are_modules_on_each_side() -> None:
    assert {path.relative_to(PROJECT).parts[0] for path in MODULES} == set(SIDES)
    assert {name for users in LONE_USERS.values() for name in users} <= {name_of(path) for path in MODULES}


@each_module
def test_a_side_imports_itself_and_utils_alone(path: Path) -> None:
    side = path.relative_to(PROJECT).parts[0]
    assert packages_of(path) & {*SIDES, "tests"} <= {"utils", side}


@each_module
def test_what_has_a_lone_user_is_imported_by_it_alone(path: Path) -> None:
    for package in packages_of(path) & set(LONE_USERS):
        assert name_of(path) in LONE_USERS[package], f"{package} is not for {name_of(path)}"


@each_module
def test_the_environment_is_read_by_the_settings_alone(path: Path) -> None:
    tree = tree_of(path)
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    } | {name.removeprefix("os.") for name in imports_of(ast.walk(tree)) if name.startswith("os.")}
    assert not used & ENVIRONMENT or name_of(path) == "utils/settings.py"


@each_module
def test_only_declared_packages_are_imported(path: Path) -> None:
    foreign = packages_of(path) - set(sys.stdlib_module_names) - set(SIDES)
    assert foreign <= DECLARED | ({"numpy", "mpl_toolkits"} if name_of(path) in DRAWING else set())


@each_module
def test_the_dashboard_is_imported_only_where_one_is_wanted(path: Path) -> None:
    drawing = {name.removesuffix(".py").replace("/", ".") for name in DRAWING}
    at_once = imports_of(tree_of(path).body)
    assert name_of(path) in DRAWING or not any(name.startswith(tuple(drawing)) for name in at_once)


@each_module
def test_nothing_is_printed_with_print(path: Path) -> None:
    calls = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]


# One process imports all of them, each with what it brings, and tells what each one did.
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
        *(["threads"] if threading.active_count() != threads else []),
        *(["environment"] if dict(os.environ) != environment else []),
        *(f"file {name}" for name in os.listdir()),
    ]
sys.stdout.write("REPORT" + json.dumps(report))
"""


@pytest.fixture(scope="module")
def deeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What each module did when it was imported; only what was printed comes before the report."""
    names = [".".join(path.relative_to(PROJECT).with_suffix("").parts) for path in MODULES]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *names],
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
    name = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
    assert deeds[name] == []


def test_a_headless_consumer_imports_no_matplotlib(tmp_path: Path) -> None:
    code = "import sys, consumers.consumer_meyer; sys.exit('matplotlib' in sys.modules or 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=command_environment(), check=False)
    assert done.returncode == 0
