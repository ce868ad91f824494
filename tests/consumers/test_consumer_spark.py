"""The consumer on Spark as a command: killed again and again, on a cluster, and without what it needs."""

import os
import random
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from tests.consumers.spark.support import HAS_PACKAGES, QUICK_START, needs_spark, rows_of
from tests.support import PROJECT, line, lines_until, run, running, start_command, until

SPARK = "consumers.consumer_spark"
KILLS = int(os.environ.get("NIGHTLY_KILLS", "2"))
SUBMIT = Path(sys.executable).with_name("spark-submit")
ON_THIS_MACHINE = {"SPARK_LOCAL_IP": "127.0.0.1", "JAVA_TOOL_OPTIONS": QUICK_START}
INSTALL = "Spark needs Java 17 or newer and requirements-spark.txt: install both"


def batches_begun(output: Path) -> int:
    return len(list(output.glob("_checkpoint/offsets/[0-9]*")))


@needs_spark
def test_a_job_that_is_killed_again_and_again_counts_each_line_once_and_reads_what_comes_meanwhile(
    tmp_path: Path,
) -> None:
    rng = random.Random(13)
    folder, output = tmp_path / "plants" / "north", tmp_path / "out"
    folder.mkdir(parents=True)
    (folder / "live.json.1").write_text(line(999_999))
    flags = ("--source", str(folder / "live.json"), "--output", str(output))
    settings = {"SPARK_SETTLE_S": "0", "SPARK_MASTER": "local[2]", "SPARK_SEGMENTS_PER_BATCH": "1"}
    settings["JAVA_TOOL_OPTIONS"] = QUICK_START

    def rotate(number: int) -> None:
        (folder / "live.json").write_text("".join(line(200 * number + machine) for machine in range(200)))
        (folder / "live.json").rename(folder / f"live.json-20261122T{number:06}Z")

    for kill in range(KILLS):
        rotate(kill)
        begun = batches_begun(output)
        with running(SPARK, *flags, cwd=tmp_path, **settings) as process:
            if rng.random() < 0.8:  # else it dies wherever it is, as likely as not at its start
                until(lambda: batches_begun(output) > begun or process.poll() is not None, 60)  # noqa: B023
            with suppress(TimeoutExpired):
                process.communicate(timeout=rng.uniform(0, 5))
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
    with running(SPARK, *flags, cwd=tmp_path, **settings) as process:
        until(lambda: rows_of(output, "readings", "machine_id").total() == 200 * KILLS, 120)
        rotate(KILLS)
        (folder / "live.json").write_text(line(999_998))
        until(lambda: rows_of(output, "readings", "machine_id").total() > 200 * KILLS, 120)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "not read: 1 file with a number in the name" in said
    assert rows_of(output, "readings", "machine_id") == Counter((number,) for number in range(200 * (KILLS + 1)))
    assert len(list((output / "readings").iterdir())) == KILLS + 1  # of each batch, one try is left


def submit_command() -> str:
    """The README's commands that run the consumer on a cluster."""
    (found,) = re.findall(
        r"```bash\n([^`]*spark-submit [^`]*)```", (PROJECT / "README.md").read_text(encoding="utf-8")
    )
    return str(found)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """A master with workers of one core, each a process, on 127.0.0.1; its address."""
    place = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    deploy, spark_class = "org.apache.spark.deploy", SUBMIT.with_name("spark-class")
    with ExitStack() as stack:

        def start(role: str, *more: str, until_words: str) -> str:
            command: list[str | Path] = [spark_class, f"{deploy}.{role.lower()}.{role}", *place, *more]
            process = start_command(command, folder, **ON_THIS_MACHINE, PYSPARK_PYTHON=sys.executable)
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return [*lines_until(process, until_words)][-1]

        said = start("Master", until_words="Starting Spark master at")
        master = re.search(r"spark://\S+:\d+", said)
        assert master is not None
        for number in range(workers):
            work = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"work{number}"))
            start("Worker", *work, master[0], until_words="Successfully registered with master")
        yield master[0]


@needs_spark
@pytest.mark.skipif(not SUBMIT.exists(), reason="needs the spark-submit of pyspark beside Python")
def test_the_readmes_command_runs_it_on_a_cluster(tmp_path: Path) -> None:
    for name in ("consumers", "utils"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for plant in ("north", "south"):
        folder = tmp_path / "data" / "plants" / plant
        folder.mkdir(parents=True)
        (folder / "project_live.json-20261122").write_text(line(7) + '{"no": "reading"}\n')
    path = f"{SUBMIT.parent}{os.pathsep}{os.environ['PATH']}"
    with cluster(tmp_path, 2) as master:
        command = submit_command().replace("spark://127.0.0.1:7077", master)
        assert master in command
        settings = {"PATH": path, "PYTHONPATH": "", "SPARK_SETTLE_S": "0"}
        process = start_command(["bash", "-euc", command], tmp_path, **settings, **ON_THIS_MACHINE)
        try:
            said, _ = process.communicate(timeout=240)
        finally:
            process.kill()
    assert process.returncode == 0, said
    output = tmp_path / "data" / "spark"
    assert rows_of(output, "readings", "plant", "machine_id") == Counter([("north", 7), ("south", 7)])
    assert rows_of(output, "rejected_messages", "plant").total() == 2
    executors = {path.parent.parent.parent.name for path in tmp_path.glob("work*/app-*/*/stderr")}
    assert executors == {"work0", "work1"}


def test_without_its_packages_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pandas.py").write_text("raise ImportError(\"No module named 'pandas'\")")
    status, said = run(SPARK, "--once", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{PROJECT}")
    assert status == 1
    assert f"No module named 'pandas'; {INSTALL}" in said
    assert "Traceback" not in said


@pytest.mark.skipif(not HAS_PACKAGES, reason="needs requirements-spark.txt")
@pytest.mark.skipif(sys.platform == "win32", reason="needs programs that are links")
def test_without_java_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    status, said = run(SPARK, "--once", cwd=tmp_path, PATH=str(tmp_path), JAVA_HOME="", SPARK_HOME="")
    assert status == 1
    assert re.search(rf"Spark does not start: [^\n]*{re.escape(INSTALL)}", said)
    assert "Traceback" not in said


def test_the_command_ends_with_2_on_a_bad_setting(tmp_path: Path) -> None:
    status, said = run(SPARK, "--once", cwd=tmp_path, SPARK_SETTLE_S="soon")
    assert status == 2
    assert "SPARK_SETTLE_S" in said
