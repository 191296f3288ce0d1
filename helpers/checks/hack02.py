"""Checks and hints of the exercises of hack 02: what a wrong attempt got wrong, in one sentence each."""

from functools import partial

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from helpers.exercises import check
from helpers.exercises.require import (
    array,
    attempt_for,
    call,
    number,
    refuse,
    require,
    require_close,
    require_gradients,
    require_like,
    require_random_orders,
    same,
    twice,
)


@check(
    "02.frechet_distance",
    hints=[
        "Three terms: |m₁ - m₂|², the traces of C₁ and C₂, and -2 tr (C₁C₂)^½; np.cov wants one row for each feature.",
        "The eigenvalues of C₁C₂ are those of R C₂ R with R = C₁^½, which is symmetric: eigvalsh, clipped at 0.",
        "With eigh(C₁), R = vectors * np.sqrt(values.clip(0)) @ vectors.T; tr (C₁C₂)^½ is the sum of the roots.",
    ],
    returns=number,
)
def frechet_distance(attempt, reference):
    rng = np.random.default_rng(4)
    one, other = (
        rng.normal(size=(30, 4)) @ (np.eye(4) + rng.uniform(size=(4, 4))) for _ in range(2)
    )
    other = 1.7 * other + [1.5, -0.4, 0.8, 2.0]
    found = call(attempt, one, other)
    a, b, d = np.cov(one.T), np.cov(other.T), one.mean(axis=0) - other.mean(axis=0)
    square, root, tell = d @ d, np.trace(_root(_root(a) @ b @ _root(a))), partial(refuse, found)
    free, right = (
        square + np.trace(a + b),
        square + np.trace(a + b) - 2 * root,
    )  # without the product, and with it
    tell("the root of the whole is taken: the distance is in squared units as it is", right**0.5)
    tell(
        "the difference of the means is not squared: difference @ difference",
        right - square + square**0.5,
    )
    tell("the means are missing: add the square of their difference", right - square)
    tell("only the means enter: add the term with the covariances", square)
    tell("the 2 is missing: twice the root of the product is subtracted", free - root)
    tell("the root of the product is added: subtract it", free + 2 * root)
    tell("the root of the product is missing", free, free - 2 * np.trace(a @ b))
    tell(
        "np.sqrt takes roots of the elements: a matrix root has R @ R = C",
        free - 2 * (np.diag(a @ b) ** 0.5).sum(),
    )
    tell(
        "only the variances enter: correlations count as well",
        free - 2 * np.sqrt(np.diag(a) * np.diag(b)).sum(),
    )
    of_traces = np.sqrt(np.trace(a) * np.trace(b)), np.sqrt(np.trace(a @ b))
    tell(
        "the root is taken of a trace: take the trace of the root",
        *(free - 2 * value for value in of_traces),
    )
    tell(
        "the root of a product of matrices is not the product of roots",
        free - 2 * np.trace(_root(a) @ _root(b)),
    )
    tell(
        "eigvalsh wants a symmetric matrix, R C₂ R",
        free - 2 * (np.linalg.eigvalsh(a @ b).clip(0) ** 0.5).sum(),
    )
    row = np.cov(one), np.cov(other)
    row = (
        square
        + np.trace(row[0] + row[1])
        - 2 * np.linalg.norm(_root(row[0]) @ _root(row[1]), "nuc")
    )
    between = abs(found - row) < 0.02 * row  # roots of these singular matrices are not exact
    require(
        not between,
        "those are covariances between points: np.cov wants features as rows, np.cov(one.T)",
    )
    means = [((one - other).mean(axis=1) ** 2).sum(), (one - other).mean() ** 2, (d**2).mean()]
    tell(
        "take the means of each feature, axis=0, and sum over the features",
        *(right - square + m for m in means),
    )
    tell("that is a mean over features: a trace is a sum", right / 4, square + (right - square) / 4)
    _require_distance(found, one, other, reference)
    singular = (
        "it fails where there are fewer points than features: no inverse, no Cholesky, but eigh"
    )
    rounding = "rounding makes eigenvalues negative, and their root NaN: clip them at 0"
    for n, m, k in ((21, 35, 4), (4, 6, 8), (5, 5, 12), (9, 30, 16)):
        one, other = (rng.normal(size=(rows, k)) @ rng.normal(size=(k, k)) for rows in (n, m))
        try:
            found = call(attempt, one, other)
        except ValueError as error:  # a LinAlgError is one
            require(
                n != 21,
                "it fails for sets of different size: covariances are between features, np.cov(one.T)",
            )
            require(
                False, singular if "definite" in str(error) or "ingular" in str(error) else rounding
            )
        require(np.isfinite(found), rounding)
        _require_distance(found, one, other, reference)


