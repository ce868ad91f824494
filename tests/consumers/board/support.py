"""A dashboard that was drawn, and what is to be seen on it."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from consumers.board.board import Dashboard
from consumers.board.figure import snapshot_figure
from consumers.board.status import FeedStatus
from consumers.machines.fleet import Fleet
from consumers.records import RatedReading
from tests.consumers.machines.support import LIMITS, T0_S, row
from tests.consumers.support import take
from utils.efficiency import Limits
from utils.message import MODES, timestamp_at

WAITING_FOR = "readings in data/project_live.json"


def plant(machine_ids: Sequence[int], rounds: int = 20) -> list[RatedReading]:
    """A plant of all modes and levels, with every ninth machine beyond a limit at the end."""
    return [
        row(
            machine_id,
            second,
            MODES[number % 4] if number % 3 == 0 else "active",
            35 + (number * 7 + second) % 50,
            (5.0 if number % 9 == 1 and second > rounds // 2 else 0.5 + (number + second) % 4),
        )
        for second in range(rounds)
        for number, machine_id in enumerate(machine_ids)
    ]


class Shown:
    """A dashboard that was drawn, and what is to be seen on it."""

    def __init__(
        self,
        rows: Sequence[RatedReading] = (),
        after_s: float | None = None,
        waiting_for: str = WAITING_FOR,
        window_min: float = 60,
        limits: Limits = LIMITS,
        feed: FeedStatus = FeedStatus(),  # noqa: B008 - immutable
        size_in: tuple[float, float] | None = None,
        kept: int = 20_000,
        **options: Any,
    ) -> None:
        self.figure = snapshot_figure()
        if size_in is not None:
            self.figure.set_size_inches(*size_in)
        self.dashboard = Dashboard(self.figure, limits, window_min, 60, waiting_for, **options)
        self.fleet = Fleet(kept, window_min=window_min)
        self.feed = feed
        self.add(rows, after_s)

    def add(self, rows: Sequence[RatedReading], after_s: float | None = None) -> None:
        take(self.fleet, rows)
        if after_s is None:
            now = self.fleet.recent[-1].processed_at if self.fleet.recent else timestamp_at(T0_S)
        else:
            now = timestamp_at(T0_S + after_s)
        self.fleet.history.keep(now)
        self.dashboard.update(self.fleet, now, self.feed)

    @property
    def strips(self) -> list[Axes]:
        return [strip.axes for strip in self.dashboard._trend._strips if strip.axes.get_visible()]

    @property
    def modes(self) -> Axes:
        return self.dashboard._modes.axes

    @property
    def scatter(self) -> Axes:
        return self.dashboard._scatter.axes

    @property
    def levels(self) -> Axes:
        return self.dashboard._levels.axes

    @property
    def words(self) -> str:
        return "\n".join(text.get_text() for text in visible_texts(self.figure))

    @property
    def headline(self) -> Text:
        return max(visible_texts(self.figure), key=lambda text: text.get_fontsize())

    def line(self, axes: Axes, marker: str) -> Line2D:
        (found,) = (line for line in axes.get_lines() if line.get_marker() == marker)
        return found

    def course(self, place: int = 0) -> NDArray[np.float64]:
        """The line of a strip, in days and %."""
        return points(self.line(self.strips[place], "o"))

    def crosses(self, place: int = 0) -> NDArray[np.float64]:
        return points(self.line(self.strips[place], "x"))

    def names(self) -> list[str]:
        """The machines of the strips, from above."""
        return [axes.texts[0].get_text() for axes in self.strips]

    def scatter_names(self) -> list[str]:
        return [text.get_text() for text in self.scatter.texts if text.get_text().startswith("#")]


def points(line: Line2D) -> NDArray[np.float64]:
    return np.column_stack(line.get_data()).astype(float)


def visible_texts(figure: Figure) -> list[Text]:
    texts: list[Any] = list(figure.texts)
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        texts += axes.texts
        legend = axes.get_legend()
        texts += legend.get_texts() if legend else []
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_visible():
                low, high = sorted(axis.get_view_interval())
                texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
                texts += [axis.label, axis.get_offset_text()]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def overlaps(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    boxes = [(text.get_text(), Text.get_window_extent(text).padded(-1.5)) for text in visible_texts(figure)]
    picture = Bbox.from_extents(0, 0, *figure.bbox.size)
    outside = [words for words, box in boxes if not (picture.containsx(box.x0) and picture.containsx(box.x1))]
    return outside + [
        f"{words!r} on {other_words!r}"
        for (words, box), (other_words, other) in combinations(boxes, 2)
        if box.overlaps(other)
    ]


def bars(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]
