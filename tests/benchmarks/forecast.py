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
    line      median error of a least-squares line through the newest 300 readings; told where it rises
Lives with an imbalance stand apart, and so do lives that were first seen in the midst of their growth. False episodes
are forecasts that appear in a machine that does not grow, per 100 hours of running. `--jumps` changes every machine's
load by up to so much, once in ten minutes or so, which nobody measures.
"""

import math
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from multiprocessing import Pool
from random import Random
from statistics import median
from typing import Final, NamedTuple

from consumers.machines.forecast import HOUR_S, Forecast, forecast
from consumers.machines.trend import READINGS_A_BUCKET, Trend
from consumers.records import Row
from producers import figures
from producers.simulator import Machine, Plant
from tests.benchmarks.support import parser
from utils.efficiency import Limits
from utils.message import Reading

_LIMITS: Final = Limits()
_LIMIT: Final = _LIMITS.vibration_safe_max_mm_s
_START_S: Final = 1_795_339_200.0
_WAYS: Final = (0.05, 0.1, 0.25, 0.5, 0.75)
_LEFT: Final = (0.25, 0.2, 0.15, 0.1, 0.05)
_GROWING: Final = 0.02
_LINE_READINGS: Final = 300
_JUMP_EVERY_S: Final = 600.0
_MIDST: Final = 0.5
"""A life of which less than this share was seen was first seen in the midst."""


class Judged(NamedTuple):
    """What was told of a life at one moment."""

    moment: str
    kind: str
    true_h: float
    bound: float
    told: Forecast | None
    line_h: float | None


class Plantful(NamedTuple):
    """What one plant showed."""

    judged: list[Judged]
    false_episodes: int
    healthy_h: float


class Watch:
    """One machine: what the consumer knows of it, and what is true."""

    def __init__(self, machine: Machine, interval_s: float) -> None:
        self.machine, self.interval_s = machine, interval_s
        self.trend = Trend()
        self.rows: list[Row] = []
        self.newest: deque[float] = deque(maxlen=_LINE_READINGS)
        self.passed: set[str] = set()
        self.life_s = self.seen_s = 0.0
        self.is_told = False
        self.load = 1.0

    def hear(self, reading: Reading) -> None:
        """Take a reading."""
        vibration = round(reading.vibration_mm_s * self.load, 2)
        self.rows.append((*reading[:4], vibration, 0.0, "High", 0, reading.timestamp))
        if reading.mode == "active":
            self.newest.append(vibration)
            self.seen_s += self.interval_s
        if reading.mode == "maintenance":
            self.newest.clear()
            self.passed.clear()
            self.seen_s, self.is_told = 0.0, False

    def look(self, plantful: list[Judged]) -> tuple[int, float]:
        """Judge what is told now; returns false episodes and healthy hours since the last look."""
        machine = self.machine
        self.trend = self.trend.after(self.rows)
        heard, self.rows = len(self.rows), []
        if machine.mode != "active":
            return 0, 0.0
        growth = machine._worn_mm_s * math.exp(-machine.remaining_life_s / machine._growth_s)
        way = growth / max(_LIMIT - machine.base_mm_s, 0.01)
        if machine._growth_s > figures.SUDDEN_GROWTH_S.high and way > _GROWING:
            self._judge(plantful, way)
            return 0, 0.0
        told = forecast(self.trend, _LIMIT) is not None
        false = told and not self.is_told
        self.is_told = told
        return int(false), heard * self.interval_s / HOUR_S

    def _judge(self, judged: list[Judged], way: float) -> None:
        machine = self.machine
        life_s = machine._growth_s * figures.SLOW_GROWTHS_A_LIFE
        true_s = machine.running_s_to_limit
        if not true_s or way >= 1:
            return
        left = machine.remaining_life_s / life_s
        reached = [f"x {x:4.0%}" for x in _WAYS if x <= way] + [
            f"left {share:4.0%}" for share in _LEFT if left <= share
        ]
        new = [moment for moment in reached if moment not in self.passed]
        # A life first seen beyond several moments is judged at the last of each kind alone.
        latest = {moment.split()[0]: moment for moment in new}.values()
        self.passed.update(reached)
        if not new:
            return
        kind = "imbalance" if machine.fault == "imbalance" else "midst" if self.seen_s < _MIDST * life_s else "whole"
        told, line, bound = forecast(self.trend, _LIMIT), self._line_h(), self._bound(growth_s=machine._growth_s)
        judged += [Judged(moment, kind, true_s / HOUR_S, bound, told, line) for moment in latest]

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


def watched(seed: int, machines: int, interval_s: float, hours: float, jumps: float) -> Plantful:
    """Run one plant and judge what is told of it."""
    plant = Plant(machines, interval_s, _START_S, Random(seed), _LIMITS)
    watches = [Watch(machine, interval_s) for machine in plant.machines]
    loads = Random(seed + 1_000_003)
    judged: list[Judged] = []
    false_episodes, healthy_h = 0, 0.0
    for count in range(1, int(hours * HOUR_S / interval_s) + 1):
        for watch, reading in zip(watches, plant.next_round(), strict=True):
            if jumps and loads.random() < interval_s / _JUMP_EVERY_S:
                watch.load = 1 + loads.choice((-jumps, jumps)) if watch.load == 1 else 1.0
            watch.hear(reading)
        if count % READINGS_A_BUCKET == 0:
            for watch in watches:
                false, healthy = watch.look(judged)
                false_episodes += false
                healthy_h += healthy
    return Plantful(judged, false_episodes, healthy_h)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    options = parser("forecast", __doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 116)))
    options.add_argument("--machines", type=int, default=50)
    options.add_argument("--hours", type=float, default=2.0, help="of each plant (2)")
    options.add_argument("--interval", type=float, default=1.0, help="between readings, s (1)")
    options.add_argument("--jumps", type=float, default=0.0, help="share by which loads jump (0)")
    chosen = options.parse_args(argv)
    run = partial(
        watched, machines=chosen.machines, interval_s=chosen.interval, hours=chosen.hours, jumps=chosen.jumps
    )
    with Pool(2) as pool:
        plants = pool.map(run, chosen.seeds, chunksize=1)
    healthy_h = sum(plant.healthy_h for plant in plants)
    false = sum(plant.false_episodes for plant in plants)
    print(f"seeds {chosen.seeds}, a reading every {chosen.interval:g} s, load jumps {chosen.jumps:.0%}")
    print(f"false episodes: {false} in {healthy_h:,.0f} healthy hours, {100 * false / healthy_h:.2f} in 100 h")
    judged = [one for plant in plants for one in plant.judged]
    for kind in ("whole", "midst", "imbalance"):
        _print_table(kind, [one for one in judged if one.kind == kind])
    return 0


def _print_table(kind: str, judged: Iterable[Judged]) -> None:
    print(f"\n{kind:10}{'lives':>7}{'told':>7}{'error':>7}{'bound':>7}{'cover':>7}{'width':>7}{'off':>7}{'line':>7}")
    by_moment: dict[str, list[Judged]] = {}
    for one in judged:
        by_moment.setdefault(one.moment, []).append(one)
    names = [f"x {x:4.0%}" for x in _WAYS] + [f"left {share:4.0%}" for share in _LEFT]
    for moment in names:
        print(f"{moment:10}" + "".join(_columns(by_moment.get(moment, []))))


def _columns(judged: list[Judged]) -> list[str]:
    told = [(one.true_h, one.told) for one in judged if one.told is not None]
    lines = [abs(one.line_h / one.true_h - 1) for one in judged if one.line_h is not None]
    errors = [abs(found.hours_to_limit / true_h - 1) for true_h, found in told]
    covered = [found.hours_to_limit_low <= true_h <= found.hours_to_limit_high for true_h, found in told]
    widths = [
        (found.hours_to_limit_high - found.hours_to_limit_low) / max(found.hours_to_limit, 1e-9) for _, found in told
    ]
    off = [not 0.5 <= found.hours_to_limit / true_h <= 2 for true_h, found in told]
    found = [
        len(told) / len(judged) if judged else math.nan,
        median(errors or [math.nan]),
        median([one.bound for one in judged] or [math.nan]),
        sum(covered) / len(told) if told else math.nan,
        median(widths or [math.nan]),
        sum(off) / len(told) if told else math.nan,
        median(lines or [math.nan]),
    ]
    return [f"{len(judged):7}", *(f"{value:7.3f}" for value in found)]


if __name__ == "__main__":
    sys.exit(main())
