import json
import math
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import AT, line, reading, structured
from utils.efficiency import EFFICIENCY_LEVELS
from utils.message import (
    ABSOLUTE_ZERO_C,
    MACHINE_ID_MAX,
    MODES,
    MessageError,
    Reading,
    epoch_seconds,
    from_line,
    is_blank,
    timestamp_at,
    to_line,
    utc_timestamp,
)

FIELDS = ["message", "author", "timestamp", "category", "sentiment", "keyword_mentioned", "message_length"]
SENTENCE = "Machine 15 in Active mode. Temp: 44.28°C, Vib: 2.08mm/s."
DEFECTIVE = ("machine_id", "temperature", "vibration", "category", "timestamp")

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(  # noqa: DTZ001 - made UTC by `utc_timestamp`
    lambda moment: utc_timestamp(moment.isoformat())
)
readings = st.builds(
    Reading,
    machine_id=st.integers(0, MACHINE_ID_MAX),
    timestamp=moments,
    mode=st.sampled_from(MODES),
    temperature_c=st.floats(ABSOLUTE_ZERO_C, sys.float_info.max),
    vibration_mm_s=st.floats(0, sys.float_info.max),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def wire(text: str = SENTENCE, **fields: Any) -> str:
    """A line whose sentence, or other field, is another."""
    return json.dumps({"message": text, "timestamp": AT, "category": "active"} | fields)


def plain(**fields: Any) -> str:
    """A structured line, with other values or without those that are `...`."""
    values = {"machine_id": 7, "timestamp": AT, "category": "idle", "temperature": 20.5, "vibration": 0.25} | fields
    return structured(**{name: value for name, value in values.items() if value is not ...})


def reason_of(text: str | bytes) -> str:
    with pytest.raises(MessageError) as caught:
        from_line(text)
    reason = str(caught.value)
    assert reason, "a reason says something"
    assert reason.isprintable(), f"no reason for a terminal: {reason!r}"
    assert len(reason) < 400, f"no short reason: {reason}"
    return reason


# What is written


@given(readings, st.floats(0, 100), st.sampled_from(EFFICIENCY_LEVELS))
def test_what_is_written_is_read_back_equal(value: Reading, score: float, level: str) -> None:
    written = to_line(value, score, level)
    assert from_line(written) == value
    assert from_line(written.encode()) == value


@given(readings, st.floats(0, 100), st.sampled_from(EFFICIENCY_LEVELS))
@example(Reading(0, AT, "active", 0.0, 0.0), 1.15, "Low")
def test_a_line_is_one_json_object_of_the_seven_fields(value: Reading, score: float, level: str) -> None:
    written = to_line(value, score, level)
    assert written.endswith("}\n")
    assert written.count("\n") == 1
    fields = json.loads(written)
    assert list(fields) == FIELDS
    assert fields["message_length"] == len(fields["message"])
    assert fields["author"] == f"Sensor-{value.machine_id}"
    assert fields["timestamp"] == value.timestamp
    assert fields["category"] == value.mode
    assert fields["keyword_mentioned"] == level
    # Half of the last of three decimals; a score that lies just there is a little farther off in binary.
    assert fields["sentiment"] == pytest.approx(score / 100, abs=0.0005 + 1e-12)


def test_the_line_of_the_design_is_written_so() -> None:
    example_line = (
        '{"message": "Machine 15 in Active mode. Temp: 44.28°C, Vib: 2.08mm/s.", "author": "Sensor-15", '
        '"timestamp": "2026-11-22T09:15:02.000Z", "category": "active", "sentiment": 0.9, '
        '"keyword_mentioned": "High", "message_length": 56}\n'
    )
    assert to_line(reading(), 90.0, "High") == example_line
    assert line() == example_line


# What is read: sentence → value

SENTENCES: list[tuple[str, Reading]] = [
    (SENTENCE, reading()),
    (SENTENCE.removesuffix("."), reading()),
    (SENTENCE.replace("mm/s", " mm/s").replace("°C", " °C"), reading()),
    (f"Note: {SENTENCE} Checked by hand.", reading()),
    (SENTENCE.replace("Active", "active"), reading()),
    (SENTENCE.replace("Active", "IDLE"), reading(mode="idle")),
    (SENTENCE.replace("Active", "Maintenance"), reading(mode="maintenance")),
    (SENTENCE.replace("Active", "Offline"), reading(mode="offline")),
    (SENTENCE.replace("15", "0"), reading(machine_id=0)),
    (SENTENCE.replace("15", str(MACHINE_ID_MAX)), reading(machine_id=MACHINE_ID_MAX)),
    (SENTENCE.replace("15", "000015"), reading()),
    (SENTENCE.replace("44.28°C", "-12.5°C"), reading(temperature_c=-12.5)),
    (SENTENCE.replace("44.28°C", "-273.15°C"), reading(temperature_c=-273.15)),
    (SENTENCE.replace("44.28°C", "5e-05°C"), reading(temperature_c=0.00005)),
    (SENTENCE.replace("44.28°C", "212°F"), reading(temperature_c=100.0)),
    (SENTENCE.replace("44.28°C", "-40 °F"), reading(temperature_c=-40.0)),
    (SENTENCE.replace("2.08mm/s", "0in/s"), reading(vibration_mm_s=0.0)),
    (SENTENCE.replace("2.08mm/s", "0.5in/s"), reading(vibration_mm_s=12.7)),
    (SENTENCE.replace("2.08mm/s", "2.08Hz"), reading()),
]


@pytest.mark.parametrize(("text", "value"), SENTENCES, ids=[text for text, _ in SENTENCES])
def test_a_sentence_is_read(text: str, value: Reading) -> None:
    assert from_line(wire(text)) == value


def test_a_sentence_counts_more_than_the_other_fields() -> None:
    assert from_line(wire(machine_id=3, temperature=1, vibration=1, category="offline")) == reading()


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \t\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff", " ", "\t"])
def test_blanks_a_bom_and_any_end_of_line_around_it_do_not_matter(begin: str, end: str) -> None:
    assert from_line(begin + line().rstrip("\n") + end) == reading()
    assert from_line((begin + line().rstrip("\n") + end).encode()) == reading()


def test_a_field_that_is_not_known_is_ignored() -> None:
    assert from_line(wire(colour="red", nested={"a": [1, {"b": None}]})) == reading()


@pytest.mark.parametrize("separator", ["\u2028", "\u0085"])
def test_a_character_that_only_python_takes_for_an_end_of_line_is_text(separator: str) -> None:
    text = json.dumps({"message": SENTENCE, "timestamp": AT, "note": f"a{separator}b"}, ensure_ascii=False)
    assert from_line(text) == reading()


# Structured lines → value

STRUCTURED: list[tuple[dict[str, Any], Reading]] = [
    ({}, Reading(7, AT, "idle", 20.5, 0.25)),
    ({"category": ..., "mode": "Offline"}, Reading(7, AT, "offline", 20.5, 0.25)),
    ({"category": "ACTIVE", "mode": "idle"}, Reading(7, AT, "active", 20.5, 0.25)),
    ({"temperature": 20, "vibration": 0}, Reading(7, AT, "idle", 20.0, 0.0)),
    ({"machine_id": 0}, Reading(0, AT, "idle", 20.5, 0.25)),
    ({"machine_id": MACHINE_ID_MAX}, Reading(MACHINE_ID_MAX, AT, "idle", 20.5, 0.25)),
    ({"message": "all is well"}, Reading(7, AT, "idle", 20.5, 0.25)),
    ({"message": 12}, Reading(7, AT, "idle", 20.5, 0.25)),
    ({"temperature": ABSOLUTE_ZERO_C}, Reading(7, AT, "idle", ABSOLUTE_ZERO_C, 0.25)),
]


@pytest.mark.parametrize(("fields", "value"), STRUCTURED)
def test_a_structured_line_is_read(fields: dict[str, Any], value: Reading) -> None:
    found = from_line(plain(**fields))
    assert found == value
    assert [type(part) for part in found] == [int, str, str, float, float]


# Timestamps

TIMESTAMPS = [
    ("2026-11-22T09:15:02.000Z", AT),
    ("2026-11-22T09:15:02Z", AT),
    ("2026-11-22T09:15:02", AT),
    ("2026-11-22 09:15:02", AT),
    ("2026-11-22T09:15:02.0009999+00:00", AT),
    ("2026-11-22T10:15:02+01:00", AT),
    ("2026-11-22T14:45:02.000+05:30", AT),
    ("2026-11-21T23:15:02-10:00", AT),
    ("20261122T091502Z", AT),
    ("2026-W47-7T09:15:02Z", AT),
    ("2026-11-22", "2026-11-22T00:00:00.000Z"),
    ("2026-11-22T09:15:02.123456", "2026-11-22T09:15:02.123Z"),
    ("2026-11-22T09:15:02.999999", "2026-11-22T09:15:02.999Z"),
    ("2026-11-22T09:15:02,123", "2026-11-22T09:15:02.123Z"),
    # As long as the form that the producer writes, but for one of its marks
    ("2026-11-22T09:15:02.1239", "2026-11-22T09:15:02.123Z"),
    ("2026-11-22T09:15:02,123Z", "2026-11-22T09:15:02.123Z"),
    ("2026-11-22 09:15:02.123Z", "2026-11-22T09:15:02.123Z"),
    ("2026-W47-7T09:15:02.123Z", "2026-11-22T09:15:02.123Z"),
    ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000Z"),
    ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
]


@pytest.mark.parametrize(("text", "moment"), TIMESTAMPS)
def test_a_timestamp_with_any_offset_becomes_utc(text: str, moment: str) -> None:
    assert utc_timestamp(text) == moment
    assert from_line(wire(timestamp=text)).timestamp == moment


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-22T24:00:01Z",
        "2026-11-22T09:15:02.000X",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-11-22T09:15:02+99:00",
        1_795_000,
        math.nan,
        -math.inf,
        10**4000,
        "20261122091502",
        True,
        ["2026-11-22"],
        "\ud800",
        "9" * 10_000,
    ],
)
def test_what_is_no_moment_is_refused(text: object) -> None:
    assert "timestamp" in reason_of(wire(timestamp=text))


