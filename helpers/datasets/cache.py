"""Arrays that take long to compute, kept for the next time."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from helpers.datasets.files import atomic_path
from helpers.datasets.places import data_folder, short

PREFIX = "data/"  # of the names of arrays, which then are none of `numpy.savez`'s arguments


def cached(name, settings, version, make, folder=None):
    """What `make` returns, made once for the same settings and kept.

    A file that is damaged or belongs to other settings is made again; where nothing can be written,
    the arrays are returned all the same. Both are said in one line.

    Parameters
    ----------
    name : str
        The name of the set, which the file is called by.
    settings : dict
        All that the arrays depend on, the seed included; anything that JSON can hold.
    version : int
        Of the simulator: raise it when the same settings give other arrays.
    make : callable
        Called without arguments; returns a dict of str to array.
    folder : path, optional
        Where the file lies; default ``cache/`` in `data_folder`.

    Returns
    -------
    dict of str to ndarray
    """
    known = {"settings": settings, "version": version}
    key = json.dumps(known, sort_keys=True, allow_nan=False)
    digest = hashlib.sha256(key.encode()).hexdigest()
    folder = data_folder() / "cache" if folder is None else Path(folder)
    path = folder / f"{name}-{digest[:12]}.npz"
    if os.path.exists(path):
        try:
            return _read(path, key)
        except Exception as error:  # whatever a damaged file raises means the same: make it again
            reason = type(error).__name__
            print(f"{name}: {short(path)} cannot be used ({reason}) and is made again")
    arrays = {label: np.asarray(array) for label, array in make().items()}
    if any(array.dtype.hasobject for array in arrays.values()):
        raise TypeError(f"{name}: arrays of Python objects cannot be kept without pickle")
    try:
        _write(path, key, arrays)
    except OSError as error:
        problem = f"{short(folder)}/ cannot be written to: {error.strerror}"
        print(f"{name}: not kept for the next time ({problem})")
    return arrays


def _read(path, key):
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        if str(stored["settings"]) != key:
            raise ValueError("it belongs to other settings")
        labels = [label for label in stored.files if label.startswith(PREFIX)]
        return {label.removeprefix(PREFIX): stored[label] for label in labels}


def _write(path, key, arrays):
    named = {f"{PREFIX}{label}": array for label, array in arrays.items()}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, settings=np.array(key), **named)
