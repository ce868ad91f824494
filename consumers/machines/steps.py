"""What looks like growth but is not: vibration that rises in steps, as by an imbalance or another load."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from consumers.machines.points import Point

_LOOKS: Final = 2.5
_MOST_STEPS: Final = 6
_HEIGHTS: Final = 7.0
"""The prior of a step's height is flat in its logarithm, over a factor of about 1,000: e to the power of 7."""
_LEAST_GAIN: Final = 0.0


class Steps(NamedTuple):
    """The pieces that explain the points best."""

    evidence: float
    """The logarithm of how much better they explain the points than one flat line does."""
    largest: int
    """How many points are newer than the largest step up; 0: there is none."""


class _Sums:
    """Sums of the newest points, so that any piece is judged at once."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.weight, self.first = [0.0], [0.0]
        origin = points[0].mean_mm_s
        for point in points:
            value = point.mean_mm_s - origin
            self.weight.append(self.weight[-1] + point.weight)
            self.first.append(self.first[-1] + point.weight * value)

    def mean(self, begin: int, end: int) -> float:
        """Return the mean of a piece, mm/s, from the first point's."""
        return (self.first[end] - self.first[begin]) / (self.weight[end] - self.weight[begin])

    def gain(self, begin: int, cut: int, end: int) -> tuple[float, float, float]:
        """Return by how much a cut betters the fit, the height of the step, and the height's variance."""
        newer, older = self.weight[cut] - self.weight[begin], self.weight[end] - self.weight[cut]
        height = self.mean(begin, cut) - self.mean(cut, end)
        variance = 1 / newer + 1 / older
        return height * height / variance, height, variance


def is_mostly_flat(points: Sequence[Point]) -> bool:
    """Return whether the newest 1, 2, 4, 8 … points never lie well above the rest: then there is no trend."""
    sums = _Sums(points)
    newest = 1
    while newest < len(points):
        gain, height, _ = sums.gain(0, newest, len(points))
        if height > 0 and gain > _LOOKS * _LOOKS:
            return False
        newest *= 2
    return True


def steps_of(points: Sequence[Point], overdispersion: float) -> Steps:
    """Return the best flat pieces; the largest gain is taken first, and each step has its price."""
    sums = _Sums(points)
    count = len(points)
    pieces = [(0, count)]
    evidence, largest, highest = 0.0, 0, 0.0
    for _ in range(_MOST_STEPS):
        gain, height, variance, cut, piece = max(_best_cut(sums, *piece) for piece in pieces)
        worth = gain / 2 / overdispersion - _price(count, height, variance * overdispersion)
        if cut == 0 or worth <= _LEAST_GAIN:
            break
        evidence += worth
        if height > highest:
            largest, highest = cut, height
        pieces.remove(piece)
        pieces += [(piece[0], cut), (cut, piece[1])]
    return Steps(evidence, largest)


def _best_cut(sums: _Sums, begin: int, end: int) -> tuple[float, float, float, int, tuple[int, int]]:
    best = 0.0, 0.0, 1.0, 0
    for cut in range(begin + 1, end):
        gain, height, variance = sums.gain(begin, cut, end)
        if gain > best[0]:
            best = gain, height, variance, cut
    return *best, (begin, end)


def _price(count: int, height: float, variance: float) -> float:
    """Return the logarithm of how unlikely such a step was before: one of so many places, and of any height."""
    width = math.sqrt(2 * math.pi * variance) / (_HEIGHTS * max(abs(height), 1e-300))
    return math.log(count) - math.log(width)
