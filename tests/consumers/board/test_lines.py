from collections.abc import Sequence

import pytest

from consumers.board.lines import lines_of, past_minutes
from consumers.machines.fleet import Fleet
from consumers.records import RatedReading
from tests.consumers.machines.support import T0_S, row
from tests.consumers.support import take
from utils.message import timestamp_at

HOUR_S = 3600


def test_readings_are_sorted_by_machine_and_then_by_time() -> None:
    lines = lines_of([row(2, 1), row(1, 5), row(2, 0), row(1, 2)], HOUR_S, 60)
    assert lines.machine_id.tolist() == [1, 1, 2, 2]
    assert (lines.time_s - T0_S).tolist() == [2, 5, 0, 1]


def test_a_line_begins_with_each_machine_and_after_each_silence() -> None:
    lines = lines_of([row(1, 0), row(1, 60), row(1, 121), row(2, 121)], HOUR_S, 60)
    assert lines.begins.tolist() == [True, False, True, True]


def test_only_the_newest_readings_are_lines() -> None:
    lines = lines_of([row(1, 0), row(2, 1), row(1, 11)], 10, 60)
    assert lines.machine_id.tolist() == [1, 2]


def test_few_readings_are_points_and_many_are_averaged() -> None:
    assert lines_of([row(1, second) for second in range(150)], HOUR_S, 60).mean_of_s == 0
    lines = lines_of([row(1, second) for second in range(151)], HOUR_S, 60)
    assert lines.mean_of_s == 1


def test_a_point_is_the_mean_of_its_bin_and_the_latest_reading_has_a_point_of_its_own() -> None:
    rows = [row(1, second, temperature_c=60 if second % 2 else 77) for second in range(1496)]
    lines = lines_of([*rows, row(1, 1496, temperature_c=95)], HOUR_S, 60)
    assert (lines.mean_of_s, len(lines.score)) == (10, 151)
    assert lines.score[:-1].tolist() == pytest.approx([95] * 150)
    assert (lines.score[-1], lines.time_s[-1] - T0_S) == (50, 1496)


def test_a_silence_shorter_than_a_bin_breaks_the_line_all_the_same() -> None:
    lines = lines_of([row(1, second) for second in range(1496) if not 2 < second < 9], HOUR_S, 5)
    assert lines.mean_of_s == 10
    assert (lines.time_s[lines.begins] - T0_S).tolist() == [1, 9]


def test_lines_of_many_machines_have_fewer_points_each() -> None:
    rows = [row(machine_id, second) for second in range(100) for machine_id in range(9)]
    assert lines_of(rows, HOUR_S, 60).mean_of_s == 2
    assert lines_of([reading for reading in rows if reading.machine_id], HOUR_S, 60).mean_of_s == 0


def test_the_mean_while_active_leaves_other_modes_out() -> None:
    lines = lines_of([row(1, 0), row(1, 1, temperature_c=77), row(1, 2, "offline"), row(2, 0, "idle")], HOUR_S, 60)
    assert lines.active_mean == {1: 95}


# Of the time that the readings do not reach back to


def past(rows: Sequence[RatedReading], recent_capacity: int) -> Fleet:
    fleet = Fleet(recent_capacity, window_min=60)
    take(fleet, rows)
    return fleet


def test_a_minute_is_drawn_where_none_of_its_readings_is_at_hand() -> None:
    fleet = past([row(machine_id, second) for second in range(0, 300, 10) for machine_id in (1, 2)], 20)
    minutes = past_minutes(fleet, fleet.recent)
    assert sorted((minute.machine_id, minute.minute) for minute in minutes) == [
        (machine_id, timestamp_at(T0_S + second)) for machine_id in (1, 2) for second in (0, 60, 120)
    ]
    lines = lines_of(fleet.recent, HOUR_S, 60, minutes)
    assert (lines.time_s[lines.machine_id == 2] - T0_S).tolist() == [30, 90, 150, *range(200, 300, 10)]
    assert lines.begins.tolist() == ([True] + [False] * 12) * 2


def test_a_minute_ahead_of_all_readings_is_of_a_wrong_clock_and_not_drawn() -> None:
    fleet = past([row(1, 0), row(2, 5000), row(2, 60), row(1, 60)], 2)
    assert [minute.machine_id for minute in past_minutes(fleet, fleet.recent)] == [1]


def test_a_minutes_point_is_its_mean_and_a_silence_of_minutes_breaks_the_line() -> None:
    fleet = past([row(1, 0), row(1, 30, temperature_c=77), row(1, 200), row(1, 260)], 1)
    lines = lines_of(fleet.recent, HOUR_S, 60, past_minutes(fleet, fleet.recent))
    assert lines.score.tolist() == [95, 100, 100]
    assert lines.begins.tolist() == [True, True, False]
