"""Redshifts of catalogues that do not fit into memory, part by part: `predict_catalogue`."""

import hashlib
import json
import math
import os
import shutil
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np

from helpers.cores import allowed
from helpers.datasets.files import DataError, alone, atomic_path
from helpers.datasets.places import short
from helpers.datasets.tables import pieces, resolve, row_groups

NAME = "z_phot"  # of the column that is added
KEPT = ("id", "field")  # unless other columns are named
WAITING = 2  # parts in memory for each worker: one that it works on, and the next


class Columns(NamedTuple):
    """Which columns of a catalogue are used, as they are spelled in it."""

    keep: list  # copied
    seen: list  # by the model
    needed: list  # by the model, as it spells them

    @property
    def read(self):
        """Each column once."""
        return list(dict.fromkeys([*self.keep, *self.seen]))


def predict_catalogue(model, source, target, *, keep=None, rows=50_000):
    """Predict the redshifts of a catalogue in Parquet, and write them to another Parquet file.

    The catalogue is read once, and worked on in parts, each of which is written when it is done to
    a folder beside the target, ``<target>.parts``. If the call is interrupted, or workers die for
    good, the same call again goes on with the parts that are not there; at the end they are put
    together, in the order of the input, and the folder is removed.

    Without more ado the parts run on threads of this machine. Where there is a
    `distributed.Client`, they run on the workers of its Dask cluster, which must see the folder of
    the target.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        Fitted, as `helpers.subjects.photoz.models.make` makes them: it says which columns it needs.
    source, target : path
        Parquet files; the source may be a folder of them, which are taken in the order of their
        names.
    keep : sequence of str, optional
        Columns to copy; by default those of ``id`` and ``field`` that there are.
    rows : int
        Galaxies in a part: memory grows with it, and not with the catalogue.

    Returns
    -------
    int
        Number of galaxies.

    Raises
    ------
    helpers.datasets.files.DataError
        If the source is not there, is no Parquet, or lacks a column; or if parts could not be made,
        in which case those that were are kept; or if another call is writing to the same target.
    ValueError
        If `rows` is less than 1, or source and target are the same.
    """
    source = Path(source).absolute()
    target = Path(target).absolute()
    _check_arguments(source, target, rows)
    groups, names = row_groups(source)
    needed = _needed(model)
    if keep is None:
        keep = [name for name in names if name.lower() in KEPT]
    kept = resolve(keep, names, source)
    seen = resolve(needed, names, source)
    columns = Columns(kept, seen, needed)
    with alone(target, busy=partial(_busy, target)):
        return _predict(model, target, groups, columns, rows)


def _check_arguments(source, target, rows):
    if rows < 1:
        raise ValueError(f"expected rows of 1 or more, found {rows}")
    if source == target or target in source.parents or source in target.parents:
        found = f"{short(target)} for {short(source)}"
        raise ValueError(f"expected a target outside the source, found {found}: choose another")
    if target.is_dir():
        found = f"the folder {short(target)}"
        raise DataError(f"expected a file to write to, found {found}: choose another name")


def _busy(target):
    found = "that another call does: wait for its end, or choose another name"
    raise DataError(f"expected to write {short(target)} alone, found {found}")


def _needed(model):
    """The columns that a model looks at, each once, as it was told of them."""
    features = model[0]
    if not hasattr(features, "fluxes"):
        return list(dict.fromkeys(features.columns))
    errors = getattr(features, "errors", None) or ()
    return list(dict.fromkeys([*features.fluxes, *errors]))


def _predict(model, target, groups, columns, rows):
    """Make the parts that are not there, put all together, and return the number of galaxies."""
    folder = target.with_name(f"{target.name}.parts")
    stored = _prepare(folder, model, groups, columns, rows)
    n_parts = sum(_n_parts(group, rows) for group in groups)
    paths = [folder / f"{number:06d}.parquet" for number in range(n_parts)]
    try:
        with _workers() as (executor, n_workers):
            _make_parts(executor, WAITING * n_workers, groups, rows, paths, stored, columns)
    except DataError:
        raise
    except Exception as error:
        done = sum(path.exists() for path in paths)
        reason = str(error).strip().split("\n")[0][:200]
        raise DataError(
            f"{done} of {n_parts} parts are done and kept, another failed "
            f"({type(error).__name__}: {reason}); the same call again goes on from here"
        ) from error
    whole = folder / "whole.parquet"  # in the folder, with which it goes if the call is killed now
    n = _join(paths, whole)
    os.replace(whole, target)
    shutil.rmtree(folder)
    return n


