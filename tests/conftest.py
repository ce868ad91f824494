"""A screen for the tests that need one."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A virtual screen's name, such as `:1`."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb, which is not installed here")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    number = server.stdout.readline().strip()  # comes when the screen is ready
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
