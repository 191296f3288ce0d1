"""Regressors by name, each a pipeline from a table with fluxes to redshifts, and a forest's p(z).

All learn ln(1 + z), in which an error means the same at every redshift.
"""

from contextlib import contextmanager

import numpy as np
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional as F

from helpers.evaluation import distributions
from helpers.training import fit, predict


@contextmanager
def one_thread():
    """Work on one thread: with matrices as small as here, several mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, "openmp"):
            yield
    finally:
        torch.set_num_threads(before)


class GradientBoosting(HistGradientBoostingRegressor):
    """scikit-learn's gradient-boosted trees, on one thread."""

    def fit(self, X, y, sample_weight=None):
        """Fit as `HistGradientBoostingRegressor`."""
        with one_thread():
            return super().fit(X, y, sample_weight)

    def predict(self, X):
        """Predict as `HistGradientBoostingRegressor`."""
        with one_thread():
            return super().predict(X)


class NeuralNetwork(RegressorMixin, BaseEstimator):
    """A multi-layer perceptron, trained by `helpers.training.fit` on the mean absolute error.

    Parameters
    ----------
    hidden : tuple of int
        The source's network has 256, 256, 256.
    epochs, batch_size : int
    learning_rate, weight_decay : float
    held_out : float
        Share of the training rows whose loss chooses the best epoch.
    seed : int
    """

    def __init__(
        self,
        hidden=(256, 256, 256),
        epochs=40,
        batch_size=128,
        learning_rate=3e-3,
        weight_decay=1e-2,
        held_out=0.1,
        seed=0,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.held_out = held_out
        self.seed = seed

    def fit(self, X, y):
        """Train on features, shape (n, k), and targets, shape (n,)."""
        X = np.asarray(X, dtype=np.float32)
        y = np.asarray(y, dtype=np.float32).ravel()
        n_held = max(1, int(self.held_out * len(y)))
        order = np.random.default_rng(self.seed).permutation(len(y))
        held = order[:n_held]
        rest = order[n_held:]
        self.mean_ = float(y[rest].mean())
        self.spread_ = float(y[rest].std() or 1.0)
        target = (y - self.mean_) / self.spread_
        self.network_ = self._network(X.shape[1])
        with one_thread():
            self.history_ = fit(
                self.network_,
                (X[rest], target[rest]),
                (X[held], target[held]),
                loss=F.l1_loss,
                epochs=self.epochs,
                batch_size=min(self.batch_size, len(rest)),
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                seed=self.seed,
                progress=False,
            )
        return self

    def _network(self, n_features):
        layers = []
        width = n_features
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            for next_width in self.hidden:
                layers += [nn.Linear(width, next_width), nn.ReLU()]
                width = next_width
            return nn.Sequential(*layers, nn.Linear(width, 1), nn.Flatten(0))

    def predict(self, X):
        """Predict targets, shape (n,)."""
        X = np.asarray(X, dtype=np.float32)
        scaled = predict(self.network_, X).astype(float)
        return self.mean_ + self.spread_ * scaled


def _random_forest(seed):
    return RandomForestRegressor(
        200, max_features=0.5, min_samples_leaf=2, n_jobs=-1, random_state=seed
    )


def _boosted_trees(seed):
    return GradientBoosting(
        learning_rate=0.05, max_iter=250, l2_regularization=1.0, random_state=seed
    )


MODELS = {
    "rf": _random_forest,
    "gbt": _boosted_trees,
    "mlp": lambda seed: NeuralNetwork(seed=seed),
    "svr": lambda seed: SVR(C=3.0, epsilon=0.02),
    "knn": lambda seed: KNeighborsRegressor(12, weights="distance"),
    "linear": lambda seed: Ridge(alpha=1.0),
}
SCALED = ("mlp", "svr", "knn", "linear")  # those that measure distances between features


def make(name, features, seed=0, **options):
    """Make an unfitted model.

    Parameters
    ----------
    name : {"rf", "gbt", "mlp", "svr", "knn", "linear"}
        Random forest, gradient-boosted trees, multi-layer perceptron 256-256-256, support vector
        regression, nearest neighbours, linear regression.
    features : transformer
        From a table to features, as `features.PhotometricFeatures(fluxes, errors)`.
    seed : int
    **options
        Parameters of the regressor, where others are wanted.

    Returns
    -------
    sklearn.pipeline.Pipeline
        ``fit(table, z)`` and ``predict(table)``.

    Raises
    ------
    ValueError
        If there is no model of that name.
    """
    if name not in MODELS:
        raise ValueError(f"expected a model of {', '.join(MODELS)}, found {name!r}")
    regressor = MODELS[name](seed).set_params(**options)
    in_log = TransformedTargetRegressor(regressor, func=np.log1p, inverse_func=np.expm1)
    if name in SCALED:
        return make_pipeline(features, StandardScaler(), in_log)
    return make_pipeline(features, in_log)


def forest_distributions(model, table, train_table, train_z, grid, seed=0):
    """p(z) from a fitted random forest: from each tree one training redshift of a galaxy's leaf.

    Quantile regression forests (Meinshausen 2006, J. Mach. Learn. Res. 7, 983), with one draw a
    tree.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        Of `make`, with a random forest, fitted to `train_table` and `train_z`.
    table, train_table : pandas.DataFrame
    train_z : array, shape (n_train,)
    grid : array, shape (n_z,)
    seed : int

    Returns
    -------
    numpy.ndarray, shape (n, n_z)
        Cumulative, as in `helpers.evaluation.distributions`.
    """
    rng = np.random.default_rng(seed)
    forest = model[-1].regressor_
    features = model[:-1]
    leaves = forest.apply(features.transform(table))  # (n, n_trees)
    train_leaves = forest.apply(features.transform(train_table))
    samples = np.empty(leaves.shape)
    for tree in range(leaves.shape[1]):
        order = np.argsort(train_leaves[:, tree], kind="stable")
        ordered = train_leaves[order, tree]
        first = np.searchsorted(ordered, leaves[:, tree], side="left")
        behind = np.searchsorted(ordered, leaves[:, tree], side="right")
        in_leaf = behind - first
        drawn = first + rng.random(len(first)) * in_leaf
        samples[:, tree] = np.asarray(train_z)[order[drawn.astype(int)]]
    return distributions.from_samples(grid, samples)
