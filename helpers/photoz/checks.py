"""Checks and hints of the exercises of hack 03: what a wrong attempt got wrong, in one sentence each."""

import numpy as np

from helpers.exercises import call, check, require, require_close
from helpers.photoz.features import POGSON, colours


def _same(found, expected, rtol=1e-6):
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=rtol, atol=1e-8, equal_nan=True)


@check(
    "03.asinh_colours",
    hints=[
        "First replace -99 by NaN, for instance with np.where(flux == -99, np.nan, flux): NaN then stays NaN.",
        "The magnitude is 25 - 2.5 / np.log(10) * (np.arcsinh(flux / (2 * softening)) + np.log(softening)).",
        "np.triu_indices(k, 1) gives all pairs of k bands; the colour is magnitude[:, first] - magnitude[:, second].",
    ],
)
def asinh_colours(attempt, reference):
    flux = np.array([[100.0, 150.0, 300.0], [0.4, -0.3, 2.0], [5.0, -99.0, 40.0]])
    softening = np.array([0.3, 0.4, 0.8])
    found, expected = np.asarray(call(attempt, flux, softening), dtype=float), reference(flux, softening)
    require(
        found.shape != (3, 2), "these are the colours of neighbouring bands: take all pairs, the first and third too"
    )
    require(
        found.shape == (3, 3),
        f"the colours have shape {found.shape}, expected (3, 3): one row a galaxy, one column a pair",
    )
    missing = np.isnan(expected[2])
    require(
        np.isnan(found[2, missing]).all(),
        "the band with -99 was not measured: its colours have to be NaN, not a number",
    )
    require(
        np.isfinite(found[2, ~missing]).all(),
        "a colour of two bands that were measured is NaN: -99 in a third band spoils it",
    )
    require(
        np.isfinite(found[1]).all(),
        "a negative flux gives NaN or infinity: the inverse hyperbolic sine has no such problem",
    )
    values = np.where(flux == -99, np.nan, flux)
    without_ln = colours(-POGSON * np.arcsinh(values / (2 * softening)))
    without_two = colours(-POGSON * (np.arcsinh(values / softening) + np.log(softening)))
    clipped = colours(-2.5 * np.log10(np.where(values < softening, softening, values)))
    require(
        not _same(found, -expected), "the sign is wrong: the colour is the first band minus the second, in magnitudes"
    )
    require(
        not _same(found, without_ln),
        "+ ln b is left out: bands with different softening then have different zero points",
    )
    require(not _same(found, without_two), "the argument of arcsinh is f / b, expected f / 2b")
    require(
        not _same(found, clipped),
        "that is a logarithm with a lower limit: what lies below the limit is all the same then",
    )
    require(
        not _same(found, expected * np.log(10)), "the factor is 2.5 / ln 10, found 2.5: arcsinh is a natural logarithm"
    )
    require_close(
        found[~np.isnan(expected)], expected[~np.isnan(expected)], "the colours are {found}, expected {expected}"
    )


@check(
    "03.sigma_nmad",
    hints=[
        "Start from d = (predicted - true) / (1 + true).",
        "The median absolute deviation is the median of |d - median(d)|.",
        "1.4826 times that equals the standard deviation if d has a normal distribution.",
    ],
)
def sigma_nmad(attempt, reference):
    rng = np.random.default_rng(1)
    true = rng.uniform(0.2, 3, 201)
    predicted = true + (1 + true) * (0.08 + 0.05 * rng.standard_normal(201))
    predicted[:15] += 2
    found, expected = call(attempt, predicted, true), reference(predicted, true)
    require(np.size(found) == 1, f"the result has shape {np.shape(found)}, expected one number")
    d, found = (predicted - true) / (1 + true), float(found)
    plain = predicted - true

    def is_value(value):
        return abs(found - value) < 1e-6 * abs(value)

    wrong = {
        "that is the standard deviation, which a few outliers rule": np.std(d),
        "the median of d is not subtracted: a common shift is a bias, not scatter": 1.4826 * np.median(np.abs(d)),
        "the factor 1.4826 is missing, which makes it a standard deviation for normal errors": expected / 1.4826,
        "the division by 1 + z is missing": 1.4826 * np.median(np.abs(plain - np.median(plain))),
        "it is divided by 1 + predicted: take the true redshift": 1.4826 * _mad(plain / (1 + predicted)),
        "the mean is subtracted, expected the median": 1.4826 * np.median(np.abs(d - d.mean())),
        "that is the mean of the absolute deviations, expected their median": 1.4826
        * np.mean(np.abs(d - np.median(d))),
        "the median is subtracted before the division by 1 + z, expected after it": 1.4826
        * np.median(np.abs(plain - np.median(plain)) / (1 + true)),
    }
    for reason, value in wrong.items():
        require(not is_value(value), reason)
    require_close(found, expected, "for the test values it is {found}, expected {expected}", rtol=3e-3)


