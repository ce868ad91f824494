from collections.abc import Mapping, Sequence

from consumers.machines.fleet import Fleet
from consumers.machines.silence import SilenceWatch
from consumers.pipeline import Tally
from consumers.records import Event, EventKind, Timestamp
from consumers.store.errors import StoreBusyError
from consumers.watch import EventLog, Watch
from tests.consumers.machines.support import row
from tests.consumers.support import fleet_of, take
from tests.support import AT


class Watching:
    """A watch, its clock, what it logs and what it notes."""

    def __init__(self, told: Mapping[int, Timestamp] | None = None) -> None:
        self.time_s = 1000.0
        self.said: list[str] = []
        self.warned: list[str] = []
        self.noted: dict[int, Timestamp | None] = {}
        self.events: list[Event] = []
        self.is_locked = False
        log = EventLog(self.said.append, self.warned.append, lambda: self.time_s)
        silence = SilenceWatch(3600.0, 60.0, told)
        self.watch = Watch(log, silence, self, None, lambda: self.time_s, lambda: AT, self.say_all_rejected)
        self.all_rejected: list[tuple[str, int]] = []

    def note(self, silences: Mapping[int, Timestamp | None], events: Sequence[Event]) -> None:
        if self.is_locked:
            raise StoreBusyError("locked")
        self.noted |= silences
        self.events += events

    def say_all_rejected(self, text: str, stored_lines: int) -> None:
        self.all_rejected.append((text, stored_lines))

    def after(self, seconds: float, fleet: Fleet, tally: Tally | None = None, *, is_behind: bool = False) -> None:
        self.time_s += seconds
        self.watch.look(fleet, tally or Tally(), is_behind=is_behind, is_waiting=False)

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]


def event(kind: EventKind, text: str) -> Event:
    return Event(kind, 7, text, "{}", AT)


# The log


def test_what_is_wrong_is_a_warning_and_what_is_over_is_not() -> None:
    watching = Watching()
    watching.watch.log.tell([event("raised", "hot"), event("cleared", "cool"), event("back", "here")])
    assert (watching.warned, watching.said) == (["hot"], ["cool", "here"])


def test_a_flood_is_ten_lines_and_one_that_sums_up_the_rest() -> None:
    watching = Watching()
    for n in range(134):
        watching.watch.log.tell([event("raised" if n % 2 else "cleared", f"event {n}")])
    assert len(watching.warned + watching.said) == 10
    watching.after(59, Fleet(0))
    watching.after(1, Fleet(0))
    assert watching.warned[-1] == (
        "124 more events within 1 min: 62 cleared, 62 raised; see anomaly_episodes. "
        "Raised last: event 133; event 131; event 129"
    )
    assert len(watching.warned + watching.said) == 11


def test_after_a_flood_each_event_is_a_line_again() -> None:
    watching = Watching()
    watching.watch.log.tell([event("raised", "hot")] * 11)
    watching.after(60, Fleet(0), is_behind=True)
    watching.time_s += 1
    watching.watch.log.tell([event("raised", "again")])
    assert watching.warned[-2:] == [
        "1 more event within 1 min: 1 raised; see anomaly_episodes. Raised last: hot",
        "again",
    ]


def test_the_last_words_sum_up_what_was_only_counted() -> None:
    watching = Watching()
    watching.watch.log.tell([event("raised", "hot")] * 12)
    watching.watch.finish(0, lambda _seconds: None)
    assert watching.warned[-1].startswith("2 more events within 0 s")


# Silence


def test_a_machine_that_falls_silent_and_comes_back_is_told_once_each() -> None:
    watching, fleet = Watching(), fleet_of(row(1, 0), row(2, 0), row(3, 0))
    for second in range(10, 200, 10):
        take(fleet, [row(1, second), row(2, second)])
        watching.after(10, fleet, Tally(1, second))
    assert watching.kinds == ["silent"]
    assert watching.warned == [
        "machine 3: silent for 1 min while others report; last heard 2027-01-15 08:00:00, active"
    ]
    take(fleet, [row(1, 200), row(2, 200), row(3, 200)])
    for tally in (300, 301):
        watching.after(10, fleet, Tally(1, tally))
    assert watching.kinds == ["silent", "back"]
    assert watching.said == ["machine 3: reports again after 3 min"]
    assert watching.noted == {3: None}


def test_who_was_told_as_silent_before_a_restart_is_not_told_again() -> None:
    fleet = fleet_of(row(3, 0), *(row(n, second) for second in range(0, 400, 10) for n in (1, 2)))
    watching = Watching(told={3: row(3, 0).timestamp})
    watching.after(10, fleet, Tally(1, 1))
    assert watching.events == []


def test_nobody_is_silent_while_there_is_more_to_read() -> None:
    fleet = fleet_of(row(3, 0), *(row(n, second) for second in range(0, 400, 10) for n in (1, 2)))
    watching = Watching()
    watching.after(10, fleet, Tally(1, 1), is_behind=True)
    assert watching.events == []


def test_a_locked_database_only_delays_what_is_told() -> None:
    fleet = fleet_of(row(3, 0), *(row(n, second) for second in range(0, 400, 10) for n in (1, 2)))
    watching = Watching()
    watching.is_locked = True
    watching.after(100, fleet)
    watching.is_locked = False
    assert (watching.events, watching.warned) == ([], [])
    watching.after(100, fleet)
    assert watching.kinds == ["silent", "feed_silent"]


# The feed


def test_a_feed_that_falls_silent_and_comes_back_is_told_once_each() -> None:
    watching, fleet = Watching(), fleet_of(row(1, 0))
    for stored in (1, 1, 1, 1, 2, 2):
        watching.after(50, fleet, Tally(1, stored))
    assert watching.kinds == ["feed_silent", "feed_back"]
    assert watching.warned == ["no reading for 1 min"]


def test_a_feed_of_which_every_line_is_rejected_is_told_as_that() -> None:
    watching, fleet = Watching(), fleet_of(row(1, 0))
    for rejected in range(0, 400, 100):
        watching.after(50, fleet, Tally(1, 1, rejected))
    told = "no reading for 1 min: every line is rejected (200 lines), see rejected_messages"
    assert watching.kinds == ["rejected"]
    assert (watching.all_rejected, watching.warned) == ([(told, 1)], [])


def test_time_in_which_nothing_can_be_saved_is_not_the_feeds() -> None:
    watching = Watching()
    watching.time_s += 1000
    watching.watch.look(Fleet(0), Tally(), is_behind=False, is_waiting=True)
    watching.after(10, Fleet(0))
    assert watching.events == []
