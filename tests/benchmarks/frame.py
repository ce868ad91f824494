"""How long a frame of the dashboard takes, beside two others that are made of the same data in the same run.

    dashboard         `Dashboard.update`, then the draw
    bare              a figure with as many lines, texts, patches and points in as many panels; only drawn
    clear and redraw  what a first try does: clear the figure, plot the same content anew, tight_layout, draw; see
                      `frame_peer`

They take turns, with new readings of every machine before each frame; told is the least, as whatever else this
computer does only adds. Then: a thousand frames and what they leave behind, and the processor time of the whole
consumer with its window open under Xvfb.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from consumers.board.board import Dashboard
from consumers.board.figure import snapshot_figure
from consumers.board.snapshot import DRAWING
from consumers.machines.fleet import Fleet
from consumers.records import RatedReading
from tests.benchmarks.frame_peer import Cleared
from tests.benchmarks.support import (
    CONSUMER,
    PATIENCE_S,
    PRODUCER,
    Bound,
    process_memory,
    start,
    verdict,
    wait_for_first,
)
from tests.consumers.machines.support import LIMITS, row
from tests.consumers.support import take
from utils.message import MODES

_READINGS: Final = 20_000
_SLOW_FRAMES: Final = 3
_WARM_UP: Final = 2
_MOST_TIMES_BARE: Final = 1.3
_MOST_OF_CLEARING: Final = 0.25
_MOST_MS: Final = 200.0
_MOST_CPU: Final = 0.06
_MOST_MIB_MORE: Final = 8.0
_MOST_TIMES_SLOWER: Final = 1.15
_SETTLED_AFTER_S: Final = 6.0


class Plant:
    """Machines of all modes that report once a second, every ninth beyond a limit for a minute at times."""

    def __init__(self, machines: int) -> None:
        self._machines = machines
        self._second = 0
        self.fleet = Fleet(_READINGS)
        for _ in range(max(_READINGS // machines, 2)):
            self.go_on()

    def go_on(self) -> None:
        """Let every machine report once."""
        self._second += 1
        take(self.fleet, [self._reading(number) for number in range(self._machines)])

    def _reading(self, number: int) -> RatedReading:
        second = self._second
        mode = MODES[(number + second // 120) % 4] if number % 3 == 0 else "active"
        is_rough = number % 9 == 1 and (second // 60 + number) % 5 == 0
        vibration_mm_s = 5.0 if is_rough else 0.8 + 3 * ((number * 37 + second * 13) % 100) / 100
        return row(number + 1, second, mode, 35 + (number * 7 + second) % 50, vibration_mm_s)


def update(board: Dashboard, fleet: Fleet) -> None:
    """Bring a dashboard up to date: the one place that knows how it is called."""
    board.update(fleet, fleet.recent[-1].processed_at)


class Ours:
    """The dashboard."""

    def __init__(self) -> None:
        self.figure = snapshot_figure()
        self._board = Dashboard(self.figure, LIMITS, 60, 60, "readings")

    def frame(self, plant: Plant) -> None:
        """Show what the plant is like."""
        update(self._board, plant.fleet)
        _draw(self.figure)


class Bare:
    """As many artists and points as another figure has, with nothing behind them."""

    def __init__(self, like: Figure) -> None:
        self.figure = Figure(figsize=tuple(like.get_size_inches()), dpi=like.dpi)
        FigureCanvasAgg(self.figure)
        for text in like.texts:
            self.figure.text(0.5, 0.5, text.get_text(), fontsize=text.get_fontsize(), weight=text.get_fontweight())
        for axes in like.axes:
            bare = self.figure.add_axes(axes.get_position().bounds, xlim=axes.get_xlim(), ylim=axes.get_ylim())
            _copy(axes, bare)

    def frame(self, _plant: Plant) -> None:
        """Draw it."""
        _draw(self.figure)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all of it; returns the exit status: 1 where a promise does not hold."""
    options = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.frame",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--machines", type=int, nargs="+", default=[8, 50, 500, 5_000])
    options.add_argument("--frames", type=int, default=20)
    options.add_argument("--many", type=int, default=1_000, help="frames to look for what they leave behind")
    options.add_argument("--seconds", type=float, default=30, help="how long the window is watched")
    chosen = options.parse_args(argv)
    print(f"least of {chosen.frames} frames, ms; the newest {_READINGS:,} readings\n")
    print(f"{'machines':>8}{'dashboard':>11}{'bare':>8}{'clear and redraw':>18}{'x bare':>8}{'x clearing':>12}")
    with mpl.rc_context(DRAWING):
        bounds = [bound for machines in chosen.machines for bound in _beside_others(machines, chosen.frames)]
        bounds += _left_behind(50, chosen.many)
    return verdict([*bounds, *_with_window(50, chosen.seconds)])


