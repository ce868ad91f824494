import pytest

from consumers.board.palette import ALARM_LEAST_PT, FONT_PT, LIGHT, NEXT_PT
from consumers.board.status import FeedStatus
from tests.consumers.board.support import Shown, plant, visible_texts
from tests.consumers.machines.support import row

REASON = "machine_id 'PUMP-07' is no whole number"


def well(machines: int = 3, seconds: int = 120) -> list:  # type: ignore[type-arg]
    return [row(n, s) for s in range(seconds) for n in range(1, machines + 1)]


def test_the_largest_text_is_the_worst_machine_and_why() -> None:
    shown = Shown([*well(), row(2, 120, "active", 104, 6.2), row(3, 120, "active", 91, 1)])
    assert shown.headline.get_text() == "#2: 104 °C > 90, 6.2 > 4.5 mm/s"
    assert float(shown.headline.get_fontsize()) >= ALARM_LEAST_PT
    assert shown.headline.get_color() == LIGHT.alarm
    assert "#3: 91 °C > 90" in shown.words


def test_how_long_it_is_beyond_is_told() -> None:
    shown = Shown([*well(), *(row(2, s, "active", 60, 6.2) for s in range(120, 320))])
    assert "#2: 6.2 > 4.5 mm/s, for 3 min" in shown.words


def test_that_all_is_well_is_told_with_since_when() -> None:
    shown = Shown(well())
    assert shown.headline.get_text() == "All 3 machines within limits for 1 min"
    assert shown.headline.get_color() == LIGHT.ink


def test_a_machine_near_to_a_limit_is_told_beside_that_all_is_well() -> None:
    shown = Shown([*well(), row(2, 120, "active", 60, 4.36)])
    assert shown.headline.get_text().startswith("All 3 machines within limits")
    assert "#2: vibration 4.36 of 4.5 mm/s" in shown.words


def test_when_all_is_well_the_machine_nearest_to_a_limit_is_told() -> None:
    assert (
        "nearest to a limit: #2, vibration 3.6 of 4.5 mm/s" in Shown([*well(), row(2, 120, "active", 60, 3.6)]).words
    )
    assert "nearest" not in Shown([row(1, 0, "offline", 20, 0)]).words


def test_the_next_ones_stand_beside_one_another_each_in_its_own_colour() -> None:
    shown = Shown(
        [*well(), row(1, 120, "active", 95, 1), row(2, 120, "active", 91, 1), row(3, 120, "active", 60, 4.4)]
    )
    assert "next (2): " in shown.words
    said = {text.get_text().split(":")[0]: text for text in visible_texts(shown.figure) if ": " in text.get_text()}
    assert (said["#2"].get_color(), said["#3"].get_color()) == (LIGHT.alarm, LIGHT.coming)
    assert said["#2"].get_position()[0] < said["#3"].get_position()[0]


def test_a_mode_is_told_only_where_it_is_not_active() -> None:
    shown = Shown([*well(), row(2, 120, "idle", 104, 1)])
    assert shown.headline.get_text() == "#2 (idle): 104 °C > 90"


def test_a_plant_that_stands_is_not_called_well() -> None:
    shown = Shown([row(1, 0, "offline", 20, 0), row(2, 0, "maintenance", 20, 0)])
    assert shown.headline.get_text() == "No machine runs: 1 maintenance, 1 offline"


def test_what_is_over_stays_visible() -> None:
    shown = Shown([row(1, 0, "active", 95, 1), *well(3, 100)[3:]])
    assert "last beyond a limit: #1, 1 min ago; 1 reading in 1 min" in shown.words


def test_a_stopped_machine_beyond_a_limit_comes_last_and_is_marked() -> None:
    shown = Shown([*well(), row(1, 120, "maintenance", 95, 1), row(2, 120, "active", 60, 5)])
    assert shown.headline.get_text().startswith("#2")
    assert "stopped beyond a limit: #1" in shown.words


