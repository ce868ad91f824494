"""The headline above the panels: which machine to go to and why, from three metres."""

from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.text import Text

from consumers.board.axes import fraction
from consumers.board.layout import Rect
from consumers.board.letters import clipped, drawable, in_lines, width_pt
from consumers.board.notices import Tone, notices, past_words
from consumers.board.palette import ALARM_LEAST_PT, ALARM_PT, FONT_PT, NEXT_PT, Theme
from consumers.board.scene import Scene
from consumers.board.words import clock_words, heard_words, totals_words

_FROM_TOP_IN: Final = {"title": 0.13, "alarm": 0.62, "next": 1.12, "past": 1.5}
_SECOND_LINE_IN: Final = 0.5
_ROOM_FOR_TWO_LINES_IN: Final = 2.2


class Headline:
    """The most important thing in the largest letters, the next ones below it, and the feed in small ones."""

    def __init__(self, figure: Figure, title: str, theme: Theme) -> None:
        self._title = title
        self._tones: dict[Tone, str] = {"alarm": theme.alarm, "coming": theme.coming, "plain": theme.ink}
        quiet: dict[str, Any] = {"fontsize": FONT_PT, "color": theme.quiet_ink}
        self._texts = {
            "title": _text(figure, **quiet),
            "alarm": _text(figure, fontsize=ALARM_PT, weight="bold"),
            "next": _text(figure, fontsize=NEXT_PT, weight="bold"),
            "past": _text(figure, **quiet),
        }
        self._clock = _text(figure, ha="right", **quiet)
        self._heard = _text(figure, ha="right", **quiet)
        self._room_pt = 0.0
        self._lines = 1

    def place(self, rect: Rect, figure: Figure) -> None:
        """Stand in a part of the picture."""
        self._room_pt = rect.width * 72
        self._lines = 2 if rect.height > _ROOM_FOR_TWO_LINES_IN else 1
        lower = _SECOND_LINE_IN * (self._lines - 1)
        tops = {row: rect.top - at - lower for row, at in _FROM_TOP_IN.items()}
        tops |= {"title": rect.top - _FROM_TOP_IN["title"], "alarm": rect.top - _FROM_TOP_IN["alarm"] - lower / 2}
        for row, text in self._texts.items():
            text.set_position(fraction(figure, rect.left, tops[row]))
        self._clock.set_position(fraction(figure, rect.right, tops["title"]))
        self._heard.set_position(fraction(figure, rect.right, tops["past"]))

    def update(self, scene: Scene) -> None:
        """Say what is to be said of the scene."""
        first, *others = notices(scene)
        words = drawable(first.words)
        size = ALARM_PT * min(1, self._lines * 0.9 * self._room_pt / width_pt(words, ALARM_PT, bold=True))
        if self._lines == 1:
            size = min(ALARM_PT, size / 0.9)
        size = max(size, ALARM_LEAST_PT)
        self._texts["alarm"].set(text=in_lines(words, self._room_pt, size, self._lines), fontsize=size)
        self._texts["alarm"].set_color(self._tones[first.tone])
        tone = others[0].tone if others else "plain"
        more = drawable("   ·   ".join(notice.words for notice in others))
        if len(others) > 1:
            more = f"next ({len(others)}): {more}"
        self._texts["next"].set(text=clipped(more, self._room_pt, NEXT_PT, bold=True), color=self._tones[tone])
        self._say_small(scene)

    def _say_small(self, scene: Scene) -> None:
        """Say what is known, by which clocks, and how old it is; each line shares its room with the one beside it."""
        clock, heard = clock_words(scene.now, scene.at, scene.zone), heard_words(scene.heard_s)
        machines = scene.fleet.machines
        readings = sum(machine.readings for machine in machines.values())
        title = f"{self._title}   {totals_words(len(machines), readings)}"
        for left, words, right, beside in (
            (self._texts["title"], title, self._clock, clock),
            (self._texts["past"], past_words(scene), self._heard, heard),
        ):
            left.set_text(clipped(words, self._room_pt - width_pt(beside, FONT_PT) - 10, FONT_PT))
            right.set_text(beside)


def _text(figure: Figure, **style: Any) -> Text:
    return figure.text(0, 0, "", va="center", **style)
