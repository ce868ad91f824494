"""The wire contract: one JSON object a line, written by the producer and read by the consumer."""

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from utils.advice import looks_like, missing_error
from utils.fields import MISSING, OWN_FIELDS, Fields, mode_error, mode_in, quantity_in, value_at
from utils.own_line import own_values
from utils.values import (
    ABSOLUTE_ZERO_C,
    MACHINE_ID_MAX,
    MM_PER_INCH,
    MODE_BY_NAME,
    MODES,
    MessageError,
    Mode,
    epoch_seconds,
    machine_of,
    mode_of,
    shown_value,
    timestamp_at,
    unit_error,
    utc_timestamp,
)

__all__ = [
    "ABSOLUTE_ZERO_C",
    "MACHINE_ID_MAX",
    "MM_PER_INCH",
    "MODES",
    "OWN_ID_MAX",
    "MessageError",
    "Mode",
    "Reading",
    "epoch_seconds",
    "from_line",
    "is_blank",
    "only_numbers",
    "timestamp_at",
    "to_line",
    "utc_timestamp",
]

OWN_ID_MAX: Final = 1_000_000
"""Above it, machines that have names are numbered, so that such a number has to be looked up."""
_INFINITE: Final = math.inf


class Reading(NamedTuple):
    """What one machine reported at one moment; the fields are in the order of the database's columns."""

    machine_id: int
    """0 to 2**63 - 1."""
    timestamp: str
    """UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`: the order of the texts is the order of time."""
    mode: Mode
    temperature_c: float
    """Degrees Celsius, finite, not below absolute zero."""
    vibration_mm_s: float
    """Velocity severity, mm/s RMS, finite, not negative."""


# The same as Reading(...), but faster: it is called for every line.
_reading: Final[Callable[[tuple[int, str, Mode, float, float]], Reading]] = partial(tuple.__new__, Reading)


def only_numbers(machine: int | str) -> int:
    """Return a machine's number. Raises MessageError if it has a name: to number names, one must know them."""
    if type(machine) is not int:
        raise MessageError(f"machine {shown_value(machine)} has a name; here machines have numbers")
    return machine


_NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
_SENTENCE = re.compile(
    r"\bMachine ((?:(?!\bMachine )[^\n]){1,64}?) in ([A-Za-z]+) mode\. "
    rf"Temp: {_NUMBER} ?(°[CF]), Vib: {_NUMBER} ?(mm/s|in/s|Hz)(?=\.?(?:\s|\Z))"
)
# The same sentence with any text as its values: it finds the value that keeps the strict form from matching.
_SENTENCE_SHAPE = re.compile(
    r"\bMachine (?P<machine>\S+) in (?P<mode>\S+) mode\b.*?\bTemp: *(?P<temperature>[^,]*),"
    r" *Vib: *(?P<vibration>.*?)\.?\s*\Z",
    re.DOTALL,
)
_SENTENCE_START = re.compile(r"\bMachine \S+ in \S+ mode\b")
_QUANTITY = re.compile(rf"{_NUMBER} ?(\S*)\Z")
_SENTENCE_FORM: Final = "Machine N in MODE mode. Temp: X°C, Vib: Y mm/s."

_CELSIUS_UNITS: Final = ("°C", "°F")
# An older feed of this family prints the label Hz on the same quantity.
_MM_S_PER_UNIT: Final = {"mm/s": 1.0, "Hz": 1.0, "in/s": MM_PER_INCH}

_DECODER = json.JSONDecoder()
_PADDING: Final = " \t\r\n\ufeff"
_DIAGNOSED_CHARACTERS: Final = 400


def to_line(reading: Reading, efficiency_score: float, efficiency_level: str) -> str:
    """Return a reading as a line of the feed, with its newline.

    Numbers are written in full, so that `from_line` reads back an equal reading.
    `efficiency_score` is 0 to 100 and travels as `sentiment`, 0 to 1.
    """
    machine_id, timestamp, mode, temperature_c, vibration_mm_s = reading
    message = f"Machine {machine_id} in {mode.capitalize()} mode. Temp: {temperature_c}°C, Vib: {vibration_mm_s}mm/s."
    # The values are numbers and words of three fixed lists: JSON escapes nothing in them.
    return (
        f'{{"message": "{message}", "author": "Sensor-{machine_id}", "timestamp": "{timestamp}", '
        f'"category": "{mode}", "sentiment": {round(efficiency_score / 100, 3)}, '
        f'"keyword_mentioned": "{efficiency_level}", "message_length": {len(message)}}}\n'
    )


