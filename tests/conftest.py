"""What many tests take: where the live file and the database are, and a screen."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def live_file(tmp_path: Path) -> Path:
    return tmp_path / "live.json"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "analytics.sqlite"


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A virtual screen's name, such as `:1`."""
    pytest.importorskip("tkinter", reason="needs Python's tkinter")
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
