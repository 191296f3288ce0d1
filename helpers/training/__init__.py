"""Training loops in plain PyTorch on Lightning Fabric: the same call runs on a CPU and on a GPU."""

from helpers.training.adversarial import fit_gan
from helpers.training.batches import Rows
from helpers.training.ensembles import Ensemble, ensemble_objective
from helpers.training.failures import TrainingError, TrainingInterrupted
from helpers.training.history import History
from helpers.training.loop import Game, play
from helpers.training.objectives import (
    Objective,
    non_saturating,
    wasserstein_clipping,
    wasserstein_gradient_penalty,
)
from helpers.training.supervised import fit, predict

__all__ = [
    "Ensemble",
    "Game",
    "History",
    "Objective",
    "Rows",
    "TrainingError",
    "TrainingInterrupted",
    "ensemble_objective",
    "fit",
    "fit_gan",
    "non_saturating",
    "play",
    "predict",
    "wasserstein_clipping",
    "wasserstein_gradient_penalty",
]
