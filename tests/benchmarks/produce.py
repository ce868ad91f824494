"""`python -m tests.benchmarks.produce`: how fast the producer is, beside the floor of its kind.

The floor is a process that knows its readings beforehand and does for each line what any producer of this format has
to: build the dict of seven fields, json.dumps, and write; buffered, without a plant, a rule, a lock or a whole-line
guarantee. Both are whole processes, run in turns; the best of each counts, start of the interpreter included.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_PROJECT: Final = Path(__file__).parents[2]
_START: Final = "2026-11-22T09:15:02.000Z"

_FLOOR: Final = """
import json, sys
path, count = sys.argv[1], int(sys.argv[2])
with open(path, "w", encoding="utf-8") as file:
    for number in range(count):
        message = f"Machine {number % 8 + 1} in Active mode. Temp: {44.28}°C, Vib: {2.08}mm/s."
        fields = {
            "message": message,
            "author": f"Sensor-{number % 8 + 1}",
            "timestamp": "2026-11-22T09:15:02.000Z",
            "category": "active",
            "sentiment": 0.9,
            "keyword_mentioned": "High",
            "message_length": len(message),
        }
        file.write(json.dumps(fields) + "\\n")
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; returns 0 where the producer reaches half of the floor, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.produce", description=__doc__)
    parser.add_argument("--lines", type=int, default=300_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args(argv)
    with TemporaryDirectory() as folder:
        live_file = Path(folder) / "live.json"
        commands = {
            "floor: json.dumps and write": (sys.executable, "-c", _FLOOR, str(live_file), str(options.lines)),
            "producer --no-wait, 8 machines": _producer(live_file, options.lines, 8),
            "producer --no-wait, 1000 machines": _producer(live_file, options.lines, 1000),
            "producer --no-wait, 1 machine": _producer(live_file, options.lines, 1),
        }
        seconds = {name: float("inf") for name in commands}
        for _ in range(options.turns):
            for name, command in commands.items():
                seconds[name] = min(seconds[name], _timed(command, live_file, options.lines))
    return _print_table(seconds, options.lines)


def _producer(live_file: Path, lines: int, machines: int) -> tuple[str, ...]:
    flags = ("--no-wait", "--seed", "7", "--start", _START)
    sizes = ("--count", str(lines), "--machines", str(machines))
    return (sys.executable, "-m", "producers.producer_case", *flags, *sizes, "--file", str(live_file))


def _timed(command: tuple[str, ...], live_file: Path, lines: int) -> float:
    live_file.unlink(missing_ok=True)
    start_s = time.perf_counter()
    # In the temporary folder, so that no .env counts and the log goes there too.
    environment = os.environ | {"PYTHONPATH": str(_PROJECT)}
    subprocess.run(command, cwd=live_file.parent, env=environment, check=True, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - start_s
    if live_file.read_bytes().count(b"\n") != lines:
        raise RuntimeError(f"{command} did not write {lines} lines")
    return seconds


def _print_table(seconds: dict[str, float], lines: int) -> int:
    floor_s, target_s = list(seconds.values())[:2]
    print(f"{lines:,} lines, whole processes\n")
    print(f"{'':36}{'lines/s':>12}{'us a line':>12}{'of the floor':>14}")
    for name, taken_s in seconds.items():
        print(f"{name:36}{lines / taken_s:12,.0f}{taken_s / lines * 1e6:12.2f}{floor_s / taken_s:14.2f}")
    return 0 if floor_s / target_s >= 0.5 else 1


if __name__ == "__main__":
    sys.exit(main())
