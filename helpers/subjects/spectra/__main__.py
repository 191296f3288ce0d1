"""The redshift of an SDSS spectrum by cross-correlation with templates.

python -m helpers.subjects.spectra redshift FILE.fits [--templates FILE.fits ...]
"""

import argparse
import sys

from helpers.datasets.files import DataError
from helpers.datasets.places import find, short
from helpers.datasets.registry import registry
from helpers.subjects.spectra import mock, sdss
from helpers.subjects.spectra.correlation import SPEED_OF_LIGHT, cross_correlate

TRUSTED = 5  # noise reaches r = 4 to 5 with the best of several templates


def choose_templates():
    """The templates on the data search path, the SDSS ones before the eigenspectra, or else those of the mock.

    Returns
    -------
    templates : tuple of (wavelength, flux, names)
        As `helpers.subjects.spectra.correlation.cross_correlate` takes them.
    source : str
        Where they are from, for the reader.
    """
    for name in ("sdss_templates", "sdss_eigenspectra"):
        paths = [find(file["name"]) for file in registry(name)["files"]]
        if all(paths):
            return sdss.read_templates(*paths), f"{name} ({short(paths[0].parent)})"
    return (
        mock.templates(),
        "MOCK, for none was found; get real ones: python -m helpers.datasets fetch sdss_templates",
    )


def redshift(path, template_paths=None):
    """Two or three lines about the redshift of the spectrum in this file."""
    spectrum = sdss.read_spectrum(path)
    if template_paths:
        templates, source = (
            sdss.read_templates(*template_paths),
            ", ".join(map(short, template_paths)),
        )
    else:
        templates, source = choose_templates()
    found = cross_correlate(
        spectrum.wavelength, spectrum.flux, templates, spectrum.error
    ).table.iloc[0]
    doubt = "" if found.r > TRUSTED else f"  (not to be trusted: noise alone reaches r = {TRUSTED})"
    lines = [
        f"{spectrum.name}: redshift {found.redshift:.5f} ± {found.velocity_error:.0f} km/s, r = {found.r:.1f}, "
        f"template {found.template}{doubt}",
        f"templates: {source}",
    ]
    if spectrum.redshift is not None:
        difference = (found.redshift - spectrum.redshift) / (1 + spectrum.redshift) * SPEED_OF_LIGHT
        lines.append(
            f"catalogue: {spectrum.object_class} at {spectrum.redshift:.5f}, difference {difference:+.0f} km/s"
        )
    if found.n_bad:
        lines.append(f"bad pixels: {found.n_bad} of {len(spectrum.flux)}, interpolated over")
    return "\n".join(lines)


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
        print(redshift(chosen.file, chosen.templates))
    except (DataError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
