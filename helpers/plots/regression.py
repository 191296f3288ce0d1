"""Predictions of numbers: beside the truth, as distributions, and what the model looked at."""

import numpy as np

from helpers.plots.style import panels

PIT_BINS = 20


def predicted_against_true(
    predicted,
    true,
    *,
    mock,
    names=("true", "predicted"),
    columns=3,
    limits=None,
    margin=None,
    describe=None,
):
    """Show predictions against the truth, one panel a method.

    Parameters
    ----------
    predicted : dict of str to array, shape (n,)
    true : array, shape (n,)
    mock : bool
    names : (str, str)
        Of the two axes.
    columns : int
    limits : (float, float), optional
        Of both axes; without them the truth fits in.
    margin : callable, optional
        ``margin(true)``: how far above and below the truth dashed lines are drawn.
    describe : callable, optional
        ``describe(predicted, true)``: what is written into the panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(predicted) // columns)
    shared = {"sharex": True, "sharey": True, "squeeze": False}
    figure, axes = panels(rows, columns, mock=mock, size=(3.1, 2.9), **shared)
    limits = limits or (np.min(true), np.max(true))
    line = np.array(limits)
    used = axes.flat[: len(predicted)]
    for axis, (method, values) in zip(used, predicted.items(), strict=True):
        axis.plot(true, values, ".", markersize=2, alpha=0.35, rasterized=True)
        axis.plot(line, line, color="black", linewidth=0.8)
        if margin:
            for border in (line - margin(line), line + margin(line)):
                axis.plot(line, border, "--", color="grey", linewidth=0.8)
        if describe:
            text = describe(values, true)
            axis.text(0.03, 0.97, text, transform=axis.transAxes, va="top", fontsize=7)
        axis.set(title=method, xlim=limits, ylim=limits)
    for axis in axes.flat[len(predicted) :]:
        axis.set_axis_off()
    figure.supxlabel(names[0], fontsize=10)
    figure.supylabel(names[1], fontsize=10)
    return figure


def pit_histograms(values, *, mock):
    """Show the distribution of PIT values of each method, beside that of calibrated distributions.

    Parameters
    ----------
    values : dict of str to array, shape (n,)
        As `helpers.evaluation.distributions.pit` returns them.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
        The grey band holds 95 % of the bars of calibrated distributions.
    """
    figure, axes = panels(1, len(values), mock=mock, size=(2.7, 2.5), sharey=True, squeeze=False)
    for number, (axis, (method, pit)) in enumerate(zip(axes[0], values.items(), strict=True)):
        counts, edges = np.histogram(pit, PIT_BINS, (0, 1))
        density = counts / len(pit) * PIT_BINS
        deviation = np.sqrt(PIT_BINS / len(pit))
        axis.stairs(density, edges, fill=True, alpha=0.5, color=f"C{number}")
        axis.axhspan(1 - 2 * deviation, 1 + 2 * deviation, color="grey", alpha=0.25)
        axis.axhline(1, color="black", linewidth=0.8)
        axis.set(title=method, xlabel="PIT", xlim=(0, 1))
    axes[0, 0].set_ylabel("density")
    return figure


def densities(grid, cumulative, true, titles, edges, label, *, mock, columns=4):
    """Show what several methods know of a quantity of single objects, with the truth.

    Parameters
    ----------
    grid : dict of str to array, shape (k,)
        Values of the quantity, by the name of the method.
    cumulative : dict of str to array, shape (n, k)
        Probability below each value, of n objects.
    true : array, shape (n,)
    titles : sequence of str
        One an object.
    edges : array, shape (m + 1,)
        Of the bins in which the density is drawn.
    label : str
        Of the quantity.
    mock : bool
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(true) // columns)
    figure, axes = panels(rows, columns, mock=mock, size=(2.7, 2.0), sharex=True, squeeze=False)
    width = np.diff(edges)
    for i, (axis, value) in enumerate(zip(axes.flat[: len(true)], true, strict=True)):
        for number, (method, probability) in enumerate(cumulative.items()):
            mass = np.diff(np.interp(edges, grid[method], probability[i], left=0, right=1))
            axis.stairs(mass / width, edges, color=f"C{number}", label=method)
        axis.axvline(value, color="black", linestyle="--", linewidth=1, label="true")
        axis.set(yticks=[], xlim=(edges[0], edges[-1]))
        axis.set_title(titles[i], fontsize=8)
    for axis in axes.flat[len(true) :]:
        axis.set_axis_off()
    for axis in axes[-1]:
        axis.set_xlabel(label)
    figure.supylabel("density", fontsize=10)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8)
    return figure


def importances(values, errors, names, *, mock, most=15):
    """Show importances of features as shares of their sum, a panel a kind, the largest first.

    Parameters
    ----------
    values, errors : dict of str to array, shape (k,)
        By the kind of importance; errors of a kind may be missing.
    names : sequence of str
        Of the k features.
    mock : bool
    most : int
        So many features are shown: those that are largest in any of the kinds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    sums = {kind: np.abs(importance).sum() for kind, importance in values.items()}
    shares = {kind: np.asarray(values[kind]) / sums[kind] for kind in values}
    largest = np.max(list(shares.values()), axis=0)
    order = np.argsort(largest)[-most:]
    places = np.arange(len(order))
    size = (3.8, 0.23 * len(order) + 0.7)
    figure, axes = panels(1, len(values), mock=mock, size=size, sharey=True, squeeze=False)
    for number, (axis, (kind, share)) in enumerate(zip(axes[0], shares.items(), strict=True)):
        axis.barh(places, share[order], color=f"C{number}")
        if kind in errors:
            error = np.asarray(errors[kind])[order] / sums[kind]
            axis.errorbar(share[order], places, xerr=error, fmt="none", ecolor="black")
        axis.axvline(0, color="grey", linewidth=0.8)
        axis.set(title=kind, xlabel="share of the importance")
    axes[0, 0].set_yticks(places, np.asarray(names)[order], fontsize=8)
    return figure


def corner(values, *, mock):
    """Show histograms of quantities on the diagonal, and each pair below it.

    Parameters
    ----------
    values : dict of str to array, shape (n,)
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    n = len(values)
    figure, axes = panels(n, n, mock=mock, size=(2.1, 1.7), squeeze=False)
    for row, (name, y) in enumerate(values.items()):
        for column, (other, x) in enumerate(values.items()):
            axis = axes[row, column]
            if column > row:
                axis.set_axis_off()
                continue
            if column == row:
                axis.hist(x, 30, color="C0")
                axis.set_yticks([])
            else:
                axis.plot(x, y, ".", markersize=1, alpha=0.4, rasterized=True)
            if row == n - 1:
                axis.set_xlabel(other, fontsize=8)
            if column == 0:
                axis.set_ylabel(name if row else "number", fontsize=8)
    return figure
