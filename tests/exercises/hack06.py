"""Exercises of hack 06: the solved version is accepted, plausible wrong answers are told what is wrong."""

from functools import partial

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F

from helpers.reference import hack06


def mask(x, y, radius, width, size=28, shift=0.5, half=0.5, transpose=False):
    middle = np.arange(size) + shift
    distance = np.hypot(middle[None, :] - x, middle[:, None] - y)
    found = np.abs(distance - radius) <= half * width
    return found.T if transpose else found


def disc(x, y, radius, width, size=28):
    middle = np.arange(size) + 0.5
    return np.hypot(middle[None, :] - x, middle[:, None] - y) <= radius + width / 2


def network(n_convolutions=3, n_dense=2, activation=nn.ReLU, end=(), hidden=16, pool=nn.AvgPool2d):
    class Model(nn.Module):
        def __init__(self, n_classes):
            super().__init__()
            channels = [1] + [8] * n_convolutions
            layers = []
            for before, after in zip(channels, channels[1:], strict=False):
                layers += [nn.Conv2d(before, after, 3, padding=1), activation(), pool(2)]
            for _ in range(n_dense - 1):
                layers += [nn.LazyLinear(hidden), activation()]
            layers.insert(3 * n_convolutions, nn.Flatten())
            self.layers = nn.Sequential(*layers, nn.LazyLinear(n_classes), *end)

        def forward(self, images):
            return self.layers(images)

    return Model


def ending(end=lambda logits: logits, start=lambda images: images, features=lambda values: values):
    """The reference, with something done to what it gets, between the convolutions and the dense layers, or at the end."""

    class Model(hack06.RingClassifier):
        def forward(self, images):
            values = self.layers[:12](start(images))
            return end(self.layers[12:](features(values)))

    return Model


class Functional(nn.Module):
    """Right: activations as functions, no biases, no normalisation."""

    def __init__(self, n_classes, bend=F.relu, dense=F.relu):
        super().__init__()
        self.bend, self.dense = bend, dense
        channels = (1, 8, 16, 16)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, bias=False)
            for before, after in zip(channels[:-1], channels[1:], strict=True)
        )
        self.first, self.last = (
            nn.Linear(16 * 9, 32, bias=False),
            nn.Linear(32, n_classes, bias=False),
        )

    def forward(self, images):
        for convolution in self.convolutions:
            images = F.max_pool2d(self.bend(convolution(images)), 2)
        return self.last(self.dense(self.first(images.flatten(1))))


class Shared(nn.Module):
    kept = hack06.RingClassifier(4), hack06.RingClassifier(2)

    def __init__(self, n_classes):
        super().__init__()
        self.network = self.kept[0] if n_classes == 4 else self.kept[1]

    def forward(self, images):
        return self.network(images)


class NoRelu(nn.Module):
    """Between the convolutions only the pooling bends."""

    def __new__(cls, n_classes):
        return Functional(n_classes, bend=lambda values: values)


def quantile(n_lit, n_rings):
    return np.quantile(n_lit, np.mean(n_rings == 1))


def best_f1(n_lit, n_rings):
    candidates = np.unique(n_lit)
    return candidates[np.argmax([f1_score(n_rings == 2, n_lit > t) for t in candidates])]


def in_steps(step):
    def attempt(n_lit, n_rings):
        candidates = np.arange(0, n_lit.max(), step)
        return candidates[np.argmax([np.mean((n_lit > t) + 1 == n_rings) for t in candidates])]

    return attempt


KEPT = make_pipeline(PCA(3, random_state=0), SVC())


class Unused(hack06.RingClassifier):
    def forward(self, images):
        with torch.no_grad():
            images = self.layers[0](images).mean(dim=1, keepdim=True)
        return (
            super().forward(images[:, :, :28, :28].detach() * 0 + images)[:, :]
            + 0 * self.extra.detach().sum()
        )

    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.extra = nn.Parameter(torch.ones(3))


def cvae(
    reconstruction="sum", batch=True, sign=1, latents="sum", half=0.5, logits=True, beta_used=True
):
    def attempt(output, image, beta):
        prediction, mean, log_variance = output
        prediction = prediction if logits else prediction.sigmoid()
        loss = F.binary_cross_entropy_with_logits(prediction, image, reduction=reconstruction)
        loss = loss / len(image) if reconstruction == "sum" and batch else loss
        terms = sign * half * (mean**2 + log_variance.exp() - 1 - log_variance)
        divergence = terms.sum(dim=1).mean() if latents == "sum" else terms.mean()
        return loss + (beta if beta_used else 1) * divergence

    return attempt


def changes_labels(n_lit, n_rings):
    n_rings -= 1
    return hack06.lit_pixel_threshold(n_lit, n_rings + 1)


def off(angle_factor=2, scale=True, swap=False, stack=-1):
    def attempt(e, angle):
        size = e if scale else np.ones_like(e)
        parts = [size * np.cos(angle_factor * angle), size * np.sin(angle_factor * angle)]
        return np.stack(parts[::-1] if swap else parts, axis=stack)

    return attempt


