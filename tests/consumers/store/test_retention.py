import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.ingest import ingest
from consumers.machines.fleet import Fleet
from consumers.pipeline import Pipeline
from consumers.records import Chunk
from consumers.store import retention
from consumers.store.errors import StoreError
from consumers.store.store import Store
from tests.consumers.store.test_store import Feed, content, other_programs
from tests.consumers.support import LIMITS, StreamInMemory
from tests.support import AT, PROJECT, line, query
from utils.moment import shifted

BEGIN = "2026-01-01T00:00:00.000Z"
KEEP_H = 48
FAR_H = 1_000_000
LINES = [line(machine_id) for machine_id in range(3)]


def at(hour: float) -> str:
    return shifted(BEGIN, hour * 3600)


def readings(hours: Sequence[float]) -> bytes:
    return "".join(LINES[number % 3].replace(AT, at(hour)) for number, hour in enumerate(hours)).encode()


class Keeper:
    """A store that keeps readings for two days, and what is fed into it; it can be closed and opened again."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.store = Store(database, keep_readings_days=KEEP_H / 24)
        self.feed = Feed(self.store, len(self.store.streams()) + 1)

    def save(self, hours: Sequence[float]) -> None:
        self.feed.save(readings(hours))

    def restart(self) -> None:
        self.store.close()
        self.store = self.feed.store = Store(self.database, keep_readings_days=KEEP_H / 24)

    def expire(self, hour: float) -> int:
        """Let go what is old, to the end; returns in how many steps."""
        steps = 1
        while self.store.expire(at(hour)):
            steps += 1
        return steps

    def timestamps(self) -> list[str]:
        return [time for (time,) in query(self.database, "SELECT timestamp FROM manufacturing_analytics ORDER BY id")]

    def expired(self) -> int:
        (row,) = query(self.database, "SELECT expired_rows FROM retention")
        return int(row[0])

    def audit(self) -> list[tuple[int, int]]:
        return query(self.database, "SELECT deleted_rows, balances FROM ingest_audit")


@pytest.fixture
def keeper(database: Path) -> Iterator[Keeper]:
    keeper = Keeper(database)
    yield keeper
    keeper.store.close()


# What goes, and what stays


def test_what_is_older_than_is_kept_goes_and_the_account_balances(keeper: Keeper) -> None:
    keeper.save(range(100))
    keeper.expire(99)
    assert keeper.timestamps() == [at(hour) for hour in range(99 - KEEP_H, 100)]
    assert keeper.expired() == 99 - KEEP_H
    assert keeper.audit() == [(0, 1)]
    account = keeper.store.account()
    assert (account.stored_lines, account.expired_rows, account.deleted_rows) == (100, 99 - KEEP_H, 0)
    assert account.balances


def test_without_the_setting_everything_is_kept_but_the_plants_time_is_noted(database: Path) -> None:
    with closing(Store(database)) as store:
        assert [store.plant_at] == [None]
        Feed(store).save(readings(range(100)))
        assert not store.expire(at(1000))
        assert store.plant_at == at(1000)
        assert not store.expire(at(1001))
    with closing(Store(database)) as store:
        assert store.plant_at == at(1000)
    assert query(database, "SELECT count(*) FROM manufacturing_analytics") == [(100,)]


def test_a_fraction_of_a_day_is_kept_too(database: Path) -> None:
    with closing(Store(database, keep_readings_days=0.25)) as store:
        Feed(store).save(readings([hour / 10 for hour in range(100)]))
        store.expire(at(9.9))
    assert query(database, "SELECT min(timestamp) FROM manufacturing_analytics") == [(at(3.9),)]


def test_a_late_reading_waits_until_those_before_it_are_gone(keeper: Keeper) -> None:
    keeper.save([60, 1, 70])
    keeper.expire(100)
    assert keeper.timestamps() == [at(60), at(1), at(70)]
    keeper.expire(60 + KEEP_H + 1)
    assert keeper.timestamps() == [at(70)]


def test_a_reading_in_the_far_future_goes_with_the_old_one_behind_it(keeper: Keeper) -> None:
    keeper.save([0, FAR_H, 1, FAR_H, 90])
    keeper.expire(100)
    assert keeper.timestamps() == [at(FAR_H), at(90)]
    keeper.save([140])
    keeper.expire(140)
    assert keeper.timestamps() == [at(140)]


def test_a_reading_whose_clock_is_ahead_by_less_than_is_kept_holds_up_the_others_no_longer_than_that(
    keeper: Keeper,
) -> None:
    keeper.save([30, 0, 1, 2])
    keeper.expire(KEEP_H + 20)
    assert len(keeper.timestamps()) == 4
    keeper.expire(KEEP_H + 31)
    assert keeper.timestamps() == []


def test_many_readings_in_the_far_future_are_gone_through_a_few_at_a_time(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_A_STEP", 10)
    keeper.save([FAR_H] * 95)
    keeper.save([0, 90])
    assert keeper.expire(100) >= 10
    assert keeper.timestamps() == [at(90)]
    assert keeper.expired() == 96


def test_a_step_takes_a_few_rows_at_most(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_A_STEP", 10)
    keeper.save([0] * 35)
    keeper.save([90])
    counts = []
    while keeper.store.expire(at(100)):
        counts.append(keeper.expired())
    assert counts == [10, 20, 30]
    assert keeper.expired() == 35


def test_nothing_is_looked_at_before_the_oldest_one_is_old(keeper: Keeper) -> None:
    keeper.save(range(50, 60))
    keeper.expire(60)
    asked: list[str] = []
    keeper.store._connection.set_trace_callback(
        lambda statement: asked.append(statement) if "manufacturing_analytics" in statement else None
    )
    keeper.expire(61)
    keeper.expire(50 + KEEP_H)
    assert asked == []
    keeper.expire(52 + KEEP_H)
    assert asked
    assert len(keeper.timestamps()) == 8


def test_a_row_that_someone_added_without_a_timestamp_stops_nothing(keeper: Keeper) -> None:
    keeper.save([0])
    other_programs(keeper.database, "INSERT INTO manufacturing_analytics (machine_id) VALUES (1)")
    keeper.save([1, 90])
    keeper.expire(100)
    assert keeper.timestamps() == [at(90)]


@pytest.mark.parametrize(
    ("event", "table"), [("DELETE", "manufacturing_analytics"), ("UPDATE OF expired_rows", "retention")]
)
def test_a_failure_in_the_middle_changes_nothing(keeper: Keeper, event: str, table: str) -> None:
    keeper.save(range(100))
    keeper.store.expire(at(KEEP_H))  # notes the time
    other_programs(
        keeper.database, f"CREATE TRIGGER fault AFTER {event} ON {table} BEGIN SELECT RAISE(ABORT, 'a fault'); END"
    )
    before = content(keeper.database)
    for _ in range(3):
        with pytest.raises(StoreError, match="a fault"):
            keeper.store.expire(at(KEEP_H + 5))
        assert content(keeper.database) == before
    other_programs(keeper.database, "DROP TRIGGER fault")
    keeper.expire(KEEP_H + 5)
    assert (keeper.expired(), keeper.audit()) == (5, [(0, 1)])


def test_a_database_whose_retention_someone_emptied_is_told(keeper: Keeper) -> None:
    other_programs(keeper.database, "DELETE FROM retention")
    with pytest.raises(StoreError, match="was changed by hand: retention has no row"):
        keeper.restart()
    keeper.store = Store(keeper.database.with_name("other.sqlite"))


# Rows that someone deleted by hand


@pytest.mark.parametrize(
    ("deed", "deleted"),
    [
        ("DELETE FROM manufacturing_analytics WHERE timestamp < '2026-01-03T07'", 5),
        ("DELETE FROM manufacturing_analytics WHERE id = 80", 1),
        ("DELETE FROM manufacturing_analytics WHERE id IN (60, 61, 99)", 3),
        ("DELETE FROM manufacturing_analytics WHERE id > 97", 3),
        ("DELETE FROM manufacturing_analytics", 50),
        ("INSERT INTO manufacturing_analytics (machine_id) VALUES (1)", -1),
    ],
)
def test_they_are_told_apart_from_expired_ones_and_are_no_missing_lines(
    keeper: Keeper, deed: str, deleted: int
) -> None:
    keeper.save(range(100))
    keeper.expire(50 + KEEP_H)
    other_programs(keeper.database, deed)
    account = keeper.store.account()
    assert (account.deleted_rows, account.expired_rows) == (deleted, 50)
    assert account.balances
    assert keeper.audit() == [(deleted, 0)]


def test_those_in_the_midst_are_still_told_when_all_before_them_have_expired(keeper: Keeper) -> None:
    keeper.save(range(100))
    other_programs(keeper.database, "DELETE FROM manufacturing_analytics WHERE id IN (20, 30)")
    assert keeper.store.account().deleted_rows == 2
    keeper.expire(50 + KEEP_H)
    assert keeper.store.account().deleted_rows == 2
    assert keeper.expired() == 48
    assert keeper.audit() == [(2, 0)]


def test_ids_that_are_used_again_hide_no_deleted_row(keeper: Keeper) -> None:
    keeper.save(range(100))
    other_programs(keeper.database, "DELETE FROM manufacturing_analytics WHERE id > 90")
    keeper.save(range(100, 110))
    assert keeper.audit() == [(10, 0)]


def test_the_account_is_looked_up_without_a_scan_of_the_rows(keeper: Keeper) -> None:
    plan = query(keeper.database, "EXPLAIN QUERY PLAN SELECT * FROM ingest_audit")
    steps = [step for *_, step in plan if "manufacturing_analytics" in step]
    assert set(steps) == {"SEARCH manufacturing_analytics"}


# Whatever is saved, let go and interrupted


hours_around = st.lists(st.integers(-100, 80) | st.just(FAR_H), min_size=1, max_size=8)
deeds = st.lists(
    st.tuples(st.just("save"), hours_around) | st.tuples(st.sampled_from(["expire", "restart"]), st.integers(1, 40)),
    max_size=25,
)


class Model(NamedTuple):
    """What retention should do, on plain lists."""

    kept: list[float]

    def after(self, now_h: float) -> "Model":
        end = 0
        for number, hour in enumerate(self.kept):
            if now_h - KEEP_H <= hour <= now_h + 24:
                break
            if hour < now_h - KEEP_H:
                end = number + 1
        return Model(self.kept[end:])


@settings(max_examples=60, deadline=None)
@given(deeds)
def test_kept_are_exactly_those_that_are_not_expired(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, list[int] | int]]
) -> None:
    keeper = Keeper(tmp_path_factory.mktemp("retention") / "analytics.sqlite")
    model, saved, now_h = Model([]), 0, 100.0
    for deed, value in deeds:
        if isinstance(value, list):
            hours = [now_h + hour if hour != FAR_H else FAR_H for hour in value]
            keeper.save(hours)
            model, saved = Model(model.kept + hours), saved + len(hours)
        elif deed == "restart":
            keeper.restart()
        else:
            now_h += value
            keeper.expire(now_h)
            model = model.after(now_h)
        assert keeper.timestamps() == [at(hour) for hour in model.kept]
        assert keeper.expired() == saved - len(model.kept)
        assert set(keeper.audit()) <= {(0, 1)}
    keeper.store.close()


@settings(max_examples=60, deadline=None)
@given(deeds)
def test_single_steps_lose_nothing_and_take_nothing_young(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, list[int] | int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "ROWS_A_STEP", 3)
        keeper = Keeper(tmp_path_factory.mktemp("retention") / "analytics.sqlite")
        saved: list[float] = []
        times_h = [100.0]
        for deed, value in deeds:
            if isinstance(value, list):
                hours = [times_h[-1] + hour if hour != FAR_H else FAR_H for hour in value]
                keeper.save(hours)
                saved += hours
            elif deed == "restart":
                keeper.restart()
            else:
                times_h.append(times_h[-1] + value)
                keeper.store.expire(at(times_h[-1]))
            kept = len(keeper.timestamps())
            assert kept + keeper.expired() == len(saved)
            assert keeper.timestamps() == [at(hour) for hour in saved[len(saved) - kept :]]
            gone = saved[: len(saved) - kept]
            assert all(any(not now - KEEP_H <= hour <= now + 24 for now in times_h) for hour in gone)
        keeper.store.close()


CHILD = """
import sys
from pathlib import Path
from tests.consumers.store.test_retention import Keeper, at
keeper = Keeper(Path(sys.argv[1]))
hour = keeper.store.account().stored_lines
print("ready", flush=True)
while True:
    keeper.save(range(hour, hour + 50))
    hour += 50
    keeper.expire(hour)
