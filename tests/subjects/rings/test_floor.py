"""Circle fit, floors and measures of rings, against cases whose answer is known."""

import numpy as np
import pytest

from helpers.evaluation.regression import rmse
from helpers.subjects.rings import floor, metrics, mock
from helpers.subjects.rings.circle import fit_circle


def test_circle_fit_finds_a_clean_circle():
    middle = np.arange(100) + 0.5
    distance = np.hypot(middle[None] - 40, middle[:, None] - 60)
    x, y, radius, scatter = fit_circle(np.abs(distance - 25) < 1)
    assert (x, y) == (pytest.approx(40, abs=0.05), pytest.approx(60, abs=0.05))
    assert radius == pytest.approx(25, abs=0.05)
    assert scatter == pytest.approx(2 / 12**0.5, abs=0.05)


def test_circle_fit_of_part_of_a_circle_is_nearly_unbiased():
    middle = np.arange(100) + 0.5
    distance = np.hypot(middle[None] - 40, middle[:, None] - 60)
    arc = (np.abs(distance - 25) < 1) & (middle[None] > 45)
    assert fit_circle(arc)[:3] == pytest.approx([40, 60, 25], abs=0.15)


@pytest.mark.parametrize("pixels", [[], [(3, 4)], [(2, 2), (3, 3), (4, 4), (5, 5)]])
def test_circle_fit_without_a_circle_is_nan(pixels):
    image = np.zeros((28, 28))
    for pixel in pixels:
        image[pixel] = 1
    assert np.isnan(fit_circle(image)).all()


def test_centres_of_the_simulator_agree_with_the_circle_fit():
    images, _, parameters = mock.simulate(500, seed=1)
    residuals = np.array([fit_circle(image)[:2] for image in images]) - parameters[:, 0, :2]
    assert np.abs(np.mean(residuals, axis=0)).max() < 0.05


def test_posterior_mean_is_better_than_the_circle_fit_and_hardly_biased(data_folder):
    table = floor.pixel_probabilities(5, 6, 100)
    images, _, parameters = mock.simulate(150, seed=2)
    true = parameters[:, 0]
    estimate = floor.posterior_mean(images, table)
    error = rmse(estimate, true)
    circle = np.array([fit_circle(image)[:3] for image in images])
    assert (error[:3] < rmse(circle, true[:, :3])).all()
    assert (error[3:] < 0.8 * true[:, 3:].std(axis=0)).all()
    # Taking neighbouring pixels for independent leaves a bias, small against the error.
    bias = np.mean(estimate - true, axis=0)
    assert (np.abs(bias) < 0.5 * error + 1e-6).all()


def test_coincident_probability_agrees_with_drawing():
    rng = np.random.default_rng(3)
    first, second = (mock.draw_parameters(400_000, rng, "classifier")[:, :3] for _ in range(2))
    drawn = np.mean((first == second).all(axis=1))
    assert floor.coincident_probability() == pytest.approx(drawn, rel=0.2)


def test_separation_is_the_largest_difference():
    rings = np.array([[[5, 5, 4, 0.5, 1], [7, 5, 5, 0.5, 1]], [[9, 9, 3, 0.5, 1], [np.nan] * 5]])
    assert metrics.separation(rings)[0] == 2
    assert np.isnan(metrics.separation(rings)[1])


def test_clusters_touch_by_a_corner():
    image = np.zeros((10, 10))
    image[1, 1] = image[2, 2] = image[5, 5] = image[9, 9] = 1
    assert metrics.n_clusters([image, np.zeros((10, 10))]).tolist() == [3, 0]
