from types import SimpleNamespace
from typing import Any, cast

import pytest

from consumers.loop import Loop
from consumers.machines.fleet import Fleet
from consumers.machines.plant_clock import PlantClock
from consumers.pipeline import Tally, Waiting
from consumers.report import Reporter
from consumers.store.errors import StoreBusyError, StoreFullError, StoreWaitError
from tests.support import AT
from utils.settings import Config
from utils.stop import StopRequest


class WaitingPipeline:
    """A pipeline that can save nothing just now, for so many steps."""

    tally = Tally()
    plant_clock = PlantClock(AT)

    def __init__(self, error: StoreWaitError, steps: int) -> None:
        self.waiting: Waiting | None = Waiting(error, 0.0)
        self._steps = steps

    def step(self) -> bool:
        self._steps -= 1
        if self._steps <= 0:
            self.waiting = None
        return False


class Growth:
    """Notes when it is asked to look."""

    def __init__(self) -> None:
        self.looked_at: list[str | None] = []

    def look(self, plant_at: str | None) -> None:
        self.looked_at.append(plant_at)


def loop_of(pipeline: WaitingPipeline, growth: Growth | None = None) -> Loop:
    return Loop(
        Config(),
        cast("Any", pipeline),
        Fleet(0),
        cast("Any", SimpleNamespace(unread_bytes=lambda: 0)),
        Reporter(print, print, lambda: 0.0, 30.0, 60.0),
        StopRequest(),
        None,
        cast("Any", growth or Growth()),
        watch=cast("Any", SimpleNamespace(look=lambda *_arguments, **_named: None)),
        forecasting=cast("Any", SimpleNamespace(step=lambda: None, finish=lambda: None)),
    )


def test_a_lock_is_waited_for_when_all_is_read_once() -> None:
    pipeline = WaitingPipeline(StoreBusyError("locked"), 3)
    assert loop_of(pipeline).read_all()
    assert pipeline.waiting is None


def test_a_full_disk_ends_it_when_all_is_read_once() -> None:
    with pytest.raises(StoreFullError, match="make room"):
        loop_of(WaitingPipeline(StoreFullError("make room"), 3)).read_all()


def test_growth_is_measured_by_the_plants_clock() -> None:
    growth = Growth()
    assert loop_of(WaitingPipeline(StoreBusyError("locked"), 3), growth).tick()
    assert growth.looked_at == [AT]
