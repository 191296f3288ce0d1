"""The Fréchet distance between two sets of points."""

import numpy as np


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
    if (
        one.ndim != 2
        or other.ndim != 2
        or one.shape[1] != other.shape[1]
        or min(len(one), len(other)) < 2
    ):
        raise ValueError(
            f"expected two sets of points, shape (n, k), found {one.shape} and {other.shape}"
        )
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
