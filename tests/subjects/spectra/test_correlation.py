"""Redshifts by cross-correlation, on spectra made from templates of random lines."""

import numpy as np
import pytest

from helpers.astro.constants import SPEED_OF_LIGHT
from helpers.subjects.spectra import correlation
from helpers.subjects.spectra.correlation import cross_correlate

WAVELENGTH = 10 ** (3.58 + 1e-4 * np.arange(3800))  # as SDSS
REST = 10 ** (3.35 + 1e-4 * np.arange(6000))


def make_templates(n=3, seed=0):
    """A tilted continuum with random absorption lines of 150 km/s."""
    rng = np.random.default_rng(seed)
    flux = []
    for _ in range(n):
        x = np.log10(REST)[:, None] - rng.uniform(3.36, 3.94, 80)
        depth = rng.exponential(0.12, 80) * np.exp(-((x / 2.5e-4) ** 2) / 2)
        flux.append((1 - depth.sum(axis=1).clip(0, 0.9)) * (REST / 5000) ** rng.uniform(-2, 1))
    return REST, np.array(flux), [f"template {i}" for i in range(n)]


TEMPLATES = make_templates()


def observe(redshift, template=0, noise=0.0, wavelength=WAVELENGTH, seed=1):
    rng = np.random.default_rng(seed)
    flux = np.array(
        [
            np.interp(wavelength / (1 + z), REST, TEMPLATES[1][template])
            for z in np.atleast_1d(redshift)
        ]
    )
    return flux + noise * rng.normal(size=flux.shape)


def kms(found, redshift):
    return (found - redshift) / (1 + redshift) * SPEED_OF_LIGHT


def test_redshifts_far_below_a_pixel_without_noise():
    redshift = np.array([0, 0.0123, 0.1, 0.12131, 0.25, 0.4])
    found = cross_correlate(WAVELENGTH, observe(redshift), TEMPLATES).table
    assert abs(kms(found.redshift, redshift)).max() < 7  # a pixel is 69 km/s
    assert (found.template == "template 0").all()
    assert found.r.min() > 12


def test_a_template_correlates_with_itself_to_one():
    found = cross_correlate(WAVELENGTH, observe(0.1), TEMPLATES)
    assert found.height[0, 0] == pytest.approx(1, abs=0.06)
    assert (found.height[0, 1:] < 0.3).all()


def test_redshifts_and_their_errors_with_noise():
    redshift = np.random.default_rng(2).uniform(0, 0.3, 150)
    found = cross_correlate(WAVELENGTH, observe(redshift, 1, 0.2), TEMPLATES).table
    velocity = kms(found.redshift, redshift)
    assert (found.template == "template 1").mean() > 0.97
    assert (abs(velocity) < 300).mean() > 0.97
    good = abs(velocity) < 300
    assert 0.5 < (velocity / found.velocity_error)[good].std() < 2
    assert abs(velocity[good].mean()) < 10


def test_noise_has_an_r_of_about_three():
    noise = np.random.default_rng(3).normal(size=(200, len(WAVELENGTH)))
    r = cross_correlate(WAVELENGTH, noise, TEMPLATES).r
    assert 2.5 < np.median(r) < 3.5
    assert np.quantile(r, 0.99) < 5
    narrow = cross_correlate(WAVELENGTH, noise, TEMPLATES, redshifts=(0.1, 0.15)).r
    assert np.median(narrow) < np.median(r) - 0.5  # fewer lags, fewer chances


def test_r_and_width_of_a_known_correlation_function():
    lag = np.arange(4001)
    noise = 0.05 * np.sin(2 * np.pi * (lag - 2100.3) / 97)  # antisymmetric about the peak
    peak = np.exp(-(((lag - 2100.3) / 12) ** 2) / 2) + noise
    position, height, r, width = correlation._peaks(peak[None, None], 1800)
    assert position[0, 0] == pytest.approx(2100.3 + 12**2 * 0.05 * 2 * np.pi / 97, abs=0.05)
    assert height[0, 0] == pytest.approx(1, abs=0.01)
    assert r[0, 0] == pytest.approx(1 / (np.sqrt(2) * 0.05 / np.sqrt(2)), rel=0.02)
    assert width[0, 0] == pytest.approx(2.3548 * 12, rel=0.02)


def test_peaks_are_looked_for_within_the_range_only():
    found = cross_correlate(WAVELENGTH, observe([0.1, 0.3]), TEMPLATES, redshifts=(0.2, 0.4))
    assert ((found.redshift > 0.199) & (found.redshift < 0.401)).all()
    assert found.table.r[0] < 6 and found.table.redshift[1] == pytest.approx(0.3, abs=1e-4)


def test_many_at_once_as_one_by_one():
    redshift = np.linspace(0.01, 0.3, correlation.BLOCK + 3)
    flux = observe(redshift, 2, 0.1)
    found = cross_correlate(WAVELENGTH, flux, TEMPLATES)
    for row in (0, correlation.BLOCK - 1, correlation.BLOCK, len(redshift) - 1):
        alone = cross_correlate(WAVELENGTH, flux[row], TEMPLATES)
        assert alone.r[0] == pytest.approx(found.r[row], rel=1e-3)
        assert alone.redshift[0] == pytest.approx(found.redshift[row], abs=1e-6)


