"""Readers of SDSS's own files: spectra, and templates for redshifts. Wavelengths are in vacuum.

A spectrum is ``spec-PLATE-MJD-FIBER.fits`` (since DR8: table COADD with flux, loglam, ivar, and
table SPECOBJ, in BOSS called SPALL, with Z and CLASS) or the older ``spSpec-MJD-PLATE-FIBER.fit``
(an image with the rows flux, flux without continuum, error, mask; COEFF0 and COEFF1 give log10 of
the wavelength; Z and SPEC_CLN).

Templates are the eigenspectra ``spEigenGal-MJD.fits`` (an image, each row a template, COEFF0,
COEFF1) or the templates ``spDR2-0NN.fit`` (rows as in spSpec: the first is the template), both in
the rest frame.

`redshift_of` puts both together: the redshift of the spectrum in a file.
"""

import io
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from helpers.astro.constants import SPEED_OF_LIGHT
from helpers.datasets.files import DataError
from helpers.datasets.places import find, short
from helpers.datasets.reading import content, listed, reading
from helpers.datasets.registry import registry
from helpers.subjects.spectra import mock, pixels
from helpers.subjects.spectra.correlation import cross_correlate

LOGLAM = (2, 6)  # from the far ultraviolet to radio waves: SDSS has 3.55 to 4.02
STEP = 1e-6  # dex, at least; SDSS has 1e-4
LEAST_PIXELS = 16  # of a template
TRUSTED = 5  # noise reaches r = 4 to 5 with the best of several templates
TEMPLATE_SETS = ("sdss_templates", "sdss_eigenspectra")  # of the registry, the better one first

# classic.sdss.org/dr7/algorithms/spectemplates, the galaxies among the 33
DR2_NAMES = {
    "spDR2-023": "early-type galaxy",
    "spDR2-024": "galaxy",
    "spDR2-025": "galaxy",
    "spDR2-026": "galaxy",
    "spDR2-027": "late-type galaxy",
    "spDR2-028": "luminous red galaxy",
}
# What SPEC_CLN counts, DR7
CLASSES = ("UNKNOWN", "STAR", "GALAXY", "QSO", "QSO", "SKY", "STAR", "GALAXY")


@dataclass(frozen=True)
class Spectrum:
    """One spectrum of SDSS, in the observer's frame.

    Why not a `helpers.subjects.spectra.data.Spectra` of one row: those have an age, a metallicity
    and a mass, which no file of the survey's spectra knows. Flux and error mean the same in both.

    Attributes
    ----------
    name : str
        Of its file, without the suffix.
    wavelength : numpy.ndarray, shape (n_pix,)
        In vacuum, Å, equal steps of 1e-4 in log10.
    flux : numpy.ndarray, shape (n_pix,)
        In 1e-17 erg/s/cm²/Å.
    error : numpy.ndarray, shape (n_pix,)
        Standard deviation of the flux; infinite where the pixel is bad, also where its flux is not
        finite.
    redshift : float or None
        Of the survey's pipeline; None where the file has none.
    object_class : str
        GALAXY, QSO, STAR, or empty.
    """

    name: str
    wavelength: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    redshift: float | None
    object_class: str


def read_spectrum(path):
    """Read one spectrum of SDSS, in either format.

    Parameters
    ----------
    path : path

    Returns
    -------
    Spectrum

    Raises
    ------
    helpers.datasets.files.DataError
        Naming the file, what was expected and what was found: not FITS or cut short, a table or
        column missing, no good pixel, wavelengths that do not increase.
    """
    with _opened(path) as hdus:
        names = [hdu.name for hdu in hdus]
        if "COADD" in names:
            spectrum = _from_tables(path, hdus, names)
        elif "SPEC_CLN" in hdus[0].header:
            spectrum = _from_image(path, hdus[0])
        else:
            wanted = "a table COADD (spec-*.fits) or SPEC_CLN in the header (spSpec-*.fit)"
            raise DataError(
                f"expected {wanted} in {short(path)}, found {listed(names)}: "
                "is it the spectrum of one object?"
            )
    good = pixels.good(spectrum.flux, spectrum.error)
    if not good.any():
        expected = f"expected pixels of positive inverse variance in {short(path)}"
        found = f"found none of {len(good)}"
        raise DataError(f"{expected}, {found}: the fibre saw nothing, choose another spectrum")
    known = spectrum.redshift is not None and np.isfinite(spectrum.redshift)
    return replace(
        spectrum,
        error=np.where(good, spectrum.error, np.inf),
        redshift=spectrum.redshift if known else None,
    )


