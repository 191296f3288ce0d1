"""The floor: what the best possible estimator still gets wrong on the simulated catalogue.

The simulator knows the templates, the distribution of all properties, the noise, and who gets a spectroscopic
redshift. So p(z | fluxes) can be written down, and its mean is the estimator with the smallest mean squared error.
The integral over galaxies is a sum over a library drawn from the simulator, weighted by prior and likelihood.
"""

from functools import cache

import numpy as np
from scipy.special import log_ndtr

from helpers.astro import seds
from helpers.evaluation import distributions
from helpers.subjects.photoz import mock
from helpers.subjects.photoz.columns import BANDS

GRID = np.expm1(
    np.linspace(np.log1p(mock.LOWEST), np.log1p(mock.HIGHEST), 341)
)  # edges of the cells of redshift
NEGLIGIBLE = 60.0  # members whose χ² is so much above the smallest one are left out
NODES = (
    (-np.sqrt(3), 1 / 6),
    (0.0, 2 / 3),
    (np.sqrt(3), 1 / 6),
)  # Gauss-Hermite, for the luminosity
AT_A_TIME = 32  # galaxies


@cache
def library(n, seed):
    """Draw members of the library.

    Redshifts are even in ln(1 + z), and half of the members form no stars; the weights make up for both.

    Parameters
    ----------
    n, seed : int

    Returns
    -------
    galaxies : dict of str to array, shape (n,)
        As `mock.draw_shapes`, with "quiescent".
    flux : numpy.ndarray of float32, shape (n, 5)
        Of a member with the magnitude 0, zero point 25.
    """
    rng = np.random.default_rng([seed, 5])
    low, high = np.log1p(mock.LOWEST), np.log1p(mock.HIGHEST)
    z = np.expm1(low + (high - low) * (np.arange(n) + rng.random(n)) / n)
    quiescent = rng.random(n) < 0.5
    galaxies = mock.draw_shapes(z, quiescent, rng) | {"quiescent": quiescent}
    flux = seds.dimming(z)[:, None] * mock.model_colours(galaxies)
    return galaxies, flux.astype(np.float32)


def log_prior(galaxies, magnitude, magnitude_f160w, spectroscopic):
    """Logarithm of the density of members per ln(1 + z) and magnitude, up to a constant, with the selection.

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
    density = mock.log_density(z, magnitude) + np.log1p(z)
    density += np.log(np.where(galaxies["quiescent"], fraction, 1 - fraction))
    if spectroscopic:
        density += np.log(mock.spectroscopic_chance(z, magnitude_f160w))
        mass = mock.log_mass({"magnitude": magnitude, "type": galaxies["type"]})
        density += log_ndtr((mass - 9) / mock.MASS_SCATTER)
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
        Whether they were selected by `helpers.subjects.photoz.data.selected`; else only by the limit of the catalogue.

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
    The calibration error of 3 % is taken relative to the observed flux, not the true one, which is right to first order.
    """
    if not data.mock:
        raise ValueError(
            "expected a simulated catalogue, found a real one: nobody knows its true distributions"
        )
    members, model = library(n, seed)
    cell = np.searchsorted(GRID, members["z"], side="right") - 1
    place = {name: number for number, name in enumerate(mock.FIELDS)}
    scale = mock.zero_points()[[place[name] for name in data.field]]
    flux, error = data.flux / scale, data.error / scale
    variance = error**2 + (mock.CALIBRATION * flux) ** 2
    weight = np.where(np.isfinite(flux), 1 / variance, 0.0).astype(np.float32)
    flux = np.nan_to_num(flux).astype(np.float32)
    cumulative, effective = np.zeros((len(data), len(GRID))), np.empty(len(data))
    for start in range(0, len(data), AT_A_TIME):
        some = slice(start, start + AT_A_TIME)
        overlap = (weight[some] * flux[some]) @ model.T
        strength = weight[some] @ (model**2).T
        gain = (
            np.where(overlap > 0, overlap, 0) ** 2 / strength
        )  # χ² of nothing minus that of the member
        for row, (o, s, g) in enumerate(zip(overlap, strength, gain, strict=True), start):
            near = np.flatnonzero((g > g.max() - NEGLIGIBLE) & (o > 0))
            chance = _chances(
                members, model, near, o[near].astype(float), s[near].astype(float), spectroscopic
            )
            effective[row] = chance.sum() ** 2 / np.square(chance).sum()
            mass = np.bincount(cell[near], chance, minlength=len(GRID) - 1)
            cumulative[row, 1:] = np.cumsum(mass / mass.sum())
    return cumulative.clip(0, 1), effective


def _chances(members, model, near, overlap, strength, spectroscopic):
    """Weight of each member near in χ², with its luminosity integrated out."""
    best, width = overlap / strength, strength**-0.5
    some = {name: values[near] for name, values in members.items()}
    total = np.zeros(len(near))
    for shift, part in NODES:
        amplitude = np.maximum(best + shift * width, 1e-3 * best)
        seen = 25 - 2.5 * np.log10(amplitude * model[near, BANDS.index("F160W")])
        prior = log_prior(some, -2.5 * np.log10(amplitude), seen, spectroscopic)
        total += part * np.exp(prior - 30) * width / amplitude  # dM ∝ da / a
    return total * np.exp((overlap * best - (overlap * best).max()) / 2)


def estimate(cumulative):
    """Mean and median of posteriors on `GRID`: the estimators with the smallest squared and absolute error."""
    return {
        "mean": distributions.mean(GRID, cumulative),
        "median": distributions.quantile(GRID, cumulative, 0.5),
    }
