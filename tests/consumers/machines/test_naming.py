import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.machines.naming import FIRST_NAMED_ID, Naming, machine_in_words, machine_name, short_names
from consumers.records import Machine
from tests.support import rated
from utils.message import MessageError

names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=64)


def known(*machines: Machine) -> Naming:
    """The naming of a commit after these machines are known."""
    by_id = {machine.latest.machine_id: machine for machine in machines}
    return Naming({machine.name: id_ for id_, machine in by_id.items() if machine.name is not None}, by_id)


def test_names_are_numbered_in_the_order_in_which_they_appear() -> None:
    naming = known()
    assert [naming.identify(name) for name in ("PUMP-07", "FAN-1", "PUMP-07", "PUMP-7")] == [
        1_000_001, 1_000_002, 1_000_001, 1_000_003,
    ]  # fmt: skip
    assert naming.new == {"PUMP-07": 1_000_001, "FAN-1": 1_000_002, "PUMP-7": 1_000_003}


def test_a_name_that_is_known_keeps_its_number() -> None:
    naming = known(Machine(rated(FIRST_NAMED_ID), name="PUMP-07"))
    assert [naming.identify(name) for name in ("FAN-1", "PUMP-07")] == [1_000_002, 1_000_001]
    assert naming.new == {"FAN-1": 1_000_002}


def test_a_number_that_a_machine_without_a_name_has_is_given_to_no_name() -> None:
    naming = known(Machine(rated(1_000_001)))
    assert naming.identify(1_000_002) == 1_000_002
    assert naming.identify("PUMP-07") == 1_000_003
    assert naming.identify(1_000_001) == 1_000_001


def test_a_number_that_stands_for_a_named_machine_is_refused_as_a_number() -> None:
    naming = known(Machine(rated(FIRST_NAMED_ID), name="PUMP-07"))
    new = naming.identify("FAN-1")
    for number, name in ((FIRST_NAMED_ID, "PUMP-07"), (new, "FAN-1")):
        with pytest.raises(MessageError, match=f"{number} stands for a machine with a name here; call it {name}"):
            naming.identify(number)


def test_a_machine_is_called_by_its_name_or_its_number() -> None:
    assert machine_name(Machine(rated(7))) == "#7"
    assert machine_name(Machine(rated(FIRST_NAMED_ID), name="PUMP-07")) == "PUMP-07"
    assert machine_name(Machine(rated(FIRST_NAMED_ID), name="\x1b[2J")) == "\\x1b[2J"


def test_a_sentence_calls_a_machine_by_its_name_or_its_number() -> None:
    assert machine_in_words(Machine(rated(7))) == "machine 7"
    assert machine_in_words(Machine(rated(FIRST_NAMED_ID), name="#7")) == "machine #7"
    assert machine_in_words(Machine(rated(FIRST_NAMED_ID), name="\x1b[2J")) == "machine \\x1b[2J"


def test_a_long_name_loses_its_middle() -> None:
    assert short_names(["PUMP-07", "HALL-3-PRESS-12"], 9) == {"PUMP-07": "PUMP-07", "HALL-3-PRESS-12": "HALL…S-12"}


@given(
    st.lists(names, max_size=40) | st.lists(names.map(lambda name: f"PRESS-LINE-{name[:2]}-NORTH-END"), max_size=40)
)
def test_short_names_are_short_and_no_two_read_the_same(some: list[str]) -> None:
    short = short_names(some, 9)
    assert short.keys() == set(some)
    assert len(set(short.values())) == len(short)
    assert all(len(text) <= 9 for text in short.values())
    assert all(short[name] == name for name in some if len(name) <= 9)
