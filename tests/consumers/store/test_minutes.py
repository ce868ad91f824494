import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.records import RatedReading
from consumers.store.errors import StoreError
from consumers.store.store import Store
from tests.consumers.minutes import SCANNED, known_minutes, minutes_of_rows
from tests.consumers.store.test_schema import VERSION_1
from tests.consumers.store.test_store import Feed, check_totals, content, feed_into, other_programs
from tests.support import line, query
from utils.message import MODES, timestamp_at

T0_S = 1_800_000_000


def at(second: float) -> str:
    return timestamp_at(T0_S + second)


def minutes_in_table(database: Path) -> list[tuple[int, str, int]]:
    return query(database, "SELECT machine_id, minute, readings FROM machine_minutes ORDER BY 1, 2")


def open_minutes(database: Path) -> list[tuple[int, str, int]]:
    return query(database, "SELECT machine_id, substr(timestamp, 1, 16), minute_readings FROM machines ORDER BY 1")


def test_a_minute_is_in_the_table_once_its_machine_has_reported_in_another(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save((line(1, timestamp=at(0)) + line(1, timestamp=at(59.999)) + line(2, timestamp=at(0))).encode())
        assert minutes_in_table(database) == []
        assert open_minutes(database) == [(1, at(0)[:16], 2), (2, at(0)[:16], 1)]
        feed.save(line(1, timestamp=at(60)).encode())
        assert minutes_in_table(database) == [(1, at(0), 2)]
        assert open_minutes(database) == [(1, at(60)[:16], 1), (2, at(0)[:16], 1)]


def test_what_comes_late_adds_to_its_minute(database: Path) -> None:
    with feed_into(database) as feed:
        for second in (0, 60, 120, 1, 121, 61, 2):
            feed.save(line(1, timestamp=at(second), temperature_c=60 + second / 100).encode())
        assert known_minutes(database) == minutes_of_rows(database)
        assert [readings for _, _, readings, *_ in known_minutes(database)] == [3, 2, 2]


def test_a_minute_without_an_active_reading_has_no_peaks(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(line(1, mode="idle", timestamp=at(0)).encode())
        feed.save(line(1, mode="offline", timestamp=at(60)).encode())
        feed.save(line(1, timestamp=at(120)).encode())
        feed.save(line(1, timestamp=at(61), vibration_mm_s=3.0).encode())
        feed.save(line(1, timestamp=at(121)).encode())
    assert query(database, "SELECT vibration_sum, vibration_max FROM machine_minutes") == [
        (0, None),
        (3, 3),
        (2.08, 2.08),
    ]
    assert query(
        database, "SELECT readings, active_readings, mean_vibration, peak_vibration FROM machine_history"
    ) == [(1, 0, None, None), (2, 1, 3, 3), (2, 2, 2.08, 2.08)]


def test_the_history_shows_means_and_peaks_of_closed_and_open_minutes(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(
            b"".join(
                line(1, timestamp=at(second), temperature_c=heat, vibration_mm_s=shake).encode()
                for second, heat, shake in ((0, 60.0, 1.0), (1, 95.0, 2.0), (60, 50.0, 1.5), (2, 70.0, 1.1))
            )
        )
    assert query(database, "SELECT * FROM machine_history ORDER BY minute") == [
        (1, None, at(0), 3, 3, 1, 81.7, 45.0, 75.0, 95.0, 1.37, 2.0),
        (1, None, at(60), 1, 1, 0, 90.0, 90.0, 50.0, 50.0, 1.5, 1.5),
    ]


@pytest.mark.parametrize("clause", ["machine_id = 3", "machine_id = 3 AND minute > '2026'"])
def test_the_history_of_a_machine_is_found_without_a_scan_of_all_minutes(database: Path, clause: str) -> None:
    Store(database).close()
    plan = query(database, f"EXPLAIN QUERY PLAN SELECT * FROM machine_history WHERE {clause}")
    found = [step for *_, step in plan if "PRIMARY KEY" in step]
    assert len(found) == 5
    assert all(step.startswith("SEARCH") for step in found), found
    assert "SCAN" not in " ".join(step for *_, step in plan).replace("SCAN minutes", "")


readings = st.builds(
    line,
    machine_id=st.integers(1, 3),
    timestamp=st.sampled_from([0, 1, 59.999, 60, 61, 119, 120, 7200, 2e9]).map(at),
    mode=st.sampled_from(MODES),
    temperature_c=st.sampled_from([60.0, 85.5, 95.0]) | st.floats(-273.15, 200) | st.just(1e300),
    vibration_mm_s=st.sampled_from([1.0, 2.005, 4.625, 9.0]) | st.floats(0, 50),
)
HISTORY_OF_ROWS = f"""
SELECT
    machine_id, NULL, minute, readings, active_readings, anomalies,
    round(efficiency_sum / readings, 1), efficiency_min,
    round(temperature_sum / nullif(active_readings, 0), 2), temperature_max,
    round(vibration_sum / nullif(active_readings, 0), 2), vibration_max
FROM ({SCANNED}) ORDER BY 1, 3
"""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.lists(readings, min_size=1, max_size=6), st.booleans()), max_size=8))
def test_minutes_machines_and_rows_agree_however_lines_are_split_and_whenever_it_restarts(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[list[str], bool]]
) -> None:
    database = tmp_path_factory.mktemp("minutes") / "analytics.sqlite"
    store = Store(database)
    feed = Feed(store)
    for lines, is_restarted in chunks:
        feed.save("".join(lines).encode())
        if is_restarted:
            store.close()
            store = feed.store = Store(database)
            restored = Feed(store)
            assert restored.fleet.machines == feed.fleet.machines
            feed.fleet = restored.fleet
    store.close()
    assert known_minutes(database) == minutes_of_rows(database)
    assert query(database, "SELECT * FROM machine_history ORDER BY 1, 3") == query(database, HISTORY_OF_ROWS)
    check_totals(database)


