"""Cherenkov rings: the simulator, reader and writer of folders, what is peculiar to the subject.

What is here needs NumPy and Pillow only. By their own names are imported `mock`, the simulator;
`circle`, a fit without learning; `floor`, the best that anybody could do; `metrics` and `plots`.
"""

from helpers.subjects.rings.data import RingImages, family, load, read, simulate, write

__all__ = ["RingImages", "family", "load", "read", "simulate", "write"]
