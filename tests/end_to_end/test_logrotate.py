"""The real logrotate, under a service that writes on and a consumer that reads on: every line once."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.end_to_end.consumer import Consumer, check_rows, check_that_nothing_is_left, numbers_so_far
from tests.end_to_end.feed import FEED, LINES_PER_S, numbered, numbers_beside, stored_numbers
from tests.support import ConsumerInProcess, command_environment, until

LOGROTATE: Final = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ROTATIONS: Final = int(os.environ.get("NIGHTLY_ROTATIONS", "10"))
"""In each way; 10 in the suite, 100 in the nightly form."""
IS_NIGHTLY: Final = "NIGHTLY_ROTATIONS" in os.environ
KILLED_EVERY_ROTATIONS: Final = 5
PAUSE_S: Final = (0.02, 0.2)

# What logrotate is told to do, and how a service keeps the file that it writes to; see `feed`.
WAYS: Final = {
    "copytruncate": (["copytruncate"], "keeps"),
    "copytruncate and compress": (["copytruncate", "compress"], "keeps"),
    "create and compress": (["create", "compress"], "opens"),
    "create and delaycompress": (["create", "compress", "delaycompress"], "follows"),
}

pytestmark = pytest.mark.skipif(LOGROTATE is None, reason="needs logrotate, which is not installed here")


class Rotation:
    """A folder with a live file, and what logrotate is to do with it."""

    def __init__(self, folder: Path, directives: list[str]) -> None:
        self.live_file = folder / "plant" / "live.json"
        self.live_file.parent.mkdir()
        self.live_file.parent.chmod(0o755)  # logrotate works in no folder that others may write to
        self._state = folder / "logrotate.state"
        self._config = folder / "logrotate.conf"
        self._config.write_text("\n".join([f'"{self.live_file}" {{', "rotate 200", *directives, "}", ""]))
        self._config.chmod(0o600)

    def rotate(self) -> None:
        done = subprocess.run(
            [str(LOGROTATE), "--force", "--state", self._state, self._config],
            capture_output=True,
            text=True,
            check=False,
        )
        # It sets a file aside that the service made before it did.
        assert done.returncode == 0 or "already exists, renaming to" in done.stderr, done.stderr


@contextmanager
def service(live_file: Path, way: str) -> Iterator[None]:
    """Run what writes the feed until the block ends."""
    process = subprocess.Popen([sys.executable, "-m", FEED, live_file, way, way], env=command_environment())
    try:
        yield
    finally:
        process.terminate()
        process.wait()
    assert process.returncode == 0


def rotate_on(rotation: Rotation, consumer: Consumer, rng: Random) -> None:
    for number in range(1, ROTATIONS + 1):
        time.sleep(rng.uniform(*PAUSE_S))  # so that it comes at no particular moment
        if IS_NIGHTLY and number % KILLED_EVERY_ROTATIONS == 0:
            consumer.restart()
        rotation.rotate()


def test_a_file_that_logrotate_set_aside_is_read(live_file: Path, database: Path) -> None:
    """The service was quicker to make a new file than logrotate, which renames that one, too."""
    with closing(ConsumerInProcess(live_file, database)) as consumer:
        live_file.write_bytes(numbered(0, 10))
        consumer.read_all()
        live_file.rename(live_file.with_name("live.json.1"))
        live_file.with_name("live.json-2026112209.backup").write_bytes(numbered(10, 1))
        live_file.write_bytes(numbered(11, 10))
        consumer.read_all()
    assert stored_numbers(database) == list(range(21))


@pytest.mark.parametrize("way", WAYS)
def test_each_line_that_a_file_holds_after_rotations_by_logrotate_is_one_row(tmp_path: Path, way: str) -> None:
    directives, kept = WAYS[way]
    rotation, database = Rotation(tmp_path, directives), tmp_path / "analytics.sqlite"
    with Consumer(rotation.live_file, database) as consumer:
        with service(rotation.live_file, kept):
            until(lambda: numbers_so_far(database) != [])
            rotate_on(rotation, consumer, Random(way))
        held = numbers_beside(rotation.live_file)
        consumer.wait_for(held)
        consumer.end()
    check_rows(database, held, consumer.said())
    check_that_nothing_is_left(rotation.live_file, database)
    assert len(list(rotation.live_file.parent.iterdir())) > ROTATIONS
    assert len(held) > LINES_PER_S * ROTATIONS * sum(PAUSE_S) / 4, "half of what should be there, at least"
