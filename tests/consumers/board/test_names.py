import pytest

from consumers.board.names import ShownNames
from consumers.machines.fleet import Fleet
from consumers.records import Machine
from tests.consumers.machines.support import row


def machine(machine_id: int, name: str | None = None) -> Machine:
    return Machine(row(machine_id, 0), name=name)


def shown(*machines: Machine) -> list[str]:
    names = ShownNames()
    names.update(Fleet(0, machines))
    return list(map(names, machines))


@pytest.mark.parametrize(
    ("machine_id", "name", "called"),
    [
        (7, None, "#7"),
        (999_999, None, "#999999"),
        (1_000_007, None, "#…00007"),
        (-5, None, "#-5"),
        (1_000_001, "PUMP-07", "PUMP-07"),
        (1_000_001, "north/pump-07", "nort…p-07"),
        (1_000_001, "a\nb", "a\\nb"),
    ],
)
def test_a_name_has_at_most_nine_characters(machine_id: int, name: str | None, called: str) -> None:
    assert shown(machine(machine_id, name)) == [called]


def test_names_that_begin_and_end_alike_never_read_the_same() -> None:
    alike = [f"north/press-{number}/bearing" for number in range(200)]
    names = shown(*(machine(1_000_001 + place, name) for place, name in enumerate(alike)))
    assert len(set(names)) == len(alike)
    assert max(map(len, names)) <= 9


def test_a_machine_that_comes_later_is_known_at_the_next_update() -> None:
    names, fleet = ShownNames(), Fleet(0, [machine(1_000_001, "A")])
    names.update(fleet)
    late = machine(1_000_002, "B")
    fleet.machines[1_000_002] = late
    names.update(fleet)
    assert names(late) == "B"
