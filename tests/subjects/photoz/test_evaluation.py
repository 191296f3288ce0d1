"""How well redshifts can be predicted from anybody's catalogue."""

import numpy as np
import pandas as pd
import pytest

from helpers.datasets.files import DataError
from helpers.subjects.photoz import metrics
from helpers.subjects.photoz.columns import ERRORS, FLUXES
from helpers.subjects.photoz.evaluation import evaluate


@pytest.mark.slow
def test_every_figure_of_merit_has_an_error_and_beats_the_constant(galaxies, tmp_path):
    path = tmp_path / "a.csv"
    galaxies[["id", *FLUXES, *ERRORS, "z_spec"]].to_csv(path, index=False)
    shouted = [name.upper() for name in FLUXES]
    found = evaluate(path, shouted, ERRORS, "Z_SPEC", "gbt")
    assert found["n"] == 500 and 0.15 < found["missing"] < 0.3
    for name in metrics.METRICS:
        assert found[f"{name}_error"] > 0 and name in found["constant"]
    assert found["mse"] < 0.6 * found["constant"]["mse"]


def test_a_difficult_catalogue_is_judged_all_the_same(galaxies, tmp_path):
    """Duplicates, odd errors, a band without numbers, no flux at all, codes for no redshift."""
    path = tmp_path / "difficult.ecsv"
    table = galaxies[["id", *FLUXES, *ERRORS, "z_spec"]].copy()
    table["f_F606W"] = np.nan
    table.loc[:20, "e_F125W"] = 0.0
    table.loc[21:30, "e_F125W"] = np.inf
    table.loc[31:40, "f_F125W"] = np.inf
    table.loc[41:45, list(FLUXES)] = -99
    table.loc[46:60, "z_spec"] = -1
    table = pd.concat([table, table.iloc[100:130]])
    table.to_csv(path, index=False)
    found = evaluate(path, FLUXES, ERRORS, model="knn")
    known = table["z_spec"] > 0
    no_flux = table[list(FLUXES)].replace([-99, np.inf], np.nan).isna().all(axis=1)
    blind = (no_flux & known).sum()
    assert found["n_without_flux"] == blind >= 5
    assert found["n_duplicates"] + found["n"] + blind == known.sum() == 515
    assert 28 <= found["n_duplicates"] <= 30
    assert found["never_measured"] == ["f_F606W"] and found["mse"] < found["constant"]["mse"]


def test_the_model_sees_no_other_column(galaxies, tmp_path):
    results = []
    for number, shown in enumerate((galaxies.z_spec, -1.0)):
        path = tmp_path / f"{number}.parquet"
        galaxies.assign(z_copy=shown, z_peak=shown).to_parquet(path)
        results.append(evaluate(path, FLUXES, model="linear"))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fluxes": ["f_F606W", "u"]}, "no column 'u'.*the columns are: id, field"),
        ({"fluxes": ["id"]}, "expected numbers in the column 'id'"),
        ({"fluxes": ["f_F606W", "z_spec"]}, "each column to be named once"),
        ({"z_spec": "id"}, "expected at least 50 galaxies .* found 0"),
        ({"most": 20}, "at least 50 galaxies, found 20"),
        ({"errors": ["e_F606W"]}, "an error column for each of 5 fluxes, found 1"),
    ],
)
def test_what_cannot_be_judged_is_told(change, message, galaxies, tmp_path):
    path = tmp_path / "a.parquet"
    galaxies.to_parquet(path)
    with pytest.raises((DataError, ValueError), match=message):
        evaluate(path, **({"fluxes": FLUXES} | change))
