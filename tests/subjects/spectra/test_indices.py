"""Line indices: against analytic spectra on fine and coarse grids, and Monte Carlo errors."""

import numpy as np
import pytest

from helpers.astro.lines import LINES
from helpers.subjects.spectra.indices import (
    BREAK,
    EMISSION,
    HDELTA_A,
    d4000,
    equivalent_width,
    hdelta_a,
    measure,
)

FINE = 10 ** (3.55 + 1e-4 * np.arange(3100))
COARSE = np.linspace(3600, 7000, 500)


def pixel_means(wavelength, cumulative):
    """Mean over each pixel of a function whose integral is known."""
    middle = (wavelength[1:] + wavelength[:-1]) / 2
    edges = np.r_[2 * wavelength[0] - middle[0], middle, 2 * wavelength[-1] - middle[-1]]
    return np.diff(cumulative(edges)) / np.diff(edges)


def gaussian_line(wavelength, centre, area, sigma):
    from scipy.special import ndtr

    return pixel_means(wavelength, lambda edges: edges + area * ndtr((edges - centre) / sigma))


# --- indices on spectra of known values ---


@pytest.mark.parametrize(
    "wavelength", [FINE, COARSE, COARSE + 2.1], ids=["fine", "coarse", "shifted"]
)
def test_break_of_spectra_flat_in_frequency_and_in_wavelength(wavelength):
    assert d4000(wavelength, 1 / wavelength**2)[0] == pytest.approx(1, abs=1e-3)
    (a, b), (c, d) = BREAK
    assert d4000(wavelength, np.ones_like(wavelength))[0] == pytest.approx(
        (d**3 - c**3) / (b**3 - a**3), rel=1e-3
    )
    broken = np.where(wavelength < 3980, 1, 1.7) / wavelength**2
    assert d4000(wavelength, broken)[0] == pytest.approx(1.7, abs=2e-3)


def test_bands_of_hdelta_are_converted_from_air():
    assert HDELTA_A.line == pytest.approx((4084.65, 4123.41), abs=0.01)


@pytest.mark.parametrize(
    ("wavelength", "tolerance"), [(FINE, 0.01), (COARSE, 0.06)], ids=["fine", "coarse"]
)
def test_equivalent_widths_of_gaussian_lines(wavelength, tolerance):
    for key, name in [
        ("Hbeta", "Hβ"),
        ("OIII", "[O III] 5007"),
        ("Halpha", "Hα"),
        ("NII", "[N II] 6583"),
    ]:
        emission = 3e-17 * gaussian_line(wavelength, LINES[name].wavelength, 8.0, 2.0)
        assert equivalent_width(wavelength, emission, key)[0] == pytest.approx(8, rel=tolerance), (
            key
        )
        absorption = gaussian_line(wavelength, LINES[name].wavelength, -4.0, 2.0)
        assert equivalent_width(wavelength, absorption, key)[0] == pytest.approx(
            -4, rel=tolerance
        ), key
    absorption = gaussian_line(wavelength, LINES["Hδ"].wavelength, -5.0, 4.0)
    assert hdelta_a(wavelength, absorption)[0] == pytest.approx(5, rel=tolerance)
    assert equivalent_width(wavelength, gaussian_line(wavelength, 3728.5, 20.0, 3.0), "OII")[
        0
    ] == pytest.approx(20, rel=tolerance)


@pytest.mark.parametrize("shift", [0, 1.5, 3.3, 5.9])
def test_pixels_at_the_edges_count_in_part(shift):
    wavelength = COARSE + shift
    inside = (wavelength > 6545) & (wavelength < 6590)
    trough = np.where(
        inside, 0.5, 1.0
    )  # wider than the band of the line, narrower than the gap between the others
    assert equivalent_width(wavelength, trough, "Halpha")[0] == pytest.approx(-10, abs=1e-9)
    slope = 1 + (wavelength - 6500) / 500
    assert equivalent_width(wavelength, slope, "Halpha")[0] == pytest.approx(0, abs=0.05)


def spectra(n, wavelength, seed=0):
    rng = np.random.default_rng(seed)
    flux = np.where(wavelength < 4000, 0.7, 1) * gaussian_line(
        wavelength, LINES["Hα"].wavelength, 10, 2.5
    )
    flux = flux * gaussian_line(wavelength, LINES["Hδ"].wavelength, -4, 4)
    error = 0.1 * (1 + (wavelength / 5000) ** -2) * np.ones((n, 1))
    return flux + error * rng.normal(size=error.shape), error


