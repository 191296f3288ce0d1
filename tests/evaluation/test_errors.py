"""Standard errors by the bootstrap, and numbers with as many digits as their errors allow."""

import numpy as np
import pytest

from helpers.evaluation.errors import bootstrap_error, format_number
from helpers.evaluation.regression import rmse


def test_the_bootstrap_finds_the_error_of_a_standard_deviation():
    residuals = np.random.default_rng(0).normal(0, 2, size=(4000, 2))
    # The standard error of a standard deviation of a normal variable is sigma / sqrt(2 n).
    error = bootstrap_error(rmse, residuals, np.zeros_like(residuals))
    assert error == pytest.approx(2 / np.sqrt(2 * 4000), rel=0.2)


def test_rows_stay_together():
    values = np.random.default_rng(1).random(50)

    def difference(one, other):
        return np.abs(one - other).max()

    assert bootstrap_error(difference, values, values) == 0
    with pytest.raises(ValueError, match=r"\[3, 4\]"):
        bootstrap_error(rmse, np.zeros(3), np.zeros(4))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.26341, 0.0041, "0.263 ± 0.004"),
        (0.26341, 0.0011, "0.2634 ± 0.0011"),
        (12.3, 4.0, "12 ± 4"),
        (0.99949, None, "0.9995"),
        (5.5, None, "5.5"),
        (0.3, 0.0, "0.3"),
    ],
)
def test_numbers_have_the_digits_that_their_error_allows(value, error, text):
    assert format_number(value, error) == text


def test_what_is_negligible_is_about_zero():
    assert format_number(1e-5, negligible=1e-4) == "≈ 0"
    assert format_number(-1e-3, negligible=1e-4) == "-0.001"
