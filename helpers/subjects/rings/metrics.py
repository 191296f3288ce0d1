"""What is measured of rings only: how far apart two are, and how many pieces their light is in."""

import numpy as np
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN

from helpers.subjects.rings import mock

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


def decode_shape(codes, encode, n_shapes=(101, 361)):
    """Find the ellipses whose code lies nearest, on a fine grid of all of them.

    So no inverse of a code is needed, and any code will do.

    Parameters
    ----------
    codes : array, shape (n, 2)
    encode : callable
        ``encode(ellipticity, angle)`` returns codes, shape (m, 2).
    n_shapes : (int, int)
        Ellipticities from 0 to a quarter more than there are, and angles from 0 to π.

    Returns
    -------
    ellipticity, angle : numpy.ndarray, shape (n,)
        The angle in radians.
    """
    grid = np.meshgrid(
        np.linspace(0, 1.25 * mock.MAX_ELLIPTICITY, n_shapes[0]), np.linspace(0, np.pi, n_shapes[1])
    )
    ellipticity, angle = (values.ravel() for values in grid)
    _, nearest = cKDTree(np.asarray(encode(ellipticity, angle))).query(codes)
    return ellipticity[nearest], angle[nearest]


def turned_by(angle, true):
    """By how much an ellipse is turned against the true one, in degrees, -90 to 90.

    Parameters
    ----------
    angle, true : array, shape (n,)
        Position angles in radians, of period π.

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    half = np.pi / 2
    return np.degrees((angle - true + half) % np.pi - half)


def shared_randomness(images):
    """How far pixels are random together, in many images of the same ring.

    Parameters
    ----------
    images : array, shape (n, height, width)
        0 or 1.

    Returns
    -------
    float
        Variance of the number of lit pixels over Σ p (1 - p), which it is if pixels that are lit
        with the chance p are independent of each other.
    """
    chance = images.mean(axis=0)
    n_lit = images.sum(axis=(1, 2))
    return n_lit.var() / (chance * (1 - chance)).sum()
