from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.store.errors import StoreError
from consumers.store.store import Store
from tests.consumers.store.test_store import Feed, feed_into, other_programs
from tests.support import lines, query


def bad(*numbers: int) -> bytes:
    return b"".join(b"bad %d\n" % number for number in numbers)


def kept(database: Path) -> list[str]:
    return [line for (line,) in query(database, "SELECT line FROM rejected_messages ORDER BY id")]


def accounts(database: Path) -> list[tuple[int, ...]]:
    return query(database, "SELECT rejected_lines, expired_lines, balances FROM ingest_audit ORDER BY source_file_id")


def test_the_newest_are_kept_and_the_oldest_are_counted_as_expired(database: Path) -> None:
    with feed_into(database, keep_rejected=3) as feed:
        feed.save(bad(1, 2))
        assert accounts(database) == [(2, 0, 1)]
        feed.save(lines(1, 1) + bad(3, 4))
        assert kept(database) == ["bad 2", "bad 3", "bad 4"]
        assert accounts(database) == [(4, 1, 1)]


def test_those_of_a_commit_that_holds_too_many_expire_as_they_come(database: Path) -> None:
    with feed_into(database, keep_rejected=3) as feed:
        feed.save(bad(0))
        feed.save(bad(*range(1, 11)))
        assert kept(database) == ["bad 8", "bad 9", "bad 10"]
        assert accounts(database) == [(11, 8, 1)]


def test_a_batch_that_brings_only_its_last_ones_counts_them_all(database: Path) -> None:
    with feed_into(database, keep_rejected=2) as feed:
        commit = feed.commit(bad(1, 2, 3, 4, 5))
        feed.store.save(commit._replace(batch=commit.batch._replace(rejected=commit.batch.rejected[-2:])))
        assert kept(database) == ["bad 4", "bad 5"]
        assert accounts(database) == [(5, 3, 1)]


def test_each_stream_counts_its_own(database: Path) -> None:
    with feed_into(database, keep_rejected=3) as first:
        second = Feed(first.store, 2)
        first.save(bad(1, 2))
        second.save(bad(3, 4))
        second.save(bad(5))
        assert kept(database) == ["bad 3", "bad 4", "bad 5"]
        assert accounts(database) == [(2, 2, 1), (3, 0, 1)]


def test_a_smaller_limit_holds_from_the_next_rejected_line_on(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(bad(1, 2, 3, 4))
    with closing(Store(database, keep_rejected=2)) as store:
        feed.store = store
        feed.save(bad(5))
    assert kept(database) == ["bad 4", "bad 5"]
    assert accounts(database) == [(5, 3, 1)]


def test_a_commit_that_fails_expires_nothing(database: Path) -> None:
    with feed_into(database, keep_rejected=2) as feed:
        feed.save(bad(1, 2))
        other_programs(
            database, "CREATE TRIGGER fault AFTER INSERT ON machines BEGIN SELECT RAISE(ABORT, 'a fault'); END"
        )
        commit = feed.commit(bad(3) + lines(1, 1))
        for _ in range(3):
            with pytest.raises(StoreError, match="a fault"):
                feed.store.save(commit)
        assert kept(database) == ["bad 1", "bad 2"]
        other_programs(database, "DROP TRIGGER fault")
        feed.store.save(commit)
    assert kept(database) == ["bad 2", "bad 3"]
    assert accounts(database) == [(3, 1, 1)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 8)), min_size=1, max_size=6))
def test_whatever_the_commits_bring_the_newest_are_kept_and_every_account_balances(
    database: Path, commits: list[tuple[int, int]]
) -> None:
    database.unlink(missing_ok=True)
    numbers = list[int]()
    with feed_into(database, keep_rejected=4) as first:
        feeds = {1: first, 2: Feed(first.store, 2)}
        for stream_id, count in [(1, 1), (2, 1), *commits]:
            new = range(len(numbers), len(numbers) + count)
            feeds[stream_id].save(bad(*new))
            numbers += new
            assert kept(database) == [f"bad {number}" for number in numbers[-4:]]
            assert {balances for _, _, balances in accounts(database)} == {1}
            assert sum(expired for _, expired, _ in accounts(database)) == max(0, len(numbers) - 4)
