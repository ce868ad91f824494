"""What hands do to a real window while rows keep coming (keys, mouse, zoom, size), and what a failing draw does."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

_BEGIN = """
from tests.consumers.board.driven import Driven
from utils.message import MODES
"""
# Each with what it prints.
_HANDS = {
    "stray keys do nothing": (
        """
driven = Driven()
toggled = []
driven.canvas.manager.full_screen_toggle = lambda: toggled.append("full screen")
def script():
    yield from driven.frames()
    for key in (*"qQlLkgGhrcvopsx", "ctrl+w", "ctrl+f", "home", "backspace"):
        driven.press(key)
    driven.widget.event_generate("<Button-4>", x=300, y=300, state=4)
    driven.press("escape")
    yield from driven.frames()
    print(driven.canvas.toolbar, toggled, {axes.get_yscale() for axes in driven.figure.axes})
    driven.press("f")
    yield from driven.wait(lambda: toggled == ["full screen"])
    print("f")
driven.run(script())
""",
        "None [] {'linear'}\nf\n",
    ),
    "a zoomed panel stays until Home": (
        """
driven = Driven(has_toolbar=True)
trend, _, scatter = driven.panels
def view(axes):
    return (*axes.get_xlim(), *axes.get_ylim())
def script():
    yield from driven.frames()
    driven.canvas.toolbar.zoom()
    before, clipped = view(scatter), [line.get_clip_on() for line in scatter.lines]
    yield from driven.drag(scatter, (0.2, 0.2), (0.6, 0.7))
    zoomed, moving = view(scatter), trend.get_xlim()
    print("zoomed", before != zoomed)
    yield from driven.frames(4)
    print("kept", view(scatter) == zoomed, "the others go on", trend.get_xlim()[1] > moving[1])
    print("nothing outside", all(line.get_clip_on() for line in scatter.lines))
    yield from driven.drag(trend, (0.5, 0.5), (0.5, 0.5))
    held = view(trend)
    yield from driven.frames(2)
    print("a click holds nothing", view(trend) != held)
    driven.canvas.toolbar.pan()
    yield from driven.drag(trend, (0.5, 0.5), (0.7, 0.5))
    panned = view(trend)
    yield from driven.frames(2)
    print("panned", view(trend) == panned)
    driven.canvas.toolbar.home()
    yield from driven.frames(2)
    print("home", view(scatter) == before, trend.get_xlim()[1] > panned[1])
    print("as before", [line.get_clip_on() for line in scatter.lines] == clipped)
    yield from driven.drag(trend, (0.5, 0.5), (0.6, 0.5))
    panned = view(trend)
    yield from driven.frames(2)
    print("once more", view(trend) == panned)
driven.run(script())
""",
        """zoomed True
kept True the others go on True
nothing outside True
a click holds nothing True
panned True
home True True
as before True
once more True
""",
    ),
    "the toolbar saves": (
        """
import tempfile, tkinter.filedialog
from pathlib import Path
driven = Driven(has_toolbar=True)
def script():
    with tempfile.TemporaryDirectory() as folder:
        tkinter.filedialog.asksaveasfilename = lambda **_: folder + "/kept.png"
        yield from driven.frames()
        driven.canvas.toolbar.save_figure()
        print(Path(folder, "kept.png").read_bytes()[1:4])
        yield from driven.frames()
driven.run(script())
""",
        "b'PNG'\n",
    ),
    "the toolbar has only what works": (
        """
driven = Driven(has_toolbar=True)
def script():
    yield from driven.frames()
    buttons = [each for each in driven.canvas.toolbar.winfo_children() if each.winfo_class().endswith("utton")]
    print(*(each.cget("text") for each in buttons if each.winfo_ismapped()))
driven.run(script())
""",
        "Home Pan Zoom Save\n",
    ),
    "pointing names a reading": (
        """
driven = Driven()
trend, modes, scatter = driven.panels
def point_at(axes, index):
    x, y = driven.figure.points[axes].places[index]
    driven.widget.event_generate("<Motion>", **driven.pixel(*axes.transData.transform((x, y))))
def script():
    yield from driven.frames()
    for axes in (scatter, trend):
        point_at(axes, -1)
        yield from driven.wait(lambda: "mm/s   " in driven.shown_words())
        words = driven.shown_words().splitlines()[-3:]
        print(words[0][0], words[0].split()[-1] in MODES, words[1].count("°C"), words[2][-3:])
        driven.widget.event_generate("<Motion>", **driven.at(modes, 0.5, 0.9))
        yield from driven.wait(lambda: "mm/s   " not in driven.shown_words())
    print("gone")
