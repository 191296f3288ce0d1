"""The Fréchet distance: the closed form of two Gaussians, its bias, singular matrices."""

import numpy as np
import pytest

from helpers.evaluation.frechet import frechet_distance

RNG = np.random.default_rng(0)


def exact(n, mean, deviations):
    """Points whose sample mean and covariance are these to the last digit."""
    points = RNG.normal(size=(n, len(mean)))
    points -= points.mean(axis=0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
    return points * deviations + mean


def test_closed_form_of_two_gaussians():
    one = exact(200, np.array([0.0, 0, 0]), np.array([1.0, 2, 3]))
    other = exact(300, np.array([1.0, -2, 0]), np.array([1.0, 1, 5]))
    assert frechet_distance(one, other) == pytest.approx(
        1 + 4 + 0 + 1 + 4
    )  # means, then squared differences of sigma


def test_closed_form_of_covariances_that_do_not_commute():
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    one, other = (
        exact(100, np.zeros(2), np.array([3.0, 1])),
        exact(100, np.zeros(2), np.array([2.0, 0.5])) @ turn,
    )
    first, second = np.cov(one.T), np.cov(other.T)
    root = np.sqrt(
        np.trace(first @ second) + 2 * np.sqrt(np.linalg.det(first @ second))
    )  # of a 2 x 2 matrix
    assert frechet_distance(one, other) == pytest.approx(
        np.trace(first) + np.trace(second) - 2 * root
    )
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one))


def test_same_points_and_singular_covariances():
    points = RNG.normal(size=(30, 50)).astype(np.float32)  # fewer points than dimensions
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-4)
    flat = np.repeat(RNG.normal(size=(40, 1)), 5, axis=1)
    assert frechet_distance(flat, flat + 1) == pytest.approx(5, rel=1e-6)


def test_it_is_biased_upwards_where_points_are_few():
    values = [
        frechet_distance(RNG.normal(size=(n, 10)), RNG.normal(size=(n, 10)))
        for n in (30, 300, 3000)
    ]
    assert values[0] > 3 * values[1] > 9 * values[2] > 0


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (np.zeros((5, 2)), np.zeros((5, 3)), r"found \(5, 2\) and \(5, 3\)"),
        (np.zeros((1, 2)), np.zeros((5, 2)), "two sets of points"),
        (np.full((5, 2), np.nan), np.zeros((5, 2)), "found NaN"),
    ],
)
def test_what_is_no_set_of_points_is_refused(one, other, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(one, other)
