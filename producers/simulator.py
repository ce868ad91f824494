"""A simulated plant: machines that change mode, warm up, wear out, fail and are mended.

Months are squeezed into an hour or so: a machine wears out in tens of minutes of running time, so that there is
something to see. Everything else depends on elapsed seconds only, not on how often the machines report.

Figures, where no other source stands beside them, follow what was measured on real machines: bearings run to failure
(PRONOSTIA) start at 0.7 to 1.2 mm/s, stay flat, then either grow exponentially over the last third of their lives or
jump in the last moments; an imbalanced rotor (SKAB) shakes two to three times as much and stays as cool as before; a
motor follows its load as a first-order lag, and cools two to three times more slowly when its fan stands still.
"""

import math
from random import Random
from typing import Final, Literal, NamedTuple

from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.message import Mode, Reading, timestamp_at

Fault = Literal["imbalance", "blocked cooling"]
"""What may befall a machine besides wear: the first moves its vibration only, the second its temperature only."""


class PlantError(PipelineError):
    """The plant cannot go on."""


class _Range(NamedTuple):
    low: float
    high: float


class _ModeTraits(NamedTuple):
    dwell_s: _Range
    heat_share: float
    """Of the rise above the room that the machine has when active."""
    vibration_share: float
    """Of the severity that the machine has when active."""
    has_fan: bool
    successors: tuple[tuple[float, Mode], ...]
    """The next mode, by cumulative probability."""


_MODES: Final[dict[Mode, _ModeTraits]] = {
    "active": _ModeTraits(
        _Range(240, 900),
        heat_share=1.0,
        vibration_share=1.0,
        has_fan=True,
        successors=((0.82, "idle"), (0.93, "offline"), (1.0, "maintenance")),
    ),
    "idle": _ModeTraits(
        _Range(60, 240),
        heat_share=0.45,
        vibration_share=0.4,
        has_fan=True,
        successors=((0.9, "active"), (1.0, "offline")),
    ),
    "maintenance": _ModeTraits(
        _Range(150, 360), heat_share=0.05, vibration_share=0.0, has_fan=False, successors=((1.0, "active"),)
    ),
    "offline": _ModeTraits(
        _Range(120, 480),
        heat_share=0.0,
        vibration_share=0.0,
        has_fan=False,
        successors=((0.6, "active"), (1.0, "idle")),
    ),
}
_START_SHARES: Final[tuple[tuple[Mode, float], ...]] = (("maintenance", 0.06), ("offline", 0.07), ("idle", 0.18))
_MACHINES_TO_SHOW_EVERY_MODE: Final = 4

_ROOM_C: Final = _Range(20, 24)
_LOAD: Final = _Range(0.5, 1.0)
_RISE_UNLOADED_C: Final = 14.0
_RISE_PER_LOAD_C: Final = 30.0
_RISE_OF_WEAR_C: Final = 24.0
_FAN_LAG_S: Final = _Range(30, 60)
_LAG_FACTOR_WITHOUT_FAN: Final = _Range(2, 3)

_BASE_MM_S: Final = _Range(0.8, 1.8)
_NOISE_FLOOR_MM_S: Final = 0.05
_LEAST_MM_S_OF_WEAR: Final = 0.5
_RUN_IN_SHARE: Final = 0.15
_RUN_IN_LAG_S: Final = 90.0

_LIFE_S: Final = _Range(1_500, 6_000)
_SLOW_END_SHARE: Final = 0.6
"""So many lives end by a growth that can be seen coming: twice the share of the real bearings, for a lively demo."""
_SLOW_GROWTHS_A_LIFE: Final = 12.0
"""With it the last third of a life grows from 2 % of the wear to all of it."""
_SUDDEN_GROWTH_S: Final = _Range(1.5, 4)
_LARGEST_GROWTH_EXPONENT: Final = 0.4
_WEAR_LEFT_BY_MAINTENANCE: Final = _Range(0.0, 0.2)
_MOST_SPENT: Final = 0.98
"""At the start no machine is nearer to its end than by the rest."""
_FAULT_SHARE: Final = 0.4
_IMBALANCE_FACTOR: Final = _Range(2, 3)
_BLOCKED_COOLING_FACTOR: Final = _Range(1.6, 2.2)
_PATIENCE_S: Final = _Range(60, 180)
"""How long a machine runs beyond a limit before someone stops it."""

