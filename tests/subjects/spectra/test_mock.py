"""The mock's physics has the right sign and range, its noise is as stated, a seed fixes all."""

import numpy as np
import pytest

from helpers.astro import lines
from helpers.subjects.spectra import indices, mock, noise, population, stellar

STEP = 1e-4


@pytest.fixture(scope="module")
def sample():
    """600 galaxies without noise on their rest-frame grid, and their parameters and indices."""
    galaxies = population.draw(600, np.random.default_rng(5))
    rest = galaxies | {"redshift": np.full(600, 1e-9)}
    start = np.log10(3600)
    flux = mock.galaxy_spectra(rest, start, 3200)
    return galaxies, indices.measure(10 ** (start + STEP * np.arange(3200)), flux)


@pytest.fixture(scope="module")
def simulated():
    return mock.simulate(1100, 3, keep_noise_free=True)


def rank_correlation(a, b):
    return np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1]


def test_4556_pixels_are_the_range_of_boss_and_not_that_of_the_first_sdss():
    raw, _ = mock.simulate(1, 0)
    assert raw["spec"].shape == (1, 4556)
    assert raw["wavelength"][0] == pytest.approx(3600, abs=0.3)
    assert raw["wavelength"][-1] == pytest.approx(10275, abs=1)
    assert np.log10(9200 / 3800) / STEP < 3900


# Single populations of solar metallicity against Bruzual & Charlot 2003 as in Kauffmann et al.
# 2003, figure 2
@pytest.mark.parametrize(
    ("age", "break_range", "hdelta_range"),
    [
        (0.03, (1.0, 1.2), (5, 9)),
        (0.35, (1.2, 1.4), (8, 11)),
        (1.0, (1.3, 1.55), (6, 9)),
        (9.5, (1.8, 2.1), (-2.5, 0)),
    ],
)
def test_single_populations_grow_older_as_the_models_do(age, break_range, hdelta_range):
    wavelength = stellar.wavelengths()
    flux = stellar.populations()[np.flatnonzero(age == stellar.AGES)[0], 3]
    assert break_range[0] < indices.d4000(wavelength, flux)[0] < break_range[1]
    assert hdelta_range[0] < indices.hdelta_a(wavelength, flux)[0] < hdelta_range[1]


def test_balmer_absorption_is_strongest_between_a_tenth_and_one_gyr():
    hdelta, _ = indices.hdelta_a(stellar.wavelengths(), stellar.populations()[:, 3])
    assert 0.1 < stellar.AGES[hdelta.argmax()] < 1
    assert (np.diff(hdelta[hdelta.argmax() :]) < 0).all()


def test_the_break_grows_with_age_and_for_old_stars_with_metallicity():
    d4000, _ = indices.d4000(stellar.wavelengths(), stellar.populations())
    assert (np.diff(d4000[1:], axis=0) > 0).all()
    assert (np.diff(d4000[-1]) > 0.05).all()


@pytest.mark.parametrize(
    ("band", "sides"), [((5162, 5194), (5119, 5206)), ((5878, 5911), (5865, 5935))]
)
def test_magnesium_and_sodium_grow_with_age_and_metallicity(band, sides):
    wavelength = stellar.wavelengths()
    flux = stellar.populations()
    level = np.mean(
        [flux[..., np.abs(wavelength - side) < 10].mean(axis=-1) for side in sides], axis=0
    )
    inside = (wavelength > band[0]) & (wavelength < band[1])
    depth = 1 - flux[..., inside].mean(axis=-1) / level
    assert (np.diff(depth[5:, 3]) > 0).all()
    assert (np.diff(depth[-1]) > 0).all()


def test_a_star_gives_out_the_light_of_a_black_body_less_what_its_lines_take():
    wavelength = stellar.wavelengths()
    hot = stellar.stars()[0, -1]  # 35 000 K, hardly any lines: by hand, from Planck's law in cgs
    planck = 2 * 6.62607015e-27 * 2.99792458e10**2 / (wavelength * 1e-8) ** 5
    planck /= np.expm1(6.62607015e-27 * 2.99792458e10 / (wavelength * 1e-8 * 1.380649e-16 * 35000))
    expected = np.pi * planck / (5.670374e-5 * 35000**4) * 1e-8
    far = wavelength > 9500
    assert hot[far] == pytest.approx(expected[far], rel=0.01)
    assert (
        stellar.stars()[:, 0] < stellar.stars()[:1, 0] * 1.001
    ).all()  # more metals never give more light


def test_indices_follow_age_with_the_right_sign_and_range(sample):
    galaxies, table = sample
    age = galaxies["age"]
    assert rank_correlation(age, table["D4000"]) > 0.9
    assert rank_correlation(age, table["Hdelta_A"]) < -0.7
    assert rank_correlation(age, table["EW_Halpha"]) < -0.7
    young = age < 3
    old = age > 9
    assert 1.15 < table["D4000"][young].median() < 1.4
    assert 1.75 < table["D4000"][old].median() < 2.1
    assert 2 < table["Hdelta_A"][young].median() < 6
    assert -2.5 < table["Hdelta_A"][old].median() < 0
    assert 15 < table["EW_Halpha"][young].median() < 60
    assert -1.5 < table["EW_Halpha"][old].median() < 3  # net of the absorption of the stars


