"""Figures of merit that more than one hack uses, and their errors."""

import math

import numpy as np


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


def bootstrap_error(metric, *arrays, n=200, seed=0):
    """Standard error of a metric over samples, by the bootstrap (Efron 1979, Ann. Statist. 7, 1).

    Parameters
    ----------
    metric : callable
        ``metric(*arrays)`` gives a number or an array.
    *arrays : array
        One row a sample; the same rows are drawn, with replacement, from all of them.
    n : int
        Number of bootstrap samples.
    seed : int

    Returns
    -------
    numpy.ndarray
        Standard deviation of the metric over the bootstrap samples, of the shape of the metric.

    Raises
    ------
    ValueError
        If the arrays differ in their number of rows.
    """
    rows = {len(array) for array in arrays}
    if len(rows) != 1:
        raise ValueError(f"expected arrays with the same number of rows, found {sorted(rows)}")
    rng, size = np.random.default_rng(seed), rows.pop()
    draws = (rng.integers(size, size=size) for _ in range(n))
    return np.std([metric(*(np.asarray(array)[draw] for array in arrays)) for draw in draws], axis=0, ddof=1)


def frechet_distance(one, other):
    """Fréchet distance between the normal distributions with the means and covariances of two sets of points.

    Parameters
    ----------
    one, other : array, shape (n, k) and (m, k)
        Points in the same space, at least two of each.

    Returns
    -------
    float
        |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½), in squared units of the space. With finite n it is biased upwards
        (Chong & Forsyth 2020, arXiv:1911.07023): compare at equal n, and beside the value of two real sets.

    Raises
    ------
    ValueError
        If the shapes do not agree, there are fewer than two points, or a number is not finite.

    Notes
    -----
    Dowson & Landau (1982), J. Multivar. Anal. 12, 450. The trace of the root is the sum of the singular values of
    C₁^½ C₂^½, which needs roots of symmetric matrices only, and so stays real where the matrices are singular.
    """
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1] or min(len(one), len(other)) < 2:
        raise ValueError(f"expected two sets of points, shape (n, k), found {one.shape} and {other.shape}")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("expected finite numbers, found NaN or inf: look at the features")
    difference = one.mean(axis=0) - other.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(points.T)) for points in (one, other)]
    roots = [_root(covariance) for covariance in covariances]
    root = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    return float(max(difference @ difference + sum(map(np.trace, covariances)) - 2 * root, 0.0))


def _root(covariance):
    """The symmetric square root of a symmetric matrix whose eigenvalues are not negative but for rounding."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def format_number(value, error=None, negligible=0.0):
    """Write a number with as many digits as its error allows: 0.2634 and 0.0041 as "0.263 ± 0.004".

    Parameters
    ----------
    value : float
    error : float, optional
        Standard error; without one, three digits are shown, and four where the value is close to 1.
    negligible : float
        What is smaller than this is written "≈ 0".

    Returns
    -------
    str
    """
    if abs(value) < negligible:
        return "≈ 0"
    if error is None or not math.isfinite(error) or error <= 0:
        return f"{value:.4f}" if 0.9 < abs(value) < 1.1 else f"{value:.3g}"
    power = math.floor(math.log10(error))
    digits = max(0, -power + (error / 10**power < 2))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
