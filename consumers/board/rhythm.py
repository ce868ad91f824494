"""How old a picture may be: a still one on a wall says when it was drawn, and how soon the next one is promised."""

from typing import Final

from consumers.records import Timestamp
from utils.message import epoch_seconds

LATE_AFTER_REFRESHES: Final = 2


class Rhythm:
    """Pictures that are promised every `refresh_s`; None: nothing is promised, as for a picture that stays alone."""

    def __init__(self, refresh_s: float | None) -> None:
        self._refresh_s = refresh_s
        self._drawn_s: float | None = None

    def late_s(self, now: Timestamp) -> float:
        """Note a picture; return how long before it the last one was drawn if that is too long ago, else 0."""
        before_s, self._drawn_s = self._drawn_s, epoch_seconds(now)
        if self._refresh_s is None or before_s is None:
            return 0.0
        past_s = self._drawn_s - before_s
        return past_s if past_s > LATE_AFTER_REFRESHES * self._refresh_s else 0.0

    @property
    def words(self) -> str:
        """What is promised to whoever looks at a picture; empty if nothing is."""
        return "" if self._refresh_s is None else f"a new picture every {self._refresh_s:g} s"
