"""What is kept of a machine's vibration to see a trend: means of its active readings, coarser the older they are.

Eight readings in active mode make a bucket, whatever the time between them: a plant whose machines report once a
second is followed for minutes, one that reports once an hour for months, by the same rule. A bucket closes by its
readings alone, never by a chunk or a commit, so the state is the same, to the last bit, however the feed was cut.

Each level holds at most eight means. When one more comes, the two oldest become one mean of the next level, which is
twice as wide. A year of one reading a second fits into 22 levels, and what is old is still known well enough.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from consumers.records import Row
from utils.message import epoch_seconds

READINGS_A_BUCKET: Final = 8
_MEANS_A_LEVEL: Final = 8
_NOISE_MEMORY: Final = 64
"""The noise of a level is a mean of about so many samples: it follows a machine that changes."""
_SAMPLES_TO_CLIP: Final = 6
_CLIP: Final = 9.0
"""A sample above so many times the mean is a step, not noise, and counts as so much."""
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
        growing = _Growing(self)
        growing.read(rows)
        return growing.trend()

    def is_closed_as(self, other: "Trend") -> bool:
        """Return whether both differ in nothing but the open bucket: then only that needs to be saved."""
        return self.levels is other.levels and self.gaps == other.gaps

    def opened(self, open_bytes: bytes) -> "Trend":
        """Return the trend with another open bucket, as it was packed; what is closed stays."""
        return self._replace(open=Open._make(_OPEN.unpack(open_bytes)))

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
    """A copy of a trend that readings are added to, a chunk's at once."""

    def __init__(self, before: Trend) -> None:
        self._open = before.open
        self._gap_s, self._gaps = before.gap_s, before.gaps
        self._levels = before.levels
        self._means: list[list[float]] | None = None
        self._noise: list[tuple[float, int]] = []

    def trend(self) -> Trend:
        """Return what it has become."""
        if self._means is not None:
            noise = zip(self._means, self._noise, strict=True)
            self._levels = tuple(Level(tuple(means), *of_level) for means, of_level in noise)
        return Trend(self._open, self._gap_s, self._gaps, self._levels)

    def read(self, rows: Sequence[Row]) -> None:
        """Add readings. The sum is a plain one: `sum` compensates, and so depends on where a chunk ends."""
        readings, broken, total, since_s, breaks, resting, running = self._open
        for row in rows:
            if row[2] == "active":
                if not readings:
                    broken, since_s = False, epoch_seconds(row[1])
                running = True
                total += row[4]
                readings += 1
                if readings == READINGS_A_BUCKET:
                    self._close(total / READINGS_A_BUCKET, 0.0 if broken else epoch_seconds(row[1]) - since_s)
                    readings, total = 0, 0.0
                continue
            breaks += running
            resting += 1
            running, broken = False, True
            if row[2] == "maintenance":
                readings, total = 0, 0.0
                self._forget()
        since_s = since_s if readings else 0.0
        self._open = Open(readings, broken, total, since_s, breaks & 0xFFFFFFFF, resting & 0xFFFFFFFF, running)

    def _forget(self) -> None:
        """Begin anew after maintenance: what was mended says nothing of the future, but the noise is the same."""
        if any(self._means if self._means is not None else (level.means_mm_s for level in self._levels)):
            self._thaw()
            self._means = [[] for _ in self._noise]

    def _thaw(self) -> list[list[float]]:
        if self._means is None:
            self._means = [list(level.means_mm_s) for level in self._levels]
            self._noise = [(level.noise, level.samples) for level in self._levels]
        return self._means

    def _close(self, mean_mm_s: float, elapsed_s: float) -> None:
        """Take a full bucket: into the first level, and up as far as levels are full."""
        self._learn_gap(elapsed_s / (READINGS_A_BUCKET - 1))
        levels, noise = self._thaw(), self._noise
        for place, means in enumerate(levels):
            mean_mm_s = _as_saved(mean_mm_s)
            means.append(mean_mm_s)
            if len(means) > 2:  # noqa: PLR2004 - a second difference needs three
                noise[place] = _learnt(*noise[place], *means[-3:])
            if len(means) <= _MEANS_A_LEVEL:
                return
            mean_mm_s = means[0] / 2 + means[1] / 2
            del means[:2]
        levels.append([_as_saved(mean_mm_s)])
        noise.append((0.0, 0))

    def _learn_gap(self, gap_s: float) -> None:
        """Learn the time between readings from a bucket without a break; a long silence in it counts little."""
        if gap_s <= 0:
            return
        if self._gaps and gap_s > 2 * self._gap_s:
            gap_s = 2 * self._gap_s
        if self._gaps < _NOISE_MEMORY:
            self._gaps += 1
        self._gap_s += (gap_s - self._gap_s) / self._gaps


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
