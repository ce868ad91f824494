from consumers.board.palette import ANOMALY_COLOUR, LEVEL_COLOURS, MACHINE_COLOURS, STATE_COLOURS


def test_colours_of_machines_are_none_of_states_nor_levels() -> None:
    assert not {*MACHINE_COLOURS} & {*STATE_COLOURS.values(), *LEVEL_COLOURS.values(), ANOMALY_COLOUR}
