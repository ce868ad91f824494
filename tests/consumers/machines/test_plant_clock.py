from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.plant_clock import PlantClock, believed_time
from consumers.records import Row
from tests.support import rated
from utils.message import epoch_seconds, timestamp_at
from utils.moment import DAY_S, shifted

NOW = "2026-11-22T09:15:02.000Z"
FAR = "9999-01-01T00:00:00.000Z"


def at(hours: float) -> str:
    return shifted(NOW, hours * 3600)


def rows(*timestamps: str) -> list[Row]:
    return [rated(number, timestamp) for number, timestamp in enumerate(timestamps)]


def test_before_the_first_reading_it_has_no_time() -> None:
    clock = PlantClock()
    clock.hear([], NOW)
    assert clock.now is None


def test_its_time_is_the_middle_one_of_the_newest_readings() -> None:
    clock = PlantClock()
    clock.hear(rows(at(-3), at(-1), at(-2)), NOW)
    assert clock.now == at(-2)


def test_one_machine_with_a_wrong_clock_among_others_changes_nothing() -> None:
    clock = PlantClock()
    for hours in range(10):
        clock.hear(rows(at(hours), at(hours), FAR, "0001-01-01T00:00:00.000Z", at(hours)), at(hours))
    assert at(3) < str(clock.now) <= at(9)


def test_a_single_machine_whose_clock_leaps_into_the_future_does_not_take_the_plants_time_with_it() -> None:
    clock = PlantClock()
    for hours in range(100):
        clock.hear(rows(at(hours)), at(hours))
    for _ in range(1000):
        clock.hear(rows(FAR), at(100))
    assert clock.now is not None
    assert clock.now <= at(99)


def test_nor_does_it_after_a_restart() -> None:
    clock = PlantClock(at(0))
    clock.restore(rows(FAR, FAR), at(1))
    clock.hear(rows(FAR), at(1))
    assert clock.now == at(0)


def test_a_plant_that_is_simulated_faster_than_real_time_has_the_time_of_its_readings() -> None:
    clock = PlantClock()
    for day in range(365):
        clock.hear(rows(*(at(24 * day + hour) for hour in range(24))), NOW)
    assert at(24 * 357) < str(clock.now) < at(24 * 365)


def test_nor_does_that_stop_at_a_restart_or_between_large_commits() -> None:
    clock = PlantClock()
    history: list[Row] = []
    for begin in range(0, 24 * 365, 24 * 4):
        known = [rated(1, at(hour)) for hour in range(begin, begin + 24 * 4)]
        history += known
        noted = clock.now
        clock.hear(known, NOW)
        if begin % 5 == 0:  # a kill before the new time was noted
            clock = PlantClock(noted)
            clock.restore(history[-2000:], NOW)
    assert str(clock.now) > at(24 * 358)


def test_after_a_holiday_the_first_readings_are_believed() -> None:
    clock = PlantClock(at(-24 * 60))
    clock.restore(rows(at(-24 * 60)), at(0))
    for hours in range(3):
        clock.hear(rows(at(hours)), at(hours))
    assert str(clock.now) >= at(0)
    assert str(clock.now) <= at(3)


def test_a_history_that_was_recorded_years_ago_is_read_in_its_own_time_and_then_it_is_today() -> None:
    clock = PlantClock()
    clock.hear(rows(*(at(hour - 50_000) for hour in range(100))), NOW)
    assert str(clock.now) < at(-49_000)
    for minute in range(100):
        clock.hear(rows(at(minute / 60)), at(minute / 60))
    assert str(clock.now) > at(0)


def test_of_a_large_commit_a_few_timestamps_are_taken_that_lie_all_over_it() -> None:
    clock = PlantClock()
    clock.hear(rows(*(at(number / 60) for number in range(10_000))), at(9999))
    assert abs(epoch_seconds(str(clock.now)) - epoch_seconds(at(5000 / 60))) < 3 * 3600


@given(
    st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=70).map(sorted),
    st.none() | st.integers(0, 4_000_000_000),
    st.integers(0, 4_000_000_000),
)
def test_a_time_in_the_future_is_reached_in_steps_of_a_day_at_most(
    votes: list[int], before: int | None, now: int
) -> None:
    time = believed_time(
        None if before is None else timestamp_at(before), [timestamp_at(vote) for vote in votes], timestamp_at(now)
    )
    seconds = epoch_seconds(time)
    assert seconds <= votes[(len(votes) - 1) // 2]
    if seconds > now + DAY_S:
        begin = votes[0] if before is None else before
        way = sorted({begin, *(vote for vote in votes if begin < vote <= seconds)})
        assert all(later - earlier <= DAY_S for earlier, later in pairwise(way))
        assert way[-1] >= seconds
