"""What colour a machine's name has, the same wherever the picture names it: of its trouble, not its own."""

from typing import Final, Literal

from consumers.board.palette import Theme
from consumers.machines.ranking import Urgency

Tone = Literal["alarm", "coming", "quiet", "plain"]
NEAR: Final = 0.9
"""From this share of a limit on, a machine is near it."""


def tone_of(urgency: Urgency) -> Tone:
    """Return whether a machine is beyond a limit, will or may soon be, stands still beyond one, or is well."""
    if urgency.kind == "beyond":
        return "alarm"
    if urgency.kind == "stopped":
        return "quiet"
    is_coming = urgency.kind == "forecast" or urgency.share_of_limit >= NEAR
    return "coming" if is_coming else "plain"


def tone_colour(theme: Theme, tone: Tone) -> str:
    """Return the colour of what is said in a tone."""
    return {"alarm": theme.alarm, "coming": theme.coming, "quiet": theme.quiet_ink, "plain": theme.ink}[tone]
