"""Which machines are forecast anew, what becomes of their rows, and what of it is worth telling."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from consumers.machines.events import forecast_appeared, forecast_gone
from consumers.machines.fleet import Fleet
from consumers.machines.forecast import Forecast, forecast, wall_clock
from consumers.machines.trend import Level, Trend
from consumers.records import Event, Machine

_GONE_AFTER_FITS: Final = 3
"""A forecast is told as gone when so many fits in a row found no trend: near its bounds it comes and goes."""
_SOONER: Final = 0.5
"""A forecast is told again when the time left is this share of what was told last."""

Levels = tuple[Level, ...]


class ForecastChanges(NamedTuple):
    """What a look has found."""

    machines: list[Machine]
    """Those whose forecast has changed, as they are from now on."""
    events: list[Event]
    fitted: dict[int, Levels]
    """The machines that were looked at, with what was known of each."""
    told_h: dict[int, float | None]
    """Of those of which something is to be told, the hours that are; None: the forecast is gone."""


class ForecastWatch:
    """Forecasts the machines of which more is known than at the last look, `limit_mm_s` being the safe limit."""

    def __init__(self, fleet: Fleet, limit_mm_s: float) -> None:
        self._fleet = fleet
        self._limit_mm_s = limit_mm_s
        self._fitted: dict[int, Levels] = {}
        self._told_h = {
            machine_id: machine.hours_to_limit
            for machine_id, machine in fleet.machines.items()
            if machine.hours_to_limit is not None
        }
        self._fits_without: dict[int, int] = {}
        """How many of the newest fits in a row found no trend, by machine."""

    def look(self, is_time_over: Callable[[], bool] = lambda: False) -> ForecastChanges:
        """Fit machines until the time is over; until the changes are taken over, the same come again."""
        changes = ForecastChanges([], [], {}, {})
        for machine, trend in self._due():
            if is_time_over():
                break
            self._fit(machine, trend, changes)
        return changes

    def take(self, changes: ForecastChanges) -> None:
        """Take over changes, which are safe in the database by now."""
        for machine in changes.machines:
            self._fleet.machines[machine.latest.machine_id] = machine
        for machine_id in changes.fitted:
            is_without = self._fleet.machines[machine_id].hours_to_limit is None
            self._fits_without[machine_id] = self._fits_without.get(machine_id, 0) + 1 if is_without else 0
        self._fitted |= changes.fitted
        for machine_id, hours in changes.told_h.items():
            if hours is None:
                self._told_h.pop(machine_id, None)
            else:
                self._told_h[machine_id] = hours

    def _due(self) -> Iterator[tuple[Machine, Trend]]:
        """Return the machines of which more is known, those first that have waited for longest."""
        due = []
        for machine_id, machine in self._fleet.machines.items():
            trend = self._fleet.trend(machine_id)
            if trend.levels is not self._fitted.get(machine_id):
                due.append((machine, trend))
        # What was never fitted, or was left out when time was over, comes before what was fitted just now.
        order = {machine_id: place for place, machine_id in enumerate(self._fitted)}
        return iter(sorted(due, key=lambda pair: order.get(pair[0].latest.machine_id, -1)))

    def _fit(self, machine: Machine, trend: Trend, changes: ForecastChanges) -> None:
        machine_id = machine.latest.machine_id
        found = forecast(trend, self._limit_mm_s)
        after = forecast_of(machine, trend, found)
        changes.fitted[machine_id] = trend.levels
        if after != machine:
            changes.machines.append(after)
        self._tell(after, changes)

    def _tell(self, machine: Machine, changes: ForecastChanges) -> None:
        machine_id, hours = machine.latest.machine_id, machine.hours_to_limit
        told_h = self._told_h.get(machine_id)
        if machine.open_episodes:
            return  # it is there: the episode says so
        if hours is None:
            if told_h is not None and self._fits_without.get(machine_id, 0) + 1 >= _GONE_AFTER_FITS:
                changes.events.append(forecast_gone(machine))
                changes.told_h[machine_id] = None
        elif told_h is None or hours <= told_h * _SOONER:
            changes.events.append(forecast_appeared(machine, self._limit_mm_s, is_first=told_h is None))
            changes.told_h[machine_id] = hours


def forecast_of(machine: Machine, trend: Trend, found: Forecast | None) -> Machine:
    """Return a machine with what was found in its trend."""
    if found is None:
        return machine._replace(
            vibration_trend_per_h=None,
            hours_to_limit_low=None,
            hours_to_limit=None,
            hours_to_limit_high=None,
            limit_earliest_at=None,
            limit_latest_at=None,
        )
    active_share = machine.active_readings / max(machine.readings, 1)
    mean_break_s = trend.open.resting / max(trend.open.breaks, 1) * trend.gap_s
    earliest_at, latest_at = wall_clock(found, machine.latest.timestamp, active_share, mean_break_s)
    return machine._replace(
        vibration_trend_per_h=found.vibration_trend_per_h,
        hours_to_limit_low=found.hours_to_limit_low,
        hours_to_limit=found.hours_to_limit,
        hours_to_limit_high=found.hours_to_limit_high,
        limit_earliest_at=earliest_at,
        limit_latest_at=latest_at,
    )
