"""A circle through the lit pixels, without learning: the algebraic fit of Taubin."""

import numpy as np


def fit_circle(image):
    """Fit a circle to the lit pixels of an image.

    Parameters
    ----------
    image : array, shape (height, width)
        Pixels above zero count as lit, each at its middle.

    Returns
    -------
    numpy.ndarray, shape (4,)
        x and y of the centre, radius, and standard deviation of the radial residuals, in pixels, in the
        coordinates of the simulator, in which pixel i covers i to i + 1. NaN where fewer than three pixels,
        or only pixels on a line, are lit.

    Notes
    -----
    Taubin (1991, IEEE Trans. PAMI 13, 1115) minimises the sum of A (x² + y²) + B x + C y + D squared under a
    normalisation that removes most of the bias of the plain least-squares fit to small radii. Solved here by a
    singular value decomposition of the centred coordinates (Chernov 2010, Circular and Linear Regression, §5.9).
    """
    y, x = np.nonzero(image)
    if len(x) < 3:
        return np.full(4, np.nan)
    centre = np.array([x.mean(), y.mean()])
    x, y = x - centre[0], y - centre[1]
    square = x**2 + y**2
    size = np.sqrt(square.mean())
    rows = np.column_stack([(square - square.mean()) / (2 * size), x, y])
    a, b, c = np.linalg.svd(rows, full_matrices=False)[2][2]
    a /= 2 * size
    if abs(a) * size < 1e-9:
        return np.full(4, np.nan)
    middle = -np.array([b, c]) / (2 * a)
    radius = np.sqrt(middle @ middle + square.mean())
    residuals = np.hypot(x - middle[0], y - middle[1]) - radius
    return np.array([*(middle + centre + 0.5), radius, residuals.std()])
