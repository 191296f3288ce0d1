"""Pixels of spectra: where they end, which of them are good, and the mean flux in bins of any width.

A pixel reaches half-way to its neighbours. It is good where the flux is finite and the error finite and
above 0: so it is in all rooms that look at spectra.
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
    if wavelength.ndim != 1 or len(wavelength) < 2 or not (np.diff(wavelength) > 0).all():
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

    A pixel counts in a bin by the width that they share: exact for spectra that are constant within a
    pixel.

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
    overlaps = _Overlaps.of(pixels, bins)
    covered = overlaps.sums(usable * width)
    total = overlaps.sums(np.where(usable, flux, 0) * width)
    variance = overlaps.sums((np.where(usable, error, 0) * width) ** 2, power=2).clip(0)
    needed = max(least_coverage, 1e-9) * np.diff(bins, axis=1)
    enough = covered >= needed * (1 - 1e-9)  # rounding shall not decide
    covered = np.where(enough, covered, 1)
    mean = np.where(enough, total / covered, 0)
    return mean, np.where(enough, np.sqrt(variance) / covered, np.inf)


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
        place = np.interp(bins, pixels, np.arange(len(pixels)))
        pixel = np.minimum(place.astype(int), len(pixels) - 2)
        return cls(pixel, place - pixel)

    def sums(self, values, power=1):
        """Sum over each bin of `values` times the part of the pixel in the bin to this power."""
        n, n_pix = values.shape
        flat = self.pixel + n_pix * np.arange(n)[:, None]
        values = values.ravel()
        # From the pixel of the lower edge, as a whole, up to that of the upper edge, without it
        whole = np.add.reduceat(values, flat.ravel()).reshape(flat.shape)[:, :-1]
        at_edge = values[flat]
        lower = self.below[:, :-1]
        upper = self.below[:, 1:]
        too_much = at_edge[:, :-1] * (1 - (1 - lower) ** power)
        ends = at_edge[:, 1:] * upper**power - too_much
        in_one_pixel = self.pixel[:, 1:] == self.pixel[:, :-1]
        part = at_edge[:, 1:] * (upper - lower) ** power
        return np.where(in_one_pixel, part, whole + ends)
