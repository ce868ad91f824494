"""Any history of the file, the consumer and the database, against a model: every line once, in order.

The model knows which lines stand in which file, and nothing of how the consumer finds them.
"""

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumers.follow.open_file import OpenFile, open_candidate
from consumers.store.store import Store
from tests.support import ConsumerInProcess, line, query, stored_machine_ids

SMALL_CHUNK_BYTES = 4096
NUMBER = b"NUMBER"
HEADERS = [
    b"",
    b"# A first line that every file has.\n# This is file NUMBER.\n",
    b"# A head that every file has. ################################\n" * 20,
    b"#" * 1500 + b"\n",
]
"""What each file begins with; a number is its own."""
NAMES = ["live-20261122T09{:04}Z.json", "live.json-20261122{:04}", "live.2026-11-22_09-{:04}.json", "live.json.1"]
PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
COUNTS = st.sampled_from([1, 1, 2, 3, 8, 30])
LINE = line(1, timestamp="2026-11-22T00:00:00.000Z")


class Killed(BaseException):
    """The process is gone."""


class KillableStore(Store):
    """Dies on demand just before or just after a save."""

    saves_before_death: int | None = None
    dies_after_save = False

    def _prepare(self) -> None:
        super()._prepare()
        # A kill takes nothing that the OS has, so that no history waits for the disk; power cuts have their own test.
        self._connection.execute("PRAGMA synchronous = OFF")

    def save(self, *arguments: Any) -> None:
        is_last = self.saves_before_death == 0
        if self.saves_before_death is not None:
            self.saves_before_death -= 1
        if is_last and not self.dies_after_save:
            raise Killed
        super().save(*arguments)
        if is_last:
            raise Killed


class Consumer(ConsumerInProcess):
    """A consumer whose clock goes on a little whenever it is looked at."""

    tick_s = 0.0
    _time_s = 0.0

    @property
    def time_s(self) -> float:
        self._time_s += self.tick_s
        return self._time_s

    @time_s.setter
    def time_s(self, time_s: float) -> None:
        self._time_s = time_s


class Entry(NamedTuple):
    """A line: its number, 0 if it is no reading; its bytes."""

    number: int
    data: bytes


@dataclass
class ModelFile:
    """A file on disk: which lines are in it, and whether the consumer has it open."""

    path: Path | None
    entries: list[Entry] = field(default_factory=list)
    torn: Entry | None = None
    is_open_in_consumer: bool = False
    is_begun: bool = False
    """Whether a poll has seen lines in it since it was emptied, rewritten or cut back."""
    is_packed: bool = False
    is_copy: bool = False
    """Whether no program writes to it: it was copied from another."""
    is_unreadable: bool = False
    archive: Path | None = None
    farthest: int = 0
    """The largest size that it ever had."""
    cut_behind: int | None = None
    """The highest number that was ever written before it was cut back, until a poll has seen lines behind the cut."""

    @property
    def numbers(self) -> list[int]:
        return [entry.number for entry in self.entries if entry.number]

    @property
    def size(self) -> int:
        return sum(len(entry.data) for entry in self.entries)

    def empty(self) -> None:
        self.entries, self.torn, self.farthest, self.cut_behind, self.is_begun = [], None, 0, None, False


