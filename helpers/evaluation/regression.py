"""Figures of merit of redshifts. Δz = predicted - true throughout.

One alone misleads: the mean squared error is ruled by a few outliers, σ_NMAD does not see them at all.
"""

import numpy as np

from helpers.evaluation.errors import bootstrap_error

OUTLIER = 0.15  # of |Δz| / (1 + z)


def scaled_difference(predicted, true):
    """Δz / (1 + z), shape (n,): what a stretch in wavelength by so much would do."""
    return (np.asarray(predicted) - true) / (1 + np.asarray(true))


def rmse(predicted, true):
    """Root mean square error over the rows, for each column.

    Parameters
    ----------
    predicted, true : array, shape (n,) or (n, k)

    Returns
    -------
    numpy.ndarray, shape () or (k,)
    """
    return np.sqrt(np.mean((np.asarray(predicted) - np.asarray(true)) ** 2, axis=0))


def mse(predicted, true):
    """Mean squared error, in redshift squared."""
    return float(np.mean((np.asarray(predicted) - true) ** 2))


def mae(predicted, true):
    """Mean absolute error, in redshift."""
    return float(np.mean(np.abs(np.asarray(predicted) - true)))


def r2(predicted, true):
    """Coefficient of determination, 1 - MSE / variance of the true redshifts; NaN where that is 0."""
    return float(1 - mse(predicted, true) / np.var(true)) if np.ptp(true) > 0 else float("nan")


def sigma_nmad(predicted, true):
    """Normalised median absolute deviation of Δz / (1 + z): the standard deviation, for normal errors.

    1.4826 · median |d - median(d)| with d = Δz / (1 + z); after Brammer et al. (2008), ApJ 686, 1503, eq. 5.
    """
    d = scaled_difference(predicted, true)
    return float(1.4826 * np.median(np.abs(d - np.median(d))))


def outliers(predicted, true):
    """Fraction of galaxies with |Δz| / (1 + z) above `OUTLIER`."""
    return float(np.mean(np.abs(scaled_difference(predicted, true)) > OUTLIER))


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
    """All figures of merit, each with its standard error by the bootstrap over galaxies.

    Parameters
    ----------
    predicted, true : array, shape (n,)
    n, seed : int
        Number of bootstrap samples, and seed.

    Returns
    -------
    dict of str to (float, float)
        Value and error by the names of `METRICS`.

    Raises
    ------
    ValueError
        If the shapes differ, there is no galaxy, or a redshift is not finite.
    """
    predicted, true = np.asarray(predicted, dtype=float), np.asarray(true, dtype=float)
    if predicted.shape != true.shape or true.ndim != 1 or not len(true):
        raise ValueError(
            f"expected as many predictions as redshifts, found {predicted.shape} and {true.shape}"
        )
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError(
            "expected finite redshifts, found NaN or inf: compare on galaxies that have both"
        )

    def everything(one, other):
        return np.array([function(one, other) for function in METRICS.values()])

    errors = bootstrap_error(everything, predicted, true, n=n, seed=seed)
    return {
        name: (value, float(e))
        for name, value, e in zip(METRICS, everything(predicted, true), errors, strict=True)
    }
