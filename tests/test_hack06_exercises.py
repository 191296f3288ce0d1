"""Exercises of hack 06: the solved version is accepted, plausible wrong answers are told what is wrong."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F

import helpers.rings  # noqa: F401 - registers the checks
from helpers.reference import hack06


def mask(x, y, radius, width, size=28, shift=0.5, half=0.5, transpose=False):
    middle = np.arange(size) + shift
    distance = np.hypot(middle[None, :] - x, middle[:, None] - y)
    found = np.abs(distance - radius) <= half * width
    return found.T if transpose else found


def disc(x, y, radius, width, size=28):
    middle = np.arange(size) + 0.5
    return np.hypot(middle[None, :] - x, middle[:, None] - y) <= radius + width / 2


def network(n_convolutions=3, n_dense=2, activation=nn.ReLU, end=(), hidden=16):
    class Model(nn.Module):
        def __init__(self, n_classes):
            super().__init__()
            channels = [1] + [8] * n_convolutions
            layers = []
            for before, after in zip(channels, channels[1:], strict=False):
                layers += [nn.Conv2d(before, after, 3, padding=1), activation(), nn.AvgPool2d(2)]
            dense = [nn.LazyLinear(hidden) for _ in range(n_dense - 1)] + [nn.LazyLinear(n_classes)]
            self.layers = nn.Sequential(*layers, nn.Flatten(), *dense, *end)

        def forward(self, images):
            return self.layers(images)

    return Model


class Unused(hack06.RingClassifier):
    def forward(self, images):
        with torch.no_grad():
            images = self.layers[0](images).mean(dim=1, keepdim=True)
        return super().forward(images[:, :, :28, :28].detach() * 0 + images)[:, :] + 0 * self.extra.detach().sum()

    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.extra = nn.Parameter(torch.ones(3))


def cvae(reconstruction="sum", batch=True, sign=1, latents="sum", half=0.5, logits=True, beta_used=True):
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
        (lambda *ring, size=28: mask(*ring, size=size) & (np.arange(size) < 28), "wrong for size=40"),
        (lambda *ring, **size: mask(*ring, **size).ravel(), "shape"),
    ],
    "06.lit_pixel_threshold": [
        (lambda n_lit, n_rings: n_lit.mean(), "the middle of n_lit"),
        (lambda n_lit, n_rings: max(np.mean((n_lit > t) + 1 == n_rings) for t in n_lit), "an accuracy"),
        (lambda n_lit, n_rings: n_lit.max(), "is right for"),
        (lambda n_lit, n_rings: None, "nothing is returned"),
        (lambda n_lit, n_rings: np.unique(n_lit), "one number"),
        (changes_labels, "changes an array"),
    ],
    "06.pca_svm": [
        (lambda n=50: make_pipeline(PCA(50), SVC()), "keeps 50 components"),
        (lambda n=50: make_pipeline(PCA(n), SVC(kernel="linear")), "kernel"),
        (lambda n=50: SVC(), "expected a scikit-learn Pipeline"),
        (lambda n=50: make_pipeline(PCA(n), LogisticRegression()), "expected the classifier SVC"),
        (lambda n=50: make_pipeline(SVC()), "no PCA"),
    ],
    "06.RingClassifier": [
        (network(n_convolutions=2), "2 Conv2d layers"),
        (network(n_dense=1), "1 Linear layers"),
        (network(end=[nn.Softmax(dim=1)]), "normalised"),
        (network(end=[nn.LogSoftmax(dim=1)]), "normalised"),
        (network(activation=nn.Identity), "nothing bends"),
        (lambda n_classes: network()(2), "expected (6, 4)"),
        (Unused, "does not use extra"),
        (lambda n_classes: network()(4), "n_classes is not used"),
    ],
    "06.ring_parameters_loss": [
        (lambda p, t, spread: F.mse_loss(p, t), "the spread is not used"),
        (lambda p, t, spread: ((p - t) ** 2 / spread).mean(), "divide before squaring"),
        (lambda p, t, spread: ((p - t) / spread).abs().mean(), "absolute error"),
        (lambda p, t, spread: (((p - t) / spread) ** 2).sum(), "that is a sum"),
        (lambda p, t, spread: (((p - t) / spread) ** 2).mean().item(), "expected a tensor"),
        (lambda p, t, spread: (((p - t) / spread) ** 2).mean().detach(), "no gradient"),
        (lambda p, t, spread: 0 * p.sum() + (((p - t) / spread) ** 2).mean().detach(), "not its gradient"),
        (lambda p, t, spread: (((p - t) / spread) ** 2).mean(dim=0), "expected one number"),
    ],
    "06.encode_angle": [
        (off(angle_factor=1), "2φ"),
        (off(scale=False), "multiply by the ellipticity"),
        (off(swap=True), "exchanged"),
        (off(stack=0), "are rows"),
    ],
    "06.cvae_loss": [
        (cvae(reconstruction="mean"), "mean over the pixels"),
        (cvae(batch=False), "summed over the batch"),
        (cvae(sign=-1), "wrong sign"),
        (cvae(latents="mean"), "mean over the latents"),
        (cvae(half=1), "twice as large"),
        (cvae(logits=False), "sigmoid is applied twice"),
        (cvae(beta_used=False), "beta does not multiply"),
        (lambda *arguments, **keywords: cvae()(*arguments, **keywords).item(), "so that gradients can flow"),
        (lambda output, image, beta: cvae()((output[0], *(o.detach() for o in output[1:])), image, beta), "detached"),
    ],
}


def loop(x, y, radius, width, size=28):
    inside = [
        [abs(((j + 0.5 - x) ** 2 + (i + 0.5 - y) ** 2) ** 0.5 - radius) <= width / 2 for j in range(size)]
        for i in range(size)
    ]
    return np.array(inside)


def kl(output, image, beta):
    logits, mean, log_variance = output
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    divergence = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0, 1)).sum(1).mean()
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
    ("06.RingClassifier", network()),
]
