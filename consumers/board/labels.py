"""Where labels go, so that none covers another: plain geometry in any one unit of length."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle, by its lower left and upper right corners."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        """Tell whether the two share more than an edge."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def within(self, other: "Box") -> bool:
        """Tell whether all of it lies in the other."""
        return (
            self.left >= other.left
            and self.bottom >= other.bottom
            and self.right <= other.right
            and self.top <= other.top
        )


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart by at least `gap`, each as little as possible (least squares), within `low` to `high`.

    `wanted` rises, or stays equal; so does the answer, which belongs to it one by one. Where the room does not
    suffice, the gap is narrowed to what fits.
    """
    count = len(wanted)
    if count > 1:
        gap = min(gap, (high - low) / (count - 1))
    # Without the gaps, positions at least `gap` apart are positions that never fall: isotonic regression, for
    # which it is enough to pool neighbours that are out of order into their mean.
    pools: list[tuple[float, int]] = []
    for rank, position in enumerate(wanted):
        total, size = position - rank * gap, 1
        while pools and pools[-1][0] / pools[-1][1] >= total / size:
            earlier_total, earlier_size = pools.pop()
            total, size = total + earlier_total, size + earlier_size
        pools.append((total, size))
    levels = (total / size for total, size in pools for _ in range(size))
    return [min(max(level, low), high - (count - 1) * gap) + rank * gap for rank, level in enumerate(levels)]


def place_beside(
    anchors: Iterable[tuple[float, float]],
    sizes: Iterable[tuple[float, float]],
    area: Box,
    taken: Iterable[Box] = (),
    avoided: Sequence[Box] = (),
) -> list[Box | None]:
    """Find a box of each (width, height) beside its anchor, within `area`, clear of `taken` and of one another.

    Clear of `avoided` too where that is possible. First come, first served; None for a label that finds no room.
    """
    occupied = list(taken)
    placed: list[Box | None] = []
    for anchor, size in zip(anchors, sizes, strict=True):
        free = [box for box in _beside(anchor, size) if box.within(area) and _is_clear(box, occupied)]
        box = next((box for box in free if _is_clear(box, avoided)), free[0] if free else None)
        placed.append(box)
        if box is not None:
            occupied.append(box)
    return placed


def _is_clear(box: Box, others: Iterable[Box]) -> bool:
    return not any(box.overlaps(other) for other in others)


def _beside(anchor: tuple[float, float], size: tuple[float, float]) -> Iterator[Box]:
    """Candidates in the order of preference: near before far, right before left."""
    (x, y), (width, height) = anchor, size
    for distance in (0.6 * height, 1.7 * height, 2.8 * height):
        for bottom in (y - height / 2, y + distance, y - distance - height):
            for left in (x + distance, x - distance - width):
                yield Box(left, bottom, left + width, bottom + height)
