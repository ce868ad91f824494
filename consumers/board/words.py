"""What the picture says, in words that fit their places; plain text, nothing of drawing."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Final

from utils.text import count, duration

# The room in the picture: how many machines are named, and how many characters that may take.
LONGEST_NAME: Final = 9
_LONGEST_NUMBER: Final = 6
_NAMED_BEYOND: Final = 5
_LONGEST_BEYOND: Final = 55
_NAMED_SILENT: Final = 3
_LONGEST_SILENT: Final = 18
_NAMED_CLOCKS: Final = 3
_LONGEST_CLOCKS: Final = 32
_WAITING_LINE: Final = 50
_WAITING_LINES: Final = 5


NameOf = Callable[[int], str]
"""Returns what the picture calls a machine, given its id."""


def number_name(machine_id: int) -> str:
    """Return what a machine without a name is called, in at most seven characters: of a long number only the end."""
    digits = str(machine_id)
    return f"#{digits}" if len(digits) <= _LONGEST_NUMBER else f"#…{digits[-_LONGEST_NUMBER + 1 :]}"


def machine_names(machine_ids: Sequence[int], at_most: int, characters: int, name_of: NameOf = number_name) -> str:
    """Return a list of machines with `at_most` names, or fewer so that it fits into `characters`; at least one."""
    names = " ".join(map(name_of, machine_ids[:at_most]))
    if len(machine_ids) > at_most:
        names += f" +{len(machine_ids) - at_most:,} more"
    return (
        names
        if len(names) <= characters or at_most <= 1
        else machine_names(machine_ids, at_most - 1, characters, name_of)
    )


def waiting_words(waiting_for: str) -> str:
    """Return what stands in the empty picture, in a few lines; the middle of a long text is left out."""
    lines = wrap(f"Waiting for {waiting_for} …", _WAITING_LINE)
    if len(lines) > _WAITING_LINES:
        lines[_WAITING_LINES // 2 : -(_WAITING_LINES // 2)] = ["…"]
    return "\n".join(lines)


def now_words(now: str) -> str:
    """Return the date and time of a timestamp, to the second."""
    return f"{now[:10]}  {now[11:19]} UTC"


def totals_words(machines: int, readings: int) -> str:
    """Return how many machines and readings there are in all."""
    return f"{count(machines, 'machine')}, {count(readings, 'reading')}"


def heard_words(age_s: float) -> str:
    """Return how long ago the last reading was received."""
    return f"last reading received {duration(age_s)} ago"


def stale_words(age_s: float) -> str:
    """Return for how long no reading has come, if that is too long."""
    return f"no reading for {duration(age_s)}"


def rejected_words(lines: int) -> str:
    """Return that no line can be stored."""
    return f"every line is rejected ({lines:,})"


def beyond_words(machine_ids: Sequence[int], name_of: NameOf = number_name) -> str:
    """Return the number and the names of the machines beyond a limit; at least one."""
    words = f"{len(machine_ids):,} beyond a limit now: "
    return words + machine_names(machine_ids, _NAMED_BEYOND, _LONGEST_BEYOND - len(words), name_of)


def silent_beyond_words(machine_ids: Sequence[int], name_of: NameOf = number_name) -> str:
    """Return the number and the names of silent machines whose last reading was beyond a limit; at least one."""
    words = f"{len(machine_ids):,} beyond a limit when last heard: "
    return words + machine_names(machine_ids, _NAMED_BEYOND, _LONGEST_BEYOND - len(words), name_of)


def clock_words(machine_ids: Sequence[int], name_of: NameOf = number_name) -> str:
    """Return the number and the names of the machines with a wrong clock; an empty text if there are none."""
    if not machine_ids:
        return ""
    return f"{count(len(machine_ids), 'machine')} with a wrong clock: " + machine_names(
        machine_ids, _NAMED_CLOCKS, _LONGEST_CLOCKS, name_of
    )


def silence_words(machine_ids: Sequence[int], silence_s: float, name_of: NameOf = number_name) -> str:
    """Return the names of the silent machines; if there are none, which reading of each machine is counted."""
    if not machine_ids:
        return "by the latest reading of each"
    names = machine_names(machine_ids, _NAMED_SILENT, _LONGEST_SILENT, name_of)
    return f"{len(machine_ids):,} silent > {duration(silence_s)} (hatched): {names}"


def trend_words(named: int, machines: int) -> str:
    """Return which of the machines are named in the trend panel."""
    if machines > named:
        return f"{named} of {machines:,} named: those beyond a limit now (×), then the lowest mean while active"
    return "latest value at the line’s end; × beyond a limit"


def scatter_words(readings: int, anomalies: int, outside: int) -> str:
    """Return how many readings the scatter panel shows, how many are beyond a limit, and how many off its scale."""
    if not readings:
        return ""
    ringed = ", the latest ringed and named" if anomalies else ""
    text = f"newest {count(readings, 'reading')}: {anomalies:,} beyond a limit (×){ringed}"
    return f"{text}; {outside:,} off the scale, at its edge" if outside else text
