"""Checks and hints of the exercises of hack 03: what a wrong attempt got wrong, in one sentence each."""

import numpy as np

from helpers.exercises import check
from helpers.exercises.require import (
    array,
    attempt_for,
    call,
    number,
    refuse,
    require,
    require_close,
    require_like,
    require_random_orders,
    same,
    twice,
)
from helpers.subjects.photoz.features import POGSON, colours


@check(
    "03.asinh_colours",
    hints=[
        "First replace -99 by NaN, for instance with np.where(flux == -99, np.nan, flux): NaN then stays NaN.",
        "The magnitude is 25 - 2.5 / np.log(10) * (np.arcsinh(flux / (2 * softening)) + np.log(softening)).",
        "np.triu_indices(k, 1) gives all pairs of k bands; the colour is magnitude[:, first] - magnitude[:, second].",
    ],
    returns=array,
)
def asinh_colours(attempt, reference):
    flux = np.array([[100.0, 150.0, 300.0], [0.4, -0.3, 2.0], [5.0, -99.0, 40.0]])
    softening = np.array([0.3, 0.4, 0.8])
    found, expected = call(attempt, flux, softening), reference(flux, softening)
    require(
        found.shape != (3, 2),
        "these are the colours of neighbouring bands: take all pairs, the first and third too",
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
    wrong = {
        "the sign is wrong: the colour is the first band minus the second, in magnitudes": -expected,
        "+ ln b is left out: bands with different softening then have different zero points": without_ln,
        "the argument of arcsinh is f / b, expected f / 2b": without_two,
        "that is a logarithm with a lower limit: what lies below it is all the same then": clipped,
        "the factor is 2.5 / ln 10, found 2.5: arcsinh is a natural logarithm": expected
        * np.log(10),
    }
    for reason, value in wrong.items():
        refuse(found, reason, value)
    require_close(found, expected, "the colours are {found}, expected {expected}")
    rng = np.random.default_rng(6)
    five, softenings = rng.exponential(5, (40, 5)), rng.uniform(0.2, 1, 5)
    five[[3, 8, 8], [1, 0, 4]] = -99
    faint, unknown = five.copy(), five.copy()
    faint[:, 2] -= 98.5
    unknown[[2, 5], [3, 1]] = np.nan
    cases = {
        "five bands": (five, softenings),
        "fluxes far below 0, of which only -99 means missing,": (faint, softenings),
        "a flux that is NaN": (unknown, softenings),
        "one galaxy in two bands": (five[:1, :2], softenings[:2]),
    }
    require_like(attempt, reference, cases)


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
    rng = np.random.default_rng(1)
    true = rng.uniform(0.2, 3, 201)
    predicted = true + (1 + true) * (0.03 + 0.05 * rng.standard_normal(201))
    predicted[:15] += 2
    found, expected = call(attempt, predicted, true), reference(predicted, true)
    d = (predicted - true) / (1 + true)
    plain = predicted - true

    def is_value(value):
        return abs(found - value) < 1e-6 * abs(value)

    wrong = {
        "that is the standard deviation, which a few outliers rule": np.std(d),
        "the median of d is not subtracted: a common shift is a bias, not scatter": 1.4826
        * np.median(np.abs(d)),
        "the factor 1.4826 is missing, which makes it a standard deviation for normal errors": expected
        / 1.4826,
        "the division by 1 + z is missing": 1.4826 * np.median(np.abs(plain - np.median(plain))),
        "it is divided by 1 + predicted: take the true redshift": 1.4826
        * _mad(plain / (1 + predicted)),
        "the absolute value is taken before the median is subtracted: d has a sign": 1.4826
        * _mad(np.abs(d)),
        "the mean is subtracted, expected the median": 1.4826 * np.median(np.abs(d - d.mean())),
        "that is the mean of the absolute deviations, expected their median": 1.4826
        * np.mean(np.abs(d - np.median(d))),
        "the median is subtracted before the division by 1 + z, expected after it": 1.4826
        * np.median(np.abs(plain - np.median(plain)) / (1 + true)),
    }
    for reason, value in wrong.items():
        require(not is_value(value), reason)
    require_close(
        found, expected, "for the test values it is {found}, expected {expected}", rtol=3e-3
    )
    rounding = found / expected  # 1.48 will do for 1.4826, but then everywhere
    one_sided = true + (1 + true) * rng.exponential(0.05, 201)
    cases = {
        "errors to one side": (one_sided, true),
        "an even number of galaxies": (one_sided[:64], true[:64]),
        "three galaxies": (predicted[-3:], true[-3:]),
    }
    require_like(attempt, lambda *given: rounding * reference(*given), cases, rtol=1e-5)


def _mad(values):
    return np.median(np.abs(values - np.median(values)))


def _rows(values):
    """Return rows of a table as an array of positions, also where they are given as a mask."""
    values = array(values, "positions of rows")
    rows = np.flatnonzero(values) if values.dtype == bool else values
    require(
        rows.dtype.kind in "iu" or not rows.size, "expected positions of rows, found other numbers"
    )
    return rows


def _splits(found):
    """Return splits as a list of pairs of arrays (train, test), or raise `NotYet`."""
    pairs = list(found) if np.iterable(found) else []
    require(pairs, "nothing is returned: expected a list of pairs (train, test)")
    paired = all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs)
    require(paired, "expected a list of pairs (train, test), found something else")
    return [(_rows(train), _rows(test)) for train, test in pairs]


