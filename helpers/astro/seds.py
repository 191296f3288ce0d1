"""Spectral energy distributions through filters: templates, dust, lines, absorption on the way.

GalSim packages the templates of Coleman, Wu & Weedman (1980, ApJS 43, 393), with the extension in
wavelength of Bolzonella et al. (2000, A&A 363, 476), and throughputs of HST and LSST filters; they
are read from there.
"""

from functools import cache
from pathlib import Path

import numpy as np

from helpers.astro import cosmology
from helpers.astro.lines import LINES

STEP = 0.0012  # in ln λ


def _even(start, end):
    """Wavelengths that are `STEP` apart in ln λ."""
    return np.exp(np.arange(np.log(start), np.log(end), STEP))


REST = _even(600, 22_000)  # Å
REFERENCE = 5500.0  # Å, where templates are 1
ZERO_POINT = 25.0  # AB magnitude of flux 1
LYMAN_LIMIT = 912.0  # Å
CWW = ("E", "Sbc", "Scd", "Im")
EMISSION = {  # energy relative to Hα, typical of star-forming galaxies at z ≈ 1
    "[O II] 3726": 0.45,
    "[O II] 3729": 0.45,
    "Hβ": 0.35,
    "[O III] 4959": 0.33,
    "[O III] 5007": 1.0,
    "Hα": 1.0,
    "[S II] 6716": 0.125,
    "[S II] 6731": 0.125,
}
LINE_WIDTH = 0.002  # sigma of an emission line, relative to its wavelength
FILES = {
    "F435W": "ACS_wfc_F435W",
    "F606W": "ACS_wfc_F606W",
    "F814W": "ACS_wfc_F814W",
    "F125W": "WFC3_ir_F125W",
    "F160W": "WFC3_ir_F160W",
    **{band: f"LSST_{band}" for band in "ugrizy"},
}
BOXES = {"F140W": (12_000.0, 16_000.0)}  # Å: not in GalSim, so taken as a box of its nominal width
BOX_EDGE = 20.0  # Å

# Madau 1995, ApJ 441, 18: wavelength (Å) and strength of Lyman lines, eqs. 12 and 15
LYMAN_LINES = {1215.67: 0.0036, 1025.72: 0.0017, 972.54: 0.0012, 949.74: 0.00093}
LYMAN_SLOPE = 3.46


def _share(*parts):
    from galsim.meta_data import share_dir  # takes a second, and only what simulates needs it

    return Path(share_dir, *parts)


@cache
def throughput(band):
    """Throughput of a filter.

    Parameters
    ----------
    band : str
        One of the HST filters F435W, F606W, F814W, F125W, F140W, F160W or the LSST filters u, g, r,
        i, z, y.

    Returns
    -------
    wavelength, throughput : numpy.ndarray, shape (m,)
        Å, and photons counted per photon.

    Raises
    ------
    ValueError
        If the band is another one.
    """
    if band in BOXES:
        low, high = BOXES[band]
        wavelength = np.array([low - BOX_EDGE, low, high, high + BOX_EDGE])
        return wavelength, np.array([0.0, 1.0, 1.0, 0.0])
    if band not in FILES:
        known = ", ".join([*FILES, *BOXES])
        raise ValueError(f"expected a band of {known}, found {band!r}: choose one of them")
    wavelength, transmission = np.loadtxt(_share("bandpasses", f"{FILES[band]}.dat"), unpack=True)
    return 10 * wavelength, transmission  # nm in the file


@cache
def _norm(band):
    """∫ T dλ/λ of a filter."""
    wavelength, transmission = throughput(band)
    fine = _even(wavelength[0], wavelength[-1])
    return np.interp(fine, wavelength, transmission).sum() * STEP


@cache
def pivot(band):
    """Pivot wavelength of a filter in Å: √(∫T λ dλ / ∫T dλ/λ)."""
    wavelength, transmission = throughput(band)
    fine = np.linspace(wavelength[0], wavelength[-1], 4000)
    fine_t = np.interp(fine, wavelength, transmission)
    square = (fine_t * fine).sum() / (fine_t / fine).sum()
    return float(np.sqrt(square))


@cache
def cww(name):
    """Energy per frequency, on `REST`, of a template of Coleman, Wu & Weedman: one of `CWW`."""
    wavelength, per_wavelength = np.loadtxt(_share("SEDs", f"CWW_{name}_ext.sed"), unpack=True)
    on_grid = np.interp(REST, wavelength, per_wavelength, left=0.0)
    return normalised(on_grid * REST**2)


def normalised(per_frequency):
    """Divide a spectrum on `REST` by its mean within 200 Å of `REFERENCE`."""
    near = np.abs(REST - REFERENCE) < 200
    return per_frequency / per_frequency[near].mean()


