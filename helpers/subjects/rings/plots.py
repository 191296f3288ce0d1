"""Figures that are peculiar to rings. Each takes data and returns the Matplotlib figure."""

import numpy as np

from helpers.plots import matrices, panels

UNITS = {"x": "px", "y": "px", "radius": "px", "thickness": "px", "deformation": "px"}


def draw_circle(axis, x, y, radius, color, style="-"):
    """Draw the circle of a ring over an image, whose pixel i is drawn around i and covers i to i + 1."""
    angle = np.linspace(0, 2 * np.pi, 100)
    axis.plot(
        x - 0.5 + radius * np.cos(angle),
        y - 0.5 + radius * np.sin(angle),
        style,
        color=color,
        linewidth=1.5,
    )


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
    rows = -(-len(images) // columns)
    figure, axes = panels(rows, columns, mock=mock, size=(1.75, 2.1), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, *rings in zip(axes.flat, images, true, predicted, strict=False):
        axis.imshow(image)
        axis.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5))
        for ring, color, style in zip(rings, ("red", "cyan"), ("-", "--"), strict=True):
            draw_circle(axis, *ring[:3], color, style)
        lines = [
            f"({x:.1f}, {y:.1f}) r {r:.1f}\nt {t:.2f} d {d:.2f}"
            for x, y, r, t, d in (ring[:5] for ring in rings)
        ]
        axis.set_title("\n".join(lines), fontsize=7)
    figure.supxlabel(
        "red: true    cyan, dashed: predicted    (x, y), r radius, t thickness, d deformation, in pixels",
        fontsize=8,
    )
    return figure


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
    figure, axes = panels(1, len(names), mock=mock, size=(2.4, 2.6))
    for k, (axis, name) in enumerate(zip(axes, names, strict=True)):
        limit = max(np.nanpercentile(np.abs(values[:, k]), 99) for values in residuals.values())
        for method, values in residuals.items():
            axis.hist(
                values[:, k],
                bins=np.linspace(-limit, limit, 41),
                histtype="step",
                density=True,
                label=method,
            )
        axis.axvline(0, color="grey", linewidth=0.8, zorder=0)
        axis.set(xlabel=f"error in {name} ({UNITS.get(name, '')})".replace(" ()", ""), yscale="log")
    axes[0].set_ylabel("density [1/px]")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(residuals)
    )
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
    correlations = {
        method: np.corrcoef(np.abs(values), rowvar=False) for method, values in residuals.items()
    }
    return matrices(correlations, names, names, mock=mock, label="correlation of |error|")
