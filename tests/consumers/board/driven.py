"""A real window that a script drives as hands would, while rows keep coming; for processes of their own."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backend_bases import KeyEvent

from consumers.board import window
from consumers.board.board import Dashboard
from consumers.machines.fleet import Fleet
from tests.consumers.board.support import plant
from tests.consumers.support import take
from utils.efficiency import Limits

_ROWS_A_STEP = 4


class Driven:
    """A dashboard in a window; `run` goes on with the script at each step, and ends with it."""

    def __init__(self, *, has_toolbar: bool = False) -> None:
        self.figure = window.open_window_figure(has_toolbar=has_toolbar)
        self.board = Dashboard(self.figure, Limits(), 60, 60, "readings")
        self.fleet = Fleet(20_000)
        self.frames_drawn = 0
        self._rows = iter(plant(range(1, 9), 2000))
        self._take(80)

    @property
    def canvas(self) -> Any:
        return self.figure.canvas

    @property
    def widget(self) -> Any:
        return self.canvas.get_tk_widget()

    @property
    def panels(self) -> tuple[Axes, Axes, Axes]:
        board = self.board
        return board._trend._strips[0].axes, board._modes.axes, board._scatter.axes

    def draw(self) -> None:
        self.frames_drawn += 1
        self.board.update(self.fleet, self.fleet.recent[-1].processed_at)

    def run(self, script: Iterator[None], draw: Callable[[], None] | None = None) -> None:
        """Show the window until the script ends, with a frame after every few steps."""

        def step() -> bool:
            self._take(_ROWS_A_STEP)
            return next(script, self) is None

        window.show_window(self.figure, step, draw or self.draw, 0.005, 0.03)

    def frames(self, number: int = 2) -> Iterator[None]:
        """Wait for so many more frames, and for the picture of the last."""
        until = self.frames_drawn + number
        while self.frames_drawn < until:
            yield
        yield

    def wait(self, condition: Callable[[], bool]) -> Iterator[None]:
        for steps in count():
            if condition():
                return
            assert steps < 300, "waited in vain"
            yield

    def at(self, axes: Axes, right: float, up: float) -> dict[str, int]:
        """A place in a panel, by its shares, as Tk counts: in pixels from the upper left."""
        return self.pixel(*axes.transAxes.transform((right, up)))

    def pixel(self, x: float, y: float) -> dict[str, int]:
        return {"x": round(x), "y": round(self.canvas.get_width_height(physical=True)[1] - y)}

    def drag(self, axes: Axes, begin: tuple[float, float], end: tuple[float, float]) -> Iterator[None]:
        """Drag over a panel with the left button."""
        self.widget.event_generate("<ButtonPress-1>", **self.at(axes, *begin))
        yield from self.frames(1)
        self.widget.event_generate("<Motion>", **self.at(axes, *end), state=0x100)
        yield from self.frames(1)
        self.widget.event_generate("<ButtonRelease-1>", **self.at(axes, *end))
        yield from self.frames(1)

    def press(self, key: str) -> None:
        """Press a key as the toolkit tells of it: its own events need the focus, which other windows may have."""
        KeyEvent("key_press_event", self.canvas, key)._process()  # type: ignore[attr-defined]

    def shown_words(self) -> str:
        return "\n".join(text.get_text() for text in self.figure.texts if text.get_visible())

    def _take(self, rows: int) -> None:
        take(self.fleet, [row for row, _ in zip(self._rows, range(rows), strict=False)])
