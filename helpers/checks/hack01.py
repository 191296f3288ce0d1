"""Checks and hints of the exercises of hack 01: what a wrong attempt got wrong, in one sentence each."""

from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises import check
from helpers.exercises.require import (
    array,
    call,
    each,
    number,
    refuse,
    require,
    require_close,
    require_gradients,
    require_like,
    require_own_weights,
    require_steady,
    same,
)


@check(
    "01.to_rest_frame",
    hints=[
        "A line at rest wavelength λ is observed at (1 + z) λ: which way leads back?",
        "Flux per Å times the width in Å is what a pixel gets, and that stays: as pixels shrink, flux per Å grows.",
        "Divide the wavelength by (1 + redshift), multiply the flux and the error by it, and return all three.",
    ],
    returns=each(array, 3, "three arrays: wavelength, flux and error"),
)
def to_rest_frame(attempt, reference):
    wavelength = np.array([4000.0, 4001.0, 4002.5, 4004.0])
    flux, error = np.array([3.0, 5.0, 2.0, 4.0]), np.array([0.3, 0.7, 0.2, 0.5])
    for z in (0.25, 0.6):
        expected, found = (
            reference(wavelength, flux, error, z),
            call(attempt, wavelength, flux, error, z),
        )
        tell = partial(refuse, found[0])
        tell(
            "the wavelength is multiplied: the rest frame is the bluer one, so divide",
            wavelength * (1 + z),
        )
        tell(
            "z stands where 1 + z should: at z = 0 nothing may change",
            wavelength / z,
            wavelength * z,
        )
        tell("the wavelength is left as it is: divide it by 1 + z", wavelength)
        tell("1 - z is 1 / (1 + z) for small z only: divide by 1 + z", wavelength * (1 - z))
        require_close(
            found[0],
            expected[0],
            "the wavelength in the rest frame is {found}, expected {expected}",
        )
        exchanged = same(found[1], expected[2]) and same(found[2], expected[1])
        require(not exchanged, "flux and error are exchanged: return wavelength, flux, error")
        for i, name, value in ((1, "flux", flux), (2, "error", error)):
            tell = partial(refuse, found[i])
            tell(
                f"the {name} is left as it is: it is per Å, and an Å gets shorter, so multiply by 1 + z",
                value,
            )
            tell(
                f"the {name} is divided by 1 + z: pixels get narrower, so per Å it grows",
                value / (1 + z),
            )
            tell(f"the {name} is scaled by z where it should be 1 + z", value * z, value / z)
            tell(
                f"the {name} is scaled twice: the width of a pixel changes by 1 + z once",
                value * (1 + z) ** 2,
            )
            require_close(
                found[i],
                expected[i],
                f"the {name} in the rest frame is {{found}}, expected {{expected}}",
            )
    noise, many = np.random.default_rng(2).normal(size=(2, 9)), np.geomspace(4000, 4100, 9)
    gaps = np.where(np.arange(9) == 3, np.nan, noise)
    cases = {
        "negative fluxes": (many, noise[0], abs(noise[1]), 0.31),
        "a flux that is NaN": (many, *abs(gaps), 0.07),
        "a pixel without weight, whose error is infinite,": (
            many,
            noise[0],
            1 / abs(noise[1]).round(),
            0.4,
        ),
        "the redshift 0": (many, noise[0], abs(noise[1]), 0.0),
        "a single pixel": (many[:1], noise[0, :1], abs(noise[1, :1]), 1.2),
    }
    require_like(attempt, reference, cases)


