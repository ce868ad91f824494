import pytest
from matplotlib.colors import to_hex

from consumers.board.palette import LEVEL_COLOURS, STATE_COLOURS
from tests.consumers.board.support import Shown, bars, points
from tests.consumers.machines.support import row


def notes(shown: Shown) -> list[str]:
    return [text.get_text() for text in shown.levels.texts]


def test_machines_are_counted_by_their_latest_mode() -> None:
    shown = Shown([row(1, 0), row(2, 0, "idle"), row(3, 0, "offline"), row(1, 1, "offline")])
    heard = bars(shown.modes)[:4]
    assert [bar.get_width() for bar in heard] == [0, 1, 0, 2]
    assert [to_hex(bar.get_facecolor()).upper() for bar in heard] == list(STATE_COLOURS.values())
    assert [text.get_text() for text in shown.modes.texts] == ["0", "1", "0", "2"]


def test_silent_machines_are_hatched() -> None:
    shown = Shown([row(n, s) for s in range(300) for n in (1, 2, 3) if n != 2 or s < 60])
    heard, silent = bars(shown.modes)[:4], bars(shown.modes)[4:]
    assert heard[0].get_width() == 2
    assert silent[0].get_x() == 2
    assert silent[0].get_width() == 1
    assert silent[0].get_hatch()
    assert "silent #2" in shown.words


def test_the_mean_is_that_of_the_window_and_the_tick_that_of_all_time() -> None:
    shown = Shown([row(1, 0, "active", 85, 1), *(row(1, 7200 + s) for s in range(3))], window_min=60)
    bar = bars(shown.levels)[0]
    assert bar.get_width() == 100
    assert to_hex(bar.get_facecolor()).upper() == LEVEL_COLOURS["High"]
    assert points(shown.line(shown.levels, "|"))[0][0] == pytest.approx((70 + 300) / 4, abs=0.01)


def test_readings_and_the_share_of_critical_ones_stand_beside() -> None:
    shown = Shown([row(1, 0), row(1, 1), row(1, 2), row(1, 3, "active", 95, 1)])
    assert "4 readings, 25 % Critical" in notes(shown)
    assert "0 readings" in notes(shown)


def test_few_critical_readings_among_many_are_not_told_as_none() -> None:
    shown = Shown([*(row(1, s) for s in range(300)), row(1, 300, "active", 95, 1)])
    assert "301 readings, < 1 % Critical" in notes(shown)


def test_each_bar_panel_names_its_span() -> None:
    shown = Shown([row(1, s) for s in range(0, 1800, 10)])
    assert shown.dashboard._levels._title._span.get_text() == "last 29 min, | all time"
    assert shown.dashboard._modes._title._span.get_text() == "latest of each"
