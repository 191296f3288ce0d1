"""Checks and hints of the exercises of hack 02: what is wrong with an attempt, in one sentence."""

from functools import partial

import numpy as np
import torch
from scipy.linalg import sqrtm
from sklearn.linear_model import LogisticRegression

from helpers.evaluation import frechet
from helpers.exercises import check
from helpers.exercises.require import (
    array,
    attempt_for,
    call,
    number,
    require,
    require_close,
    require_gradients,
    require_like,
    require_random_orders,
    require_right,
    same,
    tensor,
    twice,
)

CLOSE = 0.95  # the cosine of 18°: linear classifiers differ by less, whichever they are


@check(
    "02.frechet_distance",
    hints=[
        "Three terms: |m₁ - m₂|², the traces of C₁ and C₂, and -2 tr (C₁C₂)^½; np.cov wants one "
        "row for each feature.",
        "The eigenvalues of C₁C₂ are those of R C₂ R with R = C₁^½, which is symmetric: "
        "eigvalsh, clipped at 0.",
        "With eigh(C₁), R = vectors * np.sqrt(values.clip(0)) @ vectors.T; tr (C₁C₂)^½ is the "
        "sum of the roots.",
    ],
    returns=number,
)
def frechet_distance(attempt, reference):
    """Twice 30 points with four features, then other numbers, fewer than features as well."""
    rng = np.random.default_rng(4)
    points = rng.normal(size=(2, 30, 4))
    mixing = np.eye(4) + rng.uniform(size=(2, 4, 4))
    one = points[0] @ mixing[0]
    other = 1.7 * points[1] @ mixing[1] + [1.5, -0.4, 0.8, 2.0]
    found, _ = twice(lambda: call(attempt, one, other))
    of_points = _distance_of_points(one, other)
    reason = "those are covariances between points: np.cov wants features as rows, np.cov(one.T)"
    between = abs(found - of_points) < 0.02 * of_points  # of singular matrices roots are not exact
    require(not between, reason)
    slips = _distance_slips(one, other, reference(one, other))
    _require_distance(found, one, other, reference, slips)
    for n, m, k in ((21, 35, 4), (4, 6, 8), (5, 5, 12), (9, 30, 16)):
        mixing = rng.normal(size=(2, k, k))
        one = rng.normal(size=(n, k)) @ mixing[0]
        other = rng.normal(size=(m, k)) @ mixing[1]
        found = _distance(attempt, one, other)
        _require_distance(found, one, other, reference, {})


def _distance(attempt, one, other):
    """Return the distance that an attempt finds, or raise `NotYet` if there is none."""
    rounding = "rounding makes eigenvalues negative, and their root NaN: clip them at 0"
    try:
        found = call(attempt, one, other)
    except ValueError as error:  # a LinAlgError is one
        unequal = "it fails for sets of different size: covariances are between features"
        require(len(one) < one.shape[1], f"{unequal}, np.cov(one.T)")
        few = "it fails where there are fewer points than features: no inverse, no Cholesky"
        singular = "definite" in str(error) or "ingular" in str(error)
        require(not singular, f"{few}, but eigh")
        require(False, rounding)
    require(np.isfinite(found), rounding)
    return found


def _require_distance(found, one, other, reference, slips):
    """Raise `NotYet` unless this is the distance; covariances may be divided by n, not n - 1."""
    shrunk = []
    for points in (one, other):
        mean = points.mean(axis=0)
        shrunk.append(mean + (points - mean) * np.sqrt(1 - 1 / len(points)))
    if same(found, reference(*shrunk), rtol=1e-3):
        return
    sizes = f"for {len(one)} and {len(other)} points with {one.shape[1]} features"
    reason = f"{sizes} it is {{found}}, expected {{expected}}"
    require_right(found, reference(one, other), reason, slips, rtol=1e-3)


