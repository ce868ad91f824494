import pytest

from utils.moment import shifted


@pytest.mark.parametrize(
    ("timestamp", "later_s", "moment"),
    [
        ("2026-11-22T09:15:02.000Z", 0.5, "2026-11-22T09:15:02.500Z"),
        ("2026-11-22T09:15:02.000Z", -86_400, "2026-11-21T09:15:02.000Z"),
        ("2028-02-28T23:59:59.999Z", 0.001, "2028-02-29T00:00:00.000Z"),
        ("9999-12-31T00:00:00.000Z", 1e9, "9999-12-31T23:59:59.000Z"),
        ("0001-01-01T00:00:01.000Z", -1e9, "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_so_much_later_or_earlier_or_the_last_or_first_one(
    timestamp: str, later_s: float, moment: str
) -> None:
    assert shifted(timestamp, later_s) == moment
