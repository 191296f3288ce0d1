"""Cherenkov rings: the simulator, the reader and writer of ring folders, what is peculiar to the subject."""

from helpers.rings import checks, metrics, plots
from helpers.rings.data import RingImages, load, save

__all__ = ["RingImages", "checks", "load", "metrics", "plots", "save"]
