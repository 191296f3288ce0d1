"""Catalogues of galaxies: `load` reads 3D-HST's, anybody's, or simulates one in 3D-HST's columns.

Fluxes may be in any linear unit; in 3D-HST the zero point is 25 (AB): m = 25 - 2.5 log10(flux).
"""

from collections import Counter
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from helpers.datasets.files import DataError, atomic_path
from helpers.datasets.places import find, short
from helpers.datasets.reading import listed
from helpers.datasets.registry import registry
from helpers.datasets.sample import Sample, load_or_simulate
from helpers.datasets.tables import read_table
from helpers.subjects.photoz import mock
from helpers.subjects.photoz.columns import COLUMNS, ERRORS, FIELDS, FLUXES

SENTINELS = (-99.0, -99.9, -99.99, -999.0, -999.9, -9999.0, -99999.0)  # codes for "not measured"
LEAST_ABSURD = -90.0  # a flux at or below this is a code as well ...
ABSURD = 10.0  # ... if it lies so many errors below 0
REDSHIFT_LIMIT = 20.0  # what is beyond is a code for "none"
LEAST_MASS = 9.0  # log10 of the stellar mass in solar masses, of the source's selection


@dataclass(frozen=True, kw_only=True)
class Catalogue(Sample):
    """A catalogue of galaxies, and which of its columns mean what: by default, those of 3D-HST.

    Attributes
    ----------
    table : pandas.DataFrame
        As it stands in the file, missing values included.
    fluxes : tuple of str
        Columns of the fluxes, k of them, in any linear unit.
    errors : tuple of str, or None
        Columns of their standard errors, in the same order.
    z_spec : str or None
        Column of the spectroscopic redshift.
    source : {"real", "mock"}
        Read from a file, or simulated by this package.
    """

    table: pd.DataFrame
    fluxes: tuple = FLUXES
    errors: tuple | None = ERRORS
    z_spec: str | None = "z_spec"

    @property
    def columns(self):
        """Names of all columns that have a meaning here, each once: fluxes, errors, redshift."""
        named = [*self.fluxes, *(self.errors or ()), self.z_spec]
        return [name for name in dict.fromkeys(named) if name is not None]

    @property
    def flux(self):
        """Fluxes, shape (n, k); NaN where not measured."""
        flux, _ = measurements(self.table, self.fluxes, self.errors)
        return flux

    @property
    def error(self):
        """Standard errors of the fluxes, shape (n, k); NaN where not known."""
        _, error = measurements(self.table, self.fluxes, self.errors)
        return error

    @property
    def redshift(self):
        """Spectroscopic redshift, shape (n,); NaN where there is none, see `redshifts`."""
        if self.z_spec is None:
            return np.full(len(self), np.nan)
        return redshifts(self.table[self.z_spec])

    @property
    def field(self):
        """Name of the field of each galaxy, shape (n,): see `field_names`."""
        return field_names(self.table["field"], self.table["dec"])


def measurements(table, fluxes, errors=None):
    """Take fluxes and errors out of a table, with NaN for what was not measured.

    A flux is missing where it is not a finite number or has one of the values of `SENTINELS`; where
    it is at or below -90 and more than ten times its error below 0, as no measurement is; and where
    flux and error are both 0 or both the same negative number. An error is unknown (NaN) where it
    is not a finite number above 0.

    Parameters
    ----------
    table : pandas.DataFrame
    fluxes, errors : sequence of str
        k columns each; without errors all errors are NaN.

    Returns
    -------
    flux, error : numpy.ndarray of float, shape (n, k)

    Raises
    ------
    helpers.datasets.files.DataError
        If a column is not there, or holds text.
    ValueError
        If there are not as many errors as fluxes, or a flux is named twice.
    """
    fluxes = list(fluxes)
    if errors is not None and len(errors) != len(fluxes):
        wanted = f"expected an error column for each of {len(fluxes)} fluxes"
        raise ValueError(f"{wanted}, found {len(errors)}: name as many")
    if len(set(fluxes)) < len(fluxes):
        found = ", ".join(fluxes)
        raise ValueError(f"expected each flux column once, found {found}: name each once")
    flux = _numbers(table, fluxes)
    error = np.full(flux.shape, np.nan) if errors is None else _numbers(table, errors)
    with np.errstate(invalid="ignore"):
        absurd = (flux <= LEAST_ABSURD) & (flux < -ABSURD * np.abs(error))
        same = (flux == error) & (flux <= 0)
        missing = ~np.isfinite(flux) | np.isin(flux, SENTINELS) | absurd | same
        unknown = missing | ~np.isfinite(error) | (error <= 0)
    return np.where(missing, np.nan, flux), np.where(unknown, np.nan, error)