@pytest.mark.parametrize(
    ("feed", "first"),
    [
        (FeedStatus(0, waiting_for="the disk is full", waiting_s=180), "Old by 3 min: the database waits"),
        (FeedStatus(0, trouble="cannot read live.json: denied"), "The feed cannot be read"),
        (FeedStatus(1800, 600, REASON), "600 of 1,800 lines rejected in the last 10 min"),
    ],
)
def test_trouble_of_the_feed_changes_the_headline(feed: FeedStatus, first: str) -> None:
    shown = Shown(well(), feed=feed)
    assert shown.headline.get_text().startswith(first)
    assert shown.headline.get_color() == LIGHT.alarm


def test_why_lines_are_rejected_is_told() -> None:
    assert f"the last one: {REASON}" in Shown(well(), feed=FeedStatus(1800, 600, REASON)).words
    assert f"the last one: {REASON}" in Shown(feed=FeedStatus(1800, 1800, REASON)).words


def test_why_the_feed_cannot_be_read_is_told() -> None:
    trouble = "cannot read live.json: denied"
    assert trouble in Shown(well(), feed=FeedStatus(0, trouble=trouble)).words


def test_a_silent_feed_is_no_all_clear_and_greys_what_is_old() -> None:
    fresh, stale = Shown(well()), Shown(well(), after_s=420)
    assert stale.headline.get_text() == "No reading for 5 min"
    assert stale.dashboard._old.get_visible()
    assert not fresh.dashboard._old.get_visible()
    assert "heard" in stale.dashboard._trend._title._span.get_text()


def test_an_alarm_of_a_silent_feed_is_told_as_old() -> None:
    shown = Shown([*well(), row(2, 120, "active", 104, 1)], after_s=500)
    assert shown.headline.get_text().startswith("No reading for")
    assert "when last heard, #2: 104 °C > 90" in shown.words


def test_a_feed_of_nothing_but_rejected_lines_is_no_all_clear() -> None:
    shown = Shown(feed=FeedStatus(1800, 1800, REASON))
    assert shown.headline.get_text() == "No reading yet: all of 1,800 lines rejected"
    assert shown.headline.get_color() == LIGHT.alarm


def test_silent_machines_and_wrong_clocks_are_told() -> None:
    rows = [row(n, s) for s in range(300) for n in (1, 2, 3) if n != 2 or s < 60]
    assert "1 of 3 machines silent: #2" in Shown(rows).words
    wrong = [r._replace(timestamp="1970" + r.timestamp[4:]) if r.machine_id == 3 else r for r in well()]
    assert "1 wrong clock: #3" in Shown(wrong).words


@pytest.mark.parametrize("rows", [[], well(), plant(range(50))], ids=["none", "well", "trouble"])
def test_nothing_is_smaller_than_can_be_read_and_nothing_says_now(rows: list) -> None:  # type: ignore[type-arg]
    shown = Shown(rows)
    assert min(float(text.get_fontsize()) for text in visible_texts(shown.figure)) >= FONT_PT >= 14
    assert " now" not in shown.words


def test_a_picture_says_when_it_was_drawn_and_how_soon_the_next_one_comes() -> None:
    shown = Shown(well(), refresh_s=2.0)
    (clock,) = (text for text in visible_texts(shown.figure) if text.get_text() == "2027-01-15 08:01:59 UTC")
    assert float(clock.get_fontsize()) == NEXT_PT
    assert "a new picture every 2 s" in shown.words
    assert "a new picture" not in Shown(well()).words  # that of one moment, as after --once


@pytest.mark.parametrize(("before_s", "is_late"), [(2, False), (4, False), (14, True)])
def test_a_picture_after_a_long_time_without_one_says_so_and_is_greyed(before_s: int, is_late: bool) -> None:
    shown = Shown(well(), after_s=120, refresh_s=2.0)
    shown.add([], after_s=120 + before_s)
    assert (shown.headline.get_text() == f"Drawn late: no new picture for {before_s} s") is is_late
    assert shown.dashboard._old.get_visible() is is_late
    shown.add([], after_s=120 + before_s + 2)
    assert "Drawn late" not in shown.words
    assert not shown.dashboard._old.get_visible()
