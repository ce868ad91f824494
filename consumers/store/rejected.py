"""The rejected messages: only so many are kept, since a feed of nothing else must not fill the disk."""

import sqlite3
from typing import Final

from consumers.records import Commit
from consumers.store.tables import REJECTED

_COUNT_KEPT: Final = "SELECT coalesce(sum(rejected_lines - expired_lines), 0) FROM source_files"
_COUNT_OLDEST: Final = """
SELECT count(*), source_file_id FROM (SELECT source_file_id FROM rejected_messages ORDER BY id LIMIT ?)
GROUP BY source_file_id
"""
_DELETE_OLDEST: Final = """
DELETE FROM rejected_messages WHERE id <= (SELECT id FROM rejected_messages ORDER BY id LIMIT 1 OFFSET ? - 1)
"""
_DELETE_ALL: Final = "DELETE FROM rejected_messages"
_ALL_EXPIRED: Final = "UPDATE source_files SET expired_lines = rejected_lines WHERE expired_lines < rejected_lines"
_ADD_EXPIRED: Final = "UPDATE source_files SET expired_lines = expired_lines + ? WHERE id = ?"


class KeptRejected:
    """The newest `at_most` rejected messages; the others expire, which their streams' accounts count.

    `count` is how many the last commit left. Every method raises sqlite3.Error.
    """

    def __init__(self, connection: sqlite3.Connection, at_most: int) -> None:
        self._connection = connection
        self._at_most = at_most
        self.count = int(connection.execute(_COUNT_KEPT).fetchone()[0])

    def save(self, commit: Commit) -> int:
        """Save a commit's rejected lines within its transaction; returns what `count` is once it is committed."""
        batch, stream_id = commit.batch, commit.after.stream_id
        if not batch.rejected_lines:
            return self.count
        kept = batch.rejected[-self._at_most :]
        overflow = max(self.count + len(kept) - self._at_most, 0)
        if overflow and overflow == self.count:
            self._expire_all()
            self._connection.execute(_ADD_EXPIRED, (-len(kept), stream_id))
        else:
            self._expire_oldest(overflow)
            self._connection.execute(_ADD_EXPIRED, (batch.rejected_lines - len(kept), stream_id))
        self._connection.executemany(REJECTED.insert, [(stream_id, *line, commit.at) for line in kept])
        return self.count + len(kept) - overflow

    def _expire_all(self) -> None:
        """Let all of them expire, those of the commit too: far cheaper, as no row is looked at."""
        self._connection.execute(_DELETE_ALL)
        self._connection.execute(_ALL_EXPIRED)

    def _expire_oldest(self, count: int) -> None:
        if count:
            expired = self._connection.execute(_COUNT_OLDEST, (count,)).fetchall()
            self._connection.execute(_DELETE_OLDEST, (count,))
            self._connection.executemany(_ADD_EXPIRED, expired)