WRONG = {
    "06.ring_mask": [
        (lambda *ring, **size: mask(*ring, **size, transpose=True), "exchanged"),
        (disc, "hollow"),
        (lambda *ring, **size: mask(*ring, **size, half=1), "twice as wide"),
        (lambda *ring, **size: mask(*ring, **size, shift=0), "half a pixel"),
        (lambda *ring, **size: mask(*ring, **size).astype(float), "expected bool"),
        (lambda x, y, radius, width, size=28: mask(x, y, radius, width), "argument size"),
        (
            lambda *ring, size=28: mask(*ring, size=size) & (np.arange(size) < 28),
            "wrong for size=40",
        ),
        (lambda *ring, **size: mask(*ring, **size).ravel(), "shape"),
        (lambda x, y, *others, **size: mask(round(x), round(y), *others, **size), "pixels differ"),
        (
            lambda x, y, radius, *others, **size: mask(x, y, round(radius), *others, **size),
            "pixels differ",
        ),
        (
            lambda x, y, radius, width, size=28: mask(x, y, radius, max(width, 0.5), size),
            "for size=17",
        ),
        (lambda x, y, *others, **size: mask(abs(x), abs(y), *others, **size), "leaves the image"),
    ],
    "06.lit_pixel_threshold": [
        (lambda n_lit, n_rings: n_lit.mean(), "the middle of n_lit"),
        (
            lambda n_lit, n_rings: max(np.mean((n_lit > t) + 1 == n_rings) for t in n_lit),
            "an accuracy",
        ),
        (lambda n_lit, n_rings: n_lit.max(), "is right for"),
        (lambda n_lit, n_rings: None, "nothing is returned"),
        (lambda n_lit, n_rings: np.unique(n_lit), "one number"),
        (quantile, "is right for"),
        (best_f1, "is right for"),
        (in_steps(5), "is right for"),
        (in_steps(10), "is right for"),
        (lambda n_lit, n_rings: 88, "`lit > 88.0` is right for"),
        (lambda n_lit, n_rings: -hack06.lit_pixel_threshold(n_lit, n_rings), "is it an accuracy"),
        (changes_labels, "changes an array"),
    ],
    "06.pca_svm": [
        (lambda n=50: make_pipeline(PCA(50), SVC()), "keeps 50 components"),
        (lambda n=50: make_pipeline(PCA(n), SVC(kernel="linear")), "kernel"),
        (lambda n=50: SVC(), "expected a scikit-learn Pipeline"),
        (lambda n=50: make_pipeline(PCA(n), LogisticRegression()), "expected the classifier SVC"),
        (lambda n=50: make_pipeline(SVC()), "no PCA"),
        (lambda n=50: make_pipeline(StandardScaler(), PCA(n), SVC()), "there is a StandardScaler"),
        (lambda n=50: make_pipeline(PCA(n, whiten=True), SVC()), "whitens"),
        (lambda n=50: make_pipeline(PCA(n), SVC(C=1e-3)), "by default"),
        (lambda n=50: make_pipeline(PCA(n), SVC(gamma=1.0)), "by default"),
        (lambda n=10: make_pipeline(PCA(n), SVC()), "keeps 10 components, expected 50"),
        (lambda n=50: KEPT if n == 3 else make_pipeline(PCA(n), SVC()), "the same pipeline"),
    ],
    "06.RingClassifier": [
        (network(n_convolutions=2), "2 Conv2d layers"),
        (network(n_dense=1), "1 Linear layers"),
        (network(end=[nn.Softmax(dim=1)]), "normalised"),
        (network(end=[nn.LogSoftmax(dim=1)]), "normalised"),
        (network(activation=nn.Identity), "nothing bends between a Conv2d"),
        (lambda n_classes: network()(2), "expected (6, 4)"),
        (Unused, "does not use extra"),
        (lambda n_classes: network()(4), "for 3 images and 2 classes the output has shape (3, 4)"),
        (ending(lambda logits: logits.softmax(dim=0)), "do not mix samples"),
        (ending(F.logsigmoid), "something follows the last layer"),
        (ending(lambda logits: 10 * logits.softmax(dim=1)), "something follows the last layer"),
        (NoRelu, "nothing bends between a Conv2d"),
        (network(activation=nn.Identity, pool=nn.MaxPool2d), "nothing bends between a Conv2d"),
        (partial(Functional, dense=lambda values: values), "nothing bends between a Linear"),
        (ending(features=F.dropout), "noise, or dropout"),
        (ending(features=lambda values: values + torch.randn_like(values)), "noise, or dropout"),
        (ending(features=lambda values: values - values.mean(dim=0)), "do not mix samples"),
        (
            ending(
                features=lambda values: values.squeeze().reshape(-1, 64, 3, 3)[:, :, :, :].detach()
            ),
            "does not use",
        ),
        (ending(start=lambda images: images.squeeze()[:, None]), "for a batch of one it raises"),
        (ending(start=torch.detach), "no gradient flows back"),
        (Shared, "share their weights"),
    ],
    "06.ring_parameters_loss": [
        (lambda p, t, spread: F.mse_loss(p, t), "the spread is not used"),
        (lambda p, t, spread: ((p - t) ** 2 / spread).mean(), "divide before squaring"),
        (lambda p, t, spread: ((p - t) / spread).abs().mean(), "absolute error"),
        (lambda p, t, spread: (((p - t) / spread) ** 2).sum(), "that is a sum"),
        (lambda p, t, spread: (((p - t) / spread) ** 2).mean().item(), "expected a tensor"),
        (lambda p, t, spread: (((p - t) / spread) ** 2).mean().detach(), "no gradient"),
        (
            lambda p, t, spread: 0 * p.sum() + (((p - t) / spread) ** 2).mean().detach(),
            "not its gradient",
        ),
        (lambda p, t, spread: (((p - t) / spread) ** 2).mean(dim=0), "expected one number"),
        (
            lambda p, t, spread: (((p - t) / spread) ** 2).sum() / 15,
            "for 7 rings with 3 parameters",
        ),
    ],
    "06.encode_angle": [
        (off(angle_factor=1), "2φ"),
        (off(scale=False), "multiply by the ellipticity"),
        (off(swap=True), "exchanged"),
        (off(stack=0), "are rows"),
        (lambda e, angle: off()(e, np.abs(angle)), "negative angles"),
        (lambda e, angle: off()(e, angle)[:4], "the result has shape (4, 2), expected (9, 2)"),
    ],
    "06.cvae_loss": [
        (cvae(reconstruction="mean"), "mean over the pixels"),
        (cvae(batch=False), "summed over the batch"),
        (cvae(sign=-1), "wrong sign"),
        (cvae(latents="mean"), "mean over the latents"),
        (cvae(half=1), "twice as large"),
        (cvae(logits=False), "sigmoid is applied twice"),
        (cvae(beta_used=False), "beta does not multiply"),
        (lambda output, image, beta: cvae()(output, image, int(beta)), "for beta = 0.5"),
        (
            lambda output, image, beta: cvae(batch=False)(output, image, 5 * beta) / 5,
            "for batch size 2 and latent size 2",
        ),
        (
            lambda *arguments, **keywords: cvae()(*arguments, **keywords).item(),
            "so that gradients can flow",
        ),
        (
            lambda output, image, beta: cvae()(
                (output[0], *(o.detach() for o in output[1:])), image, beta
            ),
            "detached",
        ),
    ],
}


