import numpy as np
import pytest
from matplotlib.collections import LineCollection

from tests.consumers.board.support import Shown, overlaps, points, shown_line
from tests.consumers.machines.support import row


def test_the_waiting_text_goes_with_the_first_reading() -> None:
    shown = Shown()
    shown.add([row(1, 0)])
    assert "Waiting" not in shown.words


def test_a_hostile_file_name_is_shown_as_text_and_wrapped() -> None:
    shown = Shown(waiting_for="readings in $\\frac{a}$\x1b[31m/数据/" + "x" * 2000)
    assert "$\\frac{a}$\\x1b[31m/\\u6570" in shown.words.replace("\n", "")
    assert overlaps(shown.figure) == []


@pytest.mark.parametrize("span_s", [1, 20, 61, 225, 239, 1000, 12_000, 14_000, 90_000, 400_000, 3e6, 3e7])
def test_the_time_axis_finds_its_ticks_for_any_span(span_s: float) -> None:
    shown = Shown([row(1, 0), row(1, span_s)], window_min=1e6)
    assert len(shown.trend.get_xticks()) <= 12
    assert overlaps(shown.figure) == []


def test_up_to_eight_machines_each_have_a_colour_and_their_name() -> None:
    shown = Shown([row(n, s) for s in range(3) for n in range(1, 9)])
    assert list(shown.named().values()) == [f"#{n}  100 %" for n in range(1, 9)]
    assert len(shown.named()) == 8


def test_of_more_machines_the_worst_are_named_and_the_others_grey() -> None:
    rows = [row(n, s, temperature_c=77 if n > 12 else 60) for s in range(3) for n in range(1, 21)]
    shown = Shown([*rows, row(5, 3, temperature_c=95)])
    assert sorted(shown.named().values()) == sorted(["#5  50 % ×", *(f"#{n}  90 %" for n in range(13, 20))])
    assert "8 of 20 named" in shown.words
    grey = max((found for found in shown.trend.collections if isinstance(found, LineCollection)), key=segments)
    assert segments(grey) == 12


def segments(lines: LineCollection) -> int:
    return sum(len(line) > 0 for line in lines.get_segments()) if lines.get_clip_on() else -1


def test_a_machine_keeps_its_colour_while_it_is_named() -> None:
    shown = Shown([row(n, 0, temperature_c=77) for n in range(1, 9)])
    before = {label.split()[0]: colour for colour, label in shown.named().items()}
    shown.add([row(n, 1) for n in range(1, 9)] + [row(0, 1, temperature_c=95)])
    after = {label.split()[0]: colour for colour, label in shown.named().items()}
    assert "#0" in after
    assert {name: colour for name, colour in after.items() if name != "#0"}.items() <= before.items()


def test_a_single_reading_is_seen_as_a_point() -> None:
    line = shown_line(Shown([row(1, 0)]))
    assert line.get_marker() == "o"
    assert line.get_markevery() == [0]


def test_a_line_breaks_over_a_silence() -> None:
    rows = [row(1, second) for second in (*range(100), *range(400, 500))]
    assert np.isnan(points(shown_line(Shown(rows)))[:, 1]).sum() == 1


def test_a_crowded_line_is_averaged_and_says_so_and_ends_at_the_latest_reading() -> None:
    rows = [row(1, s, temperature_c=60 if s % 2 else 77) for s in range(1500)]
    shown = Shown([*rows, row(1, 1500, temperature_c=95)])
    score = points(shown_line(shown))[:, 1]
    assert shown.trend.get_ylabel() == "Efficiency, % (mean of 10 s)"
    assert len(score) <= 153
    assert score[5] == pytest.approx(95)
    assert score[-1] == 50
    assert list(shown.named().values()) == ["#1  50 % ×"]


def test_the_trend_looks_back_as_far_as_set() -> None:
    shown = Shown([row(1, 60 * minute) for minute in range(30)], window_min=10)
    assert len(points(shown_line(shown))) == 11


def test_readings_that_arrive_late_are_drawn_in_the_order_of_time() -> None:
    shown = Shown([row(1, 5), row(1, 2), row(1, 9)])
    assert np.all(np.diff(points(shown_line(shown))[:, 0]) > 0)


@pytest.mark.parametrize("machines", [50, 500])
def test_the_window_holds_at_any_size_of_plant(machines: int) -> None:
    rows = [row(n, second) for second in range(0, 3600, 20) for n in range(machines)]
    shown = Shown(rows, recent_capacity=10 * machines)
    left, right = shown.trend.get_xlim()
    assert (right - left) * 24 * 60 == pytest.approx(60, abs=1.2)
    assert f"of {machines} named" in shown.words
