"""Galaxy spectra: `load` reads the school's file or simulates; `read`, `write` know its layout.

The file ``sdss_galaxy_spec.hdf5`` has a group ``raw`` with the data sets ``wavelength``, shape
(n_pix,); ``spec`` and ``specerr``, shape (n, n_pix); and ``z zerr age metallicity smass plateid
fiberid mjd ra dec``, shape (n,). Its units are not written in it: those of `Spectra` are taken for
granted.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import h5py
import numpy as np

from helpers.datasets.files import DataError, atomic_path
from helpers.datasets.places import find, short
from helpers.datasets.reading import limit_hdf5, listed, reading
from helpers.datasets.sample import Sample, load_or_simulate
from helpers.subjects.spectra import mock, pixels

FILE = "sdss_galaxy_spec.hdf5"
KEYS = {  # of the file, by the names used here
    "wavelength": "wavelength",
    "flux": "spec",
    "error": "specerr",
    "redshift": "z",
    "redshift_error": "zerr",
    "age": "age",
    "metallicity": "metallicity",
    "mass": "smass",
    "plate": "plateid",
    "fiber": "fiberid",
    "mjd": "mjd",
    "ra": "ra",
    "dec": "dec",
}
SINGLE = ("flux", "error")  # kept as float32
WHOLE = ("plate", "fiber", "mjd")  # as int64; all others as float64
ROWS_A_CHUNK = 64  # in a file: a few spectra are read without the rest


@dataclass(frozen=True, kw_only=True)
class Spectra(Sample):
    """Galaxy spectra on one grid, and what is known of the galaxies.

    Attributes
    ----------
    wavelength : numpy.ndarray, shape (n_pix,)
        In vacuum, in Å; increasing, observer frame.
    flux, error : numpy.ndarray of float32, shape (n, n_pix)
        In 1e-17 erg/s/cm²/Å; see `good`.
    redshift, redshift_error : numpy.ndarray, shape (n,)
    age : numpy.ndarray, shape (n,)
        Weighted by light, in Gyr.
    metallicity : numpy.ndarray, shape (n,)
        Of the stars, in solar units.
    mass : numpy.ndarray, shape (n,)
        Of the stars, in M☉. Age, metallicity or mass are negative where none was found.
    plate, fiber, mjd : numpy.ndarray of int, shape (n,)
        What names the spectrum in the survey; in a mock without meaning.
    ra, dec : numpy.ndarray, shape (n,)
        In degrees; in a mock without meaning.
    """

    shared: ClassVar[tuple] = ("wavelength",)

    wavelength: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    redshift: np.ndarray
    redshift_error: np.ndarray
    age: np.ndarray
    metallicity: np.ndarray
    mass: np.ndarray
    plate: np.ndarray
    fiber: np.ndarray
    mjd: np.ndarray
    ra: np.ndarray
    dec: np.ndarray

    @property
    def good(self):
        """Which pixels were measured, see `pixels.good`: boolean, shape (n, n_pix)."""
        return pixels.good(self.flux, self.error)

    @property
    def parameters(self):
        """Redshift, age, metallicity, mass, on which a generator is conditioned: (n, 4)."""
        return np.stack([self.redshift, self.age, self.metallicity, self.mass], axis=1)


def load(n=4000, *, source="auto", seed=0, path=None):
    """Return the first `n` galaxy spectra: the real ones if they are there, or else simulated ones.

    Simulated spectra are kept in ``cache/`` of `helpers.datasets.places.data_folder`, in the layout
    of the real file.

    Parameters
    ----------
    n : int
        Number of spectra; only so many are read.
    source : {"auto", "real", "mock"}
        "real" is the file, "mock" the simulator, "auto" the real one if it is there.
    seed : int
        Of the simulation; the first spectra of a seed do not depend on `n`.
    path : path, optional
        Of the file; by default `FILE` on the data search path.

    Returns
    -------
    Spectra

    Raises
    ------
    helpers.datasets.files.DataError
        If the file is not there, not whole, not in the expected layout, or has fewer spectra.
    ValueError
        If `n` is less than 1, or `seed` negative.
    """
    if seed < 0:
        raise ValueError(f"expected a seed of 0 or more, found {seed}: choose another one")
    return load_or_simulate(
        "galaxy spectra",
        n,
        source,
        real=find(FILE) if path is None else path,
        read=read,
        simulate=partial(_simulated, seed=seed),
        cache=f"sdss_galaxy_mock-{seed}-v{mock.VERSION}.hdf5",
        write=write,
    )


def simulate(n, seed=0):
    """Simulate spectra and tell the truth about them.

    Parameters
    ----------
    n, seed : int
        As `helpers.subjects.spectra.mock.simulate`.

    Returns
    -------
    spectra : Spectra
        The same that ``load(n, source="mock", seed=seed)`` gives.
    truth : dict of str to array
        As `helpers.subjects.spectra.mock.simulate` gives it, with the noise-free flux.
    """
    raw, truth = mock.simulate(n, seed, keep_noise_free=True)
    return _spectra(raw), truth


def _simulated(n, seed):
    return _spectra(mock.simulate(n, seed)[0])


def _spectra(raw):
    """Simulated spectra, from arrays by the keys of the file."""
    return Spectra(source="mock", **{name: raw[key] for name, key in KEYS.items()})


def read(path, n=None):
    """Read spectra from a file in the layout of the school's.

    Parameters
    ----------
    path : path
    n : int, optional
        Read only the first `n`; default all.

    Returns
    -------
    Spectra
        With source "real".

    Raises
    ------
    helpers.datasets.files.DataError
        Naming the file, what was expected and what was found.
    """
    with _opened(path) as group:
        total = len(group["z"])
        if n is not None and n > total:
            raise DataError(f"expected {n} spectra in {short(path)}, found {total}: ask for fewer")
        arrays = {name: group[key][:n] for name, key in KEYS.items() if name != "wavelength"}
        arrays["wavelength"] = group["wavelength"][...]
    arrays = {name: array.astype(_kind(name), copy=False) for name, array in arrays.items()}
    if not _is_grid(arrays["wavelength"]):
        expected = f"expected increasing wavelengths in Å in {short(path)}"
        raise DataError(f"{expected}, found others: repair raw/wavelength")
    return Spectra(source="real", **arrays)


def _kind(name):
    if name in SINGLE:
        return np.float32
    return np.int64 if name in WHOLE else np.float64


def _is_grid(wavelength):
    if len(wavelength) < 2 or not np.isfinite(wavelength).all():
        return False
    return wavelength[0] > 0 and (np.diff(wavelength) > 0).all()


@contextmanager
def _opened(path):
    """The group ``raw`` of a file, once its keys, shapes and types are what they must be."""
    name = short(path)
    with reading(path, "an HDF5 file of galaxy spectra"), h5py.File(path, "r") as file:
        group = file.get("raw")
        if not isinstance(group, h5py.Group):
            raise DataError(f"expected a group raw in {name}, found {listed(file)}: get it again")
        for key in KEYS.values():
            _check_numbers(group, key, name)
        _check_shapes(group, name)
        limit_hdf5(file, [group[key] for key in KEYS.values()])
        yield group


def _check_numbers(group, key, name):
    if not isinstance(group.get(key), h5py.Dataset):
        found = listed(group)
        raise DataError(f"expected raw/{key} in {name}, found only {found}: get it again")
    if group[key].dtype.kind not in "fiu":
        ragged = key in ("spec", "specerr")
        found = "spectra of different lengths" if ragged else f"the type {group[key].dtype}"
        expected = f"expected numbers on one grid in raw/{key} of {name}"
        raise DataError(f"{expected}, found {found}: rebin and write anew")


def _check_shapes(group, name):
    n_pix = _length(group["wavelength"])
    n = _length(group["z"])
    special = {"wavelength": (n_pix,), "spec": (n, n_pix), "specerr": (n, n_pix)}
    for key in KEYS.values():
        expected = special.get(key, (n,))
        found = group[key].shape
        if found != expected:
            wanted = f"expected the shape {expected} of raw/{key} in {name}"
            raise DataError(f"{wanted}, found {found}: get it again")


def _length(data_set):
    return data_set.shape[0] if data_set.shape else 0


def write(spectra, path):
    """Write spectra in the layout of the school's file.

    Parameters
    ----------
    spectra : Spectra
    path : path
        Overwritten if it is there; a file appears only when it is whole.
    """
    with atomic_path(path) as part, h5py.File(part, "w") as file:
        group = file.create_group("raw")
        for name, key in KEYS.items():
            array = getattr(spectra, name)
            chunked = array.ndim == 2 and len(array) > 0
            chunks = (min(ROWS_A_CHUNK, len(array)), array.shape[1]) if chunked else None
            group.create_dataset(key, data=array, chunks=chunks)
