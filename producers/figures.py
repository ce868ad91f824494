"""The figures that the simulation rests on, with their sources.

Months are squeezed into an hour or so: a machine wears out in tens of minutes of running time, so that there is
something to see.

A figure without a source beside it follows what was measured on real machines. Bearings run to failure (PRONOSTIA)
start at 0.7 to 1.2 mm/s and stay flat; then they either grow exponentially over the last third of their lives or jump
in the last moments. An imbalanced rotor (SKAB) shakes two to three times as much and stays as cool as before. A motor
follows its load as a first-order lag, and cools two to three times more slowly when its fan stands still.
"""

from typing import Final, NamedTuple

from utils.message import Mode


class Range(NamedTuple):
    """Two bounds; a value between them is drawn, each as likely as another."""

    low: float
    high: float


class ModeTraits(NamedTuple):
    """What a mode means for a machine."""

    dwell_s: Range
    """How long it stays in the mode."""
    heat_share: float
    """Of the rise above the room that it has when active."""
    vibration_share: float
    """Of the severity that it has when active."""
    has_fan: bool
    successors: tuple[tuple[float, Mode], ...]
    """The next mode, by cumulative probability."""


MODES: Final[dict[Mode, ModeTraits]] = {
    "active": ModeTraits(
        Range(240, 900),
        heat_share=1.0,
        vibration_share=1.0,
        has_fan=True,
        successors=((0.82, "idle"), (0.93, "offline"), (1.0, "maintenance")),
    ),
    "idle": ModeTraits(
        Range(60, 240),
        heat_share=0.45,
        vibration_share=0.4,
        has_fan=True,
        successors=((0.9, "active"), (1.0, "offline")),
    ),
    "maintenance": ModeTraits(
        Range(150, 360), heat_share=0.05, vibration_share=0.0, has_fan=False, successors=((1.0, "active"),)
    ),
    "offline": ModeTraits(
        Range(120, 480),
        heat_share=0.0,
        vibration_share=0.0,
        has_fan=False,
        successors=((0.6, "active"), (1.0, "idle")),
    ),
}
START_SHARES: Final[tuple[tuple[Mode, float], ...]] = (("maintenance", 0.06), ("offline", 0.07), ("idle", 0.18))
"""The share of the machines that start in a mode; the rest starts active."""
MACHINES_TO_SHOW_EVERY_MODE: Final = 4
"""A smaller plant starts with all machines active."""

# Heat
ROOM_C: Final = Range(20, 24)
LOAD: Final = Range(0.5, 1.0)
RISE_UNLOADED_C: Final = 14.0
RISE_PER_LOAD_C: Final = 30.0
RISE_OF_WEAR_C: Final = 24.0
FAN_LAG_S: Final = Range(30, 60)
LAG_FACTOR_WITHOUT_FAN: Final = Range(2, 3)

# Vibration
BASE_MM_S: Final = Range(0.8, 1.8)
NOISE_FLOOR_MM_S: Final = 0.05
LEAST_MM_S_OF_WEAR: Final = 0.5
RUN_IN_SHARE: Final = 0.15
RUN_IN_LAG_S: Final = 90.0

# Wear and faults
LIFE_S: Final = Range(1_500, 6_000)
SLOW_END_SHARE: Final = 0.6
"""The share of lives that end slowly enough to be seen coming: twice that of the real bearings, for a lively demo."""
SLOW_GROWTHS_A_LIFE: Final = 12.0
"""With it, wear grows from 2 % to all of itself in the last third of a life."""
SUDDEN_GROWTH_S: Final = Range(1.5, 4)
LARGEST_GROWTH_EXPONENT: Final = 0.4
"""Wear that nobody mends grows no further than this."""
WEAR_LEFT_BY_MAINTENANCE: Final = Range(0.0, 0.2)
MOST_SPENT: Final = 0.98
"""No machine has spent a larger share of its life at the start."""
FAULT_SHARE: Final = 0.4
"""The share of lives in which a fault sets in."""
IMBALANCE_FACTOR: Final = Range(2, 3)
BLOCKED_COOLING_FACTOR: Final = Range(1.6, 2.2)
PATIENCE_S: Final = Range(60, 180)
"""How long a machine runs beyond a limit before someone stops it."""

# The sensors' noise
HEAT_NOISE_C: Final = 0.4
HEAT_NOISE_LAG_S: Final = 20.0
SHAKE_NOISE_SHARE: Final = 0.04
SHAKE_NOISE_MM_S: Final = 0.012
SHAKE_NOISE_LAG_S: Final = 5.0

LONGEST_STEP_S: Final = 10.0
"""A longer interval is walked in steps of this length at most: only a sudden end happens faster."""