def test_parameters_are_correlated_as_in_the_local_universe(sample):
    galaxies, _ = sample
    mass = np.log10(galaxies["smass"])
    specific = np.log10(galaxies["sfr"] / galaxies["smass"])
    heavy = mass > 11
    light = mass < 10.3
    assert galaxies["quiescent"][heavy].mean() > 0.6 > 0.4 > galaxies["quiescent"][light].mean()
    assert np.median(galaxies["metallicity"][heavy]) > 1.5 * np.median(
        galaxies["metallicity"][light]
    )
    assert -10.5 < np.median(specific[light]) < -9.3  # the blue cloud
    assert np.median(specific[galaxies["quiescent"]]) < -11.5
    assert rank_correlation(mass, galaxies["redshift"]) > 0.5  # the flux limit
    assert 0.08 < np.median(galaxies["redshift"]) < 0.13 and galaxies["redshift"].max() < 0.36
    assert rank_correlation(mass, galaxies["velocity_dispersion"]) > 0.8


def test_mass_formed_adds_up_and_a_burst_adds_its_share():
    one = np.ones(3)
    formed = stellar.mass_by_age(
        10 * one, np.array([-2.0, 0.0, 9.0]), one, 0.5 * one, np.array([0, 0, 0.2])
    )
    assert formed.sum(axis=1) == pytest.approx(1)
    assert (np.diff(formed[:2] @ stellar.AGES) > 0).all()
    assert formed[2, np.abs(np.log(stellar.AGES / 0.5)).argmin()] == pytest.approx(0.2, abs=1e-3)
    constant = stellar.mass_by_age(10 * one, 0 * one, one, one, 0 * one)
    assert stellar.star_formation_rate(constant) == pytest.approx(1e-10, rel=0.01)


def test_line_ratios_follow_metallicity():
    young, old = stellar.line_ratios(np.array([8.2, 8.5, 8.8]))
    assert young["Hα"] / young["Hβ"] == pytest.approx(2.863)
    assert young["[O III] 5007"] / young["[O III] 4959"] == pytest.approx(2.98)
    assert (np.diff(young["[N II] 6583"]) > 0).all()
    assert (np.diff(young["[O III] 5007"]) < 0).all()
    n2 = np.log10(young["[N II] 6583"])
    o3n2 = np.log10(young["[O III] 5007"] / young["Hβ"]) - n2
    assert 8.73 - 0.32 * o3n2 == pytest.approx([8.2, 8.5, 8.8])
    assert (old["[N II] 6583"] > young["[N II] 6583"]).all()


def one_galaxy(**changes):
    galaxies = population.draw(1, np.random.default_rng(2))
    return {
        key: np.asarray(changes.get(key, value)).reshape(value.shape)
        for key, value in galaxies.items()
    }


@pytest.mark.parametrize("z", [0.05, 0.12345, 0.3])
def test_a_redshift_moves_the_spectrum_by_exactly_that(z):
    """Against interpolation of the rest-frame spectrum: the mock shifts by Fourier transform."""
    galaxy = one_galaxy(redshift=z, velocity_dispersion=150.0, sfr=0.0, old_lines=0.0, dust=0.0)
    flux = mock.galaxy_spectra(galaxy)[0]
    rest = mock.galaxy_spectra(galaxy | {"redshift": np.array([1e-9])}, 3.41, 6000)[0]
    grid = 10 ** (3.41 + STEP * np.arange(6000))
    observed = 10 ** (mock.LOG_START + STEP * np.arange(mock.N_PIX))
    expected = np.interp(observed / (1 + z), grid, rest)
    assert flux / flux.mean() == pytest.approx(expected / expected.mean(), abs=0.01)


def test_emission_lines_have_the_flux_of_the_star_formation_and_stand_at_their_place():
    galaxy = one_galaxy(
        redshift=0.1, velocity_dispersion=120.0, sfr=1.0, old_lines=0.0, gas_dust=0.0, fibre=1.0
    )
    difference = (
        mock.galaxy_spectra(galaxy)[0] - mock.galaxy_spectra(galaxy | {"sfr": np.zeros(1)})[0]
    )
    wavelength = 10 ** (mock.LOG_START + STEP * np.arange(mock.N_PIX))
    near = np.abs(wavelength - 6564.6 * 1.1) < 10
    distance = 460.3 * 3.0857e24  # H0 = 70 km/s/Mpc, Omega_m = 0.3
    expected = 10**41.27 / (4 * np.pi * distance**2) * 1e17  # Kennicutt & Evans 2012
    flux = difference[near].astype(float) @ np.gradient(wavelength)[near]
    assert flux == pytest.approx(expected, rel=0.01)
    centre = difference[near] @ wavelength[near] / difference[near].sum()
    assert centre == pytest.approx(lines.LINES["Hα"].wavelength * 1.1, abs=0.1)


