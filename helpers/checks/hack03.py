"""Checks and hints of the exercises of hack 03: what is wrong with an attempt, in one sentence.

Their slips are tables: what is wrong, with the results of those who do it so. Further inputs
follow, each with a name, for what is right on the first one only.
"""

from functools import partial

import numpy as np

from helpers.exercises import check
from helpers.exercises.require import (
    array,
    attempt_for,
    call,
    number,
    require,
    require_close,
    require_like,
    require_random_orders,
    require_right,
    same,
    twice,
)
from helpers.subjects.photoz.features import POGSON, colours

TO_SIGMA = 1.4826  # times the median absolute deviation: the deviation of normal errors


@check(
    "03.asinh_colours",
    hints=[
        "First replace -99 by NaN, for instance with np.where(flux == -99, np.nan, flux): NaN "
        "then stays NaN.",
        "The magnitude is "
        "25 - 2.5 / np.log(10) * (np.arcsinh(flux / (2 * softening)) + np.log(softening)).",
        "np.triu_indices(k, 1) gives all pairs of k bands; the colour is "
        "magnitude[:, first] - magnitude[:, second].",
    ],
    returns=array,
)
def asinh_colours(attempt, reference):
    """Three galaxies, a bright one, a faint one and one with a gap; then other bands."""
    flux = np.array([[100.0, 150.0, 300.0], [0.4, -0.3, 2.0], [5.0, -99.0, 40.0]])
    softening = np.array([0.3, 0.4, 0.8])
    found = call(attempt, flux, softening)
    expected = reference(flux, softening)
    _require_finite_colours(found, np.isnan(expected))
    slips = _colour_slips(np.where(flux == -99, np.nan, flux), softening, expected)
    require_right(found, expected, "the colours are {found}, expected {expected}", slips)
    rng = np.random.default_rng(6)
    five = rng.exponential(5, (40, 5))
    softening = rng.uniform(0.2, 1, 5)
    five[[3, 8, 8], [1, 0, 4]] = -99
    faint = five.copy()
    faint[:, 2] -= 98.5
    unknown = five.copy()
    unknown[[2, 5], [3, 1]] = np.nan
    cases = {
        "five bands": (five, softening),
        "fluxes far below 0, of which only -99 means missing,": (faint, softening),
        "a flux that is NaN": (unknown, softening),
        "one galaxy in two bands": (five[:1, :2], softening[:2]),
    }
    require_like(attempt, reference, cases)


def _require_finite_colours(found, missing):
    """Raise `NotYet` unless the colours of three galaxies in three bands are NaN where missing."""
    neighbours = "these are the colours of neighbouring bands"
    everything = "take all pairs, the first and third too"
    require(found.shape != (3, 2), f"{neighbours}: {everything}")
    shape = f"the colours have shape {found.shape}, expected (3, 3)"
    require(found.shape == (3, 3), f"{shape}: one row a galaxy, one column a pair")
    is_nan = np.isnan(found)
    unmeasured = "the band with -99 was not measured: its colours have to be NaN, not a number"
    require(is_nan[missing].all(), unmeasured)
    spoilt = "a colour of two bands that were measured is NaN: -99 in a third band spoils it"
    require(np.isfinite(found[2, ~missing[2]]).all(), spoilt)
    remedy = "the inverse hyperbolic sine has no such problem"
    require(np.isfinite(found[1]).all(), f"a negative flux gives NaN or infinity: {remedy}")


def _colour_slips(flux, softening, expected):
    half = np.arcsinh(flux / (2 * softening))
    whole = np.arcsinh(flux / softening)
    zero_points = np.log(softening)
    limited = np.log10(np.where(flux < softening, softening, flux))
    return {
        "the sign is wrong: the colour is the first band minus the second, in magnitudes": [
            -expected
        ],
        "+ ln b is left out: bands with different softening then have different zero points": [
            colours(-POGSON * half)
        ],
        "the argument of arcsinh is f / b, expected f / 2b": [
            colours(-POGSON * (whole + zero_points))
        ],
        "that is a logarithm with a lower limit: what lies below it is all the same then": [
            colours(-2.5 * limited)
        ],
        "the factor is 2.5 / ln 10, found 2.5: arcsinh is a natural logarithm": [
            expected * np.log(10)
        ],
    }


