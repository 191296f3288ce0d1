"""The scans of hack 02: small GANs trained one after the other, and as one ensemble."""

from functools import partial

import numpy as np
import torch

from benchmarks.timing import ratios
from helpers.nn.dense import Dense
from helpers.training import Ensemble, ensemble_objective, fit_gan

MEMBERS = 21
LATENT = 16
BINS = 128
STEPS = 10


def measure():
    """Rows of the table: what, function, target."""
    for hidden in (128, 512):
        yield (
            f"{MEMBERS} GANs, {hidden} hidden units: one by one / `Ensemble`",
            partial(one_by_one, hidden),
            "> 1",
        )


def one_by_one(hidden):
    """Ratios of the times of a few steps of all networks."""
    real = np.random.default_rng(0).normal(size=(1000, BINS)).astype("f4")
    sizes = {"generator": (LATENT, BINS, (hidden, hidden)), "critic": (BINS, 1, (128, 128))}
    options = dict(steps=STEPS, critic_steps=2, batch_size=64, every=STEPS, progress=False)

    def noise(n, random):
        return torch.randn(n, MEMBERS, LATENT, generator=random, device=random.device)

    def ensemble():
        generators, critics = ([Dense(*size) for _ in range(MEMBERS)] for size in sizes.values())
        samples = np.repeat(real[:, None], MEMBERS, axis=1)
        game = dict(noise=noise, objective=ensemble_objective(MEMBERS))
        fit_gan(Ensemble(generators), Ensemble(critics), samples, **game, **options)

    def singles():
        for _ in range(MEMBERS):
            fit_gan(*(Dense(*size) for size in sizes.values()), real, noise=LATENT, **options)

    return ratios(singles, ensemble, turns=3)
