import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from consumers.board.screen import opening_place
from tests.support import PROJECT, bound, command_environment

SCREENS = {
    "small": (1366, 768, 1.0),
    "smaller": (1280, 720, 1.0),
    "144 dpi": (1920, 1080, 1.5),
    "portrait": (1080, 1920, 1.0),
    "large": (3840, 2160, 1.0),
    "large at 192 dpi": (3840, 2160, 2.0),
}


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_a_window_opens_within_its_screen_with_room_for_its_frame(screen: tuple[int, int, float]) -> None:
    width, height, _ = screen
    place = opening_place(*screen)
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + place.width <= width
    assert place.top + place.height + 60 <= height


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_a_window_has_the_shape_of_its_screen_and_most_of_a_small_one(screen: tuple[int, int, float]) -> None:
    width, height, ratio = screen
    place = opening_place(*screen)
    assert (place.width > place.height) == (width > height)
    assert place.width * place.height >= min(0.65 * width * height, 1500 * 1000 * ratio**2)


_OPEN = """
from consumers.board import board, window
from utils.efficiency import Limits
figure = window.open_window_figure(has_toolbar=True)
board.Dashboard(figure, Limits(), 60, 60, "readings")
opened, steps = figure.canvas.manager.window, []
def step():
    steps.append(1)
    return len(steps) < 20 or not opened.winfo_viewable()
window.show_window(figure, lambda: step() or print(opened.winfo_geometry()), lambda: None, 0.01, 0.05)
"""


@pytest.fixture(params=[("1280x720", "144", False), ("1080x1920", "96", True)], ids=["144 dpi", "portrait"])
def screen(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, bool]]:
    """A virtual screen's name, its size, and whether it is higher than wide."""
    pytest.importorskip("tkinter", reason="needs Python's tkinter")
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb, which is not installed here")
    size, dots_an_inch, is_portrait = request.param
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-dpi", dots_an_inch, "-nolisten", "tcp"]
    with subprocess.Popen(
        bound([*command, "-noreset"]), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f":{server.stdout.readline().strip()}", size, is_portrait
        finally:
            server.terminate()


def test_a_real_window_with_its_toolbar_opens_within_its_screen(screen: tuple[str, str, bool]) -> None:
    display, size, is_portrait = screen
    command = [sys.executable, "-W", "error", "-c", _OPEN]
    environment = command_environment(DISPLAY=display, WAYLAND_DISPLAY="", MPLBACKEND="")
    opened = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "could not be drawn" not in opened.stderr
    width, height, left, top = map(int, opened.stdout.strip().replace("x", "+").split("+"))
    screen_width, screen_height = map(int, size.split("x"))
    assert left + width <= screen_width
    assert top + height <= screen_height
    assert (height > width) == is_portrait