@pytest.mark.parametrize("wavelength", [FINE, COARSE], ids=["fine", "coarse"])
def test_errors_as_in_monte_carlo(wavelength):
    flux, error = spectra(1500, wavelength)
    table = measure(wavelength, flux, error)
    for name in [name for name in table if not name.endswith("_error")]:
        assert table[f"{name}_error"].mean() == pytest.approx(table[name].std(), rel=0.08), name


def test_the_table_holds_all_indices_and_errors_only_if_given(capsys):
    flux, error = spectra(4, FINE)
    names = ["D4000", "Hdelta_A"] + [
        f"EW_{line}" for line in ("OII", "Hbeta", "OIII", "Halpha", "NII", "SII")
    ]
    assert list(measure(FINE, flux)) == names
    table = measure(FINE, flux.astype(np.float32), error)
    assert sorted(table) == sorted(names + [f"{name}_error" for name in names])
    assert len(table) == 4 and np.isfinite(table).all(axis=None)
    assert capsys.readouterr().out == ""
    assert table.D4000.to_numpy() == pytest.approx(d4000(FINE, flux)[0], rel=1e-5)
    assert len(measure(FINE, flux[0], error[0])) == 1


def test_indices_off_the_grid_are_left_out_and_that_is_said(capsys):
    flux, _ = spectra(3, FINE)
    red = FINE > 4500
    assert list(measure(FINE[red], flux[:, red])) == [
        f"EW_{x}" for x in ("Hbeta", "OIII", "Halpha", "NII", "SII")
    ]
    assert "D4000, Hdelta_A, EW_OII left out" in capsys.readouterr().out


# --- bad pixels ---


def test_bad_pixels_are_left_out_and_what_cannot_be_measured_is_counted(capsys):
    flux, error = spectra(5, FINE, seed=3)
    whole = measure(FINE, flux, error)
    in_line = np.flatnonzero(abs(FINE - 6564) < 5)
    beside = np.argmin(abs(FINE - 6500))
    flux[0, in_line] = np.nan
    error[1, in_line] = 0
    error[2, in_line] = np.inf
    flux[3, beside] = 1e9
    error[3, beside] = -1
    table = measure(FINE, flux, error)
    assert table.EW_Halpha.isna().tolist() == [True, True, True, False, False]
    assert table.EW_Halpha_error.isna().tolist() == [True, True, True, False, False]
    assert table.EW_Halpha[3] == pytest.approx(whole.EW_Halpha[3], abs=1)
    others = [name for name in table if "Halpha" not in name and "NII" not in name]
    assert np.array_equal(table[others], whole[others])
    assert "3 of 5 spectra lack an index" in capsys.readouterr().out


def test_a_continuum_that_is_not_positive_gives_no_index(capsys):
    flux = np.ones((3, len(FINE)))
    flux[1] = -1
    flux[2] = 0
    table = measure(FINE, flux)
    assert table.notna().all(axis=1).tolist() == [True, False, False]
    assert table.iloc[1:].isna().all(axis=None)
    assert "2 of 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wavelength", "flux", "error", "message"),
    [
        (
            FINE,
            np.ones((2, 100)),
            None,
            r"expected flux of shape \(n, 3100\), found \(2, 100\): bring",
        ),
        (FINE, np.ones((2, 3100)), np.ones(3100), r"expected errors of shape \(2, 3100\)"),
        (FINE[::-1], np.ones((2, 3100)), None, "expected increasing wavelengths"),
        (
            FINE + 6000,
            np.ones((2, 3100)),
            None,
            "reaches over the bands of an index, found 95.*rest frame",
        ),
    ],
)
def test_what_does_not_agree_is_refused(wavelength, flux, error, message):
    with pytest.raises(ValueError, match=message):
        measure(wavelength, flux, error)


def test_an_unknown_line_and_a_grid_too_short_are_refused():
    with pytest.raises(ValueError, match="expected a line of OII, .*found 'Hzeta'"):
        equivalent_width(FINE, np.ones(len(FINE)), "Hzeta")
    with pytest.raises(ValueError, match="expected wavelengths from 3851.1 to 4101.2 Å"):
        d4000(FINE[FINE > 3900], np.ones((FINE > 3900).sum()))
    assert all(
        bands.blue[1] <= bands.line[0] < bands.line[1] <= bands.red[0]
        for bands in EMISSION.values()
    )
