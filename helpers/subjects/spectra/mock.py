"""The simulator of galaxy spectra in the layout of ``sdss_galaxy_spec.hdf5``, and its physics.

**Grid.** 4556 pixels of 1e-4 dex span a factor 2.854: that is the range of the BOSS spectrograph
(3600 to 10 400 Å, Smee et al. 2013, AJ 146, 32), not that of the first SDSS one, whose spectra have
some 3840 pixels. The mock's grid starts at 3600 Å and ends at 10 275 Å, in vacuum.

**Galaxies** are drawn by `population`.

**Spectrum** (`galaxy_spectra`). Populations of `stellar`, broadened by the velocity dispersion and
R of about 2000, dimmed by dust as wavelength^-0.7 (Charlot & Fall 2000, ApJ 539, 718), plus nebular
lines (`stellar.line_ratios`), whose Hα has the luminosity of the star formation rate (Kennicutt &
Evans 2012, ARA&A 50, 531) plus the 0.8 Å that old stars ionise (Cid Fernandes et al. 2011, MNRAS
413, 1687). No active nuclei. The noise is that of `noise`.
"""

from functools import lru_cache

import numpy as np
from scipy import fft

from helpers.astro.constants import MEGAPARSEC, SOLAR_LUMINOSITY, SPEED_OF_LIGHT
from helpers.astro.cosmology import luminosity_distance
from helpers.astro.lines import LINES
from helpers.subjects.spectra import noise, population, stellar
from helpers.subjects.spectra.population import DUST_SLOPE, STARS_BEHIND_DUST, VISUAL

VERSION = 2
"""Raised whenever the same seed would give other spectra: old caches are then not used."""

N_PIX = 4556
LOG_START = 3.5563  # log10 of 3600 Å
STEP = stellar.LOG_STEP  # dex
BLOCK = (
    256  # rows simulated at a time, from random numbers of their own: row i does not depend on n
)
HOLE = 200  # pixels without flux, of the fault that is called so
RESOLUTION = 0.95  # sigma of the spectrograph in pixels of 69 km/s: R = 1950
LABEL_SCATTER = {"age": 0.04, "metallicity": 0.05, "smass": 0.05}  # dex, between label and truth
FAULTS = {  # rows per 10 000
    "negative redshift": 5,
    "no fit": 95,
    "mass": 5,
    "NaN flux": 4,
    "no data": 2,
}

FAULT_STREAM = 2**32  # of random numbers: beyond those of all blocks

FLUX_UNIT = 1e-17  # erg/s/cm²/Å
HALPHA_OF_STARS = 10**41.27  # erg/s for each M☉/yr (Kennicutt & Evans 2012, ARA&A 50, 531)
GAS_OVER_STARS = 0.7  # velocity dispersions
LINE_REACH = 16  # pixels to either side within which an emission line is drawn

_PIXEL = STEP * np.log(10)  # a pixel in natural log of wavelength


def wavelengths():
    """Vacuum wavelengths in Å of the simulated spectra, observer's frame: shape (4556,)."""
    return _grid(LOG_START, N_PIX)


def _grid(log_start, n_pix):
    return 10 ** (log_start + STEP * np.arange(n_pix))


@lru_cache(maxsize=1)
def _transform():
    """Fourier transform of populations: (n_ages * n_metallicities, n_frequencies), complex64."""
    flat = stellar.populations().reshape(-1, stellar.N_PIX)
    return fft.rfft(flat, axis=1).astype(np.complex64)


