"""A catalogue of galaxies: what its columns mean, how it is loaded, kept and selected from."""

import numpy as np
import pandas as pd
import pytest

from helpers.datasets.files import DataError
from helpers.datasets.registry import registry
from helpers.subjects.photoz import data


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "name": [f"gal{i}" for i in range(30)],
            "Flux_a": rng.normal(5, 3, 30),
            "flux_b": rng.normal(5, 3, 30),
            "z": rng.uniform(0, 3, 30),
        }
    )


@pytest.fixture(scope="module")
def simulated():
    return data.simulate(300, seed=5, z_peak=False)


def test_measurements_say_what_is_missing():
    flux = [1.0, -99.0, np.nan, np.inf, -0.5, -120.0, -120.0, 0.0, -1.0, 7.0, 8.0]
    error = [0.1, 0.1, 0.1, 0.1, 0.1, 1.0, 50.0, 0.0, -1.0, 0.0, -99.0]
    found, sigma = data.measurements(pd.DataFrame({"f": flux, "e": error}), ["f"], ["e"])
    measured = np.flatnonzero(np.isfinite(found[:, 0]))
    assert measured.tolist() == [0, 4, 6, 9, 10]
    assert np.flatnonzero(np.isfinite(sigma[:, 0])).tolist() == [0, 4, 6]


def test_text_and_wrong_numbers_of_columns_are_told(table):
    with pytest.raises(
        DataError, match="expected numbers in the column 'name', found text such as 'gal0'"
    ):
        data.measurements(table, ["name"])
    with pytest.raises(ValueError, match="an error column for each of 2 fluxes, found 1"):
        data.measurements(table, ["Flux_a", "flux_b"], ["z"])
    with pytest.raises(ValueError, match="each flux column once"):
        data.measurements(table, ["Flux_a", "Flux_a"])


def test_redshifts_that_are_codes_are_none():
    z = data.redshifts(pd.Series(["0.5", "-1", "-99", "nan", "0", "99", "x", "6.1"]))
    assert np.isfinite(z).tolist() == [True, False, False, False, False, False, False, True]


def test_goods_north_and_south_are_told_apart():
    names = data.field_names(["g", "G", "aegis", "UDS", "b'c'"], [62.2, -27.8, 52.8, -5.2, 2.3])
    assert names.tolist() == ["GOODS-N", "GOODS-S", "AEGIS", "UDS", "COSMOS"]
    with pytest.raises(DataError, match="start with a, c, g or u, found 'x'"):
        data.field_names(["x"], [0.0])


@pytest.fixture
def file(table, tmp_path):
    """A catalogue with names of its own; the second flux is missing where z < 1."""
    path = tmp_path / "a.csv"
    flux = np.where(table.z < 1, -99, table.flux_b)
    table.assign(flux_b=flux).to_csv(path, index=False)
    return path


def test_any_catalogue_is_loaded_by_the_names_of_its_columns(table, file):
    loaded = data.load(path=file, fluxes=["flux_a", "flux_b"], z_spec="z")
    assert loaded.source == "real" and loaded.flux.shape == (30, 2)
    assert np.isnan(loaded.error).all()
    assert np.isnan(loaded.flux[:, 1]).sum() == (table.z < 1).sum()
    np.testing.assert_allclose(loaded.redshift, table.z)
    assert loaded.columns == ["flux_a", "flux_b", "z"]
    assert len(loaded[loaded.table.z > 1]) == (table.z > 1).sum()
    assert loaded[-1].redshift == pytest.approx(table.z[29])


def test_other_columns_are_kept_unless_they_are_not_wanted(table, file):
    names = {"fluxes": ["flux_a"], "errors": ["flux_b"]}
    loaded = data.load(path=file, **names)
    assert loaded.table["name"].tolist() == table["name"].tolist()
    assert np.isnan(loaded.redshift).all()
    assert list(data.load(path=file, **names, others=False).table) == ["flux_a", "flux_b"]


def test_columns_are_named_of_a_file(table):
    with pytest.raises(ValueError, match="the path of the catalogue whose columns are named"):
        data.load(fluxes=["flux_a"])


def test_a_file_survives_writing_and_reading(simulated, tmp_path):
    catalogue, _ = simulated
    path = tmp_path / "3dhst.cat"
    data.write(catalogue, path)
    assert path.read_text(encoding="utf-8").startswith("# id field ra dec x y z_spec")
    again = data.load(path=path)
    assert again.source == "real" and len(again) == len(catalogue)
    np.testing.assert_allclose(again.flux, catalogue.flux, rtol=1e-6)
    other = path.read_text(encoding="utf-8").replace("z_spec", "zspec", 1)
    path.write_text(other, encoding="utf-8")
    with pytest.raises(DataError, match="no column 'z_spec'"):
        data.load(path=path)


def test_the_first_galaxies_of_a_file_can_be_read(simulated, tmp_path):
    catalogue, _ = simulated
    data.write(catalogue, tmp_path / "3dhst.cat")
    assert data.read(tmp_path / "3dhst.cat", 7).table.id.tolist() == catalogue.table.id[:7].tolist()
    with pytest.raises(DataError, match="expected 301 galaxies .* found 300: ask for fewer"):
        data.read(tmp_path / "3dhst.cat", 301)


def test_load_takes_the_real_catalogue_whole(simulated, data_folder):
    catalogue, _ = simulated
    name = registry("3dhst")["files"][0]["name"]
    data.write(catalogue, data_folder / name)
    real = data.load(n=10)
    assert not real.mock and len(real) == 300


def test_load_keeps_the_simulated_catalogue(data_folder, capsys):
    first = data.load(n=120, seed=3, source="mock")
    (kept,) = data_folder.glob("cache/*.cat")
    second = data.load(n=120, seed=3, source="mock")
    assert second.mock and first.table.equals(second.table)
    kept.write_text("# id\n1\n", encoding="utf-8")
    assert data.load(n=120, seed=3, source="mock").table.equals(first.table)
    assert "made again" in capsys.readouterr().out


def test_selection_needs_mass_and_redshift(simulated):
    catalogue, _ = simulated
    chosen = data.selected(catalogue)
    assert (chosen.table["lmass"] > 9).all() and np.isfinite(chosen.redshift).all()
    assert 0 < len(chosen) < np.isfinite(catalogue.redshift).sum()