def _distance_of_points(one, other):
    """Return what becomes of the distance if covariances are between points, not features."""
    difference = one.mean(axis=0) - other.mean(axis=0)
    across = one.mean(axis=1) - other.mean(axis=1)
    return frechet.frechet_distance(one.T, other.T) - across @ across + difference @ difference


def _distance_slips(one, other, right):
    """Return the slips of the distance of two sets of points with the same four features."""
    a = np.cov(one.T)
    b = np.cov(other.T)
    difference = one.mean(axis=0) - other.mean(axis=0)
    square = difference @ difference
    length = np.sqrt(square)
    free = square + np.trace(a) + np.trace(b)  # without the root of the product
    root = (free - right) / 2
    spread = right - square
    product = np.trace(a @ b)
    of_elements = np.sqrt(np.diag(a @ b)).sum()
    of_variances = np.sqrt(np.diag(a) * np.diag(b)).sum()
    of_traces = [np.sqrt(product), np.sqrt(np.trace(a) * np.trace(b))]
    of_roots = np.trace(sqrtm(a) @ sqrtm(b))
    of_triangle = np.sqrt(np.linalg.eigvalsh(a @ b).clip(0)).sum()
    across = ((one - other).mean(axis=1) ** 2).sum()
    overall = (one - other).mean() ** 2
    other_means = [spread + across, spread + overall, spread + square / 4]
    means = [right / 4, square + spread / 4]

    def less(*roots):
        return [free - 2 * root for root in roots]

    return {
        "the root of the whole is taken: the distance is in squared units": [np.sqrt(right)],
        "the difference of the means is not squared: difference @ difference": [spread + length],
        "the means are missing: add the square of their difference": [spread],
        "only the means enter: add the term with the covariances": [square],
        "the 2 is missing: twice the root of the product is subtracted": less(root / 2),
        "the root of the product is added: subtract it": less(-root),
        "the root of the product is missing": less(0, product),
        "np.sqrt takes roots of the elements: a matrix root has R @ R = C": less(of_elements),
        "only the variances enter: correlations count as well": less(of_variances),
        "the root is taken of a trace: take the trace of the root": less(*of_traces),
        "the root of a product of matrices is not the product of roots": less(of_roots),
        "eigvalsh wants a symmetric matrix, R C₂ R": less(of_triangle),
        "take the means of each feature, axis=0, and sum over the features": other_means,
        "that is a mean over features: a trace is a sum": means,
    }


@check(
    "02.slerp",
    hints=[
        "The angle between the two: arccos of start @ end, divided by the product of their "
        "lengths.",
        "start has the weight sin((1 - t) angle) / sin(angle), and end the weight "
        "sin(t angle) / sin(angle).",
        "Clip the cosine to -1..1, and where np.sin(angle) is nearly 0, return "
        "(1 - t) * start + t * end.",
    ],
    returns=array,
)
def slerp(attempt, reference):
    """Three points of an arc, then parallel and opposite vectors, other angles and dimensions."""
    start = np.array([0.5, 0.3, -0.1, 0.1])
    end = np.array([0.2, 0.7, 0.4, -0.3])
    for t in (0.2, 0.5, 0.9):
        found = _point(attempt, start, end, t, "arccos wants a cosine between -1 and 1")
        slips = _arc_slips(found, start, end, t, reference)
        reason = f"the point of a test arc at t = {t} is {{found}}, expected {{expected}}"
        require_right(found, reference(start, end, t), reason, slips)
    _require_parallel(attempt)
    one, two = np.random.default_rng(1).normal(size=(2, 16))
    plane = one[:2]
    aside = np.array([plane[1], -plane[0]])

    def turned(degrees):
        angle = np.radians(degrees)
        return plane * np.cos(angle) + aside * np.sin(angle)

    cases = {
        "an angle beyond 90°": (end, np.array([-0.6, 0.2, 0.1, 0.5]), 0.2),
        "16 dimensions": (one, two, 0.35),
        "two dimensions": (two[:2], plane, 0.6),
        "t = 0": (one, two, 0.0),
        "t = 1": (one, two, 1.0),
        "an angle of 5°": (plane, turned(5), 0.4),
        "an angle of 30°": (plane, turned(30), 0.25),
    }
    require_like(attempt, reference, cases)


