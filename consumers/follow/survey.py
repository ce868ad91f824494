"""A look into every file beside the live one: which hold unread lines, the oldest first, and what stands where."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from consumers.follow.candidates import Candidate, MovedError, age_by_name, candidates_of, first_moment
from consumers.follow.finished import Finished
from consumers.follow.marks import SAMPLE_BYTES
from consumers.follow.open_file import OpenFile, Signature
from consumers.follow.streams import NO_STREAM, Likeness, Streams, recognise
from consumers.follow.trouble import Unreadable, unreadable
from utils.text import printable

_SETTLED_S: Final = 2.0
"""A file that was looked into so long after it was first seen as it is will show a change by its time."""


Whole = tuple[int, int] | None
"""The stream that stands whole in a file, and its offset then."""


class _Note(NamedTuple):
    seen_s: float
    finished_s: float | None = None
    whole: Whole = None


class Memory:
    """Which files hold nothing unread, by their signatures: unless they change they are not looked into again."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._notes: dict[Signature, _Note] = {}

    def is_settled(self, its: Signature) -> bool:
        """Return whether nothing in a file was unread, long enough after it was first seen as it is."""
        note = self._notes.setdefault(its, _Note(self._monotonic()))
        return note.finished_s is not None and note.finished_s - note.seen_s >= _SETTLED_S

    def whole(self, its: Signature) -> Whole:
        """Return the stream that stands whole in a file."""
        return self._notes[its].whole

    def was_finished(self, its: Signature) -> bool:
        """Return whether a file that cannot be read any more was read to its end: to be closed to us is no change."""
        for key, note in self._notes.items():
            if note.finished_s is not None and key[:4] == its[:4]:
                self.note_finished(its, note.whole)
                return True
        return False

    def note_finished(self, its: Signature, whole: Whole) -> None:
        """Note that nothing in a file is unread."""
        seen_s = self._notes.get(its, _Note(self._monotonic())).seen_s
        self._notes[its] = _Note(seen_s, self._monotonic(), whole)

    def keep_only(self, signatures: set[Signature]) -> None:
        """Forget all files but these."""
        self._notes = {its: note for its, note in self._notes.items() if its in signatures}


class Found(NamedTuple):
    """A candidate that holds what may be unread lines."""

    candidate: Candidate
    stream_id: int
    """The stream of which it holds all that was read; `NO_STREAM` if there is none."""
    unread_bytes: int
    """As many as are in the file, where it is packed."""
    moment: str
    """The time of its first reading; empty if there is none."""


