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

LARGEST_MASS = 1e13  # M☉: no galaxy has so many stars
BLOCK = 256  # spectra rebinned at a time, so that the work stays in the processor's cache


def clean(spectra, least_good=0.9):
    """Remove spectra that cannot be used, and say how many for which reason.

    Parameters
    ----------
    spectra : helpers.subjects.spectra.data.Spectra
    least_good : float
        Least share of good pixels, see `helpers.subjects.spectra.data.Spectra.good`.

    Returns
    -------
    kept : Spectra
        Its bad pixels are still there, with an error that is not finite or 0: `rebin` leaves them out.
    table : pandas.DataFrame
        One line a reason, in the order in which they are applied: ``reason``, ``removed``, ``left``.

    Raises
    ------
    helpers.datasets.DataError
        If nothing is left.
    """
    labels = np.stack([spectra.age, spectra.metallicity, spectra.mass])
    numbers = np.isfinite(spectra.redshift) & np.isfinite(labels).all(axis=0)
    good = spectra.good
    claimed = np.isfinite(spectra.error) & (spectra.error > 0) & ~np.isfinite(spectra.flux)
    reasons = {
        "a parameter is not a finite number": ~numbers,
        "redshift is negative": spectra.redshift < 0,
        "age, metallicity or mass is not positive": (labels <= 0).any(axis=0),
        f"mass is above {LARGEST_MASS:.0e} M☉": spectra.mass > LARGEST_MASS,
        "flux is not finite where it has an error": claimed.any(axis=1),
        f"less than {least_good:.0%} of the pixels are good": good.mean(axis=1) < least_good,
    }
    keep, lines = np.ones(len(spectra), dtype=bool), []
    for reason, bad in reasons.items():
        lines.append((reason, int((keep & bad).sum()), int((keep & ~bad).sum())))
        keep &= ~bad
    table = pd.DataFrame(lines, columns=["reason", "removed", "left"])
    if not keep.any():
        worst = (
            table.loc[table["removed"].idxmax(), "reason"] if len(spectra) else "there were none"
        )
        raise DataError(
            f"expected some good spectra, found none among {len(spectra)} (mostly: {worst}): see the file"
        )
    return spectra[keep], table


def _pixel_edges(wavelength):
    """Edges of pixels that reach half-way to their neighbours: shape (n_pix + 1,)."""
    wavelength = np.asarray(wavelength, dtype=float)
    if wavelength.ndim != 1 or len(wavelength) < 2 or not (np.diff(wavelength) > 0).all():
        raise ValueError(
            f"expected increasing wavelengths, shape (n_pix,), found shape {wavelength.shape}: sort them"
        )
    middle = (wavelength[1:] + wavelength[:-1]) / 2
    return np.r_[2 * wavelength[0] - middle[0], middle, 2 * wavelength[-1] - middle[-1]]


def centres(edges):
    """Middle of each bin: shape (n_bins,) for edges of shape (n_bins + 1,)."""
    return (np.asarray(edges)[1:] + np.asarray(edges)[:-1]) / 2


