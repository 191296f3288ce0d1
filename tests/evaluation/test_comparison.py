"""The table of many regressors, by either library."""

import sys

import numpy as np
import pandas as pd
import pytest

from helpers.evaluation import comparison

FEW = ["dummy", "dt", "ridge"]


@pytest.fixture
def rows():
    """Features and a target that depends on them."""
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(200, 4))).add_prefix("c")
    target = features["c0"] + 0.5 * features["c1"] ** 2 + rng.normal(0, 0.1, 200)
    return features, target.to_numpy()


def test_the_best_comes_first(rows):
    table = comparison.by_scikit_learn(*rows, FEW, 3, 0)
    assert table.index[-1] == "DummyRegressor" and list(table) == ["MAE", "MSE", "R2"]
    assert table["MSE"].is_monotonic_increasing and len(table) == 3


def test_every_name_is_a_regressor_of_scikit_learn():
    known = {name for name, _ in comparison.all_estimators("regressor")}
    assert set(comparison.NAMES.values()) <= known


def test_without_pycaret_the_table_is_scikit_learns(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pycaret.regression", None)
    made_by, table = comparison.compare(*rows, FEW, 3, 0)
    assert made_by == "scikit-learn" and not list(tmp_path.iterdir())
    assert table.equals(comparison.by_scikit_learn(*rows, FEW, 3, 0))
