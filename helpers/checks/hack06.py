"""Checks and hints of the exercises of hack 06: what is wrong with an attempt, in one sentence.

Their slips are tables: what is wrong, with the results of those who do it so. Further inputs
follow, each with a name, for what is right on the first one only.
"""

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

# Of a ring: x, y, radius and width in pixels.
RINGS = [
    (14, 14, 8, 3),
    (9, 18, 5, 1.5),
    (20, 8, 6, 2),
    (11.3, 16.6, 7.45, 0.7),
    (15.2, 13.7, 9.8, 1.35),
]


def draw_masks(reference, attempt=None):
    """Return a figure of the masks of `RINGS`, those of the attempt below the expected ones."""
    from helpers.plots import image_grid  # only a notebook draws

    solutions = {"expected": reference} | ({"yours": attempt} if attempt else {})
    masks = [solution(*ring) for solution in solutions.values() for ring in RINGS]
    return image_grid(masks, mock=False, columns=len(RINGS), row_names=list(solutions))


@check(
    "06.ring_mask",
    hints=[
        "np.arange(size) + 0.5 are the middles of the pixels; one axis of them is x, the other y.",
        "An image is indexed [row, column], that is [y, x]: x[None, :] and y[:, None] broadcast "
        "to it.",
        "The mask is abs(distance from the centre - radius) <= width / 2, with np.hypot for the "
        "distance.",
    ],
    returns=array,
    draw=draw_masks,
)
def ring_mask(attempt, reference):
    """Rings of 28 pixels, then of other sizes, and beyond the image."""
    for ring in RINGS:
        _require_mask(call(attempt, *ring), ring, reference)
    larger = call(attempt, 25, 14, 8, 3, size=40)
    require(larger.shape == (40, 40), "the argument size is not used")
    right = np.array_equal(larger, reference(25, 14, 8, 3, size=40))
    require(right, "it is wrong for size=40, right for 28")
    cases = {}
    rng = np.random.default_rng(9)
    for size in range(17, 34, 4):
        x, y, radius = rng.uniform([3, 3, 2], [14, 14, 9])
        cases[f"size={size}"] = (x, y, radius, size / 12 - 1.2, size)
    cases["a ring that leaves the image"] = (-3.2, 5.1, 8.3, 1.1)
    cases["the width 0"] = (12.3, 14.6, 8.45, 0)
    require_like(attempt, reference, cases)


def _require_mask(found, ring, reference):
    """Raise `NotYet` unless this is the mask of a ring."""
    x, y, radius, width = ring
    expected = reference(*ring)
    shape = f"the mask has shape {found.shape}, expected (28, 28): one entry a pixel"
    require(found.shape == (28, 28), shape)
    kind = f"the mask has the type {found.dtype}, expected bool: compare, do not compute"
    require(found.dtype == bool, kind)
    if np.array_equal(found, expected):
        return
    exchanged = "x and y are exchanged: an image is indexed [row, column], that is [y, x]"
    require(x == y or not np.array_equal(found, expected.T), exchanged)
    hollow = "the centre is lit: a ring is hollow, a disc is not"
    require(not found[int(y), int(x)], hollow)
    slips = {
        "the ring is twice as wide as asked: half of the width lies on either side of the radius": [
            reference(x, y, radius, 2 * width)
        ],
        "the ring is half a pixel off: the middle of pixel i is at i + 0.5": [
            reference(x + 0.5, y + 0.5, radius, width)
        ],
    }
    wrong = (found != expected).sum()
    require_right(found, expected, f"{wrong} of 784 pixels differ for the ring {ring}", slips)


@check(
    "06.lit_pixel_threshold",
    hints=[
        "With the rule `2 rings if lit > threshold`, every number of lit pixels that occurs is a "
        "candidate.",
        "np.unique(n_lit) are the candidates; the accuracy of one of them is "
        "np.mean((n_lit > t) + 1 == n_rings).",
        "Return the candidate with the highest accuracy: candidates[np.argmax(accuracies)].",
    ],
    returns=number,
)
def lit_pixel_threshold(attempt, reference):
    """Three sets of images: how many have 1 and 2 rings, and how many pixels are lit then."""
    rng = np.random.default_rng(1)
    sets = [
        {"counts": [300, 100], "means": [60, 110], "widths": [12, 12]},
        {"counts": [300, 700], "means": [60, 84], "widths": [12, 20]},
        {"counts": [900, 400], "means": [123, 151], "widths": [25, 15]},
    ]
    for images in sets:
        n_rings = rng.permutation(np.repeat([1, 2], images["counts"]))
        means = np.take(images["means"], n_rings - 1)
        widths = np.take(images["widths"], n_rings - 1)
        n_lit = rng.normal(means, widths).round().astype(int)
        best = reference(n_lit, n_rings)
        found, _ = twice(partial(call, attempt, n_lit, n_rings))
        _require_threshold(found, best, n_lit, n_rings)


