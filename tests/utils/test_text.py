import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text import count, duration, printable, shown


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain °C, äöü, 漢字", "plain °C, äöü, 漢字"),
        ("two\nlines\t\r", "two\\nlines\\t\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\0", "\\x00"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
        ('it\'s "quoted" \\', 'it\'s "quoted" \\'),
    ],
)
def test_what_could_move_a_terminal_is_escaped(text: str, safe: str) -> None:
    assert printable(text) == safe


@given(st.text())
def test_any_text_becomes_printable_and_can_be_encoded(text: str) -> None:
    safe = printable(text)
    assert safe.isprintable()
    assert safe.encode().decode() == safe
    assert printable(safe) == safe


# A value in a message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("data/live.json", "data/live.json"),
        (12.5, "12.5"),
        ("a\nb", "a\\nb"),
        ("x" * 200, "x" * 200),
        ("a" * 100 + "b" * 101, "a" * 99 + "…" + "b" * 100),
        ("a" * 1_000_000 + "live.json", "a" * 99 + "…" + "a" * 91 + "live.json"),
        ("\0" * 51, "\\x00" * 24 + "\\x0" + "…" + "\\x00" * 25),
    ],
)
def test_a_value_is_shown_whole_or_without_its_middle(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text(min_size=150, max_size=400))
def test_a_shown_value_has_at_most_200_characters_and_is_printable(text: str) -> None:
    assert len(shown(text)) <= 200
    assert shown(text).isprintable()


# Quantities


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599.9, "59 min"),
        (3600, "1 h"),
        (172_799.9, "47 h"),
        (172_800, "2 days"),
        (86_400_000, "1,000 days"),
    ],
)
def test_a_time_is_told_in_the_largest_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (1_234_567, "1,234,567 lines")]
)
def test_a_number_has_its_noun(number: int, text: str) -> None:
    assert count(number, "line") == text
