"""The simulator: pixel by pixel what Pillow draws, in the distribution of the source."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import stats

from helpers.subjects.rings import mock

KINDS = ("classifier", "regressor", "ellipse")
SOURCE = {  # smallest radius, margin, ranges of thickness and deformation
    "classifier": (3, 2, (0.2, 1), (0, 1)),
    "regressor": (4, 1, (0.2, 1.5), (0.5, 3)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_those_that_pillow_draws(kind):
    fast, *_ = mock.simulate(400, seed=3, kind=kind)
    slow, *_ = mock.simulate(400, seed=3, kind=kind, draw=mock.draw_rings_one_by_one)
    assert np.array_equal(fast, slow)
    assert set(np.unique(fast)) == {0, 255}


def test_discs_that_leave_the_frame_are_clipped_as_pillow_does():
    rng = np.random.default_rng(0)
    centre = rng.uniform(-6, 34, (200, 2))
    radius = rng.uniform(0, 20, 200)
    thickness = rng.uniform(0.1, 7, 200)
    deformation = np.full(200, 2.0)
    rings = np.column_stack([centre, radius, thickness, deformation])
    offsets = mock.radial_offsets(deformation, rng)
    fast = mock.draw_rings(rings, offsets)
    assert np.array_equal(fast, mock.draw_rings_one_by_one(rings, offsets))


def source_image(ring, rng):
    """One ring by the rules of the source, with plain loops and Python's own random numbers."""
    x, y, radius, thickness, deformation = ring
    canvas = Image.new("L", (28, 28))
    draw = ImageDraw.Draw(canvas)
    for degree in range(360):
        distance = radius + rng.uniform(-deformation, deformation)
        left = x + distance * np.cos(np.radians(degree)) - thickness / 2
        top = y + distance * np.sin(np.radians(degree)) - thickness / 2
        draw.ellipse([left, top, left + thickness, top + thickness], fill=255)
    return np.asarray(canvas)


def source_set(n, kind, rng):
    """A set of the source: images, numbers of rings, parameters of the last ring drawn."""
    lowest, margin, thickness, deformation = SOURCE[kind]
    images = []
    numbers = []
    rings = []
    for _ in range(n):
        number = rng.choice([1, 2]) if kind == "classifier" else 1
        image = np.zeros((28, 28), dtype=np.uint8)
        for _ in range(number):
            x, y = rng.randint(5, 23), rng.randint(5, 23)
            radius = rng.randint(lowest, min(x, y, 28 - x, 28 - y) - margin)
            ring = x, y, radius, rng.uniform(*thickness), rng.uniform(*deformation)
            image = np.maximum(image, source_image(ring, rng))
        images.append(image)
        numbers.append(number)
        rings.append(ring)
    return np.array(images), np.array(numbers), np.array(rings)


@pytest.fixture(scope="module", params=["classifier", "regressor"])
def both(request):
    return request.param, source_set(1500, request.param, random.Random(5))


def test_same_distribution_as_the_source(both):
    kind, (images, numbers, rings) = both
    ours, our_numbers, our_rings = mock.simulate(20_000, seed=8, kind=kind)
    fractions = [(part > 0).mean(axis=(1, 2)) for part in (images, ours)]
    assert stats.ks_2samp(*fractions).pvalue > 1e-3
    error = np.hypot(*(part.std() / len(part) ** 0.5 for part in fractions))
    assert abs(fractions[0].mean() - fractions[1].mean()) < 4 * error
    assert abs(images.mean() - ours.mean()) < 4 * 255 * error
    counts = [np.bincount(n, minlength=3)[1:] for n in (numbers, our_numbers)]
    assert stats.chi2_contingency(np.array(counts) + 1e-9).pvalue > 1e-3
    for theirs, mine in zip(rings.T, our_rings[:, 0].T, strict=True):
        assert stats.ks_2samp(theirs, mine).pvalue > 1e-3


def test_a_wrong_distribution_would_be_noticed(both):
    """The test above can fail: rings that are 0.4 px thicker do not pass it."""
    _, (images, *_) = both
    rng = np.random.default_rng(1)
    rings = mock.draw_parameters(5000, rng, "regressor")
    rings[:, 3] += 0.4
    ours = mock.draw_images(rings, rng)
    fractions = [(part > 0).mean(axis=(1, 2)) for part in (images, ours)]
    assert stats.ks_2samp(*fractions).pvalue < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_images_and_other_seed_other_images(kind):
    first, again, other = (mock.simulate(50, seed, kind)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_global_generators_play_no_part():
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    mock.simulate(20, seed=1)
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("most", [1, 2, 6])
def test_numbers_of_rings_are_equally_frequent_and_match_the_parameters(most):
    images, n_rings, parameters = mock.simulate(6000, seed=4, kind="classifier", max_rings=most)
    counts = np.bincount(n_rings, minlength=most + 1)[1:]
    assert counts.sum() == 6000
    assert stats.chisquare(counts).pvalue > 1e-3 if most > 1 else counts[0] == 6000
    assert np.array_equal(np.isfinite(parameters[:, :, 0]).sum(axis=1), n_rings)
    single = mock.draw_parameters(10, np.random.default_rng(0), "classifier")
    assert single.shape == (10, 5)


def test_ellipse_has_the_shape_that_is_asked_for():
    """Without deformation, second moments of the discs give back radius, ellipticity, angle."""
    rings = np.array([[14, 14, 8, 0.5, 0.5, 0.3, 0.7], [14, 14, 6, 0.5, 0.5, 0.1, 2.5]])
    x, y = mock.disc_positions(rings, np.zeros((2, 360)))
    for ring, dx, dy in zip(rings, x - 14, y - 14, strict=True):
        # On an ellipse with semi-axes a and b, sampled evenly in its parameter, the moments are
        # a²/2 and b²/2.
        moments, axes = np.linalg.eigh(2 * np.cov(dx, dy, bias=True))
        b, a = np.sqrt(moments)
        assert np.sqrt(a * b) == pytest.approx(ring[2])
        assert (a - b) / (a + b) == pytest.approx(ring[5])
        assert np.arctan2(axes[1, 1], axes[0, 1]) % np.pi == pytest.approx(ring[6])
    circle = np.array([[14, 14, 8, 0.5, 0.5]])
    round_ellipse = np.array([[14, 14, 8, 0.5, 0.5, 0.0, 1.0]])
    none = np.zeros((1, 360))
    assert np.allclose(mock.disc_positions(circle, none), mock.disc_positions(round_ellipse, none))
