"""What the tests start ends with them, and hears Ctrl+C."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import CONSUMER, PRODUCER, PROJECT, bound, command_environment, until

# As a test run does, it starts a command and waits for it.
RUN = """
import sys
from pathlib import Path
from tests.support import start

process = start(*sys.argv[1:], cwd=Path.cwd(), PRODUCER_INTERVAL_S="0.05")
print(process.pid, flush=True)
process.communicate()
"""


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"  # Z: ended, and nobody has asked for its exit status yet


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
@pytest.mark.parametrize("module", [PRODUCER, CONSUMER])
def test_a_test_run_that_is_killed_leaves_no_command_behind(
    tmp_path: Path, live_file: Path, database: Path, module: str
) -> None:
    flags = ["--file", str(live_file)] + (["--db", str(database), "--headless"] if module == CONSUMER else [])
    with subprocess.Popen(
        bound([sys.executable, "-c", RUN, module, *flags]),
        cwd=tmp_path,
        env=command_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as test_run:
        assert test_run.stdout is not None
        command = int(test_run.stdout.readline())
        until((live_file if module == PRODUCER else database).exists)
        assert is_running(command)
        test_run.kill()
    try:
        until(lambda: not is_running(command))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(command, signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_tests_of_interrupts_pass_under_a_shell_that_ignores_them() -> None:
    tests = ("tests/producers/test_producer_case.py", "-k", "SIGINT", "-x")
    pytest_command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        ["bash", "-c", "trap '' INT; exec \"$@\"", "-", *pytest_command],
        cwd=PROJECT,
        env=command_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
