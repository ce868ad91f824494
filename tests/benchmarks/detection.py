"""`python -m tests.benchmarks.detection`: how well episodes tell what is true of the simulated plant.

The truth is what the simulator knows without the sensors' noise. A crossing is a time in which a machine's true
temperature or severity is beyond its limit, for as many readings as raise an episode at least. It is told if an
episode is open in it; its delay counts its readings up to the one that raised that episode (0: raised before). Each
seed is an hour of a plant of 50 machines that report every second; a healthy plant is one without wear and faults.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random
from statistics import mean
from typing import Final, NamedTuple

from consumers.machines.episodes import EpisodeRule, EpisodeWatch
from consumers.machines.fleet import Fleet
from consumers.records import Batch, Commit, Episode, Row, Stream
from producers.simulator import Machine, Plant
from tests.benchmarks.support import Bound, parser, verdict
from utils.efficiency import Limits, Signal
from utils.message import Reading, epoch_seconds

LIMITS: Final = Limits()
_START_S: Final = 1_800_000_000.0
_AT: Final = "2027-01-15T08:00:00.000Z"
_STREAM: Final = Stream(1, "simulated", "first seen", 0, 0, b"", ())
_LIFE_WITHOUT_END_S: Final = 1e9
_CHATTER_ROUNDS: Final = 60
_MOST_HEALTHY_PER_10_MIN: Final = 1.0
_LEAST_TOLD: Final = 0.99
_TRUTH: Final[dict[Signal, Callable[[Machine], bool]]] = {
    "temperature": lambda machine: machine.temperature_c > LIMITS.temperature_safe_max_c,
    "vibration": lambda machine: machine.vibration_mm_s > LIMITS.vibration_safe_max_mm_s,
}

Gauge = tuple[int, Signal]


class Span(NamedTuple):
    """Rounds of a gauge from one to before another."""

    gauge: Gauge
    begin: int
    end: int


class Observed(NamedTuple):
    """What was true of a plant, and what people were told."""

    crossings: list[Span]
    episodes: list[Span]
    """As they were told."""
    records: list[Episode]
    """The same, as they are in the database."""


class Score(NamedTuple):
    """How well the one tells the other."""

    crossings: int
    told: int
    delays: list[int]
    episodes: int
    untrue: int
    """Episodes in which nothing was truly beyond a limit."""
    chatter: int
    """Episodes that began less than a minute after the last one of the same gauge had ended, by `cleared_at`."""
    told_chatter: int
    """Episodes that were told less than a minute after the end of the last one was told, which is a minute late."""


def observe(plant: Plant, rounds: int, rule: EpisodeRule, *, is_healthy: bool) -> Observed:
    """Let a plant report for so many rounds."""
    fleet = Fleet(0, episodes=EpisodeWatch(rule, LIMITS))
    truth, episodes = Spans(), Spans()
    records: dict[int, Episode] = {}
    for number in range(rounds):
        if is_healthy:
            _heal(plant.machines)
        commit = _take(fleet, [_row(reading) for reading in plant.next_round()])
        for machine in plant.machines:
            for signal, is_beyond in _TRUTH.items():
                truth.note((machine.machine_id, signal), number, is_true=is_beyond(machine))
        records |= {episode.id: episode for episode in commit.episodes}
        for episode in commit.episodes:
            episodes.note((episode.machine_id, episode.signal), number, is_true=episode.cleared_at is None)
    return Observed(
        [span for span in truth.all_until(rounds) if span.end - span.begin >= rule.raise_readings],
        list(episodes.all_until(rounds)),
        sorted(records.values(), key=lambda episode: (episode.machine_id, episode.signal, episode.id)),
    )


class Spans:
    """Collects the rounds in which something is true of a gauge."""

    def __init__(self) -> None:
        self._found: list[Span] = []
        self._begins: dict[Gauge, int] = {}

    def note(self, gauge: Gauge, number: int, *, is_true: bool) -> None:
        if is_true:
            self._begins.setdefault(gauge, number)
        elif gauge in self._begins:
            self._found.append(Span(gauge, self._begins.pop(gauge), number))

    def all_until(self, end: int) -> Iterator[Span]:
        yield from self._found
        yield from (Span(gauge, begin, end) for gauge, begin in self._begins.items())


def scored(observed: Observed) -> Score:
    """Compare what people were told with what was true."""
    delays = []
    for crossing in observed.crossings:
        told = [episode for episode in observed.episodes if _overlap(episode, crossing)]
        delays += [max(min(episode.begin for episode in told) - crossing.begin, 0)] if told else []
    episodes = sorted(observed.episodes)
    return Score(
        len(observed.crossings),
        len(delays),
        delays,
        len(episodes),
        sum(not any(_overlap(episode, crossing) for crossing in observed.crossings) for episode in episodes),
        sum(_is_chatter(first, second) for first, second in pairwise(observed.records)),
        sum(
            first.gauge == second.gauge and second.begin - first.end < _CHATTER_ROUNDS
            for first, second in pairwise(episodes)
        ),
    )


def total(scores: Sequence[Score]) -> Score:
    """Add up the scores of several seeds."""
    delays = [delay for score in scores for delay in score.delays]
    columns = list(zip(*scores, strict=True))
    return Score(sum(columns[0]), sum(columns[1]), delays, *(sum(column) for column in columns[3:]))


def _is_chatter(first: Episode, second: Episode) -> bool:
    if first[1:3] != second[1:3] or first.cleared_at is None:
        return False
    return epoch_seconds(second.raised_at) - epoch_seconds(first.cleared_at) < _CHATTER_ROUNDS


def _overlap(one: Span, other: Span) -> bool:
    return one.gauge == other.gauge and one.begin < other.end and other.begin < one.end


def _heal(machines: Sequence[Machine]) -> None:
    for machine in machines:
        machine.remaining_life_s = _LIFE_WITHOUT_END_S
        machine._fault_from_s = -_LIFE_WITHOUT_END_S


def _row(reading: Reading) -> Row:
    score, level, is_anomaly, _ = LIMITS.rate(reading)
    return (*reading, score, level, is_anomaly, _AT)


def _take(fleet: Fleet, rows: list[Row]) -> Commit:
    commit = fleet.commit(_STREAM, _STREAM, Batch(rows, [], 0, 0, len(rows)), _AT)
    fleet.take(commit)
    return commit


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; returns 1 where a bound is missed."""
    options = parser("detection", __doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[901, 902, 903], help="unseen ones (901 902 903)")
    options.add_argument("--machines", type=int, default=50)
    options.add_argument("--minutes", type=int, default=60)
    options.add_argument("--clear-readings", type=int, default=EpisodeRule().clear_readings)
    options.add_argument("--clear-seconds", type=float, default=EpisodeRule().clear_s)
    options.add_argument("--clear-share", type=float, default=EpisodeRule().clear_share)
    chosen = options.parse_args(argv)
    rule = EpisodeRule(
        clear_readings=chosen.clear_readings, clear_share=chosen.clear_share, clear_s=chosen.clear_seconds
    )
    rounds = chosen.minutes * 60
    worn, healthy = (
        total([_score(seed, chosen.machines, rounds, rule, is_healthy=is_healthy) for seed in chosen.seeds])
        for is_healthy in (False, True)
    )
    hours = len(chosen.seeds) * chosen.minutes / 60
    print(f"{chosen.machines} machines, {hours:g} h, {rule}\n")
    _print("plant that wears", worn, hours)
    _print("healthy plant", healthy, hours)
    return verdict(_bounds(worn, healthy, hours))


