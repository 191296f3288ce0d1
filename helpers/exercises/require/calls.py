"""Call an attempt: on many inputs, against the reference, and so that it leaves no trace."""

import os
import random
from functools import partial

import numpy as np
import torch

from helpers.exercises.require.results import NotYet, plain, require, require_close, same

# What an attempt may not change for all that follows, and how to look at it.
GLOBAL = {
    "PyTorch's gradients off, or on": torch.is_grad_enabled,
    "PyTorch with another type of numbers": torch.get_default_dtype,
    "PyTorch with another number of threads": torch.get_num_threads,
    "another working folder": os.getcwd,
    "other variables in the environment": lambda: dict(os.environ),
    "NumPy with other rules for errors": np.geterr,
}
SHOWN = 150  # characters of what an attempt raises


def call(attempt, *arguments, **keywords):
    """Call an attempt and return its result.

    It raises `NotYet` if the attempt has changed what it was given, or what is global.
    """
    given = list(_contents((arguments, keywords)))
    before = [_copied(value) for value in given]
    state = {what: look() for what, look in GLOBAL.items()}
    result = attempt(*arguments, **keywords)
    for value, kept in zip(given, before, strict=True):
        _require_unchanged(value, kept)
    for what, look in GLOBAL.items():
        require(look() == state[what], f"it leaves {what}, for all that follows: put it back")
    return result


def _require_unchanged(value, kept):
    """Raise `NotYet` unless an argument is what it was before a call."""
    if isinstance(value, torch.nn.Module):
        switched = "it switches a network that it is given from training to evaluation, or back"
        require(_copied(value) == kept, f"{switched}: leave that to the caller")
        return
    reason = "it changes an array that it is given, which others still need: compute a new one"
    require(_identical(plain(value), kept), reason)


def _identical(values, others):
    """Whether two arrays are the same to the last bit, where NaN is NaN."""
    return np.array_equal(values, others, equal_nan=others.dtype.kind == "f")


def _contents(value):
    """Yield the arrays, tensors and modules among arguments."""
    if isinstance(value, np.ndarray | torch.Tensor | torch.nn.Module):
        yield value
    elif isinstance(value, list | tuple | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _contents(one)


def _copied(value):
    if isinstance(value, torch.nn.Module):
        return [part.training for part in value.modules()]
    return plain(value).copy()


def attempt_for(name, attempt, *arguments, **keywords):
    """`call` an attempt for an input of this name.

    What it raises becomes a sentence that says for which input.
    """
    try:
        return call(attempt, *arguments, **keywords)
    except (NotYet, NotImplementedError):
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:SHOWN]
        said = f" ({text})" if text else ""
        raise NotYet(f"for {name} it raises {type(error).__name__}{said}") from error


def require_like(attempt, reference, cases, rtol=1e-4, atol=1e-5):
    """Raise `NotYet` unless an attempt does on further inputs what the reference does.

    What it returns is the same in shape and value, in a second call as well, and stays what it was
    when the next input comes. Where the reference returns a tensor, so does the attempt, and the
    gradients agree: with respect to the weights of the networks among the arguments or, where there
    are none, to the tensors that require a gradient.

    Parameters
    ----------
    attempt, reference : callable
        Of the arguments of a case; they return one result, or a tuple of them.
    cases : dict of str to tuple
        The arguments, by a name that completes "for ... it is 1, expected 2". Take several shapes,
        a batch of one among them, and numbers that are negative, zero, missing and not whole.
    rtol, atol : float
        Tolerances of `require_close`.
    """
    results = []
    for name, arguments in cases.items():
        found, again = twice(partial(attempt_for, name, attempt, *_given(arguments)))
        right = reference(*_given(arguments))
        several = isinstance(right, tuple)
        pairs = list(zip(found, right, strict=True)) if several else [(found, right)]
        for own, expected in pairs:
            _require_like(name, own, expected, rtol, atol)
            if torch.is_tensor(expected) and expected.requires_grad:
                _require_like_gradients(own, expected, arguments)
        repeated = zip(again, found, strict=True) if several else [(again, found)]
        reason = f"for {name} a second call gives another result: nothing is random here"
        require(all(same(one, other, rtol, atol) for one, other in repeated), reason)
        results += [(own, plain(own).copy()) for own, _ in pairs]
    reason = "the next call changes the result of the one before: return a new one each time"
    require(all(_identical(plain(own), before) for own, before in results), reason)


def _given(value):
    """Return arguments to work on: of tensors that require a gradient, copies that hand it on."""
    if torch.is_tensor(value) and value.requires_grad:
        return value.clone()
    if isinstance(value, tuple | list):
        return type(value)(_given(one) for one in value)
    return value


def _require_like(name, own, expected, rtol, atol):
    """Raise `NotYet` unless one result agrees with the expected one."""
    if torch.is_tensor(expected):
        kind = type(own).__name__
        reason = f"for {name} expected a tensor, so that gradients can flow; found a {kind}"
        require(torch.is_tensor(own), reason)
    shapes = f"has shape {plain(own).shape}, expected {plain(expected).shape}"
    require(plain(own).shape == plain(expected).shape, f"for {name} the result {shapes}")
    reason = f"for {name} it is {{found}}, expected {{expected}}"
    require_close(own, expected, reason, rtol, atol)


def _require_like_gradients(own, expected, arguments):
    """Raise `NotYet` unless two results have the same gradients, each of their parts by itself."""
    contents = list(_contents(arguments))
    networks = [value for value in contents if isinstance(value, torch.nn.Module)]
    weights = [weight for network in networks for weight in network.parameters()]
    tensors = [value for value in contents if torch.is_tensor(value) and value.requires_grad]
    learn = weights or tensors
    if learn:
        share = torch.rand(expected.shape, generator=torch.Generator().manual_seed(1))
        require_gradients((own * share).sum(), (expected * share).sum(), learn)


def require_gradients(found, expected, weights):
    """Raise `NotYet` unless the gradients of two losses agree: the right value trains nothing.

    Parameters
    ----------
    found, expected : torch.Tensor
        Two losses, one number each.
    weights : list of torch.Tensor
        With respect to what.
    """
    remedy = "no item(), no detach(); of a gradient, create_graph=True"
    require(found.requires_grad, f"no gradient flows to learn from: {remedy}")
    gradients = partial(torch.autograd.grad, inputs=weights, allow_unused=True, retain_graph=True)
    for own, right in zip(gradients(found), gradients(expected), strict=True):
        reason = "the value is right, but not its gradient: is a part of it detached?"
        require(_alike(own, right), reason)


def _alike(own, right):
    """Whether two gradients agree, of which one that is missing is 0."""
    if own is None or right is None:
        other = right if own is None else own
        return other is None or not other.any()
    return torch.allclose(own.double(), right.double(), rtol=1e-3, atol=1e-6)


def twice(function):
    """Return the results of two calls that find the global random numbers in different states.

    It raises `NotYet` where the function sets one of those states itself. `judge` puts them back
    afterwards.
    """
    results = []
    states = []
    for seed in (1, 2):
        for start in (random.seed, np.random.seed, torch.manual_seed):
            start(seed)
        results.append(function())
        numbers = np.random.get_state()
        drawn = torch.get_rng_state().numpy().tobytes()
        states.append([random.getstate(), (numbers[1].tobytes(), numbers[2]), drawn])
    seeded = any(one == other for one, other in zip(*states, strict=True))
    remedy = "give the seed to a generator of its own"
    require(not seeded, f"it sets the seed of all that is drawn below as well: {remedy}")
    return results
