"""Ring images: `load` simulates or reads them, `write` writes a folder in the layout of the source.

A folder holds ``ring_image_0.png``, ``ring_image_1.png``, ... (8-bit grey, 0 or 255) and their
labels: either ``labels.txt``, with the number of rings of one image a line, or ``labels.json``, a
list with the keys center, radius, thickness and deformation of one ring an image. An ellipse has
the keys ellipticity and angle as well.
"""

import json
import math
import re
import reprlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.datasets.files import DataError, atomic_path
from helpers.datasets.places import find, short
from helpers.datasets.reading import reading
from helpers.datasets.sample import Sample, load_or_simulate
from helpers.subjects.rings import mock

FOLDERS = {  # the first three are the names that the source gives them
    "classifier": "N_ring_dataset",
    "regressor": "ring_regressor_dataset",
    "generator": "ring_generator_dataset",
    "ellipse": "ring_ellipse_dataset",
}
KINDS = tuple(FOLDERS)
FAMILIES = {
    "classifier": "numbers of rings",
    "regressor": "circles",
    "generator": "circles",
    "ellipse": "ellipses",
}
LABELS = ("labels.txt", "labels.json")
IMAGE = re.compile(r"ring_image_(0|[1-9]\d*)\.png")
NUMBER = re.compile(r"\s*0*[1-9]\d{0,5}\s*")  # of rings: 1 or more
OF_CIRCLES = ("radius", "thickness", "deformation")  # keys of a label, beside center
OF_ELLIPSES = ("ellipticity", "angle")


@dataclass(frozen=True, kw_only=True)
class RingImages(Sample):
    """Images of Cherenkov rings and what is known of them.

    Attributes
    ----------
    images : numpy.ndarray of uint8, shape (n, 28, 28)
        0 or 255; rows are y, downwards, and columns x.
    n_rings : numpy.ndarray of int, shape (n,)
        Number of rings in each image.
    parameters : numpy.ndarray or None, shape (n, most rings, 5 or 7)
        Of each ring, in pixels (the angle in radians), named by `names`; NaN where an image has
        fewer rings. None where a folder gives only their number.
    kind : {"classifier", "regressor", "generator", "ellipse"}
    source : {"real", "mock"}
        Read from a folder, or simulated by this package.
    """

    images: np.ndarray
    n_rings: np.ndarray
    parameters: np.ndarray | None
    kind: str

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


def family(kind):
    """What a folder of this kind is labelled with (str); kinds of one family differ only by name.

    Parameters
    ----------
    kind : {"classifier", "regressor", "generator", "ellipse"}

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in FAMILIES:
        raise ValueError(f"expected kind to be one of {', '.join(KINDS)}, found {kind!r}")
    return FAMILIES[kind]


def load(n=10_000, *, source="auto", seed=0, path=None, kind="regressor", max_rings=2):
    """Return ring images: real ones if they are there, else simulated ones; or those of a folder.

    Simulating a set takes less time than reading it from disk, so simulated sets are not kept.

    Parameters
    ----------
    n : int
        Number of images; of a real folder only so many are read.
    source : {"auto", "real", "mock"}
        "real" is the folder of `FOLDERS` on the data search path (``N_ring_dataset_3`` and so on
        for another `max_rings` than 2), "mock" the simulator, "auto" the real one if it is there.
    seed : int
        Of the simulation; the images of a seed depend on `n`.
    path : path, optional
        A folder of one's own, in the layout of the source. It is read whole, its labels tell the
        kind, and no other argument plays a part.
    kind : {"classifier", "regressor", "generator", "ellipse"}
        One to `max_rings` rings an image with their number; one ring with its parameters; the same
        for a generator, of which the regressor has seen nothing; one ellipse.
    max_rings : int
        Largest number of rings in an image of the classifier's set.

    Returns
    -------
    RingImages

    Raises
    ------
    helpers.datasets.files.DataError
        If a folder is not there, not whole, not in the expected format, of another kind, or has
        fewer images.
    ValueError
        If `n` is less than 1, or the kind or the source unknown.
    """
    if path is not None:
        return read(path)
    return load_or_simulate(
        f"rings ({kind})",
        n,
        source,
        real=find(_folder(kind, max_rings)),
        read=partial(_read_kind, kind=kind),
        simulate=partial(simulate, seed=seed, kind=kind, max_rings=max_rings),
        absent="as this hack is meant to be done",
    )


def _folder(kind, max_rings):
    """Name of the folder of a kind, by the source's rules."""
    family(kind)  # refuses what is none
    several = kind == "classifier" and max_rings != 2
    return f"{FOLDERS[kind]}_{max_rings}" if several else FOLDERS[kind]


