"""What is known of each machine: its latest reading, its totals, and the newest readings of all of them together."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import compress, islice
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from consumers.machines.admission import Admission
from consumers.machines.episodes import EpisodeChanges, EpisodeRule, EpisodeWatch
from consumers.machines.history import History
from consumers.machines.minutes import (
    OPEN_READINGS,
    OPEN_SUMS,
    Columns,
    Sums,
    added,
    by_machine,
    by_minute,
    columns_of,
    first_moment,
    minute_of,
    summed,
)
from consumers.machines.naming import Naming
from consumers.machines.trend import NO_TREND, Trend
from consumers.rating import RowOf, rated
from consumers.records import Batch, Commit, Episode, Machine, Minute, RatedReading, Row, Stream, Timestamp
from utils.efficiency import Limits
from utils.message import MODES, Mode

_field = Machine._fields.index
_LATEST, _READINGS, _ANOMALIES, _NAME, _TREND_OPEN = map(
    _field, ("latest", "readings", "anomalies", "name", "trend_open")
)
_MODE_READINGS: Final = {mode: _field(f"{mode}_readings") for mode in MODES}
_UNKNOWN: Final[tuple[Any, ...]] = (None, *Machine._field_defaults.values())
"""A machine before its first reading."""
_NO_TRENDS: Final[Mapping[int, Trend]] = MappingProxyType({})
_NO_NAMES: Final[Mapping[str, int]] = MappingProxyType({})
_NOBODY: Final[Mapping[int, str]] = MappingProxyType({})
_MODE_SUM: Final = {mode: _field(f"{mode}_efficiency_sum") for mode in MODES}


class Changes(NamedTuple):
    """What a chunk's readings change in a fleet."""

    machines: list[Machine]
    """The machines that have new readings, as they are from then on."""
    minutes: list[Minute]
    """What is added to minutes that are not, or are no longer, a machine's open one."""
    trends: dict[int, Trend]
    """Their trends."""
    closed_trends: list[int]
    """The machines of whose trends a bucket closed."""


class Fleet:
    """Every machine ever heard of, at most `machines_at_most`.

    `recent` holds at most `recent_capacity` readings of all of them, in the order in which they came; `history` the
    minutes of the newest `window_min`.
    """

    def __init__(
        self,
        recent_capacity: int,
        machines: Iterable[Machine] = (),
        recent: Iterable[RatedReading] = (),
        machines_at_most: int = 100_000,
        window_min: float = 0.0,
        episodes: EpisodeWatch | None = None,
        trends: Mapping[int, Trend] = _NO_TRENDS,
    ) -> None:
        self.machines = {machine.latest.machine_id: machine for machine in machines}
        self.history = History(self.machines, window_min)
        self._numbers = {machine.name: id_ for id_, machine in self.machines.items() if machine.name is not None}
        self.recent = deque(recent, recent_capacity)
        self._episodes = episodes or EpisodeWatch(EpisodeRule(), Limits())
        self._trends: dict[int, Trend] = dict(trends)
        self._recent_capacity = recent_capacity
        self._machines_at_most = machines_at_most

    def naming(self) -> Naming:
        """Return what numbers the named machines of the next commit; the fleet itself does not change."""
        return Naming(self._numbers, self.machines)

    def admission(
        self, rows: Sequence[Row], rate: RowOf = rated, names: Mapping[int, str] = _NOBODY
    ) -> Admission | None:
        """Return what chooses the machines to take in if these rows are of too many, else None.

        `names` are those of new machines, by their numbers.
        """
        room = max(self._machines_at_most - len(self.machines), 0)
        if len(rows) <= room or len({row[0] for row in rows} - self.machines.keys()) <= room:
            return None
        return Admission(self.machines, room, self._machines_at_most, rate, names)

    def after(self, rows: Sequence[Row], new_names: Mapping[str, int] = _NO_NAMES) -> Changes:
        """Return what these readings change; the fleet itself does not change.

        `rows` are in the order of the file. `new_names` are the numbers of machines that were named for them.
        """
        changes = Changes([], [], {}, [])
        names = {machine_id: name for name, machine_id in new_names.items()}
        for machine_id, own_rows in by_machine(rows).items():
            values: list[Any] = list(self.machines.get(machine_id, _UNKNOWN))
            if machine_id in names:
                values[_NAME] = names[machine_id]
            columns = columns_of(own_rows)
            before = self.trend(machine_id)
            _, timestamps, modes, _, vibrations_mm_s, *_ = columns
            trend = before.after_columns(timestamps, modes, vibrations_mm_s)
            values[_TREND_OPEN] = trend.open_bytes()
            changes.trends[machine_id] = trend
            if not trend.is_closed_as(before):
                changes.closed_trends.append(machine_id)
            other_minutes = _add(values, own_rows, columns)
            changes.minutes.extend(Minute(machine_id, first_moment(at), *of) for at, of in other_minutes.items())
            changes.machines.append(Machine._make(values))
        return changes

    def commit(
        self, before: Stream, after: Stream, batch: Batch, at: Timestamp, new_names: Mapping[str, int] = _NO_NAMES
    ) -> Commit:
        """Return all that a chunk changes, of which these lines are; the fleet itself does not change."""
        changes = self.after(batch.rows, new_names)
        machines, episodes, excesses, events = self.episodes_after(batch.rows, changes.machines)
        minutes, trends, closed = changes.minutes, changes.trends, changes.closed_trends
        return Commit(before, after, batch, machines, at, minutes, episodes, excesses, events, trends, closed)

    def trend(self, machine_id: int) -> Trend:
        """Return what is known of a machine's vibration."""
        return self._trends.get(machine_id, NO_TREND)

    @property
    def open_episodes(self) -> Mapping[int, Sequence[Episode]]:
        """The episodes that go on, by machine, of those machines that have any."""
        return self._episodes.open_episodes

    def episodes_after(self, rows: Sequence[Row], machines: Sequence[Machine]) -> EpisodeChanges:
        """Return what these readings change in the episodes; `machines` are theirs, as they are `after` them."""
        return self._episodes.after(rows, machines, self.machines)

    def take(self, commit: Commit) -> None:
        """Take over what a commit changes, which is safe in the database by now."""
        self._episodes.take(commit)
        for machine in commit.machines:
            machine_id = machine.latest.machine_id
            self.machines[machine_id] = machine
            if machine.name is not None:
                self._numbers[machine.name] = machine_id
        self._trends.update(cast("Mapping[int, Trend]", commit.trends))
        self.history.take(commit.minutes)
        if self._recent_capacity:
            self.recent.extend(map(RatedReading._make, commit.batch.rows[-self._recent_capacity :]))

    def machines_by_mode(self) -> dict[Mode, int]:
        """Return how many machines are in each mode, by their latest reading."""
        counts = Counter(machine.latest.mode for machine in self.machines.values())
        return {mode: counts[mode] for mode in MODES}

    def totals_by_mode(self) -> dict[Mode, tuple[int, int]]:
        """Return how many readings there ever were in each mode, and the sum of their efficiency, in tenths."""
        machines = self.machines.values()
        return {
            mode: (
                sum(map(itemgetter(_MODE_READINGS[mode]), machines)),
                sum(map(_tenths, map(itemgetter(_MODE_SUM[mode]), machines))),
            )
            for mode in MODES
        }

    def mean_efficiency_by_mode(self) -> dict[Mode, float | None]:
        """Return the mean of all readings ever, 0 to 100, by mode; None for a mode that no machine has been in."""
        totals = self.totals_by_mode().items()
        return {mode: tenths / 10 / readings if readings else None for mode, (readings, tenths) in totals}

    def latest_heard(self, readings: int) -> list[RatedReading]:
        """Return the latest reading of each machine among the newest so many readings.

        If no readings are kept, return those of the machines heard last.
        """
        newest = list(islice(reversed(self.recent), readings))
        if not newest:
            latest = (machine.latest for machine in self.machines.values())
            newest = nlargest(readings, latest, key=lambda reading: reading.processed_at)
        return list({reading.machine_id: reading for reading in reversed(newest)}.values())


