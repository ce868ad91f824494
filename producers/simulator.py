"""A simulated plant: machines that change mode, warm up, wear out, fail and are mended.

The figures, and where they come from, stand in `producers.figures`. What happens depends on elapsed seconds alone,
not on how often the machines report.
"""

import math
from random import Random
from typing import Final, Literal

from producers import figures
from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.message import Mode, Reading, timestamp_at

Fault = Literal["imbalance", "blocked cooling"]
"""What can happen to a machine besides wear: the first changes only its vibration, the second its temperature."""


class PlantError(PipelineError):
    """The plant cannot go on; the message says why."""


_THREE_UNIFORMS_MEAN: Final = 1.5
_THREE_UNIFORMS_DEVIATION: Final = 0.5


class Machine:
    """One machine. Its attributes are the truth; its sensors report them with noise.

    `step_s` seconds pass at each step, at most `figures.LONGEST_STEP_S`.
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
    """0: new. 1: the severity of wear alone reaches the safe limit. It goes on to about 1.5."""
    remaining_life_s: float
    """Running time in active mode until wear is 1; negative after that."""
    fault: Fault | None
    load: float
    base_mm_s: float
    """Severity in active mode of the machine without wear and imbalance."""
    rise_c: float
    """How much warmer than the room it is in active mode, without wear and with good cooling."""
    room_c: float
    _run_in: float
    """The share by which a renewed machine shakes more than its base; it falls to 0 soon."""
    _fault_from_s: float
    """The remaining life at which the fault sets in."""

    def __init__(self, machine_id: int, mode: Mode, spent: float, step_s: float, limits: Limits, rng: Random) -> None:
        """Draw a machine that has `spent` a share, 0 to 1, of its life already."""
        self.machine_id = machine_id
        self._limits, self._rng, self._random, self._step_s = limits, rng, rng.random, step_s
        self.load = rng.uniform(*figures.LOAD)
        self.room_c = rng.uniform(*figures.ROOM_C)
        self.rise_c = figures.RISE_UNLOADED_C + figures.RISE_PER_LOAD_C * self.load
        self.base_mm_s = rng.uniform(*figures.BASE_MM_S)
        self._worn_mm_s = max(limits.vibration_safe_max_mm_s - self.base_mm_s, figures.LEAST_MM_S_OF_WEAR)
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
            self._fault_from_s = -math.inf  # it has set in and been mended already

    def _set_lags(self, rng: Random) -> None:
        step_s = self._step_s
        lag_s = rng.uniform(*figures.FAN_LAG_S)
        slow_lag_s = lag_s * rng.uniform(*figures.LAG_FACTOR_WITHOUT_FAN)
        self._lag_gains = 1 - math.exp(-step_s / slow_lag_s), 1 - math.exp(-step_s / lag_s)
        self._run_in_memory = math.exp(-step_s / figures.RUN_IN_LAG_S)
        self._heat_memory, heat_shock = _autoregression(step_s, figures.HEAT_NOISE_LAG_S)
        self._heat_shock_c = heat_shock * figures.HEAT_NOISE_C
        self._shake_memory, self._shake_shock = _autoregression(step_s, figures.SHAKE_NOISE_LAG_S)
        self._heat_noise_c = self._shake_noise = 0.0

    def step(self) -> None:
        """Let `step_s` seconds pass."""
        self._mode_left_s -= self._step_s
        if self._mode_left_s <= 0:
            self._change_mode()
        if self.mode == "active":
            self._run()
        self.temperature_c += (self._target_c - self.temperature_c) * self._lag_gain
        # The sum of three uniform numbers is close enough to a bell curve. It costs less than a Gaussian number and
        # has the same bits on every platform.
        random = self._random
        heat = random() + random() + random() - _THREE_UNIFORMS_MEAN
        shake = random() + random() + random() - _THREE_UNIFORMS_MEAN
        self._heat_noise_c = self._heat_memory * self._heat_noise_c + self._heat_shock_c * heat
        self._shake_noise = self._shake_memory * self._shake_noise + self._shake_shock * shake

    def report(self, timestamp: str) -> Reading:
        """Return what the sensors show: with their noise, rounded to hundredths."""
        severity = self.vibration_mm_s
        measured = severity + (figures.SHAKE_NOISE_SHARE * severity + figures.SHAKE_NOISE_MM_S) * self._shake_noise
        return Reading(
            self.machine_id,
            timestamp,
            self.mode,
            round(self.temperature_c + self._heat_noise_c, 2),
            round(measured, 2) if measured > 0 else 0.0,
        )

    @property
    def running_s_to_limit(self) -> float | None:
        """Running time until the severity without noise reaches the limit, under the present fault; None: never.

        What is left of a run-in is left out: it fades long before.
        """
        room_mm_s = self._limits.vibration_safe_max_mm_s - self.base_mm_s * self._imbalance_factor
        growth = (room_mm_s / self._worn_mm_s - self._wear_left) / (1 - self._wear_left)
        if growth <= 0:
            return 0.0
        if growth > math.exp(figures.LARGEST_GROWTH_EXPONENT):
            return None
        return max(self.remaining_life_s + self._growth_s * math.log(growth), 0.0)

    def _run(self) -> None:
        """Let the machine wear for a step; after some time beyond a limit someone stops it."""
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
        growth = math.exp(exponent if exponent < figures.LARGEST_GROWTH_EXPONENT else figures.LARGEST_GROWTH_EXPONENT)
        self.wear = wear = self._wear_left + (1 - self._wear_left) * growth
        # Wear shows in the vibration first: it makes heat only when it is far advanced.
        rise_c = self.rise_c * self._cooling_factor + figures.RISE_OF_WEAR_C * wear * wear
        self._target_c = self.room_c + heat_share * rise_c
        severity = self.base_mm_s * (1 + self._run_in) * self._imbalance_factor + self._worn_mm_s * wear
        self.vibration_mm_s = figures.NOISE_FLOOR_MM_S + vibration_share * (severity - figures.NOISE_FLOOR_MM_S)

    def _change_mode(self) -> None:
        overdue_s = self._mode_left_s
        if self.mode == "maintenance":
            self._renew()
        chance = self._random()
        self._enter(next(mode for upto, mode in figures.MODES[self.mode].successors if chance < upto))
        self._mode_left_s += overdue_s

    def _enter(self, mode: Mode) -> None:
        traits = figures.MODES[mode]
        self.mode = mode
        self._mode_left_s = self._rng.uniform(*traits.dwell_s)
        self._lag_gain = self._lag_gains[traits.has_fan]
        self._feel_condition(traits.heat_share, traits.vibration_share)

    def _renew(self) -> None:
        """Begin a new life: faults are mended and most of the wear is gone."""
        uniform = self._rng.uniform
        life_s = uniform(*figures.LIFE_S)
        ends_slowly = self._random() < figures.SLOW_END_SHARE
        self._wear_left = self.wear * uniform(*figures.WEAR_LEFT_BY_MAINTENANCE)
        self.remaining_life_s = life_s
        self._growth_s = life_s / figures.SLOW_GROWTHS_A_LIFE if ends_slowly else uniform(*figures.SUDDEN_GROWTH_S)
        self._fault_from_s = life_s * self._random() if self._random() < figures.FAULT_SHARE else -math.inf
        self.fault = None
        self._imbalance_factor = self._cooling_factor = 1.0
        self._run_in = figures.RUN_IN_SHARE
        self._beyond_s = 0.0
        self._patience_s = uniform(*figures.PATIENCE_S)

    def _break_down(self) -> None:
        if self._random() < 0.5:  # noqa: PLR2004 - a fair coin
            self.fault = "imbalance"
            self._imbalance_factor = self._rng.uniform(*figures.IMBALANCE_FACTOR)
        else:
            self.fault = "blocked cooling"
            self._cooling_factor = self._rng.uniform(*figures.BLOCKED_COOLING_FACTOR)


class Plant:
    """Machines 1 to N; each reports once an interval. The same seed and start give the same readings.

    `machines` stand in the order of their ids; their attributes are the simulated truth.
    """

    def __init__(self, machines: int, interval_s: float, start_s: float, rng: Random, limits: Limits) -> None:
        """Build a plant whose clock stands at `start_s`, seconds since 1970.

        `limits` decide when a machine's life is over and when people stop it.
        """
        self.interval_s = interval_s
        self._start_s = start_s
        self._rounds = 0
        self._steps_a_round = math.ceil(interval_s / figures.LONGEST_STEP_S)
        step_s = interval_s / self._steps_a_round
        # Spent lives are spread evenly, and active machines get the longest, so that even in a small plant one
        # machine soon reaches its end.
        spent = [figures.MOST_SPENT * (place + rng.uniform(0.5, 1)) / machines for place in range(machines)]
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
        """Return the readings of all machines at this moment, and let an interval pass.

        Raises PlantError if the clock leaves the calendar.
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
    """Return a mode for each machine, in about the shares of later; every mode once if there are enough machines."""
    modes: list[Mode] = []
    if machines >= figures.MACHINES_TO_SHOW_EVERY_MODE:
        for mode, share in figures.START_SHARES:
            modes += [mode] * max(1, int(share * machines))
    return modes + ["active"] * (machines - len(modes))


def _autoregression(step_s: float, lag_s: float) -> tuple[float, float]:
    """Return two factors of noise with deviation 1: of its last value, and of the sum of three uniforms."""
    memory = math.exp(-step_s / lag_s)
    return memory, math.sqrt(1 - memory * memory) / _THREE_UNIFORMS_DEVIATION