def _mad(values):
    return np.median(np.abs(values - np.median(values)))


@check(
    "03.leave_one_field_out",
    hints=[
        "The letter g stands for two fields: make a name of the letter and the sign of the declination.",
        "np.char.add(field, np.where(dec > 0, '+', '-')) is such a name; np.unique gives all of them.",
        "For each name: test = np.flatnonzero(names == name), train = np.flatnonzero(names != name).",
    ],
)
def leave_one_field_out(attempt, reference):
    rng = np.random.default_rng(2)
    places = [("a", 52.8), ("c", 2.3), ("g", 62.2), ("g", -27.8), ("u", -5.2)]
    which = rng.permutation(np.repeat(np.arange(5), [8, 5, 7, 6, 4]))
    field, dec = (
        np.array([places[i][0] for i in which]),
        np.array([places[i][1] for i in which]) + rng.normal(0, 0.02, 30),
    )
    found = call(attempt, field, dec)
    found = list(found) if found is not None else []
    require(len(found) > 0, "nothing is returned: expected a list of pairs (train, test)")
    require(
        all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in found),
        "expected a list of pairs (train, test), found something else",
    )
    pairs = [tuple(np.asarray(rows) for rows in pair) for pair in found]
    pairs = [tuple(np.flatnonzero(rows) if rows.dtype == bool else rows for rows in pair) for pair in pairs]
    for train, test in pairs:
        require(
            train.dtype.kind in "iu" and test.dtype.kind in "iu", "expected positions of rows, found names or numbers"
        )
        require(not set(train) & set(test), "a galaxy is in the training and in the test rows of the same split")
    tested = np.concatenate([test for _, test in pairs])
    sizes = [len(set(which[test])) for _, test in pairs]
    exchanged = len(pairs) == 5 and all(len(set(which[train])) == 1 for train, _ in pairs)
    require(not exchanged, "training and test rows are exchanged: train on four fields, test on the one left out")
    require(
        not (len(pairs) == 4 and 2 in sizes),
        "there are 4 splits, expected 5: GOODS-N and GOODS-S are both called g, the declination tells them apart",
    )
    crossing = any(set(which[train]) & set(which[test]) for train, test in pairs)
    require(not crossing, "a field is in the training and in the test rows of a split: then nothing is left out")
    require(len(pairs) == 5, f"there are {len(pairs)} splits, expected 5: one for each field")
    require(sorted(tested) == list(range(30)), "each galaxy has to be tested exactly once")
    whole = all(len(train) + len(test) == 30 for train, test in pairs)
    require(whole, "some galaxies of the other four fields are not trained on")


