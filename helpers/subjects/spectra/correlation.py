"""Redshifts by cross-correlation with templates, after Tonry & Davis (1979, AJ 84, 1511).

Of each spectrum and each template the continuum is removed, deviations are clipped, both ends are apodised, and the
rest is band-passed and correlated by FFT on a grid of equal steps in log wavelength, on which a redshift is a shift.

Emission lines are not masked, because in star-forming galaxies they carry the redshift, but they, cosmic rays and the
residuals of sky lines are clipped at `CLIP` times the typical deviation: none of them alone may decide.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.fft
from scipy.interpolate import make_interp_spline, make_lsq_spline
from scipy.signal.windows import tukey

from helpers.astro.constants import SPEED_OF_LIGHT

REDSHIFTS = (-0.01, 0.6)  # searched unless told otherwise
CONTINUUM = 0.06  # distance of the knots of the continuum's spline, dex (15 %)
CLIP = 5.0  # in units of 1.48 times the median absolute deviation
APODISED = 0.05  # part of the spectrum at each end under a half cosine
# Wavelengths (dex, one full wave) that the band-pass begins to take in, takes in fully, still does, no longer does.
# Broader ones are left over from the continuum; narrower ones are noise, below the resolution and the width of the
# lines of a galaxy (SDSS: 70 km/s or 1e-4 dex, and 100 to 300 km/s).
BAND = (0.06, 0.03, 8e-4, 4e-4)
BLOCK = 64  # spectra correlated at a time: some 100 MB


@dataclass(frozen=True)
class Redshifts:
    """What the cross-correlation found, for n spectra and k templates.

    Attributes
    ----------
    names : tuple of str
        Of the templates.
    redshift, r, height, velocity_error : numpy.ndarray, shape (n, k)
        Redshift of the highest peak with each template; r of Tonry & Davis, its height over the typical height of
        other peaks; the height, about 1 for spectra that are alike; and the error in km/s.
    n_bad : numpy.ndarray of int, shape (n,)
        Number of pixels that were bad and interpolated over.
    """

    names: tuple
    redshift: np.ndarray
    r: np.ndarray
    height: np.ndarray
    velocity_error: np.ndarray
    n_bad: np.ndarray

    @property
    def table(self):
        """The best template of each spectrum, by r: columns template, redshift, r, velocity_error, n_bad."""
        best = self.r.argmax(axis=1)
        rows = np.arange(len(best))
        columns = {
            name: getattr(self, name)[rows, best] for name in ("redshift", "r", "velocity_error")
        }
        return pd.DataFrame(
            {"template": np.array(self.names)[best], **columns, "n_bad": self.n_bad}
        )


def cross_correlate(wavelength, flux, templates, error=None, redshifts=REDSHIFTS):
    """Redshifts of many spectra by their cross-correlation with templates.

    Parameters
    ----------
    wavelength : array, shape (n_pix,)
        In vacuum, Å, increasing. A grid that is not equal in log wavelength is rebinned to one that is, of as many
        pixels.
    flux : array, shape (n, n_pix) or (n_pix,)
        In any unit.
    templates : tuple of (wavelength, flux, names)
        Rest wavelengths in vacuum, shape (m,), flux of shape (k, m), k names. Rebinned to the step of the spectra.
    error : array of the shape of flux, optional
        Standard deviations. They do not weigh, but say which pixels are bad: zero, negative or not finite. So is
        flux that is not finite.
    redshifts : (float, float)
        Lowest and highest redshift to look for.

    Returns
    -------
    Redshifts

    Raises
    ------
    ValueError
        If shapes do not agree, a spectrum is bad in more than half of its pixels or has no structure (say which), or
        templates and spectra do not overlap at these redshifts.

    Notes
    -----
    The antisymmetric part of the correlation function about its peak is noise, and what is symmetric holds as much:
    r = height / (sqrt(2) sigma), with sigma the rms of the antisymmetric part. It is taken up to half a spectrum's
    length to either side. The error is 3/8 of the width of the peak at half height / (1 + r) (Kurtz & Mink 1998, PASP
    110, 934), without the error of the wavelengths.
    """
    flux, good = _check(wavelength, flux, error, "spectra")
    template_wavelength, template_flux, names = templates
    template_flux, template_good = _check(template_wavelength, template_flux, None, "templates")
    if len(names) != len(template_flux):
        raise ValueError(
            f"expected {len(template_flux)} names of templates, found {len(names)}: give one for each"
        )
    low, high = np.log10(1 + np.asarray(redshifts, float))
    grid = _log_grid(wavelength)
    half = grid.n // 2
    # Templates serve where spectra can come to lie, and half a spectrum further for the antisymmetric part
    reach = half * grid.step
    template_grid = _log_grid(
        template_wavelength, grid.step, grid.start - high - reach, grid.end - low + reach
    )
    overlap = grid.start - high < template_grid.end and template_grid.start < grid.end - low
    if not (low < high and overlap and template_grid.n >= 16):
        raise ValueError(
            f"expected redshifts, lowest first, at which spectra and templates overlap, found {tuple(redshifts)}: "
            "widen the range, and look whether both wavelengths are in Å"
        )
    zero = grid.start - template_grid.start  # log10(1 + z) at a lag of zero
    first, last = int(np.ceil((low - zero) / grid.step)), int(np.floor((high - zero) / grid.step))
    lags = np.arange(
        first - half, last + half + 1
    )  # in pixels: the search and half a spectrum to either side
    needed = (
        max(grid.n + template_grid.n, lags[-1] + template_grid.n, grid.n - lags[0]) + 1
    )  # nothing wraps round
    n_fft = scipy.fft.next_fast_len(int(needed), real=True)
    transforms = _transform(
        template_wavelength, template_flux, template_good, template_grid, n_fft, "templates"
    )
    conjugate, norm = transforms.conj(), _norm(transforms, grid.n, n_fft)[..., lags % n_fft]
    found = []
    for row in range(0, len(flux), BLOCK):
        rows = slice(row, row + BLOCK)
        spectra = _transform(wavelength, flux[rows], good[rows], grid, n_fft, "spectra", row)
        correlation = scipy.fft.irfft(spectra[:, None] * conjugate, n_fft)[..., lags % n_fft] / norm
        found.append(_peaks(correlation, half))
    lag, height, r, width = (
        np.concatenate(parts).astype(float) for parts in zip(*found, strict=True)
    )
    redshift = 10 ** (zero + grid.step * (lag + lags[0])) - 1
    velocity_error = 3 / 8 * width * grid.step * np.log(10) * SPEED_OF_LIGHT / (1 + r)
    return Redshifts(tuple(names), redshift, r, height, velocity_error, np.sum(~good, axis=1))


class _LogGrid(NamedTuple):
    """Pixels of equal steps in log10 of the wavelength: the middle of the first, the step (dex), their number."""

    start: float
    step: float
    n: int

    @property
    def end(self):
        return self.start + self.step * (self.n - 1)

    @property
    def edges(self):
        """Wavelengths of the edges of the pixels in Å, shape (n + 1,)."""
        return 10 ** (self.start + self.step * (np.arange(self.n + 1) - 0.5))


def _log_grid(wavelength, step=None, start=-np.inf, end=np.inf):
    """A grid in log wavelength over this range: where the wavelengths lie on one of this step, their own pixels."""
    x = np.log10(wavelength)
    own = (x[-1] - x[0]) / (len(x) - 1)
    step = step or own
    start, end = max(start, x[0]), min(end, x[-1])
    skipped = np.ceil((start - x[0]) / step - 1e-6)
    return _LogGrid(
        x[0] + skipped * step, step, int(max(0, np.floor((end - x[0]) / step - skipped + 1e-6) + 1))
    )


def _check(wavelength, flux, error, what):
    """Flux of shape (n, n_pix), and which of its pixels are good; raise ValueError if they cannot be used."""
    x = np.asarray(wavelength, float)
    if x.ndim != 1 or len(x) < 16 or not (np.all(np.diff(x) > 0) and x[0] > 0):
        raise ValueError(
            f"expected for the {what} 16 or more increasing wavelengths, found an array of shape {x.shape}: "
            "give one grid for all, in Å"
        )
    try:
        flux = np.atleast_2d(np.asarray(flux))
        good = np.isfinite(flux)
    except (TypeError, ValueError):
        raise ValueError(
            f"expected {what} of one length, found several: bring them to one grid first"
        ) from None
    if flux.ndim != 2 or flux.shape[1] != len(x) or not len(flux):
        raise ValueError(
            f"expected {what} of shape (n, {len(x)}), found {flux.shape}: bring them to one grid first"
        )
    if error is not None:
        error = np.atleast_2d(error)
        if error.shape != flux.shape:
            raise ValueError(
                f"expected errors of shape {flux.shape}, found {error.shape}: give one for each pixel"
            )
        good &= np.isfinite(error) & (error > 0)
    _raise_for(
        good.mean(axis=1) < 0.5,
        what,
        "good in at least half of their pixels",
        "bad (NaN, or no valid error)",
    )
    return flux, good


def _raise_for(bad, what, expected, found, offset=0):
    if bad.any():
        rows = ", ".join(str(row + offset) for row in np.flatnonzero(bad)[:5]) + (
            " ..." if bad.sum() > 5 else ""
        )
        raise ValueError(
            f"expected {what} {expected}, found {bad.sum()} {found}, rows {rows}: remove them first"
        )


def _transform(wavelength, flux, good, grid, n_fft, what, offset=0):
    """Fourier transforms of prepared spectra, band-passed and of unit sum of squares, shape (n, n_fft // 2 + 1)."""
    flux = flux.astype(float)
    for row in np.flatnonzero(~good.all(axis=1)):
        flux[row] = np.interp(wavelength, wavelength[good[row]], flux[row, good[row]])
    flux = _rebin(wavelength, flux, grid)
    x = np.arange(grid.n) * grid.step
    knots = np.linspace(0, x[-1], max(1, round(x[-1] / CONTINUUM)) + 1)
    knots = np.r_[[0] * 3, knots, [x[-1]] * 3]
    scale = np.abs(flux).max(axis=1, keepdims=True)
    flux /= np.where(scale > 0, scale, 1)
    for _ in range(3):  # what is clipped shall not pull the continuum either
        continuum = make_lsq_spline(x, flux.T, knots)(x).T
        deviation = 1.4826 * np.median(np.abs(flux - continuum), axis=1, keepdims=True)
        flux = continuum + np.clip(flux - continuum, -CLIP * deviation, CLIP * deviation)
    _raise_for(deviation[:, 0] < 1e-7, what, "with structure", "without (constant or zero)", offset)
    flux = (flux - continuum) / deviation * tukey(grid.n, 2 * APODISED)
    transform = scipy.fft.rfft(flux.astype(np.float32), n_fft) * _band_pass(n_fft, grid.step)
    square = np.sum(np.abs(transform) ** 2, axis=1, keepdims=True) * (
        2 / n_fft
    )  # both halves of the spectrum
    return transform / np.sqrt(square)


def _norm(transforms, n, n_fft):
    """Root of the sum of squares of the templates where spectra of n pixels lie over them, at each lag.

    Divided by it, the correlation with noise has the same rms at all lags, and like spectra correlate to about 1. At
    least a third of its highest value, so that a sliver of a template does not count as a whole one.
    """
    square = scipy.fft.rfft(scipy.fft.irfft(transforms, n_fft) ** 2).conj()
    window = scipy.fft.rfft((tukey(n, 2 * APODISED) ** 2).astype(np.float32), n_fft)
    norm = np.sqrt(np.maximum(scipy.fft.irfft(window * square, n_fft), 0))
    return np.maximum(norm, norm.max(axis=-1, keepdims=True) / 3)


def _rebin(wavelength, flux, grid):
    """Mean flux in the pixels of the grid; the flux itself where the pixels are the same."""
    position = (np.log10(wavelength) - grid.start) / grid.step
    first = int(round(-position[0]))
    own = position[first : first + grid.n]
    if len(own) == grid.n and np.abs(own - np.arange(grid.n)).max() < 0.1:
        return flux[:, first : first + grid.n]
    middle = (wavelength[1:] + wavelength[:-1]) / 2
    edges = np.r_[2 * wavelength[0] - middle[0], middle, 2 * wavelength[-1] - middle[-1]]
    integral = np.concatenate(
        [np.zeros((len(flux), 1)), np.cumsum(flux * np.diff(edges), axis=1)], axis=1
    )
    new = np.clip(grid.edges, edges[0], edges[-1])
    return np.diff(make_interp_spline(edges, integral.T, k=1)(new).T, axis=1) / np.diff(new)


def _band_pass(n_fft, step):
    """The filter: 0 to 1 for each frequency of `scipy.fft.rfft`, with ramps of a half cosine."""
    frequency = scipy.fft.rfftfreq(n_fft, step)  # waves per dex
    begin, full, still, end = (1 / width for width in BAND)
    up, down = (frequency - begin) / (full - begin), (end - frequency) / (end - still)
    ramps = (np.sin(np.pi / 2 * np.clip(ramp, 0, 1)) ** 2 for ramp in (up, down))
    return np.prod(list(ramps), axis=0).astype(np.float32)


def _peaks(correlation, half):
    """The highest peak of correlation functions, not looked for within `half` of the ends.

    Returns its lag (with the fraction of a pixel), its height, r and full width at half height, each of shape (n, k).
    """
    inner = correlation[..., half - 1 : correlation.shape[-1] - half + 1]
    is_peak = (inner[..., 1:-1] >= inner[..., :-2]) & (inner[..., 1:-1] > inner[..., 2:])
    peak = np.where(is_peak, inner[..., 1:-1], -np.inf).argmax(axis=-1)[..., None] + half

    def at(lag):
        return np.take_along_axis(correlation, lag, axis=-1)

    left, top, right = at(peak - 1), at(peak), at(peak + 1)
    curvature = left - 2 * top + right
    fraction = np.where(
        curvature < 0, (left - right) / np.where(curvature < 0, 2 * curvature, 1), 0
    )
    height = top - (left - right) * fraction / 4
    lag = peak + fraction
    beside = np.arange(1, half)
    redwards = at(peak + beside)
    antisymmetric = (
        redwards - at(np.rint(2 * lag).astype(int) - peak - beside)
    ) / 2  # mirrored to half a pixel
    sigma = np.sqrt(np.mean(antisymmetric**2, axis=-1, keepdims=True))
    r = height / (np.sqrt(2) * np.where(sigma > 0, sigma, np.inf))
    width = _half_width(redwards, top) + _half_width(at(peak - beside), top)
    return lag[..., 0], height[..., 0], r[..., 0], width


def _half_width(side, top):
    """Pixels from the top to where one side of the peak falls below half of it, between pixels."""
    below = side < top / 2
    first = np.where(below.any(axis=-1), below.argmax(axis=-1), side.shape[-1] - 1)[..., None]
    outside = np.take_along_axis(side, first, axis=-1)
    inside = np.where(first > 0, np.take_along_axis(side, np.maximum(first - 1, 0), axis=-1), top)
    return (first + np.clip((inside - top / 2) / np.maximum(inside - outside, 1e-12), 0, 1))[..., 0]
