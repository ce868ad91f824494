"""The unread lines in the files beside the live one: read one file after the other until none is left."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from consumers.follow.candidates import MovedError
from consumers.follow.finished import Removal
from consumers.follow.open_file import OpenFile
from consumers.follow.reader import Reader, RewrittenError
from consumers.follow.streams import Streams
from consumers.follow.survey import Found, Memory, Survey
from consumers.follow.trouble import Unreadable, unreadable
from consumers.records import Chunk
from utils.text import printable

_MOVED_LOOKS: Final = 100
"""After so many looks in a row that found nothing but files being renamed, the live file is not kept waiting."""
_IDLE_SHARE: Final = 50
"""While nothing else is to be done, looks take one such part of the time at most."""
_LONGEST_PAUSE_S: Final = 60.0
"""The next look comes after so long at the latest, since a look may have been held up for hours in its midst."""

Step = tuple[Reader, Chunk] | None
"""A chunk and what it was read with; None for a pause in the midst of longer work."""


class Beside:
    """Reads what is unread beside the live file, one file at a time, and looks again until nothing is."""

    def __init__(
        self,
        path: Path,
        streams: Streams,
        say: Callable[[str], None],
        monotonic: Callable[[], float],
        *,
        is_once: bool = False,
        removal: Removal | None = None,
    ) -> None:
        self.whole_ids: set[int] = set()
        """The streams that stood whole in some file at the last look."""
        self.troubles: tuple[Unreadable, ...] = ()
        """What should have been read at the last look and could not be."""
        self.has_files = False
        """Whether there was any file at the last look."""
        self._path = path
        self._shown_path = printable(str(path))
        self._streams = streams
        self._say = say
        self._monotonic = monotonic
        self._is_once = is_once
        self._memory = Memory(monotonic)
        self._removal = removal
        self._backlog: list[Found] = []
        self._next_look_s = monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again although nothing has happened."""
        return self._monotonic() >= self._next_look_s

    def unread_bytes(self) -> int:
        """Return how much was found and is not read yet."""
        return sum(found.unread_bytes for found in self._backlog)

    def steps(self, live: OpenFile | None) -> Generator[Step, None, None]:
        """Look and read until nothing is unread; the same chunk comes again until it is accounted for.

        Raises OSError if the live file cannot be read.
        """
        has_more, moved_looks = True, 0
        while has_more and moved_looks < _MOVED_LOOKS:
            has_read, has_moved = yield from self._look(live)
            moved_looks = moved_looks + 1 if has_moved and not has_read else 0
            has_more = has_moved or (has_read and not self._is_once)

    def _look(self, live: OpenFile | None) -> Generator[Step, None, tuple[bool, bool]]:
        """Look once into all files and read what is unread; return whether there was any, and whether files moved."""
        survey = Survey(self._path, self._streams, self._memory)
        look_s = yield from self._timed(survey.steps(live))
        has_read, has_moved = False, survey.has_moved
        self._backlog = survey.unread
        try:
            while self._backlog:
                has_read |= yield from self._read(self._backlog.pop(0), survey)
        except (MovedError, RewrittenError):
            has_moved = True
        self.has_files, self.whole_ids, self.troubles = survey.has_files, survey.whole_ids, tuple(survey.troubles)
        self._next_look_s = self._monotonic() + min(_IDLE_SHARE * look_s, _LONGEST_PAUSE_S)
        if self._removal is not None and not (has_read or has_moved or self.troubles):
            yield from self._removal.steps(survey.finished)
        return has_read, has_moved

    def _timed(self, steps: Iterator[None]) -> Generator[None, None, float]:
        """Go through steps; return how long they took by themselves, without what the caller did in between."""
        took_s, since_s = 0.0, self._monotonic()
        for _ in steps:
            took_s += self._monotonic() - since_s
            yield None
            since_s = self._monotonic()
        return took_s + self._monotonic() - since_s

    def _read(self, found: Found, survey: Survey) -> Generator[Step, None, bool]:
        """Read a file to its end; return whether anything was unread in it. Raises MovedError and RewrittenError."""
        has_read = False
        try:
            with closing(found.candidate.open()) as file:
                for step in self._steps_through(file, survey):
                    has_read |= step is not None and not step[1].is_search  # which may find half a line alone
                    yield step
        except OSError as error:
            survey.troubles.append(unreadable(error, found.candidate.path))
        return has_read

    def _steps_through(self, file: OpenFile, survey: Survey) -> Generator[Step, None, None]:
        name = printable(file.path.name)
        reader = Reader(file, self._streams, self._shown_path)
        for _ in reader.settle(survey.whole_ids, f"rotated unseen, found as {name}", is_live=False):
            yield None
        is_told = False
        its = file.signature()  # as it is before it is read: what comes later will show
        while (chunk := reader.read()) is not None:
            if not is_told:
                self._say(f"finishing {name} first")
                is_told = True
            yield reader, chunk
            its = file.signature()
        stream = reader.stream
        whole = None if stream is None or not reader.has_account else (stream.stream_id, stream.offset)
        if whole is not None:
            survey.whole_ids.add(whole[0])
        if not file.is_torn:
            self._memory.note_finished(its, whole)
