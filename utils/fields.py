"""Where the values of a line stand that is not in our own form: in other people's fields, by other people's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Final, NamedTuple

from utils.setting import choice, mode_aliases, modes_by_word, text, unit
from utils.values import (
    UNITS,
    MessageError,
    Mode,
    Quantity,
    converted,
    is_unit,
    mode_of,
    number_of,
    shown_value,
    unit_error,
)

MISSING: Final = object()
"""What stands where there is nothing."""
_UNIT_OF_ANY: Final = ("unit", "units")
"""Fields beside a number that may be meant for any quantity there."""


@dataclass(frozen=True)
class Fields:
    """The settings that say where a line's values stand, as dotted paths into its object."""

    field_machine_id: str = text("machine_id", "where a line says which machine it is of, a dotted path")
    field_mode: str = text("", "where its mode stands; empty: in category or mode")
    field_temperature: str = text("temperature", "where its temperature stands")
    field_vibration: str = text("vibration", "where its vibration stands")
    field_timestamp: str = text("timestamp", "where its moment stands")
    field_temperature_unit: str = unit(
        "temperature",
        "where the unit of the temperature stands, or the unit: °C, °F; empty: beside the number, or °C",
    )
    field_vibration_unit: str = unit(
        "vibration",
        "where the unit of the vibration stands, or the unit: mm/s, in/s; empty: beside the number, or mm/s",
    )
    mode_aliases: str = mode_aliases("the plant's own words for modes, such as running=active, stopped=offline")
    default_mode: str = choice(
        "",
        "mode of a line that has none; empty: such a line is rejected",
        ("ACTIVE", "IDLE", "MAINTENANCE", "OFFLINE"),
    )

    @cached_property
    def aliases(self) -> Mapping[str, Mode]:
        """The modes by the plant's own words for them, in lower case."""
        return modes_by_word(self.mode_aliases)

    def path_of(self, quantity: Quantity) -> str:
        """Return where a quantity stands."""
        return self.field_temperature if quantity == "temperature" else self.field_vibration

    def unit_of(self, quantity: Quantity) -> str:
        """Return where the unit of a quantity stands, or the unit, or nothing."""
        return self.field_temperature_unit if quantity == "temperature" else self.field_vibration_unit


OWN_FIELDS: Final = Fields()
"""The fields of our own kind of feed: the settings' defaults."""


class Place(NamedTuple):
    """Where a value stands in an object."""

    parent: Mapping[str, Any]
    name: str

    @property
    def value(self) -> Any:
        """The value there, or MISSING."""
        return self.parent.get(self.name, MISSING)


def place_of(line: Mapping[str, Any], path: str) -> Place:
    """Return the place that a dotted path leads to; there may be nothing. A name may itself have dots."""
    parent, name = line, path
    while name not in parent and "." in name:
        first, _, rest = name.partition(".")
        inner = parent.get(first)
        if type(inner) is not dict:
            break
        parent, name = inner, rest
    return Place(parent, name)


def value_at(line: Mapping[str, Any], path: str) -> Any:
    """Return what stands where a dotted path leads, or MISSING."""
    return place_of(line, path).value


def mode_in(line: Mapping[str, Any], fields: Fields) -> Mode:
    """Return the mode that a line says, or the default mode if it says none. Raises MessageError."""
    paths = (fields.field_mode,) if fields.field_mode else ("category", "mode")
    found = [value for path in paths if (value := value_at(line, path)) not in (MISSING, None)]
    for value in found:
        mode = mode_of(value, fields.aliases)
        if mode is not None:
            return mode
    if not found:
        default = mode_of(fields.default_mode, {})
        if default is not None:
            return default
        raise MessageError(
            f"mode missing is not known; no {' or '.join(paths)} in it: set FIELD_MODE, or DEFAULT_MODE=active"
        )
    raise mode_error(found[0])


def mode_error(name: object) -> MessageError:
    """Return the error of a mode that is not known."""
    help_ = f"; MODE_ALIASES={name.lower()}=… gives a word a mode" if type(name) is str and name.isalnum() else ""
    return MessageError(
        f"mode {shown_value(name)} is not known; expected active, idle, maintenance, offline"
        + (help_ if len(help_) < _HELP_CHARACTERS else "")
    )


_HELP_CHARACTERS: Final = 80


def quantity_in(line: Mapping[str, Any], fields: Fields, quantity: Quantity) -> float:
    """Return a quantity of a line, in °C or mm/s. Raises MessageError if it, or its unit, cannot be read."""
    place = place_of(line, fields.path_of(quantity))
    value = number_of(quantity, place.value)
    unit = _unit_in(line, fields, quantity, place)
    return value if unit is None else converted(value, unit)


def _unit_in(line: Mapping[str, Any], fields: Fields, quantity: Quantity, place: Place) -> str | None:
    """Return the unit that is said of a quantity, or None if none is."""
    setting = fields.unit_of(quantity)
    beside = _unit_beside(line, fields, quantity, place)
    if beside is not None or not setting:
        return beside
    if is_unit(quantity, setting):
        return setting
    unit = value_at(line, setting)
    if unit is MISSING:
        raise MessageError(f"{quantity} has no unit in {setting}, where FIELD_{quantity.upper()}_UNIT says it is")
    return _known(quantity, unit, setting)


def _unit_beside(line: Mapping[str, Any], fields: Fields, quantity: Quantity, place: Place) -> str | None:
    """Return the unit that stands beside the number, in a field named after it or in one named `unit`."""
    folder = fields.path_of(quantity).removesuffix(place.name)
    for suffix in ("unit", "units"):
        for name in (f"{place.name}_{suffix}", f"{quantity}_{suffix}"):
            if place.parent.get(name) is not None:
                return _known(quantity, place.parent[name], folder + name)
    for name in _UNIT_OF_ANY:
        unit = place.parent.get(name)
        if unit is not None and not _is_for_the_other(line, fields, quantity, place, unit):
            return _known(quantity, unit, folder + name)
    return None


def _is_for_the_other(
    line: Mapping[str, Any], fields: Fields, quantity: Quantity, place: Place, unit: object
) -> bool:
    """Return whether a unit without a quantity in its name is one of the other quantity, which stands there too."""
    other: Quantity = "vibration" if quantity == "temperature" else "temperature"
    there = place_of(line, fields.path_of(other))
    return there.parent is place.parent and there.value is not MISSING and type(unit) is str and is_unit(other, unit)


def _known(quantity: Quantity, unit: object, path: str) -> str:
    """Return a unit that stands at a path. Raises MessageError if the quantity has none of this name."""
    if type(unit) is str and is_unit(quantity, unit):
        return unit
    # A field that is named `unit` may be meant for either, and so has been tried for both.
    is_for_any = path.rpartition(".")[2] in _UNIT_OF_ANY and not (
        type(unit) is str and any(is_unit(any_quantity, unit) for any_quantity in UNITS)
    )
    raise unit_error(path, unit, tuple(chain(*UNITS.values())) if is_for_any else UNITS[quantity])
