"""Checks and hints of the exercises of hack 06: what a wrong attempt got wrong, in one sentence each."""

import numpy as np
import torch
from torch import nn

from helpers.exercises import check
from helpers.exercises.require import (
    array,
    call,
    number,
    refuse,
    require,
    require_bends,
    require_close,
    require_gradients,
    require_like,
    require_own_weights,
    require_steady,
    same,
)
from helpers.plots import image_grid

RINGS = [
    (14, 14, 8, 3),
    (9, 18, 5, 1.5),
    (20, 8, 6, 2),
    (11.3, 16.6, 7.45, 0.7),
    (15.2, 13.7, 9.8, 1.35),
]


@check(
    "06.ring_mask",
    hints=[
        "np.arange(size) + 0.5 are the middles of the pixels; one axis of them is x, the other y.",
        "An image is indexed [row, column], that is [y, x]: x[None, :] and y[:, None] broadcast to it.",
        "The mask is abs(distance from the centre - radius) <= width / 2, with np.hypot for the distance.",
    ],
    returns=array,
)
def ring_mask(attempt, reference):
    for ring in RINGS:
        found, expected = call(attempt, *ring), reference(*ring)

        def figure(found=found, expected=expected):
            return image_grid([found, expected], ["yours", "expected"], mock=False, columns=2)

        require(
            found.shape == (28, 28),
            f"the mask has shape {found.shape}, expected (28, 28): one entry a pixel",
        )
        require(
            found.dtype == bool,
            f"the mask has the type {found.dtype}, expected bool: compare, do not compute",
        )
        if not np.array_equal(found, expected):
            _tell_mask(found, ring, reference, figure)
    larger = call(attempt, 25, 14, 8, 3, size=40)
    require(larger.shape == (40, 40), "the argument size is not used")
    require(
        np.array_equal(larger, reference(25, 14, 8, 3, size=40)),
        "it is wrong for size=40, right for 28",
        figure,
    )
    x, y, radius = np.random.default_rng(9).uniform([3, 3, 2], [14, 14, 9], (5, 3)).T
    cases = {
        f"size={17 + 4 * i}": (x[i], y[i], radius[i], 0.3 + i / 3, 17 + 4 * i) for i in range(5)
    }
    cases |= {
        "a ring that leaves the image": (-3.2, 5.1, 8.3, 1.1),
        "the width 0": (12.3, 14.6, 8.45, 0),
    }
    require_like(attempt, reference, cases)
    return figure()


def _tell_mask(found, ring, reference, figure):
    """Raise `NotYet` with what is wrong with this mask."""
    expected = reference(*ring)
    transposed = ring[0] != ring[1] and np.array_equal(found, expected.T)
    require(
        not transposed,
        "x and y are exchanged: an image is indexed [row, column], that is [y, x]",
        figure,
    )
    centre = found[int(ring[1]), int(ring[0])]
    require(not centre, "the centre is lit: a ring is hollow, a disc is not", figure)
    wide = np.array_equal(found, reference(*ring[:3], 2 * ring[3]))
    reason = (
        "the ring is twice as wide as asked: half of the width lies on either side of the radius"
    )
    require(not wide, reason, figure)
    corner = np.array_equal(found, reference(ring[0] + 0.5, ring[1] + 0.5, *ring[2:]))
    require(not corner, "the ring is half a pixel off: the middle of pixel i is at i + 0.5", figure)
    require(False, f"{(found != expected).sum()} of 784 pixels differ for the ring {ring}", figure)


@check(
    "06.lit_pixel_threshold",
    hints=[
        "With the rule `2 rings if lit > threshold`, every number of lit pixels that occurs is a candidate.",
        "np.unique(n_lit) are the candidates; the accuracy of one of them is np.mean((n_lit > t) + 1 == n_rings).",
        "Return the candidate with the highest accuracy: candidates[np.argmax(accuracies)].",
    ],
    returns=number,
)
def lit_pixel_threshold(attempt, reference):
    rng = np.random.default_rng(1)
    for numbers, means, widths in (
        ([300, 100], [60, 110], [12, 12]),
        ([300, 700], [60, 84], [12, 20]),
        ([900, 400], [123, 151], [25, 15]),
    ):
        n_rings = rng.permutation(np.repeat([1, 2], numbers))
        n_lit = np.round(
            rng.normal(np.take(means, n_rings - 1), np.take(widths, n_rings - 1))
        ).astype(int)
        _require_threshold(
            call(attempt, n_lit, n_rings), float(reference(n_lit, n_rings)), n_lit, n_rings
        )


