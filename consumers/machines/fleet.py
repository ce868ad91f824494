"""What is known of each machine: its latest reading, its totals, and the newest readings of all of them together."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

from consumers.machines.admission import Admission
from consumers.machines.naming import Naming
from consumers.rating import RowOf, rated
from consumers.records import Commit, Machine, RatedReading, Row
from utils.message import MODES, Mode

_COUNTED: Final = itemgetter(
    *map(RatedReading._fields.index, ("machine_id", "mode", "efficiency_score", "is_anomaly"))
)
_field = Machine._fields.index
_LATEST, _READINGS, _ANOMALIES, _NAME = map(_field, ("latest", "readings", "anomalies", "name"))
_MODE_READINGS: Final = {mode: _field(f"{mode}_readings") for mode in MODES}
_UNKNOWN: Final[tuple[Any, ...]] = (None, *Machine._field_defaults.values())
"""A machine before its first reading."""
_NO_NAMES: Final[Mapping[str, int]] = MappingProxyType({})
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
        self._numbers = {machine.name: id_ for id_, machine in self.machines.items() if machine.name is not None}
        self.recent = deque(recent, recent_capacity)
        self._recent_capacity = recent_capacity
        self._machines_at_most = machines_at_most

    def naming(self) -> Naming:
        """Return what numbers the named machines of the next commit; the fleet itself does not change."""
        return Naming(self._numbers, self.machines)

    def admission(self, rows: Sequence[Row], rate: RowOf = rated) -> Admission | None:
        """Return what chooses the machines to take in if these rows are of too many, else None."""
        room = max(self._machines_at_most - len(self.machines), 0)
        if len(rows) <= room or len({row[0] for row in rows} - self.machines.keys()) <= room:
            return None
        return Admission(self.machines, room, self._machines_at_most, rate)

    def after(self, rows: Sequence[Row], new_names: Mapping[str, int] = _NO_NAMES) -> list[Machine]:
        """Return the machines of these readings as they are after them; the fleet itself does not change.

        `rows` are in the order of the file. `new_names` are the numbers of machines that were named for them.
        """
        changed: dict[int, list[Any]] = {}
        # Few combinations, many rows: counted at C speed, then added up once for each combination.
        for (machine_id, mode, efficiency_score, is_anomaly), count in Counter(map(_COUNTED, rows)).items():
            values = changed.get(machine_id)
            if values is None:
                values = changed[machine_id] = list(self.machines.get(machine_id, _UNKNOWN))
            mode_sum = _MODE_SUM[mode]
            values[_READINGS] += count
            values[_ANOMALIES] += is_anomaly * count
            values[_MODE_READINGS[mode]] += count
            values[mode_sum] = (_tenths(values[mode_sum]) + _tenths(efficiency_score) * count) / 10
        for machine_id, row in {row[0]: row for row in rows}.items():
            changed[machine_id][_LATEST] = RatedReading._make(row)
        for name, machine_id in new_names.items():
            if machine_id in changed:
                changed[machine_id][_NAME] = name
        return list(map(Machine._make, changed.values()))

    def take(self, commit: Commit) -> None:
        """Take over what a commit changes, which is safe in the database by now."""
        for machine in commit.machines:
            self.machines[machine.latest.machine_id] = machine
            if machine.name is not None:
                self._numbers[machine.name] = machine.latest.machine_id
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
        machines = self.machines.values()
        readings = sum(getattr(machine, f"{mode}_readings") for machine in machines)
        tenths = sum(_tenths(getattr(machine, f"{mode}_efficiency_sum")) for machine in machines)
        return tenths / 10 / readings if readings else None


def _tenths(value: float) -> int:
    """Return a sum of one-decimal numbers in whole tenths: added so, sums are exact in any order."""
    return round(value * 10)
