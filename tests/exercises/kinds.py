"""Wrong and right answers of every kind, made from the reference solution of any exercise.

A kind says what is done to a solution, and to which exercises that can be done. Where what is done
leaves a solution right (or makes one wrong), HARMLESS (or HARMFUL) has the reason.
"""

import os
import random
from dataclasses import dataclass
from functools import cache, partial, wraps

import numpy as np
import torch
from torch.nn import functional as F

from helpers.exercises import registry
from tests.exercises import recorded

# Where a number may be missing.
WITH_GAPS = {"01.to_rest_frame", "01.bin_flux", "03.asinh_colours", "03.chi2"}
FLAGS = {np.dtype(bool), np.dtype(object)}
RANDOM = {"02.permutation_null", "02.reparametrise", "03.permutation_importance"}


@cache
def results(identifier):
    """Return what the reference returns for each call of the check; of a network, what it gives."""
    reference = registry.reference(identifier)
    found = []
    for call in recorded.calls(identifier):
        arguments = recorded.own_copy(call.arguments)
        result = reference(*arguments, **call.keywords)
        found.append(result if call.images is None else result(call.images))
    return found


def parts(identifier):
    """Return the arrays, tensors and numbers of all results."""
    return [part for result in results(identifier) for part in _parts(result)]


def _parts(result):
    return list(result) if isinstance(result, tuple) else [result]


def is_tensor(identifier):
    """Whether an exercise returns tensors, of a function or a network."""
    return all(map(torch.is_tensor, parts(identifier)))


def is_numeric(identifier):
    """Whether an exercise returns arrays, tensors or numbers."""
    kinds = np.ndarray | np.number | float | torch.Tensor
    return all(isinstance(part, kinds) for part in parts(identifier))


def is_real(identifier):
    """Whether an exercise returns numbers that need not be whole."""
    return is_numeric(identifier) and all(_is_floating(part) for part in parts(identifier))


def _is_floating(part):
    return part.is_floating_point() if torch.is_tensor(part) else np.asarray(part).dtype.kind == "f"


def is_function(identifier):
    """Whether an exercise asks for a function of numbers."""
    return is_numeric(identifier) and not recorded.is_network(identifier)


def is_array(identifier):
    """Whether an exercise asks for a function without tensors."""
    return is_function(identifier) and not is_tensor(identifier)


def is_real_function(identifier):
    """Whether an exercise asks for a function of numbers that need not be whole."""
    return is_function(identifier) and is_real(identifier)


def is_real_array(identifier):
    """Whether a function without tensors need not return whole numbers."""
    return is_array(identifier) and is_real(identifier)


def is_number(identifier):
    """Whether an exercise returns one number, or a few."""
    return is_array(identifier) and all(np.ndim(part) == 0 for part in parts(identifier))


def has_rows(identifier):
    """Whether an exercise returns something for each of several samples."""
    return is_real(identifier) and all(np.ndim(part) > 0 for part in parts(identifier))


def learns(identifier):
    """Whether a gradient flows through what an exercise returns."""
    return is_tensor(identifier) and any(part.requires_grad for part in parts(identifier))


def is_learning_function(identifier):
    """Whether a gradient flows through what a function returns."""
    return learns(identifier) and not recorded.is_network(identifier)


def has_gaps(identifier):
    """Whether a number may be missing among what an exercise gets."""
    return identifier in WITH_GAPS


def gets_arrays(identifier):
    """Whether a function is given arrays or tensors."""
    given = [value for call in recorded.calls(identifier) for value in call.arguments]
    return is_function(identifier) and any(map(_is_array, given))


def _is_array(value):
    return isinstance(value, np.ndarray | torch.Tensor) and value.ndim > 0


def is_certain(identifier):
    """Whether an exercise returns the same each time."""
    return is_real(identifier) and identifier not in RANDOM


def is_certain_function(identifier):
    """Whether a function returns the same each time."""
    return is_certain(identifier) and not recorded.is_network(identifier)


def is_any(identifier):
    """Whether it is an exercise."""
    return True