@check(
    "03.sigma_nmad",
    hints=[
        "Start from d = (predicted - true) / (1 + true).",
        "The median absolute deviation is the median of |d - median(d)|.",
        "1.4826 times that equals the standard deviation if d has a normal distribution.",
    ],
    returns=number,
)
def sigma_nmad(attempt, reference):
    """201 galaxies with a common shift and 15 outliers; then other errors and numbers."""
    rng = np.random.default_rng(1)
    true = rng.uniform(0.2, 3, 201)
    predicted = true + (1 + true) * (0.03 + 0.05 * rng.standard_normal(201))
    predicted[:15] += 2
    found = call(attempt, predicted, true)
    expected = reference(predicted, true)
    slips = _scatter_slips(predicted, true)
    reason = "for the test values it is {found}, expected {expected}"
    require_right(found, expected, reason, slips, rtol=3e-3)
    rounding = found / expected  # 1.48 will do for 1.4826, but then everywhere
    one_sided = true + (1 + true) * rng.exponential(0.05, 201)
    many = rng.uniform(0, 0.4, 1000)
    below = many + (1 + many) * 0.3 * rng.standard_normal(1000)
    cases = {
        "errors to one side": (one_sided, true),
        "an even number of galaxies": (one_sided[:64], true[:64]),
        "three galaxies": (predicted[-3:], true[-3:]),
        "1000 galaxies, some at a predicted redshift below 0,": (below, many),
    }
    require_like(attempt, lambda *given: rounding * reference(*given), cases, rtol=1e-5)


def _scatter_slips(predicted, true):
    difference = predicted - true
    d = difference / (1 + true)
    by_predicted = difference / (1 + predicted)
    from_median = abs(d - np.median(d))
    before = abs(difference - np.median(difference)) / (1 + true)
    return {
        "that is the standard deviation, which a few outliers rule": [np.std(d)],
        "the median of d is not subtracted: a common shift is a bias, not scatter": [
            TO_SIGMA * np.median(abs(d))
        ],
        "the factor 1.4826 is missing, which makes it a standard deviation for normal errors": [
            _deviation(d)
        ],
        "the division by 1 + z is missing": [TO_SIGMA * _deviation(difference)],
        "it is divided by 1 + predicted: take the true redshift": [
            TO_SIGMA * _deviation(by_predicted)
        ],
        "the absolute value is taken before the median is subtracted: d has a sign": [
            TO_SIGMA * _deviation(abs(d))
        ],
        "the mean is subtracted, expected the median": [TO_SIGMA * np.median(abs(d - d.mean()))],
        "that is the mean of the absolute deviations, expected their median": [
            TO_SIGMA * np.mean(from_median)
        ],
        "the median is subtracted before the division by 1 + z, expected after it": [
            TO_SIGMA * np.median(before)
        ],
    }


def _deviation(values):
    """Return the median absolute deviation."""
    return np.median(abs(values - np.median(values)))


def _rows(values):
    """Return rows of a table as an array of positions, also where they are given as a mask."""
    values = array(values, "positions of rows")
    rows = np.flatnonzero(values) if values.dtype == bool else values
    whole = rows.dtype.kind in "iu" or not rows.size
    require(whole, "expected positions of rows, found other numbers")
    return rows


def _splits(found):
    """Return splits as a list of pairs of arrays (train, test), or raise `NotYet`."""
    pairs = list(found) if np.iterable(found) else []
    require(pairs, "nothing is returned: expected a list of pairs (train, test)")
    paired = all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs)
    require(paired, "expected a list of pairs (train, test), found something else")
    return [(_rows(train), _rows(test)) for train, test in pairs]


