"""The exercise machinery: it answers, hands on the reference, never raises, and leaves no trace."""

import io
import sys
import time
import tomllib
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import exercises
from helpers.exercises import (
    ExerciseError,
    answers,
    attempts,
    check,
    exercise,
    hint,
    registry,
    rescue,
)
from helpers.exercises.require import NotYet, call, require, require_close

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    """An exercise "99.double" and its reference, and no strictness from outside."""
    monkeypatch.delenv("HACK_STRICT", raising=False)
    monkeypatch.setattr(registry, "_checks", {})
    monkeypatch.setattr(answers, "_hints_given", {})
    monkeypatch.setattr(registry, "hacks", {})
    monkeypatch.setattr(answers, "SECONDS", 0.5)
    monkeypatch.setattr(attempts, "BY_CLOCK", 1000)
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


class Leaving(Exception):
    def __str__(self):
        sys.exit(3)


def raises_leaving(x):
    raise Leaving


class Endless(Exception):
    def __str__(self):
        return forever(1)


def raises_endless(x):
    raise Endless


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
        (raises_leaving, "not yet: it raised Leaving"),
        (raises_endless, "not yet: it ran for more than"),
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
    assert (
        "not yet: it raised NotImplementedError (Module [Net] is missing" in capsys.readouterr().out
    )


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


def test_hints_come_one_after_the_other_and_then_all_of_them(capsys):
    for _ in range(4):
        hint("99.double")
    lines = capsys.readouterr().out.splitlines()
    both = ["hint 1 of 2: add it to itself", "hint 2 of 2: 2 * x"]
    assert lines[:2] == lines[2:4] == lines[5:7] == both
    assert lines[4].startswith("no more hints") and lines[7] == lines[4]


def last_hint(capsys):
    for _ in range(3):
        hint("99.double")
    return capsys.readouterr().out.splitlines()[-1]


def test_the_last_hint_names_the_address_of_the_solved_notebook(monkeypatch, capsys):
    monkeypatch.setitem(registry.hacks, "99", "99_doubles")
    address = f"{PROJECT['project']['urls']['Repository']}/blob/main/solutions/99_doubles.ipynb"
    assert last_hint(capsys).endswith(f" {address}")


def test_an_installed_course_knows_the_address_as_well(monkeypatch, tmp_path, capsys):
    folder = tmp_path / "astro_ai_hacks-1.0.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.1", "Name: astro-ai-hacks", "Version: 1.0"]
    lines += ["Project-URL: Documentation, https://a.example/docs"]
    lines += ["Project-URL: Repository, https://a.example/b"]
    (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(answers, "CHECKOUT", None)
    assert last_hint(capsys).endswith(" https://a.example/b/tree/main/solutions")


@pytest.mark.parametrize("wrong", ["99.duoble", "double", "99.Double"])
def test_a_misspelt_name_is_answered_with_the_nearest_one(wrong, capsys):
    hint(wrong)
    said = capsys.readouterr().out
    assert said == f"there is no exercise {wrong!r}; did you mean 99.double?\n"
    with pytest.raises(exercises.UnknownExercise, match="did you mean 99.double"):
        exercise(wrong)


@pytest.mark.parametrize("wrong", ["42.cosmology", 7])
def test_a_name_like_no_other_is_answered_with_all_of_them(wrong, capsys):
    hint(wrong)
    said = capsys.readouterr().out
    assert said == f"there is no exercise {wrong!r}; there are: 99.Model, 99.double\n"


def test_nothing_global_is_changed_by_an_attempt(toy, capsys):
    def patches(x):
        torch.set_grad_enabled(False)
        np.median = toy.double = lambda x: -1
        return x

    original = np.median, toy.double
    assert exercise("99.double")(patches) is original[1]
    assert (np.median, toy.double) == original
    assert torch.is_grad_enabled()


def test_an_attempt_that_waits_for_long_is_announced_past_its_own_printing(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(answers, "SECONDS", 0.05)

    def waits(x):
        while "99.double is still running" not in shown.getvalue():
            time.sleep(0.01)
        return 2 * x

    assert exercise("99.double")(waits) is waits
    assert "Kernel → Interrupt" in shown.getvalue()


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


@pytest.fixture
def drawn(toy, monkeypatch):
    """A notebook's shell, an exercise "99.double" with a picture, and what is shown."""
    shown = []

    def draw(reference, attempt=None):
        return [solution(3) for solution in (reference, attempt) if solution]

    @check("99.double", hints=[], draw=draw)
    def double(attempt, reference):
        require(attempt(2) == 4, "twice 2 is 4")

    monkeypatch.setattr(answers, "get_ipython", lambda: "a shell")
    monkeypatch.setattr(answers, "display", shown.append)
    return shown


def to_do(x):
    raise NotImplementedError(answers.STUB)


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (lambda x: x + x, [6, 6]),
        (lambda x: x, [6, 3]),
        (to_do, [6]),
        (lambda x: 4 if x == 2 else 1 / 0, [6]),
        (lambda x: 4 if x == 2 else forever(x), [6]),
        (forever, [6]),
    ],
)
def test_the_expected_picture_is_shown_with_every_answer(attempt, expected, drawn, capsys):
    exercise("99.double")(attempt)
    assert drawn == [expected]
    assert "99.double — " in capsys.readouterr().out


def test_the_expected_picture_is_shown_where_there_is_no_attempt(drawn):
    rescue.missing("99.double", "Python cannot read it")
    assert drawn == [[6]]


def test_without_a_notebook_nothing_is_drawn(drawn, monkeypatch):
    monkeypatch.setattr(answers, "get_ipython", lambda: None)
    assert exercises.judge("99.double", lambda x: x).figure is None
    exercise("99.double")(lambda x: x)
    assert not drawn


def test_a_picture_that_fails_is_left_out(drawn):
    @check("99.double", hints=[], draw=lambda reference, attempt: 1 / 0)
    def double(attempt, reference):
        pass

    def attempt(x):
        return x

    assert exercise("99.double")(attempt) is attempt
    assert not drawn
