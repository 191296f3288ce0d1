"""Exercises that never block and check themselves.

``@exercise("06.ring_mask")`` stands over a participant's function or class. It runs the checks of that name
on small inputs and answers with one line: *to do*, *not yet: what is wrong*, or *correct*. Until the attempt
is correct, the reference solution is handed to the cells below, so that a notebook always runs to its end.
With ``HACK_STRICT=1`` anything but a correct answer raises instead.

A subject room registers its checks when it is imported (``helpers/rings/checks.py``, say)::

    @check("06.ring_mask", hints=["Every pixel has a distance from the centre ..."])
    def ring_mask(attempt, reference):
        require(attempt(...).shape == (28, 28), "the mask has shape ..., expected (28, 28)")
"""

import ast
import importlib
import io
import os
import random
import signal
import threading
import traceback
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import numpy as np
import torch
from IPython import get_ipython
from IPython.display import display

from helpers.require import NotYet, call, require, require_close, returning

__all__ = [
    "Check",
    "ExerciseError",
    "NotYet",
    "call",
    "check",
    "exercise",
    "hint",
    "judge",
    "known",
    "protect_notebook",
]
__all__ += ["reference", "require", "require_close", "rescued"]

SECONDS = 10  # an attempt that takes longer is taken for an endless loop
PRINTED = 1000  # characters of an attempt's own printing that are shown
STUB = "your code here"  # what the stub of an exercise raises NotImplementedError with
_checks = {}
_hints_given = {}


class ExerciseError(RuntimeError):
    """An exercise is not solved, where ``HACK_STRICT=1`` asks for it."""


@dataclass(frozen=True)
class Check:
    """The check of one exercise, its hints, and what makes a result into what the cells below expect."""

    function: callable
    hints: tuple
    returns: callable = None


def check(identifier, hints, returns=None):
    """Register a check: a function of (attempt, reference) that raises `NotYet`, or returns a figure or None.

    Parameters
    ----------
    identifier : str
        Number of the hack and name of the exercise, such as "06.ring_mask".
    hints : sequence of str
        From a nudge to nearly the solution.
    returns : callable, optional
        Makes what an attempt returns, a list say, into what the cells below expect, or raises `NotYet`, such as
        `helpers.require.array`. The check and the cells below get the attempt with its results made so.
    """

    def register(function):
        _checks[identifier] = Check(function, tuple(hints), returns)
        return function

    return register


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
    KeyError
        If no check of that name is registered.
    """
    known(identifier)

    def decorate(attempt):
        answer, figure = judge(identifier, attempt)
        return _answer(identifier, attempt, answer, figure)

    return decorate


def known(identifier):
    """Return the `Check` of an exercise; a name that nobody registered is an error that lists the names."""
    if identifier not in _checks:
        names = ", ".join(sorted(_checks)) or "none: import the subject's room first"
        raise KeyError(f"expected the name of an exercise, found {identifier!r}; there are: {names}")
    return _checks[identifier]


def reference(identifier):
    """Return the reference solution, from the generated module ``helpers.reference.hackNN``."""
    number, name = identifier.split(".")
    return getattr(importlib.import_module(f"helpers.reference.hack{number}"), name)


def judge(identifier, attempt):
    """Check an attempt.

    Returns
    -------
    answer : str
        "to do", "not yet: " with the reason, or "correct".
    figure : matplotlib.figure.Figure or None
    """
    solution, printed = reference(identifier), io.StringIO()
    task = known(identifier)
    with _state_kept(), np.errstate(all="ignore"), redirect_stdout(printed):
        try:
            with _time_limit(SECONDS):
                answer, figure = "correct", task.function(returning(attempt, task.returns), solution)
        except NotYet as reason:
            answer, figure = f"not yet: {reason}", reason.figure
        except _TimeIsUp:
            answer, figure = (
                f"not yet: it ran for more than {SECONDS} s on a tiny input: is there an endless loop?",
                None,
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            stub = isinstance(error, NotImplementedError) and str(error) == STUB
            answer, figure = "to do" if stub else f"not yet: {_describe(error)}", None
    print(printed.getvalue()[:PRINTED], end="")
    return answer, figure


def _answer(identifier, attempt, answer, figure=None):
    if answer != "correct" and os.environ.get("HACK_STRICT") == "1":
        raise ExerciseError(f"{identifier} — {answer}")
    sign = {"t": "○", "n": "✗", "c": "✓"}[answer[0]]
    handed_on = "" if answer == "correct" else "\n   (the cells below use the reference solution)"
    print(f"{sign} {identifier} — {answer}{handed_on}")
    if figure is not None and get_ipython():
        display(figure)
    return returning(attempt, known(identifier).returns) if answer == "correct" else reference(identifier)


def hint(identifier):
    """Print the next hint of an exercise."""
    hints = known(identifier).hints
    given = _hints_given.get(identifier, 0)
    _hints_given[identifier] = given + 1
    if given < len(hints):
        print(f"hint {given + 1} of {len(hints)}: {hints[given]}")
    else:
        print(f"no more hints for {identifier}; the solved notebook is in the folder solutions/")


def _describe(error):
    """Say in one sentence what an attempt raised, and in which of its lines."""
    own = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "helpers" not in frame.filename.split(os.sep)
    ]
    own = [frame for frame in own if "site-packages" not in frame.filename and frame.line]
    where = f", at the line `{own[-1].line}`" if own else ""
    try:
        text = " ".join(str(error).split())
    except Exception:  # the text of an error may be what is broken
        text = ""
    return f"it raised {type(error).__name__}{f' ({text[:200]})' if text else ''}{where}"


@contextmanager
def _state_kept():
    """Leave what is global as it was, so that an attempt does not change what comes below."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    switches = torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        torch.set_default_dtype(switches[0])
        torch.set_grad_enabled(switches[1])


class _TimeIsUp(BaseException):
    """Not an Exception, so that an attempt does not catch it by mistake."""


@contextmanager
def _time_limit(seconds):
    """Raise `_TimeIsUp` after so many seconds, where the system can interrupt: the main thread, not on Windows."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_):
        raise _TimeIsUp

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # and again every second, should it be caught
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


class _Protect(ast.NodeTransformer):
    """Put each exercise of a cell into a ``try``, for what raises before the decorator sees the attempt.

    The body of a class and the default values of a function are run by Python when they are defined.
    """

    def visit_definition(self, node):
        calls = [call for call in node.decorator_list if isinstance(call, ast.Call) and _is_exercise(call.func)]
        names = [name for call in calls for name in (*call.args, *(keyword.value for keyword in call.keywords))]
        if not names:
            return node
        rescue = f"{node.name} = __import__('helpers.exercises').exercises.rescued({ast.unparse(names[0])}, _error)"
        handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), "_error", ast.parse(rescue).body)
        return ast.fix_missing_locations(ast.copy_location(ast.Try([node], [handler], [], []), node))

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_definition  # noqa: N815 - the names that ast looks for


def _is_exercise(node):
    return getattr(node, "id", getattr(node, "attr", None)) == "exercise"


def rescued(identifier, error):
    """Answer for an attempt whose definition itself raised `error`, and hand on the reference."""
    if isinstance(error, ExerciseError) or identifier not in _checks:
        raise error
    return _answer(identifier, None, f"not yet: {_describe(error)}")


def protect_notebook():
    """In a notebook, let exercises be rescued whose definition itself raises; elsewhere do nothing."""
    shell = get_ipython()
    if shell and not any(isinstance(transformer, _Protect) for transformer in shell.ast_transformers):
        shell.ast_transformers.append(_Protect())