def _from_tables(path, hdus, names):
    """The spectrum of a file since DR8, whatever its pixels and its redshift are worth."""
    table = _columns(path, hdus["COADD"], "flux", "loglam", "ivar")
    _check_wavelengths(path, table["loglam"])
    redshift = None
    object_class = ""
    about = next((name for name in ("SPECOBJ", "SPALL") if name in names), None)
    if about is not None:
        redshift = float(_columns(path, hdus[about], "z")["z"][0])
        object_class = str(_column(path, hdus[about], "class", "SU")[0]).strip()
    with np.errstate(divide="ignore", invalid="ignore"):
        error = 1 / np.sqrt(table["ivar"])  # infinite where it is 0, NaN below
    wavelength = 10 ** table["loglam"]
    return Spectrum(Path(path).stem, wavelength, table["flux"], error, redshift, object_class)


def _from_image(path, hdu):
    """The spectrum of an older file, whatever its pixels and its redshift are worth."""
    loglam, image = _image(path, hdu)
    if len(image) < 3:
        expected = f"expected 3 rows or more in {short(path)}"
        raise DataError(f"{expected}, found {len(image)}: fetch it again")
    kind = hdu.header["SPEC_CLN"]
    object_class = CLASSES[kind] if kind in range(len(CLASSES)) else ""
    redshift = float(hdu.header.get("Z", np.nan))
    return Spectrum(Path(path).stem, 10**loglam, image[0], image[2], redshift, object_class)


def read_templates(*paths):
    """Read templates for `helpers.subjects.spectra.correlation.cross_correlate`.

    Parameters
    ----------
    *paths : path
        Of eigenspectra or of single templates; several are cut to the wavelengths that all of them
        cover.

    Returns
    -------
    wavelength : numpy.ndarray, shape (n_pix,)
        Rest frame, vacuum, Å.
    flux : numpy.ndarray, shape (n, n_pix)
    names : list of str
        Of the file, with the row of an eigenspectrum, counted from 1.

    Raises
    ------
    helpers.datasets.files.DataError
        Naming the file, what was expected and what was found.
    """
    read = [_read_template(path) for path in paths]
    names = [name for template in read for name in template.names]
    if len(read) == 1:
        return 10 ** read[0].loglam, read[0].flux, names
    start = max(template.loglam[0] for template in read) - STEP
    end = min(template.loglam[-1] for template in read) + STEP
    grid = read[0].loglam
    grid = grid[(grid >= start) & (grid <= end)]
    if len(grid) < LEAST_PIXELS:
        found = f"found {', '.join(map(short, paths))} without"
        raise DataError(f"expected templates that overlap, {found}: name fewer of them")
    rows = [np.interp(grid, template.loglam, row) for template in read for row in template.flux]
    return 10**grid, np.array(rows), names


class _Templates(NamedTuple):
    """Templates of one file: log10 of the wavelength, flux of shape (n, n_pix), n names."""

    loglam: np.ndarray
    flux: np.ndarray
    names: list


def _read_template(path):
    """Templates without empty ends."""
    stem = Path(path).stem
    with _opened(path) as hdus:
        loglam, image = _image(path, hdus[0])
    if stem.startswith(("spDR2", "spSpec")):  # the other rows are its error and mask
        image = image[:1]
        names = [f"{stem} {DR2_NAMES.get(stem, '')}".strip()]
    elif len(image) == 1:
        names = [stem]
    else:
        names = [f"{stem} row {row + 1}" for row in range(len(image))]
    filled = np.flatnonzero(np.any(np.isfinite(image) & (image != 0), axis=0))
    if len(filled) < LEAST_PIXELS:
        expected = f"expected a template in {short(path)}"
        raise DataError(f"{expected}, found an empty image: fetch the file again")
    filled = slice(filled[0], filled[-1] + 1)
    return _Templates(loglam[filled], image[:, filled], names)


@contextmanager
def _opened(path):
    """The HDUs of a FITS file; whatever a broken one raises becomes one DataError."""
    guard = reading(path, "a FITS file of SDSS", "fetch it again")
    with guard, fits.open(io.BytesIO(content(path))) as hdus:
        yield hdus


def _column(path, hdu, name, kinds):
    """One column of a table by its lower-case name: one entry a row, of these kinds of types."""
    found = {column.name.lower(): column.name for column in getattr(hdu, "columns", ())}
    if name not in found:
        expected = f"expected a column {name} in {hdu.name} of {short(path)}"
        raise DataError(f"{expected}, found {listed(found)}: fetch it again")
    values = np.asarray(hdu.data[found[name]])
    if values.dtype.kind not in kinds or values.ndim != 1 or not len(values):
        kind = "numbers" if "f" in kinds else "text"
        raise DataError(
            f"expected {kind}, one entry a row, in the column {name} of {short(path)}, "
            f"found the type {values.dtype} and the shape {values.shape}: fetch the file again"
        )
    return values


def _columns(path, hdu, *wanted):
    """Columns of numbers, in the byte order of this machine."""
    return {name: _column(path, hdu, name, "biuf").astype(float) for name in wanted}


