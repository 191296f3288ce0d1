"""The training set of hack 02, and the regressor that judges spectra."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.evaluation.frechet import frechet_distance
from helpers.evaluation.judge import ParameterRegressor
from helpers.subjects import spectra
from helpers.subjects.spectra import prepare
from helpers.subjects.spectra.sets import training_set


@pytest.fixture(scope="module")
def few():
    return spectra.simulate(300, seed=3)[0]


@pytest.fixture(scope="module")
def prepared(few):
    return training_set(few, 180, 40, n_bins=64, seed=1)


def test_parts_share_no_row_and_leave_none_out(prepared):
    rows = np.concatenate([prepared.train, prepared.validation, prepared.test])
    assert sorted(rows) == list(range(len(prepared.values)))
    assert (len(prepared.train), len(prepared.validation)) == (180, 40)
    assert prepared.mock and prepared.values.dtype == prepared.conditions.dtype == np.float32


def test_scales_are_learned_from_training_rows_only(few, prepared):
    np.testing.assert_allclose(prepared.conditions[prepared.train].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(prepared.conditions[prepared.train].std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(prepared.values[prepared.train].mean(axis=0), 0, atol=1e-5)
    assert np.abs(prepared.conditions[prepared.test].mean(axis=0)).max() > 1e-4
    # Other test rows, the same scale
    kept, _ = prepare.clean(few)
    changed = kept.flux.copy()
    changed[prepared.test] *= np.linspace(0.5, 2, changed.shape[1])
    again = training_set(replace(kept, flux=changed), 180, 40, n_bins=64, seed=1)
    np.testing.assert_array_equal(again.scale.mean, prepared.scale.mean)
    np.testing.assert_array_equal(again.values[again.train], prepared.values[prepared.train])


def test_the_frame_is_the_observers_and_flux_comes_back(few, prepared):
    assert (
        prepared.wavelength[0] > few.wavelength[0] and prepared.wavelength[-1] < few.wavelength[-1]
    )
    flux = prepared.flux(prepared.values)
    inside = (prepared.wavelength > 6000) & (prepared.wavelength < 8000)
    np.testing.assert_allclose(flux[:, inside].mean(axis=1), 1, rtol=1e-4)
    # The strong lines of the nearest and of the most distant emission-line galaxy lie in different
    # bins
    z = prepared.parameters[:, 0]
    alpha = np.searchsorted(prepared.wavelength, 6564.6 * (1 + z))
    strong = flux[np.arange(len(z)), alpha.clip(0, 63)] - np.median(flux, axis=1)
    assert np.mean(strong > 0) > 0.7


def test_too_few_spectra_are_refused(few):
    with pytest.raises(ValueError, match=r"expected more than 200 \+ 200 good spectra"):
        training_set(few, 200, 200)


def test_the_regressor_reads_what_is_there_and_gives_features(prepared):
    """On spectra with two clear parameters; what is not in them is not found."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(600, 3)).astype("f4")
    values = hidden[:, :2] @ rng.normal(size=(2, 20)).astype("f4") + 0.05 * rng.normal(
        size=(600, 20)
    ).astype("f4")
    judge = ParameterRegressor.fit(
        (values[:400], hidden[:400]), (values[400:500], hidden[400:500]), epochs=15
    )
    r2 = judge.r2(values[500:], hidden[500:])
    assert (r2[:2] > 0.9).all() and r2[2] < 0.1
    features = judge.features(values)
    assert features.shape == (600, 32)
    assert judge.frechet_distance(values[:300], values[300:]) == frechet_distance(
        features[:300], features[300:]
    )
    far = judge.frechet_distance(values[:300], values[300:] + 1)
    assert far > 3 * judge.frechet_distance(values[:300], values[300:])
    again = ParameterRegressor.fit(
        (values[:400], hidden[:400]), (values[400:500], hidden[400:500]), epochs=15
    )
    np.testing.assert_array_equal(judge.predict(values), again.predict(values))
