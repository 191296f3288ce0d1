"""Wrong and right answers to the exercises of hack 06."""

import copy
from functools import partial

import numpy as np
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from torch import nn
from torch.nn import functional as F

from helpers.reference import hack06
from helpers.subjects.rings.baselines import pca_svm


def scores_of(candidates, train, validation):
    """Accuracy on validation images, by the number of components."""
    return {n: pca_svm(n).fit(*train).score(*validation) for n in candidates}


def best_by_validation(candidates, train, validation):
    """Right: the best accuracy."""
    scores = scores_of(candidates, train, validation)
    return max(scores, key=scores.get)


def fewest_of_good(share):
    """Choose the fewest components among those that lose so little against the best."""

    def attempt(candidates, train, validation):
        scores = scores_of(candidates, train, validation)
        best = max(scores.values())
        return min(n for n in candidates if scores[n] >= best - share)

    return attempt


def best_by_training(candidates, train, validation):
    scores = scores_of(candidates, train, train)
    return max(scores, key=scores.get)


def fitted_to_validation(candidates, train, validation):
    return best_by_training(candidates, validation, validation)


def most(candidates, train, validation):
    return max(candidates)


def fewest(candidates, train, validation):
    return min(candidates)


def first_candidate(candidates, train, validation):
    return candidates[0]


def best_accuracy(candidates, train, validation):
    return max(scores_of(candidates, train, validation).values())


def always_50(candidates, train, validation):
    return 50


def place_of_best(candidates, train, validation):
    scores = scores_of(candidates, train, validation)
    return int(np.argmax(list(scores.values())))


def all_scores(candidates, train, validation):
    return list(scores_of(candidates, train, validation).values())


def at_random(candidates, train, validation):
    return int(np.random.choice(candidates))


def nothing(*arguments, **keywords):
    return None


def epoch(
    mode="train",
    order=torch.randperm,
    zero=True,
    backward=True,
    step=True,
    last=True,
    size=None,
    end=lambda total, n, batches: total / n,
    repeat=1,
):
    """One epoch, with a part left out or done in another way."""

    def attempt(model, images, labels, optimiser, batch_size=64):
        if mode:
            getattr(model, mode)()
        n = len(images)
        rows_of = order(n)
        batch = size or batch_size
        starts = range(0, n if last else n - n % batch, batch)
        total = 0.0
        for start in starts:
            rows = rows_of[start : start + batch]
            for _ in range(repeat):
                loss = F.cross_entropy(model(images[rows]), labels[rows])
            if zero:
                optimiser.zero_grad()
            if backward:
                loss.backward()
            if step:
                optimiser.step()
            total += loss.item() * len(rows)
        return end(total, n, len(starts))

    return attempt


def with_replacement(n):
    return torch.randint(n, (n,))


def fixed_order(n):
    return torch.randperm(n, generator=torch.Generator().manual_seed(1))


def by_data_loader(model, images, labels, optimiser, batch_size=64):
    """Right: PyTorch's own batches, and the mean of the losses of batches."""
    pairs = torch.utils.data.TensorDataset(images, labels)
    model.train()
    losses = []
    for x, y in torch.utils.data.DataLoader(pairs, batch_size, shuffle=True):
        loss = nn.CrossEntropyLoss()(model(x), y)
        optimiser.zero_grad(set_to_none=False)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean()


def by_numpy(model, images, labels, optimiser, batch_size=64):
    """Right: the order is NumPy's, the gradients are set to zero after the step."""
    model.train()
    order = np.random.permutation(len(images))
    losses = 0
    for rows in np.split(order, range(batch_size, len(order), batch_size)):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimiser.step()
        model.zero_grad()
        losses = losses + loss.item() * len(rows) / len(order)
    return losses


def step_first(model, images, labels, optimiser, batch_size=64):
    """The step is made before there is a gradient."""
    model.train()
    total = 0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimiser.step()
        optimiser.zero_grad()
        loss.backward()
        total += loss.item() * len(rows)
    return total / len(images)


def ascent(model, images, labels, optimiser, batch_size=64):
    """Uphill."""
    model.train()
    total = 0
    for rows in torch.randperm(len(images)).split(batch_size):
        loss = F.cross_entropy(model(images[rows]), labels[rows])
        optimiser.zero_grad()
        (-loss).backward()
        optimiser.step()
        total += loss.item() * len(rows)
    return total / len(images)


