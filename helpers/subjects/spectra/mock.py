"""The simulator of galaxy spectra in the layout of ``sdss_galaxy_spec.hdf5``, with its documented physics.

**Grid.** 4556 pixels of 1e-4 dex span a factor 2.854: that is the range of the BOSS spectrograph (3600 to 10 400 Å,
Smee et al. 2013, AJ 146, 32), not that of the first SDSS one, whose spectra have some 3840 pixels. The mock's grid
starts at 3600 Å and ends at 10 275 Å, in vacuum.

**Population** (`draw_parameters`). A sample limited at r = 17.77 (Strauss et al. 2002, AJ 124, 1810) of a Schechter
function with M* = -20.44 + 5 log h, alpha = -1.05 (Blanton et al. 2003, ApJ 592, 819): then L/L* follows a gamma
distribution of shape alpha + 2.5, and the cube of the distance is uniform. H0 = 70 km/s/Mpc, q0 = -0.55. The share of
quiescent galaxies rises with luminosity, half at L* (after Baldry et al. 2004, ApJ 600, 681). Star formation declines
exponentially with the age of the galaxy over its time scale t/tau: 1.6 in the blue cloud, 9 on the red sequence, some
4 in the green valley; one in eight of the star-forming ones had a burst. The metallicity of stars rises
with mass (after Gallazzi et al. 2005, MNRAS 362, 41, table 2, rounded), and with it that of the gas (after Kewley &
Ellison 2008, ApJ 681, 1183), dust (Garn & Best 2010, MNRAS 409, 421) and velocity dispersion (in the manner of Faber &
Jackson 1976, ApJ 204, 668).

**Spectrum** (`galaxy_spectra`). Populations of `stellar`, broadened by the velocity dispersion and R of about 2000,
dimmed by dust as wavelength^-0.7 (Charlot & Fall 2000, ApJ 539, 718), plus nebular lines (`stellar.line_ratios`),
whose Hα has the luminosity of the star formation rate (Kennicutt & Evans 2012, ARA&A 50, 531) plus the 0.8 Å that
old stars ionise (Cid Fernandes et al. 2011, MNRAS 413, 1687). No active nuclei.
"""

from functools import lru_cache

import numpy as np
from scipy import fft

from helpers.astro.lines import LINES
from helpers.subjects.spectra import noise, stellar

VERSION = 1
"""Raised whenever the same settings and seed would give other spectra: old caches are then not used."""

N_PIX = 4556
LOG_START = 3.5563  # log10 of 3600 Å
BLOCK = 256  # rows simulated at a time, each block with its own random numbers: row i does not depend on n
RESOLUTION = 0.95  # sigma of the spectrograph in pixels of 69 km/s: R = 1950
LABEL_SCATTER = {
    "age": 0.04,
    "metallicity": 0.05,
    "smass": 0.05,
}  # dex, between a label and the truth
FAULTS = {
    "negative redshift": 5,
    "no fit": 95,
    "mass": 5,
    "NaN flux": 4,
    "no data": 2,
}  # rows per 10 000

_PIXEL = 1e-4 * np.log(10)  # a pixel in natural log of wavelength
_LIGHT = 299792.458  # km/s
# Of log10 mass in M☉: log10 of the metallicity of stars in solar units, and 12 + log10(O/H) of gas (scale O3N2)
_METALLICITY = (
    (8.9, 9.5, 9.9, 10.1, 10.3, 10.5, 10.9, 11.3, 11.9),
    (-0.6, -0.6, -0.4, -0.23, -0.11, 0, 0.07, 0.12, 0.15),
)
_OXYGEN = (8.5, 9.0, 9.5, 10.0, 10.5), (8.24, 8.40, 8.55, 8.69, 8.77)


