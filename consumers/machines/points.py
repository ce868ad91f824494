"""The means of a trend as points: how old, how wide, how noisy each is."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from consumers.machines.trend import Level, Trend

_SAMPLES_TO_BELIEVE: Final = 8
_LEAST_NOISE: Final = 1e-7
"""Of a bucket's mean, as a share of it, squared: a sensor shows no more than some digits."""
_UNKNOWN_NOISE: Final = 4e-4
_LEVELS_TO_BELIEVE: Final = 2
_UNSEEN: Final = 2.0
"""By so much the noise may be larger for each longer mean that has not been seen often enough."""
_FALL: Final = 5.0
_NEIGHBOURS: Final = 4
_RUN_IN: Final = 1.5


class Point(NamedTuple):
    """A mean of the trend; ages in widths of a bucket, from the end of the newest one."""

    young: float
    old: float
    mean_mm_s: float
    weight: float
    """One over the variance of the mean."""


def points_of(trend: Trend) -> tuple[list[Point], bool]:
    """Return the points since the last fall and after the run-in, from new to old; and whether there was a fall."""
    points = _points(trend.levels)
    since_fall = _after_fall(points)
    return _after_run_in(since_fall), len(since_fall) < len(points)


def _points(levels: Sequence[Level]) -> list[Point]:
    noise = _noise(levels)
    age, width = 0.0, 1.0
    found: list[tuple[float, float, float, float]] = []
    for level, variance in zip(levels, noise, strict=True):
        for mean in reversed(level.means_mm_s):
            found.append((age, age + width, mean, variance))
            age += width
        width *= 2
    points: list[Point] = []
    for place, (young, old, mean, variance) in enumerate(found):
        # By the mean of its neighbours too: else a reading that is low by chance would weigh more for it.
        near = found[max(place - 1, 0) : place + 2]
        around = sum(other[2] for other in near) / len(near)
        points.append(Point(young, old, mean, 1 / (variance * around * around) if around > 0 else 0.0))
    return [point for point in points if point.weight]


def _noise(levels: Sequence[Level]) -> list[float]:
    """Return the variance of one mean of each level, as a share of the severity squared.

    Neighbouring readings of a sensor resemble each other, so that their second differences show too little noise.
    What counts for a trend is the noise of long means, hence the largest that a level, one below or two above, shows.
    As long as too few levels are known, as in the first minutes of a feed, it may be larger than they show.
    """
    known = [(place, level.noise) for place, level in enumerate(levels) if level.samples >= _SAMPLES_TO_BELIEVE]
    if not known:
        known = [(place, level.noise) for place, level in enumerate(levels) if level.samples > 1][:1]
    unseen = _UNSEEN ** max(_LEVELS_TO_BELIEVE - sum(level.samples >= _SAMPLES_TO_BELIEVE for level in levels), 0)
    found = []
    for place in range(len(levels)):
        near = [noise * unseen * 2.0 ** (other - place) for other, noise in known if other <= place + 2]
        found.append(max(near, default=_UNKNOWN_NOISE / 2**place) + _LEAST_NOISE)
    return found


def _pooled(points: Sequence[Point]) -> tuple[float, float]:
    """Return the weighted mean, mm/s, and its variance."""
    weight = sum(point.weight for point in points)
    return sum(point.weight * point.mean_mm_s for point in points) / weight, 1 / weight


def _after_fall(points: list[Point]) -> list[Point]:
    """Drop what lies before the last fall: a machine that shakes less is another machine."""
    for place in range(1, len(points)):
        newer, newer_variance = _pooled(points[max(place - _NEIGHBOURS, 0) : place])
        older, older_variance = _pooled(points[place : place + _NEIGHBOURS])
        if older - newer > _FALL * (newer_variance + older_variance) ** 0.5:
            return points[:place]
    return points


def _after_run_in(points: list[Point]) -> list[Point]:
    """Drop the oldest points while a renewed machine still shakes more than it soon will."""
    while len(points) > _NEIGHBOURS + 1:
        oldest, variance = _pooled(points[-1:])
        next_ones, next_variance = _pooled(points[-1 - _NEIGHBOURS : -1])
        if oldest - next_ones <= _RUN_IN * (variance + next_variance) ** 0.5:
            break
        points = points[:-1]
    return points
