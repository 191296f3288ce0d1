"""Images side by side, and matrices with their numbers written in."""

import numpy as np

from helpers.plots.style import titled_panels

LINE_OF_TITLE = 0.16  # inches
BESIDE_NAMES = 0.86  # the height of an image whose row has a name, which takes of its width
LONG = 3  # letters: longer names below a matrix are turned
DARK = 0.6  # of the colour scale: numbers on darker squares are white


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

    Raises
    ------
    ValueError
        If there are not as many titles as images, or names as rows.
    """
    titles = [""] * len(images) if titles is None else titles
    height = _height(titles, size, row_names)
    figure, axes = titled_panels(titles, columns, mock=mock, size=(size, height))
    brightest = np.max(images)
    for axis, image in zip(axes, images, strict=True):
        axis.imshow(image, vmin=0, vmax=brightest)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        axis.title.set_fontsize(8)
    if row_names is not None:
        beside = {"rotation": 0, "ha": "right", "va": "center", "fontsize": 9}
        for axis, name in zip(axes[::columns], row_names, strict=True):
            axis.set_ylabel(name, **beside)
    return figure


def _height(titles, size, row_names):
    """The height of one image with its title in inches."""
    if row_names is not None:
        return BESIDE_NAMES * size
    if not any(titles):
        return size
    lines = 1 + max(title.count("\n") for title in titles)
    return size + LINE_OF_TITLE * lines


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
    aspect = "auto" if size else "equal"
    figure, axes = titled_panels(values, mock=mock, size=size or (3.9, 3.5))
    low, high = limits
    dark = DARK * max(abs(low), abs(high))
    longest = max(len(str(name)) for name in columns)
    turned = {"rotation": 35, "ha": "right"} if longest > LONG else {}
    for axis, matrix in zip(axes, values.values(), strict=True):
        image = axis.imshow(matrix, cmap=cmap, vmin=low, vmax=high, aspect=aspect)
        _write_numbers(axis, matrix, dark)
        axis.set_xticks(range(len(columns)), columns, **turned)
        axis.set_yticks(range(len(rows)), rows)
        axis.set(xlabel=axes_names[0], ylabel=axes_names[1])
        axis.spines[:].set_visible(True)
    if label:
        figure.colorbar(image, ax=axes, label=label, shrink=0.8)
    return figure


def _write_numbers(axis, matrix, dark):
    middle = {"ha": "center", "va": "center", "fontsize": 8}
    for (row, column), value in np.ndenumerate(matrix):
        colour = "white" if abs(value) > dark else "black"
        axis.text(column, row, f"{value:.2f}", color=colour, **middle)
