"""The reader of the school's file: what it takes, what it refuses; the cache of the mock."""

import h5py
import numpy as np
import pytest

from helpers.datasets.files import DataError
from helpers.datasets.registry import registry
from helpers.subjects.spectra import data, mock


@pytest.fixture(autouse=True)
def folder(data_folder):
    """An empty folder, the only one in which data are looked for."""
    return data_folder


@pytest.fixture(scope="module")
def spectra():
    return data.simulate(20, 7)[0]


@pytest.fixture
def file(folder, spectra):
    data.write(spectra, folder / data.FILE)
    return folder / data.FILE


def test_the_real_file_is_found_by_the_name_of_the_registry(file, capsys):
    names = [entry["name"] for entry in registry("sdss_galaxies")["files"]]
    assert data.FILE in names
    assert data.load(5).source == "real"


def test_what_is_written_is_read_bit_by_bit(file, spectra):
    again = data.read(file)
    assert again.source == "real" and not again.mock and spectra.mock
    for name in data.KEYS:
        one = getattr(spectra, name)
        other = getattr(again, name)
        assert one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True), name


def test_the_layout_is_that_of_the_page(file):
    with h5py.File(file) as stored:
        keys = "wavelength spec specerr z zerr age metallicity smass plateid fiberid mjd ra dec"
        assert set(stored["raw"]) == set(keys.split())
        assert stored["raw/spec"].shape == (20, 4556) and stored["raw/z"].shape == (20,)


def test_the_first_rows_are_read_without_the_rest(file, spectra, monkeypatch):
    asked = []
    original = h5py.Dataset.__getitem__

    def spy(self, rows, *more):
        asked.append((self.name, rows))
        return original(self, rows, *more)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", spy)
    first = data.load(3, source="real")
    assert len(first) == 3 and np.array_equal(first.flux, spectra.flux[:3])
    assert ("/raw/spec", slice(None, 3)) in asked and not any(
        name == "/raw/spec" and rows is Ellipsis for name, rows in asked
    )


def test_a_file_in_double_precision_is_read_as_single(file, spectra):
    with h5py.File(file, "a") as stored:
        values = stored["raw/spec"][...].astype(">f8")
        del stored["raw/spec"]
        stored["raw/spec"] = values
    assert data.read(file).flux.dtype == np.float32
    assert np.array_equal(data.read(file).flux, spectra.flux, equal_nan=True)


def spoil(file, key, value):
    with h5py.File(file, "a") as stored:
        del stored[f"raw/{key}"]
        if value is not None:
            stored[f"raw/{key}"] = value


@pytest.mark.parametrize("key", data.KEYS.values())
def test_a_missing_key_is_named(file, key):
    spoil(file, key, None)
    with pytest.raises(DataError, match=f"expected raw/{key} in .*{data.FILE}, found only"):
        data.load(3)


def test_spectra_of_different_lengths_are_refused(file):
    with h5py.File(file, "a") as stored:
        del stored["raw/spec"]
        ragged = stored["raw"].create_dataset("spec", (20,), dtype=h5py.vlen_dtype(np.float32))
        for i in range(20):
            ragged[i] = np.zeros(100 + i, dtype=np.float32)
    with pytest.raises(DataError, match="found spectra of different lengths: rebin"):
        data.load(3)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "spec",
            np.zeros((20, 4000), np.float32),
            r"expected the shape \(20, 4556\) of raw/spec .* found \(20, 4000\)",
        ),
        ("specerr", np.zeros((19, 4556), np.float32), r"of raw/specerr .* found \(19, 4556\)"),
        ("age", np.zeros(3), r"of raw/age .* found \(3,\)"),
        ("mjd", np.array([b"x"] * 20), "expected numbers on one grid in raw/mjd"),
        ("z", 0.1, "expected the shape"),
        ("wavelength", np.linspace(9000, 4000, 4556), "expected increasing wavelengths"),
        ("wavelength", np.full(4556, np.nan), "expected increasing wavelengths"),
    ],
)
def test_other_shapes_and_types_are_refused_with_what_was_found(file, key, value, message):
    spoil(file, key, value)
    with pytest.raises(DataError, match=message):
        data.read(file)


def test_a_file_cut_short_or_of_another_kind_is_refused(file):
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="an HDF5 file .* cannot be read .*truncated"):
        data.load(15)
    file.write_text("<html>", encoding="utf-8")
    with pytest.raises(DataError, match="an HDF5 file .* cannot be read .*signature"):
        data.load(15)
    with h5py.File(file, "w") as stored:
        stored["cooked"] = 1
    with pytest.raises(DataError, match="expected a group raw in .* found cooked"):
        data.load(15)


@pytest.mark.parametrize("error", [RuntimeError, TypeError, KeyError, MemoryError])
@pytest.mark.parametrize("method", ["Group.get", "Dataset.__getitem__"])
def test_whatever_the_library_raises_is_one_sentence(file, monkeypatch, method, error):
    """Files that are damaged in earnest are not tried, as some of them end the process in HDF5."""

    def fail(*_):
        raise error("Unable to get group info")

    monkeypatch.setattr(f"h5py.{method}", fail)
    with pytest.raises(DataError, match=rf"cannot be read \({error.__name__}: '?Unable to get"):
        data.read(file)


