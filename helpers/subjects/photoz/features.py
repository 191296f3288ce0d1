"""From fluxes to what a regressor sees: asinh magnitudes, colours, and flags for what was not measured.

Everything that is learned from data (softening, what to fill gaps with) is learned by `fit`, from
training rows only.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from helpers.subjects.photoz.columns import FEATURES
from helpers.subjects.photoz.data import measurements

POGSON = 2.5 / np.log(10)
KINDS = ("colours", "magnitudes", "fluxes")
RIDGE = (
    0.02  # mag, added to the scatter of each band, so that few galaxies do not tie bands together
)


def asinh_magnitudes(flux, softening, zero_point=25.0):
    """Magnitudes that are logarithmic for bright fluxes, linear for faint ones, and finite for negative ones.

    Parameters
    ----------
    flux : array, shape (n, k)
        NaN where not measured.
    softening : float, or array of shape (k,)
        Flux b at which the one goes over into the other: about the noise.
    zero_point : float

    Returns
    -------
    numpy.ndarray, shape (n, k)
        zero point - 2.5 / ln 10 · [asinh(f / 2b) + ln b], in mag (Lupton, Gunn & Szalay 1999, AJ
        118, 1406).
    """
    return zero_point - POGSON * (
        np.arcsinh(np.asarray(flux) / (2 * softening)) + np.log(softening)
    )


def colours(magnitudes):
    """Differences of all pairs of bands, the first minus the second: shape (n, k (k - 1) / 2).

    Parameters
    ----------
    magnitudes : array, shape (n, k)
    """
    first, second = np.triu_indices(np.shape(magnitudes)[1], 1)
    return magnitudes[:, first] - magnitudes[:, second]


def softening_of(flux, error):
    """Softening of each band from training galaxies: the median error, or a guess where errors are not known.

    The guess is the size of the negative fluxes, which noise alone makes; where there are too few
    of those, the flux that only 1 % of the galaxies fall short of.

    Parameters
    ----------
    flux, error : array, shape (n, k)
        With NaN for what is missing.

    Returns
    -------
    numpy.ndarray, shape (k,)
        Above 0; 1 for a band that was never measured.
    """
    result = np.ones(flux.shape[1])
    for band, (fluxes, errors) in enumerate(zip(flux.T, error.T, strict=True)):
        errors, fluxes = errors[np.isfinite(errors)], fluxes[np.isfinite(fluxes)]
        negative = -fluxes[fluxes < 0]
        if len(errors):
            result[band] = np.median(errors)
        elif len(negative) >= max(5, 0.01 * len(fluxes)):
            result[band] = 1.5 * np.median(negative)
        elif len(fluxes):
            result[band] = max(np.percentile(np.abs(fluxes), 1), 1e-6 * np.abs(fluxes).max())
        if not result[band] > 0:
            result[band] = 1.0
    return result


class PhotometricFeatures(TransformerMixin, BaseEstimator):
    """Turn a table with fluxes into features without gaps. Only the named columns are looked at.

    Parameters
    ----------
    fluxes, errors : tuple of str
        Columns, as in `helpers.subjects.photoz.data.measurements`; errors may be None.
    kind : {"colours", "magnitudes", "fluxes"}
        asinh magnitudes and all colours, the magnitudes alone, or the fluxes as they are.
    noise : bool
        Whether the asinh magnitudes of the errors are features as well, where errors are known.

    Notes
    -----
    A missing magnitude is filled with its mean given the magnitudes that were measured, as for a normal distribution
    with the mean and covariance of the training galaxies; a flag for each band that has gaps says where.
    """

    def __init__(self, fluxes, errors=None, kind="colours", noise=False):
        self.fluxes, self.errors, self.kind, self.noise = fluxes, errors, kind, noise

    def fit(self, table, z=None):
        """Learn softening, and mean and covariance of the magnitudes, from training rows."""
        if self.kind not in KINDS:
            raise ValueError(f"expected kind to be one of {', '.join(KINDS)}, found {self.kind!r}")
        flux, error = measurements(table, self.fluxes, self.errors)
        self.bands_ = np.flatnonzero(np.isfinite(flux).any(axis=0))
        if not len(self.bands_):
            raise ValueError("expected at least one measured flux in the training rows, found none")
        self.softening_ = softening_of(flux, error)[self.bands_]
        magnitudes = asinh_magnitudes(flux[:, self.bands_], self.softening_)
        self.gaps_ = np.isnan(magnitudes).any(axis=0)
        self.mean_, self.covariance_ = mean_and_covariance(magnitudes)
        self.error_ = np.nanmedian(np.where(np.isnan(error).all(axis=0), 1.0, error), axis=0)[
            self.bands_
        ]
        self.noise_ = self.noise and bool(np.isfinite(error).any())
        return self

    def transform(self, table):
        """Features, shape (n, number of features), all finite."""
        check_is_fitted(self)
        flux, error = (
            values[:, self.bands_] for values in measurements(table, self.fluxes, self.errors)
        )
        magnitudes = asinh_magnitudes(flux, self.softening_)
        flags = np.isnan(magnitudes[:, self.gaps_]).astype(float)
        magnitudes = fill_gaps(magnitudes, self.mean_, self.covariance_)
        if self.kind == "fluxes":
            filled = (
                2 * self.softening_ * np.sinh((25 - magnitudes) / POGSON - np.log(self.softening_))
            )
            return np.hstack([filled, flags])
        parts = [magnitudes, flags]
        if self.kind == "colours":
            parts.insert(1, colours(magnitudes))
        if self.noise_:
            parts.append(np.log10(np.where(np.isfinite(error), error, self.error_)))
        return np.hstack(parts)

    def get_feature_names_out(self, names=None):
        """Names of the features, in the order of the columns."""
        check_is_fitted(self)
        bands = [self.fluxes[i] for i in self.bands_]
        result = list(bands)
        if self.kind == "colours":
            result += [f"{one} - {other}" for one, other in combinations(bands, 2)]
        result += [f"no {band}" for band, gap in zip(bands, self.gaps_, strict=True) if gap]
        return np.array(
            result
            + ([f"error {band}" for band in bands] if self.noise_ and self.kind != "fluxes" else [])
        )


def mean_and_covariance(values, n_iterations=20):
    """Mean and covariance of a normal distribution, from rows with gaps, by expectation maximisation.

    Dempster, Laird & Rubin (1977), J. R. Stat. Soc. B 39, 1.

    Parameters
    ----------
    values : array, shape (n, k)
        NaN where missing; each column has at least one number.
    n_iterations : int

    Returns
    -------
    mean : numpy.ndarray, shape (k,)
    covariance : numpy.ndarray, shape (k, k)
    """
    mean = np.nanmean(values, axis=0)
    covariance = np.diag(np.nanvar(values, axis=0) + RIDGE**2)
    for _ in range(n_iterations if np.isnan(values).any() else 1):
        filled, extra = _expectation(values, mean, covariance)
        mean = filled.mean(axis=0)
        covariance = (
            np.atleast_2d(np.cov(filled.T, bias=True))
            + extra / len(values)
            + RIDGE**2 * np.eye(len(mean))
        )
    return mean, covariance


def fill_gaps(values, mean, covariance):
    """Replace NaN by the mean given what is known of the same row, for a normal distribution: shape (n, k)."""
    return _expectation(values, mean, covariance)[0]


def _expectation(values, mean, covariance):
    """Rows without gaps, and the sum of the covariances of what was filled in; rows with the same gaps at once."""
    filled, extra = values.copy(), np.zeros_like(covariance)
    missing = np.isnan(values)
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    for number, gap in enumerate(patterns):
        if not gap.any():
            continue
        rows = np.flatnonzero(which.ravel() == number)
        solved = np.linalg.solve(covariance[np.ix_(~gap, ~gap)], covariance[np.ix_(~gap, gap)])
        filled[np.ix_(rows, gap)] = mean[gap] + (values[np.ix_(rows, ~gap)] - mean[~gap]) @ solved
        extra[np.ix_(gap, gap)] += len(rows) * (
            covariance[np.ix_(gap, gap)] - covariance[np.ix_(gap, ~gap)] @ solved
        )
    return filled, extra


class CatalogueColumns(TransformerMixin, BaseEstimator):
    """The columns of a catalogue as they are, as the source used them; gaps filled with the training rows' median.

    Parameters
    ----------
    columns : tuple of str
        By default the 29 of 3D-HST; text (the field) becomes the place of its value in the sorted
        training values.
    """

    def __init__(self, columns=FEATURES):
        self.columns = columns

    def fit(self, table, z=None):
        """Learn the medians and the values of columns of text."""
        self.values_ = {
            c: sorted(table[c].astype(str).unique())
            for c in self.columns
            if not pd.api.types.is_numeric_dtype(table[c])
        }
        values = self._numbers(table)
        with np.errstate(all="ignore"):
            self.median_ = np.array(
                [np.median(v[np.isfinite(v)]) if np.isfinite(v).any() else 0.0 for v in values.T]
            )
        return self

    def _numbers(self, table):
        parts = []
        for name in self.columns:
            if name in self.values_:
                codes = pd.Categorical(table[name].astype(str), self.values_[name]).codes
                parts.append(np.where(codes < 0, np.nan, codes))
            else:
                value = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
                is_flux = name.startswith(("f_", "e_", "faper", "eaper"))
                parts.append(np.where(value <= -90, np.nan, value) if is_flux else value)
        return np.column_stack(parts)

    def transform(self, table):
        """Columns, shape (n, number of columns), all finite."""
        check_is_fitted(self)
        values = self._numbers(table)
        return np.where(np.isfinite(values), values, self.median_)

    def get_feature_names_out(self, names=None):
        """Names of the columns."""
        return np.array(self.columns)
