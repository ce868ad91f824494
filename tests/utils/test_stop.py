import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support import PROJECT
from utils.stop import StopRequest

POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
LISTENER = """
import signal, sys
from utils.stop import StopRequest
signal.signal(signal.SIGINT, signal.default_int_handler)  # the shell that started the tests may ignore it
stop = StopRequest()
stop.install()
print("listening", flush=True)
while not stop.requested:
    stop.wait(60)
print("asked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """No test finds a signal ignored, even if the shell that started the tests ignores it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_at_first_nobody_wants_to_stop() -> None:
    assert not StopRequest().requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_remembered(number: signal.Signals) -> None:
    stop = StopRequest()
    stop.install()
    signal.raise_signal(number)
    assert stop.requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_the_first_signal_nobody_listens_any_more(number: signal.Signals) -> None:
    stop = StopRequest()
    stop.install()
    signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_ignored_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    stop = StopRequest()
    stop.install()
    signal.raise_signal(number)
    assert not stop.requested
    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_wish_to_stop_is_not_waited_past(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    stop = StopRequest()

    def nap(seconds: float) -> None:
        naps.append(seconds)
        stop.requested = len(naps) == 3

    monkeypatch.setattr("utils.stop.time.sleep", nap)
    stop.wait(1_000_000)
    assert len(naps) == 3
    assert max(naps) <= 0.1


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_there_is_no_wait_where_none_is_left(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr("utils.stop.time.sleep", lambda _seconds: pytest.fail("slept"))
    StopRequest().wait(seconds)


def test_a_wait_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0

    def nap(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    monkeypatch.setattr("utils.stop.time.sleep", nap)
    monkeypatch.setattr("utils.stop.time.monotonic", lambda: now_s)
    StopRequest().wait(0.75)
    assert now_s == pytest.approx(0.75)


@POSIX_ONLY
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_ends_in_order_at_the_first_signal_and_at_once_at_the_second(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LISTENER], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        process.send_signal(number)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(number)
        assert process.wait(30) == -number


def test_the_end_of_a_pipe_is_a_request_to_stop() -> None:
    read_end, write_end = os.pipe()
    stop = StopRequest()
    stop.stop_with(read_end)
    before = stop.requested
    os.close(write_end)
    stop.wait(20)
    assert (before, stop.requested) == (False, True)
    os.close(read_end)