def power_law(slope):
    """A spectrum with energy per wavelength ∝ λ^slope above the Lyman limit, as of young stars."""
    per_frequency = REST ** (slope + 2)
    return normalised(np.where(REST > LYMAN_LIMIT, per_frequency, 0.0))


def emission_lines():
    """Energy per frequency, on `REST`, of the lines of `EMISSION`.

    Hα has an equivalent width of 1 Å of the continuum at `REFERENCE`.
    """
    total = np.zeros_like(REST)
    for name, energy in EMISSION.items():
        centre = LINES[name].wavelength
        sigma = LINE_WIDTH * centre
        x = (REST - centre) / sigma
        norm = sigma * np.sqrt(2 * np.pi)
        per_wavelength = np.exp(-0.5 * x**2) / norm
        total += energy * per_wavelength * (REST / REFERENCE) ** 2
    return total


def attenuation(wavelength):
    """Attenuation A(λ) / A(V) of starburst galaxies (Calzetti et al. 2000, ApJ 533, 682, eq. 4).

    Parameters
    ----------
    wavelength : array
        Rest frame, Å. Beyond 0.12 to 2.2 μm, where the curve is defined, its value at the border.

    Returns
    -------
    numpy.ndarray
    """
    x = 1e4 / np.clip(wavelength, 1200, 22_000)  # 1/µm
    ratio = 4.05  # A(V) / E(B - V)
    blue = 2.659 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + ratio
    red = 2.659 * (-1.857 + 1.040 * x) + ratio
    return np.where(x > 1 / 0.63, blue, red) / ratio


def transmission_of_hydrogen(rest, z):
    """Mean transmission of the intergalactic medium.

    Madau (1995, ApJ 441, 18), eqs. 12, 15, and footnote 3.

    Parameters
    ----------
    rest : array, shape (m,)
        Wavelength in the rest frame of the source, Å.
    z : float
        Redshift of the source.

    Returns
    -------
    numpy.ndarray, shape (m,)
    """
    observed = rest * (1 + z)
    depth = np.zeros(len(rest))
    for line, strength in LYMAN_LINES.items():
        by_line = strength * (observed / line) ** LYMAN_SLOPE
        depth += np.where(rest < line, by_line, 0.0)
    continuum = np.maximum(_lyman_continuum(observed, z), 0)
    depth += np.where(rest < LYMAN_LIMIT, continuum, 0.0)
    return np.exp(-depth)


def _lyman_continuum(observed, z):
    """Optical depth of photoelectric absorption, footnote 3 of Madau (1995): shape (m,)."""
    source = 1 + z
    cloud = np.maximum(observed / LYMAN_LIMIT, 1.0)  # 1 + z of the lowest clouds that absorb
    depth = 0.25 * cloud**3 * (source**0.46 - cloud**0.46)
    depth += 9.4 * cloud**1.5 * (source**0.18 - cloud**0.18)
    depth -= 0.7 * cloud**3 * (cloud**-1.32 - source**-1.32)
    depth -= 0.023 * (source**1.68 - cloud**1.68)
    return depth


def through_filters(spectra, bands, redshifts):
    """Mean energy per frequency in filters of spectra at redshifts, weighted by counted photons.

    Parameters
    ----------
    spectra : array, shape (k, m)
        Energy per frequency on the grid `REST`.
    bands : sequence of str
    redshifts : array, shape (n_z,)

    Returns
    -------
    numpy.ndarray, shape (n_z, k, number of bands)
        Dimming by distance is left out: see `dimming`. Absorption on the way is in.
    """
    norms = [_norm(band) for band in bands]
    table = []
    for z in redshifts:
        responses = np.stack([_response(band, z) for band in bands])
        absorbed = spectra * transmission_of_hydrogen(REST, z)
        # A sum over ln λ, that is over dν/ν
        table.append(absorbed @ responses.T * STEP / norms)
    return np.stack(table)


def _response(band, z):
    """Throughput of a filter by rest wavelength at a redshift: shape (m,)."""
    return np.interp(REST * (1 + z), *throughput(band), left=0, right=0)


def dimming(z):
    """Flux at `ZERO_POINT` of a galaxy of absolute magnitude 0 at `REFERENCE`.

    It is (1 + z) 10^(-0.4 (DM - 25)), with the distance modulus DM.

    Parameters
    ----------
    z : array
        Redshifts above 0.

    Returns
    -------
    numpy.ndarray
    """
    grid, modulus = _moduli()
    found = np.interp(np.log(z), grid, modulus)
    return (1 + np.asarray(z)) * 10 ** (-0.4 * (found - ZERO_POINT))


@cache
def _moduli():
    """Natural logarithms of redshifts, and the distance moduli there, to interpolate between."""
    grid = np.geomspace(1e-3, 20, 2000)
    return np.log(grid), cosmology.distance_modulus(grid)
