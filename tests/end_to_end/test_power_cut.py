"""Power cuts: what the disk held at some moment is mounted again, and every line on it is counted once.

The live file and the database lie on a file system of their own, in an image file. What the two commands wrote is at
first only in this computer's memory; the image holds what has reached the disk. So a copy of the image, made while
they run, is the disk as a power cut would have left it.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.support import CONSUMER, PRODUCER, command_environment, query, run, until
from utils.message import MessageError, Reading, from_line

CUTS = int(os.environ.get("NIGHTLY_CUTS", "3"))
"""3 in the suite, one of each kind; more in the nightly form."""
IMAGE_BYTES = 128 * 1024 * 1024
TOOLS = ("mkfs.ext4", "mount", "umount", "losetup", "sync", "cp", "cmp")
PLANT = ("--machines", "200", "--interval", "0.01", "--seed", "1")
"""20,000 lines a second: the database is written to the disk every few seconds, the file rotated as often."""
ROTATED_AT_MB = "5"
LINES_AFTER_A_CUT = "300"


class Disk(NamedTuple):
    """An image of a file system, where it is mounted, and the two files on it."""

    image: Path
    mount_point: Path

    @property
    def live_file(self) -> Path:
        return self.mount_point / "plant" / "live.json"

    @property
    def database(self) -> Path:
        return self.mount_point / "plant" / "analytics.sqlite"

    def files(self) -> list[Path]:
        """Return the live file and those that it was renamed to."""
        return sorted(self.mount_point.glob("plant/live*.json"))

    def written_bytes(self) -> int:
        """Return the size of all files; 0 if one is renamed at this moment."""
        with contextlib.suppress(FileNotFoundError):
            return sum(file.stat().st_size for file in self.files())
        return 0

    def consumer_arguments(self) -> tuple[str | Path, ...]:
        return ("--headless", "--file", self.live_file, "--db", self.database)


class Cut(NamedTuple):
    """The disk as a power cut leaves it, and what both commands had done until then."""

    disk: Disk
    written_bytes: int
    stored_rows: int


class Outcome(NamedTuple):
    """What a power cut took from the disk, and the harm that it did."""

    missing_bytes: int
    """Of the live file and those that it was renamed to: written, but not on the disk."""
    missing_rows: int
    lost_lines: int
    """On the disk, but no rows."""
    doubled_rows: int
    rows_without_line: int
    """The database was ahead of the files: the disk does not hold the lines of these rows."""
    faults: list[str]

    @property
    def is_harmed(self) -> bool:
        return bool(self.lost_lines or self.doubled_rows or self.rows_without_line or self.faults)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A new file system, which can be mounted here; skips the test where it cannot."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs Linux, to mount a file system from an image")
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system from an image")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, not installed here")
    made = Disk(tmp_path / "disk.img", tmp_path / "mounted")
    made.mount_point.mkdir()
    with made.image.open("wb") as image:
        image.truncate(IMAGE_BYTES)
    # Made whole at once: the file system would otherwise write on in the background.
    how = ("-q", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0")
    subprocess.run(["mkfs.ext4", *how, made.image], check=True)
    try:
        with mounted(made):
            made.live_file.parent.mkdir()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot mount a file system from an image here: {error.stderr.strip()}")
    return made


@contextlib.contextmanager
def mounted(disk: Disk) -> Iterator[Disk]:
    """Mount the image through a loop device, which the kernel lets go of when it is unmounted."""
    subprocess.run(
        ["mount", "-o", "loop", disk.image, disk.mount_point], check=True, stderr=subprocess.PIPE, text=True
    )
    try:
        yield disk
    finally:
        if subprocess.run(["umount", disk.mount_point], check=False).returncode != 0:
            subprocess.run(["umount", "--lazy", disk.mount_point], check=True)


@contextlib.contextmanager
def running(module: str, *arguments: str | Path, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command until the block ends, what it prints in a file: nobody would empty a pipe meanwhile."""
    with (folder / f"{module}.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=folder,
            env=command_environment(LIVE_FILE_MAX_MB=ROTATED_AT_MB),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def pause(process: "subprocess.Popen[bytes]") -> None:
    """Stop a process; what it has asked of the disk just now is done first."""
    process.send_signal(signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), f"{process.args!r} ended before the power cut"


def stored_rows(database: Path) -> int:
    with contextlib.suppress(sqlite3.OperationalError):  # its tables are not made yet
        ((count,),) = query(database, "SELECT coalesce(max(id), 0) FROM manufacturing_analytics")
        return int(count)
    return 0


def wait_for_a_moment(disk: Disk, number: int, rng: Random) -> None:
    """Return at a random moment, or when the database has begun to be written to the disk, or after a rotation."""
    target = stored_rows(disk.database) + rng.randrange(1, 6_000)
    until(lambda: stored_rows(disk.database) >= target)
    if number % 3 == 0:
        # As the kernel does by itself after half a minute: so the disk holds a part of the file, not nothing of it.
        subprocess.run(["sync", "--file-system", disk.mount_point], check=True)
        written_ns = disk.database.stat().st_mtime_ns
        until(lambda: disk.database.stat().st_mtime_ns != written_ns)
    elif number % 3 == 1:
        files = len(disk.files())
        until(lambda: len(disk.files()) > files)


def cut_power(
    disk: Disk, image: Path, consumer: "subprocess.Popen[bytes]", producer: "subprocess.Popen[bytes]"
) -> Cut:
    """Copy the image while both commands stand still, so that the copy is the disk at one moment."""
    rows = stored_rows(disk.database)
    pause(consumer)
    read_bytes = disk.written_bytes()
    until(lambda: disk.written_bytes() > read_bytes)  # lines that no consumer has seen
    pause(producer)
    written_bytes = disk.written_bytes()
    until(lambda: is_copied(disk.image, image))
    for process in (consumer, producer):
        process.send_signal(signal.SIGCONT)
    return Cut(Disk(image, disk.mount_point), written_bytes, rows)


def is_copied(image: Path, copy: Path) -> bool:
    """Copy the image; False if the kernel wrote to it meanwhile, so that the copy is of no one moment."""
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", image, copy], check=True)
    return subprocess.run(["cmp", "--silent", image, copy], check=False).returncode == 0


def run_and_cut(disk: Disk, folder: Path, rng: Random) -> list[Cut]:
    with (
        mounted(disk),
        running(PRODUCER, *PLANT, "--file", disk.live_file, folder=folder) as producer,
        running(CONSUMER, *disk.consumer_arguments(), folder=folder) as consumer,
    ):
        cuts = []
        for number in range(CUTS):
            wait_for_a_moment(disk, number, rng)
            cuts.append(cut_power(disk, folder / f"cut-{number:02}.img", consumer, producer))
        return cuts


def rows_on_the_disk(disk: Disk, spare: Path) -> int:
    """Return the number of rows in a copy of the database: the consumer is to find it as the cut left it."""
    shutil.rmtree(spare, ignore_errors=True)
    spare.mkdir()
    for file in disk.database.parent.glob(f"{disk.database.name}*"):
        shutil.copy(file, spare)
    return stored_rows(spare / disk.database.name)


def outcome_of(cut: Cut, folder: Path, *, is_written_first: bool) -> Outcome:
    """Mount what the cut left, let both commands go on, and compare the lines in the files with the rows."""
    with mounted(cut.disk) as disk:
        missing_bytes = cut.written_bytes - disk.written_bytes()
        missing_rows = max(0, cut.stored_rows - rows_on_the_disk(disk, folder / "spare"))
        faults = [*go_on(disk, folder, is_written_first=is_written_first), *faults_in(disk)]
        lines, rows = lines_in(disk), rows_in(disk)
    assert set(lines.values()) == {1}, (
        "the producer wrote a line twice, which this test cannot tell from a doubled one"
    )
    once = Counter(set(rows))
    lost, doubled, without_line = (lines - once).total(), (rows - once).total(), (once - lines).total()
    return Outcome(missing_bytes, missing_rows, lost, doubled, without_line, faults)


def go_on(disk: Disk, folder: Path, *, is_written_first: bool) -> list[str]:
    """Let a producer append to the live file and a consumer read to the end; returns what failed."""
    plant = ("--machines", LINES_AFTER_A_CUT, "--count", LINES_AFTER_A_CUT, "--no-wait", "--file", disk.live_file)
    append, read = partial(run, PRODUCER, *plant), partial(run, CONSUMER, "--once", *disk.consumer_arguments())
    steps = [append, read] if is_written_first else [read, append, read]
    ended = [step(cwd=folder) for step in steps]
    return [said for status, said in ended if status != 0]


def lines_in(disk: Disk) -> Counter[Reading]:
    """Count the readings in the files; a line that the cut has torn is none."""
    readings: Counter[Reading] = Counter()
    for file in disk.files():
        for line in file.read_bytes().split(b"\n")[:-1]:
            with contextlib.suppress(MessageError):
                readings[from_line(line)] += 1
    return readings


def rows_in(disk: Disk) -> Counter[Reading]:
    columns = "machine_id, timestamp, mode, temperature, vibration"
    return Counter(Reading(*row) for row in query(disk.database, f"SELECT {columns} FROM manufacturing_analytics"))


def faults_in(disk: Disk) -> list[str]:
    """Return what is wrong with the database: its pages, its account, or the number of lines that were read."""
    line_ends = sum(file.read_bytes().count(b"\n") for file in disk.files())
    faults = []
    for question, expected in (
        ("PRAGMA integrity_check", "ok"),
        ("SELECT min(balances) FROM ingest_audit", 1),
        ("SELECT sum(read_lines) FROM ingest_audit", line_ends),
    ):
        ((answer,),) = query(disk.database, question)
        if answer != expected:
            faults.append(f"{question}: {answer}, not {expected}")
    return faults


def test_each_line_that_the_disk_holds_after_a_power_cut_counts_once(disk: Disk, tmp_path: Path) -> None:
    cuts = run_and_cut(disk, tmp_path, Random("power cuts"))
    outcomes = [outcome_of(cut, tmp_path, is_written_first=number % 2 == 0) for number, cut in enumerate(cuts)]
    report = "\n".join(map(str, outcomes))
    harmed = sum(outcome.is_harmed for outcome in outcomes)
    assert harmed == 0, f"{harmed} of {CUTS} power cuts did harm:\n{report}"
    assert any(outcome.missing_bytes > 0 for outcome in outcomes), f"no cut took a line from the disk:\n{report}"
    assert any(outcome.missing_rows > 0 for outcome in outcomes), f"no cut took a row from the disk:\n{report}"
    for image in (disk.image, *(cut.disk.image for cut in cuts)):
        image.unlink()  # kept where a cut did harm
