"""Figures that are peculiar to rings. Each takes data and returns the Matplotlib figure."""

import math

import numpy as np

from helpers.plots import matrices, panels
from helpers.subjects.rings.mock import PARAMETERS

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


def errors(residuals, names, *, mock):
    """Draw the distribution of the errors of each parameter, for one or several methods.

    Parameters
    ----------
    residuals : dict of str to array, shape (n, k)
        Predicted minus true, in pixels.
    names : sequence of str
        Of the k parameters.
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = panels(1, len(names), mock=mock, size=(2.4, 2.6), squeeze=False)
    for k, (axis, name) in enumerate(zip(axes[0], names, strict=True)):
        columns = {method: values[:, k] for method, values in residuals.items()}
        limits = [np.nanpercentile(np.abs(column), 99) for column in columns.values()]
        limit = max(limits)
        bins = np.linspace(-limit, limit, 41)
        for method, column in columns.items():
            axis.hist(column, bins, histtype="step", density=True, label=method)
        axis.axvline(0, color="grey", linewidth=0.8, zorder=0)
        unit = " (px)" if name in PARAMETERS else ""
        axis.set(xlabel=f"error in {name}{unit}", yscale="log")
    axes[0, 0].set_ylabel("density [1/px]")
    lines, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper left", ncols=len(residuals))
    return figure


def correlations(residuals, names, *, mock):
    """Show the correlation between the absolute errors of the parameters.

    Parameters
    ----------
    residuals : dict of str to array, shape (n, k)
        Predicted minus true, one entry a method.
    names : sequence of str
    mock : bool

    Returns
    -------
    matplotlib.figure.Figure
    """
    together = {}
    for method, values in residuals.items():
        size = np.abs(values)
        together[method] = np.corrcoef(size, rowvar=False)
    return matrices(together, names, names, mock=mock, label="correlation of |error|")
