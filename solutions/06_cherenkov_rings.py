# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 06 Cherenkov rings
#
# {badges}
#
# **Question.** A water-Cherenkov detector sees a charged particle as a ring of light. From a 28 × 28 image: how many rings are there, where is a ring and how large, and can we simulate new ones?
#
# You will be able to
# - count and measure rings with convolutional networks, and say how far they are from the best possible answer;
# - train a conditional variational autoencoder, and find out from numbers whether its latent space is of use;
# - judge generated images by an independent measurement instead of by eye.
#
# **Time.** {minutes}.
#
# **Data and licence.** All images are drawn by this hack's own simulator, by the rules of the public [ring notebooks](https://github.com/cesarjesusvalls/A3NetRingImg); a folder made by those notebooks loads as it is. They are a toy, not detector data: figures drawn from them say MOCK. Code: BSD-3-Clause. Text: CC BY 4.0.

# %% tags=["setup"]

# %%
from functools import partial

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F

from helpers import plots
from helpers.course import setup
from helpers.evaluation.errors import bootstrap_error
from helpers.evaluation.regression import rmse
from helpers.exercises import exercise, hint
from helpers.subjects import rings
from helpers.subjects.rings import floor as likelihood
from helpers.subjects.rings import metrics as ring_metrics
from helpers.subjects.rings import mock
from helpers.subjects.rings import plots as ring_plots
from helpers.subjects.rings.circle import fit_circle
from helpers.training import fit, predict

run = setup("06_cherenkov_rings", seed=2024)

# %% [markdown]
# ## 1 The question and its physics
#
# A charged particle that is faster than light *in water* drags a shock front of light with it, as a boat drags its bow wave. The light leaves at a fixed angle to the track, $\cos\theta = 1/(n\beta)$: about 41° in water for $\beta \to 1$. A short track therefore lights up a **ring** on the wall of the detector. An electron scatters and showers, and its ring is fuzzy; a muon goes straight, and its ring is sharp. Two rings are two particles: the showers of the two photons of a neutral pion, say. Counting and measuring rings is how such a detector tells what happened.
#
# The toy images keep the geometry only. A ring has a centre, a radius r, a **thickness** t (the diameter of the discs of light that it is stamped with) and a **deformation** d (each of its 360 discs is moved in or out by up to so many pixels). In the figure, sorted by deformation, look for what the deformation does, and for whether you can see the thickness.

# %%
sizes = run.pick(ci=(400, 100, 200), demo=(8000, 500, 1500), full=(8000, 500, 1500))
data = run.use(rings.load(kind="regressor", n=sum(sizes), seed=1))
train, validation, test = data.split(*sizes)

order = np.argsort(train.ring[:400, 4])[:: 400 // 16]
titles = [f"r {r:.0f}\nt {t:.2f}\nd {d:.2f}" for _, _, r, t, d in train.ring[order]]
plots.image_grid(train.images[order], titles, mock=data.mock)

# %% [markdown]
# From the top left to the bottom right the deformation grows from 0.5 to 3 pixels, and sharp circles become wide bands that swallow small rings whole. The thickness is hardly visible: it is about the size of a pixel.
#
# **Exercise 1.** Before learning anything: where may the light of a ring be? Write the mask of all pixels whose middle is within `width / 2` of the circle. Pixel i covers i to i + 1, so its middle is at i + 0.5.
#
# Run the cell: the line below it says *to do*, *not yet* with the reason, or *correct*, and until it is correct the cells below use the reference solution, so you can go on in any case. `hint("06.ring_mask")` in a new cell gives a hint.
#
# The curve below it uses your mask to check the picture that we have of the simulator. If it is right, nearly all light lies inside a mask of the width 2d + t and perhaps a pixel more, because discs are drawn on a grid. Look for where the curve reaches 1.

# %% tags=["exercise"]
@exercise("06.ring_mask")
def ring_mask(x, y, radius, width, size=28):
    """Return the pixels whose middle lies within width / 2 of a circle: bool, shape (size, size)."""
    # BEGIN SOLUTION
    middle = np.arange(size) + 0.5
    distance = np.hypot(middle[None, :] - x, middle[:, None] - y)
    return np.abs(distance - radius) <= width / 2
    # END SOLUTION


# %%
def light_inside(image, ring, more):
    x, y, radius, thickness, deformation = ring
    mask = ring_mask(x, y, radius, max(2 * deformation + thickness + more, 0))
    return (image[mask] > 0).sum() / max((image > 0).sum(), 1)


extra = np.linspace(-1.5, 2.5, 17)
inside = [np.mean([light_inside(*pair, more) for pair in zip(train.images[:200], train.ring[:200])]) for more in extra]
figure, axis = plots.panels(mock=data.mock, size=(5, 3))
axis.plot(extra, inside, "o-")
axis.set(xlabel="width of the mask − (2d + t) [px]", ylabel="fraction of the light inside")
axis.axhline(1, color="grey", linewidth=0.8)
figure

# %% [markdown]
# The curve reaches 1 where the mask is 1 to 1.5 pixels wider than 2d + t, and a narrower mask loses light: the picture is right, up to the size of a pixel.
#
# ## 2 Count the rings
#
# One or two? The images are those of the source's *classifier* set: thinner and less deformed. Several rings are drawn over each other. Look for pairs that you would take for one ring.

# %%
sizes_count = run.pick(ci=(300, 100, 300), demo=(7000, 500, 2500), full=(7000, 500, 2500))
counting = run.use(rings.load(kind="classifier", n=sum(sizes_count), seed=2))
count_train, count_validation, count_test = counting.split(*sizes_count)
plots.image_grid(count_train.images[:16], [f"N = {n}" for n in count_train.n_rings[:16]], mock=counting.mock)

# %% [markdown]
# Most pairs are easy to see; where one ring lies inside the other or close to it, one has to look twice.
#
# **The simplest baseline** is to count lit pixels: two rings have more light than one.
#
# **Exercise 2.** Find, on the training images, the number of lit pixels above which "two rings" is the better answer. In the figure after it, the overlap of the two histograms is the error that such a rule cannot avoid.

# %% tags=["exercise"]
@exercise("06.lit_pixel_threshold")
def lit_pixel_threshold(n_lit, n_rings):
    """Return the threshold t for which `2 rings if n_lit > t else 1 ring` is right most often."""
    # BEGIN SOLUTION
    candidates = np.unique(n_lit)
    accuracies = [np.mean((n_lit > candidate) + 1 == n_rings) for candidate in candidates]
    return candidates[np.argmax(accuracies)]
    # END SOLUTION


# %%
def lit(images):
    return (images > 0).sum(axis=(-2, -1))


threshold = float(lit_pixel_threshold(lit(count_train.images), count_train.n_rings))
figure, axis = plots.panels(mock=counting.mock, size=(5, 3))
for number, name in ((1, "1 ring"), (2, "2 rings")):
    axis.hist(lit(count_train.images)[count_train.n_rings == number], bins=40, histtype="step", label=name)
axis.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.0f}")
axis.set(xlabel="lit pixels", ylabel="training images")
axis.legend()
figure

