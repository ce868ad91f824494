"""How much of the picture is without ink: blank space is not decoration, and letters could be larger instead.

Measured in a grid of 40 by 40 cells: one is blank if all of its pixels have the colour of the figure or of a panel.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from consumers.board.palette import LIGHT
from consumers.records import RatedReading
from tests.consumers.board.support import Shown
from tests.pictures import eight, fifty

_CELLS = 40
_MOST_BLANK = 0.325
_ALIKE = 3  # of 255


def blank_share(figure: Figure) -> float:
    canvas = figure.canvas
    canvas.draw()
    pixels = np.array(canvas.buffer_rgba())[:, :, :3].astype(int)  # type: ignore[attr-defined]
    is_blank: NDArray[np.bool_] = np.zeros(pixels.shape[:2], bool)
    for colour in (LIGHT.background, LIGHT.paper):
        is_blank |= np.abs(pixels - np.multiply(to_rgb(colour), 255).round()).max(axis=2) <= _ALIKE
    height, width = is_blank.shape[0] // _CELLS, is_blank.shape[1] // _CELLS
    cells = is_blank[: height * _CELLS, : width * _CELLS].reshape(_CELLS, height, _CELLS, width)
    return float(cells.all(axis=(1, 3)).mean())


def test_the_measure_counts_cells_without_ink() -> None:
    figure = Shown().figure
    figure.clear()
    figure.set_facecolor(LIGHT.background)
    assert blank_share(figure) == 1
    figure.text(0.5, 0.5, "ink")
    assert 0.99 < blank_share(figure) < 1


@pytest.mark.parametrize("rows", [eight, fifty])
def test_less_than_a_third_of_the_picture_is_blank(rows: Callable[[], Sequence[RatedReading]]) -> None:
    assert blank_share(Shown(rows(), refresh_s=2.0).figure) <= _MOST_BLANK
