"""The README's recipes for real machines, with the real programs where they are installed."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support import AT, CONSUMER, count_rows, end, query, run, running, until

_PROGRAMS = ("mosquitto", "mosquitto_sub", "mosquitto_pub")
BROKER, SUBSCRIBE, PUBLISH = (shutil.which(name) or shutil.which(name, path="/usr/sbin") for name in _PROGRAMS)
TELEGRAF = {
    "FIELD_MACHINE_ID": "tags.machine_id",
    "FIELD_TEMPERATURE": "fields.temperature",
    "FIELD_VIBRATION": "fields.vibration",
    "FIELD_MODE": "tags.state",
    "FIELD_TEMPERATURE_UNIT": "°F",
    "MODE_ALIASES": "running=active",
}


@contextmanager
def process(*command: str | Path, output: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    with (output or Path("/dev/null")).open("ab") as file, subprocess.Popen(command, stdout=file, stderr=file) as one:
        try:
            yield one
        finally:
            one.kill()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    with closing(socket.socket()) as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def message(number: int) -> str:
    fields = {"machine_id": f"PUMP-{number % 30:02}", "timestamp": AT, "mode": "active", "vibration": 1.5}
    return json.dumps(fields | {"temperature": 50 + number % 7})


@pytest.mark.skipif(None in (BROKER, SUBSCRIBE, PUBLISH), reason="mosquitto and mosquitto-clients are not installed")
def test_messages_of_named_machines_over_mqtt_are_rows(tmp_path: Path, database: Path) -> None:
    assert BROKER is not None
    assert SUBSCRIBE is not None
    assert PUBLISH is not None
    live_file, port = tmp_path / "live.json", free_port()
    where = ("-h", "127.0.0.1", "-p", str(port))
    (tmp_path / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    with (
        process(BROKER, "-c", tmp_path / "broker.conf"),
        running(CONSUMER, "--headless", "--file", live_file, "--db", database, cwd=tmp_path) as consumer,
    ):
        until(lambda: answers(port))
        with process(SUBSCRIBE, *where, "-q", "1", "-t", "plant/+", output=live_file):
            sent = 0

            def is_subscribed() -> bool:
                nonlocal sent
                subprocess.run([PUBLISH, *where, "-q", "1", "-t", "plant/x", "-m", message(0)], check=True)
                sent += 1
                return live_file.stat().st_size > 0

            until(is_subscribed)
            until(lambda: count_rows(database) > 0)
            before = len(live_file.read_text().splitlines())
            lines = "".join(f"{message(number)}\n" for number in range(1000))
            publish = [PUBLISH, *where, "-q", "1", "-t", "plant/x", "-l"]
            subprocess.run(publish, input=lines.encode(), check=True)
            until(lambda: count_rows(database) >= 1000 + before)
        end(consumer)
    rows = query(database, "SELECT name, readings FROM machines WHERE name <> 'PUMP-00' ORDER BY name")
    assert [name for name, _ in rows] == [f"PUMP-{number:02}" for number in range(1, 30)]
    assert sum(readings for _, readings in rows) == 1000 - 34
    assert query(database, "SELECT count(*) FROM rejected_messages") == [(0,)]


def test_telegrafs_json_is_read_by_the_readmes_settings(tmp_path: Path, live_file: Path, database: Path) -> None:
    fields = {"temperature": 212, "vibration": 2.5}
    tags = {"host": "raynor", "machine_id": "PUMP-07", "state": "running"}
    line = {"fields": fields, "name": "pump", "tags": tags, "timestamp": 1763802902000}
    live_file.write_text(json.dumps(line) + "\n")
    status, said = run(CONSUMER, "--once", "--file", live_file, "--db", database, cwd=tmp_path, **TELEGRAF)
    assert status == 0, said
    found = query(database, "SELECT name, timestamp, mode, temperature, vibration FROM machines")
    assert found == [("PUMP-07", "2025-11-22T09:15:02.000Z", "active", 100.0, 2.5)]


def test_what_node_red_appends_is_read(tmp_path: Path, live_file: Path, database: Path) -> None:
    # Its json node writes as JavaScript does, without blanks; its moments are Date.now(), ms.
    live_file.write_text(
        '{"machine_id":"7","timestamp":1763802902000,"mode":"idle","temperature":"20.5","vibration":0}\n'
    )
    status, said = run(CONSUMER, "--once", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 0, said
    found = query(database, "SELECT machine_id, timestamp, mode, temperature FROM manufacturing_analytics")
    assert found == [(7, "2025-11-22T09:15:02.000Z", "idle", 20.5)]


@pytest.mark.skipif(shutil.which("mlr") is None, reason="mlr (Debian's package miller) is not installed")
def test_a_csv_export_is_read_by_way_of_mlr(tmp_path: Path, live_file: Path, database: Path) -> None:
    rows = "".join(f"PRESS {number},{AT},active,{40 + number}.5,1.25\n" for number in range(5))
    export = "machine_id,timestamp,mode,temperature,vibration\n" + rows
    command = ["mlr", "--icsv", "--ojsonl", "cat"]
    live_file.write_bytes(subprocess.run(command, input=export.encode(), capture_output=True, check=True).stdout)
    status, said = run(CONSUMER, "--once", "--file", live_file, "--db", database, cwd=tmp_path)
    assert status == 0, said
    assert query(database, "SELECT name, temperature FROM machines") == [
        (f"PRESS {number}", 40.5 + number) for number in range(5)
    ]
