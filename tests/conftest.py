"""What many tests take: where the live file and the database are, and a screen."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import bound


@pytest.fixture(scope="session", autouse=True)
def _heard_interrupts() -> Iterator[None]:
    """SIGINT as usual, for the tests and their processes, also when a shell started them with it ignored."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def live_file(tmp_path: Path) -> Path:
    return tmp_path / "live.json"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "analytics.sqlite"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, which is soon full."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("needs Linux, and root to mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        if subprocess.run(["umount", folder], check=False).returncode != 0:
            subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A virtual screen's name, such as `:1`."""
    with _screen() as name:
        yield name


@pytest.fixture(scope="session")
def managed_display() -> Iterator[str]:
    """A virtual screen with a window manager, which full screens need."""
    if shutil.which("openbox") is None:
        pytest.skip("needs openbox, which is not installed here")
    with _screen() as name:
        manager = subprocess.Popen(bound(["openbox"]), env=os.environ | {"DISPLAY": name}, stderr=subprocess.DEVNULL)
        try:
            yield name
        finally:
            manager.terminate()
            manager.wait()


@contextmanager
def _screen() -> Iterator[str]:
    pytest.importorskip("tkinter", reason="needs Python's tkinter")
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb, which is not installed here")
    server = subprocess.Popen(
        bound(["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp", "-noreset"]),
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
