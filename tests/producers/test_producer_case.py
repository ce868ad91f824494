import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from producers.live_file import LiveFile, NoRoomError
from producers.producer_case import Feed, Pace, main
from producers.simulator import Plant
from tests.support import PRODUCER, end, lines_until, run, start, start_command, until
from utils.efficiency import Limits
from utils.message import epoch_seconds, from_line
from utils.stop import StopRequest

START = "2026-11-22T09:15:02.000Z"
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


def produce(folder: Path, *flags: str, **settings: str) -> tuple[int, str]:
    """Run the command in a folder without `.env`, so that everything it writes is in there."""
    return run(PRODUCER, *flags, cwd=folder, **settings)


def start_producer(folder: Path, *flags: str, **settings: str) -> "subprocess.Popen[str]":
    return start(PRODUCER, *flags, cwd=folder, **settings)


def test_asked_to_stop_while_another_program_holds_the_lock_it_ends_in_order(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="needs POSIX locks")
    with (tmp_path / "live.json").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        producer = start_producer(tmp_path, "--file", "live.json")
        for said in lines_until(producer, "reporting to"):
            assert "written" not in said
        assert "stopped: 0 lines written" in end(producer)


# The output


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("producer")
    flags = ("--count", "10000", "--no-wait", "--seed", "7", "--machines", "7", "--start", START, "--file")
    for name in ("first.json", "second.json"):
        assert produce(folder, *flags, name)[0] == 0
    return folder


def test_count_is_exact_also_when_no_multiple_of_the_machines(ten_thousand: Path) -> None:
    assert (ten_thousand / "first.json").read_bytes().count(b"\n") == 10_000


def test_a_seed_and_a_start_give_the_same_bytes_each_time(ten_thousand: Path) -> None:
    assert (ten_thousand / "first.json").read_bytes() == (ten_thousand / "second.json").read_bytes()


def test_every_line_is_a_reading_with_its_level_and_score_by_the_rule(ten_thousand: Path) -> None:
    limits = Limits()
    for line in (ten_thousand / "first.json").read_bytes().splitlines():
        rating, message = limits.rate(from_line(line)), json.loads(line)
        assert message["keyword_mentioned"] == rating.efficiency_level
        assert message["sentiment"] == pytest.approx(rating.efficiency_score / 100)


def test_without_waiting_the_plants_clock_still_advances_an_interval_a_round(tmp_path: Path) -> None:
    flags = ("--count", "7", "--no-wait", "--machines", "2", "--interval", "2.5", "--start", START)
    assert produce(tmp_path, *flags, "--file", "f")[0] == 0
    stamps = [from_line(line).timestamp for line in (tmp_path / "f").read_bytes().splitlines()]
    assert [epoch_seconds(stamp) - epoch_seconds(START) for stamp in stamps] == [0, 0, 2.5, 2.5, 5, 5, 7.5]


def test_a_run_with_a_drawn_seed_can_be_repeated_from_its_log(tmp_path: Path) -> None:
    flags = ("--count", "50", "--no-wait", "--file")
    _, said = produce(tmp_path, *flags, "drawn")
    repeat = re.search(r"to repeat: (--seed \d+ --start \S+)", said)
    assert repeat is not None
    produce(tmp_path, *flags, "again", *repeat[1].split())
    assert (tmp_path / "again").read_bytes() == (tmp_path / "drawn").read_bytes()


def test_lines_go_to_the_default_file_and_a_second_run_appends(tmp_path: Path) -> None:
    for _ in range(2):
        assert produce(tmp_path, "--count", "5", "--no-wait")[0] == 0
    assert (tmp_path / "data" / "project_live.json").read_bytes().count(b"\n") == 10


def test_limits_of_the_settings_decide_the_level(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "VIBRATION_SAFE_MAX_MM_S=0\nVIBRATION_ZONE_A_MAX_MM_S=0\nVIBRATION_ZONE_B_MAX_MM_S=0\n"
    )
    produce(tmp_path, "--count", "8", "--machines", "3", "--no-wait", "--file", "f")
    assert {json.loads(line)["keyword_mentioned"] for line in (tmp_path / "f").read_bytes().splitlines()} == {
        "Critical"
    }


# The pace


def test_paced_rounds_follow_the_real_clock_each_appended_at_once(tmp_path: Path) -> None:
    before_s = time.time()
    assert produce(tmp_path, "--count", "9", "--machines", "3", "--interval", "0.1", "--file", "f")[0] == 0
    moments = [epoch_seconds(from_line(line).timestamp) for line in (tmp_path / "f").read_bytes().splitlines()]
    assert moments[:3] == [moments[0]] * 3
    assert moments[8] - moments[0] == pytest.approx(0.2, abs=0.0015)
    assert before_s - 0.001 <= moments[0] <= time.time()


