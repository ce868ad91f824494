"""The dashboard's window. While it is open, its event loop drives the whole program, in one thread."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import matplotlib as mpl
from loguru import logger
from matplotlib.animation import FuncAnimation
from matplotlib.backend_bases import ResizeEvent
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.figure import Figure

from consumers.board.board import DRAWING, FIGURE_DPI, FIGURE_SIZE_IN, TITLE, DashboardError
from consumers.board.layout import fitted
from utils.text import printable

_MOST_MESSAGES_KEPT: Final = 100


class NoWindowError(DashboardError):
    """No window can be opened here; the message says why."""


def open_window_figure() -> Figure:
    """Return a figure in a window of the backend that matplotlib finds, or that MPLBACKEND names.

    Raise NoWindowError if there is no display or no GUI toolkit.
    """
    from matplotlib import pyplot as plt  # noqa: PLC0415 - snapshots need none of it

    try:
        with mpl.rc_context({"toolbar": "None"}):
            figure = plt.figure(num=TITLE, figsize=FIGURE_SIZE_IN, dpi=FIGURE_DPI)
    except _window_errors() as error:
        raise NoWindowError(f"no window can be opened: {printable(str(error))}") from error
    backend = mpl.get_backend()
    if backend.lower() in backend_registry.list_builtin(BackendFilter.INTERACTIVE):  # type: ignore[no-untyped-call]
        figure.canvas.mpl_connect("resize_event", _fit)
        return figure
    plt.close(figure)
    raise NoWindowError(
        f"no window can be opened: there is no display, or no GUI toolkit such as tkinter or PyQt6 "
        f"(matplotlib's backend is {backend}, which draws to files only)"
    )


def _fit(event: ResizeEvent) -> None:
    """Give the figure its window's size: letters as large as the window allows; the next update lays it out anew."""
    figure = event.canvas.figure
    width, height = figure.bbox.size  # in pixels of the screen; the event's may be larger, logical ones
    dpi, width_in, height_in = fitted(width, height)
    # The public setter would resize the window in turn.
    figure._set_dpi(dpi, forward=False)  # type: ignore[attr-defined]  # noqa: SLF001
    figure.set_size_inches(width_in, height_in, forward=False)


def _window_errors() -> tuple[type[Exception], ...]:
    """Return the errors that opening a window may raise; Tk's own error only if matplotlib has tried Tk."""
    tkinter = sys.modules.get("tkinter")
    errors = (ImportError, RuntimeError, ValueError)
    return errors if tkinter is None else (*errors, tkinter.TclError)


def keep_drawing(draw: Callable[[], None]) -> Callable[[], None]:
    """Return `draw` with its exceptions logged, once for each message, so that the next frame can try again."""
    logged: set[str] = set()

    def draw_if_possible() -> None:
        try:
            draw()
        except Exception as error:  # noqa: BLE001 - readings are saved even if no picture of them can be drawn
            message = f"the dashboard could not be drawn: {type(error).__name__}: {printable(str(error))}"
            if message not in logged:
                if len(logged) >= _MOST_MESSAGES_KEPT:
                    logged.clear()
                logged.add(message)
                logger.error("{}", message)

    return draw_if_possible


def show_window(
    figure: Figure,
    step: Callable[[], bool],
    draw: Callable[[], None],
    step_interval_s: float = 0.05,
    refresh_s: float = 2.0,
) -> None:
    """Show the window until it is closed or `step` returns False; its event loop calls `step` and `draw`.

    An exception of `step` closes the window and is raised from here. An exception of `draw` is logged, once for each
    message, and the next frame tries again.
    """
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    drawn = keep_drawing(draw)
    ticks = Ticks(figure, step, close=lambda: plt.close(figure))
    timer = figure.canvas.new_timer(interval=round(step_interval_s * 1000))
    timer.add_callback(ticks.take_step)
    # The first draw below starts the animation; with an init_func it draws no frame of its own for that.
    animation = FuncAnimation(
        figure, lambda _frame: drawn(), init_func=tuple, interval=round(refresh_s * 1000), cache_frame_data=False
    )
    ticks.stop_at_close(timer, animation.event_source)
    with mpl.rc_context(DRAWING):
        drawn()
        figure.canvas.draw()
        timer.start()
        plt.show(block=True)
    ticks.stop()
    if ticks.step_error is not None:
        raise ticks.step_error


class Ticks:
    """What happens when a window's timers tick, until it is closed.

    An exception of a step is kept in `step_error`, as the toolkit would print it and go on; when the event loop has
    ended, it can be raised.
    """

    def __init__(self, figure: Figure, step: Callable[[], bool], close: Callable[[], None]) -> None:
        self._close = close
        self._step = step
        self._open = True
        self._timers: list[Any] = []
        self.step_error: BaseException | None = None
        figure.canvas.mpl_connect("close_event", self.stop)

    def stop_at_close(self, *timers: Any) -> None:
        """Remember timers to stop, because a timer that ticks on in a closed window makes its toolkit complain."""
        self._timers.extend(timers)

    def take_step(self) -> None:
        """Take a step; close the window if it was the last one or raised an exception."""
        if not self._open:  # a tick that was due when the window was closed
            return
        with _Kept() as kept:
            if self._step():
                return
        self.step_error = kept.error
        self.stop()
        self._close()

    def stop(self, _event: object = None) -> None:
        """Stop the timers, and take no further step."""
        self._open = False
        for timer in self._timers:
            timer.stop()


class _Kept:
    """A block whose exception is kept in `error`, and goes no further."""

    error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: TracebackType | None) -> bool:
        self.error = error
        return error is not None
