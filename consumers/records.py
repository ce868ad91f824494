"""What flows from one room of the consumer to the next: plain, immutable values that everybody may import."""

from typing import NamedTuple

from utils.efficiency import EfficiencyLevel
from utils.message import Mode


class RatedReading(NamedTuple):
    """A reading and what the rule says of it: the row of `manufacturing_analytics`, in its columns' order."""

    machine_id: int
    timestamp: str
    """UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`: the machine's clock."""
    mode: Mode
    temperature_c: float
    vibration_mm_s: float
    efficiency_score: float
    """0 to 100, one decimal."""
    efficiency_level: EfficiencyLevel
    is_anomaly: int
    """0 or 1."""
    processed_at: str
    """As `timestamp`, by the consumer's clock."""


Row = tuple[int, str, Mode, float, float, float, EfficiencyLevel, int, str]
"""A RatedReading's values without its names: what SQLite binds fastest, and all that most of them ever need."""


class RejectedLine(NamedTuple):
    """A line that is no reading, and why."""

    offset: int
    """Bytes before it in its file."""
    line: str
    """Its start, with what cannot be shown escaped."""
    reason: str


class Batch(NamedTuple):
    """Every line of a chunk, each in one of three ways: a row, rejected, or blank."""

    rows: list[Row]
    rejected: list[RejectedLine]
    blank_lines: int
    lines: int
    """Newlines in the bytes, counted apart from the rest: what the account must come to."""
