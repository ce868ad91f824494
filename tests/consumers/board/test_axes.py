from consumers.board.axes import Reach
from tests.consumers.board.support import Shown


def test_an_axis_grows_at_once_in_whole_steps() -> None:
    reach = Reach(0, 4, 2)
    assert reach.cover(0, 3) == (0, 4)
    assert reach.cover(-1, 5) == (-2, 6)


def test_an_axis_shrinks_only_after_many_frames_without_need() -> None:
    reach = Reach(0, 4, 1)
    reach.cover(0, 100)
    for _ in range(30):
        assert reach.cover(0, 50) == (0, 100)
    assert reach.cover(0, 50) == (0, 50)


def test_a_title_names_as_much_of_its_span_as_there_is_room_for() -> None:
    title = Shown().dashboard._modes._title
    title.say("last 60 min", "a" * 100)
    assert title._span.get_text() == "last 60 min"
    title.say("b" * 100)
    assert title._span.get_text().endswith("…")
