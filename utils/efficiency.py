"""The rule: how efficient a machine is, and whether a reading is beyond a safe limit."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, get_args

from utils.message import MODES, Mode, Reading
from utils.setting import number

EfficiencyLevel = Literal["Low", "Medium", "High", "Critical"]
EFFICIENCY_LEVELS: Final[tuple[EfficiencyLevel, ...]] = get_args(EfficiencyLevel)
Signal = Literal["temperature", "vibration"]


class Rating(NamedTuple):
    """What the rule says of one reading."""

    efficiency_score: float
    """0 to 100, one decimal."""
    efficiency_level: EfficiencyLevel
    is_anomaly: int
    """0 or 1, not a bool: SQLite takes an int faster."""
    beyond_limit: tuple[Signal, ...]
    """The signals beyond their safe limits; empty unless an anomaly."""


class RatingTable(NamedTuple):
    """Every rating that there is; see `Limits.rate` for how one is found."""

    ratings: Mapping[Mode, Sequence[Sequence[Rating]]]
    """By mode, temperature range and vibration zone."""
    cold_cuts_c: tuple[float, ...]
    hot_cuts_c: tuple[float, ...]
    zone_cuts_mm_s: tuple[float, ...]


class LimitsError(ValueError):
    """Limits that contradict each other; `names` are the two fields."""

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names


def _base(default: float, mode: Mode) -> Any:
    return number(default, f"efficiency of a machine in {mode} mode, before its readings count", "%", 0, 100)


def _factor(default: float, where: str) -> Any:
    return number(default, f"what is left of an active or idle machine's efficiency {where}", "factor", 0, 1)


def _temperature(default: float, meaning: str) -> Any:
    return number(default, meaning, "°C", -273.15, 2000)


def _vibration(default: float, meaning: str) -> Any:
    return number(default, meaning, "mm/s", 0, 1000)


@dataclass(frozen=True)
class Limits:
    """Every number of the rule; each can be set in `.env` under its name in capitals.

    Vibration zones A to D: ISO 10816-3, machines of 15 to 300 kW, rigid mounting (velocity severity, RMS).
    Raises LimitsError if numbers that must rise do not.
    """

    base_active: float = _base(100, "active")
    base_idle: float = _base(60, "idle")
    base_maintenance: float = _base(20, "maintenance")
    base_offline: float = _base(0, "offline")

    temperature_cold_c: float = _temperature(30, "below it a machine is cold")
    temperature_optimal_min_c: float = _temperature(40, "the optimal range begins")
    temperature_optimal_max_c: float = _temperature(75, "the optimal range ends")
    temperature_warm_c: float = _temperature(80, "above it a machine is warm")
    temperature_safe_max_c: float = _temperature(90, "the safe limit: above it a reading is an anomaly")
    factor_temperature_cold: float = _factor(0.8, "below TEMPERATURE_COLD_C")
    factor_temperature_fair: float = _factor(0.9, "in no other temperature range")
    factor_temperature_optimal: float = _factor(1.0, "in the optimal range")
    factor_temperature_warm: float = _factor(0.7, "above TEMPERATURE_WARM_C")
    factor_temperature_unsafe: float = _factor(0.5, "above TEMPERATURE_SAFE_MAX_C")

    vibration_zone_a_max_mm_s: float = _vibration(1.4, "zone A ends: as newly commissioned")
    vibration_zone_b_max_mm_s: float = _vibration(2.8, "zone B ends: fit for unrestricted operation")
    vibration_safe_max_mm_s: float = _vibration(4.5, "zone C ends, the safe limit: above it a reading is an anomaly")
    factor_vibration_zone_a: float = _factor(1.0, "in vibration zone A")
    factor_vibration_zone_b: float = _factor(0.9, "in vibration zone B")
    factor_vibration_zone_c: float = _factor(0.7, "in vibration zone C")
    factor_vibration_zone_d: float = _factor(0.4, "above VIBRATION_SAFE_MAX_MM_S")

    level_critical_below: float = number(20, "a lower efficiency is Critical, as is every anomaly", "%", 0, 100)
    level_medium_from: float = number(50, "efficiency from which the level is Medium; below it Low", "%", 0, 100)
    level_high_from: float = number(80, "efficiency from which the level is High", "%", 0, 100)

    def __post_init__(self) -> None:
        for names in _RISING:
            for lower, upper in pairwise(names):
                low, high = getattr(self, lower), getattr(self, upper)
                if low > high:
                    raise LimitsError(
                        f"{lower.upper()}={low:g} is above {upper.upper()}={high:g}; "
                        f"expected {' ≤ '.join(names).upper()}",
                        (lower, upper),
                    )

    def __getstate__(self) -> dict[str, Any]:
        """Return the numbers alone: what was worked out from them cannot be pickled, and is worked out again."""
        return {limit.name: getattr(self, limit.name) for limit in fields(self)}

    @cached_property
    def rate(self) -> Callable[[Reading], Rating]:
        """The function that rates a reading: its score, its level, and the safe limits that it is beyond."""
        ratings, cold_cuts_c, hot_cuts_c, zone_cuts_mm_s = self.table

        def rate(reading: Reading) -> Rating:
            _, _, mode, temperature_c, vibration_mm_s = reading
            temperature_range = bisect_right(cold_cuts_c, temperature_c) + bisect_left(hot_cuts_c, temperature_c)
            return ratings[mode][temperature_range][bisect_left(zone_cuts_mm_s, vibration_mm_s)]

        return rate

    @cached_property
    def table(self) -> RatingTable:
        """The whole rule as a table, to be looked up by cuts.

        Bounds belong to the better side: 75 °C is optimal, 90 °C is still safe, 4.5 mm/s is still zone C.
        """
        return RatingTable(
            self._ratings,
            (self.temperature_cold_c, self.temperature_optimal_min_c),
            (self.temperature_optimal_max_c, self.temperature_warm_c, self.temperature_safe_max_c),
            (self.vibration_zone_a_max_mm_s, self.vibration_zone_b_max_mm_s, self.vibration_safe_max_mm_s),
        )

    def share_of_limit(self, temperature_c: float, vibration_mm_s: float) -> float:
        """Return how near to a safe limit a reading is: 1 at the nearer of the two limits, more beyond it."""
        return max(
            temperature_c / self.temperature_safe_max_c if self.temperature_safe_max_c > 0 else 0.0,
            vibration_mm_s / self.vibration_safe_max_mm_s if self.vibration_safe_max_mm_s > 0 else 0.0,
        )

    def level_of(self, score: float) -> EfficiencyLevel:
        """Return the level of an efficiency of 0 to 100; whether a reading was an anomaly does not count here."""
        if score < self.level_critical_below:
            return "Critical"
        if score >= self.level_high_from:
            return "High"
        return "Medium" if score >= self.level_medium_from else "Low"

    @cached_property
    def _ratings(self) -> dict[Mode, tuple[tuple[Rating, ...], ...]]:
        """The whole rule, worked out once: for a mode, its ratings by temperature range and by vibration zone."""
        heat = (
            self.factor_temperature_cold,
            self.factor_temperature_fair,
            self.factor_temperature_optimal,
            self.factor_temperature_fair,
            self.factor_temperature_warm,
            self.factor_temperature_unsafe,
        )
        zones = (
            self.factor_vibration_zone_a,
            self.factor_vibration_zone_b,
            self.factor_vibration_zone_c,
            self.factor_vibration_zone_d,
        )
        last_heat, last_zone = len(heat) - 1, len(zones) - 1
        return {
            mode: tuple(
                tuple(
                    self._rating(mode, hot * shaken, _beyond(temperature=i == last_heat, vibration=j == last_zone))
                    for j, shaken in enumerate(zones)
                )
                for i, hot in enumerate(heat)
            )
            for mode in MODES
        }

    def _rating(self, mode: Mode, factor: float, beyond_limit: tuple[Signal, ...]) -> Rating:
        base: float = getattr(self, f"base_{mode}")
        score = round(base * factor, 1) if mode in ("active", "idle") else round(base, 1)
        level = "Critical" if beyond_limit else self.level_of(score)
        return Rating(float(score), level, int(bool(beyond_limit)), beyond_limit)


_RISING: Final = (
    (
        "temperature_cold_c",
        "temperature_optimal_min_c",
        "temperature_optimal_max_c",
        "temperature_warm_c",
        "temperature_safe_max_c",
    ),
    ("vibration_zone_a_max_mm_s", "vibration_zone_b_max_mm_s", "vibration_safe_max_mm_s"),
    ("level_critical_below", "level_medium_from", "level_high_from"),
)


def _beyond(*, temperature: bool, vibration: bool) -> tuple[Signal, ...]:
    signals: dict[Signal, bool] = {"temperature": temperature, "vibration": vibration}
    return tuple(signal for signal, is_beyond in signals.items() if is_beyond)
