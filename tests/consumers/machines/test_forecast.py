import math
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.machines.forecast import Forecast, forecast, wall_clock
from consumers.machines.trend import Trend
from tests.consumers.machines.test_trend import START_S, rows_of

LIMIT = 4.5


def trend_of(
    severity: Callable[[float], float], readings: int, noise: float = 0.04, gap_s: float = 1.0, seed: int = 1
) -> Trend:
    """Readings of a machine whose severity is a function of the count of readings that are left."""
    rng = Random(seed)
    values = [severity(readings - place) * (1 + noise * rng.gauss(0, 1)) for place in range(readings)]
    return Trend().after(rows_of([round(value, 2) for value in values], gap_s=gap_s))


def growing(left: float, growth: float = 250.0) -> Callable[[float], float]:
    """A machine that reaches the limit so many readings after its last one."""
    return lambda age: 1.3 + 3.2 * math.exp(-(age + left) / growth)


def told(found: Forecast | None) -> Forecast:
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("left", [100, 200, 400])
def test_a_growing_machine_has_a_time_to_the_limit_near_the_true_one(left: int, seed: int) -> None:
    found = told(forecast(trend_of(growing(left), 2500, seed=seed), LIMIT))
    assert found.hours_to_limit * 3600 == pytest.approx(left, rel=0.35)
    assert found.hours_to_limit_low < found.hours_to_limit < found.hours_to_limit_high


def test_the_trend_is_the_present_slope() -> None:
    found = told(forecast(trend_of(growing(200), 2500), LIMIT))
    assert found.vibration_trend_per_h == pytest.approx(3.2 * math.exp(-200 / 250) / 250 * 3600, rel=0.25)
    assert "growing" in found.shape


@given(st.floats(0.5, 4.4), st.integers(0, 3000))
def test_a_flat_feed_never_has_a_trend(level: float, readings: int) -> None:
    assert forecast(Trend().after(rows_of([level] * readings)), LIMIT) is None


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_noise_about_a_level_has_no_trend(seed: int) -> None:
    assert forecast(trend_of(lambda age: 1.3, 1500, seed=seed), LIMIT) is None


def test_neighbours_that_resemble_each_other_are_a_trend_of_at_most_one_new_machine_in_fifty() -> None:
    assert sum(is_told_in_its_first_minutes(seed) for seed in range(300)) <= 6


def is_told_in_its_first_minutes(seed: int) -> bool:
    """Whether a flat machine whose noise lasts for five readings is ever told of in its first 320."""
    rng = Random(seed)
    shake, values = 0.0, []
    for _ in range(320):
        shake = 0.82 * shake + 0.57 * rng.gauss(0, 1)
        values.append(round(1.3 * (1 + 0.05 * shake), 2))
    trend = Trend()
    for begin in range(0, len(values), 8):
        trend = trend.after(rows_of(values[begin : begin + 8], start_s=START_S + begin))
        if forecast(trend, LIMIT) is not None:
            return True
    return False


@pytest.mark.parametrize("step", [1.3, 2.0, 3.0])
def test_an_imbalance_is_a_step_and_no_trend(step: float) -> None:
    for since in (40, 120, 600):
        assert forecast(trend_of(lambda age, since=since: 1.3 if age > since else 1.3 * step, 2000), LIMIT) is None  # type: ignore[misc]


def test_an_imbalanced_machine_that_grows_is_forecast_from_its_new_level() -> None:
    def severity(age: float) -> float:
        return growing(150)(age) * (0.6 if age > 1200 else 1.0)

    found = told(forecast(trend_of(severity, 2500), LIMIT))
    assert found.hours_to_limit * 3600 == pytest.approx(150, rel=0.4)


def test_a_machine_after_maintenance_is_not_forecast_by_its_former_life() -> None:
    worn = trend_of(growing(100), 2500)
    assert forecast(worn.after(rows_of([0.1], "maintenance")), LIMIT) is None


@pytest.mark.parametrize("left", [100, 400])
def test_a_thousand_times_slower_machine_has_a_thousand_times_as_long(left: int) -> None:
    fast = told(forecast(trend_of(growing(left), 2500), LIMIT))
    slow = told(forecast(trend_of(growing(left), 2500, gap_s=1000.0), LIMIT))
    assert [hours / 1000 for hours in slow[:3]] == pytest.approx(fast[:3], rel=1e-9)
    assert slow.vibration_trend_per_h * 1000 == pytest.approx(fast.vibration_trend_per_h, rel=1e-9)


def test_readings_of_the_open_bucket_are_time_gone_by() -> None:
    trend = trend_of(growing(300), 2496)
    later = trend.after(rows_of([2.3] * 5, start_s=START_S + 2496))
    before, after = told(forecast(trend, LIMIT)), told(forecast(later, LIMIT))
    hours = [was - 5 * trend.gap_s / 3600 for was in before[:3]]
    assert list(after[:3]) == pytest.approx(hours)


def test_at_the_earliest_the_machine_runs_through_and_at_the_latest_it_pauses_as_ever_and_once_more() -> None:
    found = Forecast(1.0, 2.0, 3.0, 0.5, 20.0, "growing steadily")
    earliest, latest = wall_clock(found, "2026-11-22T09:00:00.000Z", active_share=0.5, mean_break_s=60.0)
    assert earliest == "2026-11-22T10:00:00.000Z"
    assert latest == "2026-11-22T15:01:00.000Z"


def test_a_machine_that_is_beyond_the_limit_has_no_forecast() -> None:
    assert forecast(trend_of(growing(-200), 2500), LIMIT) is None


def test_a_load_that_jumps_is_growth_of_at_most_one_machine_in_six() -> None:
    assert sum(is_told_while_its_load_jumps(seed) for seed in range(24)) <= 4


def is_told_while_its_load_jumps(seed: int) -> bool:
    """Whether a flat machine is ever told of in 2,000 readings; one in 600 changes its load by 8 %, or back."""
    rng = Random(seed)
    load, shake, trend = 1.0, 0.0, Trend()
    for begin in range(0, 2000, 8):
        values = []
        for _ in range(8):
            if rng.random() < 1 / 600:
                load = 1 + rng.choice((-0.08, 0.08)) if load == 1 else 1.0
            shake = 0.82 * shake + 0.57 * rng.gauss(0, 1)
            values.append(round(1.3 * load * (1 + 0.05 * shake), 2))
        trend = trend.after(rows_of(values, start_s=START_S + begin))
        if forecast(trend, LIMIT) is not None:
            return True
    return False
