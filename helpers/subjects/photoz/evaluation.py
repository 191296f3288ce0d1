"""How well redshifts can be predicted from anybody's catalogue: `evaluate` a file by the names of its columns."""

import numpy as np

from helpers.datasets.files import DataError
from helpers.datasets.places import short
from helpers.datasets.tables import read_table
from helpers.evaluation import regression as metrics
from helpers.evaluation.folds import constant_guess, out_of_fold
from helpers.subjects.photoz.data import measurements, redshifts
from helpers.subjects.photoz.features import PhotometricFeatures
from helpers.subjects.photoz.models import make

FOLDS = 5
FEWEST = 10  # galaxies with a redshift in a fold
MOST = 10_000  # galaxies that are used, unless more are asked for
TRIED = 16  # features at a split of a forest, at most: twenty bands have 190 colours


def evaluate(path, fluxes, errors=None, z_spec="z_spec", model="rf", seed=0, most=MOST):
    """Predict the spectroscopic redshifts of a catalogue from its fluxes, by 5-fold cross-validation.

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
        with a redshift, each predicted by a model that has not seen it; under "constant" those of
        the training mean; and the numbers of rows, of redshifts, of exact duplicates (left out,
        since a copy in the training set would tell), and of galaxies used.

    Raises
    ------
    helpers.datasets.DataError
        If the file cannot be read, lacks a column, or has too few redshifts.
    ValueError
        If the columns are not named as they must be.
    """
    fluxes, errors = list(fluxes), list(errors) if errors is not None else None
    named = [*fluxes, *(errors or []), z_spec]
    if len({name.lower() for name in named}) < len(named):
        raise ValueError(
            f"expected each column to be named once, found {', '.join(named)}: a flux is no redshift or error"
        )
    if most < FOLDS * FEWEST:
        raise ValueError(
            f"expected to use at least {FOLDS * FEWEST} galaxies, found {most}: ask for more"
        )
    table = read_table(path, named)
    z = redshifts(table[z_spec])
    rows = np.flatnonzero(np.isfinite(z))
    usable = table.iloc[rows].reset_index(drop=True)
    flux, _ = measurements(usable, fluxes, errors)
    measured = np.isfinite(flux).any(axis=1)
    unique = ~usable.duplicated(named).to_numpy() & measured
    usable, z = usable[unique].reset_index(drop=True), z[rows][unique]
    counts = {
        "n_rows": len(table),
        "n_spec": len(rows),
        "n_duplicates": int(measured.sum() - unique.sum()),
    }
    counts |= {"n_without_flux": int((~measured).sum())}
    if len(z) < FOLDS * FEWEST:
        raise DataError(
            f"expected at least {FOLDS * FEWEST} galaxies with a redshift in {z_spec!r} and a flux ({FEWEST} for each of "
            f"{FOLDS} folds), found {len(z)} in {short(path)}: name other columns, or a larger catalogue"
        )
    if len(z) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(z), most, replace=False))
        usable, z = usable.iloc[chosen].reset_index(drop=True), z[chosen]
    missing = ~np.isfinite(measurements(usable, fluxes, errors)[0])
    n_features = len(fluxes) * (len(fluxes) + 3) // 2  # magnitudes, colours, flags
    options = {"max_features": min(0.5, TRIED / n_features)} if model == "rf" else {}
    features = PhotometricFeatures(tuple(fluxes), None if errors is None else tuple(errors))
    estimator = make(model, features, seed, **options)
    predicted = out_of_fold(estimator, usable.drop(columns=z_spec), z, FOLDS, seed)
    if not np.isfinite(predicted).all():
        raise ValueError(f"the model {model} gave redshifts that are not finite: try another one")
    counts |= {"n": len(z), "missing": round(float(missing.mean()), 4)}
    never = [name for name, gone in zip(fluxes, missing.all(axis=0), strict=True) if gone]
    result = {"model": model, **counts, "never_measured": never, "folds": FOLDS, "seed": seed}
    return result | flat(predicted, z) | {"constant": flat(constant_guess(z, FOLDS, seed), z)}


def flat(predicted, true):
    """Figures of merit and errors as one dictionary, None where one is not defined."""
    result = {}
    for name, (value, error) in metrics.report(predicted, true).items():
        for key, number in ((name, value), (f"{name}_error", error)):
            result[key] = float(f"{number:.6g}") if np.isfinite(number) else None
    return result
