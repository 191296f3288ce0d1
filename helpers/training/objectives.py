"""What generator and critic play for: the losses of both, and what keeps the critic in bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Objective:
    """The two losses of a GAN. Any of the parts can be a function of your own.

    Attributes
    ----------
    critic_loss : callable
        ``critic_loss(real, generated)`` of the critic's scores, a tensor each: what the critic
        makes small.
    generator_loss : callable
        ``generator_loss(generated)`` of the critic's scores: what the generator makes small.
    penalty : callable, optional
        ``penalty(critic, points, *conditions)`` is added to the critic's loss. Each point lies
        somewhere on the straight line between a real sample and a generated one, and has a
        gradient.
    clip : float, optional
        The critic's weights are cut to ±clip after each of its steps.
    """

    critic_loss: Callable
    generator_loss: Callable
    penalty: Callable | None = None
    clip: float | None = None


def wasserstein_critic_loss(real, generated):
    """Minus the estimate of the Wasserstein distance (Arjovsky et al. 2017, arXiv:1701.07875)."""
    return generated.mean() - real.mean()


def wasserstein_generator_loss(generated):
    """Minus the mean score of generated samples (Arjovsky et al. 2017, arXiv:1701.07875)."""
    return -generated.mean()


def gradient_penalty(critic, points, *conditions, weight=10.0, leading=1):
    """Hold the norm of the critic's gradient at 1 between real and generated samples.

    Parameters
    ----------
    critic : callable
        ``critic(samples, *conditions)``.
    points : torch.Tensor, shape (n, ...)
        Drawn on the lines between real and generated samples; with gradient.
    conditions : torch.Tensor, shape (n, ...)
    weight : float
        λ = 10 in Gulrajani et al. (2017), arXiv:1704.00028, eq. 3.
    leading : int
        So many axes of `points` number the samples: 2 for those of an `Ensemble`, (n, k, ...).

    Returns
    -------
    torch.Tensor
        λ times the mean squared deviation of the norm from 1; a scalar.
    """
    (gradient,) = torch.autograd.grad(critic(points, *conditions).sum(), points, create_graph=True)
    norm = gradient.flatten(leading).norm(dim=leading)
    return weight * (norm - 1).square().mean()


def wasserstein_clipping(clip=0.01):
    """Wasserstein objective, the critic's weights cut to ±`clip` (arXiv:1701.07875)."""
    return Objective(wasserstein_critic_loss, wasserstein_generator_loss, clip=clip)


def wasserstein_gradient_penalty(weight=10.0):
    """Wasserstein objective with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028)."""
    penalty = partial(gradient_penalty, weight=weight)
    return Objective(wasserstein_critic_loss, wasserstein_generator_loss, penalty)


def smoothed_cross_entropy(real, generated, smoothing=0.1):
    """Binary cross entropy of logits, with 1 - smoothing as the label of real samples.

    Goodfellow et al. (2014), arXiv:1406.2661; smoothing of one side only: Salimans et al. (2016),
    arXiv:1606.03498.
    """
    real_part = (1 - smoothing) * softplus(-real) + smoothing * softplus(real)
    return real_part.mean() + softplus(generated).mean()


def non_saturating_generator_loss(generated):
    """Minus the log probability of being taken for real (arXiv:1406.2661, sect. 3)."""
    return softplus(-generated).mean()


def non_saturating(smoothing=0.1):
    """Non-saturating objective with one-sided label smoothing; the critic gives logits."""
    critic_loss = partial(smoothed_cross_entropy, smoothing=smoothing)
    return Objective(critic_loss, non_saturating_generator_loss)
