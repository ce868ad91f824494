"""The panel of efficiency over time.

A plant may have thousands of machines, but a person can follow only a few lines. So the worst machines get a colour
each and their name at the line's end. All others are drawn in grey, the fainter the more of them there are. A machine
keeps its colour for as long as it is named. At each frame the lines are made anew from the recent readings (see
`lines`), and shown by artists that were made once.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from consumers.board.axes import frame, inches, size_pt
from consumers.board.labels import spread
from consumers.board.letters import drawable
from consumers.board.lines import Floats, Lines, lines_of
from consumers.board.palette import GRID, MACHINE_COLOURS, NAME_PT, OTHERS_COLOUR, WAITING_PT
from consumers.board.words import NameOf, number_name, trend_words, waiting_words
from consumers.machines.attendance import Attendance
from consumers.machines.fleet import Fleet
from consumers.machines.ranking import worst_machines
from utils.efficiency import Limits
from utils.text import duration, printable

_NAME_GAP_PT: Final = 15.0
_POINTS_WITH_MARKERS: Final = 25
_GREY_LINES: Final = 10  # of full strength: more lines than this share as much ink
_SHORTEST_SPAN_S: Final = 10.0
_DAY_S: Final = 86_400.0
_FIRST_DAY: Final = -719_160.0  # in the years 1 and 9999: matplotlib draws no dates beyond them
_LAST_DAY: Final = 2_932_890.0


class _End(NamedTuple):
    """Where a named machine's line ends. Ends sort by their height."""

    score: float
    slot: int
    machine_id: int
    time_d: float


class TrendPanel:
    """Efficiency over time: a few machines coloured and named at their line's end, any others grey."""

    def __init__(self, axes: Axes, limits: Limits, waiting_for: str, window_s: float) -> None:
        self._axes = axes
        self._limits = limits
        self._window_s = window_s
        self._waiting = _waiting_text(axes, waiting_for)
        self._subtitle = frame(axes, "Efficiency over time", "Time, UTC", "Efficiency, %")
        _set_scales(axes)
        (self._dots,) = axes.plot([], [], "o", markersize=3, color=OTHERS_COLOUR, alpha=0.5, markeredgewidth=0)
        self._others = _collection(axes, colors=[OTHERS_COLOUR], linewidths=0.9)
        beside = axes.get_yaxis_transform()
        self._leaders = _collection(axes, linewidths=1.0, linestyles=":", clip_on=False, transform=beside)
        self._named = [_named_line(axes, slot) for slot in range(len(MACHINE_COLOURS))]
        self._names = [_name(axes, colour) for colour in MACHINE_COLOURS]
        self._slots: dict[int, int] = {}

    def update(self, fleet: Fleet, attendance: Attendance, name_of: NameOf = number_name) -> None:
        """Draw the attendance's readings; if no machine is known, say what is waited for."""
        self._waiting.set_visible(not fleet.machines)
        self._axes.xaxis.set_visible(bool(attendance.readings))
        if attendance.readings:
            self._draw(fleet, lines_of(attendance.readings, self._window_s, attendance.silence_s), name_of)

    def _draw(self, fleet: Fleet, lines: Lines, name_of: NameOf) -> None:
        shown = np.unique(lines.machine_id).tolist()
        chosen = worst_machines(
            (fleet.machines[machine_id] for machine_id in shown),
            lines.active_mean,
            len(MACHINE_COLOURS),
            self._limits,
        )
        self._assign_slots(chosen)
        mean = f" (mean of {duration(lines.mean_of_s)})" if lines.mean_of_s else ""
        self._axes.set_ylabel(f"Efficiency, %{mean}")
        self._subtitle.set_text(trend_words(len(chosen), len(shown)))
        self._set_time_axis(lines.time_s)
        self._draw_others(lines)
        self._draw_names(fleet, self._draw_named(lines), name_of)

    def _assign_slots(self, chosen: Sequence[int]) -> None:
        """Give each chosen machine a colour, which it keeps for as long as it stays chosen."""
        self._slots = {machine_id: slot for machine_id, slot in self._slots.items() if machine_id in chosen}
        free = iter(sorted(set(range(len(MACHINE_COLOURS))) - set(self._slots.values())))
        for machine_id in sorted(set(chosen) - set(self._slots)):
            self._slots[machine_id] = next(free)

    def _set_time_axis(self, time_s: Floats) -> None:
        newest = time_s.max()
        span_s = max(newest - time_s.min(), _SHORTEST_SPAN_S)
        left, right = (newest - 1.01 * span_s) / _DAY_S, (newest + 0.01 * span_s) / _DAY_S
        self._axes.set_xlim(max(left, _FIRST_DAY), max(min(right, _LAST_DAY), _FIRST_DAY + 1))

    def _draw_others(self, lines: Lines) -> None:
        other = ~np.isin(lines.machine_id, list(self._slots))
        points = np.column_stack((lines.time_s[other] / _DAY_S, lines.score[other]))
        parts = np.split(points, np.flatnonzero(lines.begins[other])[1:])
        self._others.set_segments([part for part in parts if len(part) > 1])
        # The more lines, the fainter each: only places that many of them share are dark.
        self._others.set_alpha(float(np.clip(_GREY_LINES / max(len(parts), 1), 0.07, 0.35)))
        alone = np.array([part[0] for part in parts if len(part) == 1]).reshape(-1, 2)
        self._dots.set_data(alone[:, 0], alone[:, 1])

    def _draw_named(self, lines: Lines) -> list[_End]:
        """Draw the lines of the chosen machines, and return where they end, from the lowest to the highest."""
        ends: list[_End] = []
        for machine_id, slot in self._slots.items():
            own = np.flatnonzero(lines.machine_id == machine_id)
            time_d, score = lines.time_s[own] / _DAY_S, lines.score[own]
            _set_broken_line(self._named[slot], time_d, score, lines.begins[own])
            ends.append(_End(float(score[-1]), slot, machine_id, float(time_d[-1])))
        for slot in set(range(len(self._named))) - set(self._slots.values()):
            self._named[slot].set_data([], [])
            self._names[slot].set_text("")
        return sorted(ends)

    def _draw_names(self, fleet: Fleet, ends: Sequence[_End], name_of: NameOf) -> None:
        """Name the lines beside their ends, with a dotted leader from each end to its name."""
        left, right = self._axes.get_xlim()
        low, high = self._axes.get_ylim()
        gap = _NAME_GAP_PT / size_pt(self._axes)[1] * (high - low)
        heights = spread([end.score for end in ends], gap, low, high)
        leaders = []
        for (score, slot, machine_id, time_d), height in zip(ends, heights, strict=True):
            beyond = " ×" if fleet.machines[machine_id].latest.is_anomaly else ""
            self._names[slot].set_text(f"{name_of(machine_id)}  {score:.0f} %{beyond}")
            self._names[slot].set_y(height)
            leaders.append([((time_d - left) / (right - left), score), (1.005, score), (1.03, height)])
        self._leaders.set_segments(leaders)
        self._leaders.set_color([MACHINE_COLOURS[end.slot] for end in ends])


