# Generated from solutions/02_latent_space.py by `make notebooks`, never edited.
"""The solved exercises of hack 02, which cells use until an attempt is correct."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression


def frechet_distance(one, other):
    """Return the Fréchet distance of two sets of features, shape (n, k) and (m, k): one number."""
    difference = one.mean(axis=0) - other.mean(axis=0)
    covariances = np.cov(one.T), np.cov(other.T)
    values, vectors = np.linalg.eigh(covariances[0])
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ covariances[1] @ root).clip(0)).sum()
    return difference @ difference + sum(map(np.trace, covariances)) - 2 * overlap


def slerp(start, end, t):
    """Return the point at the fraction t of the great arc from start to end, shape (k,)."""
    cosine = start @ end / np.sqrt((start @ start) * (end @ end))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - t) * start + t * end
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def separating_direction(latents, high):
    """Return the unit normal, shape (k,), of the hyperplane that separates latents, shape (n, k), by whether they are high.

    `high` is boolean, shape (n,); the normal points to the side of the high ones.
    """
    normal = LogisticRegression().fit(latents, high).coef_[0]
    return normal / np.linalg.norm(normal)


def permutation_null(statistic, latents, values, n=20, seed=0):
    """Return statistic(latents, values) for n random orders of the values: shape (n,)."""
    rng = np.random.default_rng(seed)
    return np.array([statistic(latents, rng.permutation(values)) for _ in range(n)])


def reparametrise(mean, log_variance):
    """Return latents drawn from N(mean, exp(log_variance)), shape (n, k), through which the gradient flows."""
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def kl_divergence(mean, log_variance):
    """Return the Kullback-Leibler divergence of N(mean, exp(log_variance)) from N(0, 1) for each sample: shape (n,)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)
