"""Every colour and size of letters in the picture, once."""

from typing import Final

from utils.efficiency import EfficiencyLevel
from utils.message import Mode

STATE_COLOURS: Final[dict[Mode, str]] = {
    "active": "#2E9E5B",
    "idle": "#FFD400",
    "maintenance": "#F28E00",
    "offline": "#B3001B",
}
# Unlike the states' colours, and unlike one another for colour-blind people too; the darkest is the worst.
LEVEL_COLOURS: Final[dict[EfficiencyLevel, str]] = {
    "High": "#2C7FB8",
    "Medium": "#8CC6DE",
    "Low": "#C3A5CF",
    "Critical": "#6A2A85",
}
MACHINE_COLOURS: Final = (
    "#0072B2", "#CC5FA0", "#222222", "#56B4E9", "#8C564B", "#4B3F9E", "#8A8A2E", "#7D8FA3",
)  # fmt: skip
"""One for each machine that is named in the trend panel; none of them is a state's colour."""
ANOMALY_COLOUR: Final = "#D4001A"
NORMAL_COLOUR: Final = (0.29, 0.43, 0.56, 0.35)
OPTIMAL_COLOUR: Final = "#2C7FB8"
OPTIMAL_INK: Final = "#2C6C99"
OTHERS_COLOUR: Final = "#73808C"

INK: Final = "#1F2933"
QUIET_INK: Final = "#5B6770"
BACKGROUND: Final = "#F5F7F8"
PAPER: Final = "white"
RULE: Final = "#D3DADF"
SPINE: Final = "#AAB4BC"
GRID: Final = "#E4E8EB"

FONT_FAMILY: Final = "DejaVu Sans"
TITLE_PT: Final = 20
WAITING_PT: Final = 16
PANEL_TITLE_PT: Final = 15
CLOCK_PT: Final = 14
HEADLINE_PT: Final = 13.5
BAR_PT: Final = 13
NAME_PT: Final = 11.0
FONT_PT: Final = 10.5
KEY_PT: Final = 10