def _require_threshold(found, right, n_lit, n_rings):
    """Raise `NotYet` unless a threshold is as good as the right one."""
    got, best = (np.mean((n_lit > threshold) + 1 == n_rings) for threshold in (found, right))
    require(
        found > 1,
        f"the threshold is {found}: is it an accuracy, or a place in a list, instead of a number of pixels?",
    )
    middle = abs(found - n_lit.mean()) < 1e-9 or abs(found - np.median(n_lit)) < 1e-9
    require(
        not middle,
        f"the middle of n_lit separates with accuracy {got:.3f}, the best threshold with {best:.3f}",
    )
    require(
        got >= 0.5,
        f"two rings should be those with more light: the accuracy of `lit > {found}` is {got:.3f}",
    )
    require(
        got >= best - 1e-9,
        f"`lit > {found}` is right for {got:.3f} of the images, the best threshold for {best:.3f}",
    )


@check(
    "06.pca_svm",
    hints=[
        "sklearn.pipeline.make_pipeline chains the steps and fits them one after the other.",
        "The steps are PCA(n_components, random_state=0) and SVC(), whose kernel is rbf unless you say otherwise.",
    ],
)
def pca_svm(attempt, reference):
    from sklearn.decomposition import PCA
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVC

    found = attempt(3)
    require(
        isinstance(found, Pipeline),
        f"expected a scikit-learn Pipeline, found a {type(found).__name__}: see make_pipeline",
    )
    steps = [step for _, step in found.steps]
    pca = next((step for step in steps if isinstance(step, PCA)), None)
    require(pca is not None, "there is no PCA among the steps")
    require(
        pca.n_components == 3, f"the PCA keeps {pca.n_components} components where 3 were asked for"
    )
    require(
        isinstance(steps[-1], SVC),
        f"the last step is a {type(steps[-1]).__name__}, expected the classifier SVC",
    )
    require(
        steps[-1].kernel == "rbf",
        f"the kernel is {steps[-1].kernel!r}, expected 'rbf': rings are not linearly separable",
    )
    require(
        not hasattr(pca, "components_"),
        "the PCA is fitted already: return it unfitted, so that it sees training rows only",
    )
    others = [type(step).__name__ for step in steps[:-1] if step is not pca]
    require(
        not others,
        f"there is a {', '.join(others)} among the steps: expected a PCA, then an SVC, nothing else",
    )
    require(
        not pca.whiten,
        "the PCA whitens: then the weakest component counts as much as the strongest",
    )
    other = attempt(3)
    shared = any(
        one is another for (_, one), (_, another) in zip(found.steps, other.steps, strict=True)
    )
    require(not shared, "every call returns the same pipeline: make a new one each time")
    default = getattr(attempt().steps[0][1], "n_components", None)
    require(default == 50, f"without an argument the PCA keeps {default} components, expected 50")
    rng = np.random.default_rng(2)
    x = rng.normal(size=(80, 10)) * np.linspace(3, 0.5, 10)
    y = (np.hypot(x[:, 0], x[:, 3]) + rng.normal(size=80) > 3).astype(int)
    right = reference(3).fit(x, y).decision_function(x)
    reason = "fitted to test data it gives {found}, expected {expected}: leave SVC and PCA as they are by default"
    require_close(found.fit(x, y).decision_function(x), right, reason, rtol=1e-2, atol=1e-3)


