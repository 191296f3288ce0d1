"""A simulated 3D-HST catalogue, of galaxies whose every property is known.

A galaxy has a redshift z, an absolute magnitude M, a type from elliptical (0) to starburst (4),
dust, a tilt of its continuum and emission lines. Its spectrum is mixed from two neighbouring
templates, **which nobody who fits the catalogue knows**: they are those of Coleman, Wu & Weedman,
changed smoothly by some percent. `z_peak` comes from `helpers.subjects.photoz.template_fit` with
the published templates, and, as in the real catalogue, from more bands than the catalogue lists.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.astro import cosmology, seds
from helpers.astro.seds import ZERO_POINT
from helpers.subjects.photoz.columns import BANDS, COLUMNS, FIELDS

VERSION = 2  # raise it when the same seed gives other galaxies
EXTRA = ("u", "g", "r", "i", "z", "y")  # ground-based, used for z_peak only
SELECTED = "F160W"  # the band that the catalogue is limited in
PARAMETERS = ("z", "magnitude", "type", "dust", "tilt", "lines")
STEP = 0.005  # of the tables, in ln(1 + z)
LOWEST = 0.05  # redshift
HIGHEST = 4.5
LIMIT = 24.5  # F160W magnitude of the catalogue
PIXEL = 0.06  # arcsec
MISSING = -99.0  # what the catalogue writes for a value that is not there

# What nobody is told
CALIBRATION = 0.03  # relative error of every flux, that no error column tells of
ZERO_POINTS = 0.02  # relative error of the zero point of a field in a band
TEMPLATE_SCATTER = 0.06  # by which templates differ from the published ones
MASS_SCATTER = 0.1  # of lmass
NOT_OBSERVED = {"F606W": 0.03, "F814W": 0.06, "F140W": 0.25}  # share of the galaxies

DEPTH = {  # magnitude at 5 σ
    "F606W": 26.7,
    "F814W": 26.3,
    "F125W": 25.9,
    "F140W": 25.5,
    "F160W": 25.8,
    "u": 26.2,
    "g": 26.3,
    "r": 26.0,
    "i": 25.6,
    "z": 25.0,
    "y": 24.2,
}


class Coverage(NamedTuple):
    """How a field was observed: its share of the galaxies, and its depth beyond `DEPTH` in mag."""

    share: float
    deeper: float


COVERAGE = {
    "AEGIS": Coverage(0.2, 0.0),
    "COSMOS": Coverage(0.2, -0.2),
    "GOODS-N": Coverage(0.19, 0.3),
    "GOODS-S": Coverage(0.2, 0.4),
    "UDS": Coverage(0.21, -0.3),
}

# The luminosity function: Schechter (1976, ApJ 203, 297), with numbers chosen for this course
BRIGHT_END = -20.8  # M* at redshift 0
BRIGHTENING = 0.9  # mag per redshift, up to
BRIGHTENING_END = 2.5
FAINT_SLOPE = -1.25


def magnitude_of(flux):
    """AB magnitude of a flux of the catalogue."""
    return ZERO_POINT - 2.5 * np.log10(flux)


def flux_of(magnitude):
    """Flux in the catalogue of an AB magnitude."""
    return 10 ** (0.4 * (ZERO_POINT - magnitude))


# --- spectra -----------------------------------------------------------------


@cache
def templates():
    """The five spectra that galaxies are mixed from: E, Sbc, Scd, Im, starburst.

    Returns
    -------
    numpy.ndarray, shape (5, m)
        On `seds.REST`: the published ones, and a starburst that is bluer than Im by λ^-0.7, times a
        smooth curve.
    """
    rng = np.random.default_rng(3)
    base = [seds.cww(name) for name in seds.CWW]
    relative = seds.REST / seds.REFERENCE
    base.append(base[-1] * relative**-0.7)
    return np.stack([_changed(spectrum, rng) for spectrum in base])


def _changed(spectrum, rng):
    """A template times a smooth curve: four waves of random phase in ln λ."""
    frequencies = np.array([1.5, 2.5, 4.0, 6.0])
    log_wavelength = np.log(seds.REST / seds.REFERENCE)
    waves = log_wavelength[:, None] * frequencies
    phases = rng.uniform(0, 2 * np.pi, len(frequencies))
    amplitude = TEMPLATE_SCATTER / np.sqrt(2)
    strengths = rng.normal(0, amplitude, len(frequencies))
    curve = np.sin(waves + phases) * strengths
    return seds.normalised(spectrum * np.exp(curve.sum(axis=1)))


@cache
def _tables(bands):
    """The first redshift, and templates and lines through filters: shape (n_z, 6, k).

    The redshifts are `STEP` apart in ln(1 + z).
    """
    start = np.log1p(LOWEST) - 2 * STEP
    end = np.log1p(HIGHEST) + 2 * STEP
    z = np.expm1(np.arange(start, end, STEP))
    spectra = np.vstack([templates(), seds.emission_lines()])
    return z[0], seds.through_filters(spectra, bands, z)


def model_colours(galaxies, bands=BANDS):
    """Noise-free fluxes of galaxies with flux 1 at `seds.REFERENCE`, rest frame, before dust.

    Parameters
    ----------
    galaxies : dict of str to array, shape (n,)
        With `PARAMETERS`, of which the magnitude is not used.
    bands : tuple of str

    Returns
    -------
    numpy.ndarray, shape (n, k)
    """
    columns = {name: values[:, None] for name, values in galaxies.items()}
    z = columns["z"]
    kind = columns["type"]
    first, table = _tables(tuple(bands))
    place = (np.log1p(z) - np.log1p(first)) / STEP
    row = place.astype(int)
    part = place - row

    def at(template):
        """Fluxes of a template, one number a galaxy or one for all, between two redshifts."""
        before = table[row, template][:, 0]
        after = table[row + 1, template][:, 0]
        return (1 - part) * before + part * after

    earlier = np.clip(kind.astype(int), 0, 3)
    mix = kind - earlier
    stars = (1 - mix) * at(earlier) + mix * at(earlier + 1)
    flux = stars + columns["lines"] * at(5)
    pivots = np.array([seds.pivot(band) for band in bands])
    rest = pivots / (1 + z)
    curve = seds.attenuation(rest)
    dimming = 10 ** (-0.4 * columns["dust"] * curve)
    tilting = (rest / seds.REFERENCE) ** columns["tilt"]
    return flux * dimming * tilting


def model_fluxes(galaxies, bands=BANDS):
    """Noise-free fluxes of galaxies, shape (n, k)."""
    luminosity = 10 ** (-0.4 * galaxies["magnitude"])
    scale = seds.dimming(galaxies["z"]) * luminosity
    return scale[:, None] * model_colours(galaxies, bands)


# --- the population ----------------------------------------------------------


def log_density(z, magnitude):
    """Logarithm of the number of galaxies per redshift and magnitude, up to a constant.

    A Schechter function that evolves, times the comoving volume.
    """
    brightest = BRIGHT_END - BRIGHTENING * np.minimum(z, BRIGHTENING_END)
    luminosity = 10 ** (0.4 * (brightest - magnitude))  # over L*
    grid, log_volumes = _log_volumes()
    log_volume = np.interp(z, grid, log_volumes)
    thinning = -0.8 * np.log1p(z)
    faint_end = (FAINT_SLOPE + 1) * np.log(luminosity)
    return log_volume + thinning + faint_end - luminosity


@cache
def _log_volumes():
    """Redshifts, and logarithms of the comoving volume there, to interpolate between."""
    grid = np.linspace(LOWEST / 2, HIGHEST + 0.5, 400)
    return grid, np.log(cosmology.differential_comoving_volume(grid))


def quiescent_fraction(z, magnitude):
    """Fraction of galaxies that form no stars: larger for luminous ones, smaller in the past."""
    of_luminous = 0.65 * np.exp(-0.45 * z)
    return of_luminous / (1 + np.exp((magnitude - BRIGHT_END) / 0.7))


def spectroscopic_chance(z, magnitude_f160w):
    """Chance to have a spectroscopic redshift.

    Bright galaxies have a good one, with a gap where lines leave the optical.
    """
    fainter = (magnitude_f160w - 22.3) / 0.5
    bright = 0.7 / (1 + np.exp(fainter)) + 0.03
    x = (z - 1.75) / 0.35
    gap = 0.6 * np.exp(-(x**2))
    return bright * (1 - gap)


def log_mass(galaxies):
    """log10 of the stellar mass in M☉, by a mass-to-light ratio that falls with the type."""
    log_light = -0.4 * (galaxies["magnitude"] - 4.83)  # solar luminosities in V
    return log_light + 0.7 - 0.28 * galaxies["type"]


def draw_shapes(z, quiescent, rng):
    """Draw all that a spectrum depends on beside redshift and luminosity.

    Parameters
    ----------
    z : array, shape (n,)
    quiescent : array of bool, shape (n,)
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to array, shape (n,)
        The redshift, type, dust (A_V in mag), tilt and lines (equivalent width of Hα in Å).
    """
    n = len(z)
    early = 0.9 * rng.beta(1, 2.5, n)
    late = 0.9 + 3.1 * rng.beta(2, 1.6, n)
    kind = np.where(quiescent, early, late)
    typical = np.where(quiescent, 0.1, 0.5)
    dust = np.minimum(rng.exponential(typical), 3.0)
    scatter = 10 ** rng.normal(0, 0.3, n)
    forming = np.maximum(kind - 0.5, 0)
    lines = 12 * forming * (1 + z) * scatter
    tilt = rng.normal(0, 0.1, n)
    return {"z": z, "type": kind, "dust": dust, "tilt": tilt, "lines": lines}


def draw_galaxies(n, rng):
    """Draw galaxies that may reach the limit of the catalogue.

    They come from `log_density` and `quiescent_fraction`.

    Returns
    -------
    dict of str to array, shape (n,)
        `PARAMETERS`.
    """
    z, magnitude = _draw_redshifts(n, rng)
    quiescent = rng.random(n) < quiescent_fraction(z, magnitude)
    return {**draw_shapes(z, quiescent, rng), "magnitude": magnitude}


def _draw_redshifts(n, rng):
    """Redshifts and absolute magnitudes, from cells even in ln(1 + z) and magnitude."""
    log_1z, log_1z_step = _cells(np.log1p(LOWEST), np.log1p(HIGHEST), 400)
    magnitude, magnitude_step = _cells(-25.5, -13.5, 300)
    z = np.expm1(log_1z)[:, None]
    log_weight = log_density(z, magnitude) + log_1z[:, None]
    distance = -2.5 * np.log10(seds.dimming(z))
    apparent = magnitude + distance + ZERO_POINT
    may_be_seen = apparent < LIMIT + 1.8
    weight = np.exp(log_weight - log_weight.max()) * may_be_seen
    chance = (weight / weight.sum()).ravel()
    cell = rng.choice(chance.size, n, p=chance)
    row, column = np.unravel_index(cell, weight.shape)
    along_z, along_magnitude = rng.uniform(-0.5, 0.5, (2, n))
    drawn_z = np.expm1(log_1z[row] + along_z * log_1z_step)
    return drawn_z, magnitude[column] + along_magnitude * magnitude_step


def _cells(start, end, n):
    """Middles of n cells between two numbers, and their width."""
    edges = np.linspace(start, end, n + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    return middles, middles[1] - middles[0]


# --- the observation ---------------------------------------------------------


@cache
def zero_points():
    """Zero points over what they are taken for, (5 fields, 5 bands): the same in all catalogues."""
    rng = np.random.default_rng(4)
    shape = (len(FIELDS), len(BANDS))
    return np.exp(rng.normal(0, ZERO_POINTS, shape))


def observe(galaxies, rng):
    """Observe galaxies in all bands, in fields drawn at random.

    Parameters
    ----------
    galaxies : dict of str to array, shape (n,)
    rng : numpy.random.Generator

    Returns
    -------
    flux, error : numpy.ndarray, shape (n, 11)
        In `BANDS` and `EXTRA`. The error is that of the sky alone.
    field : numpy.ndarray of int, shape (n,)
        Place in `columns.FIELDS`.
    """
    bands = BANDS + EXTRA
    n = len(galaxies["z"])
    shape = (n, len(bands))
    shares = np.array([COVERAGE[name].share for name in FIELDS])
    field = rng.choice(len(FIELDS), n, p=shares)
    deeper = np.array([COVERAGE[name].deeper for name in FIELDS])
    depth = np.array([DEPTH[band] for band in bands])
    limit = depth + deeper[field][:, None]
    scatter = np.exp(rng.normal(0, 0.15, shape))
    error = flux_of(limit) / 5 * scatter
    calibration = 1 + CALIBRATION * rng.standard_normal(shape)
    flux = model_fluxes(galaxies, bands) * calibration
    flux[:, : len(BANDS)] *= zero_points()[field]
    return flux + error * rng.standard_normal(shape), error, field


def simulate(n, seed=0, z_peak=True):
    """Simulate a catalogue in the columns of the 3D-HST master catalogue.

    Parameters
    ----------
    n, seed : int
        Number of galaxies brighter than `LIMIT`.
    z_peak : bool
        Whether to fit templates for the column z_peak, which takes most of the time; else it is
        -99.

    Returns
    -------
    table : pandas.DataFrame
        The columns `helpers.subjects.photoz.columns.COLUMNS`, missing values as -99.
    truth : dict of str to array, shape (n,)
        `PARAMETERS`, the redshift of all galaxies among them.
    """
    rng = np.random.default_rng(seed)
    parts = []
    missing = n
    while missing > 0:
        part = _draw_seen(missing, rng)
        parts.append(part)
        missing -= len(part.field)
    truth = {}
    for name in PARAMETERS:
        truth[name] = np.concatenate([part.galaxies[name] for part in parts])
    flux = np.concatenate([part.flux for part in parts])
    error = np.concatenate([part.error for part in parts])
    field = np.concatenate([part.field for part in parts])
    return _table(truth, flux, error, field, rng, z_peak), truth


class _Seen(NamedTuple):
    """Galaxies above the limit of the catalogue: see `observe`."""

    galaxies: dict
    flux: np.ndarray
    error: np.ndarray
    field: np.ndarray


def _draw_seen(most, rng):
    """Draw and observe galaxies; return at most so many of those that are seen."""
    galaxies = draw_galaxies(2 * most + 1000, rng)
    flux, error, field = observe(galaxies, rng)
    seen = np.flatnonzero(_selected(flux) > flux_of(LIMIT))[:most]
    properties = {name: galaxies[name][seen] for name in PARAMETERS}
    return _Seen(properties, flux[seen], error[seen], field[seen])


def _selected(flux):
    """The flux in the band that the catalogue is limited in."""
    return flux[:, BANDS.index(SELECTED)]


# --- the columns -------------------------------------------------------------


def _table(truth, flux, error, field, rng, z_peak):
    """The columns of the catalogue.

    What is no flux carries no information on the redshift beyond the fluxes.
    """
    n = len(field)
    observed = _draw_observed(flux.shape, rng)
    columns = {"id": _numbers(field), "z_spec": _spectroscopic(truth, rng)}
    columns |= _places(field, rng)
    columns |= _sizes(_selected(flux), rng)
    columns |= _quality(observed, rng)
    columns["lmass"] = log_mass(truth) + MASS_SCATTER * rng.standard_normal(n)
    dust = truth["dust"] + rng.normal(0, 0.2, n)
    columns["Av"] = np.round(np.clip(dust, 0, 4), 1)
    columns["z_peak"] = np.full(n, MISSING)
    if z_peak:
        known = np.where(observed, flux, np.nan)
        columns["z_peak"] = _z_peak(known, error, _selected(flux))
    columns |= _measurements(flux, error, observed, columns["tot_cor"])
    return pd.DataFrame(columns)[COLUMNS]


def _draw_observed(shape, rng):
    """Which flux was measured: not every galaxy lies in the images of every band."""
    n, _ = shape
    observed = np.ones(shape, dtype=bool)
    for band, share in NOT_OBSERVED.items():
        observed[:, BANDS.index(band)] = rng.random(n) >= share
    return observed


def _numbers(field):
    """Numbers from 1 that are unique within a field only."""
    numbers = np.zeros(len(field), dtype=int)
    for place in range(len(FIELDS)):
        inside = field == place
        numbers[inside] = np.arange(1, inside.sum() + 1)
    return numbers


def _spectroscopic(truth, rng):
    """The true redshift of those that have a spectrum."""
    magnitude = magnitude_of(_selected(model_fluxes(truth)))
    chance = spectroscopic_chance(truth["z"], magnitude)
    has_redshift = rng.random(len(chance)) < chance
    return np.where(has_redshift, truth["z"], MISSING)


def _places(field, rng):
    """Fields and places, in pixels and in degrees."""
    x, y = rng.uniform(500, 9500, (2, len(field)))
    north = (y - 5000) * PIXEL / 3600
    east = (x - 5000) * PIXEL / 3600
    letter, ra, dec = zip(*FIELDS.values(), strict=True)
    letter = np.array(letter)[field]
    dec = np.array(dec)[field] + north
    ra = np.array(ra)[field] + east / np.cos(np.radians(dec))
    return {"field": letter, "ra": ra, "dec": dec, "x": x, "y": y}


def _sizes(flux, rng):
    """Sizes in pixels, which grow with the flux, and what follows from them."""
    n = len(flux)
    typical = 3.5
    scatter = np.exp(rng.normal(0, 0.25, n))
    size = typical * (flux / 10).clip(0.1) ** 0.2 * scatter
    axis_ratio = rng.uniform(0.3, 1, n)
    return {
        "tot_cor": 1.2 + 0.15 * size / typical,
        "kron_radius": 3.5 + size / typical,
        "a_image": size,
        "b_image": size * axis_ratio,
        "flux_radius": size,
        "fwhm_image": 2 * size * np.exp(rng.normal(0, 0.1, n)),
    }


def _quality(observed, rng):
    """Flags and numbers of exposures."""
    n = len(observed)
    in_f140w = observed[:, BANDS.index("F140W")]
    return {
        "flags": rng.choice([0, 1, 2], n, p=[0.85, 0.1, 0.05]),
        "star_flag": np.zeros(n, dtype=int),
        "use_phot": np.ones(n, dtype=int),
        "near_star": (rng.random(n) < 0.02).astype(int),
        "nexp_f125w": rng.integers(2, 9, n),
        "nexp_f140w": np.where(in_f140w, 4, 0),
        "nexp_f160w": rng.integers(2, 9, n),
        "f140w_flag": (~in_f140w).astype(int),
    }


def _measurements(flux, error, observed, correction):
    """Fluxes and errors, in total and, in two bands, within an aperture."""
    columns = {}
    for number, band in enumerate(BANDS):
        total = {"f": flux[:, number], "e": error[:, number]}
        for letter, values in total.items():
            known = observed[:, number]
            columns[f"{letter}_{band}"] = np.where(known, values, MISSING)
            if band in ("F140W", "F160W"):
                in_aperture = np.where(known, values / correction, MISSING)
                columns[f"{letter}aper_{band}"] = in_aperture
    return columns


def _z_peak(flux, error, selected):
    """Redshifts of a fit of the published templates to all eleven bands."""
    from helpers.subjects.photoz.template_fit import MagnitudePrior, TemplateFit  # needs SciPy

    fit = TemplateFit(BANDS + EXTRA, step=0.015)
    found = fit.redshift(flux, error, MagnitudePrior(), magnitude_of(selected))
    return found["peak"]
