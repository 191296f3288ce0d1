"""The network that judges generated samples."""

import numpy as np
import pytest

from helpers.evaluation.judge import FEATURES, ParameterRegressor


def samples(n, seed, shape):
    """Samples that are linear in two parameters."""
    rng = np.random.default_rng(seed)
    parameters = rng.normal(size=(n, 2)).astype(np.float32)
    patterns = np.random.default_rng(9).normal(size=(2, *shape)).astype(np.float32)
    return np.tensordot(parameters, patterns, 1) / 3, parameters


@pytest.mark.parametrize("shape", [(12,), (3, 4), (1, 4, 3)])
def test_it_reads_the_parameters_of_samples_of_any_shape(shape):
    train, validation, test = (samples(n, n, shape) for n in (600, 200, 201))
    judge = ParameterRegressor.fit(train, validation, epochs=15, seed=1)
    assert (judge.r2(*test) > 0.9).all() and judge.predict(test[0]).shape == (201, 2)
    shuffled = np.random.default_rng(0).permutation(test[1])
    assert (judge.r2(test[0], shuffled) < 0).all()
    assert judge.features(test[0]).shape == (201, FEATURES)


def test_it_knows_which_set_is_further_from_the_real_one():
    train, validation, test = (samples(n, n, (12,)) for n in (400, 200, 201))
    judge = ParameterRegressor.fit(train, validation, epochs=5, seed=1)
    same, near, far = (judge.frechet_distance(test[0], factor * test[0]) for factor in (1, 1.2, 2))
    assert abs(same) < 1e-4 < near < far


def test_the_same_seed_gives_the_same_judge():
    train, validation = samples(100, 1, (12,)), samples(50, 2, (12,))
    first, again, other = (
        ParameterRegressor.fit(train, validation, epochs=2, seed=seed).predict(validation[0])
        for seed in (1, 1, 2)
    )
    assert (first == again).all() and not (first == other).all()