@given(st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_an_offset_changes_the_writing_not_the_moment(naive: datetime, minutes: int) -> None:
    here = naive.replace(microsecond=0, tzinfo=UTC)
    hours, rest = divmod(abs(minutes), 60)
    there = (here + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    sign = "-" if minutes < 0 else "+"
    assert utc_timestamp(f"{there}{sign}{hours:02}:{rest:02}") == utc_timestamp(here.isoformat())


@given(st.lists(moments, min_size=2))
def test_timestamps_sort_as_text_in_the_order_of_time(texts: list[str]) -> None:
    assert all(len(text) == len(AT) for text in texts)
    assert sorted(texts) == sorted(texts, key=epoch_seconds)


def test_seconds_and_timestamps_are_each_others_opposite() -> None:
    assert timestamp_at(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp_at(epoch_seconds(AT)) == AT


# What is refused: line → reason

NUMBERS = ["NaN", "inf", "Infinity", "1_0", "0x10", "", "--4", "1.", ".5", "4 4", "१२", "1e", "twenty"]

REFUSED: list[tuple[str | bytes, str]] = [
    ("", "not JSON: Expecting value at character 1"),
    ("}", "not JSON: Expecting value at character 1"),
    ('{"message": ', "not JSON: Expecting value at character"),
    ("{'message': 1}", "not JSON: Expecting property name"),
    (line()[: len(line()) // 2], "not JSON: Unterminated string"),
    (line().rstrip() + line(), "more text after the JSON value, at character"),
    ("[]", "a list is no reading; expected a JSON object"),
    ("null", "is no reading; expected a JSON object"),
    ('"text"', "'text' is no reading; expected a JSON object"),
    ("12", "12 is no reading; expected a JSON object"),
    ("{}", "no sentence 'Machine N in MODE mode. Temp: X°C, Vib: Y mm/s.' and no machine_id, temperature, vibration"),
    (plain(vibration=...), "no sentence 'Machine N in MODE mode. Temp: X°C, Vib: Y mm/s.' and no vibration"),
    (line().replace(" in Active mode", ""), "no machine_id"),
    # The sentence
    (wire(SENTENCE.replace("Active", "Sleeping")), "mode 'Sleeping' is not known; expected active, idle"),
    (wire(SENTENCE.replace("15", str(2**63))), f"machine_id {2**63} is out of range; allowed 0 to {2**63 - 1}"),
    (wire(SENTENCE.replace("15", "9" * 30)), f"allowed 0 to {2**63 - 1}"),
    (wire(SENTENCE.replace("15", "9" * 5000)), "incomplete sentence 'Machine 9999"),
    (wire(SENTENCE.replace("15", "-1")), "machine_id -1 is out of range; allowed 0 to"),
    (wire(SENTENCE.replace("15", "a" * 65)), "machine_id 'aaa"),
    (wire(SENTENCE.replace("44.28°C", "300K")), "temperature unit 'K' is not known; expected °C, °F"),
    (wire(SENTENCE.replace("°C", "")), "temperature unit '' is not known; expected °C, °F"),
    (wire(SENTENCE.replace("°C", "C")), "temperature unit 'C' is not known; expected °C, °F"),
    (wire(SENTENCE.replace("mm/s", "mm/s²")), "vibration unit 'mm/s²' is not known; expected mm/s, Hz, in/s"),
    (wire(SENTENCE.replace("mm/s", "m/s")), "vibration unit 'm/s' is not known; expected mm/s, Hz, in/s"),
    (wire(SENTENCE.replace("mm/s", "g")), "vibration unit 'g' is not known"),
    (wire(SENTENCE.replace("mm/s", "kHz")), "vibration unit 'kHz' is not known"),
    (wire(SENTENCE.replace("mm/s", "mm/sec")), "vibration unit 'mm/sec' is not known"),
    (wire(SENTENCE.replace("mm/s.", "")), "vibration unit '' is not known"),
    *((wire(SENTENCE.replace("44.28", number)), "temperature") for number in NUMBERS),
    *((wire(SENTENCE.replace("2.08", number)), "vibration") for number in NUMBERS),
    (wire(SENTENCE.replace("44.28", "-273.16")), "temperature -273.16 °C is out of range; allowed from -273.15 °C"),
    (wire(SENTENCE.replace("44.28°C", "-460°F")), "temperature -273.333 °C is out of range"),
    (wire(SENTENCE.replace("44.28", "1e999")), "temperature inf °C is out of range"),
    (wire(SENTENCE.replace("2.08", "-0.01")), "vibration -0.01 mm/s is out of range; allowed from 0, finite"),
    (wire(SENTENCE.replace("2.08", "9" * 400)), "vibration inf mm/s is out of range"),
    (wire(SENTENCE.replace("2.08mm/s", "1e308in/s")), "vibration inf mm/s is out of range"),
    (wire("Machine 15 in Active mode."), "incomplete sentence 'Machine 15 in Active mode.'; expected 'Machine N"),
    (wire("Machine 15 in Active mode. Temp: 44.28°C"), "incomplete sentence"),
    (structured(message=SENTENCE), "timestamp is missing"),
    # Structured
    (plain(machine_id=2**63), f"machine_id {2**63} is out of range; allowed 0 to {2**63 - 1}"),
    (plain(machine_id=-1), "machine_id -1 is out of range; allowed 0 to"),
    (plain(machine_id="-7"), "machine_id -7 is out of range; allowed 0 to"),
    (plain(machine_id=7.5), "machine_id 7.5 is no whole number and no name"),
    (plain(machine_id=1e300), "machine_id 1e+300 is no whole number and no name"),
    (plain(machine_id=" "), "machine_id ' ' is no name; expected 1 to 64 printable characters"),
    (plain(machine_id="a\0b"), "machine_id 'a\\x00b' is no name"),
    (plain(machine_id="x" * 65), "is no name; expected 1 to 64"),
    (plain(machine_id="PUMP-07"), "machine 'PUMP-07' has a name; here machines have numbers"),
    (plain(machine_id=True), "machine_id True is no whole number"),
    (plain(machine_id=None), "machine_id missing is no whole number"),
    (plain(machine_id=[7]), "machine_id a list is no whole number"),
    (plain(temperature="20 °C"), "temperature '20 °C' is no number"),
    (plain(temperature="20,5"), "temperature '20,5' is no number; use a dot, not a comma"),
    (plain(temperature="NaN"), "temperature 'NaN' is no number"),
    (plain(temperature="٣"), "is no number"),
    (plain(temperature=False), "temperature False is no number"),
    (plain(temperature=math.nan), "temperature nan °C is out of range"),
    (plain(temperature=math.inf), "temperature inf °C is out of range"),
    (plain(temperature=-math.inf), "temperature -inf °C is out of range"),
    (plain(temperature=-300), "temperature -300 °C is out of range; allowed from -273.15 °C, finite"),
    (plain(temperature=10**400), "temperature inf °C is out of range"),
    (plain(vibration=-(10**400)), "vibration -inf mm/s is out of range"),
    (plain(vibration=-0.5), "vibration -0.5 mm/s is out of range; allowed from 0, finite"),
    (plain(vibration=math.nan), "vibration nan mm/s is out of range"),
    (plain(vibration={"value": 1}), "vibration an object is no number"),
    (plain(category="asleep"), "mode 'asleep' is not known; expected active, idle, maintenance, offline"),
    (plain(category=...), "mode missing is not known"),
    (plain(category=["active"]), "mode a list is not known"),
    (plain(category="actıve"), "mode 'actıve' is not known"),
    (plain(timestamp=...), "timestamp is missing; expected ISO 8601 text"),
    # Bombs, and bytes that are no text
    ("[" * 100_000, "nested too deep"),
    ('{"a":' * 100_000, "nested too deep"),
    ('{"machine_id": ' + "9" * 5_000 + "}", "a number of thousands of digits"),
    ("9" * 5_000, "a number of thousands of digits"),
    (plain(category="\ud800"), "mode '\\ud800' is not known"),
    (plain(category="a\0b"), "mode 'a\\x00b' is not known"),
    (plain(category="\x1b[2J"), "mode '\\x1b[2J' is not known"),
    (plain(category="x" * 100_000), "mode 'xxx"),
    (wire(SENTENCE.replace("Active", "\x1b]0;")), "mode"),
    ("\0" * 100, "not JSON: Expecting value at character 1"),
    (b"\0" * 100, "not JSON: Expecting value at character 1"),
    (b"\xff\xfe{}", "not UTF-8: byte 0xff at 1; expected UTF-8"),
    (line().encode()[:45] + b"\xe2\x82", "not UTF-8: byte 0x"),
    (line().encode("latin-1"), "not UTF-8: byte 0xb0 at"),
    (line().encode("utf-16"), "not UTF-8: byte 0xff at 1"),
    (b"\xed\xa0\x80", "not UTF-8: byte 0xed at 1"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[f"{text[:60]!r}"[:70] for text, _ in REFUSED])
def test_what_is_no_reading_is_refused_with_its_reason(text: str | bytes, reason: str) -> None:
    assert reason in reason_of(text)


@given(st.binary() | st.text())
@example(b"")
@example("\ud800")
def test_any_bytes_or_text_are_a_reading_or_have_a_reason(data: str | bytes) -> None:
    check_any(data)


@given(json_values)
def test_any_json_is_a_reading_or_has_a_reason(value: object) -> None:
    check_any(json.dumps(value))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*DEFECTIVE, "message", "mode"), json_values)))
def test_any_value_of_a_known_field_is_read_or_has_a_reason(fields: dict[str, Any]) -> None:
    check_any(plain(**fields))


@given(st.data())
def test_a_sentence_with_anything_in_it_is_read_or_has_a_reason(data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(SENTENCE)))
    end = data.draw(st.integers(begin, len(SENTENCE)))
    check_any(wire(SENTENCE[:begin] + data.draw(st.text(max_size=12)) + SENTENCE[end:]))


@given(readings, st.data())
def test_a_line_with_bytes_changed_is_read_or_has_a_reason(value: Reading, data: st.DataObject) -> None:
    whole = bytearray(to_line(value, 50.0, "Medium").encode())
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    check_any(bytes(whole))


def outcome(data: str | bytes) -> Reading | str:
    try:
        return from_line(data)
    except MessageError as error:
        return str(error)


@given(readings, st.data())
def test_a_line_in_the_producers_own_writing_is_read_as_any_other_writing_of_it(
    value: Reading, data: st.DataObject
) -> None:
    own = to_line(value, data.draw(st.floats(0, 100)), "High").rstrip("\n")
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(own) - 1))
        part = data.draw(st.text(max_size=2) | st.sampled_from(["°C", "mm/s", "9" * 19, "Z", '"', "Idle", "\\u0041"]))
        own = own[:place] + part + own[place + data.draw(st.integers(0, 2)) :]
    assert outcome(own) == outcome(" " + own)
    assert outcome(own.encode(errors="replace")) == outcome(own.encode(errors="replace") + b"\r\n")