driven.run(script())
""",
        "# True 1 UTC\n# True 1 UTC\ngone\n",
    ),
    "a size of a few pixels, and a large one": (
        """
driven = Driven()
def script():
    for size in ("60x40", "700x900", "1200x300", "900x600"):
        driven.canvas.manager.window.geometry(size)
        width, height = map(int, size.split("x"))
        yield from driven.wait(lambda: tuple(driven.figure.bbox.size.round()) == (width, height))
        yield from driven.frames()
    print("drawn", driven.figure.faults.words)
driven.run(script())
""",
        "drawn \n",
    ),
    "a draw that fails anywhere": (
        """
driven = Driven()
line = driven.figure.axes[0].lines[0]
draw_line, draw_canvas = line.draw, driven.canvas.draw
def fail(where):
    def failing(*_):
        raise ValueError(where)
    return failing
def broken(where):
    yield from driven.wait(lambda: where in driven.figure.faults.words)
    yield from driven.frames(3)
def well():
    yield from driven.wait(lambda: not driven.figure.faults.words)
    yield from driven.frames(3)
def script():
    line.draw = fail("an artist")
    yield from broken("an artist")
    line.draw = draw_line
    yield from well()
    print("artist")
    draw_renderer = driven.canvas.get_renderer
    driven.canvas.get_renderer = fail("the renderer")
    yield from broken("the renderer")
    driven.canvas.get_renderer = draw_renderer
    yield from well()
    print("canvas")
    update = driven.board.update
    driven.board.update = fail("the update")
    yield from broken("the update")
    driven.board.update = update
    yield from well()
    print("update")
    driven.canvas.mpl_connect("key_press_event", fail("a key"))
    driven.press("x")
    yield from broken("a key")
    print("event")
driven.run(script())
""",
        "artist\ncanvas\nupdate\nevent\n",
    ),
    "the first draw fails": (
        """
driven = Driven()
draw_canvas = driven.canvas.draw
def failing():
    if driven.frames_drawn < 3:
        raise ValueError("not yet")
    draw_canvas()
driven.canvas.draw = failing
def script():
    yield from driven.frames(4)
    yield from driven.wait(lambda: not driven.figure.faults.words)
    print("drawn")
driven.run(script())
""",
        "drawn\n",
    ),
}


def run(script: str, display: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "MPLBACKEND")}
    command = [sys.executable, "-W", "error", "-c", _BEGIN + script]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment | {"DISPLAY": display},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def done(display: str) -> "dict[str, subprocess.CompletedProcess[str]]":
    """Each in a process of its own, side by side."""
    with ThreadPoolExecutor(2) as side_by_side:
        results = side_by_side.map(lambda hand: run(hand[0], display), _HANDS.values())
        return dict(zip(_HANDS, results, strict=True))


@pytest.mark.parametrize("name", _HANDS)
def test_the_window_stays_in_hand(name: str, done: "dict[str, subprocess.CompletedProcess[str]]") -> None:
    assert done[name].stdout == _HANDS[name][1], done[name]
    assert done[name].returncode == 0, done[name]
    assert "Traceback" not in done[name].stderr


def test_each_fault_is_logged_once(done: "dict[str, subprocess.CompletedProcess[str]]") -> None:
    logged = done["a draw that fails anywhere"].stderr
    places = ("an artist", "the renderer", "the update", "a key")
    assert [logged.count(f"ValueError: {place}") for place in places] == [1, 1, 1, 1]


_FULL_SCREEN = """
driven = Driven()
window = driven.canvas.manager.window
screen = window.winfo_screenwidth(), window.winfo_screenheight()
def script():
    yield from driven.frames()
    before = tuple(driven.figure.bbox.size.round())
    for key, size in (("f", screen), ("Escape", before), ("Escape", before), ("f", screen), ("f", before)):
        driven.widget.focus_force()
        driven.widget.event_generate(f"<Key-{key}>")
        yield from driven.wait(lambda: tuple(driven.figure.bbox.size.round()) == size)
        yield from driven.frames()
        print(key, size == screen, bool(window.wm_attributes("-fullscreen")))
driven.run(script())
"""


def test_f_fills_the_screen_and_escape_leaves_it(managed_display: str) -> None:
    done = run(_FULL_SCREEN, managed_display)
    assert done.returncode == 0, done
    full, not_full = "{} True True", "{} False False"
    wanted = [full.format("f"), not_full.format("Escape"), not_full.format("Escape"), full.format("f")]
    assert done.stdout.splitlines() == [*wanted, not_full.format("f")], done
