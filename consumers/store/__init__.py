"""SQLite: everything that a commit holds is saved in one transaction, or nothing of it."""
