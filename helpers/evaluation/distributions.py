"""Probability distributions of a number, p(x), on a common grid: moments, quantiles, quality.

A distribution is kept as its cumulative probability at each value of a grid, shape (n, k) for n
objects and k values, whichever way it came. The number is whatever a hack predicts: a redshift,
the logarithm of a mass, a cosmological parameter.
"""

import numpy as np

TILT = 1e-9  # a step of the grid: makes a flat stretch rise, so that a quantile is one value


def from_density(grid, density):
    """Cumulative distributions of densities.

    Parameters
    ----------
    grid : array, shape (k,)
        Values, rising.
    density : array, shape (n, k)
        Not negative, in any unit.

    Returns
    -------
    numpy.ndarray, shape (n, k)
        From 0 to 1.

    Raises
    ------
    ValueError
        If a density is nowhere above 0, or not finite.
    """
    between = density[:, 1:] + density[:, :-1]
    mass = np.diff(grid) * between / 2
    total = mass.sum(axis=1, keepdims=True)
    usable = np.isfinite(total) & (total > 0)
    if not usable.all():
        raise ValueError(
            "expected densities that are finite and somewhere above 0, found one that is not"
        )
    risen = np.cumsum(mass / total, axis=1)
    start = np.zeros((len(mass), 1))
    cumulative = np.concatenate([start, risen], axis=1)
    return cumulative.clip(0, 1)


def from_samples(grid, samples):
    """Cumulative distributions, shape (n, k), of samples, shape (n, n_samples)."""
    rows = []
    for row in samples:
        below = np.searchsorted(np.sort(row), grid, side="right")
        rows.append(below / len(row))
    return np.stack(rows)


def mean(grid, cumulative):
    """Means, shape (n,): the mass of each cell of the grid at its middle."""
    middle = (grid[1:] + grid[:-1]) / 2
    mass = np.diff(cumulative, axis=1)
    below = cumulative[:, 0] * grid[0]
    return (mass @ middle + below) / cumulative[:, -1]


def quantile(grid, cumulative, probability):
    """The value, shape (n,), below which lies this probability."""
    rising = cumulative + TILT * np.arange(len(grid))
    return np.array([np.interp(probability, row, grid) for row in rising])


def pit(grid, cumulative, true):
    """Probability integral transform: the probability below the truth.

    Dawid (1984), J. R. Stat. Soc. A 147, 278.

    Parameters
    ----------
    grid : array, shape (k,)
    cumulative : array, shape (n, k)
    true : array, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)
        Evenly distributed between 0 and 1 if the distributions are calibrated.
    """
    pairs = zip(true, cumulative, strict=True)
    return np.array([np.interp(value, grid, row) for value, row in pairs])


def crps(grid, cumulative, true):
    """Continuous ranked probability score, ∫ (F(x) - [x ≥ truth])² dx, of each object.

    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102, 359, eq. 20. In the unit of the grid; of a
    distribution that is one number it is the absolute error.

    Parameters
    ----------
    grid : array, shape (k,)
    cumulative : array, shape (n, k)
    true : array, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    middle = (grid[1:] + grid[:-1]) / 2
    between = (cumulative[:, 1:] + cumulative[:, :-1]) / 2
    reached = middle >= np.asarray(true)[:, None]
    squared = (between - reached) ** 2
    inside = np.sum(squared * np.diff(grid), axis=1)
    below = np.maximum(grid[0] - true, 0)
    above = np.maximum(true - grid[-1], 0)
    return inside + below + above


def coverage(values, probability):
    """Fraction of truths inside the central interval of a probability, from PIT values.

    It is the probability itself if the distributions are calibrated, and less if they are too
    narrow.
    """
    from_median = np.abs(np.asarray(values) - 0.5)
    return float(np.mean(from_median <= probability / 2))


def calibration_error(values):
    """Largest distance of the distribution of PIT values from an even one (Kolmogorov-Smirnov)."""
    ordered = np.sort(values)
    n = len(ordered)
    above = np.arange(1, n + 1) / n - ordered
    below = ordered - np.arange(n) / n
    return float(max(above.max(), below.max()))
