"""`python -m tests.benchmarks.forecast`: how far the forecast of the vibration's time to its limit holds.

Simulated plants run; what is told of each machine is compared with the truth of the simulator. A growing life is one
that ends slowly and whose growth is more than 2 % of the way from its base to the limit. Its forecast is judged when
it has come x of that way, and when so much of its life is left. Per moment:
    told      share of the lives of which anything is told: who rarely speaks is easily right
    error     median of |told / true - 1|
    bound     the least median error that any unbiased method could have (Cramér-Rao; the shape known)
    cover     share of the told ranges (5 to 95 %) that hold the true time
    width     median of (high - low) / middle
    off       share of the told that are wrong by more than two times
    alpha     share of the told that are within a fifth of the true time (alpha-lambda accuracy)
    line      median error of a least-squares line through the newest 300 readings; told where it rises
    peer      the same of PyPI's exponential-degradation-model, given the true base, where it is installed
Lives with an imbalance stand apart, and so do lives that were first seen in the midst of their growth. The prognostic
horizon is the time left, in growth times (in which growth becomes e times as large), from which on every forecast is
within 1.5 times of the truth until three quarters of the way. False episodes are forecasts that appear in a machine
that does not grow, per 100 hours of running. `--jumps` changes every machine's load by up to so much, once in ten
minutes or so, which nobody measures. Below stand other shapes of growth.

`--feed PATH --limit MM_S` replays a recorded feed whose machines ran to failure instead.
"""

import math
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Final, NamedTuple

from consumers.machines.forecast import HOUR_S
from consumers.machines.trend import READINGS_A_BUCKET
from producers import figures
from producers.simulator import Machine, Plant
from tests.benchmarks.forecast_feed import print_feed
from tests.benchmarks.forecast_peer import PACKAGE, hours_of_peer, is_installed
from tests.benchmarks.forecast_shapes import JUMP_EVERY_S, SHAPES, Shown, lives_of
from tests.benchmarks.forecast_table import (
    COLUMNS,
    LEFT,
    LEFT_NAMES,
    WAY_NAMES,
    WAYS,
    Judged,
    Told,
    figures_of,
    is_within,
    print_table,
)
from tests.benchmarks.support import parser
from utils.efficiency import Limits
from utils.message import Reading

_LIMITS: Final = Limits()
_LIMIT: Final = _LIMITS.vibration_safe_max_mm_s
_START_S: Final = 1_795_339_200.0
_GROWING: Final = 0.02
_LINE_READINGS: Final = 300
_NEAR: Final = 1.5
_MIDST: Final = 0.5
"""A life of which less than this share was seen was first seen in the midst."""


class Plantful(NamedTuple):
    """What one plant showed."""

    judged: list[Judged]
    horizons: list[float]
    """Of each whole life that came far enough, in growth times; 0: the last forecast was not near the truth."""
    false_episodes: int
    healthy_h: float
    shapes: list[Shown]


