"""The demo: the producer as a child of the consumer, so that one command runs the whole pipeline."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from utils.errors import PipelineError

_ENDS_WITHIN_S: Final = 5.0


class Child:
    """The producer's process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def check(self) -> None:
        """Raise PipelineError if the producer has ended by itself."""
        status = self._process.poll()
        if status is not None:
            raise PipelineError(f"the producer has ended by itself, with status {status}; see its messages")


@contextmanager
def running_producer(live_file: Path) -> Iterator[Child]:
    """Run the producer beside this process, as a person would in another terminal."""
    command = [sys.executable, "-m", "producers.producer_case", "--file", str(live_file), "--stop-with-stdin"]
    # The pipe ends with this process, even if that is killed: the producer is never left behind.
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603 - this interpreter, and a path of the user's own
        try:
            yield Child(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()  # no signal: a second one would end it in the midst of its last words
            try:
                process.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
