"""What is measured of rings only: how far apart two are, and how many pieces their light is in."""

import numpy as np
from sklearn.cluster import DBSCAN

TOUCHING = 1.5  # pixels: less than this apart are neighbours, also by a corner


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
    difference = parameters[:, 0, :3] - parameters[:, 1, :3]
    return np.abs(difference).max(axis=1)


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
    return np.array([_n_clusters(image) for image in images])


def _n_clusters(image):
    lit = np.argwhere(image)
    if not len(lit):
        return 0
    return DBSCAN(eps=TOUCHING, min_samples=1).fit_predict(lit).max() + 1
