"""Which galaxies there are: a flux-limited sample of the local universe, for simulated spectra.

Each property is drawn by a function of its own, whose docstring names the paper. They hang together
as in the sky: luminosity decides on the type, both on the history of star formation, that and the
luminosity on the mass, and the mass on metallicity and velocity dispersion.
"""

import numpy as np

from helpers.astro.constants import AB_FLUX, PARSEC, SOLAR_LUMINOSITY, SPEED_OF_LIGHT_ANGSTROM
from helpers.astro.cosmology import redshift_at
from helpers.subjects.spectra import stellar

RED = 6200.0  # Å, the middle of the r band
VISUAL = 5500.0  # Å, where attenuations are given
DUST_SLOPE = 0.7  # attenuation ∝ wavelength^-0.7 (Charlot & Fall 2000, ApJ 539, 718)
STARS_BEHIND_DUST = (
    0.44  # attenuation of stars over that of gas (Calzetti et al. 2000, ApJ 533, 682)
)


def draw(n, rng):
    """Draw galaxies.

    Parameters
    ----------
    n : int
        Number of galaxies.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    dict of str to array, shape (n,)
        redshift; age, weighted by the light at 5500 Å, in Gyr; metallicity of the stars in solar
        units; smass, of living stars and remnants, in M☉; sfr in M☉/yr; velocity_dispersion in
        km/s; dust, the attenuation of the stars at 5500 Å in mag, and gas_dust; oxygen, 12 +
        log10(O/H); old_lines, the equivalent width in Å of Hα that old stars ionise; fibre, the
        share of the light in it; quiescent, whether it left the blue cloud; and formed, shape (n,
        n_ages), the mass formed in M☉ by age.
    """
    luminosity = draw_luminosity(n, rng)
    magnitude = absolute_magnitude(luminosity)
    redshift = draw_redshift(magnitude, rng)
    quiescent = draw_quiescent(luminosity, rng)
    shares = draw_history(luminosity, quiescent, rng)
    gas_dust = draw_gas_dust(magnitude, quiescent, rng)
    dust = STARS_BEHIND_DUST * gas_dust
    formed = mass_formed(magnitude, shares, dust)
    mass = formed * (shares @ stellar.surviving_mass(stellar.AGES))
    log_mass = np.log10(mass)
    metallicity = draw_metallicity(log_mass, rng)
    oxygen = draw_oxygen(log_mass, rng)
    dispersion = draw_velocity_dispersion(log_mass, rng)
    old_lines = draw_old_lines(n, rng)
    fibre = draw_fibre(redshift, rng)
    by_age = formed[:, None] * shares
    return {
        "redshift": redshift,
        "age": light_weighted_age(shares),
        "metallicity": metallicity,
        "smass": mass,
        "sfr": stellar.star_formation_rate(by_age),
        "velocity_dispersion": dispersion,
        "dust": dust,
        "gas_dust": gas_dust,
        "oxygen": oxygen,
        "old_lines": old_lines,
        "fibre": fibre,
        "quiescent": quiescent,
        "formed": by_age,
    }


# --- how luminous, and how far -----------------------------------------------

FAINT_END = -1.05  # alpha of the Schechter function in r, and
BRIGHT_END = -21.21  # M* = -20.44 + 5 log h for h = 0.7 (Blanton et al. 2003, ApJ 592, 819)
FAINTEST = 0.008  # L*
FLUX_LIMIT = 17.77  # r, of the main galaxy sample (Strauss et al. 2002, AJ 124, 1810)
NEAREST = 43.0  # Mpc: z = 0.01
FARTHEST = 1900.0  # Mpc


def draw_luminosity(n, rng):
    """Luminosity in r over L*, of a sample limited in flux.

    The volume in which a galaxy is bright enough grows as L^1.5, so that a Schechter function
    becomes a gamma distribution of the shape alpha + 2.5.
    """
    return np.maximum(rng.gamma(FAINT_END + 2.5, size=n), FAINTEST)


def absolute_magnitude(luminosity):
    """In r, of a luminosity over L*."""
    return BRIGHT_END - 2.5 * np.log10(luminosity)


def draw_redshift(magnitude, rng):
    """Redshift, for distances whose cube is uniform up to where the flux limit is reached."""
    limit = 10 ** ((FLUX_LIMIT - magnitude) / 5 - 5)  # Mpc
    farthest = np.minimum(limit, FARTHEST)
    cube = NEAREST**3 + rng.random(len(magnitude)) * (farthest**3 - NEAREST**3)
    distance = cube ** (1 / 3)
    return redshift_at(distance)


# --- how old -----------------------------------------------------------------

TYPE_WIDTH = 0.35  # dex of luminosity
GREEN_VALLEY = 0.12  # share of all galaxies
QUIESCENT_BURSTS = 0.02  # share of them that had a burst
OTHER_BURSTS = 0.12
BURST_AGE = (-1.2, 0.2)  # log10 of Gyr
BURST_MASS = (-2.2, -0.8)  # log10 of the share of the mass formed
RECENT_SCATTER = 0.25  # dex, of the rate of the last 140 Myr


def draw_quiescent(luminosity, rng):
    """Whether a galaxy left the blue cloud: half at L* (after Baldry et al. 2004, ApJ 600, 681)."""
    chance = 1 / (1 + np.exp(-np.log10(luminosity) / TYPE_WIDTH))
    return rng.random(len(luminosity)) < chance


