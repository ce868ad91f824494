"""The two commands, while readings are let go because they are old."""

import json
import os
import shlex
import sqlite3
from pathlib import Path
from random import Random

from tests.support import CONSUMER, PRODUCER, end, query, run, running, until
from utils.moment import shifted

DAY_S = 86_400.0
KEPT_DAYS = 5
INTERVAL_S = 600
READ = "every line is accounted for"
KILLS = int(os.environ.get("NIGHTLY_RETENTION_KILLS", "4"))
"""4 in the suite, 100 in the nightly form."""
LINES_A_KILL = 3_000
KNOWN_FOR_EVER = (
    "SELECT machine_id, readings, anomalies, active_readings, active_efficiency_sum, open_episodes FROM machines",
    "SELECT * FROM machine_history ORDER BY machine_id, minute",
    "SELECT machine_id, signal, raised_at, peak_value, readings, cleared_at FROM anomaly_episodes ORDER BY id",
)


def one(database: Path, sql: str) -> tuple[int | str, ...]:
    """The first row of what is asked of a database that a consumer may be making just now."""
    try:
        return query(database, sql)[0]
    except (sqlite3.OperationalError, IndexError):
        return (0,)


def expired_rows(database: Path) -> int:
    return int(one(database, "SELECT expired_rows FROM retention")[0])


def read_lines(database: Path) -> int:
    return int(one(database, "SELECT read_lines FROM ingest_audit")[0])


def is_all_old_gone(database: Path) -> bool:
    """Whether no reading is older than is kept by the plant's time, which is noted every six hours of it."""
    ((oldest, plant_at),) = query(
        database, "SELECT min(timestamp), plant_at FROM manufacturing_analytics CROSS JOIN retention"
    )
    return bool(oldest >= shifted(plant_at, -KEPT_DAYS * DAY_S - 6.1 * 3600))


def is_all_young_kept(database: Path) -> bool:
    ((oldest, newest),) = query(database, "SELECT min(timestamp), max(timestamp) FROM manufacturing_analytics")
    return bool(oldest <= shifted(newest, -KEPT_DAYS * DAY_S + INTERVAL_S))


def test_readings_expire_while_a_plant_reports_and_in_the_end_the_account_balances(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    """From now on, and faster than real time: the plant's clock goes far into the future."""
    plant = ("--no-wait", "--interval", str(INTERVAL_S), "--file", live_file)
    flags = ("--headless", "--file", live_file, "--db", database)
    keep = {"KEEP_READINGS_DAYS": str(KEPT_DAYS)}
    with (
        running(PRODUCER, *plant, cwd=tmp_path) as producer,
        running(CONSUMER, *flags, cwd=tmp_path, **keep) as consumer,
    ):
        until(lambda: expired_rows(database) > 2_000)
        end(producer)
        written = live_file.read_bytes().count(b"\n")
        until(lambda: read_lines(database) == written)
        until(lambda: is_all_old_gone(database))
        said = end(consumer)
    expired = expired_rows(database)
    assert READ in said
    assert f"({expired:,} rows expired)" in said
    assert is_all_young_kept(database)
    assert query(database, "SELECT deleted_rows, balances FROM ingest_audit") == [(0, 1)]
    assert query(database, "SELECT count(*) FROM manufacturing_analytics") == [(written - expired,)]
    assert query(database, "SELECT sum(readings) FROM machines") == [(written,)]


def test_what_time_it_is_in_the_plant_is_known_again_after_a_restart(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    plant = ("--no-wait", "--interval", str(INTERVAL_S), "--count", "12000", "--start", "2026-01-01T00:00:00Z")
    once = ("--once", "--headless", "--file", live_file, "--db", database)
    assert run(PRODUCER, *plant, "--file", live_file, cwd=tmp_path)[0] == 0
    _, said = run(CONSUMER, *once, cwd=tmp_path)
    assert "expired" not in said
    _, said = run(CONSUMER, *once, cwd=tmp_path, KEEP_READINGS_DAYS=str(KEPT_DAYS))
    assert "read 0 lines" in said
    assert READ in said
    assert expired_rows(database) > 0
    assert is_all_old_gone(database)
    assert is_all_young_kept(database)


def test_killed_at_any_moment_while_readings_expire_nothing_is_lost_or_doubled_and_each_event_is_told(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    feed, told_path, undisturbed = tmp_path / "feed.json", tmp_path / "told", tmp_path / "undisturbed.sqlite"
    plant = ("--no-wait", "--interval", str(INTERVAL_S), "--start", "2026-01-01T00:00:00Z", "--seed", "5")
    count = ("--count", str(LINES_A_KILL * (KILLS + 1)))
    assert run(PRODUCER, *plant, *count, "--file", feed, cwd=tmp_path)[0] == 0
    lines = feed.read_bytes().splitlines(keepends=True)
    flags = ("--headless", "--file", live_file, "--db", database)
    keep = {"KEEP_READINGS_DAYS": str(KEPT_DAYS)}
    tell = {"ALERT_COMMAND": shlex.join(["sh", "-c", f"cat >> {shlex.quote(str(told_path))}"])}
    rng = Random(KILLS)
    for begin in range(0, len(lines) - LINES_A_KILL, LINES_A_KILL):
        append(live_file, lines[begin : begin + LINES_A_KILL])
        with running(CONSUMER, *flags, cwd=tmp_path, **keep, **tell) as consumer:
            wanted = begin + rng.randrange(2 * LINES_A_KILL)  # at times it is killed at once
            until(lambda n=wanted, begin=begin: read_lines(database) >= n or n > begin + LINES_A_KILL)  # type: ignore[misc]
            consumer.kill()
    append(live_file, lines[-LINES_A_KILL:])
    status, said = run(CONSUMER, "--once", *flags, cwd=tmp_path, **keep, **tell)
    assert (status, READ in said) == (0, True), said
    assert run(CONSUMER, "--once", "--headless", "--file", feed, "--db", undisturbed, cwd=tmp_path)[0] == 0
    for sql in KNOWN_FOR_EVER:
        assert query(database, sql) == query(undisturbed, sql)
    ((kept,),) = query(database, "SELECT count(*) FROM manufacturing_analytics")
    assert 0 < kept == len(lines) - expired_rows(database) < len(lines)
    assert query(database, "SELECT deleted_rows, balances FROM ingest_audit") == [(0, 1)]
    assert query(database, "SELECT count(*) FROM alerts") == [(0,)]
    told = [json.loads(text) for text in told_path.read_text(encoding="utf-8").splitlines()]
    due = {("raised", number) for (number,) in query(database, "SELECT id FROM anomaly_episodes")}
    over = query(database, "SELECT id FROM anomaly_episodes WHERE cleared_at IS NOT NULL")
    due |= {("cleared", number) for (number,) in over}
    summed_up = sum(each["events"] for each in told if each["kind"] == "flood")
    assert len(due - {(each["kind"], each.get("episode")) for each in told}) <= summed_up


def append(path: Path, lines: list[bytes]) -> None:
    with path.open("ab") as file:
        file.write(b"".join(lines))