class Survey:
    """One look into all candidates; its attributes hold what it found, once all its steps are done."""

    def __init__(self, path: Path, streams: Streams, memory: Memory) -> None:
        self.unread: list[Found] = []
        """The oldest first."""
        self.whole_ids: set[int] = set()
        """The streams that stand whole in some file."""
        self.finished: list[Finished] = []
        """The files in which a stream stands whole, and nothing else."""
        self.troubles: list[Unreadable] = []
        self.has_files = False
        self.has_moved = False
        """Whether files were renamed or came meanwhile: then another look is needed."""
        self._path = path
        self._streams = streams
        self._memory = memory
        self._found: list[Found] = []
        self._signatures: set[Signature] = set()
        self._unreadable: list[tuple[int, Unreadable]] = []

    def steps(self, live: OpenFile | None) -> Iterator[None]:
        """Look into one file after the other, pausing often. Raises OSError if the live file cannot be read."""
        if live is not None:
            likeness = yield from recognise(live, self._streams)
            self._note_whole(_whole(likeness))
        try:
            candidates = candidates_of(self._path)
            yield from self._look_at_all(candidates)
            if self.has_moved:
                return
            # What was rotated during a pause is older than what the live file holds by now.
            self.has_moved = candidates_of(self._path) != candidates
        except OSError as error:
            self.troubles.append(unreadable(error, self._path.parent))
            return
        self.troubles += self._unknown()
        self._memory.keep_only(self._signatures)
        self.unread = self._in_order()

    def _look_at_all(self, candidates: Sequence[Candidate]) -> Iterator[None]:
        for candidate in candidates:
            yield
            try:
                yield from self._look_at(candidate)
            except MovedError:
                self.has_moved = True
                return
            except OSError as error:
                self._note_unreadable(candidate, error)

    def _look_at(self, candidate: Candidate) -> Iterator[None]:
        its = candidate.signature()
        self.has_files = True
        self._signatures.add(its)
        if self._memory.is_settled(its):
            self._note_finished(candidate, its, self._memory.whole(its))
            return
        with closing(candidate.open()) as file:
            yield from self._look_into(file, candidate)

    def _look_into(self, file: OpenFile, candidate: Candidate) -> Iterator[None]:
        its = file.signature()  # as it is before it is read: what comes later will show
        self._signatures.add(its)
        head = file.read_at(0, SAMPLE_BYTES)
        likeness = yield from recognise(file, self._streams)
        self._note_whole(_whole(likeness))
        if _has_unread(file, likeness):
            stream_id, read_bytes = _whole(likeness) or (NO_STREAM, 0)
            self._found.append(Found(candidate, stream_id, max(1, its[2] - read_bytes), first_moment(head)))
        elif file.is_torn and (likeness is None or likeness.is_whole):
            self._note_torn(candidate)
        else:
            self._memory.note_finished(its, _whole(likeness))
            self._note_finished(candidate, its, _whole(likeness))

    def _note_finished(self, candidate: Candidate, its: Signature, whole: Whole) -> None:
        self._note_whole(whole)
        if whole is not None and whole[0] in self.whole_ids:
            self.finished.append(Finished(candidate, its, whole[0]))

    def _note_whole(self, whole: Whole) -> None:
        if whole is not None and self._streams[whole[0]].offset == whole[1]:
            self.whole_ids.add(whole[0])

    def _note_torn(self, candidate: Candidate) -> None:
        """Note a packed file that ends in its midst, unless it is being made and its original is still there."""
        if not candidate.path.with_suffix("").exists():
            why = "it is damaged, or still being packed"
            self.troubles.append(Unreadable(printable(str(candidate.path)), why))

    def _note_unreadable(self, candidate: Candidate, error: OSError) -> None:
        """Note a file that cannot be read, with its size, unless it was seen to be read to its end."""
        size_bytes = -1
        with suppress(OSError, MovedError):
            its = candidate.signature()
            self._signatures.add(its)
            if self._memory.was_finished(its):
                return
            size_bytes = its[2]
        if candidate.inode != 0 or isinstance(error, PermissionError):  # and no link to nowhere, or in a circle
            self._unreadable.append((size_bytes, unreadable(error, candidate.path)))

    def _unknown(self) -> Iterator[Unreadable]:
        """Return what cannot be read, but for files as long as a stream was read that is to be seen nowhere else."""
        if not self._unreadable:
            return
        finished = Counter(self._streams.offsets_outside(self.whole_ids))
        for size_bytes, trouble in self._unreadable:
            if finished[size_bytes] > 0:
                finished[size_bytes] -= 1
            else:
                yield trouble

    def _in_order(self) -> list[Found]:
        """Sort what was begun to be read in the order of its beginning, then the rest by time, or by the names."""
        has_moments = all(found.moment for found in self._found if found.stream_id == NO_STREAM)
        return sorted(
            self._found,
            key=lambda found: (
                found.stream_id == NO_STREAM,
                found.stream_id,
                found.moment if has_moments else "",
                age_by_name(found.candidate.path),
            ),
        )


def _whole(likeness: Likeness | None) -> Whole:
    if likeness is None or not likeness.is_whole:
        return None
    return likeness.stream.stream_id, likeness.stream.offset


def _has_unread(file: OpenFile, likeness: Likeness | None) -> bool:
    if likeness is None:
        return bool(file.read_at(0, 1))
    return likeness.is_other or (likeness.is_whole and bool(file.read_at(likeness.stream.offset, 1)))
