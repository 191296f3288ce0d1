"""Ring folders: written and read in the layout of the source; what is wrong with one is said."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from helpers.datasets.files import DataError
from helpers.subjects import rings

pytestmark = pytest.mark.usefixtures("data_folder")


@pytest.mark.parametrize("kind", ["classifier", "regressor", "ellipse"])
def test_what_is_written_is_read_again(tmp_path, kind):
    data = rings.load(kind=kind, n=7, seed=3, source="mock")
    rings.write(data, tmp_path / "rings")
    again = rings.load(path=tmp_path / "rings")
    assert np.array_equal(again.images, data.images)
    assert np.array_equal(again.n_rings, data.n_rings)
    assert again.kind == kind
    assert again.source == "real" and not again.mock and data.mock
    if kind != "classifier":
        assert np.array_equal(again.parameters, data.parameters)


def source_folder(folder, n=5, kind="regressor"):
    """A folder as the notebooks of the source write it, by their rules and without our writer."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(n):
        pixels = (rng.random((28, 28)) < 0.2).astype(np.uint8) * 255
        Image.fromarray(pixels).save(folder / f"ring_image_{i}.png")
    if kind == "classifier":
        text = "".join(f"{1 + i % 2}\n" for i in range(n))
        (folder / "labels.txt").write_text(text, encoding="utf-8")
    else:
        labels = [
            {"center": (5 + i, 20), "radius": 4, "thickness": 0.2 + i / 10, "deformation": 1.5}
            for i in range(n)
        ]
        (folder / "labels.json").write_text(json.dumps(labels, indent=2), encoding="utf-8")
    return folder


def test_a_folder_of_the_source_loads_as_it_is(tmp_path):
    data = rings.load(path=source_folder(tmp_path / "r"))
    assert data.kind == "regressor" and data.images.shape == (5, 28, 28)
    assert data.ring[2].tolist() == [7, 20, 4, 0.4, 1.5]
    counts = rings.load(path=source_folder(tmp_path / "c", kind="classifier"))
    assert counts.n_rings.tolist() == [1, 2, 1, 2, 1]
    assert counts.parameters is None
    assert counts[1:3].n_rings.tolist() == [2, 1]


def test_images_belong_to_their_labels_beyond_ten(tmp_path):
    data = rings.load(kind="regressor", n=12, seed=3, source="mock")
    rings.write(data, tmp_path / "rings")
    assert np.array_equal(rings.load(path=tmp_path / "rings").images[10], data.images[10])


def edit_labels(change):
    def damage(folder):
        path = folder / "labels.json"
        labels = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(change(labels)), encoding="utf-8")

    return damage


def break_png(folder):
    path = folder / "ring_image_2.png"
    path.write_bytes(path.read_bytes()[:40])


def not_a_png(folder):
    (folder / "ring_image_2.png").write_text("hello", encoding="utf-8")


def flip_a_byte(folder):
    path = folder / "ring_image_2.png"
    data = bytearray(path.read_bytes())
    data[11] ^= 0x80  # in the length of the first chunk
    path.write_bytes(bytes(data))


def other_size(folder):
    Image.new("L", (32, 28)).save(folder / "ring_image_2.png")


def save_as(mode, suffix="PNG", values=(0, 255)):
    def damage(folder):
        path = folder / "ring_image_2.png"
        image = Image.fromarray(np.resize(np.array(values, np.uint8), (28, 28)))
        image.convert(mode).save(path, format=suffix)

    return damage


def nest(folder):
    (folder / "labels.json").write_text("[" * 100_000 + "]" * 100_000, encoding="utf-8")


def make_a_folder(name):
    def damage(folder):
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def make_a_pipe(folder):
    (folder / "ring_image_2.png").unlink()
    os.mkfifo(folder / "ring_image_2.png")