def _point(attempt, start, end, t, remedy):
    """Return the point that an attempt finds, or raise `NotYet` if that is none."""
    found = call(attempt, start, end, t)
    reason = f"the result has shape {found.shape}, expected that of start, {start.shape}"
    require(found.shape == start.shape, reason)
    finite = np.isfinite(found).all() and found.any()
    require(finite, f"the result is not a point, but {found}: {remedy}")
    return found


def _require_parallel(attempt):
    """Raise `NotYet` unless an attempt takes the line between parallel vectors."""
    axis = np.array([0.0, 2.0, 0.0, 0.0])
    ends = np.random.default_rng(0).normal(size=(40, 4))
    zero = "sin(angle) is 0 for parallel vectors: take the line"
    above = "rounding makes a cosine exceed 1: np.clip it"
    below = "rounding makes a cosine fall below -1: np.clip it"
    cases = [(axis, axis, zero), (axis, 3 * axis, zero)]
    cases += [(end / 1.7, end, above) for end in ends]
    for start, end, remedy in cases:
        found = _point(attempt, start, end, 0.3, remedy)
        reason = "parallel vectors give {found}, expected {expected}"
        require_close(found, 0.7 * start + 0.3 * end, reason, rtol=1e-3)
    for end in ends:  # of opposite vectors many arcs are right
        found = _point(attempt, -end / 1.7, end, 0.3, below)
        reason = f"opposite vectors give {found}: sin(angle) is nearly 0 for them as well"
        require(abs(found).max() < 100 * abs(end).max(), reason)


def _arc_slips(found, start, end, t, reference):
    """Return the slips of the point at t of an arc from start to end."""
    product = start @ end
    length = np.linalg.norm(start)
    end_length = np.linalg.norm(end)
    cosine = product / (length * end_length)
    angle = np.arccos(cosine)
    degrees = np.degrees(angle)
    one = start / length
    other = end / end_length
    line = (1 - t) * start + t * end
    chord = (1 - t) * one + t * other
    cosines = [product, product / length, product / end_length, cosine / (length * end_length)]

    def arc(angle, below):
        first = np.sin((1 - t) * angle)
        second = np.sin(t * angle)
        return (first * start + second * end) / below

    def resized(*points):
        size = np.linalg.norm(found)
        return [size * point / np.linalg.norm(point) for point in points]

    not_divided = [arc(angle, 1), arc(angle, angle)]
    in_degrees = [arc(degrees, np.sin(degrees)), arc(degrees, np.sin(angle))]
    other_angles = [arc(angle, np.sin(angle)) for angle in np.arccos(cosines)]
    straight = resized(line, chord)
    of_units = resized(reference(one, other, t))
    right = reference(start, end, t)
    return {
        "that is the straight line between the two: go along the arc": [line],
        "start and end are exchanged: t = 0 is the start": [reference(end, start, t)],
        "the cosine of the angle is start @ end divided by both lengths": other_angles,
        "it is not divided by sin(angle)": not_divided,
        "arccos is missing: that is the cosine": [arc(cosine, np.sin(cosine))],
        "the angle is in degrees: np.sin wants radians": in_degrees,
        "t is not used: it is always the middle": [reference(start, end, 0.5)],
        "that is a straight line put onto the sphere: the angle grows evenly": straight,
        "only the angle is that of normalised vectors: weigh start and end as they are": of_units,
        "the direction is right, but its length is changed: do not rescale it": resized(right),
    }


