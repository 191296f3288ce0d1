"""Predict the spectroscopic redshifts of a catalogue from its fluxes, and say how well: one line of JSON.

python -m helpers.subjects.photoz evaluate FILE --fluxes f1,f2,f3 [--errors e1,e2,e3] --z-spec NAME [--model rf|gbt|mlp|svr]
"""

import argparse
import json
import sys
import warnings

from helpers.datasets.files import DataError
from helpers.subjects.photoz.evaluation import MOST, evaluate
from helpers.subjects.photoz.models import MODELS


def _names(text):
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ValueError(f"expected names of columns with a comma between them, found {text!r}")
    return names


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.subjects.photoz", description=__doc__.split("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "evaluate", help="5-fold cross-validation on the galaxies with a redshift"
    )
    command.add_argument(
        "file", help="FITS, HDF5, Parquet, CSV, ECSV, VOTable or ASCII, also gzipped"
    )
    command.add_argument(
        "--fluxes", required=True, metavar="NAME,NAME", help="columns of the fluxes"
    )
    command.add_argument(
        "--errors", metavar="NAME,NAME", help="columns of their errors, in that order"
    )
    command.add_argument(
        "--z-spec",
        default="z_spec",
        metavar="NAME",
        help="column of the redshifts (default z_spec)",
    )
    command.add_argument(
        "--model", default="rf", choices=list(MODELS), help="default rf, a random forest"
    )
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--most", type=int, default=MOST, help=f"use a sample of so many galaxies (default {MOST})"
    )
    chosen = parser.parse_args(arguments)
    try:
        names = _names(chosen.fluxes), None if chosen.errors is None else _names(chosen.errors)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # what scikit-learn says of folds with one value is seen in the numbers
            print(
                json.dumps(
                    evaluate(
                        chosen.file, *names, chosen.z_spec, chosen.model, chosen.seed, chosen.most
                    ),
                    allow_nan=False,
                )
            )
    except (DataError, ValueError, OSError, MemoryError) as error:
        print(str(error) or "out of memory: use --most", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
