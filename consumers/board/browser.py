"""The dashboard in a browser: matplotlib's WebAgg backend, which needs tornado, with our own page."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from loguru import logger
from matplotlib.backends.backend_webagg import FigureManagerWebAgg, WebAggApplication
from matplotlib.figure import Figure
from tornado.httpserver import HTTPServer
from tornado.template import Template
from tornado.web import Application, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketClosedError

from consumers.board.figure import DashboardFigure
from consumers.board.rhythm import LATE_AFTER_REFRESHES
from consumers.board.snapshot import DashboardError

_ADDRESS: Final = "127.0.0.1"
_PORTS_TRIED: Final = 50
_UNDERWAY_S: Final = 1.0
"""A picture takes a while to be drawn and sent."""
_BUTTONS: Final = ("home", "pan", "zoom", "download")

# The picture fills the browser's window. The page says so when no new picture comes, as the consumer then cannot.
# When the consumer ends, the page says so and waits for it to come back.
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{ title }}</title>
<link rel="icon" href="/favicon.ico">
<link rel="stylesheet" href="/_static/css/page.css">
<link rel="stylesheet" href="/_static/css/boilerplate.css">
<link rel="stylesheet" href="/_static/css/fbm.css">
<link rel="stylesheet" href="/_static/css/mpl.css">
<style>
body { margin: 0; overflow: hidden; background: #F5F7F8 }
.ui-dialog-titlebar, .mpl-toolbar select { display: none }
.mpl-toolbar { display: {{ "flex" if buttons else "none" }} }
#figure.late { opacity: 0.5 }
#ended, #late { display: none; position: fixed; inset: 40% 20%; padding: 1em; text-align: center; z-index: 9;
  font: bold 24px sans-serif; color: #1F2933; background: white; border: 4px solid #D4001A }
</style>
<script src="/_static/js/mpl_tornado.js"></script>
<script src="/js/mpl.js"></script>
<script>
mpl.toolbar_items = mpl.toolbar_items.filter(item => {% raw buttons %}.includes(item[3]));
mpl.extensions = ["png"];
addEventListener("DOMContentLoaded", () => {
  const socket = new WebSocket(`ws://${location.host}/{{ number }}/ws`);
  const figure = new mpl.figure({{ number }}, socket, mpl_ondownload, document.getElementById("figure"));
  const fill = () => {
    const bar = document.querySelector(".mpl-toolbar").offsetHeight;
    figure.canvas_div.style.width = Math.max(innerWidth - 2, 200) + "px";
    figure.canvas_div.style.height = Math.max(innerHeight - bar - 2, 150) + "px";
  };
  figure._resize_canvas = () => {};  // the browser's window has the size, not the picture
  figure.canvas_div.style.resize = "none";
  addEventListener("resize", fill);
  socket.addEventListener("open", fill);
  let heard = Date.now();
  socket.addEventListener("message", () => { heard = Date.now(); });
  setInterval(() => {
    const past = Date.now() - heard, isLate = past > {{ late_after_ms }};
    document.getElementById("figure").classList.toggle("late", isLate);
    const late = document.getElementById("late");
    late.style.display = isLate ? "block" : "none";
    late.textContent = `This picture is old: no new one has come for ${Math.floor(past / 1000)} s.`;
  }, 500);
  socket.addEventListener("close", () => {
    document.getElementById("ended").style.display = "block";
    setInterval(() => fetch("/").then(() => location.reload(), () => {}), 2000);
  });
  addEventListener("keydown", event => {
    if (event.key !== "f" || event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.fullscreenElement) document.exitFullscreen(); else document.documentElement.requestFullscreen();
  });
});
</script>
</head>
<body>
<div id="figure"></div>
<div id="late"></div>
<div id="ended">The dashboard has ended: this picture is old. It comes back when the consumer is started again.</div>
</body>
</html>
"""


class NoPortError(DashboardError):
    """No port is free for the dashboard's page."""


