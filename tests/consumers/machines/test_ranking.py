import pytest

from consumers.machines.ranking import Kind, Urgency, forecast_span, ranked
from consumers.records import Episode, Machine
from tests.consumers.machines.support import LIMITS, T0_S, ids, row
from utils.message import Mode, timestamp_at


def machine(machine_id: int, after_s: float = 0, mode: Mode = "active", **values: float) -> Machine:
    return Machine(row(machine_id, after_s, mode, **values))


def episode(machine_id: int, signal: str = "vibration", after_s: float = 0, peak: float = 6.0) -> Episode:
    limit, raised_at = 4.5 if signal == "vibration" else 90.0, timestamp_at(T0_S + after_s)
    return Episode(1, machine_id, signal, limit, raised_at, peak, peak, raised_at, 3, "active")  # type: ignore[arg-type]


def at(after_s: float) -> str:
    return timestamp_at(T0_S + after_s)


def order(urgencies: list[Urgency]) -> list[tuple[int, Kind]]:
    return [(urgency.machine.latest.machine_id, urgency.kind) for urgency in urgencies]


def reason(
    one: Machine, *episodes: Episode, heard_s: float = 0, stale_after_s: float = 60.0
) -> tuple[str, str | None]:
    (urgency,) = ranked([one], LIMITS, at(heard_s), {one.latest.machine_id: episodes}, stale_after_s)
    return urgency.reason, urgency.since


def test_machines_that_run_beyond_a_limit_come_before_stopped_ones_and_those_within() -> None:
    plant = [
        machine(1),
        machine(2, mode="offline", temperature_c=95),
        machine(3, mode="idle", vibration_mm_s=5),
        machine(4, mode="maintenance", vibration_mm_s=9),
        machine(5, vibration_mm_s=4.4),
    ]
    assert order(ranked(plant, LIMITS, at(0))) == [
        (3, "beyond"),
        (4, "stopped"),
        (2, "stopped"),
        (5, "near"),
        (1, "near"),
    ]


def test_of_machines_beyond_a_limit_the_largest_share_of_it_comes_first_then_the_longest() -> None:
    plant = [machine(n, 100, vibration_mm_s=v) for n, v in ((1, 5), (2, 5), (3, 9), (4, 5))]
    open_episodes = {1: [episode(1, after_s=60)], 2: [episode(2, after_s=50)]}
    assert ids(urgency.machine for urgency in ranked(plant, LIMITS, at(100), open_episodes)) == [3, 2, 1, 4]


def test_of_machines_within_the_limits_the_nearest_to_one_comes_first_whatever_the_signal() -> None:
    plant = [
        machine(1, temperature_c=50, vibration_mm_s=1.5),
        machine(2, temperature_c=50, vibration_mm_s=2.7),
        machine(3, temperature_c=74, vibration_mm_s=1.5),
    ]
    assert ids(urgency.machine for urgency in ranked(plant, LIMITS, at(0))) == [3, 2, 1]


def test_machines_that_are_forecast_to_cross_come_before_stopped_ones_the_soonest_first() -> None:
    def forecast(machine_id: int, low: float, middle: float, high: float) -> Machine:
        return machine(machine_id)._replace(hours_to_limit_low=low, hours_to_limit=middle, hours_to_limit_high=high)

    plant = [machine(1, mode="offline", temperature_c=95), forecast(2, 3, 5, 9), forecast(3, 0.2, 2, 4)]
    urgencies = ranked(plant, LIMITS, at(0))
    assert order(urgencies) == [(3, "forecast"), (2, "forecast"), (1, "stopped")]
    assert [urgency.reason for urgency in urgencies[:2]] == [
        "vibration 1 mm/s, limit in 0–4 h",
        "vibration 1 mm/s, limit in 3–9 h",
    ]


def test_equals_come_in_the_order_of_their_ids() -> None:
    assert ids(u.machine for u in ranked([machine(n) for n in (3, 1, 2)], LIMITS, at(0))) == [1, 2, 3]


