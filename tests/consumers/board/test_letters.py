from consumers.board.letters import clipped, drawable, in_lines, width_pt


def test_characters_that_the_font_lacks_are_escaped() -> None:
    assert drawable("Größe × 5 ≤ 日") == r"Größe × 5 ≤ \u65e5"


def test_a_bold_text_is_wider_and_twice_the_size_twice_as_wide() -> None:
    assert width_pt("#7 active", 14, bold=True) > width_pt("#7 active", 14)
    assert width_pt("#7 active", 28) == 2 * width_pt("#7 active", 14)


def test_what_does_not_fit_is_left_out_with_a_sign() -> None:
    assert clipped("iiii", 1000, 14) == "iiii"
    cut = clipped("m" * 100, 200, 14)
    assert cut.endswith("m…")
    assert width_pt(cut, 14) <= 200 < width_pt(cut.replace("…", "m…"), 14)


def test_lines_are_cut_between_words() -> None:
    assert in_lines("#7 active: 104 °C", 100, 14, 2) == "#7 active:\n104 °C"
    assert in_lines("#7 active", 1000, 14, 2) == "#7 active"
    assert in_lines("m" * 50, 100, 14, 2).count("\n") <= 1
