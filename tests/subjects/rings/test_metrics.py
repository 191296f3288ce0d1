"""What is measured of rings: shapes are found again, angles have a period, pixels random together are seen."""

import numpy as np
import pytest

from helpers.subjects.rings import metrics


def in_code(e, angle):
    return np.stack([e * np.cos(2 * angle), e * np.sin(2 * angle)], axis=-1)


def plain(e, angle):
    return np.stack([e, angle], axis=-1)


@pytest.mark.parametrize("encode", [in_code, plain])
def test_a_shape_is_found_again_from_any_code(encode):
    rng = np.random.default_rng(1)
    e = rng.uniform(0.1, 0.4, 50)
    angle = rng.uniform(0.1, np.pi - 0.1, 50)
    found_e, found_angle = metrics.decode_shape(encode(e, angle), encode)
    assert np.allclose(found_e, e, atol=0.006)
    assert np.abs(metrics.turned_by(found_angle, angle)).max() < 1.5


def test_an_ellipse_turned_by_half_a_circle_is_not_turned():
    true = np.array([0.0, 0.0, 3.0])
    found = np.array([np.pi, np.pi / 4, 3.0 - 0.1])
    assert np.allclose(metrics.turned_by(found, true), [0, 45, np.degrees(-0.1)])


@pytest.mark.parametrize(("copies", "expected"), [(1, 1), (4, 4)])
def test_pixels_that_are_random_together_are_seen(copies, expected):
    independent = np.random.default_rng(2).random((4000, 8, 8)) < 0.3
    images = np.tile(independent, (1, 1, copies))
    assert metrics.shared_randomness(images) == pytest.approx(expected, rel=0.1)
