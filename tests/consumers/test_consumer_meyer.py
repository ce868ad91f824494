"""The two commands as a person uses them: real processes, a real file, a real database."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from consumers.consumer_meyer import _growth_watch
from tests.support import (
    CONSUMER,
    PRODUCER,
    ConsumerInProcess,
    command_environment,
    count_rows,
    end,
    line,
    lines,
    query,
    run,
    start,
    stored_machine_ids,
    until,
)
from utils.settings import make_config

SPECIFIED_COLUMNS = [
    ("id", "INTEGER", 1),
    ("machine_id", "INTEGER", 0),
    ("timestamp", "TEXT", 0),
    ("mode", "TEXT", 0),
    ("temperature", "REAL", 0),
    ("vibration", "REAL", 0),
    ("efficiency_score", "REAL", 0),
    ("efficiency_level", "TEXT", 0),
    ("is_anomaly", "BOOLEAN", 0),
    ("processed_at", "TIMESTAMP", 0),
]
NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "MPLBACKEND": ""}


@pytest.fixture
def started(tmp_path: Path, live_file: Path, database: Path) -> "Iterator[Callable[..., subprocess.Popen[str]]]":
    """Start a consumer of the live file; it is killed at the end if the test did not end it."""
    processes = []

    def start_consumer(*arguments: str | Path, **settings: str) -> "subprocess.Popen[str]":
        process = start(CONSUMER, "--file", live_file, "--db", database, *arguments, cwd=tmp_path, **settings)
        processes.append(process)
        return process

    yield start_consumer
    for process in processes:
        process.kill()
        process.communicate()


def test_ten_thousand_lines_become_ten_thousand_rows_with_the_level_that_the_producer_gave(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    assert run(PRODUCER, "--count", "10000", "--no-wait", "--seed", "7", "--file", live_file, cwd=tmp_path)[0] == 0
    status, output = run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 0, output
    assert "10,000 lines = 10,000 stored + 0 rejected + 0 blank" in output
    told = [json.loads(text)["keyword_mentioned"] for text in live_file.read_text(encoding="utf-8").splitlines()]
    stored = query(database, "SELECT efficiency_level FROM manufacturing_analytics ORDER BY id")
    assert [level for (level,) in stored] == told
    columns = query(database, "SELECT name, type, pk FROM pragma_table_info('manufacturing_analytics')")
    assert columns == SPECIFIED_COLUMNS
    assert query(database, "SELECT read_lines, stored_lines, balances FROM ingest_audit") == [(10_000, 10_000, 1)]


def test_a_second_run_over_the_same_file_adds_nothing(tmp_path: Path, live_file: Path, database: Path) -> None:
    live_file.write_bytes(lines(1, 50))
    for _ in range(2):
        assert run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)[0] == 0
    assert stored_machine_ids(database) == list(range(1, 51))


def test_a_feed_of_an_older_program_of_the_family_is_read_and_drawn(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    feed = [
        {
            "message": f"Machine {number} in {mode} mode. Temp: {temperature}\N{DEGREE SIGN}C, Vib: {vibration}Hz.",
            "author": f"Sensor-{number}",
            "timestamp": f"2024-03-05 00:{number:02}:00",
            "category": mode.lower(),
            "sentiment": 0.5,
            "keyword_mentioned": "Medium",
            "message_length": 54,
            "machine_id": number,
            "temperature": temperature,
            "vibration": vibration,
            "efficiency_level": "Medium",
        }
        for number, mode, temperature, vibration in (
            (4, "Active", 84.1, 0.25), (9, "Idle", 71.0, 0.61), (12, "Offline", 21.5, 0.0), (4, "Active", 93.2, 2.75),
        )
    ]  # fmt: skip
    live_file.write_text("".join(json.dumps(fields) + "\n" for fields in feed), encoding="utf-8")
    picture = tmp_path / "picture.png"
    status, output = run(
        CONSUMER, "--once", "--file", live_file, "--db", database, "--snapshot", picture, cwd=tmp_path, **NO_DISPLAY
    )
    assert status == 0, output
    assert query(
        database,
        "SELECT machine_id, timestamp, vibration, efficiency_level, is_anomaly FROM manufacturing_analytics",
    ) == [
        (4, "2024-03-05T00:04:00.000Z", 0.25, "Medium", 0),
        (9, "2024-03-05T00:09:00.000Z", 0.61, "Medium", 0),
        (12, "2024-03-05T00:12:00.000Z", 0.0, "Critical", 0),
        (4, "2024-03-05T00:04:00.000Z", 2.75, "Critical", 1),
    ]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_lines_are_stored_as_the_producer_writes_them_until_someone_stops_the_two(
    tmp_path: Path, live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]"
) -> None:
    consumer = started("--headless")
    producer = start(PRODUCER, "--file", live_file, "--machines", "5", "--interval", "0.05", cwd=tmp_path)
    until(lambda: count_rows(database) >= 25)
    written = end(producer, signal.SIGINT)
    assert "lines written" in written
    total = live_file.read_bytes().count(b"\n")
    until(lambda: count_rows(database) == total)
    assert f"{total:,} lines = {total:,} stored" in end(consumer)


def test_a_stopped_consumer_goes_on_where_it_stopped(
    live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]"
) -> None:
    live_file.write_bytes(lines(1, 10))
    first = started("--headless")
    until(lambda: count_rows(database) == 10)
    end(first, signal.SIGINT)
    with live_file.open("ab") as file:
        file.write(lines(11, 10))
    second = started("--headless")
    until(lambda: count_rows(database) == 20)
    end(second)
    assert stored_machine_ids(database) == list(range(1, 21))


def test_a_second_consumer_is_refused_and_the_first_goes_on(
    live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]"
) -> None:
    live_file.write_bytes(lines(1, 1))
    first = started("--headless")
    until(lambda: count_rows(database) == 1)
    second = started("--headless")
    output, _ = second.communicate(timeout=20)
    assert second.returncode == 1
    assert "another consumer" in output
    with live_file.open("ab") as file:
        file.write(lines(2, 1))
    until(lambda: count_rows(database) == 2)
    end(first)


def test_the_demo_runs_the_whole_pipeline_and_leaves_no_producer_behind(
    tmp_path: Path, live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]"
) -> None:
    demo = started("--demo", "--headless", PRODUCER_INTERVAL_S="0.05", PRODUCER_MACHINES="3")
    until(lambda: count_rows(database) >= 9)
    output = end(demo)
    assert output.count("lines written") == 1, output  # the producer's summary
    assert "Fatal" not in output
    size = live_file.stat().st_size
    assert run(PRODUCER, "--count", "1", "--no-wait", "--file", live_file, cwd=tmp_path)[0] == 0
    assert live_file.read_bytes()[:size].endswith(b"\n")


@pytest.mark.skipif(os.name == "nt", reason="kills a process as only POSIX can")
def test_a_demo_that_is_killed_leaves_no_producer_behind_either(
    live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]"
) -> None:
    demo = started("--demo", "--headless", PRODUCER_INTERVAL_S="0.05", PRODUCER_MACHINES="3")
    until(lambda: count_rows(database) >= 9)
    demo.kill()
    output, _ = demo.communicate(timeout=20)  # the producer holds the same terminal: this ends with it
    assert "lines written" in output


def test_without_a_display_the_dashboard_is_drawn_to_a_file_instead(
    tmp_path: Path, live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]"
) -> None:
    live_file.write_bytes(lines(1, 8))
    consumer = started(**NO_DISPLAY)
    picture = tmp_path / "data" / "dashboard.png"
    until(picture.exists)
    output = end(consumer)
    assert "no window can be opened" in output
    assert "dashboard.png" in output


def test_with_a_display_a_window_shows_the_dashboard_while_lines_are_stored(
    tmp_path: Path, live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]", display: str
) -> None:
    live_file.write_bytes(lines(1, 8))
    picture = tmp_path / "seen.png"
    consumer = started("--snapshot", picture, DISPLAY=display, MPLBACKEND="")
    until(picture.exists)
    with live_file.open("ab") as file:
        file.write(lines(9, 8))
    until(lambda: count_rows(database) == 16)
    output = end(consumer)
    assert "no window" not in output
    assert "16 lines = 16 stored" in output


def test_a_snapshot_that_cannot_be_saved_is_told_once_and_stops_nothing(
    tmp_path: Path, live_file: Path, database: Path, started: "Callable[..., subprocess.Popen[str]]"
) -> None:
    live_file.write_bytes(lines(1, 8))
    picture = tmp_path / "notes.png"
    picture.write_text("somebody's notes")
    consumer = started("--headless", "--snapshot", picture)
    until(lambda: count_rows(database) == 8)
    assert end(consumer).count("is no PNG picture, so the dashboard does not replace it") == 1
    assert picture.read_text() == "somebody's notes"


def test_once_without_a_file_says_what_to_do(tmp_path: Path, live_file: Path, database: Path) -> None:
    status, output = run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 1
    assert "start the producer" in output
    assert "waiting" not in output


def test_once_with_lines_of_which_none_could_be_stored_ends_with_1(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    live_file.write_text("7,active,44.3,2.1\n" * 3)
    status, output = run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 1
    assert "every line is being rejected: 3 lines and no reading" in output
    assert "it looks like a CSV row" in output


def test_folders_that_are_missing_are_made_and_said(tmp_path: Path, live_file: Path) -> None:
    live_file.write_text(line())
    files = ("--db", tmp_path / "a" / "b" / "plant.sqlite", "--snapshot", tmp_path / "pictures" / "plant.png")
    status, output = run(CONSUMER, "--once", "--file", live_file, *files, cwd=tmp_path)
    assert status == 0
    assert f"made the folder {tmp_path / 'a' / 'b'}" in output
    assert f"made the folder {tmp_path / 'pictures'}" in output


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        ((), {"STALE_AFTER_S": "soon"}, ("STALE_AFTER_S", "'soon'", "a number from 0.1")),
        ((), {"TEMPERATURE_SAFE_MAX_C": "70"}, ("TEMPERATURE_WARM_C=80", "TEMPERATURE_SAFE_MAX_C=70")),
        (("--db", ""), {}, ("--db", "empty")),
        (("--nonsense",), {}, ("--nonsense",)),
        (("--snapshot", "readings.sqlite"), {}, ("--snapshot", "'readings.sqlite'", "ends in .png")),
        ((), {"SNAPSHOT_FILE": "picture.jpg"}, ("SNAPSHOT_FILE", "'picture.jpg'", "ends in .png")),
    ],
)
def test_a_wrong_setting_ends_with_two_and_names_it(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], told: tuple[str, ...]
) -> None:
    status, output = run(CONSUMER, "--once", "--headless", *arguments, cwd=tmp_path, **settings)
    assert status == 2
    for part in told:
        assert part in output


def test_a_picture_that_would_be_the_live_file_is_refused(tmp_path: Path, database: Path) -> None:
    status, output = run(
        CONSUMER, "--once", "--file", "x.png", "--db", database, "--snapshot", "./x.png", cwd=tmp_path
    )
    assert status == 1
    assert "cannot be both the live file and the picture of the dashboard" in output
    assert not (tmp_path / "x.png").exists()
    assert not database.exists()


def test_settings_come_from_the_env_file_and_flags_come_before_them(tmp_path: Path) -> None:
    (tmp_path / "lines.json").write_bytes(lines(1, 3))
    (tmp_path / ".env").write_text("LIVE_FILE=elsewhere.json\nDATABASE_FILE=kept/here.sqlite\n")
    status, output = run(CONSUMER, "--once", "--headless", "--file", "lines.json", cwd=tmp_path)
    assert status == 0, output
    assert count_rows(tmp_path / "kept" / "here.sqlite") == 3


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, live_file: Path, database: Path) -> None:
    live_file.write_bytes(lines(1, 1))
    database.write_text("these are somebody's notes, and no database at all")
    status, output = run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 1
    assert "file is not a database; set DATABASE_FILE (--db) to another file, or move this one away" in output
    assert database.read_text().startswith("these are somebody's notes")


def test_bad_lines_are_told_in_one_line_a_second_and_nothing_of_them_reaches_the_terminal_raw(
    tmp_path: Path, live_file: Path, database: Path
) -> None:
    bad = b'{"message": "\x1b[31mred <red>{0}</red>"}\n'
    live_file.write_bytes(bad * 5_000 + line(7).encode())
    status, output = run(CONSUMER, "--once", "--headless", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 0
    assert "\x1b[31m" not in output
    assert output.count("rejected at byte") <= 3, output
    assert "5,001 lines = 1 stored + 5,000 rejected + 0 blank" in output


def test_a_headless_consumer_never_imports_matplotlib(tmp_path: Path, live_file: Path) -> None:
    live_file.write_bytes(lines(1, 1))
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", CONSUMER, "--once", "--headless", "--file", str(live_file)],
        cwd=tmp_path,
        env=command_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "consumers.store.store" in process.stderr
    assert "matplotlib" not in process.stderr
    assert "numpy" not in process.stderr


# How long the disk will last


def test_a_disk_that_will_soon_be_full_is_warned_of_by_the_growth_of_the_database(
    live_file: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_s, warned = [0.0], list[str]()
    monkeypatch.setattr("time.monotonic", lambda: time_s[0])
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=1_000_000))
    monkeypatch.setattr("consumers.consumer_meyer._warn", warned.append)
    live_file.write_bytes(lines(1, 2))
    consumer = ConsumerInProcess(live_file, database)
    with closing(consumer):
        consumer.read_all()
        watch = _growth_watch(make_config({"DATABASE_FILE": str(database)}), consumer.store, live_file)
        watch.look("2026-11-22T09:00:00.000Z")
        live_file.write_bytes(lines(1, 3000))
        consumer.read_all()
        time_s[0] = 60.0
        watch.look("2026-11-22T09:20:00.000Z")
    assert len(warned) == 1
    assert warned[0].startswith(f"the disk of {database} and {live_file} is full in about 0 days: the database grows")
