"""Redshifts of catalogues that do not fit into memory: in order, in pieces, whatever happens."""

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from helpers.datasets.files import DataError
from helpers.subjects.photoz import predict
from helpers.subjects.photoz.predict import predict_catalogue


@pytest.fixture
def source(galaxies, tmp_path):
    path = tmp_path / "in.parquet"
    galaxies.to_parquet(path)
    return path


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out.parquet"


def number_of(_piece, _stored, target, *_):
    """Number of a part, from what it is made with."""
    return int(target.stem)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_large_catalogue_is_predicted_in_order_and_ids_are_kept(
    galaxies, model, source, target, tmp_path
):
    galaxies.to_parquet(source, row_group_size=130)
    assert predict_catalogue(model, source, target, rows=50) == 500
    found = pd.read_parquet(target)
    assert list(found) == ["id", "field", "z_phot"]
    assert found["id"].tolist() == galaxies["id"].tolist()
    np.testing.assert_allclose(found["z_phot"], model.predict(galaxies), rtol=1e-12)
    assert names(tmp_path) == ["in.parquet", "out.parquet"]


def test_each_row_group_is_read_once_and_not_at_all_once_it_is_done(
    galaxies, model, source, target, monkeypatch
):
    """Four row groups of three parts each; the model fails in the third group, then no more."""
    galaxies.to_parquet(source, row_group_size=125)
    read = []
    pieces = predict.pieces
    whole = predict._part

    def note(group, columns, rows):
        read.append(group.place)
        return pieces(group, columns, rows)

    def fails(*task):
        if number_of(*task) == 7:
            raise RuntimeError("the machine is gone")
        return whole(*task)

    monkeypatch.setattr(predict, "pieces", note)
    monkeypatch.setattr(predict, "allowed", lambda: 1)
    with monkeypatch.context() as patch, pytest.raises(DataError, match="the machine is gone"):
        patch.setattr(predict, "_part", fails)
        predict_catalogue(model, source, target, rows=50)
    assert read[:3] == [0, 1, 2]
    read.clear()
    assert predict_catalogue(model, source, target, rows=50) == 500
    assert 0 not in read and 1 not in read and read.count(2) == 1 and read.count(3) <= 1


def test_few_parts_are_in_memory_at_a_time(model, source, target, monkeypatch):
    """Pieces that were read, less those that are done: two a worker, and the one just read."""
    read = []
    done = []
    most = []
    pieces = predict.pieces
    whole = predict._part

    def note(*arguments):
        for piece in pieces(*arguments):
            read.append(len(piece))
            most.append(len(read) - len(done))
            yield piece

    def finish(*task):
        whole(*task)
        done.append(number_of(*task))

    monkeypatch.setattr(predict, "pieces", note)
    monkeypatch.setattr(predict, "_part", finish)
    monkeypatch.setattr(predict, "allowed", lambda: 2)
    assert predict_catalogue(model, source, target, rows=10) == 500
    assert len(read) == 50 and max(most) <= 2 * 2 + 1


def test_what_was_done_before_an_interruption_is_kept(galaxies, model, source, target, monkeypatch):
    """One worker, so that three parts are whole when the fourth breaks."""
    made = []
    whole = predict._part

    def breaks(*task):
        if len(made) == 3:
            raise RuntimeError("the machine is gone")
        made.append(number_of(*task))
        return whole(*task)

    def note(*task):
        made.append(number_of(*task))
        return whole(*task)

    monkeypatch.setattr(predict, "_part", breaks)
    monkeypatch.setattr(predict, "allowed", lambda: 1)
    message = "3 of 10 parts are done and kept, .*the same call again goes on"
    with pytest.raises(DataError, match=message):
        predict_catalogue(model, source, target, rows=50)
    parts = target.with_name("out.parquet.parts")
    done = {int(path.stem) for path in parts.glob("0*.parquet")}
    assert done == set(made) and not target.exists()
    made.clear()
    monkeypatch.setattr(predict, "_part", note)
    assert predict_catalogue(model, source, target, rows=50) == 500
    assert sorted(made) == sorted(set(range(10)) - done)
    found = pd.read_parquet(target)["z_phot"]
    np.testing.assert_allclose(found, model.predict(galaxies), rtol=1e-12)


