"""Figures of merit that more than one hack uses, and their errors."""

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