# %% [markdown]
# A large ring has as much light as two small ones, so the histograms overlap widely.
#
# **Exercise 3.** The source asks for a technique without neural networks. Its answer: the 50 strongest principal components of the images, then a support vector machine. As one scikit-learn pipeline, both steps are fitted to training rows only.
#
# **Exercise 4.** And a convolutional network: three convolutions, two dense layers, as in the source.

# %% tags=["exercise"]
@exercise("06.pca_svm")
def pca_svm(n_components=50):
    """Return an unfitted pipeline: PCA with so many components, then an SVM with a radial kernel."""
    # BEGIN SOLUTION
    return make_pipeline(PCA(n_components, random_state=0), SVC(kernel="rbf"))
    # END SOLUTION


# %% tags=["exercise"]
@exercise("06.RingClassifier")
class RingClassifier(nn.Module):
    """Three convolutions and two dense layers: images (n, 1, 28, 28) to logits (n, n_classes)."""

    def __init__(self, n_classes):
        super().__init__()
        # BEGIN SOLUTION
        layers = []
        for channels_in, channels_out in ((1, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 9, 64), nn.ReLU(), nn.Linear(64, n_classes))
        # END SOLUTION

    def forward(self, images):
        # BEGIN SOLUTION
        return self.layers(images)
        # END SOLUTION


# %%
def train_counter(train, validation, most=2, epochs=run.pick(ci=1, demo=5, full=15)):
    """Train a ring counter; its classes start from 0, so they are the number of rings minus 1."""
    torch.manual_seed(run.seed)
    model = RingClassifier(most)
    sets = [(part.pixels, part.n_rings - 1) for part in (train, validation)]
    options = dict(batch_size=64, learning_rate=3e-3, seed=run.seed)
    return model, fit(model, *sets, loss=F.cross_entropy, epochs=epochs, **options)


def count_with(model, part):
    """Number of rings that a network, or a fitted pipeline, finds in each image."""
    if isinstance(model, nn.Module):
        return predict(model, part.pixels).argmax(axis=1) + 1
    return model.predict(part.pixels.reshape(len(part), -1))


counter, counter_history = train_counter(count_train, count_validation)
svm = pca_svm(50).fit(count_train.pixels.reshape(len(count_train), -1), count_train.n_rings)
plots.history({"ring counter": counter_history}, mock=counting.mock, ylabel="cross entropy")

# %% [markdown]
# The validation loss starts far above the training loss, while the learning rate is high, and both fall quickly; the weights kept are those of the best epoch. The test images have been seen by nobody so far: not by the threshold, the SVM or the network.

# %%
answers = {
    "constant guess": np.full(len(count_test), np.bincount(count_train.n_rings).argmax()),
    "lit pixels > threshold": (lit(count_test.images) > threshold) + 1,
    "PCA 50 + SVM": count_with(svm, count_test),
    "convolutional network": count_with(counter, count_test),
}
table = pd.DataFrame({
    name: {"accuracy": accuracy_score(count_test.n_rings, answer),
           "± (bootstrap)": bootstrap_error(accuracy_score, count_test.n_rings, answer)}
    for name, answer in answers.items()
}).T
table.round(4)

# %% [markdown]
# ### The floor: rings that coincide
#
# Can the network be perfect? Two rings with the same centre and radius look so much like one that "one ring" is the better answer. The chance of that follows from how the parameters are drawn, and is our floor; it is optimistic, since near coincidence costs something too. Below, the error on images with two rings against their separation, the largest difference in x, y or radius, on many fresh images. Look for where the error starts, and how many pairs are there.

# %%
coincident = likelihood.coincident_probability()
floor = dict(floor=1 - coincident / 2, floor_name="coincident rings")  # half of the images have two rings
fresh = rings.load(kind="classifier", n=run.pick(ci=2000, demo=30_000, full=100_000), seed=3, source="mock")
pairs = fresh[fresh.n_rings == 2]
missed, apart = count_with(counter, pairs) == 1, ring_metrics.separation(pairs.parameters)
bins = [b for b in range(9) if (apart == b).any()]
counts, rate = np.array([[(apart == b).sum(), missed[apart == b].mean()] for b in bins]).T
figure, axes = plots.panels(1, 2, mock=fresh.mock, size=(4, 3))
axes[0].errorbar(bins, rate, np.sqrt(rate * (1 - rate) / counts), fmt="o-")
axes[0].set(xlabel="separation of the two rings [px]", ylabel="fraction taken for one ring", ylim=(-0.05, 1.05))
axes[1].bar(bins, counts / len(pairs))
axes[1].set(xlabel="separation of the two rings [px]", ylabel="fraction of the pairs", yscale="log")

