"""What flows from one room of the consumer to the next: plain, immutable values that everybody may import."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Final, Literal, NamedTuple, Protocol

from utils.efficiency import EfficiencyLevel, Signal
from utils.message import Mode

Timestamp = Annotated[str, "UTC, YYYY-MM-DDTHH:MM:SS.sssZ: sorts as text in the order of time"]


class RatedReading(NamedTuple):
    """A reading and what the rule says of it: the row of `manufacturing_analytics`, in its columns' order."""

    machine_id: int
    timestamp: Timestamp
    """By the machine's clock."""
    mode: Mode
    temperature_c: float
    vibration_mm_s: float
    efficiency_score: float
    """0 to 100, one decimal."""
    efficiency_level: EfficiencyLevel
    is_anomaly: int
    """0 or 1."""
    processed_at: Timestamp
    """By the consumer's clock."""


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
    """The last ones: no more than are kept."""
    rejected_lines: int
    blank_lines: int
    lines: int
    """Newlines in the bytes, counted apart from the rest: what the account must come to."""


class Mark(NamedTuple):
    """A place in a stream that is known again by the bytes before it."""

    offset: int
    """The end of a line."""
    digest: bytes
    """16 bytes of BLAKE2b, of the KiB before the offset, or of all before it if that is less."""


class Stream(NamedTuple):
    """What the database keeps of a stream, the bytes written to a file until it is emptied or rewritten.

    It is known by its bytes alone: the head, and the marks.
    """

    stream_id: int
    """From 1, in the order in which the streams were begun."""
    path: str
    """The path that was followed when it was begun, printable."""
    why_new: str
    """Why it was begun, in words for people."""
    begin: int
    """Its account counts the bytes from here on: 0, or the place of the cut in a file that was cut back."""
    offset: int
    """The bytes before it are accounted for."""
    head: bytes
    """Its first KiB at most, of what lies before the offset; empty if version 1 of the schema kept only marks."""
    marks: tuple[Mark, ...]
    """Rising; the last one is at the offset."""


class Chunk(NamedTuple):
    """Whole lines of a stream; or one line that is too long to be read, and then `data` is its start."""

    before: Stream
    """As the database has it; a stream that has no account yet stands at its begin."""
    after: Stream
    """As the database has it once what became of the lines is saved."""
    data: bytes
    is_oversized: bool = False

    @property
    def is_search(self) -> bool:
        """Whether nothing but the search for the end of such a long line went on: there is nothing to save."""
        return self.after.offset == self.before.offset


class Machine(NamedTuple):
    """What is known of one machine: its latest reading, and totals of all its readings. A row of `machines`."""

    latest: RatedReading
    readings: int = 0
    anomalies: int = 0
    active_readings: int = 0
    idle_readings: int = 0
    maintenance_readings: int = 0
    offline_readings: int = 0
    active_efficiency_sum: float = 0.0
    """A sum of tenths, exact to the tenth in any order of adding; the same for the other modes."""
    idle_efficiency_sum: float = 0.0
    maintenance_efficiency_sum: float = 0.0
    offline_efficiency_sum: float = 0.0
    minute_readings: int = 0
    """Of the open minute, that of the latest reading, what is not in `machine_minutes` yet; see Minute."""
    minute_active_readings: int = 0
    minute_anomalies: int = 0
    minute_efficiency_sum: float = 0.0
    minute_efficiency_min: float = 0.0
    minute_temperature_sum: float = 0.0
    minute_temperature_max: float | None = None
    minute_vibration_sum: float = 0.0
    minute_vibration_max: float | None = None
    last_anomaly_at: Timestamp | None = None
    """When it was beyond a limit last, by its clock, in the order in which its readings came."""
    open_episodes: int = 0
    name: str | None = None
    """What the lines call it; None: they give its number."""
    trend_open: bytes = b""
    """The part of its trend that changes with every reading; empty before the first one. See MachineTrend."""
    vibration_trend_per_h: float | None = None
    """How fast vibration grows, mm/s an hour of running; None: there is no trend. The same for the others."""
    hours_to_limit_low: float | None = None
    """Until vibration reaches its safe limit, hours of running from the latest reading then: at least so long, with a
    probability of 95 %."""
    hours_to_limit: float | None = None
    """As likely longer as shorter."""
    hours_to_limit_high: float | None = None
    """At most so long, with a probability of 95 %."""
    limit_earliest_at: Timestamp | None = None
    """The same by the machine's clock, if it goes on running,"""
    limit_latest_at: Timestamp | None = None
    """and if it pauses as it does."""


