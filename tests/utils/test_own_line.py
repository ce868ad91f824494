import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import line
from utils.own_line import each_own_values, own_values

OWN = line(machine_id=15, temperature_c=44.28, vibration_mm_s=2.08).rstrip("\n")


def test_a_line_of_our_producer_gives_its_values_as_they_stand_in_it() -> None:
    values = own_values(OWN)
    assert values is not None
    assert values[:4] == ("15", "Active", "44.28", "2.08")


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("44.28", "1000.5"),
        ("44.28", "-273.2"),
        ("44.28", "1e2"),
        ("2.08", "-0.1"),
        ("Machine 15", "Machine 1000000"),
        ("Machine 15", "Machine PUMP-07"),
        ("Active", "active"),
        ("-11-22T", "-02-29T"),
        ("-11-22T", "-11-31T"),
        ("-11-22T", "-13-01T"),
        ("-11-22T", "-11-22 "),
        ("Z", "+00:00"),
        ("{", " {"),
        ("}", "}\r"),
        ("Sensor", "\\u0053ensor"),
    ],
)
def test_a_line_that_may_be_no_reading_or_is_written_otherwise_is_left_to_the_general_way(
    part: str, other: str
) -> None:
    assert part in OWN
    assert own_values(OWN.replace(part, other)) is None


@given(
    st.lists(
        st.sampled_from([OWN, OWN[:-1], "{}", "", "\r", OWN + OWN, OWN.replace("Active", "Idle"), OWN + " "])
        | st.text(max_size=30).map(lambda text: text.replace("\n", ""))
    )
)
def test_of_many_lines_each_gives_what_it_gives_alone(lines: list[str]) -> None:
    found = each_own_values("".join(text + "\n" for text in lines))
    assert found == [own_values(text) or ("",) * 5 for text in lines]