class AnyHistory(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.folder = self.home / "0"
        self.folder.mkdir()
        self.moves = 0
        self.next_number = 1
        self.rotations = 0
        self.headers = 0
        self.written: list[int] = []
        self.late: set[int] = set()
        self.may_be_lost: set[int] = set()
        self.may_come_again: Counter[int] = Counter()
        self.live: ModelFile | None = None
        self.others: list[ModelFile] = []
        self.streams: list[ModelFile] = []
        self.consumer: Consumer | None = None
        self.blocker: sqlite3.Connection | None = None
        self.patches = contextlib.ExitStack()
        self.patches.enter_context(mock.patch("consumers.follow.candidates.open_candidate", self._open_candidate))
        for name in ("live-2.json", "live2.json", "live-2.json.1", "live-north.json", "live.json.swp", "alive.json"):
            (self.folder / name).write_text(line(990_001))

    @initialize(
        header=st.sampled_from(HEADERS),
        names=st.sampled_from(NAMES),
        has_times=st.booleans(),
        has_small_chunks=st.booleans(),
        tick_s=st.sampled_from([0.0, 0.02]),
    )
    def begin(self, header: bytes, names: str, has_times: bool, has_small_chunks: bool, tick_s: float) -> None:
        self.header, self.names, self.has_times, self.tick_s = header, names, has_times, tick_s
        if has_small_chunks:
            self.patches.enter_context(mock.patch("consumers.follow.reader.CHUNK_BYTES", SMALL_CHUNK_BYTES))
            self.patches.enter_context(
                mock.patch("consumers.follow.reader._SEARCHED_AT_ONCE_BYTES", 2 * SMALL_CHUNK_BYTES)
            )

    @property
    def live_path(self) -> Path:
        return self.folder / "live.json"

    @property
    def database(self) -> Path:
        return self.folder / "analytics.sqlite"

    # What producers and other programs do to the live file

    @rule(count=COUNTS)
    def append(self, count: int) -> None:
        self._write(self._live_file(), count)

    @rule()
    def append_half_a_line(self) -> None:
        live = self._live_file()
        if live.torn is None:
            self._write(live, 0)
            [live.torn] = self._new_entries(1)
            self._append_bytes(live, live.torn.data[: len(live.torn.data) // 2])

    @rule(size=st.sampled_from([700, 3000, 5000, 30_000]))
    def append_a_line_that_is_no_reading(self, size: int) -> None:
        live = self._live_file()
        self._write(live, 0)
        entry = Entry(0, b"x" * size + b"%d\n" % self.next_number)
        self.next_number += 1
        live.entries.append(entry)
        self._append_bytes(live, entry.data)

    @precondition(lambda self: self.live is not None)
    @rule(more=st.lists(COUNTS, max_size=4))
    def rotate(self, more: list[int]) -> None:
        self._rotate()
        for count in more:
            self._write(self._live_file(), count)
            self._rotate()

    def _rotate(self) -> None:
        assert self.live is not None
        self.live.path = self.live_path.rename(self._rotated_path())
        self._no_longer_live()

    @precondition(lambda self: self.live is not None)
    @rule(
        before=st.sampled_from([0, 1, 8]),
        between=st.sampled_from([0, 1, 8]),
        has_poll_at_half=st.booleans(),
        has_poll_before=st.booleans(),
        has_poll_between=st.booleans(),
    )
    def copy_and_truncate(
        self, before: int, between: int, has_poll_at_half: bool, has_poll_before: bool, has_poll_between: bool
    ) -> None:
        live = self.live
        assert live is not None
        if before:
            self._write(live, before)
        path = self._rotated_path()
        data = self.live_path.read_bytes()
        if has_poll_at_half:
            path.write_bytes(data[: len(data) // 2])
            self._poll()
        with path.open("ab") as file:
            file.write(data[path.stat().st_size :])
        copy = ModelFile(path, live.entries[:], is_copy=True, cut_behind=live.cut_behind)
        self._lose_what_is_behind_an_unseen_cut(copy)
        self.others.append(copy)
        if has_poll_before:
            self._poll()
        if between:
            self._write(live, between)
            if has_poll_between:
                self._poll()
        self._destroy(set(live.numbers) - set(copy.numbers))
        self.streams.append(ModelFile(None, live.entries))
        self.live_path.write_bytes(b"")
        live.empty()

    @precondition(lambda self: self.live is not None)
    @rule()
    def truncate(self) -> None:
        assert self.live is not None
        self._destroy(self.live.numbers)
        self.streams.append(ModelFile(None, self.live.entries))
        self.live_path.write_bytes(b"")
        self.live.empty()

    @precondition(lambda self: self.live is not None and self.live.numbers and not self.live.torn)
    @rule()
    def rewrite_at_the_same_size(self) -> None:
        live = self.live
        assert live is not None
        self._destroy(live.numbers)
        self.streams.append(ModelFile(None, live.entries))
        size, count = live.size, len(live.numbers)
        live.empty()
        live.entries = self._new_entries(count)
        self.written += live.numbers
        live.entries.insert(0, Entry(0, b"y" * (size - live.size - 1) + b"\n" if size > live.size else b""))
        with self.live_path.open("r+b") as file:
            file.write(b"".join(entry.data for entry in live.entries))
        live.farthest = live.size

    @precondition(lambda self: self.live is not None and len(self.live.numbers) > 1)
    @rule(lines=st.sampled_from([1, 2, 5, 20]), appended=st.sampled_from([0, 0, 1, 3, 30]))
    def cut_back(self, lines: int, appended: int) -> None:
        live = self.live
        assert live is not None
        cut = min(lines, len(live.entries) - 1)
        longest = max(len(entry.data) for entry in live.entries)
        live.entries, gone = live.entries[:-cut], live.entries[-cut:]
        live.torn, live.is_begun = None, False
        os.truncate(self.live_path, live.size)
        self._destroy(entry.number for entry in gone)
        self._may_come_again(live, longest)
        live.cut_behind = self.next_number - 1 if live.cut_behind is None else live.cut_behind
        if appended:
            self._write(live, appended)

    def _may_come_again(self, live: ModelFile, longest: int) -> None:
        """Allow the promised few lines behind a cut: those behind a mark that is an eighth of the way before it."""
        size = live.size
        begin = size - max(longest, min(size // 8, (live.farthest - size) // 7)) - 1
        position = 0
        for entry in live.entries:
            position += len(entry.data)
            if position > begin or begin < 1024:  # with less than a KiB in common, it is another file
                self.may_come_again[entry.number] += 1
                self.late.add(entry.number)

    @precondition(lambda self: self.live is not None)
    @rule()
    def delete(self) -> None:
        assert self.live is not None
        self.live_path.unlink()
        self.live.path = None
        if not self.live.is_open_in_consumer:
            self._destroy(self.live.numbers)
        if not self.live.is_begun:
            self.late.update(self.live.numbers)  # without a name it has no place among the files beside
        self._no_longer_live()

    # What they do to the files beside it

    @precondition(lambda self: self._renamed_files())
    @rule(data=st.data())
    def append_to_a_renamed_file(self, data: st.DataObject) -> None:
        renamed = self._drawn(data, self._renamed_files())
        if not (renamed.is_copy or renamed.torn):
            self.late.add(self.next_number)
            self._write(renamed, 1)

    @precondition(lambda self: self._renamed_files())
    @rule(data=st.data(), suffix=st.sampled_from(sorted(PACKERS)), part=st.sampled_from([0.0, 0.5, 0.95, 1.0, 2.0]))
    def compress(self, data: st.DataObject, suffix: str, part: float) -> None:
        """Begin an archive; with a part of 2 it is finished at once, and the original removed."""
        file = self._drawn(data, self._renamed_files())
        assert file.path is not None
        packed = PACKERS[suffix](file.path.read_bytes())
        file.archive = file.path.with_name(file.path.name + suffix)
        file.archive.write_bytes(packed[: int(len(packed) * part)])
        if part > 1:
            self._finish_archive(file)

    @precondition(lambda self: any(other.archive for other in self.others))
    @rule(data=st.data())
    def finish_an_archive(self, data: st.DataObject) -> None:
        self._finish_archive(self._drawn(data, [other for other in self.others if other.archive]))

    def _finish_archive(self, file: ModelFile) -> None:
        assert file.path is not None
        assert file.archive is not None
        times = file.path.stat()
        file.archive.write_bytes(PACKERS[file.archive.suffix](file.path.read_bytes()))
        os.utime(file.archive, ns=(times.st_atime_ns, times.st_mtime_ns))
        file.path.unlink()
        file.path, file.archive, file.is_packed, file.torn = file.archive, None, True, None

    @precondition(lambda self: self._files_beside())
    @rule(data=st.data())
    def delete_a_file_beside(self, data: st.DataObject) -> None:
        file = self._drawn(data, [other for other in self._files_beside() if other.archive is None] or [None])
        if file is not None:
            file.path.unlink()
            file.path = None
            if not file.is_open_in_consumer:
                self._destroy(file.numbers)
            if not file.is_begun:
                self.late.update(file.numbers)  # as in delete

    @precondition(lambda self: self._files_beside())
    @rule(data=st.data())
    def copy_a_file_beside(self, data: st.DataObject) -> None:
        file = self._drawn(data, self._files_beside())
        suffix = file.path.suffix if file.is_packed else ""
        copy = self._rotated_path()
        copy = copy.with_name(copy.name + suffix)
        shutil.copyfile(file.path, copy)
        self.others.append(ModelFile(copy, file.entries[:], is_packed=file.is_packed, is_copy=True))
        self.late.update(file.numbers)  # nothing can tell which of the two is older

    @precondition(lambda self: self._files_beside() or self.live)
    @rule(data=st.data(), offset_s=st.sampled_from([-(10**9), -3600, 3600, 10**9]))
    def set_a_time(self, data: st.DataObject, offset_s: int) -> None:
        files = [*self._files_beside(), *([self.live] if self.live else [])]
        time_s = time.time() + offset_s
        os.utime(self._drawn(data, files).path, (time_s, time_s))

    @precondition(lambda self: self._files_beside())
    @rule(data=st.data())
    def make_unreadable_or_readable(self, data: st.DataObject) -> None:
        file = self._drawn(data, self._files_beside())
        file.is_unreadable = not file.is_unreadable
        self.late.update(file.numbers)

    # What happens to the consumer

    @rule()
    def start_or_restart_the_consumer(self) -> None:
        self._end_consumer()
        self._start_consumer()

    def _start_consumer(self) -> None:
        if self.blocker is None:
            self.consumer = Consumer(self.live_path, self.database, KillableStore(self.database))
            self.consumer.tick_s = self.tick_s
            self._poll()

    @precondition(lambda self: self.consumer is not None)
    @rule()
    def poll(self) -> None:
        self._poll()

    @precondition(lambda self: self.consumer is not None)
    @rule(steps=st.integers(1, 5))
    def poll_only_a_little(self, steps: int) -> None:
        assert self.consumer is not None
        for _ in range(steps):
            self.consumer.pipeline.step()

    @precondition(lambda self: self.consumer is not None)
    @rule(seconds=st.sampled_from([1.0, 3.0, 100.0]))
    def let_time_pass(self, seconds: float) -> None:
        assert self.consumer is not None
        self.consumer.time_s += seconds
        time.sleep(0.005)  # the clock of the file system has its ticks

    @precondition(lambda self: self.consumer is not None)
    @rule(saves_before=st.integers(0, 3), after_save=st.booleans())
    def kill_the_consumer_while_it_saves(self, saves_before: int, after_save: bool) -> None:
        assert self.consumer is not None
        store = self.consumer.store
        assert isinstance(store, KillableStore)
        store.saves_before_death, store.dies_after_save = saves_before, after_save
        with contextlib.suppress(Killed):
            self.consumer.read_all()
        self._end_consumer()

    @precondition(lambda self: self.consumer is not None and self.blocker is None)
    @rule()
    def lock_the_database(self) -> None:
        self.blocker = sqlite3.connect(self.database, isolation_level=None)
        self.blocker.execute("BEGIN IMMEDIATE")

    @precondition(lambda self: self.blocker is not None)
    @rule()
    def unlock_the_database(self) -> None:
        assert self.blocker is not None
        self.blocker.close()
        self.blocker = None

    @precondition(lambda self: self.blocker is None)
    @rule(is_copied=st.booleans())
    def move_the_folder_with_the_database(self, is_copied: bool) -> None:
        self._end_consumer()
        self.moves += 1
        target = self.home / str(self.moves)
        if is_copied:
            shutil.copytree(self.folder, target, copy_function=shutil.copyfile)
            shutil.rmtree(self.folder)
        else:
            self.folder.rename(target)
        self.folder = target
        for file in (*self.others, self.live):
            if file is not None and file.path is not None:
                file.path = target / file.path.name
                file.archive = file.archive and target / file.archive.name
        self._start_consumer()

    # What must hold

    @invariant()
    def the_account_balances(self) -> None:
        if self.database.exists() and self.blocker is None and self.consumer is not None:
            assert query(self.database, "SELECT count(*) FROM ingest_audit WHERE NOT balances") == [(0,)]

    def teardown(self) -> None:
        try:
            if hasattr(self, "names"):
                self._end_the_history()
        finally:
            if self.blocker is not None:
                self.blocker.close()
            self._end_consumer()
            self.patches.close()
            shutil.rmtree(self.home)

    def _end_the_history(self) -> None:
        if self.blocker is not None:
            self.unlock_the_database()
        if self.consumer is None:
            self._start_consumer()
        self.append(1)
        self._look_at_everything()
        self._check_that_unreadable_files_are_told()
        for file in self.others:
            file.is_unreadable = False
        self._look_at_everything()
        rows = stored_machine_ids(self.database)
        self._check_rows(rows)
        self.the_account_balances()
        self._end_consumer()
        self._start_consumer()
        assert stored_machine_ids(self.database) == rows, "a restart reads something again"

    def _look_at_everything(self) -> None:
        assert self.consumer is not None
        self.consumer.time_s += 1000.0
        self._poll()

    def _check_that_unreadable_files_are_told(self) -> None:
        assert self.consumer is not None
        told = {unread.path for unread in self.consumer.tail.unread}
        accounted = set(stored_machine_ids(self.database)) | self.may_be_lost
        sizes = {stream.offset for stream in self.consumer.store.streams()}
        for file in self._files_beside():
            # From outside, a file is taken for read if it has the size of one that was read.
            assert file.path is not None
            if file.is_unreadable and set(file.numbers) - accounted and file.path.stat().st_size not in sizes:
                assert str(file.path) in told

    def _check_rows(self, rows: list[int]) -> None:
        twice = {number: count for number, count in (Counter(rows) - self.may_come_again).items() if count > 1}
        assert not twice, f"twice: {twice} in {rows}"
        assert set(rows) <= set(self.written), f"never written: {set(rows) - set(self.written)}"
        missing = set(self.written) - set(rows) - self.may_be_lost
        assert not missing, f"missing {missing} of {self.written}, got {rows}"
        # A stream of which nothing but a head that all files have was read may stand in any of them: each line counts
        # once all the same, but which file goes on with that stream, and so comes first, cannot be known.
        on_time = [number for number in rows if number not in self.late]
        is_in_order = on_time == sorted(on_time)
        assert is_in_order or (self.header and NUMBER not in self.header), f"out of order: {on_time}"
        first_rows = list(dict.fromkeys(rows))
        for stream in (*self.streams, *self.others):
            its = set(stream.numbers) - set(self.may_come_again)
            in_order = [number for number in first_rows if number in its]
            assert in_order == sorted(in_order), f"out of order in their own file: {in_order}"

    # Bookkeeping

    def _poll(self) -> None:
        if self.consumer is None:
            return
        if self.live is not None and self.blocker is None:
            self.live.is_open_in_consumer = True
            self.live.is_begun = bool(self.live.entries)
            if self.live.cut_behind is not None and max(self.live.numbers, default=0) > self.live.cut_behind:
                self.live.cut_behind = None
        self.consumer.read_all()

    def _end_consumer(self) -> None:
        """Close what the system closes when a process ends: nothing is committed by it."""
        if self.consumer is not None:
            self.consumer.close()
        self.consumer = None
        for file in (*self.others, self.live):
            if file is not None:
                file.is_open_in_consumer = False
                if file.path is None:
                    self._destroy(file.numbers)

    def _live_file(self) -> ModelFile:
        if self.live is None:
            self.live = ModelFile(self.live_path)
        return self.live

    def _no_longer_live(self) -> None:
        assert self.live is not None
        self._lose_what_is_behind_an_unseen_cut(self.live)
        self.others.append(self.live)
        self.live = None

    def _lose_what_is_behind_an_unseen_cut(self, file: ModelFile) -> None:
        """A file that was cut back, and renamed before anyone saw it, looks like a shorter copy: an open case."""
        if file.cut_behind is not None:
            self._destroy(number for number in file.numbers if number > (file.cut_behind or 0))

    def _destroy(self, numbers: Iterable[int]) -> None:
        """Note that lines are gone, whether they were read or not."""
        self.may_be_lost.update(numbers)

    def _renamed_files(self) -> list[ModelFile]:
        return [other for other in self._files_beside() if not other.is_packed and other.archive is None]

    def _files_beside(self) -> list[ModelFile]:
        return [other for other in self.others if other.path is not None]

    def _drawn(self, data: st.DataObject, files: list[Any]) -> Any:
        return files[data.draw(st.integers(0, len(files) - 1))]

    def _open_candidate(self, path: Path) -> OpenFile:
        if any(other.is_unreadable and other.path == path for other in self.others):
            raise PermissionError(13, "Permission denied", str(path))
        return open_candidate(path)

    def _write(self, file: ModelFile, count: int) -> None:
        if not file.entries and file.torn is None and self.header:
            self.headers += 1
            header = self.header.replace(NUMBER, b"%06d" % self.headers)
            file.entries.append(Entry(0, header))
            self._append_bytes(file, header)
        if file.torn is not None:
            self._append_bytes(file, file.torn.data[len(file.torn.data) // 2 :])
            file.entries.append(file.torn)
            self.written.append(file.torn.number)
            file.torn = None
        new = self._new_entries(count)
        self._append_bytes(file, b"".join(entry.data for entry in new))
        file.entries += new
        file.farthest = max(file.farthest, file.size)
        self.written += [entry.number for entry in new]

    def _new_entries(self, count: int) -> list[Entry]:
        numbers = range(self.next_number, self.next_number + count)
        self.next_number += count
        return [Entry(number, self._line(number)) for number in numbers]

    def _line(self, number: int) -> bytes:
        """Return a line, as long as any other one."""
        seconds = number if self.has_times else 0
        time_of_day = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return LINE.replace("Machine 1 ", f"Machine {number:06} ").replace("00:00:00", time_of_day).encode()

    def _append_bytes(self, file: ModelFile, data: bytes) -> None:
        assert file.path is not None
        with file.path.open("ab") as handle:
            handle.write(data)

    def _rotated_path(self) -> Path:
        self.rotations += 1
        if self.names == "live.json.1":
            self._shift_numbers()
        return self.folder / self.names.format(self.rotations)

    def _shift_numbers(self) -> None:
        for file in self.others:
            if file.archive is not None:
                self._finish_archive(file)
        for file in sorted(self._files_beside(), key=lambda file: -self._number(file.path)):
            assert file.path is not None
            packed = file.path.suffix if file.is_packed else ""
            file.path = file.path.rename(self.folder / f"live.json.{self._number(file.path) + 1}{packed}")

    def _number(self, path: Path | None) -> int:
        assert path is not None
        return int(path.name.split(".")[2])


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=int(os.environ.get("NIGHTLY_HISTORIES", "150")),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
