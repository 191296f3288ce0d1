"""The simulator of Cherenkov rings: the distribution of the hack's public material, all at once.

A ring is drawn by stamping, at each of 360 integer degrees, a filled disc of diameter `thickness`
at the distance ``radius + U(-deformation, +deformation)`` from the centre, with a fresh draw at
each degree. Pixels are 0 or 255, and several rings in one image are combined by their pixelwise
maximum. The rules and the ranges of the parameters are those of
github.com/cesarjesusvalls/A3NetRingImg, which draws one disc at a time with Pillow. Pillow
truncates the corners of a disc to whole pixels, so that only a few different stamps exist: they are
drawn once, with Pillow itself, and then placed for all rings together.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

SIZE = 28
"""Width and height of an image in pixels."""

VERSION = 1
"""Part of every seed: raised with the rules, so that all images and caches are made anew."""

ANGLES = np.radians(np.arange(360))
COS = np.cos(ANGLES)
SIN = np.sin(ANGLES)
BLOCK = 128  # rings drawn at a time, so that the work stays in the processor's cache
PARAMETERS = ("x", "y", "radius", "thickness", "deformation")
ELLIPSE_PARAMETERS = (*PARAMETERS, "ellipticity", "angle")
MAX_ELLIPTICITY = 0.4
TO_BORDER = 5  # the least distance of a centre from the border, in pixels


class Ranges(NamedTuple):
    """What the parameters of a kind are drawn from, in pixels: all of them evenly."""

    radius: int  # the smallest; whole numbers
    margin: int  # between the largest radius and the border
    thickness: tuple
    deformation: tuple


_SHARP = Ranges(3, 2, thickness=(0.2, 1.0), deformation=(0.0, 1.0))
_FUZZY = Ranges(4, 1, thickness=(0.2, 1.5), deformation=(0.5, 3.0))
RANGES = {"classifier": _SHARP, "regressor": _FUZZY, "generator": _FUZZY, "ellipse": _FUZZY}


def draw_parameters(n, rng, kind="regressor"):
    """Draw the parameters of `n` rings from the distribution of the source.

    Parameters
    ----------
    n : int
        Number of rings.
    rng : numpy.random.Generator
        The only source of randomness.
    kind : {"classifier", "regressor", "generator", "ellipse"}
        Whose ranges to use. An ellipse is a regressor ring with an ellipticity e = (a - b) / (a +
        b), uniform in 0 to 0.4, and a position angle, uniform in 0 to pi.

    Returns
    -------
    numpy.ndarray, shape (n, 5) or (n, 7)
        x, y, radius, thickness, deformation in pixels; for an ellipse also e and the angle in
        radians.
    """
    ranges = RANGES[kind]
    x, y = rng.integers(TO_BORDER, SIZE - TO_BORDER, size=(2, n), endpoint=True)
    largest = distance_to_border(x, y) - ranges.margin
    radius = rng.integers(ranges.radius, largest, endpoint=True)
    thickness = rng.uniform(*ranges.thickness, n)
    deformation = rng.uniform(*ranges.deformation, n)
    columns = [x, y, radius, thickness, deformation]
    if kind == "ellipse":
        columns.append(rng.uniform(0, MAX_ELLIPTICITY, n))
        columns.append(rng.uniform(0, np.pi, n))
    return np.stack(columns, axis=1).astype(float)


def distance_to_border(x, y):
    """Distance of points to the nearest border of the image, in pixels, of the shape of `x`."""
    to_left_or_top = np.minimum(x, y)
    to_right_or_bottom = SIZE - np.maximum(x, y)
    return np.minimum(to_left_or_top, to_right_or_bottom)


def radial_offsets(deformation, rng):
    """Draw the radial offset of each disc: even in ±deformation, shape (n, 360), in pixels."""
    shape = (len(deformation), len(ANGLES))
    even = rng.uniform(-1, 1, size=shape)
    return even * np.asarray(deformation)[:, None]


def disc_positions(parameters, offsets):
    """Centres of the 360 discs of each ring.

    Parameters
    ----------
    parameters : array, shape (n, 5) or (n, 7)
        As `draw_parameters` gives them.
    offsets : array, shape (n, 360)
        Radial offset of each disc, in pixels.

    Returns
    -------
    x, y : arrays, shape (n, 360)
        In pixels.

    Notes
    -----
    An ellipse is the image of the circle under the symmetric matrix of determinant 1 that stretches
    by sqrt((1 + e) / (1 - e)) along the position angle: `radius` is then the geometric mean of its
    semi-axes.
    """
    columns = np.asarray(parameters, dtype=float).T[:, :, None]
    centre_x, centre_y, radius, _, _, *of_ellipse = columns  # (n, 1) each
    distance = radius + offsets
    x = distance * COS
    y = distance * SIN
    if of_ellipse:
        x, y = _stretched(x, y, *of_ellipse)
    return centre_x + x, centre_y + y


def _stretched(x, y, e, angle):
    """Circles made ellipses, of ellipticity e along an angle."""
    e1 = e * np.cos(2 * angle)
    e2 = e * np.sin(2 * angle)
    scale = 1 / np.sqrt(1 - e**2)
    stretched_x = (1 + e1) * x + e2 * y
    stretched_y = e2 * x + (1 - e1) * y
    return scale * stretched_x, scale * stretched_y


@lru_cache
def _stamps(largest):
    """Pillow's filled ellipse for each width and height of its box: bool, four equal axes."""
    reach = largest + 1
    stamps = np.zeros((reach, reach, reach, reach), dtype=bool)
    for width in range(reach):
        for height in range(reach):
            image = Image.new("L", (reach, reach))
            ImageDraw.Draw(image).ellipse([0, 0, width, height], fill=255)
            stamps[width, height] = np.asarray(image) > 0
    return stamps


