import json
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumers.ingest import KEPT_LINE_BYTES, ingest, reject_oversized, shown_line
from consumers.records import Batch, RatedReading
from tests.support import AT, line, rated
from utils.efficiency import Limits
from utils.message import from_line

LIMITS = Limits()
GOOD = line().encode()
BAD = b'{"message": "no reading"}\n'

some_lines = st.lists(
    st.sampled_from([GOOD, BAD, b"\n", b" \r\n", b"\xef\xbb\xbf" + GOOD, b"\xff\n", "ä\u2028\u0085\n".encode()])
    | st.binary(max_size=30).map(lambda data: data.replace(b"\n", b"") + b"\n"),
    max_size=12,
)


def taken(data: bytes, offset: int = 0, keep_rejected: int = 100_000) -> Batch:
    return ingest(data, offset, AT, LIMITS, keep_rejected)


def test_no_lines_are_no_rows() -> None:
    assert taken(b"") == Batch([], [], 0, 0, 0)


def test_a_line_becomes_a_rated_reading_in_the_columns_order() -> None:
    batch = taken(GOOD)
    assert batch == Batch([RatedReading(15, AT, "active", 44.28, 2.08, 90.0, "High", 0, AT)], [], 0, 0, 1)


def test_an_anomaly_is_marked_with_a_whole_number_for_the_database() -> None:
    (row,) = taken(line(vibration_mm_s=5.0).encode()).rows
    rated_reading = RatedReading(*row)
    assert rated_reading.efficiency_level == "Critical"
    assert (rated_reading.is_anomaly, type(rated_reading.is_anomaly)) == (1, int)


def test_rows_stand_in_the_order_of_the_file() -> None:
    data = "".join(line(machine_id) for machine_id in (5, 3, 9, 3)).encode()
    assert [machine_id for machine_id, *_ in taken(data).rows] == [5, 3, 9, 3]


def test_a_rejected_line_is_kept_with_its_place_and_reason() -> None:
    batch = taken(GOOD + BAD + b"\n" + BAD + GOOD, offset=1000)
    assert len(batch.rows) == 2
    assert batch.blank_lines == 1
    first, second = batch.rejected
    assert first.offset == 1000 + len(GOOD)
    assert second.offset == 1000 + len(GOOD) + len(BAD) + 1
    assert first.line == second.line == BAD.decode().rstrip("\n")
    assert "no sentence" in first.reason


def test_a_line_that_is_no_utf8_touches_no_other() -> None:
    batch = taken(GOOD + b"\xff\xfe\n" + GOOD)
    assert len(batch.rows) == 2
    (rejected,) = batch.rejected
    assert (rejected.offset, rejected.line) == (len(GOOD), "\\xff\\xfe")
    assert "not UTF-8: byte 0xff at 1" in rejected.reason


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"  \t\n", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("neighbour", [b"", b"\xff\n"])
def test_a_blank_line_is_neither_row_nor_rejected(blank: bytes, neighbour: bytes) -> None:
    batch = taken(blank + neighbour)
    assert (batch.rows, len(batch.rejected), batch.blank_lines) == ([], int(bool(neighbour)), 1)


@pytest.mark.parametrize("neighbour", [b"", b"\xff\n"])
def test_only_a_newline_ends_a_line(neighbour: bytes) -> None:
    text = json.dumps({"machine_id": 1, "note": "a\u2028b\u0085c\u2029d"}, ensure_ascii=False).encode() + b"\n"
    assert len(taken(text + neighbour).rejected) == 1 + bool(neighbour)


def test_what_is_kept_of_a_line_is_short_and_printable() -> None:
    (rejected,) = taken(b"\0\x1b[2J\xff" + b"x" * 100_000 + b"\n").rejected
    assert rejected.line.startswith("\\x00\\x1b[2J\\xffxxx")
    assert rejected.line.isprintable()
    assert len(rejected.line) <= KEPT_LINE_BYTES * 10


def test_a_line_cut_inside_a_character_can_be_shown() -> None:
    assert shown_line(b"x" * (KEPT_LINE_BYTES - 1) + "°".encode()).endswith("x\\xc2")


def test_an_oversized_line_is_one_rejected_line() -> None:
    batch = reject_oversized(b'{"note": "aaaa', 500, 3_000_000_000)
    (rejected,) = batch.rejected
    assert (batch.rows, batch.rejected_lines, batch.blank_lines, batch.lines) == ([], 1, 0, 1)
    assert rejected.offset == 500
    assert rejected.line == '{"note": "aaaa'
    assert "3,000,000,000 bytes" in rejected.reason


