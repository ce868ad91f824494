"""What one frame shows: worked out once, so that headline and panels name the same machines in the same order."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from heapq import nlargest
from typing import Final, NamedTuple

from consumers.board.names import ShownNames
from consumers.board.status import FeedStatus
from consumers.machines.attendance import Attendance, attendance
from consumers.machines.fleet import Fleet
from consumers.machines.ranking import Urgency, ranked
from consumers.records import Machine, RatedReading, Timestamp
from utils.efficiency import Limits
from utils.message import epoch_seconds

STRIPS: Final = 8
_WAITING_S: Final = 10.0
_NEAREST: Final = 2 * STRIPS
"""Of the machines that are well, only so many are ranked: nobody looks at the others first."""


class Scene(NamedTuple):
    """The plant at one moment."""

    now: Timestamp
    """By the consumer's clock."""
    at: Timestamp
    """By the plant's clock; `now` before the first reading."""
    zone: tzinfo
    limits: Limits
    fleet: Fleet
    feed: FeedStatus
    ranking: Sequence[Urgency]
    """All that need a look, and the nearest to a limit of the others."""
    readings: Sequence[RatedReading]
    """Of the newest `window_s`, in the order of arrival."""
    span_s: float
    """How much time they span."""
    anomalies: Sequence[RatedReading]
    """Those of them that are."""
    window_s: float
    silence_s: float
    silent: Sequence[Machine]
    wrong_clocks: Sequence[Machine]
    heard_s: float | None
    """For how long no reading has come, by the consumer's clock; None: none ever came."""
    stale_after_s: float
    names: ShownNames
    """What the picture calls each machine."""
    late_s: float = 0.0
    """How long before this picture the last one was drawn, if that is longer than promised."""

    @property
    def is_stale(self) -> bool:
        """Whether what is shown is old: nothing comes, or nothing can be saved."""
        is_quiet = self.heard_s is not None and self.heard_s > self.stale_after_s
        return is_quiet or self.feed.waiting_s > _WAITING_S

    def name_of(self, machine_id: int) -> str:
        """Return what the picture calls a machine."""
        return self.names(self.fleet.machines[machine_id])

    @property
    def beyond(self) -> list[Urgency]:
        """The machines that run beyond a limit, the worst first."""
        return [urgency for urgency in self.ranking if urgency.kind == "beyond"]


def scene_of(
    fleet: Fleet,
    limits: Limits,
    now: Timestamp,
    zone: tzinfo,
    window_s: float,
    stale_after_s: float,
    feed: FeedStatus,
    names: ShownNames,
) -> Scene:
    """Return the plant as it is known at `now`."""
    heard = attendance(fleet, window_s, stale_after_s)
    at = heard.at or now
    return Scene(
        now,
        at,
        zone,
        limits,
        fleet,
        feed,
        _ranking(fleet, limits, at, heard),
        heard.readings,
        _span_s(heard.readings),
        [reading for reading in heard.readings if reading.is_anomaly],
        window_s,
        heard.silence_s,
        heard.silent,
        heard.wrong_clocks,
        _heard_s(fleet, now),
        stale_after_s,
        names,
    )


def _ranking(fleet: Fleet, limits: Limits, at: Timestamp, heard: Attendance) -> list[Urgency]:
    machines = fleet.machines.values()
    episodes = fleet.open_episodes
    urgent = [machine for machine in machines if _needs_a_look(machine, episodes)]
    well = [machine for machine in machines if not _needs_a_look(machine, episodes)]

    def nearness(machine: Machine) -> float:
        return limits.share_of_limit(machine.latest.temperature_c, machine.latest.vibration_mm_s)

    nearest = nlargest(_NEAREST, well, key=nearness)
    return ranked([*urgent, *nearest], limits, at, episodes, heard.silence_s)


def _needs_a_look(machine: Machine, episodes: Iterable[int]) -> bool:
    latest = machine.latest
    return bool(latest.is_anomaly) or latest.machine_id in episodes or machine.hours_to_limit is not None


def _span_s(readings: Iterable[RatedReading]) -> float:
    times = [reading.timestamp for reading in readings]
    return epoch_seconds(max(times)) - epoch_seconds(min(times)) if times else 0.0


def _heard_s(fleet: Fleet, now: Timestamp) -> float | None:
    heard = max((machine.latest.processed_at for machine in fleet.machines.values()), default=None)
    if fleet.recent:
        heard = fleet.recent[-1].processed_at
    return None if heard is None else max(epoch_seconds(now) - epoch_seconds(heard), 0.0)
