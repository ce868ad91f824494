import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from consumers.board.courses import KeptColumns, columns_of_readings
from tests.consumers.machines.support import row

ROWS = [row(1 + number % 5, number, "active", 40 + number % 60, 1 + number % 7) for number in range(60)]
spans = st.tuples(st.integers(0, 60), st.integers(0, 60), st.sets(st.integers(0, 59), max_size=3))


@given(st.lists(spans, min_size=1, max_size=6))
def test_kept_columns_are_those_of_the_readings(frames: list[tuple[int, int, set[int]]]) -> None:
    kept = KeptColumns()
    for begin, end, left_out in frames:
        readings = [ROWS[place] for place in range(begin, end) if place not in left_out]
        for own, anew in zip(kept.of(readings), columns_of_readings(readings), strict=True):
            assert np.array_equal(own, anew)
