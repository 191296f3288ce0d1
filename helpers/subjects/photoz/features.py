"""From fluxes to what a regressor sees: asinh magnitudes, colours, flags for what is missing.

Everything that is learned from data (softening, what to fill gaps with) is learned by `fit`, from
training rows only.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from helpers.astro.seds import ZERO_POINT
from helpers.subjects.photoz.columns import FEATURES
from helpers.subjects.photoz.data import measurements

POGSON = 2.5 / np.log(10)
KINDS = ("colours", "magnitudes", "fluxes")
RIDGE = (
    0.02  # mag, added to the scatter of each band, so that few galaxies do not tie bands together
)
LEAST_NEGATIVE = 5  # so many negative fluxes tell the noise ...
SHARE_NEGATIVE = 0.01  # ... and so large a share of all
UNMEASURED = -90.0  # what is at or below it in a column of fluxes is a code
OF_FLUXES = ("f_", "e_", "faper", "eaper")  # how the names of columns of fluxes begin


def asinh_magnitudes(flux, softening, zero_point=ZERO_POINT):
    """Magnitudes: logarithmic for bright fluxes, linear for faint ones, finite for negative ones.

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
    brightness = np.arcsinh(np.asarray(flux) / (2 * softening)) + np.log(softening)
    return zero_point - POGSON * brightness


def fluxes_of(magnitudes, softening, zero_point=ZERO_POINT):
    """The fluxes of asinh magnitudes: the inverse of `asinh_magnitudes`, shape (n, k)."""
    brightness = (zero_point - magnitudes) / POGSON - np.log(softening)
    return 2 * softening * np.sinh(brightness)


def colours(magnitudes):
    """Differences of all pairs of bands, the first minus the second: shape (n, k (k - 1) / 2).

    Parameters
    ----------
    magnitudes : array, shape (n, k)
    """
    first, second = np.triu_indices(np.shape(magnitudes)[1], 1)
    return magnitudes[:, first] - magnitudes[:, second]


def softening_of(flux, error):
    """Softening of each band from training galaxies: the median error, or a guess without errors.

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
    return np.array([_softening(*band) for band in zip(flux.T, error.T, strict=True)])


def _softening(flux, error):
    """Softening of one band, from fluxes and errors of shape (n,)."""
    flux = flux[np.isfinite(flux)]
    error = error[np.isfinite(error)]
    negative = -flux[flux < 0]
    softening = 0.0
    if len(error):
        softening = np.median(error)
    elif len(negative) >= max(LEAST_NEGATIVE, SHARE_NEGATIVE * len(flux)):
        softening = 1.5 * np.median(negative)  # of a normal distribution, the median is 0.67 σ
    elif len(flux):
        size = np.abs(flux)
        softening = max(np.percentile(size, 1), 1e-6 * size.max())
    return softening if softening > 0 else 1.0


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
    A missing magnitude is filled with its mean given the magnitudes that were measured, as for a
    normal distribution with the mean and covariance of the training galaxies; a flag for each band
    that has gaps says where.
    """

    def __init__(self, fluxes, errors=None, kind="colours", noise=False):
        self.fluxes = fluxes
        self.errors = errors
        self.kind = kind
        self.noise = noise

    def fit(self, table, z=None):
        """Learn softening, and mean and covariance of the magnitudes, from training rows."""
        if self.kind not in KINDS:
            raise ValueError(f"expected kind to be one of {', '.join(KINDS)}, found {self.kind!r}")
        flux, error = measurements(table, self.fluxes, self.errors)
        self.bands_ = np.flatnonzero(np.isfinite(flux).any(axis=0))
        if not len(self.bands_):
            raise ValueError("expected at least one measured flux in the training rows, found none")
        flux = flux[:, self.bands_]
        error = error[:, self.bands_]
        self.softening_ = softening_of(flux, error)
        magnitudes = asinh_magnitudes(flux, self.softening_)
        self.gaps_ = np.isnan(magnitudes).any(axis=0)
        self.mean_, self.covariance_ = mean_and_covariance(magnitudes)
        never_known = np.isnan(error).all(axis=0)
        self.error_ = np.nanmedian(np.where(never_known, 1.0, error), axis=0)
        self.noise_ = self.noise and not never_known.all()
        return self

    def transform(self, table):
        """Features, shape (n, number of features), all finite."""
        check_is_fitted(self)
        flux, error = measurements(table, self.fluxes, self.errors)
        magnitudes = asinh_magnitudes(flux[:, self.bands_], self.softening_)
        flags = np.isnan(magnitudes[:, self.gaps_]).astype(float)
        magnitudes = fill_gaps(magnitudes, self.mean_, self.covariance_)
        if self.kind == "fluxes":
            return np.hstack([fluxes_of(magnitudes, self.softening_), flags])
        parts = [magnitudes]
        if self.kind == "colours":
            parts.append(colours(magnitudes))
        parts.append(flags)
        if self.noise_:
            error = error[:, self.bands_]
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
        if self.noise_ and self.kind != "fluxes":
            result += [f"error {band}" for band in bands]
        return np.array(result)


