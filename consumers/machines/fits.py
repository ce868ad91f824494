"""Growth fitted to points: weighted least squares for each shape and scale, each with what it is worth."""

import math
from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

from consumers.machines.points import Point

Shape = Literal["exponential", "linear", "quadratic"]

LEAST_DISPERSION: Final = 1.3
_COARSE: Final = 1.5
_ZOOMS: Final = 3
_ZOOM_POINTS: Final = 9
_ZOOM_STEP: Final = 0.75
_HELD_OUT: Final = 3
_SURPRISE: Final = 1.5
_EXCESSES: Final = 7.0
"""The prior of the excess is flat in its logarithm, over a factor of about 1,000: e to the power of 7."""
_FAR_BEHIND: Final = 10.0
_IMPOSSIBLE: Final = -1e300


class Family(NamedTuple):
    """A shape of growth, how likely it is before anything is seen, and the shortest scale that is believed."""

    shape: Shape
    prior: float
    least_scale: float
    power: int


_FAMILIES: Final = (
    Family("exponential", 0.9, 1.5, 0),
    Family("linear", 0.05, 6.0, 1),
    Family("quadratic", 0.05, 6.0, 2),
)


class Fit(NamedTuple):
    """One shape at one scale."""

    shape: Shape
    power: int
    scale: float
    """Of exponential growth, the time for a factor e; else the time since its onset; in widths of a bucket."""
    base_mm_s: float
    excess_mm_s: float
    base_variance: float
    excess_variance: float
    covariance: float
    misfit: float
    """The weighted sum of squares that it leaves."""
    log_worth: float
    """Its evidence, of which the prior of its scale is part, up to a constant that all fits share."""

    def time_to(self, limit_mm_s: float) -> tuple[float, float]:
        """Return the time to the limit, in widths of a bucket, and its standard deviation (the delta method)."""
        left = (limit_mm_s - self.base_mm_s) / self.excess_mm_s
        if self.power:
            root = left ** (1 / self.power)
            time, by_log = self.scale * (root - 1), self.scale * root / self.power
        else:
            time, by_log = self.scale * math.log(left), self.scale
        by_base, by_excess = -by_log / (limit_mm_s - self.base_mm_s), -by_log / self.excess_mm_s
        variance = (
            by_base * by_base * self.base_variance
            + by_excess * by_excess * self.excess_variance
            + 2 * by_base * by_excess * self.covariance
        )
        return time, math.sqrt(max(variance, 1e-12 * self.scale * self.scale))

    @property
    def slope(self) -> float:
        """How fast it grows now, mm/s in the width of a bucket."""
        return self.excess_mm_s * (self.power or 1) / self.scale


class Fits(NamedTuple):
    """All fits, and their evidence against a flat line."""

    fits: list[Fit]
    evidence: float
    doubt: float
    """How much more the points scatter than their noise says, or than what lies before them led to; at least 1.3."""


def fits_of(points: Sequence[Point]) -> Fits:
    """Return the fits of all shapes and scales that count, with the doubt that their own failures bring."""
    fits = _search(points, LEAST_DISPERSION)
    if not fits:
        return Fits([], _IMPOSSIBLE, LEAST_DISPERSION)
    best = min(fits, key=lambda fit: fit.misfit)
    doubt = max(LEAST_DISPERSION, best.misfit / max(len(points) - 3, 1)) * _surprise(points, best)
    if doubt > LEAST_DISPERSION:
        fits = _search(points, doubt)
    flat = _flat_misfit(points)
    top = max(fit.log_worth for fit in fits)
    total = top + math.log(sum(math.exp(fit.log_worth - top) for fit in fits))
    return Fits(fits, total + flat / 2 / doubt, doubt)


def weighed(fits: Sequence[Fit]) -> list[tuple[float, Fit]]:
    """Return the fits with their shares of the whole."""
    top = max(fit.log_worth for fit in fits)
    worths = [math.exp(fit.log_worth - top) for fit in fits]
    whole = sum(worths)
    return [(worth / whole, fit) for worth, fit in zip(worths, fits, strict=True)]


def _search(points: Sequence[Point], doubt: float) -> list[Fit]:
    """Return fits on a coarse grid of scales, and for the shapes that matter on a finer one about the best scales."""
    span = points[-1].old
    grids = []
    for family in _FAMILIES:
        steps = max(math.ceil(math.log(max(span / family.least_scale, 1)) / math.log(_COARSE)), 1)
        places = [math.log(family.least_scale) + step * math.log(_COARSE) for step in range(steps + 1)]
        grids.append((family, _fits_at(points, family, places, doubt, span)))
    top = max((fit.log_worth for _, fits in grids for fit in fits), default=0.0)
    found: list[Fit] = []
    for family, fits in grids:
        if fits and max(fit.log_worth for fit in fits) > top - _FAR_BEHIND:
            fits = _zoomed(points, family, fits, doubt, span)  # noqa: PLW2901 - the finer ones replace them
        found += fits
    return found


