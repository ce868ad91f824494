"""Growth of other shapes than the simulator's, generated: no model of ours has made it.

A machine runs at its base for 10 to 40 minutes, then grows to its limit; its sensor has the simulated noise. `1/f` is
exponential growth under noise that is as strong at 5, 50 and 500 s, and no weaker in all. `jumps` is exponential
growth of a machine whose load, once in ten minutes or so, changes its vibration by 8 %, or back.
"""

import math
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from consumers.machines.forecast import HOUR_S
from consumers.machines.trend import READINGS_A_BUCKET
from producers import figures
from tests.benchmarks.forecast_table import WAY_NAMES, WAYS, Judged, Told
from utils.message import Reading, timestamp_at

JUMP_EVERY_S: Final = 600.0
_JUMP: Final = 0.08
_START_S: Final = 1_795_339_200.0
_FLAT_S: Final = figures.Range(600, 2400)
_RISE_S: Final = figures.Range(600, 2400)
_GROWTH_S: Final = figures.Range(125, 500)
_GROWING: Final = 0.02
_LONG_LAGS_S: Final = (5.0, 50.0, 500.0)


class Shape(NamedTuple):
    """How a machine grows, and what its sensor adds."""

    name: str
    power: int
    """Of the time since the onset; 0: growth is exponential."""
    lags_s: tuple[float, ...] = (figures.SHAKE_NOISE_LAG_S,)
    jump: float = 0.0


SHAPES: Final = (
    Shape("linear", 1),
    Shape("quadratic", 2),
    Shape("cubic", 3),
    Shape("1/f noise", 0, _LONG_LAGS_S),
    Shape("jumps 8%", 0, jump=_JUMP),
)


class Shown(NamedTuple):
    """What the lives of one shape showed; healthy is a machine before its growth."""

    judged: list[Judged]
    false_episodes: int
    healthy_h: float


class _Growth:
    """Severity over time, and the time from any severity to the limit."""

    def __init__(self, shape: Shape, limit_mm_s: float, random: Random) -> None:
        self.base_mm_s = random.uniform(*figures.BASE_MM_S)
        self.room_mm_s = limit_mm_s - self.base_mm_s
        self._power = shape.power
        self._scale_s = random.uniform(*(_RISE_S if shape.power else _GROWTH_S))
        self.life_s = random.uniform(*_FLAT_S) + (
            self._scale_s if shape.power else -self._scale_s * math.log(_GROWING)
        )

    def way(self, left_s: float) -> float:
        """Return the share of the way from the base to the limit, so long before the limit without a jump."""
        if self._power:
            return max(1 - left_s / self._scale_s, 0.0) ** self._power
        return math.exp(-left_s / self._scale_s)

    def left_s(self, way: float) -> float:
        """Return how long before that it is so far."""
        return self._scale_s * (1 - way ** (1 / self._power)) if self._power else -self._scale_s * math.log(way)

    def true_s(self, left_s: float, load: float) -> float:
        """Return the time until the severity without noise reaches the limit, under the present load."""
        at_limit = ((self.room_mm_s + self.base_mm_s) / load - self.base_mm_s) / self.room_mm_s
        return left_s - self.left_s(at_limit)


def lives_of(shape: Shape, lives: int, limit_mm_s: float, random: Random) -> Shown:
    """Generate machines that grow in this shape, a reading a second, and judge what is told of them."""
    shown = [_life(shape, limit_mm_s, random) for _ in range(lives)]
    return Shown(
        [one for life in shown for one in life.judged],
        sum(life.false_episodes for life in shown),
        sum(life.healthy_h for life in shown),
    )


def _life(shape: Shape, limit_mm_s: float, random: Random) -> Shown:
    growth, noise, load = _Growth(shape, limit_mm_s, random), _noise(shape.lags_s, random), 1.0
    machine, judged, passed = Told(limit_mm_s), list[Judged](), 0
    false_episodes, healthy_readings, is_told = 0, 0, False
    for count in range(1, int(growth.life_s)):
        if shape.jump and random.random() < 1 / JUMP_EVERY_S:
            load = 1 + random.choice((-shape.jump, shape.jump)) if load == 1 else 1.0
        left_s = growth.life_s - count
        way, true_s = growth.way(left_s), growth.true_s(left_s, load)
        severity = (growth.base_mm_s + growth.room_mm_s * way) * load
        shaken = severity + (figures.SHAKE_NOISE_SHARE * severity + figures.SHAKE_NOISE_MM_S) * noise()
        machine.hear(Reading(1, timestamp_at(_START_S + count), "active", 50.0, round(max(shaken, 0.0), 2)))
        if true_s <= 0:
            break
        if count % READINGS_A_BUCKET:
            continue
        heard = machine.catch_up()
        if way <= _GROWING:
            was_told, is_told = is_told, machine.forecast() is not None
            false_episodes += is_told and not was_told
            healthy_readings += heard
        elif passed < len(WAYS) and way >= WAYS[passed]:
            while passed < len(WAYS) and way >= WAYS[passed]:
                passed += 1
            judged.append(Judged(WAY_NAMES[passed - 1], shape.name, true_s / HOUR_S, machine.forecast()))
    return Shown(judged, false_episodes, healthy_readings / HOUR_S)


def _noise(lags_s: tuple[float, ...], random: Random) -> Callable[[], float]:
    """Return a source of noise with deviation 1: the sum of equally strong parts, each with its lag."""
    memories = [math.exp(-1 / lag_s) for lag_s in lags_s]
    parts = [random.gauss(0, 1) for _ in lags_s]

    def noise() -> float:
        for place, memory in enumerate(memories):
            parts[place] = memory * parts[place] + math.sqrt(1 - memory * memory) * random.gauss(0, 1)
        return sum(parts) / math.sqrt(len(parts))

    return noise
