"""A network that judges generated samples: it reads their parameters and gives features."""

import numpy as np
import torch
from sklearn.metrics import r2_score
from torch import nn
from torch.nn import functional as F

from helpers.evaluation.frechet import frechet_distance
from helpers.training import fit, predict

HIDDEN = 128
FEATURES = 32  # of the last but one layer
DROPOUT = 0.1
BATCH = 64
LEARNING_RATE = 2e-3


class ParameterRegressor:
    """The judge of generated samples, be they spectra, images or anything else in rows.

    Made by `fit` from **real** samples only, so that what it says of generated ones owes nothing to
    their generator.

    Attributes
    ----------
    network : torch.nn.Sequential
        Dense layers of 128 and 32 units, then one output a parameter.
    history : helpers.training.History
    """

    def __init__(self, network, history):
        self.network = network
        self.history = history

    @classmethod
    def fit(cls, train, validation, *, epochs=30, seed=0):
        """Train the regressor, and keep its best epoch.

        Parameters
        ----------
        train, validation : tuple of arrays, shape (n, …) and (n, k)
            Normalised samples of any shape, and their k standardised parameters.
        epochs : int
        seed : int

        Returns
        -------
        ParameterRegressor
        """
        torch.manual_seed(seed)
        samples, parameters = train
        network = _network(np.prod(samples.shape[1:]), parameters.shape[1])
        train = (_flat(samples), parameters)
        validation = (_flat(validation[0]), validation[1])
        history = fit(
            network,
            train,
            validation,
            loss=F.mse_loss,
            epochs=epochs,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            seed=seed,
        )
        return cls(network, history)

    def predict(self, samples):
        """Standardised parameters of normalised samples: shape (n, k)."""
        return predict(self.network, _flat(samples))

    def features(self, samples):
        """What the last but one layer makes of normalised samples: shape (n, 32)."""
        return predict(self.network[:-1], _flat(samples))

    def r2(self, samples, asked):
        """Coefficient of determination of each parameter; what was asked for is the truth: (k,)."""
        return r2_score(asked, self.predict(samples), multioutput="raw_values")

    def frechet_distance(self, one, other):
        """Fréchet distance of two sets of samples in the space of `features`."""
        return frechet_distance(self.features(one), self.features(other))


def _network(inputs, outputs):
    return nn.Sequential(
        nn.Linear(inputs, HIDDEN),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, FEATURES),
        nn.ReLU(),
        nn.Linear(FEATURES, outputs),
    )


def _flat(samples):
    """Samples as rows, shape (n, m)."""
    return samples.reshape(len(samples), -1)
