"""Curves, bars and points of several contestants, each with a colour of its own."""

from itertools import cycle, product

import numpy as np
from matplotlib.ticker import MaxNLocator

from helpers.plots.style import label_decades, panels, size_axis

FEW = 3  # values: fewer are drawn as points, or nothing would be seen of a single one
SHOWN = 99.5  # percent of the values of a histogram: a long tail would leave no room for the rest
BINS = 44
GROUP = 0.8  # width of a group of bars, of which one fits into 1
COLOURS = 10  # of Matplotlib's cycle
MARKERS = ("", "o", "s", "^", "x")
LONG_DASHES = (0, (8, 2))  # points on, points off, …
FAR_DOTS = (0, (1, 4))
DASH_DOT_DOT = (0, (8, 2, 1, 2, 1, 2))
BROKEN = ("--", ":", "-.", LONG_DASHES, FAR_DOTS, DASH_DOT_DOT)
STYLES = ("--", "-", *BROKEN[1:])
GREYS = ("0.5", "0.2", "0.7")
GREY_LINES = [{"color": grey, "linestyle": style} for grey, style in product(GREYS, BROKEN)]


def history(histories, *, mock, ylabel="loss", logarithmic=True):
    """Draw the losses of one or several training runs against the epoch, or against the step.

    Parameters
    ----------
    histories : dict of str to helpers.training.History
        All curves of each are drawn: a run has a colour, a kind of curve a line style.
    mock : bool
    ylabel : str
    logarithmic : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(5.5, 3.2))
    for number, (name, run) in enumerate(histories.items()):
        for kind, (which, losses) in enumerate(run.curves.items()):
            look = _look(number, kind)
            if len(losses) < FEW:
                look["marker"] = look["marker"] or "o"
            entries = run.steps or range(1, len(losses) + 1)
            axis.plot(entries, losses, label=f"{name}, {which}", **look)
    in_steps = any(run.steps for run in histories.values())
    axis.set(xlabel="step" if in_steps else "epoch", ylabel=ylabel)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if logarithmic:
        axis.set_yscale("log")
        label_decades(axis.yaxis)
    axis.legend(fontsize=8)
    return figure


def _look(number, kind=0):
    """Colour, line style and marker of a curve, of which no other kind or number has the same."""
    marker = kind // len(STYLES) + number // COLOURS
    return {
        "color": f"C{number}",
        "linestyle": STYLES[kind % len(STYLES)],
        "marker": MARKERS[marker % len(MARKERS)],
    }


def bars(values, errors, names, label, *, mock, limits=None, logarithmic=False):
    """Show groups of bars with errors.

    Parameters
    ----------
    values, errors : dict of str to array, shape (k,)
        One entry a contestant, of which each has a colour.
    names : sequence of str
        Of the k quantities.
    label : str
        Of the vertical axis.
    mock : bool
    limits : (float, float)
        Of the vertical axis.
    logarithmic : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(6.5, 3.2))
    groups = np.arange(len(names))
    width = GROUP / len(values)
    middle = (len(values) - 1) / 2
    thin = {"linewidth": 1}
    for number, (name, heights) in enumerate(values.items()):
        places = groups + (number - middle) * width
        axis.bar(places, heights, width, yerr=errors[name], label=name, error_kw=thin)
    axis.axhline(0, color="grey", linewidth=0.8)
    axis.set_xticks(groups, names)
    axis.set(ylabel=label, ylim=limits)
    if logarithmic:
        axis.set_yscale("log")
        label_decades(axis.yaxis)
    figure.legend(loc="outside lower center", ncols=min(len(values), 4), fontsize=8)
    return figure


def histograms(values, label, *, mock):
    """Show the distributions of one quantity for several sets, but for the largest 0.5 %.

    Parameters
    ----------
    values : dict of str to array, shape (n,)
    label : str
        Of the quantity.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(6, 2.8))
    everything = np.concatenate(list(values.values()))
    lowest = min(0, everything.min())
    highest = np.percentile(everything, SHOWN)
    edges = np.linspace(lowest, highest, BINS + 1)
    for name, one_set in values.items():
        axis.hist(one_set, edges, histtype="step", linewidth=1.5, label=name)
    axis.set(xlabel=label, ylabel="number")
    axis.legend()
    return figure


def seeds(results, label, *, mock):
    """Show the results of several seeds for each contestant.

    Parameters
    ----------
    results : dict of str to sequence of float
    label : str
        Of the quantity.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(6.5, 2.6))
    for place, values in enumerate(results.values()):
        axis.plot(values, [place] * len(values), "o")
    axis.set_yticks(range(len(results)), results)
    axis.set(xlabel=label, xscale="log")
    axis.set_ylim(len(results) - 0.5, -0.5)
    label_decades(axis.xaxis)
    return figure


def errorbars(series, xlabel, ylabel, *, mock, lines=None, logarithmic=True):
    """Show curves with error bars over sizes, on a logarithmic axis of sizes.

    Parameters
    ----------
    series : dict of str to (x, y, error)
        Arrays of shape (n,).
    xlabel, ylabel : str
    mock : bool
    lines : dict of str to float, optional
        Horizontal lines, such as a floor.
    logarithmic : bool
        Whether the vertical axis is logarithmic, too.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(5.5, 3.2))
    for number, (name, (x, y, error)) in enumerate(series.items()):
        marker = MARKERS[1 + number // COLOURS]
        look = {"fmt": f"{marker}-", "markersize": 4, "capsize": 2}
        axis.errorbar(x, y, error, label=name, **look)
    lines = lines or {}
    for look, (name, height) in zip(cycle(GREY_LINES), lines.items()):
        axis.axhline(height, linewidth=1, label=name, **look)
    axis.set_ylabel(ylabel)
    if logarithmic:
        axis.set_yscale("log")
        label_decades(axis.yaxis)
    size_axis(axis, xlabel)
    axis.legend(fontsize=8)
    return figure
