"""The dashboard: a header and four panels, in a window or a file."""

import os
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from consumers.board.panels import (
    ANOMALY_COLOUR,
    FONT_PT,
    INK,
    QUIET_INK,
    LevelPanel,
    ModePanel,
    ScatterPanel,
    TrendPanel,
)
from consumers.machines.fleet import Fleet, Machine
from consumers.machines.plant_status import (
    Attendance,
    attendance,
    beyond_words,
    clock_words,
    machines_beyond_limit,
    silent_beyond_words,
)
from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.message import epoch_seconds
from utils.text import count, duration, printable

TITLE: Final = "Manufacturing analytics"
FIGURE_SIZE_IN: Final = (15.0, 10.0)
FIGURE_DPI: Final = 100

_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": FONT_PT,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,  # a `$` in a file's name is no formula
    "axes.facecolor": "white",
    "axes.edgecolor": "#AAB4BC",
    "axes.linewidth": 0.8,
    "axes.labelcolor": QUIET_INK,
    "axes.labelsize": FONT_PT,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET_INK,
    "ytick.color": QUIET_INK,
    "xtick.labelsize": FONT_PT,
    "ytick.labelsize": FONT_PT,
    "hatch.linewidth": 1.0,
}

# In force while a picture is drawn. Hinting is the dearest part of drawing text; a window never takes the focus.
DRAWING: Final[Any] = {"text.hinting": "none", "figure.raise_window": False}


class DashboardError(PipelineError):
    """The dashboard cannot be shown or saved; the message tells why and what to do."""


class Dashboard:
    """Four panels; the artists are made once, `update` only sets their data.

    `window_min` is how far the trend panel looks back, min; after `stale_after_s` a silent machine is shown as
    such (see `silence_limit_s`); without readings the dashboard says "Waiting for <waiting_for> …".
    """

    def __init__(
        self, figure: Figure, limits: Limits, window_min: float, stale_after_s: float, waiting_for: str
    ) -> None:
        self._figure = figure
        self._window_s = window_min * 60
        self._stale_after_s = stale_after_s
        with mpl.rc_context(_STYLE):
            figure.set_facecolor("#F5F7F8")
            self._header = _Header(figure, stale_after_s)
            self._trend = TrendPanel(
                figure.add_axes((0.055, 0.521, 0.51, 0.306)), limits, waiting_for, self._window_s
            )
            self._modes = ModePanel(figure.add_axes((0.743, 0.521, 0.237, 0.306)))
            self._scatter = ScatterPanel(figure.add_axes((0.055, 0.07, 0.51, 0.306)), limits)
            self._levels = LevelPanel(figure.add_axes((0.743, 0.07, 0.237, 0.306)), limits)

    def update(self, fleet: Fleet, now: str) -> None:
        """Show the fleet; `now` is the consumer's clock, in the form of `RatedReading.timestamp`."""
        status = attendance(fleet, self._window_s, self._stale_after_s)
        self._header.update(fleet, status, now)
        self._trend.update(fleet, status)
        self._modes.update(fleet, status)
        self._scatter.update(status.readings)
        self._levels.update(fleet)

    def save(self, path: Path) -> None:
        """Write the picture as PNG, whole or not at all; makes the folder. Raises DashboardError."""
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with mpl.rc_context(DRAWING):
                self._figure.savefig(unfinished, format="png", dpi="figure", pil_kwargs={"compress_level": 3})
            unfinished.replace(path)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise DashboardError(
                f"cannot save the dashboard as {printable(str(path))}: {error.strerror or error}; "
                "make its folder writable, or name another file with --snapshot or SNAPSHOT_FILE"
            ) from error


class _Header:
    """The plant in one look: how much was heard, what is beyond a limit, and whether readings still come."""

    def __init__(self, figure: Figure, stale_after_s: float) -> None:
        self._stale_after_s = stale_after_s
        figure.text(0.02, 0.971, TITLE, fontsize=20, weight="bold", va="center")
        self._clock = figure.text(0.98, 0.971, "", fontsize=14, ha="right", va="center", color=QUIET_INK)
        self._clocks = figure.text(0.3, 0.971, "", fontsize=13.5, va="center", color=QUIET_INK)
        self._totals = figure.text(0.02, 0.934, "", fontsize=13.5, va="center")
        self._beyond = figure.text(0.3, 0.934, "", fontsize=13.5, va="center")
        self._heard = figure.text(0.98, 0.934, "", fontsize=13.5, ha="right", va="center")
        figure.add_artist(Line2D((0.02, 0.98), (0.913, 0.913), color="#D3DADF", linewidth=1))

    def update(self, fleet: Fleet, status: Attendance, now: str) -> None:
        readings = sum(machine.readings for machine in fleet.machines.values())
        self._clock.set_text(f"{now[:10]}  {now[11:19]} UTC")
        self._totals.set_text(f"{count(len(fleet.machines), 'machine')}, {count(readings, 'reading')}")
        self._clocks.set_text(clock_words(_ids(status.wrong_clocks)))
        self._tell_beyond(fleet, set(_ids(status.silent)))
        self._tell_heard(fleet, now)

    def _tell_beyond(self, fleet: Fleet, silent: AbstractSet[int]) -> None:
        beyond = _ids(machines_beyond_limit(fleet))
        now = [machine_id for machine_id in beyond if machine_id not in silent]
        if now:
            _say(self._beyond, beyond_words(now), ANOMALY_COLOUR, bold=True)
        elif beyond:
            _say(self._beyond, silent_beyond_words(beyond), ANOMALY_COLOUR, bold=False)
        else:
            _say(self._beyond, "none beyond a limit now" if fleet.machines else "", QUIET_INK, bold=False)

    def _tell_heard(self, fleet: Fleet, now: str) -> None:
        heard = max((machine.latest.processed_at for machine in fleet.machines.values()), default=None)
        if fleet.recent:
            heard = fleet.recent[-1].processed_at
        if heard is None:
            _say(self._heard, "no reading yet", QUIET_INK, bold=False)
            return
        age_s = epoch_seconds(now) - epoch_seconds(heard)
        if age_s > self._stale_after_s:
            _say(self._heard, f"no reading for {duration(age_s)}", ANOMALY_COLOUR, bold=True)
        else:
            _say(self._heard, f"last reading received {duration(age_s)} ago", QUIET_INK, bold=False)


def _ids(machines: Iterable[Machine]) -> list[int]:
    return [machine.latest.machine_id for machine in machines]


def _say(text: Text, words: str, colour: str, *, bold: bool) -> None:
    text.set_text(words)
    text.set_color(colour)
    text.set_fontweight("bold" if bold else "normal")


def snapshot_figure() -> Figure:
    """Make a figure for files; needs no display."""
    figure = Figure(figsize=FIGURE_SIZE_IN, dpi=FIGURE_DPI)
    FigureCanvasAgg(figure)
    return figure
