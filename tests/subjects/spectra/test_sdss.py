"""SDSS's own files: what is in them is read, and whatever is wrong with one is said."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from helpers.datasets import reading
from helpers.datasets.files import DataError
from helpers.subjects.spectra import sdss

REST = 10 ** (3.4 + 1e-4 * np.arange(5500))
LOGLAM = (3.58 + 1e-4 * np.arange(3800)).astype(np.float32)


def template(seed=0):
    rng = np.random.default_rng(seed)
    x = np.log10(REST)[:, None] - rng.uniform(3.41, 3.94, 80)
    return (
        1 - (rng.exponential(0.12, 80) * np.exp(-((x / 2.5e-4) ** 2) / 2)).sum(axis=1).clip(0, 0.9)
    ) * 10


def write_spectrum(path, redshift=0.1, about="SPECOBJ", drop=(), **columns):
    """A file as SDSS writes it, by its data model and without our reader."""
    flux = np.interp(10.0**LOGLAM / (1 + redshift), REST, template()) + np.random.default_rng(
        1
    ).normal(size=len(LOGLAM))
    table = {"flux": flux, "loglam": LOGLAM, "ivar": np.ones(len(LOGLAM))} | columns
    coadd = [
        fits.Column(name, "E", array=array) for name, array in table.items() if name not in drop
    ]
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU.from_columns(coadd, name="COADD")]
    if about:
        row = {"CLASS": ("6A", ["GALAXY"]), "Z": ("E", [redshift])}
        row = [
            fits.Column(name, kind, array=array)
            for name, (kind, array) in row.items()
            if name not in drop
        ]
        hdus.append(fits.BinTableHDU.from_columns(row, name=about))
    fits.HDUList(hdus).writeto(path)
    return path


def write_image(path, image, **header):
    header = {"COEFF0": 3.4, "COEFF1": 1e-4} | header
    fits.PrimaryHDU(np.asarray(image, np.float32), fits.Header(header)).writeto(path)
    return path


@pytest.mark.parametrize("about", ["SPECOBJ", "SPALL"])
def test_a_spectrum_is_read(tmp_path, about):
    spectrum = sdss.read_spectrum(
        write_spectrum(tmp_path / "spec-0001-51602-0001.fits", 0.15, about)
    )
    assert spectrum.name == "spec-0001-51602-0001" and spectrum.object_class == "GALAXY"
    assert spectrum.redshift == pytest.approx(0.15, abs=1e-6)
    assert spectrum.wavelength[[0, -1]] == pytest.approx(10 ** np.array([3.58, 3.9599]), rel=1e-5)
    assert spectrum.flux.dtype == np.float64 and spectrum.flux.dtype.isnative
    assert (spectrum.error == 1).all()


def test_a_spectrum_without_a_catalogue_entry_has_no_redshift(tmp_path):
    spectrum = sdss.read_spectrum(write_spectrum(tmp_path / "spec.fits", about=None))
    assert spectrum.redshift is None and spectrum.object_class == ""


def test_bad_pixels_have_no_weight(tmp_path):
    flux = np.full(len(LOGLAM), 2.0)
    ivar = np.ones(len(LOGLAM))
    flux[5] = np.nan
    ivar[6:10] = [0, np.nan, -3, np.inf]
    spectrum = sdss.read_spectrum(write_spectrum(tmp_path / "spec.fits", flux=flux, ivar=ivar))
    assert np.flatnonzero(~np.isfinite(spectrum.error)).tolist() == [5, 6, 7, 8, 9]
    assert np.isinf(spectrum.error[5:10]).all() and np.isfinite(spectrum.error[10:]).all()


def test_a_spectrum_in_the_older_format_is_read(tmp_path):
    image = np.array([np.full(500, 3.0), np.zeros(500), np.full(500, 0.5), np.zeros(500)])
    image[2, 10] = 0  # no error: a bad pixel
    spectrum = sdss.read_spectrum(
        write_image(tmp_path / "spSpec-51602-0266-013.fit", image, Z=0.12, SPEC_CLN=2)
    )
    assert (spectrum.redshift, spectrum.object_class) == (0.12, "GALAXY")
    assert (spectrum.flux == 3).all() and spectrum.error[[9, 10]].tolist() == [0.5, np.inf]
    assert spectrum.wavelength[1] == pytest.approx(10**3.4001)


def test_eigenspectra_and_templates_are_read(tmp_path):
    flux = [template(0), template(1)]
    wavelength, rows, names = sdss.read_templates(
        write_image(tmp_path / "spEigenGal-1.fits", flux, EIGEN0=1.0)
    )
    assert names == ["spEigenGal-1 row 1", "spEigenGal-1 row 2"]
    assert wavelength == pytest.approx(REST) and rows == pytest.approx(np.array(flux), rel=1e-6)
    assert rows.dtype == np.float64
    four_rows = [template(2), np.zeros(5500), np.ones(5500), np.zeros(5500)]
    other = write_image(tmp_path / "spDR2-027.fit", four_rows, COEFF0=3.45)
    wavelength, rows, names = sdss.read_templates(
        write_image(tmp_path / "spDR2-023.fit", four_rows), other
    )
    assert names == ["spDR2-023 early-type galaxy", "spDR2-027 late-type galaxy"]
    assert wavelength[[0, -1]] == pytest.approx(10 ** np.array([3.45, 3.9499])) and rows.shape == (
        2,
        5000,
    )
    assert rows[1] == pytest.approx(template(2)[:5000], rel=1e-4)
    assert rows[0] == pytest.approx(template(2)[500:], rel=1e-4)


def test_empty_ends_of_a_template_are_cut(tmp_path):
    flux = template()
    flux[:300] = 0
    wavelength, rows, names = sdss.read_templates(write_image(tmp_path / "mine.fits", flux))
    assert (
        wavelength[0] == pytest.approx(REST[300]) and rows.shape == (1, 5200) and names == ["mine"]
    )


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda p: p.write_text("not FITS", encoding="utf-8"),
            "in .*spec.fits, found one that cannot be read",
        ),
        (
            lambda p: write_image(p, [template()]),
            r"expected a table COADD .*spec.fits, found PRIMARY: is it",
        ),
        (
            lambda p: write_spectrum(p, drop=("ivar",)),
            "a column ivar in COADD of .*spec.fits, found flux, loglam: fetch",
        ),
        (
            lambda p: write_spectrum(p, drop=("Z",)),
            "a column z in SPECOBJ of .*spec.fits, found class: fetch",
        ),
        (
            lambda p: write_spectrum(p, ivar=np.zeros(len(LOGLAM))),
            "inverse variance in .*spec.fits, found none of 3800",
        ),
        (
            lambda p: write_spectrum(p, flux=np.full(len(LOGLAM), np.nan)),
            "inverse variance in .*spec.fits, found none",
        ),
        (lambda p: write_spectrum(p, loglam=LOGLAM[::-1]), "increasing wavelengths in .*spec.fits"),
        (
            lambda p: write_image(p, np.ones((2, 99)), SPEC_CLN=2),
            "3 rows or more in .*spec.fits, found 2",
        ),
        (lambda p: None, "spec.fits, found nothing: look at its name"),
    ],
)
def test_what_is_wrong_with_a_spectrum_is_said(tmp_path, write, message):
    write(tmp_path / "spec.fits")
    with pytest.raises(DataError, match=message):
        sdss.read_spectrum(tmp_path / "spec.fits")


@pytest.mark.parametrize("part", [0.3, 0.7, 0.97])
def test_a_file_cut_short_is_said(tmp_path, part):
    whole = write_spectrum(tmp_path / "spec.fits").read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(
        DataError, match="cut.fits, found one that cannot be read .*: fetch it again"
    ):
        sdss.read_spectrum(tmp_path / "cut.fits")


def test_a_file_cut_short_anywhere_never_loses_its_redshift(tmp_path):
    whole = write_spectrum(tmp_path / "spec.fits").read_bytes()
    # A file that ends with the table COADD is whole: the survey's catalogue may be left out.
    ends = [end for end in range(1440, len(whole), 1440) if end != len(whole) - 2 * 2880]
    for end in ends:
        (tmp_path / "cut.fits").write_bytes(whole[:end])
        with pytest.raises(DataError, match="cut.fits"):
            sdss.read_spectrum(tmp_path / "cut.fits")


def test_a_damaged_file_is_always_one_sentence(tmp_path):
    whole = np.frombuffer(write_spectrum(tmp_path / "spec.fits").read_bytes(), np.uint8)
    headers = np.flatnonzero((whole >= 32) & (whole < 127))
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = whole.copy()
        damaged[rng.choice(headers[:4000], 8)] = rng.integers(0, 256, 8)
        (tmp_path / "damaged.fits").write_bytes(damaged.tobytes())
        try:
            sdss.read_spectrum(tmp_path / "damaged.fits")
        except DataError as error:  # and nothing else
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 1500
    assert refused > 20


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"flux": ("M", np.full(3800, 1 + 2j))}, "numbers, .* in the column flux .* type >c16"),
        ({"ivar": ("2E", np.ones((3800, 2)))}, r"numbers, .* column ivar .* shape \(3800, 2\)"),
        ({"flux": ("3A", np.full(3800, "abc"))}, "numbers, .* in the column flux .* type <U3"),
        ({"loglam": ("E", 10**LOGLAM)}, "increasing wavelengths .* found 3801.89 to 9118"),
        ({"loglam": ("D", 3.58 + 1e-12 * np.arange(3800))}, "wavelengths .* found 3.58 to 3.58"),
        ({"loglam": ("E", LOGLAM - 400)}, "increasing wavelengths .* found -396.42 to"),
    ],
)
def test_columns_that_are_no_spectrum_are_refused(tmp_path, columns, message):
    ones = np.ones(3800)
    columns = {"flux": ("E", ones), "ivar": ("E", ones), "loglam": ("E", LOGLAM)} | columns
    coadd = [fits.Column(name, kind, array=array) for name, (kind, array) in columns.items()]
    table = fits.BinTableHDU.from_columns(coadd, name="COADD")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "s.fits")
    with pytest.raises(DataError, match=message):
        sdss.read_spectrum(tmp_path / "s.fits")


@pytest.mark.parametrize(
    ("card", "value"), [("COEFF0", 400.0), ("COEFF0", -400.0), ("COEFF1", 1e300), ("COEFF1", 1e-12)]
)
def test_wavelengths_that_cannot_be_are_refused(tmp_path, card, value):
    image = np.ones((4, 500))
    old = write_image(tmp_path / "spSpec-1.fit", image, SPEC_CLN=2, **{card: value})
    with pytest.raises(DataError, match="expected increasing wavelengths .*spSpec-1.fit"):
        sdss.read_spectrum(old)
    with pytest.raises(DataError, match="expected increasing wavelengths .*spSpec-1.fit"):
        sdss.read_templates(old)


def test_a_packed_file_is_read_and_one_that_would_fill_the_memory_refused(tmp_path, monkeypatch):
    packed = tmp_path / "spec.fits.gz"
    packed.write_bytes(gzip.compress(write_spectrum(tmp_path / "spec.fits").read_bytes()))
    assert sdss.read_spectrum(packed).redshift == pytest.approx(0.1)
    zeros = write_image(tmp_path / "zeros.fits", np.zeros((4, 99_999)))
    packed.write_bytes(gzip.compress(zeros.read_bytes()))
    monkeypatch.setattr(reading, "LARGEST", 100_000)
    with pytest.raises(DataError, match="spec.fits.gz to unpack to 20 times its"):
        sdss.read_spectrum(packed)


def test_what_is_wrong_with_templates_is_said(tmp_path):
    fits.PrimaryHDU(np.ones((2, 50))).writeto(tmp_path / "no_grid.fits")
    with pytest.raises(
        DataError, match="COEFF0 and COEFF1 in .*no_grid.fits, found an image of shape"
    ):
        sdss.read_templates(tmp_path / "no_grid.fits")
    with pytest.raises(DataError, match="found no image"):
        sdss.read_templates(write_spectrum(tmp_path / "spec.fits"))
    with pytest.raises(DataError, match="empty.fits, found an empty image"):
        sdss.read_templates(write_image(tmp_path / "empty.fits", np.zeros((2, 50))))
    apart = [write_image(tmp_path / f"{c}.fits", np.ones((1, 50)), COEFF0=c) for c in (3.4, 3.6)]
    with pytest.raises(DataError, match="expected templates that overlap"):
        sdss.read_templates(*apart)


# --- the redshift of a file ---


def test_the_redshift_of_a_file_says_r_template_and_what_the_survey_found(tmp_path):
    spectrum = write_spectrum(tmp_path / "spec-1.fits", 0.2)
    templates = write_image(tmp_path / "spEigenGal-1.fits", [template(1), template(0)])
    found = sdss.redshift_of(spectrum, [templates])
    assert found.redshift == pytest.approx(0.2, abs=1e-4) and found.trusted
    assert found.template == "spEigenGal-1 row 2" and found.n_bad == 0
    assert abs(found.difference) < 3 * found.velocity_error
    printed = str(found)
    assert "spec-1: redshift 0.200" in printed and "template spEigenGal-1 row 2" in printed
    assert "GALAXY at 0.20000" in printed
    for absent in ("MOCK", "not to be trusted", "bad pixels"):
        assert absent not in printed


def test_noise_is_not_to_be_trusted_and_has_no_entry_in_a_catalogue(tmp_path):
    noise = np.random.default_rng(0).normal(size=len(LOGLAM))
    noise[:3] = np.nan
    spectrum = write_spectrum(tmp_path / "spec-2.fits", flux=noise, about=None)
    templates = write_image(tmp_path / "spEigenGal-1.fits", [template(1), template(0)])
    found = sdss.redshift_of(spectrum, [templates])
    assert not found.trusted and found.difference is None and found.n_bad == 3
    assert "not to be trusted" in str(found) and "catalogue" not in str(found)
    assert "bad pixels: 3 of 3800" in str(found)


def test_templates_are_found_and_else_those_of_the_mock_are_taken(tmp_path, monkeypatch):
    spectrum = write_spectrum(tmp_path / "spec-1.fits", 0.2)
    monkeypatch.setattr(sdss, "find", lambda name: None)
    monkeypatch.setattr(sdss.mock, "templates", lambda: (REST, template()[None], ["own"]))
    assert "MOCK" in str(sdss.redshift_of(spectrum))
    write_image(tmp_path / "spEigenGal-53724.fits", [template(0), template(1)])

    def find(name):
        return tmp_path / name if (tmp_path / name).exists() else None

    monkeypatch.setattr(sdss, "find", find)
    found = sdss.redshift_of(spectrum)
    assert "MOCK" not in str(found) and "sdss_eigenspectra" in found.templates


def test_a_redshift_is_measured_with_the_templates_that_are_named(tmp_path):
    spectrum = write_spectrum(tmp_path / "spec-1.fits", 0.2)
    templates = write_image(tmp_path / "spEigenGal-1.fits", [template(1), template(0)])
    assert "spec-1: redshift 0.200" in str(sdss.redshift_of(spectrum, [templates]))


def test_a_spectrum_without_structure_is_refused(tmp_path):
    flat = write_spectrum(tmp_path / "flat.fits", flux=np.ones(len(LOGLAM)))
    templates = write_image(tmp_path / "t.fits", template())
    with pytest.raises(ValueError, match="with structure"):
        sdss.redshift_of(flat, [templates])