def test_a_folder_and_a_thousand_groups_are_one_short_sentence(folder, file):
    with pytest.raises(DataError, match="found a folder: look at its name"):
        data.read(folder)
    with h5py.File(file, "w") as stored:
        for number in range(1000):
            stored.create_group(f"a group with a long name and the number {number}")
    with pytest.raises(DataError, match=r"found a group .* \.\.\.: get it again") as error:
        data.read(file)
    assert len(str(error.value)) < 1200


def test_links_in_a_loop_and_data_of_another_file_are_refused(folder, file):
    spoil(file, "z", h5py.SoftLink("/raw/z"))
    with pytest.raises(DataError):
        data.read(file)
    spoil(file, "z", None)
    (folder / "secret").write_bytes(bytes(160))
    with h5py.File(file, "a") as stored:
        stored["raw"].create_dataset("z", (20,), float, external=[(str(folder / "secret"), 0, 160)])
    with pytest.raises(DataError, match="the data set /raw/z in .* found a link to another file"):
        data.read(file)


def test_more_than_the_memory_is_refused(folder):
    n = 10**6
    with h5py.File(folder / "large.hdf5", "w") as stored:
        for key in data.KEYS.values():
            shape = (n, n) if key in ("spec", "specerr") else (n,)
            stored.create_dataset(f"raw/{key}", shape, np.float32, chunks=True)
    with pytest.raises(DataError, match="to unpack to 20 times its"):
        data.read(folder / "large.hdf5")


def test_more_spectra_than_there_are_is_an_error(file):
    with pytest.raises(DataError, match="expected 21 spectra in .* found 20: ask for fewer"):
        data.load(21)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"n": 0}, "n of 1 or more, found 0"), ({"n": 3, "seed": -1}, "seed of 0 or more, found -1")],
)
def test_no_spectra_or_a_negative_seed_is_an_error(wrong, message):
    with pytest.raises(ValueError, match=f"expected an? {message}|expected {message}"):
        data.load(**wrong)


def test_a_file_may_be_named(file, folder):
    elsewhere = folder / "other.hdf5"
    file.rename(elsewhere)
    assert data.load(3, path=elsewhere).source == "real"
    with pytest.raises(DataError, match="real data not found at"):
        data.load(3, path=file, source="real")


def test_without_the_file_real_is_refused_and_auto_simulates(folder, capsys):
    with pytest.raises(DataError, match="galaxy spectra: real data"):
        data.load(2, source="real")
    assert data.load(2).mock


def test_the_mock_is_kept_in_the_same_layout_and_read_again(folder, monkeypatch, capsys):
    first = data.load(30, source="mock", seed=7)
    (cache,) = (folder / "cache").glob("*.hdf5")
    assert len(data.read(cache)) == 30
    with monkeypatch.context() as patch:
        patch.setattr(mock, "simulate", lambda *_: pytest.fail("simulated again"))
        fewer = data.load(10, source="mock", seed=7)
    assert fewer.mock and np.array_equal(fewer.flux, first.flux[:10], equal_nan=True)
    more = data.load(40, source="mock", seed=7)
    assert (
        "expected 40 spectra in data/cache/" in capsys.readouterr().out
    )  # it is too small, not damaged
    assert len(more) == 40 and np.array_equal(more.error[:30], first.error)
    assert list((folder / "cache").iterdir()) == [cache]


def test_a_damaged_cache_is_made_again(folder, capsys, spectra):
    data.load(20, source="mock", seed=7)
    (cache,) = (folder / "cache").glob("*.hdf5")
    cache.write_bytes(b"nothing")
    assert np.array_equal(data.load(20, source="mock", seed=7).flux, spectra.flux, equal_nan=True)
    assert "is made again" in capsys.readouterr().out
    assert len(data.read(cache)) == 20


def test_where_nothing_can_be_written_spectra_come_all_the_same(folder, capsys):
    (folder / "cache").write_text("a file where the folder should be", encoding="utf-8")
    assert len(data.load(2, source="mock")) == 2
    assert "not kept for the next time" in capsys.readouterr().out


def test_rows_go_together(spectra):
    for rows, numbers in (
        (slice(2, 4), [2, 3]),
        (np.arange(20) == 5, [5]),
        (np.array([7, 1]), [7, 1]),
        (-1, [19]),
        (np.int64(3), [3]),
    ):
        chosen = spectra[rows]
        assert len(chosen) == len(numbers) and chosen.mock
        assert np.array_equal(chosen.redshift, spectra.redshift[numbers])
        assert np.array_equal(chosen.flux, spectra.flux[numbers], equal_nan=True)
        assert chosen.wavelength is spectra.wavelength
    assert spectra.parameters.shape == (20, 4)
    with pytest.raises(AttributeError):
        spectra.age = 1


def test_the_truth_goes_with_the_spectra():
    spectra, truth = data.simulate(4, 1)
    assert truth["flux"].shape == spectra.flux.shape
    assert np.array_equal(spectra.flux, data.load(4, source="mock", seed=1).flux)
    residual = (spectra.flux - truth["flux"])[:, 800:1800] / spectra.error[:, 800:1800]
    assert np.std(residual[np.isfinite(residual)]) < 5
