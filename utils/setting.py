"""How a setting is declared: a dataclass field with what a person must know of it."""

import math
from dataclasses import field
from typing import Any


def declare(default: Any, meaning: str, unit: str = "", low: float = 0, high: float = math.inf) -> Any:
    """Declare a field whose metadata tell its `unit`, its `meaning`, and the `low`est and `high`est allowed value."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "low": low, "high": high})
