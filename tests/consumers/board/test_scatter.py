from matplotlib.colors import to_rgba

from consumers.board.palette import ANOMALY_COLOUR
from consumers.machines.fleet import Fleet
from tests.consumers.board.support import Shown, points
from tests.consumers.machines.support import row
from utils.efficiency import Limits


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
