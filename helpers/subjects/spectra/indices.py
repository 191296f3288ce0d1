"""Line indices of many spectra at once: the 4000 Å break, Hδ_A, equivalent widths of emission lines.

Spectra are in the rest frame, on one grid of wavelengths in vacuum. A pixel reaches half-way to its neighbours, and
pixels at the edge of a band count with the part that lies inside: the grid may be SDSS's own (1 to 2 Å) or a coarser
one (some 7 Å). A pixel is bad if its flux is not finite, or its error zero, negative or not finite; bad pixels are
left out, and a band counts as measured if good pixels cover at least `COVERAGE` of it.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from helpers.astro.lines import air_to_vacuum

COVERAGE = 0.9  # least part of each band that good pixels must cover


@dataclass(frozen=True)
class Bands:
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
    Balogh et al. (1999, ApJ 527, 54), after Bruzual (1983, ApJ 273, 105). Their bands are taken to be in air.
    """
    grid = _Grid(wavelength, flux, error, BREAK[0][0], BREAK[1][1])
    grid.flux = grid.flux * (grid.wavelength / 4000) ** 2  # per frequency
    grid.variance = grid.variance * (grid.wavelength / 4000) ** 4
    (blue, blue_weights), (red, red_weights) = (grid.mean(band) for band in BREAK)
    positive = (blue > 0) & (red > 0)
    ratio = np.where(positive, red, np.nan) / np.where(positive, blue, np.nan)
    gradient = (red_weights - ratio[:, None] * blue_weights) / blue[:, None]
    return grid.result(ratio, gradient)


def hdelta_a(wavelength, flux, error=None):
    """Index Hδ_A: equivalent width of Hδ in Å, positive for absorption.

    Worthey & Ottaviani (1997, ApJS 111, 377), at the resolution of the spectrum and not at that of the Lick system.
    Parameters, returns and raises as `d4000`.
    """
    return _equivalent_width(wavelength, flux, error, HDELTA_A)


