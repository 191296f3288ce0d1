"""Wrong answers of hack 02, by what they are told, and right ones in other styles."""

import random

import numpy as np
import torch
from scipy.linalg import sqrtm
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

import helpers.checks.hack02  # noqa: F401 - registers the checks
from helpers.reference import hack02


def root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def overlap(a, b):
    return np.linalg.svd(root(a) @ root(b), compute_uv=False).sum()


def distance(
    means=lambda d: d @ d,
    covariance=lambda x: np.cov(x.T),
    product=overlap,
    factor=2,
    total=np.trace,
    axis=0,
):
    def attempt(one, other):
        a = covariance(one)
        b = covariance(other)
        difference = one.mean(axis=axis) - other.mean(axis=axis)
        return means(difference) + total(a) + total(b) - factor * product(a, b)

    return attempt


def elementwise(a, b):
    return np.trace(np.sqrt(a @ b))


def unclipped(a, b):
    values, vectors = np.linalg.eigh(a)
    half = vectors * np.sqrt(values.clip(0)) @ vectors.T
    return np.sqrt(np.linalg.eigvalsh(half @ b @ half)).sum()


def unclipped_root(a, b):
    values, vectors = np.linalg.eigh(a)
    half = vectors * np.sqrt(values) @ vectors.T
    return np.sqrt(np.linalg.eigvalsh(half @ b @ half).clip(0)).sum()


def complex_root(a, b):
    return np.sqrt(np.linalg.eigvals(a @ b).astype(complex)).sum()


def with_cholesky(a, b):
    half = np.linalg.cholesky(a)
    return np.sqrt(np.linalg.eigvalsh(half.T @ b @ half)).sum()


def of_inverse(a, b):
    half = root(a)
    return np.trace(root(half @ b @ half) @ half @ np.linalg.inv(half))


def in_place_centred(one, other):
    one -= other.mean(axis=0)
    other -= other.mean(axis=0)
    return hack02.frechet_distance(one, other)


def needs_equal_sizes(one, other):
    pairs = ((one - other).mean(axis=0) ** 2).sum()
    return pairs + distance(means=lambda d: 0)(one, other)


def regularised(one, other):
    """Right: a little on the diagonal, so that sqrtm behaves."""
    little = 1e-9 * np.eye(one.shape[1])
    a = np.cov(one, rowvar=False) + little
    b = np.cov(other, rowvar=False) + little
    square = ((one.mean(0) - other.mean(0)) ** 2).sum()
    return square + np.trace(a + b) - 2 * np.trace(sqrtm(a @ b)).real


def in_torch(one, other):
    one = torch.tensor(one)
    other = torch.tensor(other)
    a = torch.cov(one.T)
    b = torch.cov(other.T)
    square = (one.mean(0) - other.mean(0)).square().sum()
    roots = torch.linalg.eigvals(a @ b).real.clip(0).sqrt()
    return square + a.trace() + b.trace() - 2 * roots.sum()


def angle_between(start, end):
    return np.arccos(np.clip(unit(start) @ unit(end), -1, 1))


def arc(angle=angle_between, below=np.sin, weights=None, bend=np.sin, change=lambda vector: vector):
    def attempt(start, end, t):
        start = change(start)
        end = change(end)
        if abs(unit(start) @ unit(end)) > 1 - 1e-12:
            return line(start, end, t)
        first, second = weights(t) if weights else (1 - t, t)
        a = angle(start, end)
        return (bend(first * a) * start + bend(second * a) * end) / below(a)

    return attempt


def unit(vector):
    return vector / np.linalg.norm(vector)


def line(start, end, t):
    return (1 - t) * start + t * end


def line_of_units(start, end, t):
    length = (np.linalg.norm(start) + np.linalg.norm(end)) / 2
    return length * unit(line(unit(start), unit(end), t))


def line_where(condition):
    """The line for pairs of some cosines, for the others the arc."""

    def attempt(start, end, t):
        cosine = unit(start) @ unit(end)
        return line(start, end, t) if condition(cosine) else arc()(start, end, t)

    return attempt


