"""Figures that are peculiar to rings. Each takes data and returns the Matplotlib figure."""

import math

import numpy as np

from helpers.plots import image_grid, label_decades, panels, size_axis, titled_panels
from helpers.plots.guesses import draw_guess

CURVE = {"fmt": "o-", "capsize": 2}  # points with errors, joined
OUTLINE = {"histtype": "step", "linewidth": 1.5}
CHOSEN = {"color": "black", "linestyle": "--", "linewidth": 1}
REFERENCE = {"color": "grey", "linestyle": "--", "linewidth": 1}
STYLES = (("red", "-"), ("cyan", "--"))  # of the true and the predicted circle


def draw_circle(axis, x, y, radius, color, style="-"):
    """Draw the circle of a ring over an image, whose pixel i, from i to i + 1, is drawn at i."""
    angle = np.linspace(0, 2 * np.pi, 100)
    pixel_x = x - 0.5 + radius * np.cos(angle)
    pixel_y = y - 0.5 + radius * np.sin(angle)
    axis.plot(pixel_x, pixel_y, style, color=color, linewidth=1.5)


def circles(images, true, predicted, *, mock, columns=6):
    """Show images with the true (red) and the predicted (cyan, dashed) circle.

    Parameters
    ----------
    images : array, shape (n, 28, 28)
    true, predicted : array, shape (n, at least 5)
        x, y, radius, thickness, deformation in pixels.
    mock : bool
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = math.ceil(len(images) / columns)
    figure, axes = panels(rows, columns, mock=mock, size=(1.75, 2.1), squeeze=False)
    shown = axes.flat[: len(images)]
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, *rings in zip(shown, images, true, predicted, strict=True):
        axis.imshow(image)
        axis.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5))
        for ring, (color, style) in zip(rings, STYLES, strict=True):
            draw_circle(axis, *ring[:3], color, style)
        axis.set_title("\n".join(map(_numbers, rings)), fontsize=7)
    styles = "red: true    cyan, dashed: predicted"
    numbers = "(x, y), r radius, t thickness, d deformation, in pixels"
    figure.supxlabel(f"{styles}    {numbers}", fontsize=8)
    return figure


def _numbers(ring):
    x, y, radius, thickness, deformation = ring[:5]
    return f"({x:.1f}, {y:.1f}) r {radius:.1f}\nt {thickness:.2f} d {deformation:.2f}"


def binomial_error(share, n):
    """Standard error of a share of n that are independent of each other, shape of `share`."""
    return np.sqrt(share * (1 - share) / n)


def lit_pixels(n_lit, n_rings, thresholds, accuracies, *, mock, guess=None):
    """Show how many pixels are lit by one and by two rings, and how often a threshold is right.

    Parameters
    ----------
    n_lit, n_rings : array, shape (n,)
    thresholds, accuracies : array, shape (m,)
        Accuracy of the rule "two rings if more than so many pixels are lit".
    mock : bool
    guess : float, optional
        Of the best accuracy.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = panels(1, 2, mock=mock, size=(4.6, 3))
    for number, name in ((1, "1 ring"), (2, "2 rings")):
        of_number = n_lit[n_rings == number]
        left.hist(of_number, bins=40, label=name, **OUTLINE)
    best = np.argmax(accuracies)
    chosen = thresholds[best]
    for axis in (left, right):
        axis.axvline(chosen, **CHOSEN)
    left.set_xlabel("lit pixels")
    left.set_ylabel("training images")
    left.legend()
    right.plot(thresholds, accuracies, label=f"best: > {chosen}")
    right.set_xlabel("threshold [lit pixels]")
    right.set_ylabel("accuracy on training images")
    right.set_ylim((0.4, 1))
    draw_guess(right, guess)
    return figure


