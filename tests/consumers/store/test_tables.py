from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.records import Machine, Mark, RatedReading
from consumers.store.store import Store
from consumers.store.tables import (
    EPISODES,
    EXCESSES,
    MACHINES,
    MINUTES,
    READINGS,
    REJECTED,
    RETENTION,
    SOURCES,
    VIEW_SETTINGS,
    RowError,
    SourceFile,
    Table,
    packed_marks,
    unpacked_marks,
)
from tests.support import query, rated

TABLES = [READINGS, REJECTED, MACHINES, SOURCES, RETENTION, MINUTES, EPISODES, EXCESSES, VIEW_SETTINGS]
marks = st.lists(st.builds(Mark, st.integers(0, 2**63), st.binary(min_size=16, max_size=16)))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_new_database_has_the_declared_columns_in_their_order(database: Path, table: Table[tuple[object]]) -> None:
    Store(database).close()
    columns = query(database, "SELECT name, type, pk FROM pragma_table_info(?)", table.name)
    numbered = [name for name, kind, pk in columns if (kind, pk) == ("INTEGER", 1) and name not in table.columns]
    assert [name for name, *_ in columns] == [*numbered, *table.columns]
    assert numbered in ([], ["id"])


def test_quantities_have_no_unit_in_the_columns_that_the_specification_names() -> None:
    assert READINGS.columns[:5] == ("machine_id", "timestamp", "mode", "temperature", "vibration")


def test_a_record_that_begins_with_another_takes_its_columns_first() -> None:
    assert MACHINES.columns[: len(READINGS.columns)] == READINGS.columns
    assert MACHINES.columns[len(READINGS.columns) :] == Machine._fields[1:]


def test_a_record_comes_back_from_the_values_of_its_row() -> None:
    machine = Machine(rated(7), 3, 1, active_readings=3, active_efficiency_sum=220.0)
    assert MACHINES.record(MACHINES.values(machine)) == machine
    assert READINGS.record(READINGS.values(rated(7))) == rated(7)
    assert type(READINGS.record(tuple(rated(7)))) is RatedReading


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"temperature_c": "hot"}, "manufacturing_analytics.temperature is 'hot' in the row that begins with 7"),
        ({"temperature_c": None}, "temperature is None"),
        ({"mode": "flying"}, "mode is 'flying'"),
        ({"efficiency_level": "Best"}, "efficiency_level is 'Best'"),
        ({"machine_id": 7.5}, "machine_id is 7.5"),
        ({"timestamp": "yesterday"}, "timestamp is 'yesterday'"),
        ({"timestamp": "2026-11-22T09:15:02Z"}, "timestamp is '2026-11-22T09:15:02Z'"),
        ({"processed_at": b"\0"}, "processed_at is"),
        ({"is_anomaly": "x" * 500}, "is_anomaly is 'xxx"),
    ],
)
def test_a_value_that_someone_changed_is_named(changed: dict[str, object], told: str) -> None:
    row = list((rated(7)._asdict() | changed).values())
    with pytest.raises(RowError, match=told) as caught:
        READINGS.record(row)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("number", [1e300, -273.15, 0.0])
def test_a_number_of_any_size_comes_back(number: float) -> None:
    row = rated(7, temperature_c=number)
    assert READINGS.record(row) == row


def test_infinity_is_no_number() -> None:
    with pytest.raises(RowError, match="temperature is inf"):
        READINGS.record(rated(7)._replace(temperature_c=float("inf")))


def test_a_whole_number_is_a_number_too() -> None:
    assert READINGS.record(rated(7)._replace(temperature_c=60)).temperature_c == 60


@given(marks)
def test_marks_come_back_as_they_were_packed(some: list[Mark]) -> None:
    assert unpacked_marks(packed_marks(some)) == tuple(some)
    assert len(packed_marks(some)) == 24 * len(some)


def test_marks_that_someone_changed_are_told() -> None:
    source = SourceFile(3, "live.json", "first seen", 0, 5, b"", b"x", 1, 1, 0, 0, 0, "", "")
    with pytest.raises(RowError, match=r"source_files\.marks has 1 bytes in the row with id 3"):
        source.stream()