def _require_threshold(found, best, n_lit, n_rings):
    """Raise `NotYet` unless a threshold is right as often as the best one."""

    def accuracy(threshold):
        return np.mean((n_lit > threshold) + 1 == n_rings)

    got = accuracy(found)
    highest = accuracy(best)
    place = "is it an accuracy, or a place in a list, instead of a number of pixels?"
    require(found > 1, f"the threshold is {found}: {place}")
    is_middle = same(found, n_lit.mean()) or same(found, np.median(n_lit))
    accuracies = f"separates with accuracy {got:.3f}, the best threshold with {highest:.3f}"
    require(not is_middle, f"the middle of n_lit {accuracies}")
    turned = "two rings should be those with more light"
    require(got >= 0.5, f"{turned}: the accuracy of `lit > {found}` is {got:.3f}")
    shares = f"{got:.3f} of the images, the best threshold for {highest:.3f}"
    require(got >= highest - 1e-9, f"`lit > {found}` is right for {shares}")


@check(
    "06.pca_svm",
    hints=[
        "sklearn.pipeline.make_pipeline chains the steps and fits them one after the other.",
        "The steps are PCA(n_components, random_state=0) and SVC(), whose kernel is rbf unless "
        "you say otherwise.",
    ],
)
def pca_svm(attempt, reference):
    """The steps of the pipeline, then what it does once it is fitted."""
    pipeline, other = twice(partial(call, attempt, 3))
    _require_steps(pipeline)
    others = {id(step) for _, step in other.steps}
    shared = any(id(step) in others for _, step in pipeline.steps)
    require(not shared, "every call returns the same pipeline: make a new one each time")
    default = getattr(call(attempt).steps[0][1], "n_components", None)
    require(default == 50, f"without an argument the PCA keeps {default} components, expected 50")
    rng = np.random.default_rng(2)
    x = rng.normal(size=(80, 10)) * np.linspace(3, 0.5, 10)
    y = (np.hypot(x[:, 0], x[:, 3]) + rng.normal(size=80) > 3).astype(int)
    found = pipeline.fit(x, y).decision_function(x)
    right = reference(3).fit(x, y).decision_function(x)
    remedy = "leave SVC and PCA as they are by default"
    reason = f"fitted to test data it gives {{found}}, expected {{expected}}: {remedy}"
    require_right(found, right, reason, {}, rtol=1e-2, atol=1e-3)