@check(
    "06.RingClassifier",
    hints=[
        "Three blocks of Conv2d, BatchNorm2d, ReLU and MaxPool2d(2) shrink 28 × 28 to 14, 7 and 3 pixels.",
        "nn.Flatten makes a vector of channels × 3 × 3 numbers; two Linear layers with a ReLU between them follow.",
        "cross_entropy wants logits: no softmax at the end.",
    ],
)
def ring_classifier(attempt, reference):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model, images = attempt(4), torch.rand(6, 1, 28, 28)
        require(isinstance(model, nn.Module), "the class does not inherit from torch.nn.Module")
        output = model.train()(images)
        require(
            torch.is_tensor(output),
            f"forward returns a {type(output).__name__}, expected a tensor of logits",
        )
        require(
            output.shape == (6, 4),
            f"for 6 images and 4 classes the output has shape {tuple(output.shape)}, expected (6, 4)",
        )
        require(attempt(2)(images).shape == (6, 2), "the argument n_classes is not used")
        sums = output.exp().sum(dim=1)
        probabilities = torch.allclose(
            output.sum(dim=1), torch.ones(6), atol=1e-4
        ) or torch.allclose(sums, torch.ones(6), atol=1e-4)
        require(
            not probabilities,
            "the output is normalised: cross_entropy applies the softmax itself, so return plain logits",
        )
        for kind, n in ((nn.Conv2d, 3), (nn.Linear, 2)):
            layers = [layer for layer in model.modules() if isinstance(layer, kind)]
            require(
                len(layers) == n, f"there are {len(layers)} {kind.__name__} layers, expected {n}"
            )
        output.square().sum().backward()
        unused = [name for name, weight in model.named_parameters() if weight.grad is None]
        require(
            not unused,
            f"forward does not use {unused[0] if unused else ''}: no gradient reaches it",
        )
        require_own_weights(model, attempt(4))
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        require_bends(model, images, layers)
        require_steady(model, images)


@check(
    "06.ring_parameters_loss",
    hints=[
        "Divide the difference by the spread before squaring: every parameter then counts the same.",
        "((predicted - true) / spread) has shape (n, k); square it, and take the mean over everything.",
    ],
)
def ring_parameters_loss(attempt, reference):
    true = torch.tensor(
        [[10.0, 12.0, 6.0, 0.5, 1.0], [16.0, 9.0, 4.0, 1.2, 2.5], [8.0, 20.0, 5.0, 0.9, 1.7]]
    )
    predicted = true + torch.tensor(
        [[1.0, -2.0, 0.5, 0.1, -0.3], [-1.5, 0.5, 0.2, -0.2, 0.4], [0.3, 1.0, -0.4, 0.2, 0.1]]
    )
    predicted.requires_grad_()
    spread = torch.tensor([5.5, 5.4, 1.6, 0.38, 0.72])
    found, expected = (
        call(attempt, predicted, true, spread=spread),
        reference(predicted, true, spread),
    )
    require(
        torch.is_tensor(found),
        f"expected a tensor, so that gradients can flow; found a {type(found).__name__}",
    )
    require(
        found.ndim == 0,
        f"the loss has shape {tuple(found.shape)}, expected one number: take the mean",
    )
    difference = predicted - true
    hints = {
        "the spread is not used: the centre, with its 5.5 pixels of spread, drowns the thickness with its 0.4": difference.square().mean(),
        "the square of the difference is divided by the spread itself: divide before squaring": (
            difference.square() / spread
        ).mean(),
        "that is a mean absolute error: the question is for squares": (difference / spread)
        .abs()
        .mean(),
        "that is a sum: the mean does not depend on the batch size": (difference / spread)
        .square()
        .sum(),
        "that is the root of the mean square": (difference / spread).square().mean().sqrt(),
    }
    for reason, value in hints.items():
        refuse(found, reason, value)
    require_close(found, expected, "for the test values the loss is {found}, expected {expected}")
    require_gradients(found, expected, [predicted])
    random = torch.Generator().manual_seed(6)
    cases = {
        f"{n} rings with {k} parameters": (
            *torch.randn(2, n, k, generator=random),
            torch.arange(1.0, k + 1),
        )
        for n, k in ((7, 3), (1, 5), (4, 1))
    }
    require_like(attempt, reference, cases)


@check(
    "06.encode_angle",
    hints=[
        "An ellipse turned by π is the same ellipse: the encoding has to have the same period.",
        "cos 2φ and sin 2φ have the period π; multiplied by e, both vanish for a circle, which has no angle.",
        "np.stack([e * np.cos(2 * angle), e * np.sin(2 * angle)], axis=-1)",
    ],
    returns=array,
)
def encode_angle(attempt, reference):
    e, angle = np.array([0.1, 0.3, 0.0, 0.4]), np.array([0.0, 0.7, 1.2, 3.0])
    expected = reference(e, angle)
    found = call(attempt, e, angle)
    require(
        found.shape != (2, 4),
        "the two components are rows, expected columns: one row an ellipse, shape (n, 2)",
    )
    require(
        found.shape == (4, 2),
        f"the encoding has shape {found.shape}, expected (4, 2): one row an ellipse",
    )
    turned = call(attempt, e, angle + np.pi)
    require(
        np.allclose(found, turned, atol=1e-6),
        "turning an ellipse by π, which leaves it as it is, changes its encoding: the angle enters as 2φ",
    )
    require(
        np.allclose(found[2], 0, atol=1e-9),
        "a circle has no angle, so its encoding must be (0, 0): multiply by the ellipticity",
    )
    swapped = np.allclose(found, expected[:, ::-1])
    require(not swapped, "sine and cosine are exchanged: the first component is e cos 2φ")
    require_close(
        found, expected, "the encoding of e = 0.1, 0.3, 0, 0.4 is {found}, expected {expected}"
    )
    rng = np.random.default_rng(3)
    cases = {
        "negative angles": (rng.uniform(0, 0.5, 9), rng.uniform(-7, 0, 9)),
        "one ellipse": (e[1:2], angle[1:2]),
    }
    require_like(attempt, reference, cases)


