import copy
import pickle
from dataclasses import fields, replace
from itertools import product
from math import inf, nextafter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import reading
from utils.efficiency import EFFICIENCY_LEVELS, EfficiencyLevel, Limits, LimitsError, Rating
from utils.message import ABSOLUTE_ZERO_C, MODES, Mode

LIMITS = Limits()
OPTIMAL_C, ZONE_A_MM_S = 60.0, 1.0

temperatures_c = st.floats(ABSOLUTE_ZERO_C, 200)
vibrations_mm_s = st.floats(0, 50)
modes = st.sampled_from(MODES)


def rate(mode: Mode, temperature_c: float, vibration_mm_s: float, limits: Limits = LIMITS) -> Rating:
    return limits.rate(reading(mode=mode, temperature_c=temperature_c, vibration_mm_s=vibration_mm_s))


def just_below(value: float) -> float:
    return nextafter(value, -inf)


def just_above(value: float) -> float:
    return nextafter(value, inf)


# The numbers

DEFAULTS = {
    "base_active": 100,
    "base_idle": 60,
    "base_maintenance": 20,
    "base_offline": 0,
    "temperature_cold_c": 30,
    "temperature_optimal_min_c": 40,
    "temperature_optimal_max_c": 75,
    "temperature_warm_c": 80,
    "temperature_safe_max_c": 90,
    "factor_temperature_cold": 0.8,
    "factor_temperature_fair": 0.9,
    "factor_temperature_optimal": 1.0,
    "factor_temperature_warm": 0.7,
    "factor_temperature_unsafe": 0.5,
    "vibration_zone_a_max_mm_s": 1.4,
    "vibration_zone_b_max_mm_s": 2.8,
    "vibration_safe_max_mm_s": 4.5,
    "factor_vibration_zone_a": 1.0,
    "factor_vibration_zone_b": 0.9,
    "factor_vibration_zone_c": 0.7,
    "factor_vibration_zone_d": 0.4,
    "level_critical_below": 20,
    "level_medium_from": 50,
    "level_high_from": 80,
}


def test_every_number_of_the_rule_is_the_designs() -> None:
    assert {number.name: number.default for number in fields(Limits)} == DEFAULTS


# The table of the design

TEMPERATURES = [
    (ABSOLUTE_ZERO_C, 0.8),
    (0.0, 0.8),
    (just_below(30.0), 0.8),
    (30.0, 0.9),
    (just_below(40.0), 0.9),
    (40.0, 1.0),
    (60.0, 1.0),
    (75.0, 1.0),
    (just_above(75.0), 0.9),
    (80.0, 0.9),
    (just_above(80.0), 0.7),
    (90.0, 0.7),
    (just_above(90.0), 0.5),
    (1000.0, 0.5),
]
VIBRATIONS = [
    (0.0, 1.0),
    (1.4, 1.0),
    (just_above(1.4), 0.9),
    (2.8, 0.9),
    (just_above(2.8), 0.7),
    (4.5, 0.7),
    (just_above(4.5), 0.4),
    (100.0, 0.4),
]


@pytest.mark.parametrize("mode", ["active", "idle"])
@pytest.mark.parametrize(("temperature_c", "factor"), TEMPERATURES)
def test_temperature_lowers_the_score_of_a_machine_that_could_work(
    mode: Mode, temperature_c: float, factor: float
) -> None:
    base = {"active": 100, "idle": 60}[mode]
    assert rate(mode, temperature_c, ZONE_A_MM_S).efficiency_score == round(base * factor, 1)


@pytest.mark.parametrize("mode", ["active", "idle"])
@pytest.mark.parametrize(("vibration_mm_s", "factor"), VIBRATIONS)
def test_vibration_lowers_the_score_of_a_machine_that_could_work(
    mode: Mode, vibration_mm_s: float, factor: float
) -> None:
    base = {"active": 100, "idle": 60}[mode]
    assert rate(mode, OPTIMAL_C, vibration_mm_s).efficiency_score == round(base * factor, 1)


@pytest.mark.parametrize(
    ("heat", "shake"), list(product(TEMPERATURES, VIBRATIONS)), ids=lambda pair: f"{pair[0]:.4g}x{pair[1]:g}"
)
def test_both_factors_count(heat: tuple[float, float], shake: tuple[float, float]) -> None:
    score = rate("active", heat[0], shake[0]).efficiency_score
    assert score == pytest.approx(100 * heat[1] * shake[1], abs=0.0500001)
    assert score == round(score, 1)


@pytest.mark.parametrize(("mode", "base"), [("maintenance", 20.0), ("offline", 0.0)])
@pytest.mark.parametrize("temperature_c", [-20.0, 60.0, 95.0])
@pytest.mark.parametrize("vibration_mm_s", [0.0, 2.0, 9.0])
def test_the_score_of_a_machine_that_does_not_run_is_its_base(
    mode: Mode, base: float, temperature_c: float, vibration_mm_s: float
) -> None:
    assert rate(mode, temperature_c, vibration_mm_s).efficiency_score == base


