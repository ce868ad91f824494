"""How far the axes of the panels reach, and who decides that: the panel, or a user who has zoomed or panned it."""

from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from consumers.board.figure import DashboardFigure


def set_view(axes: Axes, xlim: tuple[float, float] | None = None, ylim: tuple[float, float] | None = None) -> None:
    """Set the limits of a panel's axes; while a user holds them they stay as they are."""
    figure = axes.get_figure(root=True)
    if isinstance(figure, DashboardFigure) and axes in figure.held:
        return
    if xlim is not None:
        axes.set_xlim(*xlim)
    if ylim is not None:
        axes.set_ylim(*ylim)


class Hold:
    """A user's hold on panels: it begins where the toolbar's zoom or pan does, and ends with its Home button."""

    def __init__(self, figure: DashboardFigure) -> None:
        self._figure = figure
        self._toolbar: Any = figure.canvas.toolbar
        self._begun: tuple[Axes, tuple[float, ...]] | None = None
        if self._toolbar is not None:
            figure.canvas.mpl_connect("button_press_event", self._begin)
            figure.canvas.mpl_connect("button_release_event", self._end)

    def release_at_home(self) -> None:
        """Give all panels back to themselves if the toolbar is where it began."""
        at_home = self._toolbar is not None and self._toolbar._nav_stack._pos <= 0  # noqa: SLF001 - told nowhere else
        if self._figure.held and self._begun is None and at_home:
            for axes in list(self._figure.held):
                self._release(axes)
            self._toolbar.update()  # so that Home leads next time to where the panels are then

    def _begin(self, event: Any) -> None:
        axes = event.inaxes
        if self._toolbar.mode and axes is not None and axes not in self._figure.held:
            self._begun = axes, _view(axes)
            self._figure.held[axes] = _clipped(axes)

    def _end(self, _event: object) -> None:
        if self._begun is not None:
            axes, before = self._begun
            self._begun = None
            if _view(axes) == before:  # a mere click
                self._release(axes)

    def _release(self, axes: Axes) -> None:
        for artist in self._figure.held.pop(axes):
            artist.set_clip_on(False)


def _view(axes: Axes) -> tuple[float, ...]:
    return (*axes.get_xlim(), *axes.get_ylim())


def _clipped(axes: Axes) -> list[Artist]:
    """Clip what is drawn in the data's units, and return what was not clipped before: it could lie outside now."""
    free: list[Artist] = [
        artist
        for artist in (*axes.lines, *axes.collections, *axes.texts)
        if not artist.get_clip_on() and artist.get_transform().contains_branch(axes.transData)
    ]
    for artist in free:
        artist.set_clip_on(True)
    return free
