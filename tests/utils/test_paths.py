import os
from pathlib import Path

import pytest

from utils.errors import PipelineError
from utils.paths import made_folders, require_not_written, require_separate

ADVICE = r"; set LIVE_FILE \(--file\) or DATABASE_FILE to another path$"
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="needs links")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("live_file", "database"),
    [
        ("live.json", "live.sqlite"),
        ("a/live", "b/live"),
        ("live-2", "live"),
        ("live-wall", "live"),
        ("live", "live-wal"),
        ("a/live-wal", "b/live"),
        ("live", "/"),
    ],
)
def test_other_files_are_separate(live_file: str, database: str) -> None:
    require_separate(Path(live_file), Path(database))


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("spelling", ["data/x", "data/../data/x", "./data//x", "{folder}/data/x"])
def test_the_database_is_no_live_file_however_its_path_is_spelt(
    tmp_path: Path, spelling: str, is_there: bool
) -> None:
    if is_there:
        Path("data").mkdir()
        Path("data/x").touch()
    other = Path(spelling.format(folder=tmp_path))
    for live_file, database in ((Path("data/x"), other), (other, Path("data/x"))):
        with pytest.raises(PipelineError, match="cannot be both the live file and the database" + ADVICE) as caught:
            require_separate(live_file, database)
        assert str(live_file) in str(caught.value)


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal", "-lock"])
@pytest.mark.parametrize("spelling", ["data/x", "data/../data/x", "{folder}/data/x"])
def test_a_companion_of_the_database_is_no_live_file(tmp_path: Path, ending: str, spelling: str) -> None:
    with pytest.raises(
        PipelineError, match="cannot be the live file: the database data/x keeps it for itself" + ADVICE
    ):
        require_separate(Path(spelling.format(folder=tmp_path) + ending), Path("data/x"))


@POSIX_ONLY
@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal", "-lock"])
@pytest.mark.parametrize("linked", ["live file", "database", "folder"])
def test_a_symbolic_link_changes_nothing(ending: str, linked: str) -> None:
    Path("data").mkdir()
    live_file, database = Path(f"data/x{ending}"), Path("data/x")
    if linked == "live file":
        Path("link").symlink_to(live_file)
        live_file = Path("link")
    elif linked == "database":
        Path("link").symlink_to(database)  # SQLite keeps the companions beside the file, not beside the link
        database = Path("link")
    else:
        Path("link").symlink_to("data")
        live_file = Path(f"link/x{ending}")
    with pytest.raises(PipelineError, match="cannot be " + ("both " if not ending else "the live file")):
        require_separate(live_file, database)


@POSIX_ONLY
@pytest.mark.parametrize("ending", ["", "-wal"])
def test_a_second_name_of_the_same_file_changes_nothing(ending: str) -> None:
    Path(f"x{ending}").touch()
    Path("hard").hardlink_to(f"x{ending}")
    with pytest.raises(PipelineError, match="cannot be "):
        require_separate(Path("hard"), Path("x"))


@POSIX_ONLY
def test_links_that_lead_nowhere_are_separate() -> None:
    Path("round").symlink_to("round")
    Path("nowhere").symlink_to("gone")
    require_separate(Path("round"), Path("nowhere"))
    require_separate(Path("x" * 5000), Path("nowhere"))


def test_a_long_path_is_shown_short() -> None:
    path = Path("/".join(["folder"] * 400))
    with pytest.raises(PipelineError) as caught:
        require_separate(path, path)
    assert len(str(caught.value)) < 350


@POSIX_ONLY
@pytest.mark.parametrize(
    ("live_file", "database", "told"),
    [
        (
            "logs/x.log",
            "db",
            "logs/x.log cannot be both the live file and the log; set LOG_DIR or it to",
        ),
        ("live", "other/../logs/x.log", "cannot be both the database and the log"),
        ("hard", "db", "hard cannot be both the live file and the log"),
    ],
)
def test_what_is_written_is_neither_the_live_file_nor_the_database(live_file: str, database: str, told: str) -> None:
    Path("logs").mkdir()
    Path("other").mkdir()
    log = Path("logs/x.log")
    log.touch()
    Path("hard").hardlink_to(log)
    with pytest.raises(PipelineError, match=told):
        require_not_written(log, "the log; set LOG_DIR or it", Path(live_file), Path(database))
    require_not_written(log, "the log; set LOG_DIR or it", Path("live"), Path("db"))


def test_folders_that_are_not_there_are_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folders = [tmp_path, tmp_path / "a" / "b", tmp_path / "a" / "b", tmp_path / "file" / "c"]
    assert made_folders(folders) == [tmp_path / "a" / "b"]
    assert (tmp_path / "a" / "b").is_dir()
