"""What must be quick enough for a survey, in seconds."""

from functools import partial

import numpy as np

from benchmarks.timing import TURNS, seconds
from helpers.subjects.photoz import columns, features, template_fit
from helpers.subjects.photoz import mock as galaxies
from helpers.subjects.spectra import correlation
from helpers.subjects.spectra import mock as spectra


def measure():
    """Yield what is measured, a function that gives its values turn by turn, and the target."""
    yield "spectra: simulate 4000 [s]", partial(times, simulate, work=8), "< 30"
    yield "spectra: cross-correlate 1000 with 6 templates [s]", partial(times, correlate), "< 10"
    yield "galaxies: fit templates to 2000 [s]", partial(times, fit_templates, work=10), "< 30"
    yield "galaxies: features of a million [s]", partial(times, make_features, work=10), "< 60"


def times(make, work=1):
    """Return the seconds of each turn, for `work` times as much as the function does."""
    function = make()
    function()
    return [work * seconds(function) for _ in range(TURNS)]


def simulate():
    """Of 500 spectra."""
    return lambda: spectra.simulate(500, 0)


def correlate():
    """Of 1000 spectra."""
    wavelength, templates, names = spectra.templates()
    flux = np.random.default_rng(5).normal(1, 0.1, size=(1000, 3800))
    observed = 10 ** (np.log10(3800) + 1e-4 * np.arange(3800))
    sets = wavelength, templates, names
    return lambda: correlation.cross_correlate(observed, flux.astype(np.float32), sets)


def fit_templates():
    """Of 200 galaxies."""
    table, _ = galaxies.simulate(200, seed=1, z_peak=False)
    flux, error = (table[list(names)].to_numpy() for names in (columns.FLUXES, columns.ERRORS))
    return lambda: template_fit.TemplateFit(columns.BANDS).redshift(flux, error)


def make_features():
    """Of 100 000 galaxies."""
    table, _ = galaxies.simulate(2000, seed=1, z_peak=False)
    made = features.PhotometricFeatures(columns.FLUXES, columns.ERRORS).fit(table)
    many = table.iloc[np.arange(100_000) % len(table)]
    return lambda: made.transform(many)