def _read_kind(path, n, kind):
    images = read(path, n)
    if family(images.kind) != family(kind):
        wanted = f"expected images of the kind {kind} in {short(path)}"
        raise DataError(f"{wanted}, found {images.kind}: move the folder away")
    return images


def simulate(n, seed=0, kind="regressor", max_rings=2):
    """Simulate ring images.

    Parameters
    ----------
    n, seed, kind, max_rings
        As `helpers.subjects.rings.mock.simulate`.

    Returns
    -------
    RingImages
    """
    images, n_rings, parameters = mock.simulate(n, seed, kind, max_rings)
    return RingImages(
        images=images, n_rings=n_rings, parameters=parameters, kind=kind, source="mock"
    )


def read(path, n=None):
    """Read a folder in the layout of the source.

    Parameters
    ----------
    path : path
    n : int, optional
        Number of images, the first of the folder, and only so many are read; by default all.

    Returns
    -------
    RingImages
        With source "real".

    Raises
    ------
    helpers.datasets.files.DataError
        Naming the file, what was expected and what was found.
    """
    folder = Path(path)
    labels = _labels(folder)
    read_labels = _read_counts if labels.suffix == ".txt" else _read_rings
    kind, n_rings, parameters = read_labels(labels)
    there = len(n_rings)
    _check_images(folder, there, labels.name)
    n = there if n is None else n
    if n > there:
        remedy = "ask for fewer, or use source='mock'"
        raise DataError(f"expected {n} images in {short(folder)}, found {there}: {remedy}")
    paths = [_image(folder, number) for number in range(n)]
    return RingImages(
        images=np.stack([_read_image(path) for path in paths]),
        n_rings=n_rings[:n],
        parameters=None if parameters is None else parameters[:n],
        kind=kind,
        source="real",
    )


def _image(folder, number):
    return folder / f"ring_image_{number}.png"


def _labels(folder):
    """The one file of labels that a folder has."""
    paths = [folder / name for name in LABELS]
    there = [path for path in paths if path.exists()]
    if len(there) == 1:
        return there[0]
    found = "both" if there else "neither"
    if not folder.is_dir():
        found = "no such folder"
    wanted = "expected labels.txt (numbers of rings) or labels.json (parameters)"
    raise DataError(f"{wanted} in {short(folder)}, found {found}")


def _check_images(folder, n, labels):
    """Raise DataError unless there is exactly one image for each of n labels."""
    if n == 0:
        raise DataError(f"expected at least one label in {short(folder / labels)}, found none")
    found = (IMAGE.fullmatch(path.name) for path in folder.iterdir())
    numbers = {int(match[1]) for match in found if match}
    labelled = set(range(n))
    missing = sorted(labelled - numbers)
    if missing:
        problem = f"{labels} in {short(folder)} has {n} labels, but {_images(missing)} is missing"
        remedy = "restore the image, or remove its label and renumber the images"
        raise DataError(f"{problem}: {remedy}")
    unlabelled = sorted(numbers - labelled)
    if unlabelled:
        problem = f"{_images(unlabelled)} in {short(folder)} has no label"
        raise DataError(f"{problem}: {labels} has only {n}")


def _images(numbers):
    """The first of some images by name, and how many more there are."""
    more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
    return f"ring_image_{numbers[0]}.png{more}"


