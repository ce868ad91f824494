from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.trend import READINGS_A_BUCKET, Trend, restored
from consumers.records import Row
from utils.message import MODES, Mode, timestamp_at

START_S = 1_795_339_200.0

readings = st.lists(
    st.tuples(st.sampled_from(MODES) | st.just("active"), st.floats(0, 1e6), st.floats(0.001, 1e5)), max_size=400
)


def rows_of(
    vibrations: Sequence[float], mode: Mode = "active", gap_s: float = 1.0, start_s: float = START_S
) -> list[Row]:
    return [row(start_s + place * gap_s, mode, vibration) for place, vibration in enumerate(vibrations)]


def row(at_s: float, mode: Mode, vibration: float) -> Row:
    return (1, timestamp_at(at_s), mode, 50.0, vibration, 100.0, "High", 0, timestamp_at(at_s))


def rows_from(drawn: Sequence[tuple[Mode, float, float]]) -> list[Row]:
    at_s = START_S
    rows = []
    for mode, vibration, gap_s in drawn:
        at_s += gap_s
        rows.append(row(at_s, mode, vibration))
    return rows


@given(readings, st.lists(st.integers(0, 400), max_size=12), st.booleans())
def test_the_state_is_the_same_to_the_last_bit_however_the_feed_is_cut_and_however_often_it_is_restarted(
    drawn: list[tuple[Mode, float, float]], cuts: list[int], restarts: bool
) -> None:
    rows = rows_from(drawn)
    trend = Trend()
    for begin, end in pairwise(sorted({0, *cuts, len(rows)})):
        trend = trend.after(rows[begin:end])
        if restarts:
            trend = restored(trend.open_bytes(), trend.closed_bytes())
    assert trend == Trend().after(rows)


def test_a_trend_does_not_change_under_the_hands_of_its_user() -> None:
    before = Trend().after(rows_of([1.0] * 100))
    packed = before.closed_bytes()
    before.after(rows_of([9.0] * 100))
    assert before.closed_bytes() == packed


def test_only_the_open_bucket_changes_until_it_is_full() -> None:
    before = Trend().after(rows_of([1.0] * 80))
    assert before.after(rows_of([1.0] * (READINGS_A_BUCKET - 1))).is_closed_as(before)
    assert not before.after(rows_of([1.0] * READINGS_A_BUCKET)).is_closed_as(before)


def test_a_level_holds_eight_means_at_most_and_the_older_ones_are_wider() -> None:
    trend = Trend().after(rows_of([2.0] * 10_000))
    held = [len(level.means_mm_s) for level in trend.levels]
    assert max(held) <= 8
    assert sum(count * 2**place for place, count in enumerate(held)) == 10_000 // READINGS_A_BUCKET
    assert {mean for level in trend.levels for mean in level.means_mm_s} == {2.0}


def test_months_fit_into_900_bytes() -> None:
    trend = Trend().after(rows_of([2.0] * 20_000))
    full = trend._replace(levels=tuple(trend.levels[0] for _ in range(20)))
    assert len(full.closed_bytes()) < 900


def test_only_active_readings_count() -> None:
    rows = rows_of([5.0] * 50, "idle") + rows_of([1.0] * 16, start_s=START_S + 50)
    trend = Trend().after(rows)
    assert [level.means_mm_s for level in trend.levels] == [(1.0, 1.0)]
    assert (trend.open.resting, trend.open.breaks) == (50, 0)


def test_maintenance_clears_the_means_and_keeps_the_noise() -> None:
    worn = Trend().after(rows_of([3.0, 3.2] * 200))
    mended = worn.after(rows_of([0.1], "maintenance"))
    assert not any(level.means_mm_s for level in mended.levels)
    assert mended.open.readings == 0
    assert [level.noise for level in mended.levels] == [level.noise for level in worn.levels]


@pytest.mark.parametrize("gap_s", [0.1, 1.0, 60.0, 3600.0])
def test_the_time_between_readings_is_learnt_from_them_whatever_the_breaks(gap_s: float) -> None:
    trend, at_s = Trend(), START_S
    for _ in range(20):
        trend = trend.after(rows_of([1.0] * 30, "active", gap_s, at_s))
        trend = trend.after(rows_of([0.5] * 20, "idle", gap_s, at_s + 30 * gap_s))
        at_s += 50 * gap_s
    assert trend.gap_s == pytest.approx(gap_s, rel=1e-3)
    assert trend.open.breaks == 20


def test_the_noise_of_a_mean_is_learnt_and_one_step_does_not_spoil_it() -> None:
    noisy = Trend().after(rows_of(([1.0] * 8 + [1.1] * 8) * 30))
    stepped = noisy.after(rows_of([9.0] * 8))
    assert noisy.levels[0].noise == pytest.approx((0.2 / 1.05) ** 2 / 6, rel=0.05)
    assert stepped.levels[0].noise < 1.2 * noisy.levels[0].noise


@pytest.mark.parametrize(("open_bytes", "closed_bytes"), [(b"", b""), (Trend().open_bytes(), b"\x01")])
def test_bytes_that_are_no_trend_are_refused(open_bytes: bytes, closed_bytes: bytes) -> None:
    with pytest.raises(ValueError, match="no packed trend"):
        restored(open_bytes, closed_bytes)


def test_bytes_with_a_rest_are_refused() -> None:
    trend = Trend()
    with pytest.raises(ValueError, match="expected"):
        restored(trend.open_bytes(), trend.closed_bytes() + b"\0")
