"""How large a window opens, and where: within its screen, in the screen's own shape."""

from typing import Any, Final, NamedTuple

from matplotlib.figure import Figure

from consumers.board.figure import FIGURE_DPI
from consumers.board.layout import BASE_SIZE_IN

# The rest is for the window's frame and the desktop's own bars.
_SHARE_OF_WIDTH: Final = 0.96
_SHARE_OF_HEIGHT: Final = 0.87


class Place(NamedTuple):
    """A window on its screen, in pixels, from the upper left corner."""

    left: int
    top: int
    width: int
    height: int


def opening_place(screen_width: int, screen_height: int, pixel_ratio: float) -> Place:
    """Return where a window opens on a screen of this many pixels; `pixel_ratio` is 1 on one of 96 pixels an inch."""
    longer, shorter = (side * FIGURE_DPI * pixel_ratio for side in BASE_SIZE_IN)
    wanted = (longer, shorter) if screen_width >= screen_height else (shorter, longer)
    width = int(min(wanted[0], _SHARE_OF_WIDTH * screen_width))
    height = int(min(wanted[1], _SHARE_OF_HEIGHT * screen_height))
    return Place((screen_width - width) // 2, (screen_height - height) // 3, width, height)


def place_on_screen(figure: Figure) -> None:
    """Give a window that is not shown yet its size and place, if its toolkit tells how large the screen is."""
    canvas: Any = figure.canvas
    window: Any = getattr(canvas.manager, "window", None)
    if hasattr(window, "winfo_screenwidth"):  # Tk
        ratio = window.winfo_fpixels("1i") / 96
        place = opening_place(window.winfo_screenwidth(), window.winfo_screenheight(), ratio)
        # The window's own size: its toolbar, or a picture of more pixels an inch, would make it wider.
        window.geometry(f"{place.width}x{place.height}+{place.left}+{place.top}")
    elif hasattr(window, "screen"):  # Qt, which counts in pixels of 96 an inch
        room, ratio = window.screen().availableGeometry(), canvas.device_pixel_ratio
        place = opening_place(room.width(), room.height(), 1)
        canvas.manager.resize(round(place.width * ratio), round(place.height * ratio))
        window.move(room.x() + place.left, room.y() + place.top)
