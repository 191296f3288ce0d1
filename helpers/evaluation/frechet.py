"""The Fréchet distance between two sets of points."""

import numpy as np


def frechet_distance(one, other):
    """Fréchet distance between two sets of points, each taken for a normal distribution.

    Parameters
    ----------
    one, other : array, shape (n, k) and (m, k)
        Points in the same space, at least two of each.

    Returns
    -------
    float
        |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½) of the means m and the covariances C, in squared
        units of the space. With finite n it is biased upwards (Chong & Forsyth 2020,
        arXiv:1911.07023): compare at equal n, and beside the value of two real sets.

    Raises
    ------
    ValueError
        If the shapes do not agree, there are fewer than two points, or a number is not finite.

    Notes
    -----
    Dowson & Landau (1982), J. Multivar. Anal. 12, 450. The trace of the root is the sum of the
    singular values of C₁^½ C₂^½, which needs roots of symmetric matrices only, and so stays real
    where the matrices are singular.
    """
    one = np.asarray(one, dtype=float)
    other = np.asarray(other, dtype=float)
    _require_points(one, other)
    shift = one.mean(axis=0) - other.mean(axis=0)
    covariance = _covariance(one)
    other_covariance = _covariance(other)
    product = _root(covariance) @ _root(other_covariance)
    trace_of_root = np.linalg.svd(product, compute_uv=False).sum()
    traces = np.trace(covariance) + np.trace(other_covariance)
    distance = shift @ shift + traces - 2 * trace_of_root
    return float(max(distance, 0.0))


def _require_points(one, other):
    are_points = one.ndim == other.ndim == 2 and one.shape[1] == other.shape[1]
    if not are_points or min(len(one), len(other)) < 2:
        raise ValueError(
            f"expected two sets of points, shape (n, k), found {one.shape} and {other.shape}"
        )
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("expected finite numbers, found NaN or inf: look at the features")


def _covariance(points):
    return np.atleast_2d(np.cov(points.T))


def _root(covariance):
    """The symmetric root of a symmetric matrix, whose eigenvalues are ≥ 0 but for rounding."""
    values, vectors = np.linalg.eigh(covariance)
    deviations = np.sqrt(values.clip(0))
    return (vectors * deviations) @ vectors.T
