"""Exercises of hack 03: the solved version is accepted, plausible wrong answers are told what is wrong."""

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar

from helpers.reference import hack03

POGSON = 2.5 / np.log(10)


def asinh(
    missing=np.nan, pairs="all", half=2.0, offset=True, sign=1, factor=POGSON, logarithm=False
):
    def attempt(flux, softening):
        flux = np.where(flux == -99, missing, flux)
        curve = np.arcsinh(flux / (half * softening)) + (np.log(softening) if offset else 0)
        magnitudes = 25 - factor * curve
        if logarithm == "clip":
            magnitudes = 25 - 2.5 * np.log10(np.where(flux < softening, softening, flux))
        elif logarithm:
            magnitudes = 25 - 2.5 * np.log10(flux)
        k = flux.shape[1]
        first, second = (
            np.triu_indices(k, 1) if pairs == "all" else (np.arange(k - 1), np.arange(1, k))
        )
        return sign * (magnitudes[:, first] - magnitudes[:, second])

    return attempt


def only_whole_rows(flux, softening):
    flux = np.where((flux == -99).any(axis=1, keepdims=True), np.nan, flux)
    return hack03.asinh_colours(flux, softening)


def overwrites(flux, softening):
    flux[flux == -99] = np.nan
    return hack03.asinh_colours(flux, softening)


def nmad(centre=np.median, factor=1.4826, scale="true", spread=np.median):
    def attempt(predicted, true):
        d = predicted - true
        d = (
            d / (1 + true)
            if scale == "true"
            else d / (1 + predicted)
            if scale == "predicted"
            else d
        )
        return factor * spread(np.abs(d - centre(d)))

    return attempt


def before_division(predicted, true):
    d = predicted - true
    return 1.4826 * np.median(np.abs(d - np.median(d)) / (1 + true))


def by_letter(field, dec):
    return [
        (np.flatnonzero(field != name), np.flatnonzero(field == name)) for name in np.unique(field)
    ]


def exchanged(field, dec):
    return [pair[::-1] for pair in hack03.leave_one_field_out(field, dec)]


def shuffled(field, dec):
    parts = np.array_split(np.random.default_rng(0).permutation(len(field)), 5)
    return [(np.setdiff1d(np.arange(len(field)), part), part) for part in parts]


def names_instead(field, dec):
    return [
        (np.unique(field[train]), np.unique(field[test]))
        for train, test in hack03.leave_one_field_out(field, dec)
    ]


def all_trained(field, dec):
    return [(np.arange(len(field)), test) for _, test in hack03.leave_one_field_out(field, dec)]


def half_trained(field, dec):
    return [(train[::2], test) for train, test in hack03.leave_one_field_out(field, dec)]


def by_name(name_of):
    """Splits by a name of each row, from the letters and the declinations."""

    def attempt(field, dec):
        names = np.array([name_of(*row) for row in zip(field, dec, strict=True)])
        splits = [
            (np.flatnonzero(names != name), np.flatnonzero(names == name))
            for name in np.unique(names)
        ]
        return splits

    return attempt


def first_rows_twice(field, dec):
    return [
        (np.r_[train[0], train[:-1]], test)
        for train, test in hack03.leave_one_field_out(field, dec)
    ]


def with_missing(is_missing, filled=np.nan):
    def attempt(flux, softening):
        return hack03.asinh_colours(np.where(is_missing(flux), filled, flux), softening)

    return attempt


def three_bands_only(flux, softening):
    whole = hack03.asinh_colours(flux, softening)
    return whole if flux.shape[1] == 3 else whole[:, :3]


def interquartile(predicted, true):
    low, high = np.percentile((predicted - true) / (1 + true), [25, 75])
    return (high - low) / 1.349