@check(
    "01.bin_flux",
    hints=[
        "Pixel i reaches from edges[i] to edges[i + 1]; how many Å of it lie between lower and upper?",
        "np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower), clipped at 0; divided by their sum: the shares.",
        "The mean is (share * flux).sum(), and its error np.sqrt((share**2 * error**2).sum()).",
    ],
    returns=each(number, 2, "two numbers: the mean flux and its error"),
)
def bin_flux(attempt, reference):
    edges = 4000 + np.array([0, 1, 2.5, 3, 5, 5.8, 7, 9])  # not equally wide
    flux, error = np.array([[3.0, 7, 2, 5, 11, 4, 6], [0.5, 0.9, 0.3, 0.7, 1.3, 0.4, 0.8]])
    lower, upper = bounds = 4001.8, 4006.2
    expected, found = (
        reference(edges, flux, error, *bounds),
        call(attempt, edges, flux, error, *bounds),
    )
    centres, width, middle = (edges[1:] + edges[:-1]) / 2, np.diff(edges), (lower + upper) / 2
    overlap = np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower)
    inside = np.clip(overlap, 0, None)
    share, part, touched, squares, mean = (
        inside / inside.sum(),
        inside / width,
        inside > 0,
        error**2,
        np.average,
    )
    centre, left, right = [
        (some > lower) & (some < upper) for some in (centres, edges[:-1], edges[1:])
    ]
    weights, tell = (inside, part, touched, centre), partial(refuse, found[0])
    tell(
        "that is interpolation, which forgets most pixels: average all in the bin",
        np.interp(middle, centres, flux),
    )
    whole = [mean(flux, weights=rows * by) for rows in (touched, centre) for by in (1, width)]
    shifted = [mean(flux, weights=rows * by) for rows in (left, right) for by in (1, width)]
    tell(
        "pixels count whole or not at all: at the ends of the bin only the part inside counts",
        *whole,
    )
    tell(
        "the edges are taken for the middles: pixel i reaches from edges[i] to edges[i + 1]",
        *shifted,
    )
    tell(
        "that is a sum: for a mean, divide by the sum of the weights",
        *((w * flux).sum() for w in weights),
    )
    tell(
        "weigh a pixel by its Å inside the bin, not by its part: widths differ",
        mean(flux, weights=part),
    )
    tell(
        "pixels outside the bin have a negative share: clip the overlap at 0",
        mean(flux, weights=overlap),
    )
    require_close(
        found[0], expected[0], "the mean flux in the test bin is {found}, expected {expected}"
    )
    n, tell = touched.sum(), partial(refuse, found[1])
    tell(
        "the errors are added linearly: independent ones add in squares",
        (share * error).sum(),
        error[touched].mean(),
    )
    tell(
        "that is the error of a sum: divide by that of the weights",
        *(sum(w**2 * squares) ** 0.5 for w in weights),
    )
    tell(
        "the share belongs inside the square: (share * error)**2", np.sqrt((share * squares).sum())
    )
    tell("that is the variance: take the root", (share**2 * squares).sum(), (share * squares).sum())
    equal = [np.sqrt(squares[rows].sum()) / rows.sum() for rows in (touched, centre)]
    tell(
        "the error leaves out the shares, by which the mean weighs the pixels",
        *equal,
        error[touched].mean() / n**0.5,
    )
    tell("the error is interpolated: averaging makes it smaller", np.interp(middle, centres, error))
    require_close(
        found[1], expected[1], "the error in the test bin is {found}, expected {expected}"
    )
    spectrum = edges, flux, error
    noise = np.random.default_rng(5).normal(size=(2, 12))
    many = 4000 + np.arange(13) ** 1.1
    cases = {
        "a bin inside a pixel": (*spectrum, 4003.4, 4004.1),
        "a bin in two pixels": (*spectrum, 4004.5, 4005.3),
        "a bin of two pixels": (*spectrum, 4003, 4005.8),
        "a bin of all pixels": (*spectrum, 4000, 4009),
        "a bin that reaches beyond the last pixel": (*spectrum, 4005.2, 4011),
        "a bin that begins before the first pixel": (*spectrum, 3997, 4001.8),
        "negative fluxes": (many, noise[0], abs(noise[1]), 4002.2, 4009.7),
    }
    require_like(attempt, reference, cases)
    gap = np.where(flux == 5, np.nan, flux)
    filled = reference(edges, np.nan_to_num(gap), error, lower, upper)
    found = call(attempt, edges, gap, error, lower, upper)
    refuse(
        found[0], "a flux that is NaN is taken for 0: it is unknown, and so is the mean", filled[0]
    )


