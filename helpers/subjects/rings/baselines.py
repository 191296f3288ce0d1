"""What is tried before a network is trained: components and a support vector machine, circle fits."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from helpers.subjects.rings.circle import fit_circle


def pca_svm(n_components):
    """Return a classifier of images, not yet fitted.

    Parameters
    ----------
    n_components : int
        So many principal components of the images are kept.

    Returns
    -------
    sklearn.pipeline.Pipeline
        The components, then a support vector machine with a radial kernel, of rows of pixels.
    """
    components = PCA(n_components, random_state=0)
    return make_pipeline(components, SVC(kernel="rbf"))


def measure_with_circles(images, training_images, training_rings):
    """Measure rings by a circle fit, with a regression for what the fit does not give.

    Centre and size are those of `helpers.subjects.rings.circle.fit_circle`. Deformation makes the
    scatter of the pixels about the circle and biases its size, so radius, thickness and deformation
    are linear in radius, scatter and number of lit pixels.

    Parameters
    ----------
    images : array, shape (n, 28, 28)
    training_images, training_rings : array, shape (m, 28, 28) and (m, 5)
        To which the regression is fitted.

    Returns
    -------
    numpy.ndarray, shape (n, 5)
        x, y, radius, thickness, deformation in pixels.
    """
    _, features = _circle_features(training_images)
    regression = LinearRegression().fit(features, training_rings[:, 2:])
    centre, features = _circle_features(images)
    return np.column_stack([centre, regression.predict(features)])


def _circle_features(images):
    """Centres, shape (n, 2); and radius, scatter and number of lit pixels, shape (n, 3)."""
    fits = np.array([fit_circle(image) for image in images])
    n_lit = (images > 0).sum(axis=(1, 2))
    return fits[:, :2], np.column_stack([fits[:, 2:], n_lit])