@POSIX_ONLY
def test_after_a_standstill_timestamps_follow_the_real_clock_again_without_a_burst(tmp_path: Path) -> None:
    path = tmp_path / "f"
    producer = start_producer(tmp_path, "--machines", "1", "--interval", "0.05", "--file", "f")
    until(lambda: path.exists() and path.stat().st_size > 0)
    producer.send_signal(signal.SIGSTOP)
    time.sleep(0.8)
    producer.send_signal(signal.SIGCONT)
    resumed_s, before = time.time(), path.read_bytes().count(b"\n")
    until(lambda: path.read_bytes().count(b"\n") >= before + 6)
    producer.terminate()
    producer.communicate(timeout=10)
    moments = [epoch_seconds(from_line(line).timestamp) for line in path.read_bytes().splitlines()]
    steps = [later - earlier for earlier, later in pairwise(moments)]
    assert max(steps) > 0.5
    assert moments[before + 2] >= resumed_s - 0.5
    assert all(step > 0.048 for step in steps), "no burst"


def test_the_pace_does_not_drift() -> None:
    pace = Pace(0.1, 1000.0)
    for number in range(1, 1001):
        pace.next_round(1000.0 + number * 0.1 - 0.07)
    assert pace.wait_s(1100.0) == pytest.approx(0)


def test_a_round_that_is_a_little_late_is_made_good_without_shifting_the_grid() -> None:
    pace = Pace(1.0, 0.0)
    pace.next_round(1.4)
    assert pace.wait_s(1.4) == pytest.approx(-0.4)
    pace.next_round(1.41)
    assert pace.wait_s(1.41) == pytest.approx(0.59)


def test_after_a_long_delay_rounds_are_left_out_and_do_not_burst() -> None:
    pace = Pace(1.0, 0.0)
    pace.next_round(100.0)
    assert pace.wait_s(100.0) == pytest.approx(1.0)
    pace.next_round(101.0)
    assert pace.wait_s(101.0) == pytest.approx(1.0)


# The end


@POSIX_ONLY
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("flags", [("--interval", "0.05"), ("--no-wait",), ("--interval", "3600")])
def test_a_request_to_stop_ends_it_in_order_with_a_summary(tmp_path: Path, name: str, flags: tuple[str, ...]) -> None:
    path = tmp_path / "f"
    producer = start_producer(tmp_path, *flags, "--file", "f")
    until(lambda: path.exists() and path.stat().st_size > 0)
    said = end(producer, getattr(signal, name))
    data = path.read_bytes()
    assert data.endswith(b"\n")
    assert f"stopped: {data.count(bytes([10])):,} lines written in " in said


def test_the_log_tells_start_and_end_and_no_message(tmp_path: Path) -> None:
    _, said = produce(tmp_path, "--count", "1000", "--no-wait", "--seed", "5", "--file", "f")
    first, last = said.splitlines()
    assert "reporting to f every 1 s, machines: 8; to repeat: --seed 5 --start 2" in first
    assert "stopped: 1,000 lines written in " in last
    assert len((tmp_path / "data" / "logs" / "producer.log").read_text("utf-8").splitlines()) == 2


def test_a_status_line_is_written_now_and_then(tmp_path: Path) -> None:
    producer = start_producer(tmp_path, "--interval", "0.2", "--file", "f", STATUS_EVERY_S="1")
    assert producer.stdout is not None
    producer.stdout.readline()
    assert re.search(r"INFO +[0-9]+ lines written; [0-9.]+ lines/s lately", producer.stdout.readline())
    producer.terminate()
    producer.communicate(timeout=10)


