"""Other people's lines: what becomes of each, by which settings."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import AT, line, reading
from tests.utils.test_message import SENTENCE, plain, reason_of, wire
from utils.fields import OWN_FIELDS, Fields
from utils.message import MessageError, Reading, epoch_seconds, from_line, to_line, utc_timestamp

FIELDS = Fields(
    field_machine_id="tags.machine_id",
    field_temperature="fields.temp",
    field_vibration="fields.vib",
    field_mode="tags.state",
    field_timestamp="time",
    field_temperature_unit="tags.unit",
    mode_aliases="Running=active, 0=offline",
    default_mode="IDLE",
)
IN_2025 = "2025-11-22T09:15:02.000Z"


def nested(tags: dict[str, Any] | None = None, **fields: Any) -> str:
    all_tags = {"machine_id": "P7", "state": "running", "unit": "C"} | (tags or {})
    return json.dumps({"tags": all_tags, "fields": {"temp": 20.5, "vib": 0.25} | fields, "time": 1763802902})


def numbered(machine: int | str) -> int:
    return {"P7": 1_000_001, "PRESS 3": 1_000_002}.get(str(machine)) or int(machine)


def idle(machine_id: int = 7, temperature_c: float = 20.5, vibration_mm_s: float = 0.25) -> Reading:
    return Reading(machine_id, AT, "idle", temperature_c, vibration_mm_s)


P7 = Reading(1_000_001, IN_2025, "active", 20.5, 0.25)
LINES: list[tuple[str, Fields, Reading | str]] = [
    (plain(machine_id="7"), OWN_FIELDS, idle()),
    (plain(machine_id=" 007 "), OWN_FIELDS, idle()),
    (plain(machine_id="7.0"), OWN_FIELDS, idle()),
    (plain(machine_id=7.0), OWN_FIELDS, idle()),
    (plain(machine_id="P7"), OWN_FIELDS, idle(1_000_001)),
    (wire(SENTENCE.replace("15", "P7")), OWN_FIELDS, reading(machine_id=1_000_001)),
    (wire(SENTENCE.replace("15", "PRESS 3")), OWN_FIELDS, reading(machine_id=1_000_002)),
    (wire(f"Machine learning says: {SENTENCE}"), OWN_FIELDS, reading()),
    (wire(SENTENCE.replace("Active", "Running")), FIELDS, reading()),
    (plain(temperature="20.5", vibration=" 0.25 "), OWN_FIELDS, idle()),
    (plain(temperature=212, temperature_unit="F"), OWN_FIELDS, idle(temperature_c=100.0)),
    (plain(temperature=212, unit="°f"), OWN_FIELDS, idle(temperature_c=100.0)),
    (plain(temperature=212, unit="Fahrenheit"), OWN_FIELDS, idle(temperature_c=100.0)),
    (plain(unit="CELSIUS", vibration_unit="MM/S"), OWN_FIELDS, idle()),
    (plain(vibration=0.5, vibration_unit="in/s"), OWN_FIELDS, idle(vibration_mm_s=12.7)),
    (plain(vibration=0.5, unit="ips"), OWN_FIELDS, idle(vibration_mm_s=12.7)),
    (plain(temperature_unit=None), OWN_FIELDS, idle()),
    (
        plain(temperature_unit="K"),
        OWN_FIELDS,
        "temperature_unit 'K' is not known; expected C, °C, celsius, F, °F, fahrenheit",
    ),
    (plain(temperature_unit=""), OWN_FIELDS, "temperature_unit '' is not known"),
    (plain(vibration_unit="g"), OWN_FIELDS, "vibration_unit 'g' is not known; expected mm/s, in/s, ips"),
    (
        plain(units="bar"),
        OWN_FIELDS,
        "units 'bar' is not known; expected C, °C, celsius, F, °F, fahrenheit, mm/s, in/s",
    ),
    (plain(unit=["F"]), OWN_FIELDS, "unit a list is not known; expected C, °C, celsius, F, °F, fahrenheit, mm/s"),
    (nested(unit="bar"), FIELDS, "fields.unit 'bar' is not known"),
    (nested(temp_unit="K"), FIELDS, "fields.temp_unit 'K' is not known; expected C, "),
    (plain(category="press", mode="active"), OWN_FIELDS, idle()._replace(mode="active")),
    (plain(category="press", mode="stamp"), OWN_FIELDS, "mode 'press' is not known; expected active"),
    (plain(category=...), OWN_FIELDS, "no category or mode in it: set FIELD_MODE, or DEFAULT_MODE=active"),
    (plain(category="run"), OWN_FIELDS, "MODE_ALIASES=run=… gives a word a mode"),
    (nested(), FIELDS, P7),
    (nested({"state": "RUNNING", "unit": "celsius"}), FIELDS, P7),
    (nested({"state": 0}), FIELDS, P7._replace(mode="offline")),
    (nested({"state": None}), FIELDS, P7._replace(mode="idle")),
    (nested({"state": "broken"}), FIELDS, "mode 'broken' is not known"),
    (nested({"unit": "F"}, temp=212), FIELDS, P7._replace(temperature_c=100.0)),
    (nested(temp=212, temp_unit="F"), FIELDS, P7._replace(temperature_c=100.0)),
    (nested({"unit": "R"}), FIELDS, "tags.unit 'R' is not known"),
    (nested().replace('"unit"', '"u"'), FIELDS, "temperature has no unit in tags.unit, where FIELD_TEMPERATURE_UNIT"),
    (nested().replace('"vib"', '"v"'), FIELDS, "and no fields.vib (FIELD_VIBRATION)"),
    (plain(temperature=212), Fields(field_temperature_unit="°F"), idle(temperature_c=100.0)),
    (plain(unit="C"), Fields(field_temperature_unit="F"), idle()),
    (json.dumps({"a.b": 9} | json.loads(plain())), Fields(field_machine_id="a.b"), idle(9)),
    # What to do
    (
        plain(temperature=..., temp=4),
        OWN_FIELDS,
        "; did you mean temperature: set FIELD_TEMPERATURE=temp",
    ),
    (
        nested(),
        OWN_FIELDS,
        "=tags.machine_id FIELD_TEMPERATURE=fields.temp FIELD_VIBRATION=fields.vib",
    ),
    (plain(vibration=..., vibratoin=4), OWN_FIELDS, "set FIELD_VIBRATION=vibratoin"),
    (
        "7,2026-11-22T09:15:02Z,active,44.3,2.1",
        OWN_FIELDS,
        "it looks like a CSV row: mlr makes JSON lines of it",
    ),
    ("[" + plain().strip() + "]", OWN_FIELDS, "it looks like a JSON array: write one object a line"),
    ("pump,machine=7 temperature=44.3,vibration=2.1 1763802902000000000", OWN_FIELDS, "it looks like line protocol"),
    ("plant/7 " + plain(), OWN_FIELDS, "it looks like a topic before the JSON: leave out -v of mosquitto_sub"),
    (plain().strip().encode("utf-16-le").decode(), OWN_FIELDS, "it looks like UTF-16: save it as UTF-8"),
]


@pytest.mark.parametrize(("text", "fields", "becomes"), LINES, ids=[f"{text[:60]!r}" for text, _, _ in LINES])
def test_what_becomes_of_other_peoples_lines(text: str, fields: Fields, becomes: Reading | str) -> None:
    if isinstance(becomes, Reading):
        found = from_line(text, fields, numbered)
        assert found == becomes
        assert [type(part) for part in found] == [int, str, str, float, float]
        return
    with pytest.raises(MessageError) as caught:
        from_line(text, fields, numbered)
    assert becomes in str(caught.value)


def test_bytes_that_look_like_utf_16_are_told() -> None:
    assert "it looks like UTF-16: save it as UTF-8" in reason_of(line().encode("utf-16"))


def test_our_own_lines_are_read_alike_by_the_fast_way_and_the_general_one_whatever_the_settings() -> None:
    for own in (line().rstrip(), to_line(reading(1_000_001), 50.0, "Medium").rstrip()):
        for fields in (OWN_FIELDS, FIELDS, Fields(field_timestamp="author", default_mode="OFFLINE")):
            assert from_line(own, fields, numbered) == from_line(f" {own}", fields, numbered)


def test_a_machine_is_identified_only_when_all_else_is_right() -> None:
    asked: list[int | str] = []

    def identify(machine: int | str) -> int:
        asked.append(machine)
        return 1

    for text in (plain(machine_id="P7", vibration=-1), plain(machine_id="P7", timestamp="")):
        with pytest.raises(MessageError):
            from_line(text, OWN_FIELDS, identify)
    from_line(plain(), identify=identify)
    from_line(line(1_000_000), identify=identify)
    assert asked == []
    for text in (line(1_000_001), plain(machine_id="P7")):
        from_line(text, identify=identify)
    assert asked == [1_000_001, "P7"]


@pytest.mark.parametrize(
    "value",
    [1763802902, 1763802902.0, 1763802902000, 1763802902 * 10**6, 1763802902 * 10**9, "1763802902", "1763802902000"],
)
def test_a_number_is_a_moment_in_s_ms_us_or_ns_by_its_size(value: object) -> None:
    assert utc_timestamp(value) == IN_2025


@pytest.mark.parametrize("value", [1763802902.123, 1763802902.1239, 1763802902123999999, "1763802902.123"])
def test_of_a_number_the_milliseconds_are_exact(value: object) -> None:
    assert utc_timestamp(value) == "2025-11-22T09:15:02.123Z"


@given(st.integers(10**12, 10**13 - 1))
def test_a_moment_is_the_same_in_ms_us_and_ns(ms: int) -> None:
    moment = utc_timestamp(ms)
    assert epoch_seconds(moment) == pytest.approx(ms / 1000, abs=0.0005)
    assert {utc_timestamp(value) for value in (ms * 1000, ms * 10**6, str(ms))} == {moment}
