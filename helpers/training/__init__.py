"""Training loops in plain PyTorch on Lightning Fabric: the same call runs on a CPU and on a GPU."""

from helpers.training.history import History
from helpers.training.supervised import TrainingError, fit, predict

__all__ = ["History", "TrainingError", "fit", "predict"]
