"""What holds for the exercises of every hack.

Each ``hackNN.py`` beside it has wrong answers, WRONG, by exercise, and right ones that are not the
reference, RIGHT; ``kinds.py`` makes more of both from the reference of any exercise.
"""

import os
import random
from functools import cache
from numbers import Number

import numpy as np
import pytest
import torch

from helpers import exercises
from helpers.exercises import answers, registry
from tests.exercises import kinds, recorded

IDENTIFIERS = recorded.IDENTIFIERS
WRONG = {name: slips for module in recorded.MODULES for name, slips in module.WRONG.items()}
RIGHT = [pair for module in recorded.MODULES for pair in module.RIGHT]
OF_FUNCTIONS = [pair for pair in RIGHT if not recorded.is_network(pair[0])]
DRAWN = [one for one in IDENTIFIERS if registry.known(one).draw]
SLIPS = [(name, number) for name, slips in WRONG.items() for number in range(len(slips))]
OWN = 0.7  # messages of their own, of the wrong answers to an exercise

pytestmark = [
    pytest.mark.filterwarnings("ignore:Initializing zero-element tensors"),
    pytest.mark.filterwarnings("ignore:Using backward\\(\\) with create_graph"),
    pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning"),
]


def numbered(pairs):
    """Return names for the tests of these pairs."""
    return [f"{name}-{number}" for number, (name, _) in enumerate(pairs)]


def stub(*arguments, **keywords):
    raise NotImplementedError(answers.STUB)


@cache
def answer_to(identifier, number):
    """Return the `Answer` to a wrong attempt."""
    attempt, _ = WRONG[identifier][number]
    return exercises.judge(identifier, attempt)


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_the_reference_is_accepted(identifier):
    assert str(exercises.judge(identifier, registry.reference(identifier))) == "correct"


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_stub_is_to_do_and_there_are_hints(identifier):
    assert exercises.judge(identifier, stub).kind == answers.TO_DO
    assert len(registry.known(identifier).hints) >= 2


@pytest.mark.parametrize(("identifier", "number"), SLIPS)
def test_a_wrong_answer_is_told_what_is_wrong(identifier, number):
    _, reason = WRONG[identifier][number]
    answer = answer_to(identifier, number)
    assert answer.kind == answers.NOT_YET
    assert reason in answer.reason
    assert "it raised" not in answer.reason


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_each_slip_has_a_message_of_its_own(identifier):
    slips = WRONG[identifier]
    said = {}
    for number, (_, reason) in enumerate(slips):
        said.setdefault(answer_to(identifier, number).reason, set()).add(reason)
    assert [reasons for reasons in said.values() if len(reasons) > 1] == []
    assert len(said) >= OWN * len(slips)  # variants of one slip may share one


@pytest.mark.parametrize(("identifier", "attempt"), RIGHT, ids=numbered(RIGHT))
def test_another_right_answer_is_accepted(identifier, attempt):
    assert str(exercises.judge(identifier, attempt)) == "correct"


def types(result):
    """The types that the cells below an exercise see."""
    if isinstance(result, list | tuple):
        return [types(part) for part in result]
    return Number if isinstance(result, Number) else type(result)


@pytest.mark.parametrize(("identifier", "attempt"), OF_FUNCTIONS, ids=numbered(OF_FUNCTIONS))
def test_a_right_answer_is_handed_on_with_results_as_the_reference_has_them(identifier, attempt):
    first = recorded.calls(identifier)[0]
    handed_on = exercises.exercise(identifier)(attempt)
    found = handed_on(*recorded.own_copy(first.arguments), **first.keywords)
    solution = registry.reference(identifier)
    expected = solution(*recorded.own_copy(first.arguments), **first.keywords)
    assert types(found) == types(expected)


@pytest.mark.parametrize("name", kinds.WRONG)
def test_a_wrong_answer_of_every_kind_is_flagged(name):
    attempts = kinds.made(kinds.WRONG[name], name, kinds.HARMLESS)
    assert attempts
    judged = {one: exercises.judge(one, attempt) for one, attempt in attempts.items()}
    assert [one for one, answer in judged.items() if answer.kind != answers.NOT_YET] == []
    if name in kinds.RETURNED:
        assert [one for one, answer in judged.items() if "it raised" in answer.reason] == []


@pytest.mark.parametrize("name", kinds.RIGHT)
def test_a_right_answer_of_every_kind_is_accepted(name):
    attempts = kinds.made(kinds.RIGHT[name], name, kinds.HARMFUL)
    assert attempts
    judged = {one: str(exercises.judge(one, attempt)) for one, attempt in attempts.items()}
    assert {one: said for one, said in judged.items() if said != "correct"} == {}


@pytest.mark.parametrize(
    ("every", "exceptions", "expected"),
    [(kinds.WRONG, kinds.HARMLESS, answers.CORRECT), (kinds.RIGHT, kinds.HARMFUL, answers.NOT_YET)],
    ids=["harmless", "harmful"],
)
def test_the_exceptions_among_the_kinds_are_needed(every, exceptions, expected):
    for name, identifiers in exceptions.items():
        for identifier in identifiers:
            assert every[name].applies(identifier)
            attempt = every[name].change(registry.reference(identifier))
            assert exercises.judge(identifier, attempt).kind == expected, (name, identifier)


def state():
    """Return what is global: random numbers, PyTorch's switches, the folder and the environment."""
    numbers = np.random.get_state()
    return {
        "random": random.getstate(),
        "NumPy": (numbers[1].tobytes(), numbers[2]),
        "PyTorch": torch.get_rng_state().numpy().tobytes(),
        "gradients": torch.is_grad_enabled(),
        "type": torch.get_default_dtype(),
        "errors": np.geterr(),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
    }


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_check_leaves_what_is_global_as_it_was(identifier):
    before = state()
    exercises.judge(identifier, registry.reference(identifier))
    for name in ("it seeds NumPy", "gradients stay off", "another folder stays"):
        changed = kinds.WRONG[name].change(registry.reference(identifier))
        exercises.judge(identifier, changed)
    assert state() == before


@pytest.mark.parametrize("identifier", DRAWN)
def test_what_there_is_to_see_can_be_drawn(identifier):
    draw = registry.known(identifier).draw
    solution = registry.reference(identifier)
    alone = draw(solution)
    beside = draw(solution, solution)
    assert len(beside.axes) >= len(alone.axes) >= 1


def test_every_exercise_is_tried():
    assert sorted(WRONG) == sorted({name for name, _ in RIGHT}) == IDENTIFIERS
