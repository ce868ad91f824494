"""The dashboard's window. While it is open, its event loop drives the whole program, in one thread."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Final, Self, cast

import matplotlib as mpl
from matplotlib.animation import FuncAnimation
from matplotlib.backend_bases import ResizeEvent
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.figure import Figure

from consumers.board.board import TITLE
from consumers.board.faults import Faults
from consumers.board.figure import FIGURE_DPI, DashboardFigure
from consumers.board.hover import Hover
from consumers.board.keys import keep_few_buttons, keep_few_keys
from consumers.board.layout import BASE_SIZE_IN, fitted
from consumers.board.screen import place_on_screen
from consumers.board.snapshot import DRAWING, DashboardError
from consumers.board.view import Hold
from utils.text import printable

_MOST_MESSAGES_KEPT: Final = 100
_QT_BINDINGS: Final = ("PyQt6", "PySide6", "PyQt5", "PySide2")
_TRY_A_WINDOW: Final = "from matplotlib import pyplot; pyplot.figure()"
_TRIED_FOR_S: Final = 30.0


class NoWindowError(DashboardError):
    """No window can be opened here; the message says why."""


def open_window_figure(*, has_toolbar: bool = False) -> DashboardFigure:
    """Return a figure in a window of the backend that matplotlib finds, or that MPLBACKEND names.

    Raise NoWindowError if there is no display or no GUI toolkit.
    """
    if any(find_spec(name) for name in _QT_BINDINGS):
        _check_that_it_lives(_TRY_A_WINDOW)
    from matplotlib import pyplot as plt  # noqa: PLC0415 - snapshots need none of it

    try:
        with mpl.rc_context({"toolbar": "toolbar2" if has_toolbar else "None"}):
            opened = plt.figure(num=TITLE, figsize=BASE_SIZE_IN, dpi=FIGURE_DPI, FigureClass=DashboardFigure)
    except _window_errors() as error:
        raise NoWindowError(f"no window can be opened: {printable(str(error))}") from error
    figure, backend = cast("DashboardFigure", opened), mpl.get_backend()
    if backend.lower() in backend_registry.list_builtin(BackendFilter.INTERACTIVE):  # type: ignore[no-untyped-call]
        figure.canvas.mpl_connect("resize_event", _fit)
        figure.faults = Faults()
        keep_few_keys(figure)
        keep_few_buttons(figure)
        place_on_screen(figure)
        return figure
    plt.close(figure)
    raise NoWindowError(
        f"no window can be opened: there is no display, or no GUI toolkit such as tkinter or PyQt6 "
        f"(matplotlib's backend is {backend}, which draws to files only){_tkinter_help()}"
    )


def _tkinter_help() -> str:
    if find_spec("_tkinter") is not None:
        return ""
    return (
        "; tkinter is not installed: apt install python3-tk, dnf install python3-tkinter, brew install python-tk, "
        "or pip install PyQt6"
    )


def _check_that_it_lives(script: str) -> None:
    """Raise NoWindowError if a script ends badly: a Qt without its libraries takes its whole process down."""
    command = [sys.executable, "-c", script]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TRIED_FOR_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise NoWindowError("no window can be opened: Qt does not answer") from None
    if done.returncode != 0:
        why = done.stderr.strip().splitlines()[:1]
        raise NoWindowError(f"no window can be opened: Qt cannot start{printable(''.join(f': {w}' for w in why))}")


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


def show_window(
    figure: DashboardFigure,
    step: Callable[[], bool],
    draw: Callable[[], None],
    step_interval_s: float = 0.05,
    refresh_s: float = 2.0,
) -> None:
    """Show the window until it is closed or `step` returns False; its event loop calls `step` and `draw`.

    An exception of `step` closes the window and is raised from here. An exception of `draw`, or of drawing what it
    has set, is logged, once for each message, and is to be seen in the picture until the next frame succeeds.
    """
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    show, close = _ways(figure, refresh_s)
    next_frame = _frame(figure, draw)
    ticks = Ticks(figure, step, close)
    timer = figure.canvas.new_timer(interval=round(step_interval_s * 1000))
    timer.add_callback(ticks.take_step)
    # The first draw below starts the animation; with an init_func it draws no frame of its own for that.
    animation = FuncAnimation(
        figure, lambda _frame: next_frame(), init_func=tuple, interval=round(refresh_s * 1000), cache_frame_data=False
    )
    ticks.stop_at_close(timer, animation.event_source)

    def begin() -> None:
        next_frame()
        figure.canvas.draw()
        # As a draw says when it is done: the animation starts also if the first one failed.
        figure.canvas.callbacks.process("draw_event", None)
        timer.start()

    with mpl.rc_context(DRAWING):
        show(begin)
    ticks.stop()
    plt.close(figure)
    if ticks.step_error is not None:
        raise ticks.step_error


def _ways(
    figure: DashboardFigure, refresh_s: float
) -> tuple[Callable[[Callable[[], None]], None], Callable[[], None]]:
    """Return how the figure is shown until it is closed, once what it is given has begun; and how it is closed."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    if mpl.get_backend().lower() == "webagg":
        from consumers.board.browser import Page  # noqa: PLC0415 - needs tornado

        page = Page(figure, TITLE, refresh_s)
        return page.serve, page.end

    def show(begin: Callable[[], None]) -> None:
        begin()
        plt.show(block=True)

    return show, lambda: plt.close(figure)


def _frame(figure: DashboardFigure, draw: Callable[[], None]) -> Callable[[], None]:
    """Return what brings the picture up to date, with every exception of it and of drawing kept and shown."""
    faults = figure.faults = figure.faults or Faults()
    canvas = figure.canvas
    canvas.draw = faults.guarded("the canvas", canvas.draw)  # type: ignore[method-assign]
    canvas.callbacks.exception_handler = faults.add
    hold, hover = Hold(figure), Hover(figure)

    def bring_up_to_date() -> None:
        hold.release_at_home()
        draw()
        hover.refresh()

    return faults.guarded("the update", bring_up_to_date)


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