for name, other, options in (("convolutional network", "PCA 50 + SVM", dict(above=0.985)),
                             ("PCA 50 + SVM", "lit pixels > threshold", dict(source="0.979"))):
    run.score(f"1 or 2 rings, accuracy: {name}", *table.loc[name], **floor, **options,
              baseline=table.loc[other, "accuracy"], baseline_name=other)
figure

# %% [markdown]
# Coincident rings are always taken for one, rings one pixel apart about every second time, and from three pixels on hardly ever. Such pairs are rare: the remaining error of the network comes from the few percent of pairs that are at most two pixels apart. Here are test images that it got wrong; look whether you would do better.

# %%
wrong = np.flatnonzero(answers["convolutional network"] != count_test.n_rings)[:8]
titles = [f"true {count_test.n_rings[i]}\nfound {answers['convolutional network'][i]}" for i in wrong]
plots.image_grid(count_test.images[wrong], titles, mock=counting.mock) if len(wrong) else "no image was wrong"

# %% [markdown]
# Most look like a single thick ring, in which the second one hides.
#
# ### Open question: how does the performance change with the largest number of rings?
#
# Let the number of rings be 1 to N_max, with N_max = 2 … 6. Chance is then 1/N_max. Does the network get worse, or the question harder? Compare with the technique without neural networks, look at which numbers are confused, and ask what simple counting of connected pieces (clusters of lit pixels, found by DBSCAN) would give.
#
# To start from: `rings.load(kind="classifier", n=..., seed=..., max_rings=N, source="mock")` draws images with up to N rings, `train_counter(..., most=N)` and `count_with` train and apply a network, and `ring_metrics.n_clusters(images)` counts clusters.

# %% tags=["answer"]
matrices, rows = {}, []
for most in range(2, 7):
    many = rings.load(kind="classifier", n=sum(sizes_count), seed=10 + most, max_rings=most, source="mock")
    parts = many.split(*sizes_count)
    true = parts[2].n_rings
    models = {
        "CNN": train_counter(*parts[:2], most, epochs=run.pick(ci=1, demo=4, full=15))[0],
        "PCA + SVM": pca_svm(50).fit(parts[0].pixels.reshape(len(parts[0]), -1), parts[0].n_rings),
    }
    for name, model in models.items():
        answer = count_with(model, parts[2])
        matrices[name, most] = confusion_matrix(true, answer)
        rows.append({"N_max": most, "method": name, "accuracy": accuracy_score(true, answer),
                     "error": bootstrap_error(accuracy_score, true, answer),
                     "balanced": balanced_accuracy_score(true, answer)})
scan = pd.DataFrame(rows)

# %% tags=["answer"]
figure, axes = plots.panels(1, 2, mock=True, size=(4.4, 3.2))
for number, (method, group) in enumerate(scan.groupby("method")):
    axes[0].errorbar(group.N_max, group.accuracy, group.error, fmt="o-", color=f"C{number}", label=method)
    axes[0].plot(group.N_max, group.balanced, "x", color="black", label="balanced accuracy" if number else None)
axes[0].plot(range(2, 7), 1 / np.arange(2, 7), "--", color="grey", label="chance")
axes[0].set(xlabel="largest number of rings", ylabel="accuracy", xticks=range(2, 7), ylim=(0, 1.03))
axes[0].legend()

n_images = run.pick(ci=60, demo=400, full=2000)
crowded = rings.load(kind="classifier", n=6 * n_images, seed=20, max_rings=6, source="mock")
clusters = [ring_metrics.n_clusters(crowded.images[crowded.n_rings == k]) for k in range(1, 7)]
error = [c.std() / len(c) ** 0.5 for c in clusters]
axes[1].errorbar(range(1, 7), [c.mean() for c in clusters], error, fmt="o-", label="mean number of clusters")
right = [np.mean(c == k) for k, c in enumerate(clusters, 1)]
axes[1].plot(range(1, 7), right, "s--", label="fraction with as many clusters as rings")
axes[1].set(xlabel="number of rings", ylim=(-0.05, 2.3))
axes[1].legend()
figure

# %% tags=["answer"]
shown = {f"{name}, N_max = 6": matrices[name, 6] for name in ("CNN", "PCA + SVM")}
plots.confusion(shown, range(1, 7), mock=True)

# %% [markdown] tags=["answer"]
# The accuracy falls with N_max, for the network more slowly than for the SVM, and both stay far above chance; balanced accuracy agrees with plain accuracy, since all numbers are equally frequent. In the confusion matrices the network still tells one ring from two (the SVM less well), and most errors are off by one, among the large numbers, where light merges. That looks like a harder question, but it is no proof: we have no floor for more than two rings, and each number has fewer training images. Connected pieces cannot be counted instead: one ring is one cluster, but already two rings touch more often than not, and six are one cluster as a rule.

# %% [markdown]
# ## 3 Measure a ring
#
# Five numbers from one image: x, y, radius, thickness, deformation, in pixels. First two baselines.
#
# - The **constant guess**, the mean of the training set, whose error is the spread of each parameter.
# - An **algebraic circle fit** (Taubin 1991) to the lit pixels: centre, radius, and the scatter of the pixels around the circle. Deformation makes the scatter and biases the radius, so a linear regression on training images turns (radius, scatter, number of lit pixels) into radius, thickness and deformation.

# %%
true = {"train": train.ring, "validation": validation.ring, "test": test.ring}
average, spread = true["train"].mean(axis=0), true["train"].std(axis=0)


def circle_features(images):
    """Centre, shape (n, 2), and radius, scatter, number of lit pixels, shape (n, 3)."""
    fits = np.array([fit_circle(image) for image in images])
    return fits[:, :2], np.column_stack([fits[:, 2:], lit(images)])


