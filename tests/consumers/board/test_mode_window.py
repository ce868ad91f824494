import numpy as np
import pytest

from consumers.board.bars import LevelPanel
from consumers.records import RatedReading
from tests.consumers.board.support import Shown, bars
from tests.consumers.machines.support import row
from utils.message import MODES


def notes(shown: Shown) -> list[str]:
    return [text.get_text() for text in shown.levels.texts]


def span(shown: Shown) -> str:
    panel: LevelPanel = shown.dashboard._levels
    return panel._title._span.get_text()


def mixed(second: int) -> RatedReading:
    return row(1 + second % 3, second, MODES[second // 500 % 4], 40 + second % 60, 1.0 + second % 4)


def means(rows: list[RatedReading]) -> list[float]:
    return [float(np.mean([r.efficiency_score for r in rows if r.mode == mode] or [0])) for mode in MODES]


@pytest.mark.parametrize("kept", [20_000, 300])
def test_it_holds_the_whole_window_however_few_readings_are_kept(kept: int) -> None:
    rows = [mixed(second) for second in range(7200)]
    shown = Shown(window_min=60, kept=kept)
    for begin in range(0, len(rows), 60):
        shown.add(rows[begin : begin + 60])
    assert [bar.get_width() for bar in bars(shown.levels)] == pytest.approx(means(rows[3600:]), abs=0.5)
    counted = sum(int(note.split()[0].replace(",", "")) for note in notes(shown) if "reading" in note)
    assert 3600 <= counted <= 3660
    assert span(shown) == "last 1 h, | all time"
    assert not any("about" in note for note in notes(shown))


def test_a_start_reaches_back_as_far_as_readings_are_kept_and_says_so() -> None:
    rows = [mixed(second) for second in range(3000)]
    shown = Shown(kept=300)
    shown.add(rows)
    assert span(shown).startswith("last 4 min")
    assert [bar.get_width() for bar in bars(shown.levels)] == pytest.approx(means(rows[-300:]))
    shown.add([mixed(second) for second in range(3000, 3100)])
    assert span(shown).startswith("last 6 min")


def test_of_readings_that_came_too_fast_the_share_of_critical_ones_is_an_estimate() -> None:
    shown = Shown(kept=10)
    shown.add([row(1, 0)])
    shown.add([row(1, 1 + number, "active", 95 if number % 2 else 60, 1) for number in range(100)])
    assert "101 readings, about 45 % Critical" in notes(shown)


def test_a_clock_that_was_set_back_begins_anew() -> None:
    shown = Shown([row(1, second) for second in range(7200, 7300)])
    shown.add([row(1, second, "active", 85, 1) for second in range(100)])
    assert bars(shown.levels)[0].get_width() == pytest.approx(70)


def test_readings_out_of_order_do_not_begin_it_anew() -> None:
    shown = Shown([row(1, second) for second in range(600)])
    shown.add([row(1, 590)])
    assert "601 readings, 0 % Critical" in notes(shown)
