"""What data sets there are, and whether a real one or a simulated one is loaded."""

import os
import sys
import tomllib
from functools import cache
from pathlib import Path

from tqdm.auto import tqdm

from helpers.datasets.files import DataError
from helpers.datasets.places import CHECKOUT, find, looked_in, short

SOURCES = ("auto", "real", "mock")


def registry(name=None):
    """The entry (dict) of one data set, or of all by name: see the head of data/registry.toml."""
    installed = Path(__file__).with_name("registry.toml")
    path = CHECKOUT / "data" / "registry.toml" if CHECKOUT else installed
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    if name is None:
        return known
    if name not in known:
        raise DataError(f"no data set {name!r}; the known ones are {', '.join(known)}.")
    return known[name]


def listing():
    """What there is to know of every data set at a glance.

    Returns
    -------
    list of dict of str to str
        Of each set "name", the numbers of its "hack", "size", whether it is "here", and "how to get
        it".
    """
    return [
        {
            "name": name,
            "hack": entry["hack"],
            "size": _size(entry),
            "here": "yes" if all(find(file["name"]) for file in entry["files"]) else "no",
            "how to get it": _how(name, entry),
        }
        for name, entry in registry().items()
    ]


def _size(entry):
    sizes = [file.get("size") for file in entry["files"]]
    if all(sizes):
        return tqdm.format_sizeof(sum(sizes), "B")
    return entry.get("about", "?")


def _how(name, entry):
    public = all("url" in file for file in entry["files"])
    return f"fetch {name}" if public else entry["how"]


def places_of(name):
    """Where the files of a data set lie.

    Parameters
    ----------
    name : str
        As in the registry.

    Returns
    -------
    list of Path

    Raises
    ------
    helpers.datasets.files.DataError
        If there is no such data set, or a file of it is not here.
    """
    names = [file["name"] for file in registry(name)["files"]]
    missing = [file for file in names if not find(file)]
    if missing:
        raise DataError(f"{name}: {', '.join(missing)} not found under {looked_in()}")
    return [find(file) for file in names]


def choose(source, path, what, absent=None):
    """Decide between real and mock data, and say which in one line.

    A cell of a notebook says it once each time that it is run, however many sets of a kind it
    loads.

    Parameters
    ----------
    source : {"auto", "real", "mock"}
        "auto" takes the real data where they are; "real" raises DataError where they are not.
    path : path or None
        Where the real data would be; usually what `helpers.datasets.places.find` returned.
    what, absent : str
        The name for the reader, as "rings", and why there may be none.

    Returns
    -------
    {"real", "mock"}

    Raises
    ------
    helpers.datasets.files.DataError
        If real data are asked for, and are not there.
    ValueError
        If the source is none of the three.
    """
    if source not in SOURCES:
        raise ValueError(f'source must be "auto", "real" or "mock", not {source!r}')
    if source == "mock":
        return _mock(what, 'source="mock"')
    if path is not None and os.path.exists(path):
        _say(f"{what}: real data, {short(path)}")
        return "real"
    missing = f"not found under {looked_in()}" if path is None else f"not found at {short(path)}"
    if source == "real":
        remedy = "get them as `python -m helpers data list` says."
        raise DataError(f"{what}: real data {missing}; {remedy}")
    return _mock(what, absent or f"real data: {missing}")


def _mock(what, reason):
    _say(f"{what}: mock data, simulated on this machine ({reason})")
    return "mock"


def _say(line):
    """Print a line; in a notebook once in each run of a cell."""
    notebook = sys.modules.get("IPython")  # which a program outside a notebook need not load
    shell = notebook.get_ipython() if notebook else None
    if shell is None:
        print(line)
    else:
        _say_in_cell(line, shell.execution_count)


@cache
def _say_in_cell(line, _execution_count):
    print(line)
