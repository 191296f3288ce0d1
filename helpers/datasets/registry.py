"""What data sets there are, and whether a real one or a simulated one is loaded."""

import os
import tomllib
from functools import cache
from pathlib import Path

from helpers.datasets.files import DataError
from helpers.datasets.places import CHECKOUT, looked_in, short

_say_once = cache(print)  # a notebook that loads many sets says the same of them only once


def registry(name=None):
    """The entry (dict) of one data set, or of all by name: see the head of ``data/registry.toml``."""
    installed = Path(__file__).with_name("registry.toml")
    path = CHECKOUT / "data" / "registry.toml" if CHECKOUT else installed
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    if name is not None and name not in known:
        raise DataError(f"no data set {name!r}; the known ones are {', '.join(known)}.")
    return known if name is None else known[name]


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
    missing = f"not found under {looked_in()}" if path is None else f"not found at {short(path)}"
    here = path is not None and os.path.exists(path)
    if source == "real" and not here:
        raise DataError(
            f"{what}: real data {missing}; get them as `python -m helpers.datasets list` says."
        )
    if source == "mock" or not here:
        reason = 'source="mock"' if source == "mock" else absent or f"real data: {missing}"
        _say_once(f"{what}: mock data, simulated on this machine ({reason})")
        return "mock"
    _say_once(f"{what}: real data, {short(path)}")
    return "real"
