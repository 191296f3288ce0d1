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
# {origin}
#
# You will be able to
# - write the training of a network yourself, and say what each of its lines is for;
# - put an accuracy or an error between a simple baseline and the best that is possible at all;
# - judge a generative model by an independent measurement, and find out by an experiment why one fails.
#
# **You need:** NumPy arrays, and an idea of what a neural network, a loss and a gradient are. PyTorch helps; you can look it up on the way. No particle physics.
#
# **Time.** {time}
#
# **Data and licence.** All images are drawn by this hack's own simulator, by the rules of the public [ring notebooks](https://github.com/cesarjesusvalls/A3NetRingImg); a folder made by those notebooks loads as it is. They are a toy, not detector data: figures drawn from them say MOCK. Code: BSD-3-Clause. Text: CC BY 4.0.

# %% tags=["setup"]

# %%
import copy
from functools import partial

import numpy as np
import torch
from IPython.display import display
from sklearn.ensemble import RandomForestRegressor
from torch import nn
from torch.nn import functional as F

from helpers import plots
from helpers.course import setup
from helpers.evaluation.errors import bootstrap_error
from helpers.exercises import exercise, hint
from helpers.plots.guesses import compare_order
from helpers.plots.schematic import schematic
from helpers.subjects import rings
from helpers.subjects.rings import findings, floor, metrics, mock
from helpers.subjects.rings import plots as ring_plots
from helpers.subjects.rings.baselines import measure_with_circles, pca_svm
from helpers.subjects.rings.networks import convolutional, fully_connected
from helpers.training import fit, predict

run = setup("06_cherenkov_rings", seed=2024)

# %% [markdown]
# ## 1 The question and its physics (10 min)
#
# **Neutrinos** cannot be seen. But once in a while one of them hits a nucleus in a tank of water and makes a charged particle, an electron or a muon, and that one can be seen: it is faster than light *in water*, and drags a shock front of light with it, as a boat drags its bow wave. With the refractive index n and the speed β in units of the speed of light, the light leaves at a fixed angle θ to the track,
#
# $$\cos\theta = \frac{1}{n\beta},$$
#
# about 41° in water for β → 1. A short track therefore lights up a **ring** on the wall of the tank. An electron scatters and showers, and its ring is fuzzy; a muon goes straight, and its ring is sharp. That is how Super-Kamiokande tells the two kinds of neutrinos apart, and how it found in 1998 that they change into each other. Two rings are two particles: the two photons of a neutral pion, say, which must not be taken for one electron. Counting and measuring rings is how such a detector tells what happened.
#
# **A real event** looks different from our images. The wall of Super-Kamiokande, a tank 40 m high, carries some 11 000 light sensors; each gives an amount of light *and a time*, to a few billionths of a second. A ring is some hundred to some thousand sensors with signal, bright on one side and broken into dots, among others that fire by chance; seen from aside it is no circle, and it may run over the edge between wall and lid.
#
# **Our toy** keeps the geometry only. A ring has a centre x, y, a radius r, a **thickness** t (the diameter of the discs of light that it is stamped with, 360 of them) and a **deformation** d (each disc is moved in or out by a random amount, up to d pixels). Pixels are 0 or 1. Below, sorted by deformation: which of the three numbers over each image could you have read off yourself, and which not?

# %%
sizes = run.pick(ci=(400, 100, 200), demo=(8000, 500, 1500), full=(8000, 500, 1500))
data = run.use(rings.load(sum(sizes), kind="regressor", seed=1))
train, validation, test = data.split(*sizes)

chosen = np.argsort(train.ring[:400, 4])[::25]
titles = [f"r {r:.0f}\nt {t:.2f}\nd {d:.2f}" for _, _, r, t, d in train.ring[chosen]]
plots.image_grid(train.images[chosen], titles, mock=data.mock)

# %% [markdown] tags=["think"]
# **Think: what is missing?** Which of the three numbers could you read off? And name two things that a real event has and the toy has not: would a network that is trained on the toy gain by them, or be lost with them?
#
# **Answer.**
#
# The radius at once; the deformation roughly, since sharp circles become wide bands that swallow small rings whole; the thickness hardly, as it is about the size of a pixel. A network would *gain* by the time of each hit, which tells the light of two rings apart even where they overlap, and by the amount of light, where the toy has 0 or 1. It would be *lost* with hits by chance, dead sensors and scattered light, since in the toy every lit pixel belongs to a ring, and with rings that are no circles (section 4). A network knows what it has been shown: the difference between simulation and detector is the first worry of anybody who uses one there.

# %% [markdown]
# ## 2 Count the rings (45 min)
#
# One or two? These images are those of the source's *classifier* set: thinner and less deformed. Several rings are drawn over each other. 7000 images are for training, 1000 for decisions on the way (**validation**), and the rest, the **test** images, are not touched until all decisions are made. Look for pairs that you would take for one ring.
#
# **The simplest baseline** counts lit pixels: two rings have more light than one. The rule "two rings if more than t pixels are lit" has one number to learn, the threshold t, and we take the one that is right most often on the training images. *Accuracy* is the share of images that are counted rightly; who tosses a coin has 0.5. How far does the rule get? Write your guess, then run.

# %% tags=["predict"]
# The best accuracy that a threshold on the number of lit pixels can reach:
accuracy_by_light_expected = 0.9

# %%
sizes_count = run.pick(ci=(300, 100, 300), demo=(7000, 1000, 2000), full=(7000, 1000, 2000))
counting = run.use(rings.load(sum(sizes_count), kind="classifier", seed=2))
count_train, count_validation, count_test = counting.split(*sizes_count)
titles = [f"N = {n}" for n in count_train.n_rings[:16]]
display(plots.image_grid(count_train.images[:16], titles, mock=counting.mock))

n_lit = (count_train.images > 0).sum(axis=(1, 2))  # (n, 28, 28) to (n,)
thresholds = np.unique(n_lit)
accuracies = [np.mean((n_lit > t) + 1 == count_train.n_rings) for t in thresholds]
threshold = thresholds[np.argmax(accuracies)]
light = (n_lit, count_train.n_rings, thresholds, accuracies)
ring_plots.lit_pixels(*light, guess=accuracy_by_light_expected, mock=counting.mock)

