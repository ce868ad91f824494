import pytest
from matplotlib.colors import to_hex

from consumers.board.palette import LEVEL_COLOURS
from tests.consumers.board.support import Shown, bars
from tests.consumers.machines.support import LIMITS, row
from utils.efficiency import Limits
from utils.message import MODES


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


@pytest.mark.parametrize(
    ("mean", "level"),
    [(80, "High"), (79.9, "Medium"), (50, "Medium"), (49.9, "Low"), (20, "Low"), (19.9, "Critical")],
)
def test_the_level_of_a_mean_follows_the_limits(mean: float, level: str) -> None:
    assert LIMITS.level_of(mean) == level