calibration = LinearRegression().fit(circle_features(train.images[:2000])[1], true["train"][:2000, 2:])
centre, features = circle_features(test.images)
measured = {
    "constant guess": np.tile(average, (len(test), 1)),
    "circle fit (Taubin)": np.column_stack([centre, calibration.predict(features)]),
}

# %% [markdown]
# **Exercise 5.** A network that predicts all five at once needs a loss that treats them alike. The centre varies by more than five pixels, the thickness by 0.4: in plain squares the thickness would not count. Measure each parameter in units of its own spread.
#
# Then two networks, as in the source: a convolutional one (2 convolutions, 2 dense layers) and a fully connected one (4 dense layers). Both end with the units of the parameters, so that their first guess is a sensible one. In the loss curves, 1 is the constant guess; watch the gap between training (dashed) and validation (full).

# %% tags=["exercise"]
@exercise("06.ring_parameters_loss")
def ring_parameters_loss(predicted, true, spread):
    """Mean squared error over samples and parameters, shape (n, k), each in units of its spread, shape (k,)."""
    # BEGIN SOLUTION
    return (((predicted - true) / spread) ** 2).mean()
    # END SOLUTION


# %%
class InUnits(nn.Module):
    """Turn numbers of order one into parameters: average + spread × number."""

    def __init__(self, average, spread):
        super().__init__()
        self.register_buffer("average", torch.as_tensor(average, dtype=torch.float32))
        self.register_buffer("spread", torch.as_tensor(spread, dtype=torch.float32))

    def forward(self, numbers):
        return self.average + self.spread * numbers


def convolutional(average, spread):
    layers = [nn.Conv2d(1, 16, 5, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(16, 32, 5, padding=2), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, len(average)), InUnits(average, spread))


def fully_connected(average, spread):
    layers = [nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU()]
    layers += [nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, len(average))]
    return nn.Sequential(*layers, InUnits(average, spread))


# %%
def train_regressor(network, train, validation, epochs, **options):
    """Train a network on (images, parameters); the spread of the training rows is the unit of the loss."""
    torch.manual_seed(run.seed)
    average, spread = train[1].mean(axis=0), train[1].std(axis=0)
    model = network(average, spread)
    loss = partial(ring_parameters_loss, spread=torch.as_tensor(spread, dtype=torch.float32, device=run.device))
    images = network is convolutional
    options = dict(batch_size=64, channels_last=images, learning_rate=3e-3 if images else 1e-3, seed=run.seed) | options
    return model, fit(model, train, validation, loss=loss, epochs=epochs, **options)


sets = (train.pixels, true["train"]), (validation.pixels, true["validation"])
epochs = run.pick(ci=1, demo=15, full=30)
regressor, cnn_history = train_regressor(convolutional, *sets, epochs, checkpoint=run.checkpoint("regressor"))
dense, dense_history = train_regressor(fully_connected, *sets, run.pick(ci=1, demo=8, full=20))
measured |= {"fully connected": predict(dense, test.pixels), "convolutional": predict(regressor, test.pixels)}
plots.history({"convolutional": cnn_history, "fully connected": dense_history}, mock=data.mock, ylabel="loss [spread²]")

# %% [markdown]
# The validation loss of the fully connected network is flat within its 8 epochs (the source's number); the convolutional one is given 15, jumps while the one-cycle schedule keeps the learning rate high, and ends at about half that loss. For both the training loss ends below the validation loss: they begin to learn their images by heart.
#
# ### The floor: what the pixels allow
#
# Here the simulator and the prior are known, so the estimator with the smallest mean squared error can be written down: the mean over the posterior p(parameters | image). Given the parameters the 360 discs are independent, so the pixels nearly are, and their likelihood can be tabulated with the simulator (`helpers/subjects/rings/floor.py`). It takes seconds and no training. Pixels are not quite independent (section 5), so the true floor lies at or slightly below ours, which is computed on the first part of the test images.

# %%
chances = likelihood.pixel_probabilities(*run.pick(ci=(2, 3, 20), demo=(10, 12, 500), full=(12, 16, 1000)))
n_floor = run.pick(ci=50, demo=1000, full=1500)
best = likelihood.posterior_mean(test.images[:n_floor], chances)

residuals = {name: values - true["test"] for name, values in measured.items()}
residuals["posterior mean"] = best - true["test"][:n_floor]
size_of = partial(rmse, true=0)
errors = pd.DataFrame({name: size_of(values) for name, values in residuals.items()}, index=data.names).T
uncertainty = {name: bootstrap_error(size_of, values) for name, values in residuals.items()}
uncertainty = pd.DataFrame(uncertainty, index=data.names).T
errors.map("{:.3f}".format) + uncertainty.map(" ± {:.3f}".format)

# %% [markdown]
# RMSE in pixels. Three things to see. The convolutional network beats the fully connected one in every parameter but the centre, where they are close. The circle fit, without any training for the first two columns (the last three are calibrated on training images), finds the *centre* better than either: it uses the symmetry of a ring, which the networks have to learn. And the posterior mean finds centre and radius almost exactly, because it knows that they are whole numbers; only thickness and deformation keep an irreducible error.
#
# Three more views. The distributions of the errors (logarithmic: look at the tails; the axes end where the widest method has 99 % of its errors). True and predicted circles, for six test images at random (upper row) and for the six whose circle is worst (lower row). And the correlation of the absolute errors: is an image that is bad for one parameter bad for all?

# %%
shown = ("circle fit (Taubin)", "fully connected", "convolutional", "posterior mean")
ring_plots.errors({name: residuals[name] for name in shown}, data.names, mock=data.mock)

# %% tags=["gallery"]
scaled = np.abs(residuals["convolutional"][:, :3]).max(axis=1)
chosen = np.r_[0:6, np.argsort(scaled)[-6:]]
ring_plots.circles(test.images[chosen], true["test"][chosen], measured["convolutional"][chosen], mock=data.mock)

