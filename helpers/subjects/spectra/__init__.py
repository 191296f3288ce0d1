"""Galaxy spectra: readers, the simulator, line indices, cross-correlation, what is peculiar to the subject."""

from helpers.evaluation.judge import ParameterRegressor
from helpers.subjects.spectra import plots, prepare
from helpers.subjects.spectra.data import Spectra, load, read, simulate, write
from helpers.subjects.spectra.sets import NAMES, TrainingSet, training_set

__all__ = [
    "NAMES",
    "ParameterRegressor",
    "Spectra",
    "TrainingSet",
    "load",
    "plots",
    "prepare",
    "read",
    "simulate",
    "training_set",
    "write",
]