def upper_median(values):
    return np.sort(values)[len(values) // 2]


def amplitude_by_search(flux, error, template):
    """Right: the amplitude is searched for numerically, which stops a little above 0."""
    known = np.isfinite(flux)

    def badness(amplitude):
        return (((flux - amplitude * template) / error)[known] ** 2).sum()

    return minimize_scalar(badness, bounds=(0, 100), method="bounded").fun


def one_template(
    scale=True, weighted=True, power=2, gaps=True, factor=1.0, positive=True, mean=False
):
    def attempt(flux, error, template):
        known = np.isfinite(flux) if gaps else np.full(len(flux), True)
        f, e, m = flux[known], error[known], template[known]
        w = 1 / e**2 if weighted else np.ones_like(e)
        amplitude = (w * f * m).sum() / (w * m**2).sum() if scale else 1.0
        amplitude = max(amplitude, 0) if positive else amplitude
        terms = factor * (f - amplitude * m) ** 2 / e**power
        return terms.mean() if mean else terms.sum()

    return attempt


def shuffling(
    base=True, sign=1, cumulative=False, ratio=False, same=False, constant=False, root=False
):
    def attempt(predict, X, y, rng):
        error = np.mean((predict(X) - y) ** 2)
        result, values = [], X.copy()
        for column in range(X.shape[1]):
            values = values if cumulative else X.copy()
            values[:, column] = X[:, column].mean() if constant else rng.permutation(X[:, column])
            worse = np.mean((predict(X if same else values) - y) ** 2)
            result.append(worse / error - 1 if ratio else sign * (worse - (error if base else 0)))
        return np.sqrt(result) if root else np.array(result)

    return attempt


def shuffled_by(reorder, error=lambda residual: np.mean(residual**2), end=np.array):
    """Permutation importance with another way to reorder a column, or to compare."""

    def attempt(predict, X, y, rng):
        base = error(predict(X) - y)
        result = []
        for column in range(X.shape[1]):
            values = X.copy()
            values[:, column] = reorder(X[:, column], rng)
            result.append(error(predict(values) - y) - base)
        return end(result)

    return attempt


def most_of_them(column, rng):
    rows = rng.permutation(len(column))[: int(0.9 * len(column))]
    column = column.copy()
    column[rows] = rng.permutation(column[rows])
    return column


def closed_formula(predict, X, y, rng):
    weights = predict(np.eye(X.shape[1])) - predict(np.zeros((1, X.shape[1])))
    return 2 * weights**2 * X.var(axis=0)


def shuffles_in_place(predict, X, y, rng):
    base = np.mean((predict(X) - y) ** 2)
    result = []
    for column in range(X.shape[1]):
        rng.shuffle(X[:, column])
        result.append(np.mean((predict(X) - y) ** 2) - base)
    return np.array(result)


WRONG = {
    "03.asinh_colours": [
        (asinh(missing=-99.0), "have to be NaN"),
        (asinh(pairs="next"), "neighbouring bands"),
        (asinh(half=1.0), "expected f / 2b"),
        (asinh(offset=False), "ln b is left out"),
        (asinh(sign=-1), "the sign is wrong"),
        (asinh(factor=2.5), "the factor is 2.5 / ln 10"),
        (asinh(logarithm=True), "a negative flux gives NaN"),
        (asinh(logarithm="clip"), "a lower limit"),
        (only_whole_rows, "-99 in a third band"),
        (overwrites, "changes an array"),
        (lambda flux, softening: hack03.asinh_colours(flux, softening).T[:2], "shape"),
        (three_bands_only, "the result has shape (40, 3), expected (40, 10)"),
        (with_missing(lambda flux: flux < -1), "of which only -99 means missing"),
        (with_missing(np.isnan, 0), "for a flux that is NaN"),
        (lambda flux, softening: None, "nothing is returned"),
    ],
    "03.sigma_nmad": [
        (nmad(centre=lambda d: 0), "a common shift"),
        (nmad(factor=1), "1.4826 is missing"),
        (nmad(scale="none"), "division by 1 + z is missing"),
        (nmad(scale="predicted"), "take the true redshift"),
        (nmad(centre=np.mean), "the mean is subtracted"),
        (nmad(spread=np.mean), "expected their median"),
        (before_division, "before the division"),
        (lambda predicted, true: np.std((predicted - true) / (1 + true)), "standard deviation"),
        (lambda predicted, true: np.abs(predicted - true), "expected one number"),
        (lambda predicted, true: [hack03.sigma_nmad(predicted, true)], "the result has shape (1,)"),
        (
            lambda predicted, true: nmad()(
                np.maximum(predicted, true), np.minimum(predicted, true)
            ),
            "for the test",
        ),
        (lambda predicted, true: nmad()(true + np.abs(predicted - true), true), "d has a sign"),
        (interquartile, "for errors to one side"),
        (nmad(centre=upper_median, spread=upper_median), "for an even number"),
    ],
    "03.leave_one_field_out": [
        (by_letter, "GOODS-N and GOODS-S are both called g"),
        (exchanged, "are exchanged"),
        (shuffled, "then nothing is left out"),
        (names_instead, "expected positions of rows"),
        (all_trained, "in the training and in the test rows of the same split"),
        (half_trained, "not trained on"),
        (lambda field, dec: None, "nothing is returned"),
        (lambda field, dec: hack03.leave_one_field_out(field, dec)[:3], "there are 3 splits"),
        (lambda field, dec: [field, dec], "list of pairs"),
        (by_name(lambda field, dec: f"{field}{round(dec)}"), "is torn apart"),
        (by_name(lambda field, dec: f"{field}{int(dec)}"), "is torn apart"),
        (first_rows_twice, "not trained on"),
        (
            lambda field, dec: [
                (np.r_[a, a], b) for a, b in hack03.leave_one_field_out(field, dec)
            ],
            "trained on twice",
        ),
        (
            lambda field, dec: by_name(lambda f, d: f + "+-"[int(d < 0)])(field[:30], dec[:30]),
            "tested exactly once",
        ),
    ],
    "03.chi2": [
        (one_template(scale=False), "not scaled"),
        (one_template(weighted=False), "weigh each band"),
        (one_template(power=1), "expected by the squared error"),
        (one_template(power=0), "errors are not used"),
        (one_template(gaps=False), "leave out the bands"),
        (one_template(factor=0.5), "half of χ²"),
        (one_template(mean=True), "expected the sum"),
        (one_template(positive=False), "a negative amplitude is no galaxy"),
        (lambda flux, error, template: flux, "expected one number"),
        (
            lambda flux, error, template: one_template()(
                flux, np.where(flux < 0, np.inf, error), template
            ),
            "-1, -2",
        ),
        (
            lambda flux, error, template: one_template()(flux[:4], error[:4], template[:4]),
            "for nine bands",
        ),
    ],
    "03.permutation_importance": [
        (shuffling(base=False), "is not subtracted"),
        (shuffling(sign=-1), "the sign is wrong"),
        (shuffling(cumulative=True), "a fresh copy"),
        (shuffling(ratio=True), "ratio of the errors"),
        (shuffling(same=True), "all importances are 0"),
        (shuffling(constant=True), "expected a shuffled column"),
        (shuffles_in_place, "changes an array"),
        (lambda predict, X, y, rng: shuffling()(predict, X, y, rng).sum(), "one number a column"),
        (shuffling(root=True), "expected about"),
        (shuffled_by(lambda column, rng: np.random.permutation(column)), "drawn elsewhere"),
        (
            shuffled_by(lambda column, rng: np.random.default_rng(0).permutation(column)),
            "is not used",
        ),
        (shuffled_by(lambda column, rng: rng.choice(column, len(column))), "only reorder them"),
        (
            shuffled_by(lambda column, rng: np.roll(column, rng.integers(1, 30))),
            "neighbours stay neighbours",
        ),
        (shuffled_by(most_of_them), "stay where they are"),
        (
            shuffled_by(
                lambda column, rng: rng.permutation(column),
                end=lambda rises: np.clip(rises, 0, None),
            ),
            "below 0 too",
        ),
        (
            shuffled_by(lambda column, rng: rng.permutation(column), np.var),
            "for columns that belong together",
        ),
        (closed_formula, "is never shuffled"),
    ],
}


def masks(field, dec):
    fields = np.where(field == "g", np.where(dec > 0, "gn", "gs"), field)
    return tuple([fields != name, fields == name] for name in ("a", "c", "gn", "gs", "u"))


def as_tuples(field, dec):
    return [(tuple(train), tuple(test)) for train, test in hack03.leave_one_field_out(field, dec)]


def line_by_line(flux, error, template):
    known = [i for i in range(len(flux)) if np.isfinite(flux[i])]
    top = sum(flux[i] * template[i] / error[i] ** 2 for i in known)
    amplitude = max(0.0, top / sum((template[i] / error[i]) ** 2 for i in known))
    return sum(((flux[i] - amplitude * template[i]) / error[i]) ** 2 for i in known)


def in_torch(function):
    """Right: the same, as a tensor."""
    return lambda *arguments: torch.tensor(function(*arguments))


def averaged(predict, X, y, rng):
    return np.mean([shuffling()(predict, X, y, rng) for _ in range(3)], axis=0)


RIGHT = [
    ("03.asinh_colours", asinh()),
    ("03.asinh_colours", lambda flux, softening: pd.DataFrame(asinh()(flux, softening))),
    ("03.asinh_colours", lambda flux, softening: asinh()(flux, softening).tolist()),
    ("03.asinh_colours", in_torch(asinh())),
    ("03.sigma_nmad", nmad(factor=1.48)),
    ("03.sigma_nmad", in_torch(nmad())),
    ("03.sigma_nmad", lambda predicted, true: np.float32(nmad()(predicted, true))),
    ("03.leave_one_field_out", masks),
    ("03.leave_one_field_out", as_tuples),
    ("03.leave_one_field_out", by_name(lambda field, dec: field + "+-"[int(dec < 0)])),
    ("03.chi2", line_by_line),
    ("03.chi2", in_torch(line_by_line)),
    ("03.chi2", amplitude_by_search),
    ("03.permutation_importance", lambda *given: list(shuffling()(*given))),
    ("03.permutation_importance", averaged),
]

# Edits of the reference that leave it right.
EQUIVALENT = {
    "03.leave_one_field_out": {
        "np.where(np.asarray(dec) > 0, '+', '-') →": "the names only tell the fields apart",
        "np.asarray(dec) > 0 →": "the names only tell the fields apart",
    }
}
