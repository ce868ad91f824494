"""The consumer's loop: chunk after chunk, with a word to the terminal and a picture now and then."""

import time
from collections.abc import Callable
from typing import Final

from consumers.board.status import FeedStatus, RecentLines
from consumers.demo import Child
from consumers.follow.tail import Tail
from consumers.follow.trouble import Unreadable
from consumers.forecasting import Forecasting
from consumers.growth import GrowthWatch
from consumers.machines.fleet import Fleet
from consumers.pipeline import Pipeline, Tally
from consumers.report import Reporter
from consumers.store.errors import StoreFullError
from consumers.watch import Watch
from utils.settings import Config
from utils.stop import StopRequest
from utils.text import printable

POLL_S: Final = 0.05
REFRESH_S: Final = 2.0
_SLICE_S: Final = 0.04
"""Lines are read for no longer than this before the window gets its turn."""
_CATCH_UP_SLICE_S: Final = 0.15
"""The same while there is much to catch up with: the window answers more slowly, and the readings come sooner."""


class Loop:
    """The pipeline at work: reads, reports and draws until someone asks it to stop."""

    def __init__(
        self,
        config: Config,
        pipeline: Pipeline,
        fleet: Fleet,
        tail: Tail,
        reporter: Reporter,
        stop: StopRequest,
        child: Child | None,
        growth: GrowthWatch,
        *,
        watch: Watch,
        forecasting: Forecasting,
    ) -> None:
        self._config = config
        self._pipeline = pipeline
        self._fleet = fleet
        self._tail = tail
        self._reporter = reporter
        self._stop = stop
        self._child = child
        self._growth = growth
        self._watch = watch
        self._forecasting = forecasting
        self._is_behind = False
        self._recent_lines = RecentLines()

    def read_all(self) -> bool:
        """Read what is there, to the end; return False if asked to stop before.

        A locked database is waited for. A full disk is not, since whoever started this waits for its end: raises
        StoreFullError.
        """
        while not self._stop.requested:
            if not self._work(time.monotonic() + _SLICE_S):
                waiting = self._pipeline.waiting
                if waiting is None:
                    self._forecasting.finish()
                    return True
                if isinstance(waiting.error, StoreFullError):
                    raise waiting.error
                self._stop.wait(POLL_S)
        return False

    @property
    def tally(self) -> Tally:
        """What was read so far."""
        return self._pipeline.tally

    def tick(self) -> bool:
        """Read for a slice of time; return False when it is time to stop."""
        self._is_behind = self._work(time.monotonic() + (_CATCH_UP_SLICE_S if self._is_behind else _SLICE_S))
        return not self._stop.requested

    def follow(self, draw: Callable[[], None] | None) -> None:
        """Read on as lines come, without a window; `draw` is called every `REFRESH_S`."""
        drawn_s = -REFRESH_S
        while not self._stop.requested:
            is_busy = self._work(time.monotonic() + _SLICE_S)
            if draw is not None and time.monotonic() - drawn_s >= REFRESH_S:
                draw()
                drawn_s = time.monotonic()
            if not is_busy:
                self._stop.wait(POLL_S)

    def feed_status(self) -> FeedStatus:
        """Return how the lines come in by now, for the dashboard."""
        pipeline, trouble = self._pipeline, self._tail.trouble
        waiting, last = pipeline.waiting, pipeline.last_rejected
        lines, rejected = self._recent_lines.newest(pipeline.tally.lines, pipeline.tally.rejected_lines)
        return FeedStatus(
            lines,
            rejected,
            printable(last.reason) if last is not None and rejected else "",
            "" if waiting is None else printable(str(waiting.error)),
            0.0 if waiting is None else max(time.time() - waiting.since_s, 0.0),
            self._tail.unread_bytes(),
            printable(str(trouble)) if isinstance(trouble, Unreadable) else "",
        )

    def _work(self, until_s: float) -> bool:
        """Take chunks until the time is over or nothing is left; return whether there may be more."""
        has_more = True
        while has_more and time.monotonic() < until_s:
            has_more = self._pipeline.step()
        pipeline = self._pipeline
        self._recent_lines.look(time.monotonic(), pipeline.tally.lines, pipeline.tally.rejected_lines)
        self._reporter.report(
            self._fleet, pipeline.tally, self._config.limits, self._tail.unread_bytes, pipeline.waiting
        )
        self._growth.look(pipeline.plant_clock.now)
        self._watch.look(self._fleet, pipeline.tally, is_behind=has_more, is_waiting=pipeline.waiting is not None)
        if not has_more and pipeline.waiting is None:
            self._forecasting.step()
        if self._child is not None and not self._stop.requested:
            self._child.check()
        return has_more
