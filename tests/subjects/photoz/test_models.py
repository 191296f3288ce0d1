"""Features, figures of merit, models, the command line, and prediction through Dask."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from helpers.datasets.files import DataError
from helpers.evaluation import comparison, distributions, folds
from helpers.evaluation import regression as metrics
from helpers.subjects import photoz
from helpers.subjects.photoz import columns, features, mock, models, predict
from helpers.subjects.photoz.__main__ import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def galaxies():
    """500 galaxies with a redshift, of which a fifth of the fluxes are missing."""
    table, truth = mock.simulate(500, seed=6, z_peak=False)
    rng = np.random.default_rng(0)
    for band in columns.BANDS:
        table.loc[rng.random(500) < 0.2, [f"f_{band}", f"e_{band}"]] = -99
    return table.assign(z_spec=truth["z"], id=[f"obj{i}" for i in range(500)])


@pytest.fixture(scope="module")
def model(galaxies):
    forest = models.make(
        "rf",
        features.PhotometricFeatures(columns.FLUXES, columns.ERRORS),
        n_estimators=20,
        n_jobs=1,
    )
    return forest.fit(galaxies, galaxies["z_spec"].to_numpy())


def test_asinh_magnitudes_are_pogsons_when_bright_and_finite_when_negative():
    bright = features.asinh_magnitudes(np.array([1000.0]), 0.1)
    assert bright == pytest.approx(25 - 2.5 * np.log10(1000), abs=1e-6)
    faint = features.asinh_magnitudes(np.array([-1.0, 0.0, 1.0, np.nan]), 0.1)
    assert np.isfinite(faint[:3]).all() and (np.diff(faint[:3]) < 0).all() and np.isnan(faint[3])
    assert features.colours(np.array([[3.0, 2.0, 0.5]])).tolist() == [[1.0, 2.5, 1.5]]


def test_features_are_finite_named_and_learned_from_training_rows(galaxies):
    made = features.PhotometricFeatures(columns.FLUXES, columns.ERRORS).fit(galaxies[:100])
    found = made.transform(galaxies)
    assert np.isfinite(found).all() and found.shape == (500, 5 + 10 + 5)
    assert len(made.get_feature_names_out()) == 20
    other = galaxies.copy()
    other.loc[100:, list(columns.FLUXES)] = 1e6
    again = features.PhotometricFeatures(columns.FLUXES, columns.ERRORS).fit(other[:100])
    np.testing.assert_array_equal(again.transform(galaxies), found)
    hidden = galaxies.assign(z_spec=7.0, z_peak=7.0, lmass=7.0)
    np.testing.assert_array_equal(made.transform(hidden), found)


def test_gaps_are_filled_with_the_conditional_mean():
    rng = np.random.default_rng(1)
    covariance = np.array([[1.0, 0.9, 0.5], [0.9, 1.0, 0.4], [0.5, 0.4, 1.0]])
    values = rng.multivariate_normal([20, 21, 22], covariance, 4000)
    gaps = rng.random(values.shape) < 0.3
    gaps[gaps.all(axis=1)] = False
    holed = np.where(gaps, np.nan, values)
    mean, found = features.mean_and_covariance(holed)
    np.testing.assert_allclose(mean, [20, 21, 22], atol=0.06)
    np.testing.assert_allclose(found, covariance, atol=0.06)
    filled = features.fill_gaps(holed, mean, found)
    np.testing.assert_array_equal(filled[~gaps], values[~gaps])
    only_first = gaps[:, 0] & ~gaps[:, 1]
    assert np.std((filled - values)[only_first, 0]) < 0.5  # it would be 1 with the plain mean
    assert features.fill_gaps(np.full((1, 3), np.nan), mean, found) == pytest.approx(mean[None])


def test_fluxes_as_features_come_back(galaxies):
    whole = galaxies.copy()
    whole[list(columns.FLUXES)] = np.abs(whole[list(columns.FLUXES)])
    found = features.PhotometricFeatures(columns.FLUXES, None, "fluxes").fit(whole).transform(whole)
    np.testing.assert_allclose(found, whole[list(columns.FLUXES)], rtol=1e-6)
    with pytest.raises(ValueError, match="expected kind"):
        features.PhotometricFeatures(columns.FLUXES, None, "x").fit(whole)


def test_softening_without_errors_is_about_the_noise():
    rng = np.random.default_rng(2)
    flux = rng.exponential(1, (5000, 2)) ** 2 + [0.2, 0.0] * rng.standard_normal((5000, 2))
    flux[:, 1] = 10 + rng.exponential(1, 5000)
    found = features.softening_of(flux, np.full(flux.shape, np.nan))
    assert 0.05 < found[0] < 0.4 and found[1] > 0


def test_figures_of_merit_on_known_numbers():
    true = np.zeros(100_001)
    predicted = np.random.default_rng(3).normal(0.01, 0.05, len(true))
    report = metrics.report(predicted[:5000], true[:5000], n=50)
    assert metrics.sigma_nmad(predicted, true) == pytest.approx(0.05, rel=0.02)
    assert metrics.bias(predicted, true) == pytest.approx(0.01, abs=1e-3)
    assert metrics.outliers(np.array([0.0, 0.2, 1.0, 1.35]), np.array([0.0, 0.0, 1.0, 1.0])) == 0.5
    assert metrics.r2(np.array([1.0, 2.0]), np.array([1.0, 3.0])) == pytest.approx(0.5)
    assert np.isnan(metrics.r2(np.full(9, 0.7), np.full(9, 0.7)))
    assert report["mse"][1] == pytest.approx(np.std(predicted[:5000] ** 2) / np.sqrt(5000), rel=0.3)
    with pytest.raises(ValueError, match="found NaN"):
        metrics.report([np.nan], [1.0])
    with pytest.raises(ValueError, match="as many predictions"):
        metrics.report([1.0, 2.0], [1.0])


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_beats_the_constant_guess_and_repeats_itself(name, galaxies):
    options = {
        "rf": {"n_estimators": 20, "n_jobs": 1},
        "gbt": {"max_iter": 40},
        "mlp": {"epochs": 8},
    }.get(name, {})
    made = models.make(
        name, features.PhotometricFeatures(columns.FLUXES, columns.ERRORS), **options
    )
    z = galaxies["z_spec"].to_numpy()
    found = folds.out_of_fold(made, galaxies, z, folds=3)
    assert metrics.mse(found, z) < 0.8 * np.var(z)
    np.testing.assert_array_equal(found, folds.out_of_fold(made, galaxies, z, folds=3))


def test_an_unknown_model_and_the_folds():
    with pytest.raises(ValueError, match="expected a model of rf"):
        models.make("x", None)
    groups = np.array(["a", "b", "a", "c"])
    for train, test in folds.splits(4, groups=groups):
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in folds.splits(50)])) == list(range(50))


def test_all_29_columns_and_a_field_that_was_never_seen(galaxies):
    made = features.CatalogueColumns().fit(galaxies)
    found = made.transform(galaxies.assign(field="x"))
    assert found.shape == (500, 29) and np.isfinite(found).all() and (found > -90).all()


def test_a_forest_gives_distributions_of_the_training_redshifts(galaxies, model):
    z, grid = galaxies["z_spec"].to_numpy(), np.linspace(0, 5, 201)
    train, test = galaxies[:350], galaxies[350:]
    forest = models.make(
        "rf", features.PhotometricFeatures(columns.FLUXES), n_estimators=100, n_jobs=1
    )
    forest.fit(train, z[:350])
    cumulative = models.forest_distributions(forest, test, train, z[:350], grid)
    assert (np.diff(cumulative, axis=1) >= 0).all() and np.allclose(cumulative[:, -1], 1)
    constant = distributions.from_samples(grid, np.tile(z[:350], (150, 1)))
    scores = [distributions.crps(grid, c, z[350:]).mean() for c in (cumulative, constant)]
    assert scores[0] < 0.7 * scores[1]
    assert distributions.calibration_error(distributions.pit(grid, cumulative, z[350:])) < 0.15


def test_the_table_of_many_models_is_the_same_kind_by_either_library(
    galaxies, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    X = pd.DataFrame(
        features.PhotometricFeatures(columns.FLUXES).fit_transform(galaxies)
    ).add_prefix("c")
    z = galaxies["z_spec"].to_numpy()
    table = comparison.by_scikit_learn(X, z, ["dummy", "dt", "ridge"], 3, 0)
    assert table.index[-1] == "DummyRegressor" and list(table) == ["MAE", "MSE", "R2"]
    assert set(comparison.NAMES.values()) <= {
        name for name, _ in comparison.all_estimators("regressor")
    }
    monkeypatch.setitem(sys.modules, "pycaret.regression", None)
    made_by, again = comparison.compare(X, z, ["dummy", "dt", "ridge"], 3, 0)
    assert made_by == "scikit-learn" and again.equals(table) and not list(tmp_path.iterdir())


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def names(columns):
    return ",".join(columns)


@pytest.mark.slow
def test_the_command_line_prints_one_line_of_json(galaxies, tmp_path):
    path = tmp_path / "a.csv"
    galaxies[["id", *columns.FLUXES, *columns.ERRORS, "z_spec"]].to_csv(path, index=False)
    command = [
        sys.executable,
        "-m",
        "helpers.subjects.photoz",
        "evaluate",
        path,
        "--fluxes",
        names(columns.FLUXES).upper(),
    ]
    command += ["--errors", names(columns.ERRORS), "--z-spec", "Z_SPEC", "--model", "gbt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0 and done.stderr == "" and done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert found["n"] == 500 and 0.15 < found["missing"] < 0.3
    for name in metrics.METRICS:
        assert found[f"{name}_error"] > 0 and name in found["constant"]
    assert found["mse"] < 0.6 * found["constant"]["mse"]


def test_a_difficult_catalogue_is_judged_all_the_same(galaxies, tmp_path, capsys):
    """Duplicates, zero and infinite errors, a band without numbers, no flux at all, codes for no redshift."""
    path = tmp_path / "difficult.ecsv"
    table = galaxies[["id", *columns.FLUXES, *columns.ERRORS, "z_spec"]].copy()
    table["f_F606W"] = np.nan
    table.loc[:20, "e_F125W"], table.loc[21:30, "e_F125W"], table.loc[31:40, "f_F125W"] = (
        0.0,
        np.inf,
        np.inf,
    )
    table.loc[41:45, list(columns.FLUXES)] = -99
    table.loc[46:60, "z_spec"] = -1
    table = pd.concat([table, table.iloc[100:130]])
    table.to_csv(path, index=False)
    arguments = (
        "evaluate",
        path,
        "--fluxes",
        names(columns.FLUXES),
        "--errors",
        names(columns.ERRORS),
        "--model",
        "knn",
    )
    status, out, err = run(capsys, *arguments)
    found = json.loads(out)
    assert status == 0 and err == ""
    known = table["z_spec"] > 0
    blind = (
        table[list(columns.FLUXES)].replace([-99, np.inf], np.nan).isna().all(axis=1) & known
    ).sum()
    assert found["n_without_flux"] == blind >= 5
    assert (
        found["n_duplicates"] + found["n"] + blind == known.sum() == 515
        and 28 <= found["n_duplicates"] <= 30
    )
    assert found["never_measured"] == ["f_F606W"] and found["mse"] < found["constant"]["mse"]


def test_the_model_sees_no_other_column(galaxies, tmp_path, capsys):
    results = []
    for number, shown in enumerate((galaxies.z_spec, -1.0)):
        path = tmp_path / f"{number}.parquet"
        galaxies.assign(z_copy=shown, z_peak=shown).to_parquet(path)
        results.append(
            run(capsys, "evaluate", path, "--fluxes", names(columns.FLUXES), "--model", "linear")[1]
        )
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--fluxes", "f_F606W,u"], "no column 'u'.*the columns are: id, field"),
        (["--fluxes", "id"], "expected numbers in the column 'id'"),
        (["--fluxes", "f_F606W,z_spec"], "each column to be named once"),
        (["--z-spec", "id"], "expected at least 50 galaxies .* found 0"),
        (["--fluxes", "a,,b"], "names of columns with a comma between them, found 'a,,b'"),
        (["--most", "20"], "at least 50 galaxies, found 20"),
        (["--errors", "e_F606W"], "an error column for each of 5 fluxes, found 1"),
    ],
)
def test_what_cannot_be_judged_is_told_in_one_line(change, message, galaxies, tmp_path, capsys):
    path = tmp_path / "a.parquet"
    galaxies.to_parquet(path)
    status, out, err = run(capsys, "evaluate", path, "--fluxes", names(columns.FLUXES), *change)
    assert status == 1 and out == "" and err.count("\n") == 1
    assert re.search(message, err), err


def test_a_large_catalogue_is_predicted_in_order_and_ids_are_kept(galaxies, model, tmp_path):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    galaxies.to_parquet(source, row_group_size=130)
    assert photoz.predict_catalogue(model, source, target, rows=50) == 500
    found = pd.read_parquet(target)
    assert (
        list(found) == ["id", "field", "z_phot"] and found["id"].tolist() == galaxies["id"].tolist()
    )
    np.testing.assert_allclose(found["z_phot"], model.predict(galaxies), rtol=1e-12)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


def number_of(_piece, _stored, target, *_):
    """Number of a part, from what it is made with."""
    return int(target.stem)


def test_what_was_done_before_an_interruption_is_kept(galaxies, model, tmp_path, monkeypatch):
    """One worker, so that three parts are whole when the fourth breaks: of several, nobody knows."""
    source, target, made = tmp_path / "in.parquet", tmp_path / "out.parquet", []
    galaxies.to_parquet(source)
    whole = predict._part

    def breaks(*task):
        if len(made) == 3:
            raise RuntimeError("the machine is gone")
        made.append(number_of(*task))
        return whole(*task)

    monkeypatch.setattr(predict, "_part", breaks)
    monkeypatch.setattr(predict, "allowed", lambda: 1)
    message = "3 of 10 parts are done and kept, .*the same call again goes on"
    with pytest.raises(DataError, match=message):
        photoz.predict_catalogue(model, source, target, rows=50)
    done = {int(path.stem) for path in (tmp_path / "out.parquet.parts").glob("0*.parquet")}
    assert done == set(made) and not target.exists()
    made.clear()

    def note(*task):
        made.append(number_of(*task))
        return whole(*task)

    monkeypatch.setattr(predict, "_part", note)
    assert photoz.predict_catalogue(model, source, target, rows=50) == 500
    assert sorted(made) == sorted(set(range(10)) - done)
    np.testing.assert_allclose(
        pd.read_parquet(target)["z_phot"], model.predict(galaxies), rtol=1e-12
    )


def test_two_calls_do_not_write_to_the_same_target(galaxies, model, tmp_path, monkeypatch):
    """The second comes while the first makes a part."""
    source, target, told = tmp_path / "in.parquet", tmp_path / "out.parquet", []
    galaxies.to_parquet(source)
    whole = predict._part

    def meanwhile(*task):
        with pytest.raises(
            DataError, match="write .*out.parquet alone, found that another call"
        ) as raised:
            photoz.predict_catalogue(model, source, target)
        told.append(raised)
        return whole(*task)

    monkeypatch.setattr(predict, "_part", meanwhile)
    assert photoz.predict_catalogue(model, source, target, rows=250) == 500
    assert len(told) == 2 and len(pd.read_parquet(target)) == 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


def test_a_call_that_is_killed_while_joining_leaves_nothing_behind_the_next(
    galaxies, model, tmp_path, monkeypatch
):
    """As in a process that is killed, nothing is cleaned up."""
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    galaxies.to_parquet(source)

    def killed(path):  # reads a part, when the whole is begun
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(parquet, "read_table", killed)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        patch.setattr(os, "unlink", lambda *_, **__: None)
        photoz.predict_catalogue(model, source, target, keep=["id"])
    assert not target.exists() and (tmp_path / "out.parquet.parts" / "000000.parquet").exists()
    assert photoz.predict_catalogue(model, source, target, keep=["id"]) == 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


def test_parts_of_another_model_or_catalogue_are_not_used(galaxies, model, tmp_path, monkeypatch):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    galaxies.to_parquet(source)
    parts = tmp_path / "out.parquet.parts"
    parts.mkdir()
    (parts / "settings.txt").write_text("of something else", encoding="utf-8")
    (parts / "000000.parquet").write_text("not even a table", encoding="utf-8")
    assert photoz.predict_catalogue(model, source, target, keep=["id", "z_spec"]) == 500
    assert list(pd.read_parquet(target)) == ["id", "z_spec", "z_phot"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda table, path: table.drop(columns="f_F814W").to_parquet(path), "no column 'f_F814W'"),
        (
            lambda table, path: path.write_text("nothing", encoding="utf-8"),
            "Parquet in .* cannot be read",
        ),
        (lambda table, path: None, "expected a catalogue in Parquet at .* found nothing"),
        (lambda table, path: table[:0].to_parquet(path), "expected galaxies in .* found none"),
    ],
)
def test_a_source_that_cannot_be_read_is_told(make, message, galaxies, model, tmp_path):
    make(galaxies, tmp_path / "in.parquet")
    with pytest.raises(DataError, match=message):
        photoz.predict_catalogue(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.slow
def test_the_same_call_runs_on_a_cluster_that_loses_a_worker(
    galaxies, model, tmp_path, monkeypatch
):
    """Two worker processes, of which one dies over the sixth part: all comes out whole and in order."""
    distributed = pytest.importorskip("distributed")
    source, target, died = tmp_path / "in", tmp_path / "out.parquet", tmp_path / "died"
    source.mkdir()
    for number in range(4):
        galaxies.to_parquet(source / f"{number}.parquet")
    whole = predict._part

    def dies_once(*task):
        if number_of(*task) == 5 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*task)

    monkeypatch.setattr(predict, "_part", dies_once)
    options = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "dashboard_address": None,
        "silence_logs": 50,
    }
    with (
        distributed.LocalCluster(**options, local_directory=str(tmp_path / "dask")) as cluster,
        distributed.Client(cluster),
    ):
        assert photoz.predict_catalogue(model, source, target, rows=40) == 2000
    assert died.exists()
    found = pd.read_parquet(target)
    assert found["id"].tolist() == galaxies["id"].tolist() * 4
    np.testing.assert_allclose(found["z_phot"], np.tile(model.predict(galaxies), 4), rtol=1e-12)
