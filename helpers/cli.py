"""One command line: python -m helpers SUBJECT COMMAND …

A subject is imported by the command that needs it. Options that are wrong are click's to tell, with
exit status 2; whatever else goes wrong is one sentence on the standard error and exit status 1.
"""

import json
import warnings

import click

from helpers.datasets.files import DataError

EXPECTED = (DataError, ValueError, OSError, MemoryError, KeyboardInterrupt)
WITHOUT_WORDS = {
    KeyboardInterrupt: "stopped: run the same command again to go on",
    MemoryError: "out of memory: ask for fewer (--n, --most)",
}
RING_KINDS = ("classifier", "regressor", "generator", "ellipse")
MODELS = ("rf", "gbt", "mlp", "svr", "knn", "linear")


class Failure(click.ClickException):
    """What went wrong, in a sentence."""

    def show(self, file=None):
        """Print it as it is."""
        click.echo(self.message, file=file, err=True)


class Course(click.Group):
    """Commands whose errors are told in a sentence."""

    def invoke(self, context):
        """Run the command."""
        try:
            return super().invoke(context)
        except EXPECTED as error:
            raise Failure(str(error) or WITHOUT_WORDS.get(type(error), repr(error))) from None


class Names(click.ParamType):
    """Names with a comma between them."""

    name = "NAME,NAME"

    def convert(self, value, parameter, context):
        """Return the list of names."""
        names = [name.strip() for name in value.split(",")]
        if not all(names):
            self.fail(f"expected names with a comma between them, found {value!r}")
        return names


seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)


@click.group(cls=Course)
def course():
    """Commands of the course, by subject."""


@course.group()
def data():
    """The data sets of the course."""


@data.command("list")
def list_data():
    """Every data set, whether it is here, how to get it."""
    from helpers.datasets.registry import listing

    entries = listing()
    rows = [list(entries[0]), *(list(entry.values()) for entry in entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


@data.command("fetch")
@click.argument("name")
def fetch_data(name):
    """Download a data set; run again to go on after an interruption."""
    from helpers.datasets.download import fetch
    from helpers.datasets.places import short

    for path in fetch(name):
        click.echo(short(path))


@data.command("where")
@click.argument("name")
def where_data(name):
    """The paths of the files of a data set."""
    from helpers.datasets.registry import places_of

    for path in places_of(name):
        click.echo(path)


@course.group()
def rings():
    """Images of Cherenkov rings."""


@rings.command("make")
@click.argument("folder")
@click.option(
    "--n", type=click.IntRange(min=1), default=1000, show_default=True, help="Number of images."
)
@click.option("--kind", type=click.Choice(RING_KINDS), default="regressor", show_default=True)
@click.option(
    "--max-rings",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Of the classifier: largest number of rings in an image.",
)
@seed_option
def make_rings(folder, n, kind, max_rings, seed):
    """Simulate images into a new or empty FOLDER, in the layout of the source."""
    from helpers.subjects import rings

    rings.write(rings.simulate(n, seed, kind, max_rings), folder)
    click.echo(f"{n} images and their labels are in {folder}")


@course.group()
def spectra():
    """Spectra of galaxies."""


@spectra.command("redshift")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--templates",
    multiple=True,
    metavar="FILE",
    help="Eigenspectra or templates of SDSS; once for each file.",
)
def redshift(files, templates):
    """The redshift of SDSS spectra by cross-correlation with templates.

    A FILE is a spec-PLATE-MJD-FIBER.fits, or an older spSpec-*.fit.
    """
    from helpers.subjects.spectra.sdss import redshift_of

    for path in files:
        click.echo(redshift_of(path, templates))


@course.group()
def photoz():
    """Photometric redshifts."""


@photoz.command("evaluate")
@click.argument("file")
@click.option("--fluxes", type=Names(), required=True, help="Columns of the fluxes.")
@click.option("--errors", type=Names(), help="Columns of their errors, in that order.")
@click.option("--z-spec", default="z_spec", show_default=True, help="Column of the redshifts.")
@click.option("--model", type=click.Choice(MODELS), default="rf", show_default=True)
@seed_option
@click.option(
    "--most", type=int, default=10_000, show_default=True, help="Use a sample of so many galaxies."
)
def evaluate_photoz(file, fluxes, errors, z_spec, model, seed, most):
    """Predict the redshifts of a catalogue by cross-validation, and say how well: a line of JSON.

    FILE is FITS, HDF5, Parquet, CSV, ECSV, VOTable or ASCII, also gzipped.
    """
    from helpers.subjects.photoz.evaluation import evaluate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of folds with one value: it is seen in the numbers
        found = evaluate(file, fluxes, errors, z_spec, model, seed, most)
    click.echo(json.dumps(found, allow_nan=False))