# %%
shown = ("convolutional", "fully connected")
ring_plots.correlations({name: residuals[name] for name in shown}, data.names, mock=data.mock)

# %% [markdown]
# The networks' errors in the centre have wider tails than the circle fit's. For most of the six at random the two circles lie on each other; the worst are rings that fill the frame, or thin and strongly deformed ones with much of their light missing, and even they are missed by one to two pixels only. The errors of thickness and deformation go together (a thick ring and a deformed one are both wide), all others are nearly independent; the fully connected network tends to err in x and y on the same images.
#
# One check more: the same network on images drawn as the source draws them, one disc at a time with Pillow. The two columns should agree within their errors. (For comparison: a plain CNN reached 0.26 px in the centre, 0.14 in radius, 0.20 in deformation and 0.28 in thickness after 20 epochs; our limits leave some room for fewer. On the scoreboard the baseline is the circle fit, and the source's numbers, read off a figure, are relative: "≈ 0.04 x" means 4 % of x.)

# %%
n_original = run.pick(ci=50, demo=2000, full=5000)
images, _, parameters = mock.simulate(n_original, seed=99, draw=mock.draw_rings_one_by_one)
original = predict(regressor, images[:, None].astype(np.float32) / 255) - parameters[:, 0]
original_error = bootstrap_error(size_of, original)
limits = {"x": 0.30, "y": 0.30, "radius": 0.17, "deformation": 0.22}
published = {"x": "≈ 0.04 x", "y": "≈ 0.04 y", "radius": "≈ 0.08 r", "deformation": "≈ 0.12 d"}
for k, name in enumerate(data.names):
    options = dict(unit="px", below=limits.get(name), source=published.get(name), floor_name="posterior mean",
                   floor=errors.loc["posterior mean", name], baseline_name="circle fit",
                   baseline=errors.loc["circle fit (Taubin)", name])
    value, error = errors.loc["convolutional", name], uncertainty.loc["convolutional", name]
    run.score(f"ring regressor, RMSE: {name}", value, error, **options)
    run.score(f"… on images drawn with Pillow: {name}", size_of(original)[k], original_error[k], **options)
ours = (errors.loc["convolutional"].map("{:.3f}".format) + uncertainty.loc["convolutional"].map(" ± {:.3f}".format))
theirs = [f"{value:.3f} ± {error:.3f}" for value, error in zip(size_of(original), original_error)]
pd.DataFrame({"our simulator": ours, "one disc at a time": theirs})

# %% [markdown]
# ## 4 Ellipses
#
# A ring that is seen at an angle is an ellipse. It has two more parameters, the ellipticity e = (a − b)/(a + b) and the position angle φ; the radius is then the geometric mean of the semi-axes. The thickness, which hardly shows, we leave out: six targets, as in the source.
#
# The angle is a difficult target. It has the period π, so that 1° and 179° are neighbours for an ellipse and far apart for a squared error; and a circle has no angle at all. Look in the figure for nearly horizontal ellipses (φ near 0°; one at 175° would look almost the same), and for nearly round ones whose angle one cannot see.
#
# **Exercise 6.** Encode ellipticity and angle as two numbers that have neither problem. Below, a convolutional network learns them with and without your encoding, and the source's fully connected network learns them with it.

# %%
ellipses = run.use(rings.load(kind="ellipse", n=sum(sizes), seed=4))
parts = ellipses.split(*sizes)
titles = [f"e {e:.2f}\nφ {np.degrees(angle):.0f}°" for e, angle in ellipses.ring[:16, 5:]]
plots.image_grid(ellipses.images[:16], titles, mock=ellipses.mock)

# %% tags=["exercise"]
@exercise("06.encode_angle")
def encode_angle(ellipticity, angle):
    """Return (e cos 2φ, e sin 2φ), shape (n, 2), of ellipticities and angles in radians, shape (n,)."""
    # BEGIN SOLUTION
    return np.stack([ellipticity * np.cos(2 * angle), ellipticity * np.sin(2 * angle)], axis=-1)
    # END SOLUTION


# %%
def targets(part, encoded):
    """x, y, radius, deformation, and the shape: encoded, or as e and φ themselves."""
    shape = encode_angle(part.ring[:, 5], part.ring[:, 6]) if encoded else part.ring[:, 5:]
    return np.column_stack([part.ring[:, [0, 1, 2, 4]], shape])


def shape_of(predicted, encoded):
    """Invert the encoding: e, and φ in 0 to π."""
    if not encoded:
        return predicted[:, 4], predicted[:, 5]
    return np.hypot(predicted[:, 4], predicted[:, 5]), np.arctan2(predicted[:, 5], predicted[:, 4]) / 2 % np.pi


cases = {"encoded": (convolutional, True), "e and φ themselves": (convolutional, False),
         "encoded, fully connected": (fully_connected, True)}
e_true, angle_true = parts[2].ring[:, 5], parts[2].ring[:, 6]
has_angle, wrong_by, rows = e_true > 0.1, {}, []
for name, (network, encoded) in cases.items():
    sets = [(part.pixels, targets(part, encoded)) for part in parts[:2]]
    model, _ = train_regressor(network, *sets, run.pick(ci=1, demo=8, full=20))
    e, angle = shape_of(predict(model, parts[2].pixels), encoded)
    wrong_by[name] = np.degrees((angle - angle_true + np.pi / 2) % np.pi - np.pi / 2)[has_angle]
    rows.append([sum(w.numel() for w in model.parameters()), rmse(e, e_true), bootstrap_error(rmse, e, e_true),
                 size_of(wrong_by[name]), bootstrap_error(size_of, wrong_by[name])])
