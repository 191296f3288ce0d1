# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 01 A generative model for galaxy spectra
#
# {badges}
#
# **Question.** Can a conditional GAN, trained on galaxy spectra, make spectra that a survey's own redshift pipeline would take for real?
#
# {origin}
#
# You will be able to
# - take survey spectra from raw rows to the input of a network: cleaning, rest frame, common grid, a scale that can be undone;
# - train a conditional Wasserstein GAN of two kinds, and show with numbers that its condition works;
# - judge a generative model as a survey would: line indices, a Fréchet distance with its floor, nearest neighbours, redshifts by cross-correlation.
#
# **Time.** {time}
#
# **Data and licence.** `sdss_galaxy_spec.hdf5`, some 10 000 SDSS galaxy spectra with redshift, age, metallicity and mass, circulates among the school's participants; SDSS data are in the public domain. Without it, spectra are simulated in the same format, from documented physics; figures drawn from them say MOCK. Code: BSD-3-Clause. Text: CC BY 4.0.

# %% tags=["setup"]

# %%
import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn import functional as F

from helpers import plots
from helpers.astro.constants import SPEED_OF_LIGHT
from helpers.course import setup
from helpers.evaluation.errors import bootstrap_error
from helpers.evaluation.frechet import frechet_distance
from helpers.evaluation.judge import ParameterRegressor
from helpers.exercises import exercise, hint
from helpers.subjects import spectra
from helpers.subjects.spectra import indices, mock, prepare
from helpers.subjects.spectra import plots as spectra_plots
from helpers.subjects.spectra.correlation import cross_correlate
from helpers.training import Objective, fit_gan, predict, wasserstein_clipping
from helpers.training.objectives import wasserstein_generator_loss

run = setup("01_spectra_gan", seed=2024)

# %% [markdown]
# ## 1 Why simulate spectra?
#
# A survey takes millions of spectra, and a pipeline turns them into redshifts and physical parameters without a human eye. To test a pipeline one needs spectra whose truth is known, and more of the rare kinds than nature provides. A generative model that has learned real spectra could make them.
#
# The light of a galaxy is that of its stars. Old stars are cool and full of metals: below 4000 Å their light **breaks** off, and lines of calcium (H and K), CH (the G band), magnesium and sodium are cut into the rest. Young stars are hot: no break, deep Balmer lines (deepest at an age of about half a Gyr), and the gas around them shines in **emission**, from [O II] to Hα and [S II].
#
# In the figure, look for the break and for which lines point up and which point down.

# %%
n_spectra = run.pick(ci=400, demo=4000, full=10_000)
data = run.use(spectra.load(n_spectra))
kept, removed = prepare.clean(data)
signal = np.nanmedian(np.where(kept.good, kept.flux / np.where(kept.good, kept.error, 1), np.nan), axis=1)  # per pixel
typical = [np.where(group, signal, 0).argmax() for group in (kept.age > 9, kept.age < 1.5)]
spectra_plots.spectra(
    *prepare.rest_frame(kept.wavelength, kept.redshift[typical], kept.flux[typical]),
    [f"age {kept.age[row]:.1f} Gyr, z = {kept.redshift[row]:.3f}" for row in typical],
    mock=data.mock,
)

# %% [markdown]
# The old galaxy above drops at 4000 Å, and most of its lines are in absorption; what emission it has, [O II] and Hα, is weak beside its continuum, and comes from gas that old stars ionise. The young one below has hardly a break, and strong emission lines stand on a blue continuum. These two are the brightest of their kind; most spectra are noisier, and narrow spikes are then what is left of the light of the night sky.
#
# ## 2 Cleaning
#
# The labels were fitted by another pipeline, and where that failed it left numbers that cannot be: negative ages and redshifts, a mass above that of any galaxy. The source found 5 rows with a negative redshift, 95 with a negative age, metallicity or mass and 5 with more than 10¹³ M☉ among some 10 000. Nothing is removed silently: look at what went, and why.

# %%
removed

# %%
labels = {"redshift": kept.redshift, "age [Gyr]": kept.age, "log metallicity / Z☉": np.log10(kept.metallicity)}
labels["log mass / M☉"] = np.log10(kept.mass)
NAMES = ("z", "age", "metallicity", "mass")
plots.corner(labels, mock=data.mock)

