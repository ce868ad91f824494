"""Every colour and size of letters in the picture, once.

Grey by default, saturated colour for trouble alone (ISA-101): red is kept for alarms, and for the mode offline.
"""

from dataclasses import dataclass
from typing import Final

from utils.efficiency import EfficiencyLevel
from utils.message import Mode

STATE_COLOURS: Final[dict[Mode, str]] = {
    "active": "#2E9E5B",
    "idle": "#FFD400",
    "maintenance": "#F28E00",
    "offline": "#B3001B",
}
LEVEL_COLOURS: Final[dict[EfficiencyLevel, str]] = {
    "High": "#EAF4FC",
    "Medium": "#6FA3D0",
    "Low": "#31679E",
    "Critical": "#06203F",
}
"""In one order, the darkest is the worst: told apart without red and green, and in grey print."""

INK: Final = "#1F2933"
PAPER: Final = "white"


@dataclass(frozen=True)
class Theme:
    """The colours of everything but modes and levels."""

    ink: str
    quiet_ink: str
    background: str
    paper: str
    spine: str
    grid: str
    alarm: str
    """For a machine beyond a limit, and for what makes the picture untrue."""
    coming: str
    """For a machine that is forecast to cross a limit."""
    line: str
    tail: str
    band: str
    zone: str
    """From 90 % of a limit on."""


LIGHT: Final = Theme(
    ink=INK,
    quiet_ink="#56626B",
    background="#F5F7F8",
    paper=PAPER,
    spine="#AAB4BC",
    grid="#E4E8EB",
    alarm="#D4001A",
    coming="#5B2A86",
    line="#35556F",
    tail="#8FA3B3",
    band="#DDE3E8",
    zone="#E9ECEF",
)
DARK: Final = Theme(
    ink="#E6EBEF",
    quiet_ink="#A3AFB8",
    background="#12181D",
    paper="#1A2229",
    spine="#53616B",
    grid="#2A353D",
    alarm="#FF5A5F",
    coming="#C9A2F2",
    line="#9FC0D8",
    tail="#5F7585",
    band="#303D47",
    zone="#26313A",
)
THEMES: Final[dict[str, Theme]] = {"LIGHT": LIGHT, "DARK": DARK}

FONT_FAMILY: Final = "DejaVu Sans"
ALARM_PT: Final = 44
ALARM_OF_TWO_LINES_PT: Final = 34
ALARM_LEAST_PT: Final = 28
NEXT_PT: Final = 19
PANEL_TITLE_PT: Final = 16
WAITING_PT: Final = 16
NAME_PT: Final = 14.0
FONT_PT: Final = 14.0
