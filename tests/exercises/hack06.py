"""Wrong and right answers to the exercises of hack 06."""

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


def distance(x, y, size, shift=0.5):
    middle = np.arange(size) + shift
    return np.hypot(middle[None, :] - x, middle[:, None] - y)


def mask(shift=0.5, half=0.5, end=np.array):
    """A mask with pixels or a width of another kind, or with something done to it at the end."""

    def attempt(x, y, radius, width, size=28):
        return end(np.abs(distance(x, y, size, shift) - radius) <= half * width)

    return attempt


def disc(x, y, radius, width, size=28):
    return distance(x, y, size) <= radius + width / 2


def always_28(x, y, radius, width, size=28):
    return mask()(x, y, radius, width)


def first_28(x, y, radius, width, size=28):
    return mask()(x, y, radius, width, size) & (np.arange(size) < 28)


def whole_centre(x, y, radius, width, size=28):
    return mask()(round(x), round(y), radius, width, size)


def whole_radius(x, y, radius, width, size=28):
    return mask()(x, y, round(radius), width, size)


def visible_width(x, y, radius, width, size=28):
    return mask()(x, y, radius, max(width, 0.5), size)


def inside_only(x, y, radius, width, size=28):
    return mask()(abs(x), abs(y), radius, width, size)


def loop(x, y, radius, width, size=28):
    found = np.zeros((size, size), dtype=bool)
    for row in range(size):
        for column in range(size):
            from_centre = ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2) ** 0.5
            found[row, column] = abs(from_centre - radius) <= width / 2
    return found


def accuracy(threshold, n_lit, n_rings):
    return np.mean((n_lit > threshold) + 1 == n_rings)


def best_of(candidates_of, score=accuracy):
    """The best of other candidates, or by another score."""

    def attempt(n_lit, n_rings):
        candidates = candidates_of(n_lit)
        return candidates[np.argmax([score(one, n_lit, n_rings) for one in candidates])]

    return attempt


def middles(n_lit):
    ordered = np.unique(n_lit)
    return (ordered[1:] + ordered[:-1]) / 2


def in_steps(step):
    return lambda n_lit: np.arange(0, n_lit.max(), step)


def f1_of_two(threshold, n_lit, n_rings):
    return f1_score(n_rings == 2, n_lit > threshold)


def quantile(n_lit, n_rings):
    return np.quantile(n_lit, np.mean(n_rings == 1))


def mean_of_lit(n_lit, n_rings):
    return n_lit.mean()


def highest(n_lit, n_rings):
    return n_lit.max()


def all_candidates(n_lit, n_rings):
    return np.unique(n_lit)


def best_accuracy(n_lit, n_rings):
    return max(accuracy(threshold, n_lit, n_rings) for threshold in n_lit)


def always_88(n_lit, n_rings):
    return 88


def negative(n_lit, n_rings):
    return -hack06.lit_pixel_threshold(n_lit, n_rings)


def changes_labels(n_lit, n_rings):
    n_rings -= 1
    return hack06.lit_pixel_threshold(n_lit, n_rings + 1)


def nothing(*arguments):
    return None


def pipeline(*before, keep=PCA, last=SVC):
    """A pipeline of these steps."""
    return lambda n=50: make_pipeline(*(step() for step in before), keep(n), last())


def keeping_50(n):
    return PCA(50)


def keeping_10(n=10):
    return make_pipeline(PCA(n), SVC())


def without_pipeline(n=50):
    return SVC()


def without_pca(n=50):
    return make_pipeline(SVC())


KEPT = make_pipeline(PCA(3, random_state=0), SVC())


def same_for_three(n=50):
    return KEPT if n == 3 else make_pipeline(PCA(n), SVC())


def with_probabilities(n=50):
    """Right: another solver, and more than is asked for."""
    return Pipeline([("pca", PCA(n, svd_solver="full")), ("svm", SVC(probability=True))])