_HEAT_NOISE_C: Final = 0.4
_HEAT_NOISE_LAG_S: Final = 20.0
_SHAKE_NOISE_SHARE: Final = 0.04
_SHAKE_NOISE_MM_S: Final = 0.012
_SHAKE_NOISE_LAG_S: Final = 5.0
_THREE_UNIFORMS_MEAN: Final = 1.5
_THREE_UNIFORMS_DEVIATION: Final = 0.5

_LONGEST_STEP_S: Final = 10.0
"""Shorter than anything that happens in the plant but a sudden end; a longer interval is walked in steps."""


class Machine:
    """One machine. Its attributes are the truth that its sensors report with noise.

    `step_s` seconds pass at each step, at most 10.
    """

    __slots__ = (
        "_beyond_s",
        "_cooling_factor",
        "_fault_from_s",
        "_growth_s",
        "_heat_memory",
        "_heat_noise_c",
        "_heat_shock_c",
        "_imbalance_factor",
        "_lag_gain",
        "_lag_gains",
        "_limits",
        "_mode_left_s",
        "_patience_s",
        "_random",
        "_rng",
        "_run_in",
        "_run_in_memory",
        "_shake_memory",
        "_shake_noise",
        "_shake_shock",
        "_step_s",
        "_target_c",
        "_wear_left",
        "_worn_mm_s",
        "base_mm_s",
        "fault",
        "load",
        "machine_id",
        "mode",
        "remaining_life_s",
        "rise_c",
        "room_c",
        "temperature_c",
        "vibration_mm_s",
        "wear",
    )

    machine_id: int
    mode: Mode
    temperature_c: float
    """Of the housing, without the sensor's noise."""
    vibration_mm_s: float
    """Severity in the present mode, without the sensor's noise."""
    wear: float
    """0 new, 1 when the severity of wear alone reaches the safe limit; goes on to about 1.5."""
    remaining_life_s: float
    """Running time in active mode until wear is 1; negative beyond."""
    fault: Fault | None
    load: float
    base_mm_s: float
    """Severity in active mode when neither worn nor imbalanced."""
    rise_c: float
    """Above the room, in active mode, when neither worn nor badly cooled."""
    room_c: float
    _run_in: float
    """By this share more severe than the base, falling to 0 soon after a life begins."""
    _fault_from_s: float
    """The fault sets in at this remaining life."""

    def __init__(self, machine_id: int, mode: Mode, spent: float, step_s: float, limits: Limits, rng: Random) -> None:
        """Draw a machine that has already `spent` this share, 0 to 1, of its life."""
        self.machine_id = machine_id
        self._limits, self._rng, self._random, self._step_s = limits, rng, rng.random, step_s
        self.load = rng.uniform(*_LOAD)
        self.room_c = rng.uniform(*_ROOM_C)
        self.rise_c = _RISE_UNLOADED_C + _RISE_PER_LOAD_C * self.load
        self.base_mm_s = rng.uniform(*_BASE_MM_S)
        self._worn_mm_s = max(limits.vibration_safe_max_mm_s - self.base_mm_s, _LEAST_MM_S_OF_WEAR)
        self._set_lags(rng)
        self.wear = 0.0
        self._renew()
        self._age(spent)
        self._enter(mode)
        self._mode_left_s *= rng.random()
        self.temperature_c = self._target_c

    def _age(self, spent: float) -> None:
        self.remaining_life_s *= 1 - spent
        self._run_in *= 1 - spent
        if self._fault_from_s > self.remaining_life_s:
            self._fault_from_s = -math.inf  # it befell earlier, and was mended

    def _set_lags(self, rng: Random) -> None:
        step_s = self._step_s
        lag_s = rng.uniform(*_FAN_LAG_S)
        slow_lag_s = lag_s * rng.uniform(*_LAG_FACTOR_WITHOUT_FAN)
        self._lag_gains = 1 - math.exp(-step_s / slow_lag_s), 1 - math.exp(-step_s / lag_s)
        self._run_in_memory = math.exp(-step_s / _RUN_IN_LAG_S)
        self._heat_memory, heat_shock = _autoregression(step_s, _HEAT_NOISE_LAG_S)
        self._heat_shock_c = heat_shock * _HEAT_NOISE_C
        self._shake_memory, self._shake_shock = _autoregression(step_s, _SHAKE_NOISE_LAG_S)
        self._heat_noise_c = self._shake_noise = 0.0

    def step(self) -> None:
        """Let `step_s` seconds pass."""
        self._mode_left_s -= self._step_s
        if self._mode_left_s <= 0:
            self._change_mode()
        if self.mode == "active":
            self._run()
        self.temperature_c += (self._target_c - self.temperature_c) * self._lag_gain
        # The sum of three uniform numbers is bell-shaped enough, cheaper than a Gaussian, and to the last bit the
        # same on every platform.
        random = self._random
        heat = random() + random() + random() - _THREE_UNIFORMS_MEAN
        shake = random() + random() + random() - _THREE_UNIFORMS_MEAN
        self._heat_noise_c = self._heat_memory * self._heat_noise_c + self._heat_shock_c * heat
        self._shake_noise = self._shake_memory * self._shake_noise + self._shake_shock * shake

    def report(self, timestamp: str) -> Reading:
        """Read the sensors: with their noise, in hundredths."""
        severity = self.vibration_mm_s
        measured = severity + (_SHAKE_NOISE_SHARE * severity + _SHAKE_NOISE_MM_S) * self._shake_noise
        return Reading(
            self.machine_id,
            timestamp,
            self.mode,
            round(self.temperature_c + self._heat_noise_c, 2),
            round(measured, 2) if measured > 0 else 0.0,
        )

    def _run(self) -> None:
        """Wear for a step, and be stopped after a while beyond a limit."""
        self.remaining_life_s -= self._step_s
        self._run_in *= self._run_in_memory
        if self.remaining_life_s < self._fault_from_s and self.fault is None:
            self._break_down()
        self._feel_condition(1.0, 1.0)
        limits = self._limits
        if self.vibration_mm_s > limits.vibration_safe_max_mm_s or self.temperature_c > limits.temperature_safe_max_c:
            self._beyond_s += self._step_s
            if self._beyond_s > self._patience_s:
                self._enter("maintenance")

    def _feel_condition(self, heat_share: float, vibration_share: float) -> None:
        exponent = -self.remaining_life_s / self._growth_s
        growth = math.exp(exponent if exponent < _LARGEST_GROWTH_EXPONENT else _LARGEST_GROWTH_EXPONENT)
        self.wear = wear = self._wear_left + (1 - self._wear_left) * growth
        # Heat comes from wear only when it is far gone: vibration tells first.
        rise_c = self.rise_c * self._cooling_factor + _RISE_OF_WEAR_C * wear * wear
        self._target_c = self.room_c + heat_share * rise_c
        severity = self.base_mm_s * (1 + self._run_in) * self._imbalance_factor + self._worn_mm_s * wear
        self.vibration_mm_s = _NOISE_FLOOR_MM_S + vibration_share * (severity - _NOISE_FLOOR_MM_S)

    def _change_mode(self) -> None:
        overdue_s = self._mode_left_s
        if self.mode == "maintenance":
            self._renew()
        chance = self._random()
        self._enter(next(mode for upto, mode in _MODES[self.mode].successors if chance < upto))
        self._mode_left_s += overdue_s

    def _enter(self, mode: Mode) -> None:
        traits = _MODES[mode]
        self.mode = mode
        self._mode_left_s = self._rng.uniform(*traits.dwell_s)
        self._lag_gain = self._lag_gains[traits.has_fan]
        self._feel_condition(traits.heat_share, traits.vibration_share)

    def _renew(self) -> None:
        """Begin a life: faults are mended and most of the wear is taken back."""
        uniform = self._rng.uniform
        life_s = uniform(*_LIFE_S)
        ends_slowly = self._random() < _SLOW_END_SHARE
        self._wear_left = self.wear * uniform(*_WEAR_LEFT_BY_MAINTENANCE)
        self.remaining_life_s = life_s
        self._growth_s = life_s / _SLOW_GROWTHS_A_LIFE if ends_slowly else uniform(*_SUDDEN_GROWTH_S)
        self._fault_from_s = life_s * self._random() if self._random() < _FAULT_SHARE else -math.inf
        self.fault = None
        self._imbalance_factor = self._cooling_factor = 1.0
        self._run_in = _RUN_IN_SHARE
        self._beyond_s = 0.0
        self._patience_s = uniform(*_PATIENCE_S)

    def _break_down(self) -> None:
        if self._random() < 0.5:  # noqa: PLR2004 - a fair coin
            self.fault = "imbalance"
            self._imbalance_factor = self._rng.uniform(*_IMBALANCE_FACTOR)
        else:
            self.fault = "blocked cooling"
            self._cooling_factor = self._rng.uniform(*_BLOCKED_COOLING_FACTOR)


