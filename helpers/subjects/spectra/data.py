"""Galaxy spectra: `load` reads the school's file or simulates one, `read` and `write` know its layout.

The file ``sdss_galaxy_spec.hdf5`` has a group ``raw`` with the data sets ``wavelength``, shape (n_pix,); ``spec`` and
``specerr``, shape (n, n_pix); and ``z zerr age metallicity smass plateid fiberid mjd ra dec``, shape (n,). Its
units are not written in it: those of `Spectra` are taken for granted.
"""

from contextlib import contextmanager
from dataclasses import dataclass, replace

import h5py
import numpy as np

from helpers.datasets.files import DataError, atomic_path
from helpers.datasets.places import data_folder, find, short
from helpers.datasets.reading import limit_hdf5, listed, reading
from helpers.datasets.registry import choose
from helpers.subjects.spectra import mock

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


@dataclass(frozen=True)
class Spectra:
    """Galaxy spectra on one grid, and what is known of the galaxies.

    Attributes
    ----------
    wavelength : numpy.ndarray, shape (n_pix,)
        In vacuum, in Å; increasing, observer frame.
    flux, error : numpy.ndarray of float32, shape (n, n_pix)
        In 1e-17 erg/s/cm²/Å. A pixel is good where the flux is finite and the error finite and above 0: see `good`.
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
    source : {"real", "mock"}
        Read from a file, or simulated by this package.
    """

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
    source: str

    def __len__(self):
        return len(self.flux)

    def __getitem__(self, rows):
        """The spectra of a slice, a mask or an array of indices; of one index, a set of one."""
        if isinstance(rows, int | np.integer):
            rows = [rows]
        return replace(
            self, **{name: getattr(self, name)[rows] for name in KEYS if name != "wavelength"}
        )

    @property
    def mock(self):
        """Whether the spectra were simulated by this package."""
        return self.source == "mock"

    @property
    def good(self):
        """Which pixels were measured: boolean, shape (n, n_pix)."""
        return np.isfinite(self.flux) & np.isfinite(self.error) & (self.error > 0)

    @property
    def parameters(self):
        """Redshift, age, metallicity and mass, on which a generator is conditioned: shape (n, 4)."""
        return np.stack([self.redshift, self.age, self.metallicity, self.mass], axis=1)


def load(n=4000, *, source="auto", seed=0):
    """Return the first `n` galaxy spectra: the real ones if they are there, or else simulated ones.

    Simulated spectra are kept in ``cache/`` of `helpers.datasets.data_folder`, in the layout of the real file.

    Parameters
    ----------
    n : int
        Number of spectra; only so many are read.
    source : {"auto", "real", "mock"}
        "real" is `FILE` on the data search path, "mock" the simulator, "auto" the real one if it is there.
    seed : int
        Of the simulation; the first spectra of a seed do not depend on `n`.

    Returns
    -------
    Spectra

    Raises
    ------
    helpers.datasets.DataError
        If the file is not there, not whole, not in the expected layout, or has fewer spectra.
    ValueError
        If `n` is less than 1, or `seed` negative.
    """
    if n < 1 or seed < 0:
        raise ValueError(f"expected n of 1 or more and a seed of 0 or more, found {n} and {seed}")
    path = find(FILE)
    return _cached(n, seed) if choose(source, path, "galaxy spectra") == "mock" else read(path, n)


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
    return _mock(raw), truth


def _mock(raw):
    return Spectra(**{name: raw[key] for name, key in KEYS.items()}, source="mock")


def _cached(n, seed):
    """The first `n` simulated spectra of this seed, from the cache where it has so many."""
    path = data_folder() / "cache" / f"sdss_galaxy_mock-{seed}-v{mock.VERSION}.hdf5"
    if path.exists():
        try:
            if _count(path) >= n:
                return replace(read(path, n), source="mock")
        except DataError as error:
            print(f"galaxy spectra: the cache is made again ({error})")
    spectra = _mock(mock.simulate(n, seed)[0])
    try:
        write(spectra, path)
    except OSError as error:
        print(
            f"galaxy spectra: not kept for the next time ({short(path.parent)}/ cannot be written to: {error})"
        )
    return spectra


def _count(path):
    with _opened(path) as group:
        return len(group["z"])


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
    helpers.datasets.DataError
        Naming the file, what was expected and what was found.
    """
    with _opened(path) as group:
        n_pix, total = len(group["wavelength"]), len(group["z"])
        if n is not None and n > total:
            raise DataError(f"expected {n} spectra in {short(path)}, found {total}: ask for fewer")
        arrays = {name: group[key][:n] for name, key in KEYS.items() if name != "wavelength"}
        arrays["wavelength"] = group["wavelength"][...]
    wavelength = arrays["wavelength"] = arrays["wavelength"].astype(np.float64)
    if n_pix < 2 or not (
        np.isfinite(wavelength).all() and wavelength[0] > 0 and (np.diff(wavelength) > 0).all()
    ):
        raise DataError(
            f"expected increasing wavelengths in Å in {short(path)}, found others: repair raw/wavelength"
        )
    for name in ("flux", "error"):
        arrays[name] = arrays[name].astype(np.float32, copy=False)
    for name in ("plate", "fiber", "mjd"):
        arrays[name] = arrays[name].astype(np.int64)
    for name in ("redshift", "redshift_error", "age", "metallicity", "mass", "ra", "dec"):
        arrays[name] = arrays[name].astype(np.float64)
    return Spectra(**arrays, source="real")


@contextmanager
def _opened(path):
    """The group ``raw`` of a file, once its keys, shapes and types are what they must be."""
    name = short(path)
    with reading(path, "an HDF5 file of galaxy spectra"), h5py.File(path, "r") as file:
        group = file.get("raw")
        if not isinstance(group, h5py.Group):
            raise DataError(f"expected a group raw in {name}, found {listed(file)}: get it again")
        _check(group, name)
        limit_hdf5(file, [group[key] for key in KEYS.values()])
        yield group


def _check(group, name):
    for key in KEYS.values():
        if not isinstance(group.get(key), h5py.Dataset):
            found = listed(group)
            raise DataError(f"expected raw/{key} in {name}, found only {found}: get it again")
        if group[key].dtype.kind not in "fiu":
            kind = (
                "spectra of different lengths"
                if key in ("spec", "specerr")
                else f"the type {group[key].dtype}"
            )
            raise DataError(
                f"expected numbers on one grid in raw/{key} of {name}, found {kind}: rebin and write anew"
            )
    n_pix, n = (group[key].shape[0] if group[key].shape else 0 for key in ("wavelength", "z"))
    for key in KEYS.values():
        expected = {"wavelength": (n_pix,), "spec": (n, n_pix), "specerr": (n, n_pix)}.get(
            key, (n,)
        )
        if group[key].shape != expected:
            found = group[key].shape
            raise DataError(
                f"expected the shape {expected} of raw/{key} in {name}, found {found}: get it again"
            )


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
            chunks = (
                (min(64, len(array)), array.shape[1]) if array.ndim == 2 and len(array) else None
            )
            group.create_dataset(
                key, data=array, chunks=chunks
            )  # in chunks of rows: a few are read without the rest