@check(
    "02.separating_direction",
    hints=[
        "A linear classifier, fitted to latents and high, has its hyperplane in coef_ and "
        "intercept_.",
        "The normal is coef_[0]: shape (k,), and it points to where the label is True.",
        "normal = LogisticRegression().fit(latents, high).coef_[0], divided by "
        "np.linalg.norm(normal)",
    ],
    returns=array,
)
def separating_direction(attempt, reference):
    """Correlated latents off the origin with two noisy labels, then isotropic ones."""
    rng = np.random.default_rng(0)
    k = 5
    scales = np.array([2.5, 1.2, 1, 0.6, 0.8])
    mixing = rng.normal(size=(k, k)) * scales[:, None]
    latents = rng.normal(size=(600, k)) @ mixing + 1.5 * rng.normal(size=k)
    normals = rng.normal(size=(2, k))
    truth, another = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    high = _label(latents @ truth, rng)
    found = _direction(attempt, latents, high)
    require(found @ truth > -0.9, "it points to the low ones: turn it round")
    changed = _direction(attempt, latents, _label(latents @ another, rng))
    if found @ truth < CLOSE:
        _tell_direction(found, latents, high)
        reason = "the label is not used: another label has another hyperplane"
        require(not same(found, changed), reason)
    isotropic = rng.normal(size=(1000, 7))
    third = np.array([0.6, 0, 0, -0.8, 0, 0, 0])
    label = _label(isotropic @ third, rng)
    order = np.argsort(label)
    elsewhere = partial(attempt_for, "1000 latents, the low ones first,", attempt)
    last = _direction(elsewhere, isotropic[order], label[order])
    cosines = {
        "the test labels": found @ truth,
        "another label": changed @ another,
        "another shape": last @ third,
    }
    for name, cosine in cosines.items():
        off = f"{np.degrees(np.arccos(np.clip(cosine, -1, 1))):.0f}°"
        require(cosine > CLOSE, f"for {name} it is {off} off the normal: fit a linear classifier")


def _label(values, rng):
    """Return which values are high, but for noise: some 35 %."""
    noise = 0.3 * values.std() * rng.normal(size=len(values))
    return values + noise > np.quantile(values, 0.65)


def _direction(attempt, latents, high):
    """Return the direction that an attempt finds, or raise `NotYet` if that is none."""
    found, again = twice(lambda: call(attempt, latents, high))
    n, k = latents.shape
    shape = f"the result has shape {found.shape}, expected ({k},)"
    reason = "it returns a value for each latent: return the normal itself, coef_[0]"
    require(found.shape[:1] != (n,), reason)
    require(found.shape != (1, k), f"{shape}: it has a row for each hyperplane, take coef_[0]")
    require(found.shape != (k + 1,), f"{shape}: the intercept is no part of the normal")
    require(found.shape == (k,), f"{shape}: one entry for each latent axis")
    require(np.isfinite(found).all(), "the direction is not finite: is it divided by 0?")
    length = np.linalg.norm(found)
    reason = f"the direction has the length {length:.3g}, not 1: divide it by its norm"
    require(abs(length - 1) < 1e-4, reason)
    require(found @ again > CLOSE, "a second call gives another result: fix the random state")
    return found


def _tell_direction(found, latents, high):
    """Raise `NotYet` if this is what a plausible wrong answer finds."""
    centre = latents[high].mean(axis=0)
    difference = centre - latents[~high].mean(axis=0)
    spread = latents.std(axis=0)
    uncorrelated = [difference / spread, difference / spread**2]
    components = np.linalg.eigh(np.cov(latents.T))[1].T
    axes = np.eye(latents.shape[1])
    scaled = LogisticRegression().fit(latents / spread, high).coef_
    held = LogisticRegression(fit_intercept=False).fit(latents, high).coef_
    slips = {
        "that is the difference of the means, but latents are correlated": [difference],
        "the correlations of the latents are left out: fit a classifier": uncorrelated,
        "that is a principal component, which knows nothing of the label": components,
        "that is one of the axes: in general the normal is not along one": axes,
        "that is where the high ones are: the normal is their side, not their mean": [centre],
        "that is the normal of standardised latents: divide coef_ by the deviations": scaled,
        "the hyperplane is held at the origin: fit the intercept as well": held,
    }
    for reason, directions in slips.items():
        lengths = np.linalg.norm(directions, axis=1)
        cosines = abs(np.asarray(directions) @ found) / lengths
        require(cosines.max() < 0.999, reason)


