"""Figures of merit of redshifts. Δz = predicted - true throughout."""

import numpy as np

from helpers.evaluation import regression
from helpers.evaluation.regression import mae, mse, nmad, r2

__all__ = [
    "METRICS",
    "OUTLIER",
    "bias",
    "mae",
    "mse",
    "outliers",
    "r2",
    "report",
    "scaled_difference",
    "sigma_nmad",
]

OUTLIER = 0.15  # of |Δz| / (1 + z)


def scaled_difference(predicted, true):
    """Δz / (1 + z), shape (n,): what a stretch in wavelength by so much would do."""
    difference = np.asarray(predicted) - true
    return difference / (1 + np.asarray(true))


def sigma_nmad(predicted, true):
    """The `nmad` of Δz / (1 + z); after Brammer et al. (2008), ApJ 686, 1503, eq. 5."""
    return nmad(scaled_difference(predicted, true))


def outliers(predicted, true):
    """Fraction of galaxies with |Δz| / (1 + z) above `OUTLIER`."""
    distance = np.abs(scaled_difference(predicted, true))
    return float(np.mean(distance > OUTLIER))


def bias(predicted, true):
    """Mean of Δz / (1 + z)."""
    return float(np.mean(scaled_difference(predicted, true)))


METRICS = {
    "mse": mse,
    "mae": mae,
    "r2": r2,
    "sigma_nmad": sigma_nmad,
    "outliers": outliers,
    "bias": bias,
}


def report(predicted, true, n=200, seed=0):
    """All of `METRICS` with their errors, as `helpers.evaluation.regression.report` gives them."""
    return regression.report(predicted, true, METRICS, n, seed)