def bare(clip=lambda cosine: cosine, floor=0.0):
    """Without a case for parallel vectors."""

    def attempt(start, end, t):
        angle = np.arccos(clip(start @ end / np.sqrt((start @ start) * (end @ end))))
        point = np.sin((1 - t) * angle) * start + np.sin(t * angle) * end
        return point / (np.sin(angle) + floor)

    return attempt


def only_equal(start, end, t):
    """Parallel vectors are taken care of where the cosine is 1 to the last digit, no more."""
    cosine = start @ end / np.sqrt((start @ start) * (end @ end))
    return line(start, end, t) if cosine == 1 else bare()(start, end, t)


def start_where_parallel(start, end, t):
    return start.copy() if unit(start) @ unit(end) > 1 - 1e-9 else arc()(start, end, t)


def by_angle(start, end, t):
    """Parallel vectors are known by their angle, opposite ones not at all."""
    angle = angle_between(start, end)
    if angle < 1e-6:
        return line(start, end, t)
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def clipped_above(start, end, t):
    cosine = min(start @ end / np.sqrt((start @ start) * (end @ end)), 1)
    return line(start, end, t) if cosine > 1 - 1e-12 else bare()(start, end, t)


def arc_by_rotation(start, end, t):
    """Right: in the plane of the two, with the angle from arctan2."""
    along = unit(start)
    aside = end - (end @ along) * along
    if np.linalg.norm(aside) < 1e-9 * np.linalg.norm(end):
        return line(start, end, t)
    angle = np.arctan2(np.linalg.norm(aside), end @ along)
    first = np.sin((1 - t) * angle) / np.sin(angle)
    second = np.sin(t * angle) / np.sin(angle)
    return [float(x) for x in first * start + second * end]


def arc_in_torch(start, end, t):
    return torch.tensor(hack02.slerp(start, end, t))


def shifts_end(start, end, t):
    end -= start
    return start + t * end


def fitted(model=LogisticRegression, change=lambda normal: unit(normal[0])):
    return lambda latents, high: change(model().fit(latents, high).coef_)


def means(latents, high):
    return latents[high].mean(axis=0) - latents[~high].mean(axis=0)


def fisher(latents, high):
    """Right: difference of means, through the inverse of the covariance within the classes."""
    within = np.cov(latents[high].T) + np.cov(latents[~high].T)
    return torch.tensor(unit(np.linalg.solve(within, means(latents, high))))


def whole(latents, high):
    model = LogisticRegression().fit(latents, high)
    return unit(np.r_[model.coef_[0], model.intercept_])


def standardised(latents, high):
    scaled = StandardScaler().fit_transform(latents)
    return fitted()(scaled, high)


def scaled_back(latents, high):
    scaler = StandardScaler().fit(latents)
    model = LogisticRegression(penalty=None).fit(scaler.transform(latents), high)
    return unit(model.coef_[0] / scaler.scale_)


def some_normal(seed):
    return lambda latents, high: unit(np.random.default_rng(seed).normal(size=latents.shape[1]))


def centres_in_place(latents, high):
    latents -= latents.mean(axis=0)
    return fitted()(latents, high)


def only_five_dimensions(latents, high):
    return fitted()(latents, high) if latents.shape[1] == 5 else unit(np.ones(latents.shape[1]))


def first_label_kept():
    kept = []

    def attempt(latents, high):
        kept.append(fitted()(latents, high))
        return kept[0] if latents.shape[1] == 5 else kept[-1]

    return attempt


def null(
    draw=lambda rng, latents, values: (latents, rng.permutation(values)),
    n_of=lambda n: n,
    seed_of=lambda s: s,
    end=np.array,
):
    def attempt(statistic, latents, values, n=20, seed=0):
        rng = np.random.default_rng(seed_of(seed))
        return end([statistic(*draw(rng, latents, values)) for _ in range(n_of(n))])

    return attempt