def _require_steps(pipeline):
    """Raise `NotYet` unless a pipeline is a PCA of 3 components and an SVC, not yet fitted."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC

    kind = type(pipeline).__name__
    reason = f"expected a scikit-learn Pipeline, found a {kind}: see make_pipeline"
    require(isinstance(pipeline, Pipeline), reason)
    steps = [step for _, step in pipeline.steps]
    *before, last = steps
    pca = next((step for step in steps if isinstance(step, PCA)), None)
    require(pca is not None, "there is no PCA among the steps")
    kept = f"the PCA keeps {pca.n_components} components where 3 were asked for"
    require(pca.n_components == 3, kept)
    reason = f"the last step is a {type(last).__name__}, expected the classifier SVC"
    require(isinstance(last, SVC), reason)
    reason = f"the kernel is {last.kernel!r}, expected 'rbf': rings are not linearly separable"
    require(last.kernel == "rbf", reason)
    reason = "the PCA is fitted already: return it unfitted, so that it sees training rows only"
    require(not hasattr(pca, "components_"), reason)
    others = ", ".join(type(step).__name__ for step in before if step is not pca)
    reason = f"there is a {others} among the steps: expected a PCA, then an SVC, nothing else"
    require(not others, reason)
    reason = "the PCA whitens: then the weakest component counts as much as the strongest"
    require(not pca.whiten, reason)


@check(
    "06.RingClassifier",
    hints=[
        "Three blocks of Conv2d, BatchNorm2d, ReLU and MaxPool2d(2) shrink 28 × 28 to 14, 7 and 3 "
        "pixels.",
        "nn.Flatten makes a vector of channels × 3 × 3 numbers; two Linear layers with a ReLU "
        "between them follow.",
        "cross_entropy wants logits: no softmax at the end.",
    ],
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
        for kind, n in ((nn.Conv2d, 3), (nn.Linear, 2)):
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
    "06.ring_parameters_loss",
    hints=[
        "Divide the difference by the spread before squaring: every parameter then counts the "
        "same.",
        "((predicted - true) / spread) has shape (n, k); square it, and take the mean over "
        "everything.",
    ],
)
def ring_parameters_loss(attempt, reference):
    """Three rings with five parameters, then other numbers of both."""
    random = torch.Generator().manual_seed(6)
    spread = torch.tensor([5.5, 5.4, 1.6, 0.38, 0.72])  # of x, y, radius, width, ...
    true = 10 + spread * torch.randn(3, 5, generator=random)
    predicted = true + 0.2 * spread * torch.randn(3, 5, generator=random)
    predicted.requires_grad_()
    found = call(attempt, predicted, true, spread=spread)
    expected = reference(predicted, true, spread)
    _require_loss(found)
    difference = predicted - true
    relative = difference / spread
    slips = {
        "the spread is not used: the centre, with its 5.5 pixels of spread, drowns the thickness "
        "with its 0.4": [difference.square().mean()],
        "the square of the difference is divided by the spread itself: divide before squaring": [
            (difference.square() / spread).mean()
        ],
        "that is a mean absolute error: the question is for squares": [relative.abs().mean()],
        "that is a sum: the mean does not depend on the batch size": [relative.square().sum()],
        "that is the root of the mean square": [relative.square().mean().sqrt()],
    }
    reason = "for the test values the loss is {found}, expected {expected}"
    require_right(found, expected, reason, slips)
    require_gradients(found, expected, [predicted])
    cases = {}
    for n, k in ((7, 3), (1, 5), (4, 1)):
        predicted = torch.randn(n, k, generator=random).requires_grad_()
        true = torch.randn(n, k, generator=random)
        name = f"{n} rings with {k} parameters"
        cases[name] = (predicted, true, torch.rand(k, generator=random) + 0.5)
    require_like(attempt, reference, cases)


def _require_loss(found):
    """Raise `NotYet` unless this is a tensor of one number."""
    require(torch.is_tensor(found), OTHER_TYPE.format(type(found).__name__))
    shape = tuple(found.shape)
    require(not shape, f"the loss has shape {shape}, expected one number: take the mean")


def draw_encodings(reference, attempt=None):
    """Return a figure of the paths that the encodings of ellipses take as these turn by π."""
    from helpers.plots import panels  # only a notebook draws

    solutions = {"expected": reference} | ({"yours": attempt} if attempt else {})
    figure, axes = panels(1, len(solutions), mock=False, size=(3, 3), squeeze=False)
    angle = np.linspace(0, np.pi, 60)
    for axis, (name, solution) in zip(axes[0], solutions.items(), strict=True):
        for e in (0.1, 0.25, 0.4):
            x, y = array(solution(np.full(60, e), angle)).T
            axis.plot(x, y, label=f"e = {e}")
            axis.plot(x[0], y[0], "k.")
        axis.set(title=name, xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
        axis.set(xlabel="first component", ylabel="second component")
    axes[0, 0].legend()
    return figure


@check(
    "06.encode_angle",
    hints=[
        "An ellipse turned by π is the same ellipse: the encoding has to have the same period.",
        "cos 2φ and sin 2φ have the period π; multiplied by e, both vanish for a circle, which "
        "has no angle.",
        "np.stack([e * np.cos(2 * angle), e * np.sin(2 * angle)], axis=-1)",
    ],
    returns=array,
    draw=draw_encodings,
)
def encode_angle(attempt, reference):
    """Four ellipses, a circle among them, and the same turned by π; then other angles."""
    e = np.array([0.1, 0.3, 0.0, 0.4])
    angle = np.array([0.0, 0.7, 1.2, 3.0])
    expected = reference(e, angle)
    found = call(attempt, e, angle)
    row = "one row an ellipse"
    rows = f"the two components are rows, expected columns: {row}, shape (n, 2)"
    require(found.shape != (2, 4), rows)
    shape = f"the encoding has shape {found.shape}, expected (4, 2): {row}"
    require(found.shape == (4, 2), shape)
    turned = call(attempt, e, angle + np.pi)
    period = "turning an ellipse by π, which leaves it as it is, changes its encoding"
    require(same(found, turned), f"{period}: the angle enters as 2φ")
    circle = "a circle has no angle, so its encoding must be (0, 0): multiply by the ellipticity"
    require(same(found[2], [0, 0]), circle)
    slips = {"sine and cosine are exchanged: the first component is e cos 2φ": [expected[:, ::-1]]}
    reason = "the encoding of e = 0.1, 0.3, 0, 0.4 is {found}, expected {expected}"
    require_right(found, expected, reason, slips)
    rng = np.random.default_rng(3)
    cases = {
        "negative angles": (rng.uniform(0, 0.5, 9), rng.uniform(-7, 0, 9)),
        "one ellipse": (e[1:2], angle[1:2]),
    }
    require_like(attempt, reference, cases)


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
