"""Features: finite, named, and learned from training rows only."""

import numpy as np
import pytest

from helpers.subjects.photoz import features
from helpers.subjects.photoz.columns import ERRORS, FLUXES
from helpers.subjects.photoz.features import PhotometricFeatures


def test_asinh_magnitudes_are_pogsons_when_bright_and_finite_when_negative():
    bright = features.asinh_magnitudes(np.array([1000.0]), 0.1)
    assert bright == pytest.approx(25 - 2.5 * np.log10(1000), abs=1e-6)
    faint = features.asinh_magnitudes(np.array([-1.0, 0.0, 1.0, np.nan]), 0.1)
    assert np.isfinite(faint[:3]).all() and (np.diff(faint[:3]) < 0).all() and np.isnan(faint[3])
    assert features.colours(np.array([[3.0, 2.0, 0.5]])).tolist() == [[1.0, 2.5, 1.5]]


def test_features_are_finite_named_and_learned_from_training_rows(galaxies):
    made = PhotometricFeatures(FLUXES, ERRORS).fit(galaxies[:100])
    found = made.transform(galaxies)
    assert np.isfinite(found).all() and found.shape == (500, 5 + 10 + 5)
    assert len(made.get_feature_names_out()) == 20
    other = galaxies.copy()
    other.loc[100:, list(FLUXES)] = 1e6
    again = PhotometricFeatures(FLUXES, ERRORS).fit(other[:100])
    np.testing.assert_array_equal(again.transform(galaxies), found)
    hidden = galaxies.assign(z_spec=7.0, z_peak=7.0, lmass=7.0)
    np.testing.assert_array_equal(made.transform(hidden), found)


def test_gaps_are_filled_with_the_conditional_mean():
    rng = np.random.default_rng(1)
    covariance = np.array([[1.0, 0.9, 0.5], [0.9, 1.0, 0.4], [0.5, 0.4, 1.0]])
    values = rng.multivariate_normal([20, 21, 22], covariance, 4000)
    gaps = rng.random(values.shape) < 0.3
    gaps[gaps.all(axis=1)] = False
    holed = np.where(gaps, np.nan, values)
    mean, found = features.mean_and_covariance(holed)
    np.testing.assert_allclose(mean, [20, 21, 22], atol=0.06)
    np.testing.assert_allclose(found, covariance, atol=0.06)
    filled = features.fill_gaps(holed, mean, found)
    np.testing.assert_array_equal(filled[~gaps], values[~gaps])
    only_first = gaps[:, 0] & ~gaps[:, 1]
    assert np.std((filled - values)[only_first, 0]) < 0.5  # it would be 1 with the plain mean
    assert features.fill_gaps(np.full((1, 3), np.nan), mean, found) == pytest.approx(mean[None])


def test_fluxes_as_features_come_back(galaxies):
    whole = galaxies.copy()
    whole[list(FLUXES)] = np.abs(whole[list(FLUXES)])
    found = PhotometricFeatures(FLUXES, None, "fluxes").fit(whole).transform(whole)
    np.testing.assert_allclose(found, whole[list(FLUXES)], rtol=1e-6)
    with pytest.raises(ValueError, match="expected kind"):
        PhotometricFeatures(FLUXES, None, "x").fit(whole)


def test_softening_without_errors_is_about_the_noise():
    rng = np.random.default_rng(2)
    flux = rng.exponential(1, (5000, 2)) ** 2 + [0.2, 0.0] * rng.standard_normal((5000, 2))
    flux[:, 1] = 10 + rng.exponential(1, 5000)
    found = features.softening_of(flux, np.full(flux.shape, np.nan))
    assert 0.05 < found[0] < 0.4 and found[1] > 0


def test_all_29_columns_and_a_field_that_was_never_seen(galaxies):
    made = features.CatalogueColumns().fit(galaxies)
    found = made.transform(galaxies.assign(field="x"))
    assert found.shape == (500, 29) and np.isfinite(found).all() and (found > -90).all()
