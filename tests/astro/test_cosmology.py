"""One universe and one set of constants: against integrals and numbers from elsewhere."""

import numpy as np
import pytest
from scipy.integrate import quad

from helpers.astro import constants, cosmology


def comoving_distance(z):
    """By hand, in Mpc: c / H0 times the integral of 1 / E(z)."""
    integral, _ = quad(lambda z: (0.3 * (1 + z) ** 3 + 0.7) ** -0.5, 0, z)
    return 299792.458 / 70 * integral


@pytest.mark.parametrize("z", [0.01, 0.1, 0.36, 1.0, 4.5])
def test_distances_are_the_integrals_of_a_flat_universe(z):
    comoving = comoving_distance(z)
    assert cosmology.luminosity_distance(z) == pytest.approx((1 + z) * comoving, rel=1e-6)
    modulus = 5 * np.log10((1 + z) * comoving) + 25
    assert cosmology.distance_modulus(z) == pytest.approx(modulus, abs=1e-5)
    shell = comoving**2 * 299792.458 / 70 * (0.3 * (1 + z) ** 3 + 0.7) ** -0.5
    assert cosmology.differential_comoving_volume(z) == pytest.approx(shell, rel=1e-6)


def test_a_redshift_is_found_from_its_distance():
    z = np.array([0.0005, 0.01, 0.123, 0.36, 2.0, 10.0])
    distance = cosmology.luminosity_distance(z)
    assert cosmology.redshift_at(distance) == pytest.approx(z, rel=1e-6)


def test_constants_are_in_the_units_that_they_say():
    assert constants.SPEED_OF_LIGHT == 299792.458
    assert pytest.approx(3.828e33, rel=1e-9) == constants.SOLAR_LUMINOSITY
    assert pytest.approx(3.0857e18, rel=1e-5) == constants.PARSEC
    assert pytest.approx(1.438777e-2, rel=1e-6) == constants.SECOND_RADIATION_CONSTANT
    assert -2.5 * np.log10(constants.AB_FLUX) == pytest.approx(48.6, abs=1e-9)
