"""Redshifts by cross-correlation with templates, after Tonry & Davis (1979, AJ 84, 1511).

Of each spectrum and each template the continuum is removed, deviations are clipped, both ends are
apodised, and the rest is band-passed and correlated by FFT on a grid of equal steps in log
wavelength, on which a redshift is a shift.

Emission lines are not masked, because in star-forming galaxies they carry the redshift, but they,
cosmic rays and the residuals of sky lines are clipped at `CLIP` times the typical deviation: none
of them alone may decide.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.fft
from scipy.interpolate import make_lsq_spline
from scipy.signal.windows import tukey

from helpers.astro.constants import SPEED_OF_LIGHT
from helpers.subjects.spectra import pixels

REDSHIFTS = (-0.01, 0.6)  # searched unless told otherwise
CONTINUUM = 0.06  # distance of the knots of the continuum's spline, dex (15 %)
CLIP = 5.0  # in units of `DEVIATION` times the median absolute deviation
DEVIATION = 1.4826  # standard deviation over median absolute deviation, of normal numbers
CLIPPINGS = 3  # what is clipped shall not pull the continuum either
APODISED = 0.05  # part of the spectrum at each end under a half cosine
# Wavelengths (dex, one full wave) that the band-pass begins to take in, takes in fully, still does,
# no longer does. Broader ones are left over from the continuum; narrower ones are noise, below the
# resolution and the width of the lines of a galaxy (SDSS: 70 km/s or 1e-4 dex, and 100 to 300
# km/s).
BAND = (0.06, 0.03, 8e-4, 4e-4)
LEAST_PIXELS = 16
LEAST_NORM = 1 / 3  # of its highest value
SAME_PIXELS = 0.1  # pixels, that two grids may be apart and count as one
BLOCK = 64  # spectra correlated at a time: some 100 MB


@dataclass(frozen=True)
class Redshifts:
    """What the cross-correlation found, for n spectra and k templates.

    Attributes
    ----------
    names : tuple of str
        Of the templates.
    redshift, r, height, velocity_error : numpy.ndarray, shape (n, k)
        Redshift of the highest peak with each template; r of Tonry & Davis, its height over the
        typical height of other peaks; the height, about 1 for spectra that are alike; and the error
        in km/s.
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
        """The best template of each spectrum by r, with its redshift, r, velocity_error, n_bad."""
        best = self.r.argmax(axis=1)
        rows = np.arange(len(best))
        columns = {
            "template": np.array(self.names)[best],
            "redshift": self.redshift[rows, best],
            "r": self.r[rows, best],
            "velocity_error": self.velocity_error[rows, best],
            "n_bad": self.n_bad,
        }
        return pd.DataFrame(columns)


def cross_correlate(wavelength, flux, templates, error=None, redshifts=REDSHIFTS):
    """Redshifts of many spectra by their cross-correlation with templates.

    Parameters
    ----------
    wavelength : array, shape (n_pix,)
        In vacuum, Å, increasing. A grid that is not equal in log wavelength is rebinned to one that
        is, of as many pixels.
    flux : array, shape (n, n_pix) or (n_pix,)
        In any unit.
    templates : tuple of (wavelength, flux, names)
        Rest wavelengths in vacuum, shape (m,), flux of shape (k, m), k names. Rebinned to the step
        of the spectra.
    error : array of the shape of flux, optional
        Standard deviations. They do not weigh, but say which pixels are bad, see
        `helpers.subjects.spectra.pixels.good`.
    redshifts : (float, float)
        Lowest and highest redshift to look for.

    Returns
    -------
    Redshifts

    Raises
    ------
    ValueError
        If shapes do not agree, a spectrum is bad in more than half of its pixels or has no
        structure (say which), or templates and spectra do not overlap at these redshifts.

    Notes
    -----
    The antisymmetric part of the correlation function about its peak is noise, and what is
    symmetric holds as much: r = height / (sqrt(2) sigma), with sigma the rms of the antisymmetric
    part. It is taken up to half a spectrum's length to either side. The error is 3/8 of the width
    of the peak at half height / (1 + r) (Kurtz & Mink 1998, PASP 110, 934), without the error of
    the wavelengths.
    """
    flux, good = _check(wavelength, flux, error, "spectra")
    template_wavelength, template_flux, names = templates
    template_flux, template_good = _check(template_wavelength, template_flux, None, "templates")
    if len(names) != len(template_flux):
        expected = f"expected {len(template_flux)} names of templates"
        raise ValueError(f"{expected}, found {len(names)}: give one for each")
    search = _search(wavelength, template_wavelength, redshifts)
    transforms = _transform(
        template_wavelength,
        template_flux,
        template_good,
        search.templates,
        search.n_fft,
        "templates",
    )
    norm = _norm(transforms, search.spectra.n, search.n_fft)
    norm = norm[..., search.wrapped]
    conjugate = transforms.conj()
    found = []
    for row in range(0, len(flux), BLOCK):
        rows = slice(row, row + BLOCK)
        spectra = _transform(
            wavelength, flux[rows], good[rows], search.spectra, search.n_fft, "spectra", row
        )
        product = spectra[:, None] * conjugate
        correlation = scipy.fft.irfft(product, search.n_fft)
        correlation = correlation[..., search.wrapped] / norm
        found.append(_peaks(correlation, search.half))
    lag, height, r, width = map(np.concatenate, zip(*found, strict=True))
    width_kms = width * search.spectra.step * np.log(10) * SPEED_OF_LIGHT
    return Redshifts(
        names=tuple(names),
        redshift=search.redshift(lag),
        r=r,
        height=height,
        velocity_error=3 / 8 * width_kms / (1 + r),
        n_bad=np.sum(~good, axis=1),
    )


