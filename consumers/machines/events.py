"""What is worth telling people, in words and figures: for the log and for alerts."""

import json
from typing import Any

from consumers.machines.ranking import UNITS, forecast_span
from consumers.records import Episode, Event, EventKind, Machine, Timestamp
from utils.message import epoch_seconds
from utils.text import count, duration


def raised(episode: Episode) -> Event:
    """Return that a signal went beyond its limit."""
    signal, unit = episode.signal, UNITS[episode.signal]
    text = (
        f"machine {episode.machine_id}: {signal} {episode.raised_value:g} > {episode.limit_value:g} {unit} "
        f"since {_moment(episode.raised_at)}"
    )
    return _event("raised", episode.machine_id, text, episode.raised_at, _figures(episode))


def cleared(episode: Episode) -> Event:
    """Return that a signal has come back."""
    at = episode.cleared_at or episode.raised_at
    unit = UNITS[episode.signal]
    text = (
        f"machine {episode.machine_id}: {episode.signal} is back within {episode.limit_value:g} {unit} "
        f"since {_moment(at)}, after {duration(_seconds(episode.raised_at, at))}; "
        f"its peak was {episode.peak_value:g} {unit}"
    )
    return _event("cleared", episode.machine_id, text, at, _figures(episode))


def forecast_appeared(machine: Machine, limit_mm_s: float, *, is_first: bool) -> Event:
    """Return that a machine's vibration is forecast to reach its limit, for the first time or much sooner."""
    latest = machine.latest
    text = (
        f"machine {latest.machine_id}: vibration {latest.vibration_mm_s:g} mm/s is "
        f"{'' if is_first else 'now '}forecast to reach {limit_mm_s:g} mm/s in {forecast_span(machine)} of running"
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
    return _event("forecast" if is_first else "forecast_sooner", latest.machine_id, text, latest.timestamp, details)


def forecast_gone(machine: Machine) -> Event:
    """Return that a machine that was forecast to reach its limit has no trend any more."""
    machine_id, at = machine.latest.machine_id, machine.latest.timestamp
    text = f"machine {machine_id}: its vibration is no longer forecast to reach the limit"
    return _event("forecast_gone", machine_id, text, at, {"mode": machine.latest.mode})


def silent(machine: Machine, at: Timestamp) -> Event:
    """Return that a machine is silent while others report; `at` is the plant's time."""
    machine_id, heard_at = machine.latest.machine_id, machine.latest.timestamp
    text = (
        f"machine {machine_id}: silent for {duration(_seconds(heard_at, at))} while others report; "
        f"last heard {_moment(heard_at)}, {machine.latest.mode}"
    )
    return _event("silent", machine_id, text, at, {"heard_at": heard_at, "mode": machine.latest.mode})


def back(machine: Machine, since: Timestamp) -> Event:
    """Return that a machine reports again, which had been silent `since` a moment."""
    machine_id, at = machine.latest.machine_id, machine.latest.timestamp
    text = f"machine {machine_id}: reports again after {duration(_seconds(since, at))}"
    return _event("back", machine_id, text, at, {"silent_since": since, "mode": machine.latest.mode})


def feed_silent(quiet_s: float, at: Timestamp) -> Event:
    """Return that no line comes; `at` is the time by the consumer's clock, as in the events that follow."""
    return _event("feed_silent", None, f"no reading for {duration(quiet_s)}", at, {"quiet_s": round(quiet_s)})


def all_rejected(quiet_s: float, lines: int, at: Timestamp) -> Event:
    """Return that lines come, but none is a reading."""
    text = (
        f"no reading for {duration(quiet_s)}: every line is rejected ({count(lines, 'line')}), see rejected_messages"
    )
    return _event("rejected", None, text, at, {"quiet_s": round(quiet_s), "rejected_lines": lines})


def feed_back(quiet_s: float, at: Timestamp) -> Event:
    """Return that readings come again."""
    return _event("feed_back", None, f"readings come again after {duration(quiet_s)}", at, {})


def _event(kind: EventKind, machine_id: int | None, text: str, at: Timestamp, details: dict[str, Any]) -> Event:
    return Event(kind, machine_id, text, json.dumps(details, ensure_ascii=False), at)


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


def _moment(at: Timestamp) -> str:
    return f"{at[:10]} {at[11:19]}"
