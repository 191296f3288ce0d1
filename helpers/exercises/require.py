"""What the checks of all exercises share: refuse an attempt in one sentence, and call it in many ways.

A check calls an attempt with `call`, compares what it returns with `require_close`, names wrong answers that it knows
with `refuse`, and tries further inputs with `require_agreement`; `number`, `array` and `each` make what an attempt returns
into what the cells below an exercise expect.
"""

import random
from functools import partial, wraps

import numpy as np
import torch


class NotYet(Exception):  # noqa: N818 - it is an answer, not an error
    """What is wrong with an attempt, in one sentence, with a figure where that helps."""

    def __init__(self, reason, figure=None):
        super().__init__(reason)
        self.figure = figure


def require(condition, reason, figure=None):
    """Raise `NotYet` with the reason, and the figure that ``figure()`` draws, unless the condition holds."""
    if not condition:
        raise NotYet(reason, figure and figure())


def require_close(found, expected, reason, rtol=1e-4, atol=1e-5):
    """Raise `NotYet` unless two arrays, tensors or numbers agree in shape and value.

    The reason may contain ``{found}`` and ``{expected}``.
    """
    name = type(found).__name__
    found, expected = _plain(found), _plain(expected)
    require(found.dtype.kind in "biuf", f"expected numbers, found a {name}")
    require(
        found.shape == expected.shape,
        f"the result has shape {found.shape}, expected {expected.shape}",
    )
    if not np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True):
        raise NotYet(reason.format(found=_shown(found), expected=_shown(expected)))


def _shown(values):
    """Return the first and last of an array in one line."""
    text = np.array2string(values, precision=4, threshold=6, edgeitems=2)
    return " ".join(text.split())


def same(found, expected, rtol=1e-4, atol=1e-6):
    """Whether two results are alike in shape and value, whatever library they are of."""
    found, expected = _plain(found), _plain(expected)
    if found.dtype.kind not in "biuf" or found.shape != expected.shape:
        return False
    return np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True)


def refuse(found, reason, *wrong):
    """Raise `NotYet` with the reason if a result is one of these wrong ones."""
    require(not any(same(found, value) for value in wrong), reason)


def require_right(found, expected, reason, slips, rtol=1e-4, atol=1e-5):
    """`require_close`, but a result of a known slip is answered with what is wrong there.

    Parameters
    ----------
    found, expected : array, tensor or number
        What an attempt returned, and what is right.
    reason : str
        What is said of any other wrong result; it may contain ``{found}`` and ``{expected}``.
    slips : dict of str to list
        Wrong results, by what is wrong; one that happens to be right here is none.
    rtol, atol : float
        Tolerances of `require_close`.
    """
    if same(found, expected, rtol, atol):
        return
    for slip, wrong in slips.items():
        refuse(found, slip, *wrong)
    require_close(found, expected, reason, rtol, atol)


def _plain(value):
    """Return a number, list, table or tensor of any library as a NumPy array; of type object if it is none."""
    if torch.is_tensor(value):
        return value.detach().cpu().numpy()
    try:
        if isinstance(value, list | tuple):
            value = [_plain(one) for one in value]
        return np.asarray(value)
    except (TypeError, ValueError):  # it is ragged
        return np.asarray(None)


def array(value, what="numbers, as an array"):
    """Return what an attempt returned as a NumPy array of real numbers, or raise `NotYet`."""
    require(value is not None, f"nothing is returned, expected {what}")
    values = _plain(value)
    require(
        values.dtype.kind != "c",
        f"it is complex, expected {what}: where does a negative root come from?",
    )
    require(values.dtype.kind in "biuf", f"expected {what}, found a {type(value).__name__}")
    return values


def number(value):
    """Return what an attempt returned as one number, or raise `NotYet`."""
    values = array(value, "one number")
    require(values.shape == (), f"the result has shape {values.shape}, expected one number")
    return np.float64(values)


def each(convert, count, what):
    """Return a function that makes a result into a tuple of so many, each of them converted, or raises `NotYet`."""

    def converted(value):
        parts = tuple(value) if np.iterable(value) else ()
        require(len(parts) == count, f"expected {what}")
        return tuple(map(convert, parts))

    return converted


def returning(attempt, convert):
    """Return an attempt whose results are converted; the attempt itself where there is nothing to convert."""
    if convert is None:
        return attempt

    @wraps(attempt)
    def converted(*arguments, **keywords):
        return convert(attempt(*arguments, **keywords))

    return converted


