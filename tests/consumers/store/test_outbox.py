import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from consumers.records import Event
from consumers.store.errors import StoreError
from consumers.store.store import Store
from tests.consumers.store.test_store import feed_into
from tests.support import AT, line, query

SHAKING = "".join(line(7, vibration_mm_s=value) for value in (6.0, 6.0)).encode()
SILENT = Event("silent", 3, "machine 3: silent", "{}", AT)


def test_the_events_of_a_commit_wait_if_alerts_are_wanted(database: Path) -> None:
    with feed_into(database, keeps_alerts=True) as feed:
        feed.save(SHAKING)
        (alert,) = feed.store.outbox.waiting(10)
    assert (alert.alert_id, alert.event.kind, alert.event.machine_id) == (1, "raised", 7)


def test_without_a_command_no_event_waits(database: Path) -> None:
    with feed_into(database) as feed:
        feed.save(SHAKING)
        assert feed.store.outbox.waiting(10) == []
    assert query(database, "SELECT count(*) FROM anomaly_episodes") == [(1,)]


def test_events_are_counted_by_kind_and_forgotten_up_to_one(database: Path) -> None:
    with closing(Store(database, keeps_alerts=True)) as store:
        store.outbox.note({}, [SILENT, SILENT._replace(kind="back"), SILENT])
        crowd = store.outbox.crowd()
        assert (crowd.counts, crowd.last_id, crowd.since) == ({"back": 1, "silent": 2}, 3, AT)
        store.outbox.forget(2)
        assert [alert.alert_id for alert in store.outbox.waiting(10)] == [3]


def test_of_many_events_those_that_were_raised_last_are_named(database: Path) -> None:
    raised = [SILENT._replace(kind="raised", text=f"machine {number}") for number in range(5)]
    with closing(Store(database, keeps_alerts=True)) as store:
        store.outbox.note({}, [*raised, SILENT])
        assert store.outbox.crowd().newest_raised == ["machine 4", "machine 3", "machine 2"]


def test_silences_are_known_after_a_restart_until_the_machine_is_back(database: Path) -> None:
    with closing(Store(database)) as store:
        store.outbox.note({3: AT, 4: AT}, [SILENT])
    with closing(Store(database)) as store:
        assert store.outbox.silences() == {3: AT, 4: AT}
        store.outbox.note({3: None}, [])
        assert store.outbox.silences() == {4: AT}


def test_an_alert_that_someone_changed_by_hand_is_named(database: Path) -> None:
    with closing(Store(database, keeps_alerts=True)) as store:
        store.outbox.note({}, [SILENT])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alerts SET kind = 'party'")
        connection.commit()
    with closing(Store(database)) as store, pytest.raises(StoreError, match=r"alerts.kind is 'party'"):
        store.outbox.waiting(1)
