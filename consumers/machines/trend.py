"""What is kept of a machine's vibration to see a trend: means of its active readings, coarser the older they are.

Eight readings in active mode make a bucket, whatever the time between them: a plant whose machines report once a
second is followed for minutes, one that reports once an hour for months, by the same rule. A bucket closes by its
readings alone, never by a chunk or a commit, so the state is the same, to the last bit, however the feed was cut.

Each level holds at most eight means. When one more comes, the two oldest become one mean of the next level, which is
twice as wide. A year of one reading a second fits into 22 levels, and what is old is still known well enough.
"""

import struct
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from consumers.records import Row, Timestamp
from utils.message import Mode, epoch_seconds

READINGS_A_BUCKET: Final = 8
_MEANS_A_LEVEL: Final = 8
_NOISE_MEMORY: Final = 64
"""The noise of a level is a mean of about so many samples: it follows a machine that changes."""
_SAMPLES_TO_CLIP: Final = 6
_CLIP: Final = 9.0
"""A sample above so many times the mean is a step, not noise, and counts as so much."""
_LARGEST_COUNT: Final = 0xFFFFFFFF
_LARGEST: Final = 3e38
"""What a float of 32 bits can hold."""

_FLOAT: Final = struct.Struct("<f")
_OPEN: Final = struct.Struct("<B?ddII?")
_CLOSED: Final = struct.Struct("<dBB")
_LEVEL: Final = struct.Struct("<dBB")


class Open(NamedTuple):
    """The bucket that is not full yet, and what is counted beside it: it changes with every reading."""

    readings: int = 0
    broken: bool = False
    """Whether the machine was in another mode since the bucket's first reading."""
    total_mm_s: float = 0.0
    since_s: float = 0.0
    """When its first reading was, seconds since 1970."""
    breaks: int = 0
    """How often the machine left active mode."""
    resting: int = 0
    """Readings in other modes than active."""
    running: bool = False
    """Whether the latest reading is in active mode."""


class Level(NamedTuple):
    """Means of equal width; the noise outlives them."""

    means_mm_s: tuple[float, ...] = ()
    """From old to new."""
    noise: float = 0.0
    """The variance of one mean, as a share of the severity squared."""
    samples: int = 0
    """How many samples the noise rests on, at most 64."""


class Trend(NamedTuple):
    """What is known of one machine's vibration since its last maintenance."""

    open: Open = Open()
    gap_s: float = 0.0
    """The time between two readings while the machine runs; 0 as long as it is not known."""
    gaps: int = 0
    """How many buckets that time rests on, at most 64."""
    levels: tuple[Level, ...] = ()
    """The first has means of 8 readings, each next one means of twice as many."""

    def after(self, rows: Sequence[Row]) -> "Trend":
        """Return the trend after these readings of its machine, in the order of the file."""
        return self.after_columns([row[1] for row in rows], [row[2] for row in rows], [row[4] for row in rows])

    def after_columns(
        self, timestamps: Sequence[Timestamp], modes: Sequence[Mode], vibrations_mm_s: Sequence[float]
    ) -> "Trend":
        """Return the same, given what the readings hold."""
        growing = _Growing(self)
        growing.read(timestamps, modes, vibrations_mm_s)
        return growing.trend()

    def is_closed_as(self, other: "Trend") -> bool:
        """Return whether both differ in nothing but the open bucket: then only that needs to be saved."""
        return self.levels is other.levels and self.gaps == other.gaps

    def open_bytes(self) -> bytes:
        """Return the open bucket, 30 bytes."""
        return _OPEN.pack(*self.open)

    def closed_bytes(self) -> bytes:
        """Return all but the open bucket, fewer than 900 bytes for months of a reading a second."""
        parts = [_CLOSED.pack(self.gap_s, self.gaps, len(self.levels))]
        for means, noise, samples in self.levels:
            parts.append(_LEVEL.pack(noise, samples, len(means)))
            parts.append(struct.pack(f"<{len(means)}f", *means))
        return b"".join(parts)


# The same as Level(...) and so on, but faster: they are made for every bucket and every machine of a chunk.
_level: Final = partial(tuple.__new__, Level)
_open: Final = partial(tuple.__new__, Open)
_trend: Final = partial(tuple.__new__, Trend)

NO_TREND: Final = Trend()
"""Of a machine that has no reading yet."""


def restored(open_bytes: bytes, closed_bytes: bytes) -> Trend:
    """Return the trend that was packed into these bytes. Raises ValueError if they are not what was packed."""
    try:
        gap_s, gaps, levels = _CLOSED.unpack_from(closed_bytes)
        offset = _CLOSED.size
        found: list[Level] = []
        for _ in range(levels):
            noise, samples, count = _LEVEL.unpack_from(closed_bytes, offset)
            offset += _LEVEL.size
            found.append(Level(struct.unpack_from(f"<{count}f", closed_bytes, offset), noise, samples))
            offset += 4 * count
        if offset != len(closed_bytes):
            raise ValueError(f"{len(closed_bytes)} bytes; expected {offset}")
        return Trend(Open._make(_OPEN.unpack(open_bytes)), gap_s, gaps, tuple(found))
    except struct.error as error:
        raise ValueError(f"no packed trend: {error}") from None


