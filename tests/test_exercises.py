"""The exercise machinery: it answers, hands on the reference, never raises, and leaves no trace."""

import random
import sys
import types

import numpy as np
import pytest
import torch

from helpers import exercises
from helpers.exercises import ExerciseError, NotYet, call, check, exercise, hint, require, require_close


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    """An exercise "99.double" and its reference, and no strictness from outside."""
    monkeypatch.delenv("HACK_STRICT", raising=False)
    monkeypatch.setattr(exercises, "_checks", {})
    monkeypatch.setattr(exercises, "_hints_given", {})
    monkeypatch.setattr(exercises, "SECONDS", 0.5)
    reference = types.ModuleType("helpers.reference.hack99")
    reference.double = lambda x: 2 * x
    reference.Model = torch.nn.Identity
    monkeypatch.setitem(sys.modules, "helpers.reference.hack99", reference)

    @check("99.double", hints=["add it to itself", "2 * x"])
    def double(attempt, reference):
        require(attempt(3) != 9, "that is the square")
        require_close(attempt(3.0), reference(3.0), "found {found}, expected {expected}")

    @check("99.Model", hints=[])
    def model(attempt, reference):
        require(isinstance(attempt(), torch.nn.Module), "it is no module")

    return reference


def test_correct_attempt_is_handed_on(capsys):
    def attempt(x):
        return x + x

    assert exercise("99.double")(attempt) is attempt
    assert "99.double — correct" in capsys.readouterr().out


def forever(x):
    while True:
        pass


def catches_all(x):
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")


def raises_mute(x):
    raise Mute


def leaves(x):
    sys.exit(3)


def recurses(x):
    return recurses(x)


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        (lambda x: x * x, "not yet: that is the square"),
        (lambda x: 7, "not yet: found 7, expected 6."),
        (lambda x: x[0], "not yet: it raised TypeError"),
        (lambda x: undefined, "not yet: it raised NameError"),  # noqa: F821
        (lambda: 1, "not yet: it raised TypeError"),
        (forever, "not yet: it ran for more than"),
        (catches_all, "not yet: it ran for more than"),
        (raises_mute, "not yet: it raised Mute"),
        (lambda x: "six", "not yet: expected numbers, found a str"),
        (lambda x: None, "not yet: expected numbers, found a NoneType"),
        (leaves, "not yet: it raised SystemExit"),
        (recurses, "not yet: it raised RecursionError"),
    ],
)
def test_wrong_attempt_is_answered_and_replaced(attempt, answer, toy, capsys):
    assert exercise("99.double")(attempt) is toy.double
    assert answer in capsys.readouterr().out


def test_stub_is_to_do(toy, capsys):
    def stub(x):
        raise NotImplementedError("your code here")

    def other(x):
        raise NotImplementedError("Module [Net] is missing the required forward function")

    assert exercise("99.double")(stub) is toy.double
    assert "99.double — to do" in capsys.readouterr().out
    assert exercise("99.double")(other) is toy.double
    assert "not yet: it raised NotImplementedError (Module [Net] is missing" in capsys.readouterr().out


def test_classes_work_as_functions_do(toy, capsys):
    class Stub(torch.nn.Module):
        def __init__(self):
            raise NotImplementedError("your code here")

    class Good(torch.nn.Module):
        pass

    assert exercise("99.Model")(Stub) is torch.nn.Identity
    assert exercise("99.Model")(Good) is Good
    assert exercise("99.Model")(dict) is torch.nn.Identity
    output = capsys.readouterr().out
    assert [line.split("— ")[1] for line in output.splitlines() if "—" in line] == [
        "to do",
        "correct",
        "not yet: it is no module",
    ]


@pytest.mark.parametrize("attempt", [lambda x: x, forever])
def test_strict_raises(monkeypatch, attempt):
    monkeypatch.setenv("HACK_STRICT", "1")
    with pytest.raises(ExerciseError, match="99.double"):
        exercise("99.double")(attempt)


def test_hints_come_one_after_the_other(capsys):
    for _ in range(3):
        hint("99.double")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["hint 1 of 2: add it to itself", "hint 2 of 2: 2 * x"]
    assert lines[2].startswith("no more hints")


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(KeyError, match="99.double"):
        exercise("99.triple")


def test_random_state_is_left_alone():
    def draws(x):
        random.random(), np.random.rand(), torch.rand(1)
        return 2 * x

    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(1)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    exercise("99.double")(draws)
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected


def test_global_switches_are_left_alone():
    def switches(x):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return 2 * x

    exercise("99.double")(switches)
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()


def test_printing_is_shown_but_not_without_end(capsys):
    def prints(x):
        for _ in range(10_000):
            print("hello")
        return 2 * x

    exercise("99.double")(prints)
    output = capsys.readouterr().out
    assert "hello" in output and "correct" in output and len(output) < 1500


def test_an_attempt_that_changes_its_argument_is_told_so():
    def shifts(x):
        x += 1
        return x

    for array in (np.zeros(3), torch.zeros(3)):
        with pytest.raises(NotYet, match="changes an array that it is given"):
            call(shifts, array)
        assert call(lambda x: x + 1, array)[0] == 2  # the array was changed by the first call


def test_figure_of_a_wrong_answer_is_only_drawn_then():
    require(True, "fine", figure=lambda: pytest.fail("drawn although all is well"))
    with pytest.raises(NotYet) as caught:
        require(False, "wrong", figure=lambda: "the figure")
    assert caught.value.figure == "the figure"


def test_definition_that_raises_is_rescued_in_a_notebook(toy, capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.ast_transformers.append(exercises._Protect())
    source = "from helpers.exercises import exercise\n"
    source += "@exercise('99.Model')\nclass Model:\n    layers = missing_name\n"
    source += "@exercise(identifier='99.double')\nasync def double(x, y=also_missing):\n    return 2 * x\n"
    result = shell.run_cell(source)
    assert result.success
    assert shell.user_ns["Model"] is torch.nn.Identity
    assert shell.user_ns["double"] is toy.double
    output = capsys.readouterr().out
    assert "missing_name" in output and "also_missing" in output


def test_strict_raises_for_a_definition_that_raises(monkeypatch):
    monkeypatch.setenv("HACK_STRICT", "1")
    with pytest.raises(ExerciseError, match="ValueError"):
        exercises.rescued("99.double", ValueError("no"))
