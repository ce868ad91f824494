from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.store import minutes
from consumers.store.errors import StoreError
from consumers.store.store import Store
from tests.consumers.store.test_store import Feed, content, other_programs
from tests.support import lines, query
from utils.moment import shifted

BEGIN = "2026-01-01T00:00:00.000Z"
KEEP_H = 48
FAR_H = 1_000_000
TABLE = (
    "CREATE TABLE machine_minutes"
    " (machine_id INTEGER, minute TEXT, readings INTEGER, PRIMARY KEY (machine_id, minute))"
)


def at(hour: float) -> str:
    return shifted(BEGIN, hour * 3600)


def write(database: Path, *kept: tuple[int, float]) -> None:
    values = ", ".join(f"({machine_id}, '{at(hour)}', 1)" for machine_id, hour in kept)
    other_programs(database, f"INSERT OR REPLACE INTO machine_minutes VALUES {values}")


def hours_of(database: Path, machine_id: int) -> list[str]:
    found = query(database, "SELECT minute FROM machine_minutes WHERE machine_id = ? ORDER BY minute", machine_id)
    return [minute for (minute,) in found]


def expire(store: Store, hour: float) -> int:
    steps = 1
    while store.expire(at(hour)):
        steps += 1
    return steps


@pytest.fixture(params=["", "WITHOUT ROWID"], ids=["rowid", "without rowid"])
def table(database: Path, request: pytest.FixtureRequest) -> Path:
    """A database with such a table, if that is not part of its schema."""
    Store(database).close()
    other_programs(database, "DROP TABLE IF EXISTS machine_minutes", f"{TABLE} {request.param}")
    return database


@pytest.fixture
def store(table: Path) -> Iterator[Store]:
    with closing(Store(table, keep_minutes_days=KEEP_H / 24)) as store:
        yield store


def test_minutes_that_are_older_than_is_kept_go_from_each_machine(table: Path, store: Store) -> None:
    write(table, *((machine_id, hour) for machine_id in (0, 7, 9000) for hour in range(100)))
    expire(store, 99)
    for machine_id in (0, 7, 9000):
        assert hours_of(table, machine_id) == [at(hour) for hour in range(99 - KEEP_H, 100)]


def test_a_late_reading_makes_an_old_minute_again_which_goes_again(table: Path, store: Store) -> None:
    write(table, (1, 0), (1, 90))
    expire(store, 90)
    write(table, (1, 0))
    expire(store, 92)
    assert hours_of(table, 1) == [at(90)]


def test_they_go_an_hour_at_a_time_so_that_not_every_commit_looks_at_every_machine(table: Path, store: Store) -> None:
    write(table, *((1, 10 + minute / 60) for minute in range(120)))
    expire(store, 10 + KEEP_H)
    expire(store, 10.5 + KEEP_H)
    assert len(hours_of(table, 1)) == 120
    expire(store, 11.5 + KEEP_H)
    assert hours_of(table, 1)[0] == at(11.5)


def test_a_machine_whose_clock_is_far_ahead_keeps_its_minutes_for_as_long_and_no_longer(
    table: Path, store: Store
) -> None:
    write(table, (1, 0), (1, 90), *((1, FAR_H + hour) for hour in range(100)))
    write(table, (2, 90), (2, 100 + KEEP_H))
    expire(store, 100)
    assert hours_of(table, 1) == [at(90), *(at(FAR_H + hour) for hour in range(99 - KEEP_H, 100))]
    assert hours_of(table, 2) == [at(90), at(100 + KEEP_H)]


def test_a_step_deletes_a_few_minutes_and_looks_at_a_few_machines(
    table: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minutes, "MINUTES_A_STEP", 10)
    monkeypatch.setattr(minutes, "MACHINES_A_STEP", 5)
    write(table, *((1, hour / 60) for hour in range(35)), (2, 90))
    counts = []
    while store.expire(at(100)):
        counts.append(len(hours_of(table, 1)))
    assert counts == [25, 15, 5]
    assert hours_of(table, 1) == []
    write(table, *((machine_id, 90) for machine_id in range(3, 23)))
    assert expire(store, 102) == 5


