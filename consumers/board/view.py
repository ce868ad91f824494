"""How far the axes of the panels reach, and who decides that: the panel, or a user who has zoomed or panned it."""

from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox, TransformedBbox, blended_transform_factory

from consumers.board.figure import DashboardFigure


def set_view(axes: Axes, xlim: tuple[float, float] | None = None, ylim: tuple[float, float] | None = None) -> None:
    """Set the limits of a panel's axes; while a user holds them they stay as they are."""
    if is_held(axes):
        return
    if xlim is not None:
        axes.set_xlim(*xlim)
    if ylim is not None:
        axes.set_ylim(*ylim)


def is_held(axes: Axes) -> bool:
    """Return whether a user has zoomed or panned a panel."""
    figure = axes.get_figure(root=True)
    return isinstance(figure, DashboardFigure) and axes in figure.held


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
        if self._figure.held and self._begun is None and self._is_at_home():
            for axes in list(self._figure.held):
                self._release(axes)
            self._toolbar.update()  # so that Home leads next time to where the panels are then

    def _is_at_home(self) -> bool:
        # matplotlib tells this nowhere else. Home puts the first of the views that it keeps on top of them once more.
        views = self._toolbar._nav_stack  # noqa: SLF001
        return views() is None or views() is views._elements[0]  # noqa: SLF001

    def _begin(self, event: Any) -> None:
        axes = event.inaxes
        if self._toolbar.mode and axes is not None and axes not in self._figure.held:
            self._begun = axes, _view(axes)
            self._figure.held[axes] = _clipped(axes, self._figure)

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


def _clipped(axes: Axes, figure: DashboardFigure) -> list[Artist]:
    """Clip what a panel draws at places of its data but beyond its frame, and return it.

    It is clipped in the direction in which it follows the data: names beside the panel stay.
    """
    free = [artist for artist in (*axes.lines, *axes.collections, *axes.texts) if not artist.get_clip_on()]
    clipped: list[Artist] = []
    for artist in free:
        follows = artist.get_transform().contains_branch_seperately(axes.transData)
        if any(follows):
            ends = blended_transform_factory(*(axes.transAxes if does else figure.transFigure for does in follows))
            artist.set_clip_box(TransformedBbox(Bbox.unit(), ends))
            artist.set_clip_on(True)
            clipped.append(artist)
    return clipped
