"""Galaxy spectra: readers, the simulator, line indices, cross-correlation, what is peculiar to the subject."""

from helpers.spectra import checks, plots, prepare
from helpers.spectra.data import Spectra, load, read, simulate, write
from helpers.spectra.models import ParameterRegressor

__all__ = ["ParameterRegressor", "Spectra", "checks", "load", "plots", "prepare", "read", "simulate", "write"]
