"""The command `python -m consumers.consumer_meyer`: live file to SQLite and the live dashboard."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from loguru import logger

from consumers.follow.tail import Tail
from consumers.growth import GrowthWatch
from consumers.ingest import ingest
from consumers.machines.fleet import Fleet
from consumers.machines.plant_clock import PlantClock
from consumers.pipeline import Judge, Pipeline
from consumers.report import Reporter, account_line, summary_line
from consumers.store.errors import StoreError, StoreFullError, StoreWaitError
from consumers.store.store import Store
from utils.command import Parser, add_setting, run_command
from utils.errors import PipelineError
from utils.message import timestamp_at
from utils.settings import Config
from utils.stop import StopRequest
from utils.text import printable

POLL_S: Final = 0.05
REFRESH_S: Final = 2.0
SLICE_S: Final = 0.04
"""Lines are read for no longer than this before the window gets its turn."""
CATCH_UP_SLICE_S: Final = 0.15
"""The same while there is much to catch up with: the window answers more slowly, and the readings come sooner."""
CLOCK_READINGS: Final = 2_000
"""From as many of the newest readings it is known what time it is in the plant."""
RECENT_READINGS: Final = 20_000
"""As many of the newest readings are kept for the dashboard."""
_CHILD_ENDS_WITHIN_S: Final = 5.0
_FLAG_BY_SETTING: Final = {"LIVE_FILE": "--file", "DATABASE_FILE": "--db"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the consumer; returns the exit status: 0, or 1 where it could not go on. Bad usage exits with 2."""
    return run_command("consumer", _parser(), _FLAG_BY_SETTING, argv, _run)


class Consumer:
    """The pipeline at work: reads, reports, draws, until someone asks it to stop."""

    def __init__(
        self,
        config: Config,
        pipeline: Pipeline,
        fleet: Fleet,
        tail: Tail,
        reporter: Reporter,
        stop: StopRequest,
        child: "subprocess.Popen[bytes] | None",
        growth: GrowthWatch,
    ) -> None:
        self._config = config
        self._pipeline = pipeline
        self._fleet = fleet
        self._tail = tail
        self._reporter = reporter
        self._stop = stop
        self._child = child
        self._growth = growth
        self._is_behind = False

    def read_all(self) -> bool:
        """Read what is there, to the end; return False if asked to stop before.

        A database that is locked is waited for. A full disk is not: whoever started this waits for its end.
        """
        while not self._stop.requested:
            if not self._work(time.monotonic() + SLICE_S):
                waiting = self._pipeline.waiting
                if waiting is None:
                    return True
                if isinstance(waiting.error, StoreFullError):
                    raise waiting.error
                self._stop.wait(POLL_S)
        return False

    def tick(self) -> bool:
        """Read for a slice of time; False when it is time to stop."""
        self._is_behind = self._work(time.monotonic() + (CATCH_UP_SLICE_S if self._is_behind else SLICE_S))
        return not self._stop.requested

    def follow(self, draw: Callable[[], None] | None) -> None:
        """Read on as lines come, without a window; `draw` is called every `REFRESH_S`."""
        drawn_s = -REFRESH_S
        while not self._stop.requested:
            is_busy = self._work(time.monotonic() + SLICE_S)
            if draw is not None and time.monotonic() - drawn_s >= REFRESH_S:
                draw()
                drawn_s = time.monotonic()
            if not is_busy:
                self._stop.wait(POLL_S)

    def _work(self, until_s: float) -> bool:
        """Take chunks until the time is over or nothing is left; tells whether there may be more."""
        has_more = True
        while has_more and time.monotonic() < until_s:
            has_more = self._pipeline.step()
        pipeline = self._pipeline
        self._reporter.report(
            self._fleet, pipeline.tally, self._config.limits, self._tail.unread_bytes, pipeline.waiting
        )
        self._growth.look(pipeline.plant_clock.now)
        status = None if self._child is None else self._child.poll()
        if status is not None and not self._stop.requested:
            raise PipelineError(f"the producer has ended by itself, with status {status}; see its messages")
        return has_more


