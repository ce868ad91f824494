"""What people are told beside the status: episodes, silences, the feed; in the log, and by the user's command."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from consumers.alerts import Alerter
from consumers.machines.fleet import Fleet
from consumers.machines.silence import FeedWatch, SilenceWatch
from consumers.pipeline import Tally
from consumers.records import Event, EventKind, Timestamp
from consumers.store.errors import StoreWaitError
from utils.text import count, duration

_WARNED: Final[frozenset[EventKind]] = frozenset({"raised", "forecast", "forecast_sooner", "silent", "feed_silent"})
_FLOOD_EVENTS: Final = 10
_FLOOD_S: Final = 60.0
_NAMED_RAISED: Final = 3
_LOOK_EVERY_S: Final = 5.0


class Notes(Protocol):
    """Where silences are noted: the database."""

    def note(self, silences: Mapping[int, Timestamp | None], events: Sequence[Event]) -> None:
        """Note who is silent or back, and what is to be told of it. Raises StoreError."""


class EventLog:
    """Logs each event in a line; of more than ten in a minute the others are summed up in one line a minute."""

    def __init__(
        self, say: Callable[[str], None], warn: Callable[[str], None], monotonic: Callable[[], float]
    ) -> None:
        self._say = say
        self._warn = warn
        self._monotonic = monotonic
        self._told_s: deque[float] = deque(maxlen=_FLOOD_EVENTS)
        self._untold: Counter[EventKind] = Counter()
        self._untold_raised: deque[str] = deque(maxlen=_NAMED_RAISED)
        self._untold_since_s = 0.0

    def tell(self, events: Sequence[Event]) -> None:
        """Log events, or count them in a flood."""
        now_s = self._monotonic()
        for event in events:
            is_flood = len(self._told_s) == _FLOOD_EVENTS and now_s - self._told_s[0] < _FLOOD_S
            if is_flood or self._untold:
                self._untold_since_s = self._untold_since_s if self._untold else now_s
                self._untold[event.kind] += 1
                if event.kind == "raised":
                    self._untold_raised.append(event.text)
                continue
            self._told_s.append(now_s)
            (self._warn if event.kind in _WARNED else self._say)(event.text)

    def flush(self, *, is_last: bool = True) -> None:
        """Log how many events were only counted, if it is time, or if these are the last words."""
        since_s = self._monotonic() - self._untold_since_s
        if self._untold and (is_last or since_s >= _FLOOD_S):
            kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(self._untold.items()))
            events = count(sum(self._untold.values()), "more event")
            newest = f". Raised last: {'; '.join(reversed(self._untold_raised))}" if self._untold_raised else ""
            self._warn(f"{events} within {duration(since_s)}: {kinds}; see anomaly_episodes{newest}")
            self._untold.clear()
            self._untold_raised.clear()


class Watch:
    """Looks now and then who is silent, logs events, and lets the alerts be told.

    `monotonic` returns seconds; `now` returns the consumer's time. `say_all_rejected` is given the words of
    such an event, and how many lines are stored.
    """

    def __init__(
        self,
        log: EventLog,
        silence: SilenceWatch,
        notes: Notes,
        alerter: Alerter | None,
        monotonic: Callable[[], float],
        now: Callable[[], Timestamp],
        say_all_rejected: Callable[[str, int], None],
    ) -> None:
        self.log = log
        self._say_all_rejected = say_all_rejected
        self._silence = silence
        self._notes = notes
        self._alerter = alerter
        self._monotonic = monotonic
        self._now = now
        self._feed = FeedWatch(monotonic())
        self._feed_events: list[Event] = []
        self._looked_s = monotonic()

    def look(self, fleet: Fleet, tally: Tally, *, is_behind: bool, is_waiting: bool) -> None:
        """Do what is due; who is silent is known only when all lines there are have been read.

        While the database `is_waiting`, nothing can be noted.
        """
        self.log.flush(is_last=False)
        now_s = self._monotonic()
        if is_waiting:
            self._feed.pause(now_s)
            return
        if not is_behind and now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._look(fleet, tally, now_s)
        if self._alerter is not None:
            self._alerter.poll()

    def finish(self, patience_s: float, sleep: Callable[[float], None]) -> None:
        """Log and tell what is left, for so long at most."""
        self.log.flush()
        if self._alerter is not None:
            self._alerter.finish(patience_s, sleep)

    def _look(self, fleet: Fleet, tally: Tally, now_s: float) -> None:
        changes = self._silence.look(fleet)
        feed = self._feed.look(tally.stored_lines, tally.rejected_lines, now_s, self._silence.limit_s, self._now())
        self._feed_events += [] if feed is None else [feed]
        events = [*changes.events, *self._feed_events]
        if not events:
            return
        try:
            self._notes.note(changes.silences, events)
        except StoreWaitError:
            return  # at the next look it is tried again
        self._silence.take(changes)
        self._feed_events.clear()
        self._tell(events, tally)

    def _tell(self, events: Sequence[Event], tally: Tally) -> None:
        """Log events; who says that every line is being rejected has perhaps said it, and knows when it is news."""
        for event in events:
            if event.kind == "rejected":
                self._say_all_rejected(event.text, tally.stored_lines)
        self.log.tell([event for event in events if event.kind != "rejected"])