@check(
    "03.leave_one_field_out",
    hints=[
        "The letter g stands for two fields: make a name of the letter and the sign of the declination.",
        "np.char.add(field.astype(str), np.where(dec > 0, '+', '-')) is such a name; np.unique gives all of them.",
        "For each name: test = np.flatnonzero(names == name), train = np.flatnonzero(names != name).",
    ],
    returns=_splits,
)
def leave_one_field_out(attempt, reference):
    rng = np.random.default_rng(2)
    letters = np.array(["a", "c", "g", "g", "u"], dtype=object)  # as a column of a table has them
    centres, reach = (
        np.array([52.8, 2.35, 62.2, -27.8, -5.2]),
        np.array([0.4, 0.2, 0.15, 0.15, 0.1]),
    )
    for numbers in ([8, 5, 7, 6, 4], [40, 90, 30, 55, 20]):
        which = rng.permutation(np.repeat(np.arange(5), numbers))
        dec = centres[which] + reach[which] * rng.uniform(-1, 1, len(which))
        _require_splits(call(attempt, letters[which], dec), which)


def _require_splits(pairs, which):
    """Raise `NotYet` unless these pairs of rows leave out one field after the other, of which each row has one."""
    for train, test in pairs:
        require(
            not set(train) & set(test),
            "a galaxy is in the training and in the test rows of the same split",
        )
    tested = np.concatenate([test for _, test in pairs])
    sizes = [len(set(which[test])) for _, test in pairs]
    exchanged = len(pairs) == 5 and all(len(set(which[train])) == 1 for train, _ in pairs)
    require(
        not exchanged,
        "training and test rows are exchanged: train on four fields, test on the one left out",
    )
    require(
        not (len(pairs) == 4 and 2 in sizes),
        "there are 4 splits, expected 5: GOODS-N and GOODS-S are both called g, the declination tells them apart",
    )
    reason = f"there are {len(pairs)} splits, expected 5: a field is torn apart, as its declinations differ a little"
    require(len(pairs) <= 5 or len(set(sizes)) > 1, reason)
    crossing = any(set(which[train]) & set(which[test]) for train, test in pairs)
    require(
        not crossing,
        "a field is in the training and in the test rows of a split: then nothing is left out",
    )
    require(len(pairs) == 5, f"there are {len(pairs)} splits, expected 5: one for each field")
    require(sorted(tested) == list(range(len(which))), "each galaxy has to be tested exactly once")
    for train, test in pairs:
        whole = len(set(train)) + len(test) == len(which)
        require(whole, "some galaxies of the other four fields are not trained on")
        require(len(set(train)) == len(train), "a galaxy is trained on twice")


