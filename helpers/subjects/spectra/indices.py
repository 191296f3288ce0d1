"""Line indices of many spectra at once: 4000 Å break, Hδ_A, equivalent widths of emission lines.

Spectra are in the rest frame, on one grid of wavelengths in vacuum. Pixels at the edge of a band
count with the part that lies inside: the grid may be SDSS's own (1 to 2 Å) or a coarser one (some 7
Å). Bad pixels (`helpers.subjects.spectra.pixels.good`) are left out, and a band counts as measured
if good pixels cover at least `COVERAGE` of it.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.astro.lines import air_to_vacuum
from helpers.subjects.spectra import pixels

COVERAGE = 0.9  # least part of each band that good pixels must cover


class Bands(NamedTuple):
    """The bands of a line index, each (lower, upper) in Å in vacuum: continuum, line, continuum."""

    blue: tuple
    line: tuple
    red: tuple


def _from_air(*bands):
    return [tuple(air_to_vacuum(band)) for band in bands]


# Balogh et al. 1999, ApJ 527, 54, sec. 3.1; in air, as indices of the optical are
BREAK = _from_air((3850, 3950), (4000, 4100))
# Worthey & Ottaviani 1997, ApJS 111, 377, table 1
HDELTA_A = Bands(*_from_air((4041.60, 4081.50), (4083.50, 4122.25), (4128.50, 4161.00)))
# Of this course: 10 to 12 Å to either side of the line, the continuum free of other strong lines.
EMISSION = {
    "OII": Bands((3696.0, 3716.0), (3717.0, 3740.0), (3741.0, 3761.0)),  # both lines of the doublet
    "Hbeta": Bands((4798.0, 4838.0), (4851.7, 4873.7), (4885.0, 4925.0)),
    "OIII": Bands((4972.0, 4994.0), (4997.2, 5019.2), (5022.0, 5044.0)),  # 5007 only
    "Halpha": Bands((6490.0, 6530.0), (6554.6, 6574.6), (6605.0, 6645.0)),
    "NII": Bands((6490.0, 6530.0), (6575.3, 6595.3), (6605.0, 6645.0)),  # 6583 only
    "SII": Bands((6660.0, 6695.0), (6706.0, 6745.0), (6755.0, 6790.0)),  # both lines
}


def d4000(wavelength, flux, error=None):
    """Narrow 4000 Å break: mean flux per frequency at 4000-4100 Å over that at 3850-3950 Å.

    Parameters
    ----------
    wavelength : array, shape (n_pix,)
        Rest frame, vacuum, Å, increasing.
    flux : array, shape (..., n_pix)
        Per unit wavelength, in any unit.
    error : array of the shape of flux, optional
        Standard deviation of the flux, independent from pixel to pixel.

    Returns
    -------
    value : numpy.ndarray, shape (...)
        NaN where bad pixels leave a band uncovered, or the mean flux of a band is not positive.
    error : numpy.ndarray, shape (...), or None if no error was given

    Raises
    ------
    ValueError
        If shapes do not agree or the grid does not reach over both bands.

    Notes
    -----
    Balogh et al. (1999, ApJ 527, 54), after Bruzual (1983, ApJ 273, 105). Their bands are
    taken to be in air.
    """
    below, above = BREAK
    cut = _Cut(wavelength, flux, error, below[0], above[1])
    relative = cut.wavelength / 4000
    cut.flux = cut.flux * relative**2  # per frequency
    cut.variance = cut.variance * relative**4
    blue, blue_weights = cut.mean(below)
    red, red_weights = cut.mean(above)
    positive = (blue > 0) & (red > 0)
    blue = np.where(positive, blue, np.nan)
    ratio = red / blue
    gradient = (red_weights - ratio[:, None] * blue_weights) / blue[:, None]
    return cut.result(ratio, gradient)


def hdelta_a(wavelength, flux, error=None):
    """Index Hδ_A: equivalent width of Hδ in Å, positive for absorption.

    Worthey & Ottaviani (1997, ApJS 111, 377), at the resolution of the spectrum and not at that of
    the Lick system. Parameters, returns and raises as `d4000`.
    """
    return _equivalent_width(wavelength, flux, error, HDELTA_A)


def equivalent_width(wavelength, flux, line, error=None):
    """Equivalent width of an emission line in Å, **positive for emission**.

    Net of the absorption under it: nothing is corrected for the stars. Where lines are broader than
    the bands or the grid is coarse, Hα and [N II] share some of their flux.

    Parameters
    ----------
    wavelength, flux, error
        As `d4000`.
    line : str
        A key of `EMISSION`: OII, Hbeta, OIII, Halpha, NII, SII.

    Returns
    -------
    value, error
        As `d4000`; NaN also where the continuum is not positive.

    Raises
    ------
    ValueError
        If the line is not known, shapes do not agree or the grid does not reach over the bands.
    """
    if line not in EMISSION:
        known = ", ".join(EMISSION)
        raise ValueError(f"expected a line of {known}, found {line!r}: choose one of them")
    value, error = _equivalent_width(wavelength, flux, error, EMISSION[line])
    return -value, error


class _Index(NamedTuple):
    """An index: the wavelengths that it needs, from lower to upper in Å, and how it is measured."""

    lower: float
    upper: float
    measure: Callable


INDICES = {
    "D4000": _Index(BREAK[0][0], BREAK[1][1], d4000),
    "Hdelta_A": _Index(HDELTA_A.blue[0], HDELTA_A.red[1], hdelta_a),
}
INDICES |= {
    f"EW_{line}": _Index(bands.blue[0], bands.red[1], partial(equivalent_width, line=line))
    for line, bands in EMISSION.items()
}


def measure(wavelength, flux, error=None):
    """All indices of many spectra as a table.

    Parameters
    ----------
    wavelength, flux, error
        As `d4000`, with flux of shape (n, n_pix).

    Returns
    -------
    pandas.DataFrame
        One row a spectrum. Columns ``D4000``, ``Hdelta_A`` (Å, positive for absorption),
        ``EW_OII``, ``EW_Hbeta``, ``EW_OIII``, ``EW_Halpha``, ``EW_NII``, ``EW_SII`` (Å, positive
        for emission); the same with ``_error`` where an error is given. An index is left out if the
        grid does not reach over its bands, and NaN for a spectrum in which it cannot be measured;
        both are said in one line.

    Raises
    ------
    ValueError
        If shapes do not agree, or the grid reaches over no index.
    """
    flux = np.atleast_2d(flux)
    error = None if error is None else np.atleast_2d(error)
    start, *_, end = _check(wavelength, flux, error)
    covered = f"{start:.0f}-{end:.0f} Å"
    within = {
        name: index
        for name, index in INDICES.items()
        if start <= index.lower and index.upper <= end
    }
    if not within:
        expected = "expected a grid that reaches over the bands of an index"
        raise ValueError(f"{expected}, found {covered}: shift the spectra to the rest frame, in Å")
    columns = {}
    for name, index in within.items():
        columns[name], sigma = index.measure(wavelength, flux, error=error)
        if sigma is not None:
            columns[f"{name}_error"] = sigma
    table = pd.DataFrame(columns)
    left_out = ", ".join(name for name in INDICES if name not in within)
    if left_out:
        print(f"indices: {left_out} left out, the grid covers only {covered}")
    values = table[list(within)]
    missing = values.isna().any(axis=1).sum()
    if missing:
        reasons = "bad pixels, or a continuum not positive"
        print(f"indices: {missing} of {len(table)} spectra lack an index (NaN): {reasons}")
    return table


def _check(wavelength, flux, error):
    """Edges of the pixels, shape (n_pix + 1,), if all shapes agree, or else ValueError."""
    edges = pixels.edges(wavelength)
    n_pix = len(edges) - 1
    shape = np.shape(flux)
    if not shape or shape[-1] != n_pix:
        expected = f"expected flux of shape (n, {n_pix})"
        raise ValueError(f"{expected}, found {shape}: bring all spectra to one grid")
    if error is not None and np.shape(error) != shape:
        expected = f"expected errors of shape {shape}"
        raise ValueError(f"{expected}, found {np.shape(error)}: give one for each pixel")
    return edges


class _Cut:
    """Checked spectra, cut to a range of wavelengths, and the means over bands of them.

    Attributes
    ----------
    wavelength, edges : numpy.ndarray, shape (n_pix,) and (n_pix + 1,)
    flux, variance, good : numpy.ndarray, shape (n, n_pix)
        Flux and variance are 0 where a pixel is not good; the variance is 1 where no error was
        given.
    """

    def __init__(self, wavelength, flux, error, lower, upper):
        wavelength = np.asarray(wavelength, float)
        flux = np.asarray(flux)
        edges = _check(wavelength, flux, error)
        if not (edges[0] <= lower and upper <= edges[-1]):
            expected = f"expected wavelengths from {lower:.1f} to {upper:.1f} Å"
            found = f"found {wavelength[0]:.1f} to {wavelength[-1]:.1f}"
            advice = "shift the spectra to the rest frame, or leave this index out"
            raise ValueError(f"{expected}, {found}: {advice}")
        first = np.searchsorted(edges, lower, "right") - 1
        last = np.searchsorted(edges, upper)
        self._shape = flux.shape[:-1]
        self._has_error = error is not None
        self.wavelength = wavelength[first:last]
        self.edges = edges[first : last + 1]
        n_pix = last - first
        flux = flux[..., first:last].reshape(-1, n_pix)
        flux = flux.astype(float)
        sigma = np.ones_like(flux)
        if error is not None:
            sigma[:] = np.asarray(error)[..., first:last].reshape(-1, n_pix)
        self.good = pixels.good(flux, sigma)
        self.flux = np.where(self.good, flux, 0)
        self.variance = np.where(self.good, sigma, 0) ** 2

    def widths(self, band):
        """How much of each pixel lies in the band, in Å, shape (n_pix,)."""
        lower, upper = band
        return np.diff(np.clip(self.edges, lower, upper))

    def weights(self, band):
        """Weights of pixels in a mean over the band: of sum 1, or NaN if too little is covered."""
        lower, upper = band
        widths = self.widths(band) * self.good
        covered = widths.sum(axis=1)
        needed = COVERAGE * (upper - lower) * (1 - 1e-9)  # rounding shall not decide
        covered[covered < needed] = np.nan
        return widths / covered[:, None]

    def mean(self, band):
        """Mean flux in the band, shape (n,), and the weights, shape (n, n_pix)."""
        weights = self.weights(band)
        return (weights * self.flux).sum(axis=1), weights

    def result(self, value, gradient):
        """Value and error, by the gradient of the value with respect to the flux of each pixel."""
        value = value.reshape(self._shape)
        if not self._has_error:
            return value, None
        variance = (gradient**2 * self.variance).sum(axis=1)
        return value, np.sqrt(variance).reshape(self._shape)


def _equivalent_width(wavelength, flux, error, bands):
    """Equivalent width in Å, positive for absorption, under a line through the means beside it."""
    cut = _Cut(wavelength, flux, error, bands.blue[0], bands.red[1])
    blue, blue_weights = cut.mean(bands.blue)
    red, red_weights = cut.mean(bands.red)
    way = _way_to_red(cut.edges, bands)
    continuum = blue[:, None] * (1 - way) + red[:, None] * way
    beside_line = cut.widths(bands.line) == 0
    positive = np.all((continuum > 0) | beside_line, axis=1)
    continuum[~positive] = np.nan
    lower, upper = bands.line
    weights = cut.weights(bands.line) * (upper - lower)
    by_flux = weights / continuum  # minus the gradient with respect to the flux in the line
    value = (weights - by_flux * cut.flux).sum(axis=1)
    by_continuum = by_flux * cut.flux / continuum
    by_blue = (by_continuum * (1 - way)).sum(axis=1)
    by_red = (by_continuum * way).sum(axis=1)
    gradient = by_blue[:, None] * blue_weights + by_red[:, None] * red_weights - by_flux
    return cut.result(value, gradient)


def _way_to_red(edges, bands):
    """How far each pixel is from the middle of the blue band (0) to that of the red one (1).

    Of a pixel that the band of the line cuts, the part inside counts, so that it meets the right
    continuum.
    """
    blue = np.mean(bands.blue)
    red = np.mean(bands.red)
    inside = np.clip(edges, *bands.line)
    return (pixels.centres(inside) - blue) / (red - blue)
