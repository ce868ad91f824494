import pytest

from consumers.board.lines import lines_of
from tests.consumers.machines.support import T0_S, row

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
