"""Checks and hints of the exercises of hack 02 about the variational autoencoder: what is wrong, in one sentence."""

from functools import partial

import numpy as np
import torch

from helpers.exercises import check
from helpers.require import (
    attempt_for,
    call,
    refuse,
    require,
    require_agreement,
    require_close,
    require_gradients,
    same,
    twice,
)


@check(
    "02.reparametrise",
    hints=[
        "If ε is drawn from N(0, 1), then mean + deviation * ε is from N(mean, deviation²), and differentiable.",
        "The standard deviation is the root of the variance: (log_variance / 2).exp(); ε = torch.randn_like(mean).",
        "mean + (log_variance / 2).exp() * torch.randn_like(mean)",
    ],
)
def reparametrise(attempt, reference):
    np.random.seed(2)
    torch.manual_seed(2)
    m, v = 3 * torch.randn(4000, 8), 4 * torch.rand(4000, 8) - 2.5
    leaves = m.clone().requires_grad_(), v.clone().requires_grad_()
    try:
        found, again = (call(attempt, *(leaf.clone() for leaf in leaves)) for _ in range(2))
    except (RuntimeError, TypeError) as error:
        require("numpy" not in str(error), "NumPy has no gradient: draw the noise with torch.randn_like(mean)")
        raise
    require(torch.is_tensor(found), f"expected a tensor, for its gradient; found a {type(found).__name__}")
    require(found.shape == m.shape, f"the result has shape {tuple(found.shape)}, expected {tuple(m.shape)}")
    require(found.dtype == m.dtype, f"float32 becomes {found.dtype}: torch.randn_like(mean) draws the same type")
    require(torch.isfinite(found).all(), "the latents are not all finite: the deviation is (log_variance / 2).exp()")
    require(not same(found, m), "the mean is returned, without noise: add the deviation times torch.randn_like(mean)")
    require(not torch.equal(found, again), "the noise is the same in every call: do not set a seed in here")
    rest, slope = found.detach() - m, float((found.detach() * m).mean() / (m * m).mean())
    require(abs(slope) > 0.2, "the mean is not added")
    require(abs(slope - 1) < 0.05, f"the latents do not follow the mean: they grow by {slope:.2f} for each 1 of it")
    noise = rest / (v / 2).exp()
    for dim, what in (((0, 1), "one number is shared"), (1, "one for a sample is shared"), (0, "samples share theirs")):
        require(noise.std(dim=dim).max() > 0.01, f"{what}: each latent has its own noise, torch.randn_like(mean)")
    require(noise.min() < -0.01, "the noise is never negative: rand is uniform from 0 to 1, randn is normal")
    for scale, reason in (
        (v.exp(), "log_variance is taken for the log of the deviation: halve it before exp"),
        (v, "log_variance itself multiplies the noise: the deviation is (log_variance / 2).exp()"),
        (torch.ones(()), "the noise is not scaled: multiply it by (log_variance / 2).exp()"),
        ((v / 4).exp(), "log_variance is halved twice: exp(log_variance / 2) is the deviation already"),
        ((-v / 2).exp(), "the noise is divided by the deviation: multiply by it"),
    ):
        parts = [(rest / scale)[some].var() for some in (v < -1.5, v > 0.5)]
        require(any(abs(part - 1) > 0.1 for part in parts), reason)
    mean, variance, tails = float(noise.mean()), float(noise.var()), float((noise**4).mean() / noise.var() ** 2)
    require(abs(mean) < 0.04, f"the noise, over the deviation, has the mean {mean:.2f}, expected 0")
    require(abs(variance - 1) < 0.05, f"the noise, over the deviation, has the variance {variance:.2f}, expected 1")
    require(abs(tails - 3) < 0.2, f"the noise is not normal: its fourth moment is {tails:.2f}, expected 3")
    parts = torch.autograd.grad(found.sum(), leaves, allow_unused=True) if found.requires_grad else (None, None)
    reached = [part is not None and bool(part.any()) for part in parts]
    require(any(reached), "no gradient flows: torch.normal(mean, deviation), sample() and detach() stop it")
    require(all(reached), f"no gradient reaches {'log_variance' if reached[0] else 'mean'}: is it detached?")
    right = torch.allclose(torch.stack(parts), torch.stack([torch.ones_like(m), rest / 2]), atol=1e-3)
    require(right, "the latents are right, but not their gradient: is a part of it detached?")
    for shape in ((4000, 16), (1, 3), (2, 1)):
        drawn, _ = twice(lambda shape=shape: attempt_for(f"shape {shape}", attempt, *torch.zeros(2, *shape)))
        require(drawn.shape == shape, f"for shape {shape} the result has shape {tuple(drawn.shape)}")
        if len(drawn) == 4000:
            require(drawn.abs().max() > 3.5, "the noise is cut off: a normal one has tails, torch.randn_like(mean)")
            distinct = len(drawn.abs().unique()) / drawn.numel()
            require(distinct > 0.9, "noise is used more than once: draw a number for each, torch.randn_like(mean)")