def _numbers(table, names):
    """Columns as numbers, shape (n, k)."""
    values = np.empty((len(table), len(names)))
    for place, name in enumerate(names):
        if name not in table:
            there = listed(table.columns)
            raise DataError(f"there is no column {name!r}; the columns are: {there}")
        values[:, place] = _number(table[name])
    return values


def _number(column):
    """A column as numbers, shape (n,); NaN for text among them, but not for text alone."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    is_text = not pd.api.types.is_numeric_dtype(column)
    if is_text and np.isnan(values).all() and column.notna().any():
        example = str(column.dropna().iloc[0])[:30]
        wanted = f"expected numbers in the column {column.name!r}"
        raise DataError(f"{wanted}, found text such as {example!r}")
    return values


def redshifts(column):
    """Spectroscopic redshifts of a column.

    Parameters
    ----------
    column : pandas.Series, shape (n,)

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        NaN where the column says that there is none: not a number, not above 0, or not below
        `REDSHIFT_LIMIT`.
    """
    z = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        known = (z > 0) & (z < REDSHIFT_LIMIT)
    return np.where(known, z, np.nan)


def field_names(field, dec):
    """Names of the five fields of 3D-HST.

    In the master catalogue GOODS-N and GOODS-S are both abbreviated "g" (a known issue of the
    file), so that their declinations, +62° and -28°, have to tell them apart.

    Parameters
    ----------
    field : array of str, shape (n,)
        Names or abbreviations, in upper or lower case.
    dec : array, shape (n,)
        Declination in degrees.

    Returns
    -------
    numpy.ndarray of str, shape (n,)

    Raises
    ------
    helpers.datasets.files.DataError
        If an abbreviation is none of a, c, g, u.
    """
    names = [str(name).strip("b' ").lower() for name in field]  # 'b' of bytes made text
    letters = np.array([name[:1] for name in names])
    fields_of = Counter(place.letter for place in FIELDS.values())
    unknown = sorted(set(letters) - set(fields_of))
    if unknown:
        found = ", ".join(repr(str(letter)) for letter in unknown)
        raise DataError(f"expected fields that start with a, c, g or u, found {found}")
    north = np.asarray(dec, dtype=float) > 0
    result = np.full(len(letters), "", dtype=object)
    for name, place in FIELDS.items():
        here = letters == place.letter
        if fields_of[place.letter] > 1:
            here &= north == (place.dec > 0)
        result[here] = name
    return result.astype(str)


def load(
    n=30_000,
    *,
    source="auto",
    seed=0,
    path=None,
    fluxes=None,
    errors=None,
    z_spec=None,
    others=True,
):
    """Return a catalogue: 3D-HST's if it is there, else a simulated one; or that of a file.

    Simulated catalogues are kept in ``cache/`` of the data folder, in the layout of 3D-HST.

    Parameters
    ----------
    n : int
        Number of simulated galaxies. The real catalogue is read whole: its rows are sorted by
        field, so that the first of them would be galaxies of one field.
    source : {"auto", "real", "mock"}
        "real" is the master catalogue on the data search path, "mock" the simulator, "auto" the
        real one if it is there.
    seed : int
        Of the simulation.
    path : path, optional
        A catalogue of one's own, of any format that `helpers.datasets.tables.read_table` reads. It
        is read whole, and `n`, `source` and `seed` play no part.
    fluxes, errors : sequence of str, optional
        Its columns of fluxes and of their errors; by default those of 3D-HST.
    z_spec : str, optional
        Its column of spectroscopic redshifts; by default ``z_spec``, where fluxes are not named
        either.
    others : bool
        Whether the columns of such a file that are not named are read as well.

    Returns
    -------
    Catalogue

    Raises
    ------
    helpers.datasets.files.DataError
        If a file is not there, not whole, not a table, or lacks a column; or if a column holds
        text.
    ValueError
        If `n` is less than 1, or there are not as many errors as fluxes.
    """
    named = not (fluxes is None and errors is None and z_spec is None)
    if path is None and named:
        wanted = "expected the path of the catalogue whose columns are named"
        raise ValueError(f"{wanted}, found none: give it")
    if path is None:
        return load_or_simulate(
            "3D-HST catalogue",
            n,
            source,
            real=_master(),
            read=lambda path, _: read(path),
            simulate=partial(_simulated, seed=seed),
            cache=f"3dhst_mock-{n}-{seed}-v{mock.VERSION}.cat",
            write=write,
        )
    if fluxes is None:
        return read(path)
    return _read_named(path, fluxes, errors, z_spec, others)


def _master():
    """The master catalogue on the search path, as text or as FITS; None if it is not there."""
    (file,) = registry("3dhst")["files"]
    return find(file["name"]) or find(f"{file['name']}.FITS")


def _simulated(n, seed):
    catalogue, _ = simulate(n, seed)
    return catalogue


def simulate(n, seed=0, z_peak=True):
    """Simulate a catalogue and tell the truth about it.

    Parameters
    ----------
    n, seed, z_peak
        As `helpers.subjects.photoz.mock.simulate`.

    Returns
    -------
    catalogue : Catalogue
    truth : dict of str to numpy.ndarray, shape (n,)
        As `helpers.subjects.photoz.mock.simulate` gives it.
    """
    table, truth = mock.simulate(n, seed, z_peak)
    return Catalogue(table=table, source="mock"), truth


def read(path, n=None):
    """Read a file in the layout of the 3D-HST master catalogue, ASCII or FITS.

    Parameters
    ----------
    path : path
    n : int, optional
        Number of galaxies, the first of the file; by default all.

    Returns
    -------
    Catalogue
        With source "real".

    Raises
    ------
    helpers.datasets.files.DataError
        Naming the file, what was expected and what was found.
    """
    table = read_table(path, COLUMNS)
    catalogue = Catalogue(table=table, source="real")
    _check_numbers(catalogue)
    field_names(table["field"], table["dec"])
    if n is None:
        return catalogue
    if n > len(catalogue):
        found = f"found {len(catalogue)}: ask for fewer"
        raise DataError(f"expected {n} galaxies in {short(path)}, {found}")
    return catalogue[:n]


def _read_named(path, fluxes, errors, z_spec, others):
    """Read anybody's catalogue by the names of its columns."""
    fluxes = tuple(fluxes)
    errors = None if errors is None else tuple(errors)
    named = [*fluxes, *(errors or ()), *([z_spec] if z_spec else [])]
    table = read_table(path, list(dict.fromkeys(named)), others)
    catalogue = Catalogue(table=table, fluxes=fluxes, errors=errors, z_spec=z_spec, source="real")
    _check_numbers(catalogue)
    return catalogue