@check(
    "01.r_value",
    hints=[
        "A true peak is symmetric, so what differs between its sides is noise: (c[peak + k] - c[peak - k]) / 2.",
        "k runs from 1 to where the nearer end of the array is, min(peak, len(correlation) - 1 - peak).",
        "r is the height correlation[peak] over sqrt(2) times the root of the mean square of the antisymmetric part.",
    ],
    returns=number,
)
def r_value(attempt, reference):
    rng, cases, found = np.random.default_rng(3), [], []
    for peak in (15, 28, 20):
        c = 0.2 * rng.normal(size=41) + np.exp(-((np.arange(41) - peak) ** 2) / 8)
        c[[4, 37]] = 1.8, 1.6  # higher ones elsewhere
        cases.append((c, peak))
        try:
            found.append(call(attempt, c, peak))
        except (IndexError, ValueError):
            require(
                peak != 28,
                "it fails for a peak nearer to the right end: the nearer end says how far to go",
            )
            raise
    found, root2 = np.array(found), np.sqrt(2)

    def odd(c, p, reach=None, sign=-1):
        beside = np.arange(1, 1 + (min(p, 40 - p) if reach is None else reach))
        return (c.take(p + beside, mode="wrap") + sign * c.take(p - beside, mode="wrap")) / 2

    def rms(values):
        return np.sqrt(np.mean(values**2))

    def r(noise=lambda c, p: rms(odd(c, p)), height=lambda c, p: c[p]):
        return np.array([height(*case) / noise(*case) for case in cases]) / root2

    tell = partial(refuse, found)
    tell(
        "that is the symmetric part, the peak itself: subtract the two sides",
        r(lambda c, p: rms(odd(c, p, sign=1))),
    )
    tell(
        "the sqrt(2) is missing: the symmetric part holds as much noise as the antisymmetric one",
        root2 * r(),
    )
    tell("the antisymmetric part is half the difference of the two sides: divide by 2", r() / 2)
    tell(
        "neither is the difference of the sides halved, nor its rms multiplied by sqrt(2)",
        r() / root2,
    )
    tell("the sqrt(2) multiplies the height: it belongs to the noise, below it", 2 * r())
    tell(
        "np.std subtracts the mean: take the root of the mean square",
        r(lambda c, p: odd(c, p).std()),
    )
    middle = r(lambda c, p: rms(c - c[::-1]) / 2), r(lambda c, p: rms(odd(c, 20)))
    tell("the array is mirrored about its middle: mirror it about the peak", *middle)
    tell(
        "that is the scatter of all: subtract the two sides",
        r(lambda c, p: c.std()),
        r(lambda c, p: rms(c)),
    )
    reaches = [
        lambda p: 20,
        lambda p: 40,
        lambda p: 41,
        lambda p: max(p, 40 - p),
        lambda p: p,
        lambda p: 40 - p,
    ]
    wrapped = [r(lambda c, p, reach=reach: rms(odd(c, p, reach(p)))) for reach in reaches]
    tell("it wraps around the ends of the array: go as far as the nearer end, no further", *wrapped)
    tell(
        "the peak is looked for: it is at the given index",
        [reference(c, c.argmax()) for c, _ in cases],
    )
    tell(
        "the height is not that at the peak",
        r(height=lambda c, p: c.max()),
        r(height=lambda c, p: 1),
    )
    tell("that is a sum of squares: take their mean", r(lambda c, p: np.linalg.norm(odd(c, p))))
    tell("the root is missing: take that of the mean square", r(lambda c, p: rms(odd(c, p)) ** 2))
    # The peak itself may count, where that part is zero, and so may both sides.
    ways = [reference, *(partial(_r_counted, sides=sides) for sides in (1, 2))]
    alike = [way for way in ways if same(found, [way(*case) for case in cases])]
    if not alike:
        right = [reference(*case) for case in cases]
        require_close(found, right, "for three test peaks r is {found}, expected {expected}")
    c = rng.normal(size=60)
    c[[1, 6, 33]] = 1.5
    others = {
        "60 numbers": (c, 33),
        "23 numbers": (c[:23], 6),
        "three numbers": (c[:3], 1),
        "a negative peak": (np.r_[c[:20], -4, c[20:]], 20),
    }
    require_like(attempt, alike[0], others)