def draw_history(luminosity, quiescent, rng):
    """Share of the mass formed by age, (n, n_ages): a declining rate, and for some a burst.

    The decline t/tau is the age of the galaxy over the time scale: 9 on the red sequence, 1.6 in
    the blue cloud, 4 in the green valley. These numbers were chosen for this course.
    """
    n = len(luminosity)
    normal = rng.standard_normal
    log_luminosity = np.log10(luminosity)
    green = rng.random(n) < GREEN_VALLEY
    early = 11.3 + 1.3 * normal(n)  # Gyr
    late = 9.5 + log_luminosity + 2.2 * normal(n)
    time = np.where(quiescent, early, late).clip(3, 13.4)
    steep = 9 + 2 * normal(n)
    shallow = 1.6 + 0.9 * log_luminosity + 0.9 * normal(n)
    decline = np.where(quiescent, steep, shallow)
    decline = np.where(green, 4 + 0.8 * normal(n), decline).clip(-3, 16)
    decline = np.where(quiescent & ~green, decline.clip(5), decline)
    burst = rng.random(n) < np.where(quiescent, QUIESCENT_BURSTS, OTHER_BURSTS)
    burst_mass = np.where(burst, 10 ** rng.uniform(*BURST_MASS, n), 0)
    recent = 10 ** (RECENT_SCATTER * normal(n))
    burst_age = 10 ** rng.uniform(*BURST_AGE, n)
    return stellar.mass_by_age(time, decline, recent, burst_age, burst_mass)


def light_weighted_age(shares):
    """Mean age in Gyr, weighted by the light at 5500 Å of stars of solar metallicity."""
    weight = shares * stellar.band_light(VISUAL)
    return weight @ stellar.AGES / weight.sum(axis=1)


# --- how dusty, and how heavy ------------------------------------------------

QUIESCENT_DUST = 0.25  # mag at 5500 Å, on average
HALPHA_SCATTER = 0.3  # mag
HALPHA_LIMITS = (0.05, 2.5)  # mag


def draw_gas_dust(magnitude, quiescent, rng):
    """Attenuation of the gas at 5500 Å in mag.

    Of galaxies that form stars, that of Hα grows with x = log10(mass / 10^10 M☉) (Garn & Best 2010,
    MNRAS 409, 421); the mass is here the one that the luminosity suggests.
    """
    n = len(magnitude)
    x = -0.4 * (magnitude + 20.5)
    mean = 0.91 + 0.77 * x + 0.11 * x**2 - 0.09 * x**3
    halpha = np.clip(mean + HALPHA_SCATTER * rng.standard_normal(n), *HALPHA_LIMITS)
    little = rng.exponential(QUIESCENT_DUST, n)
    return np.where(quiescent, little, halpha * (6563 / VISUAL) ** DUST_SLOPE)


def mass_formed(magnitude, shares, dust):
    """Mass in M☉ that must have formed for the luminosity.

    For stars of solar metallicity: what it does to the r band is small.
    """
    light = shares @ stellar.band_light(RED)
    dimming = 10 ** (-0.4 * dust * (VISUAL / RED) ** DUST_SLOPE)
    per_wavelength = light * dimming * SOLAR_LUMINOSITY  # erg/s/Å
    per_frequency = per_wavelength * RED**2 / SPEED_OF_LIGHT_ANGSTROM
    flux = per_frequency / (4 * np.pi * (10 * PARSEC) ** 2)  # at 10 pc
    magnitude_of_one = -2.5 * np.log10(flux / AB_FLUX)
    return 10 ** (-0.4 * (magnitude - magnitude_of_one))


# --- how rich in metals, and how fast ----------------------------------------

# Gallazzi et al. 2005, MNRAS 362, 41, table 2, rounded: log10 of mass (M☉) and of metallicity
# (solar)
GALLAZZI = {
    8.9: -0.6,
    9.5: -0.6,
    9.9: -0.4,
    10.1: -0.23,
    10.3: -0.11,
    10.5: 0.0,
    10.9: 0.07,
    11.3: 0.12,
    11.9: 0.15,
}
# After Kewley & Ellison 2008, ApJ 681, 1183: log10 of mass and 12 + log10(O/H), on the scale of
# O3N2
KEWLEY = {8.5: 8.24, 9.0: 8.40, 9.5: 8.55, 10.0: 8.69, 10.5: 8.77}
OXYGEN_SCATTER = 0.07  # dex


def draw_metallicity(log_mass, rng):
    """Metallicity of the stars in solar units; light galaxies scatter more."""
    scatter = np.interp(log_mass, (9, 11), (0.22, 0.10)) * rng.standard_normal(len(log_mass))
    mean = np.interp(log_mass, list(GALLAZZI), list(GALLAZZI.values()))
    return 10 ** (mean + scatter).clip(-1.3, 0.3)


def draw_oxygen(log_mass, rng):
    """12 + log10(O/H) of the gas."""
    mean = np.interp(log_mass, list(KEWLEY), list(KEWLEY.values()))
    return mean + OXYGEN_SCATTER * rng.standard_normal(len(log_mass))


def draw_velocity_dispersion(log_mass, rng):
    """Velocity dispersion in km/s, in the manner of Faber & Jackson (1976, ApJ 204, 668)."""
    mean = 2.22 + 0.28 * (log_mass - 10.9)
    scatter = 0.07 * rng.standard_normal(len(log_mass))
    return (10 ** (mean + scatter)).clip(50, 380)


# --- what the fibre sees -----------------------------------------------------


def draw_old_lines(n, rng):
    """Equivalent width in Å of Hα by old stars (Cid Fernandes et al. 2011, MNRAS 413, 1687)."""
    return 0.8 * 10 ** (0.3 * rng.standard_normal(n))


def draw_fibre(redshift, rng):
    """Share of the light that falls into the fibre: 0.4 at z = 0.1, more of distant ones."""
    lost = 1.0 - 2.5 * (redshift - 0.1) + 0.4 * rng.standard_normal(len(redshift))  # mag
    return 10 ** (-0.4 * np.clip(lost, 0.3, 2.5))