def _beside_others(machines: int, frames: int) -> list[Bound]:
    plant, ours = Plant(machines), Ours()
    ours.frame(plant)
    bare, peer = Bare(ours.figure), Cleared(ours.figure, LIMITS)

    def clear_and_redraw(plant: Plant) -> None:
        peer.update(plant.fleet)
        _draw(peer.figure)

    times_ms = _taken_in_turns(plant, [(ours.frame, frames), (bare.frame, frames), (clear_and_redraw, _SLOW_FRAMES)])
    of_bare, of_clearing = times_ms[0] / times_ms[1], times_ms[0] / times_ms[2]
    print(
        f"{machines:>8,}{times_ms[0]:>11.1f}{times_ms[1]:>8.1f}{times_ms[2]:>18.1f}{of_bare:>8.2f}{of_clearing:>12.2f}"
    )
    most = _MOST_TIMES_BARE
    bounds = [Bound(f"{machines:,} machines: at most {most:g} x bare", f"{of_bare:.2f}", of_bare <= most)]
    if machines == 50:
        most = _MOST_OF_CLEARING
        bounds.append(Bound(f"at most {most:g} of clearing at 50", f"{of_clearing:.2f}", of_clearing <= most))
    if machines == 5_000:
        bounds.append(Bound(f"at most {_MOST_MS:g} ms at 5,000", f"{times_ms[0]:.0f}", times_ms[0] <= _MOST_MS))
    return bounds


def _taken_in_turns(plant: Plant, drawers: Sequence[tuple[Callable[[Plant], None], int]]) -> list[float]:
    """Return the least time of each one's frames, ms."""
    taken_ms: list[list[float]] = [[] for _ in drawers]
    for number in range(_WARM_UP + max(frames for _, frames in drawers)):
        plant.go_on()
        for (draw, frames), own_ms in zip(drawers, taken_ms, strict=True):
            if number < _WARM_UP + frames:
                begin_s = perf_counter()
                draw(plant)
                own_ms.append((perf_counter() - begin_s) * 1000)
    return [min(own_ms[_WARM_UP:]) for own_ms in taken_ms]


def _left_behind(machines: int, many: int) -> list[Bound]:
    """Return whether artists, memory and time are the same after many frames as after ten."""
    plant, ours = Plant(machines), Ours()
    states: list[tuple[int, float]] = []
    taken_ms: list[float] = []
    for number in range(1, many + 1):
        plant.go_on()
        begin_s = perf_counter()
        ours.frame(plant)
        taken_ms.append((perf_counter() - begin_s) * 1000)
        if number in (10, many):
            states.append((_artists(ours.figure), process_memory(os.getpid())["VmRSS"]))
    (artists, mib), (artists_then, mib_then) = states
    early_ms, late_ms = min(taken_ms[10:60]), min(taken_ms[-50:])
    print(f"\nafter 10 and {many:,} frames at {machines}: artists {artists:,} and {artists_then:,}, ", end="")
    print(f"memory {mib:.1f} and {mib_then:.1f} MiB, a frame {early_ms:.1f} and {late_ms:.1f} ms")
    more, more_mib, slower = artists_then - artists, mib_then - mib, late_ms / early_ms
    return [
        Bound("artists as after 10", f"{more:+}", more == 0),
        Bound(f"memory as after 10, but for {_MOST_MIB_MORE:g} MiB", f"{more_mib:+.1f}", more_mib <= _MOST_MIB_MORE),
        Bound(f"time as after 10, at most {_MOST_TIMES_SLOWER:g} x", f"{slower:.2f}", slower <= _MOST_TIMES_SLOWER),
    ]