"""


def test_a_kill_at_any_moment_loses_nothing_and_what_is_left_balances(database: Path) -> None:
    random = Random(7)
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(database)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            try:
                child.wait(random.uniform(0.0, 0.4))
            except subprocess.TimeoutExpired:
                child.kill()
        check(database)


def check(database: Path) -> None:
    with closing(Store(database)) as store:
        account = store.account()
    rows = query(database, "SELECT id, timestamp FROM manufacturing_analytics ORDER BY id")
    stored = account.stored_lines
    assert len(rows) + account.expired_rows == stored
    assert rows == [(number, at(number - 1)) for number in range(stored - len(rows) + 1, stored + 1)]
    assert set(query(database, "SELECT deleted_rows, balances FROM ingest_audit")) <= {(0, 1)}


# A year in small


class Tail:
    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self._chunks = chunks
        self._next = next(chunks, None)

    def read(self) -> Chunk | None:
        return self._next

    def sync(self) -> None:
        pass

    def advance(self, chunk: Chunk) -> None:
        self._next = next(self._chunks, None)


def test_a_simulated_year_of_which_thirty_days_are_kept_ends_as_small_as_it_was_after_two_months(
    database: Path,
) -> None:
    rows, a_chunk, year_h = 50_000, 500, 365 * 24
    stream, sizes = StreamInMemory(), []

    def chunk(begin: int) -> Chunk:
        hours = [number * year_h / rows for number in range(begin, begin + a_chunk)]
        hours[7] = FAR_H  # now and then a clock is wrong
        sizes.append(store.size_bytes())
        return stream.chunk(readings(hours))

    with closing(Store(database, keep_readings_days=30, keep_minutes_days=30)) as store:
        judge = partial(ingest, limits=LIMITS, keep_rejected=10)
        tail = Tail(map(chunk, range(0, rows, a_chunk)))
        pipeline = Pipeline(tail, store, Fleet(0), judge, lambda: 0.0, print, print, lambda _count, _last: None)
        while pipeline.step():
            pass
        account = store.account()
        wrong_clocks_minutes = 8 * 4096  # they lie in the future, and stay; and how full pages are varies
        assert store.size_bytes() <= sizes[len(sizes) * 60 // 365] + wrong_clocks_minutes
    ((kept, oldest),) = query(database, "SELECT count(*), min(timestamp) FROM manufacturing_analytics")
    thirty_days = rows * 30 // 365
    assert thirty_days < kept < thirty_days + 2 * a_chunk
    assert oldest > at(year_h - 35 * 24)
    assert account.expired_rows == rows - kept
    ((minutes, oldest_minute),) = query(database, "SELECT count(*), min(minute) FROM machine_minutes")
    assert thirty_days < minutes < thirty_days + 2 * a_chunk + rows // a_chunk
    assert oldest_minute > at(year_h - 35 * 24)
    assert query(database, "SELECT deleted_rows, balances FROM ingest_audit") == [(0, 1)]
    assert query(database, "SELECT sum(readings) FROM machines") == [(rows,)]


def test_what_the_retention_deletes_can_be_read_until_then_by_a_reader(keeper: Keeper) -> None:
    keeper.save(range(100))
    with closing(sqlite3.connect(keeper.database)) as reader:
        cursor = reader.execute("SELECT timestamp FROM manufacturing_analytics")
        cursor.fetchone()
        keeper.expire(200)
        assert len(cursor.fetchall()) == 99
    assert keeper.timestamps() == []