class Watch:
    """One machine: what the consumer knows of it, and what is true."""

    def __init__(self, machine: Machine, interval_s: float) -> None:
        self.machine, self.interval_s = machine, interval_s
        self.known = Told(_LIMIT)
        self.newest: deque[float] = deque(maxlen=_LINE_READINGS)
        self.passed: set[str] = set()
        self.life_s = self.seen_s = 0.0
        self.is_told = False
        self.near_since_s: float | None = None
        """Running time to the limit since which every forecast was near the truth."""
        self.load = 1.0

    def hear(self, reading: Reading) -> None:
        """Take a reading."""
        vibration = round(reading.vibration_mm_s * self.load, 2)
        self.known.hear(reading._replace(vibration_mm_s=vibration))
        if reading.mode == "active":
            self.newest.append(vibration)
            self.seen_s += self.interval_s
        if reading.mode == "maintenance":
            self.newest.clear()
            self.passed.clear()
            self.seen_s, self.is_told, self.near_since_s = 0.0, False, None

    def look(self, judged: list[Judged], horizons: list[float]) -> tuple[int, float]:
        """Judge what is told now; returns false episodes and healthy hours since the last look."""
        machine = self.machine
        heard = self.known.catch_up()
        if machine.mode != "active":
            return 0, 0.0
        growth = machine._worn_mm_s * math.exp(-machine.remaining_life_s / machine._growth_s)
        way = growth / max(_LIMIT - machine.base_mm_s, 0.01)
        if machine._growth_s > figures.SUDDEN_GROWTH_S.high and way > _GROWING:
            self._judge(judged, horizons, way)
            return 0, 0.0
        told = self.known.forecast() is not None
        false = told and not self.is_told
        self.is_told = told
        return int(false), heard * self.interval_s / HOUR_S

    def _judge(self, judged: list[Judged], horizons: list[float], way: float) -> None:
        machine = self.machine
        life_s = machine._growth_s * figures.SLOW_GROWTHS_A_LIFE
        true_s = machine.running_s_to_limit
        if not true_s or way >= 1:
            return
        left = machine.remaining_life_s / life_s
        reached = [name for name, x in zip(WAY_NAMES, WAYS, strict=True) if x <= way]
        reached += [name for name, share in zip(LEFT_NAMES, LEFT, strict=True) if left <= share]
        new = [moment for moment in reached if moment not in self.passed]
        # A life first seen beyond several moments is judged at the last of each kind alone.
        latest = {moment.split()[0]: moment for moment in new}.values()
        is_over = WAY_NAMES[-1] in self.passed
        self.passed.update(reached)
        kind = "imbalance" if machine.fault == "imbalance" else "midst" if self.seen_s < _MIDST * life_s else "whole"
        told = None if is_over and not new else self.known.forecast()
        if not is_over:
            is_near = is_within(told, true_s / HOUR_S, _NEAR)
            self.near_since_s = (self.near_since_s or true_s) if is_near else None
            if WAY_NAMES[-1] in reached and kind == "whole":
                horizons.append((self.near_since_s or 0.0) / machine._growth_s)
        if new:
            beside = self._bound(growth_s=machine._growth_s), self._line_h(), self._peer_h()
            judged += [Judged(moment, kind, true_s / HOUR_S, told, *beside) for moment in latest]

    def _peer_h(self) -> float | None:
        """Return the hours to the limit by the peer, None where it tells none or is not there."""
        base_mm_s = self.machine.base_mm_s * self.machine._imbalance_factor
        return hours_of_peer(list(self.newest), self.interval_s, base_mm_s, _LIMIT) if is_installed() else None

    def _line_h(self) -> float | None:
        """Return the hours to the limit by a least-squares line, None where it does not rise."""
        values = list(self.newest)
        count = len(values)
        middle, mean = (count - 1) / 2, sum(values) / max(count, 1)
        spread = sum((place - middle) ** 2 for place in range(count))
        slope = sum((place - middle) * (value - mean) for place, value in enumerate(values)) / max(spread, 1e-9)
        if slope <= 0:
            return None
        return max((_LIMIT - mean) / slope - middle, 0.0) * self.interval_s / HOUR_S

    def _bound(self, growth_s: float) -> float:
        """Return the Cramér-Rao bound of the median error, as a share of the true time."""
        machine = self.machine
        base = machine.base_mm_s * machine._imbalance_factor + machine._worn_mm_s * machine._wear_left
        excess = machine._worn_mm_s * (1 - machine._wear_left) * math.exp(-machine.remaining_life_s / growth_s)
        memory = math.exp(-self.interval_s / figures.SHAKE_NOISE_LAG_S)
        correlated = math.sqrt((1 + memory) / (1 - memory))
        matrix = [[0.0] * 3 for _ in range(3)]
        for place in range(int(self.seen_s / self.interval_s)):
            f = math.exp(-place * self.interval_s / growth_s)
            noise = (figures.SHAKE_NOISE_SHARE * (base + excess * f) + figures.SHAKE_NOISE_MM_S) * correlated
            slopes = (1.0, f, excess * f * place * self.interval_s / growth_s / growth_s)
            for row, by_row in enumerate(slopes):
                for column, by_column in enumerate(slopes):
                    matrix[row][column] += by_row * by_column / noise / noise
        left = _LIMIT - base
        gradient = [-growth_s / left, -growth_s / excess, math.log(left / excess)]
        true_s = growth_s * gradient[2]
        solved = _solved(matrix, gradient)
        variance = sum(value * by for value, by in zip(solved, gradient, strict=True))
        return 0.6745 * math.sqrt(max(variance, 0.0)) / true_s if true_s > 0 else math.nan


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return the solution of three linear equations, by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for pivot in range(3):
        for other in range(3):
            if other != pivot and rows[pivot][pivot]:
                factor = rows[other][pivot] / rows[pivot][pivot]
                rows[other] = [mine - factor * its for mine, its in zip(rows[other], rows[pivot], strict=True)]
    return [row[3] / row[place] if row[place] else math.inf for place, row in enumerate(rows)]


