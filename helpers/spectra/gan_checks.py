"""Checks and hints of the exercises of hack 01 about networks and losses: what is wrong, in one sentence each."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises import check
from helpers.require import (
    call,
    refuse,
    require,
    require_agreement,
    require_close,
    require_gradients,
    require_own_weights,
    require_steady,
    same,
)


@check(
    "01.ChannelAttention",
    hints=[
        "x has the shape (n, channels, length): x.mean(dim=2) and x.amax(dim=2) are the summaries, (n, channels) each.",
        "One Sequential of Linear(channels, hidden), ReLU, Linear(hidden, channels) serves both; hidden is at least 1.",
        "weight = torch.sigmoid(self.network(mean) + self.network(maximum)); return x * weight[:, :, None]",
    ],
)
def channel_attention(attempt, reference):
    for channels, ratio in ((12, 3), (10, 2)):
        _require_attention(attempt, reference, channels, ratio)
    few = attempt(4, ratio=8)
    filled = [nn.parameter.is_lazy(weight) or weight.numel() > 0 for weight in few.parameters()]
    require(all(filled), "with 4 channels and a ratio of 8 the hidden layer is empty: take at least 1 unit")
    for name, model, units in (("4 channels and a ratio of 8", few, 1), ("56 channels and no ratio", attempt(56), 7)):
        hidden = min(min(_shape(weight)) for weight in model.parameters() if weight.ndim > 1)
        require(hidden == units, f"with {name} the hidden layer has {hidden} units, expected {units}")
    require_own_weights(attempt(12, ratio=3), attempt(12, ratio=3))


def _require_attention(attempt, reference, channels, ratio):
    """Raise `NotYet` unless an attempt with so many channels and the weights of the reference does what that does."""
    random = torch.Generator().manual_seed(5)
    # All dimensions are alike, so that confusing them is seen and does not raise.
    x = torch.randn(channels, channels, channels, generator=random)
    model = attempt(channels, ratio=ratio)
    require(isinstance(model, nn.Module), "the class does not inherit from torch.nn.Module")
    output = call(model, x)
    require(torch.is_tensor(output), f"expected a tensor, found a {type(output).__name__}")
    weight_shapes = (channels, channels), (channels, channels, 1)
    require(output.shape not in weight_shapes, "it returns the weights: multiply x by them")
    require(output.shape == x.shape, f"for x of shape {tuple(x.shape)} the output has shape {tuple(output.shape)}")
    hidden = channels // ratio
    _require_one_network(model, channels, ratio)
    biases = {len(weight) for weight in model.parameters() if weight.ndim == 1}
    shapes = (hidden, channels), (hidden,), (channels, hidden), (channels,)
    weights = [0.5 * torch.randn(shape, generator=random) for shape in shapes]
    weights[1] *= hidden in biases
    weights[3] *= channels in biases
    right = reference(channels, ratio=ratio)
    with torch.no_grad():
        for own, value in zip(right.parameters(), weights, strict=True):
            own.copy_(value)
    expected = right.eval()(x).detach()
    if not any(same(way(x), expected) for way in _loaded(model, weights)):
        for way in _loaded(model, weights):
            _tell_attention(way(x).detach(), x, *weights)
        require(False, "with the same weights as the reference, its output differs from the reference's")
    longer = torch.randn(2, channels, 7, generator=random)
    cases = {"another number of wavelengths than of channels": (longer,), "two samples": (x[:2],)}
    require_agreement(model, right, cases)
    output = model(x)
    require(output.requires_grad, "no gradient flows to the weights: no detach(), no torch.no_grad()")
    gradients = torch.autograd.grad(output.sum(), list(model.parameters()), allow_unused=True)
    require(all(own is not None for own in gradients), "no gradient reaches one of its weights: is a part detached?")
    require_steady(model, x)
    given = x.clone().requires_grad_()
    require_gradients(model(given).square().sum(), right(given).square().sum(), [given])
    require(same(model.train()(x), expected), "in training it gives another result than in evaluation: no dropout")


def _shape(weight):
    return tuple(weight.flatten(1).shape if weight.ndim > 2 else weight.shape)  # of a convolution with kernel 1


def _loaded(model, weights):
    """Yield a model with its weights, in each way: either matrix may be the first, and either may be transposed."""
    first, first_bias, second, second_bias = weights
    biases = {bias.shape: bias for bias in (first_bias, second_bias)}
    matrices = [own for own in model.parameters() if own.ndim > 1]
    in_order = _shape(matrices[0]) == first.shape or _shape(matrices[0]) == _shape(matrices[1])
    ways = (first, second), (second, first)
    for way in ways if in_order else ways[::-1]:
        with torch.no_grad():
            for own, value in zip(matrices, way, strict=True):
                fitting = value if _shape(own) == value.shape else value.T
                own.copy_(fitting.reshape(own.shape))
            for own in model.parameters():
                if own.ndim == 1:
                    own.copy_(biases[own.shape])
        yield model.eval()


def _require_one_network(model, channels, ratio):
    """Raise `NotYet` unless a model has two layers, from the channels to fewer and back."""
    shapes = [_shape(weight) for weight in model.parameters()]
    matrices = [shape for shape in shapes if len(shape) == 2]
    expected = channels // ratio
    require(shapes, "it has no weights: make the layers in __init__, as attributes (torch does not look into a list)")
    joined = (expected, 2 * channels) in shapes
    require(not joined, "mean and maximum are joined: each goes through the network by itself")
    require(len(matrices) > 1, "there are fewer than two layers: channels to hidden, ReLU, hidden to channels")
    hidden = min(matrices[0])
    given = f"for {channels} channels and ratio {ratio}"
    require(hidden > 1, f"the ratio is not used: {given} there are {hidden} hidden units, not {expected}")
    right = f"expected {channels} // {ratio} = {expected}"
    require(hidden == expected, f"{given} the hidden layer has {hidden} units, {right}")
    require(len(matrices) != 4, "there are two networks: mean and maximum go through one and the same")
    layers = len(matrices) == 2 and all(sorted(shape) == [expected, channels] for shape in matrices)
    biases = [shape for shape in shapes if len(shape) != 2]
    known = layers and len(set(biases)) == len(biases) and set(biases) <= {(expected,), (channels,)}
    sizes = f"{channels} to {expected} to {channels}"
    require(known, f"expected the weights of two layers, {sizes}, found weights of the shapes {shapes}")


def _tell_attention(found, x, first, first_bias, second, second_bias):
    """Raise `NotYet` if this is what a plausible wrong answer makes of x with these weights."""

    def network(summary, bend=F.relu):
        return F.linear(bend(F.linear(summary, first, first_bias)), second, second_bias)

    def score(dim=2, bend=F.relu):
        return network(x.mean(dim=dim), bend) + network(x.amax(dim=dim), bend)

    mean, top, s = x.mean(dim=2), x.amax(dim=2), torch.sigmoid
    a, b, w = network(mean), network(top), s(score())
    tell = partial(refuse, (found / x)[:, :, 0])
    tell("only the mean is used: add what the network makes of the maximum", s(a))
    tell("only the maximum is used: add what the network makes of the mean", s(b))
    tell("the sigmoid is taken of each: add first, then take it of the sum", s(a) + s(b), (s(a) + s(b)) / 2)
    tell("the sigmoid is missing: a weight lies between 0 and 1", a + b, (a + b) / 2)
    tell("that is a softmax: channels do not compete, each has its own sigmoid", F.softmax(a + b, 1))
    tell("mean and maximum are added before the network: pass each through it, then add", s(network(mean + top)))
    tell("the two results are averaged or multiplied: add them", s((a + b) / 2), s(a * b))
    tell("the ReLU between the two layers is missing: without it they are one", s(score(bend=nn.Identity())))
    tell("what stands between the layers is no ReLU", *(s(score(bend=f)) for f in (F.leaky_relu, F.gelu, torch.tanh)))
    tell("there is a ReLU after the second layer: no weight can be below 1/2", s(a.relu() + b.relu()))
    tell, over, across = partial(refuse, found), s(score(dim=1)), s(score(dim=0))
    tell("the channels are summarised: take mean and maximum over dim=2", x * over[:, None], x * over[..., None])
    tell("the batch is summarised: take mean and maximum over dim=2", x * across.T, x * across, x * across[..., None])
    tell("the weights stand along the wrong dimension: weight[:, :, None]", x * w, x * w[:, None])
    tell("x is added: the weights only multiply it", x + w[:, :, None], x + x * w[:, :, None])
    tell("it returns the weights: multiply x by them", w[:, :, None].expand_as(x))


@check(
    "01.critic_loss",
    hints=[
        "The critic is to give high scores to real spectra and low ones to generated spectra.",
        "What is minimised gets small: the mean score of generated spectra has a plus, that of real ones a minus.",
        "generated_scores.mean() - real_scores.mean()",
    ],
)
def critic_loss(attempt, reference):
    high, low = torch.tensor([[[0.7], [1.9], [-0.3], [2.4]], [[-0.9], [0.4], [0.8], [-1.7]]])
    pairs = [[scores.clone().requires_grad_() for scores in pair] for pair in ((high, low), (low, high))]
    found = [call(attempt, *pair) for pair in pairs]
    for value in found:
        require(torch.is_tensor(value), f"expected a tensor, for its gradient; found a {type(value).__name__}")
        require(value.ndim == 0, f"the loss has shape {tuple(value.shape)}, expected one number: take the means")
    r = torch.stack([high.mean(), low.mean()])
    g, tell = r.flip(0), partial(refuse, torch.stack(found))
    tell("the sign is wrong: minimised, it would give high scores to generated spectra", r - g)
    tell("there is a plus between the means, so all scores would fall: take the difference", r + g, (r + g) / 2)
    tell("that is a squared difference, which draws the means together: no square", (r - g) ** 2)
    tell("that is the absolute difference: it matters which of the two is higher", (r - g).abs(), -(r - g).abs())
    tell("that is a sum over the batch: take the mean, which does not grow with it", 4 * (g - r))
    tell("the real scores are not used: subtract their mean", g)
    tell("the generated scores are not used: add their mean", r, -r)
    for value, pair in zip(found, pairs, strict=True):
        require_close(value, reference(*pair), "for the test scores the loss is {found}, expected {expected}")
        require_gradients(value, reference(*pair), pair)
    random = torch.Generator().manual_seed(4)
    cases = {
        "seven scores each": torch.randn(2, 7, 1, generator=random),
        "one score each": torch.randn(2, 1, 1, generator=random),
        "scores of some 30": 30 * torch.randn(2, 5, 1, generator=random),
    }
    require_agreement(attempt, reference, cases)


class _Critic(nn.Module):
    """A critic that says what is wrong with what it is given, and knows whether it was asked for its weights."""

    def __init__(self, random):
        super().__init__()
        self.asked, self.first, self.last = False, nn.Linear(5, 6), nn.Linear(6, 1, bias=False)
        self.weights = [self.first.weight, self.first.bias, self.last.weight]
        for weight in self.weights:
            weight.data = 0.7 * torch.randn(weight.shape, generator=random)

    def named_parameters(self, *arguments, **keywords):
        self.asked = True
        return super().named_parameters(*arguments, **keywords)

    def forward(self, points, condition=None):
        require(condition is not None, "the condition is not passed to the critic: critic(points, condition)")
        require(points.requires_grad, "what the critic gets has no gradient: pass `points`, without detach()")
        return self.last(torch.tanh(self.first(torch.cat([points, condition], dim=-1))))


@check(
    "01.gradient_penalty",
    hints=[
        "torch.autograd.grad(scores.sum(), points, create_graph=True) is a tuple with the gradient, shape (n, pixels).",
        "Each spectrum has a gradient of its own, so the norm is over pixels: gradient.norm(dim=1), shape (n,).",
        "weight * ((gradient.norm(dim=1) - 1) ** 2).mean()",
    ],
)
def gradient_penalty(attempt, reference):
    random = torch.Generator().manual_seed(8)
    critic, points = _Critic(random), torch.randn(5, 3, generator=random).requires_grad_()
    given = critic, points, torch.randn(5, 2, generator=random)
    try:
        found = call(attempt, *given)
    except RuntimeError as error:
        copied = "not have been used in the graph" in str(error)
        require(not copied, "the gradient is not taken at the points that the critic got: is one a copy, or detached?")
        raise
    require(critic.weights[0].grad is None, "backward() leaves gradients in the weights: use torch.autograd.grad")
    require(torch.is_tensor(found), f"expected a tensor, for its gradient; found a {type(found).__name__}")
    (g,) = torch.autograd.grad(critic(*given[1:]).sum(), points)
    expected, norm = reference(*given), g.norm(dim=1)
    penalty, tell = lambda v: 10 * ((v - 1) ** 2).mean(), partial(refuse, found)
    tell("the norm is over the whole batch: each spectrum has its own, norm(dim=1)", penalty(g.norm()))
    tell("the norm is over the spectra: take it over the pixels, norm(dim=1)", penalty(g.norm(dim=0)))
    tell("the norm is squared before 1 is subtracted: (norm - 1)**2", penalty(norm**2), 10 * (norm**2 - 1).mean())
    tell("the penalty is one-sided: a norm below 1 counts as well as one above", penalty(norm.clamp(min=1)))
    tell("the norm is held at 0: subtract 1 before squaring", penalty(1 + norm), 10 * norm.mean())
    tell("the deviation of the norm from 1 is not squared", 10 * (norm - 1).abs().mean(), 10 * (norm - 1).mean())
    tell("the mean is taken of the norms: take it of the squares, one for each spectrum", penalty(norm.mean()))
    tell("that is a sum over the batch: take the mean", 5 * penalty(norm))
    tell("that is the gradient of the mean score, n times too small: take that of the sum", penalty(norm / 5))
    tell("the norm is missing: it is 1 that is subtracted from each component", penalty(g), 3 * penalty(g))
    tell("that is no Euclidean norm: take the root of the sum of squares", penalty(g.abs().sum(1)), penalty(g.sum(1)))
    tell("the weight is not used: multiply by it", penalty(norm) / 10)
    tell("the penalty has the wrong sign: it is added to what is minimised", -penalty(norm))
    by_points = same(found, expected) or not critic.asked
    require(by_points, "the gradient is that by the critic's weights: take it with respect to `points`")
    require(found.ndim == 0, f"the penalty has shape {tuple(found.shape)}, expected one number: take the mean")
    require_close(found, expected, "for the test critic the penalty is {found}, expected {expected}")
    require_gradients(found, expected, critic.weights)
    require(same(attempt(*given, weight=2.5), expected / 4), "the weight is always 10: multiply by the argument")
    few = {"two spectra": slice(0, 2), "one spectrum": slice(0, 1)}
    cases = {name: (critic, points[i].detach().requires_grad_(), given[2][i]) for name, i in few.items()}
    require_agreement(attempt, reference, cases)
