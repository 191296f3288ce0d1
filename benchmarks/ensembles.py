"""The scans of hack 02: small GANs trained one after the other, and as one ensemble."""

from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.timing import ratios
from helpers.training import Ensemble, ensemble_objective, fit_gan

MEMBERS, LATENT, BINS, STEPS = 21, 16, 128, 10


def measure():
    """Rows of the table: what, function, target."""
    for hidden in (128, 512):
        yield (
            f"{MEMBERS} GANs, {hidden} hidden units: one by one / `Ensemble`",
            partial(one_by_one, hidden),
            "> 1",
        )


def dense(inputs, hidden, outputs):
    """Two hidden layers, as in the notebook."""
    layers = [
        nn.Linear(inputs, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(0.2),
    ]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


def one_by_one(hidden):
    """Ratios of the times of a few steps of all networks."""
    real = np.random.default_rng(0).normal(size=(1000, BINS)).astype("f4")
    sizes = (LATENT, hidden, BINS), (BINS, 128, 1)
    options = dict(steps=STEPS, critic_steps=2, batch_size=64, every=STEPS, progress=False)

    def noise(n, random):
        return torch.randn(n, MEMBERS, LATENT, generator=random, device=random.device)

    def ensemble():
        generators, critics = ([dense(*size) for _ in range(MEMBERS)] for size in sizes)
        samples = np.repeat(real[:, None], MEMBERS, axis=1)
        game = dict(noise=noise, objective=ensemble_objective(MEMBERS))
        fit_gan(Ensemble(generators), Ensemble(critics), samples, **game, **options)

    def singles():
        for _ in range(MEMBERS):
            fit_gan(*(dense(*size) for size in sizes), real, noise=LATENT, **options)

    return ratios(singles, ensemble, turns=3)
