"""The dashboard in a browser (MPLBACKEND=webagg), and how it ends."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import CONSUMER, PROJECT, command_environment, end, line, lines, lines_until, start

pytest.importorskip("tornado", reason="needs tornado, as WebAgg does")
from tests.consumers.board import chromium

in_chromium = pytest.mark.skipif(chromium.PROGRAM is None, reason="needs Chromium, which is not installed here")

# What is drawn, as a number.
_INK = """(() => {
    const canvas = document.querySelector("canvas.mpl-canvas");
    if (!canvas || !canvas.width || !canvas.height) return 0;
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let sum = 0;
    for (let at = 0; at < pixels.length; at += 4) sum = (sum * 31 + pixels[at]) % 1000000007;
    return pixels[3] && new Set(pixels).size > 50 ? sum : 0;
})()"""


class Dashboard:
    """A consumer whose dashboard is in the browser."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.live_file = folder / "live.json"
        self.live_file.write_bytes(lines(1, 8))
        files = ("--file", "live.json", "--db", "readings.sqlite")
        self.process = start(CONSUMER, *files, *flags, cwd=folder, DISPLAY="", MPLBACKEND="webagg")
        *_, told = lines_until(self.process, "the dashboard is at")
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", told)
        assert found is not None, told
        self.url, self.port = found[0], int(found[1])


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[..., Dashboard]]:
    dashboards: list[Dashboard] = []

    def begin(*flags: str) -> Dashboard:
        dashboards.append(Dashboard(tmp_path, *flags))
        return dashboards[-1]

    yield begin
    for dashboard in dashboards:
        dashboard.process.kill()
        dashboard.process.communicate()


@in_chromium
def test_a_page_is_drawn_anew_as_rows_come_and_says_when_it_has_ended(
    tmp_path: Path, begun: Callable[..., Dashboard]
) -> None:
    dashboard = begun()

    async def look() -> None:
        async with chromium.shown_page(dashboard.url, tmp_path) as page:
            await page.until(f"{_INK} !== 0")
            first = await page.value(_INK)
            with dashboard.live_file.open("a", encoding="utf-8") as file:
                file.write(line(9, temperature_c=95.0))
            await page.until(f"{_INK} !== {first}")
            await page.until("Math.abs(document.querySelector('canvas').clientWidth - innerWidth) < 5")
            await page.until("Math.abs(document.querySelector('canvas').clientHeight - innerHeight) < 5")
            assert await page.value("document.title") == "Manufacturing analytics"
            assert await page.value("document.querySelectorAll('button, a').length") == 0
            assert await page.value("document.getElementById('ended').offsetHeight") == 0
            output = end(dashboard.process, signal.SIGINT)
            assert "9 lines = 9 stored" in output
            assert "Traceback" not in output
            await page.until("document.getElementById('ended').offsetHeight > 0")
            assert page.exceptions == []

    asyncio.run(look())


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@in_chromium
def test_a_page_says_so_when_no_new_picture_comes(tmp_path: Path, begun: Callable[..., Dashboard]) -> None:
    dashboard = begun()

    async def look() -> None:
        async with chromium.shown_page(dashboard.url, tmp_path) as page:
            await page.until(f"{_INK} !== 0")
            assert await page.value("document.getElementById('late').offsetHeight") == 0
            dashboard.process.send_signal(signal.SIGSTOP)
            await page.until("document.getElementById('late').offsetHeight > 0")
            assert "no new one has come for" in await page.value("document.getElementById('late').textContent")
            assert await page.value("getComputedStyle(document.getElementById('figure')).opacity") == "0.5"
            dashboard.process.send_signal(signal.SIGCONT)
            await page.until("document.getElementById('late').offsetHeight === 0")

    asyncio.run(look())


@in_chromium
def test_each_button_of_the_toolbar_works(tmp_path: Path, begun: Callable[..., Dashboard]) -> None:
    dashboard = begun("--toolbar")

    async def look() -> None:
        async with chromium.shown_page(dashboard.url, tmp_path) as page:
            await page.until(f"{_INK} !== 0")
            images = "[...document.querySelectorAll('button img')]"
            assert await page.value(f"{images}.every(image => image.naturalWidth > 0)")
            assert await page.value("document.querySelectorAll('button').length") == 4
            for index in (1, 2):  # pan, zoom
                button = f"document.querySelectorAll('button')[{index}]"
                await page.value(f"{button}.click()")
                await page.until(f"{button}.classList.contains('active')")
            await page.value("document.querySelectorAll('button')[0].click()")
            await page.value("window.open = url => { window.opened = url }")
            await page.value("document.querySelectorAll('button')[3].click()")
            await page.until("window.opened")
            kind = await page.value("fetch(window.opened).then(got => got.ok && got.headers.get('Content-Type'))")
            assert kind == "image/png"
            assert page.exceptions == []

    asyncio.run(look())
    assert "Traceback" not in end(dashboard.process)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "SIGTERM"])
def test_a_signal_ends_it_in_order(begun: Callable[..., Dashboard], how: signal.Signals) -> None:
    output = end(begun().process, how)
    assert "8 lines = 8 stored" in output
    assert "Traceback" not in output


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no second address of this machine by itself")
def test_it_is_there_for_this_machine_alone(begun: Callable[..., Dashboard]) -> None:
    port = begun().port
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_no_other_name_leads_to_it(begun: Callable[..., Dashboard]) -> None:
    with socket.create_connection(("127.0.0.1", begun().port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
        assert b"404" in connection.recv(100)


_SHOW = """
from consumers.board import board, window
from utils.efficiency import Limits
figure = window.open_window_figure()
board.Dashboard(figure, Limits(), 60, 60, "readings")
calls = []
"""
_ENDINGS = {
    """
def step():
    calls.append("step")
    return len(calls) < 5
window.show_window(figure, step, lambda: calls.append("draw"), 0.01, 60)
print(calls)
""": "['draw', 'step', 'step', 'step', 'step']\n",
    """
def step():
    raise OSError("disk full")
try:
    window.show_window(figure, step, lambda: None, 0.01, 0.01)
except OSError as error:
    print("raised", error)
""": "raised disk full\n",
    """
def draw():
    calls.append("draw")
    raise ValueError("no picture")
window.show_window(figure, lambda: calls.count("draw") < 4, draw, 0.01, 0.01)
print("frames")
""": "frames\n",
}


@pytest.mark.parametrize("ending", _ENDINGS, ids=["step", "exception", "draw"])
def test_it_ends_as_a_window_does(ending: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", _SHOW + ending]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=command_environment(MPLBACKEND="webagg"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == _ENDINGS[ending], done
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert done.stderr.count("no picture") == ("no picture" in ending)
