"""The wire contract: one JSON object a line, written by the producer and read by the consumer."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal, NamedTuple, get_args

Mode = Literal["active", "idle", "maintenance", "offline"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)

MACHINE_ID_MAX: Final = 2**63 - 1
"""SQLite keeps integers in 64 bits, signed."""
ABSOLUTE_ZERO_C: Final = -273.15
MM_PER_INCH: Final = 25.4
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


class MessageError(ValueError):
    """A line that is no reading; the message is one short line that says what was found and what is expected."""


_NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
_SENTENCE = re.compile(
    r"\bMachine ([0-9]{1,19}) in ([A-Za-z]+) mode\. "
    rf"Temp: {_NUMBER} ?(°[CF]), Vib: {_NUMBER} ?(mm/s|in/s|Hz)(?=\.?(?:\s|\Z))"
)
# A whole line as `to_line` writes it: the lines of our own producer need no JSON parser. This form has no escapes and
# no control characters, so that reading it as JSON gives the same.
_OWN_LINE = re.compile(
    r'\{"message": "Machine ([0-9]{1,19}) in (Active|Idle|Maintenance|Offline) mode\. '
    rf'Temp: {_NUMBER}°C, Vib: {_NUMBER}mm/s\.", "author": "Sensor-[0-9]+", '
    r'"timestamp": "(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z)", "category": "[a-z]+", '
    r'"sentiment": [01]\.[0-9]+, "keyword_mentioned": "[A-Z][a-z]+", '
    r'"message_length": [1-9][0-9]{0,17}\}',
    re.ASCII,
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

_MODE_BY_NAME: Final[dict[str, Mode]] = {name: mode for mode in MODES for name in (mode, mode.capitalize())}
_CELSIUS_UNITS: Final = ("°C", "°F")
# An older feed of this family prints the label Hz on the same quantity.
_MM_S_PER_UNIT: Final = {"mm/s": 1.0, "Hz": 1.0, "in/s": MM_PER_INCH}

_DECODER = json.JSONDecoder()
_PADDING: Final = " \t\r\n\ufeff"
_SHOWN_CHARACTERS: Final = 40
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


def from_line(line: str | bytes) -> Reading:
    """Return the reading that a line of the feed holds; the line may be given with or without its newline.

    Raises MessageError, and no other error, if the line is no reading.
    """
    text = line if isinstance(line, str) else _text(line)
    own_line = _OWN_LINE.fullmatch(text)
    if own_line is not None:
        machine, mode, temperature, vibration, timestamp = own_line.groups()
        machine_id, temperature_c, vibration_mm_s = int(machine), float(temperature), float(vibration)
        if (
            machine_id <= MACHINE_ID_MAX
            and ABSOLUTE_ZERO_C <= temperature_c < _INFINITE
            and 0 <= vibration_mm_s < _INFINITE
            and _is_moment(timestamp)
        ):
            return _reading((machine_id, timestamp, _MODE_BY_NAME[mode], temperature_c, vibration_mm_s))
        # What is wrong with it is told as of any other line.
    fields = _fields(text.strip(_PADDING))
    message = fields.get("message")
    if type(message) is str:
        sentence = _SENTENCE.search(message)
        if sentence is not None:
            return _from_sentence(sentence, fields)
        if _SENTENCE_START.search(message) is not None:
            raise MessageError(_sentence_fault(message))
    return _from_fields(fields)


def _is_moment(timestamp: str) -> bool:
    try:
        datetime.fromisoformat(timestamp)
    except ValueError:
        return False
    return True


def is_blank(line: str | bytes) -> bool:
    """Return whether a line is blank: it counts neither as a reading nor as a fault."""
    return not (
        line.strip(_PADDING) if isinstance(line, str) else line.strip(b" \t\r\n").removeprefix(b"\xef\xbb\xbf")
    )


def utc_timestamp(text: object) -> str:
    """Return an ISO 8601 moment as `YYYY-MM-DDTHH:MM:SS.sssZ`; a moment without an offset is in UTC.

    Digits after the milliseconds are cut off. Raises MessageError.
    """
    if type(text) is not str:
        raise MessageError(f"timestamp is {_shown(text)}; expected ISO 8601 text")
    try:
        moment = datetime.fromisoformat(text)
        # The form that the producer writes: of all ISO forms, only this one has these characters at these places.
        if len(text) == 24 and text[7] == "-" and text[10] == "T" and text[19] == "." and text[23] == "Z":  # noqa: PLR2004
            return text
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return _canonical(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        raise MessageError(f"timestamp {_shown(text)} is no moment; expected ISO 8601") from None


def timestamp_at(epoch_s: float) -> str:
    """Return seconds since 1970 as `YYYY-MM-DDTHH:MM:SS.sssZ`."""
    return _canonical(datetime.fromtimestamp(epoch_s, UTC))


def epoch_seconds(timestamp: str) -> float:
    """Return the seconds since 1970 of a timestamp as `Reading` holds it."""
    return datetime.fromisoformat(timestamp).timestamp()


def _canonical(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise MessageError(
            f"not UTF-8: byte 0x{line[error.start]:02x} at {error.start + 1}; expected UTF-8"
        ) from None


def _fields(text: str) -> dict[str, Any]:
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise MessageError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except RecursionError:
        raise MessageError("JSON nested too deep; expected one flat object") from None
    except ValueError:
        raise MessageError("a number of thousands of digits; expected ordinary numbers") from None
    if end != len(text):
        raise MessageError(f"more text after the JSON value, at character {end + 1}; expected one object a line")
    if type(value) is not dict:
        raise MessageError(f"{_shown(value)} is no reading; expected a JSON object")
    return value


def _from_sentence(sentence: re.Match[str], fields: dict[str, Any]) -> Reading:
    machine, mode, temperature, temperature_unit, vibration, vibration_unit = sentence.groups()
    temperature_c = float(temperature)
    if temperature_unit == "°F":
        temperature_c = (temperature_c - 32) / 1.8
    vibration_mm_s = float(vibration)
    if vibration_unit == "in/s":
        vibration_mm_s *= MM_PER_INCH
    return _checked(
        int(machine),
        utc_timestamp(fields.get("timestamp")),
        _MODE_BY_NAME.get(mode) or _mode(mode),
        temperature_c,
        vibration_mm_s,
    )


def _from_fields(fields: dict[str, Any]) -> Reading:
    missing = [name for name in ("machine_id", "temperature", "vibration") if name not in fields]
    if missing:
        raise MessageError(f"no sentence '{_SENTENCE_FORM}' and no {', '.join(missing)}")
    machine_id = fields["machine_id"]
    if type(machine_id) is not int:
        raise MessageError(f"machine_id {_shown(machine_id)} is no whole number")
    return _checked(
        machine_id,
        utc_timestamp(fields.get("timestamp")),
        _mode(fields.get("category", fields.get("mode"))),
        _number("temperature", fields["temperature"]),
        _number("vibration", fields["vibration"]),
    )


def _checked(machine_id: int, timestamp: str, mode: Mode, temperature_c: float, vibration_mm_s: float) -> Reading:
    # Each comparison is false for NaN, so that NaN is refused.
    if not 0 <= machine_id <= MACHINE_ID_MAX:
        raise MessageError(f"machine_id {machine_id} is out of range; allowed 0 to {MACHINE_ID_MAX}")
    if not ABSOLUTE_ZERO_C <= temperature_c < math.inf:
        raise MessageError(
            f"temperature {temperature_c:g} °C is out of range; allowed from {ABSOLUTE_ZERO_C} °C, finite"
        )
    if not 0 <= vibration_mm_s < math.inf:
        raise MessageError(f"vibration {vibration_mm_s:g} mm/s is out of range; allowed from 0, finite")
    return _reading((machine_id, timestamp, mode, temperature_c, vibration_mm_s))


def _mode(name: object) -> Mode:
    mode = _MODE_BY_NAME.get(name.lower()) if type(name) is str else None
    if mode is None:
        raise MessageError(f"mode {_shown(name)} is not known; expected {', '.join(MODES)}")
    return mode


def _number(name: str, value: object) -> float:
    if type(value) is float:
        return value
    if type(value) is not int:
        raise MessageError(f"{name} {_shown(value)} is no number")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _sentence_fault(message: str) -> str:
    """Return what is wrong with a text that begins like the sentence."""
    # Only its beginning is searched: the time that the search takes can grow with the square of the length.
    shape = _SENTENCE_SHAPE.search(message[:_DIAGNOSED_CHARACTERS])
    if shape is None:
        return f"incomplete sentence {_shown(message)}; expected '{_SENTENCE_FORM}'"
    if re.fullmatch("[0-9]{1,19}", shape["machine"]) is None:
        return f"machine_id {_shown(shape['machine'])} is out of range; allowed 0 to {MACHINE_ID_MAX}"
    for name, units in (("temperature", _CELSIUS_UNITS), ("vibration", tuple(_MM_S_PER_UNIT))):
        quantity = _QUANTITY.match(shape[name])
        if quantity is None:
            return f"{name} {_shown(shape[name])} is no number with a unit"
        if quantity[2] not in units:
            return f"{name} unit {_shown(quantity[2])} is not known; expected {', '.join(units)}"
    return f"unexpected text in {_shown(message)}; expected '{_SENTENCE_FORM}'"


def _shown(value: object) -> str:
    """Return a value of a message in a few characters, safe for a terminal."""
    if value is None:
        return "missing"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    text = str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "…"
    return repr(text) if isinstance(value, str) else text
