"""What is known from before, when the consumer starts: looked up, in a time that does not grow with the database."""

from typing import Final

from consumers.machines.episodes import EpisodeRule, EpisodeWatch
from consumers.machines.fleet import Fleet
from consumers.machines.plant_clock import PlantClock
from consumers.records import Timestamp
from consumers.store.store import Store
from utils.settings import Config

CLOCK_READINGS: Final = 2_000
"""From as many of the newest readings it is known what time it is in the plant."""
RECENT_READINGS: Final = 20_000
"""As many of the newest readings are kept for the dashboard."""


def restored_plant_clock(store: Store, at: Timestamp) -> PlantClock:
    """Return the plant's clock as it is `at` this time by the consumer's own. Raises StoreError."""
    clock = PlantClock(store.plant_at)
    clock.restore(store.newest_rows(CLOCK_READINGS), at)
    return clock


def restored_fleet(config: Config, store: Store, plant_at: Timestamp | None, *, is_drawn: bool) -> Fleet:
    """Return what is known of the machines at the plant's time; without what a picture needs if none is drawn.

    Raises StoreError.
    """
    machines, episodes = store.machines(), _episodes(store, config)
    if not is_drawn:
        return Fleet(0, machines, machines_at_most=config.machines_at_most, episodes=episodes)
    fleet = Fleet(
        RECENT_READINGS,
        machines,
        store.newest_rows(RECENT_READINGS),
        config.machines_at_most,
        config.dashboard_window_min,
        episodes,
    )
    if plant_at is not None:
        history = fleet.history
        history.keep(plant_at)
        history.take(store.minutes(fleet.machines, *history.window, history.minutes_a_machine))
    return fleet


def _episodes(store: Store, config: Config) -> EpisodeWatch:
    rule = EpisodeRule(
        config.episode_raise_readings,
        config.episode_raise_of,
        config.episode_clear_readings,
        config.episode_clear_share,
    )
    return EpisodeWatch(rule, config.limits, *store.episodes())