def _check_numbers(catalogue):
    """Raise unless fluxes and errors are numbers, as many of one as of the other."""
    measurements(catalogue.table, catalogue.fluxes, catalogue.errors)


def write(catalogue, path):
    """Write a catalogue as ASCII in the layout of 3D-HST: one header line, then a galaxy a line.

    Parameters
    ----------
    catalogue : Catalogue
        With the columns of 3D-HST.
    path : path
        Overwritten if it is there; a file appears only when it is whole.
    """
    layout = {"sep": " ", "header": False, "index": False, "float_format": "%.7g"}
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write("# " + " ".join(COLUMNS) + "\n")
        catalogue.table[COLUMNS].to_csv(file, lineterminator="\n", **layout)


def selected(catalogue):
    """The source's selection: log stellar mass above 9 and a spectroscopic redshift.

    The mass was computed *at a redshift* (z_spec where there is one, else z_peak), so that a cut on
    it is one on the quantity that is to be predicted: it cannot be made on a galaxy without a
    redshift.

    Parameters
    ----------
    catalogue : Catalogue
        With the columns of 3D-HST.

    Returns
    -------
    Catalogue
    """
    log_mass = pd.to_numeric(catalogue.table["lmass"], errors="coerce").to_numpy()
    return catalogue[np.isfinite(catalogue.redshift) & (log_mass > LEAST_MASS)]