def bootstrap_of_pairs(rng, latents, values):
    rows = rng.integers(len(values), size=len(values))
    return latents[rows], values[rows]


def rows_together(rng, latents, values):
    rows = rng.permutation(len(values))
    return latents[rows], values[rows]


def half_of_them(rng, latents, values):
    order = np.arange(len(values))
    order[:10] = rng.permutation(10)
    return latents, values[order]


def same_generator(statistic, latents, values, n=20, seed=0):
    results = []
    for _ in range(n):
        rng = np.random.default_rng(seed)
        results.append(statistic(latents, rng.permutation(values)))
    return np.array(results)


def few_orders(statistic, latents, values, n=20, seed=0):
    results = []
    for i in range(n):
        rng = np.random.default_rng(seed + i % 5)
        results.append(statistic(latents, rng.permutation(values)))
    return np.array(results)


def shuffled(statistic, latents, values, n=20, seed=0):
    rng = np.random.default_rng(seed)
    results = []
    for _ in range(n):
        rng.shuffle(values)
        results.append(statistic(latents, values))
    return np.array(results)


def shuffled_copy(statistic, latents, values, n=20, seed=0):
    values = list(values)
    generator = random.Random(seed)
    results = []
    for _ in range(n):
        generator.shuffle(values)
        results.append(statistic(latents, values))
    return results


def in_torch_orders(statistic, latents, values, n=20, seed=0):
    generator = torch.Generator().manual_seed(seed)
    latents = torch.tensor(latents)
    values = torch.tensor(values)
    orders = [torch.randperm(len(values), generator=generator) for _ in range(n)]
    return torch.tensor([statistic(latents, values[order]) for order in orders])


def seeds_everything(statistic, latents, values, n=20, seed=0):
    np.random.seed(seed)
    return np.array([statistic(latents, np.random.permutation(values)) for _ in range(n)])


def first_as_it_was(statistic, latents, values, n=20, seed=0):
    values = values.copy()
    rng = np.random.default_rng(seed)
    results = []
    for _ in range(n):
        results.append(statistic(latents, values))
        rng.shuffle(values)
    return np.array(results)


def observed_first(statistic, latents, values, n=20, seed=0):
    observed = statistic(latents, values)
    return np.r_[observed, null()(statistic, latents, values, n - 1, seed)]


def largest(statistic, latents, values, n=20, seed=0):
    twice_as_many = null()(statistic, latents, values, 2 * n, seed)
    return np.sort(twice_as_many)[n:]


def swaps(statistic, latents, values, n=20, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.permutation(values)
    results = []
    for _ in range(n):
        one, other = rng.choice(len(values), 2, replace=False)
        values[[one, other]] = values[[other, one]]
        results.append(statistic(latents, values.copy()))
    return np.array(results)


def in_blocks(rng, latents, values):
    return latents, rng.permutation(values.reshape(-1, 2)).ravel()


def in_halves(rng, latents, values):
    middle = len(values) // 2
    return latents, np.r_[rng.permutation(values[:middle]), rng.permutation(values[middle:])]


def all_but_the_last(rng, latents, values):
    return latents, np.r_[rng.permutation(values[:-1]), values[-1:]]


def seed_and_number(statistic, latents, values, n=20, seed=0):
    rngs = [np.random.default_rng(seed + i) for i in range(n)]
    return np.array([statistic(latents, rng.permutation(values)) for rng in rngs])


def seeds_of_each(statistic, latents, values, n=20, seed=0):
    """Right: a generator for each, with keywords, and sorted in the end."""
    results = []
    for i in range(n):
        order = np.random.RandomState(1000 * seed + i).permutation(len(values))
        results.append(statistic(latents=latents, values=values[order]))
    return np.sort(results)


def deviation(log_variance):
    return (log_variance / 2).exp()


def drawn(scale=deviation, noise=torch.randn_like, mean=lambda m: m, end=lambda z: z):
    return lambda m, v: end(mean(m) + scale(v) * noise(m))


def seeded(m):
    torch.manual_seed(0)
    return torch.randn_like(m)


def in_pairs(m):
    noise = torch.randn_like(m)
    noise[1::2] = -noise[: len(m) // 2 * 2 : 2]
    return noise


def truncated(m):
    return torch.nn.init.trunc_normal_(torch.empty_like(m), a=-3, b=3) * 1.0068


def seeds_afterwards(m, v):
    latents = hack02.reparametrise(m, v)
    torch.manual_seed(0)
    return latents


def in_place_noise(m, v):
    m += (v / 2).exp() * torch.randn_like(m)
    return m


def divergence(
    mean=lambda m: m**2,
    variance=torch.exp,
    one=1.0,
    log=lambda v: v,
    factor=0.5,
    total=lambda x: x.sum(dim=1),
):
    return lambda m, v: factor * total(mean(m) + variance(v) - one - log(v))


def of_distributions(m, v):
    posterior = torch.distributions.Normal(m, torch.exp(0.5 * v))
    return torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0, 1)).sum(-1)


