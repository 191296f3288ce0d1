"""A simulated 3D-HST catalogue, of galaxies whose every property is known.

A galaxy has a redshift z, an absolute magnitude M, a type from elliptical (0) to starburst (4), dust, a tilt of its
continuum and emission lines. Its spectrum is mixed from two neighbouring templates, **which nobody who fits the
catalogue knows**: they are those of Coleman, Wu & Weedman, changed smoothly by some percent. `z_peak` comes
from `helpers.subjects.photoz.template_fit` with the published templates, and, as in the real catalogue, from more bands than
the catalogue lists.
"""

from functools import cache

import numpy as np
import pandas as pd

from helpers.astro import cosmology, seds
from helpers.subjects.photoz.columns import BANDS, COLUMNS

VERSION = 2  # raise it when the same seed gives other galaxies
EXTRA = ("u", "g", "r", "i", "z", "y")  # ground-based, used for z_peak only
PARAMETERS = ("z", "magnitude", "type", "dust", "tilt", "lines")
STEP = 0.005  # of the tables, in ln(1 + z)
LOWEST, HIGHEST = 0.05, 4.5  # redshift
LIMIT = 24.5  # F160W magnitude of the catalogue
CALIBRATION = 0.03  # relative error of every flux, that no error column tells of
MASS_SCATTER = 0.1  # of lmass
ZERO_POINT = 0.02  # relative error of the zero point of a field in a band
DEPTH = dict(
    zip(
        BANDS + EXTRA,
        (26.7, 26.3, 25.9, 25.5, 25.8, 26.2, 26.3, 26.0, 25.6, 25.0, 24.2),
        strict=True,
    )
)  # 5 σ
FIELDS = {  # abbreviation, right ascension, declination, share of the galaxies, depth relative to `DEPTH`
    "AEGIS": ("a", 214.9, 52.8, 0.2, 0.0),
    "COSMOS": ("c", 150.1, 2.3, 0.2, -0.2),
    "GOODS-N": ("g", 189.2, 62.2, 0.19, 0.3),
    "GOODS-S": ("g", 53.1, -27.8, 0.2, 0.4),
    "UDS": ("u", 34.4, -5.2, 0.21, -0.3),
}
NOT_OBSERVED = {"F606W": 0.03, "F814W": 0.06, "F140W": 0.25}  # share of the galaxies


@cache
def templates():
    """The five spectra that galaxies are mixed from, shape (5, m) on `seds.REST`: E, Sbc, Scd, Im, starburst.

    The published ones, and a starburst that is bluer than Im by λ^-0.7, times a smooth curve with 6 % scatter.
    """
    rng = np.random.default_rng(3)
    base = [seds.cww(name) for name in seds.CWW]
    base.append(base[-1] * (seds.REST / seds.REFERENCE) ** -0.7)
    waves = np.log(seds.REST / seds.REFERENCE)[:, None] * np.array([1.5, 2.5, 4.0, 6.0])
    changed = []
    for spectrum in base:
        phases, strengths = rng.uniform(0, 2 * np.pi, 4), rng.normal(0, 0.06 / np.sqrt(2), 4)
        changed.append(
            seds.normalised(spectrum * np.exp((np.sin(waves + phases) * strengths).sum(axis=1)))
        )
    return np.stack(changed)


@cache
def _tables(bands):
    """Templates and lines through filters, shape (n_z, 6, k), at steps of `STEP` in ln(1 + z)."""
    z = np.expm1(np.arange(np.log1p(LOWEST) - 2 * STEP, np.log1p(HIGHEST) + 2 * STEP, STEP))
    spectra = np.vstack([templates(), seds.emission_lines()])
    return z[0], seds.through_filters(spectra, bands, z)


def model_colours(galaxies, bands=BANDS):
    """Noise-free fluxes of galaxies with the flux 1 at `seds.REFERENCE` in the rest frame, before dust.

    Parameters
    ----------
    galaxies : dict of str to array, shape (n,)
        With `PARAMETERS`, of which the magnitude is not used.
    bands : tuple of str

    Returns
    -------
    numpy.ndarray, shape (n, k)
    """
    first, table = _tables(tuple(bands))
    place = (np.log1p(galaxies["z"]) - np.log1p(first)) / STEP
    row = place.astype(int)
    part = (place - row)[:, None]
    lower = np.clip(galaxies["type"].astype(int), 0, 3)
    mix = (galaxies["type"] - lower)[:, None]

    def at(template):
        return (1 - part) * table[row, template] + part * table[row + 1, template]

    flux = (1 - mix) * at(lower) + mix * at(lower + 1) + galaxies["lines"][:, None] * at(5)
    rest = np.array([seds.pivot(band) for band in bands]) / (1 + galaxies["z"])[:, None]
    dimmed = 10 ** (-0.4 * galaxies["dust"][:, None] * seds.attenuation(rest))
    return flux * dimmed * (rest / seds.REFERENCE) ** galaxies["tilt"][:, None]


