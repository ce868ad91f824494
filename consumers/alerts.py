"""Alerts: the user's command, run once for each event that waits in the outbox, and never in the way of the readings.

An event is forgotten when the command has ended well, so a restart tells again what was not told: each at least once.
Many events become one summary, and a command that fails is tried again after growing pauses.
"""

import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from tempfile import TemporaryFile
from typing import IO, Any, Final, NamedTuple, Protocol

from consumers.store.errors import StoreWaitError
from consumers.store.outbox import Alert, Crowd
from utils.moment import in_words
from utils.text import count, duration, printable

FLOOD_ALERTS: Final = 10
"""More than so many in `FLOOD_S` are a flood (ISA-18.2: ten alarms in ten minutes)."""
FLOOD_S: Final = 600.0
_SUMMARY_EVERY_S: Final = 60.0
_ENDED_AFTER_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.5
_FINISH_EVERY_S: Final = 0.02
_FIRST_PAUSE_S: Final = 10.0
_LONGEST_PAUSE_S: Final = 3600.0
_SHOWN_CHARACTERS: Final = 200


class Outbox(Protocol):
    """Where events wait: the database. Every method raises StoreError, or StoreWaitError if trying again helps."""

    def waiting(self, at_most: int) -> list[Alert]:
        """Return the oldest alerts."""

    def crowd(self) -> Crowd:
        """Return all alerts, counted; at least one waits."""

    def forget(self, last_id: int) -> None:
        """Forget the alerts up to this one."""


class Message(NamedTuple):
    """What the command is told."""

    last_id: int
    """It tells the alerts up to this one."""
    alerts: int
    fields: dict[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        """The fields as environment variables, printable; what is not known is empty."""
        known = {name: "" if value is None else printable(str(value)) for name, value in self.fields.items()}
        return {f"ALERT_{name.upper()}": value for name, value in known.items()}


def message_of(alert: Alert) -> Message:
    """Return what is told of one event; `machine` is what people call it: the name if it has one, or the number."""
    kind, machine_id, text, details, at = alert.event
    figures = _figures(details)
    name = figures.get("name")
    machine = machine_id if name is None else name
    fields = {"kind": kind, "machine": machine, "machine_id": machine_id, "name": name, "text": text, "at": at}
    return Message(alert.alert_id, 1, fields | {k: v for k, v in figures.items() if k not in fields})


def summary_of(crowd: Crowd) -> Message:
    """Return what is told of many events at once."""
    alerts = sum(crowd.counts.values())
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in crowd.counts.items())
    newest = f". Raised last: {'; '.join(crowd.newest_raised)}" if crowd.newest_raised else ""
    text = f"{count(alerts, 'event')} since {in_words(crowd.since)}: {kinds}{newest}"
    return Message(
        crowd.last_id,
        alerts,
        {
            **dict.fromkeys(("machine", "machine_id", "name")),
            "kind": "flood",
            "text": text,
            "at": crowd.since,
            "events": alerts,
            **crowd.counts,
        },
    )


class Alerter:
    """Runs `command`, one at a time; `environment` is what it inherits, `monotonic` returns seconds."""

    def __init__(
        self,
        command: Sequence[str],
        outbox: Outbox,
        environment: Mapping[str, str],
        warn: Callable[[str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._command = command
        self._outbox = outbox
        self._environment = environment
        self._warn = warn
        self._monotonic = monotonic
        self._run: _Run | None = None
        self._told: Message | None = None
        """It has been told, and is still to be forgotten."""
        self._told_s: deque[float] = deque(maxlen=FLOOD_ALERTS)
        self._failures = 0
        self._next_s = 0.0

    def poll(self) -> None:
        """Do what is due: see how the command does, or begin with what waits. Raises StoreError."""
        now_s = self._monotonic()
        if self._run is not None and not self._is_over(self._run, now_s):
            return
        try:
            self._forget_told()
            if now_s >= self._next_s:
                self._next_s = now_s + _LOOK_EVERY_S
                self._begin(now_s)
        except StoreWaitError:
            self._next_s = now_s + _LOOK_EVERY_S

    def finish(self, patience_s: float, sleep: Callable[[float], None]) -> None:
        """Tell what can be told at once, for so long at most, and end; what is left waits in the outbox."""
        end_s = self._monotonic() + patience_s
        self._begin_at_once()
        while self._run is not None and self._monotonic() < end_s:
            sleep(_FINISH_EVERY_S)
            self._begin_at_once()
        if self._run is not None:
            self._run.kill()
            self._run.close()
            self._run = None

    def _begin_at_once(self) -> None:
        """Do what is due, without a pause, unless the command fails."""
        if not self._failures:
            self._next_s = 0.0
        self.poll()

    def _begin(self, now_s: float) -> None:
        """Begin to tell the oldest event, or all of them in a flood."""
        waiting = self._outbox.waiting(FLOOD_ALERTS + 1)
        if not waiting:
            return
        is_often = len(self._told_s) == FLOOD_ALERTS and now_s - self._told_s[0] < FLOOD_S
        if is_often and now_s - self._told_s[-1] < _SUMMARY_EVERY_S:
            return
        is_flood = len(waiting) > 1 and (is_often or len(waiting) > FLOOD_ALERTS)
        message = summary_of(self._outbox.crowd()) if is_flood else message_of(waiting[0])
        try:
            self._run = _Run(self._command, message, self._environment, now_s)
        except OSError as error:
            self._failed(f"does not start: {error.strerror or error}", now_s)

    def _is_over(self, run: "_Run", now_s: float) -> bool:
        status = run.status()
        if status is None and now_s - run.began_s < _ENDED_AFTER_S:
            return False
        self._run = None
        if status is None:
            run.kill()
            self._failed(f"was ended after {_ENDED_AFTER_S:.0f} s", now_s)
        elif status:
            self._failed(f"ended with {status}: {run.last_words()}", now_s)
        else:
            self._told, self._failures = run.message, 0
            self._told_s.append(now_s)
        run.close()
        return True

    def _forget_told(self) -> None:
        if self._told is not None:
            self._outbox.forget(self._told.last_id)
            self._told = None

    def _failed(self, how: str, now_s: float) -> None:
        pause_s = min(_FIRST_PAUSE_S * 2.0**self._failures, _LONGEST_PAUSE_S)
        self._failures = min(self._failures + 1, 30)
        self._next_s = now_s + pause_s
        self._warn(f"ALERT_COMMAND {how}; it is tried again in {duration(pause_s)}")


class _Run:
    """The command, as it runs."""

    def __init__(
        self, command: Sequence[str], message: Message, environment: Mapping[str, str], began_s: float
    ) -> None:
        self.message = message
        self.began_s = began_s
        with ExitStack() as undo, TemporaryFile() as told:
            self._said: IO[bytes] = undo.enter_context(TemporaryFile())  # a pipe might fill up
            told.write(json.dumps(message.fields, ensure_ascii=False).encode() + b"\n")
            told.seek(0)
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                command,
                stdin=told,
                stdout=self._said,
                stderr=subprocess.STDOUT,
                env={**environment, **message.variables},
                start_new_session=True,  # Ctrl+C is meant for the consumer
            )
            undo.pop_all()

    def status(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it, and what it has started."""
        with suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let go of what it said."""
        self._said.close()

    def last_words(self) -> str:
        """Return the end of what it said."""
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        return printable(" ".join(said[-_SHOWN_CHARACTERS:].split())) or "it said nothing"


def _figures(details: str) -> dict[str, Any]:
    try:
        figures = json.loads(details)
    except ValueError:
        return {}  # someone changed it by hand
    return figures if isinstance(figures, dict) else {}