@check(
    "02.kl_divergence",
    hints=[
        "It is 0 where the mean is 0 and the variance 1, and positive elsewhere; latents are independent: they add.",
        "For each latent: half of mean² + variance - 1 - log(variance).",
        "0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)",
    ],
)
def kl_divergence(attempt, reference):
    m = torch.tensor([[0.3, -1.2, 0.8], [1.7, 0.4, -0.6], [-0.2, 0.9, 2.1], [0.5, -0.7, 1.1]])
    v = torch.tensor([[-0.7, 0.4, 1.1], [0.2, -1.3, 0.6], [0.9, -0.3, -1.6], [1.4, 0.5, -0.8]])
    leaves = m.clone().requires_grad_(), v.clone().requires_grad_()
    found = call(attempt, *(leaf.clone() for leaf in leaves))
    require(torch.is_tensor(found), f"expected a tensor, for its gradient; found a {type(found).__name__}")
    require(torch.isfinite(found).all(), "it is not finite: log_variance is the logarithm already")
    square, e = m**2, v.exp()
    each, total, tell = (square + e - 1 - v) / 2, lambda terms: terms.sum(dim=1) / 2, partial(refuse, found)
    right = each.sum(dim=1)
    tell("that is the sum over the batch as well: sum over the latents only, dim=1", right.sum())
    tell("that is the mean over the batch: return one number for each sample", right.mean(), each.mean())
    tell("the latents are not summed: sum over dim=1", each)
    tell("the samples are summed, not the latents: dim=1", each.sum(dim=0), each.mean(dim=0))
    tell("the sign is wrong: a divergence is never negative", -right, -2 * right)
    tell("the factor 1/2 is missing", 2 * right)
    tell("that is the mean over the latents: independent latents add", each.mean(dim=1), 2 * each.mean(dim=1))
    tell("log_variance is taken for the log of the deviation", total(square + (2 * v).exp() - 1 - 2 * v))
    tell("the deviation stands where the variance should: exp(log_variance)", total(square + (v / 2).exp() - 1 - v))
    tell("the -1 is missing: it is 0 for mean 0 and variance 1", total(square + e - v), total(square + e + 1 - v))
    tell("the square of the mean is a part", total(m + e - 1 - v), total(m.abs() + e - 1 - v), total(e - 1 - v))
    tell("exp(log_variance), the variance, is missing", total(square - 1 - v))
    tell("log_variance is to be subtracted, with its own sign", total(square + e - 1), total(square + e - 1 + v))
    tell("that is the divergence in the other direction: of N(0, 1) from the latents", total((1 + square) / e - 1 + v))
    require_close(found, right, "for the test latents it is {found}, expected {expected}")
    require(found.requires_grad, "no gradient flows to learn from: no detach(), no torch.no_grad()")
    require_gradients(found.sum(), reference(*leaves).sum(), leaves)
    random = torch.Generator().manual_seed(9)
    cases = {
        "latents close to N(0, 1)": 0.2 * torch.randn(2, 6, 3, generator=random),
        "16 latents": torch.randn(2, 5, 16, generator=random),
        "one sample": torch.randn(2, 1, 3, generator=random),
    }
    require_agreement(attempt, reference, cases, atol=1e-6)