@dataclass(frozen=True)
class _Search:
    """What is correlated: two grids of one step, and the shifts of one against the other.

    Attributes
    ----------
    spectra, templates : _LogGrid
        Templates are needed where spectra can come to lie, and half a spectrum further, for the
        antisymmetric part.
    lags : numpy.ndarray of int, shape (n_lags,)
        In pixels: those searched, and half a spectrum to either side.
    n_fft : int
        Length of the Fourier transforms, so large that nothing wraps round.
    """

    spectra: "_LogGrid"
    templates: "_LogGrid"
    lags: np.ndarray
    n_fft: int

    @property
    def half(self):
        """Half a spectrum, in pixels."""
        return self.spectra.n // 2

    @property
    def wrapped(self):
        """Where the lags are in a correlation function that an FFT gives."""
        return self.lags % self.n_fft

    def redshift(self, place):
        """Redshift at a place among the lags, which may be between two."""
        at_zero = self.spectra.start - self.templates.start
        lag = place + self.lags[0]
        return 10 ** (at_zero + self.spectra.step * lag) - 1


def _search(wavelength, template_wavelength, redshifts):
    low, high = np.log10(1 + np.asarray(redshifts, float))
    grid = _log_grid(wavelength)
    half = grid.n // 2
    bluest = grid.start - high
    reddest = grid.end - low
    reach = half * grid.step
    templates = _log_grid(template_wavelength, grid.step, bluest - reach, reddest + reach)
    overlap = bluest < templates.end and templates.start < reddest
    if not (low < high and overlap and templates.n >= LEAST_PIXELS):
        raise ValueError(
            "expected redshifts, lowest first, at which spectra and templates overlap, found "
            f"{tuple(redshifts)}: widen the range, and look whether both wavelengths are in Å"
        )
    at_zero = grid.start - templates.start
    first = int(np.ceil((low - at_zero) / grid.step)) - half
    last = int(np.floor((high - at_zero) / grid.step)) + half
    longest = max(grid.n + templates.n, last + templates.n, grid.n - first)
    n_fft = scipy.fft.next_fast_len(longest + 1, real=True)
    return _Search(grid, templates, np.arange(first, last + 1), n_fft)


class _LogGrid(NamedTuple):
    """Pixels of equal steps in log10 of the wavelength: first middle, step, number."""

    start: float
    step: float
    n: int

    @property
    def end(self):
        return self.start + self.step * (self.n - 1)

    @property
    def edges(self):
        """Wavelengths of the edges of the pixels in Å, shape (n + 1,)."""
        place = np.arange(self.n + 1) - 0.5
        return 10 ** (self.start + self.step * place)


def _log_grid(wavelength, step=None, start=-np.inf, end=np.inf):
    """A grid in log wavelength over this range.

    Where the wavelengths lie on one of this step, it has their own pixels.
    """
    first, *_, last = np.log10(wavelength)
    if step is None:
        step = (last - first) / (len(wavelength) - 1)
    start = max(start, first)
    end = min(end, last)
    skipped = np.ceil((start - first) / step - 1e-6)
    n = np.floor((end - first) / step - skipped + 1e-6) + 1
    return _LogGrid(first + skipped * step, step, int(max(0, n)))


