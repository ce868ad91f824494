"""The live file as chunks of whole lines, each once and in order, wherever its bytes went.

The file that the path names is held open and read as one stream. As soon as the path names another file, or the
bytes that were read are no longer in it, all files beside it are looked into, again and again until no unread one
is left; each is read to its end, the oldest first. After that the file itself is identified by its bytes, and read
on from where its stream was left. A stream gets its account with its first commit; until then its file is
identified anew whenever it changes.
"""

import os
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Final

from consumers.follow.beside import Beside, Step
from consumers.follow.finished import Removal
from consumers.follow.open_file import OpenFile
from consumers.follow.reader import Reader, RewrittenError
from consumers.follow.streams import Streams
from consumers.follow.trouble import Missing, Trouble, Unreadable, unreadable
from consumers.records import Chunk, Stream
from utils.errors import PipelineError
from utils.text import printable, shown

LATE_LINES_S: Final = 60.0
"""A file that is no longer the live one stays open for late lines until it was quiet for so long."""
_LATE_FILES: Final = 8
"""So many of them at most."""
FIRST_SEEN: Final = "first seen"
CREATED_ANEW: Final = "created anew"
REWRITTEN: Final = "emptied or rewritten"
OTHER_THAN_LEFT: Final = "created anew or rewritten"
ADVICE: Final = "make it a file that can be read, or name another with --file or LIVE_FILE; trying again"
_TURN_S: Final = 0.05
"""Looking beside the live file goes on for no longer before the caller gets its turn."""


class SyncError(PipelineError):
    """A followed file cannot be synced: what was read of it might be gone after a power cut."""