def _r_counted(correlation, peak, sides):
    """Return r where the mean square is also over the peak itself, and over so many sides."""
    reach = min(peak, len(correlation) - 1 - peak)
    beside = np.arange(1, reach + 1)
    odd = (correlation[peak + beside] - correlation[peak - beside]) / 2
    mean_square = sides * (odd**2).sum() / (sides * reach + 1)
    return correlation[peak] / np.sqrt(2 * mean_square)


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
    require(
        all(filled),
        "with 4 channels and a ratio of 8 the hidden layer is empty: take at least 1 unit",
    )
    for name, model, units in (
        ("4 channels and a ratio of 8", few, 1),
        ("56 channels and no ratio", attempt(56), 7),
    ):
        hidden = min(min(_shape(weight)) for weight in model.parameters() if weight.ndim > 1)
        require(
            hidden == units, f"with {name} the hidden layer has {hidden} units, expected {units}"
        )
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
    require(
        output.shape == x.shape,
        f"for x of shape {tuple(x.shape)} the output has shape {tuple(output.shape)}",
    )
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
        require(
            False, "with the same weights as the reference, its output differs from the reference's"
        )
    longer = torch.randn(2, channels, 7, generator=random)
    cases = {"another number of wavelengths than of channels": (longer,), "two samples": (x[:2],)}
    require_like(model, right, cases)
    output = model(x)
    require(
        output.requires_grad, "no gradient flows to the weights: no detach(), no torch.no_grad()"
    )
    gradients = torch.autograd.grad(output.sum(), list(model.parameters()), allow_unused=True)
    require(
        all(own is not None for own in gradients),
        "no gradient reaches one of its weights: is a part detached?",
    )
    require_steady(model, x)
    given = x.clone().requires_grad_()
    require_gradients(model(given).square().sum(), right(given).square().sum(), [given])
    require(
        same(model.train()(x), expected),
        "in training it gives another result than in evaluation: no dropout",
    )


