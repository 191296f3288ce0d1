"""Figures that more than one hack uses. Each takes data and returns the Matplotlib figure.

Every function has the required argument `mock`: a figure drawn from simulated data says so.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogFormatter, MaxNLocator

STYLE = {
    "figure.dpi": 90,
    "savefig.dpi": 90,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
}
LINE = 3  # values: fewer are drawn as points, or nothing would be seen of a single one


def use_course_style():
    """Set the look of all figures of the course."""
    plt.rcParams.update(STYLE)


def panels(rows=1, columns=1, *, mock, size=(3.6, 3.0), **options):
    """Make a figure with a grid of axes.

    Parameters
    ----------
    rows, columns : int
    mock : bool
        Whether what will be drawn comes from simulated data: the figure then carries the word MOCK.
    size : tuple of float
        Width and height of one panel in inches.
    **options
        Of `matplotlib.pyplot.subplots`.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : matplotlib.axes.Axes, or an array of them
    """
    figsize = (size[0] * columns, size[1] * rows)
    figure, axes = plt.subplots(rows, columns, figsize=figsize, layout="constrained", **options)
    plt.close(figure)  # a notebook shows what a cell returns; an open figure would appear twice
    if mock:
        figure.get_layout_engine().set(rect=(0, 0, 1, 1 - 0.16 / figsize[1]))
        figure.text(0.995, 1, "MOCK", ha="right", va="top", color="tab:red", fontsize=8, weight="bold")
    return figure, axes


def image_grid(images, titles=None, *, mock, columns=8, size=1.35, row_names=None):
    """Show images side by side.

    Parameters
    ----------
    images : array, shape (n, height, width)
    titles : sequence of str, optional
        One an image.
    mock : bool
    columns : int
    size : float
        Of one image in inches.
    row_names : sequence of str, optional
        Written to the left of each row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(images) // columns)
    lines = 1 + max((title.count("\n") for title in titles), default=0) if titles is not None else 0
    height = 0.86 * size if row_names else size + 0.16 * lines  # names take their width from the images
    figure, axes = panels(rows, columns, mock=mock, size=(size, height), squeeze=False)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for i, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(image, vmin=0, vmax=np.max(images))
        if titles is not None:
            axis.set_title(titles[i], fontsize=8)
    for axis, name in zip(axes[:, 0], row_names or [], strict=False):
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


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
        for (which, losses), style in zip(run.losses().items(), ("--", "-"), strict=False):
            entries = run.steps or range(1, len(losses) + 1)
            marker = "o" if len(losses) < LINE else None
            axis.plot(entries, losses, style, marker=marker, color=f"C{number}", label=f"{name}, {which}")
    axis.set(
        xlabel="generator step" if run.steps else "epoch", ylabel=ylabel, yscale="log" if logarithmic else "linear"
    )
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if logarithmic:
        label_decades(axis.yaxis)
    axis.legend(fontsize=8)
    return figure


class _PlainNumbers(LogFormatter):
    """Numbers as they are said, 0.05 and 20, where the formatter shows one at all."""

    def __call__(self, x, pos=None):
        return f"{x:g}" if super().__call__(x, pos) else ""


def label_decades(axis):
    """Write numbers at a logarithmic axis, between the powers of ten as well where it spans few of them.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    """
    axis.set_major_formatter(_PlainNumbers())
    axis.set_minor_formatter(_PlainNumbers(minor_thresholds=(2, 0.8)))


def size_axis(axis, label):
    """Make the x axis logarithmic, with the sizes of sets that it covers written out.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        With everything drawn already.
    label : str
    """
    axis.set(xscale="log", xlabel=label)
    low, high = axis.get_xlim()
    sizes = [digit * 10**power for power in range(8) for digit in (1, 2, 5)]
    shown = [size for size in sizes if low <= size <= high]
    axis.set_xticks(shown, [f"{size:,}".replace(",", " ") for size in shown])
    axis.minorticks_off()
    axis.set_xlim(low, high)


def matrices(values, rows, columns, *, mock, limits=(-1, 1), cmap="RdBu_r", label=None, axes_names=("", ""), size=None):
    """Show one or several matrices, with their numbers written in.

    Parameters
    ----------
    values : dict of str to array, shape (n_rows, n_columns)
        By the title.
    rows, columns : sequence
        Names.
    mock : bool
    limits : (float, float)
        Of the colours.
    cmap : str
    label : str, optional
        Of the colour bar; without it there is none.
    axes_names : (str, str)
        What the columns and the rows are.
    size : (float, float), optional
        Of one matrix in inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = panels(1, len(values), mock=mock, size=size or (3.9, 3.5), squeeze=False)
    for axis, (title, matrix) in zip(axes[0], values.items(), strict=True):
        image = axis.imshow(matrix, cmap=cmap, vmin=limits[0], vmax=limits[1], aspect="auto" if size else "equal")
        for (row, column), value in np.ndenumerate(matrix):
            shade = "white" if abs(value) > 0.6 * max(map(abs, limits)) else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=8)
        axis.set(xticks=range(len(columns)), yticks=range(len(rows)), yticklabels=rows, title=title)
        turned = {"rotation": 35, "ha": "right"} if max(len(str(name)) for name in columns) > 3 else {}
        axis.set_xticklabels(columns, **turned)
        axis.set(xlabel=axes_names[0], ylabel=axes_names[1])
        axis.spines[:].set_visible(True)
    if label:
        figure.colorbar(image, ax=axes, label=label, shrink=0.8)
    return figure


def confusion(counts, labels, *, mock, quantity="number of rings"):
    """Show confusion matrices: the fraction of each true class (row) that was given each answer (column).

    Parameters
    ----------
    counts : dict of str to array, shape (k, k)
    labels : sequence
        Of the classes.
    mock : bool
    quantity : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    fractions = {name: c / np.maximum(c.sum(axis=1, keepdims=True), 1) for name, c in counts.items()}
    names = f"predicted {quantity}", f"true {quantity}"
    return matrices(fractions, labels, labels, mock=mock, limits=(0, 1), cmap="Blues", axes_names=names)


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
        axis.bar(places, heights, width, yerr=errors[name], label=name, color=f"C{number}", error_kw={"linewidth": 1})
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
        axis.errorbar(x, y, error, fmt="o-", color=f"C{number}", label=name, capsize=2, markersize=4)
    for style, (name, height) in zip(("--", ":", "-."), (lines or {}).items(), strict=False):
        axis.axhline(height, color="grey", linestyle=style, linewidth=1, label=name)
    axis.set(ylabel=ylabel, yscale="log" if logarithmic else "linear")
    if logarithmic:
        label_decades(axis.yaxis)
    size_axis(axis, xlabel)
    axis.legend(fontsize=8)
    return figure
