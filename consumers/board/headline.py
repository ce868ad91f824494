"""The headline above the panels: which machine to go to and why, from three metres."""

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.text import Text

from consumers.board.axes import fraction
from consumers.board.layout import Rect
from consumers.board.letters import clipped, drawable, in_lines, width_pt
from consumers.board.notices import Notice, notices, past_words
from consumers.board.palette import ALARM_LEAST_PT, ALARM_OF_TWO_LINES_PT, ALARM_PT, FONT_PT, NEXT_PT, Theme
from consumers.board.scene import Scene
from consumers.board.tones import Tone, tone_colour
from consumers.board.words import heard_words, lag_words, moment_words, totals_words

_FROM_TOP_IN: Final = {"title": 0.13, "alarm": 0.65, "next": 1.15, "past": 1.5}
_SECOND_LINE_IN: Final = 0.5
_NEXT: Final = 6
_WORD_GAP_PT: Final = 6.0
_ROOM_FOR_TWO_LINES_IN: Final = 2.2


class Headline:
    """The most important thing in the largest letters, the next ones below it, and the feed in small ones."""

    def __init__(self, figure: Figure, title: str, theme: Theme, promise: str) -> None:
        self._title = title
        self._promise = promise
        self._theme = theme
        self._figure = figure
        quiet: dict[str, Any] = {"fontsize": FONT_PT, "color": theme.quiet_ink}
        self._texts = {
            "title": _text(figure, **quiet),
            "alarm": _text(figure, fontsize=ALARM_PT, weight="bold"),
            "past": _text(figure, **quiet),
        }
        self._next = [_text(figure, fontsize=NEXT_PT, weight="bold") for _ in range(2 * _NEXT)]
        self._clock = _text(figure, ha="right", fontsize=NEXT_PT, color=theme.ink)
        self._beside_clock = _text(figure, ha="right", **quiet)
        self._heard = _text(figure, ha="right", **quiet)
        self._room_pt = 0.0
        self._left_in = self._next_top = 0.0
        self._lines = 1

    def place(self, rect: Rect, figure: Figure) -> None:
        """Stand in a part of the picture."""
        self._room_pt, self._left_in = rect.width * 72, rect.left
        self._lines = 2 if rect.height > _ROOM_FOR_TWO_LINES_IN else 1
        lower = _SECOND_LINE_IN * (self._lines - 1)
        tops = {row: rect.top - at - lower for row, at in _FROM_TOP_IN.items()}
        tops |= {"title": rect.top - _FROM_TOP_IN["title"], "alarm": rect.top - _FROM_TOP_IN["alarm"] - lower / 2}
        for row, words in self._texts.items():
            words.set_position(fraction(figure, rect.left, tops[row]))
        self._next_top = tops["next"]
        self._clock.set_position(fraction(figure, rect.right, tops["title"]))
        self._beside_clock.set_position(fraction(figure, rect.right, tops["title"]))
        self._heard.set_position(fraction(figure, rect.right, tops["past"]))

    def update(self, scene: Scene) -> None:
        """Say what is to be said of the scene."""
        first, *others = notices(scene)
        words = drawable(first.words)
        most, filled = (ALARM_PT, 1.0) if self._lines == 1 else (ALARM_OF_TWO_LINES_PT, 0.9)
        fitting = self._lines * filled * self._room_pt / width_pt(words, 1, bold=True)
        size = max(min(most, fitting), ALARM_LEAST_PT)
        self._texts["alarm"].set(text=in_lines(words, self._room_pt, size, self._lines), fontsize=size)
        self._texts["alarm"].set_color(tone_colour(self._theme, first.tone))
        self._say_next(others)
        self._say_small(scene)

    def _say_next(self, others: Sequence[Notice]) -> None:
        """Say the next things beside one another, each in its own tone, as many as there is room for."""
        parts: list[tuple[str, Tone]] = []
        for notice in others[:_NEXT]:
            parts += [("   ·   ", "plain"), (drawable(notice.words), notice.tone)]
        if parts:
            parts[0] = (f"next ({len(others)}): " if len(others) > 1 else "", "plain")
        gone_pt = 0.0
        for place, text in enumerate(self._next):
            words, tone = parts[place] if place < len(parts) else ("", "plain")
            shown = clipped(words, self._room_pt - gone_pt, NEXT_PT, bold=True) if gone_pt < self._room_pt else ""
            text.set(text=shown, color=tone_colour(self._theme, tone))
            text.set_position(self._at(self._left_in + gone_pt / 72, self._next_top))
            gone_pt += width_pt(words, NEXT_PT, bold=True)

    def _say_small(self, scene: Scene) -> None:
        """Say what is known, by which clocks, and how old it is; each line shares its room with the one beside it."""
        clock, heard = moment_words(scene.now, scene.zone), heard_words(scene.heard_s)
        beside_clock = "   ".join(filter(None, (lag_words(scene.now, scene.at), self._promise, "drawn")))
        clock_pt = width_pt(clock, NEXT_PT) + _WORD_GAP_PT
        self._clock.set_text(clock)
        self._beside_clock.set_text(beside_clock)
        self._beside_clock.set_x(self._at(self._left_in + (self._room_pt - clock_pt) / 72, 0)[0])
        machines = scene.fleet.machines
        readings = sum(machine.readings for machine in machines.values())
        title = f"{self._title}   {totals_words(len(machines), readings)}"
        self._heard.set_text(heard)
        for left, words, taken_pt in (
            ("title", title, clock_pt + width_pt(beside_clock, FONT_PT)),
            ("past", past_words(scene), width_pt(heard, FONT_PT)),
        ):
            self._texts[left].set_text(clipped(words, self._room_pt - taken_pt - 2 * _WORD_GAP_PT, FONT_PT))

    def _at(self, x_in: float, y_in: float) -> tuple[float, float]:
        return fraction(self._figure, x_in, y_in)


def _text(figure: Figure, **style: Any) -> Text:
    return figure.text(0, 0, "", va="center", **style)
