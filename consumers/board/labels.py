"""Where labels go, so that no label covers another: plain geometry, in any unit of length."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle, by its lower left and upper right corners."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        """Return whether the two share more than an edge."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def within(self, other: "Box") -> bool:
        """Return whether all of it lies in the other."""
        return (
            self.left >= other.left
            and self.bottom >= other.bottom
            and self.right <= other.right
            and self.top <= other.top
        )


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions at least `gap` apart, within `low` to `high`, each as near as can be to the one wanted.

    The wanted positions are in rising order, equal ones allowed; the answer has one position for each, in the same
    order. Nearness is the sum of the squared distances. If there is too little room, the gap is made smaller.
    """
    count = len(wanted)
    if count > 1:
        gap = min(gap, (high - low) / (count - 1))
    # Less `gap` for each position before it, positions at least `gap` apart become positions that never fall. To find
    # those is isotonic regression: it is enough to pool neighbours that are out of order into their mean.
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
    """Return a box of each size (width, height) beside its anchor, or None for a label that finds no room.

    The boxes lie within `area`, clear of `taken` and of one another, and clear of `avoided` too if that is possible.
    The first labels have the first choice.
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
    """Return the places that are tried, the best first: near before far, right before left."""
    (x, y), (width, height) = anchor, size
    for distance in (0.6 * height, 1.7 * height, 2.8 * height):
        for bottom in (y - height / 2, y + distance, y - distance - height):
            for left in (x + distance, x - distance - width):
                yield Box(left, bottom, left + width, bottom + height)
