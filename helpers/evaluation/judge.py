"""Models of spectra that more than one hack uses."""

import torch
from sklearn.metrics import r2_score
from torch import nn
from torch.nn import functional as F

from helpers.evaluation.frechet import frechet_distance
from helpers.training import fit, predict

FEATURES = 32  # of the last but one layer of the regressor


class ParameterRegressor:
    """The judge of generated spectra: it reads the parameters of galaxies from spectra, and gives features of them.

    Made by `fit` from **real** spectra only, so that what it says of generated ones owes nothing to their generator.

    Attributes
    ----------
    network : torch.nn.Sequential
        Dense layers of 128 and 32 units, then one output a parameter.
    history : helpers.training.History
    """

    def __init__(self, network, history):
        self.network, self.history = network, history

    @classmethod
    def fit(cls, train, validation, *, epochs=30, seed=0):
        """Train the regressor, and keep its best epoch.

        Parameters
        ----------
        train, validation : tuple of arrays, shape (n, n_bins) and (n, k)
            Normalised spectra, and their k standardised parameters.
        epochs : int
        seed : int

        Returns
        -------
        ParameterRegressor
        """
        torch.manual_seed(seed)
        layers = [
            nn.Linear(train[0].shape[1], 128),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(128, FEATURES),
            nn.ReLU(),
        ]
        network = nn.Sequential(*layers, nn.Linear(FEATURES, train[1].shape[1]))
        options = dict(loss=F.mse_loss, epochs=epochs, batch_size=64, learning_rate=2e-3, seed=seed)
        return cls(network, fit(network, train, validation, **options))

    def predict(self, spectra):
        """Standardised parameters of normalised spectra: shape (n, k)."""
        return predict(self.network, spectra)

    def features(self, spectra):
        """What the last but one layer makes of normalised spectra: shape (n, 32)."""
        return predict(self.network[:-1], spectra)

    def r2(self, spectra, asked):
        """Coefficient of determination of each parameter found in spectra, with the one asked for as truth: (k,)."""
        return r2_score(asked, self.predict(spectra), multioutput="raw_values")

    def frechet_distance(self, one, other):
        """Fréchet distance of two sets of spectra in the space of `features`; see `helpers.evaluation.errors`."""
        return frechet_distance(self.features(one), self.features(other))
