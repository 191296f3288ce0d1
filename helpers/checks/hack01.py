"""Checks and hints of the exercises of hack 01: what is wrong with an attempt, in one sentence.

A check calls the attempt with a small input and compares what it returns with the reference. Its
slips are a table: what is wrong, with the results of those who do it so. Further inputs follow,
each with a name, for what is right on the first one only.
"""

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
    require_like,
    require_network,
    require_right,
    same,
    tensor,
)

ROOT2 = np.sqrt(2)


@check(
    "01.to_rest_frame",
    hints=[
        "A line at rest wavelength λ is observed at (1 + z) λ: which way leads back?",
        "Flux per Å times the width in Å is what a pixel gets, and that stays: as pixels shrink, "
        "flux per Å grows.",
        "Divide the wavelength by (1 + redshift), multiply the flux and the error by it, and "
        "return all three.",
    ],
    returns=each(array, 3, "three arrays: wavelength, flux and error"),
)
def to_rest_frame(attempt, reference):
    """Four pixels at two redshifts, then what spectra hold besides."""
    wavelength = np.array([4000.0, 4001.0, 4002.5, 4004.0])
    flux = np.array([3.0, 5.0, 2.0, 4.0])
    error = np.array([0.3, 0.7, 0.2, 0.5])
    for z in (0.25, 0.6):
        found = call(attempt, wavelength, flux, error, z)
        expected = reference(wavelength, flux, error, z)
        slips = _wavelength_slips(wavelength, z)
        reason = "the wavelength in the rest frame is {found}, expected {expected}"
        require_right(found[0], expected[0], reason, slips)
        exchanged = same(found[1:], [expected[2], expected[1]])
        require(not exchanged, "flux and error are exchanged: return wavelength, flux, error")
        _require_stretched("flux", found[1], flux, z)
        _require_stretched("error", found[2], error, z)
    many = np.geomspace(4000, 4100, 9)
    noise = np.random.default_rng(2).normal(size=9)
    errors = np.random.default_rng(3).uniform(0.2, 2, size=9)
    pixel = np.arange(9)
    missing = np.where(pixel == 3, np.nan, noise)
    infinite = np.where(pixel == 5, np.inf, errors)
    unknown = np.where(pixel == 6, np.nan, errors)
    cases = {
        "negative fluxes": (many, noise, errors, 0.31),
        "a flux that is NaN": (many, missing, errors, 0.07),
        "an error that is NaN": (many, noise, unknown, 0.07),
        "a pixel without weight, whose error is infinite,": (many, noise, infinite, 0.4),
        "the redshift 0": (many, noise, errors, 0.0),
        "a single pixel": (many[:1], noise[:1], errors[:1], 1.2),
    }
    require_like(attempt, reference, cases)


def _wavelength_slips(wavelength, z):
    return {
        "the wavelength is multiplied: the rest frame is bluer": [wavelength * (1 + z)],
        "z stands where 1 + z should: at z = 0 nothing changes": [wavelength / z, wavelength * z],
        "the wavelength is left as it is: divide it by 1 + z": [wavelength],
        "1 - z is 1 / (1 + z) for small z only: divide by 1 + z": [wavelength * (1 - z)],
    }


def _require_stretched(name, found, value, z):
    """Raise `NotYet` unless a flux or an error per Å has grown by 1 + z."""
    slips = {
        f"the {name} is left as it is: an Å gets shorter, so per Å it grows by 1 + z": [value],
        f"the {name} is divided by 1 + z: an Å gets shorter, so it grows": [value / (1 + z)],
        f"the {name} is scaled by z where it should be 1 + z": [value * z, value / z],
        f"the {name} is scaled twice: by 1 + z it grows once": [value * (1 + z) ** 2],
    }
    reason = f"the {name} in the rest frame is {{found}}, expected {{expected}}"
    require_right(found, value * (1 + z), reason, slips)


