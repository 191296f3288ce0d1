"""Probability distributions of redshifts, p(z), on a common grid: moments, quantiles, and how good they are.

A distribution is kept as its cumulative probability on a grid of redshifts, shape (n, n_z), whichever way it came.
"""

import numpy as np


def from_density(grid, density):
    """Cumulative distributions of densities.

    Parameters
    ----------
    grid : array, shape (n_z,)
        Redshifts, rising.
    density : array, shape (n, n_z)
        Not negative, in any unit per redshift.

    Returns
    -------
    numpy.ndarray, shape (n, n_z)
        From 0 to 1.

    Raises
    ------
    ValueError
        If a density is nowhere above 0, or not finite.
    """
    steps = np.diff(grid) * (density[:, 1:] + density[:, :-1]) / 2
    total = steps.sum(axis=1, keepdims=True)
    if not (np.isfinite(total).all() and (total > 0).all()):
        raise ValueError(
            "expected densities that are finite and somewhere above 0, found one that is not"
        )
    return np.concatenate(
        [np.zeros((len(steps), 1)), np.cumsum(steps / total, axis=1)], axis=1
    ).clip(0, 1)


def from_samples(grid, samples):
    """Cumulative distributions of samples, shape (n, n_samples), on a grid of redshifts: shape (n, n_z)."""
    return np.stack(
        [np.searchsorted(np.sort(row), grid, side="right") / len(row) for row in samples]
    )


def mean(grid, cumulative):
    """Means, shape (n,): the mass of each cell of the grid at its middle."""
    middle, mass = (grid[1:] + grid[:-1]) / 2, np.diff(cumulative, axis=1)
    return (mass @ middle + cumulative[:, 0] * grid[0]) / cumulative[:, -1]


def quantile(grid, cumulative, probability):
    """The redshift, shape (n,), below which lies this probability."""
    return np.array(
        [np.interp(probability, row, grid) for row in cumulative + 1e-9 * np.arange(len(grid))]
    )


def pit(grid, cumulative, z):
    """Probability integral transform: the probability below the true redshift (Dawid 1984, J. R. Stat. Soc. A 147, 278).

    Parameters
    ----------
    grid : array, shape (n_z,)
    cumulative : array, shape (n, n_z)
    z : array, shape (n,)
        True redshifts.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Evenly distributed between 0 and 1 if the distributions are calibrated.
    """
    return np.array([np.interp(true, grid, row) for true, row in zip(z, cumulative, strict=True)])


def crps(grid, cumulative, z):
    """Continuous ranked probability score, ∫ (F(z') - [z' ≥ z])² dz', of each galaxy.

    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102, 359, eq. 20. In units of redshift; of a distribution that is
    one number it is the absolute error.

    Parameters
    ----------
    grid : array, shape (n_z,)
    cumulative : array, shape (n, n_z)
    z : array, shape (n,)
        True redshifts.

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    middle = (grid[1:] + grid[:-1]) / 2
    between = (cumulative[:, 1:] + cumulative[:, :-1]) / 2
    inside = np.sum((between - (middle >= np.asarray(z)[:, None])) ** 2 * np.diff(grid), axis=1)
    return inside + np.maximum(grid[0] - z, 0) + np.maximum(z - grid[-1], 0)


def calibration_error(values):
    """Largest distance of the distribution of PIT values from an even one (Kolmogorov-Smirnov), a number."""
    ordered, n = np.sort(values), len(values)
    return float(max((np.arange(1, n + 1) / n - ordered).max(), (ordered - np.arange(n) / n).max()))
