"""Tables of any common format, read into pandas by the names of their columns.

FITS, HDF5, Parquet, CSV, ECSV, VOTable and plain ASCII, also gzipped. The format is told from the
first bytes of the file, not from its name. A masked or blank entry becomes NaN.

Text has the names of its columns in the first row or in a comment, a line that begins with #. Each
row has as many entries as there are names, and ends with a line break: what has not may be shifted
or cut off, and is refused.
"""

import csv
import gzip
import io
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
from astropy.table import Table
from astropy.utils.xml.iterparser import get_xml_iterator

from helpers.datasets.files import DataError
from helpers.datasets.places import short
from helpers.datasets.reading import GZIP, content, limit, limit_hdf5, listed, reading

PARQUET = "a catalogue in Parquet"
HEADER_LINES = 500  # of comments, among which the names of the columns are looked for
MISSING = ["", "null", "None", "--", "NaN", "nan", "-nan", "N/A", "NA"]
SEPARATORS = (",", "\t", ";", "|")  # else blanks
KINDS = "biufSUO"  # of NumPy: what may be a column
HDF5_KINDS = "biufSO"
_SEXTRACTOR = re.compile(r"#\s*(\d+)\s+([A-Za-z_]\w*)")


def read_table(path, columns=None, others=False):
    """Read a table.

    Parameters
    ----------
    path : path
        A file of one of the formats above; of a FITS file the first table, of an HDF5 file the
        first group with columns of one length (or the first compound data set).
    columns : sequence of str, optional
        Read only these. A name that is not there in this spelling may differ in upper and lower
        case.
    others : bool
        Whether the other columns are read as well, and follow those that are asked for.

    Returns
    -------
    pandas.DataFrame
        With the columns named as asked for, in that order; or all that have one entry a row.

    Raises
    ------
    helpers.datasets.files.DataError
        If the file is not there, not whole, not a table, or lacks a column: then it lists the
        columns.
    """
    path = Path(path)
    with reading(path, "a catalogue"):
        table = _reader(path)(path, columns, others)
    if not len(table):
        raise DataError(f"expected a catalogue in {short(path)}, found a table without rows")
    if columns is None:
        return table
    found = resolve(columns, table.columns, path)
    named = table[found].set_axis(list(columns), axis=1)
    if not others:
        return named
    return pd.concat([named, table.drop(columns=found)], axis=1)


def resolve(wanted, present, path):
    """Find columns by name, in their own spelling or, if unambiguous, in upper or lower case.

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
    helpers.datasets.files.DataError
        Naming what is missing, and the columns that there are.
    """
    present = list(present)
    return [_spelled(name, present, path) for name in wanted]


def _spelled(name, present, path):
    if name in present:
        return name
    alike = [own for own in present if str(own).lower() == str(name).lower()]
    if len(alike) == 1:
        return alike[0]
    several = f"more than one column is called {name!r}"
    what = several if alike else f"there is no column {name!r}"
    raise DataError(f"{what} in {short(path)}; the columns are: {listed(present)}")


class RowGroup(NamedTuple):
    """A part of a Parquet file that is read as one: file, place in it, and number of rows."""

    path: Path
    place: int
    n_rows: int


def row_groups(path):
    """What a catalogue in Parquet consists of, found without reading its rows.

    Parameters
    ----------
    path : path
        A file, or a folder of them, which are taken in the order of their names.

    Returns
    -------
    groups : list of RowGroup
    names : list of str
        Of the columns.

    Raises
    ------
    helpers.datasets.files.DataError
        If a file is not there, is no Parquet, or lacks a column that the first one has; or if
        there are no rows.
    """
    import pyarrow.parquet as pq

    path = Path(path)
    groups = []
    names = None
    for file in sorted(path.glob("*.parquet")) if path.is_dir() else [path]:
        with reading(file, PARQUET), pq.ParquetFile(file) as parquet:
            here = parquet.schema_arrow.names
            metadata = parquet.metadata
            sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        names = names or here
        if set(names) - set(here):
            wanted = f"expected the same columns in all files of {short(path)}"
            raise DataError(f"{wanted}, found others in {file.name}")
        groups += [RowGroup(file, place, n_rows) for place, n_rows in enumerate(sizes) if n_rows]
    if not groups:
        raise DataError(f"expected galaxies in {short(path)}, found none")
    return groups, names


