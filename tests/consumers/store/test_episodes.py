"""Episodes in the database: what a commit leaves, and the view of the ranking, which says what `ranked` says."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.ranking import ranked
from consumers.records import Episode, Machine
from consumers.store.errors import StoreError
from consumers.store.schema import migrate
from consumers.store.store import Store
from consumers.store.tables import EPISODES, MACHINES, ViewSettings
from tests.consumers.machines.support import T0_S, row
from tests.consumers.store.test_store import feed_into
from tests.support import line, query
from utils.efficiency import Limits
from utils.message import MODES, timestamp_at

RANKING = "SELECT machine_id, name, kind, reason, since, share_of_limit FROM machines_to_maintain"


def shaking(machine_id: int, *vibrations: float) -> bytes:
    """Lines a minute apart."""
    return "".join(
        line(machine_id, vibration_mm_s=value, timestamp=timestamp_at(T0_S + 60 * minute))
        for minute, value in enumerate(vibrations)
    ).encode()


# What a commit leaves


def test_an_episode_is_one_row_that_goes_on_from_commit_to_commit(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(shaking(7, 6.0))
        assert query(database, "SELECT count(*) FROM anomaly_episodes") == [(0,)]
        feed.save(shaking(7, 8.0))
        feed.save(shaking(7, 7.0))
    columns = "id, machine_id, signal, limit_value, raised_value, peak_value, readings, mode, cleared_at"
    assert query(database, f"SELECT {columns} FROM anomaly_episodes") == [
        (1, 7, "vibration", 4.5, 6.0, 8.0, 3, "active", None)
    ]
    assert query(database, "SELECT open_episodes, last_anomaly_at = timestamp FROM machines") == [(1, 1)]


def test_a_restart_knows_the_open_episodes_and_the_excesses_alone(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(shaking(7, 6.0, 6.0, *[1.0] * 10))
        feed.save(shaking(7, 6.0, 6.0, 1.0))
        feed.save(shaking(8, 6.0, 1.0))
    with closing(Store(database)) as store:
        (episode,), excesses, next_id = store.episodes()
        assert (episode.id, episode.calm_readings, episode.cleared_at) == (2, 1, None)
        assert episode.calm_since == timestamp_at(T0_S + 120)
        assert [(excess.machine_id, excess.ago, excess.value) for excess in excesses] == [(8, 1, 6.0)]
        assert next_id == 3


def test_an_excess_that_cannot_count_any_more_is_gone(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(shaking(8, 6.0))
        assert query(database, "SELECT machine_id, ago FROM excesses") == [(8, 0)]
        feed.save(shaking(8, 1.0, 1.0))
    assert query(database, "SELECT count(*) FROM excesses") == [(0,)]


def test_an_episode_that_someone_changed_by_hand_is_named(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(shaking(7, 6.0, 6.0))
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE anomaly_episodes SET signal = 'noise'")
        connection.commit()
    with closing(Store(database)) as store, pytest.raises(StoreError, match=r"anomaly_episodes.signal is 'noise'"):
        store.episodes()


# The ranking in SQL


def test_the_view_follows_the_settings_of_the_latest_run(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(shaking(7, 5.0))
    assert query(database, "SELECT kind, reason FROM machines_to_maintain") == [("beyond", "vibration 5 > 4.5 mm/s")]
    Store(database, view_settings=ViewSettings(90.0, 7.1, 60.0)).close()
    assert query(database, "SELECT kind, reason FROM machines_to_maintain") == [("near", "vibration 5 of 7.1 mm/s")]


def test_the_view_of_an_empty_database_is_empty(database: Path) -> None:
    Store(database).close()
    assert query(database, "SELECT * FROM machines_to_maintain") == []


seconds = st.one_of(st.integers(0, 400_000).map(float), st.sampled_from([0.0, 59.999, 60.0, 3600.0, 172_800.0]))
values = st.one_of(
    st.sampled_from([4.4, 4.5, 4.51, 90.0, 95.0]),
    st.floats(-100, 9999).map(lambda v: round(v, 2) + 0.0),
)


@st.composite
def plants(draw: st.DrawFn) -> tuple[list[Machine], list[Episode]]:
    machines: list[Machine] = []
    episodes: list[Episode] = []
    for machine_id in range(draw(st.integers(1, 5))):
        when, mode = draw(seconds), draw(st.sampled_from(MODES))
        latest = row(machine_id, when, mode, draw(values), abs(draw(values)))
        name = draw(st.none() | st.just(f"PUMP-{machine_id}"))
        hours = draw(st.none() | st.lists(st.floats(0, 100), min_size=3, max_size=3).map(sorted))
        low, middle, high = hours or (None, None, None)
        machines.append(
            Machine(latest, name=name, hours_to_limit_low=low, hours_to_limit=middle, hours_to_limit_high=high)
        )
        for signal in draw(st.sets(st.sampled_from(["temperature", "vibration"]))):
            raised_at = timestamp_at(T0_S + draw(seconds))
            numbers = draw(values), raised_at, draw(values), draw(values), raised_at, 2
            episodes.append(Episode(len(episodes), machine_id, signal, *numbers, mode))  # type: ignore[arg-type]
    return machines, episodes


def empty_database() -> sqlite3.Connection:
    """The schema in memory: no file, so that many plants can be tried."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, 0)
    return connection


@given(plants(), st.sampled_from([Limits(), Limits(vibration_safe_max_mm_s=7.1), Limits(temperature_safe_max_c=95)]))
def test_the_view_has_the_order_and_the_reasons_of_the_ranking(
    plant: tuple[list[Machine], list[Episode]], limits: Limits
) -> None:
    machines, episodes = plant
    with closing(empty_database()) as connection:
        connection.executemany(MACHINES.insert, map(MACHINES.values, machines))
        connection.executemany(EPISODES.insert, episodes)
        settings = ViewSettings(limits.temperature_safe_max_c, limits.vibration_safe_max_mm_s, 60.0)
        connection.execute("REPLACE INTO view_settings VALUES (1, ?, ?, ?)", settings)
        found = connection.execute(RANKING).fetchall()
    assert found == in_python(machines, episodes, limits)


def in_python(machines: Sequence[Machine], episodes: Sequence[Episode], limits: Limits) -> list[tuple[object, ...]]:
    at = sorted(machine.latest.timestamp for machine in machines)[(len(machines) - 1) // 2]
    by_machine = {m.latest.machine_id: [e for e in episodes if e.machine_id == m.latest.machine_id] for m in machines}
    return [
        (machine.latest.machine_id, machine.name, kind, reason, since, share_of_limit)
        for machine, kind, reason, since, share_of_limit in ranked(machines, limits, at, by_machine, 60.0)
    ]
