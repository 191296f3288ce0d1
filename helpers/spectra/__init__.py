"""Galaxy spectra: readers, the simulator, line indices, cross-correlation, what is peculiar to the subject."""

from helpers.spectra import plots, prepare
from helpers.spectra.data import Spectra, load, read, simulate, write

__all__ = ["Spectra", "load", "plots", "prepare", "read", "simulate", "write"]
