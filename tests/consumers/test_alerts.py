"""Alerts: a real command, an outbox in memory, and a clock that is set by hand."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from consumers.alerts import FLOOD_ALERTS, Alerter, message_of, summary_of
from consumers.records import Event
from consumers.store.errors import StoreBusyError, StoreError
from consumers.store.outbox import Alert, Crowd
from tests.support import AT, until

TELL = "import os, sys; open(sys.argv[1], 'a').write(sys.stdin.read()); sys.exit(int(os.environ.get('FAILS', '0')))"


class Waiting:
    """An outbox in memory, which refuses on demand."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.refusals: list[StoreError] = []

    def add(self, *texts: str) -> None:
        for text in texts:
            event = Event("raised", 7, text, '{"signal": "vibration", "value": 6.2, "cleared_at": null}', AT)
            self.alerts.append(Alert(self.alerts[-1].alert_id + 1 if self.alerts else 1, event))

    def waiting(self, at_most: int) -> list[Alert]:
        return self.alerts[:at_most]

    def crowd(self) -> Crowd:
        return Crowd({"raised": len(self.alerts)}, self.alerts[-1].alert_id, AT)

    def forget(self, last_id: int) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.alerts = [alert for alert in self.alerts if alert.alert_id > last_id]


class Alerting:
    """An alerter whose command appends what it is told to a file."""

    def __init__(self, folder: Path, *command: str, **environment: str) -> None:
        self.told_file = folder / "told.txt"
        self.time_s = 1000.0
        self.warned: list[str] = []
        self.outbox = Waiting()
        words = command or (sys.executable, "-I", "-S", "-c", TELL, str(self.told_file))
        self.alerter = Alerter(words, self.outbox, environment, self.warned.append, lambda: self.time_s)

    @property
    def told(self) -> list[dict[str, Any]]:
        lines = self.told_file.read_text(encoding="utf-8").splitlines() if self.told_file.exists() else []
        return [json.loads(line) for line in lines]

    def poll_until_over(self) -> None:
        """Begin with what is due, and wait until the command has ended."""
        self.time_s += 1
        self.alerter.poll()

        def is_over() -> bool:
            self.alerter.poll()
            return self.alerter._run is None

        until(is_over)


@pytest.fixture
def alerting(tmp_path: Path) -> Alerting:
    return Alerting(tmp_path)


def test_an_event_is_told_once_with_its_figures_and_is_then_forgotten(alerting: Alerting) -> None:
    alerting.outbox.add("machine 7: vibration 6.2 > 4.5 mm/s")
    alerting.poll_until_over()
    (told,) = alerting.told
    assert told == {
        "kind": "raised",
        "machine": 7,
        "machine_id": 7,
        "name": None,
        "text": "machine 7: vibration 6.2 > 4.5 mm/s",
        "at": AT,
        "signal": "vibration",
        "value": 6.2,
        "cleared_at": None,
    }
    assert alerting.outbox.alerts == []
    alerting.poll_until_over()
    assert len(alerting.told) == 1


def test_the_figures_are_in_the_environment_too(tmp_path: Path) -> None:
    script = "import os, sys; open(sys.argv[1], 'w').write(repr({k: v for k, v in os.environ.items() if 'A' in k}))"
    alerting = Alerting(tmp_path, sys.executable, "-I", "-S", "-c", script, str(tmp_path / "environment"), PLANT="A")
    alerting.outbox.add("hot")
    alerting.poll_until_over()
    found = (tmp_path / "environment").read_text(encoding="utf-8")
    for pair in ("'ALERT_KIND': 'raised'", "'ALERT_MACHINE': '7'", "'ALERT_TEXT': 'hot'", "'ALERT_VALUE': '6.2'"):
        assert pair in found
    assert "'ALERT_CLEARED_AT': ''" in found
    assert "'PLANT': 'A'" in found


def test_a_machine_with_a_name_is_called_by_it(alerting: Alerting) -> None:
    message = message_of(Alert(1, Event("raised", 1_000_001, "hot", '{"name": "PUMP-07", "value": 6.2}', AT)))
    assert {"machine": "PUMP-07", "machine_id": 1_000_001, "name": "PUMP-07"}.items() <= message.fields.items()
    assert message.variables["ALERT_MACHINE"] == message.variables["ALERT_NAME"] == "PUMP-07"
    assert message.variables["ALERT_MACHINE_ID"] == "1000001"


def test_what_concerns_the_whole_feed_has_no_machine() -> None:
    for message in (
        message_of(Alert(1, Event("feed_silent", None, "quiet", "{}", AT))),
        summary_of(Crowd({}, 1, AT)),
    ):
        assert {"machine": None, "machine_id": None, "name": None}.items() <= message.fields.items()
        assert message.variables["ALERT_NAME"] == message.variables["ALERT_MACHINE"] == ""


def test_a_name_that_someone_wrote_by_hand_breaks_no_command(alerting: Alerting) -> None:
    details = json.dumps({"name": "\x1b[2J\0<red>{}"})
    alerting.outbox.alerts.append(Alert(1, Event("raised", 7, "hot", details, AT)))
    alerting.poll_until_over()
    assert [told["name"] for told in alerting.told] == ["\x1b[2J\0<red>{}"]
    assert message_of(Alert(1, Event("raised", 7, "hot", details, AT))).variables["ALERT_NAME"] == (
        "\\x1b[2J\\x00<red>{}"
    )