@check(
    "01.bin_flux",
    hints=[
        "Pixel i reaches from edges[i] to edges[i + 1]; how many Å of it lie between lower and "
        "upper?",
        "np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower), clipped at 0; divided by "
        "their sum: the shares.",
        "The mean is (share * flux).sum(), and its error np.sqrt((share**2 * error**2).sum()).",
    ],
    returns=each(number, 2, "two numbers: the mean flux and its error"),
)
def bin_flux(attempt, reference):
    """Seven pixels that are not equally wide, then bins at other places."""
    edges = 4000 + np.array([0, 1, 2.5, 3, 5, 5.8, 7, 9])
    flux = np.array([3.0, 7, 2, 5, 11, 4, 6])
    error = np.array([0.5, 0.9, 0.3, 0.7, 1.3, 0.4, 0.8])
    lower = 4001.8
    upper = 4006.2
    mean, uncertainty = call(attempt, edges, flux, error, lower, upper)
    right_mean, right_uncertainty = reference(edges, flux, error, lower, upper)
    mean_slips, uncertainty_slips = _bin_slips(edges, flux, error, lower, upper)
    reason = "the mean flux in the test bin is {found}, expected {expected}"
    require_right(mean, right_mean, reason, mean_slips)
    reason = "the error in the test bin is {found}, expected {expected}"
    require_right(uncertainty, right_uncertainty, reason, uncertainty_slips)
    rng = np.random.default_rng(5)
    many = 4000 + np.arange(13) ** 1.1
    noise = rng.normal(size=12)
    errors = abs(rng.normal(size=12))
    cases = {
        "a bin inside a pixel": (edges, flux, error, 4003.4, 4004.1),
        "a bin in two pixels": (edges, flux, error, 4004.5, 4005.3),
        "a bin of two pixels": (edges, flux, error, 4003, 4005.8),
        "a bin of all pixels": (edges, flux, error, 4000, 4009),
        "a bin that reaches beyond the last pixel": (edges, flux, error, 4005.2, 4011),
        "a bin that begins before the first pixel": (edges, flux, error, 3997, 4001.8),
        "negative fluxes": (many, noise - 1, errors, 4002.2, 4009.7),
    }
    require_like(attempt, reference, cases)
    gap = np.where(flux == 5, np.nan, flux)
    filled, _ = reference(edges, np.nan_to_num(gap), error, lower, upper)
    mean, _ = call(attempt, edges, gap, error, lower, upper)
    reason = "a flux that is NaN is taken for 0: it is unknown, and so is the mean"
    refuse(mean, reason, filled, 0.0)


def _bin_slips(edges, flux, error, lower, upper):
    """Return the slips of the mean flux in a bin, and those of its error."""
    left = edges[:-1]
    right = edges[1:]
    centres = (left + right) / 2
    width = right - left
    overlap = np.minimum(right, upper) - np.maximum(left, lower)
    inside = overlap.clip(0)
    share = inside / inside.sum()
    part = inside / width
    touched = inside > 0
    central = (lower < centres) & (centres < upper)
    begun = (lower < left) & (left < upper)
    ended = (lower < right) & (right < upper)
    squares = error**2
    linear = [(share * error).sum(), error[touched].mean()]
    shared_once = (share * squares).sum()
    equally = error[touched].mean() / np.sqrt(touched.sum())

    def means(*weights):
        return [np.average(flux, weights=weight) for weight in weights]

    def of_means(*weights):
        return [np.sqrt((weight**2 * squares).sum()) / weight.sum() for weight in weights]

    def of_sums(*weights):
        return [np.sqrt((weight**2 * squares).sum()) for weight in weights]

    def sums(*weights):
        return [(weight * flux).sum() for weight in weights]

    def interpolated(values):
        return [np.interp((lower + upper) / 2, centres, values)]

    weights = [inside, part, touched, central]
    without_shares = [*of_means(touched, central), equally]
    whole = means(touched, touched * width, central, central * width)
    shifted = means(begun, begun * width, ended, ended * width)
    mean_slips = {
        "that is interpolation, which forgets most pixels: average them": interpolated(flux),
        "pixels count whole or not at all: at the ends only the part inside counts": whole,
        "the edges are taken for the middles: pixel i begins at edges[i]": shifted,
        "that is a sum: divide by that of the weights": sums(*weights),
        "weigh a pixel by its Å inside the bin, not by its part: widths differ": means(part),
        "pixels outside have a negative share: clip the overlap at 0": means(overlap),
    }
    uncertainty_slips = {
        "the errors are added linearly: independent ones add in squares": linear,
        "that is the error of a sum: divide by that of the weights": of_sums(*weights),
        "the share belongs inside the square: (share * error)**2": [np.sqrt(shared_once)],
        "that is the variance: take the root": [(share**2 * squares).sum(), shared_once],
        "the error leaves out the shares, by which the mean weighs the pixels": without_shares,
        "the error is interpolated: averaging makes it smaller": interpolated(error),
    }
    return mean_slips, uncertainty_slips