def accuracies(of, n, chosen, *, mock):
    """Show accuracies against the number of components.

    Parameters
    ----------
    of : dict of str to dict of int to float
        By the set of images: accuracy by number of components.
    n : dict of str to int
        Size of each set.
    chosen : int
        Number of components.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(6, 3.2))
    for name, points in of.items():
        height = np.array(list(points.values()))
        error = binomial_error(height, n[name])
        axis.errorbar(list(points), height, error, **CURVE, label=name)
    axis.axvline(chosen, **CHOSEN, label=f"your choice: {chosen}")
    axis.set(ylabel="accuracy")
    size_axis(axis, "principal components")
    axis.legend()
    return figure


def losses(values, *, mock):
    """Show the loss of each epoch, and that of who only knows that both answers are as frequent.

    Parameters
    ----------
    values : sequence of float
        Cross entropy, one an epoch.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(5.5, 3))
    epochs = np.arange(1, len(values) + 1)
    axis.plot(epochs, values, "o-", label="your loop, training images")
    axis.axhline(math.log(2), **REFERENCE, label="nothing known: ln 2")
    axis.set_xlabel("epoch")
    axis.set_ylabel("cross entropy [nat]")
    axis.set_xticks(epochs)
    axis.set_ylim(bottom=0)
    axis.legend()
    return figure


def orders(found, *, mock, guess=None):
    """Show accuracies on the same images, in several orders, against the size of the batches.

    Parameters
    ----------
    found : dict of str to dict of str to dict of int to float
        By the function that counts, a panel each, and the order: accuracy by size of batch.
    mock : bool
    guess : float, optional
        Of an accuracy.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = titled_panels(found, mock=mock, size=(4.6, 3.2), sharey=True)
    for axis, curves in zip(axes, found.values(), strict=True):
        for (order, points), style in zip(curves.items(), ("o-", "s--"), strict=False):
            axis.plot(list(points), list(points.values()), style, label=order)
        size_axis(axis, "images in a batch")
        axis.set(ylim=(0, 1.03))
    axes[0].set_ylabel("accuracy on the same images")
    draw_guess(axes[0], guess)
    return figure


def wrong_answers(answers, true, *, mock, guess=None):
    """Show how many images each method counts wrongly.

    Parameters
    ----------
    answers : dict of str to array, shape (n,)
    true : array, shape (n,)
    mock : bool
    guess : float, optional
        Of the last method.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(6.5, 2.6))
    names = []
    n = len(true)
    for place, (name, answer) in enumerate(answers.items()):
        share = np.mean(answer != true)
        number = share * n
        error = binomial_error(share, n) * n
        drawn = max(number, 0.5)  # 0 has no place on a logarithmic axis
        axis.errorbar(drawn, place, xerr=error, fmt="o", capsize=3)
        names.append(f"{name}: {number:.0f}")
    axis.set_yticks(range(len(answers)), names)
    axis.set_xlabel(f"of {n} test images, counted wrongly")
    axis.set_xscale("log")
    axis.set_ylim(len(answers) - 0.5, -0.5)
    label_decades(axis.xaxis)
    draw_guess(axis, guess, along="x")
    return figure


def against_separation(apart, missed, *, mock, guess=None):
    """Show how often two rings are taken for one, and how many pairs there are, by separation.

    Parameters
    ----------
    apart : array, shape (n,)
        Separation of the two rings in pixels, whole numbers.
    missed : array of bool, shape (n,)
    mock : bool
    guess : float, optional
        Of the share of pairs missed at a separation of one pixel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    separations = np.array([pixels for pixels in range(9) if (apart == pixels).any()])
    numbers = np.array([np.sum(apart == pixels) for pixels in separations])
    share = np.array([missed[apart == pixels].mean() for pixels in separations])
    figure, (left, right) = panels(1, 2, mock=mock, size=(4.4, 3.2))
    error = binomial_error(share, numbers)
    left.errorbar(separations, share, error, **CURVE)
    left.set_ylabel("share taken for one ring")
    left.set_ylim((-0.05, 1.05))
    draw_guess(left, guess, label="your guess at 1 px")
    percent = 100 / len(apart)
    pairs = percent * numbers
    error = percent * np.sqrt(numbers)
    right.errorbar(separations, pairs, error, **CURVE)
    right.set_ylabel("pairs at this separation [%]")
    right.set_ylim((0, None))
    for axis in (left, right):
        axis.set_xlabel("separation of the two rings [px]")
        axis.set_xticks(range(9))
    return figure


def numbers_of_rings(scan, clusters, *, mock):
    """Show how counting fares with more rings, and what counting pieces of light would give.

    Parameters
    ----------
    scan : dict of int to dict of str to (float, float)
        By the largest number of rings: accuracy and its error by the method.
    clusters : dict of int to array
        Number of pieces in each image, by its number of rings.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, middle, right) = panels(1, 3, mock=mock, size=(3.9, 3.2))
    _curves(left, scan)
    most = np.array(list(scan))
    left.plot(most, 1 / most, "--", color="grey", label="chance")
    left.set_xlabel("largest number of rings")
    left.set_ylabel("accuracy")
    left.set_ylim((0, 1.03))
    left.set_xticks(most)
    left.legend()
    rings = list(clusters)
    mean = [found.mean() for found in clusters.values()]
    error = [found.std() / math.sqrt(len(found)) for found in clusters.values()]
    middle.errorbar(rings, mean, error, **CURVE)
    middle.set_ylabel("mean number of connected pieces")
    middle.set_ylim((0, None))
    n = np.array([len(found) for found in clusters.values()])
    equal = np.array([np.mean(found == number) for number, found in clusters.items()])
    error = binomial_error(equal, n)
    right.errorbar(rings, equal, error, **CURVE)
    right.set_ylabel("share with as many pieces as rings")
    right.set_ylim((0, 1.05))
    for axis in (middle, right):
        axis.set_xlabel("number of rings")
        axis.set_xticks(rings)
    return figure


