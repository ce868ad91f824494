"""The live file as chunks of whole lines, each once and in order, whatever happens to the file."""

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import Final

from consumers.follow.rotation import MOST_AT_ONCE, Siblings
from consumers.follow.source_file import (
    Chunk,
    KnownSource,
    Lives,
    RewrittenError,
    SourceFile,
    file_id,
    is_same_life,
    unread_life,
)
from utils.text import printable

LATE_LINES_S: Final = 60.0
"""A file that is no longer the live one, and stays quiet for so long, is finished."""

FIRST_SEEN: Final = "first seen"
CREATED_ANEW: Final = "created anew"
TRUNCATED: Final = "truncated"
REWRITTEN: Final = "rewritten"

ADVICE: Final = "make it a file that can be read, or name another with --file or LIVE_FILE; trying again"


class _NewLifeBegan(Exception):  # noqa: N818 - no error: look again
    """A file turned out to be rewritten."""


Register = Callable[[str, int, str], int]
"""(file id, `KnownSource.seen_ns`, why a new life of the file begins) → the life's id in the database."""


class Tail:
    """Follows a path through every file that it names, one after the other.

    A file has lives: what is written to it until it is emptied or rewritten. Each life that the path ever named has
    an account in the database, and is known again by its bytes: the first ones, and those before the offset. Whenever
    the path turns out to name another life than before, the files beside it are searched first, since it may have
    been renamed or copied several times since the last look: for ended lives with an unread rest, and for files that
    came and went unseen. Those are changed later than the path's file was when it was last looked at.

    `known`: the lives that the database remembers. `say` and `warn`: are told, once each, what a person at the
    terminal should know, and what to do something about.
    """

    def __init__(
        self,
        path: Path,
        known: Iterable[KnownSource],
        register: Register,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._path = path
        self._shown_path = printable(str(path))
        self._siblings = Siblings(path)
        self._ended = {life.source_id: life for life in known}  # those that are not open
        lives_of_path = [life for life in self._ended.values() if life.is_of_this_path]
        self._left_at = max(lives_of_path, key=lambda life: (life.seen_ns, life.source_id), default=None)
        self._register = register
        self._say = say
        self._warn = warn
        self._monotonic = monotonic
        self._sources: list[SourceFile] = []  # in the order of reading
        self._live: SourceFile | None = None  # what the path named when it last named anything
        self._named_ns = 0  # the live file's time of modification at this look; 0 while the path names nothing
        self._has_backlog = False  # whether more earlier files wait than are to be open at once
        self._last_read_s: dict[int, float] = {}
        self._trouble = ""

    def read(self) -> Chunk | None:
        """Read the next whole lines; None when there are none now. Until `advance`, the same lines come again."""
        while True:
            # With a backlog, the files that are open are finished before there is a look for the next ones.
            trouble = "" if self._has_backlog else self._look()
            try:
                chunk, reading_trouble = self._next_chunk()
            except _NewLifeBegan:
                continue
            if chunk is not None:
                return chunk
            if not self._has_backlog:
                self._say_once(reading_trouble or trouble)
                return None
            self._end_backlog()

    def _next_chunk(self) -> tuple[Chunk | None, str]:
        trouble = ""
        for source in list(self._sources):
            try:
                chunk = self._read(source)
            except OSError as error:
                trouble = f"cannot read {_culprit(error, self._path)}: {error.strerror}"
                continue
            if source is self._live:
                source.seen_ns = self._named_ns or source.seen_ns
            if chunk is not None:
                self._last_read_s[source.source_id] = self._monotonic()
                return chunk, trouble
            self._retire_if_finished(source)
        return None, trouble

    def _read(self, source: SourceFile) -> Chunk | None:
        try:
            return source.read()
        except RewrittenError:
            self._begin_new_life(source)
            raise _NewLifeBegan from None

    def advance(self, chunk: Chunk) -> None:
        """Go on behind a chunk, which is safe in the database by now."""
        chunk.source.advance(chunk)

    def unread_bytes(self) -> int:
        """Tell how much is still to be read, half lines included."""
        return sum(max(0, source.size_bytes() - source.offset) for source in self._sources)

    @property
    def trouble(self) -> str:
        """Why the file cannot be read just now; empty if it can."""
        return self._trouble

    @property
    def has_sources(self) -> bool:
        """Whether there is any file to read."""
        return bool(self._sources)

    def close(self) -> None:
        """Let go of every file."""
        for source in self._sources:
            source.close()
        self._sources.clear()
        self._live = None

    def _look(self) -> str:
        """See which file the path names now, and turn to it if it is another one; tells the trouble, if any."""
        try:
            return self._follow_path()
        except OSError as error:
            return f"cannot open {_culprit(error, self._path)}: {error.strerror}"

    def _follow_path(self) -> str:
        self._named_ns = 0
        try:
            status = os.stat(self._path)  # noqa: PTH116 - at every poll, and Path costs as much again
        except FileNotFoundError:
            if not self._trouble:
                self._open_earlier(len(self._sources), self._last_seen_ns(), self._sources)
            return f"{self._shown_path} is not there"
        if self._live is None or file_id(status) != self._live.file_id:
            self._turn_to_file(status)
        elif self._live.offset == 0 and status.st_mtime_ns != self._live.seen_ns:
            # Nothing is read of it yet, so that no bytes would tell if it was copied and emptied.
            index = self._sources.index(self._live)
            self._open_earlier(index, self._live.seen_ns, self._sources, [self._live.unread_life()])
        self._named_ns = status.st_mtime_ns
        return ""

    def _turn_to_file(self, status: os.stat_result) -> None:
        """Make the file that the path names the live one, behind the files that it named before."""
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        source = next((source for source in self._sources if source.file_id == file_id(status)), None)
        if source is None:
            with ExitStack() as undo:
                file = undo.enter_context(FileIO(self._path))
                source = self._open_copy(file) or self._open(file)
                if source is None:
                    return
                undo.pop_all()
        else:
            self._sources.remove(source)
        self._sources.append(source)
        self._live = source

    def _open_copy(self, file: FileIO) -> SourceFile | None:
        """Go on in a copy that was moved over the file itself, as editors do."""
        before = next(
            (before for before in self._sources if before.offset and is_same_life(file, before.as_known())), None
        )
        if before is None:
            return None
        self._sources.remove(before)
        before.close()
        return SourceFile(file, before.source_id, before.offset, os.fstat(file.fileno()).st_mtime_ns)

    def _open(self, file: FileIO) -> SourceFile | None:
        """Open the file that the path names; None where a backlog is to be read first."""
        status = os.fstat(file.fileno())
        life = Lives(self._ended.values()).match(file, is_proof_needed=False)
        reason = self._reason(status)
        # Where the newest life goes on, as its bytes prove, no other file can have come in between.
        goes_on = self._live is None and life is not None and life == self._left_at and life.offset > 0
        since_ns = None if goes_on else self._last_seen_ns()
        here = [unread_life(file)] if life is None else [life, unread_life(file)]
        self._open_earlier(len(self._sources), since_ns, self._sources, here)
        if self._has_backlog:
            return None
        if life is None and reason != FIRST_SEEN:
            self._say(f"{self._shown_path} was {reason}; reading it from its start")
        return self._source(file, life, reason, status.st_mtime_ns)

    def _source(self, file: FileIO, life: KnownSource | None, reason: str, seen_ns: int) -> SourceFile:
        if life is None:
            source_id = self._register(file_id(os.fstat(file.fileno())), seen_ns, reason)
            return SourceFile(file, source_id, seen_ns=seen_ns)
        source = SourceFile(file, life.source_id, life.offset, life.seen_ns)
        self._ended.pop(life.source_id, None)
        return source

    def _open_earlier(
        self,
        index: int,
        since_ns: int | None,
        open_sources: Iterable[SourceFile],
        open_lives: Iterable[KnownSource] = (),
    ) -> None:
        """Put the files beside the live one that hold unread lines at `index` of the files to read.

        `since_ns` as in `find_earlier`. `open_sources`, `open_lives`: what is read where it is.
        """
        open_now = [*open_lives, *(source.as_known() for source in open_sources)]
        open_ids = {life.source_id for life in open_now}
        ended = [life for life in self._ended.values() if life.is_of_this_path and life.source_id not in open_ids]
        found = self._siblings.find_earlier(ended, open_now, since_ns)
        for place, earlier in enumerate(found, index):
            shown_name = printable(earlier.path.name)
            with ExitStack() as undo:
                file = undo.enter_context(FileIO(earlier.path))
                if file_id(os.fstat(file.fileno())) != earlier.file_id:
                    raise OSError(errno.EAGAIN, "renamed just now", str(earlier.path))
                # One by one: where the database is locked at the second, the first has its account already.
                source = self._source(file, earlier.known, f"rotated unseen, found as {shown_name}", 0)
                undo.pop_all()
            self._sources.insert(place, source)
            if not earlier.is_read:
                self._say(f"finishing {shown_name} first")
        self._has_backlog = len(found) == MOST_AT_ONCE

    def _begin_new_life(self, source: SourceFile) -> None:
        """Start a rewritten file from its first byte; the rest of its earlier life may stand in a copy beside it."""
        if self._has_backlog:
            self._end_backlog(source)
        ended = self._ended[source.source_id] = source.as_known()
        reason = TRUNCATED if source.size_bytes() < source.offset else REWRITTEN
        others = [other for other in self._sources if other is not source]
        self._open_earlier(self._sources.index(source), ended.seen_ns, others, [source.unread_life()])
        if not self._has_backlog:
            source.begin_new_life(self._register(source.file_id, ended.seen_ns, reason))
            self._say(f"{self._shown_path} was {reason}; reading it from its start")

    def _reason(self, status: os.stat_result) -> str:
        """Tell why a file that is no known life is there."""
        if self._live is not None:
            return CREATED_ANEW
        if self._left_at is None:
            return FIRST_SEEN
        if self._left_at.file_id != file_id(status):
            return CREATED_ANEW
        return TRUNCATED if status.st_size < self._left_at.offset else REWRITTEN

    def _last_seen_ns(self) -> int:
        """Tell when what the path named last was changed last, as far as it was seen; 0 at the very first."""
        last = self._live or self._left_at
        return 0 if last is None else last.seen_ns

    def _retire_if_finished(self, source: SourceFile) -> None:
        """Close a file that is no longer the live one and has been quiet for long."""
        now_s = self._monotonic()
        if source is self._live or now_s - self._last_read_s.setdefault(source.source_id, now_s) < LATE_LINES_S:
            return
        half_line_bytes = source.size_bytes() - source.offset
        if half_line_bytes > 0:
            self._say(
                f"a file renamed from {self._shown_path} ends in half a line, {half_line_bytes} bytes: not read"
            )
        self._end(source)

    def _end_backlog(self, *kept: SourceFile) -> None:
        """Close the files that are read to their end, to make way for the next ones."""
        for source in [source for source in self._sources if source is not self._live and source not in kept]:
            self._end(source)
        self._has_backlog = False

    def _end(self, source: SourceFile) -> None:
        self._ended[source.source_id] = source.as_known()
        self._last_read_s.pop(source.source_id, None)
        self._siblings.note_finished(source.status())
        self._sources.remove(source)
        source.close()

    def _say_once(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            is_common = trouble.endswith("not there")
            (self._say if is_common else self._warn)(f"{trouble}; {'waiting for it' if is_common else ADVICE}")
        self._trouble = trouble


def _culprit(error: OSError, path: Path) -> str:
    return printable(str(error.filename or path))