def scales_images(model, images, labels, optimiser, batch_size=64):
    """It works, and changes what it is given."""
    found = epoch()(model, images, labels, optimiser, batch_size)
    images *= 0.99
    return found


def counting(mode="eval", keep=torch.inference_mode, first=1, end=np.array, restore=False):
    """Count rings with the network in a mode, from another first number, or with another end."""

    def attempt(model, images, batch_size=100):
        before = model.training
        if mode:
            getattr(model, mode)()
        with keep():
            found = [model(batch).argmax(dim=1) for batch in images.split(batch_size)]
        if restore:
            model.train(before)
        return end(torch.cat(found) + first)

    return attempt


def on_a_copy(model, images, batch_size=100):
    """It leaves the network alone, and still asks the whole batch."""
    return counting(mode="train")(copy.deepcopy(model), images, batch_size)


def one_at_a_time(model, images, batch_size=100):
    """Batches of one do not help: batch normalisation then looks at one image."""
    return counting(mode=None)(copy.deepcopy(model), images, 1)


def right_and_learning(model, images, batch_size=100):
    """The answers are right; the network has learned of the images all the same."""
    found = counting()(model, images, batch_size)
    model.train()(images)
    return found


def network(
    n_convolutions=3,
    n_dense=2,
    activation=nn.ReLU,
    end=(),
    pool=nn.AvgPool2d,
    normalise=nn.BatchNorm2d,
):
    """Networks with another number of layers, or other layers."""

    class Model(nn.Module):
        def __init__(self, n_classes):
            super().__init__()
            layers = []
            before = 1
            for _ in range(n_convolutions):
                layers += [nn.Conv2d(before, 8, 3, padding=1), normalise(8)]
                layers += [activation(), pool(2)]
                before = 8
            layers += [nn.Flatten()]
            for _ in range(n_dense - 1):
                layers += [nn.LazyLinear(16), activation()]
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
    """Right: activations as functions, and no biases."""

    def __init__(self, n_classes, bend=F.relu, dense=F.relu):
        super().__init__()
        self.bend = bend
        self.dense = dense
        convolution = partial(nn.Conv2d, kernel_size=3, padding=1, bias=False)
        channels = [(1, 8), (8, 16), (16, 16)]
        self.convolutions = nn.ModuleList(convolution(*pair) for pair in channels)
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for _, after in channels)
        self.first = nn.Linear(16 * 9, 32, bias=False)
        self.last = nn.Linear(32, n_classes, bias=False)

    def forward(self, images):
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            images = F.max_pool2d(self.bend(norm(convolution(images))), 2)
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


def encoded(times=2, scale=np.array, stack=-1, order=1, turned=0.0):
    """An encoding with another multiple of the angle, size, axis, order or direction."""

    def attempt(e, angle):
        phase = times * angle + turned
        parts = [scale(e) * np.cos(phase), scale(e) * np.sin(phase)]
        return np.stack(parts[::order], axis=stack)

    return attempt


def itself(e, angle):
    return np.stack([e, angle], axis=-1)


def itself_folded(e, angle):
    return np.stack([e, angle % np.pi], axis=-1)


def sine_only(e, angle):
    return np.stack([e, np.sin(2 * angle)], axis=-1)


def cosine_only(e, angle):
    return np.stack([e, e * np.cos(2 * angle)], axis=-1)


def sine_of_half(e, angle):
    return np.stack([e, e * np.sin(angle % np.pi)], axis=-1)


def half_scaled(e, angle):
    return np.stack([e * np.cos(2 * angle), np.sin(2 * angle)], axis=-1)


def constant(e, angle):
    return np.ones((len(e), 2))


def divided(e, angle):
    return encoded()(1 / (e - e[0]), angle)


def ranked(e, angle):
    return encoded()(np.argsort(np.argsort(e)) / len(e), angle)


def code_centred(e, angle):
    code = encoded()(e, angle)
    return code - code.mean(axis=0)


def three_numbers(e, angle):
    return np.column_stack([itself(e, angle), e])


