"""Real consumers that run a real command for each event, and are killed in the midst of it."""

import json
import os
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from consumers.machines.episodes import EpisodeRule
from tests.consumers.machines.test_episodes import plain_episodes
from tests.support import CONSUMER, line, query, run, running, until

KILLS = int(os.environ.get("NIGHTLY_ALERT_KILLS", "6"))
"""6 in the suite, 100 in the nightly form."""
NOTE_AND_WAIT = """
import sys, time
from pathlib import Path
folder = Path(sys.argv[1])
with open(folder / "told", "a") as told:
    told.write(sys.stdin.read())
while not (folder / "go").exists():
    time.sleep(0.01)
"""
EPISODES = """
SELECT machine_id, signal, limit_value, raised_at, raised_value, peak_value, peak_at, readings, mode, cleared_at
FROM anomaly_episodes ORDER BY id
"""
ROWS = """
SELECT machine_id, timestamp, mode, temperature, vibration, efficiency_score, efficiency_level, is_anomaly, ''
FROM manufacturing_analytics ORDER BY id
"""


class Plant:
    """A folder with a live file, its database, and a command that notes what it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live_file, self.database = folder / "live.json", folder / "analytics.sqlite"
        script = folder / "note.py"
        script.write_text(NOTE_AND_WAIT, encoding="utf-8")
        self.arguments = ("--headless", "--file", self.live_file, "--db", self.database)
        self.settings = {"ALERT_COMMAND": shlex.join([sys.executable, "-I", "-S", str(script), str(folder)])}
        self._second = 0

    def report(self, machine_id: int, *vibrations: float) -> None:
        with self.live_file.open("a", encoding="utf-8") as file:
            for value in vibrations:
                self._second += 1
                minute, second = divmod(self._second, 60)
                at = f"2026-11-22T{minute // 60:02}:{minute % 60:02}:{second:02}.000Z"
                file.write(line(machine_id, timestamp=at, vibration_mm_s=value))

    @property
    def told(self) -> list[dict[str, Any]]:
        path = self.folder / "told"
        return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def let_go(self) -> None:
        (self.folder / "go").touch()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(tmp_path)
    yield plant
    plant.let_go()  # a command that was left behind ends too


def test_an_alert_that_a_kill_came_into_is_told_again_after_the_restart(plant: Plant) -> None:
    plant.report(7, 6.0, 6.0)
    with running(CONSUMER, *plant.arguments, cwd=plant.folder, **plant.settings) as consumer:
        until(lambda: len(plant.told) == 1)
        consumer.kill()
    assert query(plant.database, "SELECT count(*) FROM alerts") == [(1,)]
    plant.let_go()
    status, said = run(CONSUMER, "--once", *plant.arguments, cwd=plant.folder, **plant.settings)
    assert status == 0, said
    assert [(told["kind"], told["episode"]) for told in plant.told] == [("raised", 1), ("raised", 1)]
    assert query(plant.database, "SELECT count(*) FROM alerts") == [(0,)]


def test_readings_go_on_while_the_command_runs(plant: Plant) -> None:
    plant.report(7, 6.0, 6.0)
    with running(CONSUMER, *plant.arguments, cwd=plant.folder, **plant.settings):
        until(lambda: len(plant.told) == 1)
        plant.report(8, *[1.0] * 50)
        until(lambda: query(plant.database, "SELECT count(*) FROM manufacturing_analytics") == [(52,)])
        assert query(plant.database, "SELECT count(*) FROM alerts") == [(1,)]


def test_killed_at_any_moment_no_episode_is_lost_or_doubled_and_each_event_is_told(plant: Plant) -> None:
    plant.let_go()
    rng = Random(KILLS)
    for kill in range(KILLS):
        machine_id = kill + 1
        plant.report(machine_id, 6.0, 1.0, 7.0)
        with running(CONSUMER, *plant.arguments, cwd=plant.folder, **plant.settings) as consumer:
            # At any moment: while it starts, reads, saves, or tells what it has read before.
            if rng.random() < 0.5:
                until(lambda n=machine_id: is_known(plant.database, n))  # type: ignore[misc]
            plant.report(machine_id, 8.0, *[1.0] * 61)
            until_told = len(plant.told) + rng.randrange(2)
            if rng.random() < 0.5:
                until(lambda n=until_told: len(plant.told) >= n)  # type: ignore[misc]
            consumer.kill()
    status, said = run(CONSUMER, "--once", *plant.arguments, cwd=plant.folder, **plant.settings)
    assert status == 0, said
    episodes = query(plant.database, EPISODES)
    assert episodes == plain_episodes(query(plant.database, ROWS), EpisodeRule())
    assert len(episodes) == KILLS
    assert query(plant.database, "SELECT count(*) FROM alerts") == [(0,)]
    due = {(kind, number) for number in range(1, KILLS + 1) for kind in ("raised", "cleared")}
    summed_up = sum(told["events"] for told in plant.told if told["kind"] == "flood")
    assert len(due - {(told["kind"], told.get("episode")) for told in plant.told}) <= summed_up


def is_known(database: Path, machine_id: int) -> bool:
    try:
        return bool(query(database, "SELECT 1 FROM machines WHERE machine_id = ?", machine_id))
    except sqlite3.OperationalError:  # it is being made just now
        return False


def test_a_machine_is_called_by_its_name_in_the_log_and_by_the_command(plant: Plant) -> None:
    plant.let_go()
    name = "<red>PUMP</red> {} 07"
    fields = {"machine_id": name, "timestamp": "2026-11-22T09:15:02Z", "mode": "active"}
    reading = json.dumps({**fields, "temperature": 50, "vibration": 6.2}) + "\n"
    plant.live_file.write_text(2 * reading, encoding="utf-8")
    status, said = run(CONSUMER, "--once", *plant.arguments, cwd=plant.folder, **plant.settings)
    assert status == 0, said
    text = f"machine {name}: vibration 6.2 > 4.5 mm/s since 2026-11-22 09:15:02"
    assert text in said
    (told,) = plant.told
    assert (told["text"], told["machine"], told["machine_id"], told["name"]) == (text, name, 1_000_001, name)
    assert query(plant.database, "SELECT name, kind FROM machines_to_maintain") == [(name, "beyond")]
    assert query(plant.database, "SELECT DISTINCT name FROM machine_history") == [(name,)]