columns = ["weights", "RMSE of e", "± e", "RMSE of φ [°], e > 0.1", "± φ"]
shapes = pd.DataFrame(rows, index=cases, columns=columns)
assert shapes.weights.iloc[2] == 566_918  # the source's network, whose last layer has 128 × 6 + 6 = 774
shapes.round(3)

# %% [markdown]
# Encoded, the same network on the same images finds the angle several times more exactly. The figure shows why: the error of the angle against the true angle, for ellipses that have one (e > 0.1). Look at the two ends.

# %%
figure, axes = plots.panels(1, 2, mock=ellipses.mock, size=(4.2, 3), sharey=True)
for axis, name in zip(axes, ("e and φ themselves", "encoded")):
    axis.plot(np.degrees(angle_true[has_angle]), wrong_by[name], ".", markersize=2, alpha=0.5)
    axis.set(title=name, xlabel="true angle φ [°]", xticks=range(0, 181, 45), yticks=range(-90, 91, 45))
axes[0].set_ylabel("error of the angle [°]")
plain = shapes.loc["e and φ themselves"].iloc[3]
run.score("ellipse, RMSE of the angle, e > 0.1", *shapes.loc["encoded"].iloc[3:], unit="°", baseline=plain,
          baseline_name="e and φ themselves")
figure

# %% [markdown]
# Without the encoding the errors near 0° and 180° reach 90°: there the network hedges between two numbers that mean the same, and answers with their mean. With the encoding the error does not depend on the angle, and is smaller in between as well. (A random guess would give 52°; the fully connected network does nearly as well.)
#
# ## 5 Generate rings
#
# The simulator as a network: from the five parameters to an image. Two candidates.
#
# - A **deterministic decoder**: one answer for one set of parameters. Trained with the binary cross entropy (pixels are 0 or 1; for grey images that would not be a likelihood), it learns each pixel's chance to be lit.
# - A **conditional variational autoencoder** (cVAE; Kingma & Welling 2014, Sohn et al. 2015): the same decoder with a random vector z as a second input, and an encoder that says during training which z belongs to an image. What is random in a ring could then be decided by z.
#
# **Exercise 7.** The loss of the cVAE is the reconstruction, summed over the pixels of an image, plus β times the Kullback-Leibler divergence of the encoder's N(mean, exp(log_variance)) from N(0, 1), summed over the latents, both averaged over the batch. Mind the balance: a *mean* over 784 pixels against a *sum* over 8 latents is a β of 784.
#
# As in the source, 4000 images are trained on and 1000 validate (for 40 epochs instead of 150, which `full` has); they are fresh ones, so that the regressor of section 3, our judge, has not seen them. With β = 1 the loss is the textbook's; a larger β makes it expensive to say anything through z.

# %% tags=["exercise"]
@exercise("06.cvae_loss")
def cvae_loss(output, image, beta):
    """Reconstruction + beta × KL of output = (logits, mean, log_variance) for images of 0 and 1."""
    # BEGIN SOLUTION
    logits, mean, log_variance = output
    reconstruction = F.binary_cross_entropy_with_logits(logits, image, reduction="sum") / len(image)
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum() / len(image)
    return reconstruction + beta * divergence
    # END SOLUTION


# %%
def decoder(n_inputs):
    layers = [nn.Linear(n_inputs, 256), nn.SiLU(), nn.Linear(256, 32 * 49), nn.SiLU(), nn.Unflatten(1, (32, 7, 7))]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.SiLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1))


class ConditionalVAE(nn.Module):
    """An encoder (image, parameters) → (mean, log_variance), and a decoder (z, parameters) → logits."""

    def __init__(self, n_latents=8, n_parameters=5):
        super().__init__()
        self.n_latents = n_latents
        layers = [nn.Linear(784 + n_parameters, 256), nn.SiLU(), nn.Linear(256, 2 * n_latents)]
        self.encoder, self.decoder = nn.Sequential(*layers), decoder(n_latents + n_parameters)

    def forward(self, image, parameters):
        mean, log_variance = self.encoder(torch.cat([image.flatten(1), parameters], dim=1)).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decoder(torch.cat([z, parameters], dim=1)), mean, log_variance


def decoder_loss(logits, image):
    return F.binary_cross_entropy_with_logits(logits, image, reduction="sum") / len(image)


# %%
sizes_generate = run.pick(ci=(200, 100), demo=(4000, 1000), full=(40_000, 10_000))
generating = run.use(rings.load(kind="generator", n=sum(sizes_generate), seed=5))


def conditions(parameters):
    return ((parameters - average) / spread).astype(np.float32)


def train_generator(train, validation, beta=None):
    """Train a cVAE, or with beta=None the deterministic decoder; at the full profile it survives a dead kernel."""
    torch.manual_seed(run.seed)
    model, loss = (decoder(5), decoder_loss) if beta is None else (ConditionalVAE(), partial(cvae_loss, beta=beta))
    inputs = (lambda part: conditions(part.ring)) if beta is None else (lambda part: (part.pixels, conditions(part.ring)))
    options = dict(epochs=run.pick(ci=1, demo=40, full=150), batch_size=64, learning_rate=8e-3, channels_last=True)
    options |= dict(seed=run.seed, checkpoint=run.checkpoint(f"generator_{len(train)}_{beta}"))
    return model, fit(model, *[(inputs(part), part.pixels) for part in (train, validation)], loss=loss, **options)


parts = generating.split(*sizes_generate)
generators = {"decoder": train_generator(*parts)}
generators |= {f"cVAE, β = {beta}": train_generator(*parts, beta) for beta in (1, 4, 20)}
histories = {name: history for name, (_, history) in generators.items()}
plots.history(histories, mock=generating.mock, ylabel="loss per image [nat]")

# %% [markdown]
# With β = 1 the loss is an upper bound on −log p(image | parameters), and the decoder's loss is that number itself, so these two may be compared: the cVAE with β = 1 ends no lower than the decoder, although z gives it more freedom. For larger β the KL term is overweighted. Each curve shows that its training has settled. Now draw new images for the parameters of the test set, in two steps: z from N(0, 1), and then each pixel, 0 or 1, with the chance that the decoder gives it. Compare each row with the first.

