"""Become another command, which ends when the process that started it does, even if that one was killed.

`python launch.py PID COMMAND...`, where PID is the process that started this one. Linux only: it asks the kernel for
it. The tests start their processes by way of this file, so that a test run that is killed leaves none behind.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Of Linux' prctl(2): the signal to get when the parent ends. It outlives the exec below."""


def main() -> None:
    parent, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(parent):
        sys.exit("the process that started this one has ended already")
    os.execvp(command[0], command)  # noqa: S606 - the tests name the command


if __name__ == "__main__":
    main()
