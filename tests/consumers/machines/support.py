"""Machines that were heard, at moments of a plant that begins at `T0_S`."""

from collections.abc import Iterable

from consumers.records import Machine, RatedReading
from utils.efficiency import Limits
from utils.message import Mode, Reading, timestamp_at

LIMITS = Limits()
T0_S = 1_800_000_000.0


def row(
    machine_id: int,
    after_s: float,
    mode: Mode = "active",
    temperature_c: float = 60.0,
    vibration_mm_s: float = 1.0,
) -> RatedReading:
    reading = Reading(machine_id, timestamp_at(T0_S + after_s), mode, temperature_c, vibration_mm_s)
    score, level, is_anomaly, _ = LIMITS.rate(reading)
    return RatedReading(*reading, score, level, is_anomaly, reading.timestamp)


def ids(machines: Iterable[Machine]) -> list[int]:
    return [machine.latest.machine_id for machine in machines]