def _zoomed(points: Sequence[Point], family: Family, fits: list[Fit], doubt: float, span: float) -> list[Fit]:
    """Return fits at scales about the mean scale, as far apart as the scale is uncertain."""
    deviation = math.inf
    for _ in range(_ZOOMS):
        shares = weighed(fits)
        middle = sum(share * math.log(fit.scale) for share, fit in shares)
        before = deviation
        deviation = math.sqrt(sum(share * (math.log(fit.scale) - middle) ** 2 for share, fit in shares))
        deviation = max(deviation, min(before, math.log(_COARSE)) / 4)
        if deviation > 0.9 * before:
            break
        least, most = math.log(family.least_scale), math.log(max(span, family.least_scale))
        reach = (_ZOOM_POINTS - 1) / 2
        places = [middle + (place - reach) * _ZOOM_STEP * deviation for place in range(_ZOOM_POINTS)]
        finer = _fits_at(points, family, [place for place in places if least <= place <= most], doubt, span)
        if len(finer) < 2:  # noqa: PLR2004 - no grid any more
            break
        fits = finer
    return fits


def _fits_at(points: Sequence[Point], family: Family, places: list[float], doubt: float, span: float) -> list[Fit]:
    """Return the fits at these logarithms of scales, each with its share of the prior."""
    if not places:
        return []
    whole = max(math.log(max(span / family.least_scale, 1)), math.log(_COARSE))
    step = places[1] - places[0] if len(places) > 1 else whole
    prior = math.log(family.prior * min(step / whole, 1))
    fits = (_fit(points, family, math.exp(place), doubt, prior) for place in places)
    return [fit for fit in fits if fit is not None]


def _fit(points: Sequence[Point], family: Family, scale: float, doubt: float, prior: float) -> Fit | None:
    """Return the weighted least squares of one shape and scale, or None if it does not grow from a base above 0."""
    mean_of = _MEAN_OF[family.shape]
    origin = points[-1].mean_mm_s
    w = wf = wff = wv = wfv = wvv = 0.0
    for young, old, mean, weight in points:
        f, v = mean_of(young, old, scale), mean - origin
        weighted = weight * f
        w += weight
        wf += weighted
        wff += weighted * f
        wv += weight * v
        wfv += weighted * v
        wvv += weight * v * v
    determinant = w * wff - wf * wf
    if determinant <= 1e-9 * w * wff:
        return None
    excess = (w * wfv - wf * wv) / determinant
    base = (wv - excess * wf) / w
    if excess <= 0 or base + origin <= 0:
        return None
    misfit = max(wvv - base * wv - excess * wfv, 0.0)
    excess_variance = doubt * w / determinant
    laplace = math.log(math.sqrt(2 * math.pi * excess_variance) / (_EXCESSES * excess))
    worth = -misfit / 2 / doubt + min(laplace, 0.0) + prior
    variances = doubt * wff / determinant, excess_variance, -doubt * wf / determinant
    return Fit(family.shape, family.power, scale, base + origin, excess, *variances, misfit, worth)


def _exponential(young: float, old: float, scale: float) -> float:
    """Return the mean of e^(-age / scale) between two ages."""
    return math.exp(-young / scale) * -math.expm1((young - old) / scale) * scale / (old - young)


def _linear(young: float, old: float, scale: float) -> float:
    """Return the mean of 1 - age / scale between two ages, 0 before the onset."""
    if young >= scale:
        return 0.0
    end = min(old, scale)
    return (end - young) * (1 - (young + end) / 2 / scale) / (old - young)


def _quadratic(young: float, old: float, scale: float) -> float:
    """Return the mean of (1 - age / scale) squared between two ages, 0 before the onset."""
    if young >= scale:
        return 0.0
    return ((1 - young / scale) ** 3 - (1 - min(old, scale) / scale) ** 3) * scale / 3 / (old - young)


_MEAN_OF: Final[dict[Shape, Callable[[float, float, float], float]]] = {
    "exponential": _exponential,
    "linear": _linear,
    "quadratic": _quadratic,
}


def _surprise(points: Sequence[Point], best: Fit) -> float:
    """Return by how much the doubt must grow, since the newest points are not where the others lead to."""
    held_out = 0
    while held_out < len(points) - _HELD_OUT and (
        held_out < _HELD_OUT or (best.power == 0 and points[held_out].old <= 0.2 * best.scale)
    ):
        held_out += 1
    family = next(family for family in _FAMILIES if family.shape == best.shape)
    rest = _fit(points[held_out:], family, best.scale, 1.0, 0.0)
    if rest is None:
        return 1.0
    weight = sum(point.weight for point in points[:held_out])
    mean_of = _MEAN_OF[best.shape]
    f = sum(point.weight * mean_of(point.young, point.old, best.scale) for point in points[:held_out]) / weight
    seen = sum(point.weight * point.mean_mm_s for point in points[:held_out]) / weight
    told = rest.base_mm_s + rest.excess_mm_s * f
    variance = rest.base_variance + f * f * rest.excess_variance + 2 * f * rest.covariance + 1 / weight
    return max(((seen - told) ** 2 / variance) / _SURPRISE**2, 1.0)


def _flat_misfit(points: Sequence[Point]) -> float:
    origin = points[-1].mean_mm_s
    w = sum(point.weight for point in points)
    wv = sum(point.weight * (point.mean_mm_s - origin) for point in points)
    return sum(point.weight * (point.mean_mm_s - origin) ** 2 for point in points) - wv * wv / w