class MachineTrend(NamedTuple):
    """The part of a machine's trend that changes when a bucket closes. A row of `machine_trends`."""

    machine_id: int
    closed: bytes
    """As `machines.trend` packs it."""


class TrendState(Protocol):
    """A trend as the database sees it; see `machines.trend`."""

    def closed_bytes(self) -> bytes:
        """Return the part that changes when a bucket closes."""


MOST_SUMMED: Final = 1e6
"""A larger temperature or vibration counts as this in a sum, which could not be exact otherwise; none is real."""


class Minute(NamedTuple):
    """What one machine did in one minute of its clock, or a part of that. A row of `machine_minutes`.

    The sums are exact in any order of adding; see `machines.minutes`.
    """

    machine_id: int
    minute: Timestamp
    """Its first moment."""
    readings: int
    active_readings: int
    anomalies: int
    efficiency_sum: float
    efficiency_min: float
    temperature_sum: float
    """°C, of the active readings; the same for the others that follow."""
    temperature_max: float | None
    """None: there was no active reading."""
    vibration_sum: float
    """mm/s."""
    vibration_max: float | None


class Episode(NamedTuple):
    """A time in which one signal of a machine was beyond its limit. A row of `anomaly_episodes`."""

    id: int
    machine_id: int
    signal: Signal
    limit_value: float
    """The limit when it was raised; °C or mm/s as the signal, and so are the other values."""
    raised_at: Timestamp
    """When the first reading beyond the limit came, by the machine's clock; the same for the other times."""
    raised_value: float
    """Of that reading."""
    peak_value: float
    peak_at: Timestamp
    readings: int
    """Readings beyond the limit."""
    mode: Mode
    """When it was raised."""
    cleared_at: Timestamp | None = None
    """When the first of the readings came that ended it; None while it goes on."""
    calm_readings: int = 0
    """The readings in a row, up to the latest one, that were well within the limit."""
    calm_since: Timestamp | None = None
    """When the first of them came; None if there is none."""


class Excess(NamedTuple):
    """A reading beyond a limit that may become part of an episode. A row of `excesses`."""

    machine_id: int
    signal: Signal
    ago: int
    """So many readings of the machine have come since."""
    at: Timestamp
    """By the machine's clock."""
    value: float
    mode: Mode


# fmt: off
EventKind = Literal[
    "raised", "cleared", "forecast", "forecast_sooner", "forecast_gone", "silent", "back", "feed_silent", "feed_back",
    "rejected",
]
# fmt: on


class Event(NamedTuple):
    """Something that people are told once: in the log, and as an alert. A row of `alerts`."""

    kind: EventKind
    machine_id: int | None
    """None if it concerns the whole feed."""
    text: str
    """In words."""
    details: str
    """Its figures, as a JSON object."""
    at: Timestamp


class Commit(NamedTuple):
    """All that one chunk changes. It is saved in one transaction, or nothing of it is.

    Its promise: between two commits, memory and database agree. A commit is worked out from what memory holds without
    changing it; only when the database has it do the tail, the fleet and the tally take it over. So a save that fails
    is tried again with the same commit and changes nothing twice, and a process that dies goes on from the last one.
    """

    before: Stream
    """Where the stream stood; the database refuses the commit if it stands elsewhere by now."""
    after: Stream
    batch: Batch
    machines: list[Machine]
    """The machines that have new readings, as they are from now on."""
    at: Timestamp
    """When, by the consumer's clock."""
    minutes: Sequence[Minute] = ()
    """What the readings add to minutes that are not, or are no longer, a machine's open one."""
    episodes: Sequence[Episode] = ()
    """Those that were raised, go on or were cleared, as they are from now on."""
    excesses: Mapping[int, Sequence[Excess]] = MappingProxyType({})
    """Of each machine whose episodes may have changed, all its excesses from now on."""
    events: Sequence[Event] = ()
    """What is to be told of it."""
    trends: Mapping[int, TrendState] = MappingProxyType({})
    """Their trends."""
    closed_trends: Sequence[int] = ()
    """The machines of whose trends a bucket closed."""


class Account(NamedTuple):
    """What became of every line that was ever read into a database."""

    streams: int
    read_bytes: int
    read_lines: int
    stored_lines: int
    rejected_lines: int
    blank_lines: int
    expired_rows: int = 0
    """Of the stored lines, those whose rows were let go because they were old."""
    deleted_rows: int = 0
    """Of the stored lines, those whose rows someone deleted by hand; less than 0 if someone added rows."""

    @property
    def balances(self) -> bool:
        """Whether every line that was read is stored, rejected or blank."""
        return self.read_lines == self.stored_lines + self.rejected_lines + self.blank_lines