def _n_parts(group, rows):
    return math.ceil(group.n_rows / rows)


@contextmanager
def _workers():
    """Where the parts run, as an executor, and how many can run at a time."""
    client = _client()
    if client is None:
        n_threads = allowed()
        with ThreadPoolExecutor(n_threads) as executor:
            yield executor, n_threads
    else:
        with client.get_executor(pure=False) as executor:
            yield executor, max(1, sum(client.nthreads().values()))


def _client():
    """The client of a Dask cluster, if there is one in this process."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.default_client()
    except ValueError:
        return None


def _make_parts(executor, at_most, groups, rows, paths, stored, columns):
    """Have parts predicted that are not there yet, `at_most` of them in memory at a time."""
    left = iter(paths)
    waiting = set()
    for group in groups:
        targets = [next(left) for _ in range(_n_parts(group, rows))]
        if all(path.exists() for path in targets):
            continue
        for path, piece in zip(targets, pieces(group, columns.read, rows), strict=True):
            if path.exists():
                continue
            if len(waiting) >= at_most:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                _raise_what_failed(done)
            waiting.add(executor.submit(_part, piece, stored, path, *columns))
    done, _ = wait(waiting)
    _raise_what_failed(done)


def _raise_what_failed(done):
    for future in done:
        future.result()


def _prepare(folder, model, groups, columns, rows):
    """Make the folder of the parts, or empty it if it belongs to something else.

    Returns
    -------
    path, digest
        Where the model is, and its SHA-256.
    """
    paths = {group.path for group in groups}
    states = {path: path.stat() for path in sorted(paths)}
    files = {str(path): [state.st_size, state.st_mtime_ns] for path, state in states.items()}
    settings = {
        "model": joblib.hash(model),
        "files": files,
        "groups": [[group.place, group.n_rows] for group in groups],
        "rows": rows,
        "columns": columns,
    }
    key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
    note = folder / "settings.txt"
    if folder.exists() and (not note.exists() or note.read_text(encoding="utf-8") != key):
        shutil.rmtree(folder)
    with atomic_path(note) as part:
        part.write_text(key, encoding="utf-8")
    path = folder / "model.joblib"
    # always written anew, so that nothing is unpickled that others have put there
    with atomic_path(path) as part:
        joblib.dump(model, part)
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
    return path, digest


@lru_cache(maxsize=1)
def _model(path, digest):
    """The model of a call, read once in each process."""
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        wanted = f"expected the model that this call has written in {short(path)}"
        raise DataError(f"{wanted}, found another: call again")
    model = joblib.load(path)
    for step in (model[-1], getattr(model[-1], "regressor_", None)):
        if step is not None and "n_jobs" in step.get_params(deep=False):
            step.set_params(n_jobs=1)  # the parts run side by side already
    return model


def _part(piece, stored, target, keep, seen, needed):
    """Predict one part, and write it: runs on a worker."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = piece.select(seen).to_pandas().set_axis(needed, axis=1)
    model = _model(*stored)
    z = np.asarray(model.predict(frame), dtype=float)
    if not np.isfinite(z).all():
        raise ValueError("the model gives redshifts that are not finite")
    table = piece.select(keep).append_column(NAME, pa.array(z))
    with atomic_path(target) as part:
        pq.write_table(table, part)


def _join(paths, target):
    """Put parts together, one at a time in memory, and return the number of rows."""
    import pyarrow.parquet as pq

    n = 0
    schema = pq.read_schema(paths[0])
    with atomic_path(target) as part, pq.ParquetWriter(part, schema) as writer:
        for path in paths:
            table = pq.read_table(path)
            writer.write_table(table.cast(schema))
            n += len(table)
    return n