def _read_counts(path):
    """Kind, number of rings of each image, and no parameters."""
    with reading(path, "plain text (UTF-8)", "write it again"):
        numbers = path.read_text(encoding="utf-8").replace("\r", "").split("\n")
    if numbers[-1] == "":  # behind the last line break
        numbers = numbers[:-1]
    for line, number in enumerate(numbers, 1):
        if not NUMBER.fullmatch(number):
            wanted = f"expected a number of rings, 1 or more, in line {line} of {short(path)}"
            raise DataError(f"{wanted}, found {number!r}")
    return "classifier", np.array(numbers, dtype=int), None


def _read_rings(path):
    """Kind, number of rings of each image, which is 1, and their parameters."""
    with reading(path, "a JSON list in plain text (UTF-8)", "write it again"):
        rings = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rings, list):
        raise DataError(f"expected a JSON list in {short(path)}, found a {type(rings).__name__}")
    first = rings[0] if rings else None
    elliptic = isinstance(first, dict) and "ellipticity" in first
    kind = "ellipse" if elliptic else "regressor"
    parameters = []
    for number, ring in enumerate(rings):
        place = f"image {number} in {short(path)}"
        parameters.append([_parameters(ring, kind, place)])
    n_rings = np.ones(len(rings), dtype=int)
    return kind, n_rings, np.array(parameters, dtype=float)


def _parameters(ring, kind, place):
    """The parameters of one label, in the order of `RingImages.names`; `place` names it."""
    keys = OF_CIRCLES + OF_ELLIPSES if kind == "ellipse" else OF_CIRCLES
    alien = set(OF_ELLIPSES) - set(keys)
    try:
        x, y = ring["center"]
        numbers = [x, y, *(ring[key] for key in keys)]
        if alien & ring.keys() or not all(map(_is_finite, numbers)):
            raise ValueError
        return [float(value) for value in numbers]
    except (TypeError, ValueError, KeyError, OverflowError):
        wanted = ", ".join(["center (two numbers)", *keys])
        also = " and nothing of an ellipse" if alien else ""
        found = reprlib.repr(ring)
        raise DataError(f"expected {wanted}{also} for {place}, found {found}") from None


def _is_finite(value):
    return isinstance(value, int | float) and math.isfinite(value)


def _read_image(path):
    """One image, shape (28, 28); what is in its header is looked at before it is unpacked."""
    with reading(path, "a PNG", "write it again"), Image.open(path, formats=("PNG",)) as image:
        if image.size != (mock.SIZE, mock.SIZE) or image.mode != "L":
            wanted = f"expected {mock.SIZE} × {mock.SIZE} pixels of 8-bit grey in {short(path)}"
            found = f"{image.width} × {image.height} of mode {image.mode}: write it again"
            raise DataError(f"{wanted}, found {found}")
        pixels = np.asarray(image)
    if not np.isin(pixels, (0, 255)).all():
        found = f"others, up to {pixels.max()}: write it again"
        raise DataError(f"expected pixels of 0 or 255 in {short(path)}, found {found}")
    return pixels


def write(samples, path):
    """Write images and labels in the layout of the source.

    Parameters
    ----------
    samples : RingImages
    path : path
        A folder, made if it is not there. The labels are written last: a folder that was not
        finished has none.

    Raises
    ------
    helpers.datasets.files.DataError
        If the folder already holds something, which is left alone.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        found = f"{short(folder)} with something in it"
        raise DataError(f"expected a new or empty folder, found {found}: choose another")
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(samples.images):
        Image.fromarray(image).save(_image(folder, number))
    if samples.kind == "classifier":
        name = "labels.txt"
        text = "".join(f"{number}\n" for number in samples.n_rings)
    else:
        name = "labels.json"
        labels = [_label(ring) for ring in samples.ring.tolist()]
        text = json.dumps(labels, indent=2)
    with atomic_path(folder / name) as part:
        part.write_text(text, encoding="utf-8")


def _label(ring):
    """The label of one ring; centre and radius as whole numbers where they are so."""
    center = [_whole(value) for value in ring[:2]]
    numbers = [_whole(ring[2]), *ring[3:]]
    keys = (OF_CIRCLES + OF_ELLIPSES)[: len(numbers)]
    return {"center": center, **dict(zip(keys, numbers, strict=True))}


def _whole(number):
    return int(number) if number == int(number) else number