def _check(wavelength, flux, error, what):
    """Flux of shape (n, n_pix), and which of its pixels are good, or else ValueError."""
    x = np.asarray(wavelength, float)
    several = x.ndim == 1 and len(x) >= LEAST_PIXELS
    if not several or not np.all(np.diff(x, prepend=0) > 0):
        expected = f"expected for the {what} {LEAST_PIXELS} or more increasing wavelengths"
        found = f"found an array of shape {x.shape}"
        raise ValueError(f"{expected}, {found}: give one grid for all, in Å")
    flux = _one_length(flux, what)
    if flux.ndim != 2 or flux.shape[1] != len(x) or not len(flux):
        expected = f"expected {what} of shape (n, {len(x)})"
        raise ValueError(f"{expected}, found {flux.shape}: bring them to one grid first")
    error = np.ones(flux.shape) if error is None else np.atleast_2d(error)
    if error.shape != flux.shape:
        expected = f"expected errors of shape {flux.shape}"
        raise ValueError(f"{expected}, found {error.shape}: give one for each pixel")
    good = pixels.good(flux, error)
    bad = good.mean(axis=1) < 0.5
    _raise_for(bad, what, "good in at least half of their pixels", "bad (NaN, or no valid error)")
    return flux, good


def _one_length(flux, what):
    """Flux as an array of numbers with two axes, or else ValueError."""
    try:
        flux = np.atleast_2d(np.asarray(flux))
        np.isfinite(flux)
    except (TypeError, ValueError):
        expected = f"expected {what} of one length"
        raise ValueError(f"{expected}, found several: bring them to one grid first") from None
    return flux


def _raise_for(bad, what, expected, found, offset=0):
    if bad.any():
        first = np.flatnonzero(bad)[:5] + offset
        rows = ", ".join(map(str, first))
        more = " ..." if bad.sum() > 5 else ""
        found = f"found {bad.sum()} {found}, rows {rows}{more}"
        raise ValueError(f"expected {what} {expected}, {found}: remove them first")


def _transform(wavelength, flux, good, grid, n_fft, what, offset=0):
    """Fourier transforms of prepared spectra, of unit sum of squares, shape (n, n_fft // 2 + 1)."""
    flux = flux.astype(float)
    for row in np.flatnonzero(~good.all(axis=1)):
        x = wavelength[good[row]]
        y = flux[row, good[row]]
        flux[row] = np.interp(wavelength, x, y)
    flux = _rebin(wavelength, flux, grid)
    scale = np.abs(flux).max(axis=1, keepdims=True)
    flux /= np.where(scale > 0, scale, 1)
    features, deviation = _without_continuum(flux, grid.step)
    _raise_for(deviation[:, 0] < 1e-7, what, "with structure", "without (constant or zero)", offset)
    features = features / deviation * tukey(grid.n, 2 * APODISED)
    transform = scipy.fft.rfft(features.astype(np.float32), n_fft)
    transform *= _band_pass(n_fft, grid.step)
    power = np.abs(transform) ** 2
    both_halves = 2 / n_fft
    square = np.sum(power, axis=1, keepdims=True) * both_halves
    return transform / np.sqrt(square)


def _without_continuum(flux, step):
    """Clipped flux minus a smooth continuum, (n, n_pix), and its typical deviation, (n, 1)."""
    x = np.arange(flux.shape[1]) * step
    end = x[-1]
    intervals = max(1, round(end / CONTINUUM))
    knots = np.linspace(0, end, intervals + 1)
    knots = np.pad(knots, 3, mode="edge")  # of a cubic spline
    for _ in range(CLIPPINGS):
        continuum = make_lsq_spline(x, flux.T, knots)(x).T
        features = flux - continuum
        typical = np.median(np.abs(features), axis=1, keepdims=True)
        deviation = DEVIATION * typical
        flux = continuum + np.clip(features, -CLIP * deviation, CLIP * deviation)
    return flux - continuum, deviation


