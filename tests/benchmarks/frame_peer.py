"""The dashboard as a first try draws it: the figure cleared, and everything plotted anew at each frame.

It tells the same as the dashboard, by matplotlib's own means: the headline's words, every machine's line with its
anomalies, a legend where it has room, the bars with their numbers, the limits with their zones and the names of what
is beyond, in letters of the same size. It has no tails and no band, and its legend is in small letters; it draws
without hinting, as the dashboard does, which a first try would not think of.
"""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from consumers.board.figure import snapshot_figure
from consumers.board.palette import FONT_PT, NAME_PT, PANEL_TITLE_PT
from consumers.machines.fleet import Fleet
from consumers.records import RatedReading
from utils.efficiency import Limits
from utils.message import MODES

_HEADLINE_FROM: Final = 0.82
_DOTS: Final = 1_500
_LEGEND_AT_MOST: Final = 50


class Cleared:
    """What a first try does; `like` is a dashboard that was drawn, of which it takes the words of the headline."""

    def __init__(self, like: Figure, limits: Limits) -> None:
        self.figure = snapshot_figure()
        self._like = like
        self._limits = limits

    def update(self, fleet: Fleet) -> None:
        """Plot everything anew."""
        self.figure.clear()
        trend, modes, scatter, levels = self.figure.subplots(2, 2).flat
        readings = list(fleet.recent)
        self._plot_trend(trend, readings)
        counts = fleet.machines_by_mode()
        bars = modes.barh(MODES, [counts[mode] for mode in MODES])
        modes.bar_label(bars, fontsize=NAME_PT)
        self._plot_scatter(scatter, readings)
        self._plot_levels(levels, fleet, readings)
        for axes, title in ((trend, "over time"), (modes, "modes"), (scatter, "both signals"), (levels, "by mode")):
            axes.set_title(title, fontsize=PANEL_TITLE_PT, weight="bold")
            axes.tick_params(labelsize=FONT_PT)
            axes.grid(visible=True)
        self.figure.tight_layout(rect=(0, 0, 1, _HEADLINE_FROM))
        for text in self._like.texts:
            if text.get_position()[1] < _HEADLINE_FROM:
                continue
            place, words = text.get_position(), text.get_text()
            self.figure.text(*place, words, fontsize=text.get_fontsize(), weight=text.get_fontweight())

    @staticmethod
    def _plot_trend(axes: Axes, readings: list[RatedReading]) -> None:
        by_machine: dict[int, list[RatedReading]] = defaultdict(list)
        for reading in readings:
            by_machine[reading.machine_id].append(reading)
        for machine_id, own in by_machine.items():
            times: Any = [datetime.fromisoformat(reading.timestamp) for reading in own]
            axes.plot(times, [reading.efficiency_score for reading in own], label=f"Machine {machine_id}")
        hits = [reading for reading in readings if reading.is_anomaly]
        at: Any = [datetime.fromisoformat(reading.timestamp) for reading in hits]
        axes.plot(at, [reading.efficiency_score for reading in hits], "rx")
        if len(by_machine) <= _LEGEND_AT_MOST:
            axes.legend(fontsize=6, ncols=3)

    def _plot_scatter(self, axes: Axes, readings: list[RatedReading]) -> None:
        dots, limits = readings[-_DOTS:], self._limits
        colours = ["red" if reading.is_anomaly else "grey" for reading in dots]
        axes.scatter([dot.temperature_c for dot in dots], [dot.vibration_mm_s for dot in dots], s=9, c=colours)
        hot_c, rough_mm_s = limits.temperature_safe_max_c, limits.vibration_safe_max_mm_s
        axes.axvspan(0.9 * hot_c, hot_c, alpha=0.2)
        axes.axhspan(0.9 * rough_mm_s, rough_mm_s, alpha=0.2)
        axes.axvline(hot_c, color="red", label=f"limit {hot_c:g} °C")
        axes.axhline(rough_mm_s, color="red", label=f"limit {rough_mm_s:g} mm/s")
        latest = {reading.machine_id: reading for reading in dots}
        for reading in [each for each in latest.values() if each.is_anomaly][:14]:
            place = reading.temperature_c, reading.vibration_mm_s
            axes.annotate(f"#{reading.machine_id}", place, fontsize=NAME_PT, weight="bold")
        axes.set_xlabel("Temperature, °C", fontsize=FONT_PT)
        axes.set_ylabel("Vibration, mm/s RMS", fontsize=FONT_PT)
        axes.legend(fontsize=FONT_PT)

    @staticmethod
    def _plot_levels(axes: Axes, fleet: Fleet, readings: list[RatedReading]) -> None:
        scores = [[r.efficiency_score for r in readings if r.mode == mode] or [0] for mode in MODES]
        critical = Counter(reading.mode for reading in readings if reading.efficiency_level == "Critical")
        bars = axes.barh(MODES, [float(np.mean(values)) for values in scores])
        axes.bar_label(bars, fontsize=NAME_PT)
        for place, (mode, values) in enumerate(zip(MODES, scores, strict=True)):
            share = critical[mode] / len(values)
            axes.text(0, place + 0.3, f"{len(values):,} readings, {share:.0%} Critical", fontsize=FONT_PT)
        for place, mean in enumerate(fleet.mean_efficiency_by_mode().values()):
            axes.plot([mean or 0], [place], "k|", markersize=17)