def wrapped(solution, around):
    """Return a solution, function or class, whose function of its input is another one.

    Parameters
    ----------
    solution : callable
        A function, or a class of networks.
    around : callable
        Of (function, \\*arguments, \\*\\*keywords), where the function is what there was.
    """
    if not isinstance(solution, type):
        return wraps(solution)(partial(around, solution))

    class Changed(solution):
        def forward(self, x):
            return around(super().forward, x)

    return Changed


def after(change):
    """Return what changes each part of what a solution returns."""

    def around(function, *arguments, **keywords):
        result = function(*arguments, **keywords)
        if isinstance(result, tuple):
            return tuple(map(change, result))
        return change(result)

    return partial(wrapped, around=around)


def before(change, only=lambda value: True):
    """Return what changes each array and tensor of real numbers that a solution gets."""

    def changed(value):
        if isinstance(value, tuple):
            return tuple(map(changed, value))
        is_array = isinstance(value, np.ndarray | torch.Tensor) and _is_floating(value)
        return change(value) if is_array else value

    def around(function, *arguments, **keywords):
        return function(*map(changed, arguments), **keywords)

    return partial(wrapped, around=around)


def beside(act):
    """Return what does something else as well, each time that a solution is called."""

    def around(function, *arguments, **keywords):
        result = function(*arguments, **keywords)
        act()
        return result

    return partial(wrapped, around=around)


def like(value):
    """Return the library of a value."""
    return torch if torch.is_tensor(value) else np


def noisy(value):
    noise = np.random.default_rng().standard_normal(np.shape(value))
    noise = torch.as_tensor(noise).float() if torch.is_tensor(value) else noise
    return value + 0.02 * (0.1 + abs(value)) * noise


def without_gaps(value):
    return like(value).nan_to_num(value)


def clipped(value):
    return value.clamp(min=0) if torch.is_tensor(value) else np.maximum(value, 0)


def flipped(value):
    return value.flip(0) if torch.is_tensor(value) else value[::-1]


def repeated(value):
    return like(value).zeros_like(value) + value[:1]


def centred(value):
    return value - value.mean(0)


def added_mean(value):
    return value + value.mean(0)


def first_size(axis):
    """Return what only ever looks at as many numbers along an axis as it was given first."""

    def change(solution):
        sizes = {}

        def around(function, *arguments, **keywords):
            return function(*[cut(i, value) for i, value in enumerate(arguments)], **keywords)

        def cut(i, value):
            if isinstance(value, tuple):
                return tuple(cut((i, j), part) for j, part in enumerate(value))
            if not isinstance(value, np.ndarray | torch.Tensor) or value.ndim == 0:
                return value
            size = sizes.setdefault(i, value.shape[axis])
            return value[:size] if axis == 0 else value[..., :size]

        return wrapped(solution, around)

    return change


def first_result(solution):
    """It returns again and again what it returned first."""
    kept = []

    def around(function, *arguments, **keywords):
        kept.append(function(*arguments, **keywords))
        return kept[0]

    return wrapped(solution, around)


def spoiling(solution):
    """Results are views of what the next call writes to."""
    kept = []

    def around(function, *arguments, **keywords):
        for part in kept:
            part[...] = 0
        result = function(*arguments, **keywords)
        kept[:] = [_data(part) for part in _parts(result)]
        return result

    return wrapped(solution, around)


def _data(part):
    return part.data if torch.is_tensor(part) else part


def changing_input(solution):
    """It writes to the arrays that it is given."""

    def around(function, *arguments, **keywords):
        result = function(*arguments, **keywords)
        for value in arguments:
            if isinstance(value, np.ndarray | torch.Tensor) and value.dtype not in FLAGS:
                _data(value)[...] += 1
        return result

    return wrapped(solution, around)


def without_gradients(solution):
    def around(function, *arguments, **keywords):
        with torch.no_grad():
            return function(*arguments, **keywords)

    return wrapped(solution, around)


def one_for_all(solution):
    """All networks that are made alike are the same one."""
    return cache(solution)


def seeding(seed):
    """Return what sets a seed before each call."""

    def around(function, *arguments, **keywords):
        seed(0)
        return function(*arguments, **keywords)

    return partial(wrapped, around=around)


def half_detached(value):
    return (value + value.detach()) / 2


def detached(value):
    return value.detach()


