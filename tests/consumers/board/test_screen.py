import pytest

from consumers.board.screen import opening_place

SCREENS = {
    "small": (1366, 768, 1.0),
    "smaller": (1280, 720, 1.0),
    "144 dpi": (1920, 1080, 1.5),
    "portrait": (1080, 1920, 1.0),
    "large": (3840, 2160, 1.0),
    "large at 192 dpi": (3840, 2160, 2.0),
}


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_a_window_opens_within_its_screen_with_room_for_its_frame(screen: tuple[int, int, float]) -> None:
    width, height, _ = screen
    place = opening_place(*screen)
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + place.width <= width
    assert place.top + place.height + 60 <= height


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_a_window_has_the_shape_of_its_screen_and_most_of_a_small_one(screen: tuple[int, int, float]) -> None:
    width, height, ratio = screen
    place = opening_place(*screen)
    assert (place.width > place.height) == (width > height)
    assert place.width * place.height >= min(0.65 * width * height, 1500 * 1000 * ratio**2)
