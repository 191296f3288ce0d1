"""The one universe of this course: flat, with H0 = 70 km/s/Mpc and Omega_m = 0.3.

These round numbers, and not those of a Planck release, because the papers that the simulators
follow (luminosity functions, masses, luminosities of lines) give their results for them. Distances
are those of `astropy.cosmology`, which is imported when it is first needed.
"""

from functools import cache

import numpy as np

HUBBLE_CONSTANT = 70.0  # km/s/Mpc
OMEGA_MATTER = 0.3


@cache
def universe():
    """The cosmology: an `astropy.cosmology.FlatLambdaCDM`."""
    from astropy.cosmology import FlatLambdaCDM  # takes a quarter of a second

    return FlatLambdaCDM(H0=HUBBLE_CONSTANT, Om0=OMEGA_MATTER)


def luminosity_distance(redshift):
    """Luminosity distance in Mpc, of the shape of `redshift`."""
    return universe().luminosity_distance(redshift).value


def distance_modulus(redshift):
    """Apparent minus absolute magnitude, without K correction, of the shape of `redshift`."""
    return universe().distmod(redshift).value


def differential_comoving_volume(redshift):
    """Comoving volume per redshift and solid angle in Mpc³/sr, of the shape of `redshift`."""
    return universe().differential_comoving_volume(redshift).value


@cache
def _logarithms():
    """Natural logarithms of luminosity distances in Mpc, and of redshifts between 1e-4 and 20."""
    grid = np.geomspace(1e-4, 20, 20_000)
    return np.log(luminosity_distance(grid)), np.log(grid)


def redshift_at(distance):
    """Redshift at a luminosity distance in Mpc: the inverse of `luminosity_distance`.

    Interpolated in the logarithm: to 1e-6 of the redshift, from 0.5 Mpc to redshift 20.
    """
    return np.exp(np.interp(np.log(distance), *_logarithms()))