def _check_wavelengths(path, loglam):
    start, end = LOGLAM
    inside = np.all((loglam > start) & (loglam < end))
    if not (inside and np.all(np.diff(loglam) > STEP)):
        expected = f"expected increasing wavelengths in {short(path)}"
        found = f"found {loglam[0]:.6g} to {loglam[-1]:.6g}"
        raise DataError(
            f"{expected}, their log10 from {start} to {end}, {found}: fetch the file again"
        )


def _image(path, hdu):
    """log10 of the wavelength, shape (n_pix,), and the image, shape (n, n_pix)."""
    header = hdu.header
    image = hdu.data
    step = header.get("COEFF1", 0)
    if image is None or image.ndim > 2 or "COEFF0" not in header or step <= 0:
        found = "no image" if image is None else f"an image of shape {image.shape}"
        numbers = f"COEFF0 = {header.get('COEFF0')}, COEFF1 = {header.get('COEFF1')}"
        raise DataError(
            "expected an image of one spectrum a row with COEFF0 and COEFF1 in "
            f"{short(path)}, found {found} with {numbers}: is it a file of templates?"
        )
    image = np.atleast_2d(image).astype(float)
    loglam = header["COEFF0"] + step * np.arange(image.shape[1])
    _check_wavelengths(path, loglam)
    return loglam, image


@dataclass(frozen=True)
class MeasuredRedshift:
    """The redshift of one spectrum; printed, two or three lines that a person can read.

    Attributes
    ----------
    spectrum : Spectrum
    redshift, velocity_error : float
        Of the best template, and its error in km/s.
    r : float
        Of Tonry & Davis: up to `TRUSTED`, it may be noise.
    template : str
        The name of the best one.
    n_bad : int
        Pixels that were bad and interpolated over.
    templates : str
        Where the templates are from.
    """

    spectrum: Spectrum
    redshift: float
    velocity_error: float
    r: float
    template: str
    n_bad: int
    templates: str

    @property
    def trusted(self):
        """Whether noise alone would hardly reach this r."""
        return self.r > TRUSTED

    @property
    def difference(self):
        """Redshift minus that of the survey's pipeline, in km/s; None where the file has none."""
        catalogue = self.spectrum.redshift
        if catalogue is None:
            return None
        return (self.redshift - catalogue) / (1 + catalogue) * SPEED_OF_LIGHT

    def __str__(self):
        spectrum = self.spectrum
        measured = f"redshift {self.redshift:.5f} ± {self.velocity_error:.0f} km/s"
        first = f"{spectrum.name}: {measured}, r = {self.r:.1f}, template {self.template}"
        if not self.trusted:
            first += f"  (not to be trusted: noise alone reaches r = {TRUSTED})"
        lines = [first, f"templates: {self.templates}"]
        if spectrum.redshift is not None:
            catalogue = f"{spectrum.object_class} at {spectrum.redshift:.5f}"
            lines.append(f"catalogue: {catalogue}, difference {self.difference:+.0f} km/s")
        if self.n_bad:
            bad = f"{self.n_bad} of {len(spectrum.flux)}"
            lines.append(f"bad pixels: {bad}, interpolated over")
        return "\n".join(lines)


def redshift_of(path, templates=None):
    """Measure the redshift of the spectrum in a file by cross-correlation.

    Parameters
    ----------
    path : path
        As `read_spectrum` takes it.
    templates : sequence of path, optional
        As `read_templates` takes them; by default those of SDSS on the data search path, or else
        those of the mock.

    Returns
    -------
    MeasuredRedshift

    Raises
    ------
    helpers.datasets.files.DataError
        If a file cannot be read.
    ValueError
        If the spectrum cannot be correlated with the templates.
    """
    spectrum = read_spectrum(path)
    if templates:
        chosen = read_templates(*templates)
        source = ", ".join(map(short, templates))
    else:
        chosen, source = choose_templates()
    table = cross_correlate(spectrum.wavelength, spectrum.flux, chosen, spectrum.error).table
    return MeasuredRedshift(spectrum, templates=source, **table.iloc[0].to_dict())


def choose_templates():
    """The templates on the data search path, or else those of the mock.

    Returns
    -------
    templates : tuple of (wavelength, flux, names)
        As `helpers.subjects.spectra.correlation.cross_correlate` takes them.
    source : str
        Where they are from, for the reader.
    """
    for name in TEMPLATE_SETS:
        paths = [find(file["name"]) for file in registry(name)["files"]]
        if all(paths):
            return read_templates(*paths), f"{name} ({short(paths[0].parent)})"
    advice = "get real ones: python -m helpers data fetch sdss_templates"
    return mock.templates(), f"MOCK, for none was found; {advice}"