def moments(e, angle):
    """Right: differences of the second moments of an ellipse of area 1."""
    ratio = (1 + e) / (1 - e)
    matrices = [np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)]
    turn = np.moveaxis(np.reshape(matrices, (2, 2, -1)), -1, 0)
    axes = np.zeros((len(e), 2, 2))
    axes[:, 0, 0] = ratio
    axes[:, 1, 1] = 1 / ratio
    moment = turn @ axes @ turn.transpose(0, 2, 1)
    return np.column_stack([moment[:, 0, 0] - moment[:, 1, 1], moment[:, 0, 1]])


def lengthened(e, angle):
    """Right: another distance from the circle, the other way round, and shifted."""
    return 3 + encoded(times=-2, scale=lambda e: np.log((1 + e) / (1 - e)))(e, angle)


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


def forest():
    return RandomForestRegressor(100, min_samples_leaf=2, random_state=0)


def parabola():
    return make_pipeline(PolynomialFeatures(2), LinearRegression())


def neighbours():
    return KNeighborsRegressor(8)


def explained(make=forest, parts="held out", turned=False, relative=True, end=np.array):
    """R² by a regressor, of halves or of what was fitted to, in one direction or the other."""

    def attempt(latents, parameters):
        x, y = (latents, parameters) if turned else (parameters, latents)
        half = len(x) // 2
        held = slice(half, None) if parts == "held out" else slice(0, half)
        found = make().fit(x[:half], y[:half]).predict(x[held]).reshape(y[held].shape)
        wrong = ((found - y[held]) ** 2).mean(axis=0)
        return end(1 - wrong / y[held].var(axis=0) if relative else 1 - wrong)

    return attempt


def by_folds(latents, parameters):
    """Right: folds instead of halves, and scikit-learn's own measure."""
    found = cross_val_predict(neighbours(), parameters, latents, cv=4)
    return r2_score(latents, found, multioutput="raw_values")


def unexplained(latents, parameters):
    return 1 - explained()(latents, parameters)


def overall(latents, parameters):
    return explained()(latents, parameters).mean()


def correlation(latents, parameters):
    """Of a straight line, and of the first parameter only."""
    return [np.corrcoef(latent, parameters[:, 0])[0, 1] ** 2 for latent in latents.T]