def _curves(axis, points):
    """Draw a curve with errors for each method, of its (value, error) by the position."""
    for method in next(iter(points.values())):
        height, error = np.transpose([values[method] for values in points.values()])
        axis.errorbar(list(points), height, error, **CURVE, label=method)


def angle_errors(true, wrong_by, *, mock, guess=None):
    """Show the error of an angle against the angle, a panel each way of encoding it.

    Parameters
    ----------
    true : array, shape (n,)
        In radians, 0 to π.
    wrong_by : dict of str to array, shape (n,)
        In degrees, -90 to 90.
    mock : bool
    guess : float, optional
        Angle at which the errors of the first are expected to be largest.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = titled_panels(wrong_by, mock=mock, size=(4.4, 3.2), sharey=True)
    for axis, error in zip(axes, wrong_by.values(), strict=True):
        axis.plot(np.degrees(true), error, ".", markersize=3, alpha=0.5)
        axis.set_xlabel("true angle φ [°]")
        axis.set_xticks(range(0, 181, 45))
        axis.set_yticks(range(-90, 91, 45))
    axes[0].set_ylabel("error of the angle [°]")
    draw_guess(axes[0], guess, along="x", label="your guess, worst at")
    return figure


def codes(of):
    """Show into which points ellipses are encoded: turned by half a circle, for some ellipticities.

    Parameters
    ----------
    of : dict of str to callable
        ``encode(ellipticity, angle)`` returns an array of shape (n, 2); a panel each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    angle = np.linspace(0, np.pi, 181)[:-1]
    figure, axes = titled_panels(of, mock=False, size=(3.6, 3.3))
    for axis, encode in zip(axes, of.values(), strict=True):
        for e in (0.0, 0.1, 0.2, 0.3, 0.4):
            first, second = np.asarray(encode(np.full(len(angle), e), angle), dtype=float).T
            axis.plot(first, second, ".", markersize=2, label=f"e = {e}")
            axis.plot(first[0], second[0], "k^", markersize=5)
            axis.plot(first[-1], second[-1], "kv", markersize=5)
        axis.set_xlabel("first number")
        axis.set_ylabel("second number")
    axes[-1].plot([], [], "k^", label="φ = 0°")
    axes[-1].plot([], [], "kv", label="φ = 179°")
    axes[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=1.5)
    return figure


def zoomed(figure, last):
    """Show only the last epochs of a figure of losses, on a linear axis.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Of `helpers.plots.history`; it is changed.
    last : int
        Number of epochs.

    Returns
    -------
    matplotlib.figure.Figure
    """
    axis = figure.axes[0]
    axis.set_yscale("linear")
    ends = [np.asarray(line.get_ydata(), dtype=float)[-last:] for line in axis.lines]
    lowest = min(end.min() for end in ends)
    highest = max(end.max() for end in ends)
    room = 0.05 * (highest - lowest) + 0.01
    longest = max(len(line.get_xdata()) for line in axis.lines)
    axis.set_xlim((max(longest - last, 0), longest + 1))
    axis.set_ylim((lowest - room, highest + room))
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    figure.set_figwidth(8)
    return figure