# What cannot be


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            ("--machines", "0"),
            "setting PRODUCER_MACHINES (--machines) is '0'; expected a whole number from 1 to 100,000",
        ),
        (("--interval", "soon"), "setting PRODUCER_INTERVAL_S (--interval) is 'soon'; expected a number from 0.001"),
        (("--seed", "-1"), "setting PRODUCER_SEED (--seed) is '-1'; expected a whole number from 0"),
        (("--count", "0"), "argument --count: '0'; expected a whole number from 1"),
        (("--count", "many"), "argument --count: 'many'; expected a whole number from 1"),
        (("--count", "x" * 999), f"argument --count: '{'x' * 98}…{'x' * 99}'; expected a whole number from 1"),
        (("--start", "noon"), "argument --start: timestamp 'noon' is no moment; expected ISO 8601"),
        (("--file", ""), "argument --file: is empty"),
        (("--machine", "3"), "unrecognized arguments: --machine"),
    ],
)
def test_a_wrong_flag_ends_with_2_and_names_value_and_what_is_allowed(
    tmp_path: Path,
    flags: tuple[str, ...],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(flags)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_made_and_said_so(tmp_path: Path) -> None:
    live_file = tmp_path / "new" / "live.json"
    _, said = produce(tmp_path, "--count", "1", "--no-wait", "--file", str(live_file))
    assert f"made the folder {live_file.parent}" in said
    assert len(live_file.read_bytes().splitlines()) == 1


def test_a_wrong_setting_ends_with_2_and_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRODUCER_MACHINES=many\n")
    status, said = produce(tmp_path)
    assert status == 2
    assert "setting PRODUCER_MACHINES (in .env) is 'many'; expected a whole number from 1 to 100,000 machines" in said


def test_a_flag_wins_over_the_environment_and_that_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PRODUCER_MACHINES=2\nPRODUCER_INTERVAL_S=2\nPRODUCER_SEED=2\n")
    _, said = produce(
        tmp_path,
        *("--machines", "4", "--count", "1", "--no-wait", "--file", "f"),
        PRODUCER_MACHINES="3",
        PRODUCER_INTERVAL_S="3",
    )
    assert "reporting to f every 3 s, machines: 4; to repeat: --seed 2 " in said


@pytest.mark.parametrize("flags", [("--file", "../"), ("--start", "9999-12-31T23:59:59Z", "--file", "f")])
def test_what_it_cannot_go_on_from_ends_with_1_and_a_message(tmp_path: Path, flags: tuple[str, ...]) -> None:
    status, said = produce(tmp_path, "--no-wait", "--count", "100", *flags)
    assert status == 1
    assert "ERROR" in said
    assert "another" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["folder", "folder/..", "file/f"])
def test_it_says_that_it_reports_only_when_the_file_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(StopRequest, "install", lambda _: None)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    assert main(("--no-wait", "--count", "1", "--file", name)) == 1
    said = capsys.readouterr().err
    assert "live file" in said
    assert "reporting to" not in said


def test_the_database_is_never_written_to_as_a_live_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(StopRequest, "install", lambda _: None)
    database = tmp_path / "data" / "meyer_manufacturing_analytics.sqlite"
    database.parent.mkdir()
    database.write_bytes(b"precious")
    for file in (str(database), "data/../data/meyer_manufacturing_analytics.sqlite", f"{database}-wal"):
        assert main(("--no-wait", "--count", "1", "--file", file)) == 1
        assert "set LIVE_FILE (--file) or DATABASE_FILE to another path" in capsys.readouterr().err
    assert database.read_bytes() == b"precious"
    assert sorted(path.name for path in database.parent.iterdir()) == ["logs", database.name]


# Two producers, and no room


def test_two_producers_share_a_file_and_its_rotation(tmp_path: Path) -> None:
    flags = ("--no-wait", "--count", "6000", "--start", START, "--file", "live.json")
    producers = [start_producer(tmp_path, *flags, "--seed", seed, LIVE_FILE_MAX_MB="0.2") for seed in ("1", "2")]
    said = [producer.communicate(timeout=60)[0] for producer in producers]
    assert [producer.returncode for producer in producers] == [0, 0]
    rotated = sorted(tmp_path.glob("live-*.json"))
    assert sum(one.count("live file rotated") for one in said) == len(rotated) > 3
    assert all(200_000 <= file.stat().st_size < 300_000 for file in rotated)
    shared = [
        line for file in [*rotated, tmp_path / "live.json"] for line in file.read_bytes().splitlines(keepends=True)
    ]
    for seed in ("1", "2"):
        produce(tmp_path, *flags[:-1], "alone", "--seed", seed)
    alone = (tmp_path / "alone").read_bytes().splitlines(keepends=True)
    assert sorted(shared) == sorted(alone)


def kill_after_bytes(path: Path, count: int) -> None:
    size = path.stat().st_size
    producer = start_producer(path.parent, "--no-wait", "--file", path.name)
    until(lambda: path.stat().st_size > size + count)
    producer.kill()
    producer.communicate(timeout=10)