# A database from before there were minutes


def test_the_minutes_of_the_rows_of_an_older_database_are_known(database: Path) -> None:
    shutil.copy(VERSION_1 / "analytics.sqlite", database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE manufacturing_analytics SET temperature = 1e300 WHERE id = 3")
        connection.execute("UPDATE manufacturing_analytics SET vibration = 2.125, mode = 'active' WHERE id > 20")
        connection.commit()
    with closing(Store(database)) as store:
        rows = len(query(database, "SELECT id FROM manufacturing_analytics"))
        assert query(database, "SELECT sum(readings) FROM machine_minutes") == [(rows,)]
        assert known_minutes(database) == minutes_of_rows(database)
        latest: RatedReading = store.machines()[0].latest
        Feed(store, 3).save(line(latest.machine_id, timestamp=latest.timestamp).encode())
    assert known_minutes(database) == minutes_of_rows(database)


def test_rows_that_someone_changed_in_an_older_database_belong_to_no_minute(database: Path) -> None:
    shutil.copy(VERSION_1 / "analytics.sqlite", database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE manufacturing_analytics SET timestamp = 'yesterday' WHERE id = 1")
        connection.execute("UPDATE manufacturing_analytics SET machine_id = NULL WHERE id = 2")
        connection.execute("UPDATE manufacturing_analytics SET temperature = 'hot' WHERE id = 3")
        connection.commit()
    Store(database).close()
    assert query(database, "SELECT sum(readings) FROM machine_minutes") == [(39,)]


# What goes because it is old

DAY_S = 86_400


class Keeper:
    """A store that keeps minutes for a day and readings for ever."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.store = Store(database, keep_minutes_days=1)
        self.feed = Feed(self.store)

    def save(self, machine_id: int, seconds: Iterable[float]) -> None:
        self.feed.save("".join(line(machine_id, timestamp=at(second)) for second in seconds).encode())

    def expire(self, second: float) -> int:
        steps = 1
        while self.store.expire(at(second)):
            steps += 1
        return steps

    def minutes(self, machine_id: int) -> list[str]:
        return [minute for number, minute, _ in minutes_in_table(self.database) if number == machine_id]


@pytest.fixture
def keeper(database: Path) -> Iterator[Keeper]:
    keeper = Keeper(database)
    yield keeper
    keeper.store.close()


def test_each_machines_minutes_go_when_they_are_older_than_is_kept(keeper: Keeper) -> None:
    for machine_id in (0, 3, 2**62):
        keeper.save(machine_id, (0, 60, 120, 180, DAY_S))
    keeper.expire(DAY_S + 120)
    assert [keeper.minutes(machine_id) for machine_id in (0, 3, 2**62)] == [[at(120), at(180)]] * 3
    assert query(keeper.database, "SELECT count(*) FROM manufacturing_analytics") == [(15,)]


def test_an_hour_of_minutes_goes_at_once(keeper: Keeper) -> None:
    keeper.save(1, range(0, 7200, 60))
    keeper.expire(DAY_S)
    keeper.expire(DAY_S + 3600)
    assert len(keeper.minutes(1)) == 119
    keeper.expire(DAY_S + 3660)
    assert keeper.minutes(1) == [at(second) for second in range(3660, 7140, 60)]


def test_a_minute_in_the_future_stays_and_makes_nothing_old(keeper: Keeper) -> None:
    keeper.save(1, (0, 9e8, 60, 120, DAY_S))
    keeper.expire(DAY_S + 60)
    assert keeper.minutes(1) == [at(60), at(120), at(9e8)]


def test_a_step_deletes_a_few_minutes_of_a_few_machines_at_most(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.store.minutes.MINUTES_A_STEP", 10)
    monkeypatch.setattr("consumers.store.minutes.MACHINES_A_STEP", 3)
    for machine_id in range(10):
        keeper.save(machine_id, (*range(0, 60 * machine_id, 60), 2 * DAY_S))
    left = [len(minutes_in_table(keeper.database))]
    while keeper.store.expire(at(2 * DAY_S)):
        left.append(len(minutes_in_table(keeper.database)))
    assert left == [45, 39, 29, 19, 9]
    assert minutes_in_table(keeper.database) == []


def test_a_round_that_a_restart_broke_off_begins_anew(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.store.minutes.MINUTES_A_STEP", 2)
    keeper.save(1, (*range(0, 600, 60), 2 * DAY_S))
    assert keeper.store.expire(at(2 * DAY_S))
    keeper.store.close()
    keeper.store = Store(keeper.database, keep_minutes_days=1)
    keeper.expire(2 * DAY_S)
    assert minutes_in_table(keeper.database) == []


def test_a_failure_in_the_middle_of_a_step_changes_nothing(keeper: Keeper) -> None:
    for machine_id in (1, 2):
        keeper.save(machine_id, (0, 60, 2 * DAY_S))
    keeper.store.expire(at(DAY_S - 120))  # notes the time
    fault = "CREATE TRIGGER fault AFTER DELETE ON machine_minutes WHEN OLD.machine_id = 2 BEGIN"
    other_programs(keeper.database, f"{fault} SELECT RAISE(ABORT, 'a fault'); END")
    before = content(keeper.database)
    with pytest.raises(StoreError, match="a fault"):
        keeper.store.expire(at(DAY_S + 3600))
    assert content(keeper.database) == before
    other_programs(keeper.database, "DROP TRIGGER fault")
    keeper.expire(DAY_S + 3600)
    assert minutes_in_table(keeper.database) == []


# What is restored


def restored(
    store: Store, machine_ids: Iterable[int], since: float, until: float, at_most: int
) -> list[tuple[int, str]]:
    found = store.minutes(machine_ids, at(since), at(until), at_most)
    return [(minute.machine_id, minute.minute) for minute in found]


def test_of_each_machine_the_newest_minutes_are_restored_by_machine_and_time(keeper: Keeper) -> None:
    for machine_id in (1, 2, 3):
        keeper.save(machine_id, (*range(0, 600, 60), 9e8, 600))
    assert restored(keeper.store, (3, 1), 120, 700, 3) == [
        (machine_id, at(second)) for machine_id in (3, 1) for second in (420, 480, 540)
    ]
    assert restored(keeper.store, (1,), 420, 700, 99) == [(1, at(420)), (1, at(480)), (1, at(540))]
    assert restored(keeper.store, (9,), 0, 700, 99) == []


def test_a_minute_that_someone_changed_is_left_out(keeper: Keeper) -> None:
    keeper.save(1, (0, 60, 120))
    other_programs(keeper.database, f"UPDATE machine_minutes SET readings = 'many' WHERE minute = '{at(0)}'")
    assert restored(keeper.store, (1,), 0, 700, 99) == [(1, at(60))]


def test_minutes_are_found_by_their_key(keeper: Keeper) -> None:
    asked: list[str] = []
    keeper.save(1, (0, 60, 120))
    keeper.store._connection.set_trace_callback(asked.append)
    restored(keeper.store, (1,), 0, 700, 99)
    ((*_, step),) = query(keeper.database, f"EXPLAIN QUERY PLAN {asked[0]}")
    assert step == "SEARCH machine_minutes USING PRIMARY KEY (machine_id=? AND minute>? AND minute<?)"