def _norm(transforms, n, n_fft):
    """Root of the sum of squares of templates where spectra of n pixels lie over them, by lag.

    Divided by it, the correlation with noise has the same rms at all lags, and like spectra
    correlate to about 1. At least a third of its highest value, so that a sliver of a template does
    not count as a whole one.
    """
    templates = scipy.fft.irfft(transforms, n_fft)
    squares = scipy.fft.rfft(templates**2)
    window = tukey(n, 2 * APODISED) ** 2
    weights = scipy.fft.rfft(window.astype(np.float32), n_fft)
    overlapping = scipy.fft.irfft(weights * squares.conj(), n_fft)
    norm = np.sqrt(np.maximum(overlapping, 0))
    highest = norm.max(axis=-1, keepdims=True)
    return np.maximum(norm, highest * LEAST_NORM)


def _rebin(wavelength, flux, grid):
    """Mean flux in the pixels of the grid; the flux itself where the pixels are the same."""
    position = (np.log10(wavelength) - grid.start) / grid.step
    first = int(round(-position[0]))
    own = slice(first, first + grid.n)
    place = position[own]
    if len(place) == grid.n:
        apart = np.abs(place - np.arange(grid.n))
        if apart.max() < SAME_PIXELS:
            return flux[:, own]
    limits = pixels.edges(wavelength)
    bins = np.clip(grid.edges, limits[0], limits[-1])
    bins = np.tile(bins, (len(flux), 1))
    mean, _ = pixels.rebin(limits, flux, np.ones_like(flux), bins)
    return mean


def _band_pass(n_fft, step):
    """The filter: 0 to 1 for each frequency of `scipy.fft.rfft`, with ramps of a half cosine."""
    frequency = scipy.fft.rfftfreq(n_fft, step)  # waves per dex
    begin, full, still, end = (1 / width for width in BAND)
    up = _ramp((frequency - begin) / (full - begin))
    down = _ramp((end - frequency) / (end - still))
    return (up * down).astype(np.float32)


def _ramp(x):
    """A half cosine from 0 at x = 0 to 1 at x = 1."""
    return np.sin(np.pi / 2 * np.clip(x, 0, 1)) ** 2


def _peaks(correlation, half):
    """The highest peak of correlation functions, not looked for within `half` of the ends.

    Returns its place (with the fraction of a pixel), its height, r and full width at half height in
    pixels, each of shape (n, k).
    """
    peak = _highest(correlation, half)

    def at(place):
        return np.take_along_axis(correlation, place, axis=-1)

    top = at(peak)
    fraction, height = _vertex(at(peak - 1), top, at(peak + 1))
    place = peak + fraction
    beside = np.arange(1, half)
    redwards = at(peak + beside)
    mirrored = np.rint(2 * place).astype(int) - peak - beside  # to half a pixel
    antisymmetric = (redwards - at(mirrored)) / 2
    variance = np.mean(antisymmetric**2, axis=-1, keepdims=True)
    variance[variance == 0] = np.inf
    r = height / np.sqrt(2) / np.sqrt(variance)
    width = _half_width(redwards, top) + _half_width(at(peak - beside), top)
    found = (place, height, r, width)
    return tuple(values[..., 0].astype(float) for values in found)


def _highest(correlation, half):
    """Pixel of the highest peak: int, shape (n, k, 1)."""
    end = correlation.shape[-1] - half + 1
    inner = correlation[..., half - 1 : end]
    middle = inner[..., 1:-1]
    left = inner[..., :-2]
    right = inner[..., 2:]
    is_peak = (middle >= left) & (middle > right)
    peaks = np.where(is_peak, middle, -np.inf)
    return peaks.argmax(axis=-1)[..., None] + half


def _vertex(left, top, right):
    """Where the parabola through three pixels is highest, from the middle one, and how high."""
    curvature = left - 2 * top + right
    slope = left - right
    bent = curvature < 0
    twice = np.where(bent, 2 * curvature, 1)
    fraction = np.where(bent, slope / twice, 0)
    return fraction, top - slope * fraction / 4


def _half_width(side, top):
    """Pixels from the top to where one side of the peak falls below half of it: shape (n, k, 1)."""
    below = side < top / 2
    below[..., -1] = True  # if not before, then there
    first = below.argmax(axis=-1)[..., None]
    previous = np.maximum(first - 1, 0)
    outside = np.take_along_axis(side, first, axis=-1)
    before = np.take_along_axis(side, previous, axis=-1)
    inside = np.where(first > 0, before, top)
    between = (inside - top / 2) / np.maximum(inside - outside, 1e-12)
    return first + np.clip(between, 0, 1)
