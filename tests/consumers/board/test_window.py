import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from consumers.board import window
from consumers.board.figure import snapshot_figure
from consumers.board.window import NoWindowError, Ticks, _check_that_it_lives, _tkinter_help
from tests.support import CONSUMER, line, start

ROOT = Path(__file__).parents[3]


def test_a_step_is_taken_at_each_tick_until_the_window_is_closed() -> None:
    taken: list[str] = []

    def step() -> bool:
        taken.append("step")
        return True

    figure = snapshot_figure()
    ticks = Ticks(figure, step, close=lambda: taken.append("close"))
    ticks.take_step()
    figure.canvas.callbacks.process("close_event", None)
    ticks.take_step()
    assert taken == ["step"]


# Windows: in processes of their own, as a process cannot change its GUI toolkit.

_WINDOW = """
import time
from consumers.board import board as dashboard, window
from consumers.machines.fleet import Fleet
from utils.efficiency import Limits
"""


def run(script: str, display: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "MPLBACKEND")}
    environment |= environ | {"DISPLAY": display}
    command = [sys.executable, "-W", "error", "-c", _WINDOW + script]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


_OPEN = """
try:
    window.open_window_figure()
except window.NoWindowError as error:
    print(error)
"""


def test_a_backend_that_draws_to_files_opens_no_window(display: str) -> None:
    done = run(_OPEN, display, MPLBACKEND="svg")
    assert "matplotlib's backend is svg, which draws to files only" in done.stdout


_SHOW = """
calls = []
figure = window.open_window_figure()
board = dashboard.Dashboard(figure, Limits(), 60, 60, "readings")
print(figure.canvas.manager.get_window_title())
def draw():
    calls.append("draw")
    board.update(Fleet(10), "2026-11-22T09:15:02.000Z")
"""
# Each with what it prints.
_ENDINGS = {
    # A step that returns False ends it; the picture was drawn before the window was shown.
    """
def step():
    calls.append("step")
    return calls.count("step") < 5
window.show_window(figure, step, draw, 0.01, 60)
print(calls)
""": str(["draw", *["step"] * 5]),
    # An exception of a step is raised behind the loop.
    """
def step():
    raise OSError("disk full")
try:
    window.show_window(figure, step, draw, 0.01, 0.01)
except OSError as error:
    print("raised", error)
""": "raised disk full",
    # Frames go on, also after one that could not be drawn.
    """
def draw():
    calls.append("draw")
    raise ValueError("no picture")
window.show_window(figure, lambda: calls.count("draw") < 4, draw, 0.01, 0.01)
print("frames")
""": "frames",
    # Closing the window, as its button does, ends it; so does its smaller size not disturb the picture's shape.
    """
manager = figure.canvas.manager
def step():
    calls.append("step")
    if len(calls) == 5:
        manager.window.geometry("900x600")
    if len(calls) == 10:
        print([round(inches) for inches in figure.get_size_inches()])
        manager.window.tk.call(manager.window.protocol("WM_DELETE_WINDOW"))
    return True
window.show_window(figure, step, lambda: None, 0.01, 60)
print("closed")
""": "[15, 10]\nclosed",
}


@pytest.fixture(scope="module")
def ended(display: str) -> list["subprocess.CompletedProcess[str]"]:
    """Each ending in a process of its own, side by side."""
    with ThreadPoolExecutor(len(_ENDINGS)) as side_by_side:
        return list(side_by_side.map(lambda ending: run(_SHOW + ending, display), _ENDINGS))


@pytest.mark.parametrize("number", range(len(_ENDINGS)), ids=["step", "exception", "draw", "close"])
def test_a_window_ends(number: int, ended: list["subprocess.CompletedProcess[str]"]) -> None:
    done = ended[number]
    assert done.stdout == f"Manufacturing analytics\n{list(_ENDINGS.values())[number]}\n", done
    assert done.returncode == 0
    assert done.stderr.count("no picture") == ("no picture" in list(_ENDINGS)[number])
    assert "Traceback" not in done.stderr
    assert "invalid command" not in done.stderr


# The command itself.


def start_consumer(folder: Path, display: str | None, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    (folder / "live.json").write_text(line(), encoding="utf-8")
    screen = {"DISPLAY": display or "", "WAYLAND_DISPLAY": "", "MPLBACKEND": "", **settings}
    return start(CONSUMER, "--file", "live.json", "--db", "readings.sqlite", *arguments, cwd=folder, **screen)


def test_an_unknown_backend_is_told_and_nothing_is_begun(tmp_path: Path) -> None:
    consumer = start_consumer(tmp_path, None, MPLBACKEND="nonsense")
    output, _ = consumer.communicate(timeout=60)
    assert consumer.returncode == 1
    assert "'nonsense' is not a valid value for backend" in output
    assert "If MPLBACKEND is set, unset it" in output
    assert "Traceback" not in output
    assert not (tmp_path / "readings.sqlite").exists()


def test_without_a_dashboard_an_unknown_backend_does_not_matter(tmp_path: Path) -> None:
    consumer = start_consumer(tmp_path, None, "--once", MPLBACKEND="nonsense")
    output, _ = consumer.communicate(timeout=60)
    assert consumer.returncode == 0, output


def end_once_drawn(consumer: "subprocess.Popen[str]", picture: Path, how: signal.Signals) -> str:
    while not picture.exists() and consumer.poll() is None:
        time.sleep(0.01)
    consumer.send_signal(how)
    output, _ = consumer.communicate(timeout=60)
    assert consumer.returncode == 0, output
    assert "in the database: 1 lines = 1 stored" in output
    assert "Traceback" not in output
    return output


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "SIGTERM"])
def test_a_signal_closes_the_window_and_ends_in_order(tmp_path: Path, display: str, how: signal.Signals) -> None:
    consumer = start_consumer(tmp_path, display, "--snapshot", "picture.png")
    assert "no window" not in end_once_drawn(consumer, tmp_path / "picture.png", how)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_the_snapshot_is_written_until_a_signal(tmp_path: Path) -> None:
    consumer = start_consumer(tmp_path, None)
    output = end_once_drawn(consumer, tmp_path / "data" / "dashboard.png", signal.SIGTERM)
    assert "no window can be opened: there is no display, or no GUI toolkit such as tkinter" in output
    assert "the dashboard is drawn to data/dashboard.png instead" in output


def test_a_toolkit_that_takes_its_process_down_is_tried_in_another_one() -> None:
    _check_that_it_lives("pass")
    with pytest.raises(NoWindowError, match="no window can be opened: Qt cannot start: no xcb"):
        _check_that_it_lives("import os, sys; print('no xcb', file=sys.stderr, flush=True); os.abort()")


def test_a_missing_tkinter_is_told_with_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (_tkinter_help() == "") == (find_spec("_tkinter") is not None)
    monkeypatch.setattr(window, "find_spec", lambda _name: None)
    assert "tkinter is not installed: apt install python3-tk" in _tkinter_help()
