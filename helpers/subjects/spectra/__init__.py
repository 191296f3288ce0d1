"""Galaxy spectra: what they are, and where they come from.

The other rooms are imported by name: `prepare`, `indices`, `correlation`, `sdss`, `sets`, `plots`.
"""

from helpers.subjects.spectra.data import Spectra, load, read, simulate, write

__all__ = ["Spectra", "load", "read", "simulate", "write"]