def _root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def _require_distance(found, one, other, reference):
    """Raise `NotYet` unless this is the distance, where covariances may also be divided by n, not n - 1."""
    sizes = f"for {len(one)} and {len(other)} points with {one.shape[1]} features"
    shrunk = [x.mean(axis=0) + (x - x.mean(axis=0)) * np.sqrt(1 - 1 / len(x)) for x in (one, other)]
    if not np.isclose(found, reference(*shrunk), rtol=1e-3):
        require_close(
            found,
            reference(one, other),
            f"{sizes} it is {{found}}, expected {{expected}}",
            rtol=1e-3,
        )


@check(
    "02.slerp",
    hints=[
        "The angle between the two: arccos of start @ end, divided by the product of their lengths.",
        "start has the weight sin((1 - t) angle) / sin(angle), and end the weight sin(t angle) / sin(angle).",
        "Clip the cosine to -1..1, and where np.sin(angle) is nearly 0, return (1 - t) * start + t * end.",
    ],
    returns=array,
)
def slerp(attempt, reference):
    one, two, three = np.array(
        [[0.5, 0.3, -0.1, 0.1], [0.2, 0.7, 0.4, -0.3], [-0.6, 0.2, 0.1, 0.5]]
    )  # |products| < 1
    cases, norm = (
        [(*pair, t) for pair in ((one, two), (two, three)) for t in (0.2, 0.5, 0.9)],
        np.linalg.norm,
    )
    found = np.array(
        [_point(attempt, case, "arccos wants a cosine between -1 and 1") for case in cases]
    )
    obtuse, found, sin, sine = (
        found[3:],
        found[:3],
        np.sin,
        lambda degrees: np.sin(np.radians(degrees)),
    )

    def arc(angle=lambda s, e: np.arccos(s @ e / norm(s) / norm(e)), below=np.sin):
        return each(
            lambda s, e, t: (
                (sin((1 - t) * angle(s, e)) * s + sin(t * angle(s, e)) * e) / below(angle(s, e))
            )
        )

    each, along = (
        lambda f: np.array([f(*case) for case in cases[:3]]),
        lambda s, e, t: (1 - t) * s + t * e,
    )
    line, right, tell = each(along), each(reference), partial(refuse, found)
    tell("that is the straight line between the two: go along the arc", line)
    tell(
        "start and end are exchanged: t = 0 is the start", each(lambda s, e, t: reference(e, s, t))
    )
    products = (
        (lambda s, e: 1),
        (lambda s, e: norm(s)),
        (lambda s, e: norm(e)),
        (lambda s, e: s @ s * (e @ e)),
    )
    by_other = [arc(lambda s, e, by=by: np.arccos(s @ e / by(s, e))) for by in products]
    tell("the cosine of the angle is start @ end divided by both lengths", *by_other)
    tell("it is not divided by sin(angle)", arc(below=lambda a: 1), arc(below=lambda a: a))
    tell(
        "arccos is missing: start @ end over the lengths is the cosine",
        arc(lambda s, e: s @ e / norm(s) / norm(e)),
    )
    degrees = partial(arc, lambda s, e: np.degrees(np.arccos(s @ e / norm(s) / norm(e))))
    tell("the angle is in degrees: np.sin wants radians", degrees(), degrees(sine))
    tell("t is not used: it is always the middle", each(lambda s, e, t: reference(s, e, 0.5)))
    chord, unit = (
        each(lambda s, e, t, f=f: f(s / norm(s), e / norm(e), t)) for f in (along, reference)
    )
    straight = (
        "that is a straight line put onto the sphere: along the arc the angle grows evenly with t"
    )
    require(not _parallel(found, line) and not _parallel(found, chord), straight)
    require(
        not _parallel(found, unit),
        "only the angle is that of normalised vectors: weigh start and end as they are",
    )
    rescaled = _parallel(found, right) and not same(found, right)
    require(
        not rescaled,
        "the point lies in the right direction, but its length is changed: do not rescale it",
    )
    require_close(found, right, "the points of a test arc are {found}, expected {expected}")
    require_close(
        obtuse,
        [reference(*case) for case in cases[3:]],
        "beyond 90° it is {found}, expected {expected}",
    )
    axis, ends = np.array([0.0, 2.0, 0.0, 0.0]), np.random.default_rng(0).normal(size=(40, 4))
    zero, above = (
        "sin(angle) is 0 for parallel vectors: take the line",
        "rounding makes a cosine exceed 1: np.clip it",
    )
    for start, end in ((axis, axis), (axis, 3 * axis), *((end / 1.7, end) for end in ends)):
        found = _point(attempt, (start, end, 0.3), zero if start is axis else above)
        require_close(
            found,
            along(start, end, 0.3),
            "parallel vectors give {found}, expected {expected}",
            rtol=1e-3,
        )
    for end in ends:  # of opposite vectors many arcs are right
        _point(attempt, (-end / 1.7, end, 0.3), "rounding makes a cosine fall below -1: np.clip it")
    one, two = np.random.default_rng(1).normal(size=(2, 16))
    aside = np.cross(np.r_[one[:2], 0], [0, 0, 1])[
        :2
    ]  # as long as, and at right angles to, one[:2]
    turned = {angle: one[:2] * np.cos(np.radians(angle)) + aside * sine(angle) for angle in (5, 30)}
    cases = {
        "16 dimensions": (one, two, 0.35),
        "two dimensions": (two[:2], one[:2], 0.6),
        "t = 0": (one, two, 0.0),
        "t = 1": (one, two, 1.0),
        "an angle of 5°": (one[:2], turned[5], 0.4),
        "an angle of 30°": (one[:2], turned[30], 0.25),
    }
    require_like(attempt, reference, cases)