class Plant:
    """Machines 1 to N, each of which reports once an interval; the same seed and start give the same readings.

    `machines` are in the order of their ids; their attributes are the simulated truth.
    """

    def __init__(self, machines: int, interval_s: float, start_s: float, rng: Random, limits: Limits) -> None:
        """Build a plant whose clock stands at `start_s`, seconds since 1970.

        `limits` tell where a machine's life ends and when people stop it.
        """
        self.interval_s = interval_s
        self._start_s = start_s
        self._rounds = 0
        self._steps_a_round = math.ceil(interval_s / _LONGEST_STEP_S)
        step_s = interval_s / self._steps_a_round
        # Lives are dealt evenly, the oldest to active machines, so that also in a small plant one is soon at its end.
        spent = [_MOST_SPENT * (place + rng.uniform(0.5, 1)) / machines for place in range(machines)]
        deals = list(zip(_start_modes(machines), spent, strict=True))
        rng.shuffle(deals)
        self.machines = [
            Machine(machine_id, mode, share, step_s, limits, rng)
            for machine_id, (mode, share) in enumerate(deals, start=1)
        ]

    @property
    def now_s(self) -> float:
        """The moment of the next round, seconds since 1970."""
        return self._start_s + self._rounds * self.interval_s

    def set_clock(self, now_s: float) -> None:
        """Go on at another moment, as if the plant had stood still in between."""
        self._start_s, self._rounds = now_s, 0

    def next_round(self) -> list[Reading]:
        """Let every machine report, at the same moment; then an interval passes.

        Raises PlantError where the clock leaves the calendar.
        """
        try:
            timestamp = timestamp_at(self.now_s)
        except (ValueError, OverflowError, OSError):
            raise PlantError(
                f"the plant's clock, {self.now_s:.0f} s from 1970, is beyond the calendar; choose another --start"
            ) from None
        self._rounds += 1
        return [self._reading(machine, timestamp) for machine in self.machines]

    def _reading(self, machine: Machine, timestamp: str) -> Reading:
        for _ in range(self._steps_a_round):
            machine.step()
        return machine.report(timestamp)


def _start_modes(machines: int) -> list[Mode]:
    """Share out the modes about as they will be, every mode at least once where there are enough machines."""
    modes: list[Mode] = []
    if machines >= _MACHINES_TO_SHOW_EVERY_MODE:
        for mode, share in _START_SHARES:
            modes += [mode] * max(1, int(share * machines))
    return modes + ["active"] * (machines - len(modes))


def _autoregression(step_s: float, lag_s: float) -> tuple[float, float]:
    """Give the share that noise of deviation 1 keeps over a step, and the factor of the three uniforms' sum."""
    memory = math.exp(-step_s / lag_s)
    return memory, math.sqrt(1 - memory * memory) / _THREE_UNIFORMS_DEVIATION
