"""The checks of all exercises by name, found in ``helpers.checks.hackNN`` when first needed."""

import difflib
import importlib
import pkgutil
from dataclasses import dataclass

_checks = {}
hacks = {}  # the names of the hacks that were started, by number


class ExerciseError(RuntimeError):
    """An exercise is not solved, where ``HACK_STRICT=1`` asks for it."""


class UnknownExercise(LookupError):
    """There is no exercise of this name."""


@dataclass(frozen=True)
class Check:
    """The check of one exercise, its hints, and the other arguments of `check`."""

    function: callable
    hints: tuple
    returns: callable = None
    draw: callable = None


def check(identifier, hints, returns=None, draw=None):
    """Register a check: a function of (attempt, reference) that raises `NotYet`, or returns.

    Parameters
    ----------
    identifier : str
        Number of the hack and name of the exercise, such as "06.ring_mask".
    hints : sequence of str
        From a nudge to nearly the solution.
    returns : callable, optional
        Makes what an attempt returns, a list say, into what the cells below expect, or raises
        `NotYet`, such as `helpers.exercises.require.array`. The check and the cells below get the
        attempt with its results made so.
    draw : callable, optional
        Of (reference, attempt), returns a figure of both, or of the reference alone where the
        attempt is None. A notebook shows it with the answer.
    """

    def register(function):
        _checks[identifier] = Check(function, tuple(hints), returns, draw)
        return function

    return register


def names(number):
    """Return the names of all exercises of a hack, "06" say; none where there is no such hack."""
    if number in _numbers():
        importlib.import_module(f"helpers.checks.hack{number}")  # which registers them
    return sorted(name for name in _checks if name.startswith(f"{number}."))


def _numbers():
    """The numbers of all hacks that have checks."""
    modules = pkgutil.iter_modules(importlib.import_module("helpers.checks").__path__)
    return [module.name.removeprefix("hack") for module in modules]


def known(identifier):
    """Return the `Check` of an exercise; for an unknown name, raise an error that suggests one."""
    own = names(number_of(identifier))
    if identifier in _checks:
        return _checks[identifier]
    candidates = own or sorted(_checks)
    nearest = difflib.get_close_matches(str(identifier), candidates, n=1)
    others = ", ".join(nearest or candidates) or "none"
    question = f"did you mean {others}?" if nearest else f"there are: {others}"
    raise UnknownExercise(f"there is no exercise {identifier!r}; {question}")


def number_of(identifier):
    """Return the number of the hack that an exercise belongs to."""
    return str(identifier).split(".")[0]


def reference(identifier):
    """Return the reference solution, from the generated module ``helpers.reference.hackNN``."""
    return getattr(solutions(identifier), identifier.split(".")[1])


def solutions(identifier):
    """Return the module with the reference solutions of the hack that an exercise belongs to."""
    return importlib.import_module(f"helpers.reference.hack{number_of(identifier)}")
