"""Catalogues of galaxies: `load` reads the 3D-HST master catalogue, anybody's catalogue, or simulates one.

Fluxes may be in any linear unit; in 3D-HST the zero point is 25 (AB): m = 25 - 2.5 log10(flux).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.datasets.files import DataError, atomic_path
from helpers.datasets.places import data_folder, find, short
from helpers.datasets.registry import choose, registry
from helpers.datasets.tables import read_table

BANDS = ("F606W", "F814W", "F125W", "F140W", "F160W")
FLUXES = tuple(f"f_{band}" for band in BANDS)
ERRORS = tuple(f"e_{band}" for band in BANDS)
COLUMNS = [
    "id",
    "field",
    "ra",
    "dec",
    "x",
    "y",
    "z_spec",
    "z_peak",
    "faper_F140W",
    "eaper_F140W",
    "faper_F160W",
    "eaper_F160W",
    "f_F606W",
    "e_F606W",
    "f_F814W",
    "e_F814W",
    "f_F125W",
    "e_F125W",
    "f_F140W",
    "e_F140W",
    "f_F160W",
    "e_F160W",
    "tot_cor",
    "kron_radius",
    "a_image",
    "b_image",
    "flux_radius",
    "fwhm_image",
    "flags",
    "f140w_flag",
    "star_flag",
    "use_phot",
    "near_star",
    "nexp_f125w",
    "nexp_f140w",
    "nexp_f160w",
    "lmass",
    "Av",
]
NOT_FEATURES = (
    "z_spec",
    "z_peak",
    "lmass",
    "Av",
    "flags",
    "f140w_flag",
    "star_flag",
    "use_phot",
    "near_star",
)
FEATURES = tuple(name for name in COLUMNS if name not in NOT_FEATURES)  # the source's 29
FIELDS = {
    "a": "AEGIS",
    "c": "COSMOS",
    "u": "UDS",
}  # by the first letter; g is told apart by declination
SENTINELS = (-99.0, -99.9, -99.99, -999.0, -999.9, -9999.0, -99999.0)
REDSHIFT_LIMIT = 20.0  # what is beyond is a code for "none"


@dataclass(frozen=True)
class Catalogue:
    """A catalogue of galaxies, and which of its columns mean what.

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
    fluxes: tuple
    errors: tuple | None
    z_spec: str | None
    source: str

    def __len__(self):
        return len(self.table)

    def __getitem__(self, rows):
        """The galaxies of a slice, a mask or an array of positions."""
        return replace(self, table=self.table.iloc[rows].reset_index(drop=True))

    @property
    def mock(self):
        """Whether the catalogue was simulated by this package."""
        return self.source == "mock"

    @property
    def flux(self):
        """Fluxes, shape (n, k); NaN where not measured."""
        return measurements(self.table, self.fluxes, self.errors)[0]

    @property
    def error(self):
        """Standard errors of the fluxes, shape (n, k); NaN where not known."""
        return measurements(self.table, self.fluxes, self.errors)[1]

    @property
    def redshift(self):
        """Spectroscopic redshift, shape (n,); NaN where there is none (not finite, not above 0, or a code)."""
        return redshifts(self.table[self.z_spec]) if self.z_spec else np.full(len(self), np.nan)

    @property
    def field(self):
        """Name of the field of each galaxy, shape (n,): see `field_names`."""
        return field_names(self.table["field"], self.table["dec"])


def measurements(table, fluxes, errors=None):
    """Take fluxes and errors out of a table, with NaN for what was not measured.

    A flux is missing where it is not a finite number or has one of the values of `SENTINELS`; where it is at or
    below -90 and more than ten times its error below 0, as no measurement is; and where flux and error are both 0 or
    both the same negative number. An error is unknown (NaN) where it is not a finite number above 0.

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
    helpers.datasets.DataError
        If a column is not there, or holds text.
    ValueError
        If there are not as many errors as fluxes, or a column is named twice.
    """
    fluxes = list(fluxes)
    if errors is not None and len(errors) != len(fluxes):
        raise ValueError(
            f"expected an error column for each of {len(fluxes)} fluxes, found {len(errors)}: name as many"
        )
    if len(set(fluxes)) < len(fluxes):
        raise ValueError(
            f"expected each flux column once, found {', '.join(fluxes)}: name each once"
        )
    flux = _numbers(table, fluxes)
    error = np.full(flux.shape, np.nan) if errors is None else _numbers(table, errors)
    with np.errstate(invalid="ignore"):
        absurd = (flux <= -90) & (flux < -10 * np.abs(error))
        same = (flux == error) & (flux <= 0)
        missing = ~np.isfinite(flux) | np.isin(flux, SENTINELS) | absurd | same
        flux = np.where(missing, np.nan, flux)
        error = np.where(missing | ~np.isfinite(error) | (error <= 0), np.nan, error)
    return flux, error


def _numbers(table, names):
    if absent := [name for name in names if name not in table]:
        raise DataError(
            f"there is no column {absent[0]!r}; the columns are: {', '.join(map(str, table.columns[:80]))}"
        )
    values = np.empty((len(table), len(names)))
    for i, name in enumerate(names):
        values[:, i] = pd.to_numeric(table[name], errors="coerce")
        if (
            np.isnan(values[:, i]).all()
            and not pd.api.types.is_numeric_dtype(table[name])
            and table[name].notna().any()
        ):
            example = table[name].dropna().iloc[0]
            raise DataError(
                f"expected numbers in the column {name!r}, found text such as {str(example)[:30]!r}"
            )
    return values


