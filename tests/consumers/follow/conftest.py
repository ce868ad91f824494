from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from consumers.records import Stream
from tests.consumers.follow.support import Follower


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The live file's path; there is no file yet."""
    return tmp_path / "live.json"


@pytest.fixture
def follow(path: Path) -> Iterator[Callable[..., Follower]]:
    """Follow the live file, knowing some streams, until the test is over."""
    with ExitStack() as followers:

        def following(*streams: Stream, is_once: bool = False) -> Follower:
            follower = Follower(path, *streams, is_once=is_once)
            followers.enter_context(closing(follower.tail))
            return follower

        yield following
