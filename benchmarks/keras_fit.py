"""Keras's `fit` against ours on the same network: prints the ratio of each turn.

The backend is KERAS_BACKEND.
"""

import sys

import keras
import numpy as np
from keras import layers

from benchmarks import training
from benchmarks.timing import ratios
from helpers.training import fit

NETWORKS = {
    "ring regressor": lambda: [
        layers.Input((28, 28, 1)),
        *[
            layers.Conv2D(16, 5, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
        ],
        *[
            layers.Conv2D(32, 5, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
        ],
        *[layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(5)],
    ],
    "64 x 64 map CNN": lambda: [
        layers.Input((64, 64, 2)),
        *[layer for filters in (16, 32, 64) for layer in _block(filters)],
        *[layers.Flatten(), layers.Dense(1024, "relu"), layers.Dense(2)],
    ],
}


def _block(filters):
    normalise = layers.LayerNormalization(axis=(1, 2, 3))
    return [
        layers.Conv2D(filters, 3, padding="same", activation="relu"),
        normalise,
        layers.MaxPooling2D(2),
    ]


def main(name):
    """Compare for one network."""
    make, draw, n, batch, epochs, options = training.CASES[name]
    inputs, targets = draw(n)
    model = keras.Sequential(NETWORKS[name]())
    assert model.count_params() - sum(np.prod(w.shape) for w in model.non_trainable_weights) == sum(
        weight.numel() for weight in make().parameters()
    )
    model.compile(keras.optimizers.AdamW(1e-3), "mse")
    images = np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))

    def theirs():
        model.fit(images, targets, batch_size=batch, epochs=epochs, verbose=0)

    def ours():
        fit(
            make(),
            (inputs, targets),
            loss=training.mse,
            epochs=epochs,
            batch_size=batch,
            progress=False,
            **options,
        )

    print(*ratios(theirs, ours, turns=3))


if __name__ == "__main__":
    main(sys.argv[1])