# %% [markdown]
# What is left is a magnitude-limited sample: the more distant, the more massive. Massive galaxies are old and rich in metals (the red sequence), light ones young and poor (the blue cloud). The four parameters are anything but independent, which matters below: a network can guess one from the others.
#
# ## 3 To one frame, one grid and one scale
#
# A galaxy at redshift z shows each line at (1 + z) times its wavelength. In the rest frame all lines agree, and a network need not learn to shift.
#
# **Exercise 1.** Bring one spectrum to the rest frame. Mind the flux: it is *per Å*, and the Å shrink as well; the number of photons in a line must stay.

# %% tags=["exercise"]
@exercise("01.to_rest_frame")
def to_rest_frame(wavelength, flux, error, redshift):
    """Return wavelength, flux and error per Å in the rest frame; arrays of shape (n_pix,) and a number."""
    # BEGIN SOLUTION
    return wavelength / (1 + redshift), flux * (1 + redshift), error * (1 + redshift)
    # END SOLUTION


# %% [markdown]
# What gets better, and what worse? In the figure, the spread of the spectra about their mean (each divided by its brightness): observed on the left, in the rest frame on the right. Look at the lines, and at both ends.

# %%
some = kept[: min(len(kept), 300)]
lower, upper = prepare.overlap(kept)
observed = some.flux / np.nanmean(some.flux[:, 2000:2400], axis=1, keepdims=True)
rest = [to_rest_frame(some.wavelength, f, e, z) for f, e, z in zip(some.flux, some.error, some.redshift)]
grid = np.geomspace(some.wavelength[0] / (1 + some.redshift.max()), some.wavelength[-1], 3000)
shifted = np.array([np.interp(grid, wave, flux, left=np.nan, right=np.nan) for wave, flux, _ in rest])
shifted /= np.nanmean(shifted[:, (grid > 5400) & (grid < 5800)], axis=1, keepdims=True)
spectra_plots.spread({"observed": (some.wavelength, observed), "rest frame": (grid, shifted)}, (lower, upper), mock=data.mock)

# %% [markdown]
# In the rest frame the lines and the break stand still, so the mean shows them sharply; in the observer's frame they are smeared out. The price: every galaxy covers another range, and only the shaded one is covered by all. The further apart the redshifts, the narrower it gets.
#
# A network wants 500 numbers, the same wavelengths for all. **Interpolating** takes two pixels and forgets the others. **Rebinning** averages all pixels in a bin, each weighted by the Å of it that lie inside: flux is conserved and noise averages down.
#
# **Exercise 2.** Write the mean flux of one bin, and its error from independent errors of the pixels.

# %% tags=["exercise"]
@exercise("01.bin_flux")
def bin_flux(edges, flux, error, lower, upper):
    """Return mean flux and error in the bin lower..upper of pixels with edges, shape (n_pix + 1,)."""
    # BEGIN SOLUTION
    inside = np.clip(np.minimum(edges[1:], upper) - np.maximum(edges[:-1], lower), 0, None)
    share = inside / inside.sum()
    return (share * flux).sum(), np.sqrt((share**2 * error**2).sum())
    # END SOLUTION


# %% [markdown]
# `prepare.rebin` does the same for all bins of all spectra at once. The check: a bin of yours and of the room agree, and noise falls as the square root of the number of pixels, which interpolation does not achieve.

# %%
edges = prepare.common_grid(lower, upper, 500)
wavelength = prepare.centres(edges)
flux, error = prepare.rebin(kept.wavelength, kept.flux, kept.error, edges, kept.redshift)

near = slice(2000, 2100)  # pixels of the first spectrum; a bin in the middle of them
middles, pixel_flux, pixel_error = (array[near] for array in rest[0])
k = np.searchsorted(edges, middles[50])
own = bin_flux((middles[1:] + middles[:-1]) / 2, pixel_flux[1:-1], pixel_error[1:-1], edges[k], edges[k + 1])
print(f"one bin: {own[0]:.3f} ± {own[1]:.3f} by hand, {flux[0, k]:.3f} ± {error[0, k]:.3f} by the room")
print(f"typical error in a bin / in a pixel: {np.median(error[0]) / np.nanmedian(rest[0][2]):.2f}")

# %% [markdown]
# Splits come before fits: training, validation and test sets are drawn now, and the scale is learned from the training rows only. Each spectrum is divided by its own brightness at 5400–5800 Å, then the mean training spectrum is subtracted. A scale must round-trip, or whatever is generated comes out wrong; the source's inverse used other numbers than its forward.

