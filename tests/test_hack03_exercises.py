"""Exercises of hack 03: the solved version is accepted, plausible wrong answers are told what is wrong."""

import numpy as np

import helpers.photoz  # noqa: F401 - registers the checks
from helpers import exercises
from helpers.reference import hack03

POGSON = 2.5 / np.log(10)


def asinh(missing=np.nan, pairs="all", half=2.0, offset=True, sign=1, factor=POGSON, logarithm=False):
    def attempt(flux, softening):
        flux = np.where(flux == -99, missing, flux)
        curve = np.arcsinh(flux / (half * softening)) + (np.log(softening) if offset else 0)
        magnitudes = 25 - factor * curve
        if logarithm == "clip":
            magnitudes = 25 - 2.5 * np.log10(np.where(flux < softening, softening, flux))
        elif logarithm:
            magnitudes = 25 - 2.5 * np.log10(flux)
        k = flux.shape[1]
        first, second = np.triu_indices(k, 1) if pairs == "all" else (np.arange(k - 1), np.arange(1, k))
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
        d = d / (1 + true) if scale == "true" else d / (1 + predicted) if scale == "predicted" else d
        return factor * spread(np.abs(d - centre(d)))

    return attempt


def before_division(predicted, true):
    d = predicted - true
    return 1.4826 * np.median(np.abs(d - np.median(d)) / (1 + true))


def by_letter(field, dec):
    return [(np.flatnonzero(field != name), np.flatnonzero(field == name)) for name in np.unique(field)]


def exchanged(field, dec):
    return [pair[::-1] for pair in hack03.leave_one_field_out(field, dec)]


def shuffled(field, dec):
    parts = np.array_split(np.random.default_rng(0).permutation(len(field)), 5)
    return [(np.setdiff1d(np.arange(len(field)), part), part) for part in parts]


def names_instead(field, dec):
    return [(np.unique(field[train]), np.unique(field[test])) for train, test in hack03.leave_one_field_out(field, dec)]


def all_trained(field, dec):
    return [(np.arange(len(field)), test) for _, test in hack03.leave_one_field_out(field, dec)]


def half_trained(field, dec):
    return [(train[::2], test) for train, test in hack03.leave_one_field_out(field, dec)]


def one_template(scale=True, weighted=True, power=2, gaps=True, factor=1.0, positive=True, mean=False):
    def attempt(flux, error, template):
        known = np.isfinite(flux) if gaps else np.full(len(flux), True)
        f, e, m = flux[known], error[known], template[known]
        w = 1 / e**2 if weighted else np.ones_like(e)
        amplitude = (w * f * m).sum() / (w * m**2).sum() if scale else 1.0
        amplitude = max(amplitude, 0) if positive else amplitude
        terms = factor * (f - amplitude * m) ** 2 / e**power
        return terms.mean() if mean else terms.sum()

    return attempt


def shuffling(base=True, sign=1, cumulative=False, ratio=False, same=False, constant=False, root=False):
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
    ],
}


def test_other_right_solutions_are_accepted():
    def masks(field, dec):
        fields = np.where(field == "g", np.where(dec > 0, "gn", "gs"), field)
        return tuple([fields != name, fields == name] for name in ("a", "c", "gn", "gs", "u"))

    def line_by_line(flux, error, template):
        known = [i for i in range(len(flux)) if np.isfinite(flux[i])]
        top = sum(flux[i] * template[i] / error[i] ** 2 for i in known)
        amplitude = max(0.0, top / sum((template[i] / error[i]) ** 2 for i in known))
        return sum(((flux[i] - amplitude * template[i]) / error[i]) ** 2 for i in known)

    attempts = {
        "03.leave_one_field_out": masks,
        "03.chi2": line_by_line,
        "03.sigma_nmad": nmad(factor=1.48),
        "03.permutation_importance": lambda predict, X, y, rng: list(shuffling()(predict, X, y, rng)),
    }
    for identifier, attempt in attempts.items():
        assert exercises.judge(identifier, attempt)[0] == "correct", identifier
