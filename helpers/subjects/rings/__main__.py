"""Write a folder of simulated ring images in the layout of the source.

python -m helpers.subjects.rings make FOLDER --n 1000 --kind classifier|regressor|ellipse
"""

import argparse
import sys

from helpers.datasets.files import DataError
from helpers.subjects.rings import data


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.subjects.rings", description=__doc__.split("\n")[0]
    )
    make = parser.add_subparsers(dest="command", required=True).add_parser(
        "make", help="simulate a folder of images"
    )
    make.add_argument("folder", help="a new or empty folder")
    make.add_argument("--n", type=int, default=1000, help="number of images (default 1000)")
    make.add_argument("--kind", choices=data.KINDS, default="regressor")
    make.add_argument(
        "--max-rings",
        type=int,
        default=2,
        help="of the classifier: largest number of rings (default 2)",
    )
    make.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    if chosen.n < 1 or chosen.max_rings < 1 or chosen.seed < 0:
        parser.error("expected --n and --max-rings of at least 1, and --seed of at least 0")
    try:
        simulated = data.simulate(chosen.n, chosen.seed, chosen.kind, chosen.max_rings)
        data.write(simulated, chosen.folder)
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{chosen.n} images and their labels are in {chosen.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
