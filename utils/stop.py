"""The request to stop, by Ctrl+C or SIGTERM: it is looked at between two steps, so that a command ends in order."""

import os
import signal
import threading
import time
from types import FrameType
from typing import Final

_WAIT_SLICE_S: Final = 0.1
_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last is Windows' Ctrl+Break


def end_quietly_until_installed() -> None:
    """Let Ctrl+C end this process without a traceback while there is nothing yet that must end in order."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class StopRequest:
    """Remembers that someone asked this process to stop."""

    def __init__(self) -> None:
        self.requested = False

    def install(self) -> None:
        """Listen to the signals; a second one ends the process at once, as it would without a listener."""
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                signal.signal(number, self._hear)

    def stop_with(self, pipe: int) -> None:
        """Stop when a pipe ends, because the process at its other end is gone; `pipe` is a file descriptor."""

        def listen() -> None:
            # Not through a buffered stream: at its exit the interpreter would wait for that stream's lock.
            while os.read(pipe, 1):
                pass
            self.requested = True

        threading.Thread(target=listen, daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Sleep until the time is over or someone asks to stop."""
        end_s = time.monotonic() + seconds
        while not self.requested and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _WAIT_SLICE_S))

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(number, signal.SIG_DFL)