# %% [markdown]
# ### Without a neural network
#
# The source asks for a technique without neural networks, and answers: **principal components, then a support vector machine**. The principal component analysis (PCA) finds the directions in the space of all 784 pixels along which the images differ most; an image x becomes a few numbers $w_k \cdot (x - \bar x)$, one a component. The support vector machine (SVM) then draws the boundary between the classes, here a curved one.
#
# How many components? The source took 50, and does not say why. Too few, and two rings look like one; too many, and the machine learns the noise. It is for you to decide, by a rule that you write down *before* you see the test images.
#
# **Exercise: decide.** Write the rule. You get the numbers of components to choose from, and training and validation images as (rows of 784 pixels, numbers of rings); `pca_svm(n)` has `fit(rows, numbers)` and `score(rows, numbers)`, which is the accuracy. Several rules are fine, and the check says what yours costs. In the figure below it, look at where the training curve would have led you.

# %% tags=["exercise", "decide"]
@exercise("06.choose_components")
def choose_components(candidates, train, validation):
    """Return the number of components that you choose among the candidates."""
    # BEGIN SOLUTION
    accuracy = {}
    for n in candidates:
        machine = pca_svm(n)
        machine.fit(*train)
        accuracy[n] = machine.score(*validation)
    best = max(accuracy.values())
    error = np.sqrt(best * (1 - best) / len(validation[1]))
    return min(n for n in candidates if accuracy[n] >= best - error)
    # END SOLUTION


# %%
candidates = [5, 20] if run.profile == "ci" else [5, 10, 20, 30, 50, 100, 200]
parts = (count_train, count_validation, count_test)
flat = [(part.pixels.reshape(len(part), -1), part.n_rings) for part in parts]
n_components = int(choose_components(candidates, *flat[:2]))
machine = f"PCA {n_components} + SVM"

machines = {n: pca_svm(n).fit(*flat[0]) for n in candidates}
curves = {
    "training": {n: machines[n].score(*flat[0]) for n in candidates},
    "validation": {n: machines[n].score(*flat[1]) for n in candidates},
}
n_images = {"training": len(count_train), "validation": len(count_validation)}
ring_plots.accuracies(curves, n_images, n_components, mock=counting.mock)

# %% [markdown]
# ### With a network
#
# A **convolution** slides a small window over the image, and at each place adds up the pixels below it with the same few weights. So it finds a piece of an arc wherever it is, with very few weights. Three of them in a row, with pooling (of each 2 × 2 pixels only the largest is kept), see the whole image; two dense layers then make of what was found one number for each class, its **logit**. The largest logit is the answer.
#
# Between a convolution and its activation stands a **batch normalisation**. For each channel it computes mean μ and standard deviation σ over the batch, and gives $\gamma\,(x-\mu)/\sigma + \beta$ with two learned numbers γ, β. It makes the training much faster. Remember it: it will be back.
#
# **Exercise: build.** Write the network of the source: three blocks of convolution (3 × 3), batch normalisation, activation and pooling, then two dense layers. How many channels, is up to you; more channels as the image gets smaller is usual. Write the shape beside each pooling, as `# (n, 16, 14, 14)`: that is how one finds the size of the first dense layer.

# %% tags=["exercise", "build"]
@exercise("06.RingClassifier")
class RingClassifier(nn.Module):
    """Count rings: images (n, 1, 28, 28) to logits (n, n_classes)."""

    def __init__(self, n_classes):
        super().__init__()
        # BEGIN SOLUTION
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (n, 16, 14, 14)
            nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (n, 32, 7, 7)
            nn.Conv2d(32, 64, 3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (n, 64, 3, 3)
            nn.Flatten(),  # (n, 576)
            nn.Linear(576, 64),
            nn.ReLU(),
            nn.Linear(64, n_classes),
        )
        # END SOLUTION

    def forward(self, images):
        # BEGIN SOLUTION
        return self.layers(images)
        # END SOLUTION


# %% [markdown]
# ### The training, in the open
#
# How does a network learn? The **cross entropy** $-\ln p(\text{true class})$, averaged over some images, says how surprised it is by the truth. Its gradient says for each weight in which direction the surprise grows, and an optimiser makes a small step the other way. One **batch** of images, one step; when each image has been used once, an **epoch** is over.
#
# **Exercise: build.** Write one epoch. All images once, in a new random order each time, in batches; a step for each batch. In PyTorch a gradient is *added* to the one that is there already, and batch normalisation has to be told that this is training. `F.cross_entropy(logits, labels)` is the mean over a batch; labels count from 0.
#
# Before you run the cell after it: what is the cross entropy, in nats, of somebody who knows nothing but that one ring and two are equally frequent?

