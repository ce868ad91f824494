from hypothesis import given
from hypothesis import strategies as st

from consumers.rating import own_rows, rated
from tests.support import AT
from utils.efficiency import Limits
from utils.message import MODES, Reading, to_line

LIMITS = Limits()
CUTS = [30.0, 40.0, 75.0, 80.0, 90.0, 1.4, 2.8, 4.5, 29.99, 90.01, 4.51]

own_lines = st.builds(
    Reading,
    st.integers(0, 2_000_000),
    st.just("2024-02-29T23:59:59.999Z") | st.just("2026-11-22T09:15:02.000Z"),
    st.sampled_from(MODES),
    st.sampled_from(CUTS) | st.floats(-300, 1200).map(lambda value: round(value, 2)),
    st.sampled_from(CUTS) | st.floats(0, 1200).map(lambda value: round(value, 2)),
).map(lambda reading: to_line(reading, 50.0, "Low"))


@given(st.lists(own_lines))
def test_what_is_read_at_once_is_rated_as_each_line_alone(lines: list[str]) -> None:
    for line, row in zip(lines, own_rows("".join(lines), LIMITS, AT), strict=True):
        if row is not None:  # what is out of the ordinary is left to the general way, which may refuse it
            assert row == rated(line, LIMITS, AT)


def test_an_ordinary_line_is_read_at_once_and_a_strange_one_is_not() -> None:
    ordinary = to_line(Reading(7, "2026-11-30T09:15:02.000Z", "idle", -4.5, 0.35), 50.0, "Low")
    assert own_rows(ordinary + "{}\n", LIMITS, AT) == [rated(ordinary, LIMITS, AT), None]
