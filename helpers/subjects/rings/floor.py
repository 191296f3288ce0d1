"""The floors of rings: what nobody could do better, who knows how the simulator draws them.

**Counting.** Two rings that coincide look like one.

**Measuring.** Given its parameters, a ring's 360 discs are independent, and so very nearly are its
pixels. The chance that a pixel is lit is tabulated, by simulation, over radius, thickness and
deformation for one centre; whole-pixel shifts give all other centres. The product over the pixels
is then the likelihood of an image, and with the known prior the mean over the posterior is the
estimate with the smallest mean squared error. Neighbouring pixels that one disc lights together,
and the finite cells of the table, make it very slightly less than the best possible: the true floor
lies at or below it.
"""

import numpy as np

from helpers.datasets.cache import cached
from helpers.subjects.rings import mock

RANGES = mock.RANGES["regressor"]
CENTRES = np.arange(mock.TO_BORDER, mock.SIZE - mock.TO_BORDER + 1)
RADII = np.arange(RANGES.radius, mock.SIZE // 2 - RANGES.margin + 1)
CANVAS = 2 * mock.SIZE  # on which the ring of the table is at the centre
OF_CELLS = ("radius", "thickness", "deformation")


def coincident_probability():
    """Chance that two rings of the classifier's set have the same centre and the same radius.

    Two such rings differ only by thickness and deformation. The centre is one of 19 × 19 pixels,
    and the radius one of m - 4 whole numbers where m is the distance from the centre to the border;
    the chance is the sum of the squared probabilities of all combinations.

    Returns
    -------
    float
    """
    ranges = mock.RANGES["classifier"]
    x, y = np.meshgrid(CENTRES, CENTRES)
    largest = mock.distance_to_border(x, y) - ranges.margin
    n_radii = largest - ranges.radius + 1
    n_centres = x.size
    return float(np.sum(1 / n_radii) / n_centres**2)


def pixel_probabilities(n_thickness=6, n_deformation=8, n_images=200, seed=0):
    """Tabulate the chance of each pixel to be lit, for a ring at the centre of 56 × 56 pixels.

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
        "probability", float32, shape (n_cells, 56, 56), estimated as (lit + 1/2) / (n_images + 1);
        and "radius", "thickness", "deformation", shape (n_cells,), the values at the middle of each
        cell. Kept in the cache.
    """
    settings = {
        "n_thickness": n_thickness,
        "n_deformation": n_deformation,
        "n_images": n_images,
        "seed": seed,
    }

    def make():
        rng = np.random.default_rng([seed, mock.VERSION])
        cells, width = _cells(n_thickness, n_deformation)
        chances = [_chance_to_be_lit(cell, width, n_images, rng) for cell in cells]
        table = dict(zip(OF_CELLS, cells.T, strict=True))
        table["probability"] = np.stack(chances)
        return table

    return cached("ring_pixel_probabilities", settings, mock.VERSION, make)


def _cells(n_thickness, n_deformation):
    """Middles of the cells, shape (n_cells, 3), and their width in thickness and deformation."""
    edges = [
        np.linspace(*RANGES.thickness, n_thickness + 1),
        np.linspace(*RANGES.deformation, n_deformation + 1),
    ]
    middles = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
    width = np.array([edge[1] - edge[0] for edge in edges])
    grid = np.meshgrid(RADII, *middles, indexing="ij")
    cells = np.stack(grid, axis=-1)
    return cells.reshape(-1, len(OF_CELLS)), width


def _chance_to_be_lit(cell, width, n_images, rng):
    """Estimate it for each pixel, from rings drawn evenly in a cell: shape (56, 56)."""
    rings = np.full((n_images, len(mock.PARAMETERS)), mock.SIZE, dtype=float)
    within = rng.uniform(-0.5, 0.5, (n_images, 2))
    rings[:, 2] = cell[0]
    rings[:, 3:] = cell[1:] + width * within
    offsets = mock.radial_offsets(rings[:, 4], rng)
    images = mock.draw_rings(rings, offsets, size=CANVAS)
    n_lit = (images > 0).sum(axis=0)
    return ((n_lit + 0.5) / (n_images + 1)).astype(np.float32)


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
    n = len(images)
    lit = (images.reshape(n, -1) > 0).astype(np.float32)
    log_on = np.log(table["probability"])
    log_off = np.log1p(-table["probability"])
    cells = np.stack([table[name] for name in OF_CELLS], axis=1)
    # Sums over all centres and cells so far, relative to the largest term of each image.
    largest = np.full(n, -np.inf)
    total = np.zeros(n)
    mean = np.zeros((n, len(mock.PARAMETERS)))
    for y in CENTRES:
        rows = slice(mock.SIZE - y, CANVAS - y)
        for x in CENTRES:
            columns = slice(mock.SIZE - x, CANVAS - x)
            # The prior: all radii that there are at this centre are equally likely.
            allowed = cells[:, 0] <= mock.distance_to_border(x, y) - RANGES.margin
            n_allowed = allowed.sum()
            on = log_on[allowed, rows, columns].reshape(n_allowed, -1)
            off = log_off[allowed, rows, columns].reshape(n_allowed, -1)
            all_dark = off.sum(axis=1)
            log_likelihood = lit @ (on - off).T + all_dark  # (n, n_allowed)
            log_weight = log_likelihood.astype(float) - np.log(n_allowed)
            peak = np.maximum(largest, log_weight.max(axis=1))
            shrink = np.exp(largest - peak)
            weight = np.exp(log_weight - peak[:, None])
            here = weight.sum(axis=1)
            of_cells = weight @ cells[allowed]
            mean = mean * shrink[:, None]
            mean += np.column_stack([x * here, y * here, of_cells])
            total = total * shrink + here
            largest = peak
    return mean / total[:, None]