def galaxy_spectra(galaxies, log_start=LOG_START, n_pix=N_PIX, resolution=RESOLUTION):
    """Noise-free spectra, on a grid of 1e-4 dex.

    On such a grid a redshift is a shift, and a broadening by velocity a convolution: both are
    factors of the Fourier transform, as is the sum over populations, so that one inverse transform
    does it all without interpolation.

    Parameters
    ----------
    galaxies : dict
        Of `helpers.subjects.spectra.population.draw`.
    log_start : float
        log10 of the first wavelength in Å, in the observer's frame.
    n_pix : int
        Number of pixels.
    resolution : float
        Sigma of the spectrograph in pixels.

    Returns
    -------
    numpy.ndarray of float32, shape (n, n_pix)
        In 1e-17 erg/s/cm²/Å, observer frame.

    Raises
    ------
    ValueError
        If the grid at one of the redshifts is not within 2483 to 10 838 Å, rest frame.
    """
    z = galaxies["redshift"]
    # Of the first pixel, in pixels of the rest-frame grid
    position = (log_start - np.log10(1 + z) - stellar.LOG_START) / STEP
    first = np.floor(position).astype(int)
    if first.min() < 0 or first.max() + n_pix > stellar.N_PIX:
        expected = "expected redshifts that keep the grid within 2483-10838 Å"
        raise ValueError(f"{expected}, found {z.min():g} to {z.max():g}: choose another grid")
    scale = _received(galaxies)
    stars = _stellar_light(galaxies, position - first, resolution)
    flux = _dimming(galaxies, _grid(log_start, n_pix))
    flux *= _column(scale)
    for row, start in enumerate(first):
        flux[row] *= stars[row, start : start + n_pix]
    _add_lines(flux, galaxies, scale, log_start, resolution)
    return flux


def _column(values):
    """Numbers of galaxies, shape (n,), as float32 of shape (n, 1)."""
    return values.astype(np.float32)[:, None]


def _received(galaxies):
    """Flux per wavelength, in `FLUX_UNIT`, that one L☉/Å of a galaxy gives: shape (n,)."""
    z = galaxies["redshift"]
    distance = luminosity_distance(z) * MEGAPARSEC
    area = 4 * np.pi * distance**2
    return SOLAR_LUMINOSITY / FLUX_UNIT * galaxies["fibre"] / (area * (1 + z))


def _dimming(galaxies, wavelength):
    """Share of the light of stars that dust lets through: float32, shape (n, n_pix)."""
    observed = VISUAL * (1 + galaxies["redshift"])
    at_one_angstrom = galaxies["dust"] * observed**DUST_SLOPE  # mag
    curve = wavelength**-DUST_SLOPE
    per_magnitude = -0.4 * np.log(10)
    curve = curve.astype(np.float32)
    return np.exp(per_magnitude * _column(at_one_angstrom) * curve)


def _stellar_light(galaxies, fraction, resolution):
    """Light of the stars by rest wavelength, moved left by a fraction of a pixel: (n, n_pix)."""
    weights = _population_weights(galaxies)
    dispersion = _in_pixels(galaxies["velocity_dispersion"])
    variance = resolution**2 + dispersion**2
    frequency = 2 * np.pi * fft.rfftfreq(stellar.N_PIX)
    frequency = frequency.astype(np.float32)
    spectrum = weights.astype(np.complex64) @ _transform()
    spectrum *= np.exp(-0.5 * _column(variance) * frequency**2)  # broadened
    spectrum *= np.exp(1j * _column(fraction) * frequency)  # and moved
    return fft.irfft(spectrum, stellar.N_PIX, axis=1)


def _population_weights(galaxies):
    """Mass in M☉ of each population, linear in log metallicity: (n, n_ages * n_metallicities)."""
    nodes = stellar.LOG_METALLICITIES
    places = np.arange(len(nodes))
    log_metallicity = np.log10(galaxies["metallicity"])
    place = np.interp(log_metallicity, nodes, places)
    distance = np.abs(place[:, None] - places)
    near = np.maximum(0, 1 - distance)
    formed = galaxies["formed"][:, :, None]
    weights = formed * near[:, None, :]
    return weights.reshape(len(weights), -1)


def _in_pixels(velocity):
    return velocity / SPEED_OF_LIGHT / _PIXEL


def _add_lines(flux, galaxies, scale, log_start, resolution):
    """Add Gaussian emission lines to `flux`, each to the pixels near its centre."""
    n, n_pix = flux.shape
    stretch = 1 + galaxies["redshift"]
    dispersion = GAS_OVER_STARS * galaxies["velocity_dispersion"]
    sigma = np.hypot(resolution, _in_pixels(dispersion))[:, None]
    rows = np.arange(n)[:, None]
    window = np.arange(-LINE_REACH, LINE_REACH + 1)
    for name, luminosity in _line_luminosities(galaxies).items():
        rest = LINES[name].wavelength
        observed = rest * stretch
        centre = ((np.log10(observed) - log_start) / STEP)[:, None]
        pixel = np.rint(centre).astype(int) + window
        attenuation = galaxies["gas_dust"] * (rest / VISUAL) ** -DUST_SLOPE
        total = luminosity * scale * stretch * 10 ** (-0.4 * attenuation)
        width = observed * _PIXEL * np.sqrt(2 * np.pi)  # Å, for a sigma of one pixel
        peak = (total / width)[:, None] / sigma
        x = (pixel - centre) / sigma
        profile = peak * np.exp(-0.5 * x**2)
        inside = (pixel >= 0) & (pixel < n_pix)
        light = np.where(inside, profile, 0).astype(np.float32)
        flux[rows, pixel.clip(0, n_pix - 1)] += light