# %%
@torch.inference_mode()
def generate(model, parameters, seed):
    """Return pixel probabilities and images drawn from them, both (n, 28, 28)."""
    inputs = torch.from_numpy(conditions(parameters)).to(run.device)
    draw = torch.Generator(run.device).manual_seed(seed)
    if isinstance(model, ConditionalVAE):
        z = torch.randn(len(inputs), model.n_latents, generator=draw, device=run.device)
        inputs, model = torch.cat([z, inputs], dim=1), model.decoder
    probability = model.eval()(inputs).sigmoid()
    return probability[:, 0].cpu().numpy(), torch.bernoulli(probability, generator=draw)[:, 0].cpu().numpy()


wanted = test.ring
again = mock.draw_images(wanted, np.random.default_rng(6)) / 255  # the simulator, once more with the same parameters
made = {"simulator, drawn again": again, "decoder, probabilities": generate(generators["decoder"][0], wanted, 7)[0]}
made |= {name: generate(model, wanted, 7)[1] for name, (model, _) in generators.items()}

picked = np.argsort(wanted[:60, 4])[np.linspace(0, 59, 8).astype(int)]
rows = {"test image": test.images / 255, **made}
plots.image_grid(np.concatenate([images[picked] for images in rows.values()]), mock=True, row_names=list(rows))

# %% [markdown]
# From left to right the deformation grows. The decoder's probabilities are a blur, since all that is random is averaged; but once pixels are *drawn* from them, they look like rings. With β = 1 some of the cVAE's rings are broken or misplaced. By eye that is all one can say, so let us measure.
#
# The judge is the regressor of section 3: does it find the parameters that were asked for? Its errors on generated images, divided by its errors on the test images, should be 1. A second judge is the fraction of lit pixels.

# %%
def recovery(images):
    return rmse(predict(regressor, images[:, None].astype(np.float32)), wanted) / rmse(measured["convolutional"], wanted)


def kl_per_image(name):
    if not name.startswith("cVAE"):
        return np.nan
    _, mean, log_variance = predict(generators[name][0], (test.pixels, conditions(wanted)))
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1).mean()


judged = pd.DataFrame({name: recovery(images) for name, images in made.items()}, index=data.names).T
judged["worst"] = judged.max(axis=1)
judged["KL [nat]"] = [kl_per_image(name) for name in made]
same = dict(below=1.5, floor=judged.loc["simulator, drawn again", "worst"], floor_name="simulator, drawn again",
            baseline=judged.loc["decoder, probabilities", "worst"], baseline_name="probabilities")
for name in generators:
    found = predict(regressor, made[name][:, None].astype(np.float32)) - wanted
    error = bootstrap_error(lambda a, b: (size_of(a) / size_of(b)).max(), found, residuals["convolutional"])
    run.score(f"generator, label recovery, worst parameter: {name}", judged.loc[name, "worst"], error, **same)
judged.round(2)

# %% [markdown]
# The first row is the floor: the simulator itself, drawn again. The table says three things.
#
# 1. Drawn pixels of the plain decoder are recovered nearly as well as real images; its probabilities are not (a warning rather than a fair contest: the judge has never seen a grey pixel).
# 2. With β = 1 the cVAE fails by a factor of several. Its KL gives the clue: it sends a few nats through z. The encoder sees the image, so z helps the decoder to place the ring more exactly than it manages from the parameters. When z is drawn at random, it moves the ring at random: most likely *the condition has leaked into the latent space*.
# 3. Already with β = 4 nothing goes through z (KL ≈ 0), and the cVAE becomes a plain decoder with eight useless inputs, hardly worse than one trained without them.
#
# Is the latent space good for nothing, then? That depends on whether the randomness of a ring is *shared* by many pixels. If pixels are independent given the parameters, the variance of the number of lit pixels is Σ p(1 − p), and a latent space has little to carry. Left: that ratio, for many rings with the same parameters. Right: the lit fraction of a generated image minus that of the test image with the same parameters.

# %%
names = ("simulator, drawn again", "decoder", "cVAE, β = 1", "cVAE, β = 20")
deformations, n_same = np.linspace(0.5, 3, 6), run.pick(ci=100, demo=1000, full=5000)


def shared_variance(name, deformation):
    parameters = np.tile([14, 14, 8, 0.85, deformation], (n_same, 1))
    simulated = name not in generators
    drawn = mock.draw_images(parameters, np.random.default_rng(8)) / 255 if simulated else generate(generators[name][0], parameters, 8)[1]
    chance = drawn.mean(axis=0)
    return drawn.sum(axis=(1, 2)).var() / (chance * (1 - chance)).sum()


figure, axes = plots.panels(1, 2, mock=True, size=(4.6, 3.4))
for name in names:
    axes[0].plot(deformations, [shared_variance(name, d) for d in deformations], "o-", label=name)
    difference = made[name].mean(axis=(1, 2)) - test.pixels.mean(axis=(1, 2, 3))
    axes[1].hist(difference, bins=np.linspace(-0.1, 0.1, 61), histtype="step", label=name)
axes[0].axhline(1, color="grey", linestyle="--", label="independent pixels")
axes[0].set(xlabel="deformation [px]", ylabel="variance of lit pixels / Σ p(1 − p)", yscale="log", ylim=(0.6, 400))
axes[1].set(xlabel="lit fraction, generated − test image", ylabel="images", xticks=[-0.1, -0.05, 0, 0.05, 0.1])
axes[0].legend(ncols=2, fontsize=8)
figure