def watched(seed: int, machines: int, interval_s: float, hours: float, jumps: float, lives: int) -> Plantful:
    """Run one plant and judge what is told of it; then generate so many lives of each other shape."""
    plant = Plant(machines, interval_s, _START_S, Random(seed), _LIMITS)
    watches = [Watch(machine, interval_s) for machine in plant.machines]
    loads = Random(seed + 1_000_003)
    judged, horizons = list[Judged](), list[float]()
    false_episodes, healthy_h = 0, 0.0
    for count in range(1, int(hours * HOUR_S / interval_s) + 1):
        for watch, reading in zip(watches, plant.next_round(), strict=True):
            if jumps and loads.random() < interval_s / JUMP_EVERY_S:
                watch.load = 1 + loads.choice((-jumps, jumps)) if watch.load == 1 else 1.0
            watch.hear(reading)
        if count % READINGS_A_BUCKET == 0:
            for watch in watches:
                false, healthy = watch.look(judged, horizons)
                false_episodes += false
                healthy_h += healthy
    others = [lives_of(shape, lives, _LIMIT, Random(f"{seed} {shape.name}")) for shape in SHAPES]
    return Plantful(judged, horizons, false_episodes, healthy_h, others)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    options = parser("forecast", __doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 120)))
    options.add_argument("--machines", type=int, default=50)
    options.add_argument("--hours", type=float, default=2.0, help="of each plant (2)")
    options.add_argument("--interval", type=float, default=1.0, help="between readings, s (1)")
    options.add_argument("--jumps", type=float, default=0.0, help="share by which loads jump (0)")
    options.add_argument("--lives", type=int, default=8, help="of each other shape, per seed (8)")
    options.add_argument("--feed", type=Path, help="a recorded feed to judge by, instead of the simulator")
    options.add_argument("--limit", type=float, default=_LIMIT, help=f"of the feed's machines, mm/s ({_LIMIT:g})")
    chosen = options.parse_args(argv)
    if chosen.feed is not None:
        with chosen.feed.open("rb") as lines:
            print_feed(lines, chosen.limit)
        return 0
    run = partial(
        watched,
        machines=chosen.machines,
        interval_s=chosen.interval,
        hours=chosen.hours,
        jumps=chosen.jumps,
        lives=chosen.lives,
    )
    start_s = perf_counter()
    with Pool(2) as pool:
        plants = pool.map(run, chosen.seeds, chunksize=1)
    print(f"seeds {chosen.seeds}, a reading every {chosen.interval:g} s, load jumps {chosen.jumps:.0%}")
    _print_plants(plants)
    _print_shapes([plant.shapes for plant in plants])
    print(f"\nIt took {perf_counter() - start_s:.0f} s.")
    return 0


def _print_plants(plants: Sequence[Plantful]) -> None:
    columns = [*COLUMNS, "bound", "line"]
    if is_installed():
        columns.append("peer")
    else:
        print(f"no column 'peer': {PACKAGE} is not installed")
    _print_false(plants)
    horizons = [horizon for plant in plants for horizon in plant.horizons]
    if horizons:
        print(f"prognostic horizon: a median of {median(horizons):.2f} growth times in {len(horizons)} whole lives")
    judged = [one for plant in plants for one in plant.judged]
    for kind in ("whole", "midst", "imbalance"):
        print_table(kind, [one for one in judged if one.kind == kind], (*WAY_NAMES, *LEFT_NAMES), columns)
    found = figures_of([one for one in judged if one.kind == "whole"])
    print(f"\nof all that was told of whole lives, {found['off']:.1%} was off by more than two times")


def _print_shapes(plants: Sequence[Sequence[Shown]]) -> None:
    print("\nother shapes, a reading a second")
    for shape, shown in zip(SHAPES, zip(*plants, strict=True), strict=True):
        judged = [one for lives in shown for one in lives.judged]
        if judged:
            print_table(shape.name, judged, WAY_NAMES, COLUMNS)
            print(f"{'all':16}{len(judged):7}" + "".join(f"{figures_of(judged)[name]:8.3f}" for name in COLUMNS))
            _print_false(shown)


def _print_false(parts: Iterable[Plantful | Shown]) -> None:
    each = list(parts)
    false, healthy_h = sum(part.false_episodes for part in each), sum(part.healthy_h for part in each)
    print(f"false episodes: {false} in {healthy_h:,.0f} healthy hours, {100 * false / healthy_h:.2f} in 100 h")


if __name__ == "__main__":
    sys.exit(main())