def _point(attempt, case, remedy):
    """Return the point that an attempt finds, or raise `NotYet` if that is none."""
    found = call(attempt, *case)
    require(
        found.shape == (4,), f"the result has shape {found.shape}, expected that of start, (4,)"
    )
    require(
        np.isfinite(found).all() and found.any(),
        f"the result is not a point, but {found}: {remedy}",
    )
    return found


def _parallel(found, other):
    return same(
        *(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-300) for rows in (found, other))
    )


@check(
    "02.separating_direction",
    hints=[
        "A linear classifier, fitted to latents and high, has its hyperplane in coef_ and intercept_.",
        "The normal is coef_[0]: shape (k,), and it points to where the label is True.",
        "normal = LogisticRegression().fit(latents, high).coef_[0], divided by np.linalg.norm(normal)",
    ],
    returns=array,
)
def separating_direction(attempt, reference):
    rng, unit = np.random.default_rng(0), lambda vector: vector / np.linalg.norm(vector)
    label, k = lambda x: x + 0.3 * x.std() * rng.normal(size=len(x)) > np.quantile(x, 0.65), 5
    mixing = rng.normal(size=(k, k)) * np.array([2.5, 1.2, 1, 0.6, 0.8])[:, None]
    latents = rng.normal(size=(600, k)) @ mixing + 1.5 * rng.normal(size=k)
    truth, another = unit(rng.normal(size=k)), unit(rng.normal(size=k))
    high, other = (label(latents @ normal) for normal in (truth, another))
    found = _direction(attempt, latents, high)
    require(found @ truth > -0.9, "it points to the low ones: turn it round")
    changed = _direction(attempt, latents, other)
    if found @ truth < 0.95:
        _tell_direction(found, latents, high)
        require(
            not same(found, changed), "the label is not used: another label has another hyperplane"
        )
    isotropic, third = rng.normal(size=(400, 3)), [0.6, 0, -0.8]
    last = _direction(attempt, isotropic, label(isotropic @ third))
    cosines = {
        "the test labels": found @ truth,
        "another label": changed @ another,
        "another shape": last @ third,
    }
    for name, cosine in cosines.items():
        off = f"{np.degrees(np.arccos(np.clip(cosine, -1, 1))):.0f}°"
        require(cosine > 0.95, f"for {name} it is {off} off the normal: fit a linear classifier")


