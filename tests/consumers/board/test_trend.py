import numpy as np
import pytest

from consumers.board.palette import LIGHT
from tests.consumers.board.support import Shown, plant, points
from tests.consumers.machines.support import T0_S, row


def test_up_to_eight_machines_have_a_strip_each_in_the_order_of_their_ids() -> None:
    shown = Shown(plant(range(1, 9)))
    assert shown.names() == [f"#{n}" for n in range(1, 9)]
    assert {axes.get_ylim() for axes in shown.strips} == {(-12, 108)}
    assert len({axes.get_xlim() for axes in shown.strips}) == 1


def test_of_more_machines_the_eight_of_the_ranking_are_shown_over_the_fleets_band() -> None:
    rows = [row(n, s, "active", 95 if n == 40 else 50 + n / 10, 1) for s in range(60) for n in range(1, 51)]
    shown = Shown(rows)
    assert shown.names() == ["#40", *(f"#{n}" for n in range(44, 51))]
    assert shown.strips[0].texts[0].get_color() == LIGHT.alarm
    assert "grey: middle 80 % of all 50, × anomaly" in shown.words
    assert shown.dashboard._trend._strips[0]._band.get_paths()


def test_values_are_true() -> None:
    shown = Shown([row(1, s) for s in range(3)])
    assert shown.course()[:, 1].tolist() == [100, 100, 100]
    assert shown.course()[0, 0] * 86_400 == pytest.approx(T0_S, abs=0.01)


def test_one_second_beyond_a_limit_in_an_hour_is_marked() -> None:
    rows = [row(1, s, "active", 60, 5 if s == 1800 else 1) for s in range(3600)]
    ((_, score),) = Shown(rows).crosses()
    assert score == 40


def test_the_minutes_are_used_where_readings_do_not_reach_back() -> None:
    shown = Shown()
    shown.fleet._recent_capacity = 100
    shown.fleet.recent = type(shown.fleet.recent)(maxlen=100)
    shown.add([row(1, s, "active", 60, 5 if s == 600 else 1) for s in range(3600)])
    span_s = np.ptp(shown.course()[:, 0]) * 86_400
    assert span_s > 3400
    assert len(shown.crosses()) == 1
    assert "mean of 1 min" in shown.words


def test_a_gap_stays_a_gap() -> None:
    rows = [row(1, s) for s in (*range(100), *range(400, 500))]
    assert np.isnan(Shown(rows).course()[:, 1]).sum() == 1


def test_maintenance_is_marked() -> None:
    rows = [row(1, s, "maintenance" if 50 <= s < 60 else "active") for s in range(100)]
    shown = Shown(rows)
    mark = points(shown.dashboard._trend._strips[0]._maintenance)
    began, ended = np.nanmin(mark[:, 0]) * 86_400 - T0_S, np.nanmax(mark[:, 0]) * 86_400 - T0_S
    assert began == pytest.approx(50, abs=1)
    assert ended == pytest.approx(60, abs=1)


def test_a_machine_with_a_wrong_clock_beyond_a_limit_is_not_missing() -> None:
    rows = [row(n, s, "active", 95 if n == 3 else 60, 1) for s in range(60) for n in range(1, 13)]
    rows = [r._replace(timestamp="1970" + r.timestamp[4:]) if r.machine_id == 3 else r for r in rows]
    shown = Shown(rows)
    assert shown.names()[0] == "#3"
    assert "wrong clock, no reading in this span" in shown.words


def test_a_shown_machine_stays_while_it_is_near_to_the_front() -> None:
    shown = Shown([row(n, 0, "active", 60 + n / 10, 1) for n in range(1, 21)])
    before = shown.names()
    shown.add([row(9, 1, "active", 63, 1)])
    assert shown.names() == before


def test_headline_trend_and_scatter_name_the_same_machines() -> None:
    shown = Shown(plant(range(1, 30)))
    worst = shown.headline.get_text().split(":")[0]
    assert shown.names()[0] == worst
    assert worst in shown.scatter_names()


def colours(shown: Shown) -> dict[str, list[set[str]]]:
    """The colours in which headline, trend and scatter name machines."""
    said = [(text.get_text().split(":")[0], text) for text in shown.figure.texts if text.get_text().startswith("#")]
    strips = [(axes.texts[0].get_text(), axes.texts[0]) for axes in shown.strips]
    values = [(axes.texts[0].get_text(), axes.texts[1]) for axes in shown.strips]
    dots = [(text.get_text(), text) for text in shown.scatter.texts if text.get_text().startswith("#")]
    found: dict[str, list[set[str]]] = {}
    for place, panel in enumerate((said, strips + values, dots)):
        for name, text in panel:
            found.setdefault(name, [set(), set(), set()])[place].add(str(text.get_color()))
    return found


@pytest.mark.parametrize("machines", [8, 40])
def test_a_machine_has_one_colour_wherever_it_is_named(machines: int) -> None:
    rows = [row(n, s, "active", 50 + n / 10, 1) for s in range(60) for n in range(1, machines + 1)]
    late = [row(2, 60, "active", 95, 1), row(3, 60, "active", 60, 4.3), row(5, 60, "active", 60, 4.2)]
    shown = Shown([*rows, *late, row(7, 60, "maintenance", 95, 1)])
    found = colours(shown)
    assert all(len(set.union(*panels)) == 1 for panels in found.values()), found
    wanted = {"#2": LIGHT.alarm, "#3": LIGHT.coming, "#5": LIGHT.coming}
    assert {name: found[name] for name in wanted} == {name: [{colour}] * 3 for name, colour in wanted.items()}
    assert found["#7"][1:] == [{LIGHT.quiet_ink}] * 2


def test_the_panel_names_its_span_and_zone() -> None:
    shown = Shown([row(1, s) for s in range(0, 3590, 10)], timezone="Asia/Kolkata")
    assert "last 59 min, UTC+5:30" in shown.words
