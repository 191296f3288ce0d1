"""Ring images: `load` simulates them or reads a folder, `save` writes one in the layout of the source.

A folder holds ``ring_image_0.png``, ``ring_image_1.png``, ... (8-bit grey, 0 or 255) and their labels: either
``labels.txt``, with the number of rings of one image a line, or ``labels.json``, a list with the keys center,
radius, thickness and deformation of one ring an image. An ellipse has the keys ellipticity and angle as well.
"""

import json
import math
import re
import reprlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.datasets.files import DataError, atomic_path
from helpers.datasets.places import find, short
from helpers.datasets.reading import reading
from helpers.datasets.registry import choose
from helpers.subjects.rings import mock

FOLDERS = {  # the first three are the names that the source gives them
    "classifier": "N_ring_dataset",
    "regressor": "ring_regressor_dataset",
    "generator": "ring_generator_dataset",
    "ellipse": "ring_ellipse_dataset",
}
KINDS = tuple(FOLDERS)
OF_ELLIPSES = ["ellipticity", "angle"]


@dataclass(frozen=True)
class RingImages:
    """Images of Cherenkov rings and what is known of them.

    Attributes
    ----------
    images : numpy.ndarray of uint8, shape (n, 28, 28)
        0 or 255; rows are y, downwards, and columns x.
    n_rings : numpy.ndarray of int, shape (n,)
        Number of rings in each image.
    parameters : numpy.ndarray or None, shape (n, most rings, 5 or 7)
        Of each ring, in pixels (the angle in radians), named by `names`; NaN where an image has fewer rings.
        None where a folder gives only their number.
    kind : {"classifier", "regressor", "generator", "ellipse"}
    source : {"real", "mock"}
        Read from a folder, or simulated by this package.
    """

    images: np.ndarray
    n_rings: np.ndarray
    parameters: np.ndarray | None
    kind: str
    source: str

    def __len__(self):
        return len(self.images)

    @property
    def mock(self):
        """Whether the images were simulated by this package."""
        return self.source == "mock"

    @property
    def names(self):
        """Names of the parameters, in the order of their columns."""
        return mock.ELLIPSE_PARAMETERS if self.kind == "ellipse" else mock.PARAMETERS

    @property
    def pixels(self):
        """The images as a network takes them: float32 in 0 to 1, shape (n, 1, 28, 28)."""
        return self.images[:, None].astype(np.float32) / 255

    @property
    def ring(self):
        """Parameters of the first ring of each image, shape (n, 5 or 7)."""
        return self.parameters[:, 0]

    def split(self, *sizes):
        """Split into consecutive sets of these sizes.

        Raises
        ------
        ValueError
            If there are fewer images than the sizes add up to.
        """
        if sum(sizes) > len(self):
            raise ValueError(
                f"expected at least {sum(sizes)} images, found {len(self)}: ask for smaller sets"
            )
        ends = np.cumsum(sizes)
        return tuple(self[end - size : end] for size, end in zip(sizes, ends, strict=True))

    def __getitem__(self, rows):
        parameters = None if self.parameters is None else self.parameters[rows]
        return replace(
            self, images=self.images[rows], n_rings=self.n_rings[rows], parameters=parameters
        )


def load(folder=None, *, kind="regressor", n=10_000, seed=0, max_rings=2, source="auto"):
    """Return ring images: those of a folder, or the real ones if they are there, or else simulated ones.

    Simulating a set takes less time than reading it from disk, so simulated sets are not kept.

    Parameters
    ----------
    folder : path, optional
        A folder in the layout of the source; all its images are read, and the other arguments not used.
    kind : {"classifier", "regressor", "generator", "ellipse"}
        One to `max_rings` rings an image with their number; one ring with its parameters; the same for a
        generator, of which the regressor has seen nothing; one ellipse.
    n : int
        Number of images.
    seed : int
        Of the simulation.
    max_rings : int
        Largest number of rings in an image of the classifier's set.
    source : {"auto", "real", "mock"}
        "real" is the folder of `FOLDERS` on the data search path (``N_ring_dataset_3`` and so on for another
        `max_rings` than 2), "mock" the simulator, "auto" the real one if it is there.

    Returns
    -------
    RingImages

    Raises
    ------
    helpers.datasets.DataError
        If a folder is not there, not whole, or not in the expected format.
    """
    if folder is not None:
        return read(folder)
    if kind not in KINDS:
        raise ValueError(f"expected kind to be one of {', '.join(KINDS)}, found {kind!r}")
    name = FOLDERS[kind] + (f"_{max_rings}" if kind == "classifier" and max_rings != 2 else "")
    place = find(name)
    if choose(source, place, f"rings ({kind})", "as this hack is meant to be done") == "mock":
        return RingImages(*mock.simulate(n, seed, kind, max_rings), kind, "mock")
    data = read(place)
    if (data.kind == "classifier", data.kind == "ellipse") != (
        kind == "classifier",
        kind == "ellipse",
    ):
        raise DataError(
            f"expected images of the kind {kind} in {short(place)}, found {data.kind}: move the folder away"
        )
    if len(data) < n:
        raise DataError(
            f"expected {n} images in {short(place)}, found {len(data)}: ask for fewer, or use source='mock'"
        )
    return data[:n]