def check_any(data: str | bytes) -> None:
    """Either a reading that the database can hold, or one short, printable reason."""
    try:
        found = from_line(data)
    except MessageError:
        reason_of(data)
        return
    assert 0 <= found.machine_id <= MACHINE_ID_MAX
    assert utc_timestamp(found.timestamp) == found.timestamp
    assert found.mode in MODES
    assert math.isfinite(found.temperature_c)
    assert found.temperature_c >= ABSOLUTE_ZERO_C
    assert math.isfinite(found.vibration_mm_s)
    assert found.vibration_mm_s >= 0


# Long hostile lines: the work grows with their length, not with its square


@pytest.mark.parametrize(
    "filling",
    [
        "Machine 1 in Active mode. ",
        "Machine 1 in Active mode. Temp: ",
        "Machine 1 in Active mode. Temp: 1°C, Vib: ",
        "Machine 1 in Active mode. Temp: 1°C, Vib: 1mm/s,",
        "Machine " + "9" * 200 + " ",
        "Machine 1 in ",
        "1" * 1000,
        " ",
        ".",
    ],
)
def test_a_long_text_costs_no_more_than_its_length_allows(filling: str) -> None:
    text = (filling * (256 * 1024 // len(filling) + 1))[: 256 * 1024]
    reason_of(wire(text))  # its square would be minutes
    reason_of(wire("Machine 1 in Active mode. Temp: " + text))


# Blank lines


@pytest.mark.parametrize("text", ["", "\n", "\r\n", " \t\n", "\ufeff", "\ufeff\n"])
def test_a_line_that_says_nothing_is_blank(text: str) -> None:
    assert is_blank(text)
    assert is_blank(text.encode())


@pytest.mark.parametrize("text", ["{}", ".", "\0", "\u2028", "x\n", line()])
def test_a_line_that_says_something_is_not_blank(text: str) -> None:
    assert not is_blank(text)
    assert not is_blank(text.encode())


@given(st.binary(max_size=20))
def test_a_blank_line_is_no_reading(data: bytes) -> None:
    if is_blank(data):
        reason_of(data)
