"""The live file as chunks of whole lines, each once and in order, whatever happens to the file."""

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import Final

from consumers.rotation import find_earlier
from consumers.source_file import Chunk, KnownSource, RewrittenError, SourceFile, file_id, is_same_life, unread_life
from utils.logs import printable

LATE_LINES_S: Final = 60.0
"""A file that is no longer the live one, and stays quiet for so long, is finished."""
REMEMBERED_LIVES: Final = 200
"""Lives of files that are known again; older ones no longer matter."""

FIRST_SEEN: Final = "first seen"
CREATED_ANEW: Final = "created anew"
TRUNCATED: Final = "truncated"
REWRITTEN: Final = "rewritten"

Register = Callable[[str, int, str], int]
"""(file id, `KnownSource.seen_ns`, why a new life of the file begins) → the life's id in the database."""


class Tail:
    """Follows a path through every file that it names, one after the other.

    `known`: the lives of files that the database remembers.
    `say`: is told what a person at the terminal should know, once each.
    """

    def __init__(
        self,
        path: Path,
        known: Iterable[KnownSource],
        register: Register,
        say: Callable[[str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._path = path
        self._shown_path = printable(str(path))
        self._ended = {life.source_id: life for life in known}
        lives_of_path = [life for life in self._ended.values() if life.is_of_this_path]
        self._left_at = max(lives_of_path, key=lambda life: (life.seen_ns, life.source_id), default=None)
        self._register = register
        self._say = say
        self._monotonic = monotonic
        self._sources: list[SourceFile] = []  # in the order of reading
        self._live: SourceFile | None = None  # what the path named when it last named anything
        self._named_ns = 0  # the live file's time of modification at this look; 0 while the path names nothing
        self._last_read_s: dict[int, float] = {}
        self._trouble = ""

    def read(self) -> Chunk | None:
        """Read the next whole lines; None when there are none now. Until `advance`, the same lines come again."""
        trouble = self._look()
        for source in list(self._sources):
            try:
                chunk = source.read()
            except RewrittenError:
                self._begin_new_life(source)
                return self.read()
            except OSError as error:
                trouble = f"cannot read {self._shown_path}: {error.strerror}; trying again"
                continue
            if source is self._live:
                source.seen_ns = self._named_ns or source.seen_ns
            if chunk is not None:
                self._last_read_s[source.source_id] = self._monotonic()
                return chunk
            self._retire_if_finished(source)
        self._say_once(trouble)
        return None

    def advance(self, chunk: Chunk) -> None:
        """Go on behind a chunk, which is safe in the database by now."""
        chunk.source.advance(chunk)

    def unread_bytes(self) -> int:
        """Tell how much is still to be read, half lines included."""
        return sum(max(0, source.size_bytes() - source.offset) for source in self._sources)

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
            return f"cannot open {_culprit(error, self._path)}: {error.strerror}; trying again"

    def _follow_path(self) -> str:
        self._named_ns = 0
        try:
            status = os.stat(self._path)  # noqa: PTH116 - at every poll, and Path costs as much again
        except FileNotFoundError:
            if not self._trouble:
                self._open_earlier(len(self._sources), self._last_seen_ns(), self._sources)
            return f"{self._shown_path} is not there; waiting for it"
        if self._live is None or file_id(status) != self._live.file_id:
            self._turn_to_file(status)
        elif self._live.offset == 0 and status.st_mtime_ns != self._live.seen_ns:
            # Nothing is read of it yet, so that no bytes would tell if it was copied and emptied.
            index = self._sources.index(self._live)
            self._open_earlier(index, self._live.seen_ns, self._sources, self._live.unread_life())
        self._named_ns = status.st_mtime_ns
        return ""

    def _turn_to_file(self, status: os.stat_result) -> None:
        """Make the file that the path names the live one, behind the files that it named before."""
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        source = next((source for source in self._sources if source.file_id == file_id(status)), None)
        if source is not None:
            self._sources.remove(source)
        else:
            with ExitStack() as undo:
                file = undo.enter_context(FileIO(self._path))
                source = self._open(file)
                undo.pop_all()
        self._sources.append(source)
        self._live = source

    def _open(self, file: FileIO) -> SourceFile:
        newest_first = sorted(self._ended.values(), key=lambda life: -life.source_id)
        life = next((life for life in newest_first if is_same_life(file, life)), None)
        status = os.fstat(file.fileno())
        reason = self._reason(status)
        # Where the newest life goes on, as its bytes prove, no other file can have come in between.
        goes_on = self._live is None and life is not None and life == self._left_at and life.offset > 0
        since_ns = None if goes_on else self._last_seen_ns()
        self._open_earlier(len(self._sources), since_ns, self._sources, life or unread_life(file), unread_life(file))
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
        self, index: int, since_ns: int | None, open_sources: Iterable[SourceFile], *open_lives: KnownSource
    ) -> None:
        """Put the files beside the live one that hold unread lines at `index` of the files to read."""
        open_now = [*open_lives, *(source.as_known() for source in open_sources)]
        open_ids = {life.source_id for life in open_now}
        ended = [life for life in self._ended.values() if life.is_of_this_path and life.source_id not in open_ids]
        waiting = find_earlier(self._path, ended, open_now, since_ns)
        try:
            while waiting:
                # One by one: where the database is locked at the second, the first has its account already.
                earlier = waiting[0]
                shown_name = printable(earlier.name)
                source = self._source(earlier.file, earlier.known, f"rotated unseen, found as {shown_name}", 0)
                self._sources.insert(index, source)
                index += 1
                del waiting[0]
                if not earlier.is_read:
                    self._say(f"finishing {shown_name} first")
        finally:
            for earlier in waiting:
                earlier.file.close()

    def _begin_new_life(self, source: SourceFile) -> None:
        """Start a rewritten file from its first byte; the rest of its earlier life may stand in a copy beside it."""
        ended = self._ended[source.source_id] = source.as_known()
        reason = TRUNCATED if source.size_bytes() < source.offset else REWRITTEN
        others = [other for other in self._sources if other is not source]
        self._open_earlier(self._sources.index(source), ended.seen_ns, others, source.unread_life())
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

    def _last_seen_ns(self) -> int | None:
        """Tell when the file that the path named last was changed last, as far as it was seen."""
        last = self._live or self._left_at
        return None if last is None else last.seen_ns

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
        self._ended[source.source_id] = source.as_known()
        self._ended = dict(sorted(self._ended.items())[-REMEMBERED_LIVES:])
        self._sources.remove(source)
        source.close()

    def _say_once(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self._say(trouble)
        self._trouble = trouble


def _culprit(error: OSError, path: Path) -> str:
    return printable(str(error.filename or path))
