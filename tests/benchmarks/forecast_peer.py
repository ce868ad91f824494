"""The forecast's peer where it is installed: PyPI's `exponential-degradation-model`, Gebraeel's Bayesian update.

It needs the level that growth starts from, and positive logarithms: it is given the machine's true base, and the
readings above it in thousandths of a mm/s. Those below it are left out.
"""

import importlib
import importlib.util
import math
from collections.abc import Sequence
from typing import Final

PACKAGE: Final = "exponential-degradation-model"
_MODULE: Final = "exponential_degradation"
_THOUSANDTHS: Final = 1000.0
_LEAST_READINGS: Final = 10


def is_installed() -> bool:
    """Return whether there is a peer to be measured."""
    return importlib.util.find_spec(_MODULE) is not None


def hours_of_peer(values_mm_s: Sequence[float], gap_s: float, base_mm_s: float, limit_mm_s: float) -> float | None:
    """Return the hours that the peer tells from these readings, None where it tells none."""
    growth = [((value - base_mm_s) * _THOUSANDTHS, place) for place, value in enumerate(values_mm_s)]
    known = [(math.log(excess), place) for excess, place in growth if excess >= 1]
    if len(known) < _LEAST_READINGS:
        return None
    numpy, package = importlib.import_module("numpy"), importlib.import_module(_MODULE)
    # The update takes logarithms of the excess; the time to the limit, the limit and the base themselves.
    model = package.ExponentialDegradationModel(
        threshold=(limit_mm_s - base_mm_s) * _THOUSANDTHS, phi=0.0, theta_variance=10.0, beta_variance=10.0
    )
    minutes = [place * gap_s / 60 for _, place in known]
    model.fit(numpy.array([excess for excess, _ in known]), numpy.array(minutes))
    left_min = float(model.predict()) - (len(values_mm_s) - 1 - known[-1][1]) * gap_s / 60
    return left_min / 60 if model.beta > 0 and math.isfinite(left_min) and left_min > 0 else None
