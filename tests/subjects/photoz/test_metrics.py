"""Figures of merit of redshifts."""

import numpy as np
import pytest

from helpers.subjects.photoz import metrics


def test_figures_of_merit_on_known_numbers():
    true = np.full(100_001, 1.0)
    scaled = np.random.default_rng(3).normal(0.01, 0.05, len(true))
    predicted = true + 2 * scaled
    assert metrics.sigma_nmad(predicted, true) == pytest.approx(0.05, rel=0.02)
    assert metrics.bias(predicted, true) == pytest.approx(0.01, abs=1e-3)
    assert metrics.mse(predicted, true) == pytest.approx(4 * np.mean(scaled**2))


def test_an_outlier_is_far_off_for_its_redshift():
    predicted = np.array([0.0, 0.2, 1.0, 1.35])
    true = np.array([0.0, 0.0, 1.0, 1.0])
    assert metrics.outliers(predicted, true) == 0.5
    assert metrics.outliers(1.29, 1.0) == 0


def test_a_report_has_every_figure_with_its_error():
    rng = np.random.default_rng(0)
    true = rng.random(500)
    report = metrics.report(true + rng.normal(0, 0.1, 500), true, n=20)
    assert list(report) == list(metrics.METRICS)
    assert all(error > 0 for _, error in report.values())