def from_line(
    line: str | bytes, fields: Fields = OWN_FIELDS, identify: Callable[[int | str], int] = only_numbers
) -> Reading:
    """Return the reading that a line of the feed holds; the line may be given with or without its newline.

    `fields` says where the values of a line stand that has no sentence. `identify` returns the number of a machine
    that has a name, or a number above `OWN_ID_MAX`, or raises MessageError; it is asked when all else is right.
    Raises MessageError, and no other error, if the line is no reading.
    """
    text = line if isinstance(line, str) else _text(line)
    own = own_values(text)
    if own is not None:
        machine, mode_name, temperature, vibration, timestamp = own
        return _reading((int(machine), timestamp, MODE_BY_NAME[mode_name], float(temperature), float(vibration)))
    values = _object(text.strip(_PADDING))
    named, timestamp, mode, temperature_c, vibration_mm_s = _values(values, fields)
    # Each comparison is false for NaN, so that NaN is refused.
    if not ABSOLUTE_ZERO_C <= temperature_c < _INFINITE:
        raise MessageError(
            f"temperature {temperature_c:g} °C is out of range; allowed from {ABSOLUTE_ZERO_C} °C, finite"
        )
    if not 0 <= vibration_mm_s < _INFINITE:
        raise MessageError(f"vibration {vibration_mm_s:g} mm/s is out of range; allowed from 0, finite")
    machine_id = named if type(named) is int and named <= OWN_ID_MAX else identify(named)
    return _reading((machine_id, timestamp, mode, temperature_c, vibration_mm_s))


def is_blank(line: str | bytes) -> bool:
    """Return whether a line is blank: it counts neither as a reading nor as a fault."""
    return not (
        line.strip(_PADDING) if isinstance(line, str) else line.strip(b" \t\r\n").removeprefix(b"\xef\xbb\xbf")
    )


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise MessageError(
            f"not UTF-8: byte 0x{line[error.start]:02x} at {error.start + 1}; expected UTF-8{looks_like(line)}"
        ) from None


def _object(text: str) -> dict[str, Any]:
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        fault = f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}"
        raise MessageError(fault + looks_like(text)) from None
    except RecursionError:
        raise MessageError("JSON nested too deep; expected one flat object") from None
    except ValueError:
        raise MessageError("a number of thousands of digits; expected ordinary numbers") from None
    if end != len(text):
        fault = f"more text after the JSON value, at character {end + 1}; expected one object a line"
        raise MessageError(fault + looks_like(text))
    if type(value) is not dict:
        raise MessageError(f"{shown_value(value)} is no reading; expected a JSON object{looks_like(text)}")
    return value


_Values = tuple[int | str, str, Mode, float, float]
"""What a Reading holds; the machine may be a name."""


def _values(line: Mapping[str, Any], fields: Fields) -> _Values:
    message = line.get("message")
    if type(message) is str:
        sentence = _SENTENCE.search(message)
        if sentence is not None:
            return _from_sentence(sentence, line, fields)
        if _SENTENCE_START.search(message) is not None:
            raise MessageError(_sentence_fault(message))
    return _from_fields(line, fields)


def _from_sentence(sentence: re.Match[str], line: Mapping[str, Any], fields: Fields) -> _Values:
    machine, mode_name, temperature, temperature_unit, vibration, vibration_unit = sentence.groups()
    temperature_c = float(temperature)
    if temperature_unit == "°F":
        temperature_c = (temperature_c - 32) / 1.8
    mode = mode_of(mode_name, fields.aliases)
    if mode is None:
        raise mode_error(mode_name)
    # `timestamp` comes first, whatever the settings: such lines are in our own form.
    moment = line["timestamp"] if "timestamp" in line else _moment(line, fields)
    vibration_mm_s = float(vibration) * _MM_S_PER_UNIT[vibration_unit]
    return machine_of(machine), utc_timestamp(moment), mode, temperature_c, vibration_mm_s


def _from_fields(line: Mapping[str, Any], fields: Fields) -> _Values:
    paths = (fields.field_machine_id, fields.field_temperature, fields.field_vibration)
    if any(value_at(line, path) is MISSING for path in paths):
        raise missing_error(line, fields, f"no sentence '{_SENTENCE_FORM}'")
    machine = machine_of(value_at(line, fields.field_machine_id))
    moment, mode = utc_timestamp(_moment(line, fields)), mode_in(line, fields)
    return machine, moment, mode, quantity_in(line, fields, "temperature"), quantity_in(line, fields, "vibration")


def _moment(line: Mapping[str, Any], fields: Fields) -> Any:
    moment = value_at(line, fields.field_timestamp)
    return None if moment is MISSING else moment


def _sentence_fault(message: str) -> str:
    """Return what is wrong with a text that begins like the sentence."""
    # Only its beginning is searched: the time that the search takes can grow with the square of the length.
    shape = _SENTENCE_SHAPE.search(message[:_DIAGNOSED_CHARACTERS])
    if shape is None:
        return f"incomplete sentence {shown_value(message)}; expected '{_SENTENCE_FORM}'"
    try:
        machine_of(shape["machine"])
    except MessageError as error:
        return str(error)
    for name, units in (("temperature", _CELSIUS_UNITS), ("vibration", tuple(_MM_S_PER_UNIT))):
        quantity = _QUANTITY.match(shape[name])
        if quantity is None:
            return f"{name} {shown_value(shape[name])} is no number with a unit"
        if quantity[2] not in units:
            return str(unit_error(f"{name} unit", quantity[2], units))
    return f"unexpected text in {shown_value(message)}; expected '{_SENTENCE_FORM}'"