def network(n_convolutions=3, n_dense=2, activation=nn.ReLU, end=(), hidden=16, pool=nn.AvgPool2d):
    """Networks with another number of layers, or other layers."""

    class Model(nn.Module):
        def __init__(self, n_classes):
            super().__init__()
            layers = []
            before = 1
            for _ in range(n_convolutions):
                layers += [nn.Conv2d(before, 8, 3, padding=1), activation(), pool(2)]
                before = 8
            layers += [nn.Flatten()]
            for _ in range(n_dense - 1):
                layers += [nn.LazyLinear(hidden), activation()]
            self.layers = nn.Sequential(*layers, nn.LazyLinear(n_classes), *end)

        def forward(self, images):
            return self.layers(images)

    return Model


def as_it_is(values):
    return values


def ending(end=as_it_is, start=as_it_is, features=as_it_is):
    """The reference, with something done to the images, to its features, or at the end."""

    class Model(hack06.RingClassifier):
        def forward(self, images):
            values = self.layers[:12](start(images))
            return end(self.layers[12:](features(values)))

    return Model


class Functional(nn.Module):
    """Right: activations as functions, no biases, no normalisation."""

    def __init__(self, n_classes, bend=F.relu, dense=F.relu):
        super().__init__()
        self.bend = bend
        self.dense = dense
        convolution = partial(nn.Conv2d, kernel_size=3, padding=1, bias=False)
        channels = [(1, 8), (8, 16), (16, 16)]
        self.convolutions = nn.ModuleList(convolution(*pair) for pair in channels)
        self.first = nn.Linear(16 * 9, 32, bias=False)
        self.last = nn.Linear(32, n_classes, bias=False)

    def forward(self, images):
        for convolution in self.convolutions:
            images = F.max_pool2d(self.bend(convolution(images)), 2)
        return self.last(self.dense(self.first(images.flatten(1))))


class Shared(nn.Module):
    """All networks with as many classes are the same one."""

    kept = {n_classes: hack06.RingClassifier(n_classes) for n_classes in (2, 4)}

    def __init__(self, n_classes):
        super().__init__()
        self.network = self.kept[n_classes]

    def forward(self, images):
        return self.network(images)


class Unused(hack06.RingClassifier):
    """It has a weight that nothing depends on."""

    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.extra = nn.Parameter(torch.ones(3))

    def forward(self, images):
        return super().forward(images) + 0 * self.extra.detach().sum()


def always_two(n_classes):
    return network()(2)


def always_four(n_classes):
    return network()(4)


def noisy(values):
    return values + torch.randn_like(values)


def centred(values):
    return values - values.mean(dim=0)


def squeezed(images):
    return images.squeeze()[:, None]


def scaled_softmax(logits):
    return 10 * logits.softmax(dim=1)


def softmax_of_the_batch(logits):
    return logits.softmax(dim=0)


def flat(logits):
    return logits.view(len(logits), -1)


def of_squares(end=torch.mean):
    """The loss with something else done to the squares at the end."""

    def attempt(predicted, true, spread):
        return end(((predicted - true) / spread) ** 2)

    return attempt


def plain_squares(predicted, true, spread):
    return F.mse_loss(predicted, true)


def divided_late(predicted, true, spread):
    return ((predicted - true) ** 2 / spread).mean()


def absolute(predicted, true, spread):
    return ((predicted - true) / spread).abs().mean()


def in_double(predicted, true, spread):
    return of_squares()(predicted.double(), true, spread)


def value_only(predicted, true, spread):
    return 0 * predicted.sum() + of_squares()(predicted, true, spread).detach()


def encoded(times=2, scale=np.array, stack=-1, order=1):
    """The encoding with another multiple of the angle, size, axis or order."""

    def attempt(e, angle):
        parts = [scale(e) * np.cos(times * angle), scale(e) * np.sin(times * angle)]
        return np.stack(parts[::order], axis=stack)

    return attempt


def positive_angles(e, angle):
    return encoded()(e, np.abs(angle))


def four_only(e, angle):
    return encoded()(e, angle)[:4]


