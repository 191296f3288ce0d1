"""The simulated 3D-HST catalogue: what it is made of, its template fit, its floor."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.optimize import nnls

from helpers.evaluation import distributions
from helpers.subjects.photoz import columns, data, floor, metrics, mock, template_fit


@pytest.fixture(scope="module")
def simulated():
    return data.simulate(1500, seed=5, z_peak=False)


def test_it_has_the_columns_of_the_master_catalogue(simulated):
    catalogue, truth = simulated
    assert list(catalogue.table) == list(columns.COLUMNS) and len(columns.FEATURES) == 29
    spec = np.isfinite(catalogue.redshift)
    np.testing.assert_allclose(catalogue.redshift[spec], truth["z"][spec])
    assert 0.1 < spec.mean() < 0.5
    assert set(catalogue.field) == set(columns.FIELDS)
    pairs = catalogue.table.assign(name=catalogue.field)[["name", "id"]]
    assert not pairs.duplicated().any() and catalogue.table["id"].duplicated().any()
    missing = np.isnan(catalogue.flux).mean(axis=0)
    np.testing.assert_allclose(
        missing, [mock.NOT_OBSERVED.get(band, 0) for band in columns.BANDS], atol=0.04
    )


def test_the_same_seed_gives_the_same_catalogue():
    one, two, other = (mock.simulate(50, seed, z_peak=False)[0] for seed in (1, 1, 2))
    assert one.equals(two) and not one.equals(other)


def test_the_noise_is_what_the_errors_say(simulated):
    catalogue, truth = simulated
    place = [list(columns.FIELDS).index(name) for name in catalogue.field]
    true = mock.model_fluxes(truth) * mock.zero_points()[place]
    pull = (catalogue.flux - true) / np.hypot(catalogue.error, mock.CALIBRATION * true)
    pull = pull[:, :4]  # the catalogue is selected in the fifth
    assert abs(np.nanmean(pull)) < 0.05 and abs(np.nanstd(pull) - 1) < 0.04


def test_nonnegative_least_squares_agrees_with_scipy():
    rng = np.random.default_rng(0)
    models, values = rng.random((20, 5, 4)), rng.normal(0.5, 1, (20, 5))
    matrix, vector = (
        np.einsum("nbk,nbl->nkl", models, models),
        np.einsum("nbk,nb->nk", models, values),
    )
    expected = [
        np.sum(value**2) - nnls(model, value)[1] ** 2
        for model, value in zip(models, values, strict=True)
    ]
    np.testing.assert_allclose(
        template_fit.nonnegative_gain(matrix, vector, 4), expected, atol=1e-9
    )
    fewer = template_fit.nonnegative_gain(matrix, vector, 2)
    assert (fewer <= np.array(expected) + 1e-9).all() and (fewer < np.array(expected) - 1e-3).any()


def test_template_fit_finds_the_redshift_of_its_own_templates():
    fit = template_fit.TemplateFit(mock.BANDS + mock.EXTRA, step=0.01)
    at = np.arange(30, 150, 10)
    flux = np.concatenate([fit.models[at, 0], fit.models[at, 2]]) * 30
    found = fit.redshift(flux, np.full_like(flux, 0.02))["peak"]
    assert np.median(np.abs(found - fit.grid[np.tile(at, 2)]) / (1 + found)) < 0.01
    flux[:, 3] = np.nan
    np.testing.assert_allclose(
        fit.chi2(flux, np.full_like(flux, 0.02))[np.arange(24), np.tile(at, 2)], 0, atol=0.1
    )
    with pytest.raises(ValueError, match="fluxes and errors, found"):
        fit.chi2(flux[:, :4], flux[:, :4])


def test_the_prior_is_a_density_and_is_learned_from_galaxies():
    grid = np.linspace(1e-3, 30, 20_000)
    prior = template_fit.MagnitudePrior()
    density = np.exp(prior.log_density(grid, np.array([20.0, 24.0])))
    np.testing.assert_allclose(trapezoid(density, grid, axis=1), 1, rtol=1e-3)
    rng = np.random.default_rng(1)
    magnitude = rng.uniform(19, 25, 4000)
    scale = np.exp(-0.3 + 0.25 * (magnitude - 22))
    z = scale * rng.gamma((2 + 1) / 2, 1, 4000) ** (1 / 2)  # a = 2, b = 2
    learned = template_fit.MagnitudePrior.fit(magnitude, z)
    assert learned.d == pytest.approx(0.25, abs=0.02) and learned.a == pytest.approx(2, abs=0.3)


def test_z_peak_is_good_but_does_not_know_the_templates():
    table, truth = mock.simulate(300, seed=8)
    found = table["z_peak"].to_numpy()
    assert 0.01 < metrics.sigma_nmad(found, truth["z"]) < 0.12
    assert not np.allclose(template_fit.published_templates()[0], mock.templates()[0], rtol=0.02)


@pytest.mark.slow
def test_the_floor_is_calibrated_and_below_the_template_fit(simulated):
    catalogue, truth = simulated
    some = catalogue[np.arange(400)]
    cumulative, effective = floor.posterior(some, 40_000, spectroscopic=False)
    z = truth["z"][:400]
    pit = distributions.pit(floor.GRID, cumulative, z)
    assert distributions.calibration_error(pit) < 1.63 / np.sqrt(
        400
    )  # passes 99 % of calibrated ones
    best = floor.estimate(cumulative)["mean"]
    fitted = template_fit.TemplateFit(columns.BANDS).redshift(some.flux, some.error)["mean"]
    assert metrics.mse(best, z) < 0.7 * metrics.mse(fitted, z)
    assert np.median(effective) > 20
    with pytest.raises(ValueError, match="found a real one"):
        floor.posterior(data.Catalogue(table=some.table, source="real"))