def test_the_recorded_feed_is_read_whole() -> None:
    data = RECORDED_FEED
    batch = taken(data)
    assert len(batch.rows) == data.count(b"\n")
    assert batch.rejected == []


RECORDED_FEED = b"".join(
    json.dumps(
        {
            "message": f"Machine {machine} in {mode} mode. Temp: {temperature}°C, Vib: {vibration}Hz.",
            "author": f"Sensor-{machine}",
            "timestamp": f"2024-01-01 00:{machine:02}:00",
            "category": mode.lower(),
            "sentiment": 0.58,
            "keyword_mentioned": "Medium",
            "message_length": 53,
            "machine_id": machine,
            "temperature": temperature,
            "vibration": vibration,
            "efficiency_level": "Medium",
        }
    ).encode()
    + b"\n"
    for machine, mode, temperature, vibration in [
        (3, "Active", 86.44, 0.18),
        (37, "Idle", 47.9, 0.56),
        (50, "Offline", 17.76, 0.0),
        (8, "Maintenance", 20, 1),
    ]
)
"""In the form of an older feed of this family: other fields, local time, the label Hz."""


@given(some_lines, st.integers(0, 2**40))
@example([BAD, GOOD, b"\xff\n", b"\n"], 7)
def test_every_line_is_a_row_or_rejected_or_blank_and_keeps_its_place(all_lines: list[bytes], offset: int) -> None:
    data = b"".join(all_lines)
    batch = taken(data, offset)
    assert len(batch.rows) + len(batch.rejected) + batch.blank_lines == batch.lines == len(all_lines)
    starts = {offset + sum(map(len, all_lines[:number])): text for number, text in enumerate(all_lines)}
    for rejected in batch.rejected:
        assert rejected.line == shown_line(starts[rejected.offset].removesuffix(b"\n"))
        assert rejected.line.isprintable()


@given(some_lines, some_lines)
def test_where_the_chunks_are_cut_does_not_matter(first: list[bytes], second: list[bytes]) -> None:
    one, other = b"".join(first), b"".join(second)
    together, apart = taken(one + other), (taken(one), taken(other, len(one)))
    assert together.rows == apart[0].rows + apart[1].rows
    assert together.rejected == apart[0].rejected + apart[1].rejected
    assert together.blank_lines == apart[0].blank_lines + apart[1].blank_lines


@given(some_lines, st.integers(1, 300))
def test_in_which_parts_a_chunk_is_cut_into_lines_does_not_matter(all_lines: list[bytes], part_bytes: int) -> None:
    data = b"".join(all_lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("consumers.ingest._PART_BYTES", part_bytes)
        in_parts = taken(data, 1000)
    assert in_parts == taken(data, 1000)


@given(
    st.lists(st.sampled_from([GOOD, GOOD.replace(b"Active", b"Idle"), BAD, GOOD.replace(b"T", b"\xff"), b" " + GOOD]))
)
def test_lines_that_are_read_at_once_become_what_they_become_one_by_one(all_lines: list[bytes]) -> None:
    data = b"".join(all_lines)
    assert taken(data) == ingest(data, 0, AT, LIMITS, reads_at_once=False)


@given(some_lines)
def test_a_row_is_what_its_line_says(all_lines: list[bytes]) -> None:
    good = [text for text in all_lines if text.endswith(GOOD)]
    assert taken(b"".join(good)).rows == [rated(*from_line(text)[:3]) for text in good]


@given(st.lists(st.sampled_from([b"x", b"y", b"", b"\r", GOOD[:-1]]), max_size=30), st.integers(1, 12))
def test_of_short_lines_that_repeat_the_last_rejected_ones_are_kept_and_all_are_counted(
    texts: list[bytes], keep_rejected: int
) -> None:
    data = b"".join(text + b"\n" for text in texts)
    with mock.patch("consumers.ingest._LINES_AT_ONCE", 3):
        batch = taken(data, keep_rejected=keep_rejected)
    at_once = taken(data)
    assert batch._replace(rejected=[]) == at_once._replace(rejected=[])
    assert batch.rejected == at_once.rejected[-keep_rejected:]
    assert batch.rejected_lines == texts.count(b"x") + texts.count(b"y")