def loop(x, y, radius, width, size=28):
    inside = [
        [
            abs(((j + 0.5 - x) ** 2 + (i + 0.5 - y) ** 2) ** 0.5 - radius) <= width / 2
            for j in range(size)
        ]
        for i in range(size)
    ]
    return np.array(inside)


def kl(output, image, beta):
    logits, mean, log_variance = output
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    divergence = (
        torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0, 1)).sum(1).mean()
    )
    pixels = F.binary_cross_entropy(logits.sigmoid(), image, reduction="none").sum((1, 2, 3)).mean()
    return pixels + beta * divergence


def halfway(n_lit, n_rings):
    ordered = np.unique(n_lit)
    middles = (ordered[1:] + ordered[:-1]) / 2
    return middles[np.argmax([np.mean((n_lit > t) + 1 == n_rings) for t in middles])]


def in_double(predicted, true, spread):
    return torch.mean(((predicted.double() - true) / spread).pow(2))


RIGHT = [
    ("06.ring_parameters_loss", in_double),
    ("06.encode_angle", lambda e, angle: torch.tensor(hack06.encode_angle(e, angle))),
    ("06.ring_mask", loop),
    ("06.cvae_loss", kl),
    ("06.lit_pixel_threshold", halfway),
    ("06.lit_pixel_threshold", lambda *given: torch.tensor(hack06.lit_pixel_threshold(*given))),
    ("06.ring_mask", lambda *ring, **size: torch.tensor(mask(*ring, **size))),
    ("06.ring_mask", lambda *ring, **size: mask(*ring, **size).tolist()),
    (
        "06.pca_svm",
        lambda n=50: Pipeline([("pca", PCA(n, svd_solver="full")), ("svm", SVC(probability=True))]),
    ),
    ("06.RingClassifier", Functional),
    ("06.RingClassifier", network(activation=nn.Tanh)),
    ("06.RingClassifier", network(activation=partial(nn.ReLU, inplace=True))),
    ("06.RingClassifier", partial(Functional, bend=F.leaky_relu, dense=F.elu)),
    ("06.RingClassifier", network(activation=nn.GELU, pool=nn.MaxPool2d)),
    ("06.RingClassifier", ending(lambda logits: logits.view(len(logits), -1))),
    ("06.RingClassifier", network()),
]

# Edits of the reference that leave it right.
EQUIVALENT = {
    "06.RingClassifier": {
        "[nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out)] → "
        "[nn.Conv2d(channels_in, channels_out, 3, padding=1)]": "without normalisation is right too"
    }
}
