from consumers.board.axes import Reach, size_pt
from consumers.board.figure import snapshot_figure


def test_a_reach_grows_in_whole_steps_to_show_all() -> None:
    reach = Reach(0, 4, 2)
    assert reach.cover(1, 3) == (0, 4)
    assert reach.cover(-0.5, 4.1) == (-2, 6)


def test_a_reach_shrinks_only_after_thirty_frames_that_need_less() -> None:
    reach = Reach(0, 4, 2)
    reach.cover(0, 9)
    assert {reach.cover(0, 3) for _ in range(30)} == {(0, 10)}
    assert reach.cover(0, 3) == (0, 4)


def test_a_frame_that_needs_all_keeps_the_reach() -> None:
    reach = Reach(0, 4, 2)
    for needed in (9, *[3] * 30, 9, *[3] * 30):
        assert reach.cover(0, needed) == (0, 10)


def test_a_panel_has_its_size_in_points() -> None:
    width_pt, height_pt = size_pt(snapshot_figure().add_axes((0, 0, 0.5, 0.1)))
    assert (round(width_pt, 6), round(height_pt, 6)) == (540, 72)