def equivalent_width(wavelength, flux, line, error=None):
    """Equivalent width of an emission line in Å, **positive for emission**.

    Net of the absorption under it: nothing is corrected for the stars. Where lines are broader than the bands or the
    grid is coarse, Hα and [N II] share some of their flux.

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
        raise ValueError(
            f"expected a line of {', '.join(EMISSION)}, found {line!r}: choose one of them"
        )
    value, error = _equivalent_width(wavelength, flux, error, EMISSION[line])
    return -value, error


def measure(wavelength, flux, error=None):
    """All indices of many spectra as a table.

    Parameters
    ----------
    wavelength, flux, error
        As `d4000`, with flux of shape (n, n_pix).

    Returns
    -------
    pandas.DataFrame
        One row a spectrum. Columns ``D4000``, ``Hdelta_A`` (Å, positive for absorption), ``EW_OII``, ``EW_Hbeta``,
        ``EW_OIII``, ``EW_Halpha``, ``EW_NII``, ``EW_SII`` (Å, positive for emission); the same with ``_error`` where
        an error is given. An index is left out if the grid does not reach over its bands, and NaN for a spectrum in
        which it cannot be measured; both are said in one line.

    Raises
    ------
    ValueError
        If shapes do not agree, or the grid reaches over no index.
    """
    flux, error = np.atleast_2d(flux), None if error is None else np.atleast_2d(error)
    lower, upper = _check(wavelength, flux, error)[2][[0, -1]]
    indices = {
        "D4000": (BREAK[0][0], BREAK[1][1], d4000),
        "Hdelta_A": (HDELTA_A.blue[0], HDELTA_A.red[1], hdelta_a),
    }
    for line, bands in EMISSION.items():
        indices[f"EW_{line}"] = bands.blue[0], bands.red[1], partial(equivalent_width, line=line)
    within = [name for name, (start, end, _) in indices.items() if lower <= start and end <= upper]
    if not within:
        raise ValueError(
            f"expected a grid that reaches over the bands of an index, found {lower:.0f}-{upper:.0f} Å: "
            "shift the spectra to the rest frame, in Å"
        )
    table = {}
    for name in within:
        value, sigma = indices[name][2](wavelength, flux, error=error)
        table |= {name: value} if sigma is None else {name: value, f"{name}_error": sigma}
    table = pd.DataFrame(table)
    if left_out := [name for name in indices if name not in within]:
        print(
            f"indices: {', '.join(left_out)} left out, the grid covers only {lower:.0f}-{upper:.0f} Å"
        )
    if missing := int(table[within].isna().any(axis=1).sum()):
        print(
            f"indices: {missing} of {len(table)} spectra lack an index (NaN): bad pixels, or a continuum not positive"
        )
    return table


def _check(wavelength, flux, error):
    """The grid, the flux and the edges of the pixels, shape (n_pix + 1,); raise ValueError if they do not agree."""
    wavelength, flux = np.asarray(wavelength, float), np.asarray(flux)
    if wavelength.ndim != 1 or len(wavelength) < 2 or not np.all(np.diff(wavelength) > 0):
        raise ValueError(
            f"expected increasing wavelengths, shape (n_pix,), found shape {wavelength.shape}: sort them"
        )
    if flux.ndim == 0 or flux.shape[-1] != len(wavelength):
        raise ValueError(
            f"expected flux of shape (n, {len(wavelength)}), found {flux.shape}: bring all spectra to one grid"
        )
    if error is not None and np.shape(error) != flux.shape:
        raise ValueError(
            f"expected errors of shape {flux.shape}, found {np.shape(error)}: give one for each pixel"
        )
    middle = (wavelength[1:] + wavelength[:-1]) / 2
    return (
        wavelength,
        flux,
        np.r_[2 * wavelength[0] - middle[0], middle, 2 * wavelength[-1] - middle[-1]],
    )


class _Grid:
    """Checked spectra, cut to a range of wavelengths, and the means over bands of them."""

    def __init__(self, wavelength, flux, error, lower, upper):
        wavelength, flux, edges = _check(wavelength, flux, error)
        if not (edges[0] <= lower and upper <= edges[-1]):
            raise ValueError(
                f"expected wavelengths from {lower:.1f} to {upper:.1f} Å, found {wavelength[0]:.1f} to "
                f"{wavelength[-1]:.1f}: shift the spectra to the rest frame, or leave this index out"
            )
        near = slice(np.searchsorted(edges, lower, "right") - 1, np.searchsorted(edges, upper))
        self.shape, self.has_error = flux.shape[:-1], error is not None
        self.wavelength, self.edges = wavelength[near], edges[near.start : near.stop + 1]
        self.flux = flux[..., near].reshape(-1, near.stop - near.start).astype(float)
        sigma = np.ones_like(self.flux)
        if error is not None:
            sigma[:] = np.asarray(error)[..., near].reshape(sigma.shape)
        self.good = np.isfinite(self.flux) & np.isfinite(sigma) & (sigma > 0)
        self.flux, self.variance = (
            np.where(self.good, self.flux, 0),
            np.where(self.good, sigma, 0) ** 2,
        )

    def widths(self, band):
        """How much of each pixel lies in the band, in Å, shape (n_pix,)."""
        return np.clip(
            np.minimum(self.edges[1:], band[1]) - np.maximum(self.edges[:-1], band[0]), 0, None
        )

    def weights(self, band):
        """Weights of the pixels in a mean over the band; their sum is 1, or NaN if too little is covered."""
        widths = self.widths(band) * self.good
        covered = widths.sum(axis=1)
        covered[covered < COVERAGE * (band[1] - band[0]) * (1 - 1e-9)] = np.nan
        return widths / covered[:, None]

    def mean(self, band):
        """Mean flux in the band, shape (n,), and the weights, shape (n, n_pix)."""
        weights = self.weights(band)
        return (weights * self.flux).sum(axis=1), weights

    def result(self, value, gradient):
        """Value and error, by the gradient of the value with respect to the flux of each pixel."""
        if not self.has_error:
            return value.reshape(self.shape), None
        return value.reshape(self.shape), np.sqrt(
            (gradient**2 * self.variance).sum(axis=1)
        ).reshape(self.shape)


def _equivalent_width(wavelength, flux, error, bands):
    """Equivalent width in Å, positive for absorption, under a straight line through the means beside it."""
    grid = _Grid(wavelength, flux, error, bands.blue[0], bands.red[1])
    (blue, blue_weights), (red, red_weights) = grid.mean(bands.blue), grid.mean(bands.red)
    middle = np.mean(bands.blue), np.mean(bands.red)
    # Middle of the part of each pixel that is in the line's band, so that cut pixels meet the right continuum
    inside = (np.clip(grid.edges[:-1], *bands.line) + np.clip(grid.edges[1:], *bands.line)) / 2
    slope = (inside - middle[0]) / (middle[1] - middle[0])
    continuum = blue[:, None] * (1 - slope) + red[:, None] * slope
    in_line = grid.widths(bands.line) > 0
    continuum[~np.all((continuum > 0) | ~in_line, axis=1)] = np.nan
    weights = grid.weights(bands.line) * (bands.line[1] - bands.line[0])
    depth = weights / continuum  # with weights of zero outside the line
    value = (weights - depth * grid.flux).sum(axis=1)
    by_continuum = depth * grid.flux / continuum
    gradient = -depth
    gradient += (by_continuum * (1 - slope)).sum(axis=1)[:, None] * blue_weights
    gradient += (by_continuum * slope).sum(axis=1)[:, None] * red_weights
    return grid.result(value, gradient)
