"""Where data come from: the registry, the search path, downloads, and the cache of simulated sets.

    python -m helpers.datasets list          every data set, whether it is here, how to get it
    python -m helpers.datasets fetch NAME    download it; run again to go on after an interruption
    python -m helpers.datasets where NAME    the paths of its files

Files are looked for in the folders of the environment variable ``HACK_DATA`` and then in ``data/``.
Whatever is written here appears under its final name only when it is whole.
"""

import argparse
import errno
import hashlib
import json
import os
import re
import sys
import tarfile
import tomllib
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import numpy as np
import pooch
import requests
from tqdm.auto import tqdm

from helpers.files import DataError, alone, atomic_path, extract, stream

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "data" / "registry.toml").is_file() else None
_say_once = cache(print)  # a notebook that loads many sets says the same of them only once


def registry(name=None):
    """The entry (dict) of one data set, or of all by name: see the head of ``data/registry.toml``."""
    places = (PACKAGE / "registry.toml", PACKAGE.parent / "data" / "registry.toml")  # installed, checkout
    known = tomllib.loads(next(filter(Path.is_file, places)).read_text(encoding="utf-8"))
    if name is not None and name not in known:
        raise DataError(f"no data set {name!r}; the known ones are {', '.join(known)}.")
    return known if name is None else known[name]


def search_path():
    """The folders (list of Path) in which data are looked for, first to last.

    Those named by ``HACK_DATA`` (separated like ``PATH``), then ``data/`` of the checkout, or of the
    working directory where the package is installed without one.
    """
    named = filter(None, os.environ.get("HACK_DATA", "").split(os.pathsep))
    folders = [Path(folder).expanduser() for folder in named] + [(CHECKOUT or Path.cwd()) / "data"]
    return list(dict.fromkeys(folders))


def data_folder():
    """The folder (Path) into which downloads and caches are written.

    The first of ``HACK_DATA`` that exists and can be written to, else ``data/``: a mounted drive may be
    read-only, and one that is not mounted yet must not be made as a local folder.
    """
    *named, last = search_path()
    return next((folder for folder in named if os.path.isdir(folder) and os.access(folder, os.W_OK)), last)


def find(name):
    """The first file or folder of this relative name on the search path: a Path, or None."""
    # os.path and not Path.exists, which raises for a drive that has gone away
    return next((folder / name for folder in search_path() if os.path.exists(folder / name)), None)


def short(path):
    """A path (str) as it may stand in a notebook, where no folder of this machine should be named.

    Relative to the working directory or the checkout, or below ``~`` or ``HACK_DATA``; of a path in none
    of them the last two parts.
    """
    path = Path(path).absolute()
    homes = [(Path.cwd(), ""), (CHECKOUT, ""), (Path.home(), "~")]
    for home, label in homes + [(folder.absolute(), "HACK_DATA") for folder in search_path()[:-1]]:
        if home and path.is_relative_to(home):
            return str(Path(label) / path.relative_to(home))
    return str(Path("...", *path.parts[1:][-2:]))


def _looked_in():
    return ", ".join(dict.fromkeys(f"{short(folder)}/" for folder in search_path()))


def choose(source, path, what, absent=None):
    """Decide between real and mock data, and say which in one line.

    Parameters
    ----------
    source : {"auto", "real", "mock"}
        "auto" takes the real data where they are; "real" raises DataError where they are not.
    path : path or None
        Where the real data would be; usually what `find` returned.
    what, absent : str
        The name for the reader, as "rings", and why there may be none.

    Returns
    -------
    {"real", "mock"}
    """
    if source not in ("auto", "real", "mock"):
        raise ValueError(f'source must be "auto", "real" or "mock", not {source!r}')
    missing = f"not found under {_looked_in()}" if path is None else f"not found at {short(path)}"
    here = path is not None and os.path.exists(path)
    if source == "real" and not here:
        raise DataError(f"{what}: real data {missing}; get them as `python -m helpers.datasets list` says.")
    if source == "mock" or not here:
        reason = 'source="mock"' if source == "mock" else absent or f"real data: {missing}"
        _say_once(f"{what}: mock data, simulated on this machine ({reason})")
        return "mock"
    _say_once(f"{what}: real data, {short(path)}")
    return "real"


