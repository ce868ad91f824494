"""Functions and modules are small enough to be read in one sitting."""

import pytest

from tests.house import PROJECT, SIDES, Sized, functions_in, functions_of, main, modules_of, percentile

SOURCE = '''
@decorator
def first(
    argument,
):
    """Two words."""

    def inner():
        return 1


class Thing:
    def method(self): ...


if True:
    async def second():
        pass
'''


@pytest.mark.parametrize("side", SIDES)
def test_nine_of_ten_functions_have_at_most_twenty_lines(side: str) -> None:
    assert percentile(functions_of(PROJECT / side), 90) <= 20


@pytest.mark.parametrize("side", SIDES)
def test_no_module_has_more_than_three_hundred_lines(side: str) -> None:
    assert [module for module in modules_of(PROJECT / side) if module.lines > 300] == []


def test_a_function_is_counted_from_its_def_to_its_last_line_wherever_it_stands() -> None:
    assert functions_in(SOURCE, "m") == [
        Sized("m.first", 7),
        Sized("m.first.inner", 2),
        Sized("m.Thing.method", 1),
        Sized("m.second", 2),
    ]


@pytest.mark.parametrize(("percent", "lines"), [(0, 1), (50, 5), (90, 9), (91, 10), (100, 10)])
def test_a_percentile_is_what_so_many_percent_do_not_exceed(percent: int, lines: int) -> None:
    assert percentile([Sized("f", count) for count in range(1, 11)], percent) == lines


def test_the_command_prints_the_sizes_of_each_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    printed = capsys.readouterr().out
    for side in SIDES:
        assert f"{side}: {len(functions_of(PROJECT / side))} functions; half have at most " in printed
        assert f"{side}: {len(modules_of(PROJECT / side))} modules, " in printed
