"""Photometric redshifts: catalogues, the simulator, what is peculiar to the subject.

What is here needs NumPy and pandas only. By their own names are imported `mock`, the simulator;
`features`, `models` and `template_fit`; `floor`, the best that anybody could do; `evaluation`, of
anybody's catalogue; and `plots`.
"""

from helpers.subjects.photoz.data import Catalogue, load, read, selected, simulate, write
from helpers.subjects.photoz.predict import predict_catalogue

__all__ = ["Catalogue", "load", "predict_catalogue", "read", "selected", "simulate", "write"]
