"""Checks and hints of the exercises of hack 06: what is wrong with an attempt, in one sentence.

Their slips are tables: what is wrong, with the results of those who do it so. Further inputs
follow, each with a name, for what is right on the first one only. Where several answers are right,
what any of them must do is asked for.
"""

import copy
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises import check
from helpers.exercises.require import (
    array,
    call,
    number,
    require,
    require_bends,
    require_gradients,
    require_like,
    require_network,
    require_right,
    same,
    twice,
)

OTHER_TYPE = "expected a tensor, so that gradients can flow; found a {}"


@check(
    "06.choose_components",
    hints=[
        "What do you know of each candidate? machine = pca_svm(n), fitted to the training images, "
        "has an accuracy on both sets: which of the two tells how it does on new images?",
        "machine.fit(*train); machine.score(*validation). The best of these accuracies is one "
        "rule.",
        "An accuracy p of n images has the error sqrt(p (1 - p) / n). What is within one error of "
        "the best is not worse, as far as one can tell: among those you may take the fewest.",
    ],
    returns=number,
)
def choose_components(attempt, reference):
    """Three sets, of which the best numbers of components differ; what the choices cost is told."""
    told = []
    for name, (strength, signal) in SETS.items():
        train, validation = _rows(strength, signal)
        candidates = [12, 2, 30, 5]  # in no order
        found, again = twice(partial(call, attempt, list(candidates), train, validation))
        require(found == again, "a second call chooses another number: nothing is random here")
        given = ", ".join(map(str, candidates))
        require(found in candidates, f"expected one of {given}, found {found:g}")
        told.append(_require_choice(int(found), candidates, train, validation, name))
    print("\n".join(told))


STRONG_FIRST = np.array([4.0] * 2 + [2.5] * 28)  # size of the numbers of each direction
STRONG_LATE = np.array([3.0] * 7 + [2.0] * 5 + [0.5] * 18)
EVEN = np.linspace(3, 1, 30)
# Of each small set: the sizes, and the directions that tell the classes apart.
SETS = {
    "two directions matter": (STRONG_FIRST, slice(0, 2)),
    "those behind matter": (STRONG_LATE, slice(7, 12)),
    "the first five matter": (EVEN, slice(0, 5)),
}