def log_density(z, magnitude):
    """Logarithm of the number of galaxies per redshift and magnitude, up to a constant.

    A Schechter (1976, ApJ 203, 297) function that evolves, times the comoving volume.
    """
    bright = 10 ** (0.4 * (-20.8 - 0.9 * np.minimum(z, 2.5) - magnitude))
    grid = np.linspace(LOWEST / 2, HIGHEST + 0.5, 400)
    volume = np.interp(z, grid, np.log(cosmology.differential_comoving_volume(grid)))
    return volume - 0.8 * np.log1p(z) - 0.25 * np.log(bright) - bright  # α = -1.25


def quiescent_fraction(z, magnitude):
    """Fraction of galaxies that form no stars: larger for the luminous ones, smaller in the past."""
    return 0.65 * np.exp(-0.45 * z) / (1 + np.exp((magnitude + 20.8) / 0.7))


def spectroscopic_chance(z, magnitude_f160w):
    """Chance to have a spectroscopic redshift: bright galaxies, with a gap where lines leave the optical."""
    bright = 0.7 / (1 + np.exp((magnitude_f160w - 22.3) / 0.5)) + 0.03
    return bright * (1 - 0.6 * np.exp(-(((z - 1.75) / 0.35) ** 2)))


def log_mass(galaxies):
    """log10 of the stellar mass in solar masses, by a mass-to-light ratio that falls with the type."""
    return -0.4 * (galaxies["magnitude"] - 4.83) + 0.7 - 0.28 * galaxies["type"]


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
    kind = np.where(quiescent, 0.9 * rng.beta(1, 2.5, n), 0.9 + 3.1 * rng.beta(2, 1.6, n))
    dust = np.minimum(rng.exponential(np.where(quiescent, 0.1, 0.5)), 3.0)
    lines = 12 * np.maximum(kind - 0.5, 0) * (1 + z) * 10 ** rng.normal(0, 0.3, n)
    return {"z": z, "type": kind, "dust": dust, "tilt": rng.normal(0, 0.1, n), "lines": lines}


def draw_galaxies(n, rng):
    """Draw galaxies that may reach the limit of the catalogue, from `log_density` and `quiescent_fraction`.

    Returns
    -------
    dict of str to array, shape (n,)
        `PARAMETERS`.
    """
    edges = np.linspace(np.log1p(LOWEST), np.log1p(HIGHEST), 401), np.linspace(-25.5, -13.5, 301)
    log_1z, magnitude = ((edge[1:] + edge[:-1]) / 2 for edge in edges)
    z = np.expm1(log_1z)
    log_weight = (
        log_density(z[:, None], magnitude) + log_1z[:, None]
    )  # the grid is even in ln(1 + z)
    seen = magnitude - 2.5 * np.log10(seds.dimming(z))[:, None] + 25 < LIMIT + 1.8
    weight = (np.exp(log_weight - log_weight.max()) * seen).ravel()
    row, column = np.unravel_index(
        rng.choice(weight.size, n, p=weight / weight.sum()), log_weight.shape
    )
    within = rng.uniform(-0.5, 0.5, (2, n))
    z = np.expm1(log_1z[row] + within[0] * (log_1z[1] - log_1z[0]))
    magnitude = magnitude[column] + within[1] * (magnitude[1] - magnitude[0])
    quiescent = rng.random(n) < quiescent_fraction(z, magnitude)
    return {**draw_shapes(z, quiescent, rng), "magnitude": magnitude}


def model_fluxes(galaxies, bands=BANDS):
    """Noise-free fluxes of galaxies at the zero point 25, shape (n, k)."""
    scale = seds.dimming(galaxies["z"]) * 10 ** (-0.4 * galaxies["magnitude"])
    return scale[:, None] * model_colours(galaxies, bands)


