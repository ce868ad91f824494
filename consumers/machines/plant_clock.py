"""What time it is in the plant, for all that is let go by its age.

A feed may be live, recorded years ago, or simulated faster than real time, so the readings say what time it is. But a
wrong clock must not make the whole history old: that would delete it. So the time is the middle one of many readings,
and a time in the future is believed only if the readings led there step by step.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final

from consumers.records import Row, Timestamp
from utils.message import epoch_seconds
from utils.moment import DAY_S, shifted

CLOCK_TOLERANCE_S: Final = DAY_S
"""A clock may be ahead by this much, as one in the wrong time zone is, before it counts as wrong."""
_VOTES: Final = 64


class PlantClock:
    """The plant's time, `now`; None before the first reading. It begins with what it was when it was last known."""

    def __init__(self, now: Timestamp | None = None) -> None:
        self.now = now
        self._votes: deque[Timestamp] = deque(maxlen=2 * _VOTES)  # of two commits: the way from one to the next

    def restore(self, newest: Sequence[Row], at: Timestamp) -> None:
        """Take again into account what came last before a restart, `at` which it is by the consumer's clock."""
        for begin in range(0, len(newest), _VOTES):
            self.hear(newest[begin : begin + _VOTES], at)

    def hear(self, rows: Sequence[Row], at: Timestamp) -> None:
        """Take readings into account, which came at `at` by the consumer's clock."""
        if rows:
            self._votes.extend(_sample(rows))
            self.now = believed_time(self.now, sorted(self._votes), at)


def believed_time(before: Timestamp | None, votes: Sequence[Timestamp], at: Timestamp) -> Timestamp:
    """Return the plant's time after it was `before`, from some of the newest timestamps, in rising order.

    It is the middle one of them. If that lies in the future, it is believed only as far as the timestamps lead there
    from `before` in steps within the tolerance.
    """
    middle = votes[(len(votes) - 1) // 2]
    if middle <= shifted(at, CLOCK_TOLERANCE_S):
        return middle
    reached = votes[0] if before is None else before
    for vote in votes[bisect_right(votes, reached) : bisect_right(votes, middle)]:
        if epoch_seconds(vote) - epoch_seconds(reached) > CLOCK_TOLERANCE_S:
            break
        reached = vote
    return min(middle, reached)


def _sample(rows: Sequence[Row]) -> list[Timestamp]:
    """Return some of the timestamps, from all over the rows."""
    return [row[1] for row in rows[:: -(-len(rows) // _VOTES)]]