def _run(config: Config, options: argparse.Namespace, stop: StopRequest) -> None:
    # The folder by its one true name; the file by the name it was given, as a link may come to name another file.
    live_file = Path(os.path.realpath(config.live_file.parent)) / config.live_file.name
    if os.path.realpath(live_file) == os.path.realpath(config.database_file):
        raise PipelineError(f"{_shown(live_file)} cannot be both the live file and the database")
    is_drawn = options.snapshot is not None or not (options.headless or options.once)
    if is_drawn:
        _import_matplotlib()
    with ExitStack() as cleanup:
        store = _open_store(config, stop, is_full_waited_for=not options.once)
        if store is None:
            return
        cleanup.enter_context(closing(store))
        fleet = _restored_fleet(store, RECENT_READINGS if is_drawn else 0, config.machines_at_most)
        tail = cleanup.enter_context(closing(Tail(live_file, store.streams(), _say, _warn, time.monotonic)))
        reporter = Reporter(_say, _warn, time.monotonic, config.status_every_s, config.stale_after_s)
        plant_clock = _restored_plant_clock(store)
        pipeline = Pipeline(
            tail,
            store,
            fleet,
            _judge(config, stop),
            time.time,
            _say,
            _warn,
            reporter.rejected,
            plant_clock=plant_clock,
        )
        _say(
            f"reading {_shown(live_file)} into {_shown(config.database_file)}; {len(fleet.machines):,} machines known"
        )
        cleanup.enter_context(_summary(pipeline, store, reporter))
        child = cleanup.enter_context(_producer(live_file)) if options.demo else None
        growth = _growth_watch(config, store, live_file)
        consumer = Consumer(config, pipeline, fleet, tail, reporter, stop, child, growth)
        if options.once:
            _read_once(config, options, consumer, tail, fleet)
        else:
            _follow(config, options, consumer, fleet)


def _import_matplotlib() -> None:
    """Import what draws, before anything is begun: matplotlib refuses an unknown MPLBACKEND as it is imported."""
    try:
        import_module("consumers.board.window")
    except ValueError as error:
        raise PipelineError(
            f"matplotlib, which draws the dashboard, does not start: {printable(str(error))}. If MPLBACKEND is set, "
            "unset it or name one of these; or run with --headless"
        ) from error
    except ImportError as error:
        raise PipelineError(
            f"matplotlib, which draws the dashboard, cannot be imported: {printable(str(error))}; "
            "install requirements.txt, or run with --headless"
        ) from error


def _open_store(config: Config, stop: StopRequest, *, is_full_waited_for: bool) -> Store | None:
    """Open the database, waiting for its lock if need be; return None if someone asks to stop meanwhile."""
    told: type[StoreWaitError] | None = None
    while not stop.requested:
        try:
            return Store(
                config.database_file, config.keep_rejected, config.keep_readings_days, config.keep_minutes_days
            )
        except StoreWaitError as error:
            if isinstance(error, StoreFullError) and not is_full_waited_for:
                raise
            if told is not type(error):
                _warn(f"{error}; waiting")
            told = type(error)
            stop.wait(max(POLL_S, error.retry_after_s))
    return None


def _restored_fleet(store: Store, recent_readings: int, machines_at_most: int) -> Fleet:
    recent = store.newest_rows(recent_readings) if recent_readings else ()
    return Fleet(recent_readings, store.machines(), recent, machines_at_most)


def _restored_plant_clock(store: Store) -> PlantClock:
    clock = PlantClock(store.plant_at)
    clock.restore(store.newest_rows(CLOCK_READINGS), timestamp_at(time.time()))
    return clock


def _growth_watch(config: Config, store: Store, live_file: Path) -> GrowthWatch:
    return GrowthWatch(
        Path(os.path.realpath(config.database_file)),
        live_file,
        store.size_bytes,
        store.oldest_reading_at,
        config.keep_readings_days,
        _warn,
        time.monotonic,
    )


def _judge(config: Config, stop: StopRequest) -> Judge:
    """Return what judges lines: by this plant's limits, and until someone asks to stop."""
    return partial(
        ingest, limits=config.limits, keep_rejected=config.keep_rejected, is_stopped=lambda: stop.requested
    )


