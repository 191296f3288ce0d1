# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 02 What does a GAN's latent space mean?
#
# {badges}
#
# **Question.** An autoencoder maps data to latents; a GAN does not. Can the latent space of a GAN be read all the same, or designed so that it can?
#
# {origin}
#
# You will be able to
# - measure how good a generator is, with a floor, a baseline and an error bar, and know what the number depends on;
# - find the directions of a latent space that carry redshift, age, metallicity and mass, and tell them from chance;
# - put physical parameters into the latent space, and show with numbers what that buys and what it costs.
#
# **Time.** {time}
#
# **Data and licence.** The galaxy spectra of hack 01, on a coarser grid: `sdss_galaxy_spec.hdf5` circulates among the school's participants; SDSS data are in the public domain. Without it, spectra are simulated in the same format; figures drawn from them say MOCK. Code: BSD-3-Clause. Text: CC BY 4.0.

# %% tags=["setup"]

# %%
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from torch import nn

from helpers import plots
from helpers.course import setup
from helpers.evaluation.judge import ParameterRegressor
from helpers.exercises import exercise, hint
from helpers.plots import latent as latent_plots
from helpers.plots.sliders import sliders
from helpers.subjects import spectra
from helpers.subjects.spectra.sets import NAMES, training_set
from helpers.training import Ensemble, ensemble_objective, fit, fit_gan, predict

run = setup("02_latent_space", seed=2024)

# %% [markdown]
# ## 1 A small GAN, and how to judge it
#
# A GAN turns random numbers, the **latents**, into spectra. Nobody tells it what each number is to mean. The group that asked this question at the school tried many settings and looked at the spectra; their conclusion was that the latent space matters, and that it needs a quantitative study. This is that study: every picture becomes a number with an error bar.
#
# The data are galaxy spectra in the *observer's* frame, on 128 bins: here a redshift moves all lines, so it is to be seen (hack 01 works in the rest frame, where it is not). Nine real ones:

# %%
n_spectra, n_train, n_validation = run.pick(ci=(500, 300, 60), demo=(4000, 2700, 300), full=(10_000, 7000, 1000))
data = training_set(run.use(spectra.load(n_spectra)), n_train, n_validation, seed=run.seed)
BINS, MOCK = data.values.shape[1], data.mock
real, asked = data.part("test")
titles = [f"z = {z:.2f}, {age:.1f} Gyr" for z, age, *_ in data.parameters[data.test[:9]]]
latent_plots.grid(data.wavelength, data.flux(real[:9]).reshape(3, 3, -1), titles, mock=MOCK)

# %% [markdown]
# **A judge.** A network that reads redshift, age, metallicity and mass from spectra, trained on **real** training spectra only. It serves twice: it says which parameters a generated spectrum has, and its last but one layer gives 32 *features* in which sets of spectra are compared. (The Inception network, from which the usual FID has its features, knows cats and not galaxies.) How well does it read real test spectra?

# %%
regressor = ParameterRegressor.fit(
    data.part("train"), data.part("validation"), epochs=run.pick(ci=2, demo=25, full=60), seed=run.seed
)
pd.DataFrame({"R² on real test spectra": regressor.r2(real, asked)}, index=NAMES).T.round(3)

# %% [markdown]
# All four can be read, the redshift nearly perfectly. Beside these values stands everything that follows. They are not quite a limit: the labels of real spectra have errors of their own, while a generator obeys the label itself, and may so come out above.
#
# **Exercise 1.** The Fréchet distance between two clouds of points with means m and covariances C is |m₁ − m₂|² + tr(C₁ + C₂ − 2(C₁C₂)^½). The root of a product of matrices is where implementations break: the product is not symmetric, and with few points it is singular. Write it so that it stays real.

# %% tags=["exercise"]
@exercise("02.frechet_distance")
def frechet_distance(one, other):
    """Return the Fréchet distance of two sets of features, shape (n, k) and (m, k): one number."""
    # BEGIN SOLUTION
    difference = one.mean(axis=0) - other.mean(axis=0)
    covariances = np.cov(one.T), np.cov(other.T)
    values, vectors = np.linalg.eigh(covariances[0])
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ covariances[1] @ root).clip(0)).sum()
    return difference @ difference + sum(map(np.trace, covariances)) - 2 * overlap
    # END SOLUTION


# %% [markdown]
# **Two networks.** Each design of a latent space below is one `Design`. All generators have two hidden layers; `mask` switches off the inputs that a design does not have, so that networks of different designs have the same shape. The critic is the same for all. It sees the conditions that the generator gets. (The source's generators have 512 hidden units, as at `full`; at `demo` they have 128, which in the minutes of a laptop come further, as section 2 shows.)

# %%
WIDTH = run.pick(ci=32, demo=128, full=512)


class Design(NamedTuple):
    """What goes into a generator: so many random numbers, these parameters, and the width of its layers."""

    latent: int = 16
    conditions: tuple = ()
    noise: str = "gaussian"
    hidden: int = WIDTH

    def mask(self, width):
        """1 for each input that there is, of `width` latents and the parameters."""
        return torch.tensor([i < self.latent for i in range(width)] + [name in self.conditions for name in NAMES]).float()