def _line_luminosities(galaxies):
    """Luminosity in L☉ of each line before dust, by its name: shape (n,)."""
    young, old = stellar.line_ratios(galaxies["oxygen"])
    halpha = galaxies["sfr"] * HALPHA_OF_STARS / SOLAR_LUMINOSITY
    continuum = galaxies["formed"] @ stellar.band_light(6600)
    # The equivalent width is one beside dimmed stars; the dust of the gas is applied later
    difference = galaxies["dust"] - galaxies["gas_dust"]
    undimmed = 10 ** (-0.4 * difference)
    retired = galaxies["old_lines"] * continuum * undimmed
    luminosities = {}
    for name in young:
        luminosities[name] = halpha * young[name] + retired * old[name]
    return luminosities


def simulate(n, seed, keep_noise_free=False):
    """Simulate a set of spectra, faulty rows included.

    Parameters
    ----------
    n : int
        Number of spectra.
    seed : int
        The same seed gives the same spectra, and the first rows do not depend on `n`.
    keep_noise_free : bool
        Whether the truth holds the noise-free spectra too, which take as much memory as the noisy
        ones.

    Returns
    -------
    raw : dict of str to array
        By the keys of the HDF5 file. ``age`` in Gyr, ``metallicity`` in solar units and ``smass``
        in M☉ scatter about the truth by `LABEL_SCATTER`. Rows with one of `FAULTS` are strewn
        evenly.
    truth : dict of str to array
        What `population.draw` gives, ``fault``, the number of the fault in `FAULTS` counted from 1,
        or 0, and, where asked for, ``flux``, shape (n, n_pix).

    Raises
    ------
    ValueError
        If `n` is less than 1 or the seed is negative.
    """
    if n < 1 or seed < 0:
        raise ValueError(f"expected n of 1 or more and a seed of 0 or more, found {n} and {seed}")
    flux = np.empty((n, N_PIX), dtype=np.float32)
    error = np.empty_like(flux)
    noise_free = np.empty_like(flux) if keep_noise_free else None
    labels = []
    truths = []
    for number, start in enumerate(range(0, n, BLOCK)):
        rng = np.random.default_rng((seed, number))
        galaxies = population.draw(BLOCK, rng)
        clean = galaxy_spectra(galaxies)
        noisy, sigma = noise.observe(clean, rng, LOG_START)
        labels.append(_label(galaxies, noisy, sigma, rng))
        truths.append(galaxies)
        rows = slice(start, min(start + BLOCK, n))
        size = rows.stop - start
        flux[rows] = noisy[:size]
        error[rows] = sigma[:size]
        if keep_noise_free:
            noise_free[rows] = clean[:size]
    raw = _joined(labels, n)
    raw |= {"wavelength": wavelengths(), "spec": flux, "specerr": error}
    truth = _joined(truths, n)
    truth["fault"] = _faults(n, seed)
    rng = np.random.default_rng((seed, FAULT_STREAM))
    _spoil(raw, truth["fault"], rng)
    if keep_noise_free:
        truth["flux"] = noise_free
    return raw, truth


def _joined(blocks, n):
    """The first `n` rows of dicts of arrays."""
    joined = {}
    for key in blocks[0]:
        parts = [block[key] for block in blocks]
        joined[key] = np.concatenate(parts)[:n]
    return joined