@check(
    "03.chi2",
    hints=[
        "With the weights w = 1 / error², the best amplitude is Σ w f m / Σ w m²; a galaxy cannot have a negative one.",
        "χ² = Σ w (f - a m)², over the bands that were measured.",
        "np.nansum, or known = np.isfinite(flux) with flux[known], leaves out what was not measured.",
    ],
)
def chi2(attempt, reference):
    flux, error = np.array([1.0, 2.5, np.nan, 6.0]), np.array([0.2, 0.3, np.nan, 0.5])
    template = np.array([0.5, 1.0, 2.0, 2.2])
    expected = float(reference(flux, error, template))
    given = flux.copy(), error.copy(), template.copy()
    found = attempt(*given)
    same = all(np.array_equal(*pair, equal_nan=True) for pair in zip(given, (flux, error, template), strict=True))
    require(same, "it changes an array that it is given, which others still need: compute a new one")
    require(np.size(found) == 1, f"the result has shape {np.shape(found)}, expected one number")
    found = float(found)
    require(np.isfinite(found), "a missing flux makes χ² NaN: leave out the bands that were not measured")
    known = np.isfinite(flux)
    f, e, m = flux[known], error[known], template[known]
    unweighted = (f @ m) / (m @ m)
    amplitude = (f / e**2 @ m) / (m / e**2 @ m)
    wrong = {
        "the template is not scaled: fit its amplitude first": np.sum(((f - m) / e) ** 2),
        "the amplitude is that of plain least squares: weigh each band by 1 / error²": np.sum(
            ((f - unweighted * m) / e) ** 2
        ),
        "the squared difference is divided by the error, expected by the squared error": np.sum(
            (f - amplitude * m) ** 2 / e
        ),
        "the errors are not used in χ²": np.sum((f - amplitude * m) ** 2),
        "that is half of χ², or minus the logarithm of the likelihood": expected / 2,
        "that is χ² for each band, expected the sum": expected / known.sum(),
    }
    for reason, value in wrong.items():
        require(abs(found - value) > 1e-6 * max(value, 1e-6), reason)
    require_close(found, expected, "χ² is {found}, expected {expected}")
    rising = float(attempt(np.array([-1.0, -2.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0])))
    require(
        abs(rising - 5) < 1e-6,
        f"for the fluxes -1, -2 χ² is {rising:.3g}, expected 5: a negative amplitude is no galaxy, take 0",
    )


@check(
    "03.permutation_importance",
    hints=[
        "Compute the mean squared error once as it is, and once more for each column after shuffling that column.",
        "rng.permutation(values) returns a shuffled copy; shuffle a copy of X, and each column on its own.",
        "importance[j] = mse(predict(shuffled), y) - mse(predict(X), y).",
    ],
)
def permutation_importance(attempt, reference):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4000, 4)) * [1, 1, 3, 1]
    weights = np.array([2.0, 1.0, 0.0, -1.5])
    y = X @ weights + 0.1 * rng.standard_normal(4000)

    def predict(values):
        return np.asarray(values) @ weights

    found = call(attempt, predict, X, y, np.random.default_rng(4))
    found = np.asarray(found, dtype=float)
    require(found.shape == (4,), f"the importances have shape {found.shape}, expected (4,): one number a column")
    expected = 2 * weights**2 * X.var(axis=0)
    base = np.mean((predict(X) - y) ** 2)
    require(
        not np.allclose(found, 0, atol=1e-6),
        "all importances are 0: is the shuffled copy the one that is predicted from?",
    )
    require(
        not np.allclose(found, -expected, rtol=0.2, atol=0.05),
        "the sign is wrong: what gets worse without a column is important",
    )
    rising = np.cumsum(expected)
    require(
        not np.allclose(found, rising, rtol=0.2, atol=0.05),
        "columns stay shuffled while the next is tried: shuffle a fresh copy",
    )
    require(
        abs(found[2]) < 1e-6 or abs(found[2] - base) > 0.1 * base,
        "the error without shuffling is not subtracted: a column that is not used has to have the importance 0",
    )
    fractions = np.allclose(found, expected / base, rtol=0.2, atol=0.05 / base)
    require(not fractions, "that is the ratio of the errors: expected the difference of the mean squared errors")
    require(
        abs(found[2]) < 1e-6, f"the column that the model does not use has the importance {found[2]:.2g}, expected 0"
    )
    zeroed = weights**2 * X.var(axis=0)
    require(
        not np.allclose(found, zeroed, rtol=0.08, atol=0.02),
        "the column is replaced by one number, expected a shuffled column",
    )
    require(
        np.allclose(found, expected, rtol=0.15),
        f"the importances are {np.round(found, 2)}, expected about {np.round(expected, 2)}",
    )
