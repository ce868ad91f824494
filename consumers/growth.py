"""How long the disks will last as the database and the live file's folder grow, and a warning while there is time."""

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from consumers.records import Timestamp
from consumers.store.errors import StoreWaitError
from utils.message import epoch_seconds
from utils.moment import DAY_S
from utils.text import shown

WARN_BELOW_DAYS: Final = 30.0
_MEASURED_FOR_S: Final = 600.0
_SAMPLE_EVERY_S: Final = 60.0
_KEPT_SAMPLES: Final = 1440
_WARN_EVERY_S: Final = DAY_S
_MB: Final = 1e6
_GB: Final = 1e9

HELP_FOR_DATABASE: Final = "KEEP_READINGS_DAYS and KEEP_MINUTES_DAYS let go what is old"
HELP_FOR_LIVE_FILE: Final = (
    "LIVE_FILE_MAX_MB (or another rotation) makes rotated files, "
    "which DELETE_FINISHED_FILES deletes once they are read"
)


class Sample(NamedTuple):
    """How big something was at a moment."""

    at_s: float
    size_bytes: int


class Growth(NamedTuple):
    """Something that grows on a disk."""

    what: str
    bytes_a_day: float
    ends_after_days: float
    """It grows for no longer than that; infinity: for ever."""
    help: str
    """The settings that help."""


class Outlook(NamedTuple):
    """What a disk is heading for."""

    days_left: float
    """Until it is full; infinity if it will not be."""
    growths: tuple[Growth, ...]
    free_bytes: int


def bytes_a_day(samples: Sequence[Sample]) -> float:
    """Return the growth from the first sample to the last; 0 if they tell too little, or if it shrinks."""
    if not samples or samples[-1].at_s - samples[0].at_s < _MEASURED_FOR_S:
        return 0.0
    first, last = samples[0], samples[-1]
    return max((last.size_bytes - first.size_bytes) / (last.at_s - first.at_s) * DAY_S, 0.0)


def outlook(growths: Iterable[Growth], free_bytes: int) -> Outlook:
    """Return in how many days what grows on one disk has filled it."""
    growing = tuple(growth for growth in growths if growth.bytes_a_day > 0)
    left_bytes, since_days = float(free_bytes), 0.0
    for end_days in sorted({growth.ends_after_days for growth in growing}):
        rate = sum(growth.bytes_a_day for growth in growing if growth.ends_after_days >= end_days)
        if left_bytes < rate * (end_days - since_days):
            return Outlook(since_days + left_bytes / rate, growing, free_bytes)
        left_bytes, since_days = left_bytes - rate * (end_days - since_days), end_days
    return Outlook(float("inf"), growing, free_bytes)


def warning(disk_of: str, found: Outlook) -> str:
    """Return what is said of a disk that will soon be full."""
    grown = " and ".join(f"{growth.what} grows by {_size(growth.bytes_a_day)} a day" for growth in found.growths)
    helps = "; ".join(growth.help for growth in found.growths)
    return (
        f"the disk of {disk_of} is full in about {found.days_left:,.0f} days: {grown}, "
        f"{_size(found.free_bytes)} are free. {helps}"
    )


class GrowthWatch:
    """Measures now and then, and warns at most once a day of a disk that will soon be full.

    The database's growth is measured by the plant's time, so that catching up with old lines is no fast growth; the
    live file's by the consumer's own, `monotonic`. Of the database it takes the size, and the oldest reading's
    timestamp: its growth is expected to end when readings have been kept for `keep_readings_days` (0: for ever).
    """

    def __init__(
        self,
        database: Path,
        live_file: Path,
        size_bytes: Callable[[], int],
        oldest: Callable[[], Timestamp | None],
        keep_readings_days: float,
        warn: Callable[[str], None],
        monotonic: Callable[[], float],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._database = database
        self._live_file = live_file
        self._size_bytes = size_bytes
        self._oldest = oldest
        self._keep_days = keep_readings_days or float("inf")
        self._warn = warn
        self._monotonic = monotonic
        self._free_bytes = free_bytes
        self._database_samples: deque[Sample] = deque(maxlen=_KEPT_SAMPLES)
        self._live_samples: deque[Sample] = deque(maxlen=_KEPT_SAMPLES)
        self._is_steady = False
        self._next_sample_s = monotonic()
        self._next_warning_s: dict[int, float] = {}

    def look(self, plant_at: Timestamp | None) -> None:
        """Measure if it is time, and warn if there is a reason. Raises StoreError."""
        now_s = self._monotonic()
        if plant_at is None or now_s < self._next_sample_s:
            return
        self._next_sample_s = now_s + _SAMPLE_EVERY_S
        try:
            self._measure(epoch_seconds(plant_at), now_s)
        except (OSError, StoreWaitError):
            return  # whoever reads and writes there says what is wrong

    def _measure(self, plant_s: float, now_s: float) -> None:
        if self._database_samples and plant_s < self._database_samples[-1].at_s:
            self._database_samples.clear()  # older lines are read now: what they add is no measure of time
        ends_after_days = self._days_until_steady(plant_s)
        self._database_samples.append(Sample(plant_s, self._size_bytes()))
        self._live_samples.append(Sample(now_s, bytes_beside(self._live_file)))
        self._warn_of_disks(self._growths(ends_after_days), now_s)

    def _growths(self, ends_after_days: float) -> Mapping[Path, Growth]:
        return {
            self._database: Growth(
                "the database", bytes_a_day(self._database_samples), ends_after_days, HELP_FOR_DATABASE
            ),
            self._live_file: Growth(
                "the live file's folder", bytes_a_day(self._live_samples), float("inf"), HELP_FOR_LIVE_FILE
            ),
        }

    def _days_until_steady(self, plant_s: float) -> float:
        """Return when as many readings will expire as come; infinity if they do so already: what grows, grows on."""
        oldest = None if self._is_steady else self._oldest()
        if oldest is None:
            return float("inf") if self._is_steady else self._keep_days
        kept_days = (plant_s - epoch_seconds(oldest)) / DAY_S
        if kept_days < self._keep_days:
            return min(self._keep_days - kept_days, self._keep_days)
        self._is_steady = True
        self._database_samples.clear()  # they measured how it grew before
        return float("inf")

    def _warn_of_disks(self, growths: Mapping[Path, Growth], now_s: float) -> None:
        paths_by_disk: dict[int, list[Path]] = {}
        for path in growths:
            paths_by_disk.setdefault(path.parent.stat().st_dev, []).append(path)
        for disk, paths in paths_by_disk.items():
            found = outlook([growths[path] for path in paths], self._free_bytes(paths[0].parent))
            if found.days_left < WARN_BELOW_DAYS and now_s >= self._next_warning_s.get(disk, now_s):
                self._next_warning_s[disk] = now_s + _WARN_EVERY_S
                self._warn(warning(" and ".join(map(shown, paths)), found))


def bytes_beside(live_file: Path) -> int:
    """Return the size of the live file and of the files beside it whose names begin as its own. Raises OSError."""
    with os.scandir(live_file.parent) as entries:
        return sum(entry.stat().st_size for entry in entries if entry.name.startswith(live_file.stem))


def _size(size_bytes: float) -> str:
    return f"{size_bytes / _GB:,.1f} GB" if size_bytes >= _GB else f"{size_bytes / _MB:,.1f} MB"
