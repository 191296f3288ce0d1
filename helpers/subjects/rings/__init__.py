"""Cherenkov rings: the simulator, the reader and writer of ring folders, what is peculiar to the subject."""

from helpers.subjects.rings import metrics, plots
from helpers.subjects.rings.data import RingImages, load, save

__all__ = ["RingImages", "load", "metrics", "plots", "save"]