def from_prior(m, v):
    posterior = torch.distributions.Normal(m, torch.exp(0.5 * v))
    prior = torch.distributions.Normal(torch.zeros(()), 1.0)
    return torch.distributions.kl_divergence(prior, posterior).sum(-1)


def latent_by_latent(k=None):
    """The sum over so many latents, over all if there is no number."""

    def attempt(m, v):
        latents = range(k or m.shape[1])
        return sum(hack02.kl_divergence(m[:, [i]], v[:, [i]]) for i in latents)

    return attempt


WRONG = {
    "02.frechet_distance": [
        (lambda one, other: np.sqrt(hack02.frechet_distance(one, other)), "the root of the whole"),
        (distance(means=np.linalg.norm), "is not squared"),
        (distance(means=lambda d: 0), "the means are missing"),
        (distance(covariance=lambda x: np.zeros((2, 2))), "only the means enter"),
        (distance(factor=1), "the 2 is missing"),
        (distance(factor=-2), "is added: subtract it"),
        (distance(factor=0), "the root of the product is missing"),
        (distance(product=lambda a, b: np.trace(a @ b)), "the root of the product is missing"),
        (distance(product=elementwise), "takes roots of the elements"),
        (distance(product=lambda a, b: np.trace(np.sqrt(a * b))), "only the variances enter"),
        (distance(covariance=lambda x: np.diag(x.var(axis=0, ddof=1))), "only the variances enter"),
        (
            distance(product=lambda a, b: np.sqrt(np.trace(a) * np.trace(b))),
            "the root is taken of a trace",
        ),
        (distance(product=lambda a, b: np.sqrt(np.trace(a @ b))), "the root is taken of a trace"),
        (distance(product=lambda a, b: np.trace(root(a) @ root(b))), "the product of roots"),
        (
            distance(product=lambda a, b: np.sqrt(np.linalg.eigvalsh(a @ b).clip(0)).sum()),
            "eigvalsh wants a symmetric matrix",
        ),
        (distance(covariance=np.cov), "covariances between points"),
        (
            distance(covariance=lambda x: np.corrcoef(x.T)),
            "for 30 and 30 points with 4 features it is",
        ),
        (distance(axis=1), "take the means of each feature"),
        (distance(means=lambda d: d**2, axis=None), "take the means of each feature"),
        (distance(means=lambda d: np.mean(d**2)), "take the means of each feature"),
        (
            distance(
                total=lambda a: np.diag(a).mean(), product=lambda a, b: overlap(a, b) / len(a)
            ),
            "that is a mean over",
        ),
        (distance(means=lambda d: np.abs(d).sum()), "for 30 and 30 points with 4 features it is"),
        (needs_equal_sizes, "fails for sets of different size"),
        (distance(product=unclipped), "rounding makes eigenvalues negative"),
        (distance(product=unclipped_root), "rounding makes eigenvalues negative"),
        (distance(product=complex_root), "it is complex"),
        (distance(product=with_cholesky), "no inverse, no Cholesky"),
        (lambda one, other: np.cov(one.T), "expected one number"),
        (lambda one, other: None, "nothing is returned"),
        (in_place_centred, "changes an array"),
    ],
    "02.slerp": [
        (line, "that is the straight line"),
        (lambda start, end, t: hack02.slerp(end, start, t), "start and end are exchanged"),
        (arc(lambda s, e: np.arccos(s @ e)), "divided by both lengths"),
        (arc(lambda s, e: np.arccos(s @ e / np.linalg.norm(s))), "divided by both lengths"),
        (arc(lambda s, e: np.arccos(np.clip(10 * s @ e, -2, 2))), "arccos wants a cosine"),
        (arc(below=lambda a: 1), "it is not divided by sin(angle)"),
        (arc(below=lambda a: a), "it is not divided by sin(angle)"),
        (arc(lambda s, e: unit(s) @ unit(e)), "arccos is missing"),
        (arc(lambda s, e: np.degrees(angle_between(s, e))), "in degrees"),
        (arc(bend=lambda a: np.sin(np.degrees(a))), "in degrees"),
        (arc(weights=lambda t: (0.5, 0.5)), "t is not used"),
        (lambda start, end, t: unit(line(start, end, t)), "put onto the sphere"),
        (line_of_units, "put onto the sphere"),
        (arc(change=unit), "only the angle is that of normalised vectors"),
        (lambda start, end, t: unit(hack02.slerp(start, end, t)), "its length is changed"),
        (arc(weights=lambda t: (1 - t**2, t**2)), "the point of a test arc"),
        (arc(bend=np.cos), "the point of a test arc"),
        (line_where(lambda cosine: cosine < 0), "an angle beyond 90° it is"),
        (bare(lambda cosine: np.clip(cosine, -1, 1)), "sin(angle) is 0 for parallel"),
        (bare(lambda cosine: np.clip(cosine, -1, 1), floor=1e-9), "sin(angle) is 0 for parallel"),
        (start_where_parallel, "parallel vectors give"),
        (only_equal, "exceed 1: np.clip it"),
        (clipped_above, "fall below -1"),
        (lambda start, end, t: start @ end, "the result has shape ()"),
        (lambda start, end, t: None, "nothing is returned"),
        (by_angle, "opposite vectors give"),
        (line_where(lambda cosine: cosine > 0.95), "for an angle of 5°"),
        (line_where(lambda cosine: 0.85 < cosine < 0.9), "for an angle of 30°"),
        (lambda start, end, t: arc()(start, end, t) / (t > 0), "for t = 0"),
        (lambda start, end, t: arc()(start, end, t)[:4], "for 16 dimensions the result has shape"),
        (shifts_end, "changes an array"),
    ],
    "02.separating_direction": [
        (fitted(change=lambda normal: normal[0]), "divide it by its norm"),
        (fitted(change=lambda normal: normal[0] / np.abs(normal).sum()), "divide it by its norm"),
        (fitted(change=lambda normal: normal / np.linalg.norm(normal)), "take coef_[0]"),
        (fitted(change=lambda normal: -unit(normal[0])), "points to the low ones"),
        (lambda latents, high: fitted()(latents, ~high), "points to the low ones"),
        (whole, "the intercept is no part"),
        (lambda latents, high: unit(means(latents, high)), "the difference of the means"),
        (
            lambda latents, high: unit(means(latents, high) / latents.var(axis=0)),
            "correlations of the latents",
        ),
        (
            lambda latents, high: unit(means(latents, high) / latents.std(axis=0)),
            "correlations of the latents",
        ),
        (lambda latents, high: PCA(1).fit(latents).components_[0], "a principal component"),
        (lambda latents, high: np.eye(latents.shape[1])[0], "one of the axes"),
        (lambda latents, high: unit(latents[high].mean(axis=0)), "where the high ones are"),
        (standardised, "standardised latents"),
        (fitted(lambda: LogisticRegression(fit_intercept=False)), "held at the origin"),
        (some_normal(3), "the label is not used"),
        (
            lambda latents, high: unit(means(latents, high) + 2 * np.eye(latents.shape[1])[0]),
            "for the test labels it is",
        ),
        (first_label_kept(), "for another label"),
        (only_five_dimensions, "for another shape it is"),
        (
            lambda latents, high: LogisticRegression().fit(latents, high).predict(latents),
            "a value for each latent",
        ),
        (lambda latents, high: latents @ fitted()(latents, high), "a value for each latent"),
        (lambda latents, high: latents @ latents.T @ np.ones(len(high)), "a value for each latent"),
        (
            lambda latents, high: LogisticRegression().fit(latents, high),
            "found a LogisticRegression",
        ),
        (lambda latents, high: (fitted()(latents, high), 0.3), "found a tuple"),
        (lambda latents, high: fitted()(latents, high) * np.nan, "not finite"),
        (lambda latents, high: fitted()(latents, high)[:2], "one entry for each latent axis"),
        (lambda latents, high: None, "nothing is returned"),
        (centres_in_place, "changes an array"),
    ],
    "02.permutation_null": [
        (
            null(lambda rng, latents, values: (latents, rng.choice(values, len(values)))),
            "that is a bootstrap",
        ),
        (null(bootstrap_of_pairs), "reordered together"),
        (null(rows_together), "reordered together"),
        (null(lambda rng, latents, values: (latents, values)), "nothing is permuted"),
        (
            null(
                lambda rng, latents, values: (latents, np.roll(values, rng.permutation(29)[0] + 1))
            ),
            "shifted only",
        ),
        (same_generator, "the same order n times"),
        (null(lambda rng, latents, values: (latents, values[::-1])), "the same order n times"),
        (few_orders, "of 20 orders only 5 differ"),
        (null(half_of_them), "of the values stay where they are"),
        (null(n_of=lambda n: 20), "n is not used"),
        (null(n_of=lambda n: n + 1), "the result has shape (21,)"),
        (shuffled, "changes an array"),
        (
            null(lambda rng, latents, values: (rng.permutation(latents, axis=1), values)),
            "torn apart",
        ),
        (null(lambda rng, latents, values: (rng.permuted(latents, axis=0), values)), "torn apart"),
        (
            null(lambda rng, latents, values: (latents, rng.normal(size=len(values)))),
            "other numbers than latents and values",
        ),
        (
            null(lambda rng, latents, values: (rng.permutation(values), latents)),
            "arguments are exchanged",
        ),
        (null(lambda rng, latents, values: (latents[:9], values[:9])), "is given shapes"),
        (null(end=np.mean), "it returns one number"),
        (
            null(end=lambda null: np.array(null) - np.mean(null)),
            "other numbers than the statistic gave",
        ),
        (null(seed_of=lambda seed: 0), "the seed is not used"),
        (null(seed_of=lambda seed: None), "the same seed gives other orders, for seed=0"),
        (null(seed_of=lambda seed: seed or None), "the same seed gives other orders, for seed=0"),
        (first_as_it_was, "in their own order are among the results"),
        (observed_first, "in their own order are among the results"),
        (swaps, "nearly the one before"),
        (null(in_blocks), "neighbours stay neighbours: permute the values one by one"),
        (null(in_halves), "within a part of the places"),
        (null(all_but_the_last), "of the values stay where they are"),
        (largest, "without a choice"),
        (seed_and_number, "neighbouring seeds"),
        (lambda f, z, v, n=20, seed=1: null()(f, z, v, n, seed), "the default of the argument"),
        (seeds_everything, "sets the seed of all"),
        (
            lambda statistic, latents, values, n=20, seed=0: np.zeros(n),
            "the statistic is never called",
        ),
        (
            lambda statistic, latents, values, n=20, seed=0: print(
                null()(statistic, latents, values)
            ),
            "nothing is returned",
        ),
    ],
    "02.reparametrise": [
        (drawn(torch.exp), "taken for the log of the deviation"),
        (drawn(lambda v: v), "log_variance itself"),
        (drawn(lambda v: 1), "the noise is not scaled"),
        (drawn(lambda v: (v / 4).exp()), "halved twice"),
        (drawn(lambda v: (-v / 2).exp()), "is divided by"),
        (drawn(lambda v: 2 * (v / 2).exp()), "has the variance 4."),
        (drawn(mean=lambda m: 0), "the mean is not added"),
        (drawn(mean=lambda m: 2 * m), "do not follow the mean"),
        (drawn(noise=lambda m: torch.randn(())), "one number is shared"),
        (drawn(noise=lambda m: torch.randn(len(m), 1)), "one for a sample is shared"),
        (drawn(noise=lambda m: torch.randn(m.shape[1])), "samples share theirs"),
        (drawn(noise=torch.rand_like), "uniform from 0 to 1"),
        (drawn(noise=lambda m: (torch.rand_like(m) - 0.5) * 12**0.5), "the noise is not normal"),
        (drawn(noise=lambda m: torch.randn_like(m) + 0.5), "has the mean 0.5"),
        (drawn(noise=seeded), "the same in every call"),
        (lambda m, v: m, "without noise"),
        (drawn(end=torch.detach), "no gradient flows"),
        (lambda m, v: torch.normal(m, (v / 2).exp()), "no gradient flows"),
        (lambda m, v: torch.distributions.Normal(m, (v / 2).exp()).sample(), "no gradient flows"),
        (drawn(mean=torch.detach), "no gradient reaches mean"),
        (drawn(lambda v: (v / 2).exp().detach()), "no gradient reaches log_variance"),
        (drawn(mean=lambda m: m.detach() + 0.5 * (m - m.detach())), "but not its gradient"),
        (drawn(noise=lambda m: np.random.normal(size=m.shape)), "NumPy has no gradient"),
        (lambda m, v: np.random.normal(m, np.exp(v / 2)), "NumPy has no gradient"),
        (lambda m, v: np.random.normal(m.detach(), np.exp(v.detach() / 2)), "found a ndarray"),
        (
            drawn(noise=lambda m: torch.tensor(np.random.normal(size=m.shape))),
            "becomes torch.float64",
        ),
        (drawn(end=lambda z: z.mean(dim=0)), "the result has shape (8,)"),
        (drawn(torch.sqrt), "not all finite"),
        (lambda m, v: None, "found a NoneType"),
        (in_place_noise, "changes an array"),
        (
            drawn(noise=lambda m: torch.randn(len(m), 8)),
            "for shape (5000, 16) it raises RuntimeError",
        ),
        (drawn(noise=in_pairs), "used more than once"),
        (drawn(noise=truncated), "cut off"),
        (seeds_afterwards, "sets the seed of all"),
    ],
    "02.kl_divergence": [
        (divergence(factor=-0.5), "the sign is wrong"),
        (divergence(factor=1), "the factor 1/2 is missing"),
        (divergence(total=lambda x: x.mean(dim=1)), "mean over the latents"),
        (divergence(total=torch.sum), "the sum over the batch as well"),
        (divergence(total=torch.mean), "the mean over the batch"),
        (divergence(total=lambda x: x.sum(dim=1).mean()), "the mean over the batch"),
        (divergence(total=lambda x: x.sum(dim=0)), "the samples are summed"),
        (divergence(total=lambda x: x), "the latents are not summed"),
        (
            divergence(variance=lambda v: (2 * v).exp(), log=lambda v: 2 * v),
            "the log of the deviation",
        ),
        (divergence(variance=lambda v: (v / 2).exp()), "the deviation stands where"),
        (divergence(one=0), "the -1 is missing"),
        (divergence(mean=lambda m: m), "the square of the mean"),
        (divergence(mean=torch.zeros_like), "the square of the mean"),
        (divergence(variance=lambda v: 0), "the variance, is missing"),
        (divergence(log=lambda v: 0), "to be subtracted, with its own sign"),
        (divergence(log=lambda v: -v), "to be subtracted, with its own sign"),
        (divergence(variance=lambda v: v, log=torch.log), "it is not finite"),
        (from_prior, "in the other direction"),
        (divergence(mean=lambda m: m**4), "for the test latents it is"),
        (lambda m, v: hack02.kl_divergence(m, v).detach(), "no gradient flows"),
        (divergence(mean=lambda m: m.detach() ** 2), "but not its gradient"),
        (lambda m, v: hack02.kl_divergence(m, v).tolist(), "found a list"),
        (lambda m, v: None, "found a NoneType"),
        (latent_by_latent(3), "for 16 latents"),
        (lambda m, v: (m**2 + v.exp() - v).sum(dim=1) / 2 - 1.5, "for 16 latents"),
        (lambda m, v: divergence(total=torch.squeeze)(m, v).sum(dim=-1), "for one sample"),
        (divergence(total=lambda x: x.clamp(min=0.1).sum(dim=1)), "for latents close to N(0, 1)"),
        (lambda m, v: 0.5 * (m.pow_(2) + v.exp() - 1 - v).sum(dim=1), "changes an array"),
    ],
}