# Anomalies


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("temperature_c", "vibration_mm_s", "beyond"),
    [
        (90.0, 4.5, ()),
        (just_above(90.0), 4.5, ("temperature",)),
        (90.0, just_above(4.5), ("vibration",)),
        (just_above(90.0), just_above(4.5), ("temperature", "vibration")),
        (-50.0, 0.0, ()),
    ],
)
def test_beyond_a_safe_limit_is_an_anomaly_in_whatever_mode(
    mode: Mode, temperature_c: float, vibration_mm_s: float, beyond: tuple[str, ...]
) -> None:
    rating = rate(mode, temperature_c, vibration_mm_s)
    assert rating.beyond_limit == beyond
    assert rating.is_anomaly == int(bool(beyond))
    assert (rating.efficiency_level == "Critical") >= bool(beyond)


# Levels

LEVELS: list[tuple[Mode, float, float, float, EfficiencyLevel]] = [
    ("active", 60, 1.0, 100.0, "High"),
    ("active", 44.28, 2.08, 90.0, "High"),
    ("active", 20, 1.0, 80.0, "High"),
    ("active", 85, 1.0, 70.0, "Medium"),
    ("active", 85, 2.0, 63.0, "Medium"),
    ("active", 85, 4.0, 49.0, "Low"),
    ("active", 95, 1.0, 50.0, "Critical"),
    ("active", 60, 5.0, 40.0, "Critical"),
    ("active", 95, 5.0, 20.0, "Critical"),
    ("idle", 60, 1.0, 60.0, "Medium"),
    ("idle", 35, 2.0, 48.6, "Low"),
    ("idle", 85, 4.0, 29.4, "Low"),
    ("maintenance", 20, 0.1, 20.0, "Low"),
    ("offline", 20, 0.1, 0.0, "Critical"),
]


@pytest.mark.parametrize(("mode", "temperature_c", "vibration_mm_s", "score", "level"), LEVELS)
def test_the_level_follows_the_score(
    mode: Mode, temperature_c: float, vibration_mm_s: float, score: float, level: EfficiencyLevel
) -> None:
    rating = rate(mode, temperature_c, vibration_mm_s)
    assert (rating.efficiency_score, rating.efficiency_level) == (score, level)


@pytest.mark.parametrize(
    ("score", "level"),
    [(0, "Critical"), (19.9, "Critical"), (20, "Low"), (49.9, "Low"), (50, "Medium"), (79.9, "Medium"), (80, "High")],
)
def test_the_bounds_of_the_levels_belong_to_the_better_side(score: float, level: EfficiencyLevel) -> None:
    assert rate("active", OPTIMAL_C, ZONE_A_MM_S, Limits(base_active=score)).efficiency_level == level


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0.0, "Critical"),
        (just_below(20.0), "Critical"),
        (20.0, "Low"),
        (just_below(50.0), "Low"),
        (50.0, "Medium"),
        (just_below(80.0), "Medium"),
        (80.0, "High"),
        (100.0, "High"),
    ],
)
def test_a_score_has_its_level(score: float, level: EfficiencyLevel) -> None:
    assert LIMITS.level_of(score) == level


@pytest.mark.parametrize(("score", "level"), [(5, "Critical"), (15, "Low"), (35, "Medium"), (60, "High")])
def test_the_ladder_of_levels_can_be_another(score: float, level: EfficiencyLevel) -> None:
    limits = Limits(level_critical_below=10, level_medium_from=30, level_high_from=60)
    assert limits.level_of(score) == level
    assert rate("active", OPTIMAL_C, ZONE_A_MM_S, replace(limits, base_active=score)).efficiency_level == level


def test_levels_that_nobody_can_have_are_passed_over() -> None:
    assert [Limits(level_medium_from=80).level_of(score) for score in (79, 80)] == ["Low", "High"]
    assert [Limits(level_critical_below=50).level_of(score) for score in (49, 50)] == ["Critical", "Medium"]


def test_every_level_can_be_reached() -> None:
    found = {
        rate(mode, heat, shake).efficiency_level for mode in MODES for heat, _ in TEMPERATURES for shake in (1, 9)
    }
    assert found == set(EFFICIENCY_LEVELS)


# Laws


@given(modes, temperatures_c, vibrations_mm_s)
def test_a_score_is_between_nothing_and_its_base_and_has_one_decimal(
    mode: Mode, temperature_c: float, vibration_mm_s: float
) -> None:
    score = rate(mode, temperature_c, vibration_mm_s).efficiency_score
    assert type(score) is float
    assert 0 <= score <= getattr(LIMITS, f"base_{mode}")
    assert score == round(score, 1)


@given(modes, temperatures_c, vibrations_mm_s, vibrations_mm_s)
def test_a_score_never_rises_with_vibration(mode: Mode, temperature_c: float, one: float, other: float) -> None:
    less, more = sorted((one, other))
    calm, shaken = rate(mode, temperature_c, less), rate(mode, temperature_c, more)
    assert calm.efficiency_score >= shaken.efficiency_score
    assert calm.is_anomaly <= shaken.is_anomaly


