# Generated from solutions/03_photo_z.py by `make notebooks`, never edited.
"""The solved exercises of hack 03, which cells use until an attempt is correct."""

import numpy as np


def asinh_colours(flux, softening):
    """Colours of all pairs of bands, the first minus the second: (n, k) fluxes to (n, k (k - 1) / 2), NaN where missing."""
    flux = np.where(flux == -99, np.nan, flux)
    magnitudes = 25 - 2.5 / np.log(10) * (np.arcsinh(flux / (2 * softening)) + np.log(softening))
    first, second = np.triu_indices(flux.shape[1], 1)
    return magnitudes[:, first] - magnitudes[:, second]


def sigma_nmad(predicted, true):
    """Normalised median absolute deviation of Δz / (1 + z)."""
    d = (predicted - true) / (1 + true)
    return 1.4826 * np.median(np.abs(d - np.median(d)))


def chi2(flux, error, template):
    """Smallest χ² of fluxes, shape (k,), and amplitude × template, shape (k,)."""
    weight = np.where(np.isfinite(flux), 1 / error**2, 0)
    flux = np.nan_to_num(flux)
    amplitude = max((weight * flux * template).sum() / (weight * template**2).sum(), 0)
    return (weight * (flux - amplitude * template) ** 2).sum()


def permutation_importance(predict, X, y, rng):
    """Rise of the mean squared error of predict(X) when a column of X is shuffled: shape (number of columns,)."""
    base = np.mean((predict(X) - y) ** 2)
    importance = np.empty(X.shape[1])
    for column in range(X.shape[1]):
        shuffled = X.copy()
        shuffled[:, column] = rng.permutation(X[:, column])
        importance[column] = np.mean((predict(shuffled) - y) ** 2) - base
    return importance


def leave_one_field_out(field, dec):
    """Rows (train, test) of each split, a list of five pairs, from the letters of the fields and the declinations [°]."""
    names = np.char.add(np.asarray(field, dtype=str), np.where(np.asarray(dec) > 0, "+", "-"))
    return [
        (np.flatnonzero(names != name), np.flatnonzero(names == name)) for name in np.unique(names)
    ]