def _rows(strength, signal):
    """Return training and validation rows of two classes, which differ in their distance from 0."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(700, len(strength)))
    labels = rng.integers(1, 2, size=len(rows), endpoint=True)
    directions = rows[:, signal]
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    wanted = 1.0 + 0.7 * labels[:, None] + 0.25 * rng.normal(size=length.shape)
    rows[:, signal] = wanted * directions / length
    rows = rows * strength
    return (rows[:300], labels[:300]), (rows[300:], labels[300:])


def _require_choice(found, candidates, train, validation, name):
    """Raise `NotYet` unless a choice is as good as the best one; return what it costs."""
    from helpers.subjects.rings.baselines import pca_svm  # which needs scikit-learn

    machines = {n: pca_svm(n).fit(*train) for n in candidates}
    accuracy = {n: machine.score(*validation) for n, machine in machines.items()}
    learned = {n: machine.score(*train) for n, machine in machines.items()}
    best = max(candidates, key=accuracy.get)
    highest = accuracy[best]
    error = np.sqrt(highest * (1 - highest) / len(validation[1]))
    costs = (
        f"{found} components have {accuracy[found]:.3f}, {best} have {highest:.3f} ± {error:.3f}"
    )
    good = accuracy[found] >= highest - 2 * error
    by_training = found == max(candidates, key=learned.get)
    heart = "that is the choice of the training images, which the machine knows by heart"
    require(good or not by_training, f"{heart}: of the validation images, {costs}")
    few = "too few components: the classes cannot be told apart"
    require(good or found > best, f"{few}. Of the validation images, {costs}")
    many = "too many components: the machine learns the noise"
    require(good, f"{many}. Of the validation images, {costs}")
    return f"{name}: of the validation images, {costs}"


def draw_layers(reference, attempt=None):
    """Return a figure of the layers of a network for two classes."""
    from helpers.plots.schematic import schematic  # only a notebook draws

    title = "expected, for example" if attempt is None else "your ring counter"
    return schematic((attempt or reference)(2), torch.zeros(2, 1, 28, 28), title=title)


@check(
    "06.RingClassifier",
    hints=[
        "Three blocks of Conv2d, BatchNorm2d, ReLU and MaxPool2d(2) shrink 28 × 28 to 14, 7 and 3 "
        "pixels.",
        "nn.Flatten makes a vector of channels × 3 × 3 numbers; two Linear layers with a ReLU "
        "between them follow.",
        "cross_entropy wants logits: no softmax at the end.",
    ],
    draw=draw_layers,
)
def ring_classifier(attempt, reference):
    """Networks for 4 and for 2 classes: what any network does, their layers, and the logits."""
    cases = {
        "6 images and 4 classes": ((4,), (6, 1, 28, 28)),
        "3 images and 2 classes": ((2,), (3, 1, 28, 28)),
    }
    images = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(3))
    for model in require_network(attempt, reference, cases).values():
        _require_logits(model.train()(images))
        for kind, n in ((nn.Conv2d, 3), (nn.Linear, 2), (nn.BatchNorm2d, 3)):
            found = len([layer for layer in model.modules() if isinstance(layer, kind)])
            require(found == n, f"there are {found} {kind.__name__} layers, expected {n}")
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        require_bends(model, images, layers)


def _require_logits(output):
    """Raise `NotYet` if the outputs of each image, or their exponentials, add up to 1."""
    sums = [output.sum(dim=1), output.exp().sum(dim=1)]
    normalised = any(same(total, torch.ones(len(output))) for total in sums)
    remedy = "cross_entropy applies the softmax itself, so return plain logits"
    require(not normalised, f"the output is normalised: {remedy}")


@check(
    "06.train_epoch",
    hints=[
        "torch.randperm(len(images)) is a random order; a loop over range(0, len(images), "
        "batch_size) cuts it into batches, of which the last may be smaller.",
        "In each batch: logits, loss, optimiser.zero_grad(), loss.backward(), optimiser.step(). "
        "Before all of them: model.train().",
        "loss.item() * len(rows), added up and divided by len(images), is the mean loss.",
    ],
    returns=number,
)
def train_epoch(attempt, reference):
    """A network that notes what it is shown, then steps whose result is known."""
    images, labels = _numbered(10)
    network = Noting()

    def shown():
        network.eval()  # as an evaluation leaves it
        network.noted.clear()
        before = network.weight.detach().clone()
        kept = images.clone()
        optimiser = torch.optim.SGD(network.parameters(), 0.1)
        _switching(attempt, network, images, labels, optimiser, batch_size=4)
        require(same(images, kept), "it changes the images, which the next epoch still needs")
        _require_batches(network, 10, 4)
        still = same(network.weight, before)
        require(not still, "no weight has changed: optimiser.step() makes the step")
        return torch.cat([numbers for numbers, _ in network.noted]).tolist()

    orders = [*twice(shown), shown()]
    fresh = "the images come in the same order in every epoch: draw a new one each time"
    require(orders.count(orders[0]) < len(orders), fresh)
    _require_steps_of_descent(attempt, reference)
    _require_mean_loss(attempt)


def _switching(attempt, *arguments, **keywords):
    """`call` an attempt that may switch a network between training and evaluation."""
    return call(partial(attempt, *arguments, **keywords))


class Noting(nn.Module):
    """A small network that notes which images it is shown, and whether that is in training."""

    def __init__(self):
        super().__init__()
        random = torch.Generator().manual_seed(2)
        self.weight = nn.Parameter(torch.randn(2, 784, generator=random) / 28)
        self.noted = []

    def forward(self, images):
        self.noted.append((images[:, 0, 0, 0].detach().clone(), self.training))
        return images.flatten(1) @ self.weight.T


def _numbered(n):
    """Return n images whose first pixel is their number, and labels."""
    random = torch.Generator().manual_seed(n)
    images = torch.rand(n, 1, 28, 28, generator=random)
    images[:, 0, 0, 0] = torch.arange(n)
    labels = torch.randint(2, (n,), generator=random)
    return images, labels


def _require_batches(network, n, batch_size):
    """Raise `NotYet` unless a network was shown each of n images once, in batches, in training."""
    shown = [len(images) for images, _ in network.noted]
    require(shown, "the network is not called: model(images[rows]) gives the logits")
    reason = f"a batch has {max(shown)} images where batch_size is {batch_size}"
    require(max(shown) <= batch_size, reason)
    counts = torch.bincount(torch.cat([images for images, _ in network.noted]).long(), minlength=n)
    used = int((counts > 0).sum())
    last = "mind the last batch, which may be smaller"
    require(used == n, f"in an epoch only {used} of {n} images are used: {last}")
    often = "an image is used more than once in an epoch: draw an order, not images"
    require(counts.max() == 1, often)
    expected = -(-n // batch_size)
    require(len(shown) == expected, f"{n} images come in {len(shown)} batches, not in {expected}")
    training = all(training for _, training in network.noted)
    require(training, "the network is in evaluation mode: model.train() before the first batch")


def _require_steps_of_descent(attempt, reference):
    """Raise `NotYet` unless three epochs of a single batch give the weights of plain descent."""
    images, labels = _numbered(6)

    def weights(train, **parts):
        network = Noting()
        optimiser = torch.optim.SGD(network.parameters(), 0.05)
        for name, part in parts.items():
            setattr(optimiser, name, part)
        for _ in range(3):
            train(network, images, labels, optimiser, batch_size=6)
        return network.weight

    slips = {
        "the gradients of one step are added to those of the step before: optimiser.zero_grad()": [
            weights(reference, zero_grad=lambda: None)
        ]
    }
    rule = "in each batch: gradients to zero, backward, step, once each"
    reason = f"after three steps the weights are {{found}}, expected {{expected}}: {rule}"
    require_right(weights(attempt), weights(reference), reason, slips, rtol=1e-3)


def _require_mean_loss(attempt):
    """Raise `NotYet` unless the mean of the losses is returned, of which each step has one."""
    images, labels = _numbered(12)
    network = Noting()
    still = torch.optim.SGD(network.parameters(), 0.0)
    expected = F.cross_entropy(network(images), labels)
    slips = {
        "the losses of the batches are added up: divide by their number": [6 * expected],
        "the losses are added up over all images: divide by their number": [12 * expected],
        "the mean loss is divided by the number of images once more": [expected / 12, expected / 2],
    }
    reason = "the mean loss is {found}, expected {expected}"
    found = _switching(attempt, network, images, labels, still, batch_size=2)
    require_right(found, expected, reason, slips)


@check(
    "06.count_rings",
    hints=[
        "Sorted, a batch holds one kind of image only. Which layer of the network looks at the "
        "whole batch?",
        "Batch normalisation takes mean and width of the batch while the network is in training "
        "mode, and those that it has kept in evaluation mode. Who switches?",
        "model.eval() before the first batch.",
    ],
    returns=array,
)
def count_rings(attempt, reference):
    """Images alone, in batches and in another order, with a network fresh from training."""
    images = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(7))
    images *= torch.linspace(0.2, 1, 30)[:, None, None, None]
    network = _used_network(images)
    right = reference(copy.deepcopy(network), images)
    rows = {
        "as they come": (torch.arange(20), 20),
        "in batches of 5": (torch.arange(20), 5),
        "in another order": (torch.arange(29, -1, -1), 5),
        "one at a time": (torch.arange(20), 1),
    }
    found = {}
    changed = False
    for name, (order, size) in rows.items():
        own = copy.deepcopy(network).train()
        given = images[order]
        found[name], _ = twice(partial(_switching, attempt, own, given, size))
        require(same(given, images[order]), "it changes the images, which others still need")
        wanted = (len(order),)
        shape = f"{len(order)} images give the shape {found[name].shape}, expected {wanted}"
        require(found[name].shape == wanted, shape)
        changed = changed or not same(own[1].running_mean, network[1].running_mean)
    expected = {name: right[order] for name, (order, _) in rows.items()}
    wrong = [name for name in rows if not same(found[name], expected[name])]
    from_zero = all(same(found[name], expected[name] - 1) for name in rows)
    require(not from_zero, "class 0 is one ring: rings count from 1")
    mixed = "what it says of an image depends on the others in its batch. The cell below shows how "
    mixed += "much; and each call changes the network" if changed else "much"
    independent = same(found["as they come"], found["one at a time"])
    require(not wrong or independent, mixed)
    alone = "what it says of an image does not depend on the others, and is not what the network"
    require(not wrong, f"{alone} has learned: it is still in training")
    require(
        not changed, "the answers are right, but each call changes what the network has learned"
    )


def _used_network(images):
    """Return a network that has seen batches of all images: their brightness gives the class."""
    network = nn.Sequential(
        nn.AvgPool2d(7), nn.BatchNorm2d(1), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(1, 3)
    )
    levels = torch.tensor([-1.2, 0.0, 1.2])  # of the classes, in units of the spread
    with torch.no_grad():
        network[-1].weight[:] = 2 * levels[:, None]
        network[-1].bias[:] = -(levels**2)
        for _ in range(60):
            network(images)
    return network


def draw_codes(reference, attempt=None):
    """Return a figure of where ellipses lie in a code; ours stays hidden, it is the answer."""
    from helpers.subjects.rings.plots import codes  # only a notebook draws

    solutions = {"e and φ themselves": plain_shape}
    if attempt is not None:
        solutions["yours"] = attempt
    return codes(solutions)


def plain_shape(ellipticity, angle):
    """Return e and φ themselves, shape (n, 2)."""
    return np.stack([ellipticity, angle], axis=-1)


@check(
    "06.encode_shape",
    hints=[
        "Draw a plane, and the ellipses as points in it. Turned by 180° an ellipse must be back at "
        "its point; all circles must be one and the same point. What do ellipses of one e form?",
        "A closed curve about the point of the circles, run through once while φ goes from 0 to π. "
        "Larger e, wider curve.",
        "Polar coordinates: e is the distance from the origin, and the direction is 2φ.",
    ],
    returns=array,
    draw=draw_codes,
)
def encode_shape(attempt, reference):
    """What any good code does, whichever it is: shape, period, circles, no two alike, no jumps."""
    e = np.repeat(np.linspace(0.05, 0.4, 8), 36)
    angle = np.tile(np.arange(36) * np.pi / 36, 8)
    code, again = twice(partial(call, attempt, e, angle))
    row = "one row an ellipse"
    rows = f"the two numbers are rows, expected columns: {row}, shape (n, 2)"
    require(code.shape != (2, len(e)), rows)
    require(code.shape == (len(e), 2), f"the code has shape {code.shape}, expected (n, 2): {row}")
    require(np.isfinite(code).all(), "the code is not finite everywhere")
    require(same(code, again), "a second call gives another code: nothing is random here")
    _require_neighbours(attempt, e, angle, code)
    _require_all_different(e, angle, code)
    alone = "an ellipse has another code among others than alone: each by itself"
    for few in (slice(3, 40), slice(7, 8)):
        own = call(attempt, e[few], angle[few])
        wanted = code[few].shape
        require(own.shape == wanted, f"the code has shape {own.shape}, expected {wanted}: {row}")
        require(same(own, code[few]), alone)
    twofold = call(attempt, np.tile(e, 2), np.tile(angle, 2))
    require(same(twofold, np.tile(code, (2, 1))), alone)
    negative = call(attempt, e[:36], angle[:36] - np.pi)
    turned = "turned by -180°, which leaves it as it is, an ellipse has another code"
    require(same(negative, code[:36], atol=1e-5), turned)


def _require_neighbours(attempt, e, angle, code):
    """Raise `NotYet` unless what looks alike has codes that are close to each other."""
    size = np.ptp(code, axis=0).max()
    require(size > 0, "all ellipses have the same code")
    turned = call(attempt, e, angle + np.pi)
    period = "turned by 180°, which leaves it as it is, an ellipse has another code"
    require(same(turned, code, atol=1e-5 * size), period)
    just_below = call(attempt, e, np.full(len(e), np.pi - 1e-6))
    at_zero = call(attempt, e, np.zeros(len(e)))
    jump = np.abs(just_below - at_zero).max() / size
    require(jump < 0.01, "between 179.99° and 0° the code jumps: these ellipses are neighbours")
    circles = call(attempt, np.full(36, 1e-9), angle[:36])
    apart = np.ptp(circles, axis=0).max() / size
    circle = "a circle has no angle, and here its code depends on one: all circles are one point"
    require(apart < 0.01, circle)
    steps = np.abs(call(attempt, e, angle + 1e-4) - code).max() / size
    require(steps < 0.01, "the code jumps where an ellipse is turned a little")


def _require_all_different(e, angle, code):
    """Raise `NotYet` unless different ellipses have different codes."""
    far = np.linalg.norm(code[:, None] - code[None], axis=2) / np.ptp(code, axis=0).max()
    np.fill_diagonal(far, np.inf)
    first, second = np.unravel_index(np.argmin(far), far.shape)
    shown = [f"e = {e[i]:.2f}, φ = {np.degrees(angle[i]):.0f}°" for i in (first, second)]
    reason = f"two ellipses have (nearly) one code: {shown[0]} and {shown[1]}"
    require(far[first, second] > 1e-3, reason)


def _require_loss(found):
    """Raise `NotYet` unless this is a tensor of one number."""
    require(torch.is_tensor(found), OTHER_TYPE.format(type(found).__name__))
    shape = tuple(found.shape)
    require(not shape, f"the loss has shape {shape}, expected one number: take the mean")


@check(
    "06.cvae_loss",
    hints=[
        "binary_cross_entropy_with_logits(..., reduction='sum') / len(image): the sum over the "
        "784 pixels of an image.",
        "The KL divergence of N(mean, exp(log_variance)) from N(0, 1) is "
        "0.5 (mean² + exp(log_variance) - 1 - log_variance).",
        "Sum the KL over the latents, take the mean over the batch, and add beta times it to the "
        "reconstruction.",
    ],
)
def cvae_loss(attempt, reference):
    """Five images with three latents: one term after the other; then other batches."""
    random = torch.Generator().manual_seed(4)
    logits = torch.randn(5, 1, 28, 28, generator=random).requires_grad_()
    mean = torch.randn(5, 3, generator=random).requires_grad_()
    log_variance = torch.randn(5, 3, generator=random).requires_grad_()
    image = (torch.rand(5, 1, 28, 28, generator=random) < 0.2).float()
    output = (logits, mean, log_variance)
    found = call(attempt, output, image, beta=1.0)
    _require_loss(found)
    standard = (logits, 0 * mean, 0 * log_variance)  # for which the KL is 0
    reconstruction = reference(standard, image, 1.0)
    _require_reconstruction(call(attempt, standard, image, beta=1.0), logits, image, reconstruction)
    _require_kl(found - reconstruction, reference(output, image, 1.0) - reconstruction)
    weighted = call(attempt, output, image, beta=4.0)
    expected = reference(output, image, 4.0)
    require(same(weighted, expected, atol=0), "beta does not multiply the KL term")
    require_gradients(weighted, expected, output)
    cases = {"beta = 0.5": (output, image, 0.5)}
    for n, k in ((2, 2), (1, 3), (7, 9)):
        images = (torch.rand(n, 1, 28, 28, generator=random) < 0.3).float()
        logits = torch.randn(n, 1, 28, 28, generator=random).requires_grad_()
        codes = torch.randn(2, n, k, generator=random)
        mean, log_variance = (code.requires_grad_() for code in codes.unbind())
        cases[f"batch size {n} and latent size {k}"] = ((logits, mean, log_variance), images, 3.0)
    require_like(attempt, reference, cases)


def _require_reconstruction(found, logits, image, expected):
    """Raise `NotYet` unless this is the reconstruction term of five images."""
    twice = F.binary_cross_entropy_with_logits(logits.sigmoid(), image, reduction="sum") / 5
    slips = {
        "the reconstruction is a mean over the pixels: the KL, a sum over the latents, then "
        "outweighs 784 pixels; take the sum over the pixels": [expected / 784],
        "the loss is summed over the batch: divide by the number of images, so that it does not "
        "grow with the batch": [expected * 5],
        "the sigmoid is applied twice: the output holds logits": [twice],
    }
    reason = "the reconstruction term is {found}, expected {expected}"
    require_right(found, expected, reason, slips, rtol=1e-3)


def _require_kl(found, expected):
    """Raise `NotYet` unless this is the KL term of five images with three latents."""
    slips = {
        "the KL term has the wrong sign: it is never negative": [-expected],
        "the KL is a mean over the latents: take the sum, as over the pixels": [expected / 3],
        "the KL is summed over the batch: take the mean over the images": [5 * expected],
        "the KL is twice as large as it should be: mind the factor 1/2": [2 * expected],
    }
    reason = "the KL term is {found}, expected {expected}"
    require_right(found, expected, reason, slips, rtol=1e-3, atol=1e-2)


@check(
    "06.foretold",
    hints=[
        "From c to z: parameters are what the regressor gets, latents what it should find. Fit on "
        "one half of the images, and measure on the other.",
        "A forest or nearest neighbours find any shape of dependence: RandomForestRegressor, "
        "KNeighborsRegressor of scikit-learn take all latents at once.",
        "1 - ((found - true) ** 2).mean(axis=0) / true.var(axis=0), of the half that was not "
        "fitted to.",
    ],
    returns=array,
)
def foretold(attempt, reference):
    """Latents of a straight line, of a folded one, of two parameters, in part, and of none."""
    rng = np.random.default_rng(3)
    parameters = np.column_stack([rng.uniform(5, 23, 1200), rng.uniform(4, 10, 1200)])
    x, radius = parameters.T
    straight = 0.2 * x - 2.8
    folded = np.sin(0.7 * x)
    both = np.cos(0.5 * x) + 0.3 * radius
    part = np.sign(x - 14) * np.abs(rng.normal(size=1200))  # R² = 2 / π
    absent = rng.normal(size=1200)
    latents = np.column_stack([straight, folded, both, part, absent])
    latents[:, :3] += 0.05 * rng.normal(size=(1200, 3))
    few = call(attempt, latents[:400, :2], parameters[:400, :1])
    shape = f"for two latents and one parameter the shape is {few.shape}, expected (2,)"
    require(few.shape == (2,), shape)
    found, _ = twice(partial(call, attempt, latents, parameters))
    turned = "is it the parameters that are foretold from the latents"
    shape = f"the result has shape {found.shape}, expected (5,): one number a latent"
    require(found.shape != (2,), f"{shape}; {turned}?")
    require(found.shape == (5,), shape)
    require(np.isfinite(found).all(), "R² is not finite everywhere")
    require(found.max() < 1 + 1e-6, f"R² is {found.max():.2f}, above 1: see the formula")
    nothing = f"a latent that has nothing to do with c has R² = {found[4]:.2f}"
    require(found[4] < 0.15, f"{nothing}: measure on images that were not fitted to")
    low = "far below 0: does it learn single images by heart?"
    require(found[4] > -1.5, f"{nothing}, {low}")
    line = f"a latent that follows x has R² = {found[0]:.2f}, expected above 0.7"
    require(found[0] > 0.7, line)
    fold = f"a latent that goes up and down with x has R² = {found[1]:.2f}, expected above 0.7"
    require(found[1] > 0.7, f"{fold}: a straight line does not see it")
    two = f"a latent that follows x and radius has R² = {found[2]:.2f}, expected above 0.7"
    require(found[2] > 0.7, two)
    half = f"a latent that follows x in part has R² = {found[3]:.2f}, expected about 0.6"
    require(0.4 < found[3] < 0.75, half)
    scaled = call(attempt, latents * [1, 100, 1, 0.01, 1], parameters)
    unit = "in another unit a latent has another R²: divide by its own variance"
    require(same(scaled, found, rtol=0.1, atol=0.2), unit)