def pieces(group, columns, rows):
    """Read a row group once, a piece at a time, so that the memory holds no more than a piece.

    Parameters
    ----------
    group : RowGroup
    columns : sequence of str
        As they are spelled in the file.
    rows : int
        Of a piece; the last one may have fewer.

    Yields
    ------
    pyarrow.Table
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    layout = {"columns": list(columns), "row_groups": [group.place], "use_threads": False}
    with reading(group.path, PARQUET):
        parquet = pq.ParquetFile(group.path)
    with parquet:
        batches = parquet.iter_batches(batch_size=rows, **layout)
        while True:
            with reading(group.path, PARQUET):
                batch = next(batches, None)
            if batch is None:
                return
            yield pa.Table.from_batches([batch])


def _is_binary(start):
    """Whether the first bytes are no text; text in UTF-16 begins with a mark."""
    return b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff"))


def _reader(path):
    with path.open("rb") as file:
        start = file.read(16)
    packed = start.startswith(GZIP)
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
        return _read_votable
    if start.startswith(b"# %ECSV"):
        return _read_ecsv
    if _is_binary(start):
        wanted = f"expected FITS, HDF5, Parquet, CSV or ASCII in {short(path)}"
        raise DataError(f"{wanted}, found another binary format")
    return _read_text


def _read_fits(path, *_):
    return _flat(Table.read(io.BytesIO(content(path)), format="fits"))


def _read_ecsv(path, *_):
    return _flat(Table.read(_text(path), format="ascii.ecsv"))


def _read_votable(path, *_):
    xml = content(path)
    with get_xml_iterator(io.BytesIO(xml)) as elements:
        streams = [data for start, tag, data, _ in elements if start and tag == "STREAM"]
    if any("href" in attributes for attributes in streams):
        wanted = f"expected the rows in {short(path)} itself"
        raise DataError(f"{wanted}, found the address of another file: join them")
    return _flat(Table.read(io.BytesIO(xml), format="votable"))


def _read_parquet(path, columns, others):
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    if columns is not None:
        found = resolve(columns, names, path)
        names = names if others else list(dict.fromkeys(found))
    n_rows = pq.read_metadata(path).num_rows
    limit(path, n_rows * len(names) * 8)  # equal rows take no space in the file
    return pq.read_table(path, columns=names).to_pandas()


def _flat(table):
    """A DataFrame of the columns with one entry a row; masked entries as NaN, bytes as text."""
    arrays = {}
    for name in table.colnames:
        column = table[name]
        if column.ndim != 1 or column.dtype.kind not in KINDS:
            continue
        masked = np.ma.asarray(column)
        arrays[str(name)] = _native(masked.data, np.ma.getmaskarray(masked))
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


def _read_hdf5(path, *_):
    with h5py.File(path, "r") as file:
        groups = [file]

        def collect(_, item):
            if isinstance(item, h5py.Group):
                groups.append(item)

        file.visititems(collect)
        data_sets = [item for group in groups for item in group.values() if _is_data(item)]
        compound = [item for item in data_sets if item.dtype.names]
        if compound:
            limit_hdf5(file, compound[:1])
            return _fields(compound[0][:])
        for group in groups:
            columns = _same_length(group)
            if columns:
                limit_hdf5(file, columns.values())
                return pd.DataFrame({name: _native(item[:]) for name, item in columns.items()})
    raise DataError(f"expected columns (data sets of one dimension) in {short(path)}, found none")


def _fields(records):
    """A DataFrame of the fields of a compound data set."""
    names = [name for name in records.dtype.names if records[name].ndim == 1]
    return pd.DataFrame({name: _native(records[name]) for name in names})


def _same_length(group):
    """The columns of a group, by name: data sets of one dimension, of the most frequent length."""
    lists = {name: item for name, item in group.items() if _is_data(item) and item.ndim == 1}
    lengths = [len(item) for item in lists.values()]
    n = max(lengths, key=lengths.count, default=0)
    return {
        name: item
        for name, item in lists.items()
        if len(item) == n and item.dtype.kind in HDF5_KINDS
    }


def _is_data(item):
    return isinstance(item, h5py.Dataset)


def _text(path):
    """The text of a file, once its last row is known to be whole."""
    text = content(path).decode("utf-8-sig", "replace")
    if not text.rstrip(" \t").endswith(("\n", "\r")):
        wanted = f"expected a line break behind the last row of {short(path)}"
        remedy = "get the file again, or add one if that row is whole"
        raise DataError(f"{wanted}, found none: {remedy}")
    return text


def _read_text(path, columns, others):
    lines = [line for line in _text(path).splitlines() if line.strip()]
    comments = [line.strip() for line in lines if line.lstrip().startswith("#")]
    rows = [line for line in lines if not line.lstrip().startswith("#")]
    if not rows:
        raise DataError(f"expected rows of numbers in {short(path)}, found comments only")
    separator = next((s for s in SEPARATORS if s in rows[0]), None)
    first = _split(rows[0], separator)
    if _are_names(first):
        names = first
        rows = rows[1:]
    else:
        names = _names_in_comments(comments[:HEADER_LINES], len(first), separator, columns or ())
    if names is None:
        wanted = (
            f"expected the names of the {len(first)} columns in the first line of {short(path)}"
        )
        raise DataError(f"{wanted}, found none: write them there")
    _check_lengths(path, rows, separator, len(names))
    unique = _unique(names)
    # without a name are row numbers, and the ends of |1|2|
    named = [own for own, name in zip(unique, names, strict=True) if name]
    everything = columns is None or others
    return pd.read_csv(
        io.StringIO("\n".join(rows)),
        sep=separator or r"\s+",
        skipinitialspace=True,
        header=None,
        names=unique,
        usecols=named if everything else set(resolve(columns, named, path)),
        na_values=MISSING,
        keep_default_na=False,
    )


def _entries(lines, separator):
    """The entries of each line, in lists, told apart as pandas does."""
    if separator:
        return csv.reader(lines, delimiter=separator, skipinitialspace=True)
    return csv.reader((" ".join(line.split()) for line in lines), delimiter=" ")


def _check_lengths(path, rows, separator, n):
    """Raise DataError unless each row has n entries: pandas would fill it up, or cut it."""
    for row, entries in enumerate(_entries(rows, separator), 1):
        if len(entries) == n:
            continue
        wanted = f"expected {n} entries in each row of {short(path)}, one for each name"
        remedy = (
            "name every column, row names as well, "
            "fill in what is blank, and put text with separators into quotes"
        )
        raise DataError(f"{wanted}, found {len(entries)} in row {row}: {remedy}")


def _names_in_comments(comments, n, separator, wanted):
    """The comment that names n columns; of several the one with most of those wanted."""
    numbered = {int(m[1]): m[2] for m in map(_SEXTRACTOR.match, comments) if m}
    if set(range(1, n + 1)) <= set(numbered) and n + 1 not in numbered:
        return [numbered[i] for i in range(1, n + 1)]
    candidates = []
    for comment in comments:
        text = comment.lstrip("#").strip()
        for entries in (_split(text, separator), text.split()):
            if len(entries) == n and _are_names(entries):
                candidates.append(entries)
    lower = {str(name).lower() for name in wanted}

    def n_wanted(names):
        return len(lower & {name.lower() for name in names})

    return max(candidates, key=n_wanted, default=None)


def _split(line, separator):
    return [entry.strip().strip("\"'") for entry in next(_entries([line], separator), [])]


def _are_names(entries):
    return not any(_is_number(entry) for entry in entries if entry)


def _is_number(entry):
    try:
        float(entry)
    except ValueError:
        return entry == "--"
    return True


def _unique(names):
    """Names of which none occurs twice: the second x becomes x.2, as it cannot be meant by x."""
    seen = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return unique
