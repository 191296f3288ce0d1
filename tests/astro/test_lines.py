"""Wavelengths in air and in vacuum: known pairs, and the table of lines."""

import numpy as np
import pytest

from helpers.astro.lines import LINES, air_to_vacuum, vacuum_to_air


@pytest.mark.parametrize(
    ("air", "vacuum"),  # NIST and the SDSS table of vacuum wavelengths
    [
        (5889.950, 5891.583),
        (5895.924, 5897.558),
        (5006.843, 5008.240),
        (3933.663, 3934.777),
        (6562.801, 6564.614),
    ],
)
def test_air_and_vacuum_as_in_known_pairs(air, vacuum):
    assert air_to_vacuum(air) == pytest.approx(vacuum, abs=0.005)
    assert vacuum_to_air(vacuum) == pytest.approx(air, abs=0.005)


def test_air_and_vacuum_are_inverse_to_each_other():
    wavelength = np.linspace(2500, 10_000, 50).reshape(5, 10)
    assert np.allclose(vacuum_to_air(air_to_vacuum(wavelength)), wavelength, rtol=0, atol=1e-9)


def test_wavelengths_in_another_unit_are_refused():
    with pytest.raises(ValueError, match="in Å above 2000, found 0.38"):
        air_to_vacuum([0.38, 0.9])


def test_the_table_is_in_vacuum():
    for name, line in LINES.items():
        if name.split()[-1].isdigit():
            assert abs(vacuum_to_air(line.wavelength) - int(name.split()[-1])) < 0.5, name
    balmer = {"Hα": 3, "Hβ": 4, "Hγ": 5, "Hδ": 6, "Hε": 7, "H8": 8, "H9": 9, "H10": 10}
    for name, n in balmer.items():  # Rydberg's formula; fine structure moves them a little
        assert LINES[name].wavelength == pytest.approx(
            1e8 / (109677.58 * (1 / 4 - 1 / n**2)), abs=0.08
        ), name