@check(
    "02.permutation_null",
    hints=[
        "A permutation puts the same values into another order, each of them once; the latents "
        "stay where they are.",
        "One generator from the seed, made before the loop; rng.permutation(values) returns a "
        "new array.",
        "np.array([statistic(latents, rng.permutation(values)) for _ in range(n)])",
    ],
    returns=array,
)
def permutation_null(attempt, reference):
    """20 orders, then 200 of two seeds, by a statistic that notes what it gets."""
    null = _Null(attempt)
    rows, index = null.orders()
    start = np.arange(null.size)
    pairs_kept = np.array_equal(rows, index)
    unmoved = (index == start).all()
    reason = "nothing is permuted: the statistic is given the values in their own order"
    require(not (pairs_kept and unmoved), reason)
    reason = "latents and values are reordered together, which keeps the pairs: permute the values"
    require(not pairs_kept, reason)
    reason = "some values occur twice, others never: that is a bootstrap, draw without replacement"
    require((np.sort(index) == start).all(), reason)
    require((np.sort(rows) == start).all(), reason)
    order = _beside(rows, index)
    shifted = np.ptp((order - start) % null.size, axis=1) == 0
    reason = "the values are shifted only: neighbours stay neighbours, so permute them at random"
    require(not shifted.all(), reason)
    different = len(np.unique(order, axis=0))
    reason = "it is the same order n times: make the generator before the loop, not in it"
    require(different > 1, reason)
    reason = f"of 20 orders only {different} differ: draw a new one each time"
    require(different == 20, reason)
    by_seed = {}
    for seed in (0, 1):
        first, again = twice(lambda seed=seed: _beside(*null.orders(n=200, seed=seed)))
        reason = f"the same seed gives other orders, for seed={seed}: np.random.default_rng(seed)"
        require(np.array_equal(first, again), reason)
        require_random_orders(first)
        by_seed[seed] = {tuple(row) for row in first}
    reason = "the seed is not used: every seed gives the same orders"
    require(by_seed[0] != by_seed[1], reason)
    reason = "without a seed the orders are not those of seed=0: keep the default of the argument"
    require(np.array_equal(order, _beside(*null.orders(seed=0))), reason)
    reason = "neighbouring seeds have orders in common: make one generator from the seed"
    require(not by_seed[0] & by_seed[1], reason)
    latents = np.random.default_rng(3).normal(size=(50, 4))
    cases = {
        "50 samples": (_total, latents, latents[:, 0], 5),
        "two samples and a single order": (_total, latents[:2], latents[:2, 1], 1),
    }
    require_like(attempt, reference, cases)


def _total(latents, values):
    """Return a statistic that no order changes, a negative one."""
    numbers = np.concatenate([np.ravel(latents), np.ravel(values)])
    return -10 - numbers.sum()


def _beside(rows, index):
    """Return which value stands beside each row of the latents, of each call: shape (n, size)."""
    return np.take_along_axis(index, np.argsort(rows), axis=1)


