"""The keys of the window: `f` for the full screen, Escape to leave it. Nobody ends or freezes it by a stray key.

Of the toolbar's buttons those are left that work here: the layout is the dashboard's own, and Home leads back.
"""

from typing import Any, Final

from matplotlib.figure import Figure

_LEFT_OUT: Final = ("Back", "Forward", "Subplots", "Customize")


def keep_few_buttons(figure: Figure) -> None:
    """Hide the other buttons of a window's own toolbar, if it has one; those of a browser are the page's."""
    toolbar: Any = figure.canvas.toolbar
    if hasattr(toolbar, "winfo_children"):  # Tk
        for button in toolbar.winfo_children():
            if "text" in button.keys() and button.cget("text") in _LEFT_OUT:  # noqa: SIM118 - its options are no dict
                button.pack_forget()
    elif hasattr(toolbar, "actions"):  # Qt
        for action in toolbar.actions():
            if action.text() in _LEFT_OUT:
                action.setVisible(False)


def keep_few_keys(figure: Figure) -> None:
    """Put these two in the place of all keys, mouse buttons and wheels that matplotlib listens to."""
    canvas, manager = figure.canvas, figure.canvas.manager
    for name in ("key_press_handler_id", "button_press_handler_id", "scroll_handler_id"):
        given: int | None = getattr(manager, name, None)
        if given is not None:
            canvas.mpl_disconnect(given)
    full_screen = _FullScreen(manager)

    def hear(event: Any) -> None:  # matplotlib would forget a mere method of what nobody else holds
        if event.key == "f" or (event.key == "escape" and full_screen.fills()):
            full_screen.toggle()

    canvas.mpl_connect("key_press_event", hear)


class _FullScreen:
    """Whether the window fills the screen."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._is_full = False

    def toggle(self) -> None:
        """Fill the screen, or fill it no longer."""
        self._is_full = not self.fills()
        self._manager.full_screen_toggle()

    def fills(self) -> bool:
        """Return whether it does, by the toolkit if that can tell: a window manager has keys of its own too."""
        window: Any = getattr(self._manager, "window", None)
        if hasattr(window, "isFullScreen"):  # Qt
            return bool(window.isFullScreen())
        if hasattr(window, "wm_attributes"):  # Tk
            return bool(window.wm_attributes("-fullscreen"))
        return self._is_full