def read(folder):
    """Read a folder in the layout of the source.

    Parameters
    ----------
    folder : path

    Returns
    -------
    RingImages

    Raises
    ------
    helpers.datasets.DataError
        Naming the file, what was expected and what was found.
    """
    folder = Path(folder)
    labels = [folder / name for name in ("labels.txt", "labels.json") if (folder / name).exists()]
    if len(labels) != 1:
        found = "both" if labels else ("neither" if folder.is_dir() else "no such folder")
        raise DataError(
            f"expected labels.txt (numbers of rings) or labels.json (parameters) in {short(folder)}, found {found}"
        )
    read_labels = _read_counts if labels[0].suffix == ".txt" else _read_rings
    kind, n_rings, parameters = read_labels(labels[0])
    _same_number(folder, len(n_rings), labels[0].name)
    images = np.stack([_read_image(folder / f"ring_image_{i}.png") for i in range(len(n_rings))])
    return RingImages(images, n_rings, parameters, kind, "real")


def _same_number(folder, n, labels):
    """Raise DataError unless there is exactly one image for each label."""
    numbers = {
        int(m[1])
        for path in folder.iterdir()
        if (m := re.fullmatch(r"ring_image_(0|[1-9]\d*)\.png", path.name))
    }
    missing, unlabelled = sorted(set(range(n)) - numbers), sorted(numbers - set(range(n)))
    if n == 0:
        raise DataError(f"expected at least one label in {short(folder / labels)}, found none")
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(
            f"{labels} in {short(folder)} has {n} labels, but ring_image_{missing[0]}.png{more} is missing: "
            "restore the image, or remove its label and renumber the images"
        )
    if unlabelled:
        more = f" and {len(unlabelled) - 1} more" if len(unlabelled) > 1 else ""
        raise DataError(
            f"ring_image_{unlabelled[0]}.png{more} in {short(folder)} has no label: {labels} has only {n}"
        )


def _read_counts(path):
    with reading(path, "plain text (UTF-8)", "write it again"):
        numbers = path.read_text(encoding="utf-8").replace("\r", "").split("\n")
    numbers = numbers[:-1] if numbers[-1] == "" else numbers
    for line, number in enumerate(numbers, 1):
        if not re.fullmatch(r"\s*0*[1-9]\d{0,5}\s*", number):
            raise DataError(
                f"expected a number of rings, 1 or more, in line {line} of {short(path)}, found {number!r}"
            )
    return "classifier", np.array(numbers, dtype=int), None


def _read_rings(path):
    with reading(path, "a JSON list in plain text (UTF-8)", "write it again"):
        rings = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rings, list):
        raise DataError(f"expected a JSON list in {short(path)}, found a {type(rings).__name__}")
    elliptic = bool(rings) and isinstance(rings[0], dict) and "ellipticity" in rings[0]
    keys = ["radius", "thickness", "deformation"] + (OF_ELLIPSES if elliptic else [])
    others = set(OF_ELLIPSES) - set(keys)
    parameters = np.empty((len(rings), 1, 2 + len(keys)))
    for i, ring in enumerate(rings):
        try:
            x, y = ring["center"]
            numbers = [x, y] + [ring[key] for key in keys]
            finite = all(isinstance(x, int | float) and math.isfinite(x) for x in numbers)
            if not finite or others & ring.keys():
                raise ValueError
            parameters[i, 0] = numbers
        except (TypeError, ValueError, KeyError, OverflowError):
            wanted = ", ".join(["center (two numbers)", *keys])
            if others:
                wanted += " and nothing of an ellipse"
            place = f"image {i} in {short(path)}"
            found = reprlib.repr(ring)
            raise DataError(f"expected {wanted} for {place}, found {found}") from None
    return "ellipse" if elliptic else "regressor", np.ones(len(rings), dtype=int), parameters


def _read_image(path):
    with reading(path, "a PNG", "write it again"), Image.open(path, formats=("PNG",)) as image:
        if image.size != (mock.SIZE, mock.SIZE) or image.mode != "L":
            raise DataError(
                f"expected {mock.SIZE} × {mock.SIZE} pixels of 8-bit grey in {short(path)}, "
                f"found {image.width} × {image.height} of mode {image.mode}: write it again"
            )
        pixels = np.asarray(image)
    if not np.isin(pixels, (0, 255)).all():
        found = f"others, up to {pixels.max()}: write it again"
        raise DataError(f"expected pixels of 0 or 255 in {short(path)}, found {found}")
    return pixels


def save(data, folder):
    """Write images and labels in the layout of the source.

    Parameters
    ----------
    data : RingImages
    folder : path
        Made if it is not there. The labels are written last: a folder that was not finished has none.

    Raises
    ------
    helpers.datasets.DataError
        If the folder already holds something, which is left alone.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"expected a new or empty folder, found {short(folder)} with something in it: choose another"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(data.images):
        Image.fromarray(image).save(folder / f"ring_image_{i}.png")
    if data.kind == "classifier":
        name, text = "labels.txt", "".join(f"{number}\n" for number in data.n_rings)
    else:
        name, text = (
            "labels.json",
            json.dumps([_label(ring) for ring in data.ring.tolist()], indent=2),
        )
    with atomic_path(folder / name) as part:
        part.write_text(text, encoding="utf-8")


def _label(ring):
    whole = [
        int(value) if value == int(value) else value for value in ring[:3]
    ]  # as the source writes them
    label = {"center": whole[:2], "radius": whole[2], "thickness": ring[3], "deformation": ring[4]}
    return label | dict(zip(OF_ELLIPSES, ring[5:], strict=False))