@given(modes, st.floats(40, 200), st.floats(40, 200), vibrations_mm_s)
def test_a_score_never_rises_with_heat_beyond_the_cold(
    mode: Mode, one: float, other: float, vibration_mm_s: float
) -> None:
    less, more = sorted((one, other))
    assert rate(mode, less, vibration_mm_s).efficiency_score >= rate(mode, more, vibration_mm_s).efficiency_score


# Other numbers


def test_each_number_can_be_another() -> None:
    limits = Limits(
        temperature_safe_max_c=100,
        factor_temperature_warm=0.6,
        vibration_safe_max_mm_s=7.1,
        factor_vibration_zone_c=0.5,
    )
    assert rate("active", 95, 1.0, limits) == Rating(60.0, "Medium", 0, ())
    assert rate("active", 60, 7.1, limits) == Rating(50.0, "Medium", 0, ())
    assert rate("active", 60, 7.2, limits) == Rating(40.0, "Critical", 1, ("vibration",))


def test_ranges_may_be_empty() -> None:
    limits = Limits(temperature_cold_c=40, temperature_optimal_max_c=90, temperature_warm_c=90)
    assert rate("active", just_below(40.0), 1.0, limits).efficiency_score == 80.0
    assert rate("active", 40.0, 1.0, limits).efficiency_score == 100.0
    assert rate("active", 90.0, 1.0, limits).efficiency_score == 100.0
    assert rate("active", just_above(90.0), 1.0, limits).efficiency_score == 50.0


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ({"temperature_cold_c": 41}, ("temperature_cold_c", "temperature_optimal_min_c")),
        ({"temperature_optimal_min_c": 76}, ("temperature_optimal_min_c", "temperature_optimal_max_c")),
        ({"temperature_optimal_max_c": 81}, ("temperature_optimal_max_c", "temperature_warm_c")),
        ({"temperature_warm_c": 91}, ("temperature_warm_c", "temperature_safe_max_c")),
        ({"temperature_safe_max_c": 79}, ("temperature_warm_c", "temperature_safe_max_c")),
        ({"vibration_zone_a_max_mm_s": 2.9}, ("vibration_zone_a_max_mm_s", "vibration_zone_b_max_mm_s")),
        ({"vibration_zone_b_max_mm_s": 4.6}, ("vibration_zone_b_max_mm_s", "vibration_safe_max_mm_s")),
        ({"level_critical_below": 51}, ("level_critical_below", "level_medium_from")),
        ({"level_medium_from": 81}, ("level_medium_from", "level_high_from")),
    ],
)
def test_numbers_that_contradict_each_other_are_refused_by_name(
    numbers: dict[str, Any], names: tuple[str, str]
) -> None:
    with pytest.raises(LimitsError) as caught:
        replace(LIMITS, **numbers)
    assert caught.value.names == names
    for name in names:
        assert name.upper() in str(caught.value)
    (value,) = numbers.values()
    assert f"={value:g}" in str(caught.value)


def test_the_share_of_a_limit_is_that_of_the_nearer_one() -> None:
    limits = Limits()
    assert limits.share_of_limit(45.0, 1.0) == 0.5
    assert limits.share_of_limit(45.0, 4.5) == 1.0
    assert limits.share_of_limit(-20.0, 0.0) == 0.0
    assert (
        replace(
            limits, vibration_zone_a_max_mm_s=0.0, vibration_zone_b_max_mm_s=0.0, vibration_safe_max_mm_s=0.0
        ).share_of_limit(45.0, 4.5)
        == 0.5
    )


# Limits go to other processes


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("was_used", [False, True])
def test_limits_can_be_pickled_whether_they_were_used_or_not(was_used: bool, protocol: int) -> None:
    limits = Limits(temperature_safe_max_c=95.5, vibration_safe_max_mm_s=7.1, base_idle=55)
    if was_used:
        rate("active", 60, 1, limits)
    found = pickle.loads(pickle.dumps(limits, protocol))  # noqa: S301 - our own
    assert found == limits
    assert hash(found) == hash(limits)
    for mode, (heat, _), (shake, _) in product(MODES, TEMPERATURES, VIBRATIONS):
        assert rate(mode, heat, shake, found) == rate(mode, heat, shake, limits)


def test_a_pickle_holds_the_numbers_alone() -> None:
    limits = Limits()
    before = pickle.dumps(limits)
    rate("active", 60, 1, limits)
    assert pickle.dumps(limits) == before


def test_limits_can_be_copied_after_use() -> None:
    limits = Limits(temperature_safe_max_c=95.5)
    rate("active", 60, 1, limits)
    for found in (copy.copy(limits), copy.deepcopy(limits)):
        assert found == limits
        assert rate("active", 95.2, 1, found) == rate("active", 95.2, 1, limits)