@cache
def zero_points():
    """Relative errors of the zero points, shape (5 fields, 5 bands): the same in every simulated catalogue."""
    return np.exp(np.random.default_rng(4).normal(0, ZERO_POINT, (len(FIELDS), len(BANDS))))


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
        Place in `FIELDS`.
    """
    n, bands = len(galaxies["z"]), BANDS + EXTRA
    shares = np.array([share for *_, share, _ in FIELDS.values()])
    field = rng.choice(len(FIELDS), n, p=shares)
    deeper = np.array([depth for *_, depth in FIELDS.values()])[field]
    limit = np.array([DEPTH[band] for band in bands]) + deeper[:, None]
    error = 10 ** (0.4 * (25 - limit)) / 5 * np.exp(rng.normal(0, 0.15, (n, len(bands))))
    flux = model_fluxes(galaxies, bands) * (1 + CALIBRATION * rng.standard_normal((n, len(bands))))
    flux[:, : len(BANDS)] *= zero_points()[field]
    return flux + error * rng.standard_normal(flux.shape), error, field


def simulate(n, seed=0, z_peak=True):
    """Simulate a catalogue in the columns of the 3D-HST master catalogue.

    Parameters
    ----------
    n, seed : int
        Number of galaxies brighter than `LIMIT`.
    z_peak : bool
        Whether to fit templates for the column z_peak, which takes most of the time; else it is -99.

    Returns
    -------
    table : pandas.DataFrame
        The columns `helpers.subjects.photoz.columns.COLUMNS`, missing values as -99.
    truth : dict of str to array, shape (n,)
        `PARAMETERS`, the redshift of all galaxies among them.
    """
    rng, parts, found = np.random.default_rng(seed), [], 0
    while found < n:
        galaxies = draw_galaxies(2 * (n - found) + 1000, rng)
        flux, error, field = observe(galaxies, rng)
        seen = np.flatnonzero(flux[:, BANDS.index("F160W")] > 10 ** (0.4 * (25 - LIMIT)))[
            : n - found
        ]
        parts.append(
            [
                {name: galaxies[name][seen] for name in PARAMETERS},
                flux[seen],
                error[seen],
                field[seen],
            ]
        )
        found += len(seen)
    truth = {name: np.concatenate([part[0][name] for part in parts]) for name in PARAMETERS}
    flux, error, field = (np.concatenate([part[i] for part in parts]) for i in (1, 2, 3))
    return _table(truth, flux, error, field, rng, z_peak)[COLUMNS], truth


def _table(truth, flux, error, field, rng, z_peak):
    """The columns of the catalogue. What is no flux carries no information on the redshift beyond the fluxes."""
    n = len(field)
    names, places = list(FIELDS), np.array([place[1:3] for place in FIELDS.values()])
    observed = np.ones(flux.shape, dtype=bool)
    for band, share in NOT_OBSERVED.items():
        observed[:, BANDS.index(band)] = rng.random(n) >= share
    chance = spectroscopic_chance(truth["z"], 25 - 2.5 * np.log10(model_fluxes(truth)[:, -1]))
    has_redshift = rng.random(n) < chance
    x, y = rng.uniform(500, 9500, (2, n))
    offset = np.stack([x - 5000, y - 5000], axis=1) * 0.06 / 3600  # pixels of 0.06 arcsec
    size = (
        3.5 * (flux[:, BANDS.index("F160W")] / 10).clip(0.1) ** 0.2 * np.exp(rng.normal(0, 0.25, n))
    )
    axis_ratio = rng.uniform(0.3, 1, n)
    correction = 1.2 + 0.15 * size / 3.5
    columns = {
        "field": np.array([FIELDS[name][0] for name in names])[field],
        "dec": places[field, 1] + offset[:, 1],
        "x": x, "y": y, "tot_cor": correction, "kron_radius": 3.5 + size / 3.5, "a_image": size,
        "b_image": size * axis_ratio, "flux_radius": size, "fwhm_image": 2 * size * np.exp(rng.normal(0, 0.1, n)),
        "flags": rng.choice([0, 1, 2], n, p=[0.85, 0.1, 0.05]), "star_flag": 0, "use_phot": 1,
        "near_star": (rng.random(n) < 0.02).astype(int), "nexp_f125w": rng.integers(2, 9, n),
        "nexp_f140w": np.where(observed[:, BANDS.index("F140W")], 4, 0), "nexp_f160w": rng.integers(2, 9, n),
        "f140w_flag": (~observed[:, BANDS.index("F140W")]).astype(int),
        "z_spec": np.where(has_redshift, truth["z"], -99.0),
        "lmass": log_mass(truth) + MASS_SCATTER * rng.standard_normal(n),
        "Av": np.round(np.clip(truth["dust"] + rng.normal(0, 0.2, n), 0, 4), 1),
    }  # fmt: skip
    columns["ra"] = places[field, 0] + offset[:, 0] / np.cos(np.radians(columns["dec"]))
    columns["id"] = np.zeros(n, dtype=int)
    for number in range(len(names)):  # unique within a field only
        columns["id"][field == number] = np.arange(1, (field == number).sum() + 1)
    columns["z_peak"] = _z_peak(flux, error, observed) if z_peak else np.full(n, -99.0)
    for band, f, e, seen in zip(BANDS, flux.T, error.T, observed.T, strict=False):
        columns[f"f_{band}"], columns[f"e_{band}"] = (
            np.where(seen, f, -99.0),
            np.where(seen, e, -99.0),
        )
        if band in ("F140W", "F160W"):
            columns[f"faper_{band}"] = np.where(seen, f / correction, -99.0)
            columns[f"eaper_{band}"] = np.where(seen, e / correction, -99.0)
    return pd.DataFrame(columns)


def _z_peak(flux, error, observed):
    from helpers.subjects.photoz.template_fit import MagnitudePrior, TemplateFit

    fit = TemplateFit(BANDS + EXTRA, step=0.015)
    magnitude = 25 - 2.5 * np.log10(flux[:, BANDS.index("F160W")])
    return fit.redshift(np.where(observed, flux, np.nan), error, MagnitudePrior(), magnitude)[
        "peak"
    ]
