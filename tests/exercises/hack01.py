"""Wrong answers of hack 01, by what they are told, and right ones in other styles."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import helpers.checks.hack01  # noqa: F401 - registers the checks
from helpers.reference import hack01

ROOT2 = np.sqrt(2)


def deredshifted(wavelength, z):
    return wavelength / (1 + z)


def stretched(value, z):
    return value * (1 + z)


def scaled(wavelength=deredshifted, flux=stretched, error=stretched):
    return lambda w, f, e, z: (wavelength(w, z), flux(f, z), error(e, z))


def in_place(wavelength, flux, error, redshift):
    wavelength /= 1 + redshift
    return wavelength, flux * (1 + redshift), error * (1 + redshift)


def buffered():
    kept = np.empty(100)

    def attempt(wavelength, flux, error, redshift):
        result = kept[: len(flux)]
        result[:] = flux * (1 + redshift)
        return wavelength / (1 + redshift), result, error * (1 + redshift)

    return attempt


def binned(weigh="inside", total=False, error="own"):
    """A bin with weights of another kind, a sum in place of a mean, or another error."""

    def attempt(edges, flux, error_of_pixel, lower, upper):
        left = edges[:-1]
        right = edges[1:]
        width = right - left
        centres = (left + right) / 2
        overlap = np.minimum(right, upper) - np.maximum(left, lower)
        inside = overlap.clip(0)
        touched = inside > 0
        by_centre = ((lower < centres) & (centres < upper)) * 1.0
        weight = {
            "inside": inside,
            "touched": touched * 1.0,
            "centre": by_centre,
            "centre, width": by_centre * width,
            "left": ((lower < left) & (left < upper)) * 1.0,
            "right": ((lower < right) & (right < upper)) * 1.0,
            "part": inside / width,
            "negative": overlap,
        }[weigh]
        share = weight if total else weight / weight.sum()
        e = error_of_pixel
        errors = {
            "own": np.sqrt(((share * e) ** 2).sum()),
            "linear": (share * e).sum(),
            "sum": np.sqrt((e[touched] ** 2).sum()),
            "sum of shares": np.sqrt(((weight * e) ** 2).sum()),
            "share once": np.sqrt((share * e**2).sum()),
            "variance": ((share * e) ** 2).sum(),
            "no shares": np.sqrt((e[touched] ** 2).sum()) / touched.sum(),
            "interpolated": np.interp((lower + upper) / 2, centres, e),
            "flux": flux[touched].std(),
        }
        return (share * flux).sum(), errors[error]

    return attempt


def interpolated(edges, flux, error, lower, upper):
    centres = (edges[1:] + edges[:-1]) / 2
    middle = (lower + upper) / 2
    return np.interp(middle, centres, flux), np.interp(middle, centres, error)


def bin_cumulative(edges, flux, error, lower, upper):
    """Right only where the pixels cover the bin."""
    integral = np.r_[0, np.cumsum(flux * np.diff(edges))]
    mean = np.diff(np.interp([lower, upper], edges, integral))[0] / (upper - lower)
    share = np.diff(np.clip(edges, lower, upper)) / (upper - lower)
    return np.array([mean, np.linalg.norm(share * error)])


def first_seven(edges, flux, error, lower, upper):
    return hack01.bin_flux(edges[:8], flux, error, lower, upper)


def first_and_last(edges, flux, error, lower, upper):
    """Right unless both ends of the bin lie in the same pixel, which then counts twice."""
    first = np.searchsorted(edges, lower, side="right") - 1
    last = np.searchsorted(edges, upper, side="left") - 1
    pixel = np.arange(len(flux))
    weight = np.diff(edges) * (first < pixel) * (pixel < last)
    weight[first] += edges[first + 1] - lower
    weight[last] += upper - edges[last]
    share = weight / (upper - lower)
    return (share * flux).sum(), np.sqrt(((share * error) ** 2).sum())


class Attention(nn.Module):
    """Channel attention with parts that a subclass replaces."""

    def __init__(self, channels, ratio=8):
        super().__init__()
        self.network = self.layers(channels, self.hidden(channels, ratio))

    def hidden(self, channels, ratio):
        return max(channels // ratio, 1)

    def layers(self, channels, hidden):
        return nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def scores(self, x):
        return self.network(x.mean(dim=2)), self.network(x.amax(dim=2))

    def weight(self, mean, top):
        return torch.sigmoid(mean + top)

    def forward(self, x):
        return x * self.weight(*self.scores(x))[:, :, None]


def attention(**parts):
    """A wrong (or differently written) attention: `Attention` with some of its methods replaced."""
    return type("Attempt", (Attention,), parts)


def with_activation(activation, end=None):
    def layers(self, channels, hidden):
        middle = [nn.Linear(channels, hidden), activation(), nn.Linear(hidden, channels)]
        return nn.Sequential(*middle, *([end()] if end else []))

    return attention(layers=layers)


class TwoNetworks(Attention):
    def __init__(self, channels, ratio=8):
        super().__init__(channels, ratio)
        self.other = self.layers(channels, self.hidden(channels, ratio))

    def scores(self, x):
        return self.network(x.mean(dim=2)), self.other(x.amax(dim=2))


class Joined(Attention):
    def layers(self, channels, hidden):
        joined = nn.Linear(2 * channels, hidden)
        return nn.Sequential(joined, nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, x):
        summaries = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)
        return x * torch.sigmoid(self.network(summaries))[:, :, None]


class InAList(Attention):
    def __init__(self, channels, ratio=8):
        super().__init__(channels, ratio)
        self.list = [self.network]
        self.network = None

    def scores(self, x):
        (network,) = self.list
        return network(x.mean(dim=2)), network(x.amax(dim=2))


class NoModule:
    def __init__(self, channels, ratio=8):
        pass


class Convolutions(nn.Module):
    """Right: convolutions with kernel 1, adaptive pooling, the second layer registered first."""

    def __init__(self, channels, ratio=8):
        super().__init__()
        hidden = max(1, channels // ratio)
        self.expand = nn.Conv1d(hidden, channels, 1)
        self.squeeze = nn.Conv1d(channels, hidden, 1)

    def forward(self, x):
        pooled = [nn.AdaptiveAvgPool1d(1)(x), nn.AdaptiveMaxPool1d(1)(x)]
        scores = [self.expand(self.squeeze(summary).relu()) for summary in pooled]
        return sum(scores).sigmoid() * x


class EmptyConvolutions(Attention):
    def layers(self, channels, hidden):
        squeeze = nn.Conv1d(channels, hidden, 1)
        return nn.Sequential(squeeze, nn.ReLU(), nn.Conv1d(hidden, channels, 1))

    def hidden(self, channels, ratio):
        return channels // ratio

    def forward(self, x):
        mean = self.network(x.mean(2, keepdim=True))
        top = self.network(x.amax(2, keepdim=True))
        return x * torch.sigmoid(mean + top)


class OwnMatrices(nn.Module):
    """Right: plain parameters without bias, multiplied from the right."""

    def __init__(self, channels, ratio=8):
        super().__init__()
        hidden = channels // ratio or 1
        self.a = nn.Parameter(torch.randn(channels, hidden))
        self.b = nn.Parameter(torch.randn(hidden, channels))

    def forward(self, x):
        mean = torch.relu(x.mean(-1) @ self.a) @ self.b
        top = torch.relu(x.max(-1).values @ self.a) @ self.b
        return torch.einsum("ncl,nc->ncl", x, 1 / (1 + torch.exp(-mean - top)))


class HalfOwn(nn.Module):
    """Right: one matrix of its own, as it is multiplied from the right, and one layer."""

    def __init__(self, channels, ratio=8):
        super().__init__()
        hidden = channels // ratio or 1
        self.a = nn.Parameter(torch.randn(channels, hidden))
        self.layer = nn.Linear(hidden, channels)

    def forward(self, x):
        mean = self.layer(torch.relu(x.mean(2) @ self.a))
        top = self.layer(torch.relu(x.amax(2) @ self.a))
        return x * torch.sigmoid(mean + top)[:, :, None]


class OneForAll(Attention):
    made = {}

    def layers(self, channels, hidden):
        return self.made.setdefault((channels, hidden), super().layers(channels, hidden))


def dropout(self, channels, hidden):
    squeeze = nn.Linear(channels, hidden)
    return nn.Sequential(squeeze, nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, channels))


def without_gradient(self, x):
    with torch.no_grad():
        mean = x.mean(2)
        top = x.amax(2)
    return self.network(mean), self.network(top)


def no_bias(self, channels, hidden):
    squeeze = nn.Linear(channels, hidden, bias=False)
    return nn.Sequential(squeeze, nn.ReLU(), nn.Linear(hidden, channels, bias=False))


def penalty(
    value=lambda norm: (norm - 1) ** 2,
    norm=lambda g: g.norm(dim=1),
    total=torch.sum,
    reduce=torch.mean,
):
    def attempt(critic, points, condition, weight=10.0):
        (gradient,) = torch.autograd.grad(
            total(critic(points, condition)), points, create_graph=True
        )
        return weight * reduce(value(norm(gradient)))

    return attempt


def penalty_with(
    graph=True, given=lambda p, c: (p, c), weight_of=lambda w: w, by=None, end=lambda value: value
):
    def attempt(critic, points, condition, weight=10.0):
        scores = critic(*given(points, condition)).sum()
        wanted = list(critic.parameters()) if by == "weights" else [points]
        gradients = torch.autograd.grad(scores, wanted, create_graph=graph, retain_graph=True)
        gradient = gradients[0] if by is None else torch.cat([g.flatten() for g in gradients])[None]
        return end(weight_of(weight) * ((gradient.norm(dim=1) - 1) ** 2).mean())

    return attempt


def penalty_backward(critic, points, condition, weight=10.0):
    critic(points, condition).sum().backward(create_graph=True)
    return weight * ((points.grad.norm(dim=1) - 1) ** 2).mean()


def penalty_of_five(critic, points, condition, weight=10.0):
    return penalty(reduce=lambda value: value.sum() / 5)(critic, points, condition, weight)


def penalty_in_evaluation(critic, points, condition, weight=10.0):
    critic.eval()
    return penalty()(critic, points, condition, weight)


def penalty_half_detached(critic, points, condition, weight=10.0):
    (gradient,) = torch.autograd.grad(critic(points, condition).sum(), points, create_graph=True)
    norm = gradient.norm(dim=1)
    return weight * (norm.detach() ** 2 - 2 * norm + 1).mean()


def rms(values):
    return np.sqrt(np.mean(values**2))


def nearer_end(c, p):
    return min(p, len(c) - 1 - p)


def odd(c, p, reach=None):
    beside = np.arange(1, 1 + (nearer_end(c, p) if reach is None else reach))
    return (c[(p + beside) % len(c)] - c[(p - beside) % len(c)]) / 2


def rms_odd(c, p):
    return rms(odd(c, p))


def at_peak(c, p):
    return c[p]


def r_with(noise=rms_odd, height=at_peak, factor=1 / ROOT2):
    return lambda correlation, peak: factor * height(correlation, peak) / noise(correlation, peak)


def symmetric(c, p):
    beside = np.arange(1, 1 + nearer_end(c, p))
    return (c[p + beside] + c[p - beside]) / 2


def left_side_only(c, p):
    beside = np.arange(1, p + 1)
    return c[p] / (ROOT2 * rms((c[p + beside] - c[p - beside]) / 2))


def negative_indices(c, p):
    beside = np.arange(1, len(c) - p)
    return c[p] / (ROOT2 * rms((c[p + beside] - c[p - beside]) / 2))


def rolled(c, p):
    middle = len(c) // 2
    centred = np.roll(c, middle - p)
    antisymmetric = (centred - centred[::-1]) / 2
    return c[p] / (ROOT2 * rms(antisymmetric[:middle]))


WRONG = {
    "01.to_rest_frame": [
        (scaled(wavelength=lambda w, z: w * (1 + z)), "wavelength is multiplied"),
        (scaled(wavelength=lambda w, z: w / z), "z stands where 1 + z should"),
        (scaled(wavelength=lambda w, z: w), "wavelength is left as it is"),
        (scaled(wavelength=lambda w, z: w * (1 - z)), "for small z only"),
        (scaled(flux=lambda f, z: f), "flux is left as it is"),
        (scaled(flux=lambda f, z: f / (1 + z)), "flux is divided"),
        (scaled(flux=lambda f, z: f * z), "flux is scaled by z"),
        (scaled(flux=lambda f, z: f * (1 + z) ** 2), "flux is scaled twice"),
        (scaled(error=lambda e, z: e), "error is left as it is"),
        (scaled(error=lambda e, z: e / (1 + z)), "error is divided"),
        (scaled(error=lambda e, z: e * z), "error is scaled by z"),
        (scaled(error=lambda e, z: e * np.sqrt(1 + z)), "the error in the rest frame is"),
        (lambda w, f, e, z: (w / (1 + z), e * (1 + z), f * (1 + z)), "exchanged"),
        (lambda w, f, e, z: (w / (1 + z), f * (1 + z)), "expected three arrays"),
        (lambda w, f, e, z: None, "expected three arrays"),
        (in_place, "changes an array"),
        (scaled(flux=lambda f, z: f.clip(0) * (1 + z)), "for negative fluxes"),
        (scaled(flux=lambda f, z: abs(f) * (1 + z)), "for negative fluxes"),
        (scaled(flux=lambda f, z: np.nan_to_num(f) * (1 + z)), "for a flux that is NaN"),
        (
            scaled(error=lambda e, z: np.nan_to_num(e, posinf=0) * (1 + z)),
            "for an error that is NaN",
        ),
        (
            scaled(error=lambda e, z: np.where(np.isinf(e), 0, e) * (1 + z)),
            "whose error is infinite",
        ),
        (
            scaled(wavelength=lambda w, z: (w / (1 + z))[:4]),
            "the result has shape (4,), expected (9,)",
        ),
        (buffered(), "the next call changes the result"),
        (
            lambda *given: [list(map(str, part)) for part in hack01.to_rest_frame(*given)],
            "found a list",
        ),
    ],
    "01.bin_flux": [
        (interpolated, "that is interpolation"),
        (binned("centre"), "whole or not at all"),
        (binned("centre, width"), "whole or not at all"),
        (binned("touched"), "whole or not at all"),
        (binned("left"), "the edges are taken for the middles"),
        (binned("right"), "the edges are taken for the middles"),
        (binned(total=True), "that is a sum"),
        (binned("part", total=True), "that is a sum"),
        (binned("part"), "widths differ"),
        (binned("negative"), "clip the overlap at 0"),
        (binned(error="linear"), "added linearly"),
        (binned(error="sum"), "the error of a sum"),
        (binned(error="sum of shares"), "the error of a sum"),
        (binned(error="share once"), "inside the square"),
        (binned(error="variance"), "that is the variance"),
        (binned(error="no shares"), "leaves out the shares"),
        (binned(error="interpolated"), "the error is interpolated"),
        (binned(error="flux"), "the error in the test bin is"),
        (first_and_last, "for a bin inside a pixel"),
        (bin_cumulative, "that reaches beyond the last pixel"),
        (
            lambda edges, flux, *others: hack01.bin_flux(edges, flux.clip(0), *others),
            "for negative fluxes",
        ),
        (
            lambda edges, flux, *others: hack01.bin_flux(edges, abs(flux), *others),
            "for negative fluxes",
        ),
        (
            lambda edges, flux, *others: hack01.bin_flux(edges, np.nan_to_num(flux), *others),
            "is taken for 0",
        ),
        (lambda edges, *others: first_seven(edges, *others), "for negative fluxes it raises"),
        (
            lambda *arguments: [[value] for value in hack01.bin_flux(*arguments)],
            "the result has shape (1,)",
        ),
        (lambda *arguments: hack01.bin_flux(*arguments)[0], "expected two numbers"),
        (lambda edges, flux, *others: (flux.max(), 1.0), "the mean flux in the test bin is"),
    ],
    "01.ChannelAttention": [
        (TwoNetworks, "two networks"),
        (Joined, "are joined"),
        (InAList, "has no weights"),
        (NoModule, "does not inherit"),
        (
            attention(hidden=lambda self, channels, ratio: max(channels // 8, 1)),
            "the ratio is not used",
        ),
        (attention(hidden=lambda self, channels, ratio: ratio), "expected 12 // 3 = 4"),
        (attention(hidden=lambda self, channels, ratio: channels), "has 12 units"),
        (
            attention(hidden=lambda self, channels, ratio: channels // ratio),
            "the hidden layer is empty",
        ),
        (EmptyConvolutions, "the hidden layer is empty"),
        (
            attention(layers=lambda self, channels, hidden: nn.Linear(channels, channels)),
            "fewer than two layers",
        ),
        (attention(weight=lambda self, mean, top: torch.sigmoid(mean)), "only the mean"),
        (attention(weight=lambda self, mean, top: torch.sigmoid(top)), "only the maximum"),
        (
            attention(weight=lambda self, mean, top: mean.sigmoid() + top.sigmoid()),
            "the sigmoid is taken of each",
        ),
        (attention(weight=lambda self, mean, top: mean + top), "the sigmoid is missing"),
        (
            attention(weight=lambda self, mean, top: F.softmax(mean + top, dim=1)),
            "that is a softmax",
        ),
        (attention(weight=lambda self, mean, top: torch.sigmoid((mean + top) / 2)), "are averaged"),
        (
            attention(scores=lambda self, x: (self.network(x.mean(2) + x.amax(2)), 0)),
            "added before the network",
        ),
        (attention(scores=lambda self, x: (self.network(x.std(2)), 0)), "its output differs"),
        (
            attention(scores=lambda self, x: (self.network(x.mean(1)), self.network(x.amax(1)))),
            "channels are summar",
        ),
        (
            attention(scores=lambda self, x: (self.network(x.mean(0)), self.network(x.amax(0)))),
            "batch is summar",
        ),
        (with_activation(nn.Identity), "they are one"),
        (with_activation(nn.LeakyReLU), "no ReLU"),
        (with_activation(nn.ReLU, end=nn.ReLU), "after the second layer"),
        (with_activation(nn.PReLU), "found weights of the shapes"),
        (attention(forward=lambda self, x: self.weight(*self.scores(x))), "it returns the weights"),
        (
            attention(forward=lambda self, x: self.weight(*self.scores(x))[:, :, None] + 0 * x),
            "it returns the weights",
        ),
        (attention(forward=lambda self, x: x * self.weight(*self.scores(x))), "wrong dimension"),
        (
            attention(forward=lambda self, x: x * self.weight(*self.scores(x))[:, None]),
            "wrong dimension",
        ),
        (
            attention(forward=lambda self, x: x + self.weight(*self.scores(x))[:, :, None]),
            "x is added",
        ),
        (
            attention(forward=lambda self, x: Attention.forward(self, x).mean(2)[:, :4]),
            "the output has shape (12, 4)",
        ),
        (attention(forward=lambda self, x: (x, x)), "found a tuple"),
        (
            attention(weight=lambda self, mean, top: torch.sigmoid(mean + top).detach()),
            "no gradient",
        ),
        (attention(hidden=lambda self, channels, ratio: 4), "expected 10 // 2 = 5"),
        (
            attention(hidden=lambda self, channels, ratio: max(channels // ratio, 2)),
            "a ratio of 8 the hidden layer has 2",
        ),
        (lambda channels, ratio=16: Attention(channels, ratio), "no ratio the hidden layer has 3"),
        (
            attention(forward=lambda self, x: Attention.forward(self, x.detach())),
            "no gradient flows back",
        ),
        (
            attention(forward=lambda self, x: x.data * self.weight(*self.scores(x))[:, :, None]),
            "not its gradient",
        ),
        (attention(scores=without_gradient), "not its gradient"),
        (
            attention(forward=lambda self, x: Attention.forward(self, x).squeeze()),
            "for a batch of one",
        ),
        (attention(layers=dropout), "in training it gives another result"),
        (OneForAll, "share their weights"),
    ],
    "01.critic_loss": [
        (lambda real, generated: real.mean() - generated.mean(), "the sign is wrong"),
        (lambda real, generated: real.mean() + generated.mean(), "a plus between the means"),
        (lambda real, generated: (generated.mean() - real.mean()) ** 2, "squared difference"),
        (lambda real, generated: (generated.mean() - real.mean()).abs(), "absolute difference"),
        (lambda real, generated: generated.sum() - real.sum(), "a sum over the batch"),
        (lambda real, generated: generated.mean(), "the real scores are not used"),
        (lambda real, generated: -real.mean(), "the generated scores are not used"),
        (lambda real, generated: (generated - real).mean(dim=0), "expected one number"),
        (lambda real, generated: (generated.mean() - real.mean()).item(), "expected a tensor"),
        (lambda real, generated: (generated.mean() - real.mean()).detach(), "no gradient flows"),
        (lambda real, generated: generated.mean() - real.mean().detach(), "a part of it detached"),
        (
            lambda real, generated: F.softplus(generated).mean() + F.softplus(-real).mean(),
            "for the test scores",
        ),
        (lambda real, generated: None, "expected a tensor"),
        (lambda real, generated: (generated - real).sum() / 4, "for seven scores each"),
        (
            lambda real, generated: hack01.critic_loss(real, generated) + 1e-6 * (real**2).mean(),
            "for scores of some 30",
        ),
    ],
    "01.gradient_penalty": [
        (penalty(norm=lambda g: g.norm()), "over the whole batch"),
        (penalty(norm=lambda g: g.norm(dim=0)), "over the spectra"),
        (penalty(lambda norm: (norm**2 - 1) ** 2), "squared before 1 is subtracted"),
        (penalty(lambda norm: F.relu(norm - 1) ** 2), "one-sided"),
        (penalty(lambda norm: norm**2), "held at 0"),
        (penalty(lambda norm: (norm - 1).abs()), "is not squared"),
        (penalty(lambda norm: (norm.mean() - 1) ** 2), "the mean is taken of the norms"),
        (penalty(reduce=torch.sum), "a sum over the batch"),
        (penalty(total=torch.mean), "gradient of the mean score"),
        (penalty(norm=lambda g: g), "the norm is missing"),
        (penalty(norm=lambda g: g.abs().sum(dim=1)), "no Euclidean norm"),
        (penalty(reduce=lambda value: value), "the result has shape (5,)"),
        (penalty(reduce=lambda value: -value.mean()), "wrong sign"),
        (penalty(lambda norm: (norm - 2) ** 2), "for the test critic the penalty is"),
        (penalty_with(weight_of=lambda weight: 1), "the weight is not used"),
        (penalty_with(weight_of=lambda weight: 10), "the weight is always 10"),
        (penalty_with(graph=False), "no gradient flows"),
        (penalty_with(end=torch.detach), "no gradient flows"),
        (penalty_with(end=torch.Tensor.item), "expected a tensor"),
        (penalty_with(by="weights"), "by the critic's weights"),
        (penalty_with(given=lambda points, condition: (points,)), "the condition is not passed"),
        (
            penalty_with(given=lambda points, condition: (points.detach(), condition)),
            "without detach()",
        ),
        (
            penalty_with(
                given=lambda points, condition: (points.detach().requires_grad_(), condition)
            ),
            "is one a copy",
        ),
        (penalty_backward, "backward() leaves"),
        (penalty_half_detached, "not its gradient"),
        (penalty_of_five, "for seven spectra"),
        (penalty_in_evaluation, "from training to evaluation"),
        (lambda *given, **weight: None, "expected a tensor"),
    ],
    "01.r_value": [
        (r_with(lambda c, p: rms(symmetric(c, p))), "that is the symmetric part"),
        (r_with(factor=1), "the sqrt(2) is missing"),
        (r_with(lambda c, p: rms(2 * odd(c, p))), "divide by 2"),
        (r_with(lambda c, p: rms(2 * odd(c, p)), factor=1), "neither is"),
        (r_with(factor=ROOT2), "multiplies the height"),
        (r_with(lambda c, p: odd(c, p).std()), "np.std subtracts the mean"),
        (r_with(lambda c, p: rms((c - c[::-1]) / 2)), "mirrored about its middle"),
        (r_with(lambda c, p: c.std()), "the scatter of all"),
        (r_with(lambda c, p: rms(c)), "the scatter of all"),
        (rolled, "wraps around"),
        (negative_indices, "wraps around"),
        (r_with(lambda c, p: rms(odd(c, p, len(c) - 1))), "wraps around"),
        (left_side_only, "nearer to the right end"),
        (lambda c, p: hack01.r_value(c, c.argmax()), "the peak is looked for"),
        (r_with(height=lambda c, p: c.max()), "the height is not that at the peak"),
        (r_with(height=lambda c, p: 1), "the height is not that at the peak"),
        (r_with(lambda c, p: np.sqrt(np.sum(odd(c, p) ** 2))), "that is a sum of squares"),
        (r_with(lambda c, p: np.mean(odd(c, p) ** 2)), "the root is missing"),
        (r_with(lambda c, p: np.abs(odd(c, p)).mean()), "for a test peak at 15"),
        (lambda c, p: None, "expected one number"),
        (lambda c, p: odd(c, p), "expected one number"),
        (lambda c, p: np.array([hack01.r_value(c, p)]), "the result has shape (1,)"),
        (r_with(lambda c, p: rms(odd(c, p, min(p, 40 - p)))), "for 60 numbers"),
        (r_with(height=lambda c, p: abs(c[p])), "for a negative peak"),
    ],
}


def bin_loop(edges, flux, error, lower, upper):
    total = 0
    variance = 0
    width = 0
    for i in range(len(flux)):
        inside = min(edges[i + 1], upper) - max(edges[i], lower)
        if inside > 0:
            total += inside * flux[i]
            variance += (inside * error[i]) ** 2
            width += inside
    return [float(total / width), float(variance**0.5 / width)]


def bin_clipped(edges, flux, error, lower, upper):
    share = np.diff(np.clip(edges, lower, upper))
    share /= share.sum()
    return np.array([share @ flux, np.linalg.norm(share * error)])


def rest_loop(wavelength, flux, error, redshift):
    stretch = np.float32(1 + redshift)
    return [
        [value / stretch for value in wavelength],
        [value * stretch for value in flux],
        error * stretch,
    ]


def penalty_ones(critic, points, condition, weight=10.0):
    scores = critic(points, condition=condition)
    gradient = torch.autograd.grad(
        outputs=scores,
        inputs=points,
        grad_outputs=torch.ones_like(scores),
        create_graph=True,
        retain_graph=True,
    )[0]
    norm = torch.sqrt(torch.sum(gradient**2, dim=1) + 1e-12)
    return weight * torch.mean((norm - 1) ** 2)


def penalty_copy(critic, points, condition, weight=10.0):
    points = points.detach().requires_grad_()
    return penalty()(critic, points, condition, weight)


def penalty_loop(critic, points, condition, weight=10.0):
    losses = []
    for i in range(len(points)):
        one = points[i : i + 1]
        (gradient,) = torch.autograd.grad(
            critic(one, condition[i : i + 1]).squeeze(), one, create_graph=True
        )
        losses.append((torch.linalg.vector_norm(gradient) - 1).pow(2))
    return weight * sum(losses) / len(losses)


def r_loop(correlation, peak):
    squares = []
    k = 1
    while peak - k >= 0 and peak + k < len(correlation):
        squares.append(((correlation[peak + k] - correlation[peak - k]) / 2) ** 2)
        k += 1
    return float(correlation[peak] / (2 * sum(squares) / len(squares)) ** 0.5)


def r_slices(correlation, peak):
    reach = min(peak, len(correlation) - peak - 1)
    near = correlation[peak - reach : peak + reach + 1]
    part = (near - near[::-1]) / 2
    return np.float64(near[reach] / (ROOT2 * part.std()))  # both sides, and the peak: the mean is 0


RIGHT = [
    ("01.to_rest_frame", rest_loop),
    ("01.to_rest_frame", lambda *given: np.array(hack01.to_rest_frame(*given))),
    (
        "01.to_rest_frame",
        lambda w, f, e, z: (w / (1 + z), f * w / (w / (1 + z)), np.multiply(e, 1 + z)),
    ),
    ("01.bin_flux", bin_loop),
    ("01.bin_flux", bin_clipped),
    ("01.ChannelAttention", Attention),
    ("01.ChannelAttention", Convolutions),
    ("01.ChannelAttention", OwnMatrices),
    ("01.ChannelAttention", HalfOwn),
    ("01.ChannelAttention", attention(layers=no_bias)),
    ("01.ChannelAttention", attention(hidden=lambda self, channels, ratio: channels // ratio or 1)),
    ("01.critic_loss", lambda real, generated: (generated - real).mean()),
    ("01.critic_loss", lambda real, generated: -(torch.mean(real) - torch.mean(generated))),
    ("01.critic_loss", lambda r, g: torch.sum(g) / len(g) - torch.sum(r.double()) / len(r)),
    ("01.gradient_penalty", penalty_ones),
    ("01.gradient_penalty", penalty_copy),
    ("01.gradient_penalty", penalty_loop),
    ("01.gradient_penalty", penalty(norm=lambda g: g.flatten(1).norm(2, dim=-1))),
    ("01.r_value", r_loop),
    ("01.r_value", r_slices),
    ("01.r_value", lambda c, p: torch.tensor(hack01.r_value(c, p))),
    ("01.r_value", lambda c, p: np.float32(hack01.r_value(c, p))),
    ("01.r_value", r_with(lambda c, p: np.linalg.norm(odd(c, p)) / nearer_end(c, p) ** 0.5)),
]

EQUIVALENT = {"01.r_value": {"1 → 0": "the peak, where the antisymmetric part is 0, may count"}}