def mean_over_pixels(logits, image):
    return F.binary_cross_entropy_with_logits(logits, image)


def sum_over_all(logits, image):
    return F.binary_cross_entropy_with_logits(logits, image, reduction="sum")


def sum_over_pixels(logits, image):
    return sum_over_all(logits, image) / len(image)


def sigmoid_twice(logits, image):
    return sum_over_pixels(logits.sigmoid(), image)


def over_five(logits, image):
    return sum_over_all(logits, image) / 5


def sum_over_latents(terms):
    return terms.sum(dim=1).mean()


def cvae(reconstruction=sum_over_pixels, latents=sum_over_latents, factor=0.5, weight=float):
    """The loss with another term, or another weight of the second one."""

    def attempt(output, image, beta):
        logits, mean, log_variance = output
        terms = factor * (mean**2 + log_variance.exp() - 1 - log_variance)
        return reconstruction(logits, image) + weight(beta) * latents(terms)

    return attempt


def always_1(beta):
    return 1


def in_python(output, image, beta):
    return cvae()(output, image, beta).item()


def latents_detached(output, image, beta):
    logits, mean, log_variance = output
    return cvae()((logits, mean.detach(), log_variance.detach()), image, beta)


def of_distributions(output, image, beta):
    """Right: PyTorch knows both terms."""
    logits, mean, log_variance = output
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(0, 1)
    divergence = torch.distributions.kl_divergence(posterior, prior).sum(1).mean()
    pixels = F.binary_cross_entropy(logits.sigmoid(), image, reduction="none")
    return pixels.sum((1, 2, 3)).mean() + beta * divergence