def draw_parameters(n, rng):
    """Draw galaxies of a flux-limited sample of the local universe: see the head of this module.

    Parameters
    ----------
    n : int
        Number of galaxies.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    dict of str to array, shape (n,)
        redshift; age, weighted by the light at 5500 Å, in Gyr; metallicity of the stars in solar units; smass, of
        living stars and remnants, in M☉; sfr in M☉/yr; velocity_dispersion in km/s; dust, the attenuation of the
        stars at 5500 Å in mag, and gas_dust; oxygen, 12 + log10(O/H); old_lines, the equivalent width in Å of Hα
        that old stars ionise; fibre, the share of the light in it; quiescent, whether it left the blue cloud; and
        formed, shape (n, n_ages), the mass formed in M☉ by age.
    """
    normal = rng.standard_normal
    luminosity = np.maximum(rng.gamma(1.45, size=n), 0.008)  # over L*
    magnitude = -21.21 - 2.5 * np.log10(luminosity)
    farthest = np.minimum(10 ** ((17.77 - magnitude) / 5 - 5), 1900)  # Mpc
    distance = (43.0**3 + rng.random(n) * (farthest**3 - 43.0**3)) ** (1 / 3)
    redshift = (np.sqrt(1 + 3.1 * distance / 4282.7) - 1) / 1.55
    quiescent = rng.random(n) < 1 / (1 + np.exp(-np.log10(luminosity) / 0.35))
    green = rng.random(n) < 0.12
    time = np.where(
        quiescent, 11.3 + 1.3 * normal(n), 9.5 + np.log10(luminosity) + 2.2 * normal(n)
    ).clip(3, 13.4)
    decline = np.where(
        quiescent, 9 + 2 * normal(n), 1.6 + 0.9 * np.log10(luminosity) + 0.9 * normal(n)
    )
    decline = np.where(green, 4 + 0.8 * normal(n), decline).clip(-3, 16)
    decline = np.where(quiescent & ~green, decline.clip(5), decline)
    burst = rng.random(n) < np.where(quiescent, 0.02, 0.12)
    burst_mass = np.where(burst, 10 ** rng.uniform(-2.2, -0.8, n), 0)
    shares = stellar.mass_by_age(
        time, decline, 10 ** (0.25 * normal(n)), 10 ** rng.uniform(-1.2, 0.2, n), burst_mass
    )

    # Mass from the luminosity, with solar metallicity: what it does to the r band is small
    x = -0.4 * (magnitude + 20.5)
    alpha = np.clip(
        0.91 + 0.77 * x + 0.11 * x**2 - 0.09 * x**3 + 0.3 * normal(n), 0.05, 2.5
    )  # of Hα, in mag
    gas_dust = np.where(quiescent, rng.exponential(0.25, n), alpha * (6563 / 5500) ** 0.7)
    light = shares @ _band_light()
    dust = 0.44 * gas_dust
    solar = light * 3.828e33 * 10 ** (-0.4 * dust * (5500 / 6200) ** 0.7)  # erg/s/Å at 6200 Å
    per_mass = -2.5 * np.log10(solar * 6200**2 / 2.99792e18 / (4 * np.pi * 3.0857e19**2)) - 48.6
    formed = 10 ** (-0.4 * (magnitude - per_mass))
    mass = formed * (shares @ stellar.surviving_mass(stellar.AGES))
    log_mass = np.log10(mass)
    scatter = np.interp(log_mass, (9, 11), (0.22, 0.10)) * normal(n)
    log_metallicity = (np.interp(log_mass, *_METALLICITY) + scatter).clip(-1.3, 0.3)
    oxygen = np.interp(log_mass, *_OXYGEN) + 0.07 * normal(n)
    weight = shares * _band_light(5500)
    return {
        "redshift": redshift,
        "age": weight @ stellar.AGES / weight.sum(axis=1),
        "metallicity": 10**log_metallicity,
        "smass": mass,
        "sfr": stellar.star_formation_rate(formed[:, None] * shares),
        "velocity_dispersion": (10 ** (2.22 + 0.28 * (log_mass - 10.9) + 0.07 * normal(n))).clip(
            50, 380
        ),
        "dust": dust,
        "gas_dust": gas_dust,
        "oxygen": oxygen,
        "old_lines": 0.8 * 10 ** (0.3 * normal(n)),
        "fibre": 10 ** (-0.4 * np.clip(1.0 - 2.5 * (redshift - 0.1) + 0.4 * normal(n), 0.3, 2.5)),
        "quiescent": quiescent,
        "formed": formed[:, None] * shares,
    }


