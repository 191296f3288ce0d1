"""The Keras callback gives the same `History` as `fit`, on the TensorFlow and on the PyTorch backend."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json
import keras, numpy as np
from helpers.training.keras_progress import KerasProgress

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x = rng.normal(size=(256, 3)).astype("float32")
y = (x @ [[1.0], [-2.0], [0.5]]).astype("float32")
noise = rng.normal(size=(64, 1)).astype("float32")
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.01), "mse")
stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
bar = KerasProgress(stopping)
options = dict(batch_size=32, verbose=0, validation_data=(x[:64], noise))
theirs = model.fit(x, y, epochs=40, callbacks=[stopping, bar], **options).history
ours = bar.history
value = model.evaluate(x[:64], noise, verbose=0)
again = KerasProgress(progress=False)
model.fit(x, y, epochs=2, callbacks=[again], batch_size=32, verbose=0)
print(json.dumps([theirs, ours.state_dict(), value, again.history.state_dict(), keras.backend.backend()]))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_history_is_that_of_keras(backend, tmp_path):
    pytest.importorskip("keras")
    pytest.importorskip(backend)
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    environment["KERAS_HOME"] = str(tmp_path)  # and not ~/.keras, where there may be other settings
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, encoding="utf-8", check=True
    )
    theirs, ours, value, again, found = json.loads(done.stdout.splitlines()[-1])
    assert found == backend
    assert ours["train_loss"] == theirs["loss"] and ours["validation_loss"] == theirs["val_loss"]
    assert ours["learning_rate"] == pytest.approx([0.01] * len(theirs["loss"]))
    assert ours["stopped_early"] and len(ours["seconds"]) == len(theirs["loss"]) < 40
    assert ours["best_epoch"] == 1 + theirs["val_loss"].index(min(theirs["val_loss"]))
    assert value == pytest.approx(min(theirs["val_loss"]), rel=1e-4)  # those are the weights the model has
    assert "/320 " in done.stderr  # the bar: 8 steps an epoch
    assert len(again["train_loss"]) == 2 and again["best_epoch"] is None and not again["stopped_early"]
    assert again["validation_loss"] == []
