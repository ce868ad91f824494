"""One value of a line: a machine, a mode, a number, a unit, a moment. Whatever it is, it is read or refused."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal, get_args

Mode = Literal["active", "idle", "maintenance", "offline"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
Quantity = Literal["temperature", "vibration"]

MACHINE_ID_MAX: Final = 2**63 - 1
"""SQLite keeps integers in 64 bits, signed."""
NAME_CHARACTERS_MAX: Final = 64
ABSOLUTE_ZERO_C: Final = -273.15
MM_PER_INCH: Final = 25.4
MODE_BY_NAME: Final[dict[str, Mode]] = {name: mode for mode in MODES for name in (mode, mode.capitalize())}

UNITS: Final[Mapping[Quantity, tuple[str, ...]]] = {
    "temperature": ("C", "°C", "celsius", "F", "°F", "fahrenheit"),
    "vibration": ("mm/s", "in/s", "ips"),
}
_FAHRENHEIT: Final = ("f", "°f", "fahrenheit")
_INCHES: Final = ("in/s", "ips")

_WHOLE_NUMBER: Final = re.compile(r"([-+]?[0-9]+)(?:\.0+)?")
_PLAIN_DECIMAL: Final = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?")
_DECIMAL_COMMA: Final = re.compile(r"-?[0-9]{1,400},[0-9]{1,400}")
_EXACT_TO: Final = 2**53
"""From here on not every whole number is a float."""
_EPOCH_TEXT: Final = re.compile(r"[0-9]{10,19}(?:\.[0-9]{1,9})?")
_EPOCH_DIGITS_BY_UNIT: Final = {"s": 10, "ms": 13, "µs": 16, "ns": 19}
"""So many digits has a number of these between September 2001 and November 2286."""
_SHOWN_CHARACTERS: Final = 40


class MessageError(ValueError):
    """A line that is no reading; the message is one short line that says what was found and what is expected."""


def machine_of(value: object) -> int | str:
    """Return a machine's number or name. Text that is a whole number is that number. Raises MessageError."""
    if type(value) is int:
        return _machine_id(value)
    if type(value) is float and value.is_integer() and abs(value) < _EXACT_TO:
        return _machine_id(int(value))
    if type(value) is not str:
        raise MessageError(f"machine_id {shown_value(value)} is no whole number and no name")
    name = value.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise MessageError(
            f"machine_id {shown_value(value)} is no name; expected 1 to {NAME_CHARACTERS_MAX} printable characters"
        )
    number = _WHOLE_NUMBER.fullmatch(name)
    return name if number is None else _machine_id(int(number[1]))


def mode_of(value: object, aliases: Mapping[str, Mode]) -> Mode | None:
    """Return a mode by its name, or by one of the plant's own words for it (in lower case); None: not known."""
    if type(value) not in (str, int, bool):
        return None
    word = str(value).strip().lower()
    return MODE_BY_NAME.get(word) or aliases.get(word)


def number_of(name: str, value: object) -> float:
    """Return a number, which may be written as text. Raises MessageError if it is none."""
    if type(value) is float:
        return value
    if type(value) is str:
        text = value.strip()
        if _PLAIN_DECIMAL.fullmatch(text):
            return float(text)
        if _DECIMAL_COMMA.fullmatch(text):
            raise MessageError(f"{name} {shown_value(value)} is no number; use a dot, not a comma")
    if type(value) is not int:
        raise MessageError(f"{name} {shown_value(value)} is no number")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def is_unit(quantity: Quantity, text: str) -> bool:
    """Return whether a text is a unit of the quantity, in upper or lower case."""
    return text.strip().lower() in {unit.lower() for unit in UNITS[quantity]}


def converted(value: float, unit: str) -> float:
    """Return a temperature in °C or a vibration in mm/s; `unit` is one that is known."""
    word = unit.strip().lower()
    if word in _FAHRENHEIT:
        return (value - 32) / 1.8
    return value * MM_PER_INCH if word in _INCHES else value


def unit_error(name: str, unit: object, units: tuple[str, ...]) -> MessageError:
    """Return the error of a unit that is not known; `name` is where it stands, such as `temperature_unit`."""
    return MessageError(f"{name} {shown_value(unit)} is not known; expected {', '.join(units)}")


def utc_timestamp(value: object) -> str:
    """Return a moment as `YYYY-MM-DDTHH:MM:SS.sssZ`.

    It is ISO 8601 text, in UTC without an offset; or a number of seconds, milliseconds, microseconds or nanoseconds
    since 1970, told apart by size. Digits after the milliseconds are cut off. Raises MessageError.
    """
    if type(value) is int or type(value) is float:
        return _epoch_timestamp(value)
    if type(value) is not str:
        raise MessageError(f"timestamp is {shown_value(value)}; expected ISO 8601 text")
    try:
        moment = datetime.fromisoformat(value)
        # The form that the producer writes: of all ISO forms, only this one has these characters at these places.
        if len(value) == 24 and value[7] == "-" and value[10] == "T" and value[19] == "." and value[23] == "Z":  # noqa: PLR2004
            return value
        if _EPOCH_TEXT.fullmatch(value) is None:
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return _canonical(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        if _EPOCH_TEXT.fullmatch(value) is None:
            raise MessageError(f"timestamp {shown_value(value)} is no moment; expected ISO 8601") from None
    return _epoch_timestamp(Decimal(value))


def timestamp_at(epoch_s: float) -> str:
    """Return seconds since 1970 as `YYYY-MM-DDTHH:MM:SS.sssZ`."""
    return _canonical(datetime.fromtimestamp(epoch_s, UTC))


def epoch_seconds(timestamp: str) -> float:
    """Return the seconds since 1970 of a timestamp as `Reading` holds it."""
    return datetime.fromisoformat(timestamp).timestamp()


def shown_value(value: object) -> str:
    """Return a value of a message in a few characters, safe for a terminal."""
    if value is None:
        return "missing"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    text = str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "…"
    return repr(text) if isinstance(value, str) else text


def _machine_id(number: int) -> int:
    if not 0 <= number <= MACHINE_ID_MAX:
        raise MessageError(f"machine_id {shown_value(number)} is out of range; allowed 0 to {MACHINE_ID_MAX}")
    return number


def _epoch_timestamp(value: float | Decimal) -> str:
    """Return the moment of a number; nothing of it is lost to binary fractions."""
    if value != value or abs(value) == math.inf:  # noqa: PLR0124 - NaN is not itself
        raise MessageError(f"timestamp {value} is no moment; expected ISO 8601")
    exact = Decimal(repr(value)) if type(value) is float else Decimal(value)
    for digits in _EPOCH_DIGITS_BY_UNIT.values():
        if 10 ** (digits - 1) <= exact < 10**digits:
            milliseconds = int(exact.scaleb(13 - digits))
            whole_s, rest = divmod(milliseconds, 1000)
            return f"{datetime.fromtimestamp(whole_s, UTC).isoformat()[:19]}.{rest:03}Z"
    raise MessageError(
        f"timestamp {exact:.20g} is no moment; expected ISO 8601, or {', '.join(_EPOCH_DIGITS_BY_UNIT)} since 1970"
    )


def _canonical(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"
