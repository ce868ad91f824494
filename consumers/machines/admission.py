"""How many machines are taken in: a feed whose ids are no ids must not fill the memory with machines."""

from collections.abc import Container, Mapping

from consumers.rating import RowOf
from consumers.records import Row, Timestamp
from utils.efficiency import Limits
from utils.message import MessageError
from utils.text import printable


class Admission:
    """Makes rows of lines as long as there is room for their machines; `known` machines are always taken in.

    `rate` makes a row of a line, whichever machine it is of. `names` are those of new machines, by their numbers.
    """

    def __init__(self, known: Container[int], room: int, at_most: int, rate: RowOf, names: Mapping[int, str]) -> None:
        self._known = known
        self._room = room
        self._at_most = at_most
        self._rate = rate
        self._names = names
        self._new: set[int] = set()

    def row_of(self, line: str | bytes, limits: Limits, at: Timestamp) -> Row:
        """Return the row of a line. Raises MessageError if it is no reading, or of one machine too many."""
        row = self._rate(line, limits, at)
        machine_id = row[0]
        if machine_id not in self._known and machine_id not in self._new:
            if len(self._new) >= self._room:
                called = printable(self._names.get(machine_id, str(machine_id)))
                raise MessageError(
                    f"machine_id {called} is new, and {self._at_most:,} machines are known already; "
                    "raise MACHINES_AT_MOST if they are all real"
                )
            self._new.add(machine_id)
        return row
