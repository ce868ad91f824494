"""A real consumer whose database's disk is really full."""

import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

from tests.support import CONSUMER, count_rows, end, fill, lines, lines_until, make_room, query, run, running, until

READ = "every line is accounted for"
FULL = "; make room on its disk; waiting"


def consumer_of(live_file: Path, database: Path, folder: Path) -> "AbstractContextManager[subprocess.Popen[str]]":
    flags = ("--headless", "--file", live_file, "--db", database)
    return running(CONSUMER, *flags, cwd=folder, STATUS_EVERY_S="1")


def test_it_waits_says_since_when_and_how_much_is_unread_and_with_room_again_goes_on_by_itself(
    tmp_path: Path, live_file: Path, small_disk: Path
) -> None:
    database = small_disk / "analytics.sqlite"
    live_file.write_bytes(lines(1, 2))
    with consumer_of(live_file, database, tmp_path) as consumer:
        until(lambda: count_rows(database) == 2)
        fill(small_disk)
        with live_file.open("ab") as file:
            file.write(lines(3, 5000))
        said = list(lines_until(consumer, " MB unread: no room for "))
        assert "WARNING waiting since 20" in said[-1]
        assert count_rows(database) == 2
        make_room(small_disk)
        said += lines_until(consumer, "there is room for the database again; going on")
        until(lambda: count_rows(database) == 5002)
        end(consumer)
    assert len([line for line in said if FULL in line]) == 1
    assert query(database, "SELECT read_lines, balances FROM ingest_audit") == [(5002, 1)]


def test_a_disk_that_is_full_at_the_start_is_waited_for_too(
    tmp_path: Path, live_file: Path, small_disk: Path
) -> None:
    database = small_disk / "analytics.sqlite"
    live_file.write_bytes(lines(1, 2))
    fill(small_disk)
    with consumer_of(live_file, database, tmp_path) as consumer:
        *_, said = lines_until(consumer, "no room for ")
        assert said.endswith(f"{FULL}\n")
        make_room(small_disk)
        until(lambda: count_rows(database) == 2)
        end(consumer)


def test_read_once_it_ends_with_1_and_says_what_to_do_and_the_next_run_goes_on(
    tmp_path: Path, live_file: Path, small_disk: Path
) -> None:
    database = small_disk / "analytics.sqlite"
    once = ("--once", "--headless", "--file", live_file, "--db", database)
    live_file.write_bytes(lines(1, 2))
    assert run(CONSUMER, *once, cwd=tmp_path)[0] == 0
    with live_file.open("ab") as file:
        file.write(lines(3, 5000))
    fill(small_disk)
    status, said = run(CONSUMER, *once, cwd=tmp_path)
    assert (status, "make room on its disk" in said) == (1, True)
    make_room(small_disk)
    status, said = run(CONSUMER, *once, cwd=tmp_path)
    assert (status, READ in said) == (0, True)
    assert count_rows(database) == 5002
