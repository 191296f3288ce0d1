"""The look of all figures: what is drawn from simulated data carries the word MOCK."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogFormatter

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
MOCK_LOOK = {"color": "tab:red", "fontsize": 8, "weight": "bold"}
MOCK_LINE = 0.16  # inches
SIZES = np.outer(10 ** np.arange(8), [1, 2, 5]).ravel()


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
    width, height = size
    options |= {"figsize": (width * columns, height * rows), "layout": "constrained"}
    figure, axes = plt.subplots(rows, columns, **options)
    plt.close(figure)  # a notebook shows what a cell returns; an open figure would appear twice
    if mock:
        room = MOCK_LINE / figure.get_figheight()
        figure.get_layout_engine().set(rect=(0, 0, 1, 1 - room))
        figure.text(0.995, 1, "MOCK", ha="right", va="top", **MOCK_LOOK)
    return figure, axes


def titled_panels(titles, columns=None, *, mock, size=(3.6, 3.0), **options):
    """Make a figure with a panel for each title, row by row.

    Parameters
    ----------
    titles : iterable of str
    columns : int, optional
        Without it all stand in one row.
    mock, size, **options
        As `panels` takes them.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : list of matplotlib.axes.Axes
        As many as titles.
    """
    titles = list(titles)
    columns = columns or len(titles)
    rows = -(-len(titles) // columns)
    figure, axes = panels(rows, columns, mock=mock, size=size, squeeze=False, **options)
    used = list(axes.flat[: len(titles)])
    for axis, title in zip(used, titles, strict=True):
        axis.set_title(title)
    for axis in axes.flat[len(titles) :]:
        axis.set_axis_off()
    return figure, used


class _PlainNumbers(LogFormatter):
    """Numbers as they are said, 0.05 and 20, where the formatter shows one at all."""

    def __call__(self, x, pos=None):
        return f"{x:g}" if super().__call__(x, pos) else ""


def label_decades(axis):
    """Write numbers at a logarithmic axis, also between powers of ten where it spans few of them.

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
    shown = [size for size in SIZES if low <= size <= high]
    written = [f"{size:,}".replace(",", " ") for size in shown]
    axis.set_xticks(shown, written)
    axis.minorticks_off()
    axis.set_xlim(low, high)
