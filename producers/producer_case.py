"""The command `python -m producers.producer_case`: a simulated plant that reports to the live file."""

from utils.stop import StopRequest, end_quietly_until_installed

if __name__ == "__main__":
    end_quietly_until_installed()  # what follows takes a while to import

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from random import Random, SystemRandom
from typing import Final, TextIO

from loguru import logger

from producers.live_file import LiveFile, NoRoomError, StoppedError
from producers.simulator import Machine, Plant
from utils.command import Parser, add_setting, run_command
from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.message import MessageError, Reading, epoch_seconds, timestamp_at, to_line, utc_timestamp
from utils.paths import made_folders
from utils.settings import Config
from utils.text import shown

_FLAG_BY_SETTING: Final = {
    "PRODUCER_MACHINES": "--machines",
    "PRODUCER_INTERVAL_S": "--interval",
    "PRODUCER_SEED": "--seed",
    "LIVE_FILE": "--file",
}
_SEEDS: Final = 2**32
_BYTES_A_MB: Final = 1_000_000
_LINES_A_WRITE: Final = 300
"""This many lines are appended at once when the producer does not wait."""
_CLOCK_TOLERANCE_S: Final = 0.5
_ROOM_RETRY_S: Final = 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the producer and return the exit status: 0, or 1 if it could not go on. Bad usage exits with 2."""
    return run_command("producer", _parser(), _FLAG_BY_SETTING, argv, _run)


class Pace:
    """When each round is due, on a fixed grid of moments, so that rounds do not drift, or burst after a delay."""

    def __init__(self, interval_s: float, now_s: float) -> None:
        self._interval_s = interval_s
        self._start_s = now_s
        self._rounds = 0

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until the round is due; 0 or less if it is late."""
        return self._start_s + self._rounds * self._interval_s - now_s

    def next_round(self, now_s: float) -> None:
        """Plan the next round: at the next moment of the grid, or on a new grid if that moment is long past."""
        self._rounds += 1
        if self.wait_s(now_s) < -self._interval_s:
            self._start_s, self._rounds = now_s, 1


class Feed:
    """The plant's lines on their way into the live file; `lines` counts those that are in it."""

    def __init__(
        self, plant: Plant, limits: Limits, live_file: LiveFile, stop: StopRequest, truth: TextIO | None = None
    ) -> None:
        self.lines = 0
        self._lines = _lines(plant, limits, truth)
        self._live_file = live_file
        self._stop = stop

    def send(self, count: int) -> None:
        """Append the plant's next lines; if there is no room, keep them and wait for room or for a stop.

        Raises PipelineError if the file cannot be used at all.
        """
        rest, refusal = self._append("".join(islice(self._lines, count)).encode())
        if refusal is None:
            return
        logger.error("{}; the plant stands still until there is room", refusal)
        while rest and not self._stop.requested:
            self._stop.wait(_ROOM_RETRY_S)
            rest, _ = self._append(rest)
        if not rest:
            logger.info("there is room again; the plant goes on")

    def _append(self, data: bytes) -> tuple[bytes, NoRoomError | None]:
        """Append what there is room for; return the rest, and why it is left."""
        refusal = None
        appended_bytes = len(data)
        try:
            self._live_file.append(data)
        except NoRoomError as error:
            refusal, appended_bytes = error, error.appended_bytes
        except StoppedError:
            appended_bytes = 0
        self.lines += data.count(b"\n", 0, appended_bytes)
        return data[appended_bytes:], refusal


