"""Episodes by their law: what any split into chunks gives is what a few lines of plain Python make of all rows."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.episodes import EpisodeRule, EpisodeWatch
from consumers.machines.fleet import Fleet
from consumers.records import Batch, Commit, Episode, RatedReading, Row, Stream
from tests.consumers.machines.support import LIMITS, T0_S, row
from tests.support import AT
from utils.message import timestamp_at

RULE = EpisodeRule()
STREAM = Stream(1, "live.json", "first seen", 0, 0, b"", ())
CALM, NEAR, BEYOND = 3.0, 4.4, 6.0
"""Vibrations well within the limit, in the deadband, and beyond it."""


class Watched:
    """A fleet that is given rows chunk by chunk, and keeps the episodes as the database would."""

    def __init__(self, rule: EpisodeRule = RULE) -> None:
        self.rule = rule
        self.episodes: dict[int, Episode] = {}
        self.fleet = Fleet(0, episodes=EpisodeWatch(rule, LIMITS))

    def read(self, rows: Sequence[Row]) -> Commit:
        machines, episodes, excesses, events = self.fleet.episodes_after(rows, self.fleet.after(rows).machines)
        batch = Batch(list(rows), [], 0, 0, len(rows))
        commit = Commit(STREAM, STREAM, batch, machines, AT, episodes=episodes, excesses=excesses, events=events)
        self.fleet.take(commit)
        self.episodes |= {episode.id: episode for episode in commit.episodes}
        return commit

    def restart(self) -> None:
        """Go on in another process, from what a database keeps."""
        open_ones = [episode for episode in self.episodes.values() if episode.cleared_at is None]
        excesses = [e for kept in self.fleet._episodes._excesses.values() for e in kept]
        watch = EpisodeWatch(self.rule, LIMITS, open_ones, excesses, max(self.episodes, default=0) + 1)
        self.fleet = Fleet(0, self.fleet.machines.values(), episodes=watch)


def vibrations(*values: float, machine_id: int = 7) -> list[RatedReading]:
    return [row(machine_id, second, vibration_mm_s=value) for second, value in enumerate(values)]


def episodes_of(*values: float, rule: EpisodeRule = RULE) -> list[Episode]:
    watched = Watched(rule)
    watched.read(vibrations(*values))
    return list(watched.episodes.values())


def at(second: float) -> str:
    return timestamp_at(T0_S + second)


# Raised and cleared


def test_one_reading_beyond_a_limit_raises_nothing() -> None:
    assert episodes_of(BEYOND, CALM, CALM, BEYOND, CALM) == []


@pytest.mark.parametrize("readings", [(BEYOND, BEYOND), (BEYOND, CALM, BEYOND)])
def test_two_of_three_readings_beyond_a_limit_raise_an_episode_that_began_with_the_first(readings: Any) -> None:
    (episode,) = episodes_of(CALM, *readings)
    assert episode == Episode(1, 7, "vibration", 4.5, at(1), BEYOND, BEYOND, at(1), 2, "active")


def test_an_episode_knows_its_peak_and_how_many_readings_were_beyond() -> None:
    (episode,) = episodes_of(5, 6, 9, 4.4, 9, 7)
    assert (episode.raised_value, episode.peak_value, episode.peak_at, episode.readings) == (5, 9, at(2), 5)


def test_an_episode_goes_on_until_all_readings_of_a_minute_are_well_within_the_limit() -> None:
    assert [e.cleared_at for e in episodes_of(BEYOND, BEYOND, *[CALM] * 60)] == [None]
    assert [e.cleared_at for e in episodes_of(BEYOND, BEYOND, *[CALM] * 61)] == [at(2)]


@pytest.mark.parametrize("seconds", [7, 60, 3600])
def test_of_a_slow_feed_ten_readings_are_needed_and_enough(seconds: int) -> None:
    watched = Watched()
    rows = [row(7, n * seconds, vibration_mm_s=BEYOND if n < 2 else CALM) for n in range(12)]
    watched.read(rows[:11])
    assert watched.episodes[1].cleared_at is None
    watched.read(rows[11:])
    assert watched.episodes[1].cleared_at == at(2 * seconds)


def test_what_was_calm_for_less_than_a_minute_is_the_same_episode() -> None:
    (episode,) = episodes_of(BEYOND, BEYOND, *[CALM] * 60, 9, BEYOND)
    assert (episode.peak_value, episode.readings, episode.cleared_at, episode.calm_since) == (9, 4, None, None)


@pytest.mark.parametrize("seconds", [-30, 1e9])
def test_a_clock_that_is_set_meanwhile_keeps_no_episode_open(seconds: float) -> None:
    watched = Watched()
    watched.read(vibrations(BEYOND, BEYOND, *[CALM] * 5))
    watched.read([row(7, seconds + n, vibration_mm_s=CALM) for n in range(40)])
    watched.read([row(7, seconds - 100 + n, vibration_mm_s=CALM) for n in range(5)])
    assert watched.episodes[1].cleared_at == at(2)


def test_a_clock_that_stands_still_keeps_no_episode_open_for_ever() -> None:
    watched = Watched()
    watched.read([row(7, 0, vibration_mm_s=BEYOND)] * 2 + [row(7, 0, vibration_mm_s=CALM)] * 599)
    assert watched.episodes[1].cleared_at is None
    watched.read([row(7, 0, vibration_mm_s=CALM)])
    assert watched.episodes[1].cleared_at == at(0)


def test_an_episode_from_before_it_was_known_since_when_it_is_calm_counts_the_minute_from_now() -> None:
    watched = Watched()
    watched.read(vibrations(BEYOND, BEYOND, *[CALM] * 9))
    watched.episodes[1] = watched.episodes[1]._replace(calm_since=None)
    watched.restart()
    watched.read([row(7, 11 + n, vibration_mm_s=CALM) for n in range(61)])
    assert watched.episodes[1].cleared_at == at(11)


@pytest.mark.parametrize("not_calm", [NEAR, BEYOND])
def test_a_reading_that_is_not_calm_begins_the_count_again(not_calm: float) -> None:
    (episode,) = episodes_of(BEYOND, BEYOND, *[CALM] * 60, not_calm, *[CALM] * 60)
    assert (episode.cleared_at, episode.calm_readings, episode.calm_since) == (None, 60, at(63))


def test_the_clear_level_itself_is_calm() -> None:
    assert RULE.clear_level(4.5) == pytest.approx(4.185)
    level = RULE.clear_level(4.5)
    assert [e.cleared_at for e in episodes_of(BEYOND, BEYOND, *[level] * 61)] == [at(2)]


def test_the_clear_level_lies_below_a_limit_of_any_sign() -> None:
    assert RULE.clear_level(-10.0) == pytest.approx(-10.7)
    assert RULE.clear_level(0.0) == 0.0


def test_after_an_episode_the_next_one_is_another() -> None:
    first, second = episodes_of(BEYOND, BEYOND, *[CALM] * 61, BEYOND, CALM, BEYOND)
    assert (first.cleared_at, second.id, second.raised_at) == (at(2), 2, at(63))


def test_each_signal_of_a_machine_has_episodes_of_its_own() -> None:
    watched = Watched()
    watched.read([row(7, second, temperature_c=95, vibration_mm_s=6) for second in range(2)])
    assert [(e.signal, e.limit_value) for e in watched.episodes.values()] == [("temperature", 90), ("vibration", 4.5)]
    assert watched.fleet.machines[7].open_episodes == 2


def test_readings_count_in_the_order_of_the_file_whatever_their_timestamps() -> None:
    watched = Watched()
    watched.read([row(7, 100, vibration_mm_s=BEYOND), row(7, 5, vibration_mm_s=BEYOND)])
    assert watched.episodes[1].raised_at == at(100)
    assert watched.fleet.machines[7].last_anomaly_at == at(5)


def test_a_window_that_is_too_short_for_the_readings_it_needs_is_as_long_as_they_are() -> None:
    assert episodes_of(BEYOND, BEYOND, rule=RULE._replace(raise_readings=3, raise_of=1)) == []
    assert len(episodes_of(BEYOND, BEYOND, BEYOND, rule=RULE._replace(raise_readings=3, raise_of=1))) == 1


# What a chunk costs and carries


def test_a_healthy_plant_has_nothing_to_remember() -> None:
    watched = Watched()
    commit = watched.read(vibrations(CALM, NEAR))
    assert (commit.episodes, commit.excesses) == ([], {})


def test_a_single_excess_is_remembered_until_it_cannot_count_any_more() -> None:
    watched = Watched()
    assert [excess.ago for excess in watched.read(vibrations(BEYOND, CALM)).excesses[7]] == [1]
    assert watched.read(vibrations(CALM)).excesses == {7: ()}
    assert watched.read(vibrations(CALM)).excesses == {}


def test_only_taking_a_commit_changes_the_watch() -> None:
    watched = Watched()
    rows = vibrations(BEYOND, BEYOND)
    changes = [watched.fleet.episodes_after(rows, watched.fleet.after(rows).machines) for _ in range(2)]
    assert changes[0] == changes[1]
    assert watched.fleet.open_episodes == {}
    watched.read(rows)
    assert [episode.id for episode in watched.fleet.open_episodes[7]] == [1]


def test_a_machine_forgets_an_episode_that_is_over() -> None:
    watched = Watched()
    watched.read(vibrations(BEYOND, BEYOND))
    watched.read(vibrations(*[CALM] * 61))
    assert watched.fleet.open_episodes == {}
    assert watched.fleet.machines[7].open_episodes == 0


# The law


def is_over(calm: Sequence[str], rule: EpisodeRule) -> bool:
    if len(calm) < rule.clear_readings:
        return False
    minute = timedelta(seconds=rule.clear_s)
    lasting = abs(datetime.fromisoformat(calm[-1]) - datetime.fromisoformat(calm[0]))
    return lasting >= minute or len(calm) >= 60 * rule.clear_readings


def plain_episodes(rows: Sequence[Row], rule: EpisodeRule) -> list[tuple[Any, ...]]:
    """All episodes of these rows, worked out from all of them at once."""
    window = max(rule.raise_of, rule.raise_readings)
    found = []
    readings: dict[tuple[int, str, float], list[tuple[int, str, str, float]]] = defaultdict(list)
    for place, (machine_id, when, mode, heat, shake, *_) in enumerate(rows):
        readings[machine_id, "temperature", 90.0].append((place, when, mode, heat))
        readings[machine_id, "vibration", 4.5].append((place, when, mode, shake))
    for (machine_id, signal, limit), series in readings.items():
        begin = 0
        for i in range(len(series)):
            excess = [r for r in series[max(begin, i - window + 1) : i + 1] if r[3] > limit]
            if i < begin or len(excess) < rule.raise_readings:
                continue
            n, calm, cleared_at = i + 1, list[str](), None
            while n < len(series) and cleared_at is None:
                calm = [*calm, series[n][1]] if series[n][3] <= rule.clear_level(limit) else []
                cleared_at = calm[0] if is_over(calm, rule) else None
                excess += [series[n]] if series[n][3] > limit else []
                n += 1
            peak = max(excess, key=lambda r: r[3])
            first = excess[0]
            values = (
                machine_id,
                signal,
                limit,
                first[1],
                first[3],
                peak[3],
                peak[1],
                len(excess),
                first[2],
                cleared_at,
            )
            found.append((series[i][0], signal, values))
            begin = n if cleared_at is not None else len(series)
    return [values for _, _, values in sorted(found)]


readings = st.builds(
    row,
    st.integers(1, 2),
    st.integers(0, 200),
    st.sampled_from(["active", "idle", "maintenance"]),
    st.sampled_from([60.0, 84.0, 95.0, 97.0]),
    st.sampled_from([CALM, NEAR, BEYOND, 7.0]),
)
rules = st.builds(
    EpisodeRule,
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([0.93, 1.0]),
    st.sampled_from([0.0, 60.0]),
)


@given(st.lists(st.tuples(readings, st.sampled_from(["goes on", "chunk", "restart"])), max_size=40), rules)
def test_any_chunks_with_any_restarts_give_the_episodes_of_all_rows(
    feed: list[tuple[RatedReading, str]], rule: EpisodeRule
) -> None:
    watched = Watched(rule)
    chunk: list[Row] = []
    for read, then in feed:
        chunk.append(read)
        if then != "goes on":
            watched.read(chunk)
            chunk = []
        if then == "restart":
            watched.restart()
    watched.read(chunk)
    expected = plain_episodes([read for read, _ in feed], rule)
    assert [episode[1:11] for _, episode in sorted(watched.episodes.items())] == expected
    for machine_id, machine in watched.fleet.machines.items():
        is_open = [e for e in expected if e[0] == machine_id and e[-1] is None]
        anomalies = [read.timestamp for read, _ in feed if read.machine_id == machine_id and read.is_anomaly]
        assert machine.open_episodes == len(is_open) == len(watched.fleet.open_episodes.get(machine_id, ()))
        assert machine.last_anomaly_at == (anomalies[-1] if anomalies else None)
