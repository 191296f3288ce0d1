"""Images side by side, and matrices with their numbers written in."""

import numpy as np

from helpers.plots.style import panels


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
    height = (
        0.86 * size if row_names else size + 0.16 * lines
    )  # names take their width from the images
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


def matrices(
    values,
    rows,
    columns,
    *,
    mock,
    limits=(-1, 1),
    cmap="RdBu_r",
    label=None,
    axes_names=("", ""),
    size=None,
):
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
        image = axis.imshow(
            matrix, cmap=cmap, vmin=limits[0], vmax=limits[1], aspect="auto" if size else "equal"
        )
        for (row, column), value in np.ndenumerate(matrix):
            shade = "white" if abs(value) > 0.6 * max(map(abs, limits)) else "black"
            axis.text(
                column, row, f"{value:.2f}", ha="center", va="center", color=shade, fontsize=8
            )
        axis.set(xticks=range(len(columns)), yticks=range(len(rows)), yticklabels=rows, title=title)
        turned = (
            {"rotation": 35, "ha": "right"} if max(len(str(name)) for name in columns) > 3 else {}
        )
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
    fractions = {
        name: c / np.maximum(c.sum(axis=1, keepdims=True), 1) for name, c in counts.items()
    }
    names = f"predicted {quantity}", f"true {quantity}"
    return matrices(
        fractions, labels, labels, mock=mock, limits=(0, 1), cmap="Blues", axes_names=names
    )