# %% tags=["exercise", "build"]
@exercise("06.train_epoch")
def train_epoch(model, images, labels, optimiser, batch_size=64):
    """Train for one epoch on tensors (n, 1, 28, 28) and (n,); return the mean loss."""
    # BEGIN SOLUTION
    model.train()
    order = torch.randperm(len(images))
    total = 0.0
    for start in range(0, len(images), batch_size):
        rows = order[start : start + batch_size]
        logits = model(images[rows])  # (batch, n_classes)
        loss = F.cross_entropy(logits, labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item() * len(rows)
    return total / len(images)
    # END SOLUTION


# %%
torch.manual_seed(run.seed)
beginner = RingClassifier(2).to(run.device)
optimiser = torch.optim.AdamW(beginner.parameters(), lr=1e-3)
few = count_train[: run.pick(ci=200, demo=3000, full=7000)]
images = torch.from_numpy(few.pixels).to(run.device)
labels = torch.from_numpy(few.n_rings - 1).to(run.device)
epochs = range(run.pick(ci=2, demo=4, full=4))
losses = [train_epoch(beginner, images, labels, optimiser) for _ in epochs]
ring_plots.losses(losses, mock=counting.mock)

# %%
def train_counter(train, validation, most=2):
    """Train a ring counter by `fit`; its class k stands for k + 1 rings."""
    torch.manual_seed(run.seed)
    model = RingClassifier(most)
    sets = [(part.pixels, part.n_rings - 1) for part in (train, validation)]
    options = {"batch_size": 64, "learning_rate": 3e-3, "seed": run.seed}
    options["epochs"] = run.pick(ci=1, demo=5, full=15)
    return model, fit(model, *sets, loss=F.cross_entropy, **options)


counter, history = train_counter(count_train, count_validation)
plots.history({"ring counter": history}, mock=counting.mock, ylabel="cross entropy [nat]")

# %% [markdown]
# That was all there is to training. **`fit`, in the second figure, does this, and survives a dead kernel**: it is your loop, with a learning rate that first grows and then falls to almost nothing, the loss of the validation images after each epoch, the weights of the best epoch kept, on whatever device there is, and, where it is given a file, a checkpoint every second or so from which it goes on. From here on we use it.
#
# ### An evaluation that cannot be right
#
# **Exercise: diagnose.** A colleague has written the function below, and calls it after each epoch of training. It runs, and gives 99 %. But something is wrong with it, and it is not a detail. The experiment after it counts *the same* validation images twice, once as they come and once sorted, all images with one ring first. Guess what comes out, run it, understand it, and mend the function. (The left panel always shows the function as it is given, the right one yours; ours until yours is correct.)

# %% tags=["exercise", "diagnose"]
@exercise("06.count_rings")
def count_rings(model, images, batch_size=100):
    """Return how many rings a network finds in images, a tensor (n, 1, 28, 28): an array (n,)."""
    # BEGIN SOLUTION
    model.eval()
    with torch.inference_mode():
        logits = [model(batch) for batch in images.split(batch_size)]
    # INSTEAD OF IT
    # logits = [model(batch) for batch in images.split(batch_size)]
    # END SOLUTION
    return torch.cat(logits).argmax(dim=1).cpu().numpy() + 1


# %% tags=["predict"]
# Accuracy of the function as it is given, for the sorted images in batches of 100:
accuracy_sorted_expected = 0.99

# %%
from helpers.reference.hack06 import count_rings_as_given

pixels = torch.from_numpy(count_validation.pixels).to(run.device)
n_rings = count_validation.n_rings
orders = {"as they come": np.arange(len(n_rings)), "sorted": np.argsort(n_rings, kind="stable")}


def accuracy_in(order, batch_size, count):
    """Accuracy on the validation images in an order, right after an epoch of training."""
    model = copy.deepcopy(counter).train()  # a copy: the experiment must not change the counter
    return np.mean(count(model, pixels[order], batch_size) == n_rings[order])


found = {"as given": {}, "yours": {}}
for name, rows in orders.items():
    for size in (2, 5, 20, 100, len(rows)):
        for which, count in (("as given", count_rings_as_given), ("yours", count_rings)):
            found[which].setdefault(name, {})[size] = accuracy_in(rows, size, count)
ring_plots.orders(found, guess=accuracy_sorted_expected, mock=counting.mock)

# %% [markdown] tags=["think"]
# **Think: what happened?** And why is it wrong to leave the function as it is, even if nobody ever sorts the images?
#
# **Answer.**
#
# As they come, in batches of 20 or more, the function gives 99 %; in batches of 2 only 73 %. Sorted, it is right for 43 %, less often than a coin, unless all images are one batch. In training mode the batch normalisation takes mean and width of the batch: in a batch of pairs only, what makes pairs special is subtracted away. Mended, all is one curve at 99 %.
#
# So what it says of an image depends on which others happen to be in its batch, and is no property of the image any more. A detector does not deliver its events well mixed (a calibration run, a burst), and one event alone has no batch. And each call changes the network: in training mode the means and widths that it keeps for later are updated with every batch that it sees, test images included. `model.eval()` uses the kept ones. (`torch.inference_mode()` spares time and memory, and changes no answer.)

# %% [markdown]
# ### The test, and the ceiling
#
# All is decided: now, and only now, the test images. And could a network be perfect? Two rings with the same centre and radius look so much like one that "one ring" is the better answer. How often that happens follows from how the parameters are drawn, and gives a **ceiling**, an upper bound of any accuracy:
#
# $$1 - \tfrac12 P(\text{centre and radius the same}),$$
#
# since every second image has two rings. It is optimistic: rings that *nearly* coincide cost something, too. How much, the second figure shows with many fresh pairs: how often is one ring seen, against their separation (the largest of the differences in x, y and radius)?

# %% tags=["predict"]
# Number of the 2000 test images that the network counts wrongly:
wrong_expected = 20
# Share of the pairs with a separation of 1 pixel that it takes for one ring:
missed_expected = 0.3

# %%
answers = {
    "always the same": np.full(len(count_test), np.bincount(count_train.n_rings).argmax()),
    "lit pixels": ((count_test.images > 0).sum(axis=(1, 2)) > threshold) + 1,
    machine: machines[n_components].predict(flat[2][0]),
    "network": count_rings(counter, torch.from_numpy(count_test.pixels).to(run.device)),
}
accuracy = {name: np.mean(answer == count_test.n_rings) for name, answer in answers.items()}
true = count_test.n_rings
display(ring_plots.wrong_answers(answers, true, guess=wrong_expected, mock=counting.mock))

n_fresh = run.pick(ci=2000, demo=30_000, full=100_000)
fresh = rings.load(n_fresh, kind="classifier", seed=3, source="mock")
pairs = fresh[fresh.n_rings == 2]
counted = count_rings(counter, torch.from_numpy(pairs.pixels).to(run.device))
apart = metrics.separation(pairs.parameters)
ceiling = 1 - floor.coincident_probability() / 2
print(f"ceiling of the accuracy {ceiling:.4f}, network {accuracy['network']:.4f}")
ring_plots.against_separation(apart, counted == 1, guess=missed_expected, mock=fresh.mock)

# %% [markdown] tags=["seen"]
# The threshold, right for 84 % of the training images, counted 299 of the 2000 test images wrongly, PCA and SVM with 50 components 42, and the network 9 (± 3): an accuracy of 0.9955, where coincident rings set the ceiling at 0.9994. (On the way: from 50 to 200 components the training accuracy of the SVM was the same, 0.987, while that of the validation images fell from 0.973 to 0.961. The training curve gave no warning.)
#
# Of the fresh pairs, coincident ones are always taken for one ring, those one pixel apart in 55 %, two pixels apart in 6 %, and from three pixels on hardly ever. They are rare, 0.1, 1.4 and 3 % of all pairs; times their errors, and halved as every second image is a single ring, that makes 0.5 %: all that the network gets wrong.

# %% [markdown]
# ## 3 Measure a ring (25 min)
#
# Five numbers from one image: x, y, radius, thickness, deformation, in pixels. The figure of merit is the **root mean square error** (RMSE) of each, $\sqrt{\langle(\text{predicted}-\text{true})^2\rangle}$. Two baselines:
#
# - the **constant guess**, the mean of the training set; its error is the *spread* of each parameter;
# - an **algebraic circle fit** (Taubin 1991) through the lit pixels. It knows nothing of machine learning. Only for what a circle has not, a straight line is fitted to training images: scatter of the pixels about the circle and their number to deformation and thickness.
#
# And two networks, those of the source: a **convolutional** one, and a **fully connected** one, which sees 784 numbers and does not know which pixels are neighbours. Both get the same images and the same 8 epochs, the source's number. One loss has to do for all five parameters: the squared error of each *in units of its spread*, else the centre, which varies by more than 5 pixels, would drown the thickness with its 0.4. So a loss of 1 is the constant guess.
#
# **The floor.** The simulator and the prior are known here, so the estimator with the smallest mean squared error can be written down: the mean over the posterior p(parameters | image). Given the parameters, the 360 discs are independent, so the pixels nearly are, and the chance of each to be lit can be tabulated with the simulator (`helpers/subjects/rings/floor.py`). It takes seconds and no training. Its error is our **floor**, a lower bound for all other methods (pixels are not *quite* independent, section 5, so the true one lies slightly lower still).
#
# In the table below look for the best method of each column; it need not be the same one. And why is the floor of x, y and radius what it is?

# %%
display(schematic(convolutional(5), train.pixels[:2], title="convolutional"))
schematic(fully_connected(5), train.pixels[:2], title="fully connected")

# %%
def train_regressor(network, train, validation):
    """Train a network on (images, parameters); return what measures images, and the history."""
    torch.manual_seed(run.seed)
    average = train[1].mean(axis=0)
    spread = train[1].std(axis=0)
    sets = []
    for images, parameters in (train, validation):
        sets.append((images, ((parameters - average) / spread).astype(np.float32)))
    model = network(train[1].shape[1])
    rate = 3e-3 if network is convolutional else 1e-3
    options = {"batch_size": 64, "learning_rate": rate, "seed": run.seed}
    history = fit(model, *sets, loss=F.mse_loss, epochs=run.pick(ci=1, demo=8, full=30), **options)

    def measure(images):
        return average + spread * predict(model, images)

    return measure, history


ring_sets = [(part.pixels, part.ring) for part in (train, validation)]
regressor, cnn_history = train_regressor(convolutional, *ring_sets)
dense, dense_history = train_regressor(fully_connected, *ring_sets)
histories = {"convolutional": cnn_history, "fully connected": dense_history}
plots.history(histories, mock=data.mock, ylabel="loss [spread²]")

# %%
average = train.ring.mean(axis=0)
spread = train.ring.std(axis=0)
cells = run.pick(ci=(2, 3, 20), demo=(10, 12, 500), full=(12, 16, 1000))
n_floor = run.pick(ci=50, demo=1000, full=1500)
best = floor.posterior_mean(test.images[:n_floor], floor.pixel_probabilities(*cells))
fitted = measure_with_circles(test.images, train.images[:2000], train.ring[:2000])
residuals = {
    "constant guess": average - test.ring,
    "circle fit": fitted - test.ring,
    "fully connected": dense(test.pixels) - test.ring,
    "convolutional": regressor(test.pixels) - test.ring,
    "posterior mean": best - test.ring[:n_floor],
}
errors, table = findings.errors_of(residuals, data.names)
table

# %% tags=["gallery"]
off = np.abs(residuals["convolutional"][:, :3]).max(axis=1)
shown = np.r_[np.argsort(off[:20])[7:13], np.argsort(off)[-6:]]  # typical ones, and the worst
found = test.ring[shown] + residuals["convolutional"][shown]
ring_plots.circles(test.images[shown], test.ring[shown], found, mock=data.mock)

# %% tags=["predict"]
# In this toy x, y and radius are whole numbers, and the posterior mean knows that. Let us help
# the network: round what it says. RMSE in x [px] of the convolutional network, once rounded:
rounded_expected = 0.1

# %%
found = test.ring + residuals["convolutional"]
findings.rounded(found, test.ring, data.names, guess=rounded_expected)

# %% [markdown] tags=["think"]
# **Think: when does rounding pay?** Of a normal error of standard deviation σ, rounding makes 0 where it is smaller than half a pixel, else (nearly always) 1 pixel. For which σ does the RMSE get smaller? And which of the two would you report for a detector?
#
# **Answer.**
#
# We saw: 92 % of the x are exactly right once rounded, and yet the RMSE hardly changes, from 0.293 to 0.286 px: the few that are wrong are wrong by a whole pixel. For the radius it falls from 0.144 to 0.058. The rounded error squared is the chance that an error is larger than half a pixel, $2\,(1-\Phi(1/2\sigma))$, with Φ the normal distribution. It equals σ² at σ = 0.29 px: below that rounding pays, and the more the smaller σ is. It also explains the floor, ≈ 0 for x, y and radius: the posterior mean is so sure that it picks the right whole numbers.
#
# For a detector one reports the plain one. Whole pixels are a property of the toy; who makes use of them looks better than he will ever be. For the same reason the floor is a floor of the toy.
#
# And the table: the circle fit, with no training for the centre, finds it best (0.20 px); the two networks are about equal there (0.28 and 0.29 px in x). In radius, thickness and deformation the convolutional one is better than the fully connected one, and in the last two than the circle fit, too. The worst images are thin, strongly deformed rings with much of their light missing.

# %% [markdown]
# ## 4 Ellipses (20 min)
#
# A ring that is seen from aside is an ellipse. It has two more parameters: the ellipticity e = (a − b)/(a + b) of its semi-axes a, b, and the position angle φ of the long one, from the x axis towards y. (y points down, as in all our images: φ = 45° goes down to the right.) The radius is then √(ab); the thickness, which hardly shows, we leave out: six targets, as in the source.
#
# The angle is a nasty target. Turned by 180° an ellipse is the same, so 1° and 179° are neighbours, and far apart for a squared error. And a circle has no angle at all. In the upper row look for ellipses with nearly the same picture and very different φ, in the lower row for some whose angle you cannot see.
#
# **Exercise.** Invent two numbers that say the same as (e, φ) and have neither problem: what looks alike has numbers that are close, and different ellipses have different numbers. There is more than one answer. No inverse is needed: below, what a network says is compared with the numbers of a fine grid of ellipses, and the nearest one is taken. The check draws where ellipses of five ellipticities lie when they are turned, from ▲ (0°) to ▼ (179°): for e and φ themselves, and for your numbers.

# %%
ellipses = run.use(rings.load(sum(sizes), kind="ellipse", seed=4))
ellipse_sets = ellipses.split(*sizes)
nearly_level = np.argsort(np.abs(np.sin(ellipses.ring[:200, 6])))[:8]
shown = np.r_[nearly_level, np.argsort(ellipses.ring[:200, 5])[::25]]
titles = [f"e {e:.2f}\nφ {np.degrees(angle):.0f}°" for e, angle in ellipses.ring[shown, 5:]]
plots.image_grid(ellipses.images[shown], titles, mock=ellipses.mock)

# %% tags=["exercise"]
@exercise("06.encode_shape")
def encode_shape(ellipticity, angle):
    """Return two numbers, shape (n, 2), for ellipticities and angles in radians, shape (n,)."""
    # BEGIN SOLUTION
    first = ellipticity * np.cos(2 * angle)
    second = ellipticity * np.sin(2 * angle)
    return np.stack([first, second], axis=-1)
    # END SOLUTION


# %% tags=["predict"]
# A network learns the shape as e and φ themselves, and in your code. At which true angle φ, in
# degrees from 0 to 180, will the one that learns e and φ themselves be wrong most?
worst_angle_expected = 90


# %%
def plain(ellipticity, angle):
    """Return e and φ themselves, shape (n, 2)."""
    return np.stack([ellipticity, angle], axis=-1)


cases = {
    "e and φ themselves": (convolutional, plain),
    "your code": (convolutional, encode_shape),
    "your code, fully connected": (fully_connected, encode_shape),
}
has_angle = ellipse_sets[2].ring[:, 5] > 0.1
true_angle = ellipse_sets[2].ring[has_angle, 6]
wrong_by = {}
for name, (network, encode) in cases.items():
    sets = []
    for part in ellipse_sets:
        shape = encode(part.ring[:, 5], part.ring[:, 6])
        sets.append((part.pixels, np.column_stack([part.ring[:, [0, 1, 2, 4]], shape])))
    measure, _ = train_regressor(network, *sets[:2])
    _, angle = metrics.decode_shape(measure(sets[2][0])[has_angle, 4:], encode)
    wrong_by[name] = metrics.turned_by(angle, true_angle)
    print(f"{name}: RMSE of φ {findings.size_of(wrong_by[name]):.1f}° where e > 0.1")
ring_plots.angle_errors(true_angle, wrong_by, guess=worst_angle_expected, mock=ellipses.mock)

# %% [markdown] tags=["seen"]
# With e and φ themselves as targets the RMSE of the angle is 21.8°, and errors near 0° and 180° reach 90°: there the network hedges between two numbers that mean the same, and says something in between. In between, too, it is worse, by up to 25°. With our code, (e cos 2φ, e sin 2φ), it is 3.5° at all angles, and with the fully connected network 3.7°, where a random guess makes 52°. Twice the angle, and a length that vanishes for a circle: polarisation and gravitational shear are written in the same way.

# %% [markdown]
# ## 5 Generate rings (35 min)
#
# The simulator as a network: from the five parameters c, the **condition**, to an image x. Two candidates.
#
# - A **deterministic decoder**: from c to the logit of each pixel. It learns each pixel's chance to be lit, one answer for one c.
# - A **conditional variational autoencoder** (cVAE; Kingma & Welling 2014, Sohn et al. 2015): the same decoder with a second input z, eight numbers drawn at random from N(0, 1), the **latent** variables. What is random in a ring could be decided by z: the same c, many rings. During training an encoder sees the image, and says which z belong to it.
#
# **What is to be made small?** The surprise $-\ln p(x\,|\,c)$ at the true image. With a random z this is an average over all z, and cannot be computed; but for any distribution $q(z\,|\,x,c)$ that the encoder gives,
#
# $$-\ln p(x\,|\,c)\;\le\;\underbrace{-\left\langle \ln p(x\,|\,z,c)\right\rangle_{q}}_{\text{reconstruction}}\;+\;\underbrace{\mathrm{KL}\!\left(q(z\,|\,x,c)\,\|\,N(0,1)\right)}_{\text{what } z \text{ costs}}.$$
#
# Given z, the pixels are independent of each other, 0 or 1, and the decoder gives the logit of each. The Kullback-Leibler divergence KL counts how many **nats** of information on the image go through z (1 nat = 1.44 bit). q is normal, with a mean and a log variance for each latent.
#
# **Exercise.** Write the right side, with a factor β before the second term: β = 1 is the inequality; with a larger β it is dear to say anything through z (Higgins et al. 2017). All that you need stands in these lines: what is a sum, and over what? The loss of a batch is the mean over its images. `torch.distributions` knows Bernoulli and normal distributions and their divergence; or work it out.

# %% tags=["exercise"]
@exercise("06.cvae_loss")
def cvae_loss(output, image, beta):
    """Return the loss of a batch, for output = (logits, mean, log_variance)."""
    # BEGIN SOLUTION
    logits, mean, log_variance = output
    surprise = F.binary_cross_entropy_with_logits(logits, image, reduction="none")
    reconstruction = surprise.sum(dim=(1, 2, 3))  # over pixels: (batch,)
    terms = mean**2 + log_variance.exp() - 1 - log_variance
    divergence = 0.5 * terms.sum(dim=1)  # over latents: (batch,)
    return (reconstruction + beta * divergence).mean()
    # END SOLUTION


# %%
def decoder(n_inputs):
    layers = [nn.Linear(n_inputs, 256), nn.SiLU(), nn.Linear(256, 32 * 49), nn.SiLU()]
    layers += [nn.Unflatten(1, (32, 7, 7))]
    layers += [nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.SiLU()]  # (n, 16, 14, 14)
    layers += [nn.ConvTranspose2d(16, 1, 4, 2, 1)]  # (n, 1, 28, 28)
    return nn.Sequential(*layers)


class ConditionalVAE(nn.Module):
    """An encoder (image, condition) → (mean, log_variance); a decoder (z, condition) → logits."""

    def __init__(self, n_latents=8, n_parameters=5):
        super().__init__()
        self.n_latents = n_latents
        hidden = nn.Linear(784 + n_parameters, 256)
        self.encoder = nn.Sequential(hidden, nn.SiLU(), nn.Linear(256, 2 * n_latents))
        self.decoder = decoder(n_latents + n_parameters)

    def forward(self, image, condition):
        code = self.encoder(torch.cat([image.flatten(1), condition], dim=1))
        mean, log_variance = code.chunk(2, dim=1)  # (n, n_latents) each
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.decoder(torch.cat([z, condition], dim=1)), mean, log_variance


schematic(ConditionalVAE(), train.pixels[:2], np.zeros((2, 5), "float32"), title="cVAE")

# %%
def decoder_loss(logits, image):
    return F.binary_cross_entropy_with_logits(logits, image, reduction="sum") / len(image)


def in_spreads(parameters):
    """Return parameters (n, 5) in units of their spread."""
    return ((parameters - average) / spread).astype(np.float32)


def train_generator(train, validation, beta=None, rate=8e-3, seed=run.seed, epochs=40):
    """Train a cVAE or, without beta, the decoder; it survives a dead kernel."""
    torch.manual_seed(seed)
    model = ConditionalVAE() if beta else decoder(5)
    loss = partial(cvae_loss, beta=beta) if beta else decoder_loss
    sets = []
    for part in (train, validation):
        condition = in_spreads(part.ring)
        sets.append(((part.pixels, condition) if beta else condition, part.pixels))
    epochs = 1 if run.profile == "ci" else epochs
    options = {"epochs": epochs, "batch_size": 64, "seed": seed}
    options |= {"learning_rate": rate, "channels_last": True}
    name = f"generator_{len(train)}_{beta}_{rate}_{seed}_{epochs}"
    return model, fit(model, *sets, loss=loss, checkpoint=run.checkpoint(name), **options)


# 4000 images for training and 1000 for validation, as in the source, and fresh ones: the judge, the
# regressor of section 3, has not seen them. We take 40 epochs, the source took 150.
sizes_generate = run.pick(ci=(200, 100), demo=(4000, 1000), full=(40_000, 10_000))
generating = run.use(rings.load(sum(sizes_generate), kind="generator", seed=5))
generate_sets = generating.split(*sizes_generate)
trained = {"decoder": train_generator(*generate_sets)}
trained |= {f"cVAE, β = {beta}": train_generator(*generate_sets, beta) for beta in (1, 4)}
histories = {name: history for name, (_, history) in trained.items()}
figure = plots.history(histories, mock=generating.mock, ylabel="loss per image [nat]")
ring_plots.zoomed(figure, last=20)

# %% [markdown]
# **The losses.** The decoder's is $-\ln p(x\,|\,c)$ itself, that of the cVAE with β = 1 an upper bound of it: these two may be compared. Which ends lower? z can only help, can it not?
#
# **The images.** Now draw new ones for the parameters of the test set, in two steps: z from N(0, 1), and then each pixel, 0 or 1, with the chance that the decoder gives it. The judge is the regressor of section 3: does it find the parameters that were asked for? Its error on generated images, divided by its error on the test images, should be 1, in the worst of the five parameters as well. And of the cVAEs we ask how many nats go through z. In the picture the deformation grows from left to right: which row would you take for the simulator's?

# %% tags=["predict"]
# In order, the one whose parameters the judge recovers worst first:
recovery_expected = ["decoder, chances", "decoder", "cVAE, β = 4", "cVAE, β = 1", "simulator again"]


# %%
@torch.inference_mode()
def generate(model, parameters, seed):
    """Return chances of the pixels and images drawn from them, both (n, 1, 28, 28)."""
    inputs = torch.from_numpy(in_spreads(parameters)).to(run.device)
    random = torch.Generator(run.device).manual_seed(seed)
    if isinstance(model, ConditionalVAE):
        z = torch.randn(len(inputs), model.n_latents, generator=random, device=run.device)
        inputs = torch.cat([z, inputs], dim=1)
        model = model.decoder
    chance = model.eval()(inputs).sigmoid()
    return chance.cpu().numpy(), torch.bernoulli(chance, generator=random).cpu().numpy()


again = mock.draw_images(test.ring, np.random.default_rng(6))
made = {"simulator again": again[:, None].astype(np.float32) / 255}
made["decoder, chances"], _ = generate(trained["decoder"][0], test.ring, 7)
made |= {name: generate(model, test.ring, 7)[1] for name, (model, _) in trained.items()}
shown = np.argsort(test.ring[:57, 4])[::8]
ring_plots.rows({"test image": test.pixels, **made}, shown, mock=True)

# %%
def code_of(model, part):
    """Draw z of images, and return it with the KL divergence in nats: (n, n_latents) each."""
    _, mean, log_variance = predict(model, (part.pixels, in_spreads(part.ring)))
    noise = np.random.default_rng(9).standard_normal(mean.shape)
    divergence = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
    return mean + np.exp(log_variance / 2) * noise, divergence


on_test = residuals["convolutional"]
generated = {name: regressor(images) - test.ring for name, images in made.items()}
judged = findings.judge(generated, on_test)
nats = {}
for name in ("cVAE, β = 1", "cVAE, β = 4"):
    _, divergence = code_of(trained[name][0], test)
    nats[name] = divergence.sum(axis=1).mean()
order = compare_order(recovery_expected, {name: worst for name, (worst, _) in judged.items()})
findings.recovery(order, generated, on_test, data.names, nats)

# %% [markdown]
# ### What goes through z?
#
# Is one of the cVAEs recovered worse than the plain decoder, although it has all that the decoder has? A hypothesis: **the condition has leaked into z**. The encoder sees the image, so it can tell the decoder through z once more where the ring is, and the decoder learns to look there as well as at c. When z is then drawn at random, it contradicts c. A z that carries only what is random in a ring has nothing to do with c. A z that has leaked can be *foretold* from c.
#
# **Exercise: build an experiment.** You get z of some images, as the decoder got it, and the parameters c of these images. How much of the variance of each latent can be foretold from c? The measure is $R^2 = 1 - \langle(\text{foretold}-\text{true})^2\rangle/\text{variance}$: 1 for "all of it", 0 for "nothing". Mind two traps: what has been fitted to an image knows it by heart; and nobody says that a network codes a position along a straight line. The regressor is your choice, scikit-learn has several.
#
# And a rival hypothesis: no leak, **the training has just failed**, with too large a learning rate (8 · 10⁻³). The cell after it trains β = 1 with a quarter of that rate as well, both with three seeds, and once for twice as long. What does each hypothesis expect of the smaller rate? Left, each point is a latent of a cVAE.

# %% tags=["exercise", "build"]
@exercise("06.foretold")
def foretold(latents, parameters):
    """Return R² of each latent, shape (m,), for latents (n, m) and parameters (n, k)."""
    # BEGIN SOLUTION
    half = len(latents) // 2
    forest = RandomForestRegressor(100, min_samples_leaf=2, random_state=0)
    forest.fit(parameters[:half], latents[:half])
    found = forest.predict(parameters[half:])
    true = latents[half:]
    return 1 - ((found - true) ** 2).mean(axis=0) / true.var(axis=0)
    # END SOLUTION


# %%
leaked = {}
for rate, epochs, n_seeds in ((8e-3, 40, 3), (2e-3, 40, 3), (8e-3, 80, 1)):
    found = []
    for seed in range(run.seed, run.seed + run.pick(ci=1, demo=n_seeds, full=n_seeds)):
        model, _ = train_generator(*generate_sets, 1, rate, seed, epochs)
        z, divergence = code_of(model, test)
        wrong = regressor(generate(model, test.ring, 7)[1]) - test.ring
        worst = findings.worst_of(wrong, on_test)
        found.append((divergence.mean(axis=0), foretold(z, test.ring), worst))
    leaked[f"rate {rate:g}, {epochs} epochs"] = found
ring_plots.leaks(leaked, mock=True)

# %% [markdown] tags=["think"]
# **Think: which hypothesis is right? And what is z for?** What do the two figures say of the hypotheses? Of which kind of randomness in an image could a few numbers z carry something, and of which not? The figure below is a test. If pixels are independent given the parameters, the variance of the number of lit pixels is Σ p(1 − p), summed over the pixels with their chances p to be lit: a ratio of 1.
#
# **Answer.**
#
# *The hypotheses.* Rings of the decoder are recovered nearly as well as the simulator's (worst error 1.3 times that on test images); its chances are not, but that is a warning rather than a fair contest, since the judge has never seen a grey pixel. With β = 1 the worst error is 3.4 times, with β = 4 it is 1.4 times that on test images. And β = 1 ends at a loss of 37.1 nat, above the decoder's 33.9, which it could have had by leaving z alone.
#
# The leak is there: 2.5 nat go through z, all of them through one of the eight latents, and c foretells 90 % of the variance of that one. The more nats, the better foretold, and the worse the images. And the rate? With a quarter of it things get worse, 6 to 8 nat and 5 to 7 times the error: too large it was not. With twice the epochs they get better, 0.7 nat and 1.3 times. So both were right in part: the leak is *how* it fails, and an unfinished training is *why*. At first it is easier for the decoder to be told by z than to learn from c; later z is given up. (In a run with the source's 150 epochs, which is not in this notebook, 0.03 nat were left, and an error of 1.2 times.)
#
# The other direction, c from z, would have shown nothing, R² ≈ 0: one number cannot tell three, many c share one z. And a straight line would have shown little.
#
# *What z is for.* It can carry what many pixels *share*: an unknown angle, a second ring, a detector out of calibration. What is random in each pixel by itself it cannot. For the simulator the ratio grows from 1 to 1.7 only, since one disc lights several neighbouring pixels, and few numbers for the whole image can carry little of that. The decoder and β = 4 stay at 1 and miss it. With β = 1 the ratio is 4 to 50: a random z moves whole rings, and the lit share of its images, on the right, has wide wings. (A ratio of 1 is necessary for independent pixels, not sufficient.)

# %%
deformations = np.linspace(0.5, 3, 6)
n_same = run.pick(ci=100, demo=1000, full=5000)
ratios = {name: [] for name in ("simulator again", *trained)}
for deformation in deformations:
    same = np.tile([14, 14, 8, 0.85, deformation], (n_same, 1))
    drawn = {"simulator again": mock.draw_images(same, np.random.default_rng(8)) / 255}
    drawn |= {name: generate(model, same, 8)[1][:, 0] for name, (model, _) in trained.items()}
    for name, images in drawn.items():
        ratios[name].append(metrics.shared_randomness(images))
true_light = test.pixels.mean(axis=(1, 2, 3))
light = {name: made[name].mean(axis=(1, 2, 3)) - true_light for name in ratios}
ring_plots.shared_randomness(deformations, ratios, light, mock=True)

# %% [markdown]
# ## 6 Two open questions of the source (10 min)
#
# **How does the performance change with the largest number of rings?** Let the number be 1 to N_max; chance is then 1/N_max. Does the network get worse, or the question harder? Could one count connected pieces of light instead? *To start from:* `rings.load(n, kind="classifier", seed=..., max_rings=N, source="mock")` draws images with up to N rings, `train_counter(..., most=N)` and `count_rings` train and apply a network, and `metrics.n_clusters(images)` counts connected pieces (by DBSCAN, Ester et al. 1996).
#
# **And with the training set?** The source varied the fraction of a set that the generator is trained on (0.3 and 0.8), and reduced the whole set at a fixed fraction. Which of the two matters, the fraction or the number of images? *To start from:* `count_train[:size]` is a smaller set, `generating.split(n_train, n_validation)` splits differently, and `train_counter`, `train_generator` and `regressor` do the work.

# %% tags=["answer"]
def compare(train, validation, test, most=2):
    """Train both counters; return accuracy and its error on other images, by method."""
    network, _ = train_counter(train, validation, most)
    rows = [part.pixels.reshape(len(part), -1) for part in (train, test)]
    counted = {
        "network": count_rings(network, torch.from_numpy(test.pixels).to(run.device)),
        "PCA + SVM": pca_svm(n_components).fit(rows[0], train.n_rings).predict(rows[1]),
    }
    right = {name: answer == test.n_rings for name, answer in counted.items()}
    return {name: (hit.mean(), bootstrap_error(np.mean, hit)) for name, hit in right.items()}


scan = {}
for most in (2, 3, 4, 6):
    many = rings.load(sum(sizes_count), kind="classifier", seed=10 + most, max_rings=most)
    scan[most] = compare(*many.split(*sizes_count), most)
clusters = {k: metrics.n_clusters(many.images[many.n_rings == k][:300]) for k in range(1, 7)}
ring_plots.numbers_of_rings(scan, clusters, mock=True)

# %% tags=["answer"]
numbers = run.pick(ci=(100, 300), demo=(500, 1500, 7000), full=(500, 1500, 4000, 7000))
counters = {n: compare(count_train[:n], count_validation, count_test) for n in numbers}
total = sum(sizes_generate)
drawn = {}
generators = {}
for size, fraction in ((total, 0.8), (total, 0.3), (total // 3, 0.8), (total // 10, 0.8)):
    n = round(size * fraction)
    model, _ = train_generator(*generating.split(n, size - n))
    name = f"{fraction} of {size}"
    drawn[name] = generate(model, test.ring, 7)[1]
    generators[name] = n, findings.worst_of(regressor(drawn[name]) - test.ring, on_test)
findings.claim_on_training_sets(run, generators)
ring_plots.training_sets(counters, generators, drawn, shown, mock=True)

# %% [markdown] tags=["answer"]
# **Numbers of rings** (simulated data, demo). The accuracy falls with N_max, from 0.99 for 2 to 0.78 for 6; that of PCA and SVM falls faster, from 0.98 to 0.67; both stay far above chance. That looks like a harder question, since light merges, but it is no proof: we have no ceiling for more than two rings, and each number has fewer training images. Connected pieces are no way to count: one ring is one piece, two rings are two pieces in a third of the images, and six are one or two, as a rule.
#
# **Training sets.** With 500 images and 5 epochs the network is worse than the SVM (0.69 against 0.85), and with 1500 much better (0.995 against 0.93). For the generator 0.3 of 5000, 1500 images, does as well as 0.8 of 1666, 1333 images; 0.8 of 500 is twice as bad. So the number of training images counts, not the fraction. These are single trainings, and fewer images also mean fewer steps.

# %% [markdown]
# ## 7 What to take home (5 min)
#
# - A training loop is ten lines. What makes it trustworthy is around it: validation for decisions, a test set that nobody has seen, and an evaluation whose answer for one image does not depend on the others.
# - An accuracy means something between a baseline and a ceiling, an error between a baseline and a floor. Sometimes the baseline of 1991 is the better method.
# - A generative model is judged by what an independent measurement finds in its images; and why it fails is found out as in any laboratory: a hypothesis, a rival, and an experiment that tells them apart.
#
# **Further questions.** How does the regressor do on two rings? *To start from:* `rings.load(1000, kind="classifier", source="mock")` and `regressor(images)`. What does it answer for a deformation that it never saw? *To start from:* `mock.draw_images(parameters, np.random.default_rng(0))`. Does a network that knows of rotations find the centre better? *To start from:* `images.rot90(1, (2, 3))` in your `train_epoch`.
#
# **References.** C. Jesús-Valls, *A3NetRingImg*, github.com/cesarjesusvalls/A3NetRingImg: the rules of the simulator and the questions. Y. Fukuda et al. (Super-Kamiokande, 1998), Phys. Rev. Lett. 81, 1562: neutrino oscillations. G. Taubin (1991), IEEE Trans. PAMI 13, 1115. S. Ioffe & C. Szegedy (2015), ICML: batch normalisation. D. Kingma & M. Welling (2014), arXiv:1312.6114. K. Sohn, H. Lee & X. Yan (2015), NeurIPS 28. I. Higgins et al. (2017), ICLR: β-VAE. M. Ester et al. (1996), KDD-96, 226: DBSCAN. L. Smith & N. Topin (2019), arXiv:1708.07120: the one-cycle schedule.

# %%
findings.score_counting(run, answers["network"] == true, accuracy[machine], ceiling)
findings.score_measuring(run, residuals, data.names)
findings.score_angle(run, wrong_by)
findings.score_generators(run, judged, nats)
run.scoreboard()

# %%
findings.claims(run, accuracy, machine, errors, judged, nats)
run.claims()

# %% [markdown] tags=["teaching"]
# **Before they start** (5 minutes, no slides needed). What Cherenkov light is, with a stone and a boat; that neutrinos are seen by it, and that electron and muon differ by the fuzziness of a ring. That all images here are simulated, by rules that fit on a postcard, so that we know the best possible answer. Who asked the questions: a group of students in 2024.
#
# **90 minutes**: section 1 (10), section 2 up to the test (55: lit pixels 10, the network 10, the epoch 15, the evaluation that cannot be right 20), section 3 without exercises (15: the table, and rounding), take home with scoreboard and claims (10). The components, the ellipses and the generator stay closed; the cells run all the same.
#
# **180 minutes**: section 1 (15), section 2 (60), section 3 (25), a break, section 4 (25), section 5 (45), scoreboard and claims (10). Section 6 is for whoever is early, or homework.
#
# **Prepare.** Run the notebook once at `demo`. Of its minutes most are trainings of section 5: let participants start *Run all* before the break, so that the checkpoints are there when they come back to it. Have the picture of a real event at hand, from the web pages of Super-Kamiokande. Draw two columns on the board, *guess* and *outcome*, for the six cells of guesses.
#
# **What is worth a stop.** (1) The sorted validation images: let somebody explain the 43 % before anybody opens our answer; ask who has an evaluation like that at home. (2) Rounding: 92 % exactly right, and no smaller RMSE. (3) The two hypotheses of section 5: take a vote before the cell is run. It takes two to three minutes: use them for *which outcome would convince you of which?*
#
# **Usual trouble.** In `06.train_epoch`: `zero_grad` forgotten, the last batch dropped, the order drawn once. In `06.cvae_loss`: means where sums belong, which over the pixels alone is a β of 784 in disguise. In `06.encode_shape`: (cos 2φ, sin 2φ), which forgets e; (e cos φ, e sin φ), which has the wrong period. In `06.foretold`: R² on the images that were fitted to.
#
# **What to cut first**: the figure of shared randomness, the ellipses' fully connected network, the components. **What not to cut**: the epoch, the evaluation, one guess a section.
