"""From the spectra of a file to the input of a network: cleaning, rest frame, one grid, one scale.

>>> kept, table = clean(spectra)
>>> edges = common_grid(*overlap(kept), n=500)
>>> flux, error = rebin(kept.wavelength, kept.flux, kept.error, edges, kept.redshift)
>>> normaliser = Normaliser.fit(centres(edges), flux[training])
>>> values, scale = normaliser.transform(flux)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.datasets.files import DataError
from helpers.subjects.spectra import pixels
from helpers.subjects.spectra.pixels import centres

LARGEST_MASS = 1e13  # M☉: no galaxy has so many stars
BLOCK = 256  # spectra rebinned at a time, so that the work stays in the processor's cache


def clean(spectra, least_good=0.9):
    """Remove spectra that cannot be used, and say how many for which reason.

    Parameters
    ----------
    spectra : helpers.subjects.spectra.data.Spectra
    least_good : float
        Least share of good pixels, see `helpers.subjects.spectra.pixels.good`.

    Returns
    -------
    kept : Spectra
        Its bad pixels are still there, with an error that is not finite or 0: `rebin` leaves them
        out.
    table : pandas.DataFrame
        One line a reason, in the order in which they are applied: ``reason``, ``removed``,
        ``left``.

    Raises
    ------
    helpers.datasets.files.DataError
        If nothing is left.
    """
    finite = np.isfinite(spectra.parameters).all(axis=1)
    labels = np.stack([spectra.age, spectra.metallicity, spectra.mass])
    claimed = pixels.valid(spectra.error) & ~np.isfinite(spectra.flux)
    reasons = {
        "a parameter is not a finite number": ~finite,
        "redshift is negative": spectra.redshift < 0,
        "age, metallicity or mass is not positive": (labels <= 0).any(axis=0),
        f"mass is above {LARGEST_MASS:.0e} M☉": spectra.mass > LARGEST_MASS,
        "flux is not finite where it has an error": claimed.any(axis=1),
        f"less than {least_good:.0%} of the pixels are good": (
            spectra.good.mean(axis=1) < least_good
        ),
    }
    keep = np.ones(len(spectra), dtype=bool)
    lines = []
    for reason, bad in reasons.items():
        removed = int((keep & bad).sum())
        keep &= ~bad
        lines.append((reason, removed, int(keep.sum())))
    table = pd.DataFrame(lines, columns=["reason", "removed", "left"])
    if not keep.any():
        most = table.loc[table["removed"].idxmax(), "reason"]
        mostly = most if len(spectra) else "there were none"
        found = f"found none among {len(spectra)} (mostly: {mostly})"
        raise DataError(f"expected some good spectra, {found}: see the file")
    return spectra[keep], table


def rest_frame(wavelength, redshift, *per_wavelength):
    """Wavelengths, and quantities per wavelength, in the rest frame.

    Wavelengths shrink by 1 + z, and flux per wavelength and its error grow by it, so that the flux
    of a line stays.

    Parameters
    ----------
    wavelength : array, shape (n_pix,)
        Observer frame.
    redshift : array, shape (n,)
    *per_wavelength : arrays, shape (n, n_pix)
        As flux and error.

    Returns
    -------
    list of numpy.ndarray, shape (n, n_pix)
        Wavelengths, then the others in their order.

    Raises
    ------
    ValueError
        If a redshift is not above -1.
    """
    stretch = _stretch(redshift)[:, None]
    stretched = [np.asarray(array) * stretch for array in per_wavelength]
    return [np.asarray(wavelength) / stretch, *stretched]


def _stretch(redshift):
    """1 + z as float64, shape (n,), once all are above 0."""
    stretch = 1 + np.atleast_1d(np.asarray(redshift, dtype=float))
    bad = ~np.isfinite(stretch) | (stretch <= 0)
    if bad.any():
        found = f"found {bad.sum()} that are not"
        raise ValueError(f"expected redshifts above -1, {found}: remove them with clean()")
    return stretch


def overlap(spectra):
    """Range of rest-frame wavelengths that every spectrum reaches over.

    Parameters
    ----------
    spectra : helpers.subjects.spectra.data.Spectra

    Returns
    -------
    lower, upper : float
        In Å.

    Raises
    ------
    ValueError
        If there is no such range, with the redshifts that leave none.
    """
    stretch = _stretch(spectra.redshift)
    limits = pixels.edges(spectra.wavelength)
    lower = limits[0] / stretch.min()
    upper = limits[-1] / stretch.max()
    if lower >= upper:
        redshifts = f"{stretch.min() - 1:g} to {stretch.max() - 1:g}"
        wavelengths = f"{limits[0]:.0f}-{limits[-1]:.0f} Å"
        raise ValueError(
            f"expected redshifts with wavelengths in common, found {redshifts} that leave none of "
            f"{wavelengths}: choose a smaller range of redshifts"
        )
    return float(lower), float(upper)


def common_grid(lower, upper, n=500):
    """Edges of `n` bins of equal width in log wavelength, `lower` to `upper` in Å: (n + 1,).

    Raises
    ------
    ValueError
        If the range is empty or `n` less than 1.
    """
    if not 0 < lower < upper < np.inf or n < 1:
        expected = "expected 0 < lower < upper and n of 1 or more"
        raise ValueError(f"{expected}, found {lower}, {upper} and {n}: see overlap()")
    return np.geomspace(lower, upper, n + 1)


def rebin(wavelength, flux, error, edges, redshift=0.0, least_coverage=0.5):
    """Mean flux of spectra in bins, with its error: exact where constant within a pixel.

    A pixel counts in a bin by the width that they share, so that flux times width adds up to the
    same before and after. Bad pixels are left out: the mean is that of the good part of the bin.

    Parameters
    ----------
    wavelength : array, shape (n_pix,)
        Of the pixels, observer frame, Å.
    flux, error : array, shape (n, n_pix)
        Per Å; see `helpers.subjects.spectra.pixels.good`.
    edges : array, shape (n_bins + 1,)
        Of the bins, in Å, in the rest frame.
    redshift : float or array, shape (n,)
        Wavelengths are divided by 1 + z, and flux and error multiplied by it.
    least_coverage : float
        Least share of a bin that good pixels must cover.

    Returns
    -------
    flux : numpy.ndarray, shape (n, n_bins)
        Always finite: a bin with too few good pixels takes what a straight line between its
        neighbours has there.
    error : numpy.ndarray, shape (n, n_bins)
        From independent errors of the pixels; infinite in bins with too few good pixels.
        Neighbouring bins that share a pixel are a little correlated, which is not accounted for.

    Raises
    ------
    ValueError
        If shapes do not agree, a bin is outside a spectrum, or a spectrum has no good bin at all.
    """
    flux = np.asarray(flux)
    error = np.asarray(error)
    edges = np.asarray(edges, dtype=float)
    limits = pixels.edges(wavelength)
    stretch = _stretch(redshift)
    _check_shapes(flux, error, len(limits) - 1, edges, stretch)
    stretch = np.broadcast_to(stretch, len(flux))[:, None]
    _check_reach(limits, edges, stretch)
    mean = np.empty((len(flux), len(edges) - 1))
    sigma = np.empty_like(mean)
    for start in range(0, len(flux), BLOCK):
        rows = slice(start, start + BLOCK)
        bins = edges * stretch[rows]
        mean[rows], sigma[rows] = pixels.rebin(
            limits, flux[rows], error[rows], bins, least_coverage
        )
    _fill(mean, np.isfinite(sigma), centres(edges))
    return mean * stretch, sigma * stretch


def _check_shapes(flux, error, n_pix, edges, stretch):
    if flux.ndim != 2 or flux.shape[1] != n_pix or error.shape != flux.shape:
        expected = f"expected flux and error of shape (n, {n_pix})"
        raise ValueError(
            f"{expected}, found {flux.shape} and {error.shape}: bring them to one grid"
        )
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        expected = "expected increasing edges of bins"
        raise ValueError(f"{expected}, found shape {edges.shape}: see common_grid()")
    if len(stretch) not in (1, len(flux)):
        expected = f"expected {len(flux)} redshifts"
        raise ValueError(f"{expected}, found {len(stretch)}: give one for each spectrum")


def _check_reach(limits, edges, stretch):
    """Raise ValueError if a bin, at one of the redshifts, is outside the pixels."""
    too_blue = edges[0] * stretch < limits[0] * (1 - 1e-9)
    too_red = edges[-1] * stretch > limits[-1] * (1 + 1e-9)
    outside = too_blue | too_red
    if outside.any():
        bins = f"{edges[0]:.1f}-{edges[-1]:.1f} Å in the rest frame"
        raise ValueError(
            f"expected bins within all spectra, found {outside.sum()} of {len(outside)} "
            f"that do not reach over {bins}: see overlap()"
        )


def _fill(flux, covered, middle):
    """Put into bins not covered what a straight line between their neighbours has there."""
    empty = ~covered.any(axis=1)
    if empty.any():
        found = f"found {empty.sum()} without any"
        raise ValueError(
            f"expected good pixels in each spectrum, {found}: remove them with clean()"
        )
    for row in np.flatnonzero(~covered.all(axis=1)):
        good = covered[row]
        flux[row, ~good] = np.interp(middle[~good], middle[good], flux[row, good])


@dataclass(frozen=True)
class Normaliser:
    """Scale of spectra that a network likes: divided by their own brightness, then standardised.

    Made by `fit` from the **training** spectra only; `inverse` undoes `transform` to 1e-12.

    Attributes
    ----------
    window : numpy.ndarray of bool, shape (n_bins,)
        Bins whose mean flux is the brightness of a spectrum.
    mean, deviation : numpy.ndarray, shape (n_bins,)
        Of the training spectra, each divided by its brightness.
    """

    window: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, wavelength, flux, window=(5400, 5800), per_bin=False):
        """Learn the scale from training spectra.

        Parameters
        ----------
        wavelength : array, shape (n_bins,)
            Rest frame, Å.
        flux : array, shape (n, n_bins)
            Of the training spectra only.
        window : (float, float)
            Wavelengths of the brightness, in Å; the default has no strong lines.
        per_bin : bool
            Whether each bin has its own standard deviation, or all the same: their root mean
            square.

        Raises
        ------
        ValueError
            If flux is not finite, no bin is in the window, a brightness is not positive or bins do
            not vary.
        """
        wavelength = np.asarray(wavelength)
        flux = np.asarray(flux, dtype=float)
        inside = (wavelength >= window[0]) & (wavelength <= window[1])
        if not inside.any():
            expected = f"expected bins in the window of {window[0]}-{window[1]} Å"
            found = f"found {wavelength.min():.0f}-{wavelength.max():.0f} Å"
            raise ValueError(f"{expected}, {found}: choose another window")
        scaled = flux / _brightness(flux, inside)
        deviation = scaled.std(axis=0)
        if not per_bin:
            deviation = np.full_like(deviation, np.sqrt(np.mean(deviation**2)))
        if not (deviation > 0).all():
            found = f"found {len(flux)} that do not"
            raise ValueError(f"expected spectra that differ, {found}: give more of them")
        return cls(inside, scaled.mean(axis=0), deviation)

    def transform(self, flux):
        """Normalise spectra.

        Parameters
        ----------
        flux : array, shape (n, n_bins)

        Returns
        -------
        values : numpy.ndarray of float64, shape (n, n_bins)
            With mean 0 and deviation 1 over the training spectra.
        brightness : numpy.ndarray of float64, shape (n, 1)
            What the flux was divided by: `inverse` needs it.

        Raises
        ------
        ValueError
            As `fit`, and if the spectra are not on its grid.
        """
        flux = np.asarray(flux, dtype=float)
        brightness = _brightness(flux, self.window)
        return (flux / brightness - self.mean) / self.deviation, brightness

    def inverse(self, values, brightness=1.0):
        """Flux of normalised spectra.

        Parameters
        ----------
        values : array, shape (n, n_bins)
            As `transform` gives them, or a generator. Where they were float32 in between, the flux
            is back to 1e-6 of the brightness.
        brightness : float or array, shape (n, 1)
            As `transform` gives it; 1 for flux relative to it.

        Returns
        -------
        numpy.ndarray of float64, shape (n, n_bins)
        """
        scaled = np.asarray(values, dtype=float) * self.deviation + self.mean
        return scaled * brightness


def _brightness(flux, window):
    """Mean flux in the window, shape (n, 1), of spectra that are what they must be."""
    if flux.ndim != 2 or flux.shape[1] != len(window):
        expected = f"expected flux of shape (n, {len(window)})"
        raise ValueError(f"{expected}, found {flux.shape}: use the grid of fit()")
    holed = (~np.isfinite(flux)).any(axis=1)
    if holed.any():
        found = f"found {holed.sum()} spectra with NaN or inf"
        raise ValueError(f"expected finite flux, {found}: see rebin() and clean()")
    brightness = flux[:, window].mean(axis=1, keepdims=True)
    dark = brightness <= 0
    if dark.any():
        found = f"found {dark.sum()} spectra without"
        raise ValueError(f"expected a positive flux in the window, {found}: remove them")
    return brightness
