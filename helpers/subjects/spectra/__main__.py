"""The redshift of an SDSS spectrum by cross-correlation with templates.

python -m helpers.subjects.spectra redshift FILE.fits [--templates FILE.fits ...]
"""

import argparse
import sys

from helpers.datasets.files import DataError
from helpers.subjects.spectra import sdss


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.subjects.spectra", description=__doc__.split("\n")[0]
    )
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "redshift", help="of one spectrum"
    )
    command.add_argument("file", help="spec-PLATE-MJD-FIBER.fits, or the older spSpec-*.fit")
    command.add_argument(
        "--templates", nargs="+", metavar="FILE", help="eigenspectra or templates of SDSS"
    )
    chosen = parser.parse_args(arguments)
    try:
        print(sdss.redshift_of(chosen.file, chosen.templates))
    except (DataError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