def _shape(weight):
    return tuple(
        weight.flatten(1).shape if weight.ndim > 2 else weight.shape
    )  # of a convolution with kernel 1


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
    require(
        shapes,
        "it has no weights: make the layers in __init__, as attributes (torch does not look into a list)",
    )
    joined = (expected, 2 * channels) in shapes
    require(not joined, "mean and maximum are joined: each goes through the network by itself")
    require(
        len(matrices) > 1,
        "there are fewer than two layers: channels to hidden, ReLU, hidden to channels",
    )
    hidden = min(matrices[0])
    given = f"for {channels} channels and ratio {ratio}"
    require(
        hidden > 1,
        f"the ratio is not used: {given} there are {hidden} hidden units, not {expected}",
    )
    right = f"expected {channels} // {ratio} = {expected}"
    require(hidden == expected, f"{given} the hidden layer has {hidden} units, {right}")
    require(
        len(matrices) != 4, "there are two networks: mean and maximum go through one and the same"
    )
    layers = len(matrices) == 2 and all(sorted(shape) == [expected, channels] for shape in matrices)
    biases = [shape for shape in shapes if len(shape) != 2]
    known = layers and len(set(biases)) == len(biases) and set(biases) <= {(expected,), (channels,)}
    sizes = f"{channels} to {expected} to {channels}"
    require(
        known, f"expected the weights of two layers, {sizes}, found weights of the shapes {shapes}"
    )


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
    tell(
        "the sigmoid is taken of each: add first, then take it of the sum",
        s(a) + s(b),
        (s(a) + s(b)) / 2,
    )
    tell("the sigmoid is missing: a weight lies between 0 and 1", a + b, (a + b) / 2)
    tell(
        "that is a softmax: channels do not compete, each has its own sigmoid", F.softmax(a + b, 1)
    )
    tell(
        "mean and maximum are added before the network: pass each through it, then add",
        s(network(mean + top)),
    )
    tell("the two results are averaged or multiplied: add them", s((a + b) / 2), s(a * b))
    tell(
        "the ReLU between the two layers is missing: without it they are one",
        s(score(bend=nn.Identity())),
    )
    tell(
        "what stands between the layers is no ReLU",
        *(s(score(bend=f)) for f in (F.leaky_relu, F.gelu, torch.tanh)),
    )
    tell(
        "there is a ReLU after the second layer: no weight can be below 1/2", s(a.relu() + b.relu())
    )
    tell, over, across = partial(refuse, found), s(score(dim=1)), s(score(dim=0))
    tell(
        "the channels are summarised: take mean and maximum over dim=2",
        x * over[:, None],
        x * over[..., None],
    )
    tell(
        "the batch is summarised: take mean and maximum over dim=2",
        x * across.T,
        x * across,
        x * across[..., None],
    )
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
    pairs = [
        [scores.clone().requires_grad_() for scores in pair] for pair in ((high, low), (low, high))
    ]
    found = [call(attempt, *pair) for pair in pairs]
    for value in found:
        require(
            torch.is_tensor(value),
            f"expected a tensor, for its gradient; found a {type(value).__name__}",
        )
        require(
            value.ndim == 0,
            f"the loss has shape {tuple(value.shape)}, expected one number: take the means",
        )
    r = torch.stack([high.mean(), low.mean()])
    g, tell = r.flip(0), partial(refuse, torch.stack(found))
    tell("the sign is wrong: minimised, it would give high scores to generated spectra", r - g)
    tell(
        "there is a plus between the means, so all scores would fall: take the difference",
        r + g,
        (r + g) / 2,
    )
    tell("that is a squared difference, which draws the means together: no square", (r - g) ** 2)
    tell(
        "that is the absolute difference: it matters which of the two is higher",
        (r - g).abs(),
        -(r - g).abs(),
    )
    tell("that is a sum over the batch: take the mean, which does not grow with it", 4 * (g - r))
    tell("the real scores are not used: subtract their mean", g)
    tell("the generated scores are not used: add their mean", r, -r)
    for value, pair in zip(found, pairs, strict=True):
        require_close(
            value, reference(*pair), "for the test scores the loss is {found}, expected {expected}"
        )
        require_gradients(value, reference(*pair), pair)
    random = torch.Generator().manual_seed(4)
    cases = {
        "seven scores each": torch.randn(2, 7, 1, generator=random),
        "one score each": torch.randn(2, 1, 1, generator=random),
        "scores of some 30": 30 * torch.randn(2, 5, 1, generator=random),
    }
    require_like(attempt, reference, cases)


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
        require(
            condition is not None,
            "the condition is not passed to the critic: critic(points, condition)",
        )
        require(
            points.requires_grad,
            "what the critic gets has no gradient: pass `points`, without detach()",
        )
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
        require(
            not copied,
            "the gradient is not taken at the points that the critic got: is one a copy, or detached?",
        )
        raise
    require(
        critic.weights[0].grad is None,
        "backward() leaves gradients in the weights: use torch.autograd.grad",
    )
    require(
        torch.is_tensor(found),
        f"expected a tensor, for its gradient; found a {type(found).__name__}",
    )
    (g,) = torch.autograd.grad(critic(*given[1:]).sum(), points)
    expected, norm = reference(*given), g.norm(dim=1)
    penalty, tell = lambda v: 10 * ((v - 1) ** 2).mean(), partial(refuse, found)
    tell(
        "the norm is over the whole batch: each spectrum has its own, norm(dim=1)",
        penalty(g.norm()),
    )
    tell(
        "the norm is over the spectra: take it over the pixels, norm(dim=1)", penalty(g.norm(dim=0))
    )
    tell(
        "the norm is squared before 1 is subtracted: (norm - 1)**2",
        penalty(norm**2),
        10 * (norm**2 - 1).mean(),
    )
    tell(
        "the penalty is one-sided: a norm below 1 counts as well as one above",
        penalty(norm.clamp(min=1)),
    )
    tell("the norm is held at 0: subtract 1 before squaring", penalty(1 + norm), 10 * norm.mean())
    tell(
        "the deviation of the norm from 1 is not squared",
        10 * (norm - 1).abs().mean(),
        10 * (norm - 1).mean(),
    )
    tell(
        "the mean is taken of the norms: take it of the squares, one for each spectrum",
        penalty(norm.mean()),
    )
    tell("that is a sum over the batch: take the mean", 5 * penalty(norm))
    tell(
        "that is the gradient of the mean score, n times too small: take that of the sum",
        penalty(norm / 5),
    )
    tell(
        "the norm is missing: it is 1 that is subtracted from each component",
        penalty(g),
        3 * penalty(g),
    )
    tell(
        "that is no Euclidean norm: take the root of the sum of squares",
        penalty(g.abs().sum(1)),
        penalty(g.sum(1)),
    )
    tell("the weight is not used: multiply by it", penalty(norm) / 10)
    tell("the penalty has the wrong sign: it is added to what is minimised", -penalty(norm))
    by_points = same(found, expected) or not critic.asked
    require(
        by_points, "the gradient is that by the critic's weights: take it with respect to `points`"
    )
    require(
        found.ndim == 0,
        f"the penalty has shape {tuple(found.shape)}, expected one number: take the mean",
    )
    require_close(
        found, expected, "for the test critic the penalty is {found}, expected {expected}"
    )
    require_gradients(found, expected, critic.weights)
    require(
        same(attempt(*given, weight=2.5), expected / 4),
        "the weight is always 10: multiply by the argument",
    )
    few = {"two spectra": slice(0, 2), "one spectrum": slice(0, 1)}
    cases = {
        name: (critic, points[i].detach().requires_grad_(), given[2][i]) for name, i in few.items()
    }
    require_like(attempt, reference, cases)
