"""The consumer on Spark, as a command with real Spark: it tells the same of the same lines as the one with SQLite."""

import gzip
import importlib.util
import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import pytest

from tests.support import CONSUMER, line, query, run, start

SPARK = "consumers.consumer_spark"
KILLS = int(os.environ.get("NIGHTLY_KILLS", "2"))
HAS_SPARK = shutil.which("java") is not None and all(map(importlib.util.find_spec, ("pyspark", "pyarrow")))
needs_spark = pytest.mark.skipif(not HAS_SPARK, reason="needs Java and requirements-spark.txt")
WRONG = [
    b"not json\n",
    b"\n",
    b"\x00\x00\n",
    b"\xff\xfe bad\n",
    b"{}\r\n",
    b"\xef\xbb\xbf\n",
    b"\xe2\x80\xa8 a\rb\n",
    b'{"a": "' + b"x" * 1_100_000 + b'"}\n',
]


def feed(seed: int, count: int) -> bytes:
    """Lines of a plant, wrong ones among them; the last one is not whole."""
    rng = random.Random(seed)
    readings = [
        line(
            rng.randrange(5),
            timestamp=f"2026-11-{22 + seed}T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
            mode=rng.choice(["active", "idle", "offline"]),
            temperature_c=rng.uniform(20, 95),
            vibration_mm_s=rng.uniform(0, 6),
        ).encode()
        for number in range(count)
    ]
    some = [text.replace(b"\n", b"\r\n") if rng.random() < 0.2 else text for text in readings]
    for text in WRONG:
        some.insert(rng.randrange(len(some)), text)
    return b"\xef\xbb\xbf" + b"".join(some) + b"half a line"


def plants_in(folder: Path, count: int = 400) -> list[Path]:
    """Make two plants, each with two closed segments, one that logrotate would number, and a live file."""
    segments = []
    for number, plant in enumerate(("007", "north hall")):
        live_file = folder / "plants" / plant / "live.json"
        live_file.parent.mkdir(parents=True)
        plain, packed = (
            live_file.with_name("live-20261122T101500.000001Z.json"),
            live_file.with_name("live.json-20261123.gz"),
        )
        plain.write_bytes(feed(2 * number, count))
        packed.write_bytes(gzip.compress(feed(2 * number + 1, count)))
        live_file.write_bytes(feed(9, 5))
        live_file.with_name("live.json.1").write_bytes(feed(8, 5))
        segments += [plain, packed]
    return segments


def once(folder: Path, *flags: str) -> tuple[int, str]:
    source = ("--source", str(folder / "plants" / "*" / "live.json"), "--output", str(folder / "out"))
    return run(SPARK, *source, *(flags or ("--once",)), cwd=folder, SPARK_SETTLE_S="0", SPARK_MASTER="local[2]")


def rows_of(folder: Path, table: str, *columns: str) -> Counter[tuple[Any, ...]]:
    """The rows of the batches that count."""
    dataset = pytest.importorskip("pyarrow.dataset")
    counted = {json.loads(path.read_text())["batch"] for path in (folder / "out" / "batches").glob("*.json")}
    found: Counter[tuple[Any, ...]] = Counter()
    for batch in counted:
        place = folder / "out" / table / f"batch={batch}"
        for path in place.rglob("*.parquet"):
            keys = dict(part.split("=") for part in path.relative_to(place).parts[:-1])
            held = dataset.dataset(path).to_table()
            values = [
                held[name].to_pylist() if name in held.column_names else [keys[name]] * len(held) for name in columns
            ]
            found.update(zip(*values, strict=True))
    return found


READING = (
    "machine_id",
    "timestamp",
    "mode",
    "temperature",
    "vibration",
    "efficiency_score",
    "efficiency_level",
    "is_anomaly",
)
REJECTED = ("offset_bytes", "line", "reason")


def as_sqlite_tells(folder: Path, segments: list[Path]) -> tuple[Counter[Any], Counter[Any]]:
    """The rows and rejected lines of the consumer with SQLite: each segment read as a live file of its own."""
    rows: Counter[Any] = Counter()
    rejected: Counter[Any] = Counter()
    for number, segment in enumerate(segments):
        plant, database = segment.parent.name, folder / f"{number}.sqlite"
        feed_file = folder / f"{number}.json"
        feed_file.write_bytes(
            gzip.decompress(segment.read_bytes()) if segment.suffix == ".gz" else segment.read_bytes()
        )
        status, said = run(CONSUMER, "--once", "--headless", "--file", feed_file, "--db", database, cwd=folder)
        assert status == 0, said
        rows.update(
            (plant, *row) for row in query(database, f"SELECT {', '.join(READING)} FROM manufacturing_analytics")
        )
        rejected.update(
            (str(segment).removesuffix(".gz"), *row)
            for row in query(database, f"SELECT {', '.join(REJECTED)} FROM rejected_messages")
        )
    return rows, rejected