class _Null:
    """An attempt at the null, and a statistic that notes in which order it gets everything.

    All numbers in latents and values are different, so that each is known where it turns up.
    """

    size = 30
    width = 3

    def __init__(self, attempt):
        self.attempt = attempt
        entries = np.random.default_rng(6).permutation(self.size * (self.width + 1))
        self.place = np.argsort(entries)
        self.latents = entries[: -self.size].reshape(self.size, self.width).astype(float)
        self.values = entries[-self.size :].astype(float)
        self.calls = []

    def statistic(self, latents, values):
        """Return a number that belongs to this call only."""
        latents = array(latents, "arrays for the statistic")
        values = array(values, "arrays for the statistic")
        shapes = (latents.shape, values.shape)
        right = (self.latents.shape, self.values.shape)
        reason = "the arguments are exchanged: statistic(latents, values)"
        require(shapes != right[::-1], reason)
        reason = f"the statistic is given shapes {shapes}, expected {right}"
        require(shapes == right, reason)
        reason = "the statistic is given other numbers than latents and values: only reorder them"
        require(np.isin(latents, self.latents).all(), reason)
        require(np.isin(values, self.values).all(), reason)
        place = self.place[latents.astype(int)]
        rows = place[:, 0] // self.width
        whole = place == self.width * rows[:, None] + np.arange(self.width)
        reason = "the latents are torn apart: a row is one sample, and columns keep their order"
        require(whole.all(), reason)
        index = self.place[values.astype(int)] - self.latents.size
        self.calls.append((rows, index))
        return 0.5 + len(self.calls)

    def orders(self, **keywords):
        """Return the rows and the values of each result, as they were given: shapes (n, size)."""
        self.calls.clear()
        n = keywords.get("n", 20)
        latents = self.latents.copy()
        values = self.values.copy()
        found = call(self.attempt, self.statistic, latents, values, **keywords)
        reason = "the statistic is never called: its values for permuted values are asked for"
        require(self.calls, reason)
        reason = "it returns one number: return all values of the statistic, without a mean"
        require(found.shape != (), reason)
        reason = f"n is not used: it returns 20 values for n={n}"
        require(n == 20 or found.shape != (20,), reason)
        require(found.shape == (n,), f"the result has shape {found.shape}, expected ({n},)")
        times = f"the statistic is called {len(self.calls)} times for n={n}"
        require(len(self.calls) <= n + 1, f"{times}: return each value, without a choice")
        own = np.isin(found - 0.5, np.arange(1, len(self.calls) + 1))
        reason = "it returns other numbers than the statistic gave: return them as they are"
        require(own.all(), reason)
        calls = [self.calls[int(number) - 1] for number in found]
        rows, index = zip(*calls, strict=True)
        return np.array(rows), np.array(index)


@check(
    "02.reparametrise",
    hints=[
        "If ε is drawn from N(0, 1), then mean + deviation * ε is from N(mean, deviation²), and "
        "differentiable.",
        "The standard deviation is the root of the variance: (log_variance / 2).exp(); "
        "ε = torch.randn_like(mean).",
        "mean + (log_variance / 2).exp() * torch.randn_like(mean)",
    ],
    returns=tensor,
)
def reparametrise(attempt, reference):
    """4000 samples of 8 latents: their mean, noise and gradients, then other shapes."""
    np.random.seed(2)
    torch.manual_seed(2)
    mean = (3 * torch.randn(4000, 8)).requires_grad_()
    log_variance = (4 * torch.rand(4000, 8) - 2.5).requires_grad_()
    latents = _draw(attempt, mean, log_variance)
    again = _draw(attempt, mean, log_variance)
    reason = "the mean is returned, without noise: add the deviation times torch.randn_like(mean)"
    require(not same(latents, mean), reason)
    reason = "the noise is the same in every call: do not set a seed in here"
    require(not torch.equal(latents, again), reason)
    _require_noise(latents.detach(), mean.detach(), log_variance.detach())
    _require_reached(latents, mean, log_variance)
    for shape in ((5000, 16), (1, 3), (2, 1)):
        zeros = torch.zeros(shape)
        drawn, _ = twice(lambda z=zeros: attempt_for(f"shape {tuple(z.shape)}", attempt, z, z))
        reason = f"for shape {shape} the result has shape {tuple(drawn.shape)}"
        require(drawn.shape == shape, reason)
        if len(drawn) > 2:
            reason = "the noise is cut off: a normal one has tails, torch.randn_like(mean)"
            require(drawn.abs().max() > 3.5, reason)
            distinct = len(drawn.abs().unique()) / drawn.numel()
            reason = "noise is used more than once: draw a number for each, torch.randn_like(mean)"
            require(distinct > 0.9, reason)


