"""A guess stands beside what came out; whatever was guessed, the notebook goes on."""

import numpy as np
import pytest

from helpers import plots
from helpers.plots.guesses import compare_order, draw_guess


@pytest.fixture
def axis():
    return plots.panels(mock=True)[1]


@pytest.mark.parametrize(("along", "drawn"), [("x", ([3, 3], [0, 1])), ("y", ([0, 1], [3, 3]))])
def test_a_number_is_drawn_as_a_line(axis, along, drawn):
    draw_guess(axis, np.float32(3), along=along)
    line = axis.get_lines()[0]
    assert (list(line.get_xdata()), list(line.get_ydata())) == drawn
    assert axis.get_legend().get_texts()[0].get_text() == "your guess: 3"


@pytest.mark.parametrize("guess", ["0.5", [1, 2], True, float("nan"), np.inf, ..., 1j, object()])
def test_what_is_no_number_is_said_and_stops_nothing(axis, guess):
    draw_guess(axis, guess)
    assert axis.get_legend().get_texts()[0].get_text() == "your guess: not a number"


def test_no_guess_is_no_line(axis):
    draw_guess(axis, None)
    assert len(axis.get_lines()[0].get_xdata()) == 0
    assert axis.get_legend().get_texts()[0].get_text() == "your guess: none"


def test_an_order_stands_beside_the_one_that_came_out():
    table = compare_order(["b", "a"], {"a": 1.0, "b": 3.0, "c": 2.0})
    assert list(table.index) == ["b", "c", "a"]
    assert list(table["your guess"]) == [1, "–", 2]
    assert list(compare_order(["b", "a"], {"a": 1.0, "b": 3.0}, larger_first=False).index) == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("guess", [None, "abc", 3, [[], {}], {"a": 1}])
def test_whatever_is_guessed_of_an_order_the_table_comes(guess):
    assert list(compare_order(guess, {"a": 1.0})["your guess"]) == ["–"]
