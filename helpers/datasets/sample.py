"""What the data of every subject are: rows that belong together, loaded in one way."""

import os
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from helpers.datasets.files import DataError
from helpers.datasets.places import data_folder, short
from helpers.datasets.registry import choose


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows that belong together: a subject's data derive from this, and name their arrays.

    Every field that is an array or a table has one row a sample, except those named in `shared`.

    Attributes
    ----------
    source : {"real", "mock"}
        Read from a file, or simulated by this package.
    """

    shared: ClassVar[tuple] = ()

    source: str

    @property
    def mock(self):
        """Whether the data were simulated by this package."""
        return self.source == "mock"

    def __len__(self):
        return len(next(iter(self._rows().values())))

    def __getitem__(self, rows):
        """The samples of a slice, a mask or an array of indices; of one index, a set of one."""
        if isinstance(rows, int | np.integer):
            rows = [rows]
        elif isinstance(rows, pd.Series):  # a mask from a column of a table
            rows = rows.to_numpy()
        taken = {name: _take(values, rows) for name, values in self._rows().items()}
        return replace(self, **taken)

    def split(self, *sizes):
        """Split into consecutive sets of these sizes.

        Raises
        ------
        ValueError
            If there are fewer samples than the sizes add up to.
        """
        if sum(sizes) > len(self):
            wanted = f"expected at least {sum(sizes)} samples, found {len(self)}"
            raise ValueError(f"{wanted}: ask for smaller sets")
        ends = np.cumsum(sizes)
        return tuple(self[end - size : end] for size, end in zip(sizes, ends, strict=True))

    def _rows(self):
        """The fields that have one row a sample, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value
            for name, value in values.items()
            if isinstance(value, np.ndarray | pd.DataFrame) and name not in self.shared
        }


def _take(values, rows):
    if isinstance(values, pd.DataFrame):
        return values.iloc[rows].reset_index(drop=True)
    return values[rows]


def load_or_simulate(what, n, source, *, real, read, simulate, cache=None, write=None, absent=None):
    """Return real data where they are there and wanted, else simulated ones.

    Simulated data are kept, in the format of the real file, where `cache` names a file for them;
    one that is damaged, or has fewer samples, is made again.

    Parameters
    ----------
    what : str
        The name for the reader, as "galaxy spectra".
    n : int
        Number of samples.
    source : {"auto", "real", "mock"}
        "auto" takes the real data where they are; "real" raises DataError where they are not.
    real : path or None
        Of the real data; usually what `helpers.datasets.places.find` returned.
    read : callable
        ``read(path, n)`` returns the first `n` samples of a file or folder.
    simulate : callable
        ``simulate(n)`` returns as many simulated ones.
    cache : str, optional
        Name of the file that simulated samples are kept in. It must tell all that they depend on;
        that is not `n` where the first samples do not depend on it.
    write : callable, optional
        ``write(samples, path)``, which `cache` needs.
    absent : str, optional
        Why there may be no real data.

    Returns
    -------
    Sample

    Raises
    ------
    helpers.datasets.files.DataError
        If the real data are not there, not whole, or not in the expected format.
    ValueError
        If `n` is less than 1, or the source unknown.
    """
    if n < 1:
        raise ValueError(f"expected n of 1 or more, found {n}")
    if choose(source, real, what, absent) == "real":
        return read(real, n)
    if cache is None:
        return simulate(n)
    path = data_folder() / "cache" / cache
    kept = _kept(what, path, n, read)
    if kept is not None:
        return kept
    samples = simulate(n)
    try:
        write(samples, path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        problem = f"{short(path.parent)}/ cannot be written to: {reason}"
        print(f"{what}: not kept for the next time ({problem})")
        return samples
    # rounded as the file rounds them, so that the numbers are the same at each call
    return replace(read(path, n), source="mock")


def _kept(what, path, n, read):
    """Simulated samples that were kept; None where there are none, or not the right ones."""
    if not os.path.exists(path):
        return None
    try:
        samples = read(path, n)
        if len(samples) != n:
            raise DataError(f"expected {n} samples in {short(path)}, found {len(samples)}")
    except DataError as error:
        print(f"{what}: the cache is made again ({error})")
        return None
    return replace(samples, source="mock")