def rows(images, shown, *, mock):
    """Show some images of several sets, a row each.

    Parameters
    ----------
    images : dict of str to array, shape (n, 1, height, width)
    shown : array of int
        The same ones of each set.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    pictures = np.concatenate([one_set[shown, 0] for one_set in images.values()])
    return image_grid(pictures, columns=len(shown), mock=mock, row_names=list(images))


def leaks(found, *, mock):
    """Show how far latents can be foretold from the condition, and what that does to new images.

    Parameters
    ----------
    found : dict of str to list of (array of shape (m,), array of shape (m,), float)
        By the kind of training, for each seed: KL divergence in nats and R² of each latent, and the
        judge's worst error in units of that on test images.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = panels(1, 2, mock=mock, size=(4.6, 3.4))
    for (kind, trained), marker in zip(found.items(), ("o", "s", "^"), strict=False):
        divergences = np.concatenate([divergence for divergence, _, _ in trained])
        foretold = np.concatenate([r2 for _, r2, _ in trained])
        left.plot(divergences, foretold, marker, alpha=0.7, label=kind)
        total = [divergence.sum() for divergence, _, _ in trained]
        right.plot(total, [worst for _, _, worst in trained], marker, alpha=0.7)
    left.set_xlabel("KL of a latent [nat]")
    left.set_ylabel("R² of the latent, from c")
    left.set_ylim((-0.3, 1.05))
    left.axhline(0, color="grey", linewidth=0.8)
    right.axhline(1, **REFERENCE)
    right.set_xlabel("KL of all latents [nat]")
    right.set_ylabel("judge's worst error / on test images")
    right.set_ylim(bottom=0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def shared_randomness(deformations, ratios, differences, *, mock):
    """Show whether pixels are random together, and how the light of generated rings scatters.

    Parameters
    ----------
    deformations : array, shape (n,)
        In pixels.
    ratios : dict of str to array, shape (n,)
        Variance of the number of lit pixels over what independent pixels would give.
    differences : dict of str to array, shape (m,)
        Lit share of an image minus that of the test image with the same parameters.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = panels(1, 2, mock=mock, size=(4.6, 3.4))
    for name, ratio in ratios.items():
        left.plot(deformations, ratio, "o-", label=name)
    left.axhline(1, **REFERENCE)
    left.set_xlabel("deformation [px]")
    left.set_ylabel("variance of lit pixels / Σ p(1 − p)")
    left.set_yscale("log")
    label_decades(left.yaxis)
    bins = np.linspace(-10, 10, 61)
    for difference in differences.values():
        right.hist(100 * difference, bins=bins, **OUTLINE)
    right.set_xlabel("lit share, generated − test image [%]")
    right.set_ylabel("images")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def training_sets(counters, generators, drawn, shown, *, mock):
    """Show how counters and a generator fare with smaller training sets, and some of its images.

    Parameters
    ----------
    counters : dict of int to dict of str to (float, float)
        By size: accuracy and its error by the method.
    generators : dict of str to (int, float)
        By the set: its size, and the judge's worst error in units of that on test images.
    drawn : dict of str to array, shape (n, 1, height, width)
        Images of these generators.
    shown : array of int
        Rows of those that are shown.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, middle, right) = panels(1, 3, mock=mock, size=(4, 3.2))
    _curves(left, counters)
    left.set_ylabel("accuracy")
    left.set_ylim((None, 1.003))
    left.legend()
    for name, (size, worst) in generators.items():
        middle.plot(size, worst, "o", markersize=7, label=name)
    middle.set_ylabel("judge's worst error / on test images")
    middle.set_ylim((0.9, None))
    middle.legend(title="generator trained on")
    for axis in (left, middle):
        size_axis(axis, "training images")
    rows = [np.hstack(images[shown, 0]) for images in drawn.values()]
    right.imshow(np.vstack(rows))
    height = len(rows[0])
    middles = [(row + 0.5) * height for row in range(len(rows))]
    right.set_yticks(middles, list(drawn), fontsize=9)
    right.set_xticks([])
    right.set_title("images")
    return figure
