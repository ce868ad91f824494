from collections.abc import Iterable, Sequence
from typing import Any, cast

from consumers.forecasting import Forecasting
from consumers.machines.forecasts import ForecastChanges, ForecastWatch
from consumers.records import Event, Machine
from consumers.store.errors import StoreBusyError
from tests.consumers.machines.support import row

FOUND = ForecastChanges([Machine(row(1, 0))], [Event("forecast", 1, "text", "{}", "at")], {1: ()}, {1: 2.0})


class OneFind:
    """A watch that finds the same until it is taken over."""

    def __init__(self) -> None:
        self.is_taken = False
        self.was_over: list[bool] = []

    def look(self, is_time_over: Any) -> ForecastChanges:
        self.was_over.append(is_time_over())
        return ForecastChanges([], [], {}, {}) if self.is_taken else FOUND

    def take(self, changes: ForecastChanges) -> None:
        self.is_taken |= changes is FOUND


class Notes:
    def __init__(self, busy: int = 0) -> None:
        self.busy = busy
        self.noted: list[list[Machine]] = []

    def note(self, machines: Iterable[Machine], _events: Sequence[Event]) -> None:
        if self.busy:
            self.busy -= 1
            raise StoreBusyError("locked")
        self.noted.append(list(machines))


def test_what_is_found_is_noted_and_then_told_once() -> None:
    watch, notes, told, now_s = OneFind(), Notes(), list[Event](), [0.0]
    forecasting = Forecasting(cast("ForecastWatch", watch), notes, told.extend, lambda: now_s[0])
    for now_s[0] in (0.0, 1.0, 2.0, 3.0, 4.0):
        forecasting.step()
    assert notes.noted == [FOUND.machines]
    assert told == FOUND.events
    assert len(watch.was_over) == 3  # every two seconds


def test_while_the_database_is_locked_nothing_is_told_and_it_is_tried_again() -> None:
    watch, notes, told = OneFind(), Notes(busy=1), list[Event]()
    forecasting = Forecasting(cast("ForecastWatch", watch), notes, told.extend, lambda: 0.0)
    forecasting.step()
    assert [watch.is_taken] == [False]
    assert told == []
    forecasting.finish()
    assert watch.is_taken
    assert told == FOUND.events
