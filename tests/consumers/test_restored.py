from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.machines.fleet import Fleet
from consumers.machines.trend import Trend
from consumers.restored import restored_plant
from consumers.store.errors import StoreError
from consumers.store.store import Store
from tests.consumers.store.test_store import Feed, other_programs
from tests.consumers.support import StreamInMemory
from tests.support import line
from utils.message import timestamp_at
from utils.settings import Config

T0_S = 1_800_000_000
READINGS = 120


def feed_lines() -> list[str]:
    """Lines of two machines, in some of them not active."""
    rng = Random(5)
    modes = ["active"] * 12 + ["idle", "maintenance"]
    return [
        line(
            1 + number % 2,
            mode=rng.choice(modes),
            timestamp=timestamp_at(T0_S + number),
            vibration_mm_s=round(rng.uniform(1, 3), 2),
        )
        for number in range(READINGS)
    ]


def restored(store: Store) -> Fleet:
    _, fleet = restored_plant(Config(), store, timestamp_at(T0_S), is_drawn=False)
    return fleet


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, READINGS - 1), max_size=8, unique=True).map(sorted))
def test_a_trend_is_the_same_to_the_last_bit_after_any_restarts(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    database = tmp_path_factory.mktemp("restarts") / "x.sqlite"
    lines, stream = feed_lines(), StreamInMemory()
    for begin, end in zip([0, *cuts], [*cuts, READINGS], strict=True):
        with closing(Store(database)) as store:
            feed = Feed(store)
            feed.fleet, feed.stream, feed.data = restored(store), stream.stream, stream.data
            feed.save("".join(lines[begin:end]).encode())
            stream.stream, stream.data = feed.stream, feed.data
    whole = StreamInMemory()
    rows = whole.commit("".join(lines).encode()).batch.rows
    with closing(Store(database)) as store:
        fleet = restored(store)
    for machine_id in (1, 2):
        expected = Trend().after([row for row in rows if row[0] == machine_id])
        assert fleet.trend(machine_id) == expected
        assert expected.levels


def test_a_trend_that_someone_changed_is_refused_by_name(tmp_path: Path) -> None:
    database = tmp_path / "x.sqlite"
    with closing(Store(database)) as store:
        Feed(store).save("".join(feed_lines()).encode())
    other_programs(database, "UPDATE machine_trends SET closed = x'00'")
    with closing(Store(database)) as store, pytest.raises(StoreError, match="machine_trends"):
        restored(store)
