"""Predictions of numbers: beside the truth, as distributions, and what the model looked at."""

import numpy as np

from helpers.plots.style import panels, titled_panels

PIT_BINS = 20
MANY = {"marker": ".", "linestyle": "none", "rasterized": True}  # points, as a bitmap
SMALL = {"fontsize": 8}


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
    shared = {"sharex": True, "sharey": True}
    figure, axes = titled_panels(predicted, columns, mock=mock, size=(3.1, 2.9), **shared)
    if limits is None:
        limits = (np.min(true), np.max(true))
    line = np.array(limits)
    for axis, values in zip(axes, predicted.values(), strict=True):
        axis.plot(true, values, markersize=2, alpha=0.35, **MANY)
        axis.plot(line, line, color="black", linewidth=0.8)
        if margin:
            dashed = {"color": "grey", "linestyle": "--", "linewidth": 0.8}
            axis.plot(line, line - margin(line), **dashed)
            axis.plot(line, line + margin(line), **dashed)
        if describe:
            text = describe(values, true)
            axis.text(0.03, 0.97, text, transform=axis.transAxes, va="top", fontsize=7)
        axis.set(xlim=limits, ylim=limits)
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
    size = (2.7, 2.5)
    figure, axes = titled_panels(values, mock=mock, size=size, sharey=True)
    for number, method in enumerate(values):
        _pit_histogram(axes[number], values[method], f"C{number}")
    axes[0].set_ylabel("density")
    return figure


def _pit_histogram(axis, pit, colour):
    counts, edges = np.histogram(pit, PIT_BINS, (0, 1))
    expected = len(pit) / PIT_BINS
    density = counts / expected
    margin = 2 / np.sqrt(expected)
    axis.stairs(density, edges, fill=True, alpha=0.5, color=colour)
    axis.axhspan(1 - margin, 1 + margin, color="grey", alpha=0.25)
    axis.axhline(1, color="black", linewidth=0.8)
    axis.set(xlabel="PIT", xlim=(0, 1))


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
    edges : numpy.ndarray, shape (m + 1,)
        Of the bins in which the density is drawn.
    label : str
        Of the quantity.
    mock : bool
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    size = (2.7, 2.0)
    figure, axes = titled_panels(titles, columns, mock=mock, size=size, sharex=True)
    width = np.diff(edges)
    for number, (method, below) in enumerate(cumulative.items()):
        for axis, row in zip(axes, below, strict=True):
            at_edges = np.interp(edges, grid[method], row, left=0, right=1)
            density = np.diff(at_edges) / width
            axis.stairs(density, edges, color=f"C{number}", label=method)
    dashed = {"color": "black", "linestyle": "--", "linewidth": 1}
    for axis, value in zip(axes, true, strict=True):
        axis.axvline(value, label="true", **dashed)
        axis.set_yticks([])
        axis.set_xlim(edges[0], edges[-1])
        axis.title.set_fontsize(8)
    for axis in axes[-columns:]:
        axis.set_xlabel(label)
    figure.supylabel("density", fontsize=10)
    handles, names = axes[0].get_legend_handles_labels()
    below = {"loc": "outside lower center", "ncols": len(names)}
    figure.legend(handles, names, **below, **SMALL)
    return figure


def importances(values, errors, names, *, mock, most=15):
    """Show importances of features as shares of their sum, a panel a kind, the largest first.

    Parameters
    ----------
    values, errors : dict of str to numpy.ndarray, shape (k,)
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
    sums = {kind: np.abs(values[kind]).sum() for kind in values}
    shares = {kind: values[kind] / sums[kind] for kind in values}
    largest = np.max([*shares.values()], axis=0)
    order = np.argsort(largest)[-most:]
    places = np.arange(len(order))
    size = (3.8, 0.23 * len(order) + 0.7)
    figure, axes = titled_panels(values, mock=mock, size=size, sharey=True)
    for number, kind in enumerate(values):
        axis = axes[number]
        share = shares[kind][order]
        axis.barh(places, share, color=f"C{number}")
        if kind in errors:
            error = errors[kind][order] / sums[kind]
            axis.errorbar(share, places, xerr=error, fmt="none", ecolor="black")
        axis.axvline(0, color="grey", linewidth=0.8)
        axis.set_xlabel("share of the importance")
    shown = [names[feature] for feature in order]
    axes[0].set_yticks(places, shown, **SMALL)
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
    names = list(values)
    n = len(names)
    figure, axes = panels(n, n, mock=mock, size=(2.1, 1.7), squeeze=False)
    for (row, column), axis in np.ndenumerate(axes):
        x = values[names[column]]
        y = values[names[row]]
        if column > row:
            axis.set_axis_off()
        elif column == row:
            axis.hist(x, 30)
            axis.set_yticks([])
        else:
            axis.plot(x, y, markersize=1, alpha=0.4, **MANY)
    for axis, name in zip(axes[:, 0], ["number", *names[1:]], strict=True):
        axis.set_ylabel(name, **SMALL)
    for axis, name in zip(axes[-1], names, strict=True):
        axis.set_xlabel(name, **SMALL)
    return figure
