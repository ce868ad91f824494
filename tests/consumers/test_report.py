from collections.abc import Sequence
from typing import Any

import pytest

from consumers.machines.fleet import Fleet
from consumers.pipeline import Tally, Waiting
from consumers.records import Account, Machine, RejectedLine
from consumers.report import Reporter, account_line, progress_line, status_line, summary_line
from consumers.store.errors import StoreFullError
from tests.consumers.support import fleet_of
from tests.support import rated
from utils.efficiency import Limits

LIMITS = Limits()
MB = 1_000_000


class Listener:
    """A reporter, its clock, and what it said."""

    def __init__(self, every_s: float = 30.0) -> None:
        self.time_s = 1000.0
        self.said: list[str] = []
        self.warned: list[str] = []
        self.reporter = Reporter(
            self.said.append, self.warned.append, lambda: self.time_s, every_s, stale_after_s=1e9
        )

    def after(self, seconds: float, tally: Tally | None = None, unread_bytes: int = 0, **fleet: Any) -> None:
        self.time_s += seconds
        self.reporter.report(fleet_of(rated(1)), tally or Tally(), LIMITS, lambda: unread_bytes)

    def reject(self, *offsets: int) -> None:
        self.reporter.rejected(len(offsets), rejected(offsets))


def rejected(offsets: Sequence[int]) -> list[RejectedLine]:
    return [RejectedLine(offset, f"line at {offset}", "no reading") for offset in offsets]


# The plant in one line


def test_an_empty_plant_has_a_status() -> None:
    assert status_line(Fleet(0), Tally(), LIMITS, 60.0) == (
        "0 machines (none yet), 0 readings stored in this run. Beyond a limit: none"
    )


def test_the_status_counts_machines_by_mode() -> None:
    fleet = fleet_of(rated(1), rated(2, mode="offline"), rated(3), rated(2, mode="idle"))
    assert status_line(fleet, Tally(0, 1234, 5), LIMITS, 60.0) == (
        "3 machines (2 active, 1 idle), 1,234 readings stored in this run, 5 rejected. Beyond a limit: none"
    )


def test_the_status_names_the_limit_that_a_machine_is_beyond() -> None:
    fleet = fleet_of(rated(4, temperature_c=95.5, vibration_mm_s=1.0), rated(7, vibration_mm_s=4.6))
    told = status_line(fleet, Tally(), LIMITS, 60.0)
    assert "machine 4: temperature 95.5 > 90 °C" in told
    assert "machine 7: vibration 4.6 > 4.5 mm/s" in told


def test_the_status_tells_of_the_latest_reading_alone() -> None:
    fleet = fleet_of(rated(4, temperature_c=95.5), rated(4, temperature_c=60.0))
    assert status_line(fleet, Tally(), LIMITS, 60.0).endswith("Beyond a limit: none")


def test_in_a_flood_the_status_names_a_few_and_counts_the_rest() -> None:
    fleet = fleet_of(*(rated(machine_id, vibration_mm_s=9.0) for machine_id in range(50)))
    told = status_line(fleet, Tally(), LIMITS, 60.0)
    assert told.endswith("; and 45 more")
    assert told.count("machine ") == 5


# What was done


def test_the_summary_is_one_line_that_adds_up() -> None:
    assert summary_line(Tally(123_456, 1000, 20, 3), 2.34) == (
        "1,023 lines = 1,000 stored + 20 rejected + 3 blank, 123,456 bytes in 2.3 s"
    )


def test_the_account_is_one_line_that_says_whether_it_balances() -> None:
    account = Account(2, 123_456, 1023, 1000, 20, 3)
    told = account_line(account)
    assert told.startswith("1,023 lines = 1,000 stored + 20 rejected + 3 blank, 123,456 bytes of 2 files; ")
    assert told.endswith("every line is accounted for")
    assert "LINES ARE MISSING" in account_line(account._replace(read_lines=1024))


def test_the_account_tells_expired_rows_and_those_that_someone_deleted_or_added_by_hand() -> None:
    account = Account(1, 10, 1000, 1000, 0, 0)
    assert "1,000 stored + 0 rejected + 0 blank (400 rows expired), " in account_line(
        account._replace(expired_rows=400)
    )
    assert account_line(account._replace(deleted_rows=7)).endswith(
        "; every line is accounted for; 7 rows were deleted by hand"
    )
    assert account_line(account._replace(deleted_rows=-1)).endswith("; 1 row was added by hand")


def test_progress_tells_share_rate_and_time_left() -> None:
    told = progress_line(Tally(60 * MB, 300_000), 40 * MB, 50_000.0)
    assert told == "catching up: 60% of 100 MB, 50,000 lines/s, 4 s left"


def test_progress_without_a_rate_tells_no_time() -> None:
    assert progress_line(Tally(), 40 * MB, 0.0) == "catching up: 0% of 40 MB, 0 lines/s, …"


# Now and then


def test_the_status_is_said_in_its_time() -> None:
    listener = Listener(every_s=30.0)
    for _ in range(7):
        listener.after(10.0)
    assert len(listener.said) == 2
    assert all("1 machines (1 active)" in text for text in listener.said)


def test_a_long_catch_up_is_told_every_few_seconds_with_its_own_rate() -> None:
    listener = Listener(every_s=30.0)
    listener.after(1.0, Tally(50 * MB, 100_000), 150 * MB)
    listener.after(1.0, Tally(100 * MB, 200_000), 100 * MB)
    listener.after(1.0, Tally(125 * MB, 250_000), 75 * MB)
    listener.after(1.0, Tally(150 * MB, 300_000), 50 * MB)
    assert listener.said == [
        "catching up: 50% of 200 MB, 100,000 lines/s, 2 s left",
        "catching up: 75% of 200 MB, 50,000 lines/s, 2 s left",
    ]