WRONG = {
    "06.ring_mask": [
        (mask(end=np.transpose), "exchanged"),
        (disc, "hollow"),
        (mask(half=1), "twice as wide"),
        (mask(shift=0), "half a pixel"),
        (mask(end=np.float64), "expected bool"),
        (always_28, "argument size"),
        (first_28, "wrong for size=40"),
        (mask(end=np.ravel), "shape"),
        (whole_centre, "pixels differ for the ring (11.3, 16.6, 7.45, 0.7)"),
        (whole_radius, "pixels differ for the ring (11.3, 16.6, 7.45, 0.7)"),
        (visible_width, "for size=17"),
        (inside_only, "leaves the image"),
    ],
    "06.lit_pixel_threshold": [
        (mean_of_lit, "the middle of n_lit"),
        (best_accuracy, "an accuracy"),
        (highest, "is right for"),
        (nothing, "nothing is returned"),
        (all_candidates, "one number"),
        (quantile, "is right for"),
        (best_of(np.unique, f1_of_two), "is right for"),
        (best_of(in_steps(5)), "is right for"),
        (best_of(in_steps(10)), "is right for"),
        (always_88, "`lit > 88.0` is right for"),
        (negative, "is it an accuracy"),
        (changes_labels, "changes an array"),
    ],
    "06.pca_svm": [
        (pipeline(keep=keeping_50), "keeps 50 components"),
        (pipeline(last=partial(SVC, kernel="linear")), "kernel"),
        (without_pipeline, "expected a scikit-learn Pipeline"),
        (pipeline(last=LogisticRegression), "expected the classifier SVC"),
        (without_pca, "no PCA"),
        (pipeline(StandardScaler), "there is a StandardScaler"),
        (pipeline(keep=partial(PCA, whiten=True)), "whitens"),
        (pipeline(last=partial(SVC, C=1e-3)), "by default"),
        (pipeline(last=partial(SVC, gamma=1.0)), "by default"),
        (keeping_10, "keeps 10 components, expected 50"),
        (same_for_three, "the same pipeline"),
    ],
    "06.RingClassifier": [
        (network(n_convolutions=2), "2 Conv2d layers"),
        (network(n_dense=1), "1 Linear layers"),
        (network(end=[nn.Softmax(dim=1)]), "normalised"),
        (network(end=[nn.LogSoftmax(dim=1)]), "normalised"),
        (always_two, "for 6 images and 4 classes the output has shape (6, 2), expected (6, 4)"),
        (always_four, "for 3 images and 2 classes the output has shape (3, 4)"),
        (Unused, "does not use extra"),
        (Shared, "share their weights"),
        (ending(F.logsigmoid), "something follows the last layer"),
        (ending(scaled_softmax), "something follows the last layer"),
        (ending(softmax_of_the_batch), "do not mix samples"),
        (ending(features=centred), "do not mix samples"),
        (ending(features=F.dropout), "noise, or dropout"),
        (ending(features=noisy), "noise, or dropout"),
        (ending(features=torch.detach), "does not use layers.0.weight"),
        (ending(start=squeezed), "for a batch of one it raises"),
        (ending(start=torch.detach), "no gradient flows back"),
        (network(activation=nn.Identity), "nothing bends between a Conv2d"),
        (partial(Functional, bend=as_it_is), "nothing bends between a Conv2d"),
        (partial(Functional, dense=as_it_is), "nothing bends between a Linear"),
    ],
    "06.ring_parameters_loss": [
        (plain_squares, "the spread is not used"),
        (divided_late, "divide before squaring"),
        (absolute, "absolute error"),
        (of_squares(torch.sum), "that is a sum"),
        (of_squares(lambda squares: squares.mean().item()), "expected a tensor"),
        (of_squares(lambda squares: squares.mean().detach()), "no gradient"),
        (value_only, "not its gradient"),
        (of_squares(lambda squares: squares.mean(dim=0)), "expected one number"),
        (of_squares(lambda squares: squares.sum() / 15), "for 7 rings with 3 parameters"),
        (of_squares(lambda squares: squares.mean().sqrt()), "root of the mean square"),
    ],
    "06.encode_angle": [
        (encoded(times=1), "2φ"),
        (encoded(scale=np.ones_like), "multiply by the ellipticity"),
        (encoded(order=-1), "exchanged"),
        (encoded(stack=0), "are rows"),
        (positive_angles, "negative angles"),
        (four_only, "the result has shape (4, 2), expected (9, 2)"),
    ],
    "06.cvae_loss": [
        (cvae(reconstruction=mean_over_pixels), "mean over the pixels"),
        (cvae(reconstruction=sum_over_all), "summed over the batch"),
        (cvae(reconstruction=sigmoid_twice), "sigmoid is applied twice"),
        (cvae(reconstruction=over_five), "for batch size 2 and latent size 2"),
        (cvae(factor=-0.5), "wrong sign"),
        (cvae(factor=1), "twice as large"),
        (cvae(latents=torch.mean), "mean over the latents"),
        (cvae(latents=torch.sum), "the KL is summed over the batch"),
        (cvae(weight=always_1), "beta does not multiply"),
        (cvae(weight=int), "for beta = 0.5"),
        (in_python, "so that gradients can flow"),
        (latents_detached, "detached"),
    ],
}

RIGHT = [
    ("06.ring_mask", loop),
    ("06.lit_pixel_threshold", best_of(middles)),
    ("06.pca_svm", with_probabilities),
    ("06.RingClassifier", network()),
    ("06.RingClassifier", network(activation=nn.Tanh)),
    ("06.RingClassifier", network(activation=partial(nn.ReLU, inplace=True))),
    ("06.RingClassifier", network(activation=nn.GELU, pool=nn.MaxPool2d)),
    ("06.RingClassifier", ending(flat)),
    ("06.RingClassifier", Functional),
    ("06.RingClassifier", partial(Functional, bend=F.leaky_relu, dense=F.elu)),
    ("06.ring_parameters_loss", in_double),
    ("06.encode_angle", encoded()),
    ("06.cvae_loss", of_distributions),
]

# Edits of the reference that leave it right.
EQUIVALENT = {
    "06.RingClassifier": {
        "[nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out)] → "
        "[nn.Conv2d(channels_in, channels_out, 3, padding=1)]": "without normalisation is right too"
    }
}
