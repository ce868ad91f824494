from itertools import combinations

import pytest

from consumers.board.labels import Box
from consumers.board.layout import fitted, layout_of

SIZES_PX = [(1500, 1000), (1366, 768), (1280, 720), (1080, 1920), (768, 1366), (1024, 600), (3840, 2160)]


@pytest.mark.parametrize("size", SIZES_PX)
def test_parts_lie_within_the_picture_and_cover_none_of_one_another(size: tuple[int, int]) -> None:
    _, width, height = fitted(*size)
    boxes = [Box(r.left, r.bottom, r.right, r.top) for r in layout_of(width, height)]
    assert all(box.within(Box(0, 0, width, height)) for box in boxes)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


@pytest.mark.parametrize("size", SIZES_PX)
def test_the_parts_fill_at_least_nine_tenths_of_the_picture(size: tuple[int, int]) -> None:
    _, width, height = fitted(*size)
    assert sum(r.width * r.height for r in layout_of(width, height)) > 0.9 * width * height


def test_an_upright_picture_has_its_panels_one_above_the_other() -> None:
    lying, upright = layout_of(15, 10), layout_of(10, 15)
    assert lying.modes.left > lying.trend.right
    assert upright.modes.top < upright.scatter.bottom < upright.trend.bottom


def test_a_window_is_filled_and_its_letters_grow_with_it() -> None:
    assert fitted(1500, 1000) == (100, 15, 10)
    assert fitted(1000, 1500) == (100, 10, 15)
    assert fitted(3000, 2000) == (200, 15, 10)
    assert fitted(600, 400)[0] == 60