def cached(name, settings, version, make, folder=None):
    """What `make` returns, made once for the same settings and kept.

    A file that is damaged or belongs to other settings is made again; where nothing can be written, the
    arrays are returned all the same. Both are said in one line.

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
    key = json.dumps({"settings": settings, "version": version}, sort_keys=True, allow_nan=False)
    folder = data_folder() / "cache" if folder is None else Path(folder)
    path = folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
    if os.path.exists(path):
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                if str(stored["settings"]) != key:
                    raise ValueError("it belongs to other settings")
                return {label[5:]: stored[label] for label in stored.files if label.startswith("data/")}
        except Exception as error:  # whatever a damaged file raises means the same: make it again
            print(f"{name}: {short(path)} cannot be used ({type(error).__name__}) and is made again")
    arrays = {label: np.asarray(array) for label, array in make().items()}
    if any(array.dtype.hasobject for array in arrays.values()):
        raise TypeError(f"{name}: arrays of Python objects cannot be kept without pickle")
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, settings=np.array(key), **{f"data/{label}": arrays[label] for label in arrays})
    except OSError as error:
        print(f"{name}: not kept for the next time ({short(folder)}/ cannot be written to: {error.strerror})")
    return arrays


def fetch(name, folder=None):
    """Download the files of a data set; those that are here already are only checked, and never replaced.

    What came before a connection broke is kept as ``<file>.part`` and gone on from; while one process
    downloads a file, another waits for it. A SHA-256 that is not
    in the registry is written to ``<file>.sha256`` at the first download, and compared from then on.

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
    """Bring `target` here; what is here already, or what another process brings meanwhile, is only checked."""
    pin = target.with_name(f"{target.name}.sha256")
    if not target.exists():
        with alone(target, busy=lambda: print(f"{target.name}: another process is fetching it; waiting for it")):
            if not target.exists():
                _retrieve(file, target, pin)
                return
    expected = _expected(file, pin)
    found = pooch.file_hash(target) if expected else None
    if found != expected:
        accept = "" if "sha256" in file else ", or delete the .sha256 file beside it to accept it"
        remedy = f"it is left as it is: move or delete it and fetch again{accept}."
        raise DataError(f"expected {short(target)} with the SHA-256 {expected}, found {found}; {remedy}")


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
        problem = f"is not a whole tar archive with {target.name} in it: delete it and fetch it again."
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
        problem = f"no connection to {url} ({type(error).__name__}): look to your network, or try later."
    except ValueError as error:  # pooch found another sum
        accept = "." if "sha256" in file else ": to accept it, delete the .sha256 file beside it."
        remedy = f"fetch it again, and if that does not help, {url} is another file now{accept}"
        problem = f"{str(error).split('. ')[0]}; the download is deleted: {remedy}"
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "is full: make room, or" if full else f"cannot be written to ({error.strerror or 'denied'}):"
        problem = f"{folder} {what} set HACK_DATA to another folder, and fetch again."
    raise DataError(f"{target.name}: {problem}") from None


def _table():
    rows = [("name", "hack", "size", "here", "how to get it")]
    for name, entry in registry().items():
        files = entry["files"]
        sizes = [file.get("size") for file in files]
        size = tqdm.format_sizeof(sum(sizes), "B") if all(sizes) else entry.get("about", "?")
        here = "yes" if all(find(file["name"]) for file in files) else "no"
        how = f"fetch {name}" if all("url" in file for file in files) else entry["how"]
        rows.append((name, entry["hack"], size, here, how))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _where(name):
    names = [file["name"] for file in registry(name)["files"]]
    if missing := [file for file in names if not find(file)]:
        raise DataError(f"{name}: {', '.join(missing)} not found under {_looked_in()}")
    return "\n".join(str(find(file)) for file in names)


def main(arguments=None):
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser("python -m helpers.datasets", description="The data sets of the course.")
    parser.add_argument("command", choices=("list", "fetch", "where"))
    parser.add_argument("name", nargs="?", default="", help="the data set, for fetch and where")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "fetch":
            print("\n".join(map(short, fetch(chosen.name))))
        else:
            print(_table() if chosen.command == "list" else _where(chosen.name))
    except (DataError, KeyboardInterrupt) as error:
        print(str(error) or "stopped: run the same command again to go on", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