def mean_and_covariance(values, n_iterations=20):
    """Mean and covariance of a normal distribution from rows with gaps (expectation maximisation).

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
        scatter = np.atleast_2d(np.cov(filled.T, bias=True))
        covariance = scatter + extra / len(values) + RIDGE**2 * np.eye(len(mean))
    return mean, covariance


def fill_gaps(values, mean, covariance):
    """Replace NaN by the mean given what else is known of the row, for a normal distribution.

    Parameters
    ----------
    values : array, shape (n, k)
    mean : array, shape (k,)
    covariance : array, shape (k, k)

    Returns
    -------
    numpy.ndarray, shape (n, k)
    """
    filled, _ = _expectation(values, mean, covariance)
    return filled


def _expectation(values, mean, covariance):
    """Rows without gaps, and the sum of the covariances of what was filled in.

    Rows with the same gaps are worked on at once.
    """
    filled = values.copy()
    extra = np.zeros_like(covariance)
    patterns, which = np.unique(np.isnan(values), axis=0, return_inverse=True)
    for number, gap in enumerate(patterns):
        if not gap.any():
            continue
        known = ~gap
        rows = np.flatnonzero(which.ravel() == number)
        between = covariance[np.ix_(known, gap)]
        slopes = np.linalg.solve(covariance[np.ix_(known, known)], between)
        away = values[np.ix_(rows, known)] - mean[known]
        filled[np.ix_(rows, gap)] = mean[gap] + away @ slopes
        left = covariance[np.ix_(gap, gap)] - covariance[np.ix_(gap, known)] @ slopes
        extra[np.ix_(gap, gap)] += len(rows) * left
    return filled, extra


class CatalogueColumns(TransformerMixin, BaseEstimator):
    """The columns of a catalogue as they are, as the source used them.

    Gaps are filled with the median of the training rows.

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
        text = [name for name in self.columns if not pd.api.types.is_numeric_dtype(table[name])]
        self.values_ = {name: sorted(table[name].astype(str).unique()) for name in text}
        self.median_ = np.array([_median(column) for column in self._numbers(table).T])
        return self

    def _numbers(self, table):
        """The columns as numbers, shape (n, number of columns)."""
        return np.column_stack([self._number(name, table[name]) for name in self.columns])

    def _number(self, name, column):
        if name in self.values_:
            place = pd.Categorical(column.astype(str), self.values_[name]).codes
            return np.where(place < 0, np.nan, place)
        number = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        if name.startswith(OF_FLUXES):
            return np.where(number <= UNMEASURED, np.nan, number)
        return number

    def transform(self, table):
        """Columns, shape (n, number of columns), all finite."""
        check_is_fitted(self)
        values = self._numbers(table)
        return np.where(np.isfinite(values), values, self.median_)

    def get_feature_names_out(self, names=None):
        """Names of the columns."""
        return np.array(self.columns)


def _median(values):
    """The median of what is finite, 0 where nothing is."""
    finite = values[np.isfinite(values)]
    return np.median(finite) if len(finite) else 0.0