@check(
    "01.r_value",
    hints=[
        "A true peak is symmetric, so what differs between its sides is noise: "
        "(c[peak + k] - c[peak - k]) / 2.",
        "k runs from 1 to where the nearer end of the array is, "
        "min(peak, len(correlation) - 1 - peak).",
        "r is the height correlation[peak] over sqrt(2) times the root of the mean square of the "
        "antisymmetric part.",
    ],
    returns=number,
)
def r_value(attempt, reference):
    """Three peaks among 41 numbers, none of them the highest, then other lengths."""
    rng = np.random.default_rng(3)
    cases = []
    for peak in (15, 28, 22):
        distance = np.arange(41) - peak
        correlation = np.exp(-(distance**2) / 8) + 0.2 * rng.normal(size=41)
        correlation[4] = 1.8
        correlation[37] = 1.6
        cases.append((correlation, peak))
    # The peak itself may count, where the antisymmetric part is zero, and so may both sides.
    ways = [reference, partial(_r_counted, sides=1), partial(_r_counted, sides=2)]
    first = call(attempt, *cases[0])
    alike = [way for way in ways if same(first, way(*cases[0]))]
    right = alike[0] if alike else reference
    for correlation, peak in cases:
        try:
            found = call(attempt, correlation, peak)
        except (IndexError, ValueError):
            reason = "it fails for a peak nearer to the right end: go as far as the nearer end"
            require(peak < 20, reason)
            raise
        reason = f"for a test peak at {peak} r is {{found}}, expected {{expected}}"
        slips = _r_slips(correlation, peak, reference)
        require_right(found, right(correlation, peak), reason, slips)
    others = rng.normal(size=60)
    others[[1, 6, 33]] = 1.5
    cases = {
        "60 numbers": (others, 33),
        "23 numbers": (others[:23], 6),
        "three numbers": (others[:3], 1),
        "a negative peak": (np.r_[others[:20], -4, others[20:]], 20),
    }
    require_like(attempt, right, cases)


def _r_counted(correlation, peak, sides):
    """Return r where the mean square is also over the peak itself, and over so many sides."""
    reach = min(peak, len(correlation) - 1 - peak)
    squares = _half(correlation, peak, reach) ** 2
    mean_square = sides * squares.sum() / (sides * reach + 1)
    return correlation[peak] / np.sqrt(2 * mean_square)


def _half(correlation, peak, reach, sign=-1):
    """Return half the difference of the sides of a peak (or half their sum), around the ends."""
    beside = np.arange(1, reach + 1)
    right = correlation.take(peak + beside, mode="wrap")
    left = correlation.take(peak - beside, mode="wrap")
    return (right + sign * left) / 2


def _rms(values):
    return np.sqrt(np.mean(values**2))