def minutes_of(rows: Counter[Any]) -> set[Any]:
    """The minutes of readings, worked out in whole tenths and hundredths."""
    groups: dict[Any, list[Any]] = {}
    for plant, machine_id, timestamp, *rest in rows.elements():
        groups.setdefault((plant, machine_id, timestamp[:16] + ":00.000Z"), []).append(rest)
    found = set()
    for key, readings in groups.items():
        active = [reading for reading in readings if reading[0] == "active"]
        scores = [reading[3] for reading in readings]
        sums = [sum(round(reading[place] * 100) for reading in active) / 100 for place in (1, 2)]
        peaks = [max((reading[place] for reading in active), default=None) for place in (1, 2)]
        anomalies = sum(reading[5] for reading in readings)
        tenths = sum(round(score * 10) for score in scores)
        found.add(
            (
                *key,
                len(readings),
                len(active),
                anomalies,
                tenths / 10,
                min(scores),
                sums[0],
                peaks[0],
                sums[1],
                peaks[1],
            )
        )
    return found


@needs_spark
def test_rows_rejected_lines_and_minutes_are_those_of_the_consumer_with_sqlite(tmp_path: Path) -> None:
    segments = plants_in(tmp_path)
    status, said = once(tmp_path)
    assert status == 0, said
    assert "not read: 2 files with a number in the name" in said
    rows, rejected = as_sqlite_tells(tmp_path, segments)
    assert rejected
    assert rows_of(tmp_path, "readings", "plant", *READING) == rows
    assert rows_of(tmp_path, "rejected_messages", "segment", *REJECTED) == rejected
    minute = ("readings", "active_readings", "anomalies", "efficiency_sum", "efficiency_min")
    of_active = ("temperature_sum", "temperature_max", "vibration_sum", "vibration_max")
    assert set(rows_of(tmp_path, "minutes", "plant", "machine_id", "minute", *minute, *of_active)) == minutes_of(rows)
    gzipped, plain = segments[1], segments[0]
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes()))  # packed later: nothing new
    plain.unlink()
    gzipped.with_name("live.json-20261124").write_bytes(line(3).encode())
    status, said = once(tmp_path)
    assert status == 0, said
    assert rows_of(tmp_path, "readings", "plant", *READING).total() == rows.total() + 1
    status, said = once(tmp_path, "--report")
    assert status == 0, said
    account = said.partition("The account of lines")[2]
    assert account.count("True") == 2
    assert "False" not in account


@needs_spark
def test_a_job_that_is_killed_again_and_again_counts_each_line_once_and_reads_what_comes_meanwhile(
    tmp_path: Path,
) -> None:
    rng = random.Random(13)
    folder = tmp_path / "plants" / "north"
    folder.mkdir(parents=True)
    flags = ("--source", str(folder / "live.json"), "--output", str(tmp_path / "out"))
    settings = {"SPARK_SETTLE_S": "0", "SPARK_MASTER": "local[2]", "SPARK_SEGMENTS_PER_BATCH": "1"}
    written = 0
    for kill in range(KILLS + 1):
        with (folder / "live.json").open("wb") as file:
            file.writelines(line(written + number).encode() for number in range(200))
        written += 200
        (folder / "live.json").rename(folder / f"live.json-20261122T10{kill:02}00Z")
        process = start(SPARK, *flags, cwd=tmp_path, **settings)
        with suppress(TimeoutExpired):
            process.communicate(timeout=rng.uniform(8, 20))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = start(SPARK, *flags, cwd=tmp_path, **settings)
    (folder / "live.json-20261122T120000Z.partial").write_bytes(line(written).encode())
    (folder / "live.json-20261122T120000Z.partial").rename(folder / "live.json-20261122T120000Z")
    (folder / "live.json").write_bytes(line(written + 1).encode())
    end_s = time.monotonic() + 60
    while rows_of(tmp_path, "readings", "machine_id").total() <= written and time.monotonic() < end_s:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert rows_of(tmp_path, "readings", "machine_id") == Counter((number,) for number in range(written + 1))


@pytest.mark.skipif(HAS_SPARK, reason="Spark is installed here")
def test_without_its_packages_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    status, said = run(SPARK, "--once", "--source", "*/live.json", "--output", "out", cwd=tmp_path)
    assert status == 1
    assert "Spark needs Java 17 or newer and requirements-spark.txt: install both" in said
    assert "Traceback" not in said


def test_the_command_ends_with_2_on_a_bad_setting(tmp_path: Path) -> None:
    status, said = run(SPARK, "--once", cwd=tmp_path, SPARK_SETTLE_S="soon")
    assert status == 2
    assert "SPARK_SETTLE_S" in said
