"""Tables of any common format, read into pandas by the names of their columns.

FITS, HDF5, Parquet, CSV, ECSV, VOTable and plain ASCII, also gzipped. The format is told from the first bytes of
the file, not from its name. A masked or blank entry becomes NaN.
"""

import gzip
import io
import re
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from helpers.datasets import DataError, short

HEADER_LINES = 500  # of comments, among which the names of the columns are looked for
_SEXTRACTOR = re.compile(r"#\s*(\d+)\s+([A-Za-z_]\w*)")


def read_table(path, columns=None):
    """Read a table.

    Parameters
    ----------
    path : path
        A file of one of the formats above; of a FITS file the first table, of an HDF5 file the first group with
        columns of one length (or the first compound data set).
    columns : sequence of str, optional
        Read only these. A name that is not there in this spelling may differ in upper and lower case.

    Returns
    -------
    pandas.DataFrame
        With the columns named as asked for, in that order; or all that have one entry a row.

    Raises
    ------
    helpers.datasets.DataError
        If the file is not there, not whole, not a table, or lacks a column; the last error lists the columns.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"expected a catalogue at {short(path)}, found {'a folder' if path.is_dir() else 'nothing'}")
    if path.stat().st_size == 0:
        raise DataError(f"expected a catalogue in {short(path)}, found an empty file: get it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # units that astropy does not know, say
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            table = _reader(path)(path, columns)
    except DataError:
        raise
    except Exception as error:  # each library has its own errors for a damaged file
        reason = str(error).strip().split("\n")[0][:200]
        raise DataError(f"{short(path)} cannot be read as a table ({type(error).__name__}: {reason})") from None
    if not len(table):
        raise DataError(f"expected a catalogue in {short(path)}, found a table without rows")
    if columns is None:
        return table
    return table[resolve(columns, table.columns, path)].set_axis(list(columns), axis=1)


def resolve(wanted, present, path):
    """Find columns by name, in their own spelling or, where that is unambiguous, in upper or lower case.

    Parameters
    ----------
    wanted, present : sequence of str
    path : path
        For the message.

    Returns
    -------
    list of str
        Names as they are spelled in the file.

    Raises
    ------
    helpers.datasets.DataError
        Naming what is missing, and the columns that there are.
    """
    present, found = list(present), []
    for name in wanted:
        alike = [name] if name in present else [p for p in present if str(p).lower() == str(name).lower()]
        if len(alike) != 1:
            shown = ", ".join(map(str, present[:80])) + (" ..." if len(present) > 80 else "")
            what = f"more than one column is called {name!r}" if alike else f"there is no column {name!r}"
            raise DataError(f"{what} in {short(path)}; the columns are: {shown}")
        found += alike
    return found


def _reader(path):
    with path.open("rb") as file:
        start = file.read(16)
    packed = start[:2] == b"\x1f\x8b"
    if packed:
        with gzip.open(path) as file:
            start = file.read(16)
    if start.startswith(b"SIMPLE"):
        return _read_fits
    if start.startswith(b"\x89HDF\r\n\x1a\n") and not packed:
        return _read_hdf5
    if start.startswith(b"PAR1") and not packed:
        return _read_parquet
    if start.lstrip().startswith((b"<?xml", b"<VOTABLE")):
        return lambda path, columns: _flat(Table.read(path, format="votable"))
    if start.startswith(b"# %ECSV"):
        return lambda path, columns: _flat(Table.read(path, format="ascii.ecsv"))
    if b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"expected FITS, HDF5, Parquet, CSV or ASCII in {short(path)}, found another binary format")
    return _read_text


def _read_fits(path, columns):
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        table = _flat(Table.read(path, format="fits"))
    if any("truncated" in str(warning.message) for warning in noted):
        raise DataError(f"{short(path)} is cut off: fetch it again")
    return table


def _read_parquet(path, columns):
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    if columns is not None:
        names = list(dict.fromkeys(resolve(columns, names, path)))
    return pq.read_table(path, columns=names).to_pandas()


def _flat(table):
    """A DataFrame of the columns with one entry a row; masked entries as NaN, bytes as text."""
    arrays = {}
    for name in table.colnames:
        column = table[name]
        if column.ndim != 1 or column.dtype.kind not in "biufSUO":
            continue
        masked = np.ma.getmaskarray(np.ma.asarray(column)) if hasattr(column, "mask") else np.zeros(len(column), bool)
        arrays[str(name)] = _native(np.ma.getdata(np.ma.asarray(column)), masked)
    return pd.DataFrame(arrays)


def _native(values, masked=None):
    """Values in the byte order of this machine; bytes as text; what is masked as NaN."""
    values = np.asarray(values)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    values = values.astype(values.dtype.newbyteorder("="))
    if masked is not None and masked.any() and values.dtype.kind in "biuf":
        values = np.where(masked, np.nan, values.astype(float))
    return values


def _read_hdf5(path, columns):
    with h5py.File(path, "r") as file:
        groups = [file]
        file.visititems(lambda name, item: groups.append(item) if isinstance(item, h5py.Group) else None)
        compound = [item for group in groups for item in group.values() if _is_data(item) and item.dtype.names]
        if compound:
            data = compound[0][:]
            return pd.DataFrame({n: _native(data[n]) for n in data.dtype.names if data[n].ndim == 1})
        for group in groups:
            sets = {name: item for name, item in group.items() if _is_data(item) and item.ndim == 1}
            if not sets:
                continue
            lengths = [len(item) for item in sets.values()]
            n = max(lengths, key=lengths.count)
            sets = {name: item for name, item in sets.items() if len(item) == n and item.dtype.kind in "biufSO"}
            return pd.DataFrame({name: _native(item[:]) for name, item in sets.items()})
    raise DataError(f"expected columns (data sets of one dimension) in {short(path)}, found none")


def _is_data(item):
    return isinstance(item, h5py.Dataset)


def _read_text(path, columns):
    with gzip.open(path) if path.open("rb").read(2) == b"\x1f\x8b" else path.open("rb") as file:
        text = file.read().decode("utf-8-sig", "replace")
    comments, first = [], None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#"):
            first = number
            break
        if line.strip() and len(comments) < HEADER_LINES:
            comments.append(line.strip())
    if first is None:
        raise DataError(f"expected rows of numbers in {short(path)}, found comments only")
    separator = next((s for s in (",", "\t", ";", "|") if s in lines[first]), None)
    head = _split(lines[first], separator)
    names = _names_in_comments(comments, len(head), separator, columns or ())
    skip = first
    if names is None and not any(_is_number(entry) for entry in head):
        names, skip = head, first + 1
    if names is None:
        raise DataError(f"expected the names of the {len(head)} columns in the first line of {short(path)}, found none")
    body = io.StringIO("\n".join(lines[skip:]))
    options = {"sep": separator, "skipinitialspace": True} if separator else {"sep": r"\s+"}
    missing = ["", "null", "None", "--", "NaN", "nan", "-nan", "N/A", "NA"]
    options |= {"na_values": missing, "keep_default_na": False, "comment": "#", "index_col": False}
    return pd.read_csv(body, header=None, names=_unique(names), **options)


def _names_in_comments(comments, n, separator, wanted):
    """The comment that names n columns; of several the one with most of those wanted, else the first."""
    numbered = {int(m[1]): m[2] for m in map(_SEXTRACTOR.match, comments) if m}
    if len(numbered) >= n and set(range(1, n + 1)) <= set(numbered):
        return [numbered[i] for i in range(1, n + 1)]
    candidates = []
    for comment in comments:
        text = comment.lstrip("#").strip()
        for entries in {tuple(_split(text, separator)), tuple(text.split())}:
            if len(entries) == n and not all(map(_is_number, entries)):
                candidates.append(list(entries))
    lower = {str(name).lower() for name in wanted}
    return max(candidates, key=lambda names: len(lower & {name.lower() for name in names}), default=None)


def _split(line, separator):
    entries = line.strip().strip("|").split(separator) if separator else line.split()
    return [entry.strip().strip("\"'") for entry in entries]


def _is_number(entry):
    try:
        float(entry)
    except ValueError:
        return entry in ("", "--")
    return True


def _unique(names):
    """Names of which none occurs twice: the second x becomes x.2, as it cannot be meant by x."""
    seen, unique = {}, []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return unique