def _r_slips(correlation, peak, reference):
    """Return the slips of r, for a peak at this index."""
    n = len(correlation)
    left = peak
    right = n - 1 - peak
    nearer = min(left, right)
    farther = max(left, right)
    odd = _half(correlation, peak, nearer)
    even = _half(correlation, peak, nearer, sign=1)
    mirrored = (correlation - correlation[::-1]) / 2
    about_middle = _half(correlation, n // 2, n // 2)
    too_far = [left, right, farther, n // 2, n - 1, n]
    middled = [_rms(mirrored), _rms(about_middle)]
    wrapped = [_rms(_half(correlation, peak, reach)) for reach in too_far]
    scatter = [correlation.std(), _rms(correlation)]
    r = reference(correlation, peak)
    highest = reference(correlation, correlation.argmax())
    of_one = r / correlation[peak]
    other_heights = [of_one, of_one * correlation.max()]

    def over(*noises):
        return [correlation[peak] / (ROOT2 * noise) for noise in noises]

    return {
        "that is the symmetric part, the peak itself: subtract the two sides": over(_rms(even)),
        "the sqrt(2) is missing: the symmetric part holds as much noise again": [ROOT2 * r],
        "the antisymmetric part is half the difference of the two sides: divide by 2": [r / 2],
        "neither is the difference halved, nor its rms multiplied by sqrt(2)": [r / ROOT2],
        "the sqrt(2) multiplies the height: it belongs to the noise, below it": [2 * r],
        "np.std subtracts the mean: take the root of the mean square": over(odd.std()),
        "the array is mirrored about its middle: mirror it about the peak": over(*middled),
        "that is the scatter of all: subtract the two sides": over(*scatter),
        "it wraps around the ends of the array: go as far as the nearer end": over(*wrapped),
        "the peak is looked for: it is at the given index": [highest],
        "the height is not that at the peak": other_heights,
        "that is a sum of squares: take their mean": over(np.linalg.norm(odd)),
        "the root is missing: take that of the mean square": over(_rms(odd) ** 2),
    }


@check(
    "01.ChannelAttention",
    hints=[
        "x has the shape (n, channels, length): x.mean(dim=2) and x.amax(dim=2) are the "
        "summaries, (n, channels) each.",
        "One Sequential of Linear(channels, hidden), ReLU, Linear(hidden, channels) serves both; "
        "hidden is at least 1.",
        "weight = torch.sigmoid(self.network(mean) + self.network(maximum)); "
        "return x * weight[:, :, None]",
    ],
)
def channel_attention(attempt, reference):
    """Two sizes with the weights of the reference, then the size of the hidden layer."""
    _require_attention(attempt, reference, 12, 3)
    _require_attention(attempt, reference, 10, 2)
    networks = {"12 channels": ((12, 3), (4, 12, 9)), "10 channels": ((10, 2), (3, 10, 1))}
    require_network(attempt, reference, networks)
    few = attempt(4, ratio=8)
    sizes = [weight.numel() for weight in few.parameters() if not nn.parameter.is_lazy(weight)]
    reason = "with 4 channels and a ratio of 8 the hidden layer is empty: take at least 1 unit"
    require(0 not in sizes, reason)
    _require_hidden(few, 1, "4 channels and a ratio of 8")
    _require_hidden(attempt(56), 7, "56 channels and no ratio")


def _require_hidden(model, expected, given):
    """Raise `NotYet` unless the hidden layer of a model has so many units."""
    hidden = min(min(_shape(weight)) for weight in model.parameters() if weight.ndim > 1)
    reason = f"with {given} the hidden layer has {hidden} units, expected {expected}"
    require(hidden == expected, reason)


def _require_attention(attempt, reference, channels, ratio):
    """Raise `NotYet` unless an attempt does what the reference does with the same weights."""
    random = torch.Generator().manual_seed(5)
    # All dimensions are alike, so that confusing them is seen and does not raise.
    x = torch.randn(channels, channels, channels, generator=random)
    model = attempt(channels, ratio=ratio)
    require(isinstance(model, nn.Module), "the class does not inherit from torch.nn.Module")
    output = call(model, x)
    require(torch.is_tensor(output), f"expected a tensor, found a {type(output).__name__}")
    weight_shapes = ((channels, channels), (channels, channels, 1))
    require(output.shape not in weight_shapes, "it returns the weights: multiply x by them")
    reason = f"for x of shape {tuple(x.shape)} the output has shape {tuple(output.shape)}"
    require(output.shape == x.shape, reason)
    _require_one_network(model, channels, ratio)
    right = reference(channels, ratio=ratio)
    weights = _draw_weights(model, right, random)
    expected = right.eval()(x).detach()
    alike = any(same(way(x), expected) for way in _loaded(model, weights))
    if not alike:
        slips = _attention_slips(x, *weights)
        for way in _loaded(model, weights):
            output = way(x)
            for reason, wrong in slips.items():
                refuse(output, reason, *wrong)
        require(False, "with the weights of the reference, its output differs from the reference's")
    longer = torch.randn(2, channels, 7, generator=random)
    cases = {"another number of wavelengths than of channels": (longer,), "two samples": (x[:2],)}
    require_like(model, right, cases)


def _shape(weight):
    """Return the shape of a weight, as a matrix if it is that of a convolution with kernel 1."""
    return tuple(weight.flatten(1).shape if weight.ndim > 2 else weight.shape)


def _draw_weights(model, right, random):
    """Give the reference random weights, its biases 0 where a model has none, and return them."""
    biases = {len(weight) for weight in model.parameters() if weight.ndim == 1}
    weights = [weight.detach() for weight in right.parameters()]
    for weight in weights:
        weight.normal_(std=0.5, generator=random)
        if weight.ndim == 1 and len(weight) not in biases:
            weight.zero_()
    return weights


def _loaded(model, weights):
    """Yield a model with its weights in each way: either matrix may be first, or transposed."""
    first, first_bias, second, second_bias = weights
    biases = {bias.shape: bias for bias in (first_bias, second_bias)}
    matrices = [own for own in model.parameters() if own.ndim > 1]
    in_order = _shape(matrices[0]) in (first.shape, _shape(matrices[1]))
    ways = [(first, second), (second, first)]
    for way in ways if in_order else ways[::-1]:
        for own, value in zip(matrices, way, strict=True):
            fitting = value if _shape(own) == value.shape else value.T
            own.data.copy_(fitting.reshape(own.shape))
        for own in model.parameters():
            if own.ndim == 1:
                own.data.copy_(biases[own.shape])
        yield model.eval()


def _require_one_network(model, channels, ratio):
    """Raise `NotYet` unless a model has two layers, from the channels to fewer and back."""
    shapes = [_shape(weight) for weight in model.parameters()]
    matrices = [shape for shape in shapes if len(shape) == 2]
    biases = [shape for shape in shapes if len(shape) != 2]
    expected = channels // ratio
    require(shapes, "it has no weights: make the layers in __init__, as attributes, not in a list")
    joined = (expected, 2 * channels) in shapes
    require(not joined, "mean and maximum are joined: each goes through the network by itself")
    reason = "there are fewer than two layers: channels to hidden, ReLU, hidden to channels"
    require(len(matrices) > 1, reason)
    hidden = min(matrices[0])
    given = f"for {channels} channels and ratio {ratio}"
    reason = f"the ratio is not used: {given} there are {hidden} hidden units, not {expected}"
    require(hidden > 1, reason)
    right = f"expected {channels} // {ratio} = {expected}"
    require(hidden == expected, f"{given} the hidden layer has {hidden} units, {right}")
    reason = "there are two networks: mean and maximum go through one and the same"
    require(len(matrices) != 4, reason)
    layers = [sorted(shape) for shape in matrices] == 2 * [[expected, channels]]
    once = len(set(biases)) == len(biases)
    known = once and set(biases) <= {(expected,), (channels,)}
    sizes = f"{channels} to {expected} to {channels}"
    reason = f"expected the weights of two layers, {sizes}, found weights of the shapes {shapes}"
    require(layers and known, reason)


def _attention_slips(x, first, first_bias, second, second_bias):
    """Return the slips of channel attention with these weights."""
    sigmoid = torch.sigmoid

    def network(summary, bend=F.relu):
        hidden = bend(F.linear(summary, first, first_bias))
        return F.linear(hidden, second, second_bias)

    def weights(dim=2, bend=F.relu):
        mean = network(x.mean(dim=dim), bend)
        top = network(x.amax(dim=dim), bend)
        return sigmoid(mean + top)

    def times(*weights):
        return [x * weight[:, :, None] for weight in weights]

    mean = network(x.mean(dim=2))
    top = network(x.amax(dim=2))
    summaries = x.mean(dim=2) + x.amax(dim=2)
    together = sigmoid(network(summaries))
    sum_of_sigmoids = sigmoid(mean) + sigmoid(top)
    of_each = times(sum_of_sigmoids, sum_of_sigmoids / 2)
    no_bend = weights(bend=nn.Identity())
    other_bends = [weights(bend=bend) for bend in (F.leaky_relu, F.gelu, torch.tanh)]
    without_sigmoid = times(mean + top, (mean + top) / 2)
    rectified = sigmoid(mean.relu() + top.relu())
    right = weights()
    by_length = weights(dim=1)
    by_batch = weights(dim=0)
    misplaced = [x * right, x * right[:, None]]
    added = [x + right[:, :, None], x + times(right)[0]]
    over_length = [x * by_length[:, None], *times(by_length)]
    over_batch = [x * by_batch.T, x * by_batch, *times(by_batch)]
    softmax = F.softmax(mean + top, dim=1)
    return {
        "only the mean is used: add what the network makes of the maximum": times(sigmoid(mean)),
        "only the maximum is used: add what the network makes of the mean": times(sigmoid(top)),
        "the sigmoid is taken of each: add first, then take it of the sum": of_each,
        "the sigmoid is missing: a weight lies between 0 and 1": without_sigmoid,
        "that is a softmax: channels do not compete, each has its own sigmoid": times(softmax),
        "they are added before the network: pass each through it, then add": times(together),
        "the two results are averaged: add them": times(sigmoid((mean + top) / 2)),
        "the two results are multiplied: add them": times(sigmoid(mean * top)),
        "the ReLU between the two layers is missing: without it they are one": times(no_bend),
        "what stands between the layers is no ReLU": times(*other_bends),
        "there is a ReLU after the second layer: no weight can be below 1/2": times(rectified),
        "the channels are summarised: take mean and maximum over dim=2": over_length,
        "the batch is summarised: take mean and maximum over dim=2": over_batch,
        "the weights stand along the wrong dimension: weight[:, :, None]": misplaced,
        "x is added: the weights only multiply it": added,
        "it returns the weights: multiply x by them": [right[:, :, None].expand_as(x)],
    }


@check(
    "01.critic_loss",
    hints=[
        "The critic is to give high scores to real spectra and low ones to generated spectra.",
        "What is minimised gets small: the mean score of generated spectra has a plus, that of "
        "real ones a minus.",
        "generated_scores.mean() - real_scores.mean()",
    ],
    returns=tensor,
)
def critic_loss(attempt, reference):
    """High and low scores, either of them the real ones, then other batches."""
    high = torch.tensor([[0.7], [1.9], [-0.3], [2.4]], requires_grad=True)
    low = torch.tensor([[-0.9], [0.4], [0.8], [-1.7]], requires_grad=True)
    pairs = [(high, low), (low, high)]
    losses = [call(attempt, *pair) for pair in pairs]
    for loss in losses:
        reason = f"the loss has shape {tuple(loss.shape)}, expected one number: take the means"
        require(loss.ndim == 0, reason)
    real = torch.stack([high.mean(), low.mean()])
    generated = real.flip(0)
    plus = generated + real
    distance = (generated - real).abs()
    minus = generated - real
    slips = {
        "the sign is wrong: minimised, it would give high scores to generated spectra": [-minus],
        "there is a plus between the means: all scores would fall": [plus, plus / 2],
        "that is a squared difference, which draws the means together: no square": [minus**2],
        "that is the absolute difference: it matters which is higher": [distance, -distance],
        "that is a sum over the batch: take the mean, which does not grow": [len(high) * minus],
        "the real scores are not used: subtract their mean": [generated],
        "the generated scores are not used: add their mean": [real, -real],
    }
    reason = "for the test scores the loss is {found}, expected {expected}"
    require_right(torch.stack(losses), minus, reason, slips)
    random = torch.Generator().manual_seed(4)
    real, generated = torch.randn(2, 7, 1, generator=random, requires_grad=True)
    cases = {
        "the test scores": (high, low),
        "seven scores each": (real, generated),
        "one score each": (real[:1], generated[:1]),
        "scores of some 30": (30 * real[:5], 30 * generated[:5]),
    }
    require_like(attempt, reference, cases)


class _Critic(nn.Module):
    """A critic that says what is wrong with what it gets, and notes who asks for its weights."""

    def __init__(self, random):
        super().__init__()
        self.asked = False
        self.first = nn.Linear(5, 6)
        self.last = nn.Linear(6, 1, bias=False)
        self.weights = [self.first.weight, self.first.bias, self.last.weight]
        for weight in self.weights:
            weight.data = 0.7 * torch.randn(weight.shape, generator=random)

    def named_parameters(self, *arguments, **keywords):
        self.asked = True
        return super().named_parameters(*arguments, **keywords)

    def forward(self, points, condition=None):
        reason = "the condition is not passed to the critic: critic(points, condition)"
        require(condition is not None, reason)
        reason = "what the critic gets has no gradient: pass `points`, without detach()"
        require(points.requires_grad, reason)
        given = torch.cat([points, condition], dim=-1)
        hidden = torch.tanh(self.first(given))
        return self.last(hidden)


@check(
    "01.gradient_penalty",
    hints=[
        "torch.autograd.grad(scores.sum(), points, create_graph=True) is a tuple with the "
        "gradient, shape (n, pixels).",
        "Each spectrum has a gradient of its own, so the norm is over pixels: "
        "gradient.norm(dim=1), shape (n,).",
        "weight * ((gradient.norm(dim=1) - 1) ** 2).mean()",
    ],
    returns=tensor,
)
def gradient_penalty(attempt, reference):
    """Five spectra of three pixels and a small critic, then another weight and fewer spectra."""
    random = torch.Generator().manual_seed(8)
    critic = _Critic(random)
    seven_points = torch.randn(7, 3, generator=random, requires_grad=True)
    seven_conditions = torch.randn(7, 2, generator=random)
    points = seven_points.detach()[:5].requires_grad_()
    condition = seven_conditions[:5]
    try:
        found = call(attempt, critic, points, condition)
    except RuntimeError as error:
        copied = "not have been used in the graph" in str(error)
        reason = "the gradient is not taken at the points that the critic got: is one a copy?"
        require(not copied, reason)
        off = "does not require grad" in str(error)
        require(not off, "there is no gradient: no detach(), no torch.no_grad()")
        raise
    reason = "backward() leaves gradients in the weights: use torch.autograd.grad"
    require(critic.first.weight.grad is None, reason)
    expected = reference(critic, points, condition)
    by_points = same(found, expected) or not critic.asked
    reason = "the gradient is that by the critic's weights: take it with respect to `points`"
    require(by_points, reason)
    (gradient,) = torch.autograd.grad(critic(points, condition).sum(), points)
    reason = "for the test critic the penalty is {found}, expected {expected}"
    require_right(found, expected, reason, _penalty_slips(gradient))
    weighed = attempt(critic, points, condition, weight=2.5)
    require(same(weighed, expected / 4), "the weight is always 10: multiply by the argument")
    cases = {
        "five spectra": (critic, points, condition),
        "seven spectra": (critic, seven_points, seven_conditions),
        "two spectra": (critic, points[:2], condition[:2]),
        "one spectrum": (critic, points[:1], condition[:1]),
    }
    require_like(attempt, reference, cases)


def _penalty_slips(gradient):
    """Return the slips of the penalty, of the weight 10, where the critic has this gradient."""
    norm = gradient.norm(dim=1)
    n, pixels = gradient.shape

    def penalties(*norms):
        return [10 * ((norm - 1) ** 2).mean() for norm in norms]

    (right,) = penalties(norm)
    absolute = 10 * (norm - 1).abs().mean()
    linear = 10 * (norm.mean() - 1)
    squared = 10 * ((norm**2).mean() - 1)
    sums = [gradient.abs().sum(dim=1), gradient.sum(dim=1)]
    (of_each,) = penalties(gradient)
    return {
        "the norm is over the whole batch: each spectrum has its own": penalties(gradient.norm()),
        "the norm is over the spectra: take norm(dim=1)": penalties(gradient.norm(dim=0)),
        "the norm is squared before 1 is subtracted": [*penalties(norm**2), squared],
        "it is one-sided: a norm below 1 counts as well": penalties(norm.clamp(min=1)),
        "the norm is held at 0: subtract 1 first": [*penalties(norm + 1), 10 * norm.mean()],
        "the deviation of the norm from 1 is not squared": [absolute, linear],
        "the mean is taken of the norms: take it of the squares": penalties(norm.mean()),
        "that is a sum over the batch: take the mean": [n * right],
        "that is the gradient of the mean score: take that of the sum": penalties(norm / n),
        "the norm is missing: 1 is subtracted from each component": [of_each, pixels * of_each],
        "that is no Euclidean norm: take the root of the sum of squares": penalties(*sums),
        "the weight is not used: multiply by it": [right / 10],
        "the penalty has the wrong sign: it is added to what is minimised": [-right],
    }
