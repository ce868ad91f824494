"""What is known of each machine: latest reading, totals, and the fleet's recent readings."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from typing import Final

from consumers.records import RatedReading, Row
from utils.message import MODES, Mode

_COUNTED: Final = itemgetter(0, 2, 5, 7)
"""Of a row: machine, mode, score, anomaly."""


@dataclass(slots=True)
class ModeTotals:
    """Of one machine in one mode. The sum is kept in tenths, whole numbers, so that it is exact in any order."""

    readings: int = 0
    efficiency_sum_tenths: int = 0


@dataclass(slots=True)
class Machine:
    """What is known of one machine."""

    latest: RatedReading
    anomalies: int = 0
    totals: dict[Mode, ModeTotals] = field(default_factory=lambda: {mode: ModeTotals() for mode in MODES})

    @property
    def readings(self) -> int:
        """Readings of this machine since the database began."""
        return sum(totals.readings for totals in self.totals.values())


class Fleet:
    """Every machine ever heard of, and the newest readings of all of them together.

    `recent` holds at most `recent_capacity` readings, oldest first, in the order of arrival.
    """

    def __init__(
        self, recent_capacity: int, machines: Iterable[Machine] = (), recent: Iterable[RatedReading] = ()
    ) -> None:
        self.machines = {machine.latest.machine_id: machine for machine in machines}
        self.recent = deque(recent, recent_capacity)
        self._recent_capacity = recent_capacity

    def add(self, rows: Sequence[Row]) -> list[Machine]:
        """Take in readings, in the order of the file; returns the machines that they change."""
        self.recent.extend(map(RatedReading._make, rows[-self._recent_capacity :] if self._recent_capacity else ()))
        latest = {row[0]: row for row in rows}
        for machine_id, row in latest.items():
            machine = self.machines.get(machine_id)
            if machine is None:
                self.machines[machine_id] = Machine(RatedReading._make(row))
            else:
                machine.latest = RatedReading._make(row)
        # Few combinations, many rows: counted at C speed, then added up once for each combination.
        counts = Counter(map(_COUNTED, rows))
        for (machine_id, mode, efficiency_score, is_anomaly), count in counts.items():
            machine = self.machines[machine_id]
            totals = machine.totals[mode]
            totals.readings += count
            totals.efficiency_sum_tenths += round(efficiency_score * 10) * count
            machine.anomalies += is_anomaly * count
        return [self.machines[machine_id] for machine_id in latest]

    def machines_by_mode(self) -> dict[Mode, int]:
        """Count the machines by the mode of their latest reading; every mode has a count."""
        counts = Counter(machine.latest.mode for machine in self.machines.values())
        return {mode: counts[mode] for mode in MODES}

    def mean_efficiency_by_mode(self) -> dict[Mode, float | None]:
        """Average all readings ever, by mode, 0 to 100; None for a mode that no machine has been in."""
        return {mode: self._mean_efficiency(mode) for mode in MODES}

    def latest_heard(self, readings: int) -> list[RatedReading]:
        """Tell the last word of each machine among the newest so many readings.

        Where no readings are kept, those of the machines heard last. Empty when nothing is known.
        """
        newest = list(islice(reversed(self.recent), readings))
        if not newest:
            latest = (machine.latest for machine in self.machines.values())
            newest = nlargest(readings, latest, key=lambda reading: reading.processed_at)
        return list({reading.machine_id: reading for reading in reversed(newest)}.values())

    def _mean_efficiency(self, mode: Mode) -> float | None:
        totals = [machine.totals[mode] for machine in self.machines.values()]
        readings = sum(total.readings for total in totals)
        return sum(total.efficiency_sum_tenths for total in totals) / 10 / readings if readings else None