# The letters of the five fields, their middles and half of their extent in declination [°].
FIELDS = np.array(["a", "c", "g", "g", "u"], dtype=object)  # as a column of a table has them
MIDDLES = np.array([52.8, 2.35, 62.2, -27.8, -5.2])
EXTENTS = np.array([0.4, 0.2, 0.15, 0.15, 0.1])


@check(
    "03.leave_one_field_out",
    hints=[
        "The letter g stands for two fields: make a name of the letter and the sign of the "
        "declination.",
        "np.char.add(field.astype(str), np.where(dec > 0, '+', '-')) is such a name; np.unique "
        "gives all of them.",
        "For each name: test = np.flatnonzero(names == name), "
        "train = np.flatnonzero(names != name).",
    ],
    returns=_splits,
)
def leave_one_field_out(attempt, reference):
    """The five fields, with few galaxies and with more."""
    rng = np.random.default_rng(2)
    for counts in ([8, 5, 7, 6, 4], [40, 90, 30, 55, 20]):
        which = rng.permutation(np.repeat(np.arange(5), counts))
        dec = MIDDLES[which] + EXTENTS[which] * rng.uniform(-1, 1, len(which))
        pairs, _ = twice(partial(call, attempt, FIELDS[which], dec))
        _require_splits(pairs, which)


def _require_splits(pairs, which):
    """Raise `NotYet` unless these pairs of rows leave out one field after the other.

    Parameters
    ----------
    pairs : list of (array, array)
        Rows to train on and rows to test on.
    which : array of int, shape (n,)
        The field of each row.
    """
    trained = [set(which[train]) for train, _ in pairs]
    tested = [set(which[test]) for _, test in pairs]
    crossing = any(set(train) & set(test) for train, test in pairs)
    require(not crossing, "a galaxy is in the training and in the test rows of the same split")
    exchanged = len(pairs) == 5 and all(len(fields) == 1 for fields in trained)
    order = "train on four fields, test on the one left out"
    require(not exchanged, f"training and test rows are exchanged: {order}")
    sizes = [len(fields) for fields in tested]
    both = "GOODS-N and GOODS-S are both called g, the declination tells them apart"
    one_g = len(pairs) == 4 and 2 in sizes
    require(not one_g, f"there are 4 splits, expected 5: {both}")
    torn = len(pairs) > 5 and set(sizes) == {1}
    cause = "a field is torn apart, as its declinations differ a little"
    require(not torn, f"there are {len(pairs)} splits, expected 5: {cause}")
    shared = any(fields & others for fields, others in zip(trained, tested, strict=True))
    cause = "then nothing is left out"
    require(not shared, f"a field is in the training and in the test rows of a split: {cause}")
    require(len(pairs) == 5, f"there are {len(pairs)} splits, expected 5: one for each field")
    rows = np.concatenate([test for _, test in pairs])
    once = np.array_equal(np.sort(rows), np.arange(len(which)))
    require(once, "each galaxy has to be tested exactly once")
    for train, test in pairs:
        whole = len(set(train)) + len(test) == len(which)
        require(whole, "some galaxies of the other four fields are not trained on")
        require(len(set(train)) == len(train), "a galaxy is trained on twice")


