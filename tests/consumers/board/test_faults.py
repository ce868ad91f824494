from collections.abc import Callable, Iterator

import numpy as np
import pytest
from loguru import logger
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D

from consumers.board.faults import Faults
from consumers.board.figure import DashboardFigure, snapshot_figure
from tests.consumers.board.support import Shown, plant


@pytest.fixture
def told() -> Iterator[list[str]]:
    messages: list[str] = []
    sink = logger.add(messages.append, format="{message}")
    yield messages
    logger.remove(sink)


def raising(*messages: str) -> Callable[[], None]:
    """What raises these one after the other; an empty one is a success."""
    left = iter(messages)

    def work() -> None:
        if message := next(left):
            raise ValueError(message)

    return work


class Broken(Line2D):
    """A line that cannot be drawn while it is broken."""

    is_broken = True

    def draw(self, renderer: object) -> None:
        if self.is_broken:
            raise ZeroDivisionError("a broken line")


def drawn(figure: DashboardFigure) -> bytes:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba()).tobytes()  # type: ignore[no-untyped-call]


def test_each_message_is_logged_once(told: list[str]) -> None:
    guarded = Faults().guarded("the update", raising("one", "one", "two", "one"))
    for _ in range(4):
        guarded()
    assert [line.strip().rpartition(" ")[2] for line in told] == ["one", "two"]


def test_what_could_not_be_done_is_shown_until_it_is_done() -> None:
    faults = Faults()
    update, canvas = (
        faults.guarded("update", raising("no data", "no data", "")),
        faults.guarded("canvas", raising("")),
    )
    update()
    canvas()
    assert "no data" in faults.words
    update()
    assert "no data" in faults.words
    update()
    assert faults.words == ""


def test_nothing_of_a_message_reaches_the_picture_raw_or_at_any_length() -> None:
    faults = Faults()
    faults.guarded("update", raising("\x1b[31m" + "long " * 1000))()
    assert "\x1b" not in faults.words
    assert len(faults.words) < 400


def test_a_figure_whose_artist_cannot_be_drawn_says_so_at_once_and_goes_on(told: list[str]) -> None:
    figure = snapshot_figure()
    figure.faults = Faults()
    clean = drawn(figure)
    broken = Broken([0, 1], [0, 1])
    figure.add_artist(broken)
    assert drawn(figure) == drawn(figure) != clean
    assert ": a broken line" in figure.faults.words
    assert "ZeroDivisionError" not in figure.faults.words
    assert len(told) == 1
    broken.is_broken = False
    assert drawn(figure) == clean


def test_what_else_there_is_is_drawn_also_after_one_that_cannot_be() -> None:
    shown = Shown(plant([1]))
    figure = shown.figure
    figure.faults = Faults()
    drawn_texts = list[str]()
    shown.strips[0].lines[0].draw = Broken([0], [0]).draw  # type: ignore[method-assign]
    for text in figure.texts:
        text.draw = lambda _renderer, text=text: drawn_texts.append(text.get_text())  # type: ignore[method-assign,misc]
    drawn(figure)
    assert any(text.startswith("Manufacturing analytics") for text in drawn_texts)


def test_what_is_not_tried_again_is_shown_once() -> None:
    figure = snapshot_figure()
    figure.faults = Faults()
    clean = drawn(figure)
    figure.faults.add(KeyError("a key"))
    assert drawn(figure) != clean
    assert drawn(figure) == clean


def test_without_faults_a_figure_raises() -> None:
    figure = snapshot_figure()
    figure.add_artist(Broken([0, 1], [0, 1]))
    with pytest.raises(ZeroDivisionError):
        drawn(figure)
