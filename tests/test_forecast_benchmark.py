"""What judges the forecast: replayed feeds, generated growth and the tables."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from consumers.machines.forecast import Forecast
from tests.benchmarks import forecast as benchmark
from tests.benchmarks.forecast_feed import Life, judged_of, lives_in
from tests.benchmarks.forecast_peer import hours_of_peer, is_installed
from tests.benchmarks.forecast_shapes import SHAPES, Shape, lives_of
from tests.benchmarks.forecast_table import Judged, figures_of
from utils.message import Mode, Reading, timestamp_at, to_line

LIMIT = 4.5
START_S = 1_800_000_000.0
GROWTH_READINGS = 250.0


def line_of(machine_id: int, place: int, mode: Mode, vibration_mm_s: float) -> bytes:
    timestamp = timestamp_at(START_S + place)
    return to_line(Reading(machine_id, timestamp, mode, 50.0, vibration_mm_s), 90.0, "High").encode()


def growing(left: float) -> float:
    return 1.3 + 3.2 * math.exp(-left / GROWTH_READINGS)


def a_life(
    machine_id: int, begin: int, readings: int, severity: Callable[[float], float], end: int
) -> Iterator[bytes]:
    """So many readings, with a little noise, up to where `end` of them are left."""
    rng = Random(machine_id)
    for place in range(readings - end):
        value = severity(readings - place) * (1 + 0.03 * rng.gauss(0, 1))
        yield line_of(machine_id, begin + place, "active", round(value, 2))


@pytest.fixture(scope="module")
def grown() -> Life:
    lines = a_life(7, 0, 3000, growing, end=-60)
    (life,) = lives_in(lines, LIMIT)[0]
    return life


def test_a_life_ends_where_three_readings_have_their_median_beyond_the_limit(grown: Life) -> None:
    assert grown.is_failed
    assert grown.name == "#7"
    assert grown.readings == pytest.approx(3000, abs=20)
    assert grown.gap_s == pytest.approx(1.0)


def test_one_reading_beyond_the_limit_is_no_failure() -> None:
    lines = [line_of(1, place, "active", 9.0 if place % 3 == 0 else 1.0) for place in range(64)]
    (life,) = lives_in(lines, LIMIT)[0]
    assert not life.is_failed


def test_each_share_of_the_life_and_of_the_way_is_judged_by_the_running_time_that_was_left(grown: Life) -> None:
    judged = {one.moment: one for one in judged_of(grown, LIMIT)}
    assert len(judged) == 10
    for share in (0.25, 0.2, 0.15, 0.1, 0.05):
        assert judged[f"left {share:4.0%}"].true_h * 3600 == pytest.approx(share * grown.readings, abs=8)
    way = judged["x  50%"]
    assert way.true_h * 3600 == pytest.approx(GROWTH_READINGS * math.log(2), rel=0.25)
    assert way.told is not None
    assert way.told.hours_to_limit_low < way.true_h < way.told.hours_to_limit_high


def test_maintenance_begins_another_life_and_the_rest_after_a_failure_is_none() -> None:
    beyond = [line_of(1, 100 + place, "active", 5.0) for place in range(40)]
    mended = [line_of(1, 200, "maintenance", 0.0)]
    second = [line_of(1, 300 + place, "active", 1.0) for place in range(80)]
    first = [line_of(1, place, "active", 1.0) for place in range(96)]
    lives, rejected = lives_in([*first, *beyond, *mended, *second], LIMIT)
    assert [(life.is_failed, life.readings) for life in lives] == [(True, 98), (False, 80)]
    assert rejected == 0


def test_what_is_no_reading_is_counted_and_named_machines_keep_their_names() -> None:
    named = [
        b'{"message": "Machine PUMP-07 in Active mode. Temp: 50.0\xc2\xb0C, Vib: 1.0mm/s.", "timestamp": "%s"}\n'
        % timestamp_at(START_S + place).encode()
        for place in range(16)
    ]
    lives, rejected = lives_in([b"\n", b"no reading\n", *named], LIMIT)
    assert [life.name for life in lives] == ["PUMP-07"]
    assert rejected == 1


def test_a_feed_is_judged_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = tmp_path / "feed.json"
    flat = a_life(2, 0, 600, lambda left: 1.3, end=0)
    feed.write_bytes(b"".join([*a_life(7, 0, 3000, growing, end=-60), *flat]))
    assert benchmark.main(["--feed", str(feed), "--limit", "4.5"]) == 0
    printed = capsys.readouterr().out
    assert "lives that reached 4.5 mm/s: 1; others: 1, 0 were told of" in printed
    assert "machine #7: " in printed
    assert printed.count("held") > 3


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_growth_of_every_shape_is_told_before_its_limit(shape: Shape) -> None:
    shown = lives_of(shape, 2, LIMIT, Random(1))
    assert shown.healthy_h > 0
    assert all(one.true_h > 0 for one in shown.judged)
    assert any(one.told is not None for one in shown.judged if one.moment == "x  50%")


def test_the_columns_are_of_what_was_told() -> None:
    judged = [
        Judged("x  50%", "whole", 1.0, Forecast(0.9, 1.1, 1.5, 1.0, 9.0, "growing")),
        Judged("x  50%", "whole", 1.0, Forecast(2.0, 3.0, 4.0, 1.0, 9.0, "growing")),
        Judged("x  50%", "whole", 1.0, None),
        Judged("x  50%", "whole", 1.0, None),
    ]
    found = figures_of(judged)
    assert (found["told"], found["cover"], found["off"], found["alpha"]) == (0.5, 0.5, 0.5, 0.5)
    assert found["error"] == pytest.approx(1.05)
    assert math.isnan(found["line"])


@pytest.mark.skipif(not is_installed(), reason="exponential-degradation-model is not installed")
def test_the_peer_finds_growth_without_noise_from_its_true_base() -> None:
    values = [growing(450 - place) for place in range(300)]
    found = hours_of_peer(values, 1.0, 1.3, LIMIT)
    assert found is not None
    assert found * 3600 == pytest.approx(151, rel=0.05)
