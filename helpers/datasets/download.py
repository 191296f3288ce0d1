"""Downloads: each file is checked against its sum, and goes on where it was broken off."""

import errno
import re
import tarfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pooch
import requests

from helpers.datasets.files import DataError, alone, atomic_path, extract, stream
from helpers.datasets.places import data_folder, find, short
from helpers.datasets.registry import registry


def fetch(name, folder=None):
    """Download the files of a data set; those that are here are only checked, and never replaced.

    What came before a connection broke is kept as ``<file>.part`` and gone on from; while one
    process downloads a file, another waits for it. A SHA-256 that is not in the registry is written
    to ``<file>.sha256`` at the first download, and compared from then on.

    Parameters
    ----------
    name : str
        As in the registry.
    folder : path, optional
        Where to put them; default the place on the search path where they are, else `data_folder`.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If the name, the address, the server, what it sends or the folder is not as it must be.
    """
    entry, targets = registry(name), []
    for file in entry["files"]:
        target, archive = (
            Path(folder) / part if folder is not None else find(part) or data_folder() / part
            for part in (file["name"], file.get("archive", file["name"]))
        )
        if "url" not in file and not target.exists():
            raise DataError(f"{name}: {file['name']} has no public address. {entry['how']}")
        with _one_sentence(file, target):
            if "url" in file and not ("archive" in file and target.exists()):
                _download(file, archive)
            if not target.exists():
                _extract(archive, target)
        targets.append(target)
    return targets


def _download(file, target):
    """Bring `target` here; one that is here, or that another process brings, is only checked."""
    pin = target.with_name(f"{target.name}.sha256")
    if not target.exists():
        with alone(
            target,
            busy=lambda: print(f"{target.name}: another process is fetching it; waiting for it"),
        ):
            if not target.exists():
                _retrieve(file, target, pin)
                return
    expected = _expected(file, pin)
    found = pooch.file_hash(target) if expected else None
    if found != expected:
        accept = "" if "sha256" in file else ", or delete the .sha256 file beside it to accept it"
        remedy = f"it is left as it is: move or delete it and fetch again{accept}."
        raise DataError(
            f"expected {short(target)} with the SHA-256 {expected}, found {found}; {remedy}"
        )


def _retrieve(file, target, pin):
    """Download: pooch compares the sum and moves the file to its name."""
    expected = _expected(file, pin)
    part = target.with_name(f"{target.name}.part")
    pooch.get_logger().setLevel("WARNING")  # its messages name folders of this machine
    downloader = partial(stream, part=part, size=file.get("size"))
    pooch.retrieve(file["url"], expected, target.name, target.parent, downloader=downloader)
    if not expected:
        with atomic_path(pin) as temporary:
            temporary.write_text(f"{pooch.file_hash(target)}  {target.name}\n", encoding="utf-8")


def _expected(file, pin):
    """The SHA-256 (str) of the registry, or that of the first download; None before it."""
    if "sha256" in file or not pin.exists():
        return file.get("sha256")
    text = pin.read_text(encoding="utf-8", errors="replace")
    known = re.match(r"[0-9a-fA-F]{64}\b", text)
    if not known:
        remedy = "delete it to trust the next download, or write the sum into it."
        raise DataError(f"expected a SHA-256 in {short(pin)}, found {text[:20]!r}: {remedy}")
    return known[0].lower()


def _extract(archive, target):
    try:
        extract(archive, target)
    except tarfile.TarError:
        problem = (
            f"is not a whole tar archive with {target.name} in it: delete it and fetch it again."
        )
        raise DataError(f"{short(archive)} {problem}") from None


@contextmanager
def _one_sentence(file, target):
    """Turn what requests, pooch and the disk raise into one sentence that says what to do."""
    url, folder = file.get("url"), f"{short(target.parent)}/"
    try:
        yield
        return
    except requests.HTTPError as error:
        status = f"{error.response.status_code} {error.response.reason}"
        problem = f"{url} answered {status}; the file may have moved: put it into {folder} by hand."
    except requests.RequestException as error:
        problem = (
            f"no connection to {url} ({type(error).__name__}): look to your network, or try later."
        )
    except ValueError as error:  # pooch found another sum
        accept = "." if "sha256" in file else ": to accept it, delete the .sha256 file beside it."
        remedy = f"fetch it again, and if that does not help, {url} is another file now{accept}"
        problem = f"{str(error).split('. ')[0]}; the download is deleted: {remedy}"
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = (
            "is full: make room, or"
            if full
            else f"cannot be written to ({error.strerror or 'denied'}):"
        )
        problem = f"{folder} {what} set HACK_DATA to another folder, and fetch again."
    raise DataError(f"{target.name}: {problem}") from None
