from consumers.board.status import SPAN_S, RecentLines


def test_lines_of_the_newest_ten_minutes_are_counted() -> None:
    watch = RecentLines()
    assert watch.newest(0, 0) == (0, 0)
    for second in range(0, 1201, 10):
        watch.look(second, second, second // 2)
    assert watch.newest(1200, 600) == (SPAN_S, SPAN_S / 2)


def test_what_came_before_the_first_look_does_not_count() -> None:
    watch = RecentLines()
    watch.look(0, 1_000, 10)
    watch.look(1, 1_100, 20)
    assert watch.newest(1_100, 20) == (100, 10)
