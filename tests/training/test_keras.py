"""The Keras callback gives the same `History` as `fit`, on TensorFlow and on PyTorch."""

import importlib.util
import json
import os
from contextlib import redirect_stderr

import numpy as np
import pytest


def work(backend, folder):
    """Train twice; write what Keras and the callback say of it, and the bar."""
    options = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    options["KERAS_HOME"] = str(folder)  # and not ~/.keras, where there may be other settings
    os.environ.update(options)
    import keras

    from helpers.training.keras_progress import KerasProgress

    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 3)).astype("float32")
    y = (x @ [[1.0], [-2.0], [0.5]]).astype("float32")
    noise = rng.normal(size=(64, 1)).astype("float32")
    layers = [keras.layers.Input((3,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    bar = KerasProgress(stopping)
    common = dict(batch_size=32, verbose=0)
    validation = dict(validation_data=(x[:64], noise))
    with (folder / "bar.txt").open("w", encoding="utf-8") as shown, redirect_stderr(shown):
        fitted = model.fit(x, y, epochs=40, callbacks=[stopping, bar], **common, **validation)
    value = model.evaluate(x[:64], noise, verbose=0)
    again = KerasProgress(progress=False)
    model.fit(x, y, epochs=2, callbacks=[again], **common)
    said = {
        "backend": keras.backend.backend(),
        "theirs": fitted.history,
        "ours": bar.history.state_dict(),
        "value": value,
        "again": again.history.state_dict(),
    }
    (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_history_is_that_of_keras(backend, tmp_path, forkserver):
    for name in ("keras", backend):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    process = forkserver.Process(target=work, args=(backend, tmp_path))
    process.start()
    process.join()
    assert process.exitcode == 0
    said = json.loads((tmp_path / "said.json").read_text(encoding="utf-8"))
    theirs = said["theirs"]
    ours = said["ours"]
    again = said["again"]
    assert said["backend"] == backend
    assert ours["curves"]["training"] == theirs["loss"]
    assert ours["curves"]["validation"] == theirs["val_loss"]
    assert ours["learning_rate"] == pytest.approx([0.01] * len(theirs["loss"]))
    assert ours["stopped_early"] and len(ours["seconds"]) == len(theirs["loss"]) < 40
    best = min(theirs["val_loss"])
    assert ours["best_epoch"] == 1 + theirs["val_loss"].index(best)
    assert said["value"] == pytest.approx(best, rel=1e-4)  # those are the weights the model has
    assert "/320 " in (tmp_path / "bar.txt").read_text(encoding="utf-8")  # 8 steps an epoch
    assert len(again["curves"]["training"]) == 2 and list(again["curves"]) == ["training"]
    assert again["best_epoch"] is None and not again["stopped_early"]