def _draw(attempt, mean, log_variance):
    """Return the latents that an attempt draws, or raise `NotYet` if they are none."""
    try:
        latents = call(attempt, mean.clone(), log_variance.clone())
    except (RuntimeError, TypeError) as error:
        reason = "NumPy has no gradient: draw the noise with torch.randn_like(mean)"
        require("numpy" not in str(error), reason)
        raise
    reason = f"the result has shape {tuple(latents.shape)}, expected {tuple(mean.shape)}"
    require(latents.shape == mean.shape, reason)
    reason = f"float32 becomes {latents.dtype}: torch.randn_like(mean) draws the same type"
    require(latents.dtype == mean.dtype, reason)
    reason = "the latents are not all finite: the deviation is (log_variance / 2).exp()"
    require(torch.isfinite(latents).all(), reason)
    return latents


def _require_noise(latents, mean, log_variance):
    """Raise `NotYet` unless latents are the mean and normal noise of their own, rightly scaled."""
    slope = float((latents * mean).mean() / (mean * mean).mean())
    require(abs(slope) > 0.2, "the mean is not added")
    reason = f"the latents do not follow the mean: they grow by {slope:.2f} for each 1 of it"
    require(abs(slope - 1) < 0.05, reason)
    rest = latents - mean
    noise = rest / (log_variance / 2).exp()
    shared = {
        "one number is shared": noise.std(),
        "one for a sample is shared": noise.std(dim=1).max(),
        "samples share theirs": noise.std(dim=0).max(),
    }
    for what, deviation in shared.items():
        reason = f"{what}: each latent has its own noise, torch.randn_like(mean)"
        require(deviation > 0.01, reason)
    reason = "the noise is never negative: rand is uniform from 0 to 1, randn is normal"
    require(noise.min() < -0.01, reason)
    scales = {
        "log_variance is taken for the log of the deviation: halve it": log_variance.exp(),
        "log_variance itself multiplies the noise: take (log_variance / 2).exp()": log_variance,
        "the noise is not scaled: multiply it by (log_variance / 2).exp()": torch.ones(()),
        "log_variance is halved twice: its half has the deviation": (log_variance / 4).exp(),
        "the noise is divided by the deviation: multiply by it": (-log_variance / 2).exp(),
    }
    for reason, scale in scales.items():
        narrow = (rest / scale)[log_variance < -1.5].var()
        wide = (rest / scale)[log_variance > 0.5].var()
        require(abs(narrow - 1) > 0.1 or abs(wide - 1) > 0.1, reason)
    # Of these 32 000 numbers mean, variance and fourth moment scatter by 0.006, 0.008 and 0.03.
    centre = float(noise.mean())
    variance = float(noise.var())
    tails = float((noise**4).mean() / variance**2)
    over = "the noise, over the deviation, has the"
    require(abs(centre) < 0.04, f"{over} mean {centre:.2f}, expected 0")
    require(abs(variance - 1) < 0.05, f"{over} variance {variance:.2f}, expected 1")
    reason = f"the noise is not normal: its fourth moment is {tails:.2f}, expected 3"
    require(abs(tails - 3) < 0.2, reason)


def _require_reached(latents, mean, log_variance):
    """Raise `NotYet` unless the right gradient reaches mean and log_variance."""
    stopped = "no gradient flows: torch.normal(mean, deviation), sample() and detach() stop it"
    require(latents.requires_grad, stopped)
    given = {"mean": mean, "log_variance": log_variance}
    gradients = torch.autograd.grad(
        latents.sum(), list(given.values()), allow_unused=True, retain_graph=True
    )
    reached = [gradient is not None and bool(gradient.any()) for gradient in gradients]
    require(any(reached), stopped)
    for name, own in zip(given, reached, strict=True):
        require(own, f"no gradient reaches {name}: is it detached?")
    noise = (latents - mean).detach()
    right = mean + noise * ((log_variance - log_variance.detach()) / 2).exp()
    require_gradients(latents.sum(), right.sum(), [mean, log_variance])