def test_without_the_setting_all_are_kept(table: Path) -> None:
    write(table, (1, 0))
    with closing(Store(table, keep_readings_days=1)) as store:
        expire(store, 1000)
    assert hours_of(table, 1) == [at(0)]


def test_a_failure_in_the_middle_changes_nothing(table: Path, store: Store) -> None:
    write(table, (1, 0), (1, 90), (2, 0), (2, 90))
    store.expire(at(KEEP_H - 1))  # notes the time
    other_programs(
        table,
        "CREATE TRIGGER fault AFTER DELETE ON machine_minutes WHEN OLD.machine_id = 2"
        " BEGIN SELECT RAISE(ABORT, 'a fault'); END",
    )
    before = content(table)
    for _ in range(2):
        with pytest.raises(StoreError, match="a fault"):
            store.expire(at(KEEP_H + 1))
        assert content(table) == before
    other_programs(table, "DROP TRIGGER fault")
    expire(store, KEEP_H + 1)
    assert (hours_of(table, 1), hours_of(table, 2)) == ([at(90)], [at(90)])


def test_no_statement_scans_the_table(table: Path, store: Store) -> None:
    asked: list[str] = []
    write(table, (1, 0), (1, FAR_H), (2, 90))
    store._connection.set_trace_callback(asked.append)
    expire(store, 100)
    store._connection.set_trace_callback(None)
    statements = [statement for statement in asked if "machine_minutes" in statement]
    assert len(statements) >= 5
    plans = [detail for statement in statements for *_, detail in query(table, f"EXPLAIN QUERY PLAN {statement}")]
    assert [plan for plan in plans if plan.startswith("SCAN") and "subquery" not in plan.lower()] == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-100, 100) | st.just(FAR_H), st.integers(0, 40)), max_size=30),
    st.integers(1, 5),
)
def test_kept_are_exactly_those_that_are_young(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[int, int, int]], a_step: int
) -> None:
    database = tmp_path_factory.mktemp("minutes") / "analytics.sqlite"
    Store(database).close()
    other_programs(database, "DROP TABLE IF EXISTS machine_minutes", f"{TABLE} WITHOUT ROWID")
    kept: set[tuple[int, int]] = set()
    now_h = 100
    with pytest.MonkeyPatch.context() as patch, closing(Store(database, keep_minutes_days=KEEP_H / 24)) as store:
        patch.setattr(minutes, "MINUTES_A_STEP", a_step)
        patch.setattr(minutes, "MACHINES_A_STEP", a_step)
        for machine_id, hour, later in deeds:
            minute_h = hour if hour == FAR_H else now_h + hour
            write(database, (machine_id, minute_h))
            kept.add((machine_id, minute_h))
            now_h += 2 + later
            expire(store, now_h)
            newest = {machine: max(hours for other, hours in kept if other == machine) for machine, _ in kept}
            kept = {
                (machine, hours)
                for machine, hours in kept
                if hours >= now_h - KEEP_H and (hours <= now_h + 24 or hours >= newest[machine] - KEEP_H)
            }
            found = query(database, "SELECT machine_id, minute FROM machine_minutes")
            assert set(found) == {(machine, at(hours)) for machine, hours in kept}


def test_the_file_does_not_grow_once_as_much_goes_as_comes(table: Path) -> None:
    sizes = []
    with closing(Store(table, keep_readings_days=2, keep_minutes_days=2)) as store:
        feed = Feed(store)
        for day in range(16):
            write(table, *((machine_id, 24 * day + minute / 60) for machine_id in range(20) for minute in range(30)))
            feed.save(lines(1, 600).replace(b"2026-11-22T09:15:02.000Z", at(24 * day).encode()))
            expire(store, 24 * day + 1)
            sizes.append(store.size_bytes())
    assert max(sizes[6:]) <= 1.05 * sizes[5]
    assert query(table, "SELECT deleted_rows, balances FROM ingest_audit") == [(0, 1)]
