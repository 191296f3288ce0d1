"""Figures of merit of predicted numbers. A difference is predicted - true throughout.

One alone misleads: the mean squared error is ruled by a few outliers, the scatter does not see
them at all.
"""

import numpy as np

from helpers.evaluation.errors import bootstrap_error

SIGMA_PER_MAD = 1.4826  # of a normal distribution: 1 / Φ⁻¹(3/4)


def rmse(predicted, true):
    """Root mean square error over the rows, for each column.

    Parameters
    ----------
    predicted, true : array, shape (n,) or (n, k)

    Returns
    -------
    numpy.ndarray, shape () or (k,)
    """
    difference = np.asarray(predicted) - np.asarray(true)
    return np.sqrt(np.mean(difference**2, axis=0))


def mse(predicted, true):
    """Mean squared error, in the unit of the truth squared."""
    difference = np.asarray(predicted) - true
    return float(np.mean(difference**2))


def mae(predicted, true):
    """Mean absolute error, in the unit of the truth."""
    difference = np.asarray(predicted) - true
    return float(np.mean(np.abs(difference)))


def r2(predicted, true):
    """Coefficient of determination, 1 - MSE / variance of the truth; NaN where that is 0."""
    if np.ptp(true) == 0:
        return float("nan")
    return float(1 - mse(predicted, true) / np.var(true))


def bias(predicted, true):
    """Mean difference, in the unit of the truth."""
    return float(np.mean(np.asarray(predicted) - true))


def scatter(predicted, true):
    """The `nmad` of the differences, in the unit of the truth."""
    return nmad(np.asarray(predicted) - true)


def nmad(differences):
    """Normalised median absolute deviation: the standard deviation, for normal differences.

    Parameters
    ----------
    differences : array, shape (n,)

    Returns
    -------
    float
        1.4826 · median |d - median(d)|
    """
    from_median = np.abs(differences - np.median(differences))
    return float(SIGMA_PER_MAD * np.median(from_median))


METRICS = {"mse": mse, "mae": mae, "r2": r2, "scatter": scatter, "bias": bias}


def report(predicted, true, metrics=METRICS, n=200, seed=0):
    """Several figures of merit, each with its standard error by the bootstrap over the rows.

    Parameters
    ----------
    predicted, true : array, shape (n,)
    metrics : dict of str to callable
        Each is called ``metric(predicted, true)``.
    n, seed : int
        Number of bootstrap samples, and seed.

    Returns
    -------
    dict of str to (float, float)
        Value and error by the names of `metrics`.

    Raises
    ------
    ValueError
        If the shapes differ, there is no row, or a number is not finite.
    """
    predicted = np.asarray(predicted, dtype=float)
    true = np.asarray(true, dtype=float)
    if predicted.shape != true.shape or true.ndim != 1 or not len(true):
        raise ValueError(
            f"expected as many predictions as true values, found {predicted.shape} and {true.shape}"
        )
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError(
            "expected finite numbers, found NaN or inf: compare on rows that have both"
        )

    def everything(one, other):
        return np.array([metric(one, other) for metric in metrics.values()])

    values = everything(predicted, true)
    errors = bootstrap_error(everything, predicted, true, n=n, seed=seed)
    pairs = np.stack([values, errors], axis=1).tolist()
    return {name: tuple(pair) for name, pair in zip(metrics, pairs, strict=True)}