def rest_frame(wavelength, redshift, *per_wavelength):
    """Wavelengths, and quantities per wavelength, in the rest frame.

    Wavelengths shrink by 1 + z, and flux per wavelength and its error grow by it, so that the flux of a line stays.

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
    return [
        np.asarray(wavelength) / stretch,
        *(np.asarray(array) * stretch for array in per_wavelength),
    ]


def _stretch(redshift):
    """1 + z as float64, shape (n,), once all are above 0."""
    stretch = 1 + np.atleast_1d(np.asarray(redshift, dtype=float))
    if bad := int((~np.isfinite(stretch) | (stretch <= 0)).sum()):
        raise ValueError(
            f"expected redshifts above -1, found {bad} that are not: remove them with clean()"
        )
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
    stretch, edges = _stretch(spectra.redshift), _pixel_edges(spectra.wavelength)
    lower, upper = edges[0] / stretch.min(), edges[-1] / stretch.max()
    if lower >= upper:
        raise ValueError(
            f"expected redshifts with wavelengths in common, found {stretch.min() - 1:g} to {stretch.max() - 1:g} that "
            f"leave none of {edges[0]:.0f}-{edges[-1]:.0f} Å: choose a smaller range of redshifts"
        )
    return float(lower), float(upper)


def common_grid(lower, upper, n=500):
    """Edges of `n` bins of equal width in log wavelength from `lower` to `upper` in Å: shape (n + 1,).

    Raises
    ------
    ValueError
        If the range is empty or `n` less than 1.
    """
    if not 0 < lower < upper < np.inf or n < 1:
        raise ValueError(
            f"expected 0 < lower < upper and n of 1 or more, found {lower}, {upper} and {n}: see overlap()"
        )
    return np.geomspace(lower, upper, n + 1)


def rebin(wavelength, flux, error, edges, redshift=0.0, least_coverage=0.5):
    """Mean flux of spectra in bins, with its error: exact for spectra that are constant within a pixel.

    A pixel counts in a bin by the width that they share, so that flux times width adds up to the same before and
    after. Bad pixels are left out: the mean is that of the good part of the bin.

    Parameters
    ----------
    wavelength : array, shape (n_pix,)
        Of the pixels, observer frame, Å.
    flux, error : array, shape (n, n_pix)
        Per Å. Pixels are bad where the flux is not finite, or the error not finite or not above 0.
    edges : array, shape (n_bins + 1,)
        Of the bins, in Å, in the rest frame.
    redshift : float or array, shape (n,)
        Wavelengths are divided by 1 + z, and flux and error multiplied by it.
    least_coverage : float
        Least share of a bin that good pixels must cover.

    Returns
    -------
    flux : numpy.ndarray, shape (n, n_bins)
        Always finite: a bin with too few good pixels takes what a straight line between its neighbours has there.
    error : numpy.ndarray, shape (n, n_bins)
        From independent errors of the pixels; infinite in bins with too few good pixels. Neighbouring bins that
        share a pixel are a little correlated, which is not accounted for.

    Raises
    ------
    ValueError
        If shapes do not agree, a bin is outside a spectrum, or a spectrum has no good bin at all.
    """
    pixels, edges, stretch = (
        _pixel_edges(wavelength),
        np.asarray(edges, dtype=float),
        _stretch(redshift),
    )
    flux, error = np.asarray(flux), np.asarray(error)
    if flux.ndim != 2 or flux.shape[1] != len(pixels) - 1 or error.shape != flux.shape:
        raise ValueError(
            f"expected flux and error of shape (n, {len(pixels) - 1}), found {flux.shape} and {error.shape}: "
            "bring them to one grid"
        )
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(
            f"expected increasing edges of bins, found shape {edges.shape}: see common_grid()"
        )
    if len(stretch) not in (1, len(flux)):
        raise ValueError(
            f"expected {len(flux)} redshifts, found {len(stretch)}: give one for each spectrum"
        )
    stretch = np.broadcast_to(stretch, len(flux))
    outside = (edges[0] * stretch < pixels[0] * (1 - 1e-9)) | (
        edges[-1] * stretch > pixels[-1] * (1 + 1e-9)
    )
    if outside.any():
        raise ValueError(
            f"expected bins within all spectra, found {outside.sum()} of {len(flux)} that do not reach over "
            f"{edges[0]:.1f}-{edges[-1]:.1f} Å in the rest frame: see overlap()"
        )
    result = np.empty((2, len(flux), len(edges) - 1))
    for start in range(0, len(flux), BLOCK):
        rows = slice(start, start + BLOCK)
        result[:, rows] = _rebin(
            pixels, flux[rows], error[rows], edges * stretch[rows, None], least_coverage
        )
    covered = np.isfinite(result[1])
    if empty := int((~covered.any(axis=1)).sum()):
        raise ValueError(
            f"expected good pixels in each spectrum, found {empty} without any: remove them with clean()"
        )
    middle = centres(edges)
    for row in np.flatnonzero(~covered.all(axis=1)):
        good = covered[row]
        result[0, row, ~good] = np.interp(middle[~good], middle[good], result[0, row, good])
    return result * stretch[:, None]


def _rebin(pixels, flux, error, edges, least_coverage):
    """Mean and error in bins with edges of shape (n, n_bins + 1); 0 and infinite where too little is covered."""
    width = np.diff(pixels)
    good = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    place = np.interp(
        edges, pixels, np.arange(len(pixels))
    )  # of an edge: its pixel, and the part of it below
    pixel = np.minimum(place.astype(int), len(width) - 1)
    lower, upper = (place - pixel)[:, :-1], (place - pixel)[:, 1:]
    within = pixel[:, 1:] == pixel[:, :-1]  # bins inside one pixel
    flat = pixel + len(width) * np.arange(len(flux))[:, None]

    def sums(values, power):
        """Sum over each bin of `values`, times the part of the pixel in the bin to this power."""
        whole = np.add.reduceat(values.ravel(), flat.ravel()).reshape(flat.shape)[
            :, :-1
        ]  # without the last pixel
        cut = values.ravel()[flat]
        ends = cut[:, 1:] * upper**power - cut[:, :-1] * (1 - (1 - lower) ** power)
        return np.where(within, cut[:, 1:] * (upper - lower) ** power, whole + ends)

    covered = sums(good * width, 1)
    mean = sums(np.where(good, flux, 0) * width, 1)
    variance = sums((np.where(good, error, 0) * width) ** 2, 2).clip(0)
    enough = covered >= max(least_coverage, 1e-9) * np.diff(edges, axis=1) * (1 - 1e-9)
    covered = np.where(enough, covered, 1)
    return np.where(enough, mean / covered, 0), np.where(
        enough, np.sqrt(variance) / covered, np.inf
    )


@dataclass(frozen=True)
class Normaliser:
    """Scale of spectra that a network likes: each is divided by its own brightness, and then standardised.

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
            Whether each bin has its own standard deviation, or all the same: their root mean square.

        Raises
        ------
        ValueError
            If flux is not finite, no bin is in the window, a brightness is not positive or bins do not vary.
        """
        wavelength, flux = np.asarray(wavelength), np.asarray(flux, dtype=float)
        inside = (wavelength >= window[0]) & (wavelength <= window[1])
        if not inside.any():
            raise ValueError(
                f"expected bins in the window of {window[0]}-{window[1]} Å, found {wavelength.min():.0f}-"
                f"{wavelength.max():.0f} Å: choose another window"
            )
        scaled = flux / cls(
            inside, np.zeros(len(wavelength)), np.ones(len(wavelength))
        )._brightness(flux)
        deviation = scaled.std(axis=0)
        if not per_bin:
            deviation = np.full_like(deviation, np.sqrt(np.mean(deviation**2)))
        if not (deviation > 0).all():
            raise ValueError(
                f"expected spectra that differ, found {len(flux)} that do not: give more of them"
            )
        return cls(inside, scaled.mean(axis=0), deviation)

    def _brightness(self, flux):
        """Mean flux in the window, shape (n, 1), of spectra that are what they must be."""
        if flux.ndim != 2 or flux.shape[1] != len(self.window):
            raise ValueError(
                f"expected flux of shape (n, {len(self.window)}), found {flux.shape}: use the grid of fit()"
            )
        if bad := int((~np.isfinite(flux)).any(axis=1).sum()):
            raise ValueError(
                f"expected finite flux, found {bad} spectra with NaN or inf: see rebin() and clean()"
            )
        brightness = flux[:, self.window].mean(axis=1, keepdims=True)
        if bad := int((brightness <= 0).sum()):
            raise ValueError(
                f"expected a positive flux in the window, found {bad} spectra without: remove them"
            )
        return brightness

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
        brightness = self._brightness(flux)
        return (flux / brightness - self.mean) / self.deviation, brightness

    def inverse(self, values, brightness=1.0):
        """Flux of normalised spectra.

        Parameters
        ----------
        values : array, shape (n, n_bins)
            As `transform` gives them, or a generator. Where they were float32 in between, the flux is back to 1e-6 of
            the brightness.
        brightness : float or array, shape (n, 1)
            As `transform` gives it; 1 for flux relative to it.

        Returns
        -------
        numpy.ndarray of float64, shape (n, n_bins)
        """
        return (np.asarray(values, dtype=float) * self.deviation + self.mean) * brightness
