"""What is measured of rings only: how far apart two rings are, and how many pieces their light is in."""

import numpy as np
from sklearn.cluster import DBSCAN

from helpers.subjects.rings import mock


def coincident_probability():
    """Chance that two rings of the classifier's set have the same centre and the same radius.

    Two such rings differ only by thickness and deformation. The centre is one of 19 × 19 pixels, and the radius
    one of m - 4 whole numbers where m is the distance from the centre to the border; the chance is the sum of
    the squared probabilities of all combinations.

    Returns
    -------
    float
    """
    x, y = np.meshgrid(np.arange(5, mock.SIZE - 4), np.arange(5, mock.SIZE - 4))
    to_border = np.minimum(np.minimum(x, y), mock.SIZE - np.maximum(x, y))
    return float(np.sum(1 / (to_border - 4)) / x.size**2)


def separation(parameters):
    """How far apart the first two rings of each image are.

    Parameters
    ----------
    parameters : array, shape (n, at least 2, at least 3)
        x, y, radius of each ring, in pixels.

    Returns
    -------
    numpy.ndarray, shape (n,)
        The largest of the differences in x, y and radius, in pixels; NaN for an image of one ring.
    """
    return np.abs(parameters[:, 0, :3] - parameters[:, 1, :3]).max(axis=1)


def n_clusters(images):
    """Number of disconnected clusters of lit pixels, by DBSCAN (Ester et al. 1996, KDD-96, 226).

    Pixels that touch, also by a corner, belong together, however few they are.

    Parameters
    ----------
    images : array, shape (n, height, width)

    Returns
    -------
    numpy.ndarray of int, shape (n,)
    """
    lit = (np.argwhere(image) for image in images)
    labels = (
        DBSCAN(eps=1.5, min_samples=1).fit_predict(pixels) if len(pixels) else [-1]
        for pixels in lit
    )
    return np.array([max(label) + 1 for label in labels])
