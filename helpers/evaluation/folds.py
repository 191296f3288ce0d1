"""Training and test rows: folds, groups that never straddle a split, and predictions from models that never saw a row."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold


def splits(n, folds=5, seed=0, groups=None):
    """Training and test rows of each fold: shuffled, or one fold for each group (list of pairs of arrays)."""
    if groups is None:
        return list(KFold(folds, shuffle=True, random_state=seed).split(np.arange(n)))
    groups = np.asarray(groups)
    return [
        (np.flatnonzero(groups != group), np.flatnonzero(groups == group))
        for group in np.unique(groups)
    ]


def out_of_fold(model, table, z, folds=5, seed=0, groups=None):
    """Predict each galaxy with a model that was trained without it.

    Parameters
    ----------
    model : estimator
        Unfitted; a copy is fitted for each fold, features and all.
    table : pandas.DataFrame, n rows
    z : array, shape (n,)
    folds, seed : int
        Number of folds, and seed of the shuffling.
    groups : array, shape (n,), optional
        Then each fold is one group, and `folds` is not used: fields, say.

    Returns
    -------
    predicted : numpy.ndarray, shape (n,)
    """
    predicted = np.full(len(z), np.nan)
    for train, test in splits(len(z), folds, seed, groups):
        predicted[test] = clone(model).fit(table.iloc[train], z[train]).predict(table.iloc[test])
    return predicted


def constant_guess(z, folds=5, seed=0, groups=None):
    """The mean redshift of the training rows, for each galaxy: shape (n,)."""
    predicted = np.empty(len(z))
    for train, test in splits(len(z), folds, seed, groups):
        predicted[test] = z[train].mean()
    return predicted