def _artists(figure: Figure) -> int:
    """Return how many artists a figure has; of ticks all that are kept, as more or fewer of them are shown."""
    shown = sum(len(tick.findobj()) for tick in figure.findobj(Tick))
    kept = sum(len(axis.majorTicks) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis))
    return len(figure.findobj()) - shown + kept


def _with_window(machines: int, seconds: float) -> list[Bound]:
    """Return the processor time of a consumer whose window is open, while a producer writes."""
    if shutil.which("Xvfb") is None:
        print("\nno window: Xvfb is not installed")
        return []
    with TemporaryDirectory() as name, _screen() as display, _consumer(Path(name), machines, display) as process:
        sleep(_SETTLED_AFTER_S)
        before_s = _processor_s(process.pid)
        sleep(seconds)
        used = (_processor_s(process.pid) - before_s) / seconds
    promise = f"with its window at {machines} machines less than {_MOST_CPU:.0%} of a core"
    return [Bound(promise, f"{used:.1%}", used < _MOST_CPU)]


@contextmanager
def _screen() -> Iterator[str]:
    readable, writable = os.pipe()
    command = ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writable], stderr=subprocess.DEVNULL) as server:
        os.close(writable)
        with os.fdopen(readable, encoding="ascii") as told:
            number = told.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()


@contextmanager
def _consumer(folder: Path, machines: int, display: str) -> "Iterator[subprocess.Popen[bytes]]":
    live_file, database, plant = folder / "live.json", folder / "live.sqlite", folder / "plant"
    plant.mkdir()
    producer = start((*PRODUCER, "--machines", str(machines), "--file", live_file), plant)
    consumer = start((*CONSUMER, "--file", live_file, "--db", database), folder, DISPLAY=display, MPLBACKEND="")
    try:
        wait_for_first("SELECT max(id) FROM manufacturing_analytics", database, consumer, folder).close()
        yield consumer
    finally:
        for process in (producer, consumer):
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _draw(figure: Figure) -> None:
    canvas: Any = figure.canvas
    canvas.draw()


def _copy(axes: Axes, bare: Axes) -> None:
    """Give a panel as many lines, texts, patches and points as another has; what is empty or hidden costs nothing."""
    legend = axes.get_legend()
    for line in filter(Line2D.get_visible, axes.lines):
        x, y = (np.asarray(values, float) for values in line.get_data())
        style: dict[str, Any] = {"marker": line.get_marker(), "markersize": line.get_markersize()}
        style |= {"linestyle": line.get_linestyle(), "linewidth": line.get_linewidth(), "alpha": line.get_alpha()}
        bare.add_line(Line2D(x, y, markevery=line.get_markevery(), color=line.get_color(), **style))
    for text in (*axes.texts, *(legend.get_texts() if legend else [])):
        _copy_text(text, bare)
    for _ in (*axes.patches, *(legend.get_patches() if legend else [])):
        bare.add_patch(Rectangle((0, 0), 1, 1, edgecolor="black"))
    for collection in axes.collections:
        if isinstance(collection, LineCollection):
            bare.add_collection(
                LineCollection(collection.get_segments(), alpha=collection.get_alpha()), autolim=False
            )
        elif isinstance(collection, PathCollection):
            x, y = np.asarray(collection.get_offsets(), float).reshape(-1, 2).T
            bare.scatter(x, y, s=collection.get_sizes())
        else:
            vertices = [np.asarray(path.vertices) for path in collection.get_paths()]
            bare.add_collection(PolyCollection(vertices), autolim=False)
    bare.set(xlim=axes.get_xlim(), ylim=axes.get_ylim(), xlabel=axes.get_xlabel(), ylabel=axes.get_ylabel())


def _copy_text(text: Text, bare: Axes) -> None:
    if text.get_visible() and text.get_text():
        style: dict[str, Any] = {"fontsize": text.get_fontsize(), "weight": text.get_fontweight()}
        bare.text(0.5, 0.5, text.get_text(), transform=bare.transAxes, **style)


if __name__ == "__main__":
    sys.exit(main())
