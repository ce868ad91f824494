"""The watcher: live file to SQLite and dashboard."""
