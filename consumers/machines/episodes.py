"""When people are told that a machine is beyond a limit, and when that it is over: once each, not for every reading.

A reading near a limit lies now beyond it and now within, so an episode is raised only when several of a signal's
newest readings are beyond the limit, and cleared only when many in a row are well within it, for a minute at least
(sample delay, deadband and off-delay, as in ISA-18.2). Whatever their timestamps, readings count in the order of the
file.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, compress, count
from operator import itemgetter
from typing import Final, NamedTuple

from consumers.machines.events import cleared, raised
from consumers.records import Commit, Episode, Event, Excess, Machine, Row, Timestamp
from utils.efficiency import Limits, Signal
from utils.message import Mode, epoch_seconds

_STANDING_CLOCK_FACTOR: Final = 60
"""So many times `clear_readings` clear whatever the clock says: one that stands still keeps no episode open."""


class EpisodeRule(NamedTuple):
    """When an episode is raised and cleared.

    `python -m tests.benchmarks.detection` prints for these numbers: of 236 true crossings of a simulated plant none
    was missed, and no episode was raised within a minute of the end of the one before.
    """

    raise_readings: int = 2
    """So many readings beyond the limit,"""
    raise_of: int = 3
    """of so many that came last, raise an episode; of as many as are needed, if that is more."""
    clear_readings: int = 10
    """So many readings in a row at or below the clear level end it; it is cleared at the first of them."""
    clear_share: float = 0.93
    """The clear level as a share of the limit; see `clear_level`."""
    clear_s: float = 60.0
    """From the first to the last of those readings, it takes so long at least, by the machine's clock, s."""

    def clear_level(self, limit: float) -> float:
        """Return the level that lies below a limit, whatever its sign."""
        return limit - (1 - self.clear_share) * abs(limit)

    def is_over(self, calm_readings: int, calm_since: Timestamp, at: Timestamp) -> bool:
        """Return whether so many readings in a row, from one time to another, end an episode.

        A clock that was set back in the meantime counts as one that was set forward.
        """
        if calm_readings < self.clear_readings:
            return False
        is_long = abs(epoch_seconds(at) - epoch_seconds(calm_since)) >= self.clear_s
        return is_long or calm_readings >= self.clear_readings * _STANDING_CLOCK_FACTOR


class EpisodeChanges(NamedTuple):
    """What readings change in the episodes."""

    machines: list[Machine]
    """The machines that were given, with what is known of their episodes."""
    episodes: list[Episode]
    """Those that were raised, go on, or were cleared, each once, as it is from then on; by id."""
    excesses: dict[int, tuple[Excess, ...]]
    """Of each machine whose episodes may have changed, the readings that may become part of a new one."""
    events: list[Event]
    """That episodes were raised and cleared, in their order."""


class EpisodeWatch:
    """The open episodes, and what has to be remembered of other machines' newest readings; of most, nothing.

    A machine costs time only if it has an anomaly in a chunk, or such a memory. New episodes are numbered from
    `next_id` on.
    """

    def __init__(
        self,
        rule: EpisodeRule,
        limits: Limits,
        open_episodes: Iterable[Episode] = (),
        excesses: Iterable[Excess] = (),
        next_id: int = 1,
    ) -> None:
        self.open_episodes: dict[int, tuple[Episode, ...]] = {}
        """By machine, of those that have any."""
        self._excesses: dict[int, tuple[Excess, ...]] = {}
        self._rule = rule
        self._limits: dict[Signal, float] = {
            "temperature": limits.temperature_safe_max_c,
            "vibration": limits.vibration_safe_max_mm_s,
        }
        self._next_id = next_id
        for episode in open_episodes:
            self.open_episodes[episode.machine_id] = (*self.open_episodes.get(episode.machine_id, ()), episode)
        for excess in excesses:
            self._excesses[excess.machine_id] = (*self._excesses.get(excess.machine_id, ()), excess)

    def after(self, rows: Sequence[Row], machines: Sequence[Machine], known: Mapping[int, Machine]) -> EpisodeChanges:
        """Return what rows change; the watch itself does not change.

        `machines` are those of the rows, as they are after them, `known` as all were before.
        """
        watched = self._watched(machines, known)
        if not watched:
            return EpisodeChanges(list(machines), [], {}, [])
        ids = count(self._next_id)
        watches = {machine_id: self._signal_watches(machine_id, ids) for machine_id in watched}
        last_anomalies: dict[int, Timestamp] = {}
        # Most rows are of other machines: those are left out at C speed.
        for row in compress(rows, map(watched.__contains__, map(itemgetter(0), rows))):
            machine_id, at, mode, temperature_c, vibration_mm_s, _, _, is_anomaly, _ = row
            heat, shake = watches[machine_id]
            heat.read(temperature_c, at, mode)
            shake.read(vibration_mm_s, at, mode)
            if is_anomaly:
                last_anomalies[machine_id] = at
        for watch in chain.from_iterable(watches.values()):
            watch.settle()
        episodes = sorted(
            (episode for pair in watches.values() for watch in pair for episode in watch.episodes), key=itemgetter(0)
        )
        return EpisodeChanges(
            [_noted(machine, watches, last_anomalies) for machine in machines],
            episodes,
            {n: tuple(excess for watch in pair for excess in watch.excesses) for n, pair in watches.items()},
            self._events(episodes, {machine.latest.machine_id: machine for machine in machines} if episodes else {}),
        )

    def take(self, commit: Commit) -> None:
        """Take over what a commit changes, which is safe in the database by now."""
        for machine_id, excesses in commit.excesses.items():
            self.open_episodes.pop(machine_id, None)
            self._excesses.pop(machine_id, None)
            if excesses:
                self._excesses[machine_id] = tuple(excesses)
        for episode in commit.episodes:
            if episode.cleared_at is None:
                self.open_episodes[episode.machine_id] = (*self.open_episodes.get(episode.machine_id, ()), episode)
            self._next_id = max(self._next_id, episode.id + 1)

    def _events(self, episodes: Iterable[Episode], machines: Mapping[int, Machine]) -> list[Event]:
        events = []
        for episode in episodes:
            if episode.id >= self._next_id:
                events.append(raised(episode, machines[episode.machine_id]))
            if episode.cleared_at is not None:
                events.append(cleared(episode, machines[episode.machine_id]))
        return events

    def _watched(self, machines: Sequence[Machine], known: Mapping[int, Machine]) -> Collection[int]:
        """Return the machines with an anomaly among their new readings, or with a memory."""
        watched = set()
        for machine in machines:
            machine_id = machine.latest.machine_id
            before = known.get(machine_id)
            has_anomalies = machine.anomalies > (0 if before is None else before.anomalies)
            if has_anomalies or machine_id in self.open_episodes or machine_id in self._excesses:
                watched.add(machine_id)
        return watched

    def _signal_watches(self, machine_id: int, ids: "count[int]") -> list["_SignalWatch"]:
        watches = []
        for signal, limit in self._limits.items():
            watch = _SignalWatch(machine_id, signal, limit, self._rule, ids)
            watch.excesses = [e for e in self._excesses.get(machine_id, ()) if e.signal == signal]
            for episode in self.open_episodes.get(machine_id, ()):
                if episode.signal == signal:
                    watch.open(episode)
            watches.append(watch)
        return watches


