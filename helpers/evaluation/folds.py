"""Folds, groups that never straddle a split, and predictions from models that never saw a row."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut


def splits(n, folds=5, seed=0, groups=None):
    """Training and test rows of each fold; each row is a test row once.

    Parameters
    ----------
    n : int
        Number of rows.
    folds : int or None
        Number of folds; None makes each group a fold of its own.
    seed : int
        Of the shuffling: of rows, or of groups.
    groups : array, shape (n,), optional
        Rows of one group, such as galaxies of a field or projections of a cluster, stay together.

    Returns
    -------
    list of (numpy.ndarray, numpy.ndarray)
        Training rows and test rows.

    Raises
    ------
    ValueError
        If there are more folds than rows or groups, or neither a number of folds nor groups.
    """
    rows = np.arange(n)
    if groups is None:
        if folds is None:
            raise ValueError("expected a number of folds, or groups that are folds; found neither")
        shuffled = KFold(folds, shuffle=True, random_state=seed)
        return list(shuffled.split(rows))
    if folds is None:
        return list(LeaveOneGroupOut().split(rows, groups=groups))
    names, members = np.unique(groups, return_inverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    renamed = shuffled[members]
    return list(GroupKFold(folds).split(rows, groups=renamed))


def out_of_fold(model, table, target, folds=5, seed=0, groups=None):
    """Predict each row with a model that was trained without it.

    Parameters
    ----------
    model : estimator
        Unfitted; a copy is fitted for each fold, features and all.
    table : pandas.DataFrame, n rows
    target : array, shape (n,)
    folds, seed, groups
        As `splits` takes them.

    Returns
    -------
    predicted : numpy.ndarray, shape (n,)
    """
    predicted = np.full(len(target), np.nan)
    for train, test in splits(len(target), folds, seed, groups):
        fitted = clone(model).fit(table.iloc[train], target[train])
        predicted[test] = fitted.predict(table.iloc[test])
    return predicted


def constant_guess(target, folds=5, seed=0, groups=None):
    """The mean of the training rows of each fold, for each row: shape (n,)."""
    predicted = np.empty(len(target))
    for train, test in splits(len(target), folds, seed, groups):
        predicted[test] = target[train].mean()
    return predicted
