"""What is known from before, when the consumer starts: looked up, in a time that does not grow with the database."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from consumers.alerts import Alerter
from consumers.forecasting import Forecasting
from consumers.machines.episodes import EpisodeRule, EpisodeWatch
from consumers.machines.fleet import Fleet
from consumers.machines.forecasts import ForecastWatch
from consumers.machines.plant_clock import PlantClock
from consumers.machines.silence import SilenceWatch
from consumers.machines.trend import NO_TREND, Trend
from consumers.machines.trend import restored as restored_trend
from consumers.records import Event, Machine, Timestamp
from consumers.store.errors import StoreError
from consumers.store.store import Store
from consumers.store.tables import ViewSettings
from consumers.watch import EventLog, Watch
from utils.message import timestamp_at
from utils.settings import Config

CLOCK_READINGS: Final = 2_000
"""From as many of the newest readings it is known what time it is in the plant, and who is silent."""
RECENT_READINGS: Final = 20_000
"""As many of the newest readings are kept for the dashboard."""


def view_settings(config: Config) -> ViewSettings:
    """Return what the views of the database need to know of the settings."""
    limits = config.limits
    return ViewSettings(limits.temperature_safe_max_c, limits.vibration_safe_max_mm_s, config.stale_after_s)


def restored_plant(config: Config, store: Store, at: Timestamp, *, is_drawn: bool) -> tuple[PlantClock, Fleet]:
    """Return the plant's clock `at` this time by the consumer's own, and what is known of the machines.

    Without what a picture needs if none is drawn. Raises StoreError.
    """
    kept = RECENT_READINGS if is_drawn else CLOCK_READINGS
    recent, machines = store.newest_rows(kept), store.machines()
    clock = PlantClock(store.plant_at)
    clock.restore(recent[-CLOCK_READINGS:], at)
    window_min = config.dashboard_window_min if is_drawn else 0.0
    episodes, trends = _episodes(store, config), _trends(store, machines)
    fleet = Fleet(kept, machines, recent, config.machines_at_most, window_min, episodes, trends)
    if is_drawn and clock.now is not None:
        history = fleet.history
        history.keep(clock.now)
        history.take(store.minutes(fleet.machines, *history.window, history.minutes_a_machine))
    return clock, fleet


def restored_watch(
    store: Store,
    config: Config,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    warn: Callable[[str], None],
    say_all_rejected: Callable[[str, int], None],
) -> Watch:
    """Return what looks who is silent and tells events, in the log and by the user's command. Raises StoreError."""
    command = config.alert_command
    return Watch(
        EventLog(say, warn, time.monotonic),
        SilenceWatch(config.dashboard_window_min * 60, config.stale_after_s, store.outbox.silences()),
        store.outbox,
        Alerter(command, store.outbox, environment, warn, time.monotonic) if command else None,
        time.monotonic,
        lambda: timestamp_at(time.time()),
        say_all_rejected,
    )


def restored_forecasting(
    config: Config, store: Store, fleet: Fleet, tell: Callable[[Sequence[Event]], None]
) -> Forecasting:
    """Return what forecasts the machines of the fleet, and `tell`s of it."""
    watch = ForecastWatch(fleet, config.limits.vibration_safe_max_mm_s)
    return Forecasting(watch, store.trends, tell, time.monotonic)


def _trends(store: Store, machines: Iterable[Machine]) -> dict[int, Trend]:
    """Return the trends as the last commit left them. Raises StoreError."""
    closed = {row.machine_id: row.closed for row in store.trends.all()}
    try:
        return {
            machine.latest.machine_id: restored_trend(
                machine.trend_open or NO_TREND.open_bytes(),
                closed.get(machine.latest.machine_id, NO_TREND.closed_bytes()),
            )
            for machine in machines
        }
    except ValueError as error:
        advice = "someone has changed machines.trend_open or machine_trends; put back a copy of the database"
        raise StoreError(f"a trend in the database cannot be read: {error}; {advice}") from None


def _episodes(store: Store, config: Config) -> EpisodeWatch:
    rule = EpisodeRule(
        config.episode_raise_readings,
        config.episode_raise_of,
        config.episode_clear_readings,
        config.episode_clear_share,
    )
    return EpisodeWatch(rule, config.limits, *store.episodes())