def test_a_machine_whose_episode_goes_on_is_beyond_a_limit_even_if_its_latest_reading_is_not() -> None:
    (urgency,) = ranked([machine(7, 180, vibration_mm_s=4.3)], LIMITS, at(180), {7: [episode(7)]})
    assert urgency.kind == "beyond"
    assert urgency.reason == "vibration 4.3 mm/s, peak 6 > 4.5 mm/s for 3 min"
    assert urgency.share_of_limit == 4.3 / 4.5


def test_the_reason_says_value_limit_and_how_long() -> None:
    assert reason(machine(7, 180, vibration_mm_s=6.2), episode(7)) == ("vibration 6.2 > 4.5 mm/s for 3 min", at(0))


def test_a_reading_beyond_a_limit_without_an_episode_has_just_begun() -> None:
    assert reason(machine(7, 5, temperature_c=95.5), heard_s=5) == ("temperature 95.5 > 90 °C", at(5))


def test_both_signals_are_told_and_the_older_one_says_since_when() -> None:
    hot_and_rough = machine(7, 180, temperature_c=95, vibration_mm_s=5)
    assert reason(hot_and_rough, episode(7, "temperature", 120), episode(7, after_s=60), heard_s=180) == (
        "temperature 95 > 90 °C for 1 min, vibration 5 > 4.5 mm/s for 2 min",
        at(60),
    )


def test_of_a_stopped_machine_the_reason_says_how_it_stands_now() -> None:
    assert reason(machine(7, mode="offline", temperature_c=95))[0] == "temperature 95 > 90 °C, now offline"
    assert reason(machine(7, mode="maintenance", temperature_c=95))[0] == "temperature 95 > 90 °C, now in maintenance"


def test_within_the_limits_the_reason_is_the_nearer_one_and_there_is_no_since() -> None:
    assert reason(machine(7, vibration_mm_s=3.9)) == ("vibration 3.9 of 4.5 mm/s", None)
    assert reason(machine(7, temperature_c=88)) == ("temperature 88 of 90 °C", None)


def test_a_machine_that_was_quiet_for_too_long_by_the_plants_time_is_told_as_silent() -> None:
    assert reason(machine(7, temperature_c=95), heard_s=60) == ("temperature 95 > 90 °C", at(0))
    assert reason(machine(7, temperature_c=95), heard_s=2400)[0] == "temperature 95 > 90 °C, silent for 40 min"
    assert reason(machine(7, temperature_c=95), heard_s=2400, stale_after_s=3600)[0] == "temperature 95 > 90 °C"


def test_machines_are_chosen_by_kind_in_their_order() -> None:
    ranking = ranked([machine(1), machine(2, temperature_c=91), machine(3, temperature_c=95)], LIMITS, at(0))
    assert ids(urgency.machine for urgency in ranking if urgency.kind in {"beyond", "stopped"}) == [3, 2]
    assert ids(urgency.machine for urgency in ranking if urgency.kind == "near") == [1]


@pytest.mark.parametrize(
    ("low_s", "high_s", "words"),
    [
        (54, 79.2, "54–80 s"),
        (54, 120, "0–2 min"),
        (1200, 2099, "20–35 min"),
        (7000, 7200, "1–2 h"),
        (0, 1e6, "0–12 days"),
    ],
)
def test_the_time_left_is_told_in_the_unit_of_its_end(low_s: float, high_s: float, words: str) -> None:
    forecast = machine(1)._replace(hours_to_limit_low=low_s / 3600, hours_to_limit_high=high_s / 3600)
    assert forecast_span(forecast) == words


def test_the_vibration_of_a_forecast_machine_that_does_not_run_is_not_told() -> None:
    mended = machine(1, mode="maintenance")
    mended = mended._replace(hours_to_limit_low=1.0, hours_to_limit=2.0, hours_to_limit_high=3.0)
    (urgency,) = ranked([mended], LIMITS, at(0))
    assert urgency.reason == "vibration limit in 1–3 h of running, now in maintenance"