# %% [markdown]
# For the simulator the ratio grows from 1 at small deformation to less than 2 at 3 pixels, since one disc lights several pixels; the decoder and the cVAE with β = 20 stay at 1 and miss that. These correlations reach over neighbouring pixels only: a few numbers for the whole image can carry little of them. (A ratio of 1 is necessary for independent pixels, not sufficient.) The cVAE with β = 1 invents correlations that are not there. On the right, its histogram has wide wings, while the decoder and the cVAE with β = 20 scatter as the simulator itself does. A cVAE would pay where randomness is shared: an unknown angle, a second ring, a detector out of calibration.
#
# ## 6 Open question: how does all this change with the training set?
#
# Train counter, regressor and generator on fewer images. For the generator the source varied the fraction of a set that is trained on (0.3 and 0.8), and reduced the whole set at a fixed fraction.
#
# To start from: `count_train[:size]` is a smaller set, `generating.split(n_train, n_validation)` splits differently, and `train_counter`, `train_regressor`, `train_generator` and `recovery` do the work.

# %% tags=["answer"]
curves = {"CNN": {}, "PCA + SVM": {}}
for size in run.pick(ci=(100, 300), demo=(500, 1500, 7000), full=(500, 1500, 4000, 7000)):
    few, whole = count_train[:size], size == len(count_train)
    pipeline = svm if whole else pca_svm(50).fit(few.pixels.reshape(size, -1), few.n_rings)
    model = counter if whole else train_counter(few, count_validation, epochs=run.pick(ci=1, demo=8, full=15))[0]
    for name, counted in (("CNN", count_with(model, count_test)), ("PCA + SVM", count_with(pipeline, count_test))):
        curves[name][size] = np.mean(counted != count_test.n_rings), bootstrap_error(np.mean, counted != count_test.n_rings)
regressor_curve = {len(train): errors.loc["convolutional"] / spread}
for size in run.pick(ci=(100,), demo=(500, 2000), full=(500, 1000, 2000, 4000)):
    few = (train.pixels[:size], true["train"][:size])
    model, _ = train_regressor(convolutional, few, (validation.pixels, true["validation"]), epochs)
    regressor_curve[size] = rmse(predict(model, test.pixels), true["test"]) / spread
total = sum(sizes_generate)
splits = {f"0.3 of {total}": (total, 0.3)} | {f"0.8 of {n}": (n, 0.8) for n in (total // 10, total // 3, total)}
generator_curve = {}
for name, (size, fraction) in splits.items():
    n = round(size * fraction)
    model = generators["cVAE, β = 20"][0] if n == len(parts[0]) else train_generator(*generating.split(n, size - n), 20)[0]
    generator_curve[name] = n, recovery(generate(model, wanted, 7)[1]).max()

# %% tags=["answer"]
figure, axes = plots.panels(1, 3, mock=data.mock, size=(3.7, 3.4))
for name, points in curves.items():
    axes[0].errorbar(points.keys(), *np.array(list(points.values())).T, fmt="o-", label=name)
axes[0].axhline(coincident / 2, color="grey", linestyle="--", label="coincident rings")
axes[0].set(title="counter", ylabel="fraction of wrong answers", ylim=(2e-4, 0.5))
values = np.array([regressor_curve[size] for size in sorted(regressor_curve)])
for k, name in enumerate(data.names):
    axes[1].plot(sorted(regressor_curve), values[:, k], "o-", color=f"C{k}", label=name)
    axes[1].axhline(errors.loc["posterior mean", name] / spread[k], color=f"C{k}", linestyle=":", linewidth=1)
axes[1].set(title="regressor (dotted: posterior mean)", ylabel="RMSE / spread", ylim=(0.02, 3))
for name, (n, worst) in generator_curve.items():
    axes[2].plot(n, worst, "o", label=name)
axes[2].axhline(1.5, color="grey", linestyle="--")
axes[2].set(title="generator (cVAE, β = 20)", ylabel="worst error / error on test images", ylim=(0.9, 15))
for axis in axes:
    axis.set(yscale="log")
    plots.size_axis(axis, "training images")
    axis.legend(fontsize=8, ncols=1 if axis is axes[2] else 2)
figure

# %% [markdown] tags=["answer"]
# Regressor and generator still improve with more images; for the counter the last step is hardly more than its error. The network makes several times fewer errors than the SVM at every size, and stays above the floor of coincident rings. The regressor gains in every parameter; the thickness is already close to what the pixels allow (the floor of centre and radius is below the frame). For the generator 0.3 of a large set (1500 images) does as well as 0.8 of a smaller one (1333): what counts seems to be the number of training images. These points have no error bars, and fewer images also mean fewer steps.

# %% [markdown]
# ## 7 What to take home
#
# - A convolutional network takes fewer than one image in a hundred with one or two rings for the other; most of what is left are rings one or two pixels apart. With more rings the accuracy falls, and how much of that is the question and how much the network, only a floor could say.
# - Know your baselines: a circle fit of 1991 beats our networks in the centre, and a likelihood that knows the simulator beats both in everything.
# - A generative model is judged by what an independent measurement finds in its images. A latent space is of use only for randomness that pixels share, and the condition may leak into it.
#
# **Further questions.** Does a network that knows about rotations close the gap to the circle fit? How does the regressor do on two rings? What does it answer for a deformation that it never saw?

# %%
run.scoreboard()

# %% [markdown]
# **References.** C. Jesús-Valls, *A3NetRingImg*, github.com/cesarjesusvalls/A3NetRingImg: the rules of the simulator and the questions. G. Taubin (1991), IEEE Trans. PAMI 13, 1115. D. Kingma & M. Welling (2014), arXiv:1312.6114. K. Sohn, H. Lee & X. Yan (2015), NeurIPS 28. I. Higgins et al. (2017), ICLR: β-VAE. M. Ester et al. (1996), KDD-96, 226: DBSCAN. L. Smith & N. Topin (2019), arXiv:1708.07120: the one-cycle schedule.