def returning(value):
    """Return what returns this, whatever it is given."""
    return lambda solution: lambda *arguments, **keywords: value


def inside(solution):
    """The network is part of another one."""

    class Outer(torch.nn.Module):
        def __init__(self, *arguments, **keywords):
            super().__init__()
            self.inner = solution(*arguments, **keywords)

        def forward(self, x):
            return self.inner(x)

    return Outer


def as_object(solution):
    """It is not a function but an object that can be called."""
    return partial(solution)


def strided(value):
    """The same numbers, elsewhere in memory and not next to each other."""
    value = np.asarray(value)
    return np.repeat(value[..., None], 2, axis=-1)[..., 0]


def listed(value):
    return value.tolist()


ODD = {
    "None": None,
    "3": 3,
    "a text": "text",
    "an empty list": [],
    "a ragged list": [[1, 2], [3]],
    "a dictionary": {},
    "an array of None": np.array(None),
    "an empty array": np.zeros((0, 3)),
    "three zeros": torch.zeros(3),
    "NaN": np.nan,
    "1j": 1j,
    "an object": object(),
}


@dataclass(frozen=True)
class Kind:
    """What is done to a reference, and to which exercises that can be done."""

    change: object
    applies: object = is_any


WRONG = {
    # gradients cut
    "the result is detached": Kind(after(detached), learns),
    "half of the result is detached": Kind(after(half_detached), learns),
    "what it gets is detached": Kind(before(detached), learns),
    "half of what it gets is detached": Kind(before(half_detached), learns),
    "no gradients are kept": Kind(without_gradients, learns),
    "a number of Python": Kind(after(listed), is_tensor),
    # batch
    "the order of the batch is turned": Kind(after(flipped), has_rows),
    "the first of the batch for all": Kind(after(repeated), has_rows),
    "the mean of the batch is subtracted": Kind(after(centred), has_rows),
    "the mean of the batch is added": Kind(after(added_mean), has_rows),
    "what it gets is squeezed": Kind(before(lambda x: x.squeeze()), has_rows),
    "the result is squeezed": Kind(after(lambda x: x.squeeze()), has_rows),
    # sizes
    "the first size, of the batch": Kind(first_size(0), gets_arrays),
    "the first size, of a sample": Kind(first_size(-1), gets_arrays),
    # only integers, only positive, only finite numbers
    "the result is rounded": Kind(after(lambda x: x.round()), is_real_function),
    "what it gets is rounded": Kind(before(lambda x: x.round()), is_real_function),
    "the result has lost its sign": Kind(after(abs), is_certain_function),
    "what it gets has lost its sign": Kind(before(abs), is_real_function),
    "the result is clipped at 0": Kind(after(clipped), is_real_function),
    "what it gets is clipped at 0": Kind(before(clipped), is_real_function),
    "gaps in what it gets are 0": Kind(before(without_gaps), has_gaps),
    "gaps in the result are 0": Kind(after(without_gaps), has_gaps),
    # randomness
    "noise is added to the result": Kind(after(noisy), is_real),
    "noise is added to what it gets": Kind(before(noisy), is_real),
    "dropout, in evaluation too": Kind(after(F.dropout), recorded.is_network),
    "it seeds random": Kind(seeding(random.seed)),
    "it seeds NumPy": Kind(seeding(np.random.seed)),
    "it seeds PyTorch": Kind(seeding(torch.manual_seed)),
    # state
    "one network for all": Kind(one_for_all, recorded.is_network),
    "the first result again": Kind(first_result, is_numeric),
    "the next call spoils the result": Kind(spoiling, has_rows),
    "it changes what it gets": Kind(changing_input, gets_arrays),
    "gradients stay off": Kind(beside(lambda: torch.set_grad_enabled(False))),
    "another type of numbers stays": Kind(beside(lambda: torch.set_default_dtype(torch.float64))),
    "other rules for errors stay": Kind(beside(lambda: np.seterr(all="raise"))),
    "another folder stays": Kind(beside(lambda: os.chdir("/"))),
    "another environment stays": Kind(beside(lambda: os.environ.update(A_NEW_VARIABLE="1"))),
    # something added
    "one per cent more": Kind(after(lambda x: 1.01 * x), is_real_function),
    "a little more": Kind(after(lambda x: x + 0.01), is_certain_function),
    "tanh at the end": Kind(after(torch.tanh), recorded.is_network),
    "sigmoid at the end": Kind(after(torch.sigmoid), recorded.is_network),
    "ReLU at the end": Kind(after(torch.relu), recorded.is_network),
}
RETURNED = {f"{name} is returned": Kind(returning(value)) for name, value in ODD.items()}
WRONG |= RETURNED