def call(attempt, *arguments, **keywords):
    """Call an attempt and return its result; raise `NotYet` if it has changed what it was given, or a global switch."""
    given = list(_contents((arguments, keywords)))
    before = [_copied(value) for value in given]
    switches = torch.is_grad_enabled(), torch.get_default_dtype()
    result = attempt(*arguments, **keywords)
    for value, kept in zip(given, before, strict=True):
        if isinstance(value, torch.nn.Module):
            switched = "it switches a network that it is given from training to evaluation, or back"
            require(_copied(value) == kept, f"{switched}: leave that to the caller")
        else:
            unchanged = np.array_equal(_plain(value), kept, equal_nan=kept.dtype.kind == "f")
            reason = (
                "it changes an array that it is given, which others still need: compute a new one"
            )
            require(unchanged, reason)
    now = torch.is_grad_enabled(), torch.get_default_dtype()
    require(
        now == switches, "it leaves gradients off, or another type of numbers, for all that follows"
    )
    return result


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
    return _plain(value).copy()


def attempt_for(name, attempt, *arguments):
    """`call` an attempt for an input of this name; what it raises becomes a sentence that says for which input."""
    try:
        return call(attempt, *arguments)
    except (NotYet, NotImplementedError):
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:150]
        raise NotYet(
            f"for {name} it raises {type(error).__name__}{f' ({text})' if text else ''}"
        ) from error


def require_agreement(attempt, reference, cases, rtol=1e-4, atol=1e-5):
    """Raise `NotYet` unless an attempt and the reference agree on further inputs, and its results stay what they were.

    Parameters
    ----------
    attempt, reference : callable
        Of the arguments of a case; they return one result, or a tuple of them.
    cases : dict of str to tuple
        The arguments, by a name that completes "for ... it is 1, expected 2".
    rtol, atol : float
        Tolerances of `require_close`.
    """
    results = []
    for name, arguments in cases.items():
        found = attempt_for(name, attempt, *arguments)
        right = reference(*arguments)
        several = isinstance(right, tuple)
        pairs = list(zip(found, right, strict=True)) if several else [(found, right)]
        for own, expected in pairs:
            shapes = _plain(own).shape, _plain(expected).shape
            reason = f"for {name} the result has shape {shapes[0]}, expected {shapes[1]}"
            require(shapes[0] == shapes[1], reason)
            reason = f"for {name} it is {{found}}, expected {{expected}}"
            require_close(own, expected, reason, rtol, atol)
            results.append((own, _plain(own).copy()))
    for own, before in results:
        kept = np.array_equal(_plain(own), before, equal_nan=before.dtype.kind == "f")
        require(
            kept, "the next call changes the result of the one before: return a new one each time"
        )


def twice(function):
    """Return the results of two calls that find the global random numbers in different states.

    It raises `NotYet` where the function sets one of those states itself. `judge` puts them back afterwards.
    """
    results, states = [], []
    for seed in (1, 2):
        for start in (random.seed, np.random.seed, torch.manual_seed):
            start(seed)
        results.append(function())
        numbers = np.random.get_state()
        drawn = torch.get_rng_state().numpy().tobytes()
        states.append([random.getstate(), (numbers[1].tobytes(), numbers[2]), drawn])
    seeded = any(one == other for one, other in zip(*states, strict=True))
    reason = "it sets the seed of all that is drawn below as well: give the seed to a generator of its own"
    require(not seeded, reason)
    return results


def require_gradients(found, expected, weights):
    """Raise `NotYet` unless the gradients of two losses agree: the right value alone trains nothing."""
    reason = (
        "no gradient flows to learn from: no item(), no detach(); of a gradient, create_graph=True"
    )
    require(found.requires_grad, reason)
    gradients = partial(torch.autograd.grad, inputs=weights, allow_unused=True, retain_graph=True)
    for own, right in zip(gradients(found), gradients(expected), strict=True):
        agree = own is not None and torch.allclose(
            own.double(), right.double(), rtol=1e-3, atol=1e-6
        )
        require(agree, "the value is right, but not its gradient: is a part of it detached?")


