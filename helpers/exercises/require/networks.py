"""Networks: what they depend on, where their gradients go, and what bends in them."""

from functools import partial

import torch
from torch import nn

from helpers.exercises.require.calls import attempt_for, twice
from helpers.exercises.require.results import plain, require, same

STEP = 1e-9  # so short that hardly a unit bends within it: the slope in double precision
SLOPE = 1e-2  # how far that slope may be from the gradient, which rounding and such a unit move


def require_network(attempt, reference, cases):
    """Raise `NotYet` unless networks of a class do what any network like the reference does.

    They are modules with weights of their own, return tensors of the right shape, also for a batch
    of one, the same in training and evaluation where the reference does, treat samples one by one
    (`require_steady`), and their gradients, with respect to each parameter and to what they get,
    are what they should be (`require_true_gradients`). What they compute is not compared.

    Parameters
    ----------
    attempt, reference : callable
        Classes of networks.
    cases : dict of str to (tuple, tuple)
        What they are made with, and the shape of a batch of several, by a name that completes
        "for ... the output has shape". Take several of both.

    Returns
    -------
    dict of str to torch.nn.Module
        The attempt's networks, for what else a check asks of them.
    """
    networks = {}
    for name, (arguments, shape) in cases.items():
        model, other = twice(partial(attempt, *arguments))
        require(isinstance(model, nn.Module), "the class does not inherit from torch.nn.Module")
        right = reference(*arguments)
        x = torch.randn(shape, generator=torch.Generator().manual_seed(len(networks)))
        output = attempt_for(name, model.train(), x)
        _require_shape(name, output, right(x))
        _require_all_used(model, output)
        if same(right.train()(x), right.eval()(x)):
            reason = "in training it gives another result than in evaluation: no dropout"
            require(same(model.train()(x), model.eval()(x)), reason)
        require_own_weights(model, other)
        require_steady(model, x)
        require_true_gradients(other, x)
        networks[name] = model
    return networks


def _require_shape(name, output, expected):
    """Raise `NotYet` unless the output of a network is a tensor of the expected shape."""
    kind = type(output).__name__
    require(torch.is_tensor(output), f"forward returns a {kind}, expected a tensor")
    shapes = f"has shape {tuple(output.shape)}, expected {tuple(expected.shape)}"
    require(output.shape == expected.shape, f"for {name} the output {shapes}")


def _require_all_used(model, output):
    """Raise `NotYet` unless a gradient reaches every parameter of a network."""
    reason = "no gradient flows to the weights: no detach(), no torch.no_grad()"
    require(output.requires_grad, reason)
    weights = dict(model.named_parameters())
    gradients = torch.autograd.grad(output.square().sum(), weights.values(), allow_unused=True)
    unused = [name for name, own in zip(weights, gradients, strict=True) if own is None]
    reason = f"forward does not use {', '.join(unused[:1])}: no gradient reaches it"
    require(not unused, reason)


def require_steady(model, x):
    """Raise `NotYet` unless a network in evaluation treats each sample of x by itself.

    It gives the same result each time, hands out a new tensor, and a gradient reaches each sample.

    Parameters
    ----------
    model : torch.nn.Module
    x : torch.Tensor, shape (n, ...)
        A batch, n > 1.
    """
    model.eval()
    x = x.clone().requires_grad_()
    whole, again = twice(lambda: attempt_for("a batch", model, x))
    kept = plain(whole).copy()
    reason = "in evaluation the second call gives another result: noise, or dropout"
    require(same(again, whole), reason)
    mixed = "a sample in a batch gives another result than alone: do not mix samples"
    for i in range(len(x)):
        alone = attempt_for("a batch of one", model, x[i : i + 1])
        shapes = f"has shape {tuple(alone.shape)}, expected {tuple(whole[i : i + 1].shape)}"
        require(alone.shape == whole[i : i + 1].shape, f"for a batch of one it {shapes}")
        require(same(alone, kept[i : i + 1], rtol=1e-3, atol=1e-5), mixed)
    turned = attempt_for("a batch in another order", model, x.flip(0))
    require(same(turned.flip(0), kept, rtol=1e-3, atol=1e-5), mixed)
    reason = "the next call changes the result of the one before: return a new one each time"
    require(same(whole, kept), reason)
    reached = whole.requires_grad and _reaches_all(whole, x)
    require(reached, "no gradient flows back to what the network gets: is a part of it detached?")


