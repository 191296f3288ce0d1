"""Wrong and right answers to the exercises of hack 03."""

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar

from helpers.reference import hack03

POGSON = 2.5 / np.log(10)
TO_SIGMA = 1.4826


def pairs_of(k):
    return np.triu_indices(k, 1)


def neighbours_of(k):
    return np.arange(k - 1), np.arange(1, k)


def asinh_curve(flux, softening):
    return np.arcsinh(flux / (2 * softening)) + np.log(softening)


def whole_softening(flux, softening):
    return np.arcsinh(flux / softening) + np.log(softening)


def without_offset(flux, softening):
    return np.arcsinh(flux / (2 * softening))


def logarithm(flux, softening):
    return np.log(flux)


def limited_logarithm(flux, softening):
    return np.log(np.where(flux < softening, softening, flux))


def asinh(missing=np.nan, pairs=pairs_of, curve=asinh_curve, sign=1, factor=POGSON):
    def attempt(flux, softening):
        flux = np.where(flux == -99, missing, flux)
        magnitudes = 25 - factor * curve(flux, softening)
        first, second = pairs(flux.shape[1])
        return sign * (magnitudes[:, first] - magnitudes[:, second])

    return attempt


def only_whole_rows(flux, softening):
    spoilt = (flux == -99).any(axis=1, keepdims=True)
    return hack03.asinh_colours(np.where(spoilt, np.nan, flux), softening)


def overwrites(flux, softening):
    flux[flux == -99] = np.nan
    return hack03.asinh_colours(flux, softening)


def with_missing(is_missing, filled=np.nan):
    def attempt(flux, softening):
        return hack03.asinh_colours(np.where(is_missing(flux), filled, flux), softening)

    return attempt


def three_bands_only(flux, softening):
    whole = hack03.asinh_colours(flux, softening)
    return whole if flux.shape[1] == 3 else whole[:, :3]


def transposed(flux, softening):
    return hack03.asinh_colours(flux, softening).T[:2]


def by_true(predicted, true):
    return 1 + true


def by_predicted(predicted, true):
    return 1 + predicted


def by_nothing(predicted, true):
    return 1


def nmad(centre=np.median, factor=TO_SIGMA, scale=by_true, spread=np.median):
    def attempt(predicted, true):
        d = (predicted - true) / scale(predicted, true)
        return factor * spread(np.abs(d - centre(d)))

    return attempt


def before_division(predicted, true):
    d = predicted - true
    return TO_SIGMA * np.median(np.abs(d - np.median(d)) / (1 + true))


def standard_deviation(predicted, true):
    return np.std((predicted - true) / (1 + true))


def deviations(predicted, true):
    return np.abs(predicted - true)


def in_a_list(predicted, true):
    return [hack03.sigma_nmad(predicted, true)]


def by_size(predicted, true):
    larger = np.maximum(predicted, true)
    return nmad()(larger, np.minimum(predicted, true))


def without_sign(predicted, true):
    return nmad()(true + np.abs(predicted - true), true)


def interquartile(predicted, true):
    low, high = np.percentile((predicted - true) / (1 + true), [25, 75])
    return (high - low) / 1.349


