"""The floor of the ring measurement: the posterior mean of someone who knows the simulator.

Given its parameters, a ring's 360 discs are independent, and so very nearly are its pixels. The chance that a
pixel is lit is tabulated, by simulation, over radius, thickness and deformation for one centre; whole-pixel
shifts give all other centres. The product over the pixels is then the likelihood of an image, and with the
known prior the mean over the posterior is the estimate with the smallest mean squared error. Neighbouring
pixels that one disc lights together, and the finite cells of the table, make it very slightly less than the
best possible: the true floor lies at or below it.
"""

import numpy as np

from helpers.datasets.cache import cached
from helpers.subjects.rings import mock

CENTRES = np.arange(5, mock.SIZE - 4)
RADII = np.arange(4, mock.SIZE // 2)
CANVAS = 2 * mock.SIZE


def pixel_probabilities(n_thickness=6, n_deformation=8, n_images=200, seed=0):
    """Tabulate the chance of each pixel to be lit, for a ring at the centre of a canvas of 56 × 56 pixels.

    Parameters
    ----------
    n_thickness, n_deformation : int
        Cells into which the two ranges of the regressor's set are divided.
    n_images : int
        Rings drawn for each cell, with thickness and deformation uniform in it.
    seed : int

    Returns
    -------
    dict of numpy.ndarray
        "probability", float32, shape (n_cells, 56, 56), estimated as (lit + 1/2) / (n_images + 1); and "radius",
        "thickness", "deformation", shape (n_cells,), the values at the middle of each cell. Kept in the cache.
    """
    settings = dict(
        n_thickness=n_thickness, n_deformation=n_deformation, n_images=n_images, seed=seed
    )

    def make():
        rng = np.random.default_rng([seed, mock.VERSION])
        edges = [np.linspace(0.2, 1.5, n_thickness + 1), np.linspace(0.5, 3.0, n_deformation + 1)]
        middles = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
        cells = np.stack(np.meshgrid(RADII, *middles, indexing="ij"), axis=-1).reshape(-1, 3)
        width = np.array([edge[1] - edge[0] for edge in edges])
        probability = np.empty((len(cells), CANVAS, CANVAS), dtype=np.float32)
        for cell, chance in zip(cells, probability, strict=True):
            rings = np.full((n_images, 5), mock.SIZE, dtype=float)
            rings[:, 2] = cell[0]
            rings[:, 3:] = cell[1:] + width * rng.uniform(-0.5, 0.5, (n_images, 2))
            images = mock.draw_rings(rings, mock.radial_offsets(rings[:, 4], rng), size=CANVAS)
            chance[:] = ((images > 0).sum(axis=0) + 0.5) / (n_images + 1)
        return dict(zip(("radius", "thickness", "deformation"), cells.T, strict=True)) | {
            "probability": probability
        }

    return cached("ring_pixel_probabilities", settings, mock.VERSION, make)


def posterior_mean(images, table):
    """Estimate the parameters of single rings by their posterior mean.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 28, 28)
        0 or 255, drawn from the regressor's distribution.
    table : dict
        Of `pixel_probabilities`.

    Returns
    -------
    numpy.ndarray, shape (n, 5)
        x, y, radius, thickness, deformation in pixels.
    """
    lit = (images.reshape(len(images), -1) > 0).astype(np.float32)
    log_on, log_off = np.log(table["probability"]), np.log1p(-table["probability"])
    cells = np.stack([table[name] for name in ("radius", "thickness", "deformation")], axis=1)
    best, total, mean = (
        np.full(len(images), -np.inf),
        np.zeros(len(images)),
        np.zeros((len(images), 5)),
    )
    for y in CENTRES:
        rows = slice(mock.SIZE - y, CANVAS - y)
        for x in CENTRES:
            allowed = (
                cells[:, 0] <= min(x, y, mock.SIZE - x, mock.SIZE - y) - 1
            )  # the prior: uniform where allowed
            columns = slice(mock.SIZE - x, CANVAS - x)
            on, off = (
                table[allowed, rows, columns].reshape(allowed.sum(), -1)
                for table in (log_on, log_off)
            )
            log = (lit @ (on - off).T + off.sum(axis=1)).astype(float) - np.log(allowed.sum())
            # Running sums relative to the largest term so far.
            peak = np.maximum(best, log.max(axis=1))
            weight, shrink = np.exp(log - peak[:, None]), np.exp(best - peak)
            centre = weight.sum(axis=1)
            mean = mean * shrink[:, None]
            mean += np.column_stack([x * centre, y * centre, weight @ cells[allowed]])
            total, best = total * shrink + centre, peak
    return mean / total[:, None]