# %%
n_train, n_validation = run.pick(ci=(200, 60), demo=(2700, 300), full=(7000, 1000))
order = np.random.default_rng(run.seed).permutation(len(kept))
parts = np.split(order, [n_train, n_train + n_validation])
train, validation, test = parts
scale = prepare.Normaliser.fit(wavelength, flux[train])
values, brightness = scale.transform(flux)
round_trip = np.abs(scale.inverse(values, brightness) - flux).max() / np.abs(flux).max()
print(f"largest error of the round trip: {round_trip:.0e} of the largest flux")
values = values.astype(np.float32)

conditions = np.column_stack(list(labels.values()))
conditions = ((conditions - conditions[train].mean(axis=0)) / conditions[train].std(axis=0)).astype(np.float32)

# %% [markdown]
# ## 4 The simplest baseline
#
# Before any network: 20 principal components of the training spectra, and a Gaussian with their mean and covariance. Drawing from it takes a millisecond. The figure compares three of its draws with three real spectra; look for what gives them away.

# %%
pca = PCA(20).fit(values[train])
coefficients = pca.transform(values[train])
rng = np.random.default_rng(run.seed)
draws = rng.multivariate_normal(coefficients.mean(axis=0), np.cov(coefficients.T), len(test))
gaussian = pca.inverse_transform(draws).astype(np.float32)
rows = {"real": values[test[:3]], "PCA + Gaussian": gaussian[:3]}
spectra_plots.rows(wavelength, {name: scale.inverse(v) for name, v in rows.items()}, mock=data.mock)

# %% [markdown]
# They look right at first sight: shape, break, lines. They are too smooth (20 components carry no noise), and some combine what nature does not: strong emission lines on an old continuum, or lines with a negative flux. And one cannot ask for a galaxy of a given age.
#
# ## 5 A Wasserstein GAN with a condition
#
# A **critic** learns to give high scores to real spectra and low ones to generated ones; a **generator** turns noise into spectra that score high. In the Wasserstein form the gap of the mean scores estimates a distance between the two distributions, provided that the critic's slope is bounded.
#
# Both networks follow the source: dense layers, then a one-dimensional ResNet with **CBAM**, attention to channels and to wavelengths; the critic has no batch normalisation. Both get (z, age, metallicity, mass): a critic that ignores the condition cannot teach it, which is what happened to the source's network.
#
# **Exercise 3.** Channel attention (Woo et al. 2018): each channel is summarised by its mean and its maximum over wavelength; the same small network (c → c // ratio → c, ReLU between) turns each summary into a number a channel; the sigmoid of their sum weighs the channel.

