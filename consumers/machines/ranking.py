"""Which machines need a look first, and why: the one order for the dashboard, the log and the database.

The view `machines_to_maintain` says the same in SQL; a test holds the two together.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, inf
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from consumers.records import Episode, Machine, Timestamp
from utils.efficiency import Limits, Signal
from utils.message import Mode, epoch_seconds
from utils.text import duration

Kind = Literal["beyond", "forecast", "stopped", "near"]
RUNNING: Final[tuple[Mode, ...]] = ("active", "idle")
"""The modes in which a machine runs: those in which the rule scores it by its readings. An idle machine turns."""
UNITS: Final[Mapping[Signal, str]] = MappingProxyType({"temperature": "°C", "vibration": "mm/s"})
_ORDER: Final[tuple[Kind, ...]] = ("beyond", "forecast", "stopped", "near")
_STALE_AFTER_S: Final = 60.0
_HOUR_S: Final = 3600.0
_SPAN_UNITS: Final = (("s", 1, 120.0), ("min", 60, 7_200.0), ("h", 3_600, 172_800.0), ("days", 86_400, inf))
"""A unit, its seconds, and the time from which on it is too small."""
_NO_EPISODES: Final[Mapping[int, Sequence[Episode]]] = MappingProxyType({})


class Urgency(NamedTuple):
    """Why a machine stands where it stands in the ranking."""

    machine: Machine
    kind: Kind
    """Running beyond a limit; forecast to cross one; beyond one, but stopped; or nothing but near to one."""
    reason: str
    """In words: "vibration 6.2 > 4.5 mm/s for 3 min"."""
    since: Timestamp | None
    """When the oldest of its open episodes began, or the reading that is beyond a limit came; None if neither is."""
    share_of_limit: float
    """Of its latest reading: 1 at the nearer limit, more beyond it."""


class _Gauge(NamedTuple):
    """One signal of a machine: its latest value, its limit, and its episode if one goes on."""

    signal: Signal
    value: float
    limit: float
    episode: Episode | None

    @property
    def share(self) -> float:
        return self.value / self.limit if self.limit > 0 else 0.0


def ranked(
    machines: Iterable[Machine],
    limits: Limits,
    at: Timestamp,
    open_episodes: Mapping[int, Sequence[Episode]] = _NO_EPISODES,
    stale_after_s: float = _STALE_AFTER_S,
) -> list[Urgency]:
    """Return the machines in the order in which they need a look.

    First come those that run beyond a limit (by the share of the limit, then by how long), then those that are
    forecast to cross one (the soonest first), then those that are beyond a limit but stopped, then the others, the
    nearest to a limit first. A machine is beyond a limit if its latest reading is, or an episode of it goes on.
    `at` is the plant's time: a machine that was quiet for longer than `stale_after_s` by then is told as silent.
    """
    urgencies = [
        _urgency(machine, limits, at, open_episodes.get(machine.latest.machine_id, ()), stale_after_s)
        for machine in machines
    ]
    return sorted(urgencies, key=_place)


def by_id(machines: Iterable[Machine]) -> list[Machine]:
    """Return the machines in the order of their ids."""
    return sorted(machines, key=lambda machine: machine.latest.machine_id)


def _urgency(
    machine: Machine, limits: Limits, at: Timestamp, episodes: Sequence[Episode], stale_after_s: float
) -> Urgency:
    latest = machine.latest
    by_signal = {episode.signal: episode for episode in episodes}
    heat = _Gauge("temperature", latest.temperature_c, limits.temperature_safe_max_c, by_signal.get("temperature"))
    shake = _Gauge("vibration", latest.vibration_mm_s, limits.vibration_safe_max_mm_s, by_signal.get("vibration"))
    beyond = [gauge for gauge in (heat, shake) if gauge.value > gauge.limit or gauge.episode is not None]
    if beyond:
        kind: Kind = "beyond" if latest.mode in RUNNING else "stopped"
        reason = ", ".join(_beyond_words(gauge, latest.timestamp) for gauge in beyond)
        reason += "" if kind == "beyond" else _now(latest.mode)
    elif machine.hours_to_limit is not None:
        kind, reason = "forecast", _forecast_words(machine)
    else:
        nearest = max(heat, shake, key=lambda gauge: gauge.share)
        kind, reason = "near", f"{nearest.signal} {nearest.value:g} of {nearest.limit:g} {UNITS[nearest.signal]}"
    since = min((gauge.episode.raised_at if gauge.episode else latest.timestamp for gauge in beyond), default=None)
    silence = _silence_words(latest.timestamp, at, stale_after_s)
    return Urgency(machine, kind, reason + silence, since, max(heat.share, shake.share))


def _place(urgency: Urgency) -> tuple[int, float, str, int]:
    """Return what urgencies are ordered by."""
    hours = urgency.machine.hours_to_limit if urgency.kind == "forecast" else None
    worth = -urgency.share_of_limit if hours is None else hours
    return _ORDER.index(urgency.kind), worth, urgency.since or "", urgency.machine.latest.machine_id


def _beyond_words(gauge: _Gauge, heard_at: Timestamp) -> str:
    signal, value, limit, episode = gauge
    unit = UNITS[signal]
    if episode is None:
        return f"{signal} {value:g} > {limit:g} {unit}"
    lasting = f"for {duration(_seconds_between(episode.raised_at, heard_at))}"
    if value > limit:
        return f"{signal} {value:g} > {limit:g} {unit} {lasting}"
    return f"{signal} {value:g} {unit}, peak {episode.peak_value:g} > {episode.limit_value:g} {unit} {lasting}"


def forecast_span(machine: Machine) -> str:
    """Return the range of the time left in words, in the unit that suits its end: "20–35 min"."""
    low_s, high_s = ((hours or 0.0) * _HOUR_S for hours in (machine.hours_to_limit_low, machine.hours_to_limit_high))
    unit, size_s = next((unit, size_s) for unit, size_s, end_s in _SPAN_UNITS if high_s < end_s)
    return f"{floor(low_s / size_s)}–{ceil(high_s / size_s)} {unit}"


def _forecast_words(machine: Machine) -> str:
    latest = machine.latest
    if latest.mode != "active":  # its vibration says nothing now
        return f"vibration limit in {forecast_span(machine)} of running{_now(latest.mode)}"
    return f"vibration {latest.vibration_mm_s:g} mm/s, limit in {forecast_span(machine)}"


def _now(mode: Mode) -> str:
    return f", now {'in ' * (mode == 'maintenance')}{mode}"


def _silence_words(heard_at: Timestamp, at: Timestamp, stale_after_s: float) -> str:
    quiet_s = _seconds_between(heard_at, at)
    return f", silent for {duration(quiet_s)}" if quiet_s > stale_after_s else ""


def _seconds_between(begin: Timestamp, end: Timestamp) -> float:
    """Return the time from one timestamp to another, exact to the millisecond, as SQL works it out."""
    return round((epoch_seconds(end) - epoch_seconds(begin)) * 1000) / 1000