class Tail:
    """Follows a path through every file that it names. `say` and `warn` are told what a person should know, once.

    `is_once`: what is there when the path is first opened is read, and nothing that comes later. So it ends, however
    fast somebody writes. If it deletes finished files, rotated ones go once they were read to their end and have been
    quiet for an hour. A file that is not there yet is waited for, unless `is_once`: then nobody is told so.
    """

    def __init__(
        self,
        path: Path,
        streams: Iterable[Stream],
        say: Callable[[str], None],
        warn: Callable[[str], None],
        monotonic: Callable[[], float],
        *,
        is_once: bool = False,
        deletes_finished: bool = False,
    ) -> None:
        self.trouble: Trouble | None = None
        """Why the live file cannot be read just now, if it cannot."""
        self._is_once = is_once
        self._path = path
        self._shown_path = printable(str(path))
        self._streams = Streams(streams)
        self._say = say
        self._warn = warn
        self._monotonic = monotonic
        self._end_bytes = 0
        """The size of the live file when it was first opened."""
        removal = Removal(path, self._streams, say, monotonic) if deletes_finished else None
        self._beside = Beside(path, self._streams, say, monotonic, is_once=is_once, removal=removal)
        self._steps: Generator[Step, None, None] | None = None
        self._live: Reader | None = None
        self._late: list[Reader] = []
        self._last: Reader | None = None
        self._why_new = OTHER_THAN_LEFT if len(self._streams) else FIRST_SEEN
        self._told: tuple[Unreadable, ...] = ()

    @property
    def unread(self) -> tuple[Unreadable, ...]:
        """What should have been read beside the live file and could not be."""
        return self._beside.troubles

    @property
    def has_files(self) -> bool:
        """Whether there is any file to read."""
        return self._live is not None or self._beside.has_files

    def read(self) -> Chunk | None:
        """Return the next whole lines, or None if there are none now. Until `advance`, the same lines come again.

        A chunk that is only a search gives the caller its turn in the midst of longer work.
        """
        trouble: Trouble | None = None
        chunk: Chunk | None = None
        try:
            trouble = self._follow_path()
            chunk = self._next_chunk()
        except OSError as error:
            trouble = unreadable(error, self._path)
        self._tell(trouble)
        return chunk

    def sync(self) -> None:
        """Make durable what the last chunk was read from. Raises SyncError."""
        if self._last is None:
            return
        try:
            self._last.file.sync()
        except OSError as error:
            raise SyncError(
                f"cannot make {shown(self._last.file.path)} safe on its disk: {error.strerror}; "
                "look after the disk. Nothing of it is saved before it is safe"
            ) from error

    def advance(self, chunk: Chunk) -> None:
        """Go on behind a chunk, which is safe in the database by now."""
        if self._last is not None:
            self._last.advance(chunk.after)

    def unread_bytes(self) -> int:
        """Return how much is still to be read, half lines included."""
        return sum(reader.unread_bytes() for reader in self._readers()) + self._beside.unread_bytes()

    def close(self) -> None:
        """Let go of every file."""
        self._end_look()
        for reader in self._readers():
            reader.file.close()
        self._late.clear()
        self._live = None

    def _readers(self) -> list[Reader]:
        """Return what is open, in the order of reading: the live file last."""
        return [*self._late, *([] if self._live is None else [self._live])]

    def _follow_path(self) -> Trouble | None:
        """See which file the path names now; the one that it named before stays open for late lines."""
        if self._is_once and self._live is not None:
            return None
        try:
            status = os.stat(self._path)  # noqa: PTH116 - at every poll, and Path costs as much again
        except FileNotFoundError:
            return Missing(self._shown_path)
        if self._live is None or not self._live.file.is_same_file(status):
            self._turn_to(status)
        return None

    def _turn_to(self, status: os.stat_result) -> None:
        again = next((reader for reader in self._late if reader.file.is_same_file(status)), None)
        reader = again or Reader(OpenFile(self._path), self._streams, self._shown_path)
        if self._live is not None:
            self._why_new = CREATED_ANEW
            self._live.read_s = self._monotonic()
            self._late.append(self._live)
        if again is not None:
            self._late.remove(again)
        self._live = reader
        self._end_bytes = reader.file.status().st_size
        self._end_look()

    def _is_over(self) -> bool:
        """Return whether all is read that was there when the live file was opened."""
        stream = None if self._live is None else self._live.stream
        return self._is_once and stream is not None and stream.offset >= self._end_bytes

    def _next_chunk(self) -> Chunk | None:
        if self._is_over():
            return None
        for reader in self._readers():
            if reader.is_settled and (chunk := self._read(reader)) is not None:
                return chunk
        unsettled = [reader for reader in self._readers() if not reader.is_settled]
        if self._steps is None and not (self._beside.is_due or any(reader.has_changed() for reader in unsettled)):
            return None
        return self._look_beside()

    def _look_beside(self) -> Chunk | None:
        """Go on with the look beside the live file; once nothing is unread there, see what the open files are."""
        if self._steps is None:
            self._steps = self._beside.steps(None if self._live is None else self._live.file)
        until_s = self._monotonic() + _TURN_S
        for step in self._steps:
            if step is not None:
                self._last, chunk = step
                return chunk
            if self._monotonic() > until_s:
                return _TURN
        self._steps = None
        return self._settle_and_read()

    def _settle_and_read(self) -> Chunk | None:
        for reader in self._readers():
            if not reader.is_settled:
                is_live = reader is self._live
                whole_ids = self._whole_ids_beside(reader)
                for _ in reader.settle(whole_ids, self._why_new, is_live=is_live):
                    pass  # only a packed file pauses
                if (chunk := self._read(reader)) is not None:
                    if chunk is not _TURN:
                        self._announce(chunk)
                    return chunk
        self._retire_late()
        return None

    def _whole_ids_beside(self, reader: Reader) -> set[int]:
        """Return the streams that stand whole in another file than this one; a deleted one does not count."""
        open_ids = {
            other.stream.stream_id
            for other in self._readers()
            if other is not reader and other.has_account and other.stream is not None and not other.file.is_deleted
        }
        return self._beside.whole_ids | open_ids

    def _read(self, reader: Reader) -> Chunk | None:
        try:
            chunk = reader.read()
        except RewrittenError:
            self._why_new = REWRITTEN
            self._end_look()
            return _TURN  # what it is now is seen next
        if chunk is not None:
            self._last = reader
            reader.read_s = self._monotonic()
        return chunk

    def _announce(self, chunk: Chunk) -> None:
        """Say how it goes on in a file that was not read before."""
        before = chunk.before
        if before.begin and before.begin == before.offset:
            self._warn(f"{self._shown_path} was {before.why_new}; a few lines behind that may count twice")
        elif before.offset == 0 and before.why_new != FIRST_SEEN:
            self._say(f"{self._shown_path} was {before.why_new}; reading it from its start")
        elif before.offset and before.path != self._shown_path:
            self._say(
                f"{self._shown_path} is what {before.path} was, as its bytes show; going on where that was left"
            )

    def _retire_late(self) -> None:
        """Close the files that are no longer live and have been quiet for long, or are too many."""
        now_s = self._monotonic()
        for reader in self._late[:]:
            if now_s - reader.read_s >= LATE_LINES_S or len(self._late) > _LATE_FILES:
                self._late.remove(reader)
                if half_line_bytes := reader.unread_bytes():
                    self._say(
                        f"a file renamed from {self._shown_path} ends in half a line, "
                        f"{half_line_bytes:,} bytes: not read"
                    )
                reader.file.close()

    def _end_look(self) -> None:
        if self._steps is not None:
            self._steps.close()
            self._steps = None

    def _tell(self, trouble: Trouble | None) -> None:
        if trouble is not None and trouble != self.trouble:
            if isinstance(trouble, Missing):
                if not self._is_once:
                    self._say(f"{trouble}; waiting for it")
            else:
                self._warn(f"{trouble}; {ADVICE}")
        self.trouble = trouble
        for unread in self._beside.troubles:
            if unread not in self._told:
                self._warn(f"{unread}; trying again, and reading the others meanwhile")
        self._told = self._beside.troubles


_NO_STREAM: Final = Stream(0, "", "", 0, 0, b"", ())
_TURN: Final = Chunk(_NO_STREAM, _NO_STREAM, b"")
"""Nothing is read, and there is more to do."""