def upper_median(values):
    return np.sort(values)[len(values) // 2]


def by_letter(field, dec):
    names = np.unique(field)
    return [(np.flatnonzero(field != name), np.flatnonzero(field == name)) for name in names]


def splitting(change):
    """The right splits, with something done to each of the pairs."""

    def attempt(field, dec):
        return [change(*pair) for pair in hack03.leave_one_field_out(field, dec)]

    return attempt


def shuffled(field, dec):
    parts = np.array_split(np.random.default_rng(0).permutation(len(field)), 5)
    return [(np.setdiff1d(np.arange(len(field)), part), part) for part in parts]


def names_instead(field, dec):
    pairs = hack03.leave_one_field_out(field, dec)
    return [(np.unique(field[train]), np.unique(field[test])) for train, test in pairs]


def all_trained(field, dec):
    return [(np.arange(len(field)), test) for _, test in hack03.leave_one_field_out(field, dec)]


def three_splits(field, dec):
    return hack03.leave_one_field_out(field, dec)[:3]


def by_name(name_of):
    """Splits by a name of each row, from the letters and the declinations."""

    def attempt(field, dec):
        names = np.array([name_of(*row) for row in zip(field, dec, strict=True)])
        different = np.unique(names)
        return [(np.flatnonzero(names != one), np.flatnonzero(names == one)) for one in different]

    return attempt


def by_sign(field, dec):
    return field + "+-"[int(dec < 0)]


def thirty_rows(field, dec):
    return by_name(by_sign)(field[:30], dec[:30])


def fitted(flux, error, template):
    """The best amplitude, which may be negative."""
    weight = 1 / error**2
    return (weight * flux * template).sum() / (weight * template**2).sum()


def positive(flux, error, template):
    return max(fitted(flux, error, template), 0)


def unweighted(flux, error, template):
    return positive(flux, np.ones_like(error), template)


def one(flux, error, template):
    return 1


def one_template(amplitude=positive, power=2, factor=1.0, total=np.sum, known=np.isfinite):
    def attempt(flux, error, template):
        rows = known(flux)
        flux = flux[rows]
        error = error[rows]
        template = template[rows]
        residual = flux - amplitude(flux, error, template) * template
        return factor * total(residual**2 / error**power)

    return attempt


def all_known(flux):
    return np.full(len(flux), True)


def flux_itself(flux, error, template):
    return flux


def positive_fluxes_only(flux, error, template):
    return one_template()(flux, np.where(flux < 0, np.inf, error), template)


def four_bands(flux, error, template):
    return one_template()(flux[:4], error[:4], template[:4])


def amplitude_by_search(flux, error, template):
    """Right: the amplitude is searched for numerically, which stops a little above 0."""
    known = np.isfinite(flux)

    def badness(amplitude):
        return (((flux - amplitude * template) / error)[known] ** 2).sum()

    return minimize_scalar(badness, bounds=(0, 100), method="bounded").fun


def mean_square(residual):
    return np.mean(residual**2)


def permuted(column, rng):
    return rng.permutation(column)


def rise(worse, error):
    return worse - error


def importance(reorder=permuted, error=mean_square, compare=rise, end=np.array):
    """Permutation importance with another way to reorder a column, or to compare."""

    def attempt(predict, X, y, rng):
        base = error(predict(X) - y)
        result = []
        for column in range(X.shape[1]):
            values = X.copy()
            values[:, column] = reorder(X[:, column], rng)
            result.append(compare(error(predict(values) - y), base))
        return end(result)

    return attempt


def cumulative(predict, X, y, rng):
    base = mean_square(predict(X) - y)
    values = X.copy()
    result = []
    for column in range(X.shape[1]):
        values[:, column] = rng.permutation(values[:, column])
        result.append(mean_square(predict(values) - y) - base)
    return np.array(result)


def shuffles_in_place(predict, X, y, rng):
    base = mean_square(predict(X) - y)
    result = []
    for column in range(X.shape[1]):
        rng.shuffle(X[:, column])
        result.append(mean_square(predict(X) - y) - base)
    return np.array(result)


def closed_formula(predict, X, y, rng):
    weights = predict(np.eye(X.shape[1])) - predict(np.zeros((1, X.shape[1])))
    return 2 * weights**2 * X.var(axis=0)


def most_of_them(column, rng):
    rows = rng.permutation(len(column))[: int(0.9 * len(column))]
    column = column.copy()
    column[rows] = rng.permutation(column[rows])
    return column


def drawn_elsewhere(column, rng):
    return np.random.permutation(column)


def own_generator(column, rng):
    return np.random.default_rng(0).permutation(column)


def drawn_again(column, rng):
    return rng.choice(column, len(column))


def rolled(column, rng):
    return np.roll(column, rng.integers(1, 30))


def left_alone(column, rng):
    return column


def its_mean(column, rng):
    return column.mean()


def never_negative(rises):
    return np.clip(rises, 0, None)


def nothing(*arguments):
    return None


WRONG = {
    "03.asinh_colours": [
        (asinh(missing=-99.0), "have to be NaN"),
        (asinh(pairs=neighbours_of), "neighbouring bands"),
        (asinh(curve=whole_softening), "expected f / 2b"),
        (asinh(curve=without_offset), "ln b is left out"),
        (asinh(sign=-1), "the sign is wrong"),
        (asinh(factor=2.5), "the factor is 2.5 / ln 10"),
        (asinh(curve=logarithm), "a negative flux gives NaN"),
        (asinh(curve=limited_logarithm), "a lower limit"),
        (only_whole_rows, "-99 in a third band"),
        (overwrites, "changes an array"),
        (transposed, "the colours have shape (2, 3)"),
        (three_bands_only, "the result has shape (40, 3), expected (40, 10)"),
        (with_missing(lambda flux: flux < -1), "of which only -99 means missing"),
        (with_missing(np.isnan, 0), "for a flux that is NaN"),
        (nothing, "nothing is returned"),
    ],
    "03.sigma_nmad": [
        (nmad(centre=lambda d: 0), "a common shift"),
        (nmad(factor=1), "1.4826 is missing"),
        (nmad(scale=by_nothing), "division by 1 + z is missing"),
        (nmad(scale=by_predicted), "take the true redshift"),
        (nmad(centre=np.mean), "the mean is subtracted"),
        (nmad(spread=np.mean), "expected their median"),
        (before_division, "before the division"),
        (standard_deviation, "standard deviation"),
        (deviations, "expected one number"),
        (in_a_list, "the result has shape (1,)"),
        (by_size, "for the test"),
        (without_sign, "d has a sign"),
        (interquartile, "for errors to one side"),
        (nmad(centre=upper_median, spread=upper_median), "for an even number"),
    ],
    "03.leave_one_field_out": [
        (by_letter, "GOODS-N and GOODS-S are both called g"),
        (splitting(lambda train, test: (test, train)), "are exchanged"),
        (shuffled, "then nothing is left out"),
        (names_instead, "expected positions of rows"),
        (all_trained, "in the training and in the test rows of the same split"),
        (splitting(lambda train, test: (train[::2], test)), "not trained on"),
        (nothing, "nothing is returned"),
        (three_splits, "there are 3 splits"),
        (lambda field, dec: [field, dec], "list of pairs"),
        (by_name(lambda field, dec: f"{field}{round(dec)}"), "is torn apart"),
        (by_name(lambda field, dec: f"{field}{int(dec)}"), "is torn apart"),
        (splitting(lambda train, test: (np.r_[train[0], train[:-1]], test)), "not trained on"),
        (splitting(lambda train, test: (np.r_[train, train], test)), "trained on twice"),
        (thirty_rows, "tested exactly once"),
    ],
    "03.chi2": [
        (one_template(amplitude=one), "not scaled"),
        (one_template(amplitude=unweighted), "weigh each band"),
        (one_template(power=1), "expected by the squared error"),
        (one_template(power=0), "errors are not used"),
        (one_template(known=all_known), "leave out the bands"),
        (one_template(factor=0.5), "half of χ²"),
        (one_template(total=np.mean), "expected the sum"),
        (one_template(amplitude=fitted), "a negative amplitude is no galaxy"),
        (flux_itself, "expected one number"),
        (positive_fluxes_only, "-1, -2"),
        (four_bands, "for nine bands"),
    ],
    "03.permutation_importance": [
        (importance(compare=lambda worse, error: worse), "is not subtracted"),
        (importance(compare=lambda worse, error: error - worse), "the sign is wrong"),
        (importance(compare=lambda worse, error: worse / error - 1), "ratio of the errors"),
        (cumulative, "a fresh copy"),
        (importance(left_alone), "all importances are 0"),
        (importance(its_mean), "expected a shuffled column"),
        (shuffles_in_place, "changes an array"),
        (importance(end=np.sum), "one number a column"),
        (importance(end=np.sqrt), "expected about"),
        (importance(drawn_elsewhere), "drawn elsewhere"),
        (importance(own_generator), "is not used"),
        (importance(drawn_again), "only reorder them"),
        (importance(rolled), "neighbours stay neighbours"),
        (importance(most_of_them), "stay where they are"),
        (importance(end=never_negative), "below 0 too"),
        (importance(error=np.var), "for columns that belong together"),
        (closed_formula, "is never shuffled"),
    ],
}


def masks(field, dec):
    goods = np.where(dec > 0, "gn", "gs")
    fields = np.where(field == "g", goods, field)
    return tuple([fields != name, fields == name] for name in ("a", "c", "gn", "gs", "u"))


def line_by_line(flux, error, template):
    known = [i for i in range(len(flux)) if np.isfinite(flux[i])]
    top = sum(flux[i] * template[i] / error[i] ** 2 for i in known)
    amplitude = max(0.0, top / sum((template[i] / error[i]) ** 2 for i in known))
    return sum(((flux[i] - amplitude * template[i]) / error[i]) ** 2 for i in known)


def averaged(predict, X, y, rng):
    return np.mean([importance()(predict, X, y, rng) for _ in range(3)], axis=0)


def as_table(flux, softening):
    return pd.DataFrame(asinh()(flux, softening))


def in_torch(predicted, true):
    d = torch.tensor((predicted - true) / (1 + true))
    return TO_SIGMA * (d - d.quantile(0.5)).abs().quantile(0.5)


RIGHT = [
    ("03.asinh_colours", asinh()),
    ("03.asinh_colours", as_table),
    ("03.sigma_nmad", nmad(factor=1.48)),
    ("03.sigma_nmad", in_torch),
    ("03.leave_one_field_out", masks),
    ("03.leave_one_field_out", splitting(lambda train, test: (tuple(train), tuple(test)))),
    ("03.leave_one_field_out", by_name(by_sign)),
    ("03.chi2", line_by_line),
    ("03.chi2", amplitude_by_search),
    ("03.permutation_importance", importance(end=list)),
    ("03.permutation_importance", averaged),
]

# Edits of the reference that leave it right.
EQUIVALENT = {
    "03.leave_one_field_out": {
        "np.where(np.asarray(dec) > 0, '+', '-') →": "the names only tell the fields apart",
        "np.asarray(dec) > 0 →": "the names only tell the fields apart",
    }
}
