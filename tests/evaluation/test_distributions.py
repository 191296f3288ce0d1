"""Distributions on a grid: their moments and quantiles, and how good they are."""

import numpy as np
import pytest

from helpers.evaluation import distributions

GRID = np.linspace(0, 4, 801)
MEAN = np.array([1.0, 2.0])
SIGMA = 0.2


@pytest.fixture
def normal():
    """Two normal distributions."""
    density = np.exp(-0.5 * ((GRID - MEAN[:, None]) / SIGMA) ** 2)
    return distributions.from_density(GRID, density)


def test_moments_and_quantiles(normal):
    np.testing.assert_allclose(distributions.mean(GRID, normal), MEAN, atol=1e-3)
    np.testing.assert_allclose(distributions.quantile(GRID, normal, 0.5), MEAN, atol=1e-3)
    upper = distributions.quantile(GRID, normal, 0.8413)
    np.testing.assert_allclose(upper, MEAN + SIGMA, atol=1e-3)


def test_pit_is_the_probability_below_the_truth(normal):
    found = distributions.pit(GRID, normal, [1.2, 2.0])
    np.testing.assert_allclose(found, [0.8413, 0.5], atol=1e-3)


def test_crps_of_a_normal_distribution_at_its_mean(normal):
    expected = SIGMA * (np.sqrt(2) - 1) / np.sqrt(np.pi)  # Gneiting & Raftery 2007
    np.testing.assert_allclose(distributions.crps(GRID, normal, MEAN), expected, rtol=1e-2)


def test_crps_of_a_number_is_its_absolute_error():
    number = (GRID >= 1.5)[None].astype(float)
    assert distributions.crps(GRID, number, np.array([1.0])) == pytest.approx(0.5, abs=0.01)
    assert distributions.crps(GRID, number, np.array([-1.0])) == pytest.approx(2.5, abs=0.01)
    assert distributions.crps(GRID, number, np.array([5.0])) == pytest.approx(3.5, abs=0.01)


def test_samples_become_a_distribution():
    samples = np.random.default_rng(0).normal(1, SIGMA, (1, 5000))
    made = distributions.from_samples(GRID, samples)
    assert distributions.mean(GRID, made) == pytest.approx(1, abs=0.02)
    assert (np.diff(made, axis=1) >= 0).all() and made[0, -1] == 1


@pytest.mark.parametrize("density", [0.0, np.nan])
def test_what_is_no_density_is_refused(density):
    with pytest.raises(ValueError, match="somewhere above 0"):
        distributions.from_density(GRID, np.full((1, 801), density))


def test_calibration_and_coverage_tell_calibrated_from_narrow():
    rng = np.random.default_rng(5)
    even = rng.random(4000)
    assert distributions.calibration_error(even) < 1.63 / np.sqrt(4000)  # 99 % of even ones
    assert distributions.coverage(even, 0.68) == pytest.approx(0.68, abs=0.03)
    too_narrow = rng.beta(0.5, 0.5, 4000)
    assert distributions.calibration_error(too_narrow) > 0.08
    assert distributions.coverage(too_narrow, 0.68) < 0.55
    assert distributions.coverage(np.array([0.0, 0.49, 0.5, 1.0]), 0.1) == 0.5
