"""What is worth telling people, in words and figures: for the log and for alerts."""

import json
from typing import Any

from consumers.machines.naming import machine_in_words
from consumers.machines.ranking import UNITS, forecast_span
from consumers.records import Episode, Event, EventKind, Machine, Timestamp
from utils.message import epoch_seconds
from utils.moment import in_words
from utils.text import count, duration, printable


def raised(episode: Episode, machine: Machine) -> Event:
    """Return that a signal of a machine went beyond its limit."""
    signal, unit = episode.signal, UNITS[episode.signal]
    text = (
        f"{machine_in_words(machine)}: {signal} {episode.raised_value:g} > {episode.limit_value:g} {unit} "
        f"since {in_words(episode.raised_at)}"
    )
    return _machine_event("raised", machine, text, episode.raised_at, _figures(episode))


def cleared(episode: Episode, machine: Machine) -> Event:
    """Return that a signal has come back."""
    at = episode.cleared_at or episode.raised_at
    unit = UNITS[episode.signal]
    text = (
        f"{machine_in_words(machine)}: {episode.signal} is back within {episode.limit_value:g} {unit} "
        f"since {in_words(at)}, after {duration(_seconds(episode.raised_at, at))}; "
        f"its peak was {episode.peak_value:g} {unit}"
    )
    return _machine_event("cleared", machine, text, at, _figures(episode))


def forecast_appeared(machine: Machine, limit_mm_s: float, *, is_first: bool) -> Event:
    """Return that a machine's vibration is forecast to reach its limit, for the first time or much sooner."""
    latest = machine.latest
    value = f" {latest.vibration_mm_s:g} mm/s" if latest.mode == "active" else ""
    text = (
        f"{machine_in_words(machine)}: vibration{value} is {'' if is_first else 'now '}forecast "
        f"to reach {limit_mm_s:g} mm/s in {forecast_span(machine)} of running"
    )
    details = {
        "limit": limit_mm_s,
        "unit": UNITS["vibration"],
        "value": latest.vibration_mm_s,
        "hours_to_limit_low": machine.hours_to_limit_low,
        "hours_to_limit": machine.hours_to_limit,
        "hours_to_limit_high": machine.hours_to_limit_high,
        "limit_earliest_at": machine.limit_earliest_at,
        "limit_latest_at": machine.limit_latest_at,
    }
    kind: EventKind = "forecast" if is_first else "forecast_sooner"
    return _machine_event(kind, machine, text, latest.timestamp, details)


def forecast_gone(machine: Machine) -> Event:
    """Return that a machine that was forecast to reach its limit has no trend any more."""
    text = f"{machine_in_words(machine)}: its vibration is no longer forecast to reach the limit"
    return _machine_event("forecast_gone", machine, text, machine.latest.timestamp, {"mode": machine.latest.mode})


def silent(machine: Machine, at: Timestamp) -> Event:
    """Return that a machine is silent while others report; `at` is the plant's time."""
    heard_at = machine.latest.timestamp
    text = (
        f"{machine_in_words(machine)}: silent for {duration(_seconds(heard_at, at))} while others report; "
        f"last heard {in_words(heard_at)}, {machine.latest.mode}"
    )
    return _machine_event("silent", machine, text, at, {"heard_at": heard_at, "mode": machine.latest.mode})


def back(machine: Machine, since: Timestamp) -> Event:
    """Return that a machine reports again, which had been silent `since` a moment."""
    at = machine.latest.timestamp
    text = f"{machine_in_words(machine)}: reports again after {duration(_seconds(since, at))}"
    return _machine_event("back", machine, text, at, {"silent_since": since, "mode": machine.latest.mode})


def feed_silent(quiet_s: float, at: Timestamp) -> Event:
    """Return that no line comes; `at` is the time by the consumer's clock, as in the events that follow."""
    return _feed_event("feed_silent", f"no reading for {duration(quiet_s)}", at, {"quiet_s": round(quiet_s)})


def all_rejected(quiet_s: float, lines: int, at: Timestamp) -> Event:
    """Return that lines come, but none is a reading."""
    text = (
        f"no reading for {duration(quiet_s)}: every line is rejected ({count(lines, 'line')}), see rejected_messages"
    )
    return _feed_event("rejected", text, at, {"quiet_s": round(quiet_s), "rejected_lines": lines})


def feed_back(quiet_s: float, at: Timestamp) -> Event:
    """Return that readings come again."""
    return _feed_event("feed_back", f"readings come again after {duration(quiet_s)}", at, {})


def _machine_event(kind: EventKind, machine: Machine, text: str, at: Timestamp, figures: dict[str, Any]) -> Event:
    machine_id, name = machine.latest.machine_id, machine.name
    called = {"machine_id": machine_id, "name": None if name is None else printable(name)}
    return Event(kind, machine_id, text, json.dumps(called | figures, ensure_ascii=False), at)


def _feed_event(kind: EventKind, text: str, at: Timestamp, figures: dict[str, Any]) -> Event:
    return Event(kind, None, text, json.dumps(figures), at)


def _figures(episode: Episode) -> dict[str, Any]:
    return {
        "episode": episode.id,
        "signal": episode.signal,
        "unit": UNITS[episode.signal],
        "limit": episode.limit_value,
        "value": episode.raised_value,
        "peak": episode.peak_value,
        "raised_at": episode.raised_at,
        "cleared_at": episode.cleared_at,
        "mode": episode.mode,
    }


def _seconds(begin: Timestamp, end: Timestamp) -> float:
    return epoch_seconds(end) - epoch_seconds(begin)
