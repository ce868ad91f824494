from itertools import pairwise

import pytest

from consumers.board.palette import DARK, LEVEL_COLOURS, LIGHT, STATE_COLOURS
from tests.consumers.board.colours import distance, seen_in_grey, seen_with_deuteranopia


@pytest.mark.parametrize("look", [seen_in_grey, seen_with_deuteranopia])
def test_neighbouring_levels_can_be_told_apart_without_green_and_in_grey(look: object) -> None:
    assert all(distance(one, other, look) >= 15 for one, other in pairwise(LEVEL_COLOURS.values()))


def test_levels_get_darker_the_worse_they_are() -> None:
    white = [distance("white", colour, seen_in_grey) for colour in LEVEL_COLOURS.values()]
    assert list(LEVEL_COLOURS) == ["High", "Medium", "Low", "Critical"]
    assert white == sorted(white)


def test_alarms_have_a_colour_of_their_own() -> None:
    others = [*STATE_COLOURS.values(), *LEVEL_COLOURS.values()]
    assert all(theme.alarm not in others for theme in (LIGHT, DARK))
