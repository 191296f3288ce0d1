"""Filters, dust, intergalactic hydrogen and emission lines against published numbers."""

import numpy as np
import pytest

from helpers.astro import cosmology, seds
from helpers.astro.lines import LINES

BANDS = ("F606W", "F814W", "F125W", "F140W", "F160W")


def test_filters_and_dust_agree_with_published_numbers():
    pivots = {"F606W": 5921, "F814W": 8057, "F125W": 12486, "F160W": 15369}  # Å
    for band, wavelength in pivots.items():
        assert seds.pivot(band) == pytest.approx(wavelength, rel=2e-3)
    assert seds.attenuation(np.array([5500.0])) == pytest.approx(1, abs=0.02)
    with pytest.raises(ValueError, match="expected a band of F435W"):
        seds.throughput("F999X")


def test_a_flat_spectrum_is_flat_in_every_band():
    flat = seds.through_filters(np.ones((1, len(seds.REST))), BANDS, [0.1, 0.3])
    np.testing.assert_allclose(flat, 1, rtol=2e-3)


def test_hydrogen_absorbs_as_madau_says():
    transmission = seds.transmission_of_hydrogen(np.array([1100.0, 1300.0]), 3.0)
    assert transmission[1] == 1 and transmission[0] == pytest.approx(
        np.exp(-0.0036 * (4400 / 1215.67) ** 3.46)
    )
    assert seds.transmission_of_hydrogen(np.array([600.0]), 4.0) < 0.01


def test_a_galaxy_has_the_magnitude_that_it_should():
    z = np.array([0.5])
    expected = 10 ** (-0.4 * (-20 + cosmology.distance_modulus(0.5) - 25)) * 1.5
    assert seds.dimming(z) * 10 ** (0.4 * 20) == pytest.approx(expected, rel=1e-4)


def test_emission_lines_have_the_equivalent_widths_that_they_should():
    flux = seds.emission_lines()
    halpha = np.abs(seds.REST - LINES["Hα"].wavelength) < 100
    continuum = (seds.REFERENCE / seds.REST) ** 2  # per frequency, of one that is 1 per wavelength
    width = np.sum((flux * continuum * np.gradient(seds.REST))[halpha])
    assert width == pytest.approx(1, rel=1e-3)
    assert set(seds.EMISSION) <= set(LINES)
