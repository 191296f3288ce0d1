"""Cleaning counts what it removes, rebinning keeps flux and errors, the scale goes back."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.datasets.files import DataError
from helpers.subjects.spectra import data, pixels, prepare


@pytest.fixture(scope="module")
def spectra():
    return data.simulate(300, 11)[0]


@pytest.fixture(scope="module")
def normal(spectra):
    return prepare.clean(spectra)[0][:40]


def changed(spectra, **columns):
    """Spectra with single values changed: name=(row, value)."""
    arrays = {}
    for name, (row, value) in columns.items():
        arrays[name] = getattr(spectra, name).copy()
        arrays[name][row] = value
    return replace(spectra, **arrays)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"redshift": (2, -0.001)}, "redshift is negative"),
        ({"redshift": (2, np.nan)}, "a parameter is not a finite number"),
        ({"mass": (2, np.inf)}, "a parameter is not a finite number"),
        ({"age": (2, -9999)}, "age, metallicity or mass is not positive"),
        ({"metallicity": (2, -9999)}, "age, metallicity or mass is not positive"),
        ({"mass": (2, 0)}, "age, metallicity or mass is not positive"),
        ({"mass": (2, 2e13)}, "mass is above 1e+13 M☉"),
        (
            {"flux": ((2, 100), np.nan), "error": ((2, 100), 1)},
            "flux is not finite where it has an error",
        ),
        ({"error": (2, np.inf)}, "less than 90% of the pixels are good"),
        ({"error": (2, 0)}, "less than 90% of the pixels are good"),
    ],
)
def test_each_fault_is_removed_and_counted_under_its_reason(normal, change, reason):
    kept, table = prepare.clean(changed(normal, **change))
    assert list(table.columns) == ["reason", "removed", "left"]
    assert table.set_index("reason")["removed"].to_dict() == {
        name: int(name == reason) for name in table["reason"]
    }
    assert len(kept) == 39 == table["left"].iloc[-1]
    assert np.array_equal(kept.age, np.delete(normal.age, 2))


def test_a_row_with_two_faults_is_counted_once(normal):
    kept, table = prepare.clean(changed(normal, redshift=(4, -0.1), age=(4, -1)))
    assert table["removed"].sum() == 1 and len(kept) == 39


def test_good_rows_are_kept_and_the_faults_of_the_mock_removed(spectra):
    _, truth = data.simulate(300, 11)
    kept, table = prepare.clean(spectra)
    assert len(kept) == (truth["fault"] == 0).sum() < 300
    assert table["left"].tolist() == (300 - table["removed"].cumsum()).tolist()


def test_nothing_left_is_an_error(normal):
    with pytest.raises(
        DataError,
        match="expected some good spectra, found none among 40 .mostly: redshift is negative",
    ):
        prepare.clean(replace(normal, redshift=normal.redshift - 9))
    with pytest.raises(DataError, match="found none among 0"):
        prepare.clean(normal[:0])


def slow_rebin(pixels, flux, error, edges):
    """One spectrum, by two plain loops over bins and pixels, those of error 0 left out."""
    means = []
    errors = []
    covered = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        total = weight = variance = 0.0
        for i, value in enumerate(flux):
            shared = max(0.0, min(high, pixels[i + 1]) - max(low, pixels[i]))
            if error[i] > 0:
                total = total + shared * value
                weight = weight + shared
                variance += (shared * error[i]) ** 2
        covered.append(weight / (high - low))
        means.append(total / weight if weight else np.nan)
        errors.append(variance**0.5 / weight if weight else np.nan)
    return np.array(means), np.array(errors), np.array(covered)


@pytest.mark.parametrize("n_bins", [3, 17, 60, 400])
def test_rebinning_is_what_plain_loops_give(n_bins):
    """With bins wider and narrower than a pixel, spectra at four redshifts, and bad pixels."""
    rng = np.random.default_rng(n_bins)
    wavelength = np.sort(rng.uniform(4000, 4200, 90))
    flux = rng.normal(5, 3, (4, 90))
    error = rng.uniform(0.1, 2, (4, 90))
    error[rng.random((4, 90)) < 0.1] = 0
    redshift = np.array([0, 0.005, 0.01, 0.012])
    edges = np.linspace(4012, 4140, n_bins + 1)
    means, errors = prepare.rebin(wavelength, flux, error, edges, redshift)
    limits = pixels.edges(wavelength)
    for i, z in enumerate(redshift):
        mean, sigma, covered = slow_rebin(limits, flux[i], error[i], edges * (1 + z))
        enough = covered >= 0.5
        assert (np.isfinite(errors[i]) == enough).all()
        assert means[i, enough] == pytest.approx(mean[enough] * (1 + z), rel=1e-9)
        assert errors[i, enough] == pytest.approx(sigma[enough] * (1 + z), rel=1e-9)


def test_flux_is_conserved(normal):
    edges = prepare.common_grid(*prepare.overlap(normal))
    flux, _ = prepare.rebin(
        normal.wavelength, normal.flux, np.ones_like(normal.flux), edges, normal.redshift
    )
    limits = pixels.edges(normal.wavelength)
    for i, z in enumerate(normal.redshift):
        shared = np.minimum(limits[1:], edges[-1] * (1 + z)) - np.maximum(
            limits[:-1], edges[0] * (1 + z)
        )
        before = normal.flux[i].astype(float) @ np.clip(shared, 0, None)
        assert flux[i] @ np.diff(edges) == pytest.approx(before, rel=1e-10)


def test_a_line_keeps_its_flux_and_comes_to_its_rest_wavelength():
    wavelength = 10 ** (3.6 + 1e-4 * np.arange(2500))
    redshift = np.array([0.02, 0.08, 0.13])
    flux = 30 * np.exp(-0.5 * ((wavelength - 5008.24 * (1 + redshift[:, None])) / 4) ** 2)
    edges = prepare.common_grid(4500, 5500, 150)
    binned, _ = prepare.rebin(wavelength, flux, np.ones_like(flux), edges, redshift)
    centre = prepare.centres(edges)
    total = binned @ np.diff(edges)
    assert total == pytest.approx(30 * 4 * np.sqrt(2 * np.pi), rel=1e-3)
    assert (binned * centre) @ np.diff(edges) / total == pytest.approx(5008.24, abs=0.1)


def test_errors_are_the_scatter_of_repeated_observations():
    rng = np.random.default_rng(0)
    wavelength = 10 ** (3.6 + 1e-4 * np.arange(400))
    sigma = rng.uniform(0.5, 3, 400)
    noise = rng.normal(0, sigma, (20_000, 400))
    edges = prepare.common_grid(4030, 4290, 37)
    flux, error = prepare.rebin(wavelength, noise, np.broadcast_to(sigma, noise.shape), edges, 0.01)
    assert flux.std(axis=0) == pytest.approx(error[0], rel=0.03)


def test_one_enormous_error_does_not_spoil_the_others():
    wavelength = np.arange(4000.0, 4400)
    error = np.ones((1, 400))
    error[0, 10] = 1e15
    _, sigma = prepare.rebin(wavelength, np.ones((1, 400)), error, np.arange(3999.5, 4400, 40))
    assert sigma[0, 1:] == pytest.approx(40**-0.5, rel=1e-9)


@pytest.mark.parametrize(
    "bad", [(np.nan, 1), (5, np.nan), (5, 0), (5, np.inf), (5, -1), (np.inf, 1)]
)
def test_bad_pixels_are_left_out_and_never_become_nan(bad):
    wavelength = np.arange(4000.0, 4100)
    flux = np.tile(0.1 * wavelength, (2, 1))
    error = np.ones((2, 100))
    flux[0, 42], error[0, 42] = bad
    flux[0, 60:80], error[0, 60:80] = bad
    edges = np.arange(3999.5, 4100, 10)
    binned, sigma = prepare.rebin(wavelength, flux, error, edges)
    assert np.isfinite(binned).all() and not np.isnan(sigma).any()
    assert sigma[0, 4] == pytest.approx(1 / 3) and sigma[1] == pytest.approx(10**-0.5)
    assert np.isinf(sigma[0, 6:8]).all() and np.isfinite(np.delete(sigma[0], [6, 7])).all()
    assert binned[0, 6:8] == pytest.approx(
        binned[1, 6:8]
    )  # the line between the neighbours: here the truth


def test_spectra_without_a_good_pixel_are_refused():
    wavelength = np.arange(4000.0, 4100)
    flux = np.ones((3, 100))
    with pytest.raises(
        ValueError, match="expected good pixels in each spectrum, found 3 without any"
    ):
        prepare.rebin(wavelength, flux, np.zeros((3, 100)), [4010, 4020, 4030])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edges": [3000, 4050]}, "expected bins within all spectra, found 3 of 3"),
        ({"redshift": [0, 0, 0.1]}, "expected bins within all spectra, found 1 of 3"),
        ({"redshift": [0, 0.01]}, "expected 3 redshifts, found 2"),
        ({"redshift": [0, np.nan, 0]}, "expected redshifts above -1, found 1"),
        ({"edges": [4050, 4040]}, "expected increasing edges"),
        ({"error": np.ones((3, 99))}, r"expected flux and error of shape \(n, 100\)"),
        ({"flux": np.ones(100)}, r"expected flux and error of shape \(n, 100\)"),
        ({"wavelength": np.arange(4100.0, 4000, -1)}, "expected increasing wavelengths"),
        ({"wavelength": np.ones((3, 100))}, "expected increasing wavelengths"),
    ],
)
def test_what_cannot_be_rebinned_is_refused(changes, message):
    arguments = {
        "wavelength": np.arange(4000.0, 4100),
        "flux": np.ones((3, 100)),
        "error": np.ones((3, 100)),
        "edges": [4010, 4050],
    }
    with pytest.raises(ValueError, match=message):
        prepare.rebin(**(arguments | changes))


def test_the_rest_frame_moves_wavelengths_and_keeps_the_flux(normal):
    wavelength, flux, error = prepare.rest_frame(
        normal.wavelength, normal.redshift, normal.flux, normal.error
    )
    assert wavelength[3] * (1 + normal.redshift[3]) == pytest.approx(normal.wavelength)
    before = normal.flux[3] @ np.gradient(normal.wavelength)
    assert flux[3] @ np.gradient(wavelength[3]) == pytest.approx(before)
    good = normal.good[3]
    assert (flux / error)[3, good] == pytest.approx((normal.flux / normal.error)[3, good], rel=1e-6)
    with pytest.raises(ValueError, match="above -1, found 1"):
        prepare.rest_frame([4000, 5000], [0.1, -1])


def test_the_overlap_is_reached_by_all_and_no_narrower(normal):
    lower, upper = prepare.overlap(normal)
    first, *_, last = pixels.edges(normal.wavelength)
    assert lower * (1 + normal.redshift.min()) == pytest.approx(first)
    assert upper * (1 + normal.redshift.max()) == pytest.approx(last)
    edges = prepare.common_grid(lower, upper)
    assert edges.shape == (501,) and (edges[0], edges[-1]) == pytest.approx((lower, upper))
    flux, error = prepare.rebin(
        normal.wavelength, normal.flux, normal.error, edges, normal.redshift
    )
    assert flux.shape == error.shape == (40, 500)


def test_redshifts_that_leave_no_overlap_are_named(normal):
    with pytest.raises(
        ValueError,
        match="expected redshifts with wavelengths in common, found .* to 3 that leave none",
    ):
        prepare.overlap(changed(normal, redshift=(0, 3.0)))


@pytest.mark.parametrize(
    "wrong", [(5000, 4000, 10), (0, 4000, 10), (4000, 5000, 0), (4000, np.inf, 5)]
)
def test_an_empty_grid_is_refused(wrong):
    with pytest.raises(ValueError, match="expected 0 < lower < upper"):
        prepare.common_grid(*wrong)


@pytest.fixture(scope="module")
def binned(normal):
    edges = prepare.common_grid(*prepare.overlap(normal))
    return prepare.centres(edges), prepare.rebin(
        normal.wavelength, normal.flux, normal.error, edges, normal.redshift
    )[0]


@pytest.mark.parametrize("per_bin", [False, True])
def test_the_scale_goes_back_to_a_millionth(binned, per_bin):
    wavelength, flux = binned
    normaliser = prepare.Normaliser.fit(wavelength, flux[:30], per_bin=per_bin)
    values, brightness = normaliser.transform(flux)
    assert normaliser.inverse(values, brightness) == pytest.approx(flux, rel=1e-9)
    single = normaliser.inverse(values.astype(np.float32), brightness.astype(np.float32))
    assert np.abs(single - flux).max() < 1e-6 * np.abs(flux).max()
    assert (np.abs(single / flux - 1)[flux > 0.1 * brightness] < 1e-6).all()
    assert values[:30].mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert (
        values[:30].std(axis=0) if per_bin else np.sqrt(np.mean(values[:30] ** 2))
    ) == pytest.approx(1)


def test_the_scale_knows_only_the_training_spectra_and_not_how_bright_they_are(binned):
    wavelength, flux = binned
    normaliser = prepare.Normaliser.fit(wavelength, flux[:30])
    values, brightness = normaliser.transform(flux)
    again = prepare.Normaliser.fit(wavelength, flux[:30] * np.linspace(1, 9, 30)[:, None])
    assert again.mean == pytest.approx(normaliser.mean)
    brighter, seven = normaliser.transform(7 * flux)
    assert brighter == pytest.approx(values) and seven == pytest.approx(7 * brightness)
    inside = (wavelength > 5400) & (wavelength < 5800)
    assert brightness[:, 0] == pytest.approx(flux[:, inside].mean(axis=1))


def test_what_has_no_scale_is_refused(binned):
    wavelength, flux = binned
    fit = prepare.Normaliser.fit
    normaliser = fit(wavelength, flux)
    holed = flux.copy()
    holed[1, 5] = np.nan
    with pytest.raises(ValueError, match="expected finite flux, found 1 spectra"):
        fit(wavelength, holed)
    with pytest.raises(ValueError, match="expected finite flux, found 1 spectra"):
        normaliser.transform(holed)
    with pytest.raises(ValueError, match="expected a positive flux in the window, found 40"):
        normaliser.transform(-flux)
    with pytest.raises(ValueError, match=r"expected flux of shape \(n, 500\), found \(40, 499\)"):
        normaliser.transform(flux[:, 1:])
    with pytest.raises(ValueError, match="expected bins in the window of 100-200 Å"):
        fit(wavelength, flux, window=(100, 200))
    with pytest.raises(ValueError, match="expected spectra that differ, found 1"):
        fit(wavelength, flux[:1])
