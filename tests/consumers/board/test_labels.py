from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.board.labels import Box, place_beside, spread

positions = st.lists(st.floats(0, 100), max_size=12).map(sorted)


def test_positions_far_enough_apart_stay_where_they_are() -> None:
    assert spread([10, 50, 90], 5, 0, 100) == pytest.approx([10, 50, 90])


def test_equal_positions_fan_out_around_their_place() -> None:
    assert spread([50, 50, 50], 10, 0, 100) == pytest.approx([40, 50, 60])


def test_a_fan_at_the_edge_stays_inside() -> None:
    assert spread([100, 100], 10, 0, 100) == pytest.approx([90, 100])


def test_too_many_positions_share_the_room() -> None:
    assert spread([0, 0, 0], 60, 0, 100) == pytest.approx([0, 50, 100])


def test_nothing_to_spread() -> None:
    assert spread([], 5, 0, 100) == []


@given(positions, st.floats(0.1, 8))
def test_spread_positions_keep_their_order_their_gap_and_their_bounds(wanted: list[float], gap: float) -> None:
    found = spread(wanted, gap, 0, 100)
    assert len(found) == len(wanted)
    assert all(-1e-6 <= position <= 100 + 1e-6 for position in found)
    assert all(upper - lower >= gap - 1e-6 for lower, upper in pairwise(found))


def test_a_label_stands_right_of_its_point_where_there_is_room() -> None:
    (box,) = place_beside([(50, 50)], [(20, 10)], Box(0, 0, 100, 100))
    assert box == Box(56, 45, 76, 55)


def test_a_label_at_the_right_edge_stands_left_of_its_point() -> None:
    (box,) = place_beside([(95, 50)], [(20, 10)], Box(0, 0, 100, 100))
    assert box is not None
    assert box.right <= 95


def test_a_label_without_room_is_left_out() -> None:
    assert place_beside([(5, 5)], [(20, 10)], Box(0, 0, 10, 10)) == [None]


def test_a_label_avoids_what_it_may_cover_if_it_can() -> None:
    area, cross = Box(0, 0, 100, 100), Box(60, 46, 64, 50)
    (box,) = place_beside([(50, 50)], [(20, 10)], area, avoided=[cross])
    assert box is not None
    assert not box.overlaps(cross)
    assert place_beside([(50, 50)], [(20, 10)], area, avoided=[area]) != [None]


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200)), max_size=8))
def test_placed_labels_never_overlap_nor_leave_the_area(anchors: list[tuple[float, float]]) -> None:
    area = Box(0, 0, 300, 200)
    taken = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in anchors]
    placed = [box for box in place_beside(anchors, [(40, 12)] * len(anchors), area, taken) if box is not None]
    assert all(box.within(area) for box in placed)
    assert not any(one.overlaps(other) for one, other in combinations(placed, 2))
    assert not any(box.overlaps(other) for box in placed for other in taken)