def _reaches_all(output, x):
    """Whether a gradient reaches each of the samples x."""
    (gradient,) = torch.autograd.grad(output.square().sum(), x, allow_unused=True)
    return gradient is not None and bool(gradient.flatten(1).any(dim=1).all())


def require_true_gradients(model, x):
    """Raise `NotYet` unless the gradients of a network are the slopes of its result.

    With respect to what it gets, and to its weights: a part that is detached makes them differ.

    Parameters
    ----------
    model : torch.nn.Module
        It is made one of double precision; that not every network can be used so is no fault.
    x : torch.Tensor
        A batch.
    """
    model.eval()(x)  # a lazy layer has its weights only now
    model.double()
    x = x.double().requires_grad_()
    try:
        output = model(x)
    except RuntimeError:  # single precision is written into it
        return
    random = torch.Generator().manual_seed(2)
    share = torch.rand(output.shape, generator=random, dtype=torch.float64)
    for leaves in ([x], list(model.parameters())):
        steps = [torch.randn(leaf.shape, generator=random, dtype=torch.float64) for leaf in leaves]
        gradients = torch.autograd.grad((model(x) * share).sum(), leaves, allow_unused=True)
        pairs = zip(gradients, steps, strict=True)
        slope = sum((own * step).sum() for own, step in pairs if own is not None)
        rise = _rise(model, x, share, leaves, steps)
        reason = "the result is right, but not its gradient: is a part of it detached?"
        require(abs(rise - slope) <= SLOPE * abs(rise), reason)


def _rise(model, x, share, leaves, steps):
    """Return by how much a weighted sum of the result of a network rises along these steps."""
    values = []
    with torch.no_grad():
        for sign in (1, -1):
            for leaf, step in zip(leaves, steps, strict=True):
                leaf += sign * STEP * step
            values.append((model(x) * share).sum())
            for leaf, step in zip(leaves, steps, strict=True):
                leaf -= sign * STEP * step
    return (values[0] - values[1]) / (2 * STEP)


def require_own_weights(one, other):
    """Raise `NotYet` if two networks of the same class share weights."""
    shared = set(map(id, one.parameters())) & set(map(id, other.parameters()))
    require(not shared, "all its networks share their weights: make the layers in __init__")


def require_bends(model, images, layers):
    """Raise `NotYet` unless something bends between each two of these layers.

    And the last of them gives the result.
    """
    called, result = _outputs(model.eval(), images, layers)
    ends = called and same(called[-1][1].flatten(), result.flatten())
    reason = "something follows the last layer: return plain logits, of either sign and any size"
    require(ends, reason)
    random_numbers = torch.Generator().manual_seed(7)
    for (before, output), (after, _) in zip(called[:-1], called[1:], strict=True):
        # Alike in all pixels, so that pooling, which bends as well, has nothing to choose from.
        shape = (*output.shape[:2], *[1] * (output.ndim - 2))
        one = torch.randn(shape, generator=random_numbers).expand_as(output)
        other = torch.randn(shape, generator=random_numbers).expand_as(output)
        received = [
            _received(model, images, before, after, values)
            for values in (one, other, one + other, 0 * one)
        ]
        sum_of_parts = received[0] + received[1]
        bend = received[2] + received[3] - sum_of_parts
        names = f"{type(before).__name__} and the next {type(after).__name__}"
        line = "without an activation they add up to one linear map"
        bends = bend.abs().max() > 1e-3 * sum_of_parts.abs().max()
        require(bends, f"nothing bends between a {names}: {line}")


def _outputs(model, images, layers):
    """Return what these layers give, in the order in which they are called, and the result."""
    called = []

    def note(layer, given, output):
        called.append((layer, output.clone()))

    noted = [layer.register_forward_hook(note) for layer in layers]
    result = model(images)
    for handle in noted:
        handle.remove()
    return called, result


def _received(model, images, before, after, values):
    """Return what the layer ``after`` gets if the layer ``before`` gives these values."""
    taken = []
    handles = [
        before.register_forward_hook(lambda *_: values.clone()),  # for a ReLU in place
        after.register_forward_pre_hook(lambda layer, given: taken.append(given[0])),
    ]
    model(images)
    for handle in handles:
        handle.remove()
    return taken[0].detach()