def test_without_a_shell_nothing_in_a_text_is_a_command(alerting: Alerting, tmp_path: Path) -> None:
    alerting.outbox.add(f"$(touch {tmp_path}/harm); touch {tmp_path}/harm")
    alerting.poll_until_over()
    assert len(alerting.told) == 1
    assert not (tmp_path / "harm").exists()


def test_events_are_told_one_at_a_time_the_oldest_first(alerting: Alerting) -> None:
    alerting.outbox.add("first", "second")
    alerting.poll_until_over()
    assert [told["text"] for told in alerting.told] == ["first"]
    alerting.poll_until_over()
    assert [told["text"] for told in alerting.told] == ["first", "second"]


def test_a_command_that_fails_is_tried_again_after_pauses_that_grow(tmp_path: Path) -> None:
    alerting = Alerting(tmp_path, FAILS="3")
    alerting.outbox.add("hot")
    alerting.poll_until_over()
    assert alerting.warned == ["ALERT_COMMAND ended with 3: it said nothing; it is tried again in 10 s"]
    alerting.poll_until_over()
    assert len(alerting.told) == 1
    alerting.time_s += 10
    alerting.poll_until_over()
    assert len(alerting.told) == 2
    assert alerting.warned[-1].endswith("tried again in 20 s")
    assert len(alerting.outbox.alerts) == 1


def test_a_command_that_is_not_there_is_named_and_stops_nothing(tmp_path: Path) -> None:
    alerting = Alerting(tmp_path, str(tmp_path / "nothing"))
    alerting.outbox.add("hot")
    alerting.poll_until_over()
    assert alerting.warned == ["ALERT_COMMAND does not start: No such file or directory; it is tried again in 10 s"]


def test_what_a_failing_command_says_last_is_printable(tmp_path: Path) -> None:
    alerting = Alerting(tmp_path, sys.executable, "-I", "-S", "-c", "import sys; sys.exit('no \\x1b[31mmail')")
    alerting.outbox.add("hot")
    alerting.poll_until_over()
    assert "ended with 1: no \\x1b[31mmail;" in alerting.warned[0]


def test_a_command_that_hangs_does_not_block_and_is_ended_after_half_a_minute(tmp_path: Path) -> None:
    alerting = Alerting(tmp_path, sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)")
    alerting.outbox.add("hot")
    alerting.alerter.poll()
    run = alerting.alerter._run
    assert run is not None
    began_s = time.monotonic()
    alerting.time_s += 29
    alerting.alerter.poll()
    assert run.status() is None
    alerting.time_s += 2
    alerting.alerter.poll()
    assert time.monotonic() - began_s < 20
    assert run.status() is not None
    assert alerting.warned == ["ALERT_COMMAND was ended after 30 s; it is tried again in 10 s"]


def test_a_summary_names_what_was_raised_last() -> None:
    crowd = Crowd({"cleared": 3, "raised": 2}, 5, AT, ["machine 5: hot", "machine 4: hot"])
    text = str(summary_of(crowd).fields["text"])
    assert text.endswith("3 cleared, 2 raised. Raised last: machine 5: hot; machine 4: hot")


def test_a_flood_is_one_summary(alerting: Alerting) -> None:
    alerting.outbox.add(*["hot"] * (FLOOD_ALERTS + 5))
    alerting.poll_until_over()
    (told,) = alerting.told
    assert (told["kind"], told["events"]) == ("flood", 15)
    assert told["text"] == "15 events since 2026-11-22 09:15:02: 15 raised"
    assert alerting.outbox.alerts == []


def test_events_that_come_one_by_one_in_a_flood_are_summed_up_once_a_minute(alerting: Alerting) -> None:
    for _ in range(40):
        alerting.outbox.add("hot")
        alerting.poll_until_over()
    assert len(alerting.told) == FLOOD_ALERTS
    alerting.time_s += 60
    alerting.poll_until_over()
    assert alerting.told[-1]["events"] == 30


def test_what_was_told_while_the_database_is_locked_is_forgotten_later_and_not_told_again(alerting: Alerting) -> None:
    alerting.outbox.add("hot")
    alerting.outbox.refusals.append(StoreBusyError("locked"))
    alerting.poll_until_over()
    assert len(alerting.outbox.alerts) == 1
    alerting.poll_until_over()
    assert (len(alerting.told), alerting.outbox.alerts) == (1, [])


def test_at_the_end_what_waits_is_told_without_a_pause(alerting: Alerting) -> None:
    alerting.outbox.add("first", "second", "third")
    began_s = time.monotonic()
    alerting.alerter._monotonic = time.monotonic
    alerting.alerter.finish(30, time.sleep)
    assert [told["text"] for told in alerting.told] == ["first", "second", "third"]
    assert time.monotonic() - began_s < 25


def test_at_the_end_a_command_that_hangs_is_ended_and_its_event_waits(tmp_path: Path) -> None:
    alerting = Alerting(tmp_path, sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)")
    alerting.outbox.add("hot")
    alerting.alerter.finish(0, time.sleep)
    assert len(alerting.outbox.alerts) == 1
    assert alerting.alerter._run is None
