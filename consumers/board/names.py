"""What the picture calls each machine: short enough for its place, and never as it calls another one."""

from consumers.board.letters import drawable
from consumers.board.words import LONGEST_NAME, number_name
from consumers.machines.fleet import Fleet
from consumers.machines.naming import machine_name, short_names


class ShownNames:
    """The names of a fleet's machines in the picture; worked out anew only when there are more machines."""

    def __init__(self) -> None:
        self._machines = 0
        self._names: dict[int, str] = {}

    def update(self, fleet: Fleet) -> None:
        """Know the machines of the fleet."""
        if len(fleet.machines) == self._machines:
            return
        self._machines = len(fleet.machines)
        named = {id_: drawable(machine_name(each)) for id_, each in fleet.machines.items() if each.name is not None}
        short = short_names(named.values(), LONGEST_NAME)
        self._names = {machine_id: short[name] for machine_id, name in named.items()}

    def __call__(self, machine_id: int) -> str:
        """Return what the picture calls a machine."""
        return self._names.get(machine_id) or number_name(machine_id)