def _waiting_text(axes: Axes, waiting_for: str) -> Text:
    words = waiting_words(drawable(printable(waiting_for)))
    return axes.text(0.5, 0.5, words, fontsize=WAITING_PT, ha="center", va="center", transform=axes.transAxes)


def _set_scales(axes: Axes) -> None:
    locator = AutoDateLocator(tz=UTC, minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    axes.set_ylim(-4, 104)
    axes.set_yticks(range(0, 101, 20))
    axes.grid(color=GRID, linewidth=0.8)


def _collection(axes: Axes, **style: Any) -> LineCollection:
    lines = LineCollection([], **style)
    axes.add_collection(lines, autolim=False)
    return lines


def _named_line(axes: Axes, slot: int) -> Line2D:
    # Scores change in steps, so lines often lie upon one another. Each is therefore moved by half its width from the
    # next: the first stays in its place, the others are moved above and below it in turns.
    raised_in = (slot + 1) // 2 * (1 if slot % 2 else -1) * 0.9 / 72
    (line,) = axes.plot(
        [],
        [],
        "o-",
        color=MACHINE_COLOURS[slot],
        linewidth=1.9,
        markersize=4.5,
        markeredgewidth=0,
        solid_joinstyle="round",
        transform=axes.transData + ScaledTranslation(0, raised_in, inches(axes)),
    )
    return line


def _name(axes: Axes, colour: str) -> Text:
    beside = axes.get_yaxis_transform()
    return axes.text(
        1.035, 0, "", transform=beside, color=colour, fontsize=NAME_PT, weight="bold", va="center_baseline"
    )


def _set_broken_line(line: Line2D, x: Floats, y: Floats, begins: NDArray[np.bool_]) -> None:
    """Show points as a broken line, with markers on those that stand alone, on the last, and on all if few."""
    cuts = np.flatnonzero(begins)[1:]
    alone = begins & np.append(begins[1:], True)
    marked = alone | (len(x) <= _POINTS_WITH_MARKERS)
    marked[-1] = True
    line.set_data(np.insert(x, cuts, np.nan), np.insert(y, cuts, np.nan))
    line.set_markevery(np.flatnonzero(np.insert(marked, cuts, False)).tolist())
