"""Spectral energy distributions seen through filters: templates, dust, emission lines, absorption on the way.

GalSim packages the templates of Coleman, Wu & Weedman (1980, ApJS 43, 393), with the extension in wavelength of
Bolzonella et al. (2000, A&A 363, 476), and throughputs of HST and LSST filters; they are read from there.
"""

from functools import cache
from pathlib import Path

import numpy as np
from astropy.cosmology import FlatLambdaCDM

STEP = 0.0012  # in ln λ
REST = np.exp(np.arange(np.log(600), np.log(22_000), STEP))  # Å
REFERENCE = 5500.0  # Å, where templates are 1
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
CWW = ("E", "Sbc", "Scd", "Im")
LINES = {
    3728.0: 0.9,
    4862.7: 0.35,
    4960.3: 0.33,
    5008.2: 1.0,
    6564.6: 1.0,
    6725.5: 0.25,
}  # Å: energy, Hα = 1
FILES = {
    "F606W": "ACS_wfc_F606W",
    "F814W": "ACS_wfc_F814W",
    "F125W": "WFC3_ir_F125W",
    "F160W": "WFC3_ir_F160W",
}
FILES |= {"F435W": "ACS_wfc_F435W"} | {band: f"LSST_{band}" for band in "ugrizy"}
BOXES = {"F140W": (12_000.0, 16_000.0)}  # Å: not in GalSim, so taken as a box of its nominal width


@cache
def _norm(band):
    """∫ T dλ/λ of a filter."""
    wavelength, transmission = throughput(band)
    fine = np.exp(np.arange(np.log(wavelength[0]), np.log(wavelength[-1]), STEP))
    return np.interp(fine, wavelength, transmission).sum() * STEP


def _share(*parts):
    from galsim.meta_data import share_dir  # takes a second, and only what simulates needs it

    return Path(share_dir, *parts)


@cache
def throughput(band):
    """Throughput of a filter.

    Parameters
    ----------
    band : str
        One of the HST filters F435W, F606W, F814W, F125W, F140W, F160W or the LSST filters u, g, r, i, z, y.

    Returns
    -------
    wavelength, throughput : numpy.ndarray, shape (m,)
        Å, and photons counted per photon.
    """
    if band in BOXES:
        low, high = BOXES[band]
        return np.array([low - 20, low, high, high + 20]), np.array([0.0, 1.0, 1.0, 0.0])
    if band not in FILES:
        raise ValueError(f"expected a band of {', '.join([*FILES, *BOXES])}, found {band!r}")
    wavelength, transmission = np.loadtxt(_share("bandpasses", f"{FILES[band]}.dat"), unpack=True)
    return 10 * wavelength, transmission


@cache
def pivot(band):
    """Pivot wavelength of a filter in Å: √(∫T λ dλ / ∫T dλ/λ)."""
    wavelength, transmission = throughput(band)
    fine = np.linspace(wavelength[0], wavelength[-1], 4000)
    fine_t = np.interp(fine, wavelength, transmission)
    return float(np.sqrt((fine_t * fine).sum() / (fine_t / fine).sum()))


@cache
def cww(name):
    """Energy per frequency, on the grid `REST`, of a template of Coleman, Wu & Weedman: E, Sbc, Scd or Im."""
    wavelength, per_wavelength = np.loadtxt(_share("SEDs", f"CWW_{name}_ext.sed"), unpack=True)
    return normalised(np.interp(REST, wavelength, per_wavelength, left=0.0) * REST**2)


def normalised(per_frequency):
    """Divide a spectrum on `REST` by its mean within 200 Å of `REFERENCE`."""
    near = np.abs(REST - REFERENCE) < 200
    return per_frequency / per_frequency[near].mean()


def power_law(slope):
    """A spectrum with energy per wavelength ∝ λ^slope above the Lyman limit, as that of young stars."""
    return normalised(np.where(REST > 912, REST ** (slope + 2), 0.0))


def emission_lines():
    """Energy per frequency of emission lines: Hα with an equivalent width of 1 Å of the continuum at `REFERENCE`.

    The relative strengths of `LINES` are typical of star-forming galaxies at z ≈ 1.
    """
    total = np.zeros_like(REST)
    for line, strength in LINES.items():
        width = 0.002 * line
        profile = np.exp(-0.5 * ((REST - line) / width) ** 2) / (
            width * np.sqrt(2 * np.pi)
        )  # per Å
        total += strength * profile * (REST / REFERENCE) ** 2
    return total


def attenuation(wavelength):
    """Attenuation curve A(λ) / A(V) of starburst galaxies (Calzetti et al. 2000, ApJ 533, 682, eq. 4).

    Parameters
    ----------
    wavelength : array
        Rest frame, Å. Beyond 0.12 to 2.2 μm, where the curve is defined, its value at the border.

    Returns
    -------
    numpy.ndarray
    """
    x = 1e4 / np.clip(wavelength, 1200, 22_000)
    blue = 2.659 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + 4.05
    red = 2.659 * (-1.857 + 1.040 * x) + 4.05
    return np.where(x > 1 / 0.63, blue, red) / 4.05


def transmission_of_hydrogen(rest, z):
    """Mean transmission of the intergalactic medium (Madau 1995, ApJ 441, 18: eqs. 12, 15, and footnote 3).

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
    depth, x = np.zeros(len(rest)), rest * (1 + z)
    for line, strength in (
        (1215.67, 0.0036),
        (1025.72, 0.0017),
        (972.54, 0.0012),
        (949.74, 0.00093),
    ):
        depth += np.where(rest < line, strength * (x / line) ** 3.46, 0.0)
    source, cloud = 1 + z, np.maximum(x / 912, 1.0)
    limit = 0.25 * cloud**3 * (source**0.46 - cloud**0.46) + 9.4 * cloud**1.5 * (
        source**0.18 - cloud**0.18
    )
    limit -= 0.7 * cloud**3 * (cloud**-1.32 - source**-1.32) + 0.023 * (source**1.68 - cloud**1.68)
    return np.exp(-depth - np.where(rest < 912, np.maximum(limit, 0), 0.0))


def through_filters(spectra, bands, redshifts):
    """Mean energy per frequency in filters, weighted by counted photons, of spectra moved to redshifts.

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
    table = np.empty((len(redshifts), len(spectra), len(bands)))
    for number, z in enumerate(redshifts):
        responses = np.stack(
            [np.interp(REST * (1 + z), *throughput(band), left=0, right=0) for band in bands]
        )
        absorbed = spectra * transmission_of_hydrogen(REST, z)
        table[number] = (
            absorbed @ responses.T * STEP / [_norm(band) for band in bands]
        )  # in ln λ, that is dν/ν
    return table


def dimming(z):
    """Flux at the zero point 25 of a galaxy of absolute magnitude 0 at `REFERENCE`: (1 + z) 10^(-0.4 (DM - 25)).

    Parameters
    ----------
    z : array
        Redshifts above 0.

    Returns
    -------
    numpy.ndarray
    """
    grid = np.geomspace(1e-3, 20, 2000)
    modulus = np.interp(np.log(z), np.log(grid), COSMOLOGY.distmod(grid).value)
    return (1 + np.asarray(z)) * 10 ** (-0.4 * (modulus - 25))