@check(
    "03.chi2",
    hints=[
        "With the weights w = 1 / error², the best amplitude is Σ w f m / Σ w m²; a galaxy "
        "cannot have a negative one.",
        "χ² = Σ w (f - a m)², over the bands that were measured.",
        "np.nansum, or known = np.isfinite(flux) with flux[known], leaves out what was not "
        "measured.",
    ],
    returns=number,
)
def chi2(attempt, reference):
    """Four bands, one of them not measured; then a negative amplitude, and other bands."""
    flux = np.array([1.0, 2.5, np.nan, 6.0])
    error = np.array([0.2, 0.3, np.nan, 0.5])
    template = np.array([0.5, 1.0, 2.0, 2.2])
    found = call(attempt, flux, error, template)
    missing = "a missing flux makes χ² NaN: leave out the bands that were not measured"
    require(np.isfinite(found), missing)
    known = np.isfinite(flux)
    slips = _chi2_slips(flux[known], error[known], template[known])
    expected = reference(flux, error, template)
    require_right(found, expected, "χ² is {found}, expected {expected}", slips)
    negative = call(attempt, np.array([-1.0, -2.0]), np.ones(2), np.ones(2))
    remedy = "a negative amplitude is no galaxy, take 0"
    reason = f"for the fluxes -1, -2 χ² is {negative:.3g}, expected 5: {remedy}"
    require(abs(negative - 5) < 1e-3, reason)
    rng = np.random.default_rng(7)
    model = rng.uniform(0.1, 3, 9)
    errors = rng.uniform(0.1, 0.6, 9)
    noisy = 1.7 * model + errors * rng.standard_normal(9)
    dip = np.where(np.arange(9) == 2, -noisy, noisy)
    gaps = np.where(np.isin(np.arange(9), [0, 4]), np.nan, noisy)
    cases = {
        "nine bands": (noisy, errors, model),
        "one negative flux": (dip, errors, model),
        "two missing fluxes, but no missing errors,": (gaps, errors, model),
        "a single band": (noisy[:1], errors[:1], model[:1]),
    }
    require_like(attempt, reference, cases, rtol=1e-3)


def _chi2_slips(flux, error, template):
    weight = 1 / error**2
    amplitude = (weight * flux) @ template / ((weight * template) @ template)
    unweighted = (flux @ template) / (template @ template)
    residual = flux - amplitude * template
    right = np.sum(weight * residual**2)
    return {
        "the template is not scaled: fit its amplitude first": [
            np.sum(weight * (flux - template) ** 2)
        ],
        "the amplitude is that of plain least squares: weigh each band by 1 / error²": [
            np.sum(weight * (flux - unweighted * template) ** 2)
        ],
        "the squared difference is divided by the error, expected by the squared error": [
            np.sum(residual**2 / error)
        ],
        "the errors are not used in χ²": [np.sum(residual**2)],
        "that is half of χ², or minus the logarithm of the likelihood": [right / 2],
        "that is χ² for each band, expected the sum": [right / len(flux)],
    }


@check(
    "03.permutation_importance",
    hints=[
        "Compute the mean squared error once as it is, and once more for each column after "
        "shuffling that column.",
        "rng.permutation(values) returns a shuffled copy; shuffle a copy of X, and each column on "
        "its own.",
        "importance[j] = mse(predict(shuffled), y) - mse(predict(X), y).",
    ],
    returns=array,
)
def permutation_importance(attempt, reference):
    """Many rows of a linear model, whose importances are known; then every shuffled column."""
    rng = np.random.default_rng(3)
    rows = 4000
    X = rng.normal(size=(rows, 4)) * [1, 1, 3, 1]
    weights = np.array([2.0, 1.0, 0.0, -1.5])
    y = X @ weights + 0.1 * rng.standard_normal(rows)

    def predict(values):
        return np.asarray(values) @ weights

    found = call(attempt, predict, X, y, np.random.default_rng(4))
    shape = f"the importances have shape {found.shape}, expected (4,): one number a column"
    require(found.shape == (4,), shape)
    base = np.mean((predict(X) - y) ** 2)
    variance = weights**2 * X.var(axis=0)
    _require_importances(found, 2 * variance, variance, base)
    _require_shuffles(attempt, (30, 3), seeds=25)
    _require_shuffles(attempt, (4100, 5), seeds=2)
    _require_shuffles(attempt, (9, 1), seeds=2)


