from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex

from consumers.board.board import Dashboard, DashboardError, snapshot_figure
from consumers.board.panels import ANOMALY_COLOUR
from consumers.machines.fleet import Fleet
from consumers.records import RatedReading
from tests.consumers.board.support import LIMITS, WAITING_FOR, Shown, overlaps, plant, row
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


def test_the_longest_header_has_room() -> None:
    shown = Shown([row(n, 0, temperature_c=95) for n in range(400_000, 400_999)], after_s=59.9 * 60)
    shown.fleet.machines[400_000].totals["active"].readings = 1_000_000_000
    shown.add([], after_s=59.9 * 60)
    assert "1,000,000,998 readings" in shown.words
    assert overlaps(shown.figure) == []


def test_an_empty_dashboard_says_what_it_waits_for() -> None:
    shown = Shown()
    assert "Waiting for readings in data/project_live.json …" in shown.words
    assert "0 machines, 0 readings" in shown.words
    assert "no reading yet" in shown.words


def test_the_waiting_text_goes_with_the_first_reading() -> None:
    shown = Shown()
    shown.add([row(1, 0)])
    assert "Waiting" not in shown.words


def test_a_hostile_file_name_is_shown_as_text_and_wrapped() -> None:
    shown = Shown(waiting_for="readings in $\\frac{a}$\x1b[31m/数据/" + "x" * 2000)
    assert "$\\frac{a}$\\x1b[31m/\\u6570" in shown.words.replace("\n", "")
    assert overlaps(shown.figure) == []


def test_the_header_tells_totals_and_machines_beyond_a_limit() -> None:
    shown = Shown([row(n, 0, temperature_c=95) for n in range(1, 9)] + [row(9, 1)], after_s=5)
    assert "9 machines, 9 readings" in shown.words
    assert "8 beyond a limit now: #1 #2 #3 #4 #5 +3 more" in shown.words
    assert "last reading received 4 s ago" in shown.words
    assert "2027-01-15  08:00:05 UTC" in shown.words


def test_the_header_names_machines_with_a_wrong_clock_where_there_are_any() -> None:
    rows = [row(n, s) for s in range(9) for n in range(1, 7)]
    assert "clock" not in Shown(rows).words
    for year in ("1970", "9999"):
        wrong = [
            reading._replace(timestamp=year + reading.timestamp[4:]) if reading.machine_id == 5 else reading
            for reading in rows
        ]
        assert "1 machine with a wrong clock: #5" in Shown(wrong).words


def test_the_header_turns_red_when_nothing_is_heard() -> None:
    shown = Shown([row(1, 0)], after_s=301)
    (text,) = (text for text in shown.figure.texts if text.get_text() == "no reading for 5 min")
    assert text.get_color() == ANOMALY_COLOUR
    assert text.get_fontweight() == "bold"
    shown.add([row(1, 302)])
    assert (text.get_text(), text.get_fontweight()) == ("last reading received 0 s ago", "normal")


def test_every_axis_has_its_unit() -> None:
    shown = Shown(plant([1]))
    labels = [label for axes in shown.figure.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
    assert labels == [
        "Time, UTC", "Efficiency, %", "Machines", "Temperature, °C", "Vibration, mm/s RMS", "Efficiency, %",
    ]  # fmt: skip


def test_an_update_makes_no_new_artists() -> None:
    shown = Shown(plant(range(12)))
    before = len(shown.figure.findobj(lambda artist: not type(artist).__module__.startswith("matplotlib.axis")))
    shown.add(plant(range(12), 25))
    after = len(shown.figure.findobj(lambda artist: not type(artist).__module__.startswith("matplotlib.axis")))
    assert abs(after - before) <= 24  # tick labels and their lines come and go


def test_machines_without_recent_readings_are_counted() -> None:
    shown = Shown(plant([1, 2]))
    shown.fleet = Fleet(10, shown.fleet.machines.values())
    shown.add([])
    assert "2 machines, 40 readings" in shown.words


def test_a_users_own_style_does_not_reach_the_dashboard() -> None:
    with mpl.rc_context({"text.usetex": True, "font.family": "serif", "axes.facecolor": "black"}):
        figure = snapshot_figure()
        Dashboard(figure, LIMITS, 60, 60, WAITING_FOR)
    assert not any(text.get_usetex() for axes in figure.axes for text in axes.texts)
    assert to_hex(figure.axes[0].get_facecolor()) == "#ffffff"


def test_a_saved_picture_is_a_png_in_a_folder_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dashboard.png"
    Shown(plant([1])).dashboard.save(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(path.parent.iterdir()) == [path]


def test_a_picture_that_cannot_be_saved_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dashboard.png"
    path.write_bytes(b"old")
    shown = Shown()

    def fail(name: Path, **_options: object) -> None:
        Path(name).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shown.figure, "savefig", fail)
    with pytest.raises(DashboardError, match=r"dashboard\.png: No space left on device; make .* SNAPSHOT_FILE"):
        shown.dashboard.save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DashboardError, match="cannot save the dashboard as"):
        Shown().dashboard.save(tmp_path / "file" / "dashboard.png")
