"""How large functions and modules are: `python -m tests.house` prints it for utils, producers and consumers."""

import ast
import sys
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parent.parent
SIDES = ("utils", "producers", "consumers")
SHOWN = 5


class Sized(NamedTuple):
    """A function or a module, and its lines."""

    name: str
    lines: int


def modules_of(folder: Path) -> list[Sized]:
    return [
        Sized(path.relative_to(folder.parent).as_posix(), len(path.read_text(encoding="utf-8").splitlines()))
        for path in sorted(folder.rglob("*.py"))
    ]


def functions_of(folder: Path) -> list[Sized]:
    return [
        function
        for path in sorted(folder.rglob("*.py"))
        for function in functions_in(
            path.read_text(encoding="utf-8"), ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        )
    ]


def functions_in(source: str, module: str) -> list[Sized]:
    """Every function of a module, inner ones too: from `def` to its last line, docstring included."""
    found: list[Sized] = []
    _collect(ast.parse(source), module, found)
    return found


def _collect(node: ast.AST, name: str, found: list[Sized]) -> None:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            _collect(child, name, found)
            continue
        child_name = f"{name}.{child.name}"
        if not isinstance(child, ast.ClassDef):
            found.append(Sized(child_name, (child.end_lineno or child.lineno) - child.lineno + 1))
        _collect(child, child_name, found)


def percentile(sized: list[Sized], percent: int) -> int:
    """The least number of lines that so many percent of all do not exceed."""
    lines = sorted(one.lines for one in sized)
    return lines[max(-(-len(lines) * percent // 100), 1) - 1]


def largest(sized: list[Sized]) -> list[Sized]:
    return sorted(sized, key=lambda one: (-one.lines, one.name))[:SHOWN]


def main() -> int:
    for side in SIDES:
        functions, modules = functions_of(PROJECT / side), modules_of(PROJECT / side)
        median, ninetieth = percentile(functions, 50), percentile(functions, 90)
        print(f"{side}: {len(functions)} functions; half have at most {median} lines, 90% at most {ninetieth}")
        for function in largest(functions):
            print(f"  {function.lines:4}  {function.name}")
        print(f"{side}: {len(modules)} modules, {sum(module.lines for module in modules):,} lines")
        for module in largest(modules):
            print(f"  {module.lines:4}  {module.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
