"""Where data lie: the folders of the search path, and how a path is named in a notebook.

Files are looked for in the folders of the environment variable ``HACK_DATA`` and then in ``data/``.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "data" / "registry.toml").is_file() else None


def search_path():
    """The folders (list of Path) in which data are looked for, first to last.

    Those named by ``HACK_DATA`` (separated like ``PATH``), then ``data/`` of the checkout, or of
    the working directory where the package is installed without one.
    """
    named = os.environ.get("HACK_DATA", "").split(os.pathsep)
    folders = [Path(folder).expanduser() for folder in named if folder]
    home = CHECKOUT or Path.cwd()
    return list(dict.fromkeys([*folders, home / "data"]))


def data_folder():
    """The folder (Path) into which downloads and caches are written.

    The first of ``HACK_DATA`` that exists and can be written to, else ``data/``: a mounted drive
    may be read-only, and one that is not mounted yet must not be made as a local folder.
    """
    *named, last = search_path()
    for folder in named:
        if os.path.isdir(folder) and os.access(folder, os.W_OK):
            return folder
    return last


def find(name):
    """The first file or folder of this relative name on the search path: a Path, or None."""
    for folder in search_path():
        # os.path and not Path.exists, which raises for a drive that has gone away
        if os.path.exists(folder / name):
            return folder / name
    return None


def short(path):
    """A path (str) as it may stand in a notebook, where no folder of this machine should be named.

    Relative to the working directory or the checkout, or below ``~`` or ``HACK_DATA``; of a path in
    none of them the last two parts.
    """
    path = Path(path).absolute()
    *named, _ = search_path()
    homes = [(Path.cwd(), ""), (CHECKOUT, ""), (Path.home(), "~")]
    homes += [(folder.absolute(), "HACK_DATA") for folder in named]
    for home, label in homes:
        if home and path.is_relative_to(home):
            return str(Path(label) / path.relative_to(home))
    parts = path.parts[1:]
    return str(Path("...", *parts[-2:]))


def looked_in():
    """The folders of the search path, as a message names them (str)."""
    folders = [f"{short(folder)}/" for folder in search_path()]
    return ", ".join(dict.fromkeys(folders))
