import pytest

from consumers.board.words import (
    beyond_words,
    clock_words,
    heard_words,
    machine_names,
    now_words,
    number_name,
    scatter_words,
    silence_words,
    silent_beyond_words,
    stale_words,
    totals_words,
    trend_words,
    waiting_words,
)


@pytest.mark.parametrize(
    ("machine_id", "name"), [(0, "#0"), (15, "#15"), (999_999, "#999999"), (2**63 - 1, "#…75807")]
)
def test_a_machine_is_named_by_its_number_or_by_the_end_of_a_long_one(machine_id: int, name: str) -> None:
    assert number_name(machine_id) == name


def test_only_so_many_machines_are_named() -> None:
    assert machine_names([4, 9], 5, 40) == "#4 #9"
    assert machine_names([4, 9, 17], 2, 40) == "#4 #9 +1 more"


def test_fewer_are_named_where_names_are_long_but_always_one() -> None:
    assert machine_names([2**63 - 1] * 9, 5, 24) == "#…75807 #…75807 +7 more"
    assert machine_names([2**63 - 1] * 9, 5, 1) == "#…75807 +8 more"


def test_a_long_text_to_wait_for_is_wrapped_and_loses_its_middle() -> None:
    assert waiting_words("readings") == "Waiting for readings …"
    lines = waiting_words("x" * 2000).splitlines()
    assert (len(lines), lines[2], max(map(len, lines))) == (5, "…", 50)


def test_the_headline_has_words_for_time_totals_and_the_last_reading() -> None:
    assert now_words("2026-11-22T09:15:02.123Z") == "2026-11-22  09:15:02 UTC"
    assert totals_words(1, 1200) == "1 machine, 1,200 readings"
    assert heard_words(4) == "last reading received 4 s ago"
    assert stale_words(301) == "no reading for 5 min"


def test_machines_beyond_a_limit_are_counted_and_five_named() -> None:
    assert beyond_words([4]) == "1 beyond a limit now: #4"
    assert beyond_words(range(1, 9)) == "8 beyond a limit now: #1 #2 #3 #4 #5 +3 more"


def test_silent_machines_beyond_a_limit_are_told_apart() -> None:
    assert silent_beyond_words([9]) == "1 beyond a limit when last heard: #9"


def test_wrong_clocks_are_named_where_there_are_any() -> None:
    assert clock_words([]) == ""
    assert clock_words([7]) == "1 machine with a wrong clock: #7"
    assert clock_words([3, 4, 5, 6]) == "4 machines with a wrong clock: #3 #4 #5 +1 more"


def test_silent_machines_are_told_with_the_limit() -> None:
    assert silence_words([], 60) == "by the latest reading of each"
    assert silence_words([4, 9], 180) == "2 silent > 3 min (hatched): #4 #9"


def test_it_is_told_which_machines_are_named() -> None:
    assert trend_words(8, 8) == "latest value at the line’s end; × beyond a limit"
    assert trend_words(8, 1200).startswith("8 of 1,200 named: ")


def test_points_are_counted() -> None:
    assert scatter_words(0, 0, 0) == ""
    assert scatter_words(1, 0, 0) == "newest 1 reading: 0 beyond a limit (×)"
    assert scatter_words(9, 2, 1).endswith(
        "2 beyond a limit (×), the latest ringed and named; 1 off the scale, at its edge"
    )
