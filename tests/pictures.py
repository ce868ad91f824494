"""`python -m tests.pictures FOLDER [NAME …]` draws the dashboard in many situations, to be looked at."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave

from consumers.board.board import Dashboard
from consumers.board.layout import fitted
from consumers.board.snapshot import DRAWING
from consumers.board.status import FeedStatus
from consumers.machines.fleet import Fleet
from consumers.machines.forecasts import ForecastWatch
from consumers.records import RatedReading
from tests.consumers.board.colours import Pixels, seen_in_grey, seen_with_deuteranopia
from tests.consumers.machines.support import LIMITS, T0_S, row
from tests.consumers.support import take
from utils.message import Mode, epoch_seconds, timestamp_at

RECENT = 20_000
Values = tuple[Mode, float, float]
Change = Callable[[int, float, Values], Values | None]
WEARING_ID = 6
REASON = "machine_id 'PUMP-07' is no whole number"


class Situation(NamedTuple):
    rows: Sequence[RatedReading]
    feed: FeedStatus = FeedStatus(10_000)
    later_s: float = 1.0
    size_px: tuple[int, int] = (1500, 1000)
    theme: str = "LIGHT"
    look: Callable[[Pixels], Pixels] | None = None
    last_s: float = 2.0
    """How long before this picture the last one was drawn."""
    has_forecast: bool = False
    """The plant's slow swing looks like growth in half an hour: only where this is the subject is it forecast."""


def plant(ids: Iterable[int], minutes: float, every_s: float = 2, change: Change | None = None) -> list[RatedReading]:
    """Readings of machines that run quietly, but for what `change` makes of them."""
    random, ids = Random(7), list(ids)
    traits = {i: (random.uniform(52, 70), random.uniform(0.8, 2.4), random.uniform(0, 6)) for i in ids}
    rows = []
    for step in range(int(minutes * 60 / every_s)):
        after_s = step * every_s
        for number, i in enumerate(ids):
            heat, shake, phase = traits[i]
            swing = math.sin(after_s / 700 + phase)
            place = (after_s / 60 + 13 * number) % 90
            mode: Mode = "active"
            if place > 82:
                mode = ("idle", "maintenance", "offline", "idle")[number % 4]
            factor = {"active": 1.0, "idle": 0.75, "maintenance": 0.45, "offline": 0.35}[mode]
            values: Values | None = (
                mode,
                round(22 + (heat - 22) * factor + 3 * swing + random.gauss(0, 0.6), 2),
                round(max(shake * factor + 0.2 * swing + random.gauss(0, 0.08), 0.02), 2),
            )
            if change is not None and values is not None:
                values = change(i, after_s, values)
            if values is not None:
                rows.append(row(i, after_s, *values))
    return rows


def between(machine_ids: Iterable[int], begin_s: float, end_s: float, heat: float, shake: float) -> Change:
    chosen = set(machine_ids)

    def change(i: int, after_s: float, values: Values) -> Values:
        return ("active", heat, shake) if i in chosen and begin_s <= after_s < end_s else values

    return change


def excursions(i: int, after_s: float, values: Values) -> Values:
    beyond = i == 3 and after_s % 200 < 4 and after_s > 100
    return ("active", values[1], 5.3) if beyond else values


def creeping(i: int, after_s: float, values: Values) -> Values:
    return ("active", values[1], round(2.0 + 2.35 * after_s / 1800, 2)) if i == 6 else values


def wearing(i: int, after_s: float, values: Values) -> Values:
    """Machine 6 wears: its vibration grows by a factor e in 20 min, and is at its limit after 205 min."""
    random = Random(f"{i} {after_s}")
    worn = 3.1 * math.exp((after_s - 12_300) / 1_200) if i == WEARING_ID else 0.0
    mode: Mode = "active" if i == WEARING_ID else values[0]
    return (mode, values[1], round((1.4 + worn) * random.gauss(1, 0.04), 2)) if mode == "active" else values


def outliers(i: int, after_s: float, values: Values) -> Values:
    strange: dict[int, Values] = {2: ("active", 99_999.0, 1.2), 5: ("active", -200.0, 1.2), 7: ("active", 95.0, 30.0)}
    return strange.get(i, values)


def silent_from(second: float, chosen: Sequence[int]) -> Change:
    return lambda i, after_s, values: None if i in chosen and after_s > second else values


def wrong(rows: Sequence[RatedReading]) -> list[RatedReading]:
    year = {3: "1970", 5: "2099"}
    return [r._replace(timestamp=year.get(r.machine_id, r.timestamp[:4]) + r.timestamp[4:]) for r in rows]


def fifty() -> list[RatedReading]:
    def change(i: int, after_s: float, values: Values) -> Values:
        heat, shake, begin_s = {17: (104.2, 6.24, 1600), 31: (values[1], 5.12, 1690)}.get(i, (0.0, 0.0, 9999))
        return ("active", heat, shake) if after_s >= begin_s else values

    return plant(range(1, 51), 30, 5, change)


def eight() -> list[RatedReading]:
    return plant(range(1, 9), 15, 2, between((7,), 720, 9999, 96.0, 3.1))