def test_the_unit_of_flux_does_not_matter():
    flux = observe([0.1, 0.2], noise=0.1)
    found = cross_correlate(WAVELENGTH, flux, TEMPLATES)
    for scaled in (flux * 1e-17, (flux * 1e12).astype(np.float32)):
        again = cross_correlate(WAVELENGTH, scaled, TEMPLATES)
        assert again.redshift == pytest.approx(
            found.redshift, abs=1e-6
        ) and again.r == pytest.approx(found.r, rel=1e-3)


@pytest.mark.parametrize("low, high", [(0, 0.3), (-0.005, 0.005)])
def test_other_grids_are_rebinned(low, high):
    redshift = np.random.default_rng(4).uniform(low, high, 10)
    linear = np.linspace(3700, 7200, 500) if high < 0.1 else np.linspace(3800, 9000, 4000)
    flux = observe(redshift, 1, 0.03, linear)
    found = cross_correlate(linear, flux, TEMPLATES, redshifts=(low - 0.01, high + 0.1)).table
    assert abs(kms(found.redshift, redshift)).max() < (
        150 if high < 0.1 else 40
    )  # a coarse pixel is 400 km/s
    coarse = np.arange(2300, 8800, 1.7)  # templates on a linear grid as well
    rows = np.array([np.interp(coarse, REST, row) for row in TEMPLATES[1]])
    again = cross_correlate(
        WAVELENGTH, observe(redshift, 1, 0.03), (coarse, rows, TEMPLATES[2])
    ).table
    assert abs(kms(again.redshift, redshift)).max() < 40 and (again.template == "template 1").all()


def test_one_bright_line_does_not_decide():
    flux = observe(np.full(5, 0.1), noise=0.1)
    flux[:, [700, 1900, 2500]] += 1000
    found = cross_correlate(WAVELENGTH, flux, TEMPLATES).table
    assert abs(kms(found.redshift, 0.1)).max() < 60
    assert found.r.min() > 15


def test_the_ends_of_a_spectrum_are_apodised():
    flux = observe(0.1, noise=0.05)
    height = cross_correlate(WAVELENGTH, flux, TEMPLATES).height[0, 0]
    flux[:, :20] *= 3
    flux[:, -20:] *= 0.3
    assert cross_correlate(WAVELENGTH, flux, TEMPLATES).height[0, 0] == pytest.approx(
        height, rel=0.1
    )


def test_a_template_shorter_than_the_spectrum():
    part = (REST > 4500) & (REST < 6500)
    found = cross_correlate(
        WAVELENGTH, observe([0.02, 0.3], 1), (REST[part], TEMPLATES[1][:, part], TEMPLATES[2])
    ).table
    assert abs(kms(found.redshift, np.array([0.02, 0.3]))).max() < 20
    assert (found.template == "template 1").all() and found.r.min() > 8


def test_bad_pixels_are_counted_and_interpolated_over():
    flux = observe([0.1, 0.1, 0.1], noise=0.1)
    error = np.full((3, len(WAVELENGTH)), 0.1)
    flux[0, 500:520] = np.nan
    flux[1, 1000:1100] = 1e6
    error[1, 1000:1100] = np.inf
    flux[2, :7] = -1e6
    error[2, :7] = 0
    found = cross_correlate(WAVELENGTH, flux, TEMPLATES, error).table
    assert found.n_bad.tolist() == [20, 100, 7]
    assert abs(kms(found.redshift, 0.1)).max() < 60


def refused(message, wavelength=WAVELENGTH, flux=None, templates=TEMPLATES, **more):
    with pytest.raises(ValueError, match=message):
        cross_correlate(
            wavelength, observe([0.1, 0.1]) if flux is None else flux, templates, **more
        )


def test_what_cannot_be_correlated_is_refused():
    flux = observe(np.full(9, 0.1))
    flux[[2, 7], 100:3000] = np.nan
    refused(r"good in at least half .*found 2 bad .*rows 2, 7: remove them", flux=flux)
    refused("found 2 bad", error=np.zeros((2, len(WAVELENGTH))))
    flux = observe(np.full(100, 0.1))
    flux[80] = 3
    refused(r"with structure, found 1 without .*rows 80", flux=flux)
    refused("of one length, found several", flux=[np.ones(3800), np.ones(3700)])
    refused(r"shape \(n, 3800\), found \(2, 3700\)", flux=np.ones((2, 3700)))
    refused("errors of shape", error=np.ones(3800))
    refused("increasing wavelengths", wavelength=WAVELENGTH[::-1])
    refused("expected 3 names", templates=(*TEMPLATES[:2], ["one"]))
    refused("templates of shape", templates=(REST[:-1], *TEMPLATES[1:]))
    refused("expected redshifts, lowest first", redshifts=(0.5, 0.1))
    refused("both wavelengths are in Å", wavelength=WAVELENGTH / 10)
    assert np.isfinite(cross_correlate(WAVELENGTH, observe(0.1), TEMPLATES).r).all()