def _require_importances(found, expected, variance, base):
    """Raise `NotYet` unless these are the importances for a linear model.

    Parameters
    ----------
    found, expected : array, shape (4,)
        The model does not use the third column.
    variance : array, shape (4,)
        Of each column, times its squared weight.
    base : float
        The mean squared error before anything is shuffled.
    """

    def near(values, scale=1.0):
        return np.allclose(found, values, rtol=0.2, atol=0.05 * scale)

    unused = found[2]
    copied = "is the shuffled copy the one that is predicted from?"
    require(not same(found, np.zeros(4)), f"all importances are 0: {copied}")
    sign = "the sign is wrong: what gets worse without a column is important"
    require(not near(-expected), sign)
    fresh = "columns stay shuffled while the next is tried: shuffle a fresh copy"
    require(not near(np.cumsum(expected)), fresh)
    without_base = abs(unused - base) < 0.1 * base
    zero = "a column that is not used has to have the importance 0"
    require(not without_base, f"the error without shuffling is not subtracted: {zero}")
    is_ratio = near(expected / base, 1 / base)
    difference = "expected the difference of the mean squared errors"
    require(not is_ratio, f"that is the ratio of the errors: {difference}")
    reason = f"the column that the model does not use has the importance {unused:.2g}, expected 0"
    require(abs(unused) < 1e-6, reason)
    constant = np.allclose(found, variance, rtol=0.08, atol=0.02)
    require(not constant, "the column is replaced by one number, expected a shuffled column")
    reason = f"the importances are {np.round(found, 2)}, expected about {np.round(expected, 2)}"
    require(np.allclose(found, expected, rtol=0.15), reason)


def _require_shuffles(attempt, shape, seeds):
    """Raise `NotYet` unless an attempt shuffles one column at a time, and compares the errors.

    Parameters
    ----------
    attempt : callable
    shape : (int, int)
        Of X: its columns are skewed, and belong together.
    seeds : int
        Of how many seeds; with many it is looked at whether the orders are random.
    """
    rng = np.random.default_rng(8)
    X = rng.exponential(size=shape).cumsum(axis=1)
    y = X[:, 0] * X[:, -1] + 0.5 * X.sum(axis=1)
    given = []

    def predict(values):
        values = np.array(values, dtype=float)
        given.append(values)
        return values[:, 0] * values[:, -1] - values.sum(axis=1) + 1

    def importances(seed):
        given.clear()
        name = f"{shape[0]} rows and the number of columns {shape[1]}"
        return attempt_for(name, attempt, predict, X, y, np.random.default_rng(seed))

    first, again = twice(partial(importances, 0))
    elsewhere = "numbers are drawn elsewhere: draw all of them from the rng that is given"
    require(same(first, again), elsewhere)
    orders = []
    for seed in range(seeds):
        found = importances(seed)
        unused = seed == 1 and same(found, first)
        require(not unused, "the rng that is given is not used: two give the same")
        rises = [[] for _ in range(shape[1])]
        base = np.mean((predict(X) - y) ** 2)
        for values in list(given):
            column = _shuffled_column(values, X)
            if column is not None:
                rises[column].append(np.mean((predict(values) - y) ** 2) - base)
                orders.append(_order(X[:, column], values[:, column]))
        require(all(rises), "a column is never shuffled: shuffle each of them once")
        means = [np.mean(column) for column in rises]
        expected = "{found}, expected {expected}, below 0 too where that is so"
        require_close(found, means, f"for columns that belong together it is {expected}")
    if seeds > 2:
        require_random_orders(np.array(orders))


def _shuffled_column(values, X):
    """Return which column of X is shuffled among values, or None; raise `NotYet` if it is not."""
    if values.shape != X.shape:
        return None
    changed = np.flatnonzero((values != X).any(axis=0))
    require(len(changed) < 2, "more than one column is changed at a time: start from X for each")
    if not changed.size:
        return None
    (column,) = changed
    kept = np.array_equal(np.sort(values[:, column]), np.sort(X[:, column]))
    remedy = "only reorder them, each of them once"
    require(kept, f"the column has other values than before: {remedy}")
    return column


def _order(before, after):
    """Return where each value, of which there are no two alike, came from."""
    return np.argsort(before)[np.argsort(np.argsort(after))]
