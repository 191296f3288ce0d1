"""Figures that more than one hack uses. Each takes data and returns the Matplotlib figure.

Every function has the required argument `mock`: a figure drawn from simulated data says so.
"""

import numpy as np
from matplotlib.ticker import MaxNLocator

from helpers.plots.style import label_decades, panels, size_axis

LINE = 3  # values: fewer are drawn as points, or nothing would be seen of a single one


def history(histories, *, mock, ylabel="loss", logarithmic=True):
    """Draw the losses of one or several training runs against the epoch, or against the step of a GAN.

    Parameters
    ----------
    histories : dict of str to helpers.training.History
    mock : bool
    ylabel : str
    logarithmic : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = panels(mock=mock, size=(5.5, 3.2))
    for number, (name, run) in enumerate(histories.items()):
        for (which, losses), style in zip(run.curves.items(), ("--", "-"), strict=False):
            entries = run.steps or range(1, len(losses) + 1)
            marker = "o" if len(losses) < LINE else None
            axis.plot(
                entries, losses, style, marker=marker, color=f"C{number}", label=f"{name}, {which}"
            )
    axis.set(
        xlabel="generator step" if run.steps else "epoch",
        ylabel=ylabel,
        yscale="log" if logarithmic else "linear",
    )
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if logarithmic:
        label_decades(axis.yaxis)
    axis.legend(fontsize=8)
    return figure


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
    width = 0.8 / len(values)
    for number, (name, heights) in enumerate(values.items()):
        places = np.arange(len(names)) + (number - (len(values) - 1) / 2) * width
        axis.bar(
            places,
            heights,
            width,
            yerr=errors[name],
            label=name,
            color=f"C{number}",
            error_kw={"linewidth": 1},
        )
    axis.axhline(0, color="grey", linewidth=0.8)
    axis.set_xticks(np.arange(len(names)), names)
    axis.set(ylabel=label, ylim=limits, yscale="log" if logarithmic else "linear")
    if logarithmic:
        label_decades(axis.yaxis)
    figure.legend(loc="outside lower center", ncols=min(len(values), 4), fontsize=8)
    return figure


def histograms(values, label, *, mock):
    """Show the distributions of one quantity for several sets.

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
    edges = np.linspace(0, np.percentile(np.concatenate(list(values.values())), 99.5), 45)
    for number, (name, set_) in enumerate(values.items()):
        axis.hist(set_, edges, histtype="step", color=f"C{number}", linewidth=1.5, label=name)
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
        axis.plot(values, [place] * len(values), "o", color=f"C{place}")
    axis.set_yticks(range(len(results)), results)
    axis.set(xlabel=label, xscale="log", ylim=(len(results) - 0.5, -0.5))
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
        axis.errorbar(
            x, y, error, fmt="o-", color=f"C{number}", label=name, capsize=2, markersize=4
        )
    for style, (name, height) in zip(("--", ":", "-."), (lines or {}).items(), strict=False):
        axis.axhline(height, color="grey", linestyle=style, linewidth=1, label=name)
    axis.set(ylabel=ylabel, yscale="log" if logarithmic else "linear")
    if logarithmic:
        label_decades(axis.yaxis)
    size_axis(axis, xlabel)
    axis.legend(fontsize=8)
    return figure