def _direction(attempt, latents, high):
    """Return the direction that an attempt finds, or raise `NotYet` if that is none."""
    found = call(attempt, latents, high)
    n, k = latents.shape
    require(
        found.shape[:1] != (n,),
        "it returns a value for each latent: return the normal itself, coef_[0]",
    )
    require(
        found.shape != (1, k),
        f"the result has shape (1, {k}), a row for each hyperplane: take coef_[0]",
    )
    require(
        found.shape != (k + 1,),
        f"the result has {k + 1} entries: the intercept is no part of the normal",
    )
    require(
        found.shape == (k,),
        f"the result has shape {found.shape}, expected ({k},): one entry for each latent axis",
    )
    require(np.isfinite(found).all(), "the direction is not finite: is it divided by 0?")
    length = np.linalg.norm(found)
    require(
        abs(length - 1) < 1e-4,
        f"the direction has the length {length:.3g}, not 1: divide it by its norm",
    )
    return found


def _tell_direction(found, latents, high):
    """Raise `NotYet` if this is what a plausible wrong answer finds."""

    def tell(reason, *wrong):
        require(
            not any(abs(found @ value) > 0.999 * np.linalg.norm(value) for value in wrong), reason
        )

    difference, spread = (
        latents[high].mean(axis=0) - latents[~high].mean(axis=0),
        latents.std(axis=0),
    )
    tell(
        "that is the difference of the means, the normal only where latents are alike and uncorrelated",
        difference,
    )
    tell(
        "the correlations of the latents are left out: fit a classifier",
        difference / spread,
        difference / spread**2,
    )
    tell(
        "that is a principal component, which knows nothing of the label",
        *np.linalg.eigh(np.cov(latents.T))[1].T,
    )
    tell("that is one of the axes: in general the normal is not along one", *np.eye(5))
    tell(
        "that is where the high ones are: the normal is their side, not their mean",
        latents[high].mean(axis=0),
    )
    scaled, held = (
        LogisticRegression().fit(latents / spread, high),
        LogisticRegression(fit_intercept=False),
    )
    tell(
        "that is the normal of standardised latents: divide coef_ by the standard deviations",
        scaled.coef_[0],
    )
    tell(
        "the hyperplane is held at the origin: fit the intercept as well",
        held.fit(latents, high).coef_[0],
    )


