from contextlib import nullcontext

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from numpy.typing import NDArray

from consumers.board.figure import DashboardFigure, snapshot_figure
from tests.consumers.board.support import Shown, plant

_UNSEEN = 0.8  # of 255, over all of the picture; all texts a pixel aside come to 2


def pixels(figure: DashboardFigure) -> NDArray[np.int64]:
    canvas = figure.canvas
    canvas.draw()
    return np.array(canvas.buffer_rgba()).astype(np.int64)  # type: ignore[attr-defined]


def test_a_text_that_was_drawn_before_looks_as_one_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = Shown(plant(range(50))).figure
    pixels(figure)
    kept = pixels(figure)
    monkeypatch.setattr(figure._lettering, "of", lambda _renderer: nullcontext())
    # matplotlib 3.10 puts texts at whole pixels, so that a few of them may stand one pixel aside.
    assert np.abs(kept - pixels(figure)).mean() < _UNSEEN


def test_only_new_words_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    draw_text = RendererAgg.draw_text

    def count(self: RendererAgg, gc: object, x: float, y: float, s: str, *rest: object, **more: object) -> None:
        drawn.append(s)
        draw_text(self, gc, x, y, s, *rest, **more)  # type: ignore[no-untyped-call]

    figure = snapshot_figure()
    figure.text(0.1, 0.5, "stays")
    changing = figure.text(0.1, 0.1, "before")
    monkeypatch.setattr(RendererAgg, "draw_text", count)
    pixels(figure)
    changing.set_text("after")
    pixels(figure)
    assert drawn == ["stays", "before", "after"]


def test_words_that_have_gone_are_forgotten() -> None:
    figure = snapshot_figure()
    text = figure.text(0.1, 0.5, "")
    for number in range(50):
        text.set_text(f"word {number}")
        pixels(figure)
    assert len(figure._lettering._now) + len(figure._lettering._before) <= 2