@check(
    "06.cvae_loss",
    hints=[
        "binary_cross_entropy_with_logits(..., reduction='sum') / len(image): the sum over the 784 pixels of an image.",
        "The KL divergence of N(mean, exp(log_variance)) from N(0, 1) is 0.5 (mean² + exp(log_variance) - 1 - log_variance).",
        "Sum the KL over the latents, take the mean over the batch, and add beta times it to the reconstruction.",
    ],
)
def cvae_loss(attempt, reference):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        logits, code = (
            torch.randn(5, 1, 28, 28, requires_grad=True),
            torch.randn(5, 6, requires_grad=True),
        )
        image = (torch.rand(5, 1, 28, 28) < 0.2).float()
    mean, log_variance = code.chunk(2, dim=1)
    output = (logits, mean, log_variance)
    zero = (logits, 0 * mean, 0 * log_variance)
    reconstruction = (
        nn.functional.binary_cross_entropy_with_logits(logits, image, reduction="sum") / 5
    )
    found = call(attempt, output, image, beta=1.0)
    require(
        torch.is_tensor(found),
        f"expected a tensor, so that gradients can flow; found a {type(found).__name__}",
    )
    require(found.ndim == 0, f"the loss has shape {tuple(found.shape)}, expected one number")
    without_kl = call(attempt, zero, image, beta=1.0)
    require(
        not _equal(without_kl, reconstruction / 784, 1e-4),
        "the reconstruction is a mean over the pixels: the KL, a sum over the latents, then outweighs 784 pixels; "
        "take the sum over the pixels",
    )
    require(
        not _equal(without_kl, reconstruction * 5, 1e-4),
        "the loss is summed over the batch: divide by the number of images, so that it does not grow with the batch",
    )
    sigmoid_twice = (
        nn.functional.binary_cross_entropy_with_logits(logits.sigmoid(), image, reduction="sum") / 5
    )
    require(
        not _equal(without_kl, sigmoid_twice, 1e-4),
        "the sigmoid is applied twice: the output holds logits",
    )
    require_close(
        without_kl,
        reconstruction,
        "the reconstruction term is {found}, expected {expected}",
        rtol=1e-3,
    )
    kl = reference(output, image, 1.0) - reconstruction
    got = found - reconstruction
    require(not _equal(got, -kl, 1e-3), "the KL term has the wrong sign: it is never negative")
    require(
        not _equal(got, kl / 3, 1e-3),
        "the KL is a mean over the latents: take the sum, as over the pixels",
    )
    require(
        not _equal(got, 5 * kl, 1e-3),
        "the KL is summed over the batch: take the mean over the images",
    )
    require(
        not _equal(got, 2 * kl, 1e-3),
        "the KL is twice as large as it should be: mind the factor 1/2",
    )
    require_close(got, kl, "the KL term is {found}, expected {expected}", rtol=1e-3, atol=1e-2)
    weighted, expected = attempt(output, image, beta=4.0), reference(output, image, 4.0)
    require(_equal(weighted, expected, 1e-4), "beta does not multiply the KL term")
    require_gradients(weighted, expected, [logits, code])
    part = (logits[:2], mean[:2, :2], log_variance[:2, :2])
    cases = {
        "beta = 0.5": (output, image, 0.5),
        "two images and two latents": (part, image[:2], 3.0),
        "one image": (tuple(value[:1] for value in output), image[:1], 1.0),
    }
    require_like(attempt, reference, cases)


def _equal(found, value, rtol=1e-5):
    return same(found, value, rtol, atol=0)
