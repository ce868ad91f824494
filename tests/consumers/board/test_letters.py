from consumers.board.letters import drawable


def test_characters_that_the_font_lacks_are_escaped() -> None:
    assert drawable("Säge 1 °C") == "Säge 1 °C"
    assert drawable("数据") == "\\u6570\\u636e"
