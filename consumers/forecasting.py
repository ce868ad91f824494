"""Forecasts between chunks: when all lines that are there have been read, for a little while, now and then."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from consumers.machines.forecasts import ForecastWatch
from consumers.records import Event, Machine
from consumers.store.errors import StoreWaitError

_EVERY_S: Final = 2.0
_FOR_S: Final = 0.02
"""So long is fitted at once: a reading that comes meanwhile waits no longer."""


class Notes(Protocol):
    """Where forecasts are noted: the database."""

    def note(self, machines: Iterable[Machine], events: Sequence[Event]) -> None:
        """Save machines whose forecast has changed, and what is to be told of it. Raises StoreError."""


class Forecasting:
    """Lets `watch` look, notes what it finds and tells it. `monotonic` returns seconds."""

    def __init__(
        self,
        watch: ForecastWatch,
        notes: Notes,
        tell: Callable[[Sequence[Event]], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._watch = watch
        self._notes = notes
        self._tell = tell
        self._monotonic = monotonic
        self._looked_s = -_EVERY_S

    def step(self) -> None:
        """Forecast some machines if it is time. Raises StoreError."""
        now_s = self._monotonic()
        if now_s - self._looked_s >= _EVERY_S:
            self._looked_s = now_s
            self._look(lambda: self._monotonic() - now_s >= _FOR_S)

    def finish(self) -> None:
        """Forecast every machine of which more is known. Raises StoreError."""
        self._look(lambda: False)

    def _look(self, is_time_over: Callable[[], bool]) -> None:
        changes = self._watch.look(is_time_over)
        if changes.machines or changes.events:
            try:
                self._notes.note(changes.machines, changes.events)
            except StoreWaitError:
                return  # at the next look it is tried again
        self._watch.take(changes)
        self._tell(changes.events)
