"""What was told beside what was true, and the tables that say how far they agree."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

from consumers.machines.forecast import Forecast, forecast
from consumers.machines.trend import Trend
from consumers.records import Row
from utils.message import Reading

WAYS: Final = (0.05, 0.1, 0.25, 0.5, 0.75)
LEFT: Final = (0.25, 0.2, 0.15, 0.1, 0.05)
WAY_NAMES: Final = tuple(f"x {x:4.0%}" for x in WAYS)
LEFT_NAMES: Final = tuple(f"left {share:4.0%}" for share in LEFT)
COLUMNS: Final = ("told", "error", "cover", "width", "off", "alpha")
_ALPHA: Final = 0.2


class Judged(NamedTuple):
    """What was told of a life at one moment."""

    moment: str
    kind: str
    true_h: float
    told: Forecast | None
    bound: float = math.nan
    line_h: float | None = None
    peer_h: float | None = None


class Told:
    """A machine as the consumer knows it: the trend of its readings, as far as it has been let know."""

    def __init__(self, limit_mm_s: float) -> None:
        self._limit_mm_s = limit_mm_s
        self._rows: list[Row] = []
        self.trend = Trend()

    def hear(self, reading: Reading) -> None:
        """Take a reading; the trend knows it after `catch_up`."""
        self._rows.append((*reading, 0.0, "High", 0, reading.timestamp))

    def catch_up(self) -> int:
        """Let the trend know what was heard; returns how many readings that were."""
        self.trend = self.trend.after(self._rows)
        heard, self._rows = len(self._rows), []
        return heard

    def forecast(self) -> Forecast | None:
        """Return what is told now."""
        return forecast(self.trend, self._limit_mm_s)


def is_within(found: Forecast | None, true_h: float, factor: float) -> bool:
    """Return whether the middle is told, and at most so many times too long or too short."""
    return found is not None and true_h / factor <= found.hours_to_limit <= true_h * factor


def is_held(found: Forecast, true_h: float) -> bool:
    """Return whether the true time lies in the range that was told."""
    return found.hours_to_limit_low <= true_h <= found.hours_to_limit_high


def print_table(title: str, judged: Iterable[Judged], moments: Sequence[str], columns: Sequence[str]) -> None:
    """Print a line for each moment."""
    print(f"\n{title:16}{'lives':>7}" + "".join(f"{name:>8}" for name in columns))
    by_moment: dict[str, list[Judged]] = {moment: [] for moment in moments}
    for one in judged:
        if one.moment in by_moment:
            by_moment[one.moment].append(one)
    for moment, ones in by_moment.items():
        found = figures_of(ones)
        print(f"{moment:16}{len(ones):7}" + "".join(f"{found[name]:8.3f}" for name in columns))


def figures_of(judged: Sequence[Judged]) -> dict[str, float]:
    """Return the columns of a table by their names; NaN where nothing was told."""
    told = [(one.true_h, one.told) for one in judged if one.told is not None]
    return {
        "told": _share(one.told is not None for one in judged),
        "error": _median(abs(found.hours_to_limit / true_h - 1) for true_h, found in told),
        "bound": _median(one.bound for one in judged),
        "cover": _share(is_held(found, true_h) for true_h, found in told),
        "width": _median(
            (found.hours_to_limit_high - found.hours_to_limit_low) / max(found.hours_to_limit, 1e-9)
            for _, found in told
        ),
        "off": _share(not is_within(found, true_h, 2) for true_h, found in told),
        "alpha": _share(abs(found.hours_to_limit / true_h - 1) <= _ALPHA for true_h, found in told),
        "line": _median(abs(one.line_h / one.true_h - 1) for one in judged if one.line_h is not None),
        "peer": _median(abs(one.peer_h / one.true_h - 1) for one in judged if one.peer_h is not None),
    }


def _share(held: Iterable[bool]) -> float:
    each = list(held)
    return sum(each) / len(each) if each else math.nan


def _median(values: Iterable[float]) -> float:
    each = list(values)
    return median(each) if each else math.nan
