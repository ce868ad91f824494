"""The two panels with a bar for each mode: how many machines are in it, and how efficient they are."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from consumers.board.axes import Reach, frame, inches, size_pt
from consumers.board.palette import BAR_PT, GRID, INK, KEY_PT, LEVEL_COLOURS, PAPER, STATE_COLOURS
from consumers.board.words import NameOf, number_name, silence_words
from consumers.machines.attendance import Attendance
from consumers.machines.fleet import Fleet
from utils.efficiency import EfficiencyLevel, Limits
from utils.message import MODES


class ModePanel:
    """How many machines are in each mode; silent machines, whose latest mode may be out of date, are hatched."""

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._subtitle = frame(axes, "Machines by mode", "", "Machines")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        colours = [STATE_COLOURS[mode] for mode in MODES]
        self._heard = _bars(axes, colours)
        self._silent = _bars(axes, [(colour, 0.3) for colour in colours], hatch="///")
        self._counts = _bar_labels(axes)
        self._reach = Reach(0, 4, 1)

    def update(self, fleet: Fleet, attendance: Attendance, name_of: NameOf = number_name) -> None:
        """Count the machines; the attendance's silent ones are counted apart."""
        silent = attendance.silent
        totals = fleet.machines_by_mode()
        for mode, heard_bar, silent_bar, label in zip(MODES, self._heard, self._silent, self._counts, strict=True):
            quiet = sum(machine.latest.mode == mode for machine in silent)
            heard_bar.set_height(totals[mode] - quiet)
            silent_bar.set_y(totals[mode] - quiet)
            silent_bar.set_height(quiet)
            label.set_text(f"{totals[mode]:,}")
            label.set_y(totals[mode])
        self._axes.set_ylim(*self._reach.cover(0, max(totals.values()) * 1.18))
        silent_ids = [machine.latest.machine_id for machine in silent]
        self._subtitle.set_text(silence_words(silent_ids, attendance.silence_s, name_of))


class LevelPanel:
    """The mean efficiency of all readings by mode, in the colour of its level."""

    def __init__(self, axes: Axes, limits: Limits) -> None:
        self._limits = limits
        frame(axes, "Average efficiency by mode", "", "Efficiency, %")
        axes.set_ylim(0, 112)
        axes.set_yticks(range(0, 101, 20))
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        self._bars = _bars(axes, [PAPER] * len(MODES))
        self._values = _bar_labels(axes)
        _draw_key(axes, limits)

    def update(self, fleet: Fleet) -> None:
        """Show the means as they are now."""
        means = fleet.mean_efficiency_by_mode()
        for mode, bar, label in zip(MODES, self._bars, self._values, strict=True):
            mean = means[mode]
            bar.set_height(mean or 0)
            label.set_y(mean or 0)
            label.set_text("n/a" if mean is None else f"{mean:.1f} %")
            if mean is not None:
                bar.set_facecolor(LEVEL_COLOURS[self._limits.level_of(mean)])


def _draw_key(axes: Axes, limits: Limits) -> None:
    """Draw a line above the panel that names the levels, each beside its colour."""
    ranges: dict[EfficiencyLevel, str] = {
        "High": f"High ≥ {limits.level_high_from:g}",
        "Medium": f"Medium ≥ {limits.level_medium_from:g}",
        "Low": "Low",
        "Critical": f"Critical < {limits.level_critical_below:g}",
    }
    axes.legend(
        handles=[
            Rectangle((0, 0), 1, 1, facecolor=LEVEL_COLOURS[level], edgecolor=INK, linewidth=0.8, label=text)
            for level, text in ranges.items()
        ],
        loc="lower left",
        bbox_to_anchor=(-30 / size_pt(axes)[0], 1.025),
        borderaxespad=0,
        ncols=4,
        frameon=False,
        fontsize=KEY_PT,
        handlelength=0.9,
        handletextpad=0.35,
        columnspacing=0.8,
    )


def _bars(axes: Axes, colours: Sequence[Any], hatch: str | None = None) -> list[Rectangle]:
    """Draw a bar for each mode, in the fixed order, without height yet."""
    names = [mode.capitalize() for mode in MODES]
    bars = axes.bar(names, [0] * len(names), 0.68, color=colours, edgecolor=INK, linewidth=1.1, hatch=hatch)
    axes.tick_params(axis="x", length=0)
    return list(bars)


def _bar_labels(axes: Axes) -> list[Text]:
    """Make a text above each bar, which follows it when its y is set."""
    transform = axes.transData + ScaledTranslation(0, 4 / 72, inches(axes))
    style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": BAR_PT, "weight": "bold"}
    return [axes.text(place, 0, "", transform=transform, **style) for place in range(len(MODES))]
