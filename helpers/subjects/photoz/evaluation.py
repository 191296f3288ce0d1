"""How well redshifts can be predicted from anybody's catalogue: `evaluate` a file by its columns."""

import numpy as np

from helpers.datasets.files import DataError
from helpers.datasets.places import short
from helpers.evaluation import regression as metrics
from helpers.evaluation.folds import constant_guess, out_of_fold
from helpers.subjects.photoz.data import load
from helpers.subjects.photoz.features import PhotometricFeatures
from helpers.subjects.photoz.models import make

FOLDS = 5
FEWEST = 10  # galaxies with a redshift in a fold
MOST = 10_000  # galaxies that are used, unless more are asked for
SHARE = 0.5  # of the features that a forest looks at in each split ...
TRIED = 16  # ... but so many at most: twenty bands have 190 colours


def evaluate(path, fluxes, errors=None, z_spec="z_spec", model="rf", seed=0, most=MOST):
    """Predict the redshifts of a catalogue from its fluxes, by 5-fold cross-validation.

    Parameters
    ----------
    path : path
        A catalogue, as `helpers.datasets.tables.read_table` reads it.
    fluxes, errors : sequence of str
        Its columns of fluxes, in any linear unit, and of their errors, which may be None. The model
        sees nothing else.
    z_spec : str
        Its column of spectroscopic redshifts.
    model : str
        As `helpers.subjects.photoz.models.make` knows it.
    seed : int
    most : int
        Of more galaxies than this a random sample is used.

    Returns
    -------
    dict
        The figures of merit of `helpers.evaluation.regression` and their errors, over the galaxies
        with a redshift, each predicted by a model that has not seen it; under "constant" those of the
        training mean; and the numbers of rows, of redshifts, of exact duplicates (left out, since a
        copy in the training set would tell), and of galaxies used.

    Raises
    ------
    helpers.datasets.files.DataError
        If the file cannot be read, lacks a column, or has too few redshifts.
    ValueError
        If the columns are not named as they must be.
    """
    _check_arguments([*fluxes, *(errors or ()), z_spec], most)
    catalogue = load(path=path, fluxes=fluxes, errors=errors, z_spec=z_spec, others=False)
    galaxies, counts = usable(catalogue)
    if len(galaxies) < FOLDS * FEWEST:
        wanted = f"expected at least {FOLDS * FEWEST} galaxies with a redshift in {z_spec!r}"
        why = f"and a flux ({FEWEST} for each of {FOLDS} folds)"
        found = f"found {len(galaxies)} in {short(path)}: name other columns, or a larger catalogue"
        raise DataError(f"{wanted} {why}, {found}")
    galaxies = _sample(galaxies, most, seed)
    z = galaxies.redshift
    predicted = _predict(galaxies, model, seed)
    missing = ~np.isfinite(galaxies.flux)
    never = missing.all(axis=0)
    return {
        "model": model,
        **counts,
        "n": len(galaxies),
        "missing": round(float(missing.mean()), 4),
        "never_measured": [name for name, gone in zip(galaxies.fluxes, never, strict=True) if gone],
        "folds": FOLDS,
        "seed": seed,
        **_figures(predicted, z),
        "constant": _figures(constant_guess(z, FOLDS, seed), z),
    }


def _check_arguments(named, most):
    if len({name.lower() for name in named}) < len(named):
        found = ", ".join(named)
        remedy = "a flux is no redshift or error"
        raise ValueError(f"expected each column to be named once, found {found}: {remedy}")
    if most < FOLDS * FEWEST:
        wanted = f"expected to use at least {FOLDS * FEWEST} galaxies"
        raise ValueError(f"{wanted}, found {most}: ask for more")


def usable(catalogue):
    """The galaxies with a redshift and at least one flux, each of them once.

    Parameters
    ----------
    catalogue : Catalogue

    Returns
    -------
    galaxies : Catalogue
    counts : dict of str to int
        The number of rows, of redshifts, of exact copies of another row that were left out, and of
        galaxies without a flux.
    """
    with_redshift = catalogue[np.isfinite(catalogue.redshift)]
    measured = np.isfinite(with_redshift.flux).any(axis=1)
    copied = with_redshift.table.duplicated(with_redshift.columns).to_numpy()
    counts = {
        "n_rows": len(catalogue),
        "n_spec": len(with_redshift),
        "n_duplicates": int((measured & copied).sum()),
        "n_without_flux": int((~measured).sum()),
    }
    return with_redshift[measured & ~copied], counts


def _sample(galaxies, most, seed):
    """Galaxies drawn at random where there are more than wanted, in their order."""
    if len(galaxies) <= most:
        return galaxies
    drawn = np.random.default_rng(seed).choice(len(galaxies), most, replace=False)
    return galaxies[np.sort(drawn)]


def _predict(galaxies, model, seed):
    """Redshifts, each by a model that saw other galaxies, and no column but fluxes and errors."""
    n_bands = len(galaxies.fluxes)
    n_features = n_bands * (n_bands + 3) // 2  # magnitudes, colours, flags
    options = {"max_features": min(SHARE, TRIED / n_features)} if model == "rf" else {}
    features = PhotometricFeatures(galaxies.fluxes, galaxies.errors)
    estimator = make(model, features, seed, **options)
    shown = galaxies.table.drop(columns=galaxies.z_spec)
    predicted = out_of_fold(estimator, shown, galaxies.redshift, FOLDS, seed)
    if not np.isfinite(predicted).all():
        raise ValueError(f"the model {model} gave redshifts that are not finite: try another one")
    return predicted


def _figures(predicted, true):
    """Figures of merit and errors by name, with six digits; None where one is not defined."""
    result = {}
    for name, (value, error) in metrics.report(predicted, true).items():
        result[name] = _rounded(value)
        result[f"{name}_error"] = _rounded(error)
    return result


def _rounded(number):
    return float(f"{number:.6g}") if np.isfinite(number) else None
