"""The episodes in the database: what a restart needs of them, and what a commit changes."""

import sqlite3
from typing import Final

from consumers.records import Commit, Episode, Excess
from consumers.store.tables import EPISODES, EXCESSES, VIEW_SETTINGS, ViewSettings

_NEXT_ID: Final = "SELECT coalesce(max(id), 0) + 1 FROM anomaly_episodes"
_FORGET: Final = "DELETE FROM excesses WHERE machine_id = ?"


class KeptEpisodes:
    """The episodes, of which only the open ones are ever read. Every method raises sqlite3.Error or RowError."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def open_ones(self) -> list[Episode]:
        """Return the episodes that go on, in the order in which they were raised."""
        rows = self._connection.execute(f"{EPISODES.select} WHERE cleared_at IS NULL ORDER BY id")
        return [EPISODES.record(row) for row in rows]

    def excesses(self) -> list[Excess]:
        """Return the readings that may become part of an episode, of each signal the oldest first."""
        rows = self._connection.execute(f"{EXCESSES.select} ORDER BY machine_id, signal, ago DESC")
        return [EXCESSES.record(row) for row in rows]

    def next_id(self) -> int:
        """Return the number of the next episode."""
        return int(self._connection.execute(_NEXT_ID).fetchone()[0])

    def save(self, commit: Commit) -> None:
        """Save what a commit changes, within its transaction."""
        if commit.excesses:
            self._connection.executemany(EPISODES.replace, commit.episodes)
            self._connection.executemany(_FORGET, [(machine_id,) for machine_id in commit.excesses])
            rows = [excess for excesses in commit.excesses.values() for excess in excesses]
            self._connection.executemany(EXCESSES.insert, rows)


def set_view_settings(connection: sqlite3.Connection, settings: ViewSettings) -> None:
    """Let the views go by these settings; nothing is written if they do already. Raises sqlite3.Error."""
    if connection.execute(VIEW_SETTINGS.select).fetchone() != settings:
        connection.execute("REPLACE INTO view_settings VALUES (1, ?, ?, ?)", settings)
