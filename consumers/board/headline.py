"""The headline above the panels: the plant in one look."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from consumers.board.palette import ANOMALY_COLOUR, CLOCK_PT, HEADLINE_PT, QUIET_INK, RULE, TITLE_PT
from consumers.board.words import (
    NameOf,
    beyond_words,
    clock_words,
    heard_words,
    now_words,
    number_name,
    rejected_words,
    silent_beyond_words,
    stale_words,
    totals_words,
)
from consumers.machines.attendance import Attendance
from consumers.machines.fleet import Fleet
from consumers.machines.ranking import machines_beyond_limit
from consumers.records import Machine
from utils.message import epoch_seconds

_UPPER_LINE: Any = {"y": 0.971, "va": "center"}
_LOWER_LINE: Any = {"y": 0.934, "va": "center", "fontsize": HEADLINE_PT}


class Headline:
    """How much was heard, what is beyond a limit, and whether readings still come."""

    def __init__(self, figure: Figure, title: str, stale_after_s: float) -> None:
        self._stale_after_s = stale_after_s
        figure.text(0.02, s=title, fontsize=TITLE_PT, weight="bold", **_UPPER_LINE)
        self._clock = figure.text(0.98, s="", fontsize=CLOCK_PT, ha="right", color=QUIET_INK, **_UPPER_LINE)
        self._clocks = figure.text(0.3, s="", fontsize=HEADLINE_PT, color=QUIET_INK, **_UPPER_LINE)
        self._totals = figure.text(0.02, s="", **_LOWER_LINE)
        self._beyond = figure.text(0.3, s="", **_LOWER_LINE)
        self._heard = figure.text(0.98, s="", ha="right", **_LOWER_LINE)
        figure.add_artist(Line2D((0.02, 0.98), (0.913, 0.913), color=RULE, linewidth=1))

    def update(self, fleet: Fleet, attendance: Attendance, now: str, name_of: NameOf = number_name) -> None:
        """Show the fleet; `now` is the consumer's clock."""
        readings = sum(machine.readings for machine in fleet.machines.values())
        self._clock.set_text(now_words(now))
        self._totals.set_text(totals_words(len(fleet.machines), readings))
        self._clocks.set_text(clock_words(_ids(attendance.wrong_clocks), name_of))
        self._show_beyond(fleet, set(_ids(attendance.silent)), name_of)
        self._show_heard(fleet, now)

    def warn_of_rejected(self, lines: int) -> None:
        """Say that every line is being rejected, in place of when the last reading came."""
        _say(self._heard, rejected_words(lines), ANOMALY_COLOUR, bold=True)

    def _show_beyond(self, fleet: Fleet, silent: AbstractSet[int], name_of: NameOf) -> None:
        beyond = _ids(machines_beyond_limit(fleet))
        now = [machine_id for machine_id in beyond if machine_id not in silent]
        if now:
            _say(self._beyond, beyond_words(now, name_of), ANOMALY_COLOUR, bold=True)
        elif beyond:
            _say(self._beyond, silent_beyond_words(beyond, name_of), ANOMALY_COLOUR, bold=False)
        else:
            _say(self._beyond, "none beyond a limit now" if fleet.machines else "", QUIET_INK, bold=False)

    def _show_heard(self, fleet: Fleet, now: str) -> None:
        heard = max((machine.latest.processed_at for machine in fleet.machines.values()), default=None)
        if fleet.recent:
            heard = fleet.recent[-1].processed_at
        if heard is None:
            _say(self._heard, "no reading yet", QUIET_INK, bold=False)
            return
        age_s = epoch_seconds(now) - epoch_seconds(heard)
        if age_s > self._stale_after_s:
            _say(self._heard, stale_words(age_s), ANOMALY_COLOUR, bold=True)
        else:
            _say(self._heard, heard_words(age_s), QUIET_INK, bold=False)


def _ids(machines: Iterable[Machine]) -> list[int]:
    return [machine.latest.machine_id for machine in machines]


def _say(text: Text, words: str, colour: str, *, bold: bool) -> None:
    text.set_text(words)
    text.set_color(colour)
    text.set_fontweight("bold" if bold else "normal")