def draw_rings(parameters, offsets, size=SIZE):
    """Draw one ring an image, exactly as Pillow draws its discs.

    Parameters
    ----------
    parameters : array, shape (n, 5) or (n, 7)
        As `draw_parameters` gives them, in pixels.
    offsets : array, shape (n, 360)
        Radial offset of each disc, in pixels.
    size : int
        Width and height of an image.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, size, size)
        0 or 255.
    """
    n = len(parameters)
    if n == 0:
        return np.zeros((0, size, size), dtype=np.uint8)
    x, y = disc_positions(parameters, offsets)
    half = parameters[:, 3, None] / 2
    left = _truncated(x - half)
    top = _truncated(y - half)
    width = _truncated(x + half) - left
    height = _truncated(y + half) - top
    stamps = _stamps(int(np.ceil(2 * half.max())))
    reach = len(stamps)
    stamp = width * reach + height  # its place among all of them
    # A margin on each side takes the discs that Pillow would clip.
    before = max(reach, -left.min(), -top.min())
    after = reach + max(0, left.max() - size, top.max() - size)
    side = before + size + after
    image = np.arange(n, dtype=np.int32)[:, None]
    row = image * side + (top + before)
    corner = row * side + (left + before)
    # Where each stamp is placed: a picture of single pixels for each stamp and ring.
    discs = np.zeros((reach * reach, n, side, side), dtype=np.uint8)
    n_pixels = np.int32(n * side * side)  # of the pictures of one stamp
    discs.reshape(-1)[stamp * n_pixels + corner] = 255
    images = np.zeros((n, size, size), dtype=np.uint8)
    for place, row, column in np.argwhere(stamps.reshape(-1, reach, reach)):
        rows = slice(before - row, before - row + size)
        columns = slice(before - column, before - column + size)
        images |= discs[place, :, rows, columns]
    return images


def _truncated(pixels):
    """To whole pixels, towards 0, as Pillow does."""
    return pixels.astype(np.int32)


def draw_rings_one_by_one(parameters, offsets, size=SIZE):
    """The same images as `draw_rings`, drawn as the source does: one disc at a time with Pillow.

    It is slow, and stands here as the reference that the fast simulator is held against.
    """
    images = np.zeros((len(parameters), size, size), dtype=np.uint8)
    centres = disc_positions(parameters, offsets)
    for image, ring, x, y in zip(images, parameters, *centres, strict=True):
        canvas = Image.new("L", (size, size))
        draw = ImageDraw.Draw(canvas)
        half = ring[3] / 2
        for disc_x, disc_y in zip(x, y, strict=True):
            draw.ellipse([disc_x - half, disc_y - half, disc_x + half, disc_y + half], fill=255)
        image[:] = np.asarray(canvas)
    return images


def draw_images(parameters, rng, draw=draw_rings):
    """Draw rings with fresh radial offsets, a block at a time.

    Parameters
    ----------
    parameters : array, shape (n, 5) or (n, 7)
        As `draw_parameters` gives them, in pixels.
    rng : numpy.random.Generator
        The only source of randomness.
    draw : callable
        `draw_rings`, or `draw_rings_one_by_one` to hold the two against each other.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, 28, 28)
        0 or 255.
    """
    images = np.empty((len(parameters), SIZE, SIZE), dtype=np.uint8)
    for start in range(0, len(parameters), BLOCK):
        block = slice(start, start + BLOCK)
        rings = parameters[block]
        offsets = radial_offsets(rings[:, 4], rng)
        images[block] = draw(rings, offsets)
    return images


def simulate(n, seed, kind="regressor", max_rings=2, draw=draw_rings):
    """Simulate a set of ring images.

    Parameters
    ----------
    n : int
        Number of images.
    seed : int
        Seed of the generator; the same settings and seed give the same images.
    kind : {"classifier", "regressor", "generator", "ellipse"}
        One to `max_rings` rings an image, as many of each number as chance will have it; or one
        ring.
    max_rings : int
        Largest number of rings in an image of the classifier's set.
    draw : callable
        `draw_rings`, or `draw_rings_one_by_one` to hold the two against each other.

    Returns
    -------
    images : numpy.ndarray of uint8, shape (n, 28, 28)
        0 or 255.
    n_rings : numpy.ndarray of int, shape (n,)
    parameters : numpy.ndarray, shape (n, most rings, 5 or 7)
        Of each ring, in pixels; NaN where an image has fewer rings.
    """
    rng = np.random.default_rng([seed, VERSION])
    most = max_rings if kind == "classifier" else 1
    n_rings = rng.integers(1, most, size=n, endpoint=True)
    image = np.repeat(np.arange(n), n_rings)  # of each ring
    first = np.cumsum(n_rings) - n_rings  # ring of each image
    nth = np.arange(len(image)) - first[image]
    rings = draw_parameters(len(image), rng, kind)
    drawn = draw_images(rings, rng, draw)
    images = np.zeros((n, SIZE, SIZE), dtype=np.uint8)
    parameters = np.full((n, most, rings.shape[1]), np.nan)
    for k in range(most):
        chosen = nth == k
        images[image[chosen]] |= drawn[chosen]  # the pixelwise maximum, since pixels are 0 or 255
        parameters[image[chosen], k] = rings[chosen]
    return images, n_rings, parameters
