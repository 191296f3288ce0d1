"""What the readers of data files share: one sentence for what is wrong with a file, and limits.

A damaged file makes each library raise errors of its own, some of them of many lines: `reading`
turns all of them into a `helpers.datasets.DataError`. A small file may unpack to more than the
memory: `content` and `limit` refuse it.
"""

import gzip
import io
import textwrap
import warnings
from contextlib import contextmanager
from pathlib import Path

from helpers.datasets.files import DataError
from helpers.datasets.places import short

FACTOR = 20  # no catalogue is packed so well ...
LARGEST = 1 << 30  # ... and what unpacks to less than 1 GiB does no harm
GZIP = b"\x1f\x8b"
_BROKEN_FITS = r"(?s).*(File may have been truncated|Error validating header)"  # astropy warns


@contextmanager
def reading(path, what, remedy="get it again"):
    """Read a file so that whatever goes wrong is one sentence of bounded length.

    Parameters
    ----------
    path : path
    what : str
        What is expected there, as "a catalogue".
    remedy : str
        What to do about a file that is not there, not whole or not of this kind.

    Raises
    ------
    helpers.datasets.DataError
        If there is no such file, or the block raises anything. A DataError of the block's own is
        left as it is.
    """
    path = Path(path)
    name = short(path)
    if not path.is_file():
        other = "a folder" if path.is_dir() else "something else"
        found = other if path.exists() else "nothing"
        advice = f"look at its name and folder, or {remedy}"
        raise DataError(f"expected {what} at {name}, found {found}: {advice}")
    if path.stat().st_size == 0:
        raise DataError(f"expected {what} in {name}, found an empty file: {remedy}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of units and headers that bend a standard
            warnings.filterwarnings("error", _BROKEN_FITS)
            yield
    except DataError:
        raise
    except Exception as error:
        said = str(error).replace(str(path.absolute()), name).replace(str(path), name)
        reason = f"{type(error).__name__}: {said}".rstrip(": ")
        found = f"one that cannot be read ({textwrap.shorten(reason, 200, placeholder=' ...')})"
        raise DataError(f"expected {what} in {name}, found {found}: {remedy}") from None


def listed(names):
    """Names for a sentence (str), the first of them where there are too many."""
    return textwrap.shorten(", ".join(map(str, names)), 1000, placeholder=" ...") or "nothing"


def limit(path, unpacked):
    """Refuse a file that unpacks to more bytes than `LARGEST` and than `FACTOR` times its own size.

    Parameters
    ----------
    path : path
    unpacked : int
        Bytes that its content needs, or is known to need at least.

    Raises
    ------
    helpers.datasets.DataError
    """
    size = Path(path).stat().st_size
    if unpacked > max(LARGEST, FACTOR * size):
        raise DataError(
            f"expected {short(path)} to unpack to {FACTOR} times its {size} bytes at most, "
            f"found {unpacked} or more: unpack it yourself and keep the rows that you need"
        )


def content(path):
    """The bytes of a file, unpacked if it is gzipped; see `limit`."""
    path = Path(path)
    with path.open("rb") as file:
        if file.read(len(GZIP)) != GZIP:
            file.seek(0)
            return file.read()
    unpacked = io.BytesIO()
    with gzip.open(path) as file:
        while chunk := file.read(1 << 20):
            unpacked.write(chunk)
            limit(path, unpacked.tell())
    return unpacked.getvalue()


def limit_hdf5(file, data_sets):
    """Refuse data sets of HDF5 that lie in other files, or unpack to far more than the file has.

    Parameters
    ----------
    file : h5py.File
    data_sets : sequence of h5py.Dataset

    Raises
    ------
    helpers.datasets.DataError
    """
    for data in data_sets:
        if data.external or data.is_virtual or data.file.filename != file.filename:
            name = listed([data.name])
            raise DataError(
                f"expected the data set {name} in {short(file.filename)} itself, "
                "found a link to another file: copy the data into one file"
            )
    limit(file.filename, sum(data.nbytes for data in data_sets))
