"""The wish to stop: Ctrl+C or SIGTERM, heard between two steps, so that a script ends in order."""

import os
import signal
import threading
import time
from types import FrameType
from typing import Final

_WAIT_SLICE_S: Final = 0.1
_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last is Windows' Ctrl+Break


class StopRequest:
    """Remembers that someone asked this process to stop."""

    def __init__(self) -> None:
        self.requested = False

    def install(self) -> None:
        """Listen to the signals; a second one ends the process at once, as if nobody listened."""
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
                signal.signal(number, self._hear)

    def stop_with(self, pipe: int) -> None:
        """Stop when a pipe, a file descriptor, ends: as it does when the process at its other end is gone."""

        def listen() -> None:
            # Not through a buffered stream, whose lock the interpreter wants at its own end.
            while os.read(pipe, 1):
                pass
            self.requested = True

        threading.Thread(target=listen, daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Sleep, but not past a request to stop."""
        end_s = time.monotonic() + seconds
        while not self.requested and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _WAIT_SLICE_S))

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(number, signal.SIG_DFL)
