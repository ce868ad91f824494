"""Names of machines: the numbers that stand for them, and how a machine is called."""

from collections.abc import Collection, Iterator, Mapping
from itertools import count
from typing import Final

from consumers.records import Machine
from utils.message import OWN_ID_MAX, MessageError
from utils.text import printable

FIRST_NAMED_ID: Final = OWN_ID_MAX + 1
"""Named machines are numbered from here on, in the order of their first rows."""


class Naming:
    """The numbers of named machines within one commit: known ones, and new ones that the commit will save.

    What is known does not change by it: `numbers` by name, and the ids of all `machines`.
    """

    def __init__(self, numbers: Mapping[str, int], machines: Mapping[int, Machine]) -> None:
        self.new: dict[str, int] = {}
        """The numbers of names that were not known before."""
        self._numbers = numbers
        self._machines = machines
        self.names: dict[int, str] = {}
        """The same by number."""
        self._plain_ids: set[int] = set()
        self._next = FIRST_NAMED_ID + len(numbers)

    def identify(self, machine: int | str) -> int:
        """Return the number of a machine that a line calls by name, or by a number above `OWN_ID_MAX`.

        Raises MessageError for such a number if it stands for a machine that has a name.
        """
        if isinstance(machine, str):
            return self._numbers.get(machine) or self.new.get(machine) or self._number(machine)
        known = self._machines.get(machine)
        name = self.names.get(machine) if known is None else known.name
        if name is not None:
            raise MessageError(
                f"machine_id {machine} stands for a machine with a name here; call it {printable(name)}"
            )
        self._plain_ids.add(machine)
        return machine

    def _number(self, name: str) -> int:
        free = (
            number for number in count(self._next) if number not in self._machines and number not in self._plain_ids
        )
        machine_id = next(free)
        self._next = machine_id + 1
        self.new[name] = machine_id
        self.names[machine_id] = name
        return machine_id


def machine_name(machine: Machine) -> str:
    """Return what people call a machine: its name, printable, or `#7`."""
    return f"#{machine.latest.machine_id}" if machine.name is None else printable(machine.name)


def machine_in_words(machine: Machine) -> str:
    """Return what a sentence calls a machine: `machine PUMP-07`, or `machine 7`."""
    return f"machine {machine.latest.machine_id if machine.name is None else printable(machine.name)}"


def short_names(names: Collection[str], characters: int) -> dict[str, str]:
    """Return each name in at most so many characters; two that differ never read the same.

    Of a name that is too long, the middle is left out. If it then reads as another one does, another part is left
    out; if no part helps, it gets a number. At least five characters are needed.
    """
    distinct = sorted(set(names))
    shown = {name: name for name in distinct if len(name) <= characters}
    taken = set(shown.values())
    numbers = count(2)  # of all names together: to begin anew for each would take the square of the time
    for name in (name for name in distinct if len(name) > characters):
        short = next(form for form in _forms(name, characters, numbers) if form not in taken)
        shown[name] = short
        taken.add(short)
    return shown


def _forms(name: str, characters: int, numbers: Iterator[int]) -> Iterator[str]:
    """Return shorter forms of a name, the best first, without end."""
    kept = characters - 1
    for tail in sorted(range(1, kept), key=lambda tail: abs(tail - kept // 2 - 0.1)):
        yield f"{name[: kept - tail]}…{name[-tail:]}"
    for number in numbers:
        yield f"{name[: max(kept - len(str(number)), 0)]}…{number}"
