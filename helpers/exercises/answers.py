"""The decorator of an attempt, the judge behind it, and the hints."""

import importlib
import importlib.metadata
import io
import os
import tomllib
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np
from IPython import get_ipython
from IPython.display import display

from helpers.datasets.places import CHECKOUT
from helpers.exercises import registry
from helpers.exercises.attempts import TimeIsUp, announced, state_kept, time_limit
from helpers.exercises.registry import ExerciseError, UnknownExercise, known, reference, solutions
from helpers.exercises.require import NotYet, returning

SECONDS = 10  # an attempt that computes for longer is taken for an endless loop
PRINTED = 1000  # characters of an attempt's own printing that are shown
STUB = "your code here"  # what the stub of an exercise raises NotImplementedError with
STUCK = (
    "{} is still running after {} s, perhaps in a long call that cannot be ended from here. "
    "To interrupt it: Kernel → Interrupt (on Colab: Runtime → Interrupt execution); "
    "if nothing happens, restart the kernel."
)
TO_DO = "to do"
NOT_YET = "not yet"
CORRECT = "correct"
SIGNS = {TO_DO: "○", NOT_YET: "✗", CORRECT: "✓"}
_hints_given = {}


@dataclass(frozen=True)
class Answer:
    """What is said to an attempt.

    Parameters
    ----------
    kind : str
        `TO_DO`, `NOT_YET` or `CORRECT`.
    reason : str
        What is not yet right, in one sentence.
    figure : matplotlib.figure.Figure, optional
        What there is to see, in a notebook.
    """

    kind: str
    reason: str = ""
    figure: object = None

    def __str__(self):
        return ": ".join(filter(None, [self.kind, self.reason]))


def exercise(identifier):
    """Decorate an attempt at an exercise: check it, answer, and hand on a solution.

    Parameters
    ----------
    identifier : str
        Such as "06.ring_mask"; the reference has the same name after the number.

    Returns
    -------
    callable
        A decorator that returns the attempt if it is correct (with its results made into what the
        cells below expect), else the reference. It never raises, unless ``HACK_STRICT=1``.

    Raises
    ------
    UnknownExercise
        If no check of that name is registered.
    """
    known(identifier)
    return lambda attempt: say(identifier, attempt, judge(identifier, attempt))


def strict():
    """Whether anything but a correct answer is an error."""
    return os.environ.get("HACK_STRICT") == "1"


def judge(identifier, attempt):
    """Check an attempt, without a trace of it in what is global.

    Returns
    -------
    Answer
    """
    task = known(identifier)
    solution = reference(identifier)
    printed = io.StringIO()
    stuck = STUCK.format(identifier, 2 * SECONDS)
    kept = state_kept(solutions(identifier))
    silent = np.errstate(all="ignore")
    with announced(stuck, 2 * SECONDS), kept, silent, redirect_stdout(printed):
        answer = _answered(task, returning(attempt, task.returns), solution)
    print(printed.getvalue()[:PRINTED], end="")
    return answer


def _answered(task, attempt, solution):
    try:
        with time_limit(SECONDS):
            kind, reason = _checked(task, attempt, solution)
    except TimeIsUp as end:
        return Answer(NOT_YET, str(end), picture(task, solution))
    shown = None if kind == TO_DO else attempt
    return Answer(kind, reason, picture(task, solution, shown))


def _checked(task, attempt, solution):
    """Return the kind of an answer, and its reason."""
    try:
        task.function(attempt, solution)
    except NotYet as reason:
        return NOT_YET, str(reason)
    except (KeyboardInterrupt, TimeIsUp):
        raise
    except BaseException as error:
        is_stub = isinstance(error, NotImplementedError) and error.args == (STUB,)
        return (TO_DO, "") if is_stub else (NOT_YET, describe(error))
    return CORRECT, ""


def picture(task, solution, attempt=None):
    """Return the figure of an exercise, in a notebook, or None if there is nothing to see.

    Parameters
    ----------
    task : helpers.exercises.registry.Check
    solution : callable
        The reference.
    attempt : callable, optional
        It is shown beside the reference. One that fails is left out.

    Returns
    -------
    matplotlib.figure.Figure or None
    """
    if task.draw is None or not get_ipython():
        return None
    for shown in (attempt, None):
        try:
            with time_limit(SECONDS):
                return task.draw(solution, shown)
        except KeyboardInterrupt:
            raise
        except BaseException:  # what is wrong with the attempt stands in the answer
            continue
    return None


def say(identifier, attempt, answer):
    """Print an `Answer`, show its figure, and return the attempt if correct, else the reference."""
    correct = answer.kind == CORRECT
    if strict() and not correct:
        raise ExerciseError(f"{identifier} — {answer}")
    print(f"{SIGNS[answer.kind]} {identifier} — {answer}")
    if not correct:
        print("   (the cells below use the reference solution)")
    if answer.figure is not None and get_ipython():
        display(answer.figure)
    if not correct:
        return reference(identifier)
    return returning(attempt, known(identifier).returns)


def hint(identifier):
    """Print the next hint; after the last one all of them, and where the solved notebook is."""
    try:
        hints = known(identifier).hints
    except UnknownExercise as error:
        print(error)
        return
    given = _hints_given.get(identifier, 0)
    _hints_given[identifier] = given + 1
    numbered = [f"hint {i} of {len(hints)}: {text}" for i, text in enumerate(hints, start=1)]
    if given < len(hints):
        print(numbered[given])
    else:
        end = f"no more hints for {identifier}; the solved notebook: {_solved(identifier)}"
        print("\n".join([*numbered, end]))


def _solved(identifier):
    """Return the public address of the solved notebook; of their folder before `setup`."""
    if CHECKOUT:
        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
        repository = project["project"]["urls"]["Repository"]
    else:
        urls = importlib.metadata.metadata("astro-ai-hacks").get_all("Project-URL")
        repository = dict(url.split(", ", 1) for url in urls)["Repository"]
    hack = registry.hacks.get(identifier.split(".")[0])
    if hack is None:
        return f"{repository}/tree/main/solutions"
    return f"{repository}/blob/main/solutions/{hack}.ipynb"


def describe(error):
    """Say in one sentence what an attempt raised, and in which of its lines."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "helpers" not in frame.filename.split(os.sep)
    ]
    own = [frame for frame in own if "site-packages" not in frame.filename and frame.line]
    where = f", at the line `{own[-1].line}`" if own else ""
    try:
        text = " ".join(str(error).split())
    except (KeyboardInterrupt, TimeIsUp):
        raise
    except BaseException:  # the text of an error may be what is broken
        text = ""
    return f"it raised {type(error).__name__}{f' ({text[:200]})' if text else ''}{where}"