def require_steady(model, x):
    """Raise `NotYet` unless a network treats each sample of x by itself, alike each time, and a gradient reaches x."""
    model.eval()
    x = x.clone().requires_grad_()
    whole = attempt_for("a batch", model, x)
    again = model(x)
    require(
        same(again, whole), "in evaluation the second call gives another result: noise, or dropout"
    )
    for i in (0, len(x) - 1):
        alone = attempt_for("a batch of one", model, x[i : i + 1])
        shapes = tuple(alone.shape), tuple(whole[i : i + 1].shape)
        require(
            shapes[0] == shapes[1],
            f"for a batch of one it has shape {shapes[0]}, expected {shapes[1]}",
        )
        reason = "a sample in a batch gives another result than alone: do not mix samples"
        require(same(alone, whole[i : i + 1], rtol=1e-3, atol=1e-5), reason)
    unused = not whole.requires_grad
    gradient = (
        None if unused else torch.autograd.grad(whole.square().sum(), x, allow_unused=True)[0]
    )
    reached = gradient is not None and bool(gradient.any())
    require(reached, "no gradient flows back to what the network gets: is a part of it detached?")


def require_random_orders(orders):
    """Raise `NotYet` unless rows of shape (m, n) look like m random orders of n things, one as likely as another."""
    m, n = orders.shape
    start = np.arange(n)
    unmoved = orders == start
    reason = (
        "the values in their own order are among the results: that is what is observed, not chance"
    )
    require(not unmoved.all(axis=1).any(), reason)
    stay = "too many of the values stay where they are: permute all of them"
    require(unmoved.mean(axis=0).max() < 0.9, stay)
    scatter = 1 / np.sqrt(
        m
    )  # of the mean of m numbers of fixed points, which have the mean and the variance 1
    kept = (orders[1:] == orders[:-1]).sum(axis=1).mean()
    require(kept < n / 3, "an order is nearly the one before: draw each anew")
    steps = (orders - np.roll(orders, 1, axis=1)) % n
    neighbours = np.isin(steps, (1, n - 1)).sum(axis=1).mean()
    reason = "neighbours stay neighbours: permute the values one by one"
    require(neighbours < n / 5, reason)  # 2 would be chance
    counts = np.zeros((n, n))
    np.add.at(counts, (orders, np.broadcast_to(start, orders.shape)), 1)
    expected = m / n
    reason = "the values move within a part of the places only: each may come to any place"
    require((counts == 0).mean() < np.exp(-expected) + 0.15, reason)
    require(unmoved.sum(axis=1).mean() < 1 + 6 * scatter, stay)
    reason = "a value comes to the same place too often: each may come to any place"
    require(counts.max() < expected + 8 * np.sqrt(expected) + 6, reason)


def require_own_weights(one, other):
    """Raise `NotYet` if two networks of the same class share weights."""
    shared = set(map(id, one.parameters())) & set(map(id, other.parameters()))
    require(not shared, "all its networks share their weights: make the layers in __init__")


def require_bends(model, images, layers):
    """Raise `NotYet` unless something bends between each two of these layers, and the last of them gives the result."""
    called = []
    noted = [
        layer.register_forward_hook(
            lambda layer, given, output: called.append((layer, output.clone()))
        )
        for layer in layers
    ]
    result = model.eval()(images)
    for handle in noted:
        handle.remove()
    plain = called and same(called[-1][1].flatten(), result.flatten())
    require(
        plain, "something follows the last layer: return plain logits, of either sign and any size"
    )
    random_numbers = torch.Generator().manual_seed(7)
    for (before, output), (after, _) in zip(called, called[1:], strict=False):

        def between(values, before=before, after=after):
            taken = []
            handles = [
                before.register_forward_hook(lambda *_: values.clone()),  # for a ReLU in place
                after.register_forward_pre_hook(lambda layer, given: taken.append(given[0])),
            ]
            model(images)
            for handle in handles:
                handle.remove()
            return taken[0].detach()

        # Alike in all pixels, so that pooling, which bends as well, has nothing to choose from.
        shape = (*output.shape[:2], *[1] * (output.ndim - 2))
        one, other = (
            torch.randn(shape, generator=random_numbers).expand_as(output) for _ in range(2)
        )
        sum_of_parts = between(one) + between(other)
        bend = between(one + other) + between(0 * one) - sum_of_parts
        names = f"{type(before).__name__} and the next {type(after).__name__}"
        reason = (
            f"nothing bends between a {names}: without an activation they add up to one linear map"
        )
        require(bend.abs().max() > 1e-3 * sum_of_parts.abs().max(), reason)