@check(
    "02.kl_divergence",
    hints=[
        "It is 0 where the mean is 0 and the variance 1, and positive elsewhere; latents are "
        "independent: they add.",
        "For each latent: half of mean² + variance - 1 - log(variance).",
        "0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)",
    ],
    returns=tensor,
)
def kl_divergence(attempt, reference):
    """Four samples of three latents, then others, whose gradients count as well."""
    mean = torch.tensor([[0.3, -1.2, 0.8], [1.7, 0.4, -0.6], [-0.2, 0.9, 2.1], [0.5, -0.7, 1.1]])
    log_variance = torch.tensor(
        [[-0.7, 0.4, 1.1], [0.2, -1.3, 0.6], [0.9, -0.3, -1.6], [1.4, 0.5, -0.8]]
    )
    leaves = torch.stack([mean, log_variance]).requires_grad_()
    found = call(attempt, leaves[0].clone(), leaves[1].clone())
    reason = "it is not finite: log_variance is the logarithm already"
    require(torch.isfinite(found).all(), reason)
    reason = "for the test latents it is {found}, expected {expected}"
    slips = _divergence_slips(mean, log_variance)
    require_right(found, reference(mean, log_variance), reason, slips)
    require(found.requires_grad, "no gradient flows to learn from: no detach(), no torch.no_grad()")
    random = torch.Generator().manual_seed(9)
    cases = {
        "the test latents": torch.stack([mean, log_variance]),
        "latents close to N(0, 1)": 0.2 * torch.randn(2, 6, 3, generator=random),
        "16 latents": torch.randn(2, 5, 16, generator=random),
        "one sample": torch.randn(2, 1, 3, generator=random),
    }
    cases = {name: tuple(given.requires_grad_()) for name, given in cases.items()}
    require_like(attempt, reference, cases, atol=1e-6)


def _divergence_slips(mean, log_variance):
    """Return the slips of the divergence of these latents."""
    square = mean**2
    variance = log_variance.exp()
    terms = square + variance - 1 - log_variance
    each = terms / 2
    right = each.sum(dim=1)
    over_batch = [right.mean(), each.mean()]
    over_latents = [each.mean(dim=1), terms.mean(dim=1)]
    as_deviation = square + variance**2 - 1 - 2 * log_variance
    of_deviation = terms - variance + (log_variance / 2).exp()
    no_square = terms - square
    squares_missing = [no_square, no_square + mean, no_square + mean.abs()]
    not_subtracted = [terms + log_variance, terms + 2 * log_variance]
    other_way = (1 + square) / variance - 1 + log_variance

    def total(*terms):
        return [term.sum(dim=1) / 2 for term in terms]

    return {
        "that is the sum over the batch as well: sum over the latents only, dim=1": [right.sum()],
        "that is the mean over the batch: return one number for each sample": over_batch,
        "the latents are not summed: sum over dim=1": [each],
        "the samples are summed, not the latents: dim=1": [each.sum(dim=0), each.mean(dim=0)],
        "the sign is wrong: a divergence is never negative": [-right, -2 * right],
        "the factor 1/2 is missing": [2 * right],
        "that is the mean over the latents: independent latents add": over_latents,
        "log_variance is taken for the log of the deviation": total(as_deviation),
        "the deviation stands where the variance should: exp(log_variance)": total(of_deviation),
        "the -1 is missing: it is 0 for mean 0 and variance 1": total(terms + 1, terms + 2),
        "the square of the mean is a part": total(*squares_missing),
        "exp(log_variance), the variance, is missing": total(terms - variance),
        "log_variance is to be subtracted, with its own sign": total(*not_subtracted),
        "that is the divergence in the other direction: of N(0, 1)": total(other_way),
    }