def _label(galaxies, flux, error, rng):
    """The columns of the file that go with the spectra of a block: estimates, not the truth."""
    n = len(flux)
    signal = np.median(np.maximum(flux, 0) / error, axis=1)
    scatter = 10 ** (0.08 * rng.standard_normal(n))
    noise_to_signal = 15 / np.maximum(signal, 1)
    redshift_error = 3e-5 * noise_to_signal**0.7 * scatter
    estimates = {
        key: galaxies[key] * 10 ** (dex * rng.standard_normal(n))
        for key, dex in LABEL_SCATTER.items()
    }
    return {
        "z": galaxies["redshift"] + redshift_error * rng.standard_normal(n),
        "zerr": redshift_error,
        **estimates,
        "plateid": rng.integers(266, 2975, n),
        "fiberid": rng.integers(1, 641, n),
        "mjd": rng.integers(51578, 54664, n),
        "ra": rng.uniform(110, 260, n),
        "dec": np.degrees(np.arcsin(rng.uniform(-0.07, 0.9, n))),
    }


def _faults(n, seed):
    """Number of the fault of each row, 0 for none.

    One at a random place in each stretch of 10 000 / rate rows.
    """
    fault = np.zeros(n, dtype=int)
    for number, rate in enumerate(FAULTS.values(), 1):
        stretches = np.arange(int(n * rate / 10_000) + 1)
        rng = np.random.default_rng((seed, FAULT_STREAM + number))
        within = rng.random(len(stretches))
        rows = ((stretches + within) * 1e4 / rate).astype(int)
        fault[rows[rows < n]] = number
    return fault


def _spoil(raw, fault, rng):
    """Make the faulty rows what they are, in place."""
    value = rng.random(len(fault))
    numbers = enumerate(FAULTS, 1)
    rows = {name: np.flatnonzero(fault == number) for number, name in numbers}
    negative = rows["negative redshift"]
    raw["z"][negative] = -(10 ** (value[negative] - 4))
    for key in ("age", "metallicity", "smass"):
        raw[key][rows["no fit"]] = -9999.0
    heavy = rows["mass"]
    raw["smass"][heavy] = 10 ** (13.05 + value[heavy])
    for row in rows["NaN flux"]:
        first = int(value[row] * (N_PIX - HOLE))
        raw["spec"][row, first : first + HOLE] = np.nan
    raw["spec"][rows["no data"]] = 0
    raw["specerr"][rows["no data"]] = np.inf


# Decline t/tau of the star formation, metallicity of stars (solar), velocity dispersion (km/s),
# 12 + log10(O/H), dust of gas (mag)
TEMPLATES = {
    "early type": (9.0, 1.1, 200, 8.7, 0.1),
    "S0": (5.5, 1.0, 170, 8.75, 0.3),
    "Sab": (3.2, 0.9, 140, 8.75, 0.8),
    "Sbc": (1.8, 0.7, 110, 8.7, 1.0),
    "late type": (-0.5, 0.35, 70, 8.4, 0.5),
    "LRG": (14.0, 1.4, 260, 8.7, 0.0),
}
TEMPLATE_AGE = 12.0  # Gyr since the first stars
TEMPLATE_START = 3.4624  # log10 of the first wavelength in Å
TEMPLATE_PIXELS = 5546


def templates():
    """Noise-free spectra of six types of galaxy, for cross-correlation.

    Returns
    -------
    wavelength : numpy.ndarray, shape (n_pix,)
        Rest frame, vacuum, Å: 2900 to 10 400 Å in steps of 1e-4 dex.
    flux : numpy.ndarray, shape (6, n_pix)
        Per Å, with mean 1 at 5450 to 5550 Å.
    names : tuple of str
        Early to late type, and a luminous red galaxy.
    """
    table = np.array(list(TEMPLATES.values()), dtype=float)
    decline, metallicity, dispersion, oxygen, dust = table.T
    one = np.ones(len(table))
    formed = stellar.mass_by_age(TEMPLATE_AGE * one, decline, one, one, 0 * one)
    galaxies = {
        "redshift": 1e-9 * one,
        "formed": formed,
        "metallicity": metallicity,
        "velocity_dispersion": dispersion,
        "oxygen": oxygen,
        "dust": STARS_BEHIND_DUST * dust,
        "gas_dust": dust,
        "old_lines": np.where(decline > 12, 0.2, 0.8),
        "fibre": one,
        "sfr": stellar.star_formation_rate(formed),
    }
    wavelength = _grid(TEMPLATE_START, TEMPLATE_PIXELS)
    flux = galaxy_spectra(galaxies, TEMPLATE_START, TEMPLATE_PIXELS).astype(float)
    near = (wavelength > 5450) & (wavelength < 5550)
    level = flux[:, near].mean(axis=1, keepdims=True)
    return wavelength, flux / level, tuple(TEMPLATES)
