"""What the picture has to know of the feed, beside the machines: whether what it shows can be believed."""

from collections import deque
from typing import Final, NamedTuple

SPAN_S: Final = 600.0
_SAMPLE_EVERY_S: Final = 5.0


class FeedStatus(NamedTuple):
    """How the lines come in, at one moment."""

    lines: int = 0
    """Read in the newest `SPAN_S`."""
    rejected: int = 0
    """Of these."""
    last_reason: str = ""
    """Why the last of them was rejected; printable."""
    waiting_for: str = ""
    """Why nothing can be saved just now; empty if it can."""
    waiting_s: float = 0.0
    """For how long."""
    unread_bytes: int = 0
    trouble: str = ""
    """What of the feed cannot be read; empty if all can be."""


class RecentLines:
    """Counts the lines of the newest `SPAN_S` from the totals of this run."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque()

    def look(self, at_s: float, lines: int, rejected: int) -> None:
        """Note the totals at a moment of a clock that only goes forward."""
        samples = self._samples
        if not samples or at_s - samples[-1][0] >= _SAMPLE_EVERY_S:
            samples.append((at_s, lines, rejected))
        while len(samples) > 1 and at_s - samples[1][0] >= SPAN_S:
            samples.popleft()

    def newest(self, lines: int, rejected: int) -> tuple[int, int]:
        """Return how many lines came in the newest `SPAN_S`, and how many of them were rejected."""
        if not self._samples:
            return lines, rejected
        _, lines_before, rejected_before = self._samples[0]
        return lines - lines_before, rejected - rejected_before