# %% tags=["exercise"]
@exercise("01.ChannelAttention")
class ChannelAttention(nn.Module):
    """Weigh the channels of features, shape (n, channels, length)."""

    def __init__(self, channels, ratio=8):
        # BEGIN SOLUTION
        super().__init__()
        hidden = max(channels // ratio, 1)
        self.network = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION
        weight = torch.sigmoid(self.network(x.mean(dim=2)) + self.network(x.amax(dim=2)))
        return x * weight[:, :, None]
        # END SOLUTION


# %%
class SpatialAttention(nn.Module):
    """Weigh the wavelengths by a convolution over the mean and the maximum of the channels."""

    def __init__(self, kernel=7):
        super().__init__()
        self.convolution = nn.Conv1d(2, 1, kernel, padding=kernel // 2)

    def forward(self, x):
        return x * torch.sigmoid(self.convolution(torch.stack([x.mean(dim=1), x.amax(dim=1)], dim=1)))


# %%
class Block(nn.Module):
    """Two convolutions and attention beside a short cut."""

    def __init__(self, inputs, outputs, stride=1, attention=True):
        super().__init__()
        layers = [nn.Conv1d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.2), nn.Conv1d(outputs, outputs, 3, 1, 1)]
        self.layers = nn.Sequential(*layers, *([ChannelAttention(outputs), SpatialAttention()] if attention else []))
        self.short = nn.Identity() if (inputs, stride) == (outputs, 1) else nn.Conv1d(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.leaky_relu(self.layers(x) + self.short(x), 0.2)


# %%
def resnet(channels, attention, strides):
    """Stages of 1, 2 and 4 times as many channels, with 2, 2 and 1 blocks."""
    layers, inputs = [nn.Conv1d(1, channels, 7, strides[0], 3), nn.LeakyReLU(0.2)], channels
    for factor, blocks, stride in zip((1, 2, 4), (2, 2, 1), strides[1:]):
        for block in range(blocks):
            layers.append(Block(inputs, factor * channels, stride if block == 0 else 1, attention))
            inputs = factor * channels
    return nn.Sequential(*layers)


def dense(inputs, outputs, hidden=256):
    layers = [nn.Linear(inputs, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))

# %% [markdown]
# The generator's dense layers draw a spectrum, and its ResNet adds to it what neighbouring pixels have to do with each other; the critic's dense layers see the spectrum and what its ResNet found in it. `channels=0` leaves the ResNets away: a plain dense GAN to compare with. The source's networks have 64 channels and five critic steps for each of the generator; `demo` has 8 and two, so that a laptop finishes.

# %%
LATENT, PIXELS = 32, 500


class Generator(nn.Module):
    def __init__(self, channels, attention=True):
        super().__init__()
        self.dense = dense(LATENT + 4, PIXELS)
        self.resnet = None
        if channels:
            self.resnet = nn.Sequential(
                nn.Conv1d(1, channels, 7, padding=3), *[Block(channels, channels, 1, attention) for _ in range(2)]
            )
            self.last = nn.Conv1d(channels, 1, 7, padding=3)

    def forward(self, noise, condition):
        drawn = self.dense(torch.cat([noise, condition], dim=1))
        return drawn if self.resnet is None else drawn + self.last(self.resnet(drawn[:, None]))[:, 0]


class Critic(nn.Module):
    def __init__(self, channels, attention=True):
        super().__init__()
        self.resnet = resnet(channels, attention, (4, 1, 2, 2)) if channels else None
        features = 4 * channels * -(-PIXELS // 16)
        self.dense = dense(PIXELS + 4 + features, 1)

    def forward(self, spectrum, condition):
        found = [] if self.resnet is None else [self.resnet(spectrum[:, None]).flatten(1)]
        return self.dense(torch.cat([spectrum, condition, *found], dim=1))

# %% [markdown]
# **Exercise 4.** The critic's loss, from its scores of a batch of real and of generated spectra. It is *minimised*: mind the sign. (The source's slide has a plus between the two means; then the critic only learns to give low scores to everything.)

# %% tags=["exercise"]
@exercise("01.critic_loss")
def critic_loss(real_scores, generated_scores):
    """Return what the critic minimises, a scalar tensor."""
    # BEGIN SOLUTION
    return generated_scores.mean() - real_scores.mean()
    # END SOLUTION


# %% [markdown]
# Without a bound on its slope, the critic would drive the gap to infinity. The first way is to **clip** its weights to ±0.03 after each step [as the source did]. The better way is a **gradient penalty** (Gulrajani et al. 2017): at points between real and generated spectra, the norm of the gradient of the score with respect to the spectrum should be 1.
#
# **Exercise 5.** Write the penalty: λ times the mean of (norm − 1)², and keep the graph (`create_graph=True`), since the critic is to learn from it.

# %% tags=["exercise"]
@exercise("01.gradient_penalty")
def gradient_penalty(critic, points, condition, weight=10.0):
    """Return the penalty at points of shape (n, pixels), which have requires_grad; a scalar tensor."""
    # BEGIN SOLUTION
    (gradient,) = torch.autograd.grad(critic(points, condition).sum(), points, create_graph=True)
    return weight * ((gradient.norm(dim=1) - 1) ** 2).mean()
    # END SOLUTION


# %% [markdown]
# While the GAN trains, two measurements are taken that have nothing to do with its losses: a Fréchet distance (section 7) to the validation spectra, and how rough the spectra are from pixel to pixel compared with real ones. A Wasserstein loss is no stopping rule.
#
# First the judge: a regressor that reads z, age, metallicity and mass from spectra, trained on **real** ones only.

# %%
sets = [(values[part], conditions[part]) for part in (train, validation)]
regressor = ParameterRegressor.fit(*sets, epochs=run.pick(ci=2, demo=30, full=60), seed=run.seed)


def distances(generated, real):
    return {
        "in PCA space": frechet_distance(pca.transform(generated), pca.transform(real)),
        "in the regressor's features": regressor.frechet_distance(generated, real),
    }


pd.DataFrame({"R² on validation spectra": regressor.r2(*sets[1])}, index=NAMES).T.round(2)

# %% [markdown]
# Age, metallicity and mass can be read from a spectrum; the redshift only in part, since in the rest frame no line moves any more.

# %%
def sample(generator, condition, seed=0):
    """Generated spectra with these conditions, shape (n, 500)."""
    noise = np.random.default_rng(seed).normal(size=(len(condition), LATENT)).astype(np.float32)
    return predict(generator, (noise, condition))


def train_gan(channels, steps, *, attention=True, objective=None, rate=1e-3, label=train, seed=run.seed, **options):
    torch.manual_seed(seed)
    generator, critic = Generator(channels, attention), Critic(channels, attention)
    real = values[validation]

    def measure(generator, step):
        made = sample(generator, conditions[validation])
        rough = np.diff(made).std() / np.diff(real).std()
        return {"distance": regressor.frechet_distance(made, real), "roughness": rough}

    options = dict(batch_size=50, learning_rate=rate, ema=0.98, every=max(steps // 10, 1)) | options
    options["critic_steps"] = run.pick(ci=1, demo=2, full=5)
    pair = (values[train], conditions[label])
    game = dict(noise=LATENT, steps=steps, objective=objective, callback=measure, seed=seed)
    return generator, fit_gan(generator, critic, pair, **game, **options)

# %%
own = Objective(critic_loss, wasserstein_generator_loss, gradient_penalty)
channels = run.pick(ci=4, demo=8, full=64)
steps = run.pick(ci=3, demo=400, full=10_000)
generator, history = train_gan(channels, steps, objective=own, checkpoint=run.checkpoint("resnet"))
spectra_plots.training(history, mock=data.mock)

# %% [markdown]
# The critic's loss (left) is minus the distance that it estimates: it grows in the first steps, before the curve begins, and then shrinks as the generator catches up; where it stands says nothing by itself. The Fréchet distance (middle) falls steeply and flattens. The roughness (right) approaches that of real spectra from below: noise is the last thing that a GAN learns.
#
# ## 6 Look at it
#
# Ten test galaxies at random; beside each a generated spectrum with *its* z, age, metallicity and mass. Look for the right break, the right lines, and the noise.

# %% tags=["gallery"]
made = sample(generator, conditions[test])
chosen = np.random.default_rng(run.seed).choice(len(test), 10, replace=False)
titles = [f"{a:.1f} Gyr, log Z {m:+.1f}, log M {s:.1f}" for _, a, m, s in np.column_stack(list(labels.values()))[test[chosen]]]
pairs = {"real": values[test[chosen]], "generated": made[chosen]}
spectra_plots.pairs(wavelength, {name: scale.inverse(v) for name, v in pairs.items()}, titles, mock=data.mock)

# %% [markdown]
# Break, lines and continuum belong to the age that was asked for. What is missing is detail: weak lines are smeared, and the noise is smoother than the real one.
#
# **One parameter at a time.** The same noise and the same galaxy, only the age (left) or the metallicity (right) moves, by two standard deviations each way. Look for the break and for the emission lines.

# %%
moved = {"age": 1, "metallicity": 2}
steps_away = np.linspace(-2, 2, 7)
curves = {}
for name, column in moved.items():
    asked = np.zeros((len(steps_away), 4), dtype=np.float32)
    asked[:, column] = steps_away
    noise = np.repeat(np.random.default_rng(1).normal(size=(1, LATENT)), len(asked), axis=0).astype(np.float32)
    curves[name] = scale.inverse(predict(generator, (noise, asked)))
spectra_plots.moved(wavelength, curves, steps_away, mock=data.mock)

# %% [markdown]
# With the age the break grows and the emission lines vanish: the condition works. The metallicity changes less, and partly what belongs to the age, since in the sample the two go together. Two standard deviations away at fixed other parameters there are hardly any galaxies, so the ends of both series are extrapolation.
#
# ## 7 Judge it
#
# **(a) Does the condition work?** The regressor of section 5 has seen real spectra only. How well does it find, in generated spectra, what was asked for? The measure beside it is what it finds in real test spectra (whose labels have errors of their own; a generator obeys the label itself, and may so do a little better), and the null is the same with the conditions shuffled. A second GAN shows the source's mistake: it was trained with shuffled labels.

# %%
broken, _ = train_gan(0, run.pick(ci=3, demo=500, full=5000), label=np.random.default_rng(0).permutation(train))
candidates = {"real": values[test], "generated": made, "labels shuffled in training": sample(broken, conditions[test])}
found = {name: regressor.r2(v, conditions[test]) for name, v in candidates.items()}
errors = {
    name: bootstrap_error(lambda v, c: r2_score(c, v, multioutput="raw_values"), regressor.predict(v), conditions[test])
    for name, v in candidates.items()
}
plots.bars(found, errors, NAMES, "R² of the parameter asked for", mock=data.mock, limits=(-1.3, 1.05))

# %%
shuffled = np.random.default_rng(0).permutation(conditions[test])
null = regressor.r2(made, shuffled)
for column, name in enumerate(NAMES):
    run.score(
        f"{name}: R², asked for against found",
        found["generated"][column],
        errors["generated"][column],
        ceiling=found["real"][column],
        ceiling_name="real test spectra",
        baseline=null[column],
        baseline_name="shuffled",
    )

# %% [markdown]
# The condition works: the age comes out of generated spectra as well as of real ones, metallicity and mass somewhat less well. Even the redshift is found in part, nearly as well as in real spectra: not from lines, which stand still in the rest frame, but because distant galaxies are massive, and noisier. Trained with shuffled labels, the GAN ignores what it is asked for (R² below zero: worse than naming the mean for all).
#
# **(b) Fréchet distance.** Between two clouds of points with means m and covariances C it is |m₁ − m₂|² + tr(C₁ + C₂ − 2(C₁C₂)^½): zero if both agree, whatever the shapes. It depends on the space, and falls with the number of points, so all sets here have the same number, and the **floor** is that of real training spectra against real test spectra. Each is drawn five times: the error bars are the scatter. Mind the logarithmic axis.

# %%
n, rng = min(len(test), len(train)), np.random.default_rng(run.seed)
sets = {
    "real (floor)": lambda k: values[rng.permutation(train)[:n]],
    "GAN": lambda k: sample(generator, conditions[test[:n]], seed=k),
    "PCA + Gaussian": lambda k: pca.inverse_transform(
        rng.multivariate_normal(coefficients.mean(axis=0), np.cov(coefficients.T), n)
    ),
}
draws = {
    name: np.array([list(distances(draw(k).astype(np.float32), values[test[:n]]).values()) for k in range(5)])
    for name, draw in sets.items()
}
frechet = {name: d.mean(axis=0) for name, d in draws.items()}
frechet_error = {name: d.std(axis=0, ddof=1) for name, d in draws.items()}
SPACES = ("in PCA space", "in the regressor's features")
plots.bars(frechet, frechet_error, SPACES, "Fréchet distance", mock=data.mock, limits=(0.02, 50), logarithmic=True)

# %%
for column, space in enumerate(SPACES):
    run.score(
        f"Fréchet distance {space}", frechet["GAN"][column], frechet_error["GAN"][column],
        floor=frechet["real (floor)"][column], floor_name="real to real",
        baseline=frechet["PCA + Gaussian"][column], baseline_name="PCA + Gaussian",
        below=round(frechet["PCA + Gaussian"][column], 3),
    )
multiples = {name: frechet[name] / frechet["real (floor)"] for name in ("GAN", "PCA + Gaussian")}
pd.DataFrame(multiples, index=[f"multiple of the floor {space}" for space in SPACES]).round(1)

# %% [markdown]
# In PCA space the baseline lies at the floor, within its error, and the GAN well above. That is no merit: the distance sees mean and covariance only, which the baseline copies by construction, and without the rare spectra far out, which make two real sets differ. Nothing can beat it there. In the regressor's features, which are not linear, a Gaussian in PCA space is no longer a Gaussian, and there the GAN is more than twice as close to real spectra. A Fréchet distance without its space and its floor means nothing.
#
# **(c) Line indices, and copying.** Distributions of the break, of Hδ (positive: absorption) and of two emission lines, for young, middle and old galaxies, real (filled) and generated (line); and the distance to the nearest training spectrum. If the GAN copied, its spectra would lie closer to the training set than new real ones do.

# %%
def measured(spectra):
    table = indices.measure(wavelength, scale.inverse(spectra))
    return table[["D4000", "Hdelta_A", "EW_Halpha", "EW_OIII"]]


lines = {name: measured(v) for name, v in (("real", values[test]), ("generated", made), ("PCA + Gaussian", gaussian))}
age_bins = np.digitize(kept.age[test], np.quantile(kept.age[test], [1 / 3, 2 / 3]))
spectra_plots.index_histograms(lines["real"], lines["generated"], age_bins, mock=data.mock)

# %% [markdown]
# The generated distributions move with age as the real ones do and are about as wide. They differ in detail: the middle third in age bunches at one break strength, where real galaxies spread.

# %%
def nearest(spectra):
    """Distance to the nearest training spectrum in PCA space, which leaves most of the noise out."""
    return NearestNeighbors().fit(coefficients).kneighbors(pca.transform(spectra), 1)[0][:, 0]


closest = {"real test spectra": nearest(values[test]), "generated": nearest(made), "PCA + Gaussian": nearest(gaussian)}
plots.histograms(closest, "distance to the nearest training spectrum", mock=data.mock)

# %% [markdown]
# Generated spectra lie about as far from the training set as new real ones, a little closer because they are less noisy, and there is no pile at zero: the GAN has not copied. The Gaussian's draws lie further away: they fill combinations that do not occur.
#
# **(d) The survey's own test: cross-correlation.** A pipeline finds redshifts by sliding templates over a spectrum in log wavelength. Tonry & Davis (1979) measure the quality by **r**: the height of the peak over the typical height of chance peaks, which they take from the antisymmetric part of the correlation function about the peak, since the true signal is symmetric.
#
# **Exercise 6.** Write r.

# %% tags=["exercise"]
@exercise("01.r_value")
def r_value(correlation, peak):
    """Return r of Tonry & Davis (1979) of a correlation function, shape (n,), with its peak at this index."""
    # BEGIN SOLUTION
    reach = min(peak, len(correlation) - 1 - peak)
    beside = np.arange(1, reach + 1)
    antisymmetric = (correlation[peak + beside] - correlation[peak - beside]) / 2
    return correlation[peak] / (np.sqrt(2) * np.sqrt(np.mean(antisymmetric**2)))
    # END SOLUTION


# %% [markdown]
# First, does the test work? Your r on two correlation functions, of one spectrum with itself in noise and of noise; then the room's `cross_correlate` on observed spectra with known redshift, with six templates from early to late type. The figure shows the error in km/s against r.

# %%
rng = np.random.default_rng(run.seed)
alike = np.correlate(values[test[0]], values[test[0]] + rng.normal(size=PIXELS), "full")
chance = np.correlate(values[test[0]], rng.normal(size=PIXELS), "full")
print(f"r = {r_value(alike, alike.argmax()):.1f} with the spectrum in it, {r_value(chance, chance.argmax()):.1f} with noise only")

templates = mock.templates()
checked = kept[test[: run.pick(ci=30, demo=400, full=1000)]]
redshifts = cross_correlate(checked.wavelength, checked.flux, templates, checked.error).table
velocity = SPEED_OF_LIGHT * (redshifts["redshift"] - checked.redshift) / (1 + checked.redshift)
good_enough = signal[test[: len(checked)]] > 5
right = (np.abs(velocity) < 300)[good_enough]
run.score("redshift right within 300 km/s, S/N > 5", right.mean(), bootstrap_error(np.mean, right), above=0.95)
spectra_plots.velocities(velocity[good_enough], redshifts["r"][good_enough], mock=data.mock)

# %% [markdown]
# Nearly all redshifts are right, most within some ten km/s. On mock data that is easy: spectra and templates come from the same library of stars, so no galaxy is unlike all templates. (With real SDSS eigenspectra on a real SDSS galaxy: `python -m helpers spectra redshift FILE.fits`.)
#
# Now the question of this hack. All spectra, real, generated and noise, are put on the same coarse rest-frame grid, so that the comparison is fair; their redshift is 0. Look at where the three distributions of r lie.

# %%
judged = {"real": values[test], "generated": made, "PCA + Gaussian": gaussian}
judged = {name: scale.inverse(v) for name, v in judged.items()}
judged["noise"] = 1 + 0.1 * rng.normal(size=(len(test), PIXELS))
pipeline = {
    name: cross_correlate(wavelength, v, templates, redshifts=(-0.1, 0.1)).table for name, v in judged.items()
}
r = {name: table["r"].to_numpy() for name, table in pipeline.items()}
plots.histograms(r, "r of the best template", mock=data.mock)

# %%
def off(some, real):
    return abs(np.median(some) / np.median(real) - 1)


run.score(
    "median r of generated spectra, off that of real ones by", off(r["generated"], r["real"]),
    bootstrap_error(off, r["generated"], r["real"]), below=0.25,
    floor=off(r["real"][::2], r["real"][1::2]), floor_name="real, in two halves",
    baseline=off(r["noise"], r["real"]), baseline_name="noise",
)
accepted = {
    name: [np.mean(np.abs(table["redshift"]) * SPEED_OF_LIGHT < 1000), np.median(table["r"]), table["r"].std()]
    for name, table in pipeline.items()
}
columns = ["redshift within 1000 km/s", "median r", "spread of r"]
pd.DataFrame(accepted, index=columns).T.round(2)

# %% [markdown]
# A survey would take the generated spectra for galaxies: all redshifts are found, and r is far above that of noise. It is even somewhat higher than that of real spectra, with less spread: generated spectra are *more* template-like, smoother and more typical. The noise-free draws of the Gaussian, which we know to be wrong, reach the highest r of all. So a high r alone is no praise.
#
# ## 8 Open questions
#
# Would the pipeline accept them, and are they more template-like than real ones? The table above has answered both. Two are left. Does attention help? Is clipping worse than the gradient penalty? Each contestant is trained from three random starts for the same number of steps (100 of the generator at `demo`), and is judged by the Fréchet distance to the test spectra in the regressor's features. (To keep it short these networks are smaller than the one above, so compare them with each other only.)

# %% tags=["answer"]
contestants = {
    "dense, gradient penalty": dict(channels=0),
    "dense, clipping ±0.03": dict(channels=0, objective=wasserstein_clipping(0.03)),
    "dense, clipping ±0.1": dict(channels=0, objective=wasserstein_clipping(0.1)),
    "ResNet with attention": dict(channels=4),
    "ResNet without": dict(channels=4, attention=False),
}
steps_each = run.pick(ci=2, demo=100, full=3000)
results = {}
for name, options in contestants.items():
    results[name] = []
    for seed in range(run.pick(ci=1, demo=3, full=5)):
        network, _ = train_gan(steps=steps_each, seed=seed, **options)
        results[name].append(distances(sample(network, conditions[test]), values[test])["in the regressor's features"])

# %% tags=["answer"]
plots.seeds(results, "Fréchet distance in the regressor's features", mock=data.mock)

# %% [markdown] tags=["answer"]
# **Clipping is worse, and touchy.** With ±0.03 it stays at about twice the distance of the gradient penalty, and with ±0.1 one start does as well as with ±0.03 while the others are several times worse: a weight limit says nothing definite about the slope. **Attention makes no difference** here: the three starts with it and the three without overlap. What helps is the convolutions, with or without attention, against dense layers alone; three starts can show a factor, not a few per cent, and after so few steps none of the five has converged.

# %% [markdown]
# ## 9 What to take home
#
# - The way from raw rows to the network's input decides as much as the network: cleaning that is counted, one frame, a scale that can be undone.
# - A Fréchet distance needs its space, its floor and its baseline: in PCA space a Gaussian cannot be beaten.
# - A condition works if a regressor that has seen real spectra only finds in generated ones what was asked for; looking nice is no proof, as the network with shuffled labels shows.
# - A survey's pipeline accepts the spectra, but it also accepts smooth ones: that test alone is too easy.
#
# **Further questions.** What happens for rare galaxies, at the edge of the sample? Can the noise be left out of the training and added afterwards? Does a redshift pipeline's failure rate on generated spectra predict its failure rate on real ones?

# %%
run.scoreboard()

# %% [markdown]
# **References.** J. Tonry & M. Davis (1979), AJ 84, 1511. M. Balogh et al. (1999), ApJ 527, 54: the 4000 Å break. G. Worthey & D. Ottaviani (1997), ApJS 111, 377: Hδ. M. Arjovsky, S. Chintala & L. Bottou (2017), arXiv:1701.07875. I. Gulrajani et al. (2017), arXiv:1704.00028. S. Woo et al. (2018), arXiv:1807.06521: CBAM. M. Heusel et al. (2017), arXiv:1706.08500: the Fréchet distance. The questions, the architecture and its numbers: group A of the school's hack presentations.
