import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex

from consumers.board.board import Dashboard
from consumers.board.figure import snapshot_figure
from consumers.board.palette import DARK
from consumers.records import RatedReading
from tests.consumers.board.support import WAITING_FOR, Shown, bars, overlaps, plant
from tests.consumers.machines.support import LIMITS, row
from utils.message import timestamp_at

HUGE_IDS = [2**63 - 1 - number for number in range(12)]
PLANTS = {
    "no machine": [],
    "one reading": plant([1], 1),
    "1 machine": plant([1]),
    "2 machines": plant([1, 2]),
    "8 machines": plant(range(1, 9)),
    "9 machines": plant(range(1, 10)),
    "50 machines": plant(range(1, 51)),
    "500 machines": plant(range(1, 501)),
    "huge numbers": plant(HUGE_IDS),
    "hours": plant(range(1, 9), 500),
    "all beyond a limit": [row(n, s, "active", 95 + n % 4, 6) for s in range(10) for n in range(400_001, 400_031)],
    "all offline": [row(n, s, "offline", 22, 0) for s in range(10) for n in range(50)],
    "silent": [row(n, s) for s in range(0, 300, 5) for n in HUGE_IDS if n % 3 or s < 60],
    "extremes": [row(1, 0, "active", 1e6, 1e9), row(2, 0, "active", -200, 0), row(3, 1, "idle", 1e300, 1e300)],
    "the first and the last day": [
        row(1, 0)._replace(timestamp="0001-01-01T00:00:00.000Z"),
        row(2, 0)._replace(timestamp="9999-12-31T23:59:59.999Z"),
    ],
    "wrong clocks": [
        reading._replace(timestamp=timestamp_at(0)) if reading.machine_id % 5 == 0 else reading
        for reading in plant([*HUGE_IDS, *range(20)])
    ],
}


@pytest.mark.parametrize("rows", PLANTS.values(), ids=PLANTS)
def test_no_text_covers_another(rows: list[RatedReading]) -> None:
    assert overlaps(Shown(rows).figure) == []


@pytest.mark.parametrize("size_in", [(10, 15), (17.8, 10), (12, 8)])
def test_no_text_covers_another_in_another_shape(size_in: tuple[float, float]) -> None:
    assert overlaps(Shown(plant(range(1, 51)), size_in=size_in).figure) == []


def test_another_size_is_laid_out_anew_at_the_next_update() -> None:
    shown = Shown(plant(range(1, 9)))
    beside = shown.modes.get_position()
    shown.figure.set_size_inches(10, 15)
    shown.add([row(1, 30)])
    assert shown.modes.get_position().y1 < shown.scatter.get_position().y0 < beside.y0
    assert overlaps(shown.figure) == []


def test_a_dark_theme_is_dark_and_its_letters_light() -> None:
    shown = Shown(plant(range(1, 9)), theme="DARK")
    assert to_hex(shown.figure.get_facecolor()) == DARK.background.lower()
    assert to_hex(shown.scatter.get_facecolor()) == DARK.paper.lower()


def test_an_empty_dashboard_says_what_it_waits_for() -> None:
    shown = Shown()
    assert "Waiting for readings in" in shown.words
    assert "0 machines, 0 readings" in shown.words
    assert "no reading yet" in shown.words
    assert shown.headline.get_text() == "No reading yet"


@pytest.mark.parametrize("year", ["0001", "1970", "9999"])
def test_one_wrong_clock_leaves_the_time_axis_to_the_others(year: str) -> None:
    rows = [row(n, s) for s in range(30) for n in (1, 2, 3)]
    wrong = [
        reading._replace(timestamp=year + reading.timestamp[4:]) if reading.machine_id == 3 else reading
        for reading in rows
    ]
    shown = Shown(wrong)
    left, right = shown.strips[0].get_xlim()
    assert len(shown.course()) == 30
    assert (right - left) * 86_400 == pytest.approx(29 * 1.02)
    assert [bar.get_width() for bar in bars(shown.modes)] == [3, 0, 0, 0, 0, 0, 0, 0]


def artists(shown: Shown) -> int:
    return sum(
        len(axes.lines) + len(axes.collections) + len(axes.patches) + len(axes.texts) for axes in shown.figure.axes
    )


def test_an_update_makes_no_new_artists() -> None:
    shown = Shown(plant(range(12)))
    before = artists(shown), len(shown.figure.texts), len(shown.figure.artists)
    shown.add(plant(range(12), 25))
    shown.add(plant(range(40), 25))
    assert (artists(shown), len(shown.figure.texts), len(shown.figure.artists)) == before


def test_a_users_own_style_does_not_reach_the_dashboard() -> None:
    with mpl.rc_context({"text.usetex": True, "font.family": "serif", "axes.facecolor": "black"}):
        figure = snapshot_figure()
        Dashboard(figure, LIMITS, 60, 60, WAITING_FOR)
    assert not any(text.get_usetex() for axes in figure.axes for text in axes.texts)
    assert to_hex(figure.axes[0].get_facecolor()) == "#ffffff"
