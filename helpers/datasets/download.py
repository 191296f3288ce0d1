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
    entry = registry(name)
    targets = []
    for file in entry["files"]:
        target = _place(file["name"], folder)
        if "url" not in file and not target.exists():
            raise DataError(f"{name}: {file['name']} has no public address. {entry['how']}")
        with _one_sentence(file, target):
            _bring(file, target, folder)
        targets.append(target)
    return targets


def _place(name, folder):
    """Where a file is to lie, or lies already."""
    if folder is not None:
        return Path(folder) / name
    return find(name) or data_folder() / name


def _bring(file, target, folder):
    """Download a file, or the archive that it is in, unless it is here."""
    if "archive" not in file:
        if "url" in file:
            _download(file, target)
    elif not target.exists():
        archive = _place(file["archive"], folder)
        _download(file, archive)
        _extract(archive, target)


def _download(file, target):
    """Bring `target` here; one that is here, or that another process brings, is only checked."""
    pin = target.with_name(f"{target.name}.sha256")
    if not target.exists():
        with alone(target, busy=partial(_say_that_it_waits, target)):
            if not target.exists():
                _retrieve(file, target, pin)
                return
    expected = _expected(file, pin)
    found = pooch.file_hash(target) if expected else None
    if found != expected:
        accept = "" if "sha256" in file else ", or delete the .sha256 file beside it to accept it"
        remedy = f"it is left as it is: move or delete it and fetch again{accept}."
        wanted = f"expected {short(target)} with the SHA-256 {expected}"
        raise DataError(f"{wanted}, found {found}; {remedy}")


def _say_that_it_waits(target):
    print(f"{target.name}: another process is fetching it; waiting for it")


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
        problem = f"{short(archive)} is not a whole tar archive with {target.name} in it"
        raise DataError(f"{problem}: delete it and fetch it again.") from None


@contextmanager
def _one_sentence(file, target):
    """Turn what requests, pooch and the disk raise into one sentence that says what to do."""
    try:
        yield
        return
    except requests.HTTPError as error:
        problem = _refused(file["url"], error.response, target)
    except requests.RequestException as error:
        reason = type(error).__name__
        problem = f"no connection to {file['url']} ({reason}): look to your network, or try later."
    except ValueError as error:
        problem = _another_sum(file, error)
    except OSError as error:
        problem = _not_written(error, target)
    raise DataError(f"{target.name}: {problem}") from None


def _refused(url, response, target):
    status = f"{response.status_code} {response.reason}"
    remedy = f"the file may have moved: put it into {short(target.parent)}/ by hand."
    return f"{url} answered {status}; {remedy}"


def _another_sum(file, error):
    """What pooch found in place of the sum that was expected, and what may be the matter."""
    sums = str(error).split(". ")[0]
    accept = "." if "sha256" in file else ": to accept it, delete the .sha256 file beside it."
    remedy = f"if that does not help, {file['url']} is another file now{accept}"
    return f"{sums}; the download is deleted: fetch it again, and {remedy}"


def _not_written(error, target):
    folder = f"{short(target.parent)}/"
    remedy = "set HACK_DATA to another folder, and fetch again."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{folder} is full: make room, or {remedy}"
    reason = error.strerror or "denied"
    return f"{folder} cannot be written to ({reason}): {remedy}"
