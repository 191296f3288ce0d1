"""What data sets there are, where they lie, and how they come here.

python -m helpers.datasets list          every data set, whether it is here, how to get it
python -m helpers.datasets fetch NAME    download it; run again to go on after an interruption
python -m helpers.datasets where NAME    the paths of its files
"""

import argparse
import sys

from tqdm.auto import tqdm

from helpers.datasets.download import fetch
from helpers.datasets.files import DataError
from helpers.datasets.places import find, looked_in, short
from helpers.datasets.registry import registry


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
        raise DataError(f"{name}: {', '.join(missing)} not found under {looked_in()}")
    return "\n".join(str(find(file)) for file in names)


def main(arguments=None):
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m helpers.datasets", description="The data sets of the course."
    )
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
