"""What goes on after a restart, made of the settings and of what the database knows."""

import time
from collections.abc import Callable, Mapping

from consumers.alerts import Alerter
from consumers.machines.episodes import EpisodeRule, EpisodeWatch
from consumers.machines.silence import SilenceWatch
from consumers.store.store import Store
from consumers.store.tables import ViewSettings
from consumers.watch import EventLog, Watch
from utils.message import timestamp_at
from utils.settings import Config


def view_settings(config: Config) -> ViewSettings:
    """Return what the views of the database need to know of the settings."""
    limits = config.limits
    return ViewSettings(limits.temperature_safe_max_c, limits.vibration_safe_max_mm_s, config.stale_after_s)


def restored_episodes(store: Store, config: Config) -> EpisodeWatch:
    """Return the watch over the episodes, as the last commit left it. Raises StoreError."""
    rule = EpisodeRule(
        config.episode_raise_readings,
        config.episode_raise_of,
        config.episode_clear_readings,
        config.episode_clear_share,
    )
    return EpisodeWatch(rule, config.limits, *store.episodes())


def restored_watch(
    store: Store,
    config: Config,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    warn: Callable[[str], None],
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
    )
