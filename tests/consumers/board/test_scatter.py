import numpy as np

from consumers.board.palette import LIGHT
from tests.consumers.board.support import Shown, plant, points
from tests.consumers.machines.support import row


def test_each_machine_is_a_dot_at_its_latest_reading() -> None:
    shown = Shown([row(n, s, "active", 60 + n + s, 1) for s in range(3) for n in (1, 2)])
    assert sorted(points(shown.dashboard._scatter._normal).tolist()) == [[63, 1], [64, 1]]


def test_machines_beyond_a_limit_are_red_crosses_and_named() -> None:
    shown = Shown([row(1, 0), row(2, 0, "active", 95, 1), row(3, 0, "active", 70, 5)])
    crosses = shown.line(shown.scatter, "X")
    assert crosses.get_color() == LIGHT.alarm
    assert sorted(points(crosses).tolist()) == [[70, 5], [95, 1]]
    assert {"#2", "#3"} <= set(shown.scatter_names())


def test_the_machine_nearest_to_a_limit_is_always_named() -> None:
    shown = Shown([row(n, 0, "active", 50 + n, 1) for n in range(1, 20)])
    assert shown.scatter_names() == ["#19"]


def test_no_machine_beyond_a_limit_is_missing_among_thousands_or_with_a_wrong_clock() -> None:
    rows = [row(n, 0, "active", 95 if n % 500 == 0 else 60, 1) for n in range(1, 5001)]
    rows[499] = rows[499]._replace(timestamp="1970" + rows[499].timestamp[4:])
    shown = Shown(rows)
    assert len(points(shown.line(shown.scatter, "X"))) == 10
    assert "10 beyond a limit" in shown.words


def test_what_is_off_the_scale_stands_at_the_edge_with_its_true_value() -> None:
    shown = Shown([row(1, 0), row(2, 0, "active", 99_999, 1), row(3, 0, "active", -200, 2)])
    words = " ".join(shown.scatter_names())
    assert "#2 99,999 °C, 1 mm/s" in words
    assert "#3 -200 °C, 2 mm/s" in words
    left, right = shown.scatter.get_xlim()
    assert left < points(shown.line(shown.scatter, "<"))[0][0] < 0.1 * right
    assert 0.9 * right < points(shown.line(shown.scatter, ">"))[0][0] < right


def test_the_order_of_values_is_never_reversed() -> None:
    values = [*np.linspace(-300, 300, 61), 99_999]
    shown = Shown([row(n, 0, "active", float(value), 1) for n, value in enumerate(values)])
    scatter = shown.dashboard._scatter
    drawn = np.concatenate([points(line) for line in (scatter._normal, scatter._beyond, *scatter._arrows.values())])
    left, right = shown.scatter.get_xlim()
    assert ((left <= drawn[:, 0]) & (drawn[:, 0] <= right)).all()
    on_scale = [value for value in values if value in drawn[:, 0]]
    assert max(on_scale) <= max(drawn[:, 0])


def test_the_limits_and_the_zone_near_them_are_drawn() -> None:
    shown = Shown(plant(range(3)))
    assert any(points(line).tolist() == [[90, 0], [90, 1]] for line in shown.scatter.get_lines())
    assert "limit 90 °C" in shown.words
    assert "4.5 mm/s" in shown.words


def test_the_named_machine_has_a_tail_of_its_last_readings() -> None:
    shown = Shown([row(1, s, "active", 50 + s, 1) for s in range(30)])
    (tail,) = shown.dashboard._scatter._tails.get_segments()
    assert tail[:, 0].tolist() == list(range(79, 67, -1))