def dense(inputs, hidden, outputs):
    layers = [nn.Linear(inputs, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


# %%
class Generator(nn.Module):
    def __init__(self, design, width):
        super().__init__()
        self.register_buffer("mask", design.mask(width))
        self.layers = dense(width + 4, design.hidden, BINS)
        self.layers[0].weight.data *= ((width + 4) / self.mask.sum()) ** 0.5  # as if the others were not there

    def forward(self, noise, condition):
        return self.layers(torch.cat([noise, condition], dim=-1) * self.mask)


class Critic(nn.Module):
    def __init__(self, design):
        super().__init__()
        self.register_buffer("mask", design.mask(0))
        self.layers = dense(BINS + 4, 128, 1)

    def forward(self, spectrum, condition):
        return self.layers(torch.cat([spectrum, condition * self.mask], dim=-1))


# %% [markdown]
# Every statement below rests on three random starts of each design. Dozens of small GANs are trained as **one**: `Ensemble` stacks their weights, so that one multiplication of a batch of matrices serves all (measured on a CPU: 2.6 times as fast as one after the other at 128 hidden units, 1.7 times at 512). Each member has its own weights, noise and order of the data; the losses are those of hack 01, a Wasserstein GAN with gradient penalty.

# %%
KINDS = {"gaussian": 0.0, "uniform, variance 1": 3**0.5, "uniform on [-1, 1]": 1.0}


def shaped(normal, kind):
    """Turn standard normal numbers into the kind of noise wanted: erf(x / √2) is uniform on [-1, 1]."""
    half_width = torch.as_tensor(kind)
    return torch.where(half_width > 0, half_width * torch.erf(normal / 2**0.5), normal)


class Trained(NamedTuple):
    design: Design
    seed: int
    generator: Generator
    width: int

    def sample(self, condition, seed=0):
        """Noise, shape (n, width), and the spectra made from it with these conditions, shape (n, 128)."""
        random = torch.Generator().manual_seed(seed)
        noise = shaped(torch.randn(len(condition), self.width, generator=random), KINDS[self.design.noise]).numpy()
        return noise, predict(self.generator, (noise, condition))


# %%
SEEDS, STEPS = run.pick(ci=2, demo=3, full=5), run.pick(ci=3, demo=800, full=5000)


def train(designs, name):
    """Train each design from several random starts, all as one ensemble; designs of one hidden size."""
    members = [(design, seed) for design in designs for seed in range(SEEDS)]
    width, networks, orders = max(design.latent for design in designs), [], []
    for design, seed in members:
        torch.manual_seed(seed)
        networks.append((Generator(design, width), Critic(design)))
        orders.append(np.random.default_rng(seed).permutation(data.train))
    kinds = torch.tensor([KINDS[design.noise] for design, _ in members])[:, None]

    def noise(n, random):
        return shaped(torch.randn(n, len(members), width, generator=random, device=random.device), kinds.to(random.device))

    generators, critics = (Ensemble(part) for part in zip(*networks))
    pair = [np.stack([array[order] for order in orders], axis=1) for array in (data.values, data.conditions)]
    options = dict(critic_steps=2, batch_size=64, learning_rate=2e-3, ema=0.99, seed=run.seed)
    options |= dict(objective=ensemble_objective(len(members)), checkpoint=run.checkpoint(name))
    fit_gan(generators, critics, tuple(pair), noise=noise, steps=STEPS, **options)
    return [Trained(*member, generators.member(number), width) for number, member in enumerate(members)]


# %% [markdown]
# First training: the scan over the number of latents (1 to 64), and two kinds of uniform noise. The spectra of the GAN with 16 Gaussian latents, beside which the real ones above may be held:

# %%
LATENTS = run.pick(ci=(1, 4, 8, 16), demo=(1, 2, 4, 8, 16, 32, 64), full=(1, 2, 4, 8, 16, 32, 64))
scan = train([Design(n) for n in LATENTS] + [Design(noise=kind) for kind in list(KINDS)[1:]], "latents")
reference = next(trained for trained in scan if trained.design == Design())
latents, made = reference.sample(asked)
latent_plots.grid(data.wavelength, data.flux(made[:9]).reshape(3, 3, -1), mock=MOCK)

# %% [markdown]
# The break is there, at various redshifts; lines are weak or missing in most, and two or three spectra are spiky where no real one is. How good is that? Look at the Fréchet distance against the number of spectra in both sets: real against real, and generated against real. A straight line in 1/n through the points gives the value for infinitely many, printed above the figure.

# %%
rng = np.random.default_rng(run.seed)


def distance(one, other):
    return frechet_distance(regressor.features(one), regressor.features(other))


sizes = np.array(run.pick(ci=(40, 80), demo=(50, 100, 200, 400, 900), full=(50, 100, 200, 500, 1000, 1900)))
train_values = data.values[data.train]
pools = {"real against real": train_values, "generated against real": reference.sample(data.conditions[data.train])[1]}
bias = {name: np.zeros((len(sizes), 8)) for name in pools}
for name, pool in pools.items():
    for row, n in enumerate(sizes):
        for repeat in range(8):
            some, others = rng.choice(len(pool), n, replace=False), rng.choice(len(real), n, replace=False)
            bias[name][row, repeat] = distance(pool[some], real[others])
series = {name: (sizes, d.mean(axis=1), d.std(axis=1, ddof=1)) for name, d in bias.items()}
for name, d in bias.items():
    limits = np.polyfit(1 / sizes, d, 1, w=1 / d.mean(axis=1))[1]
    print(f"{name}, n → ∞: {limits.mean():.2f} ± {limits.std(ddof=1) / 8**0.5:.2f}")
plots.errorbars(series, "spectra in each set", "Fréchet distance", mock=MOCK)

# %% [markdown]
# Two sets of *real* spectra differ by a value that falls about as 1/n, towards 0: with 50 spectra the distance is dominated by chance (Chong & Forsyth 2020). So compare at equal n only, and quote the real-against-real value as the **floor**. The group's rule of thumb, "5 is good", comes from Inception features, which have another scale: multiply all features by 2, and the distance is 4 times as large. Only ratios to a floor and to a baseline mean something. The baseline: principal components with a Gaussian in their space, a GAN with a *linear* generator, so to speak.

# %%
pca = PCA(20, random_state=0).fit(train_values)


def linear_model(n_latents, seed):
    """As many spectra as there are real test spectra, from a Gaussian in the space of so many components."""
    coefficients = pca.transform(train_values)[:, :n_latents]
    draws = np.zeros((len(real), 20))
    covariance = np.atleast_2d(np.cov(coefficients.T))
    draws[:, :n_latents] = np.random.default_rng(seed).multivariate_normal(coefficients.mean(axis=0), covariance, len(real))
    return pca.inverse_transform(draws).astype(np.float32)


floors = [distance(rng.permutation(train_values)[: len(real)], real) for _ in range(8)]
floor, floor_error = np.mean(floors), np.std(floors, ddof=1)
baseline = np.mean([distance(linear_model(16, seed), real) for seed in range(5)])
print(f"floor {floor:.3f} ± {floor_error:.3f}, PCA + Gaussian with 16 latents {baseline:.2f}, n = {len(real)}")

# %% [markdown]
# ## 2 How many latents, how many units?
#
# The group scanned the number of latents at 512 hidden units, and the number of units at 16 latents, and looked at the spectra. Here each point is the mean of three random starts, with their standard error. Look for where the curve flattens, and for whether the linear model needs more latents than the GAN.

# %%
def judge(trained):
    """One line of the table of all generators."""
    spectra_made = trained.sample(asked, seed=trained.seed)[1]
    r2 = dict(zip([f"R² {name}" for name in NAMES], regressor.r2(spectra_made, asked)))
    in_pca = frechet_distance(pca.transform(spectra_made), pca.transform(real))
    distances = {"distance": distance(spectra_made, real), "in PCA space": in_pca}
    return trained.design._asdict() | {"seed": trained.seed} | distances | r2


def summary(some, by):
    """Number, mean and standard error of the distance for each value of a column."""
    groups = some.groupby(by)["distance"]
    return groups.mean().index.to_numpy(), groups.mean().to_numpy(), groups.sem().to_numpy()


table = pd.DataFrame([judge(trained) for trained in scan])
usual = table[table.noise == "gaussian"]
linear = {n: [distance(linear_model(n, seed), real) for seed in range(5)] for n in LATENTS if n <= 20}
series = {"GAN": summary(usual, "latent")}
series["PCA + Gaussian"] = (list(linear), [np.mean(d) for d in linear.values()], [np.std(d) for d in linear.values()])
lines = {"floor, real against real": floor}
plots.errorbars(series, "latents", "Fréchet distance", mock=MOCK, lines=lines)

# %% [markdown]
# The GAN gains up to some 16 latents; 32 and 64 do no better, and rather a little worse. It lies below the linear model everywhere; four latents of a GAN do more than 16 principal components. That is what a network that *bends* its latent space buys: a redshift is a shift, which no single component can make. Even so, all points lie several times above the floor, and there the number of latents is not what is missing.

# %%
HIDDEN = run.pick(ci=(64,), demo=(32, 64, 256, 512), full=(32, 64, 128, 256, 1024))
others = [judge(trained) for size in HIDDEN for trained in train([Design(hidden=size)], f"hidden{size}")]
table = pd.concat([table, pd.DataFrame(others)], ignore_index=True)
usual = table[(table.noise == "gaussian") & (table.latent == 16)]
lines |= {"PCA + Gaussian, 16 latents": baseline}
plots.errorbars({"GAN, 16 latents": summary(usual, "hidden")}, "hidden units", "Fréchet distance", mock=MOCK, lines=lines)

# %% [markdown]
# For the same number of steps a wider generator is *not* better: up to 128 units it makes no difference, and the two widest do worse. Perhaps it is the length of the training that limits these GANs, and not their size; nothing here shows it. (So the networks of this notebook are narrow at `demo`. With ten times the steps the order may be another: `full` will tell.)
#
# **Gaussian or uniform noise?** Qualitatively the group saw no difference. Uniform numbers on [−1, 1] have a variance of 1/3 only, so there are two comparisons: at equal variance, and as one would naively do it. Each point is one random start; look at whether the groups overlap.

# %%
usual = table[(table.latent == 16) & (table.hidden == WIDTH)]
kinds = {kind: group["distance"].to_numpy() for kind, group in usual.groupby("noise", sort=False)}
plots.seeds(kinds, "Fréchet distance", mock=MOCK)

# %% [markdown]
# The three groups overlap: with three starts each, no kind of noise is better, at equal variance or not. The first layer can rescale its inputs, so nothing else was to be expected; the group saw right.
#
# ## 3 Walks
#
# From one latent to another: on the straight line, (1 − t) a + t b, as the group did, or on the great arc.
#
# **Exercise 2.** Spherical interpolation (Shoemake 1985): with the angle Ω between a and b, the point at t is [sin((1 − t)Ω) a + sin(tΩ) b] / sin Ω. Mind vectors that are parallel.

# %% tags=["exercise"]
@exercise("02.slerp")
def slerp(start, end, t):
    """Return the point at the fraction t of the great arc from start to end, shape (k,)."""
    # BEGIN SOLUTION
    cosine = start @ end / np.sqrt((start @ start) * (end @ end))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - t) * start + t * end
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
    # END SOLUTION


# %% [markdown]
# Look at the norm of the latent along both kinds of walk (left; median and 68 % of 300 walks), and at the spectra along one of each.

# %%
def lerp(start, end, t):
    return (1 - t) * start + t * end


K = reference.design.latent
ways = {"straight": lerp, "spherical": slerp}
fractions = np.linspace(0, 1, 11)
ends = latents[: 2 * (min(len(latents), 600) // 2), :K].reshape(2, -1, K)
paths = {name: np.array([[way(a, b, t) for t in fractions] for a, b in zip(*ends)]) for name, way in ways.items()}


def decode(points, trained=reference, condition=None):
    """Spectra made from latents of shape (n, k); the conditions are 0, the mean, unless given."""
    noise = np.zeros((len(points), trained.width), dtype=np.float32)
    noise[:, : points.shape[1]] = points
    condition = np.zeros((len(points), 4), dtype=np.float32) if condition is None else condition
    return predict(trained.generator, (noise, condition))


norms = {name: np.linalg.norm(path, axis=2) for name, path in paths.items()}
longest = np.linalg.norm(decode(ends[0]) - decode(ends[1]), axis=1).argmax()  # of all walks, by the spectra at its ends
curves = {name: data.flux(decode(path[longest])) for name, path in paths.items()}
latent_plots.walks(fractions, norms, curves, data.wavelength, mock=MOCK)

# %% [markdown]
# On the straight line the norm shrinks by a factor √2 half-way, as it must for two independent Gaussian vectors, to values that random latents hardly ever have (in 16 dimensions they lie in a shell of radius 4). The spectra on both walks change smoothly, and by eye one would not tell them apart. So ask for numbers: are the spectra half-way as far from real ones as those at the ends, and do they vary as much?

# %%
n_walks = min(len(latents) // 2, 450)
starts, stops = latents[:n_walks, :K], latents[n_walks : 2 * n_walks, :K]
at = {"the ends": starts}
at |= {f"half-way, {name}": np.array([way(a, b, 0.5) for a, b in zip(starts, stops)]) for name, way in ways.items()}
half_way = {}
for name, points in at.items():
    here = decode(points.astype(np.float32))
    rows = [rng.choice(n_walks, n_walks) for _ in range(20)]
    spread = [pca.transform(here[r]).var(axis=0).sum() / pca.transform(real).var(axis=0).sum() for r in rows]
    half_way[name] = {"distance": distance(here, real[:n_walks]), "variance of the spectra / real": np.mean(spread)}
    half_way[name]["±"] = np.std(spread)
pd.DataFrame(half_way).T.round(2)

# %% [markdown]
# Half-way along straight lines the spectra have only half the variance and are nearly four times as far from real ones as those at the ends: the middle of the latent space makes average galaxies, with no extremes among them. Spherical walks lose nothing. The group walked on straight lines; what looked like a smooth passage was in part a passage through the average.
#
# **Four corners.** Four random latents at the corners, spherical interpolation along the sides and then across. Look along rows and columns for jumps.

# %%
corners = latents[[11, 12, 13, 14], :K]
steps = np.linspace(0, 1, 5)
square = [[slerp(slerp(*corners[:2], x), slerp(*corners[2:], x), y) for x in steps] for y in steps]
made_square = decode(np.array(square, dtype=np.float32).reshape(25, K))
deviation, mean = data.parameters[data.train].std(axis=0), data.parameters[data.train].mean(axis=0)
found = regressor.predict(made_square) * deviation + mean
titles = [f"z {z:.2f}, {age:.0f} Gyr" for z, age, *_ in found]
latent_plots.grid(data.wavelength, data.flux(made_square).reshape(5, 5, -1), titles, mock=MOCK, size=(1.9, 1.15))

# %% [markdown]
# The redshift, as the judge reads it, changes gradually along every line. The age does not: it jumps where few galaxies live, as in the third row from 3 to 8 Gyr, and along the first row it hardly changes. A smooth latent space says nothing yet about the meaning of its axes.
#
# ## 4 Reading the latent space
#
# Nobody told the GAN what its latents mean, but one can ask. Generate 10 000 spectra, let the judge read their parameters, and look for the latents that carry them. First the correlation of each latent with each parameter:

# %%
n_read = run.pick(ci=400, demo=10_000, full=50_000)


def read(trained, n=n_read):
    """Latents, shape (n, k), and the four parameters that the judge finds in their spectra, shape (n, 4)."""
    noise, spectra_made = trained.sample(np.zeros((n, 4), dtype=np.float32), seed=7)
    return noise[:, : trained.design.latent], regressor.predict(spectra_made)


points, parameters = read(reference)
correlations = np.corrcoef(points.T, parameters.T)[K:, :K]
numbers = range(1, K + 1)
plots.matrices({"": correlations}, NAMES, numbers, mock=MOCK, axes_names=("latent", ""), size=(8.5, 2.2))

# %% [markdown]
# No latent carries one parameter: several latents correlate with all four, others with none, and nothing reaches 0.6. The four lines resemble each other, since the parameters themselves go together in the sample (distant galaxies are massive, massive ones old).
#
# So the meaning lies in *directions*, not in single latents. A poster at a colloquium in 2021 has a test for that: call the spectra with more than the median of a parameter *high*, find the plane that separates high from low in latent space, and order the latents along its normal. On the poster the order looks almost perfect. We ask for a number: how well does the normal, found with one half of the latents, order the *other* half?
#
# **Exercise 3.** Find the normal of the separating hyperplane. A linear classifier has it among its attributes.

# %% tags=["exercise"]
@exercise("02.separating_direction")
def separating_direction(latents, high):
    """Return the unit normal, shape (k,), of the hyperplane that separates latents, shape (n, k), by whether they are high.

    `high` is boolean, shape (n,); the normal points to the side of the high ones.
    """
    # BEGIN SOLUTION
    normal = LogisticRegression().fit(latents, high).coef_[0]
    return normal / np.linalg.norm(normal)
    # END SOLUTION


# %% [markdown]
# With 16 latents, and enough tries, something always looks ordered. How much is chance?
#
# **Exercise 4.** A permutation null: the same statistic for values in random order, which belong to no latent any more.

# %% tags=["exercise"]
@exercise("02.permutation_null")
def permutation_null(statistic, latents, values, n=20, seed=0):
    """Return statistic(latents, values) for n random orders of the values: shape (n,)."""
    # BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    return np.array([statistic(latents, rng.permutation(values)) for _ in range(n)])
    # END SOLUTION


# %% [markdown]
# Two statistics, both on latents that the fit has not seen: R² of a linear regression, and the area under the ROC curve (AUC: 0.5 is chance, 1 a perfect order). The bars are the mean over the three random starts, the errors their scatter. Beside them R² of boosted trees, which may bend: what is readable at all.

# %%
def halves(*arrays):
    return [part for array in arrays for part in (array[::2], array[1::2])]


def linear_r2(latents, values):
    fitted, held_out, y_fitted, y_held_out = halves(latents, values)
    return LinearRegression().fit(fitted, y_fitted).score(held_out, y_held_out)


def hyperplane_auc(latents, values):
    fitted, held_out, high, high_held_out = halves(latents, values > np.median(values))
    return roc_auc_score(high_held_out, held_out @ separating_direction(fitted, high))


def bent_r2(latents, values):
    fitted, held_out, y_fitted, y_held_out = halves(latents, values)
    return HistGradientBoostingRegressor(max_iter=150).fit(fitted, y_fitted).score(held_out, y_held_out)


STATISTICS = {"linear R²": linear_r2, "AUC of the hyperplane": hyperplane_auc, "R² of boosted trees": bent_r2}
readable = {name: [] for name in STATISTICS}
for trained in [trained for trained in scan if trained.design == Design()]:
    points, parameters = read(trained)
    for name, statistic in STATISTICS.items():
        readable[name].append([statistic(points, values) for values in parameters.T])
null = {name: [permutation_null(STATISTICS[name], points, y) for y in parameters.T] for name in list(STATISTICS)[:2]}
height = {name: np.mean(values, axis=0) for name, values in readable.items()}
height |= {f"null: {name}": np.mean(values, axis=1) for name, values in null.items()}
error = {name: np.std(values, axis=0, ddof=1) for name, values in readable.items()}
error |= {f"null: {name}": np.std(values, axis=1, ddof=1) for name, values in null.items()}
plots.bars(height, error, NAMES, "on held-out latents", mock=MOCK, limits=(-0.02, 1.05))

# %%
for column, name in enumerate(NAMES):
    for statistic in null:
        run.score(
            f"{name} from the latents: {statistic}", height[statistic][column], error[statistic][column],
            baseline=height[f"null: {statistic}"][column], baseline_name="permuted",
        )
points, parameters = read(reference)
normals = np.stack([separating_direction(points[::2], y[::2] > np.median(y[::2])) for y in parameters.T], axis=1)
latent_plots.projections(points[1::2] @ normals, parameters[1::2], NAMES, mock=MOCK)

# %% [markdown]
# The latent space can be read. Nobody told the GAN about galaxies, but a *linear* regression finds 70 to 90 % of the variance of each parameter, on latents it has not seen, in each of three random starts; the hyperplanes order nearly perfectly, as on the poster (metallicity less so). The null is at 0 and at 0.5: none of this is chance. The trees, which may bend, add little but for the metallicity. The figure shows why: the order is nearly perfect, but not straight, steep at the plane for the age (two populations, with few galaxies between them) and flat for high metallicities. An AUC sees the order only, R² also the shape.
#
# **Which directions are nuisance?** Step by 2 along each normal, and along the twelve directions at right angles to all four, from the same 300 latents. Each line of the matrix says by how much the parameters found move, in standard deviations; the last column how much the spectrum itself moves (root mean square, in units of the spread of real spectra).

# %%
basis = np.linalg.qr(np.column_stack([normals, np.eye(K)]))[0]
base = points[:300]
before, before_spectra = parameters[:300], decode(base)


def response(direction):
    after = decode((base + 2 * direction).astype(np.float32))
    moved = np.abs(np.mean(regressor.predict(after) - before, axis=0))
    return [*moved, np.sqrt(np.mean((after - before_spectra) ** 2))]


responses = {f"normal of {name}": response(normal) for name, normal in zip(NAMES, normals.T)}
responses["the 12 others, mean"] = np.mean([response(direction) for direction in basis.T[4:]], axis=0)
columns = [*NAMES, "spectrum"]
plots.matrices(
    {"effect of a step of 2": np.array(list(responses.values()))}, list(responses), columns,
    mock=MOCK, limits=(0, 2), cmap="Blues", size=(5.5, 2.8), label="standard deviations",
)

# %% [markdown]
# The twelve other directions move no parameter, and the spectrum little: they are nuisance, noise for the most part. But the four normals are not *four* directions: a step along any of them moves all four parameters, nearly as much as its own. The GAN has learned how the parameters go together in the sample, and its latent space has a common direction along which a galaxy becomes old, massive and distant. It can be read, but the four normals are no set of four knobs. (How many knobs there are besides, the angles between the normals would say: they are not computed here.)
#
# ## 5 Designing the latent space
#
# If a direction of the latent space should *be* the age, put the age there. Four designs of the group, with the total number of inputs in sight: 4 random numbers; 2 and (z, age); the 4 parameters and nothing random; 4 random numbers and 4 parameters (8 in all, so "8 noise" stands beside it). The group saw no improvement. Look at the same three questions for each: how far from real, does it obey, and does it still vary?

# %%
designs = {"4 noise": Design(4), "8 noise": Design(8), "2 noise + (z, age)": Design(2, ("z", "age"))}
designs |= {"4 parameters": Design(0, NAMES), "4 noise + 4 parameters": Design(4, NAMES)}
scan += train([design for design in designs.values() if design.conditions], "designs")
by_design = {name: [t for t in scan if t.design == design] for name, design in designs.items()}
obeying = {name: group[0] for name, group in by_design.items() if designs[name].conditions}
found = {name: regressor.predict(trained.sample(asked)[1]) for name, trained in obeying.items()}
latent_plots.asked_and_found(asked, found, NAMES, mock=MOCK)

# %% [markdown]
# All three obey: what is asked for is found. Look at the top right: of metallicity and mass, for which "2 noise + (z, age)" was not asked, the mass comes out in part, since it goes with z and age. The largest ages come out too low, perhaps by the judge's own compression.
#
# **Diversity.** At a fixed request, real galaxies still differ. How much does a generator vary when the same is asked 20 times? The measure is the variance in the space of 20 principal components, over that of real spectra with (nearly) the same parameters: half the mean squared distance between each test spectrum and the training spectrum that is nearest in parameters. 1 is right, 0 a generator that knows one spectrum for each request; for the designs without a condition it says how much all spectra vary.

# %%
nearest = NearestNeighbors(n_neighbors=1).fit(data.conditions[data.train]).kneighbors(asked)[1][:, 0]
like = pca.transform(real) - pca.transform(train_values[nearest])
real_variance = np.mean(np.sum(like**2, axis=1)) / 2


def diversity(trained, n=60, draws=20):
    repeated = np.repeat(asked[:n], draws, axis=0)
    coefficients = pca.transform(trained.sample(repeated, seed=3)[1]).reshape(-1, draws, 20)
    return round(float(coefficients.var(axis=1, ddof=1).sum(axis=1).mean() / real_variance), 4)


rows = [
    {"design": name} | judge(trained) | {"diversity": diversity(trained)}
    for name, group in by_design.items() for trained in group
]
designed = pd.DataFrame(rows)
measures = ["distance", "in PCA space", "R² z", "R² age", "R² metallicity", "R² mass", "diversity"]
groups = designed.groupby("design", sort=False)[measures]
mean, sem = groups.mean(), groups.sem()
for name, design in designs.items():  # what was not asked for has no R²
    mean.loc[name, [f"R² {parameter}" for parameter in NAMES if parameter not in design.conditions]] = np.nan
(mean.round(2).astype(str) + " ± " + sem.round(2).astype(str)).where(mean.notna(), "–")

# %%
for name, design in designs.items():
    row, error = mean.loc[name], sem.loc[name]
    size = design.latent + len(design.conditions)
    linear = np.mean([distance(linear_model(size, seed), real) for seed in range(5)])
    run.score(
        f"{name}: Fréchet distance", row["distance"], error["distance"],
        floor=floor, floor_name="real to real", baseline=linear, baseline_name=f"PCA {size} + Gaussian",
    )
    for parameter in [parameter for parameter in ("z", "age") if parameter in design.conditions]:
        ceiling = regressor.r2(real, asked)[NAMES.index(parameter)]
        column = f"R² {parameter}"
        run.score(
            f"{name}: R² of {parameter}, asked for against found", row[column], error[column], above=0.8,
            ceiling=ceiling, ceiling_name="real test spectra", baseline=designed[designed.design == "8 noise"][column].mean(),
            baseline_name="8 noise",
        )
    run.score(f"{name}: diversity", row["diversity"], error["diversity"], ceiling=1, ceiling_name="real spectra alike")
results = {name: group["distance"].to_numpy() for name, group in designed.groupby("design", sort=False)}
plots.seeds(results, "Fréchet distance", mock=MOCK)

# %% [markdown]
# The group saw no improvement by conditioning. Measured in the judge's features there is a large one: "4 noise + 4 parameters" is nearly twice as close to real spectra as "8 noise" with as many inputs, and "2 + 2" and "4 parameters" are closer than "4 noise"; the points of these groups do not touch. And the condition is obeyed, with R² above 0.9 for redshift and age, about as well as the judge reads real spectra.
#
# But look at the column beside it. In the space of 20 principal components, which knows nothing of parameters, "4 noise + 4 parameters" and "8 noise" agree within their errors, and without random numbers the distance is even a little larger. (With an earlier version of the simulator, whose spectra differ by some per cent, another split and other starts, seed 7, gave 0.33 ± 0.02 against 0.90 ± 0.06 in the features, and 8.0 ± 0.1 against 9.3 ± 0.6 in PCA space; the same seed on another processor, whose rounding makes it another start as well, 0.23 ± 0.01 against 0.59 ± 0.03, and 6.9 ± 0.2 against 7.1 ± 0.1: the first gain is firm, the second at most small.) So the group, who looked at the spectra as a whole, saw right as well. What conditioning improves is *which* galaxies are made: a conditional generator is handed the true distribution of the parameters, and need not learn it. How well each spectrum is made is another matter. The price is in the last column: "4 parameters" has one spectrum for each request, and the others have about half of the diversity of real galaxies.
#
# ## 6 A variational autoencoder beside it
#
# A VAE learns the way back from the spectrum to the latents as well. Its encoder gives a Gaussian for each spectrum; a latent drawn from it is decoded, and a price is paid for every Gaussian that differs from the prior N(0, 1).
#
# **Exercise 5.** Draw from N(mean, variance) so that the gradient flows to both: standard normal numbers, scaled and shifted.

# %% tags=["exercise"]
@exercise("02.reparametrise")
def reparametrise(mean, log_variance):
    """Return latents drawn from N(mean, exp(log_variance)), shape (n, k), through which the gradient flows."""
    # BEGIN SOLUTION
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)
    # END SOLUTION


# %% [markdown]
# **Exercise 6.** The price: the Kullback-Leibler divergence of N(mean, variance) from N(0, 1), summed over the latents.

# %% tags=["exercise"]
@exercise("02.kl_divergence")
def kl_divergence(mean, log_variance):
    """Return the Kullback-Leibler divergence of N(mean, exp(log_variance)) from N(0, 1) for each sample: shape (n,)."""
    # BEGIN SOLUTION
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)
    # END SOLUTION


# %% [markdown]
# The decoder is the generator's network, the encoder its mirror image, with 16 latents. The reconstruction is judged by a Gaussian of one width for all bins, the best one of each batch (Rybkin et al. 2021), so that there is no β to choose.

# %%
class VAE(nn.Module):
    def __init__(self, latent=16, hidden=WIDTH):
        super().__init__()
        self.encoder, self.decoder = dense(BINS, hidden, 2 * latent), dense(latent, hidden, BINS)

    def forward(self, spectrum):
        mean, log_variance = self.encoder(spectrum).chunk(2, dim=1)
        z = reparametrise(mean, log_variance) if self.training else mean
        return self.decoder(z), mean, log_variance


def vae_loss(output, spectrum):
    """Minus the evidence lower bound per spectrum, but for a constant."""
    decoded, mean, log_variance = output
    return BINS / 2 * ((decoded - spectrum) ** 2).mean().log() + kl_divergence(mean, log_variance).mean()


# %%
vaes, histories = [], {}
for seed in range(SEEDS):
    torch.manual_seed(seed)
    vaes.append(VAE())
    sets = [(data.values[part], data.values[part]) for part in (data.train, data.validation)]
    options = dict(epochs=run.pick(ci=2, demo=25, full=100), batch_size=128, learning_rate=1e-3, seed=seed)
    histories[f"start {seed + 1}"] = fit(vaes[-1], *sets, loss=vae_loss, **options)
plots.history(histories, mock=MOCK, ylabel="minus the evidence bound", logarithmic=False)

# %% [markdown]
# Now the same measurements as for the GAN with 16 latents: the distance of spectra made from random latents, and how linearly these latents can be read. The VAE has an encoder, too: how well do the latents of *real* test spectra give their *true* parameters, beside what 16 principal components give? And what comes back when a spectrum goes through it? The figure shows six test spectra (blue) and their reconstructions (red).

# %%
rows = []
for vae in vaes:
    noise = np.random.default_rng(3).normal(size=(n_read, 16)).astype(np.float32)
    drawn = predict(vae.decoder, noise)
    decoded, codes, log_variance = predict(vae, real)
    found = regressor.predict(drawn)
    rows.append({"Fréchet distance": distance(drawn[: len(real)], real)})
    width = np.std(predict(vae, data.part("validation")[0])[0] - data.part("validation")[0])
    noisy = drawn[: len(real)] + rng.normal(0, width, real.shape).astype(np.float32)
    rows[-1]["Fréchet distance, with the decoder's noise"] = distance(noisy, real)
    rows[-1] |= {f"linear R² {name}, generated": linear_r2(noise, y) for name, y in zip(NAMES, found.T)}
    rows[-1] |= {f"linear R² {name}, encoder": linear_r2(codes, y) for name, y in zip(NAMES, asked.T)}
    rows[-1]["reconstruction error"] = np.sqrt(np.mean((decoded - real) ** 2))
    rows[-1]["active latents"] = (codes.var(axis=0) > 0.1).sum()
comparison = pd.DataFrame(rows).agg(["mean", "sem"]).T
compressed = PCA(16, random_state=0).fit(train_values)
codes = compressed.transform(real)
gan = {"Fréchet distance": usual[usual.noise == "gaussian"]["distance"].mean()}
gan |= {f"linear R² {name}, generated": value for name, value in zip(NAMES, height["linear R²"])}
linear = {"Fréchet distance": baseline} | {f"linear R² {n}, encoder": linear_r2(codes, y) for n, y in zip(NAMES, asked.T)}
linear["reconstruction error"] = np.sqrt(np.mean((compressed.inverse_transform(codes) - real) ** 2))
columns = {"VAE": comparison["mean"], "± (starts)": comparison["sem"], "GAN": pd.Series(gan), "PCA": pd.Series(linear)}
pd.DataFrame(columns).loc[comparison.index].map("{:.3f}".format).replace("nan", "–")

# %%
run.score(
    "VAE: Fréchet distance", comparison["mean"]["Fréchet distance"], comparison["sem"]["Fréchet distance"],
    floor=floor, floor_name="real to real", baseline=baseline, baseline_name="PCA 16 + Gaussian",
)
shown = np.stack([real[:6], predict(vaes[0], real[:6])[0]], axis=1)
latent_plots.grid(data.wavelength, np.stack([data.flux(pair) for pair in shown]).reshape(2, 3, 2, -1), mock=MOCK)

# %% [markdown]
# From its latents the VAE can be read about as well as the GAN; its encoder gives the true parameters of real galaxies from 16 numbers at least as well as 16 principal components do, although it reconstructs worse: it leaves out narrow lines and noise, as the figure shows, and keeps what galaxies have in common. Its drawn spectra are several times further from real ones than the GAN's, and the noise, which a decoder does not draw, is only part of the reason: with noise of the right size added the distance is less, but still far above. What only the VAE has is the way back, from a given galaxy to its latents.
#
# ## 7 Move it yourself
#
# One slider for each input of the design with 4 random numbers and 4 parameters. (Where sliders cannot be drawn, each panel shows one input moving from −2, blue, to 2, red, with all others at 0.)

# %% tags=["gallery"]
best = by_design["4 noise + 4 parameters"][0]
inputs = [f"noise {number}" for number in range(1, 5)] + [f"{name} [σ]" for name in NAMES]


def at_inputs(values):
    """Spectra for rows of eight inputs."""
    values = np.atleast_2d(values).astype(np.float32)
    return data.flux(decode(values[:, :4], best, values[:, 4:]))


def draw(values):
    return latent_plots.grid(data.wavelength, at_inputs(values)[None], mock=MOCK, size=(6, 3))


moves = np.linspace(-2, 2, 5)
panels = [at_inputs([[m if i == number else 0 for i in range(8)] for m in moves]) for number in range(8)]
still = latent_plots.grid(data.wavelength, np.array(panels).reshape(2, 4, 5, -1), inputs, mock=MOCK, size=(2.5, 1.7))
sliders(draw, inputs, still)

# %% [markdown]
# The redshift moves the break and the lines to the red, the age changes the slope from blue to red, and metallicity and mass do less, *given* the others: these are knobs. The four random numbers change details that belong to no parameter.
#
# ## 8 The group's two questions
#
# *Can the latent space of a GAN be interpreted?* Yes: without any label in its training, redshift, age, metallicity and mass can be read from it by linear regressions with R² between 0.7 and 0.9 (permuted: 0), but along directions that have much in common, because the sample has the parameters correlated.
#
# *Can one make a better choice of the latent space?* Yes, if the parameters matter: with them as four of eight inputs, age and redshift are obeyed with R² above 0.9, and in the features that carry parameters the distance to real spectra is about half that of eight random numbers, while in PCA space there is at most a small gain, and the number of latents beyond 16, the width of the layers and the kind of noise change little or nothing that three random starts can show.
#
# **Open questions.** Do two GANs from different random starts have the same directions, up to a rotation? What happens to the readability with more than four parameters that matter? Could one learn the latents of a *given* galaxy by searching for the spectrum that fits, and would they be unique?

# %%
run.scoreboard()

# %% [markdown]
# **References.** M. Heusel et al. (2017), arXiv:1706.08500: the Fréchet distance. M. J. Chong & D. Forsyth (2020), arXiv:1911.07023: its bias. K. Shoemake (1985), SIGGRAPH: spherical interpolation. T. White (2016), arXiv:1609.04468: sampling generative networks. D. P. Kingma & M. Welling (2014), arXiv:1312.6114: the VAE. O. Rybkin, K. Daniilidis & S. Levine (2021), arXiv:2006.13202: its calibrated decoder. I. Gulrajani et al. (2017), arXiv:1704.00028: the gradient penalty. The questions, the scans and the designs: group B of the school's hack presentations; the hyperplane test: B. Holzschuh, poster at the IAP colloquium 2021.