def test_a_redshift_beyond_the_grid_is_an_error():
    with pytest.raises(ValueError, match="expected redshifts that keep the grid within"):
        mock.galaxy_spectra(one_galaxy(redshift=0.9))


def test_noise_is_as_large_as_its_error_but_for_sky_lines_and_calibration(simulated):
    raw, truth = simulated
    pull = (raw["spec"] - truth["flux"]) / raw["specerr"]
    pull[~np.isfinite(raw["specerr"]) | ~np.isfinite(raw["spec"])] = np.nan
    faint = (truth["fault"] == 0) & (
        np.median(truth["flux"], axis=1) < 12
    )  # where calibration does not show
    observed = raw["wavelength"]
    clean = (observed > 4300) & (observed < 5400)
    dirty = (observed > 8820) & (observed < 8960)
    assert np.nanstd(pull[faint][:, clean]) == pytest.approx(1, abs=0.1)
    assert np.nanstd(pull[faint][:, dirty]) > 1.15


def test_signal_to_noise_is_that_of_the_main_sample(simulated):
    raw, truth = simulated
    ratio = np.median((raw["spec"] / raw["specerr"])[truth["fault"] == 0], axis=1)
    assert 8 < np.median(ratio) < 16
    assert 3 < np.percentile(ratio, 1) < 6


def test_a_sky_line_is_noisier_than_its_surroundings():
    flux = np.full((1, mock.N_PIX), 10, dtype=np.float32)
    _, error = noise.observe(flux, np.random.default_rng(0), mock.LOG_START)
    pixel = round((np.log10(5578.89) - mock.LOG_START) / STEP)
    assert error[0, pixel] > 3 * error[0, pixel + 30]


def test_faults_are_there_in_the_proportions_of_the_page():
    fault = mock._faults(10_000, 1)
    assert np.bincount(fault, minlength=6)[1:] == pytest.approx(
        [5, 95, 5, 4, 2], abs=1
    )  # two may fall on one row
    assert (mock._faults(3000, 1) == fault[:3000]).all()


def test_faulty_rows_are_what_they_say(simulated):
    raw, truth = simulated
    fault = truth["fault"]
    assert (raw["z"] < 0).sum() == (fault == 1).sum()
    assert (fault == 2).sum() in (10, 11) and (raw["age"][fault == 2] < 0).all()
    assert ((raw["smass"] > 1e13) == (fault == 3)).all()
    assert (np.isnan(raw["spec"]).any(axis=1) == (fault == 4)).all()
    assert (np.isinf(raw["specerr"]).all(axis=1) == (fault == 5)).all()
    normal = fault == 0
    assert all(
        np.isfinite(raw[key][normal]).all() for key in raw if key not in ("wavelength", "specerr")
    )
    lost = np.isinf(raw["specerr"][normal]).mean()
    assert 0.0005 < lost < 0.01 and not np.isnan(raw["specerr"]).any()


def test_labels_scatter_about_the_truth_by_what_is_stated(simulated):
    raw, truth = simulated
    normal = truth["fault"] == 0
    for key, scatter in mock.LABEL_SCATTER.items():
        difference = np.log10(raw[key][normal] / truth[key][normal])
        assert difference.std() == pytest.approx(scatter, rel=0.1) and abs(difference.mean()) < 0.01
    pull = (raw["z"] - truth["redshift"])[normal] / raw["zerr"][normal]
    assert pull.std() == pytest.approx(1, abs=0.1)


def test_same_seed_same_bits_and_rows_do_not_depend_on_their_number(simulated):
    raw, truth = simulated
    again, _ = mock.simulate(300, 3)
    for key, array in again.items():
        assert np.array_equal(
            array, raw[key] if key == "wavelength" else raw[key][:300], equal_nan=True
        ), key
    other, _ = mock.simulate(300, 4)
    assert not np.array_equal(other["spec"], again["spec"])


def test_the_global_generator_plays_no_part():
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    mock.simulate(2, 0)
    assert (np.random.get_state()[1] == state).all()


@pytest.mark.parametrize(("n", "seed"), [(0, 0), (5, -1)])
def test_no_spectra_or_a_negative_seed_is_an_error(n, seed):
    with pytest.raises(ValueError, match="expected n of 1 or more"):
        mock.simulate(n, seed)


def test_templates_go_from_early_to_late_type_without_noise():
    wavelength, flux, names = mock.templates()
    assert flux.shape == (6, len(wavelength)) and names == tuple(mock.TEMPLATES)
    assert np.diff(np.log10(wavelength)) == pytest.approx(STEP, abs=1e-9)
    table = indices.measure(wavelength, flux)
    assert (np.diff(table["D4000"][:5]) < 0).all() and table["D4000"][5] > table["D4000"][0]
    assert (np.diff(table["EW_Halpha"][:5]) > 0).all() and table["EW_Halpha"][4] > 35
    assert np.isfinite(flux).all() and (flux > 0).all()
    peak = wavelength[np.abs(wavelength - 6564.6) < 5][
        flux[4, np.abs(wavelength - 6564.6) < 5].argmax()
    ]
    assert peak == pytest.approx(6564.6, abs=1)
