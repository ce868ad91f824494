"""What the headline says, the most important first; plain words of a scene, nothing of drawing."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from consumers.board.scene import Scene
from consumers.board.status import SPAN_S, FeedStatus
from consumers.board.tones import Tone, tone_of
from consumers.board.words import machine_names, value_words
from consumers.machines.ranking import RUNNING, Urgency
from consumers.records import Machine
from utils.message import epoch_seconds
from utils.text import count, duration

_MB: Final = 1e6
_NOTED_REJECTED: Final = 0.02
_BEHIND_BYTES: Final = 1_000_000


class Notice(NamedTuple):
    """One thing to be said."""

    words: str
    tone: Tone


def notices(scene: Scene) -> list[Notice]:
    """Return what is to be said: what makes the picture old, then alarms, then what is coming."""
    said = [*_untrue(scene), *_alarms(scene), *_partly_rejected(scene), *_coming(scene), *_absent(scene)]
    is_calm = all(notice.tone == "coming" for notice in said)
    return [Notice(_well(scene), "plain"), *(said or _nearest(scene))] if is_calm else said


def reason_words(scene: Scene, urgency: Urgency) -> str:
    """Return a machine beyond a limit: "#7: 104 °C > 90, 6.2 > 4.5 mm/s, for 3 min"."""
    latest, limits = urgency.machine.latest, scene.limits
    parts = []
    if latest.temperature_c > limits.temperature_safe_max_c:
        parts.append(f"{value_words(latest.temperature_c)} °C > {limits.temperature_safe_max_c:g}")
    if latest.vibration_mm_s > limits.vibration_safe_max_mm_s:
        parts.append(f"{value_words(latest.vibration_mm_s)} > {limits.vibration_safe_max_mm_s:g} mm/s")
    if not parts:
        return f"{scene.names(urgency.machine)}: {urgency.reason}"
    lasted_s = 0.0 if urgency.since is None else epoch_seconds(scene.at) - epoch_seconds(urgency.since)
    if lasted_s >= 1:
        parts.append(f"for {duration(lasted_s)}")
    mode = "" if latest.mode == "active" else f" ({latest.mode})"
    return f"{scene.names(urgency.machine)}{mode}: {', '.join(parts)}"


def past_words(scene: Scene) -> str:
    """Return which machine was beyond a limit last, how long ago, and how many readings were, in the span shown."""
    anomalies = scene.anomalies
    if not scene.readings:
        return ""
    span = duration(scene.span_s)
    if not anomalies and scene.beyond:
        return ""  # of a wrong clock, so that it is not known when
    if not anomalies:
        return f"no reading beyond a limit in {span}"
    last = max(anomalies, key=lambda reading: reading.timestamp)
    ago = f"{duration(max(epoch_seconds(scene.at) - epoch_seconds(last.timestamp), 0.0))} ago"
    if scene.is_stale:
        ago += " when last heard"
    many = count(len(anomalies), "reading")
    return f"last beyond a limit: {scene.name_of(last.machine_id)}, {ago}; {many} in {span}"


def _untrue(scene: Scene) -> list[Notice]:
    feed, said = scene.feed, []
    if scene.late_s:
        said.append(Notice(f"Drawn late: no new picture for {duration(scene.late_s)}", "alarm"))
    if feed.waiting_for:
        said.append(Notice(f"Old by {duration(feed.waiting_s)}: the database waits", "alarm"))
        said.append(Notice(feed.waiting_for, "alarm"))
    if feed.trouble:
        said += [Notice("The feed cannot be read", "alarm"), Notice(feed.trouble, "alarm")]
    if scene.heard_s is None:
        said += _none_yet(feed)
    elif scene.heard_s > scene.stale_after_s and not feed.waiting_for:
        said.append(Notice(f"No reading for {duration(scene.heard_s)}{_lost(scene)}", "alarm"))
    if feed.unread_bytes > _BEHIND_BYTES:
        said.append(Notice(f"Behind the feed: {feed.unread_bytes / _MB:,.0f} MB unread", "plain"))
    return said


def _none_yet(feed: FeedStatus) -> list[Notice]:
    if not feed.rejected:
        return [Notice("No reading yet", "plain")]
    words = f"No reading yet: all of {count(feed.rejected, 'line')} rejected"
    return [Notice(words, "alarm"), Notice(f"the last one: {feed.last_reason}", "alarm")]


def _lost(scene: Scene) -> str:
    rejected = scene.feed.rejected
    return f": {count(rejected, 'line')} came, all rejected" if rejected and rejected == scene.feed.lines else ""


def _alarms(scene: Scene) -> list[Notice]:
    when = "when last heard, " if scene.is_stale else ""
    beyond = scene.beyond
    said = [Notice(when + reason_words(scene, urgency), "alarm") for urgency in beyond]
    stopped = [urgency.machine for urgency in scene.ranking if urgency.kind == "stopped"]
    if stopped:
        said.append(Notice(f"stopped beyond a limit: {_names(scene, stopped)}", "quiet"))
    return said


def _partly_rejected(scene: Scene) -> list[Notice]:
    feed = scene.feed
    if scene.heard_s is None or feed.rejected <= _NOTED_REJECTED * feed.lines:
        return []
    words = f"{feed.rejected:,} of {feed.lines:,} lines rejected in the last {duration(SPAN_S)}"
    return [Notice(words, "alarm"), Notice(f"the last one: {feed.last_reason}", "alarm")]


def _coming(scene: Scene) -> list[Notice]:
    return [
        Notice(f"{scene.names(urgency.machine)}: {urgency.reason}", "coming")
        for urgency in scene.ranking
        if tone_of(urgency) == "coming"
    ]


def _absent(scene: Scene) -> list[Notice]:
    said = []
    if scene.silent and not scene.is_stale:
        words = (
            f"{len(scene.silent):,} of {len(scene.fleet.machines):,} machines silent: {_names(scene, scene.silent)}"
        )
        said.append(Notice(words, "plain"))
    if scene.wrong_clocks:
        said.append(
            Notice(f"{count(len(scene.wrong_clocks), 'wrong clock')}: {_names(scene, scene.wrong_clocks)}", "plain")
        )
    return said


def _well(scene: Scene) -> str:
    machines = len(scene.fleet.machines)
    if not any(machine.latest.mode in RUNNING for machine in scene.fleet.machines.values()):
        counts = scene.fleet.machines_by_mode().items()
        return f"No machine runs: {', '.join(f'{number:,} {mode}' for mode, number in counts if number)}"
    who = f"All {machines:,} machines" if machines > 1 else "The machine"
    last_at = max((reading.timestamp for reading in scene.anomalies), default=None)
    clear_s = scene.span_s if last_at is None else epoch_seconds(scene.at) - epoch_seconds(last_at)
    return f"{who} within limits for {duration(max(clear_s, 0.0))}"


def _nearest(scene: Scene) -> list[Notice]:
    running = (urgency for urgency in scene.ranking if urgency.machine.latest.mode in RUNNING)
    nearest = [urgency for urgency in running if urgency.kind == "near"][:1]
    return [Notice(f"nearest to a limit: {scene.names(each.machine)}, {each.reason}", "plain") for each in nearest]


def _names(scene: Scene, machines: Sequence[Machine]) -> str:
    return machine_names(machines, 4, 40, scene.names)
