"""The floor: what the best possible estimator still gets wrong on the simulated catalogue.

The simulator knows the templates, the distribution of all properties, the noise, and who gets a
spectroscopic redshift. So p(z | fluxes) can be written down, and its mean is the estimator with the
smallest mean squared error. The integral over galaxies is a sum over a library drawn from the
simulator, weighted by prior and likelihood.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr

from helpers.astro import seds
from helpers.evaluation import distributions
from helpers.subjects.photoz import mock
from helpers.subjects.photoz.columns import BANDS, FIELDS

LOG_RANGE = (np.log1p(mock.LOWEST), np.log1p(mock.HIGHEST))
GRID = np.expm1(np.linspace(*LOG_RANGE, 341))  # edges of the cells of redshift
NEGLIGIBLE = 60.0  # members whose χ² is so much above the smallest one are left out
LEAST_LOG_MASS = 9  # of `helpers.subjects.photoz.data.selected`
# Gauss-Hermite, for the luminosity: places in standard deviations, and weights
NODES = (-np.sqrt(3), 0.0, np.sqrt(3))
NODE_WEIGHTS = (1 / 6, 2 / 3, 1 / 6)
AT_A_TIME = 32  # galaxies


class Library(NamedTuple):
    """Galaxies of the simulator that observed ones are compared with.

    Attributes
    ----------
    galaxies : dict of str to array, shape (n,)
        As `mock.draw_shapes`, with "quiescent".
    flux : numpy.ndarray of float32, shape (n, 5)
        Of a member with the magnitude 0.
    """

    galaxies: dict
    flux: np.ndarray


@cache
def library(n, seed):
    """Draw members of the library.

    Redshifts are even in ln(1 + z), and half of the members form no stars; the weights make up for
    both.

    Parameters
    ----------
    n, seed : int

    Returns
    -------
    Library
    """
    rng = np.random.default_rng([seed, 5])
    low, high = LOG_RANGE
    places = np.arange(n) + rng.random(n)
    z = np.expm1(low + (high - low) * places / n)
    quiescent = rng.random(n) < 0.5
    galaxies = mock.draw_shapes(z, quiescent, rng) | {"quiescent": quiescent}
    flux = seds.dimming(z)[:, None] * mock.model_colours(galaxies)
    return Library(galaxies, flux.astype(np.float32))


def log_prior(galaxies, magnitude, magnitude_f160w, spectroscopic):
    """Logarithm of the density of members per ln(1 + z) and magnitude, with the selection.

    Up to a constant.

    Parameters
    ----------
    galaxies : dict of str to array, shape (n,)
    magnitude, magnitude_f160w : array, shape (n,)
        Absolute, at `seds.REFERENCE`, and apparent, both free of noise.
    spectroscopic : bool
        Whether only galaxies with a spectroscopic redshift and log mass above 9 are meant.
    """
    z = galaxies["z"]
    fraction = mock.quiescent_fraction(z, magnitude)
    of_kind = np.where(galaxies["quiescent"], fraction, 1 - fraction)
    density = mock.log_density(z, magnitude) + np.log1p(z)
    density += np.log(of_kind)
    if spectroscopic:
        density += np.log(mock.spectroscopic_chance(z, magnitude_f160w))
        mass = mock.log_mass({"magnitude": magnitude, "type": galaxies["type"]})
        density += log_ndtr((mass - LEAST_LOG_MASS) / mock.MASS_SCATTER)
    return density


def posterior(data, n=100_000, seed=0, spectroscopic=True):
    """The posterior distributions of redshift of simulated galaxies, given their fluxes.

    Parameters
    ----------
    data : helpers.subjects.photoz.data.Catalogue
        Simulated by `helpers.subjects.photoz.mock`.
    n, seed : int
        Size and seed of the library.
    spectroscopic : bool
        Whether they were selected by `helpers.subjects.photoz.data.selected`; else only by the
        limit of the catalogue.

    Returns
    -------
    cumulative : numpy.ndarray, shape (number of galaxies, n_z)
        On `GRID`, as in `helpers.evaluation.distributions`.
    effective : numpy.ndarray, shape (number of galaxies,)
        Effective number of members, (Σ w)² / Σ w²: where it is small, the sum is a rough one.

    Raises
    ------
    ValueError
        If the catalogue is a real one, of which nobody knows the truth.

    Notes
    -----
    The calibration error of 3 % is taken relative to the observed flux, not the true one,
    which is right to first order.
    """
    if not data.mock:
        found = "found a real one: nobody knows its true distributions"
        raise ValueError(f"expected a simulated catalogue, {found}")
    members = library(n, seed)
    squared = members.flux**2
    n_cells = len(GRID) - 1
    cell = np.searchsorted(GRID, members.galaxies["z"], side="right") - 1
    flux, weight = _calibrated(data)
    cumulative = np.zeros((len(data), len(GRID)))
    effective = np.empty(len(data))
    for start in range(0, len(data), AT_A_TIME):
        some = slice(start, start + AT_A_TIME)
        overlap = (weight[some] * flux[some]) @ members.flux.T
        strength = weight[some] @ squared.T
        # χ² of nothing minus that of the member
        gain = np.maximum(overlap, 0) ** 2 / strength
        for row in range(len(gain)):
            likely = gain[row] > gain[row].max() - NEGLIGIBLE
            near = np.flatnonzero(likely & (overlap[row] > 0))
            fit = _Fit(near, overlap[row, near], strength[row, near])
            chance = _chances(members, fit, spectroscopic)
            galaxy = start + row
            squares = np.square(chance).sum()
            effective[galaxy] = chance.sum() ** 2 / squares
            mass = np.bincount(cell[near], chance, minlength=n_cells)
            cumulative[galaxy, 1:] = np.cumsum(mass / mass.sum())
    return cumulative.clip(0, 1), effective


def _calibrated(data):
    """Fluxes at the true zero points, 0 where missing, and inverse variances: float32, (n, 5)."""
    names = list(FIELDS)
    place = [names.index(name) for name in data.field]
    scale = mock.zero_points()[place]
    flux = data.flux / scale
    error = data.error / scale
    variance = error**2 + (mock.CALIBRATION * flux) ** 2
    weight = np.where(np.isfinite(flux), 1 / variance, 0.0)
    flux = np.nan_to_num(flux)
    return flux.astype(np.float32), weight.astype(np.float32)


class _Fit(NamedTuple):
    """Members of the library near to one galaxy in χ², which is quadratic in their luminosity.

    Attributes
    ----------
    members : numpy.ndarray of int, shape (n,)
    overlap, strength : numpy.ndarray, shape (n,)
        Σ w f m and Σ w m².
    """

    members: np.ndarray
    overlap: np.ndarray
    strength: np.ndarray


def _chances(library, fit, spectroscopic):
    """Weight of each member, with its luminosity integrated out."""
    near = fit.members
    overlap = fit.overlap.astype(float)
    strength = fit.strength.astype(float)
    best = overlap / strength
    width = strength**-0.5
    galaxies = {name: values[near] for name, values in library.galaxies.items()}
    in_f160w = library.flux[near, BANDS.index("F160W")]
    total = np.zeros(len(near))
    for shift, share in zip(NODES, NODE_WEIGHTS, strict=True):
        amplitude = np.maximum(best + shift * width, 1e-3 * best)
        magnitude = -2.5 * np.log10(amplitude)
        seen = mock.magnitude_of(amplitude * in_f160w)
        prior = log_prior(galaxies, magnitude, seen, spectroscopic)
        total += share * np.exp(prior - 30) * width / amplitude  # dM ∝ da / a
    gain = overlap * best
    return total * np.exp((gain - gain.max()) / 2)


def estimate(cumulative):
    """Mean and median of posteriors on `GRID`.

    They are the estimators with the smallest squared and absolute error.
    """
    return {
        "mean": distributions.mean(GRID, cumulative),
        "median": distributions.quantile(GRID, cumulative, 0.5),
    }
