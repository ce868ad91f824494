from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.growth import Growth, GrowthWatch, Outlook, Sample, bytes_a_day, bytes_beside, outlook, warning
from consumers.store.errors import StoreBusyError
from utils.moment import DAY_S, shifted

BEGIN = "2026-01-01T00:00:00.000Z"
MB = 1_000_000


def growth(bytes_a_day: float, ends_after_days: float = inf, what: str = "it") -> Growth:
    return Growth(what, bytes_a_day, ends_after_days, "a setting helps")


# How fast it grows


@pytest.mark.parametrize(
    ("samples", "a_day"),
    [
        ([], 0),
        ([(0, 100)], 0),
        ([(0, 0), (599, 1000)], 0),
        ([(0, 0), (600, 1000)], 144_000),
        ([(0, 0), (300, 5000), (DAY_S, 1000)], 1000),
        ([(0, 1000), (DAY_S, 0)], 0),
    ],
)
def test_growth_is_from_the_first_sample_to_the_last_if_they_are_ten_minutes_apart(
    samples: list[tuple[float, int]], a_day: float
) -> None:
    assert bytes_a_day([Sample(*sample) for sample in samples]) == a_day


# How long it will last


@pytest.mark.parametrize(
    ("growths", "free", "days"),
    [
        ([], 1000, inf),
        ([growth(0)], 1000, inf),
        ([growth(100)], 1000, 10),
        ([growth(100), growth(300)], 1000, 2.5),
        ([growth(100, 10)], 1000, inf),
        ([growth(100, 10)], 999, 9.99),
        ([growth(100, 5), growth(10)], 1000, 5 + 450 / 10),
        ([growth(100)], 0, 0),
    ],
)
def test_a_disk_lasts_until_what_grows_has_filled_it(growths: list[Growth], free: int, days: float) -> None:
    assert outlook(growths, free).days_left == pytest.approx(days)


rates = st.floats(0.001, 1e9) | st.just(0.0)
ends = st.floats(0, 1000) | st.just(inf)


@given(st.lists(st.builds(growth, rates, ends), max_size=4), st.integers(0, 10**12))
def test_until_then_there_is_room_and_afterwards_there_is_none(growths: list[Growth], free: int) -> None:
    days = outlook(growths, free).days_left

    def grown(after_days: float) -> float:
        return sum(each.bytes_a_day * min(after_days, each.ends_after_days) for each in growths)

    if days < inf:
        assert grown(days) == pytest.approx(free)
    else:
        assert all(each.bytes_a_day == 0 or each.ends_after_days < inf for each in growths)
        assert grown(1e4) <= free * (1 + 1e-9)


def test_a_warning_names_the_disk_the_time_what_grows_and_the_settings_that_help() -> None:
    found = Outlook(
        12.4,
        (
            Growth("the database", 223 * MB, inf, "KEEP_READINGS_DAYS helps"),
            Growth("the live file's folder", 500 * MB, inf, "LIVE_FILE_MAX_MB helps"),
        ),
        9_000 * MB,
    )
    assert warning("/plant/a.sqlite", found) == (
        "the disk of /plant/a.sqlite is full in about 12 days: the database grows by 223.0 MB a day and "
        "the live file's folder grows by 500.0 MB a day, 9.0 GB are free. "
        "KEEP_READINGS_DAYS helps; LIVE_FILE_MAX_MB helps"
    )


# The watch