@POSIX_ONLY
def test_killed_producers_leave_the_file_to_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch()
    for _ in range(4):
        kill_after_bytes(path, 100_000)
        with path.open("ab") as torn:
            torn.write(b'{"message": "Machine 3 in Act')
    produce(tmp_path, "--no-wait", "--file", "f", "--count", "1")
    data = path.read_bytes()
    assert data.endswith(b"\n")
    lines = data.splitlines()
    readings = [line for line in lines if line.endswith(b"}")]
    assert len(lines) - len(readings) == 4
    for line in readings:
        from_line(line)


class Disk(LiveFile):
    """A live file with room for a few lines, then none a few times, then room again."""

    def __init__(self, stop: StopRequest, refusals: int) -> None:
        self.data = b""
        self.stop = stop
        self.refusals = refusals

    def append(self, lines: bytes) -> None:
        if self.refusals:
            self.refusals -= 1
            taken = lines.index(b"\n") + 1
            self.data += lines[:taken]
            raise NoRoomError("cannot write the live file f: No space left on device; make room", taken)
        self.data += lines


class Hurried(StopRequest):
    def wait(self, seconds: float) -> None:
        assert seconds > 0


def feed_into(disk: Disk) -> Feed:
    return Feed(Plant(5, 1.0, 0.0, Random(1), Limits()), Limits(), disk, disk.stop)


def test_a_full_disk_is_told_once_and_the_lines_wait_for_room() -> None:
    disk, roomy = Disk(Hurried(), 3), Disk(Hurried(), 0)
    for one in (disk, roomy):
        feed = feed_into(one)
        feed.send(5)
        feed.send(5)
        assert feed.lines == 10
    assert disk.data == roomy.data


def test_a_stop_is_heard_while_there_is_no_room_and_only_lines_in_the_file_count() -> None:
    disk = Disk(Hurried(), 1000)
    feed = feed_into(disk)
    disk.stop.requested = True
    feed.send(5)
    assert feed.lines == disk.data.count(b"\n") == 1


@POSIX_ONLY
def test_a_real_full_disk_is_waited_for_and_left_without_a_half_line(tmp_path: Path) -> None:
    shell = 'ulimit -f 64; exec "$@"'  # no file beyond 64 KiB: the OS ends the write in the middle of a line
    flags = ("--no-wait", "--file", "f", "--seed", "1")
    producer = start_command(["bash", "-c", shell, "-", sys.executable, "-m", PRODUCER, *flags], tmp_path)
    assert producer.stdout is not None
    said = [producer.stdout.readline() for _ in range(2)]
    assert "cannot write the live file f: " in said[1]
    assert "make room" in said[1]
    data = (tmp_path / "f").read_bytes()
    assert 60_000 < len(data) <= 65_536
    assert data.endswith(b"\n")
    os.truncate(tmp_path / "f", 0)
    assert "there is room again" in producer.stdout.readline()
    written = re.search(r"stopped: ([0-9,]+) lines", end(producer))
    assert written is not None
    again = (tmp_path / "f").read_bytes()
    assert again.endswith(b"\n")
    assert int(written[1].replace(",", "")) == data.count(b"\n") + again.count(b"\n")
    for line in again.splitlines():
        from_line(line)


# The truth beside it


def test_the_truth_stands_beside_the_feed_a_line_a_reading_and_the_feed_is_the_same_bytes(tmp_path: Path) -> None:
    flags = ("--count", "300", "--no-wait", "--seed", "7", "--machines", "10", "--start", START, "--file")
    assert produce(tmp_path, *flags, "plain")[0] == 0
    assert produce(tmp_path, *flags, "told", "--truth", "truth.json")[0] == 0
    assert (tmp_path / "told").read_bytes() == (tmp_path / "plain").read_bytes()
    readings = [from_line(line) for line in (tmp_path / "told").read_bytes().splitlines()]
    truths = [json.loads(line) for line in (tmp_path / "truth.json").read_bytes().splitlines()]
    assert [(truth["machine_id"], truth["timestamp"], truth["mode"]) for truth in truths] == [
        (reading.machine_id, reading.timestamp, reading.mode) for reading in readings
    ]
    assert set(truths[0]) == {"machine_id", "timestamp", "mode", "wear", "fault", "running_s_to_limit"}


def test_a_truth_that_cannot_be_written_is_told_with_its_path(tmp_path: Path) -> None:
    status, said = produce(tmp_path, "--count", "1", "--no-wait", "--file", "f", "--truth", "missing/truth.json")
    assert status == 1
    assert "missing/truth.json" in said