@check(
    "03.chi2",
    hints=[
        "With the weights w = 1 / error², the best amplitude is Σ w f m / Σ w m²; a galaxy cannot have a negative one.",
        "χ² = Σ w (f - a m)², over the bands that were measured.",
        "np.nansum, or known = np.isfinite(flux) with flux[known], leaves out what was not measured.",
    ],
    returns=number,
)
def chi2(attempt, reference):
    flux, error = np.array([1.0, 2.5, np.nan, 6.0]), np.array([0.2, 0.3, np.nan, 0.5])
    template = np.array([0.5, 1.0, 2.0, 2.2])
    expected = float(reference(flux, error, template))
    found = call(attempt, flux, error, template)
    require(
        np.isfinite(found),
        "a missing flux makes χ² NaN: leave out the bands that were not measured",
    )
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
    rising = call(attempt, np.array([-1.0, -2.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    require(
        abs(rising - 5) < 1e-3,
        f"for the fluxes -1, -2 χ² is {rising:.3g}, expected 5: a negative amplitude is no galaxy, take 0",
    )
    rng = np.random.default_rng(7)
    model, errors = rng.uniform(0.1, 3, 9), rng.uniform(0.1, 0.6, 9)
    noisy = 1.7 * model + errors * rng.standard_normal(9)
    gaps = noisy.copy()
    gaps[[0, 4]] = np.nan
    cases = {
        "nine bands": (noisy, errors, model),
        "one negative flux": (noisy * np.where(np.arange(9) == 2, -1, 1), errors, model),
        "two missing fluxes, but no missing errors,": (gaps, errors, model),
        "a single band": (noisy[:1], errors[:1], model[:1]),
    }
    require_like(attempt, reference, cases, rtol=1e-3)


@check(
    "03.permutation_importance",
    hints=[
        "Compute the mean squared error once as it is, and once more for each column after shuffling that column.",
        "rng.permutation(values) returns a shuffled copy; shuffle a copy of X, and each column on its own.",
        "importance[j] = mse(predict(shuffled), y) - mse(predict(X), y).",
    ],
    returns=array,
)
def permutation_importance(attempt, reference):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4000, 4)) * [1, 1, 3, 1]
    weights = np.array([2.0, 1.0, 0.0, -1.5])
    y = X @ weights + 0.1 * rng.standard_normal(4000)

    def predict(values):
        return np.asarray(values) @ weights

    found = call(attempt, predict, X, y, np.random.default_rng(4))
    require(
        found.shape == (4,),
        f"the importances have shape {found.shape}, expected (4,): one number a column",
    )
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
    require(
        not fractions,
        "that is the ratio of the errors: expected the difference of the mean squared errors",
    )
    require(
        abs(found[2]) < 1e-6,
        f"the column that the model does not use has the importance {found[2]:.2g}, expected 0",
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
    _require_shuffles(attempt)


def _require_shuffles(attempt):
    """Raise `NotYet` unless an attempt shuffles one column at a time, at random, and compares the squared errors."""
    rng = np.random.default_rng(8)
    X = rng.exponential(size=(30, 3))
    X[:, 1] += X[:, 0]
    y = X[:, 0] * X[:, 1] + 0.5 * X[:, 2]
    given, orders = [], []

    def predict(values):
        given.append(np.array(values, dtype=float))
        return given[-1][:, 0] * given[-1][:, 1] - given[-1][:, 2] + 1

    def importances(seed):
        given.clear()
        return attempt_for(
            "30 rows of 3 columns", attempt, predict, X, y, np.random.default_rng(seed)
        )

    first, again = twice(lambda: importances(0))
    require(
        same(first, again),
        "numbers are drawn elsewhere: draw all of them from the rng that is given",
    )
    for seed in range(25):
        found = importances(seed)
        require(
            seed != 1 or not same(found, first),
            "the rng that is given is not used: two give the same",
        )
        tried = [[], [], []]
        base = np.mean((predict(X) - y) ** 2)
        for values in list(given):
            changed = np.flatnonzero((values != X).any(axis=0)) if values.shape == X.shape else []
            require(
                len(changed) < 2, "more than one column is changed at a time: start from X for each"
            )
            for j in changed:
                reason = (
                    "the column has other values than before: only reorder them, each of them once"
                )
                require(np.array_equal(np.sort(values[:, j]), np.sort(X[:, j])), reason)
                ranks = [np.argsort(np.argsort(column)) for column in (values[:, j], X[:, j])]
                orders.append(np.argsort(ranks[1])[ranks[0]])
                tried[j].append(np.mean((predict(values) - y) ** 2) - base)
        require(all(tried), "a column is never shuffled: shuffle each of them once")
        expected = [np.mean(rises) for rises in tried]
        reason = "for columns that belong together it is {found}, expected {expected}, below 0 too where that is so"
        require_close(found, expected, reason)
    require_random_orders(np.array(orders))