def test_a_small_backlog_is_no_catching_up() -> None:
    listener = Listener(every_s=30.0)
    for _ in range(10):
        listener.after(2.5, Tally(1000, 5), unread_bytes=100_000)
    assert listener.said == []


def test_how_much_is_unread_is_not_asked_before_it_is_time() -> None:
    listener = Listener()

    def unread_bytes() -> int:
        pytest.fail("asked")

    listener.reporter.report(fleet_of(), Tally(), LIMITS, unread_bytes)


def test_while_it_waits_it_is_told_in_its_time_since_when_why_and_how_much_is_unread() -> None:
    listener = Listener(every_s=30.0)
    waiting = Waiting(StoreFullError("no room for a.sqlite; make room on its disk"), 1_800_000_000.0)
    for _ in range(9):
        listener.time_s += 10.0
        listener.reporter.report(fleet_of(rated(1)), Tally(), LIMITS, lambda: 12 * MB, waiting)
    assert listener.said == []
    assert (
        listener.warned
        == ["waiting since 2027-01-15T08:00:00.000Z, 12.0 MB unread: no room for a.sqlite; make room on its disk"] * 3
    )


# Rejected lines


def test_a_feed_of_nothing_but_rejected_lines_is_told_in_words_once_and_in_each_status() -> None:
    listener = Listener(every_s=30.0)
    for rejected_lines in (1, 2, 3):
        listener.after(1.0, Tally(rejected_lines=rejected_lines, rejected_in_a_row=rejected_lines))
    (told,) = listener.warned
    assert told.startswith("every line is being rejected: 1 line and no reading; the reasons are in the table")
    listener.after(30.0, Tally(rejected_lines=9, rejected_in_a_row=9))
    assert "9 rejected (every line is being rejected)" in listener.said[0]


def test_that_every_line_is_rejected_is_told_once_whoever_notes_it_first() -> None:
    listener = Listener()
    few, many = Tally(0, 1, 3, 0, 3), Tally(0, 1, 12, 0, 12)
    listener.after(1.0, few)
    listener.reporter.all_rejected("no reading for 1 min: every line is rejected", few.stored_lines)
    listener.after(1.0, many)
    assert listener.warned == ["no reading for 1 min: every line is rejected"]
    listener.after(1.0, Tally(0, 2, 24, 0, 12))
    listener.reporter.all_rejected("no reading for 2 min: every line is rejected", 2)
    assert [text.split(":")[0] for text in listener.warned[1:]] == ["every line is being rejected"]


def test_a_few_rejected_lines_after_readings_are_no_such_feed() -> None:
    assert Tally(stored_lines=5, rejected_lines=20, rejected_in_a_row=9).all_rejected == 0
    assert Tally(stored_lines=5, rejected_lines=20, rejected_in_a_row=10).all_rejected == 10
    assert Tally(stored_lines=5, rejected_lines=20).all_rejected == 0


def test_a_machine_with_a_name_is_told_by_it() -> None:
    machine = Machine(rated(1_000_001, vibration_mm_s=4.6), name="PUMP-07")
    assert "Beyond a limit: machine PUMP-07: vibration" in status_line(Fleet(0, [machine]), Tally(), LIMITS, 60.0)


def test_a_rejected_line_is_said_at_once() -> None:
    listener = Listener()
    listener.reject(1234)
    assert listener.warned == ["rejected at byte 1,234: no reading: line at 1234"]


def test_a_flood_of_rejected_lines_is_one_line_a_second_with_a_count() -> None:
    listener = Listener()
    for number in range(40):
        listener.reject(number * 3, number * 3 + 1, number * 3 + 2)
        listener.after(0.25)
    assert len(listener.warned) == 11
    told = [int(text.split("(and ")[1].split(" more")[0]) + 1 for text in listener.warned]
    assert sum(told) == 120


def test_of_several_reasons_the_most_frequent_are_named_each_with_its_count() -> None:
    listener = Listener()
    reasons = ["not JSON"] * 3 + ["no mode"] * 1200 + ["x" * 300] * 2 + ["no moment"]
    listener.reporter.rejected(len(reasons), [RejectedLine(n, "{}", reason) for n, reason in enumerate(reasons)])
    assert listener.warned == [
        (
            "rejected at byte 1,205: no moment (and 1,205 more; "
            f"most often: 1,200 × no mode, 3 × not JSON, 2 × {'x' * 79}…): {{}}"
        )
    ]
    listener.after(1.0)
    listener.reporter.rejected(2, [RejectedLine(0, "a", "not JSON"), RejectedLine(2, "b", "no mode")])
    assert listener.warned[1].endswith("no mode (and 1 more; in all: 1 × not JSON, 1 × no mode): b")


def test_the_last_rejected_lines_are_said_when_the_flood_is_over() -> None:
    listener = Listener()
    listener.reject(1)
    listener.reject(2)
    listener.reject(3)
    assert len(listener.warned) == 1
    listener.after(1.0)
    assert listener.warned[1] == "rejected at byte 3: no reading (and 1 more): line at 3"
    listener.after(10.0)
    assert len(listener.warned) == 2


def test_the_last_words_leave_nothing_unsaid() -> None:
    listener = Listener()
    listener.reject(1)
    listener.reject(2)
    listener.reporter.flush()
    listener.reporter.flush()
    assert [text.split(":")[0] for text in listener.warned] == ["rejected at byte 1", "rejected at byte 2"]


def test_a_long_line_is_shown_by_its_start() -> None:
    listener = Listener()
    listener.reporter.rejected(1, [RejectedLine(0, "x" * 2000, "no reading")])
    assert len(listener.warned[0]) < 150