WRONG = {
    "06.choose_components": [
        (best_by_training, "that is the choice of the training images"),
        (fitted_to_validation, "that is the choice of the training images"),
        (most, "that is the choice of the training images"),
        (fewest, "too few components"),
        (first_candidate, "too many components"),
        (fewest_of_good(0.1), "too few components"),
        (best_accuracy, "expected one of 12, 2, 30, 5"),
        (always_50, "expected one of 12, 2, 30, 5, found 50"),
        (place_of_best, "expected one of 12, 2, 30, 5"),
        (all_scores, "one number"),
        (at_random, "chooses another number"),
        (nothing, "nothing is returned"),
    ],
    "06.RingClassifier": [
        (network(n_convolutions=2), "2 Conv2d layers"),
        (network(normalise=nn.Identity), "0 BatchNorm2d layers"),
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
    "06.train_epoch": [
        (epoch(mode=None), "in evaluation mode"),
        (epoch(mode="eval"), "in evaluation mode"),
        (epoch(order=torch.arange), "the same order in every epoch"),
        (epoch(order=fixed_order), "the same order in every epoch"),
        (epoch(order=with_replacement), "images are used"),
        (epoch(zero=False), "are added to those of the step before"),
        (epoch(backward=False), "no weight has changed"),
        (epoch(step=False), "no weight has changed"),
        (epoch(last=False), "only 8 of 10 images are used"),
        (epoch(size=64), "a batch has 10 images where batch_size is 4"),
        (epoch(size=1), "10 images come in 10 batches, not in 3"),
        (epoch(end=lambda total, n, batches: total), "added up over all images"),
        (epoch(end=lambda total, n, batches: total / 2), "the losses of the batches are added up"),
        (epoch(end=lambda total, n, batches: total / n / n), "once more"),
        (epoch(end=lambda total, n, batches: total / n / 2), "once more"),
        (epoch(end=nothing), "nothing is returned"),
        (epoch(repeat=2), "used more than once"),
        (step_first, "after three steps the weights are"),
        (ascent, "after three steps the weights are"),
        (scales_images, "it changes the images"),
    ],
    "06.count_rings": [
        (hack06.count_rings_as_given, "and each call changes the network"),
        (on_a_copy, "The cell below shows how much"),
        (one_at_a_time, "does not depend on the others"),
        (right_and_learning, "the answers are right, but"),
        (counting(first=0), "class 0 is one ring"),
        (counting(end=lambda found: found[:, None]), "the shape (20, 1), expected (20,)"),
        (counting(end=nothing), "nothing is returned"),
    ],
    "06.encode_shape": [
        (itself, "turned by 180°"),
        (itself_folded, "the code jumps"),
        (encoded(times=1), "turned by 180°"),
        (encoded(scale=np.ones_like), "a circle has no angle"),
        (encoded(times=4), "two ellipses have (nearly) one code"),
        (encoded(stack=0), "are rows"),
        (sine_only, "a circle has no angle"),
        (cosine_only, "two ellipses have (nearly) one code"),
        (sine_of_half, "two ellipses have (nearly) one code"),
        (half_scaled, "a circle has no angle"),
        (constant, "all ellipses have the same code"),
        (divided, "not finite"),
        (ranked, "a circle has no angle"),
        (code_centred, "each by itself"),
        (three_numbers, "the code has shape (288, 3)"),
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
    "06.foretold": [
        (explained(turned=True), "one parameter the shape is (1,)"),
        (explained(parts="fitted"), "not fitted to"),
        (explained(LinearRegression), "a straight line does not see it"),
        (explained(parabola), "a straight line does not see it"),
        (explained(relative=False), "in another unit"),
        (explained(end=lambda r2: r2 + 0.1), "above 1"),
        (unexplained, "above 1"),
        (overall, "the shape is (), expected (2,)"),
        (correlation, "a straight line does not see it"),
        (nothing, "nothing is returned"),
    ],
}

RIGHT = [
    ("06.choose_components", best_by_validation),
    ("06.choose_components", fewest_of_good(0.015)),
    ("06.train_epoch", epoch()),
    ("06.train_epoch", by_data_loader),
    ("06.train_epoch", by_numpy),
    ("06.count_rings", counting()),
    ("06.count_rings", counting(keep=torch.no_grad, end=torch.clone)),
    ("06.count_rings", counting(end=torch.Tensor.tolist, restore=True)),
    ("06.encode_shape", encoded(order=-1)),
    ("06.encode_shape", encoded(turned=0.3, scale=lambda e: 7 * e)),
    ("06.encode_shape", moments),
    ("06.encode_shape", lengthened),
    ("06.foretold", explained(neighbours)),
    ("06.foretold", by_folds),
    ("06.RingClassifier", network()),
    ("06.RingClassifier", network(activation=nn.Tanh)),
    ("06.RingClassifier", network(activation=partial(nn.ReLU, inplace=True))),
    ("06.RingClassifier", network(activation=nn.GELU, pool=nn.MaxPool2d)),
    ("06.RingClassifier", ending(flat)),
    ("06.RingClassifier", Functional),
    ("06.RingClassifier", partial(Functional, bend=F.leaky_relu, dense=F.elu)),
    ("06.cvae_loss", of_distributions),
]

# Edits of the reference that leave it right.
WINDOW = "another window or margin of a convolution is right as well"
FOREST = "another forest, or another share of the images, is right as well"
EQUIVALENT = {
    "06.RingClassifier": {
        "nn.Conv2d(1, 16, 3, padding=1) → nn.Conv2d(1, 16, 3)": WINDOW,
        "nn.Conv2d(16, 32, 3, padding=1) → nn.Conv2d(16, 32, 3)": WINDOW,
        "3 → ": WINDOW,
        "1 → ": WINDOW,
    },
    "06.choose_components": {
        "np.sqrt(best * (1 - best) / len(validation[1])) → ": "the best is right as well",
        "best - error → best": "the best is right as well",
    },
    "06.encode_shape": {
        "return np.stack([first, second], axis=-1) → return -": "another code is right as well"
    },
    "06.foretold": {
        "RandomForestRegressor(100, min_samples_leaf=2, random_state=0) → Random": FOREST,
        "100 → ": FOREST,
        "2 → ": FOREST,
        "0 → 1": FOREST,
    },
}