class _Growing:
    """A trend that readings are added to, a chunk's at once."""

    def __init__(self, before: Trend) -> None:
        self._open, self._gap_s, self._gaps, self._before = before
        self._levels: list[Level] | None = None
        """Those that have changed; None as long as none has."""

    def trend(self) -> Trend:
        """Return what it has become."""
        levels = self._before if self._levels is None else tuple(self._levels)
        return _trend((self._open, self._gap_s, self._gaps, levels))

    def read(self, timestamps: Sequence[Timestamp], modes: Sequence[Mode], vibrations_mm_s: Sequence[float]) -> None:
        """Add readings."""
        begin = 0
        while begin < len(modes):
            end = _end_of_run(modes, begin)
            if modes[begin] == "active":
                self._run(timestamps[begin:end], vibrations_mm_s[begin:end])
            else:
                self._rest(modes[begin], end - begin)
            begin = end

    def _run(self, timestamps: Sequence[Timestamp], vibrations_mm_s: Sequence[float]) -> None:
        """Add readings in active mode. The sum is a plain one: `sum` compensates, and so depends on the chunks."""
        readings, broken, total, since_s, breaks, resting, _ = self._open
        begin = 0
        while begin < len(timestamps):
            if not readings:
                broken, total, since_s = False, 0.0, epoch_seconds(timestamps[begin])
            part = vibrations_mm_s[begin : begin + READINGS_A_BUCKET - readings]
            for vibration_mm_s in part:
                total += vibration_mm_s
            readings += len(part)
            begin += len(part)
            if readings == READINGS_A_BUCKET:
                elapsed_s = 0.0 if broken else epoch_seconds(timestamps[begin - 1]) - since_s
                self._close(total / READINGS_A_BUCKET, elapsed_s)
                readings, broken, total, since_s = 0, False, 0.0, 0.0
        self._open = _open((readings, broken, total, since_s, breaks, resting, True))

    def _rest(self, mode: Mode, count: int) -> None:
        """Add readings in another mode."""
        readings, _, total, since_s, breaks, resting, running = self._open
        if mode == "maintenance":
            readings, total, since_s = 0, 0.0, 0.0
            self._forget()
        breaks, resting = (breaks + running) & _LARGEST_COUNT, (resting + count) & _LARGEST_COUNT
        self._open = _open((readings, True, total, since_s, breaks, resting, False))

    def _forget(self) -> None:
        """Begin anew after maintenance: what was mended says nothing of the future, but the noise is the same."""
        levels = self._before if self._levels is None else self._levels
        if any(level.means_mm_s for level in levels):
            self._levels = [level._replace(means_mm_s=()) for level in levels]

    def _close(self, mean_mm_s: float, elapsed_s: float) -> None:
        """Take a full bucket: into the first level, and up as far as levels are full."""
        self._learn_gap(elapsed_s / (READINGS_A_BUCKET - 1))
        if self._levels is None:
            self._levels = list(self._before)
        levels = self._levels
        for place, (means, noise, samples) in enumerate(levels):
            mean_mm_s = _as_saved(mean_mm_s)
            more = (*means, mean_mm_s)
            # A second difference needs three.
            learnt = _learnt(noise, samples, *more[-3:]) if len(means) > 1 else (noise, samples)
            if len(means) < _MEANS_A_LEVEL:
                levels[place] = _level((more, *learnt))
                return
            levels[place] = _level((more[2:], *learnt))
            mean_mm_s = more[0] / 2 + more[1] / 2
        levels.append(Level((_as_saved(mean_mm_s),)))

    def _learn_gap(self, gap_s: float) -> None:
        """Learn the time between readings from a bucket without a break; a long silence in it counts little."""
        if gap_s <= 0:
            return
        if self._gaps and gap_s > 2 * self._gap_s:
            gap_s = 2 * self._gap_s
        if self._gaps < _NOISE_MEMORY:
            self._gaps += 1
        self._gap_s += (gap_s - self._gap_s) / self._gaps


def _end_of_run(modes: Sequence[Mode], begin: int) -> int:
    """Return where the readings end that are in the same mode as the first one."""
    mode, end = modes[begin], len(modes)
    if begin == 0 and modes.count(mode) == end:  # as it mostly is, and much faster
        return end
    return next((place for place in range(begin + 1, end) if modes[place] != mode), end)


def _as_saved(mean_mm_s: float) -> float:
    """Return a mean as it will be saved, so that a restart changes no bit."""
    (saved,) = _FLOAT.unpack(_FLOAT.pack(mean_mm_s if mean_mm_s < _LARGEST else _LARGEST))
    return saved  # type: ignore[no-any-return]


def _learnt(noise: float, samples: int, first: float, second: float, third: float) -> tuple[float, int]:
    """Return a level's noise and its count of samples after one more, from three neighbours.

    A second difference is blind to a steady trend; of independent means it has six times the variance of one.
    """
    mean = (first + second + third) / 3
    if mean <= 0:
        return noise, samples
    sample = ((first - 2 * second + third) / mean) ** 2 / 6
    if samples >= _SAMPLES_TO_CLIP and sample > _CLIP * noise > 0:
        sample = _CLIP * noise
    if samples < _NOISE_MEMORY:
        samples += 1
    return noise + (sample - noise) / samples, samples
