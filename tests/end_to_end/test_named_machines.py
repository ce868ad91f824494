"""Machines with names, from the file to the database and back, over restarts."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from consumers.store.errors import StoreBusyError
from consumers.store.store import Store
from tests.support import AT, ConsumerInProcess, line, query


def named(*names: object) -> str:
    fields = {"timestamp": AT, "mode": "active", "temperature": 50, "vibration": 1}
    return "".join(json.dumps({"machine_id": name} | fields) + "\n" for name in names)


def append(live_file: Path, text: str) -> None:
    with live_file.open("a") as file:
        file.write(text)


def read(live_file: Path, database: Path) -> list[str]:
    """Read what is there with a new consumer; returns the reasons of what it rejected."""
    with closing(ConsumerInProcess(live_file, database)) as consumer:
        consumer.read_all()
        assert {machine.name for machine in consumer.store.machines()} == {
            machine.name for machine in consumer.fleet.machines.values()
        }
        return [rejected.reason for rejected in consumer.rejected]


def machines(database: Path) -> list[tuple[object, ...]]:
    return query(database, "SELECT machine_id, name, readings FROM machines ORDER BY 1")


def test_names_keep_their_numbers_over_restarts(live_file: Path, database: Path) -> None:
    append(live_file, named("PUMP-07", "FAN-1", "PUMP-07") + line(7))
    assert read(live_file, database) == []
    append(live_file, named("PUMP-8", "FAN-1", "7"))
    assert read(live_file, database) == []
    assert machines(database) == [
        (7, None, 2),
        (1_000_001, "PUMP-07", 2),
        (1_000_002, "FAN-1", 2),
        (1_000_003, "PUMP-8", 1),
    ]


def test_a_named_machines_number_is_refused_as_a_number_also_after_a_restart(live_file: Path, database: Path) -> None:
    append(live_file, named("PUMP-07", 1_000_001, 1_000_002))
    assert ["stands for a machine with a name" in reason for reason in read(live_file, database)] == [True]
    append(live_file, line(1_000_001) + named("FAN-1"))
    assert ["stands for a machine with a name" in reason for reason in read(live_file, database)] == [True]
    assert machines(database) == [(1_000_001, "PUMP-07", 1), (1_000_002, None, 1), (1_000_003, "FAN-1", 1)]


def test_a_rejected_line_numbers_no_name(live_file: Path, database: Path) -> None:
    append(live_file, named("BROKEN").replace("50", "-500") + named("PUMP-07"))
    assert len(read(live_file, database)) == 1
    assert machines(database) == [(1_000_001, "PUMP-07", 1)]


def test_a_name_that_could_not_be_saved_is_numbered_once(
    live_file: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(live_file, named("PUMP-07", "FAN-1"))
    with closing(ConsumerInProcess(live_file, database)) as consumer:
        with monkeypatch.context() as patched:
            patched.setattr(Store, "save", lambda *_: (_ for _ in ()).throw(StoreBusyError("busy")))
            assert not consumer.pipeline.step()
        assert not consumer.fleet.machines
        consumer.pipeline._tried_s = -1e9
        consumer.read_all()
    assert machines(database) == [(1_000_001, "PUMP-07", 1), (1_000_002, "FAN-1", 1)]


def test_names_count_as_machines_of_which_so_many_are_taken_in(live_file: Path, database: Path) -> None:
    append(live_file, named("A", "B", "C", "A", "B"))
    with closing(ConsumerInProcess(live_file, database)) as consumer:
        consumer.fleet._machines_at_most = 2
        consumer.read_all()
        (rejected,) = consumer.rejected
        assert rejected.reason.startswith(
            "machine_id C is new, and 2 machines are known already; raise MACHINES_AT_MOST"
        )
    assert machines(database) == [(1_000_001, "A", 2), (1_000_002, "B", 2)]
