"""What someone who set out to break the consumer has found; each find stays here."""

import gzip
import os
import sqlite3
from io import FileIO
from pathlib import Path

import pytest

from consumers.follow.candidates import Candidate
from consumers.follow.open_file import OpenFile
from consumers.follow.streams import Streams
from consumers.follow.tail import SyncError
from consumers.ingest import ingest
from consumers.records import Mark, Stream
from consumers.store.errors import StoreError
from consumers.store.store import Store
from tests.support import AT, ConsumerInProcess, lines, stored_machine_ids
from utils.efficiency import Limits
from utils.message import MessageError


@pytest.fixture
def consumer(live_file: Path, database: Path) -> ConsumerInProcess:
    return ConsumerInProcess(live_file, database)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_a_cut_by_an_editor_that_renames_is_a_cut_like_any_other(
    consumer: ConsumerInProcess, live_file: Path, database: Path
) -> None:
    """As `sed -i '$d'` and `head -n -10 live > t && mv t live` do."""
    live_file.write_bytes(lines(1, 1000))
    consumer.read_all()
    live_file.with_name("t").write_bytes(lines(1, 990))
    live_file.with_name("t").replace(live_file)
    append(live_file, lines(2001, 5))
    consumer.read_all()
    consumer.close()
    read = stored_machine_ids(database)
    assert set(read) == {*range(1, 1001), *range(2001, 2006)}
    assert len(read) - len(set(read)) < 200
    assert any("was cut back" in said for said in consumer.said)


def test_a_name_that_leads_to_another_file_at_each_look_keeps_nothing_waiting(
    consumer: ConsumerInProcess, live_file: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system whose listings number files otherwise than their status does."""
    rotated = live_file.with_name("live.json.1")
    rotated.write_bytes(lines(1, 3))
    live_file.write_bytes(lines(4, 3))
    monkeypatch.setattr(
        "consumers.follow.survey.candidates_of", lambda _path: [Candidate(rotated, rotated.stat().st_ino + 1)]
    )
    consumer.read_all()
    consumer.close()
    assert stored_machine_ids(database) == [4, 5, 6]


def test_a_file_that_cannot_be_synced_is_told_and_nothing_of_it_is_saved(
    consumer: ConsumerInProcess, live_file: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    live_file.write_bytes(lines(1, 3))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SyncError, match="safe on its disk: Input/output error; look after the disk"):
            consumer.read_all()
    assert stored_machine_ids(database) == []
    consumer.read_all()
    consumer.close()
    assert stored_machine_ids(database) == [1, 2, 3]


def test_a_lost_file_counts_as_nothing_unread(
    consumer: ConsumerInProcess, live_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: OpenFile) -> os.stat_result:
        raise OSError(116, "Stale file handle")

    live_file.write_bytes(lines(1, 3))
    consumer.read_all()
    with monkeypatch.context() as patch:
        patch.setattr(OpenFile, "status", fail)
        assert consumer.tail.unread_bytes() == 0
    consumer.close()


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE source_files SET marks = x''",
        "UPDATE source_files SET marks = x'ffffffffffffffff' || zeroblob(16)",
        "UPDATE source_files SET marks = marks || marks",
        "UPDATE machines SET active_efficiency_sum = 9e999",
        "UPDATE machines SET readings = 9223372036854775807",
        "UPDATE machines SET mode = 'flying'",
        "UPDATE machines SET timestamp = 'yesterday'",
    ],
)
def test_a_database_that_someone_changed_is_told_in_words(
    consumer: ConsumerInProcess, live_file: Path, database: Path, deed: str
) -> None:
    live_file.write_bytes(lines(1, 3))
    consumer.read_all()
    consumer.close()
    _change(database, deed)
    store = Store(database)
    try:
        with pytest.raises(StoreError, match=r"was changed by hand|cannot use"):
            _ = store.streams(), store.machines()
    finally:
        store.close()


def _change(database: Path, deed: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute(deed)
    connection.commit()
    connection.close()


def test_a_path_with_escape_sequences_in_the_database_reaches_no_terminal(
    consumer: ConsumerInProcess, live_file: Path, database: Path
) -> None:
    live_file.write_bytes(lines(1, 3))
    consumer.read_all()
    consumer.close()
    _change(database, "UPDATE source_files SET path = char(27) || '[31mX', why_new = char(27)")
    append(live_file, lines(4, 1))
    again = ConsumerInProcess(live_file, database)
    again.read_all()
    again.close()
    assert stored_machine_ids(database) == [1, 2, 3, 4]
    assert any("\\x1b[31mX" in said for said in again.said)
    assert not any("\x1b" in said for said in again.said)


def test_streams_with_a_common_first_line_are_not_all_compared() -> None:
    header = b"# the same header\n"
    heads = [(header + b"%06d\n" % number * 200)[:1024] for number in range(50)]
    streams = Streams(
        Stream(number, "live.json", "first seen", 0, 1024, head, (Mark(1024, b"x" * 16),))
        for number, head in enumerate(heads, start=1)
    )
    assert [stream.stream_id for stream in streams.begun_with(heads[7])] == [8]
    assert len(streams.begun_with(header)) == 50, "a copy that is being made is compared with each"


def test_a_packed_file_with_a_long_line_is_unpacked_a_few_times(
    consumer: ConsumerInProcess, live_file: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = FileIO.read

    class Counted(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal reads
            reads += 1
            return read(self, size) or b""

    monkeypatch.setattr("consumers.follow.open_file.FileIO", Counted)
    with gzip.open(live_file.with_name("live.json.1.gz"), "wb", compresslevel=1) as packed:
        packed.write(lines(1, 2) + b"x" * 60_000_000 + b"\n" + lines(3, 2))
    live_file.write_bytes(lines(5, 1))
    consumer.read_all()
    consumer.close()
    assert stored_machine_ids(database) == [1, 2, 3, 4, 5]
    unpacked_at_once_bytes = 8192
    assert reads < 8 * 60_000_000 / unpacked_at_once_bytes, "it was unpacked again and again"


def test_blank_lines_cost_no_more_than_rejected_ones() -> None:
    judged: list[bytes | str] = []

    def refuse(line: str | bytes, limits: Limits, at: str) -> tuple[()]:
        judged.append(line)
        raise MessageError("no reading")

    batch = ingest(b"\n" * 3000 + b"x\n" * 3000, 0, AT, Limits(), row_of=refuse)  # type: ignore[arg-type]
    assert (batch.blank_lines, batch.rejected_lines) == (3000, 3000)
    assert len(judged) == 2, "each kind of line once"
