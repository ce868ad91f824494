"""What the picture calls each machine: short enough for its place, and never as it calls another one."""

from typing import Final

from consumers.board.letters import drawable
from consumers.machines.fleet import Fleet
from consumers.machines.naming import machine_name, short_names
from consumers.records import Machine

_LONGEST_NAME: Final = 9
_LONGEST_NUMBER: Final = 6


class ShownNames:
    """The names of a fleet's machines in the picture; those with a name are worked out anew when there are more."""

    def __init__(self) -> None:
        self._machines = 0
        self._names: dict[int, str] = {}

    def update(self, fleet: Fleet) -> None:
        """Know the machines of the fleet."""
        if len(fleet.machines) == self._machines:
            return
        self._machines = len(fleet.machines)
        named = {id_: drawable(machine_name(each)) for id_, each in fleet.machines.items() if each.name is not None}
        short = short_names(named.values(), _LONGEST_NAME)
        self._names = {machine_id: short[name] for machine_id, name in named.items()}

    def __call__(self, machine: Machine) -> str:
        """Return what the picture calls a machine, in at most nine characters."""
        machine_id = machine.latest.machine_id
        return self._names.get(machine_id) or _number_name(machine_id)


def _number_name(machine_id: int) -> str:
    """Return what a machine without a name is called: of a long number only the end, which differs most."""
    digits = str(machine_id)
    return f"#{digits}" if len(digits) <= _LONGEST_NUMBER else f"#…{digits[-_LONGEST_NUMBER + 1 :]}"
