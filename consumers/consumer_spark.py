"""The command that reads the closed segments of many plants on Apache Spark: `python -m consumers.consumer_spark`."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from loguru import logger

from consumers.spark.job import BATCHES, Job
from consumers.spark.report import answers, as_text, make_views
from consumers.spark.segments import Catalog, find_segments
from utils.command import Parser, add_setting, run_command
from utils.errors import PipelineError
from utils.settings import Config
from utils.stop import StopRequest
from utils.text import count, printable, shown

_FLAG_BY_SETTING: Final = {"SPARK_SOURCE": "--source", "SPARK_OUTPUT": "--output", "SPARK_MASTER": "--master"}
_LOOK_EVERY_S: Final = 1.0
_INSTALL: Final = "Spark needs Java 17 or newer and requirements-spark.txt: install both"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the consumer on Spark; returns the exit status: 0, or 1 where it could not go on. Bad usage: 2."""
    return run_command("consumer_spark", _parser(), _FLAG_BY_SETTING, argv, _run)


def _run(config: Config, options: argparse.Namespace, stop: StopRequest) -> None:
    with _session(config) as spark:
        stop.install()  # Spark has put its own listener in the place of ours
        if options.report:
            _report(config, spark)
            return
        job = Job(spark, config.spark_output, config.limits, config.fields)
        with _told_errors(config):
            _read(config, job, stop, is_once=options.once)


def _read(config: Config, job: Job, stop: StopRequest, *, is_once: bool) -> None:
    catalog = job.catalog()
    _look(config, catalog, is_first=True)
    query = job.start(config.spark_segments_per_batch, is_once=is_once)
    try:
        while not stop.requested and not query.awaitTermination(_LOOK_EVERY_S):
            if not is_once:
                _look(config, catalog)
    finally:
        query.stop()


def _look(config: Config, catalog: Catalog, *, is_first: bool = False) -> None:
    """Add the segments that are new by now to the catalog."""
    found = find_segments(config.spark_source, config.spark_settle_s, time.time())
    if found.numbered and is_first:
        logger.warning(
            "not read: {} with a number in the name, such as {}: the next rotation renames it, and its lines would "
            "count again; rotate with a date in the name (logrotate: dateext)",
            count(len(found.numbered), "file"),
            shown(found.numbered[0]),
        )
    if added := catalog.add(found.segments):
        logger.info("{} to read, beside {}", count(added, "new segment"), shown(config.spark_source))
    elif is_first:
        logger.info("no new segment beside {}", shown(config.spark_source))


def _report(config: Config, spark: Any) -> None:
    if not (config.spark_output / BATCHES).is_dir():
        raise PipelineError(f"nothing was read into {shown(config.spark_output)} yet; run this with --once first")
    make_views(spark, config.spark_output)
    for answer in answers(spark):
        sys.stdout.write(as_text(*answer) + "\n\n")


@contextmanager
def _session(config: Config) -> Iterator[Any]:
    """Open a Spark session: of spark-submit, or of its own."""
    try:
        import pandas  # noqa: F401, ICN001, PLC0415 - only where Spark is
        import pyarrow  # noqa: F401, ICN001, PLC0415 - as above
        from pyspark.errors import PySparkException  # noqa: PLC0415 - as above
        from pyspark.sql import SparkSession  # noqa: PLC0415 - as above
    except ImportError as error:
        raise PipelineError(f"{printable(str(error))}; {_INSTALL}") from error
    builder = SparkSession.builder.appName("manufacturing-analytics")
    for name, value in SPARK_SETTINGS.items():
        builder = builder.config(name, value)
    if config.spark_master != "auto":
        builder = builder.master(config.spark_master)
    try:
        spark = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise PipelineError(f"Spark does not start: {printable(str(error))}. {_INSTALL}") from error
    if spark.sparkContext.master.startswith("local"):
        spark.sparkContext.pythonExec = sys.executable  # its workers run in this environment
    try:
        yield spark
    finally:
        spark.stop()


SPARK_SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
}


@contextmanager
def _told_errors(config: Config) -> Iterator[None]:
    """Say what went wrong in Spark in one sentence."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - only where Spark is

    try:
        yield
    except PySparkException as error:
        told = [line for line in str(error).splitlines() if "SegmentError: " in line]
        text = told[-1].partition("SegmentError: ")[2] if told else str(error).partition("\n")[0]
        raise PipelineError(f"{printable(text)} (nothing of this batch counts)") from error
    except OSError as error:
        raise PipelineError(
            f"cannot use {shown(error.filename or config.spark_output)}: {error.strerror}; make it usable, "
            "or set SPARK_SOURCE (--source) or SPARK_OUTPUT (--output) to another path"
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m consumers.consumer_spark",
        description="Read the closed segments of the live files of many plants into Parquet, on Apache Spark.",
        allow_abbrev=False,
    )
    add_setting(parser, "SPARK_SOURCE", "--source", "GLOB", "the live files; what rotation leaves of them is read")
    add_setting(parser, "SPARK_OUTPUT", "--output", "FOLDER", "where the Parquet files are written")
    add_setting(parser, "SPARK_MASTER", "--master", "MASTER", "Spark's master")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--once", action="store_true", help="read what is there, then end")
    either.add_argument("--report", action="store_true", help="print what the Parquet files hold, then end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