def situations() -> dict[str, Callable[[], Situation]]:
    found: dict[str, Callable[[], Situation]] = {
        "0-machines": lambda: Situation([], FeedStatus()),
        "1-machine": lambda: Situation(plant([1], 15)),
        "3-machines": lambda: Situation(plant([1, 2, 3], 2)),
        "8-machines": lambda: Situation(eight()),
        "8-well": lambda: Situation(plant(range(1, 9), 30, 2)),
        "20-machines": lambda: Situation(plant(range(1, 21), 30, 5, between((4,), 1700, 9999, 70, 4.9))),
        "50-machines": lambda: Situation(fifty()),
        "200-machines": lambda: Situation(plant(range(1, 201), 20, 10, between((40, 41, 160), 900, 9999, 93, 3))),
        "500-machines": lambda: Situation(plant(range(1, 501), 10, 10, between(range(1, 500, 30), 300, 9999, 93, 3))),
        "5000-machines": lambda: Situation(
            plant(range(1, 5001), 3, 20, between(range(1, 5000, 250), 60, 9999, 93, 5))
        ),
        "6-hours": lambda: Situation(plant(range(1, 9), 360, 20)),
        "1s-in-an-hour": lambda: Situation(plant(range(1, 9), 60, 1, between((5,), 1800, 1801, 70, 5.1))),
        "18-excursions": lambda: Situation(plant(range(1, 9), 60, 2, excursions)),
        "all-anomalous": lambda: Situation(plant(range(1, 31), 10, 5, lambda i, s, v: ("active", 95 + i % 4, 6))),
        "all-offline": lambda: Situation(plant(range(1, 21), 10, 5, lambda i, s, v: ("offline", 22, 0.02))),
        "creeping": lambda: Situation(plant(range(1, 9), 30, 2, creeping)),
        "wrong-clocks": lambda: Situation(wrong(plant(range(1, 9), 15, 2, between((5,), 700, 9999, 95, 5)))),
        "forecast": lambda: Situation(plant(range(1, 9), 180, 5, wearing), has_forecast=True),
        "outliers": lambda: Situation(plant(range(1, 9), 10, 2, outliers)),
        "all-lengths": lambda: Situation(plant([10**n + n for n in range(18)], 10, 5)),
        "3-silent": lambda: Situation(plant(range(1, 13), 20, 2, silent_from(600, (2, 5, 9)))),
        "half-rejected": lambda: Situation(plant(range(1, 9), 15), FeedStatus(1800, 600, REASON)),
        "all-rejected": lambda: Situation([], FeedStatus(1800, 1800, REASON)),
        "database-waits": lambda: Situation(
            eight(), FeedStatus(1800, 0, "", "the disk is full", 190, 3_000_000), 190
        ),
        "feed-silent": lambda: Situation(eight(), FeedStatus(0), 400),
        "day-old": lambda: Situation(eight(), FeedStatus(0), 90_000),
        "unreadable": lambda: Situation(eight(), FeedStatus(0, trouble="cannot read live.json: Permission denied")),
        "dark": lambda: Situation(fifty(), theme="DARK"),
        "grey": lambda: Situation(fifty(), look=seen_in_grey),
        "deuteranopia": lambda: Situation(fifty(), look=seen_with_deuteranopia),
    }
    for name, size in {
        "1366x768": (1366, 768),
        "1280x720": (1280, 720),
        "1920x1080": (1920, 1080),
        "portrait": (1080, 1920),
    }.items():
        found[name] = lambda size=size: Situation(fifty(), size_px=size)  # type: ignore[misc]
    found["drawn-late"] = lambda: Situation(eight(), last_s=14.0)
    found["small"] = lambda: Situation(fifty(), size_px=(900, 620))
    return found


def draw(situation: Situation, path: Path) -> float:
    """Draw a picture; return how long the second update and draw took, s."""
    fleet = Fleet(RECENT, window_min=60)
    rows = list(situation.rows)
    for begin in range(0, len(rows), 5000):
        take(fleet, rows[begin : begin + 5000])
    at = rows[-1].processed_at if rows else timestamp_at(T0_S)
    fleet.history.keep(at)
    if situation.has_forecast:
        forecasts = ForecastWatch(fleet, LIMITS.vibration_safe_max_mm_s)
        forecasts.take(forecasts.look())
    dpi, width_in, height_in = fitted(*situation.size_px)
    figure = Figure(figsize=(width_in, height_in), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    board = Dashboard(
        figure,
        LIMITS,
        60,
        60,
        "readings in data/project_live.json",
        theme=situation.theme,
        timezone="Europe/Berlin",
        refresh_s=2.0,
    )
    now = timestamp_at((_newest_s(rows) if rows else T0_S) + situation.later_s)
    for at in (timestamp_at(epoch_seconds(now) - situation.last_s), now):
        begin_s = time.perf_counter()
        board.update(fleet, at, situation.feed)
        with mpl.rc_context(DRAWING):
            canvas.draw()  # type: ignore[no-untyped-call]
        lasted_s = time.perf_counter() - begin_s
    board.save(path)
    if situation.look is not None:
        pixels = imread(path)[:, :, :3]
        imsave(path, np.clip(situation.look(pixels), 0, 1))
    return lasted_s


def _newest_s(rows: Sequence[RatedReading]) -> float:
    return max(epoch_seconds(reading.processed_at) for reading in rows[-200:])


def main(folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, situation in situations().items():
        if not names or name in names:
            lasted_s = draw(situation(), folder / f"{name}.png")
            print(f"{name}.png: update and draw {lasted_s * 1000:.0f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
