"""Regressors by name: better than a constant, the same at each call."""

import numpy as np
import pytest

from helpers.evaluation import distributions, folds
from helpers.subjects.photoz import metrics, models
from helpers.subjects.photoz.columns import ERRORS, FLUXES
from helpers.subjects.photoz.features import PhotometricFeatures

QUICK = {"rf": {"n_estimators": 20, "n_jobs": 1}, "gbt": {"max_iter": 40}, "mlp": {"epochs": 8}}


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_beats_the_constant_guess_and_repeats_itself(name, galaxies):
    made = models.make(name, PhotometricFeatures(FLUXES, ERRORS), **QUICK.get(name, {}))
    z = galaxies["z_spec"].to_numpy()
    found = folds.out_of_fold(made, galaxies, z, folds=3)
    assert metrics.mse(found, z) < 0.8 * np.var(z)
    np.testing.assert_array_equal(found, folds.out_of_fold(made, galaxies, z, folds=3))


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="expected a model of rf"):
        models.make("x", None)


def test_a_forest_gives_distributions_of_the_training_redshifts(galaxies):
    grid = np.linspace(0, 5, 201)
    z = galaxies["z_spec"].to_numpy()
    train = galaxies[:350]
    train_z = z[:350]
    test = galaxies[350:]
    test_z = z[350:]
    forest = models.make("rf", PhotometricFeatures(FLUXES), n_estimators=100, n_jobs=1)
    forest.fit(train, train_z)
    cumulative = models.forest_distributions(forest, test, train, train_z, grid)
    assert (np.diff(cumulative, axis=1) >= 0).all() and np.allclose(cumulative[:, -1], 1)
    constant = distributions.from_samples(grid, np.tile(train_z, (150, 1)))
    crps = distributions.crps(grid, cumulative, test_z).mean()
    assert crps < 0.7 * distributions.crps(grid, constant, test_z).mean()
    assert distributions.calibration_error(distributions.pit(grid, cumulative, test_z)) < 0.15