def _add(values: list[Any], rows: Sequence[Row], columns: Columns) -> dict[str, Sums]:
    """Add rows of one machine to its values; return what they add to minutes that are not its open one."""
    sums: dict[str, Sums] = {}
    # Many rows, few groups: each is added up at C speed, column by column.
    for minute, own_columns in _by_minute(rows, columns):
        sums[minute] = own_sums = summed(own_columns)
        _count(values, own_sums, own_columns)
    _turn_minute(values, sums, RatedReading._make(rows[-1]))
    return sums


def _by_minute(rows: Sequence[Row], columns: Columns) -> Iterable[tuple[str, Columns]]:
    """Return the columns of the rows of each minute; `columns` are those of all of them."""
    timestamps = columns[1]
    minute = minute_of(min(timestamps))
    if minute == minute_of(max(timestamps)):  # as it is where a chunk holds few rows of each of many machines
        return [(minute, columns)]
    return ((minute, columns_of(own_rows)) for minute, own_rows in by_minute(rows).items())


def _count(values: list[Any], sums: Sums, columns: Columns) -> None:
    """Add rows of one machine, and what they come to, to its totals."""
    modes, scores = columns[2], columns[5]
    readings, _, anomalies, efficiency_sum, *_ = sums
    values[_READINGS] += readings
    values[_ANOMALIES] += anomalies
    for mode in set(modes):
        count = modes.count(mode)
        if count < readings:  # few minutes hold more than one mode
            efficiency_sum = sum(compress(scores, map(mode.__eq__, modes)))
        mode_sum = _MODE_SUM[mode]
        values[_MODE_READINGS[mode]] += count
        values[mode_sum] = (_tenths(values[mode_sum]) + _tenths(efficiency_sum)) / 10


def _turn_minute(values: list[Any], sums: dict[str, Sums], latest: RatedReading) -> None:
    """Put the latest reading and its minute into a machine's values; leave in `sums` what is of other minutes."""
    if values[OPEN_READINGS]:
        was_open = minute_of(values[_LATEST].timestamp)
        before = values[OPEN_SUMS]
        sums[was_open] = added(before, sums[was_open]) if was_open in sums else before
    values[_LATEST] = latest
    values[OPEN_SUMS] = sums.pop(minute_of(latest.timestamp))


def _tenths(value: float) -> int:
    """Return a sum of one-decimal numbers in whole tenths: added so, sums are exact in any order."""
    return round(value * 10)