RIGHT = [
    ("02.frechet_distance", distance()),
    ("02.frechet_distance", distance(covariance=lambda x: np.cov(x, rowvar=False, bias=True))),
    ("02.frechet_distance", regularised),
    ("02.frechet_distance", in_torch),
    (
        "02.frechet_distance",
        lambda one, other: float(distance(product=complex_root)(one, other).real),
    ),
    ("02.slerp", arc()),
    ("02.slerp", arc_by_rotation),
    ("02.slerp", arc_in_torch),
    ("02.separating_direction", fitted(lambda: LinearSVC(dual="auto"))),
    ("02.separating_direction", fitted(lambda: SVC(kernel="linear"))),
    ("02.separating_direction", fitted(LinearDiscriminantAnalysis)),
    ("02.separating_direction", fitted(LinearRegression, change=unit)),
    (
        "02.separating_direction",
        fitted(lambda: LogisticRegression(C=100), lambda normal: list(unit(normal[0]))),
    ),
    ("02.separating_direction", fisher),
    ("02.separating_direction", scaled_back),
    ("02.permutation_null", null(lambda rng, latents, values: (rng.permutation(latents), values))),
    (
        "02.permutation_null",
        null(
            lambda rng, latents, values: (latents, rng.choice(values, len(values), replace=False))
        ),
    ),
    ("02.permutation_null", shuffled_copy),
    ("02.permutation_null", in_torch_orders),
    ("02.permutation_null", seeds_of_each),
    ("02.reparametrise", lambda m, v: torch.distributions.Normal(m, torch.exp(0.5 * v)).rsample()),
    ("02.reparametrise", lambda m, v: m - v.exp().sqrt() * torch.normal(0, 1, m.shape)),
    (
        "02.reparametrise",
        lambda m, v: torch.addcmul(
            m, (v / 2).exp(), torch.tensor(np.random.randn(*m.shape)).float()
        ),
    ),
    ("02.kl_divergence", of_distributions),
    ("02.kl_divergence", lambda m, v: -0.5 * torch.sum(1 + v - m.pow(2) - v.exp(), dim=-1)),
    ("02.kl_divergence", latent_by_latent()),
    ("02.kl_divergence", lambda m, v: hack02.kl_divergence(m.double(), v.double())),
]

EQUIVALENT = {
    "02.permutation_null": {
        "np.array([statistic(": "a list is made into an array before it is handed on"
    },
    "02.reparametrise": {
        "mean + (log_variance / 2).exp() * torch.randn_like(mean) → mean -": "noise of either sign"
    },
}
