"""Text as it was drawn before: most words of the picture stay from frame to frame, and drawing them takes longest.

A frame puts the pixels of what it has drawn before in their place again. Where a text begins between two pixels is
part of what it is known by, to an eighth of a pixel, so that it looks as if it were drawn anew.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, floor
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from numpy.typing import NDArray

_STEPS: Final = 8
_MARGIN_PX: Final = 3
"""Around the words' box, as some letters reach beyond it."""


class _Drawn(NamedTuple):
    """A text as pixels, and how far it reaches below the line on which it stands."""

    pixels: NDArray[np.uint8]
    below_px: int


class Lettering:
    """The texts of the last frame, as pixels."""

    def __init__(self) -> None:
        self._before: dict[Any, _Drawn] = {}
        self._now: dict[Any, _Drawn] = {}

    @contextmanager
    def of(self, renderer: Any) -> Iterator[None]:
        """Let a renderer draw one frame with the texts of the last one; one that makes no pixels draws as ever."""
        # Before it saves a picture, matplotlib puts in `draw_text`'s place what draws nothing.
        if not isinstance(renderer, RendererAgg) or "draw_text" in vars(renderer):
            yield
            return
        self._before, self._now = self._now, {}
        renderer.draw_text = self._drawing(renderer, renderer.draw_text)  # type: ignore[method-assign]
        try:
            yield
        finally:
            del renderer.draw_text

    def _drawing(self, renderer: RendererAgg, draw_text: Callable[..., None]) -> Callable[..., None]:
        def draw(
            gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = None, mtext: Any = None
        ) -> None:
            if angle or ismath:
                draw_text(gc, x, y, s, prop, angle, ismath, mtext)
                return
            # `y` is measured from above.
            (left, right_of), (top, below) = _split(x), _split(y)
            key = s, prop, renderer.dpi, gc.get_rgb(), gc.get_alpha(), right_of, below
            drawn = self._now.get(key) or self._before.get(key)
            if drawn is None:
                drawn, key = _drawn(renderer, gc, s, prop, right_of, below), (s, prop.copy(), *key[2:])
            self._now[key] = drawn
            renderer.draw_image(gc, left - _MARGIN_PX, int(renderer.height) - top - drawn.below_px, drawn.pixels)

        return draw


def _split(place: float) -> tuple[int, float]:
    """Return the pixel at or before a place, and how far behind it that is, in whole steps."""
    steps = round(place * _STEPS)
    whole = floor(steps / _STEPS)
    return whole, steps / _STEPS - whole


def _drawn(renderer: RendererAgg, gc: Any, s: str, prop: Any, right_of: float, below: float) -> _Drawn:
    width, height, descent = renderer.get_text_width_height_descent(s, prop, ismath=False)  # type: ignore[no-untyped-call]
    line = ceil(height - descent) + _MARGIN_PX
    below_px = ceil(descent) + 1 + _MARGIN_PX
    alone: Any = RendererAgg(ceil(width) + 1 + 2 * _MARGIN_PX, line + below_px, renderer.dpi)  # type: ignore[no-untyped-call]
    own = alone.new_gc()
    own.copy_properties(gc)
    own.set_clip_rectangle(None)
    own.set_clip_path(None)
    alone.draw_text(own, _MARGIN_PX + right_of, line + below, s, prop, 0)
    pixels = np.array(alone.buffer_rgba())[::-1]  # an image begins with its lowest row
    return _Drawn(np.ascontiguousarray(pixels), below_px)
