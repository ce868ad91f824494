"""Pointing at a dot or a line says what it is: each panel gives its points with their words, the nearest is named."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from consumers.board.courses import Course
from consumers.board.figure import DashboardFigure, Points
from consumers.board.letters import drawable
from consumers.board.palette import FONT_FAMILY, INK, NAME_PT, PAPER
from consumers.board.words import moment_words
from consumers.records import RatedReading
from utils.message import timestamp_at

_NEAR_PT: Final = 12.0
_AWAY_PT: Final = 12.0


def set_points(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], words: Callable[[int], str]) -> None:
    """Let a panel's points be pointed at: `x` and `y` in the data's units, and the words for each index."""
    figure = axes.get_figure(root=True)
    if isinstance(figure, DashboardFigure):
        figure.points[axes] = Points(np.column_stack((x, y)).reshape(-1, 2), words)


def reading_words(reading: RatedReading, name: str, zone: tzinfo) -> str:
    """Return what is said of a reading: its machine, mode, values and time."""
    beyond = ", beyond a limit" if reading.is_anomaly else ""
    return (
        f"{name}  {reading.mode}{beyond}\n"
        f"{reading.temperature_c:g} °C   {reading.vibration_mm_s:g} mm/s   {reading.efficiency_score:g} %\n"
        f"{moment_words(reading.timestamp, zone)}"
    )


def point_words(latest: RatedReading, name: str, course: Course, index: int, zone: tzinfo) -> str:
    """Return what is said of a point of the trend; of the newest one, the machine's latest reading."""
    if index == len(course.time_s) - 1:
        return reading_words(latest, name, zone)
    at = timestamp_at(float(course.time_s[index]))
    hit = f", {course.anomalies[index]:.0f} beyond a limit" if course.anomalies[index] else ""
    scores = f"mean {course.score[index]:.0f} %, worst {course.worst[index]:.0f} %"
    return f"{name}  {scores}{hit}\n{moment_words(at, zone)}"


class Hover:
    """The words beside the point that is nearest to the mouse, if one is near."""

    def __init__(self, figure: DashboardFigure) -> None:
        self._figure = figure
        self._mouse: tuple[float, float] | None = None
        self._axes: Axes | None = None
        style: Any = {"fontsize": NAME_PT, "fontfamily": FONT_FAMILY, "color": INK, "parse_math": False}
        box = {"facecolor": PAPER, "edgecolor": INK, "linewidth": 1, "pad": 5, "alpha": 0.95}
        self._text = figure.text(0, 0, "", transform=None, zorder=20, visible=False, bbox=box, **style)
        self._ring = Line2D([0], [0], marker="o", markersize=14, markerfacecolor="none", markeredgecolor=INK)
        self._ring.set(transform=None, zorder=19, visible=False)
        figure.add_artist(self._ring)
        for event in ("motion_notify_event", "figure_leave_event"):
            figure.canvas.mpl_connect(event, self._move)

    def refresh(self) -> None:
        """Name what is under the mouse by now; the next draw shows it."""
        found = self._nearest()
        self._text.set_visible(found is not None)
        self._ring.set_visible(found is not None)
        if found is None:
            return
        (x, y), words = found
        width, height = self._figure.bbox.size
        away = _AWAY_PT / 72 * self._figure.dpi
        to_the_right, above = x < width / 2, y < height / 2
        self._ring.set_data([x], [y])
        self._text.set(
            text="\n".join(map(drawable, words.split("\n"))),
            x=x + (away if to_the_right else -away),
            y=y + (away if above else -away),
        )
        self._text.set(ha="left" if to_the_right else "right", va="bottom" if above else "top")

    def _move(self, event: Any) -> None:
        inside = event.name == "motion_notify_event"
        self._mouse, self._axes = ((event.x, event.y), event.inaxes) if inside else (None, None)
        before = self._shown()
        self.refresh()
        if self._shown() != before:
            self._figure.canvas.draw_idle()

    def _shown(self) -> tuple[object, ...]:
        return self._text.get_visible(), self._text.get_text(), self._text.get_position()

    def _nearest(self) -> tuple[tuple[float, float], str] | None:
        """Return where the nearest point lies, in pixels, and its words; None if none is near."""
        points = None if self._axes is None else self._figure.points.get(self._axes)
        if points is None or self._mouse is None or self._axes is None or not len(points.places):
            return None
        pixels = self._axes.transData.transform(points.places)
        distances = np.nan_to_num(np.hypot(*(pixels - self._mouse).T), nan=np.inf)
        nearest = int(np.argmin(distances))
        if distances[nearest] > _NEAR_PT / 72 * self._figure.dpi:
            return None
        x, y = pixels[nearest].tolist()
        return (x, y), points.words(nearest)