def _read_once(config: Config, options: argparse.Namespace, consumer: Consumer, tail: Tail, fleet: Fleet) -> None:
    if not consumer.read_all():
        return
    if not tail.has_sources:
        raise PipelineError(f"{tail.trouble}: start the producer, or name a file with --file")
    if options.snapshot is not None:
        from consumers.board.board import snapshot_figure  # noqa: PLC0415 - as below

        _painter(config, fleet, snapshot_figure(), options.snapshot)()
        _say(f"dashboard drawn to {_shown(options.snapshot)}")


def _follow(config: Config, options: argparse.Namespace, consumer: Consumer, fleet: Fleet) -> None:
    """Read on as lines come; with a window if one is wanted and can be had."""
    if options.headless and options.snapshot is None:
        consumer.follow(None)
        return
    from consumers.board import board as dashboard  # noqa: PLC0415 - matplotlib only where a dashboard is wanted
    from consumers.board import window  # noqa: PLC0415 - as above

    picture = options.snapshot
    if not options.headless:
        try:
            figure = window.open_window_figure()
        except window.NoWindowError as error:
            picture = picture or config.snapshot_file
            _warn(f"{error}; the dashboard is drawn to {_shown(picture)} instead")
        else:
            paint = _painter(config, fleet, figure, picture)
            window.show_window(figure, consumer.tick, paint, POLL_S, REFRESH_S)
            return
    paint = _painter(config, fleet, dashboard.snapshot_figure(), picture)
    consumer.follow(window.keep_drawing(paint))


def _painter(config: Config, fleet: Fleet, figure: Any, picture: Path | None) -> Callable[[], None]:
    """Make the function that brings the dashboard in `figure` up to date, and the picture of it, if one is wanted."""
    from consumers.board.board import Dashboard  # noqa: PLC0415 - as above

    board = Dashboard(
        figure,
        config.limits,
        config.dashboard_window_min,
        config.stale_after_s,
        f"readings in {config.live_file}",
    )

    def paint() -> None:
        board.update(fleet, timestamp_at(time.time()))
        if picture is not None:
            board.save(picture)

    return paint


@contextmanager
def _summary(pipeline: Pipeline, store: Store, reporter: Reporter) -> Iterator[None]:
    """Say what was done and what became of every line, however the work ends."""
    begin_s = time.monotonic()
    try:
        yield
    finally:
        reporter.flush()
        _say(f"read {summary_line(pipeline.tally, time.monotonic() - begin_s)}")
        with suppress(StoreError):  # a database that ended the work has its own message
            _say(f"in the database: {account_line(store.account())}")


@contextmanager
def _producer(live_file: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the producer beside this process, as a person would in another terminal."""
    command = [sys.executable, "-m", "producers.producer_case", "--file", str(live_file), "--stop-with-stdin"]
    # The pipe ends with this process, even if that is killed: the producer is never left behind.
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:  # noqa: S603 - this interpreter, and a path of the user's own
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(_CHILD_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m consumers.consumer_meyer",
        description="Read the live file into SQLite and show the live dashboard.",
        allow_abbrev=False,
    )
    add_setting(parser, "LIVE_FILE", "--file", "PATH", "the live file to read")
    add_setting(parser, "DATABASE_FILE", "--db", "PATH", "the SQLite database to write")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--once", action="store_true", help="read what is there, save it, print the summary, exit")
    parser.add_argument("--headless", action="store_true", help="no dashboard")
    parser.add_argument(
        "--snapshot", metavar="PNG", type=_picture, help="also draw the dashboard to this file; needs no display"
    )
    either.add_argument("--demo", action="store_true", help="run the producer too, and stop it at the end")
    return parser


def _picture(text: str) -> Path:
    if not Path(text).name:
        raise argparse.ArgumentTypeError(f"{text!r}; expected the path of a file")
    return Path(text)


def _shown(path: Path) -> str:
    return printable(str(path))


def _say(text: str) -> None:
    logger.info("{}", text)


def _warn(text: str) -> None:
    logger.warning("{}", text)


if __name__ == "__main__":
    sys.exit(main())
