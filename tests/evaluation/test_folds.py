"""Folds and groups, and predictions from models that never saw a row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from helpers.evaluation import folds

GROUPS = np.array(list("aababcacddebfgh" * 4))


def test_each_row_is_a_test_row_once():
    pairs = folds.splits(50)
    assert len(pairs) == 5
    for train, test in pairs:
        assert sorted([*train, *test]) == list(range(50))
    assert sorted(np.concatenate([test for _, test in pairs])) == list(range(50))


@pytest.mark.parametrize("number", [2, 3, 5, None])
@pytest.mark.parametrize("seed", range(5))
def test_no_group_straddles_a_split(number, seed):
    pairs = folds.splits(len(GROUPS), number, seed, GROUPS)
    assert len(pairs) == (number or len(set(GROUPS)))
    for train, test in pairs:
        assert not set(GROUPS[train]) & set(GROUPS[test])
        assert len(train) and len(test)
    tested = np.concatenate([test for _, test in pairs])
    assert sorted(tested) == list(range(len(GROUPS)))


def test_groups_are_shuffled_by_the_seed():
    groups = np.repeat(np.arange(20), 3)
    first, again, other = (folds.splits(60, 4, seed, groups)[0][1] for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


def test_what_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match="found neither"):
        folds.splits(4, folds=None)
    with pytest.raises(ValueError, match="greater than the number of groups"):
        folds.splits(4, 3, groups=["a", "a", "b", "b"])


def test_no_row_is_predicted_by_a_model_that_saw_it():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.random(60)})
    target = rng.random(60)
    nearest = KNeighborsRegressor(1)
    assert (nearest.fit(table, target).predict(table) == target).all()
    assert (folds.out_of_fold(nearest, table, target, folds=3) != target).all()
    line = 2 * table["x"].to_numpy() + 1
    predicted = folds.out_of_fold(LinearRegression(), table, line, folds=3)
    np.testing.assert_allclose(predicted, line)


def test_a_group_is_predicted_from_the_others():
    groups = np.repeat(["a", "b", "c"], 4)
    target = np.repeat([1.0, 2.0, 6.0], 4)
    guess = folds.constant_guess(target, None, groups=groups)
    np.testing.assert_allclose(guess, np.repeat([4.0, 3.5, 1.5], 4))