class Plant:
    """A watch over a database and a live file on one disk, with clocks and sizes that are set by hand."""

    def __init__(self, folder: Path, keep_readings_days: float = 0) -> None:
        self.time_s = 0.0
        self.plant_s = 0.0
        self.size_bytes = 10 * MB
        self.free_bytes = 1_000 * MB
        self.oldest_s: float | None = 0.0
        self.warned: list[str] = []
        self.live_file = folder / "live.json"
        self.live_file.touch()
        self.watch = GrowthWatch(
            folder / "analytics.sqlite",
            self.live_file,
            lambda: self.size_bytes,
            lambda: None if self.oldest_s is None else shifted(BEGIN, self.oldest_s),
            keep_readings_days,
            self.warned.append,
            lambda: self.time_s,
            lambda _folder: self.free_bytes,
        )

    def minutes(self, count: int, mb_a_day: float, faster: float = 1.0) -> None:
        for _ in range(count):
            self.time_s += 60.0
            self.plant_s += 60.0 * faster
            self.size_bytes += round(mb_a_day * MB * faster * 60 / DAY_S)
            self.watch.look(shifted(BEGIN, self.plant_s))


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def test_a_disk_that_lasts_less_than_thirty_days_is_warned_of_after_ten_minutes_and_again_a_day_later(
    plant: Plant,
) -> None:
    plant.minutes(10, 50)
    assert plant.warned == []
    plant.minutes(1, 50)
    (warned,) = plant.warned
    assert "is full in about 20 days: the database grows by 50.0 MB a day, 1.0 GB are free" in warned
    assert "KEEP_READINGS_DAYS" in warned
    assert "LIVE_FILE_MAX_MB" not in warned
    plant.minutes(24 * 60 - 1, 50)
    assert len(plant.warned) == 1
    plant.minutes(2, 50)
    assert len(plant.warned) == 2


def test_a_disk_that_lasts_longer_is_not_warned_of(plant: Plant) -> None:
    plant.minutes(3000, 30)
    assert plant.warned == []


def test_catching_up_is_no_fast_growth(plant: Plant) -> None:
    plant.minutes(60, 30, faster=10_000)
    assert plant.warned == []


def test_older_lines_that_are_read_later_are_no_measure(plant: Plant) -> None:
    plant.minutes(60, 30)
    plant.plant_s -= 1e6
    plant.minutes(5, 1000)
    assert plant.warned == []


def test_growth_that_retention_will_end_in_time_is_not_warned_of(tmp_path: Path) -> None:
    plant = Plant(tmp_path, keep_readings_days=10)
    plant.minutes(60, 90)
    assert plant.warned == []
    plant.minutes(60, 200)
    assert len(plant.warned) == 1


def test_when_readings_expire_already_what_grows_is_measured_anew_and_goes_on_for_ever(tmp_path: Path) -> None:
    plant = Plant(tmp_path, keep_readings_days=1)
    plant.minutes(24 * 60 + 2, 90)
    assert plant.warned == []
    plant.minutes(60, 0)
    assert plant.warned == []
    plant.minutes(60, 100)
    assert len(plant.warned) == 1


def test_an_empty_database_and_a_plant_without_a_time_are_waited_for(plant: Plant) -> None:
    plant.oldest_s = None
    plant.watch.look(None)
    plant.minutes(5, 0)
    assert plant.warned == []


def test_the_live_files_folder_is_measured_by_the_consumers_own_clock(plant: Plant) -> None:
    for _ in range(12):
        plant.minutes(1, 0, faster=0.0)
        with plant.live_file.with_name("live-20260101T000000Z.json").open("ab") as rotated:
            rotated.write(bytes(100_000))
    (warned,) = plant.warned
    assert "full in about 7 days: the live file's folder grows by 144.0 MB a day" in warned
    assert "LIVE_FILE_MAX_MB" in warned


def test_a_folder_that_is_gone_for_a_while_stops_nothing(plant: Plant) -> None:
    plant.live_file.unlink()
    plant.live_file.parent.rmdir()
    plant.minutes(20, 50)
    assert plant.warned == []


def test_a_database_that_is_locked_for_a_while_stops_nothing(tmp_path: Path) -> None:
    def locked() -> int:
        raise StoreBusyError("locked")

    plant = Plant(tmp_path)
    plant.watch = GrowthWatch(
        tmp_path / "a.sqlite", plant.live_file, locked, lambda: None, 0, plant.warned.append, lambda: plant.time_s
    )
    plant.minutes(3, 50)
    assert plant.warned == []


def test_beside_a_live_file_only_files_of_its_name_count(tmp_path: Path) -> None:
    for name in ("live.json", "live.json.1", "live-20260101.json.gz", "analytics.sqlite"):
        (tmp_path / name).write_bytes(bytes(10))
    assert bytes_beside(tmp_path / "live.json") == 30