def test_two_calls_do_not_write_to_the_same_target(model, source, target, tmp_path, monkeypatch):
    """The second comes while the first makes a part."""
    told = []
    whole = predict._part
    alone = "write .*out.parquet alone, found that another call"

    def meanwhile(*task):
        with pytest.raises(DataError, match=alone) as raised:
            predict_catalogue(model, source, target)
        told.append(raised)
        return whole(*task)

    monkeypatch.setattr(predict, "_part", meanwhile)
    assert predict_catalogue(model, source, target, rows=250) == 500
    assert len(told) == 2 and len(pd.read_parquet(target)) == 500
    assert names(tmp_path) == ["in.parquet", "out.parquet"]


def test_a_call_that_is_killed_while_joining_leaves_nothing_behind_the_next(
    model, source, target, tmp_path, monkeypatch
):
    """As in a process that is killed, nothing is cleaned up."""

    def killed(path):  # reads a part, when the whole is begun
        raise KeyboardInterrupt

    def nothing(*_, **__):
        pass

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(parquet, "read_table", killed)
        patch.setattr(Path, "unlink", nothing)
        patch.setattr(os, "unlink", nothing)
        predict_catalogue(model, source, target, keep=["id"])
    assert not target.exists()
    assert (tmp_path / "out.parquet.parts" / "000000.parquet").exists()
    assert predict_catalogue(model, source, target, keep=["id"]) == 500
    assert names(tmp_path) == ["in.parquet", "out.parquet"]


def test_parts_of_another_model_or_catalogue_are_not_used(model, source, target, tmp_path):
    parts = tmp_path / "out.parquet.parts"
    parts.mkdir()
    (parts / "settings.txt").write_text("of something else", encoding="utf-8")
    (parts / "000000.parquet").write_text("not even a table", encoding="utf-8")
    assert predict_catalogue(model, source, target, keep=["id", "z_spec"]) == 500
    assert list(pd.read_parquet(target)) == ["id", "z_spec", "z_phot"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda table, path: table.drop(columns="f_F814W").to_parquet(path), "no column 'f_F814W'"),
        (
            lambda table, path: path.write_text("x", encoding="utf-8"),
            "Parquet in .* cannot be read",
        ),
        (lambda table, path: path.unlink(), "expected a catalogue in Parquet at .* found nothing"),
        (lambda table, path: table[:0].to_parquet(path), "expected galaxies in .* found none"),
    ],
)
def test_a_source_that_cannot_be_read_is_told(make, message, galaxies, model, source, target):
    make(galaxies, source)
    with pytest.raises(DataError, match=message):
        predict_catalogue(model, source, target)
    assert not target.exists()


def test_arguments_that_cannot_be_meant_are_told(model, source, target, tmp_path):
    call = partial(predict_catalogue, model, source)
    with pytest.raises(ValueError, match="expected rows of 1 or more, found 0"):
        call(target, rows=0)
    with pytest.raises(ValueError, match="a target outside the source"):
        call(source)
    target.mkdir()
    with pytest.raises(DataError, match="a file to write to, found the folder"):
        call(target)


@pytest.mark.slow
def test_the_same_call_runs_on_a_cluster_that_loses_a_worker(
    galaxies, model, target, tmp_path, monkeypatch
):
    """Two worker processes, of which one dies over the sixth part: all comes whole and in order."""
    distributed = pytest.importorskip("distributed")
    source = tmp_path / "in"
    source.mkdir()
    for number in range(4):
        galaxies.to_parquet(source / f"{number}.parquet")
    died = tmp_path / "died"
    whole = predict._part

    def dies_once(*task):
        if number_of(*task) == 5 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*task)

    monkeypatch.setattr(predict, "_part", dies_once)
    local = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=50,
        local_directory=str(tmp_path / "dask"),
    )
    with local as cluster, distributed.Client(cluster):
        assert predict_catalogue(model, source, target, rows=40) == 2000
    assert died.exists()
    found = pd.read_parquet(target)
    assert found["id"].tolist() == galaxies["id"].tolist() * 4
    np.testing.assert_allclose(found["z_phot"], np.tile(model.predict(galaxies), 4), rtol=1e-12)
