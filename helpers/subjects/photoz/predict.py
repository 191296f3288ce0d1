"""Redshifts of catalogues that do not fit into memory, part by part through Dask: `predict_catalogue`."""

import hashlib
import json
import os
import shutil
from functools import lru_cache, partial
from pathlib import Path

import joblib
import numpy as np

from helpers.datasets.files import DataError, alone, atomic_path
from helpers.datasets.places import short
from helpers.datasets.tables import resolve

NAME = "z_phot"  # of the column that is added


def predict_catalogue(model, source, target, *, keep=None, rows=50_000):
    """Predict the redshifts of a catalogue in Parquet, and write them to another Parquet file.

    The catalogue is worked on in parts, each of which is written when it is done to a folder beside
    the target, ``<target>.parts``. If the call is interrupted, or workers die for good, the same
    call again goes on with the parts that are not there; at the end they are put together, in the
    order of the input, and the folder is removed.

    Without more ado the parts run on threads of this machine. Where there is a
    `distributed.Client`, they run on its workers, which must see the same files.

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
    helpers.datasets.DataError
        If the source is not there, is no Parquet, or lacks a column; or if parts could not be made,
        in which case those that were are kept; or if another call is writing to the same target.
    ValueError
        If `rows` is less than 1, or source and target are the same.
    """
    source, target = Path(source).absolute(), Path(target).absolute()
    if rows < 1 or source == target or target in source.parents or source in target.parents:
        raise ValueError(
            f"expected rows of 1 or more, and a target outside the source, found {rows} and {short(target)}"
        )
    if target.is_dir():
        raise DataError(
            f"expected a file to write to, found the folder {short(target)}: choose another name"
        )
    tasks, names = _plan(source, rows)
    needed = _needed(model)
    if keep is None:
        keep = [name for name in names if name.lower() in ("id", "field")]
    keep, columns = resolve(keep, names, source), resolve(needed, names, source)
    with alone(target, busy=partial(_busy, target)):
        return _predict(model, target, tasks, [keep, columns, needed])


def _busy(target):
    remedy = "wait for its end, or choose another name"
    raise DataError(
        f"expected to write {short(target)} alone, found that another call does: {remedy}"
    )


def _predict(model, target, tasks, columns):
    """Make the parts that are not there, and put all of them together; return the number of galaxies."""
    import dask

    parts = target.with_name(f"{target.name}.parts")
    stored = _prepare(parts, model, tasks, columns)
    paths = [parts / f"{i:06d}.parquet" for i in range(len(tasks))]
    part = dask.delayed(_part)
    jobs = [
        part(*task, stored, path, *columns)
        for task, path in zip(tasks, paths, strict=True)
        if not path.exists()
    ]
    try:
        dask.compute(*jobs, **({} if _cluster() else {"scheduler": "threads"}))
    except (DataError, KeyboardInterrupt):
        raise
    except Exception as error:
        done = sum(path.exists() for path in paths)
        reason = str(error).strip().split("\n")[0][:200]
        raise DataError(
            f"{done} of {len(tasks)} parts are done and kept, another failed "
            f"({type(error).__name__}: {reason}); the same call again goes on from here"
        ) from error
    whole = parts / "whole.parquet"  # in the folder, with which it goes if the call is killed now
    n = _join(paths, whole)
    os.replace(whole, target)
    shutil.rmtree(parts)
    return n


def _cluster():
    """Whether a client of `distributed` is there, whose workers Dask then uses by itself."""
    try:
        from distributed import default_client

        default_client()
    except (ImportError, ValueError):
        return False
    return True


def _needed(model):
    features = model[0]
    errors = getattr(features, "errors", None) or ()
    names = [*features.fluxes, *errors] if hasattr(features, "fluxes") else list(features.columns)
    return list(dict.fromkeys(names))


def _plan(source, rows):
    """The parts as (file, row group, number of the batch in it, rows), and the names of the columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
    tasks, names = [], None
    for path in files:
        try:
            with pq.ParquetFile(path) as file:
                sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
                here = list(file.schema_arrow.names)
        except (OSError, pa.ArrowInvalid) as error:
            reason = (
                "not there" if not path.exists() else f"no whole Parquet file ({str(error)[:80]})"
            )
            raise DataError(
                f"expected a Parquet file at {short(path)}, found that it is {reason}"
            ) from None
        names = names or here
        if set(names) - set(here):
            raise DataError(
                f"expected the same columns in all files of {short(source)}, found others in {path.name}"
            )
        tasks += [
            (path, group, batch, rows)
            for group, size in enumerate(sizes)
            for batch in range(-(-size // rows))
        ]
    if not tasks:
        raise DataError(f"expected galaxies in {short(source)}, found none")
    return tasks, names


def _prepare(parts, model, tasks, columns):
    """Make the folder of the parts, empty if it belongs to something else; return where the model is and its sum."""
    files = {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path, *_ in tasks}
    key = json.dumps(
        [joblib.hash(model), files, [task[1:] for task in tasks], columns], sort_keys=True
    )
    key = hashlib.sha256(key.encode()).hexdigest()
    settings = parts / "settings.txt"
    if parts.exists() and (not settings.exists() or settings.read_text(encoding="utf-8") != key):
        shutil.rmtree(parts)
    with atomic_path(settings) as part:
        part.write_text(key, encoding="utf-8")
    path = parts / "model.joblib"
    with atomic_path(
        path
    ) as part:  # always written anew, so that nothing is unpickled that others have put there
        joblib.dump(model, part)
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
    return path, digest


@lru_cache(maxsize=1)
def _model(path, digest):
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise DataError(
            f"expected the model that this call has written in {short(path)}, found another: call again"
        )
    model = joblib.load(path)
    for step in (model[-1], getattr(model[-1], "regressor_", None)):
        if step is not None and "n_jobs" in step.get_params(deep=False):
            step.set_params(n_jobs=1)  # the parts run side by side already
    return model


def _part(path, group, batch, rows, stored, target, keep, columns, needed):
    """Predict one part, and write it: runs on a worker."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        wanted = list(dict.fromkeys([*keep, *columns]))
        batches = file.iter_batches(
            batch_size=rows, row_groups=[group], columns=wanted, use_threads=False
        )
        data = next(piece for number, piece in enumerate(batches) if number == batch)
    table = pa.Table.from_batches([data])
    frame = table.select(columns).to_pandas().set_axis(needed, axis=1)
    z = np.asarray(_model(*stored).predict(frame), dtype=float)
    if not np.isfinite(z).all():
        raise ValueError(f"the model gives redshifts that are not finite for {short(path)}")
    with atomic_path(target) as part:
        pq.write_table(table.select(keep).append_column(NAME, pa.array(z)), part)
    return len(z)


def _join(paths, target):
    """Put parts together, one at a time in memory, and return the number of rows."""
    import pyarrow.parquet as pq

    n = 0
    with atomic_path(target) as part:
        schema = pq.read_schema(paths[0])
        with pq.ParquetWriter(part, schema) as writer:
            for path in paths:
                table = pq.read_table(path)
                writer.write_table(table.cast(schema))
                n += len(table)
    return n