@check(
    "02.permutation_null",
    hints=[
        "A permutation puts the same values into another order, each of them once; the latents stay where they are.",
        "One generator from the seed, made before the loop; rng.permutation(values) returns a new array.",
        "np.array([statistic(latents, rng.permutation(values)) for _ in range(n)])",
    ],
    returns=array,
)
def permutation_null(attempt, reference):
    calls, entries = [], np.random.default_rng(6).permutation(120).astype(float)
    latents, values = entries[:90].reshape(30, 3), entries[90:]
    where = np.argsort(entries)

    def statistic(latents, values):
        latents, values = (array(value, "arrays for the statistic") for value in (latents, values))
        shapes = latents.shape, values.shape
        require(
            shapes != ((30,), (30, 3)), "the arguments are exchanged: statistic(latents, values)"
        )
        require(
            shapes == ((30, 3), (30,)),
            f"the statistic is given shapes {shapes}, expected ((30, 3), (30,))",
        )
        known = np.isin(latents, entries[:90]).all() and np.isin(values, entries[90:]).all()
        require(
            known,
            "the statistic is given other numbers than those of latents and values: only reorder them",
        )
        at, order = where[latents.astype(int)], where[values.astype(int)] - 90
        whole = (at == at[:, :1] // 3 * 3 + np.arange(3)).all()
        require(
            whole, "the latents are torn apart: a row is one sample, and columns keep their order"
        )
        calls.append((at[:, 0] // 3, order))
        return 0.5 + len(calls)

    def orders(**keywords):
        calls.clear()
        given, n = (latents.copy(), values.copy()), keywords.get("n", 20)
        found = attempt(statistic, *given, **keywords)
        kept = np.array_equal(latents, given[0]) and np.array_equal(values, given[1])
        require(
            kept,
            "rng.shuffle reorders the array that it is given: rng.permutation(values) returns a new one",
        )
        require(
            calls, "the statistic is never called: its values for permuted values are asked for"
        )
        require(
            found.shape != (),
            "it returns one number: return all values of the statistic, without a mean",
        )
        require(n == 20 or found.shape != (20,), f"n is not used: it returns 20 values for n={n}")
        require(found.shape == (n,), f"the result has shape {found.shape}, expected ({n},)")
        most = f"the statistic is called {len(calls)} times for n={n}: return each value, without a choice"
        require(len(calls) <= n + 1, most)
        own = np.isin(found - 0.5, np.arange(1, len(calls) + 1)).all()
        require(own, "it returns other numbers than the statistic gave: return them as they are")
        rows, index = (
            np.array(part) for part in zip(*(calls[int(i) - 1] for i in found), strict=True)
        )
        return rows, index, np.take_along_axis(index, np.argsort(rows), axis=1)

    rows, index, order = orders()
    start = np.arange(30)
    kept_pairs, unmoved = (rows == index).all(), (index == start).all()
    require(
        not (kept_pairs and unmoved),
        "nothing is permuted: the statistic is given the values in their own order",
    )
    require(
        not kept_pairs,
        "latents and values are reordered together, which keeps the pairs: permute the values only",
    )
    once = (np.sort(index) == start).all() and (np.sort(rows) == start).all()
    require(
        once, "some values occur twice, others never: that is a bootstrap, draw without replacement"
    )
    different = len(np.unique(order, axis=0))
    shifts = np.ptp((order - start) % 30, axis=1)
    require(
        shifts.any(),
        "the values are shifted only: neighbours stay neighbours, so permute them at random",
    )
    require(
        different > 1, "it is the same order n times: make the generator before the loop, not in it"
    )
    require(different == 20, f"of 20 orders only {different} differ: draw a new one each time")
    by_seed = {}
    for seed in (0, 1):
        first, again = twice(lambda seed=seed: orders(n=200, seed=seed)[2])
        alike = np.array_equal(first, again)
        require(
            alike, f"the same seed gives other orders, for seed={seed}: np.random.default_rng(seed)"
        )
        require_random_orders(first)
        by_seed[seed] = set(map(bytes, first))
    require(by_seed[0] != by_seed[1], "the seed is not used: every seed gives the same orders")
    default = np.array_equal(order, orders(seed=0)[2])
    require(
        default,
        "without a seed the orders are not those of seed=0: keep the default values of the arguments",
    )
    require(
        not by_seed[0] & by_seed[1],
        "neighbouring seeds have orders in common: make one generator from the seed",
    )


@check(
    "02.reparametrise",
    hints=[
        "If ε is drawn from N(0, 1), then mean + deviation * ε is from N(mean, deviation²), and differentiable.",
        "The standard deviation is the root of the variance: (log_variance / 2).exp(); ε = torch.randn_like(mean).",
        "mean + (log_variance / 2).exp() * torch.randn_like(mean)",
    ],
)
def reparametrise(attempt, reference):
    np.random.seed(2)
    torch.manual_seed(2)
    m, v = 3 * torch.randn(4000, 8), 4 * torch.rand(4000, 8) - 2.5
    leaves = m.clone().requires_grad_(), v.clone().requires_grad_()
    try:
        found, again = (call(attempt, *(leaf.clone() for leaf in leaves)) for _ in range(2))
    except (RuntimeError, TypeError) as error:
        require(
            "numpy" not in str(error),
            "NumPy has no gradient: draw the noise with torch.randn_like(mean)",
        )
        raise
    require(
        torch.is_tensor(found),
        f"expected a tensor, for its gradient; found a {type(found).__name__}",
    )
    require(
        found.shape == m.shape,
        f"the result has shape {tuple(found.shape)}, expected {tuple(m.shape)}",
    )
    require(
        found.dtype == m.dtype,
        f"float32 becomes {found.dtype}: torch.randn_like(mean) draws the same type",
    )
    require(
        torch.isfinite(found).all(),
        "the latents are not all finite: the deviation is (log_variance / 2).exp()",
    )
    require(
        not same(found, m),
        "the mean is returned, without noise: add the deviation times torch.randn_like(mean)",
    )
    require(
        not torch.equal(found, again),
        "the noise is the same in every call: do not set a seed in here",
    )
    rest, slope = found.detach() - m, float((found.detach() * m).mean() / (m * m).mean())
    require(abs(slope) > 0.2, "the mean is not added")
    require(
        abs(slope - 1) < 0.05,
        f"the latents do not follow the mean: they grow by {slope:.2f} for each 1 of it",
    )
    noise = rest / (v / 2).exp()
    for dim, what in (
        ((0, 1), "one number is shared"),
        (1, "one for a sample is shared"),
        (0, "samples share theirs"),
    ):
        require(
            noise.std(dim=dim).max() > 0.01,
            f"{what}: each latent has its own noise, torch.randn_like(mean)",
        )
    require(
        noise.min() < -0.01,
        "the noise is never negative: rand is uniform from 0 to 1, randn is normal",
    )
    for scale, reason in (
        (v.exp(), "log_variance is taken for the log of the deviation: halve it before exp"),
        (v, "log_variance itself multiplies the noise: the deviation is (log_variance / 2).exp()"),
        (torch.ones(()), "the noise is not scaled: multiply it by (log_variance / 2).exp()"),
        (
            (v / 4).exp(),
            "log_variance is halved twice: exp(log_variance / 2) is the deviation already",
        ),
        ((-v / 2).exp(), "the noise is divided by the deviation: multiply by it"),
    ):
        parts = [(rest / scale)[some].var() for some in (v < -1.5, v > 0.5)]
        require(any(abs(part - 1) > 0.1 for part in parts), reason)
    mean, variance, tails = (
        float(noise.mean()),
        float(noise.var()),
        float((noise**4).mean() / noise.var() ** 2),
    )
    require(abs(mean) < 0.04, f"the noise, over the deviation, has the mean {mean:.2f}, expected 0")
    require(
        abs(variance - 1) < 0.05,
        f"the noise, over the deviation, has the variance {variance:.2f}, expected 1",
    )
    require(
        abs(tails - 3) < 0.2,
        f"the noise is not normal: its fourth moment is {tails:.2f}, expected 3",
    )
    parts = (
        torch.autograd.grad(found.sum(), leaves, allow_unused=True)
        if found.requires_grad
        else (None, None)
    )
    reached = [part is not None and bool(part.any()) for part in parts]
    require(
        any(reached),
        "no gradient flows: torch.normal(mean, deviation), sample() and detach() stop it",
    )
    require(
        all(reached),
        f"no gradient reaches {'log_variance' if reached[0] else 'mean'}: is it detached?",
    )
    right = torch.allclose(
        torch.stack(parts), torch.stack([torch.ones_like(m), rest / 2]), atol=1e-3
    )
    require(right, "the latents are right, but not their gradient: is a part of it detached?")
    for shape in ((4000, 16), (1, 3), (2, 1)):
        drawn, _ = twice(
            lambda shape=shape: attempt_for(f"shape {shape}", attempt, *torch.zeros(2, *shape))
        )
        require(
            drawn.shape == shape, f"for shape {shape} the result has shape {tuple(drawn.shape)}"
        )
        if len(drawn) == 4000:
            require(
                drawn.abs().max() > 3.5,
                "the noise is cut off: a normal one has tails, torch.randn_like(mean)",
            )
            distinct = len(drawn.abs().unique()) / drawn.numel()
            require(
                distinct > 0.9,
                "noise is used more than once: draw a number for each, torch.randn_like(mean)",
            )


@check(
    "02.kl_divergence",
    hints=[
        "It is 0 where the mean is 0 and the variance 1, and positive elsewhere; latents are independent: they add.",
        "For each latent: half of mean² + variance - 1 - log(variance).",
        "0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)",
    ],
)
def kl_divergence(attempt, reference):
    m = torch.tensor([[0.3, -1.2, 0.8], [1.7, 0.4, -0.6], [-0.2, 0.9, 2.1], [0.5, -0.7, 1.1]])
    v = torch.tensor([[-0.7, 0.4, 1.1], [0.2, -1.3, 0.6], [0.9, -0.3, -1.6], [1.4, 0.5, -0.8]])
    leaves = m.clone().requires_grad_(), v.clone().requires_grad_()
    found = call(attempt, *(leaf.clone() for leaf in leaves))
    require(
        torch.is_tensor(found),
        f"expected a tensor, for its gradient; found a {type(found).__name__}",
    )
    require(torch.isfinite(found).all(), "it is not finite: log_variance is the logarithm already")
    square, e = m**2, v.exp()
    each, total, tell = (
        (square + e - 1 - v) / 2,
        lambda terms: terms.sum(dim=1) / 2,
        partial(refuse, found),
    )
    right = each.sum(dim=1)
    tell("that is the sum over the batch as well: sum over the latents only, dim=1", right.sum())
    tell(
        "that is the mean over the batch: return one number for each sample",
        right.mean(),
        each.mean(),
    )
    tell("the latents are not summed: sum over dim=1", each)
    tell("the samples are summed, not the latents: dim=1", each.sum(dim=0), each.mean(dim=0))
    tell("the sign is wrong: a divergence is never negative", -right, -2 * right)
    tell("the factor 1/2 is missing", 2 * right)
    tell(
        "that is the mean over the latents: independent latents add",
        each.mean(dim=1),
        2 * each.mean(dim=1),
    )
    tell(
        "log_variance is taken for the log of the deviation",
        total(square + (2 * v).exp() - 1 - 2 * v),
    )
    tell(
        "the deviation stands where the variance should: exp(log_variance)",
        total(square + (v / 2).exp() - 1 - v),
    )
    tell(
        "the -1 is missing: it is 0 for mean 0 and variance 1",
        total(square + e - v),
        total(square + e + 1 - v),
    )
    tell(
        "the square of the mean is a part",
        total(m + e - 1 - v),
        total(m.abs() + e - 1 - v),
        total(e - 1 - v),
    )
    tell("exp(log_variance), the variance, is missing", total(square - 1 - v))
    tell(
        "log_variance is to be subtracted, with its own sign",
        total(square + e - 1),
        total(square + e - 1 + v),
    )
    tell(
        "that is the divergence in the other direction: of N(0, 1) from the latents",
        total((1 + square) / e - 1 + v),
    )
    require_close(found, right, "for the test latents it is {found}, expected {expected}")
    require(found.requires_grad, "no gradient flows to learn from: no detach(), no torch.no_grad()")
    require_gradients(found.sum(), reference(*leaves).sum(), leaves)
    random = torch.Generator().manual_seed(9)
    cases = {
        "latents close to N(0, 1)": 0.2 * torch.randn(2, 6, 3, generator=random),
        "16 latents": torch.randn(2, 5, 16, generator=random),
        "one sample": torch.randn(2, 1, 3, generator=random),
    }
    require_like(attempt, reference, cases, atol=1e-6)
