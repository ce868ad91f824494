import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from shutil import which

import matplotlib as mpl
import numpy as np
import pytest
from loguru import logger
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from consumers.dashboard import (
    ANOMALY_COLOUR,
    LEVEL_COLOURS,
    MACHINE_COLOURS,
    STATE_COLOURS,
    Dashboard,
    DashboardError,
    keep_drawing,
    snapshot_figure,
)
from consumers.fleet import Fleet
from consumers.ingest import RatedReading
from utils.efficiency import Limits
from utils.message import MODES, Mode, Reading, timestamp_at

ROOT = Path(__file__).parents[1]
LIMITS = Limits()
T0_S = 1_800_000_000.0
WAITING_FOR = "readings in data/project_live.json"


def row(
    machine_id: int,
    after_s: float,
    mode: Mode = "active",
    temperature_c: float = 60.0,
    vibration_mm_s: float = 1.0,
) -> RatedReading:
    reading = Reading(machine_id, timestamp_at(T0_S + after_s), mode, temperature_c, vibration_mm_s)
    score, level, is_anomaly, _ = LIMITS.rate(reading)
    return RatedReading(*reading, score, level, is_anomaly, reading.timestamp)


def plant(machine_ids: Sequence[int], rounds: int = 20) -> list[RatedReading]:
    """A plant of all modes and levels, with every ninth machine beyond a limit at the end."""
    return [
        row(
            machine_id,
            second,
            MODES[number % 4] if number % 3 == 0 else "active",
            35 + (number * 7 + second) % 50,
            (5.0 if number % 9 == 1 and second > rounds // 2 else 0.5 + (number + second) % 4),
        )
        for second in range(rounds)
        for number, machine_id in enumerate(machine_ids)
    ]


class Shown:
    """A dashboard that was drawn, and what is to be seen on it."""

    def __init__(
        self,
        rows: Sequence[RatedReading] = (),
        after_s: float | None = None,
        waiting_for: str = WAITING_FOR,
        window_min: float = 60,
        limits: Limits = LIMITS,
    ) -> None:
        self.figure = snapshot_figure()
        self.dashboard = Dashboard(self.figure, limits, window_min, 60, waiting_for)
        self.fleet = Fleet(20_000)
        self.add(rows, after_s)

    def add(self, rows: Sequence[RatedReading], after_s: float | None = None) -> None:
        self.fleet.add(rows)
        now = timestamp_at(T0_S + after_s) if after_s is not None else self.fleet.newest_timestamp()
        self.dashboard.update(self.fleet, now or timestamp_at(T0_S))

    @property
    def trend(self) -> Axes:
        return self.figure.axes[0]

    @property
    def modes(self) -> Axes:
        return self.figure.axes[1]

    @property
    def scatter(self) -> Axes:
        return self.figure.axes[2]

    @property
    def levels(self) -> Axes:
        return self.figure.axes[3]

    @property
    def words(self) -> str:
        return "\n".join(text.get_text() for text in visible_texts(self.figure))

    def line(self, axes: Axes, marker: str, colour: str | None = None) -> Line2D:
        (found,) = (
            line
            for line in axes.get_lines()
            if line.get_marker() == marker and (colour is None or line.get_color() == colour)
        )
        return found

    def named(self) -> dict[str, str]:
        """The trend panel's labels: text by colour."""
        return {
            str(text.get_color()): text.get_text()
            for text in self.trend.texts
            if text.get_color() in MACHINE_COLOURS and text.get_text()
        }


def points(line: Line2D) -> NDArray[np.float64]:
    return np.column_stack(line.get_data()).astype(float)


def visible_texts(figure: Figure) -> list[Text]:
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += axes.texts
        legend = axes.get_legend()
        texts += legend.get_texts() if legend else []
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_visible():
                low, high = sorted(axis.get_view_interval())
                texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
                texts += [axis.label, axis.get_offset_text()]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def overlaps(figure: Figure) -> list[str]:
    figure.canvas.draw()
    boxes = [(text.get_text(), Text.get_window_extent(text).padded(-0.5)) for text in visible_texts(figure)]
    picture = Bbox.from_extents(0, 0, *figure.bbox.size)
    outside = [words for words, box in boxes if not (picture.containsx(box.x0) and picture.containsx(box.x1))]
    return outside + [
        f"{words!r} on {other_words!r}"
        for (words, box), (other_words, other) in combinations(boxes, 2)
        if box.overlaps(other)
    ]


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
    "hours": plant(range(1, 9), 2_000),
    "all beyond a limit": [row(n, s, "active", 95 + n % 4, 6) for s in range(10) for n in range(400_001, 400_031)],
    "all offline": [row(n, s, "offline", 22, 0) for s in range(10) for n in range(50)],
    "silent": [row(n, s) for s in range(0, 300, 5) for n in HUGE_IDS if n % 3 or s < 60],
    "extremes": [row(1, 0, "active", 1e6, 1e9), row(2, 0, "active", -200, 0), row(3, 1, "idle", 1e300, 1e300)],
    "the first and the last day": [
        row(1, 0)._replace(timestamp="0001-01-01T00:00:00.000Z"),
        row(2, 0)._replace(timestamp="9999-12-31T23:59:59.999Z"),
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


@pytest.mark.parametrize("span_s", [1, 20, 61, 225, 239, 1000, 12_000, 14_000, 90_000, 400_000, 3e6, 3e7])
def test_the_time_axis_finds_its_ticks_for_any_span(span_s: float) -> None:
    shown = Shown([row(1, 0), row(1, span_s)], window_min=1e6)
    assert len(shown.trend.get_xticks()) <= 12
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
    assert "last reading 4 s ago" in shown.words
    assert "2027-01-15  08:00:05 UTC" in shown.words


def test_the_header_turns_red_when_nothing_is_heard() -> None:
    shown = Shown([row(1, 0)], after_s=301)
    (text,) = (text for text in shown.figure.texts if text.get_text() == "no reading for 5 min")
    assert text.get_color() == ANOMALY_COLOUR
    assert text.get_fontweight() == "bold"
    shown.add([row(1, 302)])
    assert (text.get_text(), text.get_fontweight()) == ("last reading 0 s ago", "normal")


def test_every_axis_has_its_unit() -> None:
    shown = Shown(plant([1]))
    labels = [label for axes in shown.figure.axes for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
    assert labels == [
        "Time, UTC", "Efficiency, %", "Machines", "Temperature, °C", "Vibration, mm/s RMS", "Efficiency, %",
    ]  # fmt: skip


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


def test_readings_that_arrive_late_are_drawn_in_the_order_of_time() -> None:
    shown = Shown([row(1, 5), row(1, 2), row(1, 9)])
    assert np.all(np.diff(points(shown_line(shown))[:, 0]) > 0)


def bars(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


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


def test_a_failing_draw_is_logged_once_for_each_message() -> None:
    told: list[str] = []
    faults = iter(("one", "one", "two", "one"))

    def draw() -> None:
        raise ValueError(next(faults))

    sink = logger.add(told.append, format="{message}")
    guarded = keep_drawing(draw)
    for _ in range(4):
        guarded()
    logger.remove(sink)
    assert [line.strip().rpartition(" ")[2] for line in told] == ["one", "two"]


# Windows: in processes of their own, as a process cannot change its GUI toolkit.

_WINDOW = """
import time
from consumers import dashboard
from consumers.fleet import Fleet
from utils.efficiency import Limits
calls = []
"""


def run(script: str, display: str | None, **environ: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment.pop("MPLBACKEND", None)
    environment |= environ | ({} if display is None else {"DISPLAY": display})
    command = [sys.executable, "-W", "error", "-c", _WINDOW + script]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    pytest.importorskip("tkinter", reason="needs Python's tkinter")
    if which("Xvfb") is None:
        pytest.skip("needs Xvfb, a display without a screen")
    ready, tell_ready = os.pipe()
    command = ["Xvfb", "-displayfd", str(tell_ready), "-screen", "0", "1600x1100x24", "-nolisten", "tcp"]
    with subprocess.Popen(
        command, pass_fds=[tell_ready], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        os.close(tell_ready)
        with os.fdopen(ready) as number:
            shown = number.readline().strip()
        yield f":{shown}"
        server.terminate()


_OPEN = """
try:
    dashboard.open_window_figure()
except dashboard.NoWindowError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_no_window_opens_and_the_reason_is_told() -> None:
    done = run(_OPEN, None)
    assert done.stdout.startswith("no window can be opened: there is no display, or no GUI toolkit")
    assert done.stderr == ""


def test_a_backend_that_draws_to_files_opens_no_window(display: str) -> None:
    done = run(_OPEN, display, MPLBACKEND="svg")
    assert "matplotlib's backend is svg, which draws to files only" in done.stdout


_SHOW = """
figure = dashboard.open_window_figure()
board = dashboard.Dashboard(figure, Limits(), 60, 60, "readings")
print(figure.canvas.manager.get_window_title())
def draw():
    calls.append("draw")
    board.update(Fleet(10), "2026-11-22T09:15:02.000Z")
"""
_ENDINGS: dict[str, Callable[["subprocess.CompletedProcess[str]"], bool]] = {
    # A step that returns False ends it; the picture was drawn before the window was shown.
    """
def step():
    calls.append("step")
    return calls.count("step") < 5
dashboard.show_window(figure, step, draw, 0.01, 60)
print(calls)
""": lambda done: done.stdout.endswith(str(["draw", *["step"] * 5]) + "\n"),
    # An exception of a step is raised behind the loop.
    """
def step():
    raise OSError("disk full")
try:
    dashboard.show_window(figure, step, draw, 0.01, 0.01)
except OSError as error:
    print("raised", error)
""": lambda done: done.stdout.endswith("raised disk full\n"),
    # Frames go on, also after one that could not be drawn.
    """
def draw():
    calls.append("draw")
    raise ValueError("no picture")
dashboard.show_window(figure, lambda: calls.count("draw") < 4, draw, 0.01, 0.01)
print("frames")
""": lambda done: done.stdout.endswith("frames\n") and done.stderr.count("no picture") == 1,
    # Closing the window, as its button does, ends it; so does its smaller size not disturb the picture's shape.
    """
manager = figure.canvas.manager
def step():
    calls.append("step")
    if len(calls) == 5:
        manager.resize(900, 600)
    if len(calls) == 10:
        print([round(inches) for inches in figure.get_size_inches()])
        manager.window.tk.call(manager.window.protocol("WM_DELETE_WINDOW"))
    return True
dashboard.show_window(figure, step, lambda: None, 0.01, 60)
print("closed")
""": lambda done: done.stdout.endswith("[15, 10]\nclosed\n"),
}


@pytest.mark.parametrize("ending", _ENDINGS, ids=["step", "exception", "draw", "close"])
def test_a_window_ends(ending: str, display: str) -> None:
    done = run(_SHOW + ending, display)
    assert done.stdout.startswith("Manufacturing analytics\n")
    assert _ENDINGS[ending](done), done
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "invalid command" not in done.stderr
