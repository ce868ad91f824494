"""What the consumer says to the person at the terminal: status, progress, rejected lines, the account."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from consumers.machines.fleet import Fleet
from consumers.machines.naming import machine_in_words
from consumers.machines.ranking import ranked
from consumers.pipeline import Tally, Waiting
from consumers.records import Account, RejectedLine
from utils.efficiency import Limits
from utils.message import timestamp_at
from utils.text import count, duration

_NAMED_MACHINES: Final = 5
_SHOWN_LINE_CHARACTERS: Final = 60
_NAMED_REASONS: Final = 3
_SHOWN_REASON_CHARACTERS: Final = 80
_REJECTED_EVERY_S: Final = 1.0
_PROGRESS_EVERY_S: Final = 2.0
_CATCHING_UP_FROM_BYTES: Final = 4 * 1024 * 1024


def status_line(fleet: Fleet, tally: Tally, limits: Limits, stale_after_s: float) -> str:
    """Return the state of the plant: how many machines, in which modes, and which are beyond a limit.

    If a machine was quiet for longer than `stale_after_s` while others reported, the line says for how long.
    """
    modes = ", ".join(f"{machines} {mode}" for mode, machines in fleet.machines_by_mode().items() if machines)
    machines = fleet.machines.values()
    newest = max((machine.latest.timestamp for machine in machines), default="")
    ranking = ranked(machines, limits, newest, fleet.open_episodes, stale_after_s)
    beyond = [urgency for urgency in ranking if urgency.kind in {"beyond", "stopped"}]
    named = "; ".join(
        f"{machine_in_words(urgency.machine)}: {urgency.reason}" for urgency in beyond[:_NAMED_MACHINES]
    )
    more = f"; and {len(beyond) - _NAMED_MACHINES} more" if len(beyond) > _NAMED_MACHINES else ""
    rejected = f", {tally.rejected_lines:,} rejected" if tally.rejected_lines else ""
    rejected += " (every line is being rejected)" if tally.all_rejected else ""
    return (
        f"{len(fleet.machines):,} machines ({modes or 'none yet'}), "
        f"{tally.stored_lines:,} readings stored in this run{rejected}. "
        f"Beyond a limit: {named + more if beyond else 'none'}"
    )


def summary_line(tally: Tally, seconds: float) -> str:
    """Return what this run did."""
    return (
        f"{_account_of(tally.lines, tally.stored_lines, tally.rejected_lines, tally.blank_lines)}, "
        f"{tally.read_bytes:,} bytes in {seconds:,.1f} s"
    )


def account_line(account: Account) -> str:
    """Return what became of every line that was ever read into the database."""
    lines = _account_of(account.read_lines, account.stored_lines, account.rejected_lines, account.blank_lines)
    expired = f" ({count(account.expired_rows, 'row')} expired)" if account.expired_rows else ""
    verdict = (
        "every line is accounted for" if account.balances else "LINES ARE MISSING: look into the view ingest_audit"
    )
    deed = "deleted" if account.deleted_rows > 0 else "added"
    by_hand = f"; {_were(abs(account.deleted_rows))} {deed} by hand" if account.deleted_rows else ""
    return f"{lines}{expired}, {account.read_bytes:,} bytes of {count(account.streams, 'file')}; {verdict}{by_hand}"


def waiting_line(waiting: Waiting, unread_bytes: int) -> str:
    """Return since when nothing is saved, why, and how much waits."""
    return f"waiting since {timestamp_at(waiting.since_s)}, {unread_bytes / 1e6:,.1f} MB unread: {waiting.error}"


def all_rejected_line(lines: int) -> str:
    """Return that no line can be stored, and where to look."""
    return (
        f"every line is being rejected: {count(lines, 'line')} and no reading; the reasons are in the table "
        "rejected_messages. README, Your own machines, tells what a line may be"
    )


def most_frequent(reasons: Counter[str]) -> str:
    """Return the most frequent of several reasons, each with its count; nothing if there is only one reason."""
    if len(reasons) < 2:  # noqa: PLR2004 - then it has been said
        return ""
    named = [f"{number:,} × {_shortened(reason)}" for reason, number in reasons.most_common(_NAMED_REASONS)]
    return f"; {'most often' if len(reasons) > _NAMED_REASONS else 'in all'}: {', '.join(named)}"


class Reporter:
    """Says now and then how it goes; `monotonic` returns seconds."""

    def __init__(
        self,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        monotonic: Callable[[], float],
        every_s: float,
        stale_after_s: float,
    ) -> None:
        self._say = say
        self._warn = warn
        self._monotonic = monotonic
        self._every_s = every_s
        self._stale_after_s = stale_after_s
        self._said_s = self._heard_s = monotonic()
        self._heard_lines = 0
        self._said_lines = 0
        self._warned_s = -_REJECTED_EVERY_S
        self._unsaid_rejected = 0
        self._all_rejected_said_after: int | None = None
        self._newest_rejected: RejectedLine | None = None
        self._unsaid_reasons: Counter[str] = Counter()

    def rejected(self, count: int, last: Sequence[RejectedLine]) -> None:
        """Note so many rejected lines, of which the last are known; said at most once a second, with the count."""
        self._unsaid_rejected += count
        self._unsaid_reasons.update(line.reason for line in last)
        if last:
            self._newest_rejected = last[-1]
        self.flush(is_last=False)

    def all_rejected(self, text: str, stored_lines: int) -> None:
        """Say that every line is being rejected, once until more lines are stored than `stored_lines`."""
        if stored_lines != self._all_rejected_said_after:
            self._warn(text)
        self._all_rejected_said_after = stored_lines

    def flush(self, *, is_last: bool = True) -> None:
        """Say what was noted of rejected lines, if it is time, or if these are the last words."""
        newest, now_s = self._newest_rejected, self._monotonic()
        if newest is None or (not is_last and now_s - self._warned_s < _REJECTED_EVERY_S):
            return
        reasons = most_frequent(self._unsaid_reasons)
        more = f" (and {self._unsaid_rejected - 1:,} more{reasons})" if self._unsaid_rejected > 1 else ""
        start = newest.line[:_SHOWN_LINE_CHARACTERS]
        self._warn(f"rejected at byte {newest.offset:,}: {newest.reason}{more}: {start}")
        self._newest_rejected, self._unsaid_rejected, self._warned_s = None, 0, now_s
        self._unsaid_reasons.clear()

    def report(
        self,
        fleet: Fleet,
        tally: Tally,
        limits: Limits,
        unread_bytes: Callable[[], int],
        waiting: Waiting | None = None,
    ) -> None:
        """Say what is waited for, or how far a long catch-up is, or else the plant's state, each in its time."""
        self.flush(is_last=False)
        if tally.all_rejected:
            self.all_rejected(all_rejected_line(tally.all_rejected), tally.stored_lines)
        now_s = self._monotonic()
        if tally.stored_lines != self._heard_lines:
            self._heard_s, self._heard_lines = now_s, tally.stored_lines
        elapsed_s = now_s - self._said_s
        if elapsed_s < (self._every_s if waiting else min(_PROGRESS_EVERY_S, self._every_s)):
            return
        unread = unread_bytes()
        if waiting is not None:
            self._warn(waiting_line(waiting, unread))
        elif unread >= _CATCHING_UP_FROM_BYTES:
            self._say(progress_line(tally, unread, (tally.lines - self._said_lines) / elapsed_s))
        elif elapsed_s < self._every_s:
            return
        else:
            self._say_status(status_line(fleet, tally, limits, self._stale_after_s), now_s - self._heard_s)
        self._said_s, self._said_lines = now_s, tally.lines

    def _say_status(self, status: str, quiet_s: float) -> None:
        if quiet_s > self._stale_after_s:
            self._warn(f"no reading for {duration(quiet_s)}. Last known: {status}")
        else:
            self._say(status)


def progress_line(tally: Tally, unread_bytes: int, lines_per_s: float) -> str:
    """Return how far a catch-up is: share done, rate, time left."""
    total_bytes = tally.read_bytes + unread_bytes
    bytes_per_line = tally.read_bytes / tally.lines if tally.lines else 0.0
    left = f"{unread_bytes / bytes_per_line / lines_per_s:,.0f} s left" if bytes_per_line and lines_per_s else "…"
    return (
        f"catching up: {tally.read_bytes / total_bytes:.0%} of {total_bytes / 1e6:,.0f} MB, "
        f"{lines_per_s:,.0f} lines/s, {left}"
    )


def _shortened(reason: str) -> str:
    return reason if len(reason) <= _SHOWN_REASON_CHARACTERS else reason[: _SHOWN_REASON_CHARACTERS - 1] + "…"


def _were(rows: int) -> str:
    return f"{count(rows, 'row')} {'was' if rows == 1 else 'were'}"


def _account_of(lines: int, stored: int, rejected: int, blank: int) -> str:
    return f"{lines:,} lines = {stored:,} stored + {rejected:,} rejected + {blank:,} blank"