class _SignalWatch:
    """One signal of one machine, reading after reading."""

    def __init__(self, machine_id: int, signal: Signal, limit: float, rule: EpisodeRule, ids: "count[int]") -> None:
        self.episodes: list[Episode] = []
        """Those of these readings; if one `is_open`, it is the last, and is up to date once it is settled."""
        self.excesses: list[Excess] = []
        self.is_open = False
        self._machine_id = machine_id
        self._signal = signal
        self._limit = limit
        self._clear_level = rule.clear_level(limit)
        self._rule = rule
        self._window = max(rule.raise_of, rule.raise_readings)
        self._ids = ids

    def open(self, episode: Episode) -> None:
        """Let an episode go on; what readings change in it is kept apart, as records are slow to make."""
        self.episodes.append(episode)
        self.is_open = True
        self._readings = episode.readings
        self._calm_readings, self._calm_since = episode.calm_readings, episode.calm_since
        self._peak_value, self._peak_at = episode.peak_value, episode.peak_at

    def read(self, value: float, at: Timestamp, mode: Mode) -> None:
        if not self.is_open:
            if self.excesses or value > self._limit:
                self._wait(value, at, mode)
        elif value > self._limit:
            self._readings += 1
            self._calm_readings, self._calm_since = 0, None
            if value > self._peak_value:
                self._peak_value, self._peak_at = value, at
        elif value > self._clear_level:
            self._calm_readings, self._calm_since = 0, None
        else:
            self._calm_readings += 1
            self._calm_since = self._calm_since or at
            if self._rule.is_over(self._calm_readings, self._calm_since, at):
                self.settle(self._calm_since)

    def settle(self, cleared_at: Timestamp | None = None) -> None:
        """Bring the open episode up to date, if there is one, and clear it if a time is given."""
        if self.is_open:
            self.episodes[-1] = self.episodes[-1]._replace(
                readings=self._readings,
                calm_readings=self._calm_readings,
                calm_since=self._calm_since,
                peak_value=self._peak_value,
                peak_at=self._peak_at,
                cleared_at=cleared_at,
            )
            self.is_open = cleared_at is None

    def _wait(self, value: float, at: Timestamp, mode: Mode) -> None:
        """Remember a reading beyond the limit for as long as it may count; raise an episode if there are enough."""
        excesses = [excess._replace(ago=excess.ago + 1) for excess in self.excesses]
        if value > self._limit:
            excesses.append(Excess(self._machine_id, self._signal, 0, at, value, mode))
            if len(excesses) >= self._rule.raise_readings:
                self.open(self._raised(excesses))
                excesses = []
        self.excesses = [excess for excess in excesses if excess.ago < self._window - 1]

    def _raised(self, excesses: Sequence[Excess]) -> Episode:
        first, peak = excesses[0], max(excesses, key=lambda excess: excess.value)
        return Episode(
            next(self._ids),
            self._machine_id,
            self._signal,
            self._limit,
            first.at,
            first.value,
            peak.value,
            peak.at,
            len(excesses),
            first.mode,
        )


def _noted(
    machine: Machine, watches: Mapping[int, Sequence[_SignalWatch]], last_anomalies: Mapping[int, Timestamp]
) -> Machine:
    machine_id = machine.latest.machine_id
    if machine_id not in watches:
        return machine
    return machine._replace(
        last_anomaly_at=last_anomalies.get(machine_id, machine.last_anomaly_at),
        open_episodes=sum(watch.is_open for watch in watches[machine_id]),
    )
