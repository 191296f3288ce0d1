"""The decorator of an attempt, the judge behind it, and the hints."""

import importlib
import importlib.metadata
import io
import os
import tomllib
import traceback
from contextlib import redirect_stdout

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
_hints_given = {}


def exercise(identifier):
    """Decorate an attempt at an exercise: check it, answer, and hand on the attempt or the reference.

    Parameters
    ----------
    identifier : str
        Such as "06.ring_mask"; the reference has the same name after the number.

    Returns
    -------
    callable
        A decorator that returns the attempt if it is correct (with its results made into what the cells below
        expect), else the reference. It never raises, unless ``HACK_STRICT=1``.

    Raises
    ------
    UnknownExercise
        If no check of that name is registered.
    """
    known(identifier)

    def decorate(attempt):
        answer, figure = judge(identifier, attempt)
        return say(identifier, attempt, answer, figure)

    return decorate


def strict():
    """Whether anything but a correct answer is an error."""
    return os.environ.get("HACK_STRICT") == "1"


def judge(identifier, attempt):
    """Check an attempt.

    Returns
    -------
    answer : str
        "to do", "not yet: " with the reason, or "correct".
    figure : matplotlib.figure.Figure or None
    """
    solution = reference(identifier)
    printed = io.StringIO()
    stuck = STUCK.format(identifier, 2 * SECONDS)
    kept = state_kept(solutions(identifier))
    silent = np.errstate(all="ignore")
    with announced(stuck, 2 * SECONDS), kept, silent, redirect_stdout(printed):
        try:
            with time_limit(SECONDS):
                answer, figure = _checked(identifier, attempt, solution)
        except TimeIsUp as reason:
            answer, figure = f"not yet: {reason}", None
    print(printed.getvalue()[:PRINTED], end="")
    return answer, figure


def _checked(identifier, attempt, solution):
    task = known(identifier)
    try:
        return "correct", task.function(returning(attempt, task.returns), solution)
    except NotYet as reason:
        return f"not yet: {reason}", reason.figure
    except (KeyboardInterrupt, TimeIsUp):
        raise
    except BaseException as error:
        stub = isinstance(error, NotImplementedError) and error.args == (STUB,)
        return "to do" if stub else f"not yet: {describe(error)}", None


def say(identifier, attempt, answer, figure=None):
    """Print an answer, show its figure, and return the attempt if correct, else the reference."""
    if answer != "correct" and strict():
        raise ExerciseError(f"{identifier} — {answer}")
    sign = {"t": "○", "n": "✗", "c": "✓"}[answer[0]]
    handed_on = "" if answer == "correct" else "\n   (the cells below use the reference solution)"
    print(f"{sign} {identifier} — {answer}{handed_on}")
    if figure is not None and get_ipython():
        display(figure)
    return (
        returning(attempt, known(identifier).returns)
        if answer == "correct"
        else reference(identifier)
    )


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
