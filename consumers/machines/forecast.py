"""When a machine will leave its safe limit of vibration, as far as that can be known; most often it cannot.

A model `v = base + excess * f(age)` is fitted to the means of the trend, age counted back from now, for three shapes
of growth: exponential, as worn bearings grow, linear and quadratic from an onset. No single fit is believed: every
shape and scale counts by its likelihood and its prior, and the times told are the 5, 50 and 95 % points of all of
them together. (A pure exponential is wrong with confidence on any other growth, and a straight line on this one.)

Growth competes with steps: an imbalance, or another load, raises vibration at once, and a few steps look like a
slope. So the means are also cut into pieces that are flat, each step at a price, and nothing is told unless growth
explains the readings much better than any such pieces do.

Ages are in widths of a bucket until the end, so that a plant that reports once an hour is treated as one that reports
once a second. The words of the field are those of Saxena et al., "Metrics for offline evaluation of prognostic
performance" (2010); weighing models by Laplace's approximation is MacKay's, "Bayesian interpolation" (1992).
"""

import math
from typing import Final, NamedTuple

from consumers.machines.fits import LEAST_DISPERSION, Fit, fits_of, weighed
from consumers.machines.points import points_of
from consumers.machines.steps import is_mostly_flat, steps_of
from consumers.machines.trend import READINGS_A_BUCKET, Trend
from consumers.records import Timestamp
from utils.moment import shifted

HOUR_S: Final = 3600.0
_LEAST_EVIDENCE: Final = 6.0
_LEAST_LEAD: Final = 4.0
"""By so much the evidence of growth must exceed that of steps,"""
_FALLEN_LEAD: Final = 7.0
"""and by so much where vibration has also fallen: a load that nobody measures goes up and down, a wearing machine
does not. With each fall a new history begins, and each is a chance to look like growth."""
_LEAST_EXCESS: Final = 0.1
"""Less growth than this share of the base is not told."""
_WIDEST: Final = 10.0
"""A range whose high end is more times its low end than this says nothing."""
_CUTS: Final = 2
_LEAST_POINTS: Final = 6
_QUANTILES: Final = (0.05, 0.5, 0.95)
_NEGLIGIBLE: Final = 1e-4


class Forecast(NamedTuple):
    """When the machine's vibration reaches its safe limit, in hours of running from its latest reading."""

    hours_to_limit_low: float
    """With 95 % probability it takes longer; 0: it may be there already."""
    hours_to_limit: float
    hours_to_limit_high: float
    """With 95 % probability it takes less."""
    vibration_trend_per_h: float
    """How fast vibration grows now, mm/s an hour of running."""
    evidence: float
    """The logarithm of how much better growth explains the readings than a flat line."""
    shape: str
    """How it grows, in words."""


_WORDS: Final = {
    "exponential": "growing faster and faster",
    "linear": "growing steadily",
    "quadratic": "growing faster",
}


def forecast(trend: Trend, limit_mm_s: float) -> Forecast | None:
    """Return when vibration reaches the limit, or None where no trend is to be seen."""
    if trend.gap_s <= 0:
        return None
    points, has_fallen = points_of(trend)
    least_lead = _FALLEN_LEAD if has_fallen else _LEAST_LEAD
    for _ in range(_CUTS + 1):
        if len(points) < _LEAST_POINTS or is_mostly_flat(points):
            return None
        fits = fits_of(points)
        steps = steps_of(points, fits.doubt)
        if fits.evidence >= max(_LEAST_EVIDENCE, steps.evidence + least_lead):
            return _told(trend, fits.fits, fits.evidence, limit_mm_s)
        # A step makes growth fit so badly that it is doubted; where to cut is judged without that doubt.
        cut = steps_of(points, LEAST_DISPERSION).largest
        if not cut:
            return None
        points = points[:cut]
    return None


def wall_clock(
    found: Forecast, at: Timestamp, active_share: float, mean_break_s: float
) -> tuple[Timestamp, Timestamp]:
    """Return the earliest and the latest moment of the limit, for a machine whose latest reading was `at`.

    Nobody knows when it will pause: at the earliest it runs through; at the latest it pauses as often as it usually
    does, and once more.
    """
    latest_s = found.hours_to_limit_high * HOUR_S / max(active_share, 1e-6) + mean_break_s
    return shifted(at, found.hours_to_limit_low * HOUR_S), shifted(at, latest_s)


def _told(trend: Trend, fits: list[Fit], evidence: float, limit_mm_s: float) -> Forecast | None:
    """Return the forecast that all fits make together, or None if it would say too little."""
    shares = [(share, fit) for share, fit in weighed(fits) if share > _NEGLIGIBLE and fit.base_mm_s < limit_mm_s]
    whole = sum(share for share, _ in shares)
    if not shares:
        return None
    excess = sum(share * fit.excess_mm_s for share, fit in shares) / whole
    base = sum(share * fit.base_mm_s for share, fit in shares) / whole
    if excess < _LEAST_EXCESS * base:
        return None
    times = [(share / whole, *fit.time_to(limit_mm_s)) for share, fit in shares]
    low, middle, high = (max(_quantile(times, quantile), 0.0) for quantile in _QUANTILES)
    if not high:  # it is beyond the limit by now: there is nothing to foretell
        return None
    if high > _WIDEST * low and high > 1:  # within a bucket's width of now it need not be known more closely
        return None
    width_h = READINGS_A_BUCKET * trend.gap_s / HOUR_S
    # The mean of a bucket stands for half a gap more at either end; the open bucket's readings are time gone by.
    passed_h = (trend.open.readings - 0.5) * trend.gap_s / HOUR_S
    slope = sum(share * fit.slope for share, fit in shares) / whole / width_h
    hours = [max(time * width_h - passed_h, 0.0) for time in (low, middle, high)]
    best = max(shares, key=lambda pair: pair[0])[1]
    return Forecast(hours[0], hours[1], hours[2], slope, evidence, _WORDS[best.shape])


def _quantile(times: list[tuple[float, float, float]], quantile: float) -> float:
    """Return the point of a mixture of normal distributions (share, mean, deviation) below which so much lies."""
    low = min(mean - 6 * deviation for _, mean, deviation in times)
    high = max(mean + 6 * deviation for _, mean, deviation in times)
    for _ in range(30):
        middle = (low + high) / 2
        below = sum(
            share * (1 + math.erf((middle - mean) / (deviation * math.sqrt(2)))) for share, mean, deviation in times
        )
        if below / 2 < quantile:
            low = middle
        else:
            high = middle
    return (low + high) / 2
