"""What is known of each machine: its latest reading, its totals, and the newest readings of all of them together."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from consumers.machines.admission import Admission
from consumers.records import Commit, Machine, RatedReading, Row
from utils.message import MODES, Mode

_COUNTED: Final = itemgetter(
    *map(RatedReading._fields.index, ("machine_id", "mode", "efficiency_score", "is_anomaly"))
)
_Count = tuple[Mode, float, int, int]
"""Mode, score and anomaly, and how many readings have them."""

_field = Machine._fields.index
_LATEST, _READINGS, _ANOMALIES = map(_field, ("latest", "readings", "anomalies"))
_MODE_READINGS: Final = {mode: _field(f"{mode}_readings") for mode in MODES}
_MODE_SUM: Final = {mode: _field(f"{mode}_efficiency_sum") for mode in MODES}


class Fleet:
    """Every machine ever heard of, at most `machines_at_most`.

    `recent` holds at most `recent_capacity` readings of all of them, in the order in which they came.
    """

    def __init__(
        self,
        recent_capacity: int,
        machines: Iterable[Machine] = (),
        recent: Iterable[RatedReading] = (),
        machines_at_most: int = 100_000,
    ) -> None:
        self.machines = {machine.latest.machine_id: machine for machine in machines}
        self.recent = deque(recent, recent_capacity)
        self._recent_capacity = recent_capacity
        self._machines_at_most = machines_at_most

    def admission(self, rows: Sequence[Row]) -> Admission | None:
        """Return what chooses the machines to take in if these rows are of too many, else None."""
        room = max(self._machines_at_most - len(self.machines), 0)
        if len(rows) <= room or len({row[0] for row in rows} - self.machines.keys()) <= room:
            return None
        return Admission(self.machines, room, self._machines_at_most)

    def after(self, rows: Sequence[Row]) -> list[Machine]:
        """Return the machines of these readings as they are after them; the fleet itself does not change.

        `rows` are in the order of the file.
        """
        latest = {row[0]: row for row in rows}
        # Few combinations, many rows: counted at C speed, then added up once for each combination.
        counts: dict[int, list[_Count]] = defaultdict(list)
        for (machine_id, mode, efficiency_score, is_anomaly), count in Counter(map(_COUNTED, rows)).items():
            counts[machine_id].append((mode, efficiency_score, is_anomaly, count))
        known = self.machines
        return [
            _after(known.get(machine_id), RatedReading._make(row), counts[machine_id])
            for machine_id, row in latest.items()
        ]

    def take(self, commit: Commit) -> None:
        """Take over what a commit changes, which is safe in the database by now."""
        for machine in commit.machines:
            self.machines[machine.latest.machine_id] = machine
        if self._recent_capacity:
            self.recent.extend(map(RatedReading._make, commit.batch.rows[-self._recent_capacity :]))

    def machines_by_mode(self) -> dict[Mode, int]:
        """Return how many machines are in each mode, by their latest reading."""
        counts = Counter(machine.latest.mode for machine in self.machines.values())
        return {mode: counts[mode] for mode in MODES}

    def mean_efficiency_by_mode(self) -> dict[Mode, float | None]:
        """Return the mean of all readings ever, 0 to 100, by mode; None for a mode that no machine has been in."""
        return {mode: self._mean_efficiency(mode) for mode in MODES}

    def latest_heard(self, readings: int) -> list[RatedReading]:
        """Return the latest reading of each machine among the newest so many readings.

        If no readings are kept, return those of the machines heard last.
        """
        newest = list(islice(reversed(self.recent), readings))
        if not newest:
            latest = (machine.latest for machine in self.machines.values())
            newest = nlargest(readings, latest, key=lambda reading: reading.processed_at)
        return list({reading.machine_id: reading for reading in reversed(newest)}.values())

    def _mean_efficiency(self, mode: Mode) -> float | None:
        readings = sum(machine[_MODE_READINGS[mode]] for machine in self.machines.values())
        tenths = sum(_tenths(machine[_MODE_SUM[mode]]) for machine in self.machines.values())
        return tenths / 10 / readings if readings else None


def _after(before: Machine | None, latest: RatedReading, counts: Iterable[_Count]) -> Machine:
    """Return a machine after readings that are counted by mode, score and anomaly."""
    values: list[Any] = list(before or Machine(latest))
    values[_LATEST] = latest
    for mode, efficiency_score, is_anomaly, count in counts:
        values[_READINGS] += count
        values[_ANOMALIES] += is_anomaly * count
        values[_MODE_READINGS[mode]] += count
        mode_sum = _MODE_SUM[mode]
        values[mode_sum] = (_tenths(values[mode_sum]) + _tenths(efficiency_score) * count) / 10
    return Machine._make(values)


def _tenths(value: float) -> int:
    """Return a sum of one-decimal numbers in whole tenths: added so, sums are exact in any order."""
    return round(value * 10)
