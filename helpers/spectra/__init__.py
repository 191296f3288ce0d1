"""Galaxy spectra: readers, the simulator, line indices, cross-correlation, what is peculiar to the subject."""

from helpers.spectra import checks, gan_checks, latent_checks, plots, prepare, vae_checks
from helpers.spectra.data import Spectra, load, read, simulate, write
from helpers.spectra.models import ParameterRegressor
from helpers.spectra.sets import NAMES, TrainingSet, training_set

__all__ = ["NAMES", "ParameterRegressor", "Spectra", "TrainingSet", "checks", "gan_checks", "latent_checks"]
__all__ += ["load", "plots", "prepare", "read", "simulate", "training_set", "vae_checks", "write"]
