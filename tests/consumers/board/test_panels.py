import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.lines import Line2D

from consumers.board.panels import ANOMALY_COLOUR, LEVEL_COLOURS, MACHINE_COLOURS, STATE_COLOURS
from consumers.machines.fleet import Fleet
from tests.consumers.board.support import Shown, bars, overlaps, points, row
from utils.efficiency import Limits
from utils.message import MODES


@pytest.mark.parametrize("span_s", [1, 20, 61, 225, 239, 1000, 12_000, 14_000, 90_000, 400_000, 3e6, 3e7])
def test_the_time_axis_finds_its_ticks_for_any_span(span_s: float) -> None:
    shown = Shown([row(1, 0), row(1, span_s)], window_min=1e6)
    assert len(shown.trend.get_xticks()) <= 12
    assert overlaps(shown.figure) == []


def test_colours_of_machines_are_none_of_states_nor_levels() -> None:
    assert not {*MACHINE_COLOURS} & {*STATE_COLOURS.values(), *LEVEL_COLOURS.values(), ANOMALY_COLOUR}


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


def shown_line(shown: Shown) -> Line2D:
    return shown.line(shown.trend, "o", MACHINE_COLOURS[0])


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


@pytest.mark.parametrize("year", ["0001", "1970", "9999"])
def test_one_wrong_clock_leaves_the_panels_to_the_others(year: str) -> None:
    rows = [row(n, s) for s in range(30) for n in (1, 2, 3)]
    wrong = [
        reading._replace(timestamp=year + reading.timestamp[4:]) if reading.machine_id == 3 else reading
        for reading in rows
    ]
    shown = Shown(wrong)
    assert list(shown.named().values()) == ["#1  100 %", "#2  100 %"]
    assert len(points(shown_line(shown))) == 30
    assert (shown.trend.get_xlim()[1] - shown.trend.get_xlim()[0]) * 86_400 == pytest.approx(29 * 1.02)
    assert [bar.get_height() for bar in bars(shown.modes)] == [3, 0, 0, 0, 0, 0, 0, 0]


def test_readings_that_arrive_late_are_drawn_in_the_order_of_time() -> None:
    shown = Shown([row(1, 5), row(1, 2), row(1, 9)])
    assert np.all(np.diff(points(shown_line(shown))[:, 0]) > 0)


def test_modes_have_their_order_colours_edges_and_counts_zero_included() -> None:
    shown = Shown([row(1, 0, "offline"), row(2, 0, "active"), row(3, 0, "active")])
    heard = bars(shown.modes)[:4]
    assert [tick.get_text() for tick in shown.modes.get_xticklabels()] == [mode.capitalize() for mode in MODES]
    assert [to_hex(bar.get_facecolor()).upper() for bar in heard] == ["#2E9E5B", "#FFD400", "#F28E00", "#B3001B"]
    assert [bar.get_height() for bar in heard] == [2, 0, 0, 1]
    assert {to_hex(bar.get_edgecolor()) for bar in heard} == {"#1f2933"}
    assert [text.get_text() for text in shown.modes.texts][-4:] == ["2", "0", "0", "1"]
    assert all(tick == int(tick) for tick in shown.modes.get_yticks())


def test_silent_machines_are_hatched_and_named() -> None:
    shown = Shown([row(n, s) for s in range(0, 300, 10) for n in (1, 4, 9) if n == 1 or s < 100])
    heard, silent = bars(shown.modes)[:4], bars(shown.modes)[4:]
    assert [bar.get_height() for bar in heard] == [1, 0, 0, 0]
    assert [bar.get_height() for bar in silent] == [2, 0, 0, 0]
    assert silent[0].get_y() == 1
    assert silent[0].get_hatch() == "///"
    assert "2 silent > 1 min (hatched): #4 #9" in shown.words


def test_a_slow_recorded_feed_has_no_silent_machines() -> None:
    shown = Shown([row(number % 30, 60 * number) for number in range(46)])
    assert "silent" not in shown.words


def test_the_safe_limits_are_drawn_where_the_rule_has_them() -> None:
    limits = Limits(temperature_safe_max_c=85, vibration_safe_max_mm_s=7.1)
    shown = Shown(limits=limits)
    hot, rough = (points(line) for line in shown.scatter.get_lines() if line.get_linestyle() == "--")
    assert hot[:, 0].tolist() == [85, 85]
    assert rough[:, 1].tolist() == [7.1, 7.1]
    assert "safe limit 85 °C" in shown.words
    assert "safe limit\n7.1 mm/s" in shown.words
    assert shown.scatter.get_xlim()[1] > 85
    assert shown.scatter.get_ylim()[1] > 7.1


def test_anomalies_are_red_crosses_and_other_readings_are_not() -> None:
    shown = Shown([row(1, 0), row(2, 0, temperature_c=91), row(3, 0, vibration_mm_s=4.6)])
    crosses = shown.line(shown.scatter, "X")
    assert crosses.get_color() == ANOMALY_COLOUR
    assert points(crosses).tolist() == [[60, 4.6], [91, 1]]
    normal = next(line for line in shown.scatter.get_lines() if line.get_marker() == "o")
    assert points(normal).tolist() == [[60, 1]]
    assert to_rgba(normal.get_color()) != to_rgba(ANOMALY_COLOUR)


def test_only_the_latest_anomalous_machines_are_named_at_their_points() -> None:
    shown = Shown([row(n, n, "active", 40 + 7 * n, 5 + n % 2) for n in range(8)])
    named = [text.get_text() for text in shown.scatter.texts if text.get_text().startswith("#")]
    assert named == ["#7", "#6", "#5", "#4", "#3"]


def test_readings_off_the_scale_are_counted_and_drawn_at_its_edge() -> None:
    shown = Shown([row(1, 0), row(2, 0, "active", 1e6, 1e9), row(3, 0, "active", -200, 1)])
    assert "2 off the scale, at its edge" in shown.words
    assert shown.scatter.get_xlim() == (10, 110)
    crosses = points(shown.line(shown.scatter, "X"))
    assert [10, 0] < crosses[0].tolist() < [110, 6]


def test_the_scale_grows_at_once_and_shrinks_only_after_a_while() -> None:
    shown = Shown([row(1, 0)])
    shown.fleet = Fleet(1)
    shown.add([row(1, 0, temperature_c=140)])
    assert shown.scatter.get_xlim() == (10, 140)
    for second in range(30):
        shown.add([row(1, second)])
        assert shown.scatter.get_xlim() == (10, 140)
    shown.add([row(1, 31)])
    assert shown.scatter.get_xlim() == (10, 110)


def test_average_efficiency_has_its_value_and_the_colour_of_its_level() -> None:
    shown = Shown([row(1, 0), row(2, 0, "active", 77), row(3, 0, "idle"), row(4, 0, "offline")])
    assert [text.get_text() for text in shown.levels.texts][-4:] == ["95.0 %", "60.0 %", "n/a", "0.0 %"]
    colours = [to_hex(bar.get_facecolor()).upper() for bar in bars(shown.levels)]
    assert colours[0] == LEVEL_COLOURS["High"]
    assert colours[1] == LEVEL_COLOURS["Medium"]
    assert colours[3] == LEVEL_COLOURS["Critical"]


def test_the_key_of_levels_follows_the_limits() -> None:
    shown = Shown(limits=Limits(level_high_from=75, level_critical_below=10))
    assert all(words in shown.words for words in ("High ≥ 75", "Medium ≥ 50", "Low", "Critical < 10"))
