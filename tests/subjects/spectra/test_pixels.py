"""Edges of pixels, which of them are good, and the one rebinning that all rooms use."""

import numpy as np
import pytest

from helpers.subjects.spectra import correlation, pixels


def test_pixels_reach_half_way_to_their_neighbours():
    assert pixels.edges([1, 2, 4]) == pytest.approx([0.5, 1.5, 3, 5])
    assert pixels.centres([0.5, 1.5, 3, 5]) == pytest.approx([1, 2.25, 4])


@pytest.mark.parametrize("wrong", [[1], [2, 1], [1, 1], [[1, 2], [3, 4]], [1, np.nan]])
def test_what_is_no_grid_of_wavelengths_is_refused(wrong):
    with pytest.raises(ValueError, match="expected increasing wavelengths"):
        pixels.edges(wrong)


def test_a_pixel_is_good_if_it_has_a_flux_and_an_error():
    flux = np.array([1, np.nan, np.inf, 1, 1, 1, 1, -5])
    error = np.array([1, 1, 1, 0, -1, np.inf, np.nan, 2])
    assert pixels.good(flux, error).tolist() == [True] + 6 * [False] + [True]


def test_the_mean_of_a_straight_line_is_its_middle():
    limits = np.arange(101.0)
    flux = pixels.centres(limits)[None]
    bins = np.array([[0.0, 10.0, 35.0, 100.0]])
    mean, error = pixels.rebin(limits, flux, np.ones_like(flux), bins)
    assert mean[0] == pytest.approx([5, 22.5, 67.5])
    assert error[0] == pytest.approx(np.diff(bins[0]) ** -0.5)


def test_a_bin_with_too_few_good_pixels_has_an_infinite_error():
    limits = np.arange(21.0)
    error = np.ones((1, 20))
    error[0, :6] = 0
    bins = np.array([[0.0, 10.0, 20.0]])
    mean, sigma = pixels.rebin(limits, np.full((1, 20), 3.0), error, bins)
    assert mean[0].tolist() == [0, 3] and np.isinf(sigma[0, 0])
    mean, _ = pixels.rebin(limits, np.full((1, 20), 3.0), error, bins, least_coverage=0.4)
    assert mean[0].tolist() == [3, 3]


def test_the_correlation_rebins_as_all_others_do():
    wavelength = np.linspace(4000, 5000, 300)
    flux = np.random.default_rng(0).normal(5, 1, (2, 300))
    grid = correlation._log_grid(wavelength, step=3e-4)
    mean = correlation._rebin(wavelength, flux, grid)
    limits = pixels.edges(wavelength)
    bins = np.tile(grid.edges.clip(limits[0], limits[-1]), (2, 1))
    expected, _ = pixels.rebin(limits, flux, np.ones_like(flux), bins)
    assert mean == pytest.approx(expected) and mean.shape == (2, grid.n)
