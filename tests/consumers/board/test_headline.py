from consumers.board.palette import ANOMALY_COLOUR
from consumers.machines.fleet import Fleet
from tests.consumers.board.support import Shown, overlaps, plant
from tests.consumers.machines.support import row


def test_the_longest_headline_has_room() -> None:
    shown = Shown([row(n, 0, temperature_c=95) for n in range(400_000, 400_999)], after_s=59.9 * 60)
    shown.fleet.machines[400_000] = shown.fleet.machines[400_000]._replace(readings=1_000_000_000)
    shown.add([], after_s=59.9 * 60)
    assert "1,000,000,998 readings" in shown.words
    assert overlaps(shown.figure) == []


def test_the_headline_says_totals_and_machines_beyond_a_limit() -> None:
    shown = Shown([row(n, 0, temperature_c=95) for n in range(1, 9)] + [row(9, 1)], after_s=5)
    assert "9 machines, 9 readings" in shown.words
    assert "8 beyond a limit now: #1 #2 #3 #4 #5 +3 more" in shown.words
    assert "last reading received 4 s ago" in shown.words
    assert "2027-01-15  08:00:05 UTC" in shown.words


def test_the_headline_names_machines_with_a_wrong_clock_where_there_are_any() -> None:
    rows = [row(n, s) for s in range(9) for n in range(1, 7)]
    assert "clock" not in Shown(rows).words
    for year in ("1970", "9999"):
        wrong = [
            reading._replace(timestamp=year + reading.timestamp[4:]) if reading.machine_id == 5 else reading
            for reading in rows
        ]
        assert "1 machine with a wrong clock: #5" in Shown(wrong).words


def test_the_headline_turns_red_when_nothing_is_heard() -> None:
    shown = Shown([row(1, 0)], after_s=301)
    (text,) = (text for text in shown.figure.texts if text.get_text() == "no reading for 5 min")
    assert text.get_color() == ANOMALY_COLOUR
    assert text.get_fontweight() == "bold"
    shown.add([row(1, 302)])
    assert (text.get_text(), text.get_fontweight()) == ("last reading received 0 s ago", "normal")


def test_silent_machines_beyond_a_limit_are_named_by_when_they_were_heard() -> None:
    shown = Shown([row(7, 0, temperature_c=95), *(row(1, second) for second in range(200))])
    (text,) = (text for text in shown.figure.texts if text.get_text() == "1 beyond a limit when last heard: #7")
    assert (text.get_color(), text.get_fontweight()) == (ANOMALY_COLOUR, "normal")


def test_machines_without_recent_readings_are_counted() -> None:
    shown = Shown(plant([1, 2]))
    shown.fleet = Fleet(10, shown.fleet.machines.values())
    shown.add([])
    assert "2 machines, 40 readings" in shown.words