@lru_cache(maxsize=2)
def _band_light(wavelength=6200):
    """Light at a wavelength in Å of populations of solar metallicity, by age: solar luminosities per Å and M☉."""
    near = np.abs(stellar.wavelengths() - wavelength) < 60
    return stellar.populations()[:, 3, near].mean(axis=1)


@lru_cache(maxsize=1)
def _transform():
    """Fourier transform of all populations, shape (n_ages * n_metallicities, n_frequencies), complex64."""
    return fft.rfft(stellar.populations().reshape(-1, stellar.N_PIX), axis=1).astype(np.complex64)


def galaxy_spectra(galaxies, log_start=LOG_START, n_pix=N_PIX, resolution=RESOLUTION):
    """Noise-free spectra, on a grid of 1e-4 dex.

    On such a grid a redshift is a shift, and a broadening by velocity a convolution: both are factors of the Fourier
    transform, as is the sum over populations, so that one inverse transform does it all without interpolation.

    Parameters
    ----------
    galaxies : dict
        Of `draw_parameters`.
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
    position = (
        log_start - np.log10(1 + z) - stellar.LOG_START
    ) * 1e4  # in rest-frame pixels, of the first pixel
    first = np.floor(position).astype(int)
    if first.min() < 0 or first.max() + n_pix > stellar.N_PIX:
        raise ValueError(
            f"expected redshifts that keep the grid within 2483-10838 Å, found {z.min():g} to {z.max():g}"
        )
    distance = z * (1 + 0.775 * z) * 4282.7 * 3.0857e24
    scale = (
        3.828e50 * galaxies["fibre"] / (4 * np.pi * distance**2 * (1 + z))
    )  # 1e-17 erg/s/cm² per solar luminosity
    stars = _stellar_light(galaxies, position - first, resolution)
    wavelength = 10 ** (log_start + 1e-4 * np.arange(n_pix))
    dimming = (galaxies["dust"] * (5500 * (1 + z)) ** 0.7)[:, None].astype(np.float32)
    flux = np.exp(-0.4 * np.log(10) * dimming * (wavelength**-0.7).astype(np.float32))
    flux *= scale.astype(np.float32)[:, None]
    for row, light, start in zip(flux, stars, first, strict=True):
        row *= light[start : start + n_pix]
    _add_lines(flux, galaxies, scale, log_start, resolution)
    return flux


def _stellar_light(galaxies, fraction, resolution):
    """Light of the stars by rest wavelength, moved left by a fraction of a pixel: shape (n, rest-frame pixels)."""
    nodes = stellar.LOG_METALLICITIES
    place = np.interp(np.log10(galaxies["metallicity"]), nodes, np.arange(len(nodes)))
    near = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(len(nodes))))  # linear interpolation
    weights = galaxies["formed"][:, :, None] * near[:, None, :]
    sigma2 = resolution**2 + (galaxies["velocity_dispersion"] / _LIGHT / _PIXEL) ** 2
    frequency = (2 * np.pi * fft.rfftfreq(stellar.N_PIX)).astype(np.float32)
    spectrum = weights.reshape(len(weights), -1).astype(np.complex64) @ _transform()
    spectrum *= np.exp(-0.5 * sigma2.astype(np.float32)[:, None] * frequency**2)
    spectrum *= np.exp(1j * fraction.astype(np.float32)[:, None] * frequency)
    return fft.irfft(spectrum, stellar.N_PIX, axis=1)


def _add_lines(flux, galaxies, scale, log_start, resolution):
    """Add Gaussian emission lines to `flux`, each to the pixels within 16 of its centre."""
    young, old = stellar.line_ratios(galaxies["oxygen"])
    continuum = galaxies["formed"] @ _band_light(6600)
    alpha = galaxies["sfr"] * 10**41.27 / 3.828e33  # solar luminosities
    retired = (
        galaxies["old_lines"] * continuum * 10 ** (-0.4 * (galaxies["dust"] - galaxies["gas_dust"]))
    )
    luminosity = alpha[:, None] * young + retired[:, None] * old
    sigma = np.sqrt(resolution**2 + (0.7 * galaxies["velocity_dispersion"] / _LIGHT / _PIXEL) ** 2)[
        :, None
    ]
    rows, window = np.arange(len(flux))[:, None], np.arange(-16, 17)
    for name, light in zip(stellar.NEBULAR_LINES, luminosity.T, strict=True):
        rest = LINES[name].wavelength
        observed = rest * (1 + galaxies["redshift"])
        centre = (np.log10(observed) - log_start) * 1e4
        pixel = np.rint(centre).astype(int)[:, None] + window
        dimming = 10 ** (-0.4 * galaxies["gas_dust"] * (rest / 5500) ** -0.7)
        total = light * scale * (1 + galaxies["redshift"]) * dimming
        peak = total / (observed * _PIXEL * np.sqrt(2 * np.pi))
        profile = peak[:, None] / sigma * np.exp(-0.5 * ((pixel - centre[:, None]) / sigma) ** 2)
        inside = (pixel >= 0) & (pixel < flux.shape[1])
        flux[rows, pixel.clip(0, flux.shape[1] - 1)] += np.where(inside, profile, 0).astype(
            np.float32
        )


def simulate(n, seed, keep_noise_free=False):
    """Simulate a set of spectra, faulty rows included.

    Parameters
    ----------
    n : int
        Number of spectra.
    seed : int
        The same seed gives the same spectra, and the first rows do not depend on `n`.
    keep_noise_free : bool
        Whether the truth holds the noise-free spectra too, which take as much memory as the noisy ones.

    Returns
    -------
    raw : dict of str to array
        By the keys of the HDF5 file. ``age`` in Gyr, ``metallicity`` in solar units and ``smass`` in M☉ scatter about
        the truth by `LABEL_SCATTER`. Rows with one of `FAULTS` are strewn evenly.
    truth : dict of str to array
        What `draw_parameters` gives, ``fault``, the number of the fault in `FAULTS` counted from 1, or 0, and, where
        asked for, ``flux``, shape (n, n_pix).

    Raises
    ------
    ValueError
        If `n` is less than 1 or the seed is negative.
    """
    if n < 1 or seed < 0:
        raise ValueError(f"expected n of 1 or more and a seed of 0 or more, found {n} and {seed}")
    flux, error = np.empty((2, n, N_PIX), dtype=np.float32)
    noise_free = np.empty_like(flux) if keep_noise_free else None
    labels, truths = [], []
    for number, start in enumerate(range(0, n, BLOCK)):
        rng = np.random.default_rng((seed, number))
        galaxies = draw_parameters(BLOCK, rng)
        clean = galaxy_spectra(galaxies)
        noisy, sigma = noise.observe(clean, rng, LOG_START)
        labels.append(_label(galaxies, noisy, sigma, rng))
        truths.append(galaxies)
        rows = slice(start, min(start + BLOCK, n))
        size = rows.stop - start
        flux[rows], error[rows] = noisy[:size], sigma[:size]
        if keep_noise_free:
            noise_free[rows] = clean[:size]
    raw, truth = (
        {key: np.concatenate([d[key] for d in dicts])[:n] for key in dicts[0]}
        for dicts in (labels, truths)
    )
    truth["fault"] = _faults(n, seed)
    raw = {
        "wavelength": 10 ** (LOG_START + 1e-4 * np.arange(N_PIX)),
        "spec": flux,
        "specerr": error,
    } | raw
    _spoil(raw, truth["fault"], np.random.default_rng((seed, 2**32)))
    return raw, truth | ({"flux": noise_free} if keep_noise_free else {})


def _label(galaxies, flux, error, rng):
    """The columns of the file that go with the spectra of a block: estimates, not the truth."""
    n = len(flux)
    signal = np.median(np.maximum(flux, 0) / error, axis=1)
    redshift_error = (
        3e-5 * (15 / np.maximum(signal, 1)) ** 0.7 * 10 ** (0.08 * rng.standard_normal(n))
    )
    estimates = {
        key: galaxies[key] * 10 ** (s * rng.standard_normal(n)) for key, s in LABEL_SCATTER.items()
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
    """Number of the fault of each row, 0 for none: one at a random place in each stretch of 10 000 / rate rows."""
    fault = np.zeros(n, dtype=int)
    for number, rate in enumerate(FAULTS.values(), 1):
        stretches = np.arange(int(n * rate / 10_000) + 1)
        rows = (
            (stretches + np.random.default_rng((seed, 2**32 + number)).random(len(stretches)))
            * 1e4
            / rate
        ).astype(int)
        fault[rows[rows < n]] = number
    return fault


def _spoil(raw, fault, rng):
    """Make the faulty rows what they are, in place."""
    value = rng.random(len(fault))
    negative, no_fit, mass, nan, empty = (fault == number for number in range(1, len(FAULTS) + 1))
    raw["z"][negative] = -(10 ** (-4 + value[negative]))
    for key in ("age", "metallicity", "smass"):
        raw[key][no_fit] = -9999.0
    raw["smass"][mass] = 10 ** (13.05 + value[mass])
    for row in np.flatnonzero(nan):
        first = int(value[row] * (N_PIX - 200))
        raw["spec"][row, first : first + 200] = np.nan
    raw["spec"][empty], raw["specerr"][empty] = 0, np.inf


TEMPLATES = {  # t/tau, metallicity of stars (solar), velocity dispersion (km/s), 12 + log10(O/H), dust of gas (mag)
    "early type": (9.0, 1.1, 200, 8.7, 0.1),
    "S0": (5.5, 1.0, 170, 8.75, 0.3),
    "Sab": (3.2, 0.9, 140, 8.75, 0.8),
    "Sbc": (1.8, 0.7, 110, 8.7, 1.0),
    "late type": (-0.5, 0.35, 70, 8.4, 0.5),
    "LRG": (14.0, 1.4, 260, 8.7, 0.0),
}


def templates():
    """Noise-free spectra of six types of galaxy, as the survey's pipeline has them, for cross-correlation.

    Returns
    -------
    wavelength : numpy.ndarray, shape (n_pix,)
        Rest frame, vacuum, Å: 2900 to 10 400 Å in steps of 1e-4 dex.
    flux : numpy.ndarray, shape (6, n_pix)
        Per Å, with mean 1 at 5450 to 5550 Å.
    names : tuple of str
        Early to late type, and a luminous red galaxy.
    """
    decline, metallicity, dispersion, oxygen, dust = np.array(
        list(TEMPLATES.values()), dtype=float
    ).T
    one = np.ones(len(decline))
    galaxies = {
        "redshift": np.full(len(one), 1e-9),
        "formed": stellar.mass_by_age(12 * one, decline, one, one, 0 * one),
        "metallicity": metallicity,
        "velocity_dispersion": dispersion,
        "oxygen": oxygen,
        "dust": 0.44 * dust,
        "gas_dust": dust,
        "old_lines": np.where(decline > 12, 0.2, 0.8),
        "fibre": one,
    }
    galaxies["sfr"] = stellar.star_formation_rate(galaxies["formed"])
    log_start = 3.4624
    n_pix = int((4.017 - log_start) * 1e4)
    wavelength = 10 ** (log_start + 1e-4 * np.arange(n_pix))
    flux = galaxy_spectra(galaxies, log_start, n_pix).astype(float)
    near = (wavelength > 5450) & (wavelength < 5550)
    return wavelength, flux / flux[:, near].mean(axis=1, keepdims=True), tuple(TEMPLATES)