def _score(seed: int, machines: int, rounds: int, rule: EpisodeRule, *, is_healthy: bool) -> Score:
    plant = Plant(machines, 1.0, _START_S, Random(seed), LIMITS)
    return scored(observe(plant, rounds, rule, is_healthy=is_healthy))


def _print(name: str, score: Score, hours: float) -> None:
    delays = sorted(score.delays) or [0]
    most_of_them = delays[len(delays) * 95 // 100]
    print(f"{name}: {score.told:,} of {score.crossings:,} crossings told")
    print(f"    delay: {mean(delays):.1f} readings in the mean, 95 % up to {most_of_them}, all up to {delays[-1]}")
    print(f"    {score.episodes:,} episodes, {score.episodes / hours / 6:.1f} in 10 min")
    print(f"    {score.untrue} of them without a crossing, {score.chatter} raised again within a minute of the end,")
    print(f"    {score.told_chatter} within a minute of when the end was told")


def _bounds(worn: Score, healthy: Score, hours: float) -> list[Bound]:
    told, chatter = worn.told / max(worn.crossings, 1), worn.chatter + healthy.chatter
    healthy_rate = healthy.episodes / hours / 6
    return [
        Bound(f"at least {_LEAST_TOLD} of the crossings are told", f"{told:.3f}", told >= _LEAST_TOLD),
        Bound(
            f"at most {_MOST_HEALTHY_PER_10_MIN:g} episode in 10 min on a healthy plant",
            f"{healthy_rate:.2f}",
            healthy_rate <= _MOST_HEALTHY_PER_10_MIN,
        ),
        Bound("no episode chatters", f"{chatter}", chatter == 0),
    ]


if __name__ == "__main__":
    sys.exit(main())
