"""A circle through the lit pixels, without learning: the algebraic fit of Taubin."""

import numpy as np

STRAIGHT = 1e-9  # size of the pixels, relative to the radius, below which they lie on a line


def fit_circle(image):
    """Fit a circle to the lit pixels of an image.

    Parameters
    ----------
    image : array, shape (height, width)
        Pixels above zero count as lit, each at its middle.

    Returns
    -------
    numpy.ndarray, shape (4,)
        x and y of the centre, radius, and standard deviation of the radial residuals, in pixels, in
        the coordinates of the simulator, in which pixel i covers i to i + 1. NaN where fewer than
        three pixels, or only pixels on a line, are lit.

    Notes
    -----
    Taubin (1991, IEEE Trans. PAMI 13, 1115) minimises the sum of A (x² + y²) + B x + C y + D
    squared under a normalisation that removes most of the bias of the plain least-squares fit to
    small radii. Solved here by a singular value decomposition of the centred coordinates (Chernov
    2010, Circular and Linear Regression, §5.9).
    """
    rows, columns = np.nonzero(image)
    if len(rows) < 3:
        return np.full(4, np.nan)
    mean_x = columns.mean()
    mean_y = rows.mean()
    x = columns - mean_x
    y = rows - mean_y
    square = x**2 + y**2
    size = np.sqrt(square.mean())
    scaled = (square - square.mean()) / (2 * size)
    points = np.column_stack([scaled, x, y])
    _, _, directions = np.linalg.svd(points, full_matrices=False)
    a, b, c = directions[2]  # of the smallest singular value
    a /= 2 * size
    if abs(a) * size < STRAIGHT:
        return np.full(4, np.nan)
    centre_x = -b / (2 * a)
    centre_y = -c / (2 * a)
    radius = np.sqrt(centre_x**2 + centre_y**2 + square.mean())
    residuals = np.hypot(x - centre_x, y - centre_y) - radius
    middle_x = centre_x + mean_x + 0.5
    middle_y = centre_y + mean_y + 0.5
    return np.array([middle_x, middle_y, radius, residuals.std()])