def redshifts(column):
    """Spectroscopic redshifts of a column as float, shape (n,); NaN where it says that there is none."""
    z = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        return np.where((z > 0) & (z < REDSHIFT_LIMIT), z, np.nan)


def field_names(field, dec):
    """Names of the five fields of 3D-HST.

    In the master catalogue GOODS-N and GOODS-S are both abbreviated "g" (a known issue of the file), so that
    their declinations, +62° and -28°, have to tell them apart.

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
    helpers.datasets.DataError
        If an abbreviation is none of a, c, g, u.
    """
    letters = np.array([str(name).strip("b' ").lower()[:1] for name in field])
    north = np.asarray(dec, dtype=float) > 0
    names = np.where(north, "GOODS-N", "GOODS-S").astype(object)
    for letter, name in FIELDS.items():
        names[letters == letter] = name
    if unknown := set(letters) - set(FIELDS) - {"g"}:
        raise DataError(
            f"expected fields that start with a, c, g or u, found {', '.join(repr(str(letter)) for letter in sorted(unknown))}"
        )
    return names.astype(str)


def load(path=None, *, fluxes=None, errors=None, z_spec=None, n=30_000, seed=0, source="auto"):
    """Return a catalogue: that of a file, or the 3D-HST master catalogue if it is there, or else a simulated one.

    Parameters
    ----------
    path : path, optional
        A catalogue of any format that `helpers.datasets.tables.read_table` reads.
    fluxes, errors : sequence of str, optional
        Its columns of fluxes and of their errors; by default those of 3D-HST.
    z_spec : str, optional
        Its column of spectroscopic redshifts; by default ``z_spec``, where fluxes are not named either.
    n, seed : int
        Number of galaxies, and seed, of the simulation.
    source : {"auto", "real", "mock"}
        Without a path: "real" is the master catalogue on the data search path, "mock" the simulator.

    Returns
    -------
    Catalogue

    Raises
    ------
    helpers.datasets.DataError
        If a file is not there, not whole, not a table, or lacks a column; or if a column holds text.
    ValueError
        If there are not as many errors as fluxes.
    """
    if path is None and (fluxes, errors, z_spec) != (None, None, None):
        raise ValueError(
            "expected the path of the catalogue whose columns are named, found none: give it"
        )
    if path is None:
        place = _master()
        if choose(source, place, "3D-HST catalogue") == "mock":
            return _cached_mock(n, seed)
        return read(place)
    if fluxes is None:
        return read(path)
    data = Catalogue(
        read_table(path),
        tuple(fluxes),
        tuple(errors) if errors is not None else None,
        z_spec,
        "real",
    )
    wanted = [*data.fluxes, *(data.errors or ()), *([z_spec] if z_spec else [])]
    named = read_table(path, wanted)  # resolves upper and lower case, or says what is missing
    table = data.table.drop(columns=[name for name in wanted if name in data.table])
    data = replace(
        data, table=pd.concat([table, named.loc[:, ~named.columns.duplicated()]], axis=1)
    )
    measurements(data.table, data.fluxes, data.errors)
    return data


def read(path):
    """Read a file in the layout of the 3D-HST master catalogue, ASCII or FITS.

    Parameters
    ----------
    path : path

    Returns
    -------
    Catalogue
        With source "real".

    Raises
    ------
    helpers.datasets.DataError
        Naming the file, what was expected and what was found.
    """
    table = read_table(path, COLUMNS)
    measurements(table, FLUXES, ERRORS)
    field_names(table["field"], table["dec"])
    return Catalogue(table, FLUXES, ERRORS, "z_spec", "real")


def write(data, path):
    """Write a catalogue as ASCII in the layout of the 3D-HST master catalogue: one header line, then a galaxy a line.

    Parameters
    ----------
    data : Catalogue
        With the columns of 3D-HST.
    path : path
        Overwritten if it is there; a file appears only when it is whole.
    """
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write("# " + " ".join(COLUMNS) + "\n")
        data.table[COLUMNS].to_csv(
            file, sep=" ", header=False, index=False, float_format="%.7g", lineterminator="\n"
        )


def selected(data):
    """The source's selection: log stellar mass above 9 and a spectroscopic redshift.

    The mass was computed *at a redshift* (z_spec where there is one, else z_peak), so that a cut on it is one on the
    quantity that is to be predicted: it cannot be made on a galaxy without a redshift.

    Parameters
    ----------
    data : Catalogue
        With the columns of 3D-HST.

    Returns
    -------
    Catalogue
    """
    mass = pd.to_numeric(data.table["lmass"], errors="coerce").to_numpy()
    return data[np.isfinite(data.redshift) & (mass > 9)]


def _master():
    name = registry("3dhst")["files"][0]["name"]
    return find(name) or find(f"{name}.FITS")


def _cached_mock(n, seed):
    from helpers.subjects.photoz import mock

    path = data_folder() / "cache" / f"3dhst_mock-{n}-{seed}-v{mock.VERSION}.cat"
    if path.exists():
        try:
            kept = read(path)
            if len(kept) == n:
                return replace(kept, source="mock")
        except DataError as error:
            print(f"3D-HST catalogue: the cache is made again ({error})")
    data = Catalogue(mock.simulate(n, seed)[0], FLUXES, ERRORS, "z_spec", "mock")
    try:
        write(data, path)
    except OSError as error:
        print(
            f"3D-HST catalogue: not kept for the next time ({short(Path(path).parent)}/: {error.strerror})"
        )
        return data
    return replace(
        read(path), source="mock"
    )  # the same numbers, rounded as in the file, at each call