def too_many_pixels(folder):
    Image.new("1", (20_000, 10_000)).save(folder / "ring_image_2.png")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "ring_image_3.png").unlink(), r"5 labels, but ring_image_3.png is missing"),
        (
            lambda f: [(f / f"ring_image_{i}.png").unlink() for i in (1, 3, 4)],
            r"ring_image_1.png and 2 more is missing",
        ),
        (
            edit_labels(lambda labels: [*labels, labels[0]]),
            r"6 labels, but ring_image_5.png is missing",
        ),
        (edit_labels(lambda labels: labels[:-1]), r"ring_image_4.png in .* has no label"),
        (break_png, r"a PNG in .*ring_image_2.png, found one that cannot be read"),
        (not_a_png, r"a PNG in .*ring_image_2.png, found one that cannot be read"),
        (flip_a_byte, r"a PNG in .*ring_image_2.png, found one that cannot be read"),
        (edit_labels(lambda labels: [labels[0] | {"radius": None}] + labels[1:]), r"for image 0"),
        (
            edit_labels(lambda labels: [labels[0] | {"radius": float("nan")}] + labels[1:]),
            r"for image 0",
        ),
        (edit_labels(lambda labels: [labels[0] | {"radius": "5"}] + labels[1:]), r"for image 0"),
        (
            lambda f: (f / "labels.json").write_bytes("[]".encode("utf-16")),
            r"plain text \(UTF-8\) in .*UnicodeDecodeError",
        ),
        (other_size, r"expected 28 × 28 pixels .*ring_image_2.png, found 32 × 28"),
        (
            edit_labels(lambda labels: [{"center": [1, 2]}] + labels[1:]),
            r"expected center .* for image 0",
        ),
        (
            edit_labels(lambda labels: labels[:2] + [3] + labels[3:]),
            r"expected center .* for image 2 .* found 3",
        ),
        (edit_labels(lambda labels: {"a": 1}), r"expected a JSON list .* found a dict"),
        (edit_labels(lambda labels: []), r"expected at least one label"),
        (lambda f: (f / "labels.json").write_text("[{", encoding="utf-8"), r"expected a JSON list"),
        (lambda f: (f / "labels.json").unlink(), r"found neither"),
        (lambda f: (f / "labels.txt").write_text("1\n", encoding="utf-8"), r"found both"),
        (shutil.rmtree, r"found no such folder"),
        (save_as("RGBA"), r"28 × 28 pixels of 8-bit grey .* found 28 × 28 of mode RGBA"),
        (save_as("I;16"), r"28 × 28 pixels of 8-bit grey .* found 28 × 28 of mode I"),
        (save_as("L", "JPEG"), r"a PNG in .*ring_image_2.png, found one that cannot be read"),
        (save_as("L", values=(0, 1)), r"expected pixels of 0 or 255 .* found others, up to 1"),
        (save_as("L", values=(0, 128, 255)), r"expected pixels of 0 or 255 .* found others"),
        (
            edit_labels(
                lambda labels: [*labels[:-1], labels[-1] | {"ellipticity": 0.5, "angle": 1.0}]
            ),
            r"nothing of an ellipse for image 4",
        ),
        (nest, r"expected a JSON list .* \(RecursionError"),
        (make_a_folder("labels.json"), r"expected a JSON list .* found a folder"),
        (make_a_folder("ring_image_2.png"), r"expected a PNG .* found a folder"),
        (make_a_pipe, r"expected a PNG .* found something else"),
        (too_many_pixels, r"expected a PNG .* \(DecompressionBombError"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path, damage, message):
    folder = source_folder(tmp_path / "rings")
    damage(folder)
    with pytest.raises(DataError, match=message) as error:
        rings.load(path=folder)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_a_large_image_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    folder = source_folder(tmp_path / "rings")
    Image.new("L", (3000, 3000)).save(folder / "ring_image_2.png")
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("unpacked"))
    monkeypatch.setattr(PngImageFile, "load", one_small(PngImageFile.load))
    with pytest.raises(DataError, match="found 3000 × 3000"):
        rings.load(path=folder)


def one_small(load):
    def spy(image):
        assert image.size == (28, 28), "a large image was unpacked"
        return load(image)

    return spy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2\nx\n1\n2\n", "line 3 .* found 'x'"),
        ("1\n\n2\n1\n2\n", "line 2"),
        ("1\n2\n0\n1\n2\n", "line 3"),
    ],
)
def test_what_is_wrong_with_numbers_of_rings_is_said(tmp_path, text, message):
    folder = source_folder(tmp_path / "rings", kind="classifier")
    (folder / "labels.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        rings.load(path=folder)


def test_auto_takes_the_real_folder_and_else_says_mock(tmp_path, monkeypatch, capsys):
    assert rings.load(n=3, seed=1).mock
    printed = capsys.readouterr().out
    assert "mock data, simulated on this machine (as this hack is meant to be done)" in printed
    monkeypatch.setenv("HACK_DATA", str(tmp_path))
    source_folder(tmp_path / "ring_regressor_dataset")
    data = rings.load(n=3, seed=1)
    assert not data.mock and len(data) == 3
    assert rings.load(n=3, seed=1, source="mock").mock
    with pytest.raises(DataError, match="expected 9 images .* found 5"):
        rings.load(n=9)
    source_folder(tmp_path / "N_ring_dataset")
    with pytest.raises(
        DataError, match="expected images of the kind classifier .* found regressor"
    ):
        rings.load(kind="classifier", n=3)
    shutil.rmtree(tmp_path / "N_ring_dataset")
    with pytest.raises(DataError, match="real data not found"):
        rings.load(kind="classifier", n=3, source="real")


def test_split_is_consecutive_and_disjoint():
    data = rings.load(n=10, seed=1, source="mock")
    first, second = data.split(6, 3)
    assert np.array_equal(first.images, data.images[:6]) and np.array_equal(
        second.ring, data.ring[6:9]
    )
    with pytest.raises(ValueError, match="at least 11 samples, found 10"):
        data.split(6, 5)


def test_only_so_many_images_are_read(tmp_path):
    folder = source_folder(tmp_path / "rings")
    break_png(folder)
    first = rings.read(folder, 2)
    assert first.images.shape == (2, 28, 28) and len(first.parameters) == 2
    with pytest.raises(DataError, match="expected 6 images .* found 5: ask for fewer"):
        rings.read(folder, 6)


def test_an_int_gives_a_set_of_one_image():
    data = rings.load(n=10, seed=1, source="mock")
    one = data[-1]
    assert len(one) == 1 and np.array_equal(one.images[0], data.images[9])


@pytest.mark.parametrize("options", [{"kind": "elipse"}, {"kind": "elipse", "source": "mock"}])
def test_an_unknown_kind_is_told(options):
    with pytest.raises(ValueError, match="one of classifier, .*, found 'elipse'"):
        rings.load(3, **options)


def test_kinds_of_one_family_are_told_apart_by_name_only():
    assert rings.family("regressor") == rings.family("generator") != rings.family("ellipse")
    assert rings.family("classifier") not in (rings.family("regressor"), rings.family("ellipse"))
