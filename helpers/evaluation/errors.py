"""Figures of merit that more than one hack uses, and their errors."""

import math

import numpy as np


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
    arrays = [np.asarray(array) for array in arrays]
    lengths = sorted({len(array) for array in arrays})
    if len(lengths) != 1:
        raise ValueError(f"expected arrays with the same number of rows, found {lengths}")
    rows = lengths[0]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        drawn = rng.integers(rows, size=rows)
        found.append(metric(*(array[drawn] for array in arrays)))
    return np.std(found, axis=0, ddof=1)


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
        close_to_1 = 0.9 < abs(value) < 1.1
        return f"{value:.4f}" if close_to_1 else f"{value:.3g}"
    power = math.floor(math.log10(error))
    leading = error / 10**power
    digits = -power + 1 if leading < 2 else -power
    digits = max(0, digits)
    return f"{value:.{digits}f} ± {error:.{digits}f}"
