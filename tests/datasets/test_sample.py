"""Rows that belong together: taken by any index, split, loaded, kept."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from helpers.datasets.files import DataError, atomic_path
from helpers.datasets.sample import Sample, load_or_simulate


@dataclass(frozen=True, kw_only=True)
class Stars(Sample):
    """Of every kind of field one."""

    shared: ClassVar[tuple] = ("wavelength",)

    flux: np.ndarray  # (n, 3)
    wavelength: np.ndarray  # (3,), the same for all
    table: pd.DataFrame
    age: np.ndarray | None
    survey: str


def stars(n, source="mock"):
    return Stars(
        flux=np.arange(3.0 * n).reshape(n, 3),
        wavelength=np.array([4000.0, 5000.0, 6000.0]),
        table=pd.DataFrame({"number": np.arange(n)}),
        age=None,
        survey="SDSS",
        source=source,
    )


MASK = np.array([False, True, False, False, True])


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        (slice(1, 3), [1, 2]),
        (slice(None, None, -2), [4, 2, 0]),
        (MASK, [1, 4]),
        (list(MASK), [1, 4]),
        (pd.Series(MASK, index=list("abcde")), [1, 4]),
        (np.array([3, 0, 3]), [3, 0, 3]),
        ([2, -1], [2, 4]),
        ([], []),
        (2, [2]),
        (-1, [4]),
        (np.int64(3), [3]),
    ],
)
def test_rows_are_taken_from_every_field_that_has_them(rows, taken):
    some = stars(5)[rows]
    assert len(some) == len(taken)
    assert some.flux[:, 0].tolist() == [3.0 * row for row in taken]
    assert some.table.number.tolist() == taken
    assert some.table.index.tolist() == list(range(len(taken)))
    assert some.wavelength.tolist() == [4000, 5000, 6000]
    assert some.age is None and some.survey == "SDSS" and some.source == "mock"


def test_a_row_that_is_not_there_is_an_error_and_ends_a_loop():
    with pytest.raises(IndexError):
        stars(5)[5]
    assert [len(one) for one in stars(5)] == [1, 1, 1, 1, 1]


def test_whether_it_is_mock():
    assert stars(1).mock and not stars(1, "real").mock


def test_split_is_consecutive_and_disjoint():
    train, rest, none = stars(5).split(2, 3, 0)
    assert train.table.number.tolist() == [0, 1]
    assert rest.table.number.tolist() == [2, 3, 4]
    assert len(none) == 0
    with pytest.raises(ValueError, match="expected at least 6 samples, found 5: ask for smaller"):
        stars(5).split(2, 4)


class Store:
    """Reads and writes stars as text, one decimal, and counts what is asked of it."""

    def __init__(self):
        self.simulated = []

    def simulate(self, n):
        self.simulated.append(n)
        sample = stars(n)
        return Stars(**{**vars(sample), "flux": sample.flux + 0.123})

    def write(self, samples, path):
        with atomic_path(path) as part:
            np.savetxt(part, samples.flux, fmt="%.1f")

    def read(self, path, n):
        try:
            flux = np.loadtxt(path, ndmin=2)
        except ValueError:
            raise DataError("expected numbers, found something else: get it again") from None
        return Stars(**{**vars(stars(len(flux), "real")), "flux": flux})[:n]


@pytest.fixture
def store():
    return Store()


def load(store, n, source="auto", real=None, **options):
    options = {"cache": "stars.txt", "write": store.write} | options
    return load_or_simulate(
        "stars", n, source, real=real, read=store.read, simulate=store.simulate, **options
    )


def test_real_data_are_read_where_they_are_and_wanted(store, data):
    path = data / "real.txt"
    store.write(stars(4), path)
    real = load(store, 3, real=path)
    assert not real.mock and len(real) == 3 and store.simulated == []
    assert load(store, 3, "mock", real=path).mock
    with pytest.raises(DataError, match="stars: real data not found"):
        load(store, 3, "real")


def test_simulated_data_are_kept_and_the_same_at_each_call(store, data):
    first = load(store, 4)
    again = load(store, 4)
    assert store.simulated == [4] and first.mock and again.mock
    assert first.flux[0, 0] == 0.1, "as the file rounds it"
    np.testing.assert_array_equal(first.flux, again.flux)
    assert [path.name for path in (data / "cache").iterdir()] == ["stars.txt"]


def test_without_a_cache_nothing_is_written(store, data):
    assert load(store, 4, cache=None).flux[0, 0] == 0.123
    load(store, 4, cache=None)
    assert store.simulated == [4, 4] and list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda path: path.write_text("no number\n", encoding="utf-8"), "expected numbers"),
        (lambda path: path.write_text("1 2 3\n", encoding="utf-8"), "expected 4 samples in .* 1"),
    ],
)
def test_a_cache_that_is_damaged_or_has_fewer_samples_is_made_again(
    change, found, store, data, capsys
):
    first = load(store, 4)
    change(data / "cache" / "stars.txt")
    capsys.readouterr()
    np.testing.assert_array_equal(load(store, 4).flux, first.flux)
    told = capsys.readouterr().out
    assert store.simulated == [4, 4]
    assert told.count("the cache is made again") == 1
    assert re.search(found, told)
    load(store, 4)
    assert store.simulated == [4, 4]


def test_a_cache_that_cannot_be_written_to_is_told_and_does_no_harm(store, data, capsys):
    (data / "cache").write_text("in the way, also of root", encoding="utf-8")
    assert load(store, 4).mock
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2 and told[1].startswith("stars: not kept for the next time (data/cache/")
    assert str(data) not in told[1]


def test_an_error_of_the_simulator_is_its_own(store, monkeypatch):
    def broken(n):
        raise OSError("the simulator's")

    monkeypatch.setattr(store, "simulate", broken)
    with pytest.raises(OSError, match="the simulator's"):
        load(store, 4)


@pytest.mark.parametrize("n", [0, -3])
def test_no_samples_cannot_be_asked_for(n, store):
    with pytest.raises(ValueError, match=f"expected n of 1 or more, found {n}"):
        load(store, n)
