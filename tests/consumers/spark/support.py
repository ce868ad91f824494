"""What the tests with real Spark need: plants with segments, and the rows that count."""

import gzip
import importlib.util
import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import line, structured

HAS_PACKAGES = all(map(importlib.util.find_spec, ("pyspark", "pyarrow", "pandas")))
HAS_SPARK = shutil.which("java") is not None and HAS_PACKAGES
needs_spark = pytest.mark.skipif(not HAS_SPARK, reason="needs Java and requirements-spark.txt")
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For Java: less time is spent on making code that runs for seconds fast."""
HALF_A_LINE = b"half a line"
FIELD_SETTINGS = {"FIELD_TEMPERATURE": "heat.value", "MODE_ALIASES": "running=active"}
"""Other people's fields and words, as `feed` has them."""
_WRONG = [
    b"not json\n",
    b"\n",
    b"\x00\x00\n",
    b"\xff\xfe bad\n",
    b"{}\r\n",
    b"\xef\xbb\xbf\n",
    b"\xe2\x80\xa8 a\rb\n",
    b'{"a": "' + b"x" * 1_100_000 + b'"}\n',
    structured(machine_id="BROKEN", mode="running", heat={"value": -500}, vibration=1).encode(),
]


def feed(seed: int, count: int) -> bytes:
    """Lines of a plant's machines, with numbers and with names, wrong ones among them; the last one is not whole."""
    rng = random.Random(seed)
    some = [_reading(rng, number) for number in range(count)]
    some = [text.replace(b"\n", b"\r\n") if rng.random() < 0.2 else text for text in some]
    for text in _WRONG:
        some.insert(rng.randrange(len(some)), text)
    return b"\xef\xbb\xbf" + b"".join(some) + HALF_A_LINE


def _reading(rng: random.Random, number: int) -> bytes:
    timestamp = f"2026-11-22T{rng.choice(('10', '23'))}:{number // 60 % 60:02}:{number % 60:02}.000Z"
    temperature_c, vibration_mm_s = rng.uniform(20, 95), rng.uniform(0, 6)
    if rng.random() < 0.7:
        mode = rng.choice(("active", "idle", "offline"))
        return line(
            rng.choice((1, 2, 2_000_001)),
            timestamp=timestamp,
            mode=mode,
            temperature_c=temperature_c,
            vibration_mm_s=vibration_mm_s,
        ).encode()
    name, mode = rng.choice(("PUMP-07", "Öfen 3", "#1")), rng.choice(("running", "idle"))
    fields = {"timestamp": timestamp, "mode": mode, "vibration": vibration_mm_s, "heat": {"value": temperature_c}}
    return structured(machine_id=name, **fields).encode()


def make_plants(folder: Path, count: int = 400) -> list[Path]:
    """Make two plants, each with two closed segments, one that logrotate would number, and a live file."""
    segments = []
    for number, plant in enumerate(("007", "north hall")):
        live_file = folder / "plants" / plant / "live.json"
        live_file.parent.mkdir(parents=True)
        plain = live_file.with_name("live-20261122T101500.000001Z.json")
        packed = live_file.with_name("live.json-20261123.gz")
        plain.write_bytes(feed(2 * number, count))
        packed.write_bytes(gzip.compress(feed(2 * number + 1, count)))
        live_file.write_bytes(feed(9, 5))
        live_file.with_name("live.json.1").write_bytes(feed(8, 5))
        segments += [plain, packed]
    return segments


def counted_batches(output: Path) -> set[str]:
    """The names of the batches that count."""
    return {json.loads(path.read_text())["batch"] for path in (output / "batches").glob("*.json")}


def rows_of(output: Path, table: str, *columns: str) -> Counter[tuple[Any, ...]]:
    """The rows of the batches that count."""
    dataset = pytest.importorskip("pyarrow.dataset")
    found: Counter[tuple[Any, ...]] = Counter()
    for batch in counted_batches(output):
        place = output / table / f"batch={batch}"
        for path in place.rglob("*.parquet"):
            keys = dict(part.split("=") for part in path.relative_to(place).parts[:-1])
            held = dataset.dataset(path).to_table()
            values = [
                held[name].to_pylist() if name in held.column_names else [keys[name]] * len(held) for name in columns
            ]
            found.update(zip(*values, strict=True))
    return found
