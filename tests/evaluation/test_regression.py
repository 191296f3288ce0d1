"""Figures of merit of predicted numbers, and their errors."""

import numpy as np
import pytest

from helpers.evaluation import regression
from helpers.evaluation.regression import rmse


def test_figures_of_merit_on_known_numbers():
    true = np.zeros(100_001)
    predicted = np.random.default_rng(3).normal(0.01, 0.05, len(true))
    assert regression.scatter(predicted, true) == pytest.approx(0.05, rel=0.02)
    assert regression.bias(predicted, true) == pytest.approx(0.01, abs=1e-3)
    assert regression.mse(predicted, true) == pytest.approx(0.01**2 + 0.05**2, rel=0.02)
    assert regression.mae([1.0, 2.0], np.array([2.0, 0.0])) == 1.5
    assert regression.r2(np.array([1.0, 2.0]), np.array([1.0, 3.0])) == pytest.approx(0.5)
    assert np.isnan(regression.r2(np.full(9, 0.7), np.full(9, 0.7)))


def test_the_scatter_does_not_see_an_outlier():
    predicted = np.random.default_rng(4).normal(0, 1, 1000)
    spoilt = np.append(predicted, 1e6)
    alone = regression.scatter(predicted, np.zeros(1000))
    assert regression.scatter(spoilt, np.zeros(1001)) == pytest.approx(alone, rel=0.01)


def test_rmse_is_of_each_column():
    residuals = np.random.default_rng(0).normal(0, (2, 5), size=(4000, 2))
    assert rmse(residuals, 0) == pytest.approx([2, 5], rel=0.05)
    assert rmse([3.0, 5.0], [0.0, 1.0]) == pytest.approx(np.sqrt(12.5))


def test_a_report_has_every_figure_with_its_error():
    true = np.zeros(5000)
    predicted = np.random.default_rng(3).normal(0.01, 0.05, 5000)
    report = regression.report(predicted, true, n=50)
    assert list(report) == list(regression.METRICS)
    value, error = report["mse"]
    assert value == regression.mse(predicted, true)
    assert error == pytest.approx(np.std(predicted**2) / np.sqrt(5000), rel=0.3)
    chosen = regression.report(predicted, true, {"mae": regression.mae}, n=50)
    assert chosen == {"mae": report["mae"]}


@pytest.mark.parametrize(
    ("predicted", "true", "message"),
    [
        ([np.nan], [1.0], "found NaN"),
        ([1.0], [np.inf], "found NaN or inf"),
        ([1.0, 2.0], [1.0], "as many predictions as true values"),
        ([], [], "as many predictions"),
    ],
)
def test_what_cannot_be_compared_is_refused(predicted, true, message):
    with pytest.raises(ValueError, match=message):
        regression.report(predicted, true)
