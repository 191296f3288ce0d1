"""What holds for the exercises of every hack.

Each ``hackNN.py`` beside it has wrong answers, WRONG, by exercise, and right ones that are not the reference, RIGHT.
"""

import importlib
from numbers import Number
from pathlib import Path

import pytest

from helpers import exercises
from helpers.exercises import answers, registry

NAMES = [path.stem for path in sorted(Path(__file__).parent.glob("hack[0-9][0-9].py"))]
MODULES = [importlib.import_module(f"tests.exercises.{name}") for name in NAMES]
WRONG = {name: attempts for module in MODULES for name, attempts in module.WRONG.items()}
RIGHT = [pair for module in MODULES for pair in module.RIGHT]
SLIPS = [
    (name, attempt, reason) for name, attempts in WRONG.items() for attempt, reason in attempts
]


def stub(*arguments, **keywords):
    raise NotImplementedError(answers.STUB)


@pytest.mark.parametrize("identifier", sorted(WRONG))
def test_the_reference_is_accepted(identifier):
    assert str(exercises.judge(identifier, registry.reference(identifier))) == "correct"


@pytest.mark.parametrize("identifier", sorted(WRONG))
def test_a_stub_is_to_do_and_there_are_hints(identifier):
    assert exercises.judge(identifier, stub).kind == answers.TO_DO
    assert len(registry.known(identifier).hints) >= 2


@pytest.mark.parametrize(
    ("identifier", "attempt", "reason"),
    SLIPS,
    ids=[f"{i}-{slip[0]}" for i, slip in enumerate(SLIPS)],
)
@pytest.mark.filterwarnings(
    "ignore:Initializing zero-element tensors", "ignore:Using backward\\(\\) with create_graph"
)
def test_a_wrong_answer_is_told_what_is_wrong(identifier, attempt, reason):
    answer = exercises.judge(identifier, attempt)
    assert answer.kind == answers.NOT_YET
    assert reason in answer.reason
    assert "it raised" not in answer.reason


@pytest.mark.parametrize(
    ("identifier", "attempt"), RIGHT, ids=[f"{i}-{pair[0]}" for i, pair in enumerate(RIGHT)]
)
def test_another_right_answer_is_accepted(identifier, attempt):
    assert exercises.judge(identifier, attempt).kind == answers.CORRECT


def kinds(result):
    """The types that the cells below an exercise see."""
    if isinstance(result, list | tuple):
        return [kinds(part) for part in result]
    return Number if isinstance(result, Number) else type(result)


@pytest.mark.parametrize(
    ("identifier", "attempt"), RIGHT, ids=[f"{i}-{pair[0]}" for i, pair in enumerate(RIGHT)]
)
def test_a_right_answer_is_handed_on_with_results_as_the_reference_has_them(identifier, attempt):
    solution = registry.reference(identifier)
    if isinstance(solution, type):
        return
    given = []

    def listens(*arguments, **keywords):
        given.append((arguments, keywords))
        return solution(*arguments, **keywords)

    assert exercises.judge(identifier, listens).kind == answers.CORRECT
    arguments, keywords = given[0]
    handed_on = exercises.exercise(identifier)(attempt)
    assert kinds(handed_on(*arguments, **keywords)) == kinds(solution(*arguments, **keywords))


@pytest.mark.parametrize("identifier", sorted(WRONG))
def test_wrong_answers_have_their_own_messages(identifier):
    reasons = [reason for _, reason in WRONG[identifier]]
    assert len(set(reasons)) >= max(2, 0.6 * len(reasons))  # variants of one slip may share one


@pytest.mark.parametrize("number", sorted({name.split(".")[0] for name in WRONG}))
def test_every_exercise_of_a_hack_is_tried(number):
    registered = set(registry.names(number))
    assert registered == {name for name in WRONG if name.startswith(f"{number}.")}