RIGHT = {
    "lists": Kind(after(listed), is_array),
    "tensors": Kind(after(torch.tensor), is_array),
    "tensors with a gradient": Kind(
        after(lambda x: torch.tensor(x, requires_grad=True)), is_real_array
    ),
    "single precision": Kind(after(np.float32), is_real_array),
    "elsewhere in memory": Kind(after(strided), is_array),
    "arrays without a dimension": Kind(after(np.array), is_number),
    "numbers of Python": Kind(after(float), is_number),
    "double precision": Kind(after(lambda x: x.double()), is_tensor),
    "a copy": Kind(after(lambda x: x.clone()), is_tensor),
    "a network in a network": Kind(inside, recorded.is_network),
    "an object that can be called": Kind(as_object),
    "it prints": Kind(beside(lambda: print("here"))),
}

POSITIVE = "it is never negative"
ANOTHER_CODE = "another code is right as well"
LIT = "images are not negative"
HARMLESS = {
    "the result has lost its sign": {
        "01.gradient_penalty": POSITIVE,
        "02.frechet_distance": POSITIVE,
        "02.kl_divergence": POSITIVE,
        "03.chi2": POSITIVE,
        "03.sigma_nmad": POSITIVE,
        "06.cvae_loss": POSITIVE,
        "06.train_epoch": POSITIVE,
    },
    "half of what it gets is detached": {"01.gradient_penalty": "only the critic's weights learn"},
    "the order of the batch is turned": {"02.permutation_null": "the orders are random"},
    "what it gets is squeezed": {
        "02.permutation_null": "what it gets is up to the statistic",
        "02.separating_direction": "one latent has no direction",
        "02.slerp": "it gets two vectors",
    },
    "the result is squeezed": {
        "02.separating_direction": "one latent has no direction",
        "02.slerp": "there is no arc in one dimension",
    },
    "the first size, of a sample": {
        "01.critic_loss": "a sample is one score",
        "01.gradient_penalty": "the critic takes so many pixels",
    },
    "what it gets is rounded": {
        "02.separating_direction": "the direction is still within the tolerance"
    },
    "noise is added to what it gets": {
        "02.separating_direction": "the direction is still within the tolerance"
    },
    "gaps in the result are 0": {"03.chi2": "gaps are left out"},
    "a little more": {
        "06.cvae_loss": "0.01 is within the tolerance",
        "06.encode_shape": ANOTHER_CODE,
    },
    "one per cent more": {"06.encode_shape": ANOTHER_CODE},
    "what it gets has lost its sign": {"06.train_epoch": LIT},
    "what it gets is clipped at 0": {"06.train_epoch": LIT},
}
HARMLESS["the first size, of a sample"] |= {"06.count_rings": "all images have 28 columns"}
HARMLESS["the first size, of the batch"] = {"06.foretold": "fewer images tell it as well"}
HARMLESS["the result is squeezed"] |= {"06.foretold": "there are several latents"}
HARMLESS["noise is added to what it gets"] |= {"06.foretold": "which R² it is, is up to the forest"}
HARMLESS["the result is clipped at 0"] = HARMLESS["the result has lost its sign"] | {
    "06.foretold": "below 0 is as good as 0: nothing is foretold"
}
HARMFUL = {
    "double precision": {"02.reparametrise": "float32 is to stay float32"},
    "lists": {"06.train_epoch": "a number of Python has no tolist"},
}


def made(kind, name, exceptions):
    """Return attempts of a `Kind`, by exercise, but for the exceptions of that name."""
    exempt = exceptions.get(name, {})
    chosen = [one for one in recorded.IDENTIFIERS if kind.applies(one) and one not in exempt]
    return {identifier: kind.change(registry.reference(identifier)) for identifier in chosen}