class Page:
    """The page with the picture, on this machine alone."""

    def __init__(self, figure: DashboardFigure, title: str, refresh_s: float) -> None:
        self._figure = figure
        self._title = title
        self._late_after_ms = round((LATE_AFTER_REFRESHES * refresh_s + _UNDERWAY_S) * 1000)
        self._ended: asyncio.Event | None = None

    def serve(self, begin: Callable[[], None]) -> None:
        """Serve the page until it is ended; `begin` is called when its event loop runs.

        Raise NoPortError if no port is free.
        """
        asyncio.run(self._serve(begin))

    def end(self) -> None:
        """End it, from a callback of its loop."""
        if self._ended is not None:
            self._ended.set()

    async def _serve(self, begin: Callable[[], None]) -> None:
        server, port = _listen(_application(self._figure, self._title, self._late_after_ms))
        self._ended = asyncio.Event()
        logger.info("{}", f"the dashboard is at http://{_ADDRESS}:{port}/")
        try:
            begin()
            await self._ended.wait()
        finally:
            server.stop()
            await server.close_all_connections()


def _listen(application: Application) -> tuple[HTTPServer, int]:
    """Take the first free port from `webagg.port` on, only for this machine's own programs."""
    first = int(mpl.rcParams["webagg.port"])
    for port in range(first, first + _PORTS_TRIED):
        with suppress(OSError):
            return application.listen(port, _ADDRESS), port
    raise NoPortError(
        f"no port from {first} to {first + _PORTS_TRIED - 1} is free on {_ADDRESS} for the dashboard's page; "
        "end another program there, or set webagg.port in a matplotlibrc file"
    )


def _application(figure: DashboardFigure, title: str, late_after_ms: int) -> Application:
    """Return an application with our page and picture, and what they need of matplotlib's."""
    number = figure.number  # given by pyplot
    buttons = _BUTTONS if figure.canvas.toolbar is not None else ()
    page = {"title": title, "number": number, "buttons": list(buttons), "late_after_ms": late_after_ms}
    static: str = FigureManagerWebAgg.get_static_file_path()  # type: ignore[no-untyped-call]
    handlers: Any = [
        (r"/(?:[0-9]+)?", _Page, page),
        (rf"/({number})/ws", _Socket),
        (rf"/{number}/download\.png", _Picture, {"figure": figure}),
        (r"/js/mpl\.js", WebAggApplication.MplJs),
        (r"/favicon\.ico", WebAggApplication.FavIcon),
        (r"/_static/(.*)", StaticFileHandler, {"path": static}),
        (r"/_images/(.*)", StaticFileHandler, {"path": Path(mpl.get_data_path(), "images")}),
    ]
    application = Application()
    # Under no other name: a page of the internet may not reach this one by a name that it lets mean this machine.
    application.add_handlers(r"(127\.0\.0\.1|localhost)", handlers)
    return application


class _Page(RequestHandler):
    """The page with the picture."""

    def initialize(self, **values: Any) -> None:
        self._values = values

    def get(self) -> None:
        self.write(Template(_PAGE).generate(**self._values))


class _Picture(RequestHandler):
    """The picture of this moment, to be kept; matplotlib's own one does not say that it is a PNG."""

    def initialize(self, figure: Figure) -> None:
        self._figure = figure

    def get(self) -> None:
        picture = BytesIO()
        self._figure.savefig(picture, format="png", dpi="figure")
        self.set_header("Content-Type", "image/png")
        self.set_header("Content-Disposition", 'attachment; filename="dashboard.png"')
        self.write(picture.getvalue())


class _Socket(WebAggApplication.WebSocket):
    """The line to a browser. One that has gone away is no fault of the picture."""

    def send_json(self, content: object) -> None:
        """Send what the page is to do."""
        self._send(json.dumps(content), is_binary=False)

    def send_binary(self, blob: bytes) -> None:
        """Send a picture, as PNG."""
        self._send(blob, is_binary=True)

    def _send(self, message: str | bytes, *, is_binary: bool) -> None:
        with suppress(WebSocketClosedError):
            sent = self.write_message(message, binary=is_binary)
            sent.add_done_callback(lambda done: done.cancelled() or done.exception())
