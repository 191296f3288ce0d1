"""What is wrong with a data file is said in one sentence, and what is too large is left."""

import gzip
import os

import h5py
import numpy as np
import pytest

from helpers.datasets import reading
from helpers.datasets.files import DataError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(b"something")
    return path


@pytest.mark.parametrize("error", [OSError, KeyError, RecursionError, MemoryError, AttributeError])
def test_whatever_a_library_raises_is_one_short_sentence(path, error):
    with pytest.raises(DataError) as told, reading.reading(path, "a table"):
        raise error(f"{path} is broken\n" + "and more of it " * 3000)
    sentence = str(told.value)
    assert sentence.startswith("expected a table in ") and sentence.endswith("...): get it again")
    assert f"({error.__name__}: " in sentence and len(sentence) < 400
    assert "\n" not in sentence and str(path) not in sentence


def test_an_own_sentence_and_an_interruption_are_left_as_they_are(path):
    with pytest.raises(DataError, match="^my own$"), reading.reading(path, "a table"):
        raise DataError("my own")
    with pytest.raises(KeyboardInterrupt), reading.reading(path, "a table"):
        raise KeyboardInterrupt


def test_what_is_no_file_is_not_opened(path, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    empty = tmp_path / "empty"
    empty.touch()
    nowhere = tmp_path / "nowhere"
    places = {tmp_path: "a folder", nowhere: "nothing", pipe: "something else", empty: "an empty"}
    for place, found in places.items():
        told = pytest.raises(DataError, match=f"expected a table .* found {found}")
        with told, reading.reading(place, "a table"):
            pytest.fail("it was opened")


def test_many_names_are_cut_short():
    assert reading.listed([]) == "nothing"
    assert reading.listed("ab") == "a, b"
    assert len(reading.listed(range(100_000))) <= 1000


def test_what_unpacks_to_far_more_is_refused(path, monkeypatch):
    assert reading.content(path) == b"something"
    zeros = bytes(3 << 20)
    path.write_bytes(gzip.compress(zeros))
    assert reading.content(path) == zeros
    monkeypatch.setattr(reading, "LARGEST", 1 << 20)
    with pytest.raises(DataError, match="expected .*data.bin to unpack to 20 times its"):
        reading.content(path)
    noise = np.random.default_rng(0).bytes(3 << 20)
    path.write_bytes(gzip.compress(noise))
    assert reading.content(path) == noise


def external(file, folder):
    (folder / "secret").write_bytes(bytes(80))
    return file.create_dataset("x", (10,), float, external=[(str(folder / "secret"), 0, 80)])


def linked(file, folder):
    with h5py.File(folder / "other.hdf5", "w") as other:
        other["x"] = np.zeros(10)
    file["x"] = h5py.ExternalLink(str(folder / "other.hdf5"), "x")
    return file["x"]


def virtual(file, folder):
    layout = h5py.VirtualLayout((10,), float)
    layout[:] = h5py.VirtualSource(str(folder / "other.hdf5"), "x", (10,))
    return file.create_virtual_dataset("x", layout)


@pytest.mark.parametrize("make", [external, linked, virtual])
def test_numbers_in_another_file_are_not_read(make, tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        with pytest.raises(DataError, match="data set /x in .*a.hdf5 itself, found a link"):
            reading.limit_hdf5(file, [make(file, tmp_path)])
        file["y"] = np.zeros(10)
        reading.limit_hdf5(file, [file["y"]])


def test_a_data_set_that_is_larger_than_its_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        empty = file.create_dataset("x", (10**6, 10**6), float, chunks=(10, 10))
        with pytest.raises(DataError, match="to unpack to 20 times its .* found 8000000000000 "):
            reading.limit_hdf5(file, [empty])
