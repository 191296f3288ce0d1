"""Pixels of spectra: where they end, which are good, and the mean flux in bins of any width.

A pixel reaches half-way to its neighbours. It is good where the flux is finite and the error finite
and above 0: so it is in all rooms that look at spectra.
"""

from dataclasses import dataclass

import numpy as np


def edges(wavelength):
    """Edges of pixels that reach half-way to their neighbours.

    Parameters
    ----------
    wavelength : array, shape (n_pix,)
        Of the middle of each pixel.

    Returns
    -------
    numpy.ndarray, shape (n_pix + 1,)

    Raises
    ------
    ValueError
        If there are fewer than two wavelengths, or they do not increase.
    """
    wavelength = np.asarray(wavelength, dtype=float)
    several = wavelength.ndim == 1 and len(wavelength) > 1
    if not several or not (np.diff(wavelength) > 0).all():
        expected = "expected increasing wavelengths, shape (n_pix,)"
        raise ValueError(f"{expected}, found shape {wavelength.shape}: sort them")
    middle = centres(wavelength)
    first = 2 * wavelength[0] - middle[0]
    last = 2 * wavelength[-1] - middle[-1]
    return np.r_[first, middle, last]


def centres(edges):
    """Middle of each bin: shape (n_bins,) for edges of shape (n_bins + 1,)."""
    edges = np.asarray(edges)
    return (edges[1:] + edges[:-1]) / 2


def valid(error):
    """Which errors mean that a pixel was measured: finite and above 0."""
    return np.isfinite(error) & (np.asarray(error) > 0)


def good(flux, error):
    """Which pixels were measured.

    Parameters
    ----------
    flux, error : array of any one shape

    Returns
    -------
    numpy.ndarray of bool, of the same shape
    """
    return np.isfinite(flux) & valid(error)


def rebin(pixels, flux, error, bins, least_coverage=0.5):
    """Mean flux of spectra in bins, and its error, from the good pixels alone.

    A pixel counts in a bin by the width that they share: exact for spectra that are constant within
    a pixel.

    Parameters
    ----------
    pixels : numpy.ndarray, shape (n_pix + 1,)
        Edges of the pixels, see `edges`.
    flux, error : numpy.ndarray, shape (n, n_pix)
    bins : numpy.ndarray, shape (n, n_bins + 1)
        Edges of the bins of each spectrum, within those of the pixels.
    least_coverage : float
        Least share of a bin that good pixels must cover.

    Returns
    -------
    flux, error : numpy.ndarray, shape (n, n_bins)
        0 and infinite in bins with too few good pixels. The error is that of independent pixels.
    """
    width = np.diff(pixels)
    usable = good(flux, error)
    flux = np.where(usable, flux, 0)
    error = np.where(usable, error, 0)
    overlaps = _Overlaps.of(pixels, bins)
    covered = overlaps.sums(usable * width)
    total = overlaps.sums(flux * width)
    variance = overlaps.sums((error * width) ** 2, power=2)
    sigma = np.sqrt(variance.clip(0))
    needed = max(least_coverage, 1e-9) * np.diff(bins, axis=1)
    enough = covered >= needed * (1 - 1e-9)  # rounding shall not decide
    covered = np.where(enough, covered, 1)
    mean = np.where(enough, total / covered, 0)
    return mean, np.where(enough, sigma / covered, np.inf)


@dataclass(frozen=True)
class _Overlaps:
    """Where the edges of bins lie among pixels; both of shape (n, n_bins + 1).

    Attributes
    ----------
    pixel : numpy.ndarray of int
        The pixel that an edge lies in.
    below : numpy.ndarray
        The part of this pixel that is below the edge.
    """

    pixel: np.ndarray
    below: np.ndarray

    @classmethod
    def of(cls, pixels, bins):
        n = len(pixels)
        place = np.interp(bins, pixels, np.arange(n))
        pixel = np.minimum(place.astype(int), n - 2)
        return cls(pixel, place - pixel)

    def sums(self, values, power=1):
        """Sum over each bin of `values` times the part of the pixel in the bin to this power."""
        n, n_pix = values.shape
        flat = self.pixel + n_pix * np.arange(n)[:, None]
        values = values.ravel()
        # From the pixel of each edge, as a whole, up to that of the next edge, without it
        whole = np.add.reduceat(values, flat.ravel())
        whole, _ = _lower_and_upper(whole.reshape(flat.shape))
        first, last = _lower_and_upper(values[flat])
        lower, upper = _lower_and_upper(self.below)
        too_much = first * (1 - (1 - lower) ** power)
        ends = last * upper**power - too_much
        inside_one = np.diff(self.pixel, axis=1) == 0
        part = last * (upper - lower) ** power
        return np.where(inside_one, part, whole + ends)


def _lower_and_upper(by_edge):
    """Of an array by edge, shape (n, n_bins + 1): those of the lower and upper edges of bins."""
    return by_edge[:, :-1], by_edge[:, 1:]