class Status:
    """Says in the log how many lines are written, from time to time and at the end."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._start_s = self._said_s = time.monotonic()
        self._said_lines = 0

    def report(self, lines: int) -> None:
        """Write a status line if it is time for one."""
        now_s = time.monotonic()
        if now_s - self._said_s >= self._every_s:
            rate = (lines - self._said_lines) / (now_s - self._said_s)
            logger.info("{:,} lines written; {:,.1f} lines/s lately", lines, rate)
            self._said_s, self._said_lines = now_s, lines

    def summarise(self, lines: int) -> None:
        """Write the last line."""
        seconds = max(time.monotonic() - self._start_s, 0.001)
        logger.info("stopped: {:,} lines written in {:,.2f} s, {:,.1f} lines/s", lines, seconds, lines / seconds)


def _run(config: Config, options: argparse.Namespace, stop: StopRequest) -> None:
    if options.stop_with_stdin:
        stop.stop_with(sys.stdin.fileno())
    seed = SystemRandom().randrange(_SEEDS) if config.producer_seed is None else config.producer_seed
    # In whole milliseconds, as the log shows it, so that the run can be repeated from its log.
    start = timestamp_at(time.time()) if options.start is None else options.start
    rng = Random(seed)  # noqa: S311 - a simulation must be repeatable
    plant = Plant(config.producer_machines, config.producer_interval_s, epoch_seconds(start), rng, config.limits)
    max_bytes = round(config.live_file_max_mb * _BYTES_A_MB)
    live_file = LiveFile(config.live_file, max_bytes, time.time, lambda: stop.requested)
    for folder in made_folders([config.live_file.parent]):
        logger.info("made the folder {}", shown(folder))
    status = Status(config.status_every_s)
    with closing(live_file), _truth_file(options.truth) as truth:
        with suppress(NoRoomError):  # which is waited for at the first line
            live_file.open()
        logger.info(
            "reporting to {} every {:g} s, machines: {}; to repeat: --seed {} --start {}",
            shown(config.live_file),
            config.producer_interval_s,
            config.producer_machines,
            seed,
            start,
        )
        feed = Feed(plant, config.limits, live_file, stop, truth)
        try:
            if options.no_wait:
                _run_unpaced(feed, status, options.count, stop)
            else:
                _run_paced(plant, feed, status, options, stop)
        finally:
            status.summarise(feed.lines)


def _run_unpaced(feed: Feed, status: Status, count: int | None, stop: StopRequest) -> None:
    while not stop.requested and (left := _left(count, feed, _LINES_A_WRITE)):
        feed.send(left)
        status.report(feed.lines)


def _run_paced(plant: Plant, feed: Feed, status: Status, options: argparse.Namespace, stop: StopRequest) -> None:
    pace = Pace(plant.interval_s, time.monotonic())
    while left := _left(options.count, feed, len(plant.machines)):
        stop.wait(pace.wait_s(time.monotonic()))
        if stop.requested:
            return
        if options.start is None and abs(time.time() - plant.now_s) > _CLOCK_TOLERANCE_S:
            plant.set_clock(time.time())  # rounds were left out, or someone has set the clock of this computer
        feed.send(left)
        status.report(feed.lines)
        pace.next_round(time.monotonic())


def _left(count: int | None, feed: Feed, at_once: int) -> int:
    return at_once if count is None else min(at_once, count - feed.lines)


def _lines(plant: Plant, limits: Limits, truth: TextIO | None) -> Iterator[str]:
    rate = limits.rate
    while True:
        readings = plant.next_round()
        if truth is not None:
            truth.writelines(map(_truth_line, plant.machines, readings))
        for reading in readings:
            efficiency_score, efficiency_level, _, _ = rate(reading)
            yield to_line(reading, efficiency_score, efficiency_level)


def _truth_line(machine: Machine, reading: Reading) -> str:
    """Return what is true of a machine at the moment of a reading, as a JSON line."""
    truth = {
        "machine_id": reading.machine_id,
        "timestamp": reading.timestamp,
        "mode": reading.mode,
        "wear": machine.wear,
        "fault": machine.fault,
        "running_s_to_limit": machine.running_s_to_limit,
    }
    return json.dumps(truth) + "\n"


@contextmanager
def _truth_file(path: Path | None) -> Iterator[TextIO | None]:
    """Open the file that takes the truth, if one is wanted. Raises PipelineError if it cannot be opened."""
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="utf-8", newline="\n")
    except OSError as error:
        raise PipelineError(f"--truth {shown(path)}: {error.strerror}; give a path that can be written") from None
    with file:
        yield file


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m producers.producer_case",
        description="Simulate a plant whose machines report to the live file.",
        allow_abbrev=False,
    )
    for setting, metavar, meaning in (
        ("PRODUCER_MACHINES", "N", "machines of the plant"),
        ("PRODUCER_INTERVAL_S", "SECONDS", "every machine reports once an interval"),
        ("PRODUCER_SEED", "N", "the same seed gives the same plant"),
        ("LIVE_FILE", "PATH", "the live file"),
    ):
        add_setting(parser, setting, _FLAG_BY_SETTING[setting], metavar, meaning)
    parser.add_argument("--count", metavar="N", type=_count, help="stop after N messages")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not sleep: the plant's clock still advances an interval a round"
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help=argparse.SUPPRESS)  # for --demo
    parser.add_argument(
        "--start", metavar="TIMESTAMP", type=_timestamp, help="the plant's first moment, ISO 8601 (default: now)"
    )
    parser.add_argument(
        "--truth", metavar="PATH", type=Path, help="also write the simulated truth, a JSON line a reading"
    )
    return parser


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{shown(repr(text))}; expected a whole number from 1")
    return count


def _timestamp(text: str) -> str:
    try:
        return utc_timestamp(text)
    except MessageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
