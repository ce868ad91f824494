"""A recorded feed whose machines ran to failure, replayed: what was told of each, beside what became of it.

The truth is the reading at which the median of a machine's newest three readings in active mode first exceeds the
limit. A life begins with the first reading, or after maintenance, and ends there. Time is running time. Its base is
the median of its first fifth; x of the way is reached when the newest 24 readings lie so far from base to limit.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from statistics import mean, median
from typing import Final, NamedTuple

from consumers.machines.forecast import HOUR_S, Forecast
from consumers.machines.trend import READINGS_A_BUCKET
from tests.benchmarks.forecast_table import (
    COLUMNS,
    LEFT,
    LEFT_NAMES,
    WAY_NAMES,
    WAYS,
    Judged,
    Told,
    figures_of,
    is_held,
    print_table,
)
from utils.message import MessageError, Reading, from_line, is_blank
from utils.text import printable

_READINGS_OF_LIMIT: Final = 3
_BUCKETS_OF_WAY: Final = 3
_BASE_SHARE: Final = 5


class Look(NamedTuple):
    """What was told after so many active readings of a life."""

    readings: int
    mean_mm_s: float
    """Of the newest eight readings."""
    told: Forecast | None


class Life(NamedTuple):
    """A life that has ended."""

    name: str
    looks: list[Look]
    readings: int
    """In active mode, up to the one that exceeds the limit."""
    gap_s: float
    is_failed: bool
    """Whether it has reached the limit; else it was mended, or the feed ends."""


class _Watch:
    """One machine of the feed; its life is None from the failure to the next maintenance."""

    def __init__(self, name: str, limit_mm_s: float) -> None:
        self._name, self._limit_mm_s = name, limit_mm_s
        self._told = Told(limit_mm_s)
        self._newest: deque[float] = deque(maxlen=READINGS_A_BUCKET)
        self._looks: list[Look] | None = []
        self._readings = 0

    def hear(self, reading: Reading) -> Iterator[Life]:
        """Take a reading; gives the life that ends with it, if one does."""
        self._told.hear(reading)
        if reading.mode == "maintenance":
            yield from self.end()
            self._begin()
        elif reading.mode == "active" and self._looks is not None:
            self._readings += 1
            self._newest.append(reading.vibration_mm_s)
            if self._readings % READINGS_A_BUCKET == 0:
                self._told.catch_up()
                self._looks.append(Look(self._readings, mean(self._newest), self._told.forecast()))
            last = list(self._newest)[-_READINGS_OF_LIMIT:]
            if len(last) == _READINGS_OF_LIMIT and median(last) > self._limit_mm_s:
                yield from self.end(is_failed=True)

    def end(self, *, is_failed: bool = False) -> Iterator[Life]:
        """Give the present life as it is, if there is one."""
        if self._looks:
            self._told.catch_up()
            yield Life(self._name, self._looks, self._readings, self._told.trend.gap_s, is_failed)
        self._looks = None

    def _begin(self) -> None:
        self._told.catch_up()
        self._newest.clear()
        self._looks, self._readings = [], 0


def lives_in(lines: Iterable[bytes], limit_mm_s: float) -> tuple[list[Life], int]:
    """Return the lives that the lines tell of, and how many of the lines are no readings."""
    watches: dict[int, _Watch] = {}
    numbers: dict[int | str, int] = {}
    lives, rejected = list[Life](), 0

    def number_of(name: int | str) -> int:
        return numbers.setdefault(name, -1 - len(numbers))

    for line in lines:
        if is_blank(line):
            continue
        try:
            reading = from_line(line, identify=number_of)
        except MessageError:
            rejected += 1
            continue
        watch = watches.get(reading.machine_id)
        if watch is None:
            names = {number: str(name) for name, number in numbers.items()}
            name = printable(names.get(reading.machine_id, f"#{reading.machine_id}"))
            watch = watches[reading.machine_id] = _Watch(name, limit_mm_s)
        lives += watch.hear(reading)
    return [*lives, *chain.from_iterable(watch.end() for watch in watches.values())], rejected


def judged_of(life: Life, limit_mm_s: float) -> list[Judged]:
    """Return what was told of a life that failed, when so much of it was left, and when it had come x of its way."""
    base = median(look.mean_mm_s for look in life.looks[: max(len(life.looks) // _BASE_SHARE, 1)])
    judged = []
    for name, share in zip(LEFT_NAMES, LEFT, strict=True):
        reached = (look for look in life.looks if life.readings - look.readings <= share * life.readings)
        judged += _judged_at(name, next(reached, None), life)
    for name, way in zip(WAY_NAMES, WAYS, strict=True):
        at_mm_s = base + way * (limit_mm_s - base)
        newest = deque[float](maxlen=_BUCKETS_OF_WAY)
        for look in life.looks:
            newest.append(look.mean_mm_s)
            if len(newest) == _BUCKETS_OF_WAY and mean(newest) >= at_mm_s:
                judged += _judged_at(name, look, life)
                break
    return judged


def _judged_at(name: str, look: Look | None, life: Life) -> list[Judged]:
    if look is None or look.readings >= life.readings:
        return []
    return [Judged(name, life.name, (life.readings - look.readings) * life.gap_s / HOUR_S, look.told)]


def print_feed(lines: Iterable[bytes], limit_mm_s: float) -> None:
    """Print what was told of each life of a feed, and of all together."""
    lives, rejected = lives_in(lines, limit_mm_s)
    failed = [life for life in lives if life.is_failed]
    others = [life for life in lives if not life.is_failed]
    of_others = sum(any(look.told is not None for look in life.looks) for life in others)
    print(f"lives that reached {limit_mm_s:g} mm/s: {len(failed)}; others: {len(others)}, {of_others} were told of")
    print(f"lines that are no readings: {rejected}")
    judged = []
    for life in failed:
        of_life = judged_of(life, limit_mm_s)
        running_h = life.readings * life.gap_s / HOUR_S
        print(f"\nmachine {life.name}: {life.readings:,} readings, {running_h:.3f} h of running")
        for one in of_life:
            print(f"  {one.moment:10} {one.true_h:9.3f} h   {_words(one)}")
        judged += of_life
    print_table("all", judged, (*WAY_NAMES, *LEFT_NAMES), COLUMNS)
    found = figures_of(judged)
    print(f"\nof all that was told, {found['off']:.0%} were off by more than two times; {found['cover']:.0%} held")


def _words(one: Judged) -> str:
    if one.told is None:
        return "nothing told"
    low, middle, high = one.told[:3]
    error = abs(middle / one.true_h - 1)
    holds = "held" if is_held(one.told, one.true_h) else "MISSED"
    return f"{low:.3f} .. {middle:.3f} .. {high:.3f} h, off by {error:.0%}, {holds}"
