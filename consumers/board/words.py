"""What the picture says, in words that fit their places; plain text, nothing of drawing."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from textwrap import wrap
from typing import Final

from consumers.records import Machine, Timestamp
from utils.message import epoch_seconds
from utils.moment import in_words
from utils.text import count, duration

_WAITING_LINE: Final = 50
_WAITING_LINES: Final = 5
_LARGE: Final = 100.0
_HUGE: Final = 1e7
_CLOCKS_DIFFER_S: Final = 60.0


def machine_names(
    machines: Sequence[Machine], at_most: int, characters: int, name_of: Callable[[Machine], str]
) -> str:
    """Return a list of machines with `at_most` names, or fewer so that it fits into `characters`; at least one."""
    names = " ".join(map(name_of, machines[:at_most]))
    if len(machines) > at_most:
        names += f" +{len(machines) - at_most:,} more"
    return (
        names
        if len(names) <= characters or at_most <= 1
        else machine_names(machines, at_most - 1, characters, name_of)
    )


def waiting_words(waiting_for: str) -> str:
    """Return what stands in the empty picture, in a few lines; the middle of a long text is left out."""
    lines = wrap(f"Waiting for {waiting_for} …", _WAITING_LINE)
    if len(lines) > _WAITING_LINES:
        lines[_WAITING_LINES // 2 : -(_WAITING_LINES // 2)] = ["…"]
    return "\n".join(lines)


def totals_words(machines: int, readings: int) -> str:
    """Return how many machines and readings there are in all."""
    return f"{count(machines, 'machine')}, {count(readings, 'reading')}"


def heard_words(heard_s: float | None) -> str:
    """Return how long ago the last reading was received."""
    return "no reading yet" if heard_s is None else f"last reading received {duration(heard_s)} ago"


def lag_words(now: Timestamp, at: Timestamp) -> str:
    """Return how far the plant's clock differs from the consumer's; nothing if it does not."""
    lag_s = epoch_seconds(now) - epoch_seconds(at)
    if abs(lag_s) < _CLOCKS_DIFFER_S:
        return ""
    return f"plant's clock {duration(abs(lag_s))} {'behind' if lag_s > 0 else 'ahead'}"


def moment_words(at: Timestamp, zone: tzinfo) -> str:
    """Return a moment's date and time by the clock of a zone, with their offset."""
    local = local_time(at, zone)
    if local is None:
        return f"{in_words(at)} UTC"
    return f"{local:%Y-%m-%d %H:%M:%S} {offset_words(at, zone)}"


def offset_words(at: Timestamp, zone: tzinfo) -> str:
    """Return how far a zone is ahead of UTC at a moment: "UTC+1"."""
    local = local_time(at, zone)
    offset = None if local is None else local.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


def local_time(at: Timestamp, zone: tzinfo) -> datetime | None:
    """Return a moment by the clock of a zone; None at the ends of the calendar, where there may be none."""
    try:
        return datetime.fromisoformat(at).astimezone(zone)
    except OverflowError:
        return None


def value_words(value: float) -> str:
    """Return a measured value in three digits or, of a large one, all before the point."""
    return f"{value:,.0f}" if _LARGE <= abs(value) < _HUGE else f"{value:.3g}"


def span_words(span_s: float, *, is_stale: bool) -> str:
    """Return how far back a panel reaches: by the plant's clock, and up to when something was last heard."""
    return f"last {duration(span_s)}" + (" heard" if is_stale else "")
