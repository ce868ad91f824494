"""The command `python -m consumers.consumer_meyer`: live file to SQLite and the live dashboard."""

from utils.stop import StopRequest, end_quietly_until_installed

if __name__ == "__main__":
    end_quietly_until_installed()  # what follows takes a while to import

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from loguru import logger

from consumers.demo import running_producer
from consumers.drawing import draw_once, follow, import_matplotlib
from consumers.follow.tail import Tail
from consumers.follow.trouble import Missing, Unreadable
from consumers.growth import GrowthWatch
from consumers.ingest import ingest
from consumers.loop import POLL_S, Loop
from consumers.machines.fleet import Fleet
from consumers.machines.plant_clock import PlantClock
from consumers.pipeline import Judge, Pipeline
from consumers.report import Reporter, account_line, all_rejected_line, summary_line
from consumers.restored import (
    restored_forecasting,
    restored_plant,
    restored_watch,
    view_settings,
)
from consumers.store.errors import StoreError, StoreFullError, StoreWaitError
from consumers.store.store import Store
from consumers.watch import Watch
from utils.command import Parser, add_setting, run_command
from utils.errors import PipelineError
from utils.message import timestamp_at
from utils.paths import made_folders, require_not_written
from utils.setting import parse_picture
from utils.settings import Config, inherited_environment
from utils.text import count, shown

_OBJECTS_A_COLLECTION: Final = 100_000
"""Rows are made by the thousand and refer to nothing that refers to them: to look for that after every 700 new
objects, as Python does by itself, takes time and finds nothing."""
ALERTS_END_WITHIN_S: Final = {False: 5.0, True: 30.0}
"""For so long at most the end waits for alerts that are due; `--once` is True."""
_FLAG_BY_SETTING: Final = {"LIVE_FILE": "--file", "DATABASE_FILE": "--db"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the consumer; returns the exit status: 0, or 1 where it could not go on. Bad usage exits with 2."""
    return run_command("consumer", _parser(), _FLAG_BY_SETTING, argv, _run)


def _run(config: Config, options: argparse.Namespace, stop: StopRequest) -> None:
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    # The folder by its one true name; the file by the name it was given, as a link may come to name another file.
    live_file = Path(os.path.realpath(config.live_file.parent)) / config.live_file.name
    _check_pictures(config, options)
    is_drawn = options.snapshot is not None or not (options.headless or options.once)
    if is_drawn:
        import_matplotlib()
    for folder in made_folders(_folders(config, options)):
        _say(f"made the folder {shown(folder)}")
    with ExitStack() as cleanup:
        store = _open_store(config, stop, is_full_waited_for=not options.once)
        if store is None:
            return
        cleanup.enter_context(closing(store))
        plant_clock, fleet = restored_plant(config, store, timestamp_at(time.time()), is_drawn=is_drawn)
        tail = cleanup.enter_context(closing(_tail(config, live_file, store, is_once=options.once)))
        reporter = Reporter(_say, _warn, time.monotonic, config.status_every_s, config.stale_after_s)
        watch = restored_watch(store, config, inherited_environment(), _say, _warn, reporter.all_rejected)
        pipeline = _pipeline(config, tail, store, fleet, reporter, stop, plant_clock, watch)
        known = count(len(fleet.machines), "machine")
        _say(f"reading {shown(live_file)} into {shown(config.database_file)}; {known} known")
        cleanup.enter_context(_summary(pipeline, store, reporter))
        cleanup.callback(watch.finish, ALERTS_END_WITHIN_S[options.once], time.sleep)
        child = cleanup.enter_context(running_producer(live_file)) if options.demo else None
        growth = _growth_watch(config, store, live_file)
        forecasting = restored_forecasting(config, store, fleet, watch.log.tell)
        loop = Loop(
            config, pipeline, fleet, tail, reporter, stop, child, growth, watch=watch, forecasting=forecasting
        )
        if options.once:
            _read_once(config, options, loop, tail, fleet)
        else:
            follow(config, options, loop, fleet, _warn)


def _check_pictures(config: Config, options: argparse.Namespace) -> None:
    """Raise PipelineError if a picture would be drawn over the live file or the database."""
    pictures = ((config.snapshot_file, "SNAPSHOT_FILE"), (options.snapshot, "--snapshot"))
    for picture, setting in pictures:
        if picture is not None:
            meaning = f"the picture of the dashboard; set {setting} or it"
            require_not_written(picture, meaning, config.live_file, config.database_file)


def _folders(config: Config, options: argparse.Namespace) -> list[Path]:
    """Return the folders that are written to, and that of the live file if it is waited for."""
    files = [config.database_file, *([options.snapshot] if options.snapshot is not None else [])]
    return [file.parent for file in (files if options.once else [*files, config.live_file])]


def _open_store(config: Config, stop: StopRequest, *, is_full_waited_for: bool) -> Store | None:
    """Open the database, waiting for its lock if need be; return None if someone asks to stop meanwhile."""
    told: type[StoreWaitError] | None = None
    while not stop.requested:
        try:
            return Store(
                config.database_file,
                config.keep_rejected,
                config.keep_readings_days,
                config.keep_minutes_days,
                view_settings(config),
                keeps_alerts=bool(config.alert_command),
            )
        except StoreWaitError as error:
            if isinstance(error, StoreFullError) and not is_full_waited_for:
                raise
            if told is not type(error):
                _warn(f"{error}; waiting")
            told = type(error)
            stop.wait(max(POLL_S, error.retry_after_s))
    return None


def _pipeline(
    config: Config,
    tail: Tail,
    store: Store,
    fleet: Fleet,
    reporter: Reporter,
    stop: StopRequest,
    plant_clock: PlantClock,
    watch: Watch,
) -> Pipeline:
    return Pipeline(
        tail,
        store,
        fleet,
        _judge(config, stop),
        time.time,
        _say,
        _warn,
        reporter.rejected,
        plant_clock=plant_clock,
        report_events=watch.log.tell,
        fields=config.fields,
    )


def _tail(config: Config, live_file: Path, store: Store, *, is_once: bool) -> Tail:
    return Tail(
        live_file,
        store.streams(),
        _say,
        _warn,
        time.monotonic,
        is_once=is_once,
        deletes_finished=config.delete_finished_files == "YES",
    )


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


def _read_once(config: Config, options: argparse.Namespace, loop: Loop, tail: Tail, fleet: Fleet) -> None:
    if not loop.read_all():
        return
    if isinstance(tail.trouble, Missing) and not tail.has_files:
        raise PipelineError(f"{tail.trouble}: start the producer, or name a file with --file")
    if options.snapshot is not None:
        draw_once(config, fleet, loop, options.snapshot)
        _say(f"dashboard drawn to {shown(options.snapshot)}")
    tally = loop.tally
    if tally.rejected_lines and not tally.stored_lines:
        raise PipelineError(all_rejected_line(tally.rejected_lines))
    unread = [str(trouble) for trouble in (tail.trouble, *tail.unread) if isinstance(trouble, Unreadable)]
    if unread:
        raise PipelineError(f"not everything was read: {'; '.join(unread)}. Make it readable and run this again")


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
    parser.add_argument("--toolbar", action="store_true", help="show the window's toolbar: zoom, pan, save")
    either.add_argument("--demo", action="store_true", help="run the producer too, and stop it at the end")
    return parser


def _picture(text: str) -> Path:
    try:
        return parse_picture(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}; expected {error}") from None


def _say(text: str) -> None:
    logger.info("{}", text)


def _warn(text: str) -> None:
    logger.warning("{}", text)


if __name__ == "__main__":
    sys.exit(main())
